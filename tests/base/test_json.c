// SPDX-License-Identifier: Apache-2.0
// JSON that lacks nothing: whichever allocation fails, the text is whole or there is none.
#include "base/json.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static long allocations, failing; ///< which of them fails; 0: none

static void *allocate(size_t bytes) {
    return ++allocations == failing ? NULL : malloc(bytes);
}

/// All the ways in which the builder is used.
static evn_status build(evn__text *text) {
    json_t *object = json_object(), *array = json_array(), *more = json_object();
    evn__json_put(more, "a key that is there", json_integer(1));
    evn__json_put(object, "text", json_string("a text, longer than what a small block holds"));
    evn__json_put(object, "pack", json_pack("{s:s, s:[i, f], s:n}", "a", "b", "c", 1, 0.5, "d"));
    for (int i = 0; i < 20; ++i) {
        evn__json_append(array, json_real(i + 0.25));
    }
    evn__json_put(object, "array", array);
    evn__json_put_missing(object, more);
    evn__json_put_all(object, more);
    evn__json_quote("in \"quotes\"", text);
    evn__json_show(object, JSON_COMPACT, 9, text);
    json_decref(object);
    return text->status;
}

START_TEST(every_allocation) {
    evn__text whole = {0};
    json_set_alloc_funcs(allocate, free);
    allocations = failing = 0;
    TRY(build(&whole));
    long count = allocations, refused = 0;
    ck_assert_int_gt(count, 50);
    ck_assert_ptr_nonnull(strstr(whole.data, "\"in \\\"quotes\\\"\""));
    for (long k = 1; k <= count; ++k) {
        evn__text text = {0};
        allocations = 0;
        failing = k;
        evn_status status = build(&text);
        bool right = status == EVN_OK && strcmp(text.data, whole.data) == 0;
        ck_assert_msg(right || status == EVN_ERR_MEMORY, "allocation %ld of %ld: status %d, %s", k,
                      count, (int)status, text.data ? text.data : "");
        refused += !right;
        free(text.data);
    }
    ck_assert_int_gt(refused, count - 5);
    failing = 0;
    evn__text again = {0};
    TRY(build(&again)); // what failed before is forgotten
    ck_assert_str_eq(again.data, whole.data);
    free(again.data);
    free(whole.data);
}
END_TEST

START_TEST(texts_that_are_wrong) {
    json_t *value;
    json_error_t error;
    evn__json_watch();
    ck_assert_int_eq(evn__json_parse("[1, 2", 5, &value), EVN_ERR_FORMAT);
    ck_assert_ptr_null(value);
    ck_assert_int_eq(evn__json_parse_at("[1,\n 2,]", 8, &value, &error), EVN_ERR_FORMAT);
    ck_assert_int_eq(error.line, 2);
    TRY(evn__json_parse("{\"a\": [1.5, \"x\"]}", 17, &value));
    ck_assert_double_eq(json_real_value(json_array_get(json_object_get(value, "a"), 0)), 1.5);
    json_decref(value);
    evn__text text = {0};
    evn__json_quote("latin \xe9", &text); // JSON has no such text
    ck_assert_int_eq(text.status, EVN_ERR_MEMORY);
    free(text.data);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("json");
    test_add(suite, tcase_create("every_allocation"), every_allocation);
    test_add(suite, tcase_create("texts_that_are_wrong"), texts_that_are_wrong);
    return test_run(suite);
}
