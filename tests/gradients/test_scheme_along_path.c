// SPDX-License-Identifier: Apache-2.0
// Weights that evolve with a solve of their own, and x along it, on steps of the whole batch: the
// same steps written out as one graph, other gradients and solvers, and what is refused.
#include "dynamics/path_basis.h"
#include "evonode/diff.h"
#include "evonode/event.h"
#include "host/runtime.h"
#include "plan/real.h"
#include "problem.h"
#include "ref/ref.h"
#include "refused.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 3, INNER = 2 };

// Two evolving weights, w and b, and c, which f and g share; v is f's own.
enum { W, B, C, V, WEIGHTS };

typedef evn_value value;

static value slope_x(evn_graph *g, value t, value x, const value *weights) {
    value h = evn_add(g, evn_matmul(g, x, weights[W], false, false), weights[B]);
    h = evn_tanh(g, evn_add(g, h, evn_mul(g, t, weights[V])));
    return evn_matmul(g, h, weights[C], false, false);
}

static void slope_weights(evn_graph *g, value t, const value *weights, value slopes[2]) {
    value moved = evn_tanh(g, evn_matmul(g, weights[C], weights[W], false, false));
    slopes[W] = evn_sub(g, moved, evn_mul(g, t, weights[W]));
    slopes[B] = evn_matmul(g, weights[B], weights[W], false, true);
}

static const evn_shape matrix = {2, {INNER, INNER}}, row = {2, {1, INNER}};

static problem shared_problem(void) {
    value t, x, slopes[2], weights[WEIGHTS];
    evn_graph *f = problem_begin(EVN_SHAPE(ROWS, INNER), &t, &x), *g = NULL;
    weights[W] = evn_input(f, "w", matrix);
    weights[B] = evn_input(f, "b", row);
    weights[C] = evn_input(f, "c", matrix);
    weights[V] = evn_input(f, "v", row);
    evn_output(f, "dx", slope_x(f, t, x, weights));
    TRY(evn_graph_create(&g));
    t = evn_input(g, "t", EVN_SCALAR);
    weights[W] = evn_input(g, "w", matrix);
    weights[B] = evn_input(g, "b", row);
    weights[C] = evn_input(g, "c", matrix);
    slope_weights(g, t, weights, slopes);
    evn_output(g, "dw", slopes[W]);
    evn_output(g, "db", slopes[B]);
    problem p = problem_of(f, g);
    ck_assert_int_eq(p.weight_count, WEIGHTS);
    test_uniform(1, -1, 1, p.x0, p.x_count);
    test_uniform(2, -1, 1, p.x1_bar, p.x_count * PROBLEM_OBSERVATIONS);
    for (int i = 0; i < WEIGHTS; ++i) {
        test_uniform(3 + (uint64_t)i, -1, 1, p.weight[i], p.weight_size[i]);
    }
    return p;
}

static evn_solver_options with(const char *method, int steps, int weight_steps,
                               evn_gradient gradient) {
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.steps = steps;
    options.weight_steps = weight_steps;
    options.gradient = gradient;
    options.fp64 = true;
    return options;
}

// Steps written out -------------------------------------------------------------------------------

enum { MOST_STEPS = 12, MOST_STAGES = 4, RESULTS = 64 };

/// An explicit method whose stages each need the one before alone.
typedef struct chain {
    const char *name;
    int stages;
    double c[MOST_STAGES], b[MOST_STAGES];
} chain;

static const chain chains[] = {{"euler", 1, {0}, {1}},
                               {"midpoint", 2, {0, 0.5}, {0, 1}},
                               {"rk4", 4, {0, 0.5, 0.5, 1}, {1. / 6, 1. / 3, 1. / 3, 1. / 6}}};

/// θ between the ends of its steps.
static void read_weights(evn_graph *g, value (*nodes)[WEIGHTS], int steps, double t,
                         value weights[WEIGHTS]) {
    int low = (int)fmin(floor(t * steps + 1e-9), steps - 1);
    double part = t * steps - low;
    for (int i = 0; i < 2; ++i) {
        weights[i] = evn_add(g, evn_scale(g, nodes[low][i], 1 - part),
                             evn_scale(g, nodes[low + 1][i], part));
    }
    weights[C] = nodes[0][C];
    weights[V] = nodes[0][V];
}

