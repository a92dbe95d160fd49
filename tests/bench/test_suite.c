// SPDX-License-Identifier: Apache-2.0
// Rows that do not become warm in time are given up, and stop nobody else.
#include "bench/suite.h"
#include "test.h"

#include <string.h>

static void count(void *user, const evn__bench_record *record, const evn__bench_result *row) {
    (void)record;
    ck_assert_msg(row->name[0], "a row without a name");
    ++*(int *)user;
}

static void run(const char *rows, double warm_up_seconds, evn__bench_record *record) {
    int told = 0;
    const evn__bench_options options = {.rows = rows,
                                        .quick = true,
                                        .warm_up_seconds = warm_up_seconds,
                                        .report = count,
                                        .user = &told};
    TRY(evn__bench_run(test_device(), &options, record));
    ck_assert_int_eq(told, record->count);
}

START_TEST(given_up) {
    evn__bench_record record;
    run("norm,plan_1000", 1e-9, &record);
    ck_assert_int_eq(record.count, 4); // with both limits
    const evn__bench_result *norm = evn__bench_record_find(&record, "norm");
    ck_assert_int_eq(norm->status, EVN_ERR_DEADLINE);
    ck_assert_int_eq(norm->time.count, 0);
    ck_assert(!norm->lacking);
    ck_assert_ptr_nonnull(strstr(norm->reason, "given up after 1e-09 s, before kernel"));
    // It launches nothing.
    ck_assert_int_gt(evn__bench_record_find(&record, "plan_1000")->time.count, 0);
    evn__bench_record_free(&record);
}
END_TEST

/// After rows that were given up the device is as before.
START_TEST(goes_on) {
    evn__bench_record record;
    run("norm", 1e-9, &record);
    evn__bench_record_free(&record);
    run("norm", 0, &record);
    const evn__bench_result *norm = evn__bench_record_find(&record, "norm");
    ck_assert_int_eq(norm->status, EVN_OK);
    ck_assert_int_ge(norm->time.count, 5);
    ck_assert_double_le(norm->difference, norm->tolerance);
    evn__bench_record_free(&record);
}
END_TEST

int main(void) {
    Suite *s = suite_create("suite");
    test_add(s, tcase_create("given_up"), given_up);
    test_add(s, tcase_create("goes_on"), goes_on);
    return test_run(s);
}
