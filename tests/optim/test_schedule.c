// SPDX-License-Identifier: Apache-2.0
#include "evonode/optimizer.h"
#include "test.h"

#include <math.h>

START_TEST(constant) {
    evn_schedule s = evn_schedule_default(0.1);
    TRY(evn_schedule_check(&s));
    ck_assert(evn_schedule_rate(&s, 0) == 0.1 && evn_schedule_rate(&s, 1000) == 0.1);
}
END_TEST

START_TEST(steps) {
    evn_schedule s = evn_schedule_default(0.1);
    s.kind = EVN_SCHEDULE_STEP;
    s.milestones[0] = 100;
    s.milestones[1] = 200;
    s.milestone_count = 2;
    TRY(evn_schedule_check(&s));
    ck_assert(evn_schedule_rate(&s, 99.99) == 0.1);
    ck_assert_double_eq_tol(evn_schedule_rate(&s, 100), 0.01, 1e-15);
    ck_assert_double_eq_tol(evn_schedule_rate(&s, 199.99), 0.01, 1e-15);
    ck_assert_double_eq_tol(evn_schedule_rate(&s, 200), 0.001, 1e-15);
}
END_TEST

START_TEST(one_cycle) {
    evn_schedule s = evn_schedule_default(2);
    s.kind = EVN_SCHEDULE_COSINE;
    s.epochs = 10;
    s.warmup = 2;
    s.start = 0.1;
    s.final = 0.25;
    TRY(evn_schedule_check(&s));
    ck_assert_double_eq_tol(evn_schedule_rate(&s, 0), 0.2, 1e-15);
    ck_assert_double_eq_tol(evn_schedule_rate(&s, 1), 1.1, 1e-15);
    ck_assert_double_eq_tol(evn_schedule_rate(&s, 2), 2, 1e-15);
    ck_assert_double_eq_tol(evn_schedule_rate(&s, 6), 1.25, 1e-15);
    ck_assert_double_eq_tol(evn_schedule_rate(&s, 10), 0.5, 1e-15);
    ck_assert_double_eq_tol(evn_schedule_rate(&s, 11), 0.5, 1e-15);
}
END_TEST

START_TEST(bad_schedules) {
    evn_schedule s[8];
    for (int i = 0; i < 8; ++i) {
        s[i] = evn_schedule_default(0.1);
    }
    s[0].rate = 0;
    s[1].rate = NAN;
    s[2].warmup = -1;
    s[3].kind = EVN_SCHEDULE_COSINE, s[3].epochs = 2, s[3].warmup = 2;
    s[4].kind = EVN_SCHEDULE_STEP, s[4].milestone_count = EVN_SCHEDULE_MILESTONES + 1;
    s[5].kind = EVN_SCHEDULE_STEP, s[5].milestone_count = 2, s[5].milestones[0] = 3;
    s[6].kind = (evn_schedule_kind)17;
    s[7].kind = EVN_SCHEDULE_STEP, s[7].milestone_count = 1, s[7].milestones[0] = INFINITY;
    ck_assert_int_eq(evn_schedule_check(&s[_i]), EVN_ERR_ARGUMENT);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("schedule");
    TCase *rates = tcase_create("rates");
    tcase_add_test(rates, constant);
    tcase_add_test(rates, steps);
    tcase_add_test(rates, one_cycle);
    tcase_add_loop_test(rates, bad_schedules, 0, 8);
    suite_add_tcase(s, rates);
    return s;
}

int main(void) {
    return test_run(suite());
}
