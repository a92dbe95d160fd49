// SPDX-License-Identifier: Apache-2.0
// Solvers: exact answers, orders of convergence, step control, memory, no waits.
#include "evonode/solver.h"
#include "methods/stepper.h"
#include "methods/symplectic.h"
#include "plan/real.h"
#include "problem.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// x' = x: ten Euler steps over [0, 1] give exactly 1.1¹⁰, and so is the gradient.
START_TEST(euler_is_exact) {
    double expected = pow(1.1, 10);
    for (int gradient = EVN_GRADIENT_BACKPROP; gradient <= EVN_GRADIENT_CHECKPOINTED; ++gradient) {
        problem p = problem_growth(gradient == EVN_GRADIENT_BACKPROP);
        evn_solver_options options = evn_solver_options_default();
        options.method = "euler";
        options.steps = 10;
        options.gradient = (evn_gradient)gradient;
        options.fp64 = p.fp64;
        problem_prepare(&p, &options);
        problem_solve(&p, 0, 1);
        ck_assert_double_eq_tol(p.x1[0], expected, 1e-6);
        problem_gradient(&p);
        ck_assert_double_eq_tol(p.x0_bar[0], expected, 1e-6);
        problem_free(&p);
    }
}
END_TEST

static double error_with(const char *method, int steps) {
    problem p = problem_linear();
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.steps = steps;
    options.fp64 = true;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    double error = problem_linear_error(&p, 1);
    problem_free(&p);
    return error;
}

/// Few enough for errors far above rounding.
static const int steps_for[] = {0, 256, 32, 32, 32, 100, 16, 12, 8};

START_TEST(orders_of_convergence) {
    const char *method = evn_method_name(_i);
    const evn__stepper *stepper = evn__stepper_find(method);
    int order = evn_method_order(_i);
    if (stepper->kind == &evn__symplectic || !evn__stepper_has_fixed(stepper)) {
        return; // of problems with two halves: methods/test_symplectic; of no fixed steps:
                // methods/test_adams
    }
    int steps = steps_for[order];
    double coarse = error_with(method, steps), fine = error_with(method, 2 * steps);
    double slope = log2(coarse / fine);
    printf("%s: errors %.3g and %.3g, order %.3f\n", method, coarse, fine, slope);
    ck_assert_double_eq_tol(slope, order, 0.15);
}
END_TEST

static int count_methods(void) {
    int count = 0;
    while (evn_method_name(count)) {
        ++count;
    }
    return count;
}

/// Starts and attempts evaluate what they say: an attempt's first slope is there already.
static int evaluations(const char *method, const evn_solution *s) {
    int each = evn__stepper_adaptive_evaluations(evn__stepper_find(method));
    return 2 + each * (s->accepted + s->rejected);
}

/// Also where the last stage is not the first of the next step.
START_TEST(adaptive_meets_its_tolerance) {
    double worst = 0;
    const char *method = evn_method_name(_i);
    if (!evn_method_is_adaptive(_i)) {
        return;
    }
    double least = evn_method_order(_i) < 4 ? 1e-6 : 1e-9;
    for (double tolerance = 1e-3; tolerance > least; tolerance /= 10) {
        problem p = problem_linear();
        evn_solver_options options = evn_solver_options_default();
        options.method = method;
        options.rtol = options.atol = tolerance;
        options.fp64 = true;
        problem_prepare(&p, &options);
        problem_solve(&p, 0, 3);
        double error = problem_linear_error(&p, 3);
        // Where the estimate is of what goes on, the errors of all steps add up.
        bool sums = evn__stepper_find(method)->error_order == evn_method_order(_i);
        double bound = 50 + (sums ? 5 * p.solution.accepted : 0);
        ck_assert_msg(error < bound * tolerance, "error %g at tolerance %g", error, tolerance);
        ck_assert_int_eq(p.solution.nfe, evaluations(method, &p.solution));
        worst = fmax(worst, error / tolerance);
        problem_free(&p);
    }
    printf("%s: largest error / tolerance: %.3g\n", method, worst);
}
END_TEST

