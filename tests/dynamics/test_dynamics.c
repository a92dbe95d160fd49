// SPDX-License-Identifier: Apache-2.0
// f and g: what they may be called, what g gets, what does not belong together.
#include "evonode/dynamics.h"
#include "problem.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES = 8, SIZE = 3, UNITS = 12 };

static evn_graph *new_graph(void) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    return g;
}

/// dx = tanh(x W) Wᵀ + x·v − …; the first three weights move, with the last two as g's own: of
/// them a dense one, whose cotangent is batched, a product with the others, and a vector.
static evn_dynamics *named(const char *const *names) {
    evn_graph *f = new_graph(), *g = new_graph();
    evn_dynamics *dynamics = NULL;
    evn_value t = evn_input(f, "t", EVN_SCALAR), x = evn_input(f, "x", EVN_SHAPE(1, SIZE));
    evn_value w[NAMES], m[NAMES], slope;
    for (int i = 0; i < NAMES - 2; ++i) {
        w[i] = evn_input(f, names[i], i == 5 ? EVN_SHAPE(SIZE, UNITS) : EVN_SHAPE(SIZE));
    }
    evn_value hidden = evn_tanh(f, evn_matmul(f, x, w[5], false, false));
    slope = evn_matmul(f, hidden, w[5], false, true);
    for (int i = 0; i < 5; ++i) {
        slope = evn_add(f, evn_mul(f, slope, w[i]), evn_sin(f, evn_mul(f, x, t)));
    }
    evn_output(f, "slope of x", slope);
    t = evn_input(g, "t", EVN_SCALAR);
    for (int i = NAMES - 1; i >= 0; --i) {
        if (i < 3 || i >= NAMES - 2) {
            m[i] = evn_input(g, names[i], EVN_SHAPE(SIZE));
        }
    }
    for (int i = 0; i < 3; ++i) {
        char name[300];
        snprintf(name, sizeof(name), "d%s", names[i]);
        evn_value moved = evn_mul(g, evn_tanh(g, m[i]), m[NAMES - 1 - i % 2]);
        evn_output(g, name, evn_add(g, moved, evn_mul(g, t, m[(i + 1) % 3])));
    }
    TRY(evn_dynamics_create(f, g, &dynamics));
    for (int i = 0; i < NAMES; ++i) {
        const char *name = i < NAMES - 2 ? names[i] : names[2 * NAMES - 3 - i];
        ck_assert_str_eq(evn_dynamics_weight_name(dynamics, i), name);
        ck_assert(evn_dynamics_weight_evolves(dynamics, i) == (i < 3));
    }
    evn_graph_destroy(&f);
    evn_graph_destroy(&g);
    return dynamics;
}

/// Everything that a solve and its gradient give, one after the other.
static int results(const char *const *names, const evn_solver_options *options, double *all) {
    problem p = problem_new(named(names));
    int count = 0;
    test_uniform(1, -1, 1, p.x0, p.x_count);
    for (int i = 0; i < p.weight_count; ++i) {
        test_uniform(2 + (uint64_t)i, -1, 1, p.weight[i], p.weight_size[i]);
    }
    problem_prepare(&p, options);
    problem_solve(&p, 0, 1);
    for (int i = 0; i < p.x1_count; ++i) {
        all[count++] = p.x1[i];
    }
    if (options->gradient != EVN_GRADIENT_NONE) {
        problem_gradient(&p);
        for (int i = 0; i < p.x_count; ++i) {
            all[count++] = p.x0_bar[i];
        }
        for (int i = 0; i < p.weight_count; ++i) {
            for (int k = 0; k < p.weight_size[i]; ++k) {
                all[count++] = p.weight_bar_host[i][k];
            }
        }
    }
    problem_free(&p);
    return count;
}

