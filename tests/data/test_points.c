// SPDX-License-Identifier: Apache-2.0
// Points of a table and their standardisation: moments, densities in the user's units, what is
// refused.
#include "base/status.h"
#include "data/points.h"
#include "sweep.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static evn__data_table *table_of(const char *text) {
    evn__data_table *table;
    test_note(text);
    TRY(evn__data_table_parse("t.csv", (const unsigned char *)text, strlen(text), &table));
    return table;
}

static void refuse(const char *text, const char *columns, int64_t skip_bad, const char *message) {
    evn__data_table *table = table_of(text);
    evn__points *points;
    evn_status status = evn__points_take(table, columns, skip_bad, 3, &points);
    status = status == EVN_OK ? evn__points_fit(points, 0, 1) : status;
    ck_assert_int_eq(status, EVN_ERR_DATA);
    ck_assert_msg(strstr(evn_error_message(), message), "'%s' lacks '%s'", evn_error_message(),
                  message);
    evn__points_destroy(&points);
    evn__data_table_destroy(&table);
}

START_TEST(columns_of_numbers) {
    evn__data_table *t = table_of(",a,kind,b,none\n0,1,x,2,\n1,3,y,,\n2,5,x,7,\n");
    evn__points *p;
    ck_assert_int_eq(evn__points_take(t, NULL, 0, 128, &p), EVN_ERR_DATA);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "line 3, column 'b'"));
    TRY(evn__points_take(t, NULL, 1, 128, &p));
    ck_assert_int_eq(p->dimensions, 2); // a and b
    ck_assert_int_eq(p->count, 2);
    ck_assert_int_eq(p->left_out, 1);
    ck_assert(p->rows[2] == 5 && p->rows[3] == 7);
    evn__points_destroy(&p);
    TRY(evn__points_take(t, "b,x1", 1, 128, &p));
    ck_assert_str_eq(p->names[1], "x1");
    ck_assert(p->rows[2] == 7 && p->rows[3] == 2);
    double *rows;
    evn__data_table *other = table_of("x1;b\n4;5\n"), *bare = table_of("4,5\n6,7\n");
    TRY(evn__points_match(p, other, &rows));
    ck_assert(rows[0] == 5 && rows[1] == 4);
    free(rows);
    TRY(evn__points_match(p, bare, &rows));
    ck_assert(rows[0] == 4 && rows[3] == 7);
    free(rows);
    evn__data_table_destroy(&other);
    other = table_of("a,b\n1,2\n");
    ck_assert_int_eq(evn__points_match(p, other, &rows), EVN_ERR_DATA);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "no column 'x1'"));
    evn__data_table_destroy(&other);
    evn__data_table_destroy(&bare);
    evn__points_destroy(&p);
    evn__data_table_destroy(&t);
}
END_TEST

START_TEST(what_has_no_density) {
    refuse("a,b\n1,2\nx,3\n", NULL, 0, "line 3, column 'a': 'x'");
    refuse("a,b\n1,2\n2,\n", NULL, 0, "line 3, column 'b': the value is missing");
    refuse("a,b\n1,\n,3\n", NULL, 9, "no row with all");
    refuse("a,b\nx,y\n", NULL, 0, "no column of numbers");
    refuse("a,b,c,d\n1,2,3,4\n2,1,5,3\n", NULL, 0, "4 columns of numbers, and 3");
    refuse("a,b\n1,2\n2,2\n4,2\n", NULL, 0, "'b' is constant");
    refuse("a\n1\n", NULL, 0, "there is 1 row to train on");
    refuse("a,b,c\n1,2,3\n2,1,3\n4,3,7\n3,3,6\n5,1,6\n", NULL, 0, "'c' is a sum of multiples");
    refuse("a,b,c\n1,1,0\n2,2,1\n4,4,7\n3,3,6\n", "a,b", 0, "'b' is a sum of multiples");
    refuse("a\n1e300\n-1e300\n", NULL, 0, "too large");
}
END_TEST