static evn_solution solution_with(evn_solver_options options, double *error) {
    problem p = problem_linear();
    options.fp64 = true;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 3);
    *error = problem_linear_error(&p, 3);
    evn_solution solution = p.solution;
    problem_free(&p);
    return solution;
}

enum { NORMS = EVN_NORM_COMPONENT + 1, CONTROLLERS = EVN_CONTROLLER_PID + 1 };

/// Whatever chooses the steps, and however errors are measured.
START_TEST(controllers_and_norms_meet_tolerances) {
    evn_solver_options options = evn_solver_options_default();
    options.rtol = options.atol = 1e-6;
    options.controller = (evn_controller)(_i / NORMS);
    options.norm = (evn_norm)(_i % NORMS);
    double error;
    evn_solution s = solution_with(options, &error);
    printf("%s, %s: error %.2g, %d + %d steps\n", evn_controller_name(_i / NORMS),
           evn_norm_name(_i % NORMS), error, s.accepted, s.rejected);
    ck_assert_double_lt(error, 20e-6);
    ck_assert_int_lt(s.rejected, s.accepted / 4);
}
END_TEST

/// Lengths and factors of steps are what options say.
START_TEST(lengths_are_bounded) {
    double error;
    evn_solver_options options = evn_solver_options_default();
    evn_solution loose = solution_with(options, &error);
    options.dt_max = 0.07;
    evn_solution s = solution_with(options, &error);
    ck_assert_int_lt(loose.accepted, 40);
    ck_assert_int_ge(s.accepted, (int)(3 / 0.07));
    ck_assert_int_le(s.accepted, (int)(3 / 0.07) + 6);
    options.dt_max = 0;
    options.dt_first = 1e-6;
    options.max_factor = 2; // from 1e-6 to 0.1 in 17 steps
    s = solution_with(options, &error);
    ck_assert_int_ge(s.accepted, loose.accepted + 14);
    options = evn_solver_options_default();
    options.safety = 0.5;
    s = solution_with(options, &error);
    ck_assert_int_gt(s.accepted, loose.accepted * 3 / 2);
    ck_assert_int_eq(s.rejected, 0);
}
END_TEST

/// t0, each step's end, t1: of chosen and of fixed steps, and as far as a solve came that failed.
START_TEST(grids_can_be_read) {
    double times[512];
    problem p = problem_linear();
    evn_solver_options options = evn_solver_options_default();
    options.fp64 = true;
    options.rtol = options.atol = 1e-5;
    options.observations = 3;
    options.gradient = _i % 2 ? EVN_GRADIENT_ADJOINT : EVN_GRADIENT_NONE;
    options.steps = _i / 2 ? 10 : 0;
    problem_prepare(&p, &options);
    ck_assert_int_eq(evn_solver_grid(p.solver, times, 1), EVN_ERR_ARGUMENT);
    problem_solve(&p, 5, 2);
    int count = p.solution.accepted + 1, seen = 0;
    TRY(evn_solver_grid(p.solver, times, count));
    ck_assert_int_eq(evn_solver_grid(p.solver, times, count - 1), EVN_ERR_ARGUMENT);
    ck_assert(times[0] == 5 && times[count - 1] == 2);
    for (int i = 1; i < count; ++i) {
        ck_assert(times[i] < times[i - 1]);
        seen += fabs(times[i] - 4) < 1e-12 || fabs(times[i] - 3) < 1e-12;
    }
    ck_assert_int_eq(seen, 2); // observations
    options.steps = 0;
    options.max_steps = 5;
    problem_prepare(&p, &options);
    evn_binding x1;
    ck_assert_int_eq(problem_try(&p, 5, 2, &x1), EVN_ERR_SOLVER);
    TRY(evn_solver_grid(p.solver, times, p.solution.accepted + 1));
    ck_assert_double_eq_tol(times[p.solution.accepted], p.solution.t, 1e-12);
    problem_free(&p);
}
END_TEST

