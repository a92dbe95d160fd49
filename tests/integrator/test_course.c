// SPDX-License-Identifier: Apache-2.0
// Lists of output times that do not end with the way, and those that each solve has of its own:
// values and gradients against solves that end there, gradients in times against differences.
#include "evonode/solver.h"
#include "integrator/course.h"
#include "plan/real.h"
#include "problem.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { TIMES = 4, SCHEMES = 9, NUMBERS = 200 };

/// From the start on, or later; the end is no observation.
static const double early[] = {0, 0.125, 0.5, 0.75};

static void refused(evn_status status, const char *text) {
    ck_assert_int_eq(status, EVN_ERR_ARGUMENT);
    ck_assert_msg(strstr(evn_error_message(), text), "%s", evn_error_message());
}

typedef struct scheme {
    const char *method;
    evn_gradient gradient;
    int steps, checkpoints;
    bool per_sample;
} scheme;

static const scheme schemes[SCHEMES] = {{"rk4", EVN_GRADIENT_BACKPROP, 8, 0, false},
                                        {"rk4", EVN_GRADIENT_CHECKPOINTED, 8, 0, false},
                                        {"rk4", EVN_GRADIENT_CHECKPOINTED, 8, 2, false},
                                        {"rk4", EVN_GRADIENT_ADJOINT, 8, 0, false},
                                        {"rk4", EVN_GRADIENT_REVERSIBLE, 8, 0, false},
                                        {"dopri5", EVN_GRADIENT_BACKPROP, 0, 0, false},
                                        {"dopri5", EVN_GRADIENT_ADJOINT, 0, 0, false},
                                        {"tsit5", EVN_GRADIENT_ADJOINT_QUADRATURE, 0, 0, false},
                                        {"dopri5", EVN_GRADIENT_BACKPROP, 0, 0, true}};

static evn_solver_options options_of(int index, int start) {
    const scheme *s = &schemes[index];
    evn_solver_options o = evn_solver_options_default();
    o.method = s->method;
    o.gradient = s->gradient;
    o.steps = s->steps;
    o.checkpoints = s->checkpoints;
    o.per_sample = s->per_sample;
    o.rtol = o.atol = 1e-10;
    o.coupling = s->gradient == EVN_GRADIENT_REVERSIBLE ? 0.99 : 0;
    o.observations = TIMES - start;
    o.times = early + start;
    o.fp64 = true;
    return o;
}

static problem problem_with(int index) {
    return schemes[index].per_sample ? problem_network(3) : problem_node_ew(61);
}

/// x at all observations, then what the gradient is.
static int numbers_of(problem *p, double *to) {
    int count = p->x1_count;
    memcpy(to, p->x1, sizeof(double) * (size_t)p->x1_count);
    problem_gradient(p);
    memcpy(to + count, p->x0_bar, sizeof(double) * (size_t)p->x_count);
    count += p->x_count;
    for (int i = 0; i < p->weight_count; count += p->weight_size[i++]) {
        memcpy(to + count, p->weight_bar_host[i], sizeof(double) * (size_t)p->weight_size[i]);
    }
    ck_assert_int_le(count, NUMBERS);
    return count;
}

/// A solve with times of its own.
static evn_status try_times(problem *p, double t0, const double *times) {
    evn_binding x1;
    refused(problem_try(p, t0, t0 + 1, &x1), "times of observations of its own"); // but it writes
    evn_status status =
        evn_solve_times(p->solver, t0, times, p->x0_at, p->weights, &x1, &p->solution);
    if (status == EVN_OK) {
        TRY(evn__real_read(x1, p->fp64, p->x1, (size_t)p->x1_count));
    }
    return status;
}

// Values and gradients ----------------------------------------------------------------------------

static const double ways[][2] = {{0.5, 2.5}, {2.5, 0.5}};

