// SPDX-License-Identifier: Apache-2.0
// Zeros between two signs: found to the last digits, in few values where the function is smooth and
// in not many more than bisection's where it is not, and always with the sign that comes after.
#include "events/root.h"
#include "test.h"
#include <math.h>
#include <stdio.h>

static double square(double x) {
    return x * x - 0.3;
}
static double power(double x) {
    return pow(x, 9) - 1e-3;
}
static double decay(double x) {
    return exp(-30 * x) - 0.2;
}
static double jump(double x) {
    return x < 0.7 ? 1 - x : -1e6;
}
static double near_begin(double x) {
    return x - 1e-9;
}
static double sharp(double x) {
    return tanh(1000 * (x - 0.123));
}
static double thrown(double x) { // begins with a zero, which is not the one
    return x - 4 * x * x;
}

static double plateau(double x) { // stays at 0
    return fmax(0.3 - x, 0);
}
static double exact(double x) { // 0 itself is among the places
    return x - 0.5;
}
static double ends_with(double x) { // its zero is the end
    return 1 - x;
}

static const struct {
    double (*f)(double x);
    bool rises;
    double zero;
    int most; ///< values
} cases[] = {
    {square, true, 0.54772255750516607, 10},
    {power, true, 0.46415888336127786, 14},
    {decay, false, 0.05364793041447001, 14},
    {jump, false, 0.7, 60},
    {near_begin, true, 1e-9, 10},
    {sharp, true, 0.123, 20},
    {thrown, false, 0.25, 10},
    {plateau, false, 0.3, 70},
    {exact, true, 0.5, 6},
    {ends_with, false, 1, 10},
};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

/// Forwards and backwards.
START_TEST(zeros_are_found) {
    const double length = _i < CASES ? 1 : -1, width = 4e-16;
    const int i = _i % CASES;
    double (*f)(double) = cases[i].f;
    evn__root root = evn__root_begin(length, f(0), f(1), cases[i].rises, width);
    double at;
    while (evn__root_next(&root, &at)) {
        ck_assert(at * length > 0 && at * length < 1);
        ck_assert_int_lt(root.made, 100);
        evn__root_add(&root, at, f(at * length));
    }
    double end = evn__root_end(&root) * length;
    printf("%.17g by %d values\n", end, root.made);
    ck_assert_double_le(fabs(end - cases[i].zero), 1e-15);
    ck_assert(cases[i].rises ? f(end) >= 0 : f(end) <= 0);
    ck_assert_int_le(root.made, cases[i].most);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("events/root");
    TCase *zeros = tcase_create("zeros");
    tcase_add_loop_test(zeros, zeros_are_found, 0, 2 * CASES);
    suite_add_tcase(s, zeros);
    return s;
}

int main(void) {
    return test_run(suite());
}