/// Rows of a Gaussian with a known factor.
static double *draw(int64_t count, int d, const double *mean, const double *factor) {
    double *rows = malloc((size_t)(count * d) * sizeof(*rows)), z[8];
    for (int64_t i = 0; i < count; ++i) {
        for (int k = 0; k < d; ++k) { // uniform with mean 0 and variance 1
            test_uniform((uint64_t)(i * d + k), -sqrt(3), sqrt(3), &z[k], 1);
        }
        for (int a = 0; a < d; ++a) {
            rows[i * d + a] = mean[a];
            for (int b = 0; b <= a; ++b) {
                rows[i * d + a] += factor[a * d + b] * z[b];
            }
        }
    }
    return rows;
}

START_TEST(mean_and_covariance) {
    enum { D = 3, COUNT = 20000 };
    static const char *const names[] = {"a", "b", "c"};
    const double mean[] = {5, -1e6, 0.25};
    const double factor[] = {2, 0, 0, 300, 400, 0, -1e-3, 2e-3, 1e-3};
    double *rows = draw(COUNT, D, mean, factor), z[D], back[D], moments[D][D] = {{0}};
    evn__standardisation s = {0}, same = {0};
    TRY(evn__standardisation_fit(rows, COUNT, D, names, &s));
    ck_assert_double_eq_tol(s.log_volume, log(2 * 400 * 1e-3), 0.02);
    for (int a = 0; a < D; ++a) {
        ck_assert_double_eq_tol(s.factor[a * D + a] / factor[a * D + a], 1, 0.02);
    }
    for (int64_t i = 0; i < COUNT; ++i) {
        evn__standardisation_apply(&s, rows + i * D, z);
        evn__standardisation_undo(&s, z, back);
        for (int a = 0; a < D; ++a) {
            ck_assert_double_eq_tol(back[a], rows[i * D + a], 1e-9 * (1 + fabs(back[a])));
            for (int b = 0; b < D; ++b) {
                moments[a][b] += z[a] * z[b] / COUNT;
            }
        }
    }
    for (int a = 0; a < D; ++a) {
        for (int b = 0; b < D; ++b) {
            ck_assert_double_eq_tol(moments[a][b], a == b, 1e-2); // but for the shrinkage
        }
    }
    TRY(evn__standardisation_set(s.mean, s.factor, D, &same));
    ck_assert_double_eq(same.log_volume, s.log_volume);
    evn__standardisation_free(&same);
    s.factor[4] = -1;
    ck_assert_int_eq(evn__standardisation_set(s.mean, s.factor, D, &same), EVN_ERR_FORMAT);
    evn__standardisation_free(&s);
    free(rows);
}
END_TEST

/// More columns than rows: the correlations are shrunk, and every direction has a scale.
START_TEST(more_columns_than_rows) {
    enum { D = 8, COUNT = 5 };
    static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    const double mean[D] = {0},
                 identity[D * D] = {
                     [0] = 1, [9] = 1, [18] = 1, [27] = 1, [36] = 1, [45] = 1, [54] = 1, [63] = 1};
    double *rows = draw(COUNT, D, mean, identity);
    evn__standardisation s = {0};
    TRY(evn__standardisation_fit(rows, COUNT, D, names, &s));
    for (int a = 0; a < D; ++a) {
        ck_assert_double_gt(s.factor[a * D + a], 0.1);
    }
    evn__standardisation_free(&s);
    free(rows);
}
END_TEST

START_TEST(rows_that_are_repeated) {
    evn__data_table *t = table_of("1,2\n3,4\n1,2\n1,2\n5,4\n");
    evn__points *p;
    int64_t repeated;
    float *standard;
    TRY(evn__points_take(t, NULL, 0, 2, &p));
    TRY(evn__points_repeated(p, &repeated));
    ck_assert_int_eq(repeated, 2);
    uint64_t sum = evn__points_checksum(p);
    p->rows[3] = 4.5;
    ck_assert(evn__points_checksum(p) != sum);
    TRY(evn__points_fit(p, 0, 1));
    TRY(evn__points_standardise(p, &standard));
    double mean = 0;
    for (int i = 0; i < 5; ++i) {
        mean += (double)standard[2 * i] / 5;
    }
    ck_assert_double_eq_tol(mean, 0, 1e-6);
    free(standard);
    evn__points_destroy(&p);
    evn__data_table_destroy(&t);
}
END_TEST

