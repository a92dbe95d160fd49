// SPDX-License-Identifier: Apache-2.0
// Forward mode and second derivatives, in fp64: a solve of tangent dynamics against the same steps
// written out and pushed forward, its gradient against these pulled back as well, against
// differences of gradients, and against closed forms.
#include "evonode/diff.h"
#include "methods/unroll.h"
#include "problem.h"
#include "ref/ref.h"
#include "refused.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STATES = PROBLEM_WEIGHTS + 1, RESULTS = 512 };

static evn_solver_options with(const char *method, int steps, evn_gradient gradient) {
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.steps = steps;
    options.rtol = options.atol = 1e-10;
    options.gradient = gradient;
    options.fp64 = true;
    return options;
}

/// The tangent problem of `p`, at the same point, in a direction drawn from `seed`. Takes nothing.
static problem tangent_of(const problem *p, uint64_t seed) {
    evn_dynamics *dynamics = NULL;
    TRY(evn_dynamics_tangent(p->dynamics, &dynamics));
    problem q = problem_new(dynamics);
    int columns =
        (int)evn_dynamics_state_shape(dynamics).dim[evn_dynamics_state_shape(dynamics).rank - 1] /
        2;
    test_uniform(seed, -1, 1, q.x0, q.x_count);
    for (int i = 0; i < p->x_count; ++i) {
        q.x0[i / columns * 2 * columns + i % columns] = p->x0[i];
    }
    for (int i = 0; i < q.weight_count; ++i) {
        test_uniform(seed + 1 + (uint64_t)i, -1, 1, q.weight[i], q.weight_size[i]);
    }
    for (int i = 0; i < p->weight_count; ++i) {
        memcpy(q.weight[i], p->weight[i], sizeof(double) * (size_t)p->weight_size[i]);
    }
    return q;
}

/// The half of joined [rows, 2 columns] that is x, or its tangent.
static void take_half(const double *joined, int count, int columns, bool second, double *half) {
    for (int i = 0; i < count; ++i) {
        half[i] = joined[i / columns * 2 * columns + i % columns + (second ? columns : 0)];
    }
}

static void put_half(const double *half, int count, int columns, bool second, double *joined) {
    for (int i = 0; i < count; ++i) {
        joined[i / columns * 2 * columns + i % columns + (second ? columns : 0)] = half[i];
    }
}

// Steps written out -------------------------------------------------------------------------------

enum { STEPS = 7, COLUMNS = 2 }; // of problem_node_ew

/// x(1), its tangent in the direction of q, then the products of the Hessian of ⟨x1_bar, x(1)⟩ with
/// the direction, of x and of all weights.
static int write_out(const problem *p, const problem *q, const char *method, double *x1,
                     double *x1_dot, double *hessian) {
    evn_graph *g = NULL;
    evn__unroll *unroll = NULL;
    int count = p->weight_count + 1, total = 0;
    evn_value at[STATES], dot[STATES], first[STATES], x_dot, product, bars[STATES];
    double direction[RESULTS];
    const double *inputs[2 * STATES];
    double *outputs[STATES + 2] = {x1, x1_dot};
    TRY(evn_graph_create(&g));
    TRY(evn__unroll_create(p->dynamics, method, &unroll));
    for (int i = 0; i < 2 * count; ++i) {
        char name[32];
        int index = i % count;
        snprintf(name, sizeof(name), "input%d", i);
        evn_shape shape = index == 0 ? evn_dynamics_state_shape(p->dynamics)
                                     : evn_dynamics_weight_shape(p->dynamics, index - 1);
        evn_value value = evn_input(g, name, shape);
        if (i < count) {
            first[i] = at[i] = value;
        } else {
            dot[index] = value;
        }
        inputs[i] = i == 0 ? p->x0 : i < count ? p->weight[i - 1] : NULL;
        inputs[i] = i > count ? q->weight[p->weight_count + index - 1] : inputs[i];
    }
    take_half(q->x0, p->x_count, COLUMNS, true, direction);
    inputs[count] = direction;
    for (int step = 0; step < STEPS; ++step) {
        TRY(evn__unroll_step(unroll, g, step / (double)STEPS, 1.0 / STEPS, &at[0], at + 1));
    }
    TRY(evn_pushforward(g, first, dot, count, &at[0], 1, &x_dot));
    product = evn_mul(g, x_dot, evn_table(g, evn_dynamics_state_shape(p->dynamics), p->x1_bar));
    product = evn_sum_all(g, product);
    evn_value one = evn_constant(g, 1);
    TRY(evn_pullback(g, &product, &one, 1, first, count, bars));
    evn_output(g, "x1", at[0]);
    evn_output(g, "x1_dot", x_dot);
    for (int i = 0; i < count; ++i) {
        char name[32];
        snprintf(name, sizeof(name), "bar%d", i);
        evn_output(g, name, bars[i]);
        outputs[2 + i] = hessian + total;
        total += i == 0 ? p->x_count : p->weight_size[i - 1];
    }
    TRY(evn__ref_run(g, inputs, outputs));
    evn__unroll_destroy(&unroll);
    evn_graph_destroy(&g);
    return total;
}