static void write_weights(evn_graph *g, const chain *m, int steps, value (*nodes)[WEIGHTS]) {
    double dt = 1.0 / steps;
    for (int n = 0; n < steps; ++n) {
        value slopes[2] = {0}, at[WEIGHTS];
        memcpy(nodes[n + 1], nodes[n], sizeof(*nodes));
        for (int s = 0; s < m->stages; ++s) {
            memcpy(at, nodes[n], sizeof(at));
            for (int i = 0; i < 2 && s > 0; ++i) {
                at[i] = evn_add(g, at[i], evn_scale(g, slopes[i], dt * m->c[s]));
            }
            slope_weights(g, evn_constant(g, (n + m->c[s]) * dt), at, slopes);
            for (int i = 0; i < 2; ++i) {
                nodes[n + 1][i] =
                    evn_add(g, nodes[n + 1][i], evn_scale(g, slopes[i], dt * m->b[s]));
            }
        }
    }
}

static value write_x(evn_graph *g, const chain *m, int steps, int weight_steps, value x,
                     value (*nodes)[WEIGHTS]) {
    double dt = 1.0 / steps;
    for (int n = 0; n < steps; ++n) {
        value slope = EVN_NONE, next = x, weights[WEIGHTS];
        for (int s = 0; s < m->stages; ++s) {
            double t = (n + m->c[s]) * dt;
            value at = s == 0 ? x : evn_add(g, x, evn_scale(g, slope, dt * m->c[s]));
            read_weights(g, nodes, weight_steps, t, weights);
            slope = slope_x(g, evn_constant(g, t), at, weights);
            next = evn_add(g, next, evn_scale(g, slope, dt * m->b[s]));
        }
        x = next;
    }
    return x;
}

/// x1, then the gradients in x and each weight, one after the other.
static int write_out(const problem *p, const chain *m, int steps, int weight_steps, double *all) {
    evn_graph *g = NULL;
    value nodes[MOST_STEPS + 1][WEIGHTS], first[WEIGHTS + 1], bars[WEIGHTS + 1];
    const double *inputs[WEIGHTS + 1] = {p->x0};
    double *outputs[WEIGHTS + 2] = {all};
    int total = p->x_count;
    TRY(evn_graph_create(&g));
    first[0] = evn_input(g, "x", EVN_SHAPE(ROWS, INNER));
    for (int i = 0; i < WEIGHTS; ++i) {
        first[1 + i] = nodes[0][i] = evn_input(g, evn_dynamics_weight_name(p->dynamics, i),
                                               evn_dynamics_weight_shape(p->dynamics, i));
        inputs[1 + i] = p->weight[i];
    }
    write_weights(g, m, weight_steps, nodes);
    value x1 = write_x(g, m, steps, weight_steps, first[0], nodes);
    value bar = evn_table(g, EVN_SHAPE(ROWS, INNER), p->x1_bar);
    evn_output(g, "x1", x1);
    TRY(evn_pullback(g, &x1, &bar, 1, first, WEIGHTS + 1, bars));
    for (int i = 0; i <= WEIGHTS; ++i) {
        char name[32];
        snprintf(name, sizeof(name), "bar%d", i);
        evn_output(g, name, bars[i]);
        outputs[1 + i] = all + total;
        total += i == 0 ? p->x_count : p->weight_size[i - 1];
    }
    ck_assert_int_le(total, RESULTS);
    TRY(evn__ref_run(g, inputs, outputs));
    evn_graph_destroy(&g);
    return total;
}

