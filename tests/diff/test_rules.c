// SPDX-License-Identifier: Apache-2.0
// Every operation: jvp against central differences, vjp against jvp, and both again on the graphs
// that the transforms made (second derivatives).
#include "derivative.h"
#include "diff/krylov.h"
#include "evonode/diff.h"
#include "graph/node.h"
#include "test.h"
#include <math.h>

typedef evn_value build(evn_graph *g, const evn_value *x);

typedef struct rule_case {
    evn__op op; ///< the operation that the case is about
    build *build;
    double low, high; ///< where the inputs are drawn from
    int count;
    evn_shape shapes[3];
} rule_case;

#define BUILD(name, expression)                                                                    \
    static evn_value name(evn_graph *g, const evn_value *x) {                                      \
        (void)g, (void)x;                                                                          \
        return expression;                                                                         \
    }

BUILD(build_add, evn_add(g, x[0], x[1]))
BUILD(build_sub, evn_sub(g, x[0], x[1]))
BUILD(build_mul, evn_mul(g, x[0], x[1]))
BUILD(build_div, evn_div(g, x[0], x[1]))
BUILD(build_maximum, evn_maximum(g, x[0], x[1]))
BUILD(build_neg, evn_neg(g, x[0]))
BUILD(build_abs, evn_abs(g, x[0]))
BUILD(build_sign, evn_mul(g, evn_sign(g, x[0]), x[0]))
BUILD(build_mask, evn_mask(g, x[0], x[1]))
BUILD(build_detach, evn_mul(g, evn_detach(g, evn_sign(g, x[0])), x[0]))
BUILD(build_step, evn_mul(g, evn_step(g, x[0]), x[0]))
BUILD(build_exp, evn_exp(g, x[0]))
BUILD(build_log, evn_log(g, x[0]))
BUILD(build_sqrt, evn_sqrt(g, x[0]))
BUILD(build_sin, evn_sin(g, x[0]))
BUILD(build_cos, evn_cos(g, x[0]))
BUILD(build_tanh, evn_tanh(g, x[0]))
BUILD(build_sigmoid, evn_sigmoid(g, x[0]))
BUILD(build_softplus, evn_softplus(g, x[0]))
BUILD(build_relu, evn_relu(g, x[0]))
BUILD(build_reshape, evn_reshape(g, evn_mul(g, x[0], x[0]), EVN_SHAPE(6, 2)))
BUILD(build_broadcast, evn_broadcast(g, x[0], EVN_SHAPE(2, 3, 4)))
BUILD(build_permute, evn_permute(g, evn_mul(g, x[0], x[0]), (int[]){2, 0, 1}))
BUILD(build_slice, evn_slice(g, x[0], (int64_t[]){1, 0, 2}, EVN_SHAPE(1, 3, 2)))
BUILD(build_pad, evn_pad(g, x[0], (int64_t[]){0, 2, 1}, EVN_SHAPE(2, 6, 6)))
BUILD(build_concat, evn_concat(g, x, 3, 1))
BUILD(build_sum, evn_sum(g, evn_mul(g, x[0], x[0]), 1u << 0 | 1u << 2))
BUILD(build_matmul, evn_matmul(g, x[0], x[1], false, false))
BUILD(build_matmul_a, evn_matmul(g, x[0], x[1], true, false))
BUILD(build_matmul_b, evn_matmul(g, x[0], x[1], false, true))
BUILD(build_matmul_ab, evn_matmul(g, x[0], x[1], true, true))

/// Of a matrix that is far from singular.
static evn_value build_solve_of(evn_graph *g, const evn_value *x, bool transposed) {
    const double diagonal[] = {0, 5, 0, 5, 0, 0, 0, 0, 5};
    evn_value a = evn_add(g, x[0], evn_table(g, EVN_SHAPE(3, 3), diagonal));
    return evn_linear_solve(g, a, x[1], transposed);
}
BUILD(build_solve, build_solve_of(g, x, false))
BUILD(build_solve_transposed, build_solve_of(g, x, true))

/// The solution of 3 x + sin x (1 + a²) / 2 = b, a and b [2, 3], in each row with the others along
/// it: by Newton's method from 0.
typedef struct tangent {
    evn_graph *graph;
    evn_value x, r;
} tangent;

static evn_status push(void *context, evn_value v, evn_value *image) {
    const tangent *t = context;
    return evn_pushforward(t->graph, &t->x, &v, 1, &t->r, 1, image);
}

