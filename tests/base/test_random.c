// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>

enum { DRAWS = 100000 };

/// Mean and variance within five standard errors, each stream on its own.
START_TEST(moments) {
    double sum = 0, squares = 0, normal = 0, normal_squares = 0, fourth = 0;
    for (uint64_t i = 0; i < DRAWS; ++i) {
        double u = evn__random_uniform(7, (uint64_t)_i, i) - 0.5;
        double z = evn__random_normal(7, (uint64_t)_i, i);
        ck_assert(u >= -0.5 && u < 0.5 && isfinite(z));
        sum += u, squares += u * u;
        normal += z, normal_squares += z * z, fourth += z * z * z * z;
    }
    double error = 5 / sqrt(DRAWS);
    ck_assert_double_eq_tol(sum / DRAWS, 0, error * sqrt(1 / 12.0));
    ck_assert_double_eq_tol(squares / DRAWS, 1 / 12.0, error * sqrt(1 / 180.0));
    ck_assert_double_eq_tol(normal / DRAWS, 0, error);
    ck_assert_double_eq_tol(normal_squares / DRAWS, 1, error * sqrt(2));
    ck_assert_double_eq_tol(fourth / DRAWS, 3, error * sqrt(96));
}
END_TEST

/// Seed, stream and counter all matter, also in their upper halves.
START_TEST(independent) {
    double base = evn__random_uniform(1, 2, 3);
    uint64_t high = (uint64_t)1 << 40;
    ck_assert(base == evn__random_uniform(1, 2, 3));
    ck_assert(base != evn__random_uniform(2, 2, 3) && base != evn__random_uniform(1 + high, 2, 3));
    ck_assert(base != evn__random_uniform(1, 3, 3) && base != evn__random_uniform(1, 2 + high, 3));
    ck_assert(base != evn__random_uniform(1, 2, 4) && base != evn__random_uniform(1, 2, 3 + high));
    ck_assert(base != evn__random_uniform(1, 3, 2));
}
END_TEST

/// Philox4x32-10 of counter 0 under key 0 begins with the words 6627e8d5 e169c58d (known-answer
/// test of its authors): the numbers are the same on every platform.
START_TEST(known_answer) {
    uint64_t word = UINT64_C(0xe169c58d6627e8d5);
    ck_assert(evn__random_uniform(0, 0, 0) == ldexp((double)(word >> 11), -53));
    ck_assert(evn__random_below(0, 0, 0, 1000) == word % 1000);
}
END_TEST

START_TEST(bounded) {
    int seen[7] = {0};
    for (uint64_t i = 0; i < 7000; ++i) {
        uint64_t x = evn__random_below(5, 0, i, 7);
        ck_assert_uint_lt(x, 7);
        ++seen[x];
    }
    for (int i = 0; i < 7; ++i) {
        ck_assert_int_gt(seen[i], 850);
        ck_assert_int_lt(seen[i], 1150);
    }
    // A bound for which almost half of all draws are repeated.
    uint64_t bound = (UINT64_C(1) << 63) + 1, above = 0;
    for (uint64_t i = 0; i < 1000; ++i) {
        uint64_t x = evn__random_below(5, 1, i, bound);
        ck_assert(x < bound);
        above += x >= bound / 2;
    }
    ck_assert(above > 400 && above < 600);
}
END_TEST

START_TEST(permutation) {
    enum { COUNT = 1797 };
    int64_t order[COUNT], again[COUNT], other[COUNT];
    bool seen[COUNT] = {false};
    evn__random_permutation(3, 4, order, COUNT);
    evn__random_permutation(3, 4, again, COUNT);
    evn__random_permutation(3, 5, other, COUNT);
    int same = 0, fixed = 0;
    for (int i = 0; i < COUNT; ++i) {
        ck_assert(order[i] >= 0 && order[i] < COUNT && !seen[order[i]] && order[i] == again[i]);
        seen[order[i]] = true;
        same += order[i] == other[i];
        fixed += order[i] == i;
    }
    ck_assert_int_lt(same, 10);
    ck_assert_int_lt(fixed, 10);
}
END_TEST

/// All six orders of three are about equally frequent.
START_TEST(fair_permutation) {
    int seen[27] = {0};
    for (uint64_t stream = 0; stream < 6000; ++stream) {
        int64_t o[3];
        evn__random_permutation(11, stream, o, 3);
        ++seen[o[0] * 9 + o[1] * 3 + o[2]];
    }
    const int orders[6] = {5, 7, 11, 15, 19, 21}; // 012 021 102 120 201 210
    for (int i = 0; i < 6; ++i) {
        ck_assert_int_gt(seen[orders[i]], 850);
        ck_assert_int_lt(seen[orders[i]], 1150);
    }
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("random");
    TCase *numbers = tcase_create("numbers");
    tcase_add_loop_test(numbers, moments, 0, 3);
    tcase_add_test(numbers, independent);
    tcase_add_test(numbers, known_answer);
    tcase_add_test(numbers, bounded);
    suite_add_tcase(s, numbers);
    TCase *orders = tcase_create("permutations");
    tcase_add_test(orders, permutation);
    tcase_add_test(orders, fair_permutation);
    suite_add_tcase(s, orders);
    return s;
}

int main(void) {
    return test_run(suite());
}