/// Also where the solve has many observations, each of which takes few.
START_TEST(steps_are_counted_over_the_whole_way) {
    problem p = problem_linear();
    evn_solver_options options = evn_solver_options_default();
    options.fp64 = true;
    options.observations = 8;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 3);
    int attempts = p.solution.accepted + p.solution.rejected;
    for (int room = attempts - 1; room <= attempts; ++room) {
        evn_binding x1;
        options.max_steps = room;
        problem_prepare(&p, &options);
        ck_assert_int_eq(problem_try(&p, 0, 3, &x1), room < attempts ? EVN_ERR_SOLVER : EVN_OK);
        ck_assert_int_eq(p.solution.accepted + p.solution.rejected, room);
    }
    problem_free(&p);
}
END_TEST

// What is observed on the way is what shorter solves would end with.
START_TEST(observations_are_states_on_the_way) {
    for (int steps = 0; steps <= 12; steps += 12) {
        problem p = problem_linear();
        evn_solver_options options = evn_solver_options_default();
        options.rtol = options.atol = 1e-9;
        options.method = steps ? "rk4" : "dopri5";
        options.steps = steps * 20;
        options.observations = 4;
        options.fp64 = true;
        problem_prepare(&p, &options);
        problem_solve(&p, 0, 2);
        ck_assert(steps == 0 || p.solution.accepted == options.steps);
        double *all = p.x1;
        for (int i = 0; i < 4; ++i) {
            p.x1 = all + i * p.x_count;
            ck_assert_double_lt(problem_linear_error(&p, (i + 1) * 0.5), 1e-6);
        }
        p.x1 = all;
        problem_free(&p);
    }
}
END_TEST

START_TEST(backwards_in_time_undoes_forwards) {
    problem p = problem_linear();
    evn_solver_options options = evn_solver_options_default();
    options.rtol = options.atol = 1e-9;
    options.fp64 = true;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    memcpy(p.x0, p.x1, sizeof(double) * (size_t)p.x_count);
    double start[16];
    problem_linear_start(start);
    problem_solve(&p, 1, 0);
    for (int i = 0; i < p.x_count; ++i) {
        ck_assert_double_eq_tol(p.x1[i], start[i], 1e-6);
    }
    problem_free(&p);
}
END_TEST

// x' = x² from 1 leaves every bound at t = 1.
START_TEST(a_pole_ends_the_solve) {
    problem p = problem_square();
    evn_solver_options options = evn_solver_options_default();
    options.max_steps = 2000;
    problem_prepare(&p, &options);
    evn_binding x1;
    evn_status status = problem_try(&p, 0, 2, &x1);
    ck_assert(status == EVN_ERR_SOLVER || status == EVN_ERR_NOT_FINITE);
    ck_assert_int_ne(p.solution.outcome, EVN_OUTCOME_DONE);
    ck_assert_msg(p.solution.t < 1.01, "stopped at %g", p.solution.t);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "rtol"));
    problem_free(&p);
}
END_TEST

/// dt is the step that was made, not the one that would come next.
START_TEST(the_last_step_is_reported) {
    problem p = problem_growth(true);
    evn_solver_options options = evn_solver_options_default();
    options.fp64 = true;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1e-5); // in one step
    ck_assert_int_eq(p.solution.accepted, 1);
    ck_assert(p.solution.dt == 1e-5);
    problem_solve(&p, 2, 2 - 1e-5);
    ck_assert(p.solution.dt == (2 - 1e-5) - 2);
    problem_solve(&p, 1, 1); // in none
    ck_assert(p.solution.accepted == 0 && p.solution.dt == 0 && p.solution.t == 1);
    options.steps = 4;
    problem_prepare(&p, &options);
    problem_solve(&p, 1, 3);
    ck_assert(p.solution.dt == 0.5 && p.solution.t == 3);
    problem_free(&p);
    // Stopped after so many steps, of which the last one was tried.
    p = problem_linear();
    options = evn_solver_options_default();
    options.rtol = options.atol = 1e-10;
    options.fp64 = true;
    options.max_steps = 1;
    problem_prepare(&p, &options);
    evn_binding x1;
    ck_assert_int_eq(problem_try(&p, 0, 10, &x1), EVN_ERR_SOLVER);
    ck_assert_int_eq(p.solution.accepted + p.solution.rejected, 1);
    ck_assert(p.solution.accepted == 0 || p.solution.dt == p.solution.t);
    ck_assert(p.solution.dt > 0 && p.solution.dt < 1);
    problem_free(&p);
}
END_TEST

