// SPDX-License-Identifier: Apache-2.0
// Calls out of order, and options that no solver can have.
#include "evonode/solver.h"
#include "methods/stepper.h"
#include "plan/real.h"
#include "problem.h"
#include "refused.h"
#include "test.h"
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static evn_solver_options with_gradient(evn_gradient gradient) {
    evn_solver_options options = evn_solver_options_default();
    options.gradient = gradient;
    options.steps =
        gradient == EVN_GRADIENT_BACKPROP || gradient == EVN_GRADIENT_CHECKPOINTED ? 4 : 0;
    return options;
}

static evn_status try_gradient(problem *p) {
    evn_binding x0_bar;
    return evn_solve_gradient(p->solver, p->x1_bar_at, &x0_bar, p->weights_bar, NULL);
}

static void check_not_reconstructed(problem *p) {
    double x = -1, theta = -1;
    evn_binding at;
    ck_assert_int_eq(evn_solver_reconstruction(p->solver, &x, &theta), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_solver_reconstructed(p->solver, &at), EVN_ERR_ARGUMENT);
    ck_assert(x == -1 && theta == -1);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "reconstruct"));
    ck_assert_ptr_null(strstr(evn_error_message(), "only the adjoint"));
}

/// A gradient needs a solve that came to its end, a reconstruction needs a gradient of that solve.
START_TEST(gradients_follow_solves) {
    problem p = problem_node_ew(7);
    evn_solver_options options = with_gradient((evn_gradient)_i);
    evn_binding x1;
    double x, theta, *first = calloc((size_t)p.x_count, sizeof(*first));
    problem_prepare(&p, &options);
    ck_assert_int_eq(try_gradient(&p), EVN_ERR_ARGUMENT);
    check_not_reconstructed(&p);
    problem_solve(&p, 0, 1);
    check_not_reconstructed(&p);
    problem_gradient(&p);
    memcpy(first, p.x0_bar, sizeof(*first) * (size_t)p.x_count);
    if (options.gradient == EVN_GRADIENT_ADJOINT) {
        TRY(evn_solver_reconstruction(p.solver, &x, &theta));
        ck_assert(x < 0.1 && theta < 0.1);
    }
    problem_gradient(&p); // again, of the same solve
    ck_assert_mem_eq(first, p.x0_bar, sizeof(*first) * (size_t)p.x_count);
    // Refused, and so nothing has happened: the solve before still counts.
    ck_assert_int_eq(evn_solve(p.solver, 0, NAN, p.x0_at, p.weights, &x1, NULL), EVN_ERR_ARGUMENT);
    problem_gradient(&p);
    ck_assert_mem_eq(first, p.x0_bar, sizeof(*first) * (size_t)p.x_count);
    problem_solve(&p, 0, 1);
    check_not_reconstructed(&p);
    free(first);
    problem_free(&p);
}
END_TEST

/// x' = x² from 1 has no x(2): nothing may go on from where the solve stopped.
START_TEST(no_gradient_after_a_failed_solve) {
    problem p = problem_square();
    evn_solver_options options = with_gradient(EVN_GRADIENT_ADJOINT);
    options.max_steps = 200;
    evn_binding x1;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 0.5);
    problem_gradient(&p);
    ck_assert_int_ne(problem_try(&p, 0, 2, &x1), EVN_OK);
    ck_assert_int_eq(try_gradient(&p), EVN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "evn_solve"));
    check_not_reconstructed(&p);
    problem_solve(&p, 0, 0.5);
    problem_gradient(&p);
    ck_assert_double_eq_tol(p.x0_bar[0], 4, 0.02); // x1 = x0 / (1 − x0/2)
    problem_free(&p);
}
END_TEST

