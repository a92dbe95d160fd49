// SPDX-License-Identifier: Apache-2.0
// Network files: what has no place in them, how they are found, what of them is asked for later,
// and no memory. The rules of each key, and shapes: test_network.c.
#include "evonode/network.h"
#include "nn/description.h"
#include "program.h"
#include "sweep.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *json, *says;
} rules[] = {
    {"", "net:1: it is not JSON"},
    {"{\"stem\": [{\"layer\": \"conv\", \"name\": \"\"}]}", "stem[0].name: a name has 1 to 32"},
    {"{\"stem\": [{\"layer\": \"conv\", \"name\": \"a23456789b123456789c123456789d123\"}]}",
     "stem[0].name: a name has 1 to 32"},
    {"{\"stem\": [{\"layer\": \"conv\", \"name\": 3}]}", "stem[0].name: a name has 1 to 32"},
    {"{\"stem\": [{\"layer\": \"conv\", \"size\": 99}]}", "size of conv is 99"},
    {"{\"stem\": [{\"layer\": \"norm\", \"over\": 3}]}", "over of norm is 3"},
    {"{\"stem\": [{\"layer\": \"residual\", \"layers\": [\"relu\"], \"x\": 1}]}",
     "residual has no key \"x\""},
    {"{\"blocks\": [{\"ode\": [\"conv\"], \"evolve\": 3}]}", "a whole number here is no kind"},
    {"{\"blocks\": [{\"ode\": [\"conv\"], \"evolve\": \"splines:1000000\"}]}", "blocks[0].evolve"},
    {"{\"blocks\": [{\"layers\": [\"relu\"], \"x\": 1}]}",
     "blocks[0].x: there is no such key; here are layers, name, repeat"},
    {"{\"blocks\": [{\"layers\": [\"relu\"], \"name\": \"a b\"}]}", "blocks[0].name: a name has"},
    {"{\"blocks\": [{\"layers\": [\"relu\"], \"name\": \"g3\"}]}", "the name 'g3' is taken"},
    {"{\"blocks\": [{\"layers\": [\"relu\"], \"name\": \"stem\"}]}", "the name 'stem' is taken"},
};

START_TEST(refused) {
    evn_network *network = NULL;
    test_note(rules[_i].json);
    ck_assert_int_eq(evn_network_parse(rules[_i].json, "net", &network), EVN_ERR_FORMAT);
    ck_assert_ptr_null(network);
    ck_assert_msg(strstr(evn_error_message(), rules[_i].says), "%s", evn_error_message());
}
END_TEST

/// `begin`, `count` times `piece`, `end`.
static char *repeat(const char *begin, int count, const char *piece, const char *end) {
    char *text = malloc(strlen(begin) + (size_t)count * strlen(piece) + strlen(end) + 1);
    char *at = text + sprintf(text, "%s", begin);
    for (int i = 0; i < count; ++i) {
        at += sprintf(at, "%s", piece);
    }
    sprintf(at, "%s", end);
    return text;
}

static void expect(char *json, const char *says) {
    evn_network *network = NULL;
    evn_status status = evn_network_parse(json, "net", &network);
    ck_assert_msg(status == (says ? EVN_ERR_FORMAT : EVN_OK), "%s", evn_error_message());
    ck_assert_msg(!says || strstr(evn_error_message(), says), "%s", evn_error_message());
    evn_network_destroy(&network);
    free(json);
}

/// As many as there may be, and one more.
START_TEST(sizes) {
    static const char nested[] = "{\"layer\": \"residual\", \"layers\": [",
                      block[] = ", {\"layers\": [\"relu\"]}";
    expect(repeat("{\"stem\": [\"relu\"", 999, ", \"relu\"", "]}"), NULL);
    expect(repeat("{\"stem\": [\"relu\"", 1000, ", \"relu\"", "]}"), "1001 layers, 1 lists deep");
    char *inner = repeat("\"relu\"", 8, "]}", "]}"), *at = repeat("{\"stem\": [", 8, nested, inner);
    free(inner);
    expect(at, "1 layers, 9 lists deep");
    expect(repeat("{\"blocks\": [{\"layers\": [\"relu\"]}", 999, block, "]}"), NULL);
    expect(repeat("{\"blocks\": [{\"layers\": [\"relu\"]}", 1000, block, "]}"),
           "1001 blocks are too many");
}
END_TEST