/// Any name but "t" and "x": among these are all that a solver has for values of its own.
START_TEST(weights_may_have_any_name) {
    static const char *const plain[NAMES] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    static const char *const taken[][NAMES] = {
        {"dt", "x_bar", "dw", "rtol", "atol", "w", "error", "span"},
        {"w", "w_bar", "dw_bar", "dx", "dx_first", "observed", "dw", "dx_bar_first"},
        {"w1", "p0", "w1_bar", "p0_bar", "dw1", "dw1_bar", "p1", "dp1_bar"},
        {"pair.0.0.0", "pair.0.0.left", "weight_gradient.0.0.0", "stack.0.0", "sum.0", "before.0",
         "", "a name with spaces"}};
    double expected[200], got[200];
    for (int k = 0; k < 2 * (EVN_GRADIENT_ADJOINT + 1); ++k) {
        evn_solver_options options = evn_solver_options_default();
        options.gradient = (evn_gradient)(k / 2);
        bool on_grid = options.gradient == EVN_GRADIENT_BACKPROP ||
                       options.gradient == EVN_GRADIENT_CHECKPOINTED;
        options.steps = on_grid || k % 2 ? 4 : 0;
        options.observations = on_grid && k % 2 ? 2 : 0;
        int count = results(plain, &options, expected);
        for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); ++i) {
            ck_assert_int_eq(results(taken[i], &options, got), count);
            ck_assert_mem_eq(got, expected, sizeof(double) * (size_t)count);
        }
    }
}
END_TEST

/// dx = w and dw = −x, the state: x(t) = x₀ cos t + w₀ sin t.
START_TEST(g_may_read_the_state) {
    for (int gradient = EVN_GRADIENT_BACKPROP; gradient <= EVN_GRADIENT_ADJOINT; ++gradient) {
        evn_graph *f = new_graph(), *g = new_graph();
        evn_dynamics *dynamics = NULL;
        evn_input(f, "t", EVN_SCALAR);
        evn_input(f, "x", EVN_SHAPE(2));
        evn_output(f, "dx", evn_input(f, "w", EVN_SHAPE(2)));
        evn_input(g, "t", EVN_SCALAR);
        evn_input(g, "w", EVN_SHAPE(2));
        evn_output(g, "dw", evn_neg(g, evn_input(g, "x", EVN_SHAPE(2))));
        TRY(evn_dynamics_create(f, g, &dynamics));
        ck_assert_int_eq(evn_dynamics_weight_count(dynamics), 1);
        ck_assert(evn_dynamics_weight_evolves(dynamics, 0));
        problem p = problem_new(dynamics);
        evn_solver_options options = evn_solver_options_default();
        options.gradient = (evn_gradient)gradient;
        options.steps = 20;
        options.fp64 = true;
        for (int i = 0; i < 2; ++i) {
            p.x0[i] = 1 + i;
            p.weight[0][i] = 3 - i;
        }
        problem_prepare(&p, &options);
        problem_solve(&p, 0, 1);
        problem_gradient(&p);
        for (int i = 0; i < 2; ++i) {
            ck_assert_double_eq_tol(p.x1[i], (1 + i) * cos(1) + (3 - i) * sin(1), 1e-8);
            ck_assert_double_eq_tol(p.x0_bar[i], cos(1), 1e-8);
            ck_assert_double_eq_tol(p.weight_bar_host[0][i], sin(1), 1e-8);
        }
        problem_free(&p);
        evn_graph_destroy(&f);
        evn_graph_destroy(&g);
    }
}
END_TEST