static evn_value residual_at(evn_graph *g, evn_value x, const evn_value *of) {
    evn_value square = evn_add(g, evn_mul(g, of[0], of[0]), evn_constant(g, 1));
    evn_value bent = evn_scale(g, evn_mul(g, evn_sin(g, evn_sum(g, x, 2)), square), 0.5);
    return evn_sub(g, evn_add(g, evn_scale(g, x, 3), bent), of[1]);
}

static evn_value build_root(evn_graph *g, const evn_value *of) {
    enum { ITERATIONS = 6 };
    evn_value x = evn_detach(g, evn_scale(g, of[1], 0.3)), next = x, r = EVN_NONE;
    for (int i = 0; i < ITERATIONS; ++i) {
        evn_value step;
        x = next;
        r = residual_at(g, x, of);
        tangent t = {g, x, r};
        const evn__krylov krylov = {g, push, &t, 3, 1};
        TRY(evn__krylov_solve(&krylov, r, &step, NULL));
        next = evn_detach(g, evn_sub(g, x, step));
    }
    evn_value once = evn__root(g, next, x, r, 3, 2);
    return evn__root(g, next, once, residual_at(g, once, of), 3, 2); // for second derivatives
}

#define OPTIONS ((evn_conv2d_options){2, 1})
BUILD(build_conv2d, evn_conv2d(g, x[0], x[1], OPTIONS))
BUILD(build_conv2d_input_grad, evn_conv2d_input_grad(g, x[0], x[1], EVN_SHAPE(2, 6, 5, 2), OPTIONS))
BUILD(build_conv2d_weight_grad,
      evn_conv2d_weight_grad(g, x[0], x[1], EVN_SHAPE(3, 2, 2, 3), OPTIONS))
BUILD(build_normalize, evn_normalize(g, x[0], 2, 1e-3))
BUILD(build_normalize_grad, evn_normalize_grad(g, x[0], x[1], 2, 1e-3))
// v depends on x too: the rule must not count that path twice.
BUILD(build_normalize_grad_tied, evn_normalize_grad(g, x[0], evn_mul(g, x[0], x[0]), 2, 1e-3))
BUILD(build_log_softmax, evn_log_softmax(g, x[0]))
BUILD(build_mean_pool2d, evn_mean_pool2d(g, x[0], 2, 1))
BUILD(build_mean_pool2d_grad, evn_mean_pool2d_grad(g, x[0], EVN_SHAPE(2, 5, 4, 3), 2, 1))
BUILD(build_max_pool2d, evn_max_pool2d(g, x[0], 2, 1))
BUILD(build_max_pool2d_select, evn_max_pool2d_select(g, x[0], x[1], 3, 2))
BUILD(build_max_pool2d_scatter, evn_max_pool2d_scatter(g, x[0], x[1], 2, 2))

// Not EVN_SHAPE: a compound literal is no constant, which the table below needs.
#define S34                                                                                        \
    {                                                                                              \
        2, {                                                                                       \
            3, 4                                                                                   \
        }                                                                                          \
    }
#define S234                                                                                       \
    {                                                                                              \
        3, {                                                                                       \
            2, 3, 4                                                                                \
        }                                                                                          \
    }

