// SPDX-License-Identifier: Apache-2.0
// What bounds the steps of an explicit method: rates of linear systems, whose eigenvalues are
// known.
#include "integrator/stiffness.h"
#include "test.h"
#include <math.h>

enum { ROWS = 5 };

/// x' = A x in each row, two numbers each; and how often it was asked.
typedef struct linear {
    double a[ROWS][4];
    int asked;
} linear;

static evn_status slope_at(void *self, const double *x, double *slope) {
    linear *l = self;
    for (int row = 0; row < ROWS; ++row) {
        const double *a = l->a[row], *from = x + 2 * row;
        slope[2 * row] = a[0] * from[0] + a[1] * from[1];
        slope[2 * row + 1] = a[2] * from[0] + a[3] * from[1];
    }
    ++l->asked;
    return EVN_OK;
}

/// Rows: one that decays at 1000; one that does so seen backwards; one that turns; one that decays
/// too slowly to bound its steps; one in which nothing happens.
static linear rows_of_all_kinds(void) {
    return (linear){
        .a = {
            {-1000, 3, 0, -1}, {1000, 3, 0, 1}, {0, 1000, -1000, 0}, {-2, 0, 0, -1}, {0, 0, 0, 0}}};
}

START_TEST(rates_are_eigenvalues) {
    linear l = rows_of_all_kinds();
    const evn__slope f = {&l, slope_at, ROWS, 2, true};
    const double x[2 * ROWS] = {1, 2, 1, 2, 1, 2, 1, 2, 1, 2};
    const double dt[ROWS] = {3e-3, -3e-3, 3e-3, 3e-3, 3e-3};
    double decay[ROWS];
    TRY(evn__stiffness_find(&f, evn__stepper_find("dopri5"), x, dt, decay));
    ck_assert_double_eq_tol(decay[0], 1000, 1);
    ck_assert_double_eq_tol(decay[1], 1000, 1);
    ck_assert(decay[2] == 0 && decay[3] == 0 && decay[4] == 0);
    ck_assert_int_eq(l.asked, 17); // for all rows at once
}
END_TEST

/// A row that is no number harms no other.
START_TEST(rows_do_not_meet) {
    linear l = rows_of_all_kinds();
    const evn__slope f = {&l, slope_at, ROWS, 2, true};
    const double x[2 * ROWS] = {1, 2, NAN, 2, 1, INFINITY, 1, 2, 1, 2};
    const double dt[ROWS] = {3e-3, -3e-3, 3e-3, 3e-3, 3e-3};
    double decay[ROWS];
    TRY(evn__stiffness_find(&f, evn__stepper_find("dopri5"), x, dt, decay));
    ck_assert_double_eq_tol(decay[0], 1000, 1);
    ck_assert(decay[1] == 0 && decay[2] == 0);
}
END_TEST

/// Steps in the other direction grow what decays in this one, and those of an implicit method are
/// bounded by nothing.
START_TEST(others_are_not_stiff) {
    linear l = rows_of_all_kinds();
    const evn__slope f = {&l, slope_at, ROWS, 2, true};
    const double x[2 * ROWS] = {1, 2, 1, 2, 1, 2, 1, 2, 1, 2};
    const double dt[ROWS] = {-3e-3, 3e-3, 3e-3, 3e-3, 3e-3};
    double decay[ROWS];
    TRY(evn__stiffness_find(&f, evn__stepper_find("dopri5"), x, dt, decay));
    ck_assert(decay[0] == 0 && decay[1] == 0);
    l.asked = 0;
    TRY(evn__stiffness_find(&f, evn__stepper_find("trbdf2"), x, dt, decay));
    ck_assert(decay[0] == 0 && l.asked == 0);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("integrator/stiffness");
    TCase *rates = tcase_create("rates");
    tcase_add_test(rates, rates_are_eigenvalues);
    tcase_add_test(rates, rows_do_not_meet);
    tcase_add_test(rates, others_are_not_stiff);
    suite_add_tcase(s, rates);
    return s;
}

int main(void) {
    return test_run(suite());
}