/// Few steps of x, many of θ: at whose ends x reads it, and between them; and the other way round.
static const struct {
    int chain, steps, weight_steps;
} cases[] = {{0, 2, 10}, {0, 3, 10}, {1, 2, 8}, {1, 3, 5}, {2, 3, 12}, {2, 2, 5}, {0, 6, 2}};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static void check_written(evn_gradient gradient, int checkpoints, int index) {
    const chain *m = &chains[cases[index].chain];
    int steps = cases[index].steps, weight_steps = cases[index].weight_steps;
    double expected[RESULTS], all[RESULTS];
    problem p = shared_problem();
    evn_solver_options options = with(m->name, steps, weight_steps, gradient);
    options.checkpoints = checkpoints;
    int count = write_out(&p, m, steps, weight_steps, expected) - p.x_count;
    ck_assert_int_eq(problem_all_gradients(&p, &options, all), count);
    double x1 = test_relative_difference(p.x1, expected, p.x_count);
    double bars = test_relative_difference(all, expected + p.x_count, count);
    printf("%s, %d steps of x, %d of weights, %s: x1 off by %.2g, gradients by %.2g\n", m->name,
           steps, weight_steps, evn_gradient_name((int)gradient), x1, bars);
    ck_assert_double_le(x1, 1e-13);
    ck_assert_double_le(bars, 1e-12);
    ck_assert_int_eq(p.solution.accepted, steps);
    ck_assert_int_eq(p.solution.nfe, steps * m->stages);
    problem_free(&p);
}

START_TEST(steps_written_out) {
    check_written(EVN_GRADIENT_BACKPROP, 0, _i);
    check_written(EVN_GRADIENT_CHECKPOINTED, 0, _i);
    check_written(EVN_GRADIENT_CHECKPOINTED, 2, _i);
}
END_TEST

// Against others ----------------------------------------------------------------------------------

/// Ways to a solution: what x and the weights take their steps by, and the gradient.
static const struct {
    const char *method;
    int steps, terms, weight_steps;
    evn_gradient gradient;
    bool per_sample;
} ways[] = {{"rk4", 20, 14, 0, EVN_GRADIENT_BACKPROP, false},
            {"rk4", 20, 14, 0, EVN_GRADIENT_ADJOINT, false},
            {"dopri5", 0, 14, 0, EVN_GRADIENT_BACKPROP, false},
            {"dopri5", 0, 14, 0, EVN_GRADIENT_CHECKPOINTED, false},
            {"dopri5", 0, 14, 0, EVN_GRADIENT_ADJOINT, false},
            {"dopri5", 0, 14, 0, EVN_GRADIENT_ADJOINT_QUADRATURE, false},
            {"dopri5", 0, 14, 0, EVN_GRADIENT_BACKPROP, true},
            {"abm5", 50, 14, 0, EVN_GRADIENT_BACKPROP, false},
            {"kvaerno3", 0, 14, 0, EVN_GRADIENT_BACKPROP, false},
            {"rk4", 20, 0, 200, EVN_GRADIENT_REVERSIBLE, false},
            {"rk4", 20, 0, 200, EVN_GRADIENT_ADJOINT, false},
            {"dopri5", 0, 0, 200, EVN_GRADIENT_BACKPROP, false}};
enum { WAYS = sizeof(ways) / sizeof(ways[0]) };

static void solve_way(problem *p, const evn_solver_options *options) {
    problem_prepare(p, options);
    problem_solve(p, 0, 1);
    problem_gradient(p);
}

/// Where steps hardly matter, they are those of x and weights solved together.
START_TEST(as_together) {
    problem p = shared_problem(), q = shared_problem();
    evn_solver_options options = with("dopri5", 0, 0, EVN_GRADIENT_ADJOINT);
    options.rtol = options.atol = 1e-11;
    solve_way(&q, &options);
    options = with(ways[_i].method, ways[_i].steps, ways[_i].weight_steps, ways[_i].gradient);
    options.weight_terms = ways[_i].terms;
    options.per_sample = ways[_i].per_sample;
    options.rtol = options.atol = 1e-7;
    solve_way(&p, &options);
    ck_assert_double_le(test_relative_difference(p.x1, q.x1, p.x_count), 1e-5);
    problem_check_same_gradients(&p, &q, 1e-5);
    problem_free(&p);
    problem_free(&q);
}
END_TEST

/// Reversible: the gradient of its steps.
START_TEST(reversible_is_the_gradient_of_its_steps) {
    problem p = shared_problem();
    const evn_solver_options options = with("midpoint", 2, 6, EVN_GRADIENT_REVERSIBLE);
    problem_check_differences(&p, &options, 4, 4, 1e-8);
    problem_free(&p);
}
END_TEST