START_TEST(columns_of_others) {
    evn__data_table *t = table_of("a,b\n1,2\n3,5\n"), *other = table_of("b;c;a\n7;0;9\n;1;2\n");
    evn__points *p, *like;
    double *rows;
    TRY(evn__points_take(t, NULL, 0, 2, &p));
    TRY(evn__points_take_like(other, p, 1, &like));
    ck_assert(like->count == 1 && like->left_out == 1);
    ck_assert(like->rows[0] == 9 && like->rows[1] == 7);
    ck_assert_str_eq(like->names[0], "a");
    evn__points_destroy(&like);
    ck_assert_int_eq(evn__points_take_like(other, p, 0, &like), EVN_ERR_DATA);
    ck_assert_ptr_null(like);
    ck_assert_int_eq(evn__points_match(p, other, &rows), EVN_ERR_DATA);
    ck_assert_ptr_null(rows);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "line 3, column 'b': the value is missing"));
    evn__data_table_destroy(&other);
    other = table_of("b,a\n1,2\nx,2\n");
    ck_assert_int_eq(evn__points_match(p, other, &rows), EVN_ERR_DATA);
    ck_assert_msg(strstr(evn_error_message(), "column 'b': 'x'"), "%s", evn_error_message());
    evn__data_table_destroy(&other);
    other = table_of("1,2,3\n"); // without names, and not as many columns
    ck_assert_int_eq(evn__points_take_like(other, p, 0, &like), EVN_ERR_DATA);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "no column 'a'"));
    evn__data_table_destroy(&other);
    ck_assert_int_eq(evn__points_take(t, "a,z", 0, 2, &like), EVN_ERR_DATA);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "z"));
    evn__points_destroy(&p);
    evn__data_table_destroy(&t);
}
END_TEST

// Faults ------------------------------------------------------------------------------------------

static evn__data_table *table; ///< a, b and a word

static evn_status use_points(evn__points *points) {
    float *standard = NULL;
    double *rows = NULL;
    int64_t repeated;
    EVN_TRY(evn__points_repeated(points, &repeated));
    EVN_TRY(evn__points_fit(points, 0.25, 1));
    EVN_TRY(evn__points_match(points, table, &rows));
    bool right = repeated == 1 && rows[3] == 5;
    free(rows);
    EVN_TRY(evn__points_standardise(points, &standard));
    free(standard);
    EVN_CHECK(right, EVN_ERR_INTERNAL, "rows are wrong");
    return EVN_OK;
}

static evn_status take_points(void) {
    evn__points *points = NULL, *like = NULL;
    EVN_TRY(evn__points_take(table, "a,b", 0, 2, &points));
    evn_status status = use_points(points);
    status = status == EVN_OK ? evn__points_take_like(table, points, 0, &like) : status;
    evn__points_destroy(&points);
    evn__points_destroy(&like);
    return status;
}

START_TEST(faults) {
    static const test_deed deed = {.name = "points", .run = take_points};
    test_sweep_begin();
    table = table_of("a,b,word\n1,2,x\n3,5,y\n1,2,z\n-1,4,z\n2,0,z\n");
    test_sweep(&deed);
    evn__data_table_destroy(&table);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("points");
    TCase *c = tcase_create("table");
    tcase_add_test(c, columns_of_numbers);
    tcase_add_test(c, what_has_no_density);
    tcase_add_test(c, rows_that_are_repeated);
    tcase_add_test(c, columns_of_others);
    suite_add_tcase(s, c);
    c = tcase_create("standardisation");
    tcase_add_test(c, mean_and_covariance);
    tcase_add_test(c, more_columns_than_rows);
    suite_add_tcase(s, c);
    test_add(s, tcase_create("faults"), faults);
    return s;
}

int main(void) {
    return test_run(suite());
}
