// SPDX-License-Identifier: Apache-2.0
// How many steps are enqueued at a time.
#include "integrator/lookahead.h"
#include "test.h"

static evn__lookahead after(double wait, double surplus, const int *attempts, int count) {
    evn__lookahead l = {.wait = wait, .surplus = surplus};
    for (int i = 0; i < count; ++i) {
        evn__lookahead_add(&l, attempts[i]);
    }
    return l;
}

START_TEST(solves_repeat) {
    const int same[] = {5, 5, 5}, mixed[] = {5, 5, 4, 5, 6, 5, 5, 5};
    evn__lookahead l = after(1, 0, same, 3);
    ck_assert_int_eq(evn__lookahead_choose(&l, 0, 0), 5);
    ck_assert_int_eq(evn__lookahead_choose(&l, 2, 1), 3);
    // The rest is a guess.
    ck_assert_int_eq(evn__lookahead_choose(&l, 5, 3), 1);
    // A step for nothing costs a hundred looks: no more than the fewest.
    l = after(1, 100, mixed, 8);
    ck_assert_int_eq(evn__lookahead_choose(&l, 0, 0), 4);
    ck_assert_int_eq(evn__lookahead_choose(&l, 4, 1), 1);
    // Or a hundredth: the most.
    l = after(100, 1, mixed, 8);
    ck_assert_int_eq(evn__lookahead_choose(&l, 0, 0), 6);
    // As much as a look: what is most frequent.
    l = after(1, 1, mixed, 8);
    ck_assert_int_eq(evn__lookahead_choose(&l, 0, 0), 5);
}
END_TEST

START_TEST(old_solves_are_forgotten) {
    const int once[] = {3, 9, 9, 9, 9, 9, 9, 9, 9};
    evn__lookahead l = after(1, 100, once, 8);
    ck_assert_int_eq(evn__lookahead_choose(&l, 0, 0), 3);
    l = after(1, 100, once, 9);
    ck_assert_int_eq(evn__lookahead_choose(&l, 0, 0), 9);
    for (int i = 0; i < 100; ++i) {
        evn__lookahead_add(&l, 7);
    }
    ck_assert_int_eq(evn__lookahead_choose(&l, 0, 0), 7);
}
END_TEST

START_TEST(guesses) {
    evn__lookahead l = {.wait = 1};
    ck_assert_int_eq(evn__lookahead_guess(&l, 10), 1); // what it costs is not known
    l.surplus = 2;
    ck_assert_int_eq(evn__lookahead_guess(&l, 10), 1);
    l.surplus = 0.5;
    ck_assert_int_eq(evn__lookahead_guess(&l, 9.5), 10);
    ck_assert_int_eq(evn__lookahead_guess(&l, 0), 1);
    ck_assert_int_eq(evn__lookahead_guess(&l, 1e300), EVN__LOOKAHEAD_MAX);
    const int many[] = {1000};
    l = after(1, 100, many, 1);
    ck_assert_int_eq(evn__lookahead_choose(&l, 0, 0), EVN__LOOKAHEAD_MAX);
    ck_assert_int_eq(evn__lookahead_choose(&l, 990, 0), 10);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("integrator/lookahead");
    TCase *choice = tcase_create("choice");
    tcase_add_test(choice, solves_repeat);
    tcase_add_test(choice, old_solves_are_forgotten);
    tcase_add_test(choice, guesses);
    suite_add_tcase(s, choice);
    return s;
}

int main(void) {
    return test_run(suite());
}