START_TEST(one_weight_alone) {
    problem p = problem_node_ew(5);
    const evn_solver_options options = with("midpoint", 2, 6, EVN_GRADIENT_BACKPROP);
    problem_check_differences(&p, &options, 4, 4, 1e-8);
    problem_free(&p);
}
END_TEST

/// Adaptive steps, of the batch and of each sample, against fixed ones that end where those of θ
/// do, whose ends are kinks of f.
START_TEST(adaptive_steps_along_fixed_ones) {
    problem p = shared_problem(), q = shared_problem();
    evn_solver_options options = with("dopri5", 100, 5, EVN_GRADIENT_BACKPROP);
    solve_way(&q, &options);
    options.steps = 0;
    options.rtol = options.atol = 1e-9;
    options.per_sample = _i == 1;
    solve_way(&p, &options);
    double by = test_relative_difference(p.x1, q.x1, p.x_count);
    printf("x1 differs by %.2g\n", by);
    ck_assert_double_le(by, 1e-6);
    problem_check_same_gradients(&p, &q, 1e-5);
    problem_free(&p);
    problem_free(&q);
}
END_TEST

/// q'' = -k q with k' = -k: x is moved by a method that moves no weights.
static problem oscillator(void) {
    const int64_t q[] = {0, 0}, v[] = {0, 1};
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(1, 2), &t, &x), *g = NULL;
    evn_value k = evn_input(f, "k", EVN_SHAPE(1, 1));
    evn_value force = evn_neg(f, evn_mul(f, k, evn_slice(f, x, q, EVN_SHAPE(1, 1))));
    const evn_value slopes[] = {evn_slice(f, x, v, EVN_SHAPE(1, 1)), force};
    evn_output(f, "dx", evn_concat(f, slopes, 2, 1));
    TRY(evn_graph_create(&g));
    evn_input(g, "t", EVN_SCALAR);
    evn_output(g, "dk", evn_neg(g, evn_input(g, "k", EVN_SHAPE(1, 1))));
    problem p = problem_of(f, g);
    p.x0[0] = 1;
    p.weight[0][0] = 9;
    return p;
}

START_TEST(symplectic_methods_move_x) {
    problem p = oscillator(), q = oscillator();
    evn_solver_options options = with("yoshida4", 100, 0, EVN_GRADIENT_BACKPROP);
    options.rtol = options.atol = 1e-9;
    options.weight_terms = 16;
    solve_way(&p, &options);
    options = with("dopri5", 0, 0, EVN_GRADIENT_BACKPROP);
    options.rtol = options.atol = 1e-9;
    solve_way(&q, &options);
    ck_assert_double_le(test_relative_difference(p.x1, q.x1, p.x_count), 1e-6);
    problem_check_same_gradients(&p, &q, 1e-5);
    problem_free(&p);
    problem_free(&q);
}
END_TEST

/// Observations of x, and the weights at the end.
START_TEST(observations) {
    enum { COUNT = 3 };
    static const double times[COUNT] = {0, 0.3, 1};
    problem p = shared_problem(), q = shared_problem();
    evn_binding p_end, q_end;
    double p_w[INNER * INNER], q_w[INNER * INNER];
    evn_solver_options options = with("dopri5", 0, 0, EVN_GRADIENT_BACKPROP);
    options.observations = COUNT;
    options.times = times;
    options.rtol = options.atol = 1e-10;
    solve_way(&q, &options);
    options.weight_terms = 24;
    options.gradient = _i == 0 ? EVN_GRADIENT_BACKPROP : EVN_GRADIENT_ADJOINT;
    solve_way(&p, &options);
    ck_assert_double_le(test_relative_difference(p.x1, q.x1, p.x1_count), 1e-8);
    problem_check_same_gradients(&p, &q, 1e-7);
    TRY(evn_solver_weight(p.solver, W, -1, &p_end));
    TRY(evn_solver_weight(q.solver, W, -1, &q_end));
    TRY(evn__real_read(p_end, true, p_w, INNER * INNER));
    TRY(evn__real_read(q_end, true, q_w, INNER * INNER));
    ck_assert_double_le(test_relative_difference(p_w, q_w, INNER * INNER), 1e-8);
    problem_free(&p);
    problem_free(&q);
}
END_TEST