/// The same bits as to the last observation, which with the same steps is the end.
START_TEST(ends_with_the_last) {
    double all[2][NUMBERS], last = 0.75;
    int index = _i / 4, start = _i % 2, count = 0;
    const double *way = ways[_i / 2 % 2];
    for (int k = 0; k < 2; ++k) {
        problem p = problem_with(index);
        evn_solver_options o = options_of(index, start);
        double times[TIMES];
        for (int i = 0; i < o.observations; ++i) {
            times[i] = o.times[i] / (k ? last : 1);
        }
        o.times = times;
        o.steps = o.steps * (k ? 3 : 4) / 4;
        problem_prepare(&p, &o);
        problem_solve(&p, way[0], k ? way[0] + last * (way[1] - way[0]) : way[1]);
        ck_assert_double_eq_tol(p.solution.t, way[0] + last * (way[1] - way[0]), 1e-15);
        count = numbers_of(&p, all[k]);
        problem_free(&p);
    }
    ck_assert_mem_eq(all[0], all[1], sizeof(double) * (size_t)count);
}
END_TEST

/// The start alone is no way.
START_TEST(start_alone) {
    static const double start[] = {0};
    problem p = problem_with(_i);
    evn_solver_options o = options_of(_i, 0);
    o.observations = 1;
    o.times = start;
    problem_prepare(&p, &o);
    problem_solve(&p, 1, 3);
    ck_assert_mem_eq(p.x1, p.x0, sizeof(double) * (size_t)p.x_count);
    ck_assert(o.per_sample || p.solution.nfe == 0);
    problem_gradient(&p);
    ck_assert_mem_eq(p.x0_bar, p.x1_bar, sizeof(double) * (size_t)p.x_count);
    problem_free(&p);
}
END_TEST

/// Increasing and decreasing, one after the other by the same solver, as fractions of the same ways
/// have them.
START_TEST(times_of_each_solve) {
    double all[2][NUMBERS], times[TIMES];
    int start = _i % 2, count = 0;
    problem p = problem_with(_i / 2), q = problem_with(_i / 2);
    evn_solver_options o = options_of(_i / 2, start), fractions = o;
    o.times = NULL;
    o.times_vary = true;
    o.steps = o.steps * 3 / 4; // of the way to the last
    problem_prepare(&p, &o);
    problem_prepare(&q, &fractions);
    for (int k = 0; k < 3; ++k) {
        const double *way = ways[k % 2];
        for (int i = 0; i < o.observations; ++i) {
            times[i] = way[0] + fractions.times[i] * (way[1] - way[0]);
        }
        TRY(try_times(&p, way[0], times));
        problem_solve(&q, way[0], way[1]);
        ck_assert_double_eq_tol(p.solution.t, q.solution.t, 1e-14);
        numbers_of(&p, all[0]);
        count = numbers_of(&q, all[1]);
        double error = test_difference(all[0], all[1], count);
        printf("%s, %d steps: %.2g\n", evn_gradient_name((int)o.gradient), o.steps, error);
        ck_assert_msg(error <= 1e-9, "%g", error);
    }
    problem_free(&p);
    problem_free(&q);
}
END_TEST

/// x' = x W has a closed form, at other times in each solve, the start alone among them.
START_TEST(closed_form_at_any_times) {
    static const double lists[][3] = {{0.3, 0.31, 2}, {0.25, 0, -1}, {0.3, 1, 1.5}, {1, 2, 3}};
    problem p = problem_linear();
    evn_solver_options o = evn_solver_options_default();
    o.rtol = o.atol = 1e-9;
    o.steps = _i == 1 ? 100 : 0;
    o.per_sample = _i == 2;
    o.observations = 3;
    o.times_vary = true;
    o.fp64 = true;
    problem_prepare(&p, &o);
    for (int k = 0; k < 4; ++k) {
        TRY(try_times(&p, 0.3, lists[k]));
        double *all = p.x1;
        for (int i = 0; i < 3; ++i) {
            p.x1 = all + i * p.x_count;
            double error = problem_linear_error(&p, lists[k][i] - 0.3);
            ck_assert_msg(error <= 1e-7, "%g at %g", error, lists[k][i]);
        }
        p.x1 = all;
    }
    problem_free(&p);
}
END_TEST

// Gradients in times ------------------------------------------------------------------------------

static double sum_of(const problem *p) {
    double sum = 0;
    for (int i = 0; i < p->x1_count; ++i) {
        sum += p->x1_bar[i] * p->x1[i];
    }
    return sum;
}

