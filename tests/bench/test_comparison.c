// SPDX-License-Identifier: Apache-2.0
// Results side by side.
#include "bench/comparison.h"
#include "program.h"
#include "result.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Two files, the second `factor` times as slow.
static void compare(double factor, double tolerance, evn__bench_comparison *c) {
    static char a[TEST_PATH], b[TEST_PATH];
    static const char *paths[] = {a, b};
    evn__bench_record record;
    test_result("A vendor", "A device", 1, &record);
    test_result_write(&record, test_path(a, "a.json"));
    evn__bench_record_free(&record);
    test_result("A vendor", "A <device>", factor, &record);
    test_result_write(&record, test_path(b, "b.json"));
    evn__bench_record_free(&record);
    TRY(evn__bench_compare(paths, 2, tolerance, c));
}

static const evn__bench_cell *cell(const evn__bench_comparison *c, const char *key) {
    for (int i = 0; i < c->row_count; ++i) {
        if (strcmp(evn__bench_comparison_row(c, i)->key, key) == 0) {
            return &c->cells[i * c->count + 1];
        }
    }
    ck_abort_msg("no row %s", key);
    return NULL;
}

START_TEST(with_itself) {
    evn__bench_comparison c;
    compare(1, 0.1, &c);
    for (int i = 0; i < c.row_count; ++i) {
        const evn__bench_cell *own = &c.cells[i * 2 + 1];
        bool measured = own->row->time.count > 0;
        ck_assert_int_eq(own->verdict, measured ? EVN__BENCH_SAME : EVN__BENCH_UNKNOWN);
        ck_assert(!measured || own->ratio == 1);
        ck_assert(!measured || (own->low < 1 && own->high > 1));
    }
    ck_assert_int_eq(c.regressions, 0);
    ck_assert_double_eq(evn__bench_comparison_mean(&c, 1), 1);
    evn__bench_comparison_free(&c);
}
END_TEST

START_TEST(slower) {
    evn__bench_comparison c;
    compare(1.2, 0.1, &c);
    ck_assert_double_eq_tol(cell(&c, "conv2d")->ratio, 1 / 1.2, 1e-6);
    ck_assert_int_eq(cell(&c, "conv2d")->verdict, EVN__BENCH_SLOWER);
    ck_assert_int_eq(c.regressions, 4);
    ck_assert_double_eq_tol(evn__bench_comparison_mean(&c, 1), 1 / 1.2, 1e-6);
    evn__bench_comparison_free(&c);
    compare(1.2, 0.3, &c); // tolerated
    ck_assert_int_eq(c.regressions, 0);
    evn__bench_comparison_free(&c);
    compare(1.2, NAN, &c); // no baseline
    ck_assert_int_eq(c.regressions, 0);
    evn__bench_comparison_free(&c);
    compare(1.03, 0.01, &c); // within the spread
    ck_assert_int_eq(cell(&c, "conv2d")->verdict, EVN__BENCH_SAME);
    ck_assert_int_eq(c.regressions, 0);
    evn__bench_comparison_free(&c);
    compare(0.5, 0.1, &c);
    ck_assert_int_eq(cell(&c, "mnist_euler")->verdict, EVN__BENCH_FASTER);
    ck_assert_int_eq(c.regressions, 0);
    evn__bench_comparison_free(&c);
}
END_TEST

/// A limit that does twice the work in twice the time is the same.
START_TEST(by_work) {
    char a[TEST_PATH], b[TEST_PATH];
    const char *paths[] = {a, b};
    evn__bench_comparison c;
    evn__bench_record record;
    test_result("A vendor", "A device", 1, &record);
    test_result_write(&record, test_path(a, "a.json"));
    evn__bench_result *row = test_result_row(&record, "limit_fp32");
    for (int i = 0; i < row->time.count; ++i) {
        row->time.samples[i] *= 2;
    }
    evn__bench_summarise(&row->time);
    row->flops *= 2;
    test_result_write(&record, test_path(b, "b.json"));
    evn__bench_record_free(&record);
    TRY(evn__bench_compare(paths, 2, 0.1, &c));
    ck_assert_double_eq_tol(cell(&c, "limit_fp32")->ratio, 1, 1e-6);
    ck_assert_int_eq(c.regressions, 0);
    evn__bench_comparison_free(&c);
}
END_TEST

/// A row that the first has and that fails in the second.
START_TEST(failing) {
    char a[TEST_PATH], b[TEST_PATH];
    const char *paths[] = {a, b};
    evn__bench_comparison c;
    evn__bench_record record;
    test_result("A vendor", "A device", 1, &record);
    test_result_write(&record, test_path(a, "a.json"));
    evn__bench_result *row = test_result_row(&record, "conv2d");
    row->time.count = 0;
    strcpy(row->reason, "a kernel did not compile");
    test_result_write(&record, test_path(b, "b.json"));
    evn__bench_record_free(&record);
    TRY(evn__bench_compare(paths, 2, 0.1, &c));
    ck_assert_int_eq(cell(&c, "conv2d")->verdict, EVN__BENCH_FAILED);
    ck_assert_int_eq(c.regressions, 1);
    evn__bench_comparison_free(&c);
}
END_TEST

START_TEST(page) {
    evn__bench_comparison c;
    evn__text html = {0};
    compare(1.2, 0.1, &c);
    evn__bench_comparison_page(&c, &html);
    TRY(html.status);
    static const char *const there[] = {
        "A &lt;device&gt;", "the row conv2d", "times as fast as A",       ">0.833</text>",
        ">50 %</text>",     "REGRESSION",     "does not compute in fp16", "all right"};
    for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); ++i) {
        ck_assert_msg(strstr(html.data, there[i]), "no %s", there[i]);
    }
    static const char *const absent[] = {"<device>", "http:", "https:", "<script", "nan", "src="};
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); ++i) {
        ck_assert_msg(!strstr(html.data, absent[i]), "there is %s", absent[i]);
    }
    free(html.data);
    evn__bench_comparison_free(&c);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("comparison");
    test_add(s, tcase_create("with_itself"), with_itself);
    test_add(s, tcase_create("slower"), slower);
    test_add(s, tcase_create("by_work"), by_work);
    test_add(s, tcase_create("failing"), failing);
    test_add(s, tcase_create("page"), page);
    return s;
}

int main(void) {
    return test_run(suite());
}