/// What is advised is what helps.
START_TEST(messages_name_the_cause) {
    evn_solver_options options = evn_solver_options_default();
    problem p = problem_growth(false);
    evn_binding x1;
    problem_prepare(&p, &options);
    // Single precision has a time every 128 there: no tolerance gives a step.
    ck_assert_int_eq(problem_try(&p, 1.7e9, 1.7e9 + 10, &x1), EVN_ERR_SOLVER);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_STEP_TOO_SMALL);
    ck_assert_ptr_null(strstr(evn_error_message(), "loosen"));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "closer than 128"));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "double precision"));
    problem_solve(&p, 0, 10); // which helps
    options.fp64 = true;      // and so does this
    p.fp64 = true;
    problem_prepare(&p, &options);
    problem_solve(&p, 1.7e9, 1.7e9 + 10);
    ck_assert_double_eq_tol(p.x1[0], exp(10), 100);
    problem_free(&p);
    p = problem_linear();
    options.dt_min = 1;
    options.rtol = options.atol = 1e-8;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 10, &x1), EVN_ERR_SOLVER);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "dt_min"));
    options.dt_min = 0;
    options.max_steps = 2;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 10, &x1), EVN_ERR_SOLVER);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "max_steps"));
    p.x0[0] = NAN;
    ck_assert_int_eq(problem_try(&p, 0, 10, &x1), EVN_ERR_NOT_FINITE);
    ck_assert_ptr_null(strstr(evn_error_message(), "rtol"));
    problem_free(&p);
}
END_TEST

START_TEST(too_many_steps) {
    problem p = problem_linear();
    evn_solver_options options = evn_solver_options_default();
    options.rtol = options.atol = 1e-10;
    options.fp64 = true;
    options.max_steps = 3;
    problem_prepare(&p, &options);
    evn_binding x1;
    ck_assert_int_eq(problem_try(&p, 0, 10, &x1), EVN_ERR_SOLVER);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_TOO_MANY_STEPS);
    problem_free(&p);
}
END_TEST

/// x' = −rate (x − y), y' = cos t: y is slow, and x follows it.
static problem problem_stiff(double rate) {
    evn_graph *f = NULL;
    evn_dynamics *dynamics = NULL;
    TRY(evn_graph_create(&f));
    evn_value t = evn_input(f, "t", EVN_SCALAR), x = evn_input(f, "x", EVN_SHAPE(1, 2));
    evn_value m = evn_input(f, "m", EVN_SHAPE(2, 2)), w = evn_input(f, "w", EVN_SHAPE(2));
    evn_value cosine = evn_cos(f, t);
    evn_value forced = evn_mul(f, evn_add(f, evn_sub(f, x, x), w), cosine);
    evn_output(f, "dx", evn_add(f, evn_matmul(f, x, m, false, false), forced));
    TRY(evn_dynamics_create(f, NULL, &dynamics));
    evn_graph_destroy(&f);
    problem p = problem_new(dynamics);
    p.weight[0][0] = -rate;
    p.weight[0][2] = rate;
    p.weight[1][1] = 1;
    return p;
}

/// A stiff problem is told from one that is long: by what bounds the steps of an explicit method,
/// with a way out that leads out, also where the way has many intervals.
START_TEST(stiff_problems_are_named) {
    evn_solver_options options = evn_solver_options_default();
    options.method = _i % 2 ? "bosh3" : "dopri5";
    options.fp64 = _i / 2 % 2 == 0;
    options.max_steps = 300;
    options.observations = _i < 4 ? 1 : 8;
    problem p = problem_stiff(2000);
    p.fp64 = options.fp64;
    evn_binding x1;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 3, &x1), EVN_ERR_SOLVER);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_TOO_MANY_STEPS);
    printf("%s\n", evn_error_message());
    ck_assert_double_eq_tol(p.solution.decay, 2000, 100);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "stiff"));
    const char *about = strstr(evn_error_message(), "max_steps to about ");
    ck_assert_ptr_nonnull(about);
    options.max_steps = (int)strtod(about + strlen("max_steps to about "), NULL);
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 3);
    ck_assert_double_eq_tol(p.x1[(options.observations - 1) * p.x_count], sin(3), 0.02);
    problem_free(&p);
}
END_TEST

