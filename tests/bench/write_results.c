// SPDX-License-Identifier: Apache-2.0
// Three results of two devices for the test of the site:  write_results FOLDER
#include "bench/submission.h"
#include "result.h"
#include "test.h"

#include <stdlib.h>

static const char *folder;

static void write_one(const char *device, const char *date, double factor) {
    evn__bench_record record;
    evn__text path = {0};
    test_result("Vendor & Co.", device, factor, &record);
    json_object_set_new(record.about, "date", json_string(date));
    TRY(evn__bench_submission_place(folder, record.about, &path));
    test_result_write(&record, path.data);
    free(path.data);
    evn__bench_record_free(&record);
}

START_TEST(write_all) {
    write_one("Fast <1>", "2026-11-28", 1);
    write_one("Fast <1>", "2026-11-29", 0.9);
    write_one("Slow", "2026-11-29", 10);
}
END_TEST

int main(int argc, char **argv) {
    Suite *s = suite_create("results");
    folder = argc == 2 ? argv[1] : ".";
    test_add(s, tcase_create("write"), write_all);
    return test_run(s);
}