/// The backward solve fails where the forward one did not: another may follow, a reconstruction
/// not.
START_TEST(after_a_failed_gradient) {
    problem p = problem_node_ew(7);
    evn_solver_options options = with_gradient(EVN_GRADIENT_ADJOINT);
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    double *first = calloc((size_t)p.x_count, sizeof(*first)), kept = p.x1_bar[0];
    memcpy(first, p.x0_bar, sizeof(*first) * (size_t)p.x_count);
    p.x1_bar[0] = NAN;
    TRY(evn__real_write(p.x1_bar_at, p.fp64, p.x1_bar, (size_t)p.x1_count));
    ck_assert_int_eq(try_gradient(&p), EVN_ERR_NOT_FINITE);
    check_not_reconstructed(&p);
    p.x1_bar[0] = kept;
    problem_gradient(&p);
    ck_assert_mem_eq(first, p.x0_bar, sizeof(*first) * (size_t)p.x_count);
    free(first);
    problem_free(&p);
}
END_TEST

/// What a solver gave, copied to the host and to memory of the caller's.
typedef struct given {
    evn_binding at, copy;
    evn_buffer *buffer;
    double *host;
    size_t count;
    bool fp64;
} given;

static given take(evn_binding at, size_t count, bool fp64) {
    given g = {.at = at, .count = count, .fp64 = fp64};
    g.host = calloc(count, sizeof(double));
    TRY(evn__real_create(test_device(), fp64, count, &g.buffer));
    g.copy.buffer = g.buffer;
    TRY(evn__real_read(at, fp64, g.host, count));
    TRY(evn__real_write(g.copy, fp64, g.host, count));
    return g;
}

/// The two have the same bits; frees both.
static void check_same(given *a, given *b) {
    ck_assert_uint_eq(a->count, b->count);
    ck_assert(a->count == 0 || memcmp(a->host, b->host, sizeof(double) * a->count) == 0);
    free(a->host);
    free(b->host);
    evn_buffer_destroy(&a->buffer);
    evn_buffer_destroy(&b->buffer);
}

/// All that comes from four calls, each with what the one before it gave: as it was given, or as a
/// copy. Solve, solve from x1, gradient of x1 with x1 as cotangent, gradient with x0_bar.
static void chain(problem *p, bool copied, int observations, given results[4]) {
    size_t count = (size_t)p->x_count, series = count * (size_t)(observations ? observations : 1);
    evn_binding x1, x0_bar;
    TRY(problem_try(p, 0, 1, &x1));
    results[0] = take(x1, series, p->fp64);
    TRY(evn_solve(p->solver, 1, 2, copied ? results[0].copy : x1, p->weights, &x1, NULL));
    results[1] = take(x1, series, p->fp64);
    results[2] = results[3] = (given){.count = 0};
    if (p->weights_bar[0].buffer) {
        TRY(evn_solve_gradient(p->solver, copied ? results[1].copy : x1, &x0_bar, p->weights_bar,
                               NULL));
        results[2] = take(x0_bar, count, p->fp64);
        if (series == count) {
            TRY(evn_solve_gradient(p->solver, copied ? results[2].copy : x0_bar, &x0_bar,
                                   p->weights_bar, NULL));
            results[3] = take(x0_bar, count, p->fp64);
        }
    }
}

/// Gradient _i / 3; without observations, with one, with two.
START_TEST(results_are_arguments) {
    problem p = problem_node_ew(11);
    evn_solver_options options = with_gradient((evn_gradient)(_i / 3));
    options.observations = _i % 3;
    given given_ones[4], copied[4];
    problem_prepare(&p, &options);
    if (options.gradient == EVN_GRADIENT_NONE) {
        p.weights_bar[0].buffer = NULL;
    }
    chain(&p, false, options.observations, given_ones);
    chain(&p, true, options.observations, copied);
    for (int i = 0; i < 4; ++i) {
        check_same(&given_ones[i], &copied[i]);
    }
    problem_free(&p);
}
END_TEST

