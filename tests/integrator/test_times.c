// SPDX-License-Identifier: Apache-2.0
// Solves that are observed at any increasing times: which steps they take, what they give, and the
// gradient, for each way of taking it.
#include "evonode/solver.h"
#include "integrator/times.h"
#include "plan/real.h"
#include "problem.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TIMES = 5 };
static const double from_start[TIMES] = {0, 0.13, 0.2, 0.71, 1}, later[] = {0.13, 0.2, 0.71, 1};

static evn_solver_options observed(const char *method, int steps, evn_gradient gradient,
                                   bool start) {
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.steps = steps;
    options.rtol = options.atol = 1e-9;
    options.gradient = gradient;
    options.observations = TIMES - !start;
    options.times = start ? from_start : later;
    options.fp64 = true;
    return options;
}

// Steps -------------------------------------------------------------------------------------------

static void check_steps(const evn_solver_options *options, const int *steps, int count) {
    evn__course course;
    TRY(evn__course_create(options, &course));
    ck_assert_int_eq(course.intervals, count);
    for (int i = 0, step = 0; i < count; ++i) {
        ck_assert_int_eq(evn__course_first(&course, i), step);
        for (int end = step + steps[i]; step < end; ++step) {
            ck_assert_int_eq(evn__course_interval(&course, step), i);
        }
    }
    ck_assert_int_eq(evn__course_first(&course, count), course.steps);
    evn__course_free(&course);
}

/// In each interval the fewest that are no longer than the way / steps.
START_TEST(steps_hit_observations) {
    evn_solver_options o = observed("rk4", 10, EVN_GRADIENT_NONE, true);
    check_steps(&o, (int[]){2, 1, 6, 3}, 4);
    o.steps = 100;
    check_steps(&o, (int[]){13, 7, 51, 29}, 4);
    o.steps = 1;
    check_steps(&o, (int[]){1, 1, 1, 1}, 4);
    o.times = NULL;
    o.observations = 3;
    o.steps = 10;
    check_steps(&o, (int[]){4, 4, 4}, 3);
    o.steps = 9;
    check_steps(&o, (int[]){3, 3, 3}, 3);
    o.observations = 0;
    check_steps(&o, (int[]){9}, 1);
}
END_TEST

/// dx = t: Euler's steps, whose times these are, sum to what they should, either way in time.
START_TEST(steps_are_where_they_should_be) {
    evn_graph *f = NULL;
    evn_dynamics *dynamics = NULL;
    TRY(evn_graph_create(&f));
    evn_value t = evn_input(f, "t", EVN_SCALAR);
    evn_input(f, "x", EVN_SHAPE(1));
    evn_output(f, "dx", evn_reshape(f, t, EVN_SHAPE(1)));
    TRY(evn_dynamics_create(f, NULL, &dynamics));
    evn_graph_destroy(&f);
    problem p = problem_new(dynamics);
    evn_solver_options o = observed("euler", 10, (evn_gradient)(_i / 2), true);
    const int steps[] = {2, 1, 6, 3};
    double t0 = _i % 2 ? 5 : 2, t1 = _i % 2 ? 2 : 5, x = 0;
    problem_prepare(&p, &o);
    problem_solve(&p, t0, t1);
    ck_assert(p.x1[0] == 0);
    for (int i = 0; i < TIMES - 1; ++i) {
        double begin = t0 + from_start[i] * (t1 - t0), end = t0 + from_start[i + 1] * (t1 - t0);
        double dt = (end - begin) / steps[i];
        for (int k = 0; k < steps[i]; ++k) {
            x += (begin + k * dt) * dt;
        }
        ck_assert_double_eq_tol(p.x1[i + 1], x, 1e-12);
    }
    ck_assert_int_eq(p.solution.accepted, 12);
    ck_assert_double_eq_tol(p.solution.dt, (t1 - t0) * 0.29 / 3, 1e-12);
    ck_assert(p.solution.t == t1);
    problem_free(&p);
}
END_TEST

