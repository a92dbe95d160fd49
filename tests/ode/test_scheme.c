// SPDX-License-Identifier: Apache-2.0
// Gradient schemes in fp64: each discrete gradient against the same steps written out as one graph
// and pulled back by the reference; what the reversible method recovers; memory against steps.
#include "evonode/diff.h"
#include "ode/unroll.h"
#include "plan/real.h"
#include "problem.h"
#include "ref/ref.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RESULTS = 512, STATES = PROBLEM_WEIGHTS + 1 };

static evn_solver_options with(const char *method, int steps, evn_gradient gradient) {
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.steps = steps;
    options.gradient = gradient;
    options.fp64 = true;
    return options;
}

// Steps written out -------------------------------------------------------------------------------

/// A solve as a graph: x, then the weights of the dynamics, and the loss: the product of what it
/// gives and x1_bar.
typedef struct written {
    const problem *p;
    evn_graph *graph;
    evn__unroll *unroll;
    int count, observed;
    evn_value first[STATES], at[STATES], pair[STATES], sum;
} written;

static void written_begin(written *w, const problem *p, const char *method) {
    *w = (written){.p = p, .count = p->weight_count + 1};
    TRY(evn_graph_create(&w->graph));
    TRY(evn__unroll_create(p->dynamics, method, &w->unroll));
    for (int i = 0; i < w->count; ++i) {
        evn_shape shape = i == 0 ? evn_dynamics_state_shape(p->dynamics)
                                 : evn_dynamics_weight_shape(p->dynamics, i - 1);
        const char *name = i == 0 ? "x" : evn_dynamics_weight_name(p->dynamics, i - 1);
        w->first[i] = w->at[i] = w->pair[i] = evn_input(w->graph, name, shape);
    }
    w->sum = evn_constant(w->graph, 0);
}

/// The loss gets the share of x where it is now.
static void written_observe(written *w) {
    const double *weights = w->p->x1_bar + w->observed++ * w->p->x_count;
    evn_shape shape = evn_dynamics_state_shape(w->p->dynamics);
    evn_value share = evn_mul(w->graph, w->at[0], evn_table(w->graph, shape, weights));
    w->sum = evn_add(w->graph, w->sum, evn_sum_all(w->graph, share));
}

static void written_step(written *w, double t, double dt) {
    TRY(evn__unroll_step(w->unroll, w->graph, t, dt, &w->at[0], w->at + 1));
}

/// to[i] += sign (what a step of the method from `from` changes).
static void written_change(written *w, double t, double dt, const evn_value *from, double sign,
                           evn_value *to) {
    evn_value next[STATES];
    memcpy(next, from, sizeof(next));
    TRY(evn__unroll_step(w->unroll, w->graph, t, dt, &next[0], next + 1));
    for (int i = 0; i < w->count; ++i) {
        evn_value change = evn_sub(w->graph, next[i], from[i]);
        to[i] = evn_add(w->graph, to[i], evn_scale(w->graph, change, sign));
    }
}

static void written_reversible_step(written *w, double t, double dt, double coupling) {
    for (int i = 0; i < w->count; ++i) {
        w->at[i] = evn_add(w->graph, evn_scale(w->graph, w->at[i], coupling),
                           evn_scale(w->graph, w->pair[i], 1 - coupling));
    }
    written_change(w, t, dt, w->pair, 1, w->at);
    written_change(w, t + dt, -dt, w->at, -1, w->pair);
}

/// Gradients in x, then in the weights, one after the other; frees the graph.
static int written_gradient(written *w, double *all) {
    const problem *p = w->p;
    evn_value seed = evn_constant(w->graph, 1), bars[STATES];
    const double *inputs[STATES];
    double *outputs[STATES];
    int total = 0;
    TRY(evn_pullback(w->graph, &w->sum, &seed, 1, w->first, w->count, bars));
    for (int i = 0; i < w->count; ++i) {
        char name[32];
        snprintf(name, sizeof(name), "bar%d", i);
        evn_output(w->graph, name, bars[i]);
        inputs[i] = i == 0 ? p->x0 : p->weight[i - 1];
        outputs[i] = all + total;
        total += i == 0 ? p->x_count : p->weight_size[i - 1];
    }
    ck_assert_int_le(total, RESULTS);
    TRY(evn__ref_run(w->graph, inputs, outputs));
    evn__unroll_destroy(&w->unroll);
    evn_graph_destroy(&w->graph);
    return total;
}

static int solved_gradient(problem *p, const evn_solver_options *options, double *all) {
    problem_prepare(p, options);
    problem_solve(p, 0, 1);
    problem_gradient(p);
    int count = p->x_count;
    memcpy(all, p->x0_bar, sizeof(double) * (size_t)p->x_count);
    for (int i = 0; i < p->weight_count; ++i) {
        memcpy(all + count, p->weight_bar_host[i], sizeof(double) * (size_t)p->weight_size[i]);
        count += p->weight_size[i];
    }
    problem_reset(p);
    return count;
}