/// What turns, or grows, bounds no step by stability.
START_TEST(others_are_not_stiff) {
    problem p = _i ? problem_growth(true) : problem_linear();
    evn_solver_options options = evn_solver_options_default();
    options.rtol = options.atol = 1e-9;
    options.fp64 = true;
    options.max_steps = 50;
    evn_binding x1;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 100, &x1), EVN_ERR_SOLVER);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_TOO_MANY_STEPS);
    ck_assert(p.solution.decay == 0);
    ck_assert_ptr_null(strstr(evn_error_message(), "stiff"));
    problem_free(&p);
}
END_TEST

START_TEST(not_a_number_ends_the_solve) {
    problem p = problem_linear();
    evn_solver_options options = evn_solver_options_default();
    options.max_steps = 100;
    problem_prepare(&p, &options);
    p.x0[1] = NAN;
    evn_binding x1;
    ck_assert_int_eq(problem_try(&p, 0, 1, &x1), EVN_ERR_NOT_FINITE);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_NOT_FINITE);
    problem_free(&p);
}
END_TEST

START_TEST(fixed_steps_never_wait) {
    problem p = problem_linear();
    evn_solver_options options = evn_solver_options_default();
    options.method = "rk4";
    options.steps = 50;
    options.gradient = EVN_GRADIENT_BACKPROP;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    evn_binding x1, x0_bar;
    evn_device_stats before = evn_device_get_stats(test_device());
    TRY(problem_try(&p, 0, 1, &x1));
    TRY(evn_solve_gradient(p.solver, x1, &x0_bar, p.weights_bar, NULL));
    evn_device_stats after = evn_device_get_stats(test_device());
    ck_assert_uint_eq(after.waits - before.waits, p.loads); // what the test itself writes
    ck_assert_uint_eq(after.allocations, before.allocations);
    problem_free(&p);
}
END_TEST

START_TEST(mistakes_are_reported) {
    problem p = problem_linear();
    evn_solver *solver = NULL;
    evn_solver_options options = evn_solver_options_default();
    options.method = "rk5";
    ck_assert_int_eq(evn_solver_create(test_device(), p.dynamics, &options, &solver),
                     EVN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "'rk5'"));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "mean rk4?"));
    options.method = "rk4"; // no error estimate, no steps
    ck_assert_int_eq(evn_solver_create(test_device(), p.dynamics, &options, &solver),
                     EVN_ERR_ARGUMENT);
    options.method = "dopri5";
    options.gradient = EVN_GRADIENT_REVERSIBLE; // adaptive
    ck_assert_int_eq(evn_solver_create(test_device(), p.dynamics, &options, &solver),
                     EVN_ERR_ARGUMENT);
    options.steps = 10;
    options.coupling = 1.5;
    ck_assert_int_eq(evn_solver_create(test_device(), p.dynamics, &options, &solver),
                     EVN_ERR_ARGUMENT);
    options.coupling = 0;
    options.checkpoints = -3;
    ck_assert_int_eq(evn_solver_create(test_device(), p.dynamics, &options, &solver),
                     EVN_ERR_ARGUMENT);
    options.checkpoints = options.steps = 0;
    options.gradient = EVN_GRADIENT_NONE;
    options.atol = 0;
    ck_assert_int_eq(evn_solver_create(test_device(), p.dynamics, &options, &solver),
                     EVN_ERR_ARGUMENT);
    ck_assert_ptr_null(solver);
    options.atol = 1e-3;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    evn_binding x0_bar, x1 = {NULL, 0};
    ck_assert_int_eq(evn_solve_gradient(p.solver, x1, &x0_bar, NULL, NULL), EVN_ERR_ARGUMENT);
    problem_free(&p);
}
END_TEST