/// Equal parts, as a list of times and as a number, by every gradient.
START_TEST(equal_times_are_equal_parts) {
    static const double quarters[] = {0.25, 0.5, 0.75, 1};
    problem p = problem_linear();
    evn_solver_options o = observed("rk4", 8, (evn_gradient)_i, false);
    double by_number[4 * 8];
    o.times = NULL;
    problem_prepare(&p, &o);
    problem_solve(&p, 0, 2);
    memcpy(by_number, p.x1, sizeof(by_number));
    o.times = quarters;
    problem_prepare(&p, &o);
    problem_solve(&p, 0, 2);
    ck_assert_mem_eq(p.x1, by_number, sizeof(by_number));
    problem_free(&p);
}
END_TEST

// Values ------------------------------------------------------------------------------------------

START_TEST(observations_are_states_at_their_times) {
    for (int start = 0; start <= 1; ++start) {
        problem p = problem_linear();
        const double *times = start ? from_start : later;
        evn_solver_options o = observed("dopri5", _i > 0 ? 40 : 0, (evn_gradient)(_i % 4), start);
        problem_prepare(&p, &o);
        problem_solve(&p, 0, 2);
        double *all = p.x1;
        for (int i = 0; i < o.observations; ++i) {
            p.x1 = all + i * p.x_count;
            double error = problem_linear_error(&p, 2 * times[i]);
            ck_assert_msg(error <= (i == 0 && start ? 0 : 1e-7), "%g at %g", error, times[i]);
        }
        p.x1 = all;
        problem_free(&p);
    }
}
END_TEST

START_TEST(steps_never_wait) {
    problem p = problem_linear();
    evn_solver_options o = observed("rk4", 10, (evn_gradient)_i, true);
    problem_prepare(&p, &o);
    problem_solve(&p, 0, 1);
    evn_binding x1;
    uint64_t before = evn_device_get_stats(test_device()).waits;
    TRY(problem_try(&p, 0, 1, &x1));
    ck_assert_uint_eq(evn_device_get_stats(test_device()).waits - before, p.loads);
    problem_free(&p);
}
END_TEST

// The ends of the way -----------------------------------------------------------------------------

/// x' = (√(t − first) + √(last − t)) / 100: not a number outside of [first, last], two weights.
static problem problem_between(void) {
    evn_graph *f = NULL;
    evn_dynamics *dynamics = NULL;
    TRY(evn_graph_create(&f));
    evn_value t = evn_input(f, "t", EVN_SCALAR), x = evn_input(f, "x", EVN_SHAPE(3));
    evn_value first = evn_input(f, "first", EVN_SCALAR), last = evn_input(f, "last", EVN_SCALAR);
    evn_value past = evn_sqrt(f, evn_sub(f, t, first)), left = evn_sqrt(f, evn_sub(f, last, t));
    evn_value both = evn_scale(f, evn_add(f, past, left), 0.01);
    evn_output(f, "dx", evn_add(f, evn_scale(f, x, 0.01), both));
    TRY(evn_dynamics_create(f, NULL, &dynamics));
    evn_graph_destroy(&f);
    return problem_new(dynamics);
}

static double draw(uint64_t *random) {
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (double)(*random >> 33) / 1e8; // 0 to 86
}

static void check_between(evn_solver_options options, bool fp64) {
    problem p = problem_between();
    p.fp64 = options.fp64 = fp64;
    uint64_t random = 5;
    problem_prepare(&p, &options);
    for (int i = 0; i < 40; ++i) {
        double t0 = draw(&random), t1 = i % 3 ? draw(&random) : t0 + 0.1 * draw(&random);
        p.weight[0][0] = fmin(t0, t1);
        p.weight[1][0] = fmax(t0, t1);
        problem_solve(&p, t0, t1);
        ck_assert_msg(isfinite(p.x1[p.x1_count - 1]), "%s, %d steps, from %.17g to %.17g",
                      options.method, options.steps, t0, t1);
    }
    problem_free(&p);
}

