// SPDX-License-Identifier: Apache-2.0
// Jumps of f at given times: exact on both sides, of full order, in few steps, both ways in time;
// gradients against the closed form.
#include "plan/real.h"
#include "problem.h"
#include "refused.h"
#include "rig.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double jumps[] = {0.3, 0.7};

/// x' = −a x before 0.3, b x² between, −a x again from 0.7 on, each at its beginning, too.
static problem piecewise(void) {
    evn_graph *f = NULL;
    TRY(evn_graph_create(&f));
    evn_value t = evn_input(f, "t", EVN_SCALAR), x = evn_input(f, "x", EVN_SHAPE(1));
    evn_value a = evn_input(f, "a", EVN_SCALAR), b = evn_input(f, "b", EVN_SCALAR);
    evn_value first = evn_step(f, evn_sub(f, evn_constant(f, jumps[0]), t));
    evn_value last =
        evn_sub(f, evn_constant(f, 1), evn_step(f, evn_sub(f, evn_constant(f, jumps[1]), t)));
    evn_value outer = evn_add(f, first, last);
    evn_value inner = evn_sub(f, evn_constant(f, 1), outer);
    evn_value decays = evn_mul(f, outer, evn_neg(f, evn_mul(f, a, x)));
    evn_output(f, "dx", evn_add(f, decays, evn_mul(f, inner, evn_mul(f, b, evn_mul(f, x, x)))));
    problem p = problem_new(rig_dynamics(f, NULL));
    p.fp64 = true;
    p.x0[0] = 1.2;
    p.weight[0][0] = 0.9;
    p.weight[1][0] = 0.8;
    return p;
}

typedef struct closed {
    double x, by_x, by_a, by_b;
} closed;

/// From 0 to 1.
static closed closed_form(double x0, double a, double b) {
    double first = exp(-0.3 * a), x = x0 * first, w = 1 - 0.4 * b * x, y = x / w;
    double by_x = 1 / (w * w), by_b = 0.4 * x * x / (w * w);
    return (closed){y * first, first * by_x * first, -0.3 * first * (y + by_x * x), first * by_b};
}

static evn_solver_options with(const char *method, int steps, bool knows) {
    evn_solver_options options = rig_options(1e-9);
    options.method = method;
    options.steps = steps;
    options.jumps = knows ? jumps : NULL;
    options.jump_count = knows ? 2 : 0;
    return options;
}

static double error_of(const evn_solver_options *options, evn_solution *solution) {
    problem p = piecewise();
    problem_prepare(&p, options);
    problem_solve(&p, 0, 1);
    double error = fabs(p.x1[0] - closed_form(1.2, 0.9, 0.8).x);
    *solution = p.solution;
    problem_free(&p);
    return error;
}

START_TEST(order) {
    evn_solution solution;
    const evn_solver_options coarse = with("rk4", 10, true), fine = with("rk4", 20, true);
    const evn_solver_options blind = with("rk4", 30, false);
    double error = error_of(&coarse, &solution);
    ck_assert_int_eq(solution.accepted, 30);
    ck_assert_int_eq(solution.nfe, 120);
    double slope = log2(error / error_of(&fine, &solution));
    printf("order %.3f, error %.2g; without jumps %.2g\n", slope, error,
           error_of(&blind, &solution));
    ck_assert_double_eq_tol(slope, 4, 0.15);
    ck_assert_double_gt(error_of(&blind, &solution), 1e3 * error);
}
END_TEST

START_TEST(adaptive) {
    evn_solution seeing, blind;
    const evn_solver_options knows = with("dopri5", 0, true), guesses = with("dopri5", 0, false);
    double error = error_of(&knows, &seeing);
    error_of(&guesses, &blind);
    printf("error %.2g, %d evaluations, without jumps %d\n", error, seeing.nfe, blind.nfe);
    ck_assert_double_le(error, 1e-8);
    ck_assert_int_eq(seeing.rejected, 0);
    ck_assert_int_lt(seeing.nfe, blind.nfe);
}
END_TEST

/// There and back; the grid has the steps of all parts.
START_TEST(both_ways) {
    problem p = piecewise();
    const evn_solver_options options = with("dop853", _i == 0 ? 0 : 12, true);
    double grid[64];
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    ck_assert_int_lt(p.solution.accepted, 63);
    TRY(evn_solver_grid(p.solver, grid, p.solution.accepted + 1));
    ck_assert(grid[0] == 0 && grid[p.solution.accepted] == 1);
    int landed = 0;
    for (int i = 1; i <= p.solution.accepted; ++i) {
        ck_assert(grid[i] > grid[i - 1]);
        landed += grid[i] == jumps[0] || grid[i] == jumps[1];
    }
    ck_assert_int_eq(landed, 2);
    p.x0[0] = p.x1[0];
    problem_solve(&p, 1, 0);
    ck_assert_double_eq_tol(p.x1[0], 1.2, 1e-8);
    p.x0[0] = 1.2;
    problem_solve(&p, 0.3, 0.3);
    ck_assert(p.x1[0] == 1.2);
    problem_free(&p);
}
END_TEST