static evn_solver_options bad_options(int index) {
    evn_solver_options o = with_gradient(EVN_GRADIENT_NONE);
    switch (index) {
    case 0:
        o.gradient = (evn_gradient)7;
        break;
    case 1:
        o.gradient = (evn_gradient)-1;
        break;
    case 2:
        o.steps = -1;
        break;
    case 3:
        o.steps = INT_MAX; // 7 evaluations each could not be counted
        break;
    case 4:
        o.observations = -1;
        break;
    case 5:
        o.max_steps = 0;
        break;
    case 6:
        o.max_steps = INT_MAX;
        break;
    case 7:
        o.dt_min = NAN;
        break;
    case 8:
        o.dt_min = -1;
        break;
    case 9:
        o.rtol = NAN;
        break;
    case 10:
        o.atol = INFINITY;
        break;
    case 11:
        o.rtol = FLT_EPSILON / 2; // below the rounding of the precision
        break;
    case 12:
        o.fp64 = true;
        o.rtol = DBL_EPSILON / 2;
        break;
    default:
        o.rtol = -1e-3;
    }
    return o;
}

START_TEST(options_out_of_range) {
    problem p = problem_linear();
    evn_solver *solver = NULL;
    evn_solver_options options = bad_options(_i);
    ck_assert_int_eq(evn_solver_create(test_device(), p.dynamics, &options, &solver),
                     EVN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "dopri5"));
    ck_assert_ptr_null(solver);
    problem_free(&p);
}
END_TEST

/// What only another gradient has would do nothing: it is refused, and left out of the same options
/// with that gradient.
START_TEST(options_of_another_gradient) {
    static const struct {
        evn_gradient gradient;
        bool per_sample, fall_back, right;
        int checkpoints;
        double coupling;
        const char *text;
    } rows[] = {{EVN_GRADIENT_NONE, .checkpoints = 3, .text = "checkpoints with"},
                {EVN_GRADIENT_BACKPROP, .checkpoints = 3, .text = "checkpoints with"},
                {EVN_GRADIENT_ADJOINT, .checkpoints = 3, .text = "checkpoints with"},
                {EVN_GRADIENT_REVERSIBLE, .checkpoints = 3, .text = "checkpoints with"},
                {EVN_GRADIENT_CHECKPOINTED, .per_sample = true, .checkpoints = 3,
                 .text = "each sample's own"},
                {EVN_GRADIENT_NONE, .coupling = 0.9, .text = "coupling"},
                {EVN_GRADIENT_CHECKPOINTED, .coupling = 0.9, .text = "coupling"},
                {EVN_GRADIENT_ADJOINT, .coupling = 0.9, .text = "coupling"},
                {EVN_GRADIENT_BACKPROP, .fall_back = true, .text = "fall back"},
                {EVN_GRADIENT_CHECKPOINTED, .fall_back = true, .text = "fall back"},
                {EVN_GRADIENT_REVERSIBLE, .fall_back = true, .text = "fall back"},
                {EVN_GRADIENT_CHECKPOINTED, .checkpoints = 3, .right = true},
                {EVN_GRADIENT_REVERSIBLE, .coupling = 0.9, .right = true},
                {EVN_GRADIENT_ADJOINT, .fall_back = true, .checkpoints = 3, .right = true}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); ++i) {
        evn_solver_options options = evn_solver_options_default(), left;
        options.gradient = rows[i].gradient;
        options.per_sample = rows[i].per_sample;
        options.steps = options.per_sample ? 0 : 5;
        options.fall_back = rows[i].fall_back;
        options.checkpoints = rows[i].checkpoints;
        options.coupling = rows[i].coupling;
        evn_status status = evn_solver_options_check(&options);
        ck_assert_msg(status == (rows[i].right ? EVN_OK : EVN_ERR_ARGUMENT), "row %zu: %d", i,
                      (int)status);
        ck_assert_msg(rows[i].right || strstr(evn_error_message(), rows[i].text), "row %zu: %s", i,
                      evn_error_message());
        left = evn_solver_options_with(&options, options.gradient);
        TRY(evn_solver_options_check(&left));
        ck_assert(!rows[i].right ||
                  (left.checkpoints == options.checkpoints && left.coupling == options.coupling &&
                   left.fall_back == options.fall_back));
        left = evn_solver_options_forward(&options);
        TRY(evn_solver_options_check(&left));
    }
}
END_TEST