/// Where times have fewer digits than lengths, steps that end with the way lose none: x' = x in
/// single precision from t0 on is as exact as from 0. Short ways are one step.
START_TEST(times_far_from_zero) {
    evn_solver_options options = evn_solver_options_default();
    options.rtol = options.atol = 1e-6;
    options.per_sample = _i & 1;
    problem p = problem_growth(false);
    problem_prepare(&p, &options);
    double worst = 0;
    for (int i = 0; i < 60; ++i) {
        double t0 = (_i & 2 ? -1000 : 1000) + 16.77 * i, way = 0.0123 + 0.0257 * (i * 7 % 60);
        double t1 = i % 3 ? t0 + way : t0 - way;
        problem_solve(&p, t0, t1);
        worst = fmax(worst, fabs(p.x1[0] / exp(t1 - t0) - 1));
    }
    printf("error %.2g\n", worst);
    ck_assert_double_le(worst, 4e-6);
    problem_free(&p);
}
END_TEST

/// Rounding has f evaluated nowhere beyond the ends, whichever way, along fixed and adaptive steps:
/// a unit in the last place would be enough for a NaN. From 4 on with steps of each sample's own.
START_TEST(f_is_evaluated_between_the_ends) {
    static const char *const methods[] = {"rk4", "dopri5", "dop853"};
    for (int k = 0; k < 6; ++k) {
        evn_solver_options options = evn_solver_options_default();
        options.method = methods[k / 2];
        options.per_sample = _i >= 4 && k >= 2;
        options.steps = !options.per_sample && (_i & 2 || k < 2) ? 7 : 0;
        options.rtol = options.atol = 1e-3;
        options.dt_first = k % 2 ? 1e3 : 0; // all the way
        check_between(options, _i & 1);
    }
}
END_TEST

/// From t0 to t0 fixed steps are none: x, and its cotangents, stay where f is not a number.
START_TEST(no_way_evaluates_nothing) {
    problem p = problem_between();
    static const evn_gradient gradients[] = {EVN_GRADIENT_NONE,       EVN_GRADIENT_ADJOINT,
                                             EVN_GRADIENT_BACKPROP,   EVN_GRADIENT_CHECKPOINTED,
                                             EVN_GRADIENT_REVERSIBLE, EVN_GRADIENT_CHECKPOINTED};
    evn_solver_options options = observed("rk4", 6, gradients[_i / 3], _i % 3 == 1);
    options.checkpoints = _i / 3 == 5 ? 2 : 0;
    if (_i % 3 == 2) { // x(t1) alone
        options.observations = 0;
        options.times = NULL;
    }
    problem_prepare(&p, &options);
    p.weight[0][0] = 3; // f is where t >= 3 and t <= 1
    p.weight[1][0] = 1;
    problem_solve(&p, 2, 2);
    ck_assert_int_eq(p.solution.nfe, 0);
    for (int i = 0; i < p.x1_count; ++i) {
        ck_assert(p.x1[i] == (p.fp64 ? p.x0[i % p.x_count] : (double)(float)p.x0[i % p.x_count]));
    }
    if (options.gradient != EVN_GRADIENT_NONE) {
        problem_gradient(&p);
        for (int i = 0; i < p.x_count; ++i) {
            double sum = 0;
            for (int k = i; k < p.x1_count; k += p.x_count) {
                sum += p.x1_bar[k];
            }
            ck_assert_double_eq_tol(p.x0_bar[i], sum, 1e-6);
        }
        ck_assert(p.weight_bar_host[0][0] == 0 && p.weight_bar_host[1][0] == 0);
    }
    problem_free(&p);
}
END_TEST