/// Of a solve of the tangent problem with a cotangent of the tangent alone.
static int solved_hessian(problem *q, const problem *p, int columns, double *hessian) {
    int total = p->x_count;
    memset(q->x1_bar, 0, sizeof(double) * (size_t)q->x_count);
    put_half(p->x1_bar, p->x_count, columns, true, q->x1_bar);
    problem_gradient(q);
    take_half(q->x0_bar, p->x_count, columns, false, hessian);
    for (int i = 0; i < p->weight_count; ++i) {
        memcpy(hessian + total, q->weight_bar_host[i], sizeof(double) * (size_t)p->weight_size[i]);
        total += p->weight_size[i];
    }
    return total;
}

static void check(const char *what, const double *got, const double *expected, int count,
                  double bound) {
    double error = test_difference(got, expected, count);
    printf("%s: %.2g\n", what, error);
    ck_assert_msg(error <= bound, "%s: %g", what, error);
}

/// Weights that evolve, too.
START_TEST(of_fixed_steps) {
    static const evn_gradient gradients[] = {EVN_GRADIENT_BACKPROP, EVN_GRADIENT_CHECKPOINTED,
                                             EVN_GRADIENT_CHECKPOINTED};
    double x1[6], x1_dot[6], expected[RESULTS], got[RESULTS], half[6];
    problem p = problem_node_ew(60), q = tangent_of(&p, 61);
    int count = write_out(&p, &q, "rk4", x1, x1_dot, expected);
    evn_solver_options options = with("rk4", STEPS, gradients[_i]);
    options.checkpoints = _i == 2 ? 3 : 0;
    problem_prepare(&q, &options);
    problem_solve(&q, 0, 1);
    take_half(q.x1, 6, COLUMNS, false, half);
    check("x", half, x1, 6, 1e-13);
    take_half(q.x1, 6, COLUMNS, true, half);
    check("its tangent", half, x1_dot, 6, 1e-13);
    ck_assert_int_eq(solved_hessian(&q, &p, COLUMNS, got), count);
    check("second derivatives", got, expected, count, 1e-13);
    problem_free(&q);
    problem_free(&p);
}
END_TEST

// Differences -------------------------------------------------------------------------------------

/// x and all weights of p, moved along the direction of q.
static void move(problem *p, const problem *q, int columns, double size) {
    double direction[RESULTS];
    take_half(q->x0, p->x_count, columns, true, direction);
    for (int i = 0; i < p->x_count; ++i) {
        p->x0[i] += size * direction[i];
    }
    for (int i = 0; i < p->weight_count; ++i) {
        for (int k = 0; k < p->weight_size[i]; ++k) {
            p->weight[i][k] += size * q->weight[p->weight_count + i][k];
        }
    }
}

static void gradient_at(problem *p, const problem *q, double size, double *x1, double *all) {
    int total = p->x_count;
    move(p, q, COLUMNS, size);
    problem_solve(p, 0, 1);
    problem_gradient(p);
    memcpy(x1, p->x1, sizeof(double) * (size_t)p->x_count);
    memcpy(all, p->x0_bar, sizeof(double) * (size_t)p->x_count);
    for (int i = 0; i < p->weight_count; ++i) {
        memcpy(all + total, p->weight_bar_host[i], sizeof(double) * (size_t)p->weight_size[i]);
        total += p->weight_size[i];
    }
    move(p, q, COLUMNS, -size);
}

static problem moving_weights(void) {
    return problem_node_ew(62);
}

/// With their tangents x and weights are one system, of 24 unknowns.
static problem one_row(void) {
    return problem_node_ew_of(1, 62);
}

static problem network(void) {
    return problem_network(3);
}