/// Too short by one element, out of its buffer, and missing.
static void check_refused(problem *p, evn_binding *bound, const char *name, bool gradient) {
    evn_binding right = *bound, x1, x0_bar;
    const evn_binding wrong[] = {{NULL, 0},
                                 {p->buffer, evn_buffer_bytes(p->buffer) / sizeof(float)},
                                 {p->buffer, (size_t)-1 / sizeof(float) + 1}};
    for (int i = 0; i < 3; ++i) {
        *bound = wrong[i];
        ck_assert_int_eq(
            gradient ? evn_solve_gradient(p->solver, p->x1_bar_at, &x0_bar, p->weights_bar, NULL)
                     : evn_solve(p->solver, 0, 1, p->x0_at, p->weights, &x1, NULL),
            EVN_ERR_ARGUMENT);
        ck_assert_msg(strstr(evn_error_message(), name) != NULL, "%s", evn_error_message());
    }
    *bound = right;
}

START_TEST(bindings_are_checked) {
    problem p = problem_node_ew(3);
    evn_solver_options options = evn_solver_options_default();
    options.steps = 4;
    options.observations = 2;
    options.gradient = (evn_gradient)_i;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    uint64_t before = evn_device_get_stats(test_device()).launches;
    check_refused(&p, &p.x0_at, "x0", false);
    for (int i = 0; i < p.weight_count; ++i) {
        check_refused(&p, &p.weights[i], evn_dynamics_weight_name(p.dynamics, i), false);
    }
    ck_assert_uint_eq(evn_device_get_stats(test_device()).launches, before);
    problem_solve(&p, 0, 1);
    if (options.gradient != EVN_GRADIENT_NONE) {
        problem_gradient(&p);
        before = evn_device_get_stats(test_device()).launches;
        check_refused(&p, &p.x1_bar_at, "x1_bar", true);
        for (int i = 0; i < p.weight_count; ++i) {
            check_refused(&p, &p.weights_bar[i], evn_dynamics_weight_name(p.dynamics, i), true);
        }
        // Room for one observation is not enough for two.
        size_t end = evn_buffer_bytes(p.buffer) / sizeof(float);
        evn_binding half = {p.buffer, end - (size_t)p.x_count}, x0_bar;
        ck_assert_int_eq(evn_solve_gradient(p.solver, half, &x0_bar, p.weights_bar, NULL),
                         EVN_ERR_ARGUMENT);
        ck_assert_uint_eq(evn_device_get_stats(test_device()).launches, before);
    }
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("solver/solver");
    TCase *fixed = tcase_create("fixed");
    tcase_add_test(fixed, euler_is_exact);
    tcase_add_test(fixed, fixed_steps_never_wait);
    suite_add_tcase(s, fixed);
    TCase *orders = tcase_create("orders");
    tcase_add_loop_test(orders, orders_of_convergence, 0, count_methods());
    suite_add_tcase(s, orders);
    TCase *adaptive = tcase_create("adaptive");
    tcase_add_loop_test(adaptive, adaptive_meets_its_tolerance, 0, count_methods());
    tcase_add_loop_test(adaptive, controllers_and_norms_meet_tolerances, 0, CONTROLLERS * NORMS);
    tcase_add_test(adaptive, lengths_are_bounded);
    tcase_add_loop_test(adaptive, grids_can_be_read, 0, 4);
    tcase_add_test(adaptive, steps_are_counted_over_the_whole_way);
    tcase_add_test(adaptive, observations_are_states_on_the_way);
    tcase_add_test(adaptive, backwards_in_time_undoes_forwards);
    suite_add_tcase(s, adaptive);
    TCase *endings = tcase_create("endings");
    tcase_add_test(endings, a_pole_ends_the_solve);
    tcase_add_test(endings, too_many_steps);
    tcase_add_loop_test(endings, stiff_problems_are_named, 0, 8);
    tcase_add_loop_test(endings, others_are_not_stiff, 0, 2);
    tcase_add_test(endings, the_last_step_is_reported);
    tcase_add_test(endings, messages_name_the_cause);
    tcase_add_test(endings, not_a_number_ends_the_solve);
    tcase_add_test(endings, mistakes_are_reported);
    tcase_add_loop_test(endings, bindings_are_checked, 0, EVN_GRADIENT_ADJOINT + 1);
    suite_add_tcase(s, endings);
    return s;
}

int main(void) {
    return test_run(suite());
}