static double loss(problem *p, double t0, double t1) {
    problem_solve(p, t0, t1);
    return sum_of(p);
}

/// Of the ends of what was asked for, before whose end the solve ends.
START_TEST(gradient_in_ends) {
    const double h = 1e-4, t0 = 0.3, t1 = 1.9;
    double got[2], of_times[TIMES], expected[2];
    problem p = problem_with(_i / 2);
    evn_solver_options o = options_of(_i / 2, _i % 2);
    o.time_gradient = true;
    o.steps *= 25; // the adjoint's
    problem_prepare(&p, &o);
    test_uniform(9, -1, 1, p.x1_bar, p.x1_count);
    problem_solve(&p, t0, t1);
    problem_gradient(&p);
    TRY(evn_solver_time_gradient(p.solver, &got[0], &got[1], of_times));
    expected[0] = (loss(&p, t0 + h, t1) - loss(&p, t0 - h, t1)) / (2 * h);
    expected[1] = (loss(&p, t0, t1 + h) - loss(&p, t0, t1 - h)) / (2 * h);
    double error = test_difference(got, expected, 2);
    printf("%s: %.2g\n", evn_gradient_name((int)o.gradient), error);
    ck_assert_msg(error <= 1e-6, "%g, %g not %g, %g", got[0], got[1], expected[0], expected[1]);
    problem_free(&p);
}
END_TEST

static double loss_at(problem *p, double t0, const double *times) {
    TRY(try_times(p, t0, times));
    return sum_of(p);
}

/// Of t0, the observations where they are; of each of these by itself.
START_TEST(gradient_in_own_times) {
    const double h = 1e-4, t0 = 0.3;
    double got[2], of_times[TIMES], times[TIMES], expected;
    int start = _i % 2;
    problem p = problem_with(_i / 2);
    evn_solver_options o = options_of(_i / 2, start);
    o.times = NULL;
    o.times_vary = o.time_gradient = true;
    o.steps *= 25;
    problem_prepare(&p, &o);
    test_uniform(9, -1, 1, p.x1_bar, p.x1_count);
    for (int i = 0; i < o.observations; ++i) {
        times[i] = t0 + 1.6 * early[start + i];
    }
    TRY(try_times(&p, t0, times));
    problem_gradient(&p);
    TRY(evn_solver_time_gradient(p.solver, &got[0], &got[1], of_times));
    ck_assert(got[1] == 0);
    for (int i = 0; i < o.observations; ++i) {
        double kept = times[i], sum[2];
        bool first = start == 0 && i == 0; // which moves with t0
        for (int k = 0; k < 2; ++k) {
            times[i] = kept + (k ? h : -h);
            sum[k] = loss_at(&p, first ? times[i] : t0, times);
        }
        times[i] = kept;
        expected = (sum[1] - sum[0]) / (2 * h);
        double error = fabs((first ? got[0] : of_times[i]) - expected);
        printf("%s, %d: %.2g of %g\n", evn_gradient_name((int)o.gradient), i, error, expected);
        ck_assert_msg(error <= 1e-6, "%d: %g", i, error);
        ck_assert(!first || of_times[0] == 0);
    }
    if (start > 0) {
        expected = (loss_at(&p, t0 + h, times) - loss_at(&p, t0 - h, times)) / (2 * h);
        ck_assert_double_eq_tol(got[0], expected, 1e-6);
    }
    problem_free(&p);
}
END_TEST

// Mistakes ----------------------------------------------------------------------------------------