static const struct differences_case {
    problem (*make)(void);
    const char *method;
    evn_gradient gradient;
    int steps;
    bool per_sample;
} differences[] = {{moving_weights, "dopri5", EVN_GRADIENT_BACKPROP, 30, false},
                   {moving_weights, "dopri5", EVN_GRADIENT_CHECKPOINTED, 30, false},
                   {moving_weights, "dopri5", EVN_GRADIENT_REVERSIBLE, 30, false},
                   {moving_weights, "dopri5", EVN_GRADIENT_ADJOINT, 200, false},
                   {moving_weights, "dopri5", EVN_GRADIENT_BACKPROP, 0, false},
                   {moving_weights, "dopri5", EVN_GRADIENT_CHECKPOINTED, 0, false},
                   {moving_weights, "dopri5", EVN_GRADIENT_ADJOINT, 0, false},
                   {network, "dopri5", EVN_GRADIENT_CHECKPOINTED, 0, true},
                   // of stages that are solved for
                   {network, "implicit_midpoint", EVN_GRADIENT_BACKPROP, 7, false},
                   {network, "trbdf2", EVN_GRADIENT_CHECKPOINTED, 7, false},
                   {network, "kvaerno3", EVN_GRADIENT_BACKPROP, 0, true},
                   {network, "rosenbrock23", EVN_GRADIENT_BACKPROP, 7, false},
                   {one_row, "trapezoid", EVN_GRADIENT_BACKPROP, 7, false}};

enum { DIFFERENCES = sizeof(differences) / sizeof(*differences), FIXED = 4, EXPLICIT = 8 };

START_TEST(differences_of_gradients) {
    const struct differences_case *c = &differences[_i];
    const double h = 1e-5;
    double high[RESULTS], low[RESULTS], x_high[6], x_low[6], got[RESULTS], half[6];
    problem p = c->make(), q = tangent_of(&p, 63);
    evn_solver_options options = with(c->method, c->steps, c->gradient);
    options.per_sample = c->per_sample;
    problem_prepare(&p, &options);
    gradient_at(&p, &q, h, x_high, high);
    gradient_at(&p, &q, -h, x_low, low);
    problem_prepare(&q, &options);
    problem_solve(&q, 0, 1);
    int count = solved_hessian(&q, &p, COLUMNS, got);
    for (int i = 0; i < count; ++i) {
        high[i] = (high[i] - low[i]) / (2 * h);
    }
    for (int i = 0; i < p.x_count; ++i) {
        x_high[i] = (x_high[i] - x_low[i]) / (2 * h);
    }
    printf("%s, ", c->method);
    take_half(q.x1, p.x_count, COLUMNS, true, half);
    check("tangent against differences", half, x_high, p.x_count, 1e-7);
    check(evn_gradient_name((int)c->gradient), got, high, count, 1e-7);
    problem_free(&q);
    problem_free(&p);
}
END_TEST

// Closed forms ------------------------------------------------------------------------------------

/// x' = w x of a shape: x(1) = x0 eʷ.
static problem problem_rate(evn_shape shape) {
    evn_graph *f = NULL;
    evn_dynamics *dynamics = NULL;
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", shape), w = evn_input(f, "w", EVN_SCALAR);
    evn_output(f, "dx", evn_mul(f, w, x));
    TRY(evn_dynamics_create(f, NULL, &dynamics));
    evn_graph_destroy(&f);
    problem p = problem_new(dynamics);
    test_uniform(64, 0.5, 1, p.x0, p.x_count);
    p.weight[0][0] = 0.3;
    return p;
}

/// Of any rank; with steps of each sample's own, too.
START_TEST(exponential) {
    const evn_shape shapes[] = {EVN_SCALAR, EVN_SHAPE(3), EVN_SHAPE(3, 2), EVN_SHAPE(3, 2, 2),
                                EVN_SHAPE(3, 2)};
    problem p = problem_rate(shapes[_i]), q = tangent_of(&p, 65);
    evn_solver_options options = with("dopri5", 0, EVN_GRADIENT_BACKPROP);
    options.per_sample = _i == 4;
    int columns = shapes[_i].rank < 2 ? 1 : 2;
    double growth = exp(0.3), w_dot = q.weight[1][0], got[64], sum = 0;
    problem_prepare(&q, &options);
    problem_solve(&q, 0, 1);
    take_half(q.x1, p.x_count, columns, true, got);
    for (int i = 0; i < p.x_count; ++i) {
        double x_dot;
        take_half(q.x0 + i / columns * 2 * columns + i % columns, 1, columns, true, &x_dot);
        ck_assert_double_eq_tol(got[i], growth * (x_dot + w_dot * p.x0[i]), 1e-8);
        sum += growth * (x_dot + w_dot * p.x0[i]); // ∂²/∂w∂x ẋ + ∂²/∂w² ẇ
    }
    solved_hessian(&q, &p, columns, got);
    for (int i = 0; i < p.x_count; ++i) {
        ck_assert_double_eq_tol(got[i], growth * w_dot, 1e-8); // x1_bar is ones
    }
    ck_assert_double_eq_tol(got[p.x_count], sum, 1e-7);
    problem_free(&q);
    problem_free(&p);
}
END_TEST

