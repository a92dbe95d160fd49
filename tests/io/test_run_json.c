// SPDX-License-Identifier: Apache-2.0
// The files of JSON in a run directory: one that is damaged is not read as another.
#include "io/run_json.h"

#include "base/status.h"
#include "program.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *make_object(void) {
    return json_pack("{s:s, s:i, s:f, s:f, s:n, s:[s, b], s:{s:s}}", "task", "digits", "steps", 20,
                     "rate", 0.1, "third", 1.0 / 3, "none", "list", "a\"b", 1, "device", "name",
                     "CPU");
}

/// Whether all that was written is there; a damaged "hash" may stand beside it.
static bool has_all(const json_t *read, json_t *written) {
    const char *name;
    json_t *value;
    bool all = true;
    json_object_foreach(written, name, value) {
        all = all && json_equal(json_object_get(read, name), value);
    }
    return all;
}

static json_t *read_well(const char *folder) {
    json_t *value;
    TRY(evn__run_json_read(folder, "x.json", "knock", &value));
    return value;
}

/// Each bit of the file once.
START_TEST(damaged) {
    json_t *value;
    size_t size;
    test_folder_in_memory();
    const char *folder = test_folder();
    int refused = 0;
    TRY(evn__run_json_write(folder, "x.json", make_object()));
    json_t *written = read_well(folder);
    char *text = test_read("x.json", &size);
    ck_assert_ptr_nonnull(strstr(text, "\"hash\": \""));
    ck_assert_ptr_null(json_object_get(written, "hash"));
    for (size_t bit = 0; bit < 8 * size; ++bit) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        test_write("x.json", text, size);
        text[bit / 8] ^= (char)(1 << bit % 8);
        evn_status status = evn__run_json_read(folder, "x.json", "knock", &value);
        ck_assert_msg(status == EVN_ERR_FORMAT || (status == EVN_OK && has_all(value, written)),
                      "bit %zu of byte %zu: %d, %s", bit % 8, bit / 8, status, evn_error_message());
        refused += status == EVN_ERR_FORMAT;
        json_decref(value);
    }
    ck_assert_int_gt(refused, 6 * (int)size);
    json_decref(written);
    free(text);
}
END_TEST

/// Order and spacing are no damage; what is changed, and what never had a hash, is said and taken.
START_TEST(changed) {
    json_t *value;
    size_t size;
    const char *folder = test_folder();
    TRY(evn__run_json_write(folder, "x.json", make_object()));
    char *text = test_read("x.json", &size), path[TEST_PATH];
    json_t *all = json_loads(text, 0, NULL);
    ck_assert_int_eq(json_dump_file(all, test_path(path, "x.json"), JSON_COMPACT | JSON_SORT_KEYS),
                     0);
    json_decref(read_well(folder));
    json_object_set_new(all, "steps", json_integer(21));
    ck_assert_int_eq(json_dump_file(all, path, 0), 0);
    ck_assert_int_eq(evn__run_json_read(folder, "x.json", "knock", &value), EVN_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "x.json: its hash does not fit"));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "from a copy, or knock, or, "));
    ck_assert_ptr_null(value);
    json_object_del(all, "hash");
    ck_assert_int_eq(json_dump_file(all, path, 0), 0);
    value = read_well(folder);
    ck_assert_int_eq(json_integer_value(json_object_get(value, "steps")), 21);
    json_decref(value);
    json_decref(all);
    test_write("x.json", text, size / 2);
    ck_assert_int_eq(evn__run_json_read(folder, "x.json", "knock", &value), EVN_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "from a copy, or knock"));
    free(text);
    TRY(evn__run_json_read_optional(folder, "y.json", "knock", &value));
    ck_assert_ptr_null(value);
    ck_assert_int_eq(evn__run_json_read(folder, "y.json", "knock", &value), EVN_ERR_FILE);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("run_json");
    test_add(s, tcase_create("damaged"), damaged);
    test_add(s, tcase_create("changed"), changed);
    return s;
}

int main(void) {
    return test_run(suite());
}