static void check_same(const char *what, const double *got, const double *expected, int count) {
    double error = test_difference(got, expected, count);
    printf("%s: differs from the steps written out by %.2g\n", what, error);
    ck_assert_msg(error <= 1e-10, "%s: %g", what, error);
}

// Fixed steps -------------------------------------------------------------------------------------

START_TEST(backprop_is_the_gradient_of_its_steps) {
    double expected[RESULTS], got[RESULTS];
    problem p = problem_node_ew(20);
    written w;
    written_begin(&w, &p, "rk4");
    for (int step = 0; step < 7; ++step) {
        written_step(&w, step / 7.0, 1 / 7.0);
    }
    written_observe(&w);
    int count = written_gradient(&w, expected);
    evn_solver_options options = with("rk4", 7, (evn_gradient)_i);
    ck_assert_int_eq(solved_gradient(&p, &options, got), count);
    check_same(evn_gradient_name(_i), got, expected, count);
    problem_free(&p);
}
END_TEST

// Reversible --------------------------------------------------------------------------------------

START_TEST(reversible_is_the_gradient_of_its_steps) {
    static const char *const methods[] = {"euler", "midpoint", "rk4", "dopri5"};
    double expected[RESULTS], got[RESULTS];
    problem p = problem_node_ew(21);
    evn_solver_options options = with(methods[_i % 4], 6, EVN_GRADIENT_REVERSIBLE);
    options.observations = _i < 4 ? 0 : 3;
    options.coupling = _i < 4 ? 0 : 0.9;
    written w;
    written_begin(&w, &p, options.method);
    for (int step = 0; step < options.steps; ++step) {
        written_reversible_step(&w, step / 6.0, 1 / 6.0, _i < 4 ? 0.99 : 0.9);
        if (step == 5 || (options.observations > 0 && step % 2 == 1)) {
            written_observe(&w);
        }
    }
    int count = written_gradient(&w, expected);
    ck_assert_int_eq(solved_gradient(&p, &options, got), count);
    check_same(options.method, got, expected, count);
    problem_free(&p);
}
END_TEST

/// In single precision, at any number of steps.
START_TEST(reversible_recovers_the_start) {
    problem p = problem_node_ew(22);
    for (int steps = 10; steps <= 1000; steps *= 10) {
        evn_solver_options options = with("midpoint", steps, EVN_GRADIENT_REVERSIBLE);
        options.fp64 = false;
        problem_prepare(&p, &options);
        problem_solve(&p, 0, 1);
        problem_gradient(&p);
        double x_error, theta_error;
        TRY(evn_solver_reconstruction(p.solver, &x_error, &theta_error));
        printf("%d steps: x(0) off by %.2g, theta by %.2g\n", steps, x_error, theta_error);
        ck_assert_msg(x_error <= 1e-6 && theta_error <= 1e-6, "%g, %g", x_error, theta_error);
        problem_reset(&p);
    }
    problem_free(&p);
}
END_TEST

/// The pair is of the order of its base method.
START_TEST(reversible_converges) {
    static const char *const methods[] = {"euler", "midpoint", "rk4"};
    static const int orders[] = {1, 2, 4};
    double error[2];
    for (int k = 0; k < 2; ++k) {
        problem p = problem_linear();
        problem_linear_start(p.x0);
        evn_solver_options options = with(methods[_i], 20 << k, EVN_GRADIENT_REVERSIBLE);
        problem_prepare(&p, &options);
        problem_solve(&p, 0, 1);
        error[k] = problem_linear_error(&p, 1);
        problem_free(&p);
    }
    double order = log2(error[0] / error[1]);
    printf("%s: order %.2f\n", methods[_i], order);
    ck_assert_msg(order > orders[_i] - 0.3, "%s: order %g", methods[_i], order);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("ode/scheme");
    TCase *fixed = tcase_create("fixed");
    tcase_add_loop_test(fixed, backprop_is_the_gradient_of_its_steps, EVN_GRADIENT_BACKPROP,
                        EVN_GRADIENT_CHECKPOINTED + 1);
    suite_add_tcase(s, fixed);
    TCase *reversible = tcase_create("reversible");
    tcase_add_loop_test(reversible, reversible_is_the_gradient_of_its_steps, 0, 8);
    tcase_add_test(reversible, reversible_recovers_the_start);
    tcase_add_loop_test(reversible, reversible_converges, 0, 3);
    suite_add_tcase(s, reversible);
    return s;
}

int main(void) {
    return test_run(suite());
}