/// As many steps as can be counted, of a state of 2⁴⁰ numbers: sizes that overflow 64 bits.
START_TEST(sizes_that_no_device_has) {
    evn_graph *f = NULL;
    evn_dynamics *dynamics = NULL;
    evn_solver *solver = NULL;
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_output(f, "dx", evn_input(f, "x", EVN_SHAPE((int64_t)1 << 40)));
    TRY(evn_dynamics_create(f, NULL, &dynamics));
    evn_graph_destroy(&f);
    for (int i = 0; i < 8; ++i) {
        evn_solver_options options = with_gradient((evn_gradient)(i / 2));
        options.method = "euler";
        options.steps = EVN__MAX_STEPS;
        options.observations = i % 2 ? options.steps : 0;
        ck_assert_int_eq(evn_solver_create(test_device(), dynamics, &options, &solver),
                         EVN_ERR_DEVICE_MEMORY);
        ck_assert_ptr_null(solver);
    }
    evn_dynamics_destroy(&dynamics);
}
END_TEST

START_TEST(intervals_beyond_the_precision) {
    problem p = problem_linear();
    evn_solver_options options = with_gradient(EVN_GRADIENT_NONE);
    evn_binding x1;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 1e300, &x1), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(problem_try(&p, 1e39, 0, &x1), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(problem_try(&p, -FLT_MAX, FLT_MAX, &x1), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(problem_try(&p, -INFINITY, 0, &x1), EVN_ERR_ARGUMENT);
    problem_free(&p);
}
END_TEST

enum { OUT, W, V }; // weights of f in problem_node_ew, of which W evolves

/// What a solve gave stays what it is until the next one, whatever the gradient does.
START_TEST(gradients_leave_the_solution) {
    static const evn_gradient gradients[] = {
        EVN_GRADIENT_BACKPROP,   EVN_GRADIENT_CHECKPOINTED, EVN_GRADIENT_CHECKPOINTED,
        EVN_GRADIENT_REVERSIBLE, EVN_GRADIENT_ADJOINT,      EVN_GRADIENT_ADJOINT_QUADRATURE,
        EVN_GRADIENT_BACKPROP,   EVN_GRADIENT_ADJOINT};
    double before[6], after[6], w[2][10];
    evn_binding x1, weight;
    problem p = problem_node_ew(52);
    evn_solver_options options = evn_solver_options_default();
    options.gradient = gradients[_i];
    options.steps = _i < 5 ? 9 : 0;
    options.checkpoints = _i == 2 ? 2 : 0;
    problem_prepare(&p, &options);
    TRY(problem_try(&p, 0, 1, &x1));
    TRY(evn__real_read(x1, p.fp64, before, 6));
    TRY(evn_solver_weight(p.solver, W, -1, &weight));
    TRY(evn__real_read(weight, p.fp64, w[0], 10));
    problem_gradient(&p);
    TRY(evn__real_read(x1, p.fp64, after, 6));
    TRY(evn__real_read(weight, p.fp64, w[1], 10));
    ck_assert_mem_eq(before, after, sizeof(before));
    ck_assert_mem_eq(w[0], w[1], sizeof(w[0]));
    problem_free(&p);
}
END_TEST

// Weights -----------------------------------------------------------------------------------------

static double weight_is_off(const problem *p, int observation, const double *expected) {
    double w[10];
    evn_binding at;
    TRY(evn_solver_weight(p->solver, W, observation, &at));
    TRY(evn__real_read(at, p->fp64, w, 10));
    return test_difference(w, expected, 10);
}

static void check_observed(evn_gradient gradient, int steps, int checkpoints) {
    static const double times[] = {0, 0.5, 1};
    double expected[3][10], x[2][6];
    problem p = problem_node_ew(50);
    evn_solver_options options = evn_solver_options_default();
    options.method = "dopri5";
    options.steps = steps;
    options.rtol = options.atol = 1e-10;
    options.gradient = gradient;
    options.checkpoints = checkpoints;
    options.fp64 = true;
    memcpy(expected[0], p.weight[W], sizeof(expected[0]));
    for (int k = 0; k < 2; ++k) { // θ(t1) of solves that end there
        evn_binding at;
        problem_prepare(&p, &options);
        problem_solve(&p, 0, 0.5 + 0.5 * k);
        TRY(evn_solver_weight(p.solver, W, -1, &at));
        TRY(evn__real_read(at, true, expected[1 + k], 10));
        memcpy(x[k], p.x1, sizeof(x[k]));
    }
    options.observations = 3;
    options.times = times;
    options.observe_weights = true;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    for (int k = 0; k < 3; ++k) {
        ck_assert_double_lt(weight_is_off(&p, k, expected[k]), 1e-8);
        ck_assert_double_lt(test_difference(p.x1 + 6 * k, k == 0 ? p.x0 : x[k - 1], 6), 1e-8);
    }
    ck_assert_double_lt(weight_is_off(&p, -1, expected[2]), 1e-8);
    problem_free(&p);
}

START_TEST(weights_at_observations) {
    static const evn_gradient gradients[] = {
        EVN_GRADIENT_NONE, EVN_GRADIENT_BACKPROP, EVN_GRADIENT_ADJOINT, EVN_GRADIENT_CHECKPOINTED,
        EVN_GRADIENT_NONE, EVN_GRADIENT_BACKPROP, EVN_GRADIENT_ADJOINT, EVN_GRADIENT_REVERSIBLE};
    check_observed(gradients[_i], _i % 4 == 3 || _i < 3 ? 80 : 0, _i == 3 ? 2 : 0);
}
END_TEST

START_TEST(which_weights_there_are) {
    evn_binding at;
    problem p = problem_node_ew(51);
    evn_solver_options options = evn_solver_options_default();
    options.observations = 2;
    problem_prepare(&p, &options);
    REFUSED(evn_solver_weight(p.solver, W, -1, &at)); // no solve
    problem_solve(&p, 0, 1);
    TRY(evn_solver_weight(p.solver, W, -1, &at));
    TRY(evn_solver_weight(p.solver, V, 1, &at)); // constant
    ck_assert(at.buffer == p.weights[V].buffer && at.offset == p.weights[V].offset);
    REFUSED(evn_solver_weight(p.solver, W, 1, &at)); // not kept
    REFUSED(evn_solver_weight(p.solver, W, 2, &at));
    REFUSED(evn_solver_weight(p.solver, W, -2, &at));
    REFUSED(evn_solver_weight(p.solver, p.weight_count, -1, &at));
    REFUSED(evn_solver_weight(p.solver, -1, -1, &at));
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("solver/calls");
    TCase *order = tcase_create("order");
    tcase_add_loop_test(order, gradients_follow_solves, EVN_GRADIENT_BACKPROP,
                        EVN_GRADIENT_ADJOINT + 1);
    tcase_add_test(order, no_gradient_after_a_failed_solve);
    tcase_add_test(order, after_a_failed_gradient);
    tcase_add_loop_test(order, results_are_arguments, 0, 3 * (EVN_GRADIENT_ADJOINT + 1));
    suite_add_tcase(s, order);
    TCase *ranges = tcase_create("ranges");
    tcase_add_loop_test(ranges, options_out_of_range, 0, 14);
    tcase_add_test(ranges, options_of_another_gradient);
    tcase_add_test(ranges, sizes_that_no_device_has);
    tcase_add_test(ranges, intervals_beyond_the_precision);
    suite_add_tcase(s, ranges);
    TCase *weights = tcase_create("weights");
    tcase_add_loop_test(weights, weights_at_observations, 0, 8);
    tcase_add_test(weights, which_weights_there_are);
    tcase_add_loop_test(weights, gradients_leave_the_solution, 0, 8);
    suite_add_tcase(s, weights);
    return s;
}

int main(void) {
    return test_run(suite());
}