/// Along the fixed steps of each kind of gradient, with all checkpoints and with few, in single and
/// double precision.
START_TEST(schemes_evaluate_f_between_the_ends) {
    static const char *const methods[] = {"rk4", "dop853"};
    static const struct {
        evn_gradient gradient;
        int checkpoints;
    } schemes[] = {{EVN_GRADIENT_BACKPROP, 0},
                   {EVN_GRADIENT_CHECKPOINTED, 0},
                   {EVN_GRADIENT_CHECKPOINTED, 2},
                   {EVN_GRADIENT_ADJOINT, 0},
                   {EVN_GRADIENT_REVERSIBLE, 0}};
    for (int k = 0; k < 4; ++k) {
        evn_solver_options options = evn_solver_options_default();
        options.method = methods[k / 2];
        options.steps = k % 2 ? 7 : 13;
        options.gradient = schemes[_i / 2].gradient;
        options.checkpoints = schemes[_i / 2].checkpoints;
        check_between(options, _i % 2);
    }
}
END_TEST

// Gradients ---------------------------------------------------------------------------------------

static void check_gradient(problem *p, double tolerance) {
    problem_solve(p, 0, 1);
    problem_gradient(p);
    double error = problem_against_differences(p, p->x0, p->x0_bar, p->x_count);
    ck_assert_msg(error <= tolerance, "x(0): %g", error);
    for (int i = 0; i < p->weight_count; ++i) {
        error =
            problem_against_differences(p, p->weight[i], p->weight_bar_host[i], p->weight_size[i]);
        printf("%s: relative error %.2g\n", evn_dynamics_weight_name(p->dynamics, i), error);
        ck_assert_msg(error <= tolerance, "%s: %g", evn_dynamics_weight_name(p->dynamics, i),
                      error);
    }
}

/// Of each scheme, from the start on (odd) or later. The adjoint's equal steps are not exact.
START_TEST(gradients_against_differences) {
    evn_gradient gradient = (evn_gradient)(_i / 2);
    bool adjoint = gradient == EVN_GRADIENT_ADJOINT;
    problem p = problem_node_ew(21);
    evn_solver_options o = observed("rk4", adjoint ? 300 : 6, gradient, _i % 2);
    problem_prepare(&p, &o);
    check_gradient(&p, 1e-6);
    problem_free(&p);
}
END_TEST

START_TEST(adaptive_gradients_against_differences) {
    problem p = problem_node_ew(22);
    evn_solver_options o = observed("dopri5", 0, EVN_GRADIENT_ADJOINT, _i);
    problem_prepare(&p, &o);
    check_gradient(&p, 1e-4);
    problem_free(&p);
}
END_TEST

/// Backwards in time, and with what the last gradient gave as cotangents.
START_TEST(backprop_is_checkpointed) {
    double cotangents[2][6];
    for (int i = 0; i < 2; ++i) {
        problem p = problem_node_ew(23);
        evn_solver_options o = observed(
            "midpoint", 9, i == 0 ? EVN_GRADIENT_BACKPROP : EVN_GRADIENT_CHECKPOINTED, true);
        problem_prepare(&p, &o);
        problem_solve(&p, 1, -1);
        problem_gradient(&p);
        memcpy(cotangents[i], p.x0_bar, sizeof(cotangents[i]));
        problem_free(&p);
    }
    ck_assert_mem_eq(cotangents[0], cotangents[1], sizeof(cotangents[0]));
}
END_TEST

// Mistakes ----------------------------------------------------------------------------------------