/// Backwards in time: x0 comes back.
START_TEST(there_and_back) {
    problem p = shared_problem();
    double start[ROWS * INNER];
    evn_binding x1;
    evn_solver_options options = with("rk4", 50, 0, EVN_GRADIENT_NONE);
    options.weight_terms = 20;
    options.rtol = options.atol = 1e-8;
    problem_prepare(&p, &options);
    problem_solve(&p, 0.25, 1);
    memcpy(start, p.x0, sizeof(start));
    memcpy(p.x0, p.x1, sizeof(start));
    for (int i = 0; i < 2; ++i) {
        evn_binding end;
        TRY(evn_solver_weight(p.solver, i, -1, &end));
        TRY(evn__real_read(end, true, p.weight[i], (size_t)p.weight_size[i]));
    }
    TRY(problem_try(&p, 1, 0.25, &x1));
    TRY(evn__real_read(x1, true, p.x1, (size_t)p.x_count));
    ck_assert_double_le(test_relative_difference(p.x1, start, p.x_count), 1e-6);
    problem_free(&p);
}
END_TEST

/// What an adjoint found of both starts, and what it falls back on.
START_TEST(way_back) {
    problem p = shared_problem(), q = shared_problem();
    double x = 0, theta = 0;
    evn_solver_options options = with("dopri5", 0, 0, EVN_GRADIENT_ADJOINT);
    options.weight_terms = 12;
    options.rtol = options.atol = 1e-6;
    solve_way(&p, &options);
    TRY(evn_solver_reconstruction(p.solver, &x, &theta));
    ck_assert_double_gt(x, 0);
    ck_assert_double_gt(theta, 0);
    ck_assert_double_lt(x, 1e-4);
    ck_assert_double_lt(theta, 1e-4);
    options.reconstruction = 1e-12; // beyond which it is
    options.fall_back = true;
    solve_way(&p, &options);
    ck_assert(p.backward.fell_back);
    options.fall_back = false;
    options.gradient = EVN_GRADIENT_CHECKPOINTED;
    solve_way(&q, &options);
    problem_check_same_gradients(&p, &q, 0);
    problem_free(&p);
    problem_free(&q);
}
END_TEST

// Bits, waits, failures ---------------------------------------------------------------------------

/// Nobody waits for fixed steps, whatever is solved by itself, but for the first time between these
/// ends; and again there are the same bits.
START_TEST(fixed_steps_wait_for_nothing) {
    problem p = shared_problem();
    evn_binding x1, x0_bar;
    double first[ROWS * INNER];
    const evn_solver_options options = with("euler", 2, 10, EVN_GRADIENT_BACKPROP);
    solve_way(&p, &options);
    memcpy(first, p.x1, sizeof(first));
    uint64_t before = evn_device_get_stats(test_device()).waits;
    TRY(evn_solve(p.solver, 0, 1, p.x0_at, p.weights, &x1, NULL));
    TRY(evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, NULL));
    ck_assert_uint_eq(evn_device_get_stats(test_device()).waits, before);
    TRY(evn__real_read(x1, true, p.x1, (size_t)p.x_count));
    ck_assert_mem_eq(p.x1, first, sizeof(first));
    problem_free(&p);
}
END_TEST

/// Of fixed steps as well: too few terms, and weights that come to a stop.
START_TEST(failures_say_why) {
    problem p = shared_problem();
    evn_binding x1;
    evn_solver_options options = with("euler", 2, 0, EVN_GRADIENT_NONE);
    options.weight_terms = _i == 0 ? 4 : 24;
    options.rtol = options.atol = 1e-9;
    options.max_steps = _i == 0 ? 10000 : 3;
    problem_prepare(&p, &options);
    ck_assert_int_eq(problem_try(&p, 0, 1, &x1), EVN_ERR_SOLVER);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), _i == 0 ? "weight_terms" : "max_steps"));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "by themselves"));
    ck_assert_int_eq(p.solution.outcome,
                     _i == 0 ? EVN_OUTCOME_WEIGHTS_NOT_RESOLVED : EVN_OUTCOME_TOO_MANY_STEPS);
    double none;
    ck_assert_int_eq(evn_solver_grid(p.solver, &none, p.solution.accepted + 1), EVN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "there is no grid of x"));
    problem_free(&p);
}
END_TEST