static const rule_case cases[] = {
    {EVN__OP_ADD, build_add, -1, 1, 2, {S34, {1, {4}}}},
    {EVN__OP_SUB, build_sub, -1, 1, 2, {{2, {3, 1}}, S34}},
    {EVN__OP_MUL, build_mul, -1, 1, 2, {S34, S34}},
    {EVN__OP_DIV, build_div, 0.5, 2, 2, {S34, {1, {4}}}},
    {EVN__OP_MAXIMUM, build_maximum, -1, 1, 2, {S34, S34}},
    {EVN__OP_MASK, build_mask, -1, 1, 2, {S34, S34}},
    {EVN__OP_NEG, build_neg, -1, 1, 1, {S34}},
    {EVN__OP_ABS, build_abs, 0.1, 1, 1, {S34}},
    {EVN__OP_SIGN, build_sign, -1, -0.1, 1, {S34}},
    {EVN__OP_DETACH, build_detach, 0.1, 1, 1, {S34}},
    {EVN__OP_STEP, build_step, 0.1, 1, 1, {S34}},
    {EVN__OP_EXP, build_exp, -1, 1, 1, {S34}},
    {EVN__OP_LOG, build_log, 0.5, 2, 1, {S34}},
    {EVN__OP_SQRT, build_sqrt, 0.5, 2, 1, {S34}},
    {EVN__OP_SIN, build_sin, -2, 2, 1, {S34}},
    {EVN__OP_COS, build_cos, -2, 2, 1, {S34}},
    {EVN__OP_TANH, build_tanh, -2, 2, 1, {S34}},
    {EVN__OP_SIGMOID, build_sigmoid, -3, 3, 1, {S34}},
    {EVN__OP_SOFTPLUS, build_softplus, -3, 3, 1, {S34}},
    {EVN__OP_RELU, build_relu, -1, 1, 1, {S34}},
    {EVN__OP_RESHAPE, build_reshape, -1, 1, 1, {S34}},
    {EVN__OP_BROADCAST, build_broadcast, -1, 1, 1, {{2, {3, 1}}}},
    {EVN__OP_PERMUTE, build_permute, -1, 1, 1, {S234}},
    {EVN__OP_SLICE, build_slice, -1, 1, 1, {S234}},
    {EVN__OP_PAD, build_pad, -1, 1, 1, {S234}},
    {EVN__OP_CONCAT, build_concat, -1, 1, 3, {S34, {2, {3, 1}}, {2, {3, 2}}}},
    {EVN__OP_SUM, build_sum, -1, 1, 1, {S234}},
    {EVN__OP_MATMUL, build_matmul, -1, 1, 2, {S34, {2, {4, 5}}}},
    {EVN__OP_MATMUL, build_matmul_a, -1, 1, 2, {{2, {4, 3}}, {2, {4, 5}}}},
    {EVN__OP_MATMUL, build_matmul_b, -1, 1, 2, {S34, {2, {5, 4}}}},
    {EVN__OP_MATMUL, build_matmul_ab, -1, 1, 2, {{2, {4, 3}}, {2, {5, 4}}}},
    {EVN__OP_MATMUL, build_matmul, -1, 1, 2, {{2, {1, 4}}, {2, {4, 5}}}},
    {EVN__OP_MATMUL, build_matmul_ab, -1, 1, 2, {{2, {4, 1}}, {2, {5, 4}}}},
    {EVN__OP_MATMUL, build_matmul_b, -1, 1, 2, {{2, {3, 4}}, {2, {1, 4}}}},
    {EVN__OP_SOLVE, build_solve, -1, 1, 2, {{3, {2, 3, 3}}, {2, {2, 3}}}},
    {EVN__OP_SOLVE, build_solve_transposed, -1, 1, 2, {{3, {2, 3, 3}}, {2, {2, 3}}}},
    {EVN__OP_ROOT, build_root, -1, 1, 2, {{2, {2, 3}}, {2, {2, 3}}}},
    {EVN__OP_KRYLOV_EXTEND, build_root, -1, 1, 2, {{2, {1, 3}}, {2, {1, 3}}}},
    {EVN__OP_KRYLOV_COMBINE, build_root, -1, 1, 2, {{2, {4, 2}}, {2, {4, 2}}}},
    {EVN__OP_CONV2D, build_conv2d, -1, 1, 2, {{4, {2, 6, 5, 2}}, {4, {3, 2, 2, 3}}}},
    {EVN__OP_CONV2D_INPUT_GRAD,
     build_conv2d_input_grad,
     -1,
     1,
     2,
     {{4, {2, 3, 3, 3}}, {4, {3, 2, 2, 3}}}},
    {EVN__OP_CONV2D_WEIGHT_GRAD,
     build_conv2d_weight_grad,
     -1,
     1,
     2,
     {{4, {2, 6, 5, 2}}, {4, {2, 3, 3, 3}}}},
    {EVN__OP_NORMALIZE, build_normalize, -1, 1, 1, {{4, {2, 3, 2, 4}}}},
    {EVN__OP_NORMALIZE_GRAD,
     build_normalize_grad,
     -1,
     1,
     2,
     {{4, {2, 3, 2, 4}}, {4, {2, 3, 2, 4}}}},
    {EVN__OP_NORMALIZE_GRAD, build_normalize_grad_tied, -1, 1, 1, {{3, {2, 5, 4}}}},
    {EVN__OP_LOG_SOFTMAX, build_log_softmax, -2, 2, 1, {S34}},
    {EVN__OP_MEAN_POOL2D, build_mean_pool2d, -1, 1, 1, {{4, {2, 5, 4, 3}}}},
    {EVN__OP_MEAN_POOL2D_GRAD, build_mean_pool2d_grad, -1, 1, 1, {{4, {2, 4, 3, 3}}}},
    {EVN__OP_MAX_POOL2D_SELECT, build_max_pool2d, -1, 1, 1, {{4, {2, 5, 4, 3}}}},
    {EVN__OP_MAX_POOL2D_SELECT,
     build_max_pool2d_select,
     -1,
     1,
     2,
     {{4, {2, 5, 7, 3}}, {4, {2, 5, 7, 3}}}},
    {EVN__OP_MAX_POOL2D_SCATTER,
     build_max_pool2d_scatter,
     -1,
     1,
     2,
     {{4, {2, 4, 6, 3}}, {4, {2, 2, 3, 3}}}},
};