/// A tangent of a tangent: names stay apart, and ∂²x(1)/∂w² = x0 eʷ comes forwards.
START_TEST(twice) {
    evn_dynamics *once = NULL, *again = NULL;
    problem p = problem_rate(EVN_SHAPE(1, 1));
    TRY(evn_dynamics_tangent(p.dynamics, &once));
    TRY(evn_dynamics_tangent(once, &again));
    ck_assert_int_eq(evn_dynamics_weight_count(again), 4);
    for (int i = 0; i < 4; ++i) {
        for (int k = 0; k < i; ++k) {
            ck_assert_str_ne(evn_dynamics_weight_name(again, i),
                             evn_dynamics_weight_name(again, k));
        }
    }
    ck_assert_str_eq(evn_dynamics_weight_name(once, 1), "w_dot");
    problem q = problem_new(again);
    evn_solver_options options = with("dopri5", 0, EVN_GRADIENT_NONE);
    q.x0[0] = 0.7; // then tangents of 0: w alone moves, in both directions
    q.weight[0][0] = 0.3;
    q.weight[1][0] = q.weight[2][0] = 1;
    problem_prepare(&q, &options);
    problem_solve(&q, 0, 1);
    ck_assert_int_eq(q.x_count, 4);
    for (int i = 0; i < 4; ++i) {
        ck_assert_double_eq_tol(q.x1[i], 0.7 * exp(0.3), 1e-8);
    }
    evn_dynamics_destroy(&once);
    problem_free(&q);
    problem_free(&p);
}
END_TEST

/// The name of a tangent is that of its weight with as many suffixes as all others have, and of
/// nothing else, whatever the weights are called.
static void check_names(const char *const *names, int count, const char *suffix) {
    evn_graph *f = NULL;
    evn_dynamics *dynamics = NULL, *tangent = NULL;
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(1));
    for (int i = 0; i < count; ++i) {
        x = evn_mul(f, x, evn_input(f, names[i], EVN_SCALAR));
    }
    evn_output(f, "dx", x);
    TRY(evn_dynamics_create(f, NULL, &dynamics));
    TRY(evn_dynamics_tangent(dynamics, &tangent));
    ck_assert_int_eq(evn_dynamics_weight_count(tangent), 2 * count);
    for (int i = 0; i < 2 * count; ++i) {
        char expected[2 * EVN_MAX_NAME];
        snprintf(expected, sizeof(expected), "%s%s", names[i % count], i < count ? "" : suffix);
        ck_assert_str_eq(evn_dynamics_weight_name(tangent, i), expected);
    }
    evn_dynamics_destroy(&tangent);
    evn_dynamics_destroy(&dynamics);
    evn_graph_destroy(&f);
}

START_TEST(names) {
    check_names((const char *[]){"w", "c"}, 2, "_dot");
    check_names((const char *[]){"w", "w_dot", "c"}, 3, "_dot_dot");
    check_names((const char *[]){"c", "w_dot_dot", "w"}, 3, "_dot");
    check_names((const char *[]){"w_dot_dot", "w_dot", "w"}, 3, "_dot_dot_dot");
    check_names((const char *[]){"w", "_dot", "w_dots"}, 3, "_dot");
}
END_TEST

START_TEST(arguments) {
    evn_dynamics *tangent = NULL;
    problem p = problem_linear();
    REFUSED(evn_dynamics_tangent(NULL, &tangent));
    REFUSED(evn_dynamics_tangent(p.dynamics, NULL));
    ck_assert_ptr_null(tangent);
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("dynamics/tangent");
    TCase *steps = tcase_create("steps");
    tcase_add_loop_test(steps, of_fixed_steps, 0, 3);
    suite_add_tcase(s, steps);
    TCase *gradients = tcase_create("differences"); // whole: long
    test_add_share(gradients, differences_of_gradients, 0, FIXED, 3);
    suite_add_tcase(s, gradients);
    TCase *adaptive = tcase_create("adaptive"); // whole: long
    test_add_share(adaptive, differences_of_gradients, FIXED, EXPLICIT, 3);
    suite_add_tcase(s, adaptive);
    TCase *implicit = tcase_create("implicit"); // whole: long
    test_add_share(implicit, differences_of_gradients, EXPLICIT, DIFFERENCES, 3);
    suite_add_tcase(s, implicit);
    TCase *closed = tcase_create("closed_form"); // whole: long
    test_add_share(closed, exponential, 0, 5, 3);
    tcase_add_test(closed, twice);
    tcase_add_test(closed, names);
    tcase_add_test(closed, arguments);
    suite_add_tcase(s, closed);
    return s;
}

int main(void) {
    return test_run(suite());
}