/// Of the way back of the weights as well; max_steps is what their way forward just takes, and
/// large cotangents are to be as exact as small weights.
START_TEST(failures_back_say_why) {
    problem p = shared_problem();
    evn_binding x1, x0_bar;
    evn_solver_options options = with("rk4", 10, 0, EVN_GRADIENT_ADJOINT);
    options.weight_terms = 24;
    options.rtol = 1e-12;
    options.atol = 1e-6;
    options.max_steps = 1;
    for (int i = 0; i < p.x_count; ++i) {
        p.x1_bar[i] *= 1e6;
    }
    problem_prepare(&p, &options);
    TRY(evn__real_write(p.x1_bar_at, true, p.x1_bar, (size_t)p.x_count));
    while (problem_try(&p, 0, 1, &x1) == EVN_ERR_SOLVER) {
        ck_assert_int_lt(++options.max_steps, 1000);
        evn_solver_destroy(&p.solver);
        TRY(evn_solver_create(test_device(), p.dynamics, &options, &p.solver));
    }
    ck_assert_int_eq(evn_solve_gradient(p.solver, p.x1_bar_at, &x0_bar, p.weights_bar, &p.backward),
                     EVN_ERR_SOLVER);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "the weights, solved by themselves"));
    ck_assert_int_eq(p.backward.outcome, EVN_OUTCOME_TOO_MANY_STEPS);
    problem_free(&p);
}
END_TEST

/// Fixed steps of x wait for nothing on the way back, adaptive ones of the weights do.
START_TEST(waits_back_are_counted) {
    problem p = shared_problem();
    evn_solver_options options = with("rk4", 10, 0, EVN_GRADIENT_ADJOINT);
    options.weight_terms = 24;
    options.rtol = options.atol = 1e-9;
    solve_way(&p, &options);
    ck_assert_int_gt(p.backward.waits, 0);
    problem_free(&p);
}
END_TEST

/// x' = w x beside `count` constants, which f reads, and w' = 10 w cos(10 t).
static problem beside_constants(int count) {
    value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(1, 1), &t, &x), *g = NULL;
    value w = evn_input(f, "w", EVN_SHAPE(1, 1)), b = evn_input(f, "b", EVN_SHAPE(count, 1));
    value none = evn_scale(f, evn_sum_to(f, b, EVN_SHAPE(1, 1)), 0);
    evn_output(f, "dx", evn_add(f, evn_mul(f, w, x), none));
    TRY(evn_graph_create(&g));
    value rate = evn_scale(g, evn_cos(g, evn_scale(g, evn_input(g, "t", EVN_SCALAR), 10)), 10);
    evn_output(g, "dw", evn_mul(g, rate, evn_input(g, "w", EVN_SHAPE(1, 1))));
    evn_output(g, "db", evn_scale(g, evn_input(g, "b", EVN_SHAPE(count, 1)), 0));
    problem p = problem_of(f, g);
    p.x0[0] = p.x1_bar[0] = p.weight[0][0] = 1;
    return p;
}

/// No weight hides another's error on the way back: the steps are those beside one constant.
START_TEST(no_weight_hides_another) {
    problem p = beside_constants(1), q = beside_constants(10000);
    evn_solver_options options = with("bosh3", 10, 0, EVN_GRADIENT_ADJOINT);
    options.weight_terms = 40;
    options.rtol = options.atol = 1e-6;
    solve_way(&p, &options);
    solve_way(&q, &options);
    printf("waits on the way back: %d and %d\n", p.backward.waits, q.backward.waits);
    ck_assert_int_eq(p.backward.waits, q.backward.waits);
    problem_free(&p);
    problem_free(&q);
}
END_TEST