START_TEST(times_are_checked) {
    static const struct {
        double times[3];
        int count;
        const char *text;
    } wrong[] = {{{0.5, 0.5, 1}, 3, "increase"},  {{0.6, 0.5, 1}, 3, "increase"},
                 {{-0.1, 0.5, 1}, 3, "fraction"}, {{0.1, 1.5, 1}, 3, "fraction"},
                 {{0.1, NAN, 1}, 3, "fraction"},  {{0.1}, 0, "no observations"}};
    problem p = problem_linear();
    evn_solver *solver = NULL;
    evn_solver_options o = observed("rk4", 10, EVN_GRADIENT_NONE, true);
    o.times = wrong[_i].times;
    o.observations = wrong[_i].count;
    ck_assert_int_eq(evn_solver_create(test_device(), p.dynamics, &o, &solver), EVN_ERR_ARGUMENT);
    ck_assert_msg(strstr(evn_error_message(), wrong[_i].text), "%s", evn_error_message());
    ck_assert_ptr_null(solver);
    problem_free(&p);
}
END_TEST

/// In device memory: the same numbers, whether there is room for all or for some neighbours alone.
START_TEST(neighbours_have_the_same_times) {
    evn_solver_options o = observed("rk4", 3 * EVN__TIMES_NEAR, EVN_GRADIENT_NONE, _i % 2 == 0);
    bool fp64 = _i < 4, backward = _i / 2 % 2 == 1;
    evn__course course;
    evn__times all, near;
    test_needs_fp64();
    TRY(evn__course_create(&o, &course));
    TRY(evn__times_create(test_device(), &course, course.steps, fp64, &all));
    TRY(evn__times_create(test_device(), &course, EVN__TIMES_NEAR, fp64, &near));
    TRY(evn__times_set(&all, 0.1, 0.7, backward));
    TRY(evn__times_set(&near, 0.1, 0.7, backward));
    for (int k = 0; k < course.steps; k += 37) {
        int step = backward ? course.steps - 1 - k : k;
        double a[2], b[2];
        TRY(evn__times_reach(&near, step));
        TRY(evn__real_read(evn__times_at(&all, step), fp64, &a[0], 1));
        TRY(evn__real_read(evn__times_dt(&all, step), fp64, &a[1], 1));
        TRY(evn__real_read(evn__times_at(&near, step), fp64, &b[0], 1));
        TRY(evn__real_read(evn__times_dt(&near, step), fp64, &b[1], 1));
        ck_assert_mem_eq(a, b, sizeof(a));
    }
    evn__times_free(&all);
    evn__times_free(&near);
    evn__course_free(&course);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("integrator/times");
    TCase *steps = tcase_create("steps");
    tcase_add_loop_test(steps, neighbours_have_the_same_times, 0, 8);
    tcase_add_test(steps, steps_hit_observations);
    tcase_add_loop_test(steps, steps_are_where_they_should_be, 0, 8);
    tcase_add_loop_test(steps, equal_times_are_equal_parts, 0, 4);
    suite_add_tcase(s, steps);
    TCase *values = tcase_create("values");
    tcase_add_loop_test(values, observations_are_states_at_their_times, 0, 4);
    tcase_add_loop_test(values, steps_never_wait, 0, 4);
    suite_add_tcase(s, values);
    TCase *between = tcase_create("ends"); // whole: long
    test_add_share(between, f_is_evaluated_between_the_ends, 0, 6, 3);
    test_add_share(between, times_far_from_zero, 0, 4, 3);
    test_add_share(between, no_way_evaluates_nothing, 0, 18, 3);
    test_add_share(between, schemes_evaluate_f_between_the_ends, 0, 10, 3);
    suite_add_tcase(s, between);
    TCase *gradients = tcase_create("gradients");
    tcase_add_loop_test(gradients, gradients_against_differences, 2, 8);
    tcase_add_loop_test(gradients, adaptive_gradients_against_differences, 0, 2);
    tcase_add_test(gradients, backprop_is_checkpointed);
    suite_add_tcase(s, gradients);
    TCase *mistakes = tcase_create("mistakes");
    tcase_add_loop_test(mistakes, times_are_checked, 0, 6);
    suite_add_tcase(s, mistakes);
    return s;
}

int main(void) {
    return test_run(suite());
}