static const char own[] =
    "{\"stem\": [{\"layer\": \"residual\", \"layers\": [{\"layer\": \"norm\", \"over\": "
    "\"batch\"}]}],"
    " \"blocks\": [{\"ode\": [\"conv\"]}, {\"layers\": [\"relu\"], \"name\": \"first\"},"
    " {\"layers\": [{\"layer\": \"conv\", \"filters\": \"fit\"}], \"repeat\": \"fit\"}]}";

/// What options of the command line are for.
START_TEST(asked) {
    evn_network *network = NULL, *plain = NULL;
    TRY(evn_network_parse(own, "net", &network));
    TRY(evn_network_parse("{\"stem\": [\"norm\"], \"blocks\": [{\"layers\": [\"relu\"]}]}", "net",
                          &plain));
    ck_assert(evn__network_fits(network, "filters") && evn__network_fits(network, "repeat"));
    ck_assert(!evn__network_fits(plain, "filters") && !evn__network_fits(plain, "repeat"));
    ck_assert(evn__network_chooses(network, "over", "batch"));
    ck_assert(!evn__network_chooses(network, "over", "layer"));
    ck_assert(!evn__network_chooses(plain, "over", "batch"));
    ck_assert(!evn__network_chooses(network, "filters", "batch"));
    evn_network_destroy(&network);
    evn_network_destroy(&plain);
    evn_network_destroy(&plain);
    evn_network_destroy(NULL);
    ck_assert_ptr_null(evn_network_name(NULL));
    ck_assert_ptr_null(evn_network_text(NULL));
}
END_TEST

START_TEST(files) {
    char path[TEST_PATH];
    evn_network *network = NULL;
    test_write("own.json", own, sizeof(own) - 1);
    TRY(evn_network_read(test_path(path, "own.json"), &network));
    ck_assert_str_eq(evn_network_text(network), own);
    evn_network_destroy(&network);
    test_write("own.json", own, sizeof(own)); // with its NUL byte
    ck_assert_int_eq(evn_network_read(path, &network), EVN_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "NUL bytes"));
    ck_assert_int_eq(evn_network_read(test_path(path, "none.json"), &network), EVN_ERR_FILE);
    ck_assert_int_eq(evn_network_read(NULL, &network), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_network_read(path, NULL), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_network_parse(NULL, "net", &network), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_network_parse(own, NULL, &network), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_network_parse(own, "net", NULL), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_network_shipped(NULL, &network), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_network_shipped("node", NULL), EVN_ERR_ARGUMENT);
}
END_TEST

// No memory ---------------------------------------------------------------------------------------

static evn_status parse(void) {
    evn_network *network = NULL;
    EVN_TRY(evn_network_parse(own, "net", &network));
    bool right =
        evn__network_fits(network, "repeat") && strcmp(evn_network_text(network), own) == 0;
    evn_network_destroy(&network);
    return right ? EVN_OK : EVN_ERR_INTERNAL;
}

/// A refusal stays one, or there is no memory for it.
static evn_status refuse(void) {
    evn_network *network = NULL;
    evn_status status =
        evn_network_parse("{\"stem\": [{\"layer\": \"conv\", \"size\": 99}]}", "net", &network);
    return status == EVN_ERR_FORMAT && strstr(evn_error_message(), "size of conv is 99") ? EVN_OK
           : status == EVN_ERR_MEMORY                                                    ? status
                                      : EVN_ERR_INTERNAL;
}

START_TEST(faults) {
    test_sweep_begin();
    test_sweep(&(test_deed){.name = "parse", .run = parse});
    test_sweep(&(test_deed){.name = "refuse", .run = refuse});
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("nn/network_file");
    TCase *all = tcase_create("rules");
    tcase_add_loop_test(all, refused, 0, (int)(sizeof(rules) / sizeof(rules[0])));
    tcase_add_test(all, sizes);
    suite_add_tcase(s, all);
    test_add(s, tcase_create("asked"), asked);
    test_add(s, tcase_create("files"), files);
    test_add(s, tcase_create("faults"), faults);
    return s;
}

int main(void) {
    return test_run(suite());
}