START_TEST(times_are_checked) {
    static const struct {
        double times[3];
        const char *text;
    } wrong[] = {{{0.5, 0.5, 1}, "observation 2 is at 0.5, the one before at 0.5"},
                 {{0.6, 0.5, 1}, "increase"},
                 {{0, 0, 1}, "observation 2"},
                 {{-0.1, 0.5, 1}, "observation 2 is at 0.5, the one before at -0.1"},
                 {{-0.5, -0.4, -1}, "decrease"},
                 {{0.5, 1, 0}, "observation 3 is at 0, the one before at 1"},
                 {{0.1, NAN, 1}, "observation 2 is nan; it should be finite"},
                 {{0.1, 0.2, INFINITY}, "observation 3 is inf"},
                 {{0.1, 0.2, 1e39}, "not finite in single precision"}};
    problem p = problem_linear();
    evn_solver_options o = evn_solver_options_default();
    o.observations = 3;
    o.times_vary = true;
    problem_prepare(&p, &o);
    ck_assert_int_eq(try_times(&p, 0, wrong[_i].times), EVN_ERR_ARGUMENT);
    ck_assert_msg(strstr(evn_error_message(), wrong[_i].text), "%s", evn_error_message());
    problem_free(&p);
}
END_TEST

/// What is refused leaves the last solve: its grid, and its gradient.
START_TEST(refused_calls_change_nothing) {
    static const double times[] = {0.2, 0.5, 1}, others[] = {0.7, 0.8, 2};
    static const double far[] = {0, 1e300, 1.7e308};
    enum { STEPS = 3 + 4 };
    double grid[2][STEPS + 1];
    evn_binding x1;
    problem p = problem_linear();
    evn_solver_options o = evn_solver_options_default();
    o.steps = 4;
    o.fp64 = o.times_vary = true;
    o.observations = 3;
    o.gradient = EVN_GRADIENT_BACKPROP;
    problem_prepare(&p, &o);
    TRY(try_times(&p, 0, times));
    ck_assert_int_le(p.solution.accepted, STEPS);
    for (int i = 0; i < 2; ++i) {
        TRY(evn_solver_grid(p.solver, grid[i], p.solution.accepted + 1));
        if (i == 0) {
            evn_binding none = {0};
            refused(evn_solve_times(p.solver, -1.7e308, far, p.x0_at, p.weights, &x1, NULL),
                    "not finite in double precision");
            ck_assert_int_eq(evn_solve_times(p.solver, 0, others, none, p.weights, &x1, NULL),
                             EVN_ERR_ARGUMENT);
            ck_assert_int_eq(evn_solve_times(p.solver, 0, others, p.x0_at, NULL, &x1, NULL),
                             EVN_ERR_ARGUMENT);
        }
    }
    ck_assert_mem_eq(grid[0], grid[1], sizeof(double) * ((size_t)p.solution.accepted + 1));
    problem_gradient(&p);
    problem_free(&p);
}
END_TEST

START_TEST(options_are_checked) {
    problem p = problem_linear();
    evn_solver *solver = NULL;
    evn_solver_options o = evn_solver_options_default();
    evn_binding x1;
    o.times_vary = true;
    refused(evn_solver_create(test_device(), p.dynamics, &o, &solver), "say how many");
    o.observations = TIMES;
    o.times = early;
    refused(evn_solver_create(test_device(), p.dynamics, &o, &solver), "leave them out");
    o.times_vary = false;
    problem_prepare(&p, &o);
    refused(evn_solve_times(p.solver, 0, early, p.x0_at, p.weights, &x1, NULL), "set times_vary");
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("integrator/course");
    TCase *values = tcase_create("values"); // whole: long
    test_add_share(values, ends_with_the_last, 0, 4 * SCHEMES, 3);
    test_add_share(values, start_alone, 0, SCHEMES, 3);
    test_add_share(values, times_of_each_solve, 0, 2 * SCHEMES, 3);
    test_add_share(values, closed_form_at_any_times, 0, 3, 3);
    suite_add_tcase(s, values);
    TCase *gradients = tcase_create("gradients");
    tcase_add_loop_test(gradients, gradient_in_ends, 0, 2 * SCHEMES);
    tcase_add_loop_test(gradients, gradient_in_own_times, 0, 2 * SCHEMES);
    suite_add_tcase(s, gradients);
    TCase *mistakes = tcase_create("mistakes");
    tcase_add_loop_test(mistakes, times_are_checked, 0, 9);
    tcase_add_test(mistakes, refused_calls_change_nothing);
    tcase_add_test(mistakes, options_are_checked);
    suite_add_tcase(s, mistakes);
    return s;
}

int main(void) {
    return test_run(suite());
}