enum { CASES = sizeof(cases) / sizeof(cases[0]) };

static evn_graph *make(const rule_case *c) {
    static const char *const names[] = {"a", "b", "c"};
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value x[3];
    for (int i = 0; i < c->count; ++i) {
        x[i] = evn_input(g, names[i], c->shapes[i]);
    }
    evn_output(g, "y", c->build(g, x));
    TRY(evn_graph_status(g));
    return g;
}

START_TEST(first_derivatives) {
    evn_graph *g = make(&cases[_i]);
    check_derivative(g, (uint64_t)_i + 1, cases[_i].low, cases[_i].high);
    evn_graph_destroy(&g);
}
END_TEST

START_TEST(second_derivatives) {
    evn_graph *g = make(&cases[_i]), *first = NULL;
    TRY(_i % 2 ? evn_jvp(g, NULL, &first) : evn_vjp(g, NULL, &first));
    check_derivative(first, (uint64_t)_i + 100, cases[_i].low, cases[_i].high);
    evn_graph_destroy(&first);
    TRY(_i % 2 ? evn_vjp(g, NULL, &first) : evn_jvp(g, NULL, &first));
    check_derivative(first, (uint64_t)_i + 200, cases[_i].low, cases[_i].high);
    evn_graph_destroy(&first);
    evn_graph_destroy(&g);
}
END_TEST

START_TEST(every_operation_has_a_case) {
    for (int op = 0; op < EVN__OP_COUNT; ++op) {
        bool found = evn__op_table[op].class == EVN__CLASS_LEAF;
        for (int i = 0; i < CASES && !found; ++i) {
            found = (int)cases[i].op == op;
        }
        ck_assert_msg(found, "no derivative case for %s", evn__op_table[op].text);
    }
}
END_TEST

// x [B, 3] → tanh(x W + b) V, the network of the second-derivative requirement.
static evn_graph *mlp(void) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value x = evn_input(g, "x", EVN_SHAPE(5, 3)), w = evn_input(g, "w", EVN_SHAPE(3, 7));
    evn_value b = evn_input(g, "b", EVN_SHAPE(7)), v = evn_input(g, "v", EVN_SHAPE(7, 2));
    evn_value hidden = evn_tanh(g, evn_add(g, evn_matmul(g, x, w, false, false), b));
    evn_output(g, "y", evn_matmul(g, hidden, v, false, false));
    return g;
}

START_TEST(mlp_second_derivatives) {
    evn_graph *g = mlp(), *vjp = NULL, *jvp = NULL, *twice = NULL;
    TRY(evn_vjp(g, NULL, &vjp));
    TRY(evn_jvp(g, NULL, &jvp));
    check_derivative(g, 1, -1, 1);
    check_derivative(vjp, 2, -1, 1); // jvp of vjp and vjp of vjp
    check_derivative(jvp, 3, -1, 1); // vjp of jvp and jvp of jvp
    TRY(evn_vjp(jvp, NULL, &twice));
    check_derivative(twice, 4, -1, 1);
    evn_graph_destroy(&twice);
    TRY(evn_vjp(vjp, (const char *const[]){"x", NULL}, &twice));
    check_derivative(twice, 5, -1, 1);
    evn_graph_destroy(&twice);
    evn_graph_destroy(&vjp);
    evn_graph_destroy(&jvp);
    evn_graph_destroy(&g);
}
END_TEST