/// A way that ends at a jump has nothing of what comes after it, one that begins there all.
START_TEST(ends_at_jumps) {
    problem p = piecewise();
    const evn_solver_options options = with("rk4", 8, true);
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 0.3);
    ck_assert_double_eq_tol(p.x1[0], 1.2 * exp(-0.27), 1e-8);
    problem_solve(&p, 0.3, 0.7);
    ck_assert_double_eq_tol(p.x1[0], 1.2 / (1 - 0.4 * 0.8 * 1.2), 1e-5);
    problem_solve(&p, 0.3, 0);
    ck_assert_double_eq_tol(p.x1[0], 1.2 * exp(0.27), 1e-8);
    problem_free(&p);
}
END_TEST

/// x' is 0 before a jump, and 1 from it on: what has come across it shows.
static problem stepped(double jump, const evn_solver_options *options) {
    evn_graph *f = NULL;
    TRY(evn_graph_create(&f));
    evn_value t = evn_input(f, "t", EVN_SCALAR), one = evn_full(f, EVN_SHAPE(1), 1);
    evn_input(f, "x", EVN_SHAPE(1));
    evn_value earlier = evn_step(f, evn_sub(f, evn_constant(f, jump), t));
    evn_output(f, "dx", evn_sub(f, one, earlier));
    problem p = problem_new(rig_dynamics(f, NULL));
    problem_prepare(&p, options);
    return p;
}

/// From 0; the steps of the grid all have a length, in the direction of the way.
static double go(problem *p, double t0, double t1, int fixed) {
    double grid[64];
    problem_solve(p, t0, t1);
    int steps = p->solution.accepted;
    ck_assert(fixed == 0 ? steps > 0 && steps < 63 : steps == fixed);
    ck_assert(p->solution.t == t1);
    TRY(evn_solver_grid(p->solver, grid, steps + 1));
    for (int i = 0; i < steps; ++i) {
        ck_assert_msg(t1 > t0 ? grid[i + 1] > grid[i] : grid[i + 1] < grid[i], "%.9g, then %.9g",
                      grid[i], grid[i + 1]);
    }
    return p->x1[0];
}

enum { SIDES = 12 }; ///< 3 jumps, fixed and adaptive, both precisions

/// In both precisions, whose times are not those of the other.
START_TEST(keeps_sides_apart) {
    static const double at[] = {0, 0.3, 0.7};
    const double jump = at[_i % 3], begin = jump > 0 ? 0 : -1, rounding = 1e-6;
    const double list[] = {jump, jump + 1e-12}; // 0.3 and 0.7: one in single precision
    const int fixed = _i / 3 % 2 * 4;
    evn_solver_options options = with(fixed ? "rk4" : "dopri5", fixed, true);
    options.fp64 = _i / 6;
    options.rtol = options.atol = 1e-5;
    options.jumps = list;
    options.jump_count = options.fp64 || jump == 0 ? 1 : 2;
    problem p = stepped(jump, &options);
    ck_assert(go(&p, begin, jump, fixed) == 0);
    ck_assert(go(&p, jump, begin, fixed) == 0);
    ck_assert_double_eq_tol(go(&p, jump, 1, fixed), 1 - jump, rounding);
    ck_assert_double_eq_tol(go(&p, 1, jump, fixed), jump - 1, rounding);
    ck_assert_double_eq_tol(go(&p, begin, 1, 2 * fixed), 1 - jump, rounding);
    ck_assert_double_eq_tol(go(&p, 1, begin, 2 * fixed), jump - 1, rounding);
    problem_free(&p);
}
END_TEST

/// Of the whole way, not of each part.
START_TEST(steps_are_counted_over_all_parts) {
    problem p = piecewise();
    evn_solver_options options = with("dopri5", 0, true);
    double grid[64];
    evn_binding x1;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    options.max_steps = p.solution.accepted + p.solution.rejected;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    --options.max_steps;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 1, &x1), EVN_ERR_SOLVER);
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_TOO_MANY_STEPS);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "raise max_steps"));
    ck_assert_int_lt(p.solution.accepted, 63);
    TRY(evn_solver_grid(p.solver, grid, p.solution.accepted + 1));
    options.max_steps = 2; // which the first part needs more than
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 1, &x1), EVN_ERR_SOLVER);
    TRY(evn_solver_grid(p.solver, grid, p.solution.accepted + 1));
    ck_assert_double_lt(grid[p.solution.accepted], jumps[0]);
    problem_free(&p);
}
END_TEST

