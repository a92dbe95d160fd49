// SPDX-License-Identifier: Apache-2.0
// Parts of a way from one jump of f to the next, and what is observed in each.
#include "evonode/solver.h"
#include "gradients/parts.h"
#include "test.h"
#include <math.h>

static const double jumps[] = {0.25, 0.75};

static evn_solver_options across(bool fp64, int observations, const double *times) {
    evn_solver_options options = evn_solver_options_default();
    options.fp64 = fp64;
    options.jumps = jumps;
    options.jump_count = 2;
    options.observations = observations;
    options.times = times;
    return options;
}

static void check_part(const evn__part *part, double t0, double t1, int within, int at_end) {
    ck_assert_msg(part->t0 == t0 && part->t1 == t1, "[%.17g, %.17g], not [%.17g, %.17g]", part->t0,
                  part->t1, t0, t1);
    ck_assert_int_eq(part->within, within);
    ck_assert_int_eq(part->at_end, at_end);
}

static double before(bool fp64, double t) {
    return fp64 ? nextafter(t, 0) : (double)nextafterf((float)t, 0);
}

/// Up, an observation at a jump is at the end of what comes before it.
START_TEST(up) {
    static const double times[] = {0, 0.125, 0.25, 0.5, 1};
    const bool fp64 = _i == 1;
    const evn_solver_options options = across(fp64, 5, times);
    evn__course course;
    evn__parts parts;
    TRY(evn__course_create(&options, &course));
    TRY(evn__parts_create(&options, &parts));
    evn__parts_split(&options, &course, 0, 1, &parts);
    ck_assert_int_eq(parts.count, 3);
    check_part(&parts.all[0], 0, before(fp64, 0.25), 1, 1);
    check_part(&parts.all[1], 0.25, before(fp64, 0.75), 1, 0);
    check_part(&parts.all[2], 0.75, 1, 0, 1);
    ck_assert_int_eq(parts.all[1].first, 2);
    ck_assert_int_eq(parts.all[2].first, 3);
    evn__parts_split(&options, &course, 0.25, 0.75, &parts);
    ck_assert_int_eq(parts.count, 1);
    check_part(&parts.all[0], 0.25, before(fp64, 0.75), 3, 1);
    evn__parts_free(&parts);
    evn__course_free(&course);
}
END_TEST

START_TEST(down) {
    static const double times[] = {0.25, 0.5, 1};
    const bool fp64 = _i == 1;
    const evn_solver_options options = across(fp64, 3, times);
    evn__course course;
    evn__parts parts;
    TRY(evn__course_create(&options, &course));
    TRY(evn__parts_create(&options, &parts));
    evn__parts_split(&options, &course, 1, 0, &parts);
    ck_assert_int_eq(parts.count, 3);
    check_part(&parts.all[0], 1, 0.75, 0, 1);
    check_part(&parts.all[1], before(fp64, 0.75), 0.25, 1, 0);
    check_part(&parts.all[2], before(fp64, 0.25), 0, 0, 1);
    evn__parts_split(&options, &course, 0.75, 0.25, &parts);
    ck_assert_int_eq(parts.count, 1);
    check_part(&parts.all[0], before(fp64, 0.75), 0.25, 2, 1);
    evn__parts_split(&options, &course, 0.5, 0.5, &parts);
    ck_assert_int_eq(parts.count, 1);
    check_part(&parts.all[0], 0.5, 0.5, 0, 3);
    evn__parts_free(&parts);
    evn__course_free(&course);
}
END_TEST

/// What no kernel tells from a jump is on the side that is nearer to it.
START_TEST(between_both_sides) {
    const evn_solver_options options = across(false, 0, NULL);
    const double under = before(false, 0.25);
    evn__parts parts;
    TRY(evn__parts_create(&options, &parts));
    evn__parts_cut(&options, 0, 1, &parts);
    const double near[] = {under - 1e-12, under, under + 1e-12, 0.25 - 1e-12, 0.25};
    for (int i = 0; i < 5; ++i) {
        double t = near[i];
        ck_assert_int_eq(evn__parts_find(&options, &parts, &t), 0);
        ck_assert(t == under);
    }
    double behind = 0.25 + 1e-12, far = 0.26, last = 2, first = -1e-12;
    ck_assert_int_eq(evn__parts_find(&options, &parts, &behind), 0);
    ck_assert_int_eq(evn__parts_find(&options, &parts, &far), 1);
    ck_assert(far == 0.26);
    ck_assert_int_eq(evn__parts_find(&options, &parts, &last), 2);
    ck_assert(last == 1);
    ck_assert_int_eq(evn__parts_find(&options, &parts, &first), 0);
    ck_assert(first == 0);
    evn__parts_free(&parts);
}
END_TEST

/// The course of a part: as many steps as its own way needs.
START_TEST(course_of_a_part) {
    static const double times[] = {0.3, 0.5, 1};
    evn_solver_options options = across(true, 3, times);
    evn__course whole, own;
    evn__parts parts;
    options.steps = 5;
    TRY(evn__course_create(&options, &whole));
    TRY(evn__course_reserve(&options, whole.intervals, &own));
    TRY(evn__parts_create(&options, &parts));
    ck_assert_int_ge(own.steps, 7);
    evn__parts_split(&options, &whole, 0, 1, &parts);
    static const int intervals[] = {1, 3, 1}, steps[] = {5, 1 + 2 + 3, 5};
    for (int i = 0; i < 3; ++i) {
        evn__parts_lay(&options, &whole, 0, 1, &parts.all[i], &own);
        ck_assert_int_eq(own.intervals, intervals[i]);
        ck_assert_int_eq(own.steps, steps[i]);
        ck_assert_int_eq(own.laid, i + 1);
    }
    evn__course_free(&own);
    evn__course_free(&whole);
    evn__parts_free(&parts);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("gradients/parts");
    TCase *all = tcase_create("parts");
    tcase_add_loop_test(all, up, 0, 2);
    tcase_add_loop_test(all, down, 0, 2);
    tcase_add_test(all, between_both_sides);
    tcase_add_test(all, course_of_a_part);
    suite_add_tcase(s, all);
    return s;
}

int main(void) {
    return test_run(suite());
}