START_TEST(an_unused_input_gets_zeros) {
    evn_graph *g = NULL, *vjp = NULL;
    TRY(evn_graph_create(&g));
    evn_value x = evn_input(g, "x", EVN_SHAPE(2));
    evn_input(g, "unused", EVN_SHAPE(3));
    evn_output(g, "y", evn_exp(g, x));
    TRY(evn_vjp(g, (const char *const[]){"unused", NULL}, &vjp));
    values in = values_like_inputs(vjp, 1, -1, 1), out = values_run(vjp, &in);
    ck_assert_int_eq(out.count, 2);
    for (int i = 0; i < 3; ++i) {
        ck_assert(out.data[1][i] == 0);
    }
    values_free(&in);
    values_free(&out);
    evn_graph_destroy(&vjp);
    ck_assert_int_eq(evn_vjp(g, (const char *const[]){"nobody", NULL}, &vjp), EVN_ERR_ARGUMENT);
    evn_graph_destroy(&g);
}
END_TEST

// The cotangents of one value that is several outputs are added, which makes nodes of the graph
// that is swept.
START_TEST(outputs_may_be_one_value) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value x = evn_input(g, "x", EVN_SHAPE(2, 3)), y = evn_sin(g, x);
    const char *names[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    for (int i = 0; i < 8; ++i) {
        evn_output(g, names[i], y);
    }
    evn_output(g, "x", x);
    check_derivative(g, 1, -1, 1);
    evn_value y_bar = evn_constant(g, 1), x_bar;
    y_bar = evn_broadcast(g, y_bar, EVN_SHAPE(2, 3));
    TRY(evn_pullback(g, (evn_value[]){y, y, x}, (evn_value[]){y_bar, y_bar, y_bar}, 3, &x, 1,
                     &x_bar));
    evn_output(g, "x_bar", x_bar);
    values in = values_like_inputs(g, 2, -1, 1), out = values_run(g, &in);
    for (int i = 0; i < 6; ++i) {
        ck_assert_double_eq_tol(out.data[9][i], 1 + 2 * cos(in.data[0][i]), 1e-14);
    }
    values_free(&in);
    values_free(&out);
    evn_graph_destroy(&g);
}
END_TEST

/// Along n directions, one after the other: the first adds what all share, each of the others the
/// same number of nodes, however many there have been.
START_TEST(directions_do_not_meet) {
    enum { DIRECTIONS = 6 };
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value x = evn_input(g, "x", EVN_SHAPE(2, 3)), y = evn_sin(g, evn_mul(g, x, x));
    int added[DIRECTIONS];
    for (int i = 0; i < DIRECTIONS; ++i) {
        evn_value one = evn_full(g, EVN_SHAPE(2, 3), i + 2), y_dot;
        int before = g->node_count;
        TRY(evn_pushforward(g, &x, &one, 1, &y, 1, &y_dot));
        added[i] = g->node_count - before;
    }
    for (int i = 1; i < DIRECTIONS; ++i) {
        ck_assert_int_eq(added[i], added[1]);
    }
    ck_assert_int_gt(added[1], 0);
    evn_graph_destroy(&g);
}
END_TEST

/// What is computed from y alone needs no tangent, nor does what a value of wrt is computed from.
START_TEST(tangents_are_those_that_are_needed) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value x = evn_input(g, "x", EVN_SHAPE(3)), z = evn_exp(g, x), y = evn_mul(g, z, x), y_dot;
    evn_sin(g, y);
    evn_value wrt[] = {z, x}, dot[] = {evn_full(g, EVN_SHAPE(3), 2), evn_full(g, EVN_SHAPE(3), 5)};
    TRY(evn_pushforward(g, wrt, dot, 2, &y, 1, &y_dot));
    evn_output(g, "y_dot", y_dot);
    values in = values_like_inputs(g, 3, -1, 1), out = values_run(g, &in);
    for (int i = 0; i < 3; ++i) {
        double at = in.data[0][i];
        ck_assert_double_eq_tol(out.data[0][i], 2 * at + 5 * exp(at), 1e-14);
    }
    values_free(&in);
    values_free(&out);
    evn_graph_destroy(&g);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("diff/rules");
    TCase *first = tcase_create("first");
    tcase_add_loop_test(first, first_derivatives, 0, CASES);
    tcase_add_test(first, every_operation_has_a_case);
    tcase_add_test(first, an_unused_input_gets_zeros);
    tcase_add_test(first, outputs_may_be_one_value);
    tcase_add_test(first, directions_do_not_meet);
    tcase_add_test(first, tangents_are_those_that_are_needed);
    suite_add_tcase(s, first);
    TCase *second = tcase_create("second");
    tcase_add_loop_test(second, second_derivatives, 0, CASES);
    tcase_add_test(second, mlp_second_derivatives);
    suite_add_tcase(s, second);
    return s;
}

int main(void) {
    return test_run(suite());
}