/// Each part alone has steps enough: what is stiff is told all the same, with a way out that leads
/// out, for the batch and with steps of each sample's own.
START_TEST(stiff_ways_are_named) {
    static const double often[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
    const double rate = 2000;
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(2, 1), &t, &x);
    evn_output(f, "dx", evn_scale(f, evn_sub(f, x, evn_cos(f, t)), -rate));
    problem p = problem_of(f, NULL);
    evn_solver_options options = rig_options(1e-6);
    evn_binding x1;
    options.jumps = often;
    options.jump_count = 9;
    options.max_steps = 200;
    options.per_sample = _i;
    p.x0[1] = 0.5;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 1, &x1), EVN_ERR_SOLVER);
    printf("%s\n", evn_error_message());
    ck_assert_int_eq(p.solution.outcome, EVN_OUTCOME_TOO_MANY_STEPS);
    ck_assert_int_eq(p.solution.accepted + p.solution.rejected, 200);
    ck_assert(p.solution.t > often[0] && p.solution.t < 0.6);
    ck_assert_double_eq_tol(p.solution.decay, rate, 0.05 * rate);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "Take an implicit one"));
    const char *about = strstr(evn_error_message(), "max_steps to about ");
    ck_assert_ptr_nonnull(about);
    options.max_steps = (int)strtod(about + strlen("max_steps to about "), NULL);
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    ck_assert_double_eq_tol(p.x1[0], cos(1), 1e-3);
    ck_assert_double_eq_tol(p.x1[1], cos(1), 1e-3);
    problem_free(&p);
}
END_TEST

START_TEST(gradients) {
    static const struct {
        evn_gradient gradient;
        int steps, checkpoints;
    } ways[] = {{EVN_GRADIENT_BACKPROP, 0, 0},
                {EVN_GRADIENT_BACKPROP, 60, 0},
                {EVN_GRADIENT_CHECKPOINTED, 60, 4},
                {EVN_GRADIENT_CHECKPOINTED, 0, 3},
                {EVN_GRADIENT_ADJOINT_QUADRATURE, 0, 0}};
    bool interpolates = ways[_i].gradient == EVN_GRADIENT_ADJOINT_QUADRATURE;
    const double within = interpolates ? 1e-8 : 1e-9;
    problem p = piecewise();
    evn_solver_options options = with("dopri5", ways[_i].steps, true);
    options.gradient = ways[_i].gradient;
    options.checkpoints = ways[_i].checkpoints;
    options.rtol = options.atol = 1e-11;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    closed c = closed_form(1.2, 0.9, 0.8);
    for (int again = 0; again < 2; ++again) {
        problem_gradient(&p);
        ck_assert_double_eq_tol(p.x0_bar[0], c.by_x, within);
        ck_assert_double_eq_tol(p.weight_bar_host[0][0], c.by_a, within);
        ck_assert_double_eq_tol(p.weight_bar_host[1][0], c.by_b, within);
    }
    problem_free(&p);
}
END_TEST

static void refuse(problem p, const evn_solver_options *options) {
    evn_solver *solver = NULL;
    REFUSED(evn_solver_create(test_device(), p.dynamics, options, &solver));
    ck_assert_ptr_null(solver);
    problem_free(&p);
}

START_TEST(wrong_jumps_are_refused) {
    static const double falling[] = {0.7, 0.3}, none[] = {0.3, NAN};
    evn_solver_options options = with("dopri5", 0, true), bad = options;
    bad.jumps = falling;
    refuse(piecewise(), &bad);
    bad.jumps = none;
    refuse(piecewise(), &bad);
    bad.jumps = NULL;
    refuse(piecewise(), &bad);
    bad = options;
    bad.jump_count = -1;
    refuse(piecewise(), &bad);
    bad = options;
    bad.method = "sdirk4";
    TRY(evn_solver_options_check(&bad));
    bad.method = "kvaerno5"; // with a stage behind the end of a step
    refuse(piecewise(), &bad);
    problem p = piecewise();
    evn_binding x0_bar;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    REFUSED(evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, NULL));
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("solver/jumps");
    TCase *ways = tcase_create("ways");
    tcase_add_test(ways, order);
    tcase_add_test(ways, adaptive);
    tcase_add_loop_test(ways, both_ways, 0, 2);
    tcase_add_test(ways, ends_at_jumps);
    tcase_add_loop_test(ways, keeps_sides_apart, 0, SIDES);
    tcase_add_test(ways, steps_are_counted_over_all_parts);
    tcase_add_loop_test(ways, stiff_ways_are_named, 0, 2);
    suite_add_tcase(s, ways);
    TCase *derivatives = tcase_create("gradients");
    tcase_add_loop_test(derivatives, gradients, 0, 5);
    suite_add_tcase(s, derivatives);
    TCase *mistakes = tcase_create("mistakes");
    tcase_add_test(mistakes, wrong_jumps_are_refused);
    suite_add_tcase(s, mistakes);
    return s;
}

int main(void) {
    return test_run(suite());
}