static void refuse(const evn_dynamics *dynamics, evn_solver_options options, const char *what) {
    evn_solver *solver = NULL;
    REFUSED(evn_solver_create(test_device(), dynamics, &options, &solver));
    ck_assert_msg(strstr(evn_error_message(), what), "no word of %s: %s", what,
                  evn_error_message());
    ck_assert_ptr_null(solver);
}

/// What is advised is no gradient that is refused next.
static void refuse_split(const evn_dynamics *dynamics) {
    evn_solver_options bad = with("leapfrog", 4, 10, EVN_GRADIENT_BACKPROP);
    refuse(dynamics, bad, "give weight_terms in place of weight_steps");
    bad.gradient = EVN_GRADIENT_REVERSIBLE;
    refuse(dynamics, bad, "by dopri5, and take the gradient backprop or checkpointed");
    bad.weight_terms = 8;
    bad.weight_steps = 0;
    refuse(dynamics, bad, "by dopri5; take backprop or checkpointed");
    bad.gradient = EVN_GRADIENT_ADJOINT;
    refuse(dynamics, bad, "by dopri5; take backprop or checkpointed");
}

START_TEST(what_does_not_go_is_refused) {
    problem p = shared_problem(), constant = problem_network(2);
    const evn_solver_options options = with("euler", 2, 10, EVN_GRADIENT_BACKPROP);
    evn_solver_options bad = options;
    bad.weight_terms = 8;
    refuse(p.dynamics, bad, "leave one of them out");
    bad = options;
    bad.weight_steps = -1;
    refuse(p.dynamics, bad, "weight_steps; give 1 to 10000");
    bad.weight_steps = EVN__MOST_WEIGHT_STEPS + 1;
    refuse(p.dynamics, bad, "weight_steps; give 1 to 10000");
    bad = with("dopri5", 0, EVN__MOST_TERMS, EVN_GRADIENT_BACKPROP);
    bad.per_sample = true;
    refuse(p.dynamics, bad, "weight_steps; give 1 to 63");
    refuse(constant.dynamics, options, "no weight does");
    refuse(p.dynamics, with("dopri5", 0, 10, EVN_GRADIENT_ADJOINT_QUADRATURE),
           "give weight_terms in place of weight_steps");
    bad = with("midpoint", 4, 0, EVN_GRADIENT_REVERSIBLE);
    bad.weight_terms = 8;
    refuse(p.dynamics, bad, "give weight_steps in place of weight_terms");
    refuse_split(p.dynamics);
    refuse(p.dynamics, with("kvaerno5", 4, 10, EVN_GRADIENT_BACKPROP), "behind the end");
    refuse(p.dynamics, with("adams", 0, 10, EVN_GRADIENT_BACKPROP), "chooses its order");
    problem_free(&p);
    problem_free(&constant);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("gradients/scheme_along_path");
    TCase *steps = tcase_create("steps"); // whole: long
    test_add_share(steps, steps_written_out, 0, CASES, 3);
    tcase_add_test(steps, reversible_is_the_gradient_of_its_steps);
    tcase_add_test(steps, one_weight_alone);
    suite_add_tcase(s, steps);
    TCase *together = tcase_create("together"); // whole: long
    test_add_share(together, as_together, 0, WAYS, 3);
    suite_add_tcase(s, together);
    TCase *others = tcase_create("others");
    tcase_add_loop_test(others, adaptive_steps_along_fixed_ones, 0, 2);
    tcase_add_test(others, symplectic_methods_move_x);
    tcase_add_loop_test(others, observations, 0, 2);
    tcase_add_test(others, there_and_back);
    tcase_add_test(others, way_back);
    suite_add_tcase(s, others);
    TCase *ends = tcase_create("ends");
    tcase_add_test(ends, fixed_steps_wait_for_nothing);
    tcase_add_test(ends, failures_back_say_why);
    tcase_add_test(ends, waits_back_are_counted);
    tcase_add_test(ends, no_weight_hides_another);
    tcase_add_loop_test(ends, failures_say_why, 0, 2);
    suite_add_tcase(s, ends);
    TCase *mistakes = tcase_create("mistakes");
    tcase_add_test(mistakes, what_does_not_go_is_refused);
    suite_add_tcase(s, mistakes);
    return s;
}

int main(void) {
    return test_run(suite());
}