/// dx = s w and dw = −s w share a constant s: x(1) = x₀ + w₀ (1 − e⁻ˢ).
START_TEST(f_and_g_may_share_a_constant) {
    for (int gradient = EVN_GRADIENT_BACKPROP; gradient <= EVN_GRADIENT_ADJOINT_QUADRATURE;
         ++gradient) {
        evn_graph *f = new_graph(), *g = new_graph();
        evn_dynamics *dynamics = NULL;
        evn_input(f, "t", EVN_SCALAR);
        evn_input(f, "x", EVN_SHAPE(2));
        evn_value w = evn_input(f, "w", EVN_SHAPE(2)), s = evn_input(f, "s", EVN_SHAPE(2));
        evn_output(f, "dx", evn_mul(f, s, w));
        evn_input(g, "t", EVN_SCALAR);
        s = evn_input(g, "s", EVN_SHAPE(2));
        w = evn_input(g, "w", EVN_SHAPE(2));
        evn_output(g, "dw", evn_neg(g, evn_mul(g, s, w)));
        TRY(evn_dynamics_create(f, g, &dynamics));
        ck_assert_int_eq(evn_dynamics_weight_count(dynamics), 2);
        ck_assert(evn_dynamics_weight_evolves(dynamics, 0));
        ck_assert(!evn_dynamics_weight_evolves(dynamics, 1));
        problem p = problem_new(dynamics);
        evn_solver_options options = evn_solver_options_default();
        options.gradient = (evn_gradient)gradient;
        options.steps = gradient == EVN_GRADIENT_REVERSIBLE ? 200 : 0;
        options.rtol = options.atol = 1e-11;
        options.fp64 = true;
        for (int i = 0; i < 2; ++i) {
            p.x0[i] = 0.5 + i;
            p.weight[0][i] = 1.5 - i;
            p.weight[1][i] = 0.7 + i;
        }
        problem_prepare(&p, &options);
        problem_solve(&p, 0, 1);
        problem_gradient(&p);
        for (int i = 0; i < 2; ++i) {
            double left = exp(-p.weight[1][i]), w0 = p.weight[0][i];
            ck_assert_double_eq_tol(p.x1[i], p.x0[i] + w0 * (1 - left), 1e-9);
            ck_assert_double_eq_tol(p.weight_bar_host[0][i], 1 - left, 1e-9);
            ck_assert_double_eq_tol(p.weight_bar_host[1][i], w0 * left, 1e-9);
        }
        problem_free(&p);
        evn_graph_destroy(&f);
        evn_graph_destroy(&g);
    }
}
END_TEST

/// f: dx = x·w on [2]; each g lacks or has something that it must not.
START_TEST(what_does_not_belong_together) {
    for (int wrong = 0; wrong < 6; ++wrong) {
        evn_graph *f = new_graph(), *g = new_graph();
        evn_dynamics *dynamics = NULL;
        evn_input(f, "t", EVN_SCALAR);
        evn_value x = evn_input(f, "x", EVN_SHAPE(2)), w = evn_input(f, "w", EVN_SHAPE(2));
        evn_output(f, "dx", evn_mul(f, x, w));
        evn_input(g, wrong == 0 ? "time" : "t", EVN_SCALAR);
        evn_value v = evn_input(g, "w", wrong == 1 ? EVN_SHAPE(3) : EVN_SHAPE(2));
        evn_value s = evn_input(g, "x", wrong == 2 ? EVN_SHAPE(1) : EVN_SHAPE(2));
        evn_output(g, wrong == 3 ? "slope" : "dw", wrong == 4 ? evn_sum_all(g, v) : v);
        if (wrong == 5) {
            evn_output(g, "dx", s); // which is f's
        }
        evn_status status = evn_dynamics_create(f, g, &dynamics);
        ck_assert(status == EVN_ERR_ARGUMENT || status == EVN_ERR_SHAPE);
        ck_assert_msg(strstr(evn_error_message(), "g") != NULL, "%s", evn_error_message());
        ck_assert_ptr_null(dynamics);
        evn_graph_destroy(&f);
        evn_graph_destroy(&g);
    }
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("dynamics/dynamics");
    TCase *names = tcase_create("names");
    tcase_add_test(names, weights_may_have_any_name);
    suite_add_tcase(s, names);
    TCase *evolution = tcase_create("evolution");
    tcase_add_test(evolution, g_may_read_the_state);
    tcase_add_test(evolution, f_and_g_may_share_a_constant);
    tcase_add_test(evolution, what_does_not_belong_together);
    suite_add_tcase(s, evolution);
    return s;
}

int main(void) {
    return test_run(suite());
}
