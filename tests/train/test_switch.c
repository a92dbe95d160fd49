// SPDX-License-Identifier: Apache-2.0
// The rule by which a phase ends before its time.
#include "test.h"
#include "train/switch.h"

#include <math.h>

START_TEST(it_goes_on_while_the_loss_falls) {
    evn__switch state = {0};
    double loss = 2;
    for (int i = 0; i < 50; ++i, loss *= 0.97) {
        ck_assert_int_eq(evn__switch_now(&state, loss, loss, 1.05 * loss), EVN_SWITCH_NONE);
    }
}
END_TEST

START_TEST(it_ends_when_the_solvers_part) {
    evn__switch state = {0};
    ck_assert_int_eq(evn__switch_now(&state, 1, 0.9, 0.98), EVN_SWITCH_NONE);
    ck_assert_int_eq(evn__switch_now(&state, 0.5, 0.4, 0.45), EVN_SWITCH_APART);
}
END_TEST

START_TEST(a_loss_that_is_not_finite_is_apart) {
    const double others[] = {NAN, INFINITY};
    for (int i = 0; i < 2; ++i) {
        evn__switch state = {0};
        ck_assert_int_eq(evn__switch_now(&state, 1, 1, others[i]), EVN_SWITCH_APART);
    }
}
END_TEST

START_TEST(small_losses_may_differ_by_noise) {
    evn__switch state = {0};
    ck_assert_int_eq(evn__switch_now(&state, 0.002, 0.002, 0.003), EVN_SWITCH_NONE);
    ck_assert_int_eq(evn__switch_now(&state, 0.001, 0.001, 0.0022), EVN_SWITCH_APART);
}
END_TEST

START_TEST(it_ends_when_nothing_is_gained) {
    evn__switch state = {0};
    ck_assert_int_eq(evn__switch_now(&state, 1, 1, 1), EVN_SWITCH_NONE);
    ck_assert_int_eq(evn__switch_now(&state, 0.995, 1, 1),
                     EVN_SWITCH_NONE); // less than a hundredth
    ck_assert_int_eq(evn__switch_now(&state, 1.2, 1, 1), EVN_SWITCH_NONE);
    ck_assert_int_eq(evn__switch_now(&state, 0.992, 1, 1), EVN_SWITCH_STALLED);
    evn__switch again = {0};
    ck_assert_int_eq(evn__switch_now(&again, 1, 1, 1), EVN_SWITCH_NONE);
    ck_assert_int_eq(evn__switch_now(&again, 1, 1, 1), EVN_SWITCH_NONE);
    ck_assert_int_eq(evn__switch_now(&again, 1, 1, 1), EVN_SWITCH_NONE);
    ck_assert_int_eq(evn__switch_now(&again, 0.98, 1, 1),
                     EVN_SWITCH_NONE); // a gain starts the count anew
    ck_assert_int_eq(evn__switch_now(&again, 0.98, 1, 1), EVN_SWITCH_NONE);
}
END_TEST

START_TEST(what_is_held_out_no_longer_falls) {
    enum { LOOKS = 40 };
    evn__switch state = {0};
    ck_assert_int_eq(evn__switch_held_out(&state, 3, LOOKS), EVN_SWITCH_NONE);
    ck_assert_int_eq(evn__switch_held_out(&state, 4, LOOKS), EVN_SWITCH_NONE);
    ck_assert_int_eq(state.stalled, 1);
    ck_assert_int_eq(evn__switch_held_out(&state, 2, LOOKS), EVN_SWITCH_NONE);
    ck_assert_int_eq(state.stalled, 0);
    for (int i = 0; i < LOOKS / 4 - 1; ++i) {
        ck_assert_int_eq(evn__switch_held_out(&state, 2, LOOKS), EVN_SWITCH_NONE);
    }
    ck_assert_int_eq(evn__switch_held_out(&state, 2, LOOKS), EVN_SWITCH_HELD_OUT);
    ck_assert_double_eq(state.best, 2);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("train/switch");
    TCase *rule = tcase_create("rule");
    tcase_add_test(rule, it_goes_on_while_the_loss_falls);
    tcase_add_test(rule, it_ends_when_the_solvers_part);
    tcase_add_test(rule, a_loss_that_is_not_finite_is_apart);
    tcase_add_test(rule, small_losses_may_differ_by_noise);
    tcase_add_test(rule, it_ends_when_nothing_is_gained);
    tcase_add_test(rule, what_is_held_out_no_longer_falls);
    suite_add_tcase(s, rule);
    return s;
}

int main(void) {
    return test_run(suite());
}
