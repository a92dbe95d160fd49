// SPDX-License-Identifier: Apache-2.0
// Gradients of dense layers with few rows, summed over the steps by one product at the end: against
// differences, and against the cotangents carried from step to step.
#include "evonode/diff.h"
#include "evonode/solver.h"
#include "integrator/weight_gradient.h"
#include "problem.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATE = 3, WIDTH = 28, MAX_COUNT = WIDTH * WIDTH };

/// x' = tanh(tanh(x W1 + b) W2) W3 on x [rows, 3]; with `twice`, W2 is applied two times.
static problem dense_problem(int rows, bool twice) {
    evn_graph *f = NULL;
    evn_dynamics *dynamics = NULL;
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(rows, STATE));
    evn_value w1 = evn_input(f, "w1", EVN_SHAPE(STATE, WIDTH));
    evn_value b = evn_input(f, "b", EVN_SHAPE(WIDTH));
    evn_value w2 = evn_input(f, "w2", EVN_SHAPE(WIDTH, WIDTH));
    evn_value w3 = evn_input(f, "w3", EVN_SHAPE(WIDTH, STATE));
    evn_value h = evn_tanh(f, evn_add(f, evn_matmul(f, x, w1, false, false), b));
    for (int i = 0; i <= twice; ++i) {
        h = evn_tanh(f, evn_matmul(f, h, w2, false, false));
    }
    evn_output(f, "dx", evn_matmul(f, h, w3, false, false));
    TRY(evn_dynamics_create(f, NULL, &dynamics));
    evn_graph_destroy(&f);
    problem p = problem_new(dynamics);
    test_uniform(1, -1, 1, p.x0, p.x_count);
    test_uniform(2, -1, 1, p.x1_bar, p.x_count * PROBLEM_OBSERVATIONS);
    for (int i = 0; i < p.weight_count; ++i) {
        test_uniform(3 + (uint64_t)i, -0.5, 0.5, p.weight[i], p.weight_size[i]);
    }
    return p;
}

static void solve(problem *p, const char *method, evn_gradient gradient) {
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.steps = 4;
    options.observations = 4;
    options.gradient = gradient;
    options.fp64 = true;
    problem_prepare(p, &options);
    problem_solve(p, 0, 1);
    problem_gradient(p);
}

static double loss(problem *p) {
    double sum = 0;
    problem_solve(p, 0, 1);
    for (int i = 0; i < p->x1_count; ++i) {
        sum += p->x1_bar[i] * p->x1[i];
    }
    return sum;
}

/// The derivative along a random direction in one weight, against a central difference.
static void check_direction(problem *p, int weight) {
    const double h = 1e-5;
    double direction[MAX_COUNT], kept[MAX_COUNT], expected = 0, difference = 0;
    int size = p->weight_size[weight];
    test_uniform(100, -1, 1, direction, size);
    memcpy(kept, p->weight[weight], sizeof(double) * (size_t)size);
    for (int sign = -1; sign <= 1; sign += 2) {
        for (int i = 0; i < size; ++i) {
            p->weight[weight][i] = kept[i] + sign * h * direction[i];
        }
        difference += sign * loss(p) / (2 * h);
    }
    memcpy(p->weight[weight], kept, sizeof(double) * (size_t)size);
    for (int i = 0; i < size; ++i) {
        expected += p->weight_bar_host[weight][i] * direction[i];
    }
    ck_assert_msg(fabs(expected - difference) <= 1e-7 * (1 + fabs(expected)),
                  "%s: %.12g, not %.12g", evn_dynamics_weight_name(p->dynamics, weight), expected,
                  difference);
}

static const char *const methods[] = {"euler", "midpoint", "rk4", "dopri5"};

/// One row and two; checkpointed does not stack.
START_TEST(stacked_is_carried_and_the_gradient) {
    problem p = dense_problem(1 + _i / 4, false);
    double carried[PROBLEM_WEIGHTS][MAX_COUNT];
    solve(&p, methods[_i % 4], EVN_GRADIENT_CHECKPOINTED);
    for (int i = 0; i < p.weight_count; ++i) {
        memcpy(carried[i], p.weight_bar_host[i], sizeof(double) * (size_t)p.weight_size[i]);
    }
    solve(&p, methods[_i % 4], EVN_GRADIENT_BACKPROP);
    for (int i = 0; i < p.weight_count; ++i) {
        double error = test_difference(p.weight_bar_host[i], carried[i], p.weight_size[i]);
        ck_assert_msg(error <= 1e-13, "%s, %s: %g", methods[_i % 4],
                      evn_dynamics_weight_name(p.dynamics, i), error);
    }
    for (int i = 0; i < p.weight_count; ++i) {
        check_direction(&p, i);
    }
    problem_free(&p);
}
END_TEST

/// A second gradient of the same solver does not see the first one's stacks.
START_TEST(a_weight_used_twice) {
    problem p = dense_problem(1, true);
    solve(&p, "rk4", EVN_GRADIENT_BACKPROP);
    problem_gradient(&p);
    for (int i = 0; i < p.weight_count; ++i) {
        check_direction(&p, i);
    }
    problem_free(&p);
}
END_TEST

/// Whether the gradient of sum(tanh(x W)) · W's share is taken, with `rows` rows and `repeats`
/// uses; a state, which x is then, is no output.
static bool takes(int rows, int repeats, int states) {
    const evn__layout layout = {.count = states};
    evn_graph *g = NULL;
    evn__weight_gradient *batched = NULL;
    bool taken;
    TRY(evn_graph_create(&g));
    TRY(evn__weight_gradient_create(1, 10, &layout, &batched));
    evn_value h = evn_input(g, "x", EVN_SHAPE(rows, WIDTH)), w_bar, x = h;
    evn_value w = evn_input(g, "w", EVN_SHAPE(WIDTH, WIDTH));
    evn_value seed = evn_input(g, "seed", EVN_SHAPE(rows, WIDTH));
    for (int i = 0; i < repeats; ++i) {
        h = evn_tanh(g, evn_matmul(g, h, w, false, false));
    }
    TRY(evn_pullback(g, &h, &seed, 1, &w, 1, &w_bar));
    TRY(evn__weight_gradient_take(batched, g, 0, w_bar, &x, &taken));
    ck_assert_int_eq(evn_graph_output_count(g), taken ? 2 * repeats - states : 0);
    ck_assert(evn__weight_gradient_has(batched, 0) == taken);
    evn__weight_gradient_destroy(&batched);
    evn_graph_destroy(&g);
    return taken;
}

/// Operands of rows · 2 · WIDTH a use, against a gradient of WIDTH².
START_TEST(taken_where_it_saves_memory) {
    ck_assert(takes(1, 1, 0));
    ck_assert(takes(1, 1, 1));
    ck_assert(takes(1, 3, 0));
    ck_assert(takes(WIDTH / 2 - 1, 1, 0));
    ck_assert(!takes(WIDTH / 2, 1, 0));
    ck_assert(!takes(WIDTH / 4, 2, 0));
    ck_assert(!takes(1, 9, 0)); // more uses than there are places for
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("integrator/weight_gradient");
    TCase *gradient = tcase_create("gradient"); // whole: long
    test_add_share(gradient, stacked_is_carried_and_the_gradient, 0, 8, 3);
    tcase_add_test(gradient, a_weight_used_twice);
    suite_add_tcase(s, gradient);
    TCase *choice = tcase_create("choice");
    tcase_add_test(choice, taken_where_it_saves_memory);
    suite_add_tcase(s, choice);
    return s;
}

int main(void) {
    return test_run(suite());
}
