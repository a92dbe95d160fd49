// SPDX-License-Identifier: Apache-2.0
// Wrong arguments of graph.h and diff.h: an error of its own, never a signal. test_every_function.c
// sees to it that no function is missing.
#include "evonode/diff.h"
#include "evonode/network.h"
#include "refused.h"
#include <math.h>

static const int64_t far = INT64_MAX;

/// What a builder must not build, from a graph `g` with x [3, 4] and i [2, 6, 6, 4].
#define NO_VALUE(expression)                                                                       \
    do {                                                                                           \
        evn_value x, i;                                                                            \
        evn_graph *g = new_graph(&x, &i);                                                          \
        ck_assert_msg((expression) == EVN_NONE, "%s gave a value", #expression);                   \
        REFUSED(evn_graph_status(g));                                                              \
        evn_graph_destroy(&g);                                                                     \
        (void)x, (void)i;                                                                          \
    } while (0)

static evn_graph *new_graph(evn_value *x, evn_value *i) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    *x = evn_input(g, "x", EVN_SHAPE(3, 4));
    *i = evn_input(g, "i", EVN_SHAPE(2, 6, 6, 4));
    return g;
}

// graph.h -----------------------------------------------------------------------------------------

static void shapes(void) {
    for (int k = 0; k < BAD_SHAPES; ++k) {
        evn_shape bad = bad_shape(k);
        ck_assert_int_eq(evn_shape_count(bad), 0);
        ck_assert(!evn_shape_equal(bad, EVN_SHAPE(3, 4)));
        NO_VALUE(evn_input(g, "bad", bad));
        NO_VALUE(evn_full(g, bad, 1));
        NO_VALUE(evn_table(g, bad, &(double){1}));
        NO_VALUE(evn_reshape(g, x, bad));
        NO_VALUE(evn_broadcast(g, evn_constant(g, 1), bad));
        NO_VALUE(evn_slice(g, x, (int64_t[6]){0}, bad));
        NO_VALUE(evn_pad(g, x, (int64_t[6]){0}, bad));
        NO_VALUE(evn_sum_to(g, x, bad));
        NO_VALUE(evn_conv2d_input_grad(g, i, i, bad, (evn_conv2d_options){1, 0}));
        NO_VALUE(evn_conv2d_weight_grad(g, i, i, bad, (evn_conv2d_options){1, 0}));
        NO_VALUE(evn_mean_pool2d_grad(g, i, bad, 1, 1));
    }
}

static void graphs(void) {
    evn_graph *none = NULL;
    REFUSED(evn_graph_create(NULL));
    evn_graph_destroy(NULL);
    evn_graph_destroy(&none);
    REFUSED(evn_graph_status(NULL));
    evn_value x, i, y;
    char *text = NULL;
    evn_graph *g = new_graph(&x, &i);
    REFUSED(evn_graph_print(NULL, &text));
    REFUSED(evn_graph_print(g, NULL));
    REFUSED(evn_graph_inline(NULL, g, &x, &y));
    REFUSED(evn_graph_inline(g, NULL, &x, &y));
    REFUSED(evn_graph_inline(g, g, NULL, &y));
    REFUSED(evn_graph_inline(g, g, (evn_value[]){x, 17}, &y));
    REFUSED(evn_graph_inline(g, g, (evn_value[]){x, x}, &y));
    evn_output(g, "y", x);
    REFUSED(evn_graph_inline(g, g, (evn_value[]){x, i}, NULL));
    evn_graph_destroy(&g);
}

static void ports(void) {
    char long_name[302];
    memset(long_name, 'n', sizeof(long_name));
    long_name[301] = 0;
    NO_VALUE(evn_input(g, NULL, EVN_SHAPE(3)));
    NO_VALUE(evn_input(g, long_name, EVN_SHAPE(3)));
    NO_VALUE((evn_output(g, NULL, x), EVN_NONE));
    NO_VALUE((evn_output(g, long_name, x), EVN_NONE));
    NO_VALUE((evn_output(g, "y", 99), EVN_NONE));
    ck_assert_int_eq(evn_input(NULL, "x", EVN_SHAPE(3)), EVN_NONE);
    evn_output(NULL, "y", 0);
    evn_value x, i;
    evn_graph *g = new_graph(&x, &i);
    const int bad[] = {-1, 2, INT32_MAX, INT32_MIN};
    for (int k = 0; k < 4; ++k) {
        ck_assert_int_eq(evn_graph_input(g, bad[k]), EVN_NONE);
        ck_assert_int_eq(evn_graph_output(g, bad[k]), EVN_NONE);
        ck_assert_ptr_null(evn_graph_input_name(g, bad[k]));
        ck_assert_ptr_null(evn_graph_output_name(g, bad[k]));
        ck_assert_int_eq(evn_value_shape(g, bad[k]).rank, 0);
    }
    ck_assert_int_eq(evn_graph_find_input(g, NULL), -1);
    ck_assert_int_eq(evn_graph_find_output(g, NULL), -1);
    ck_assert_int_eq(evn_graph_find_input(NULL, "x"), -1);
    ck_assert_int_eq(evn_graph_find_output(NULL, "x"), -1);
    ck_assert_int_eq(evn_graph_input_count(NULL), 0);
    ck_assert_int_eq(evn_graph_output_count(NULL), 0);
    ck_assert_int_eq(evn_graph_input(NULL, 0), EVN_NONE);
    ck_assert_int_eq(evn_graph_output(NULL, 0), EVN_NONE);
    ck_assert_ptr_null(evn_graph_input_name(NULL, 0));
    ck_assert_ptr_null(evn_graph_output_name(NULL, 0));
    ck_assert_int_eq(evn_value_shape(NULL, 0).rank, 0);
    evn_graph_destroy(&g);
}

/// Without a graph, and with values that it does not have.
static void elements(void) {
    evn_value (*const unary[])(evn_graph *, evn_value) = {
        evn_neg,     evn_abs,      evn_sign,    evn_step,       evn_exp,  evn_log,
        evn_sqrt,    evn_sin,      evn_cos,     evn_tanh,       evn_relu, evn_detach,
        evn_sigmoid, evn_softplus, evn_sum_all, evn_log_softmax};
    evn_value (*const binary[])(evn_graph *, evn_value, evn_value) = {
        evn_add, evn_sub, evn_mul, evn_div, evn_maximum, evn_mask};
    const evn_value bad[] = {-1, -2, 2, INT32_MAX, INT32_MIN};
    for (size_t f = 0; f < sizeof(unary) / sizeof(unary[0]); ++f) {
        ck_assert_int_eq(unary[f](NULL, 0), EVN_NONE);
        for (int k = 0; k < 5; ++k) {
            NO_VALUE(unary[f](g, bad[k]));
        }
    }
    for (size_t f = 0; f < sizeof(binary) / sizeof(binary[0]); ++f) {
        ck_assert_int_eq(binary[f](NULL, 0, 0), EVN_NONE);
        NO_VALUE(binary[f](g, x, i));
        for (int k = 0; k < 5; ++k) {
            NO_VALUE(binary[f](g, x, bad[k]));
            NO_VALUE(binary[f](g, bad[k], x));
        }
    }
    ck_assert_int_eq(evn_constant(NULL, 1), EVN_NONE);
    ck_assert_int_eq(evn_full(NULL, EVN_SHAPE(3), 1), EVN_NONE);
    ck_assert_int_eq(evn_table(NULL, EVN_SHAPE(1), &(double){1}), EVN_NONE);
    ck_assert_int_eq(evn_scale(NULL, 0, 1), EVN_NONE);
    NO_VALUE(evn_table(g, EVN_SHAPE(3), NULL));
    NO_VALUE(evn_scale(g, 99, 2));
    // Each fits, their product does not.
    const int64_t half = (int64_t)1 << 40;
    NO_VALUE(evn_add(g, evn_full(g, EVN_SHAPE(half, 1), 1), evn_input(g, "r", EVN_SHAPE(half))));
}

static void views(void) {
    const int64_t zero[6] = {0};
    const int order[] = {0, 1};
    ck_assert_int_eq(evn_reshape(NULL, 0, EVN_SHAPE(3)), EVN_NONE);
    ck_assert_int_eq(evn_broadcast(NULL, 0, EVN_SHAPE(3)), EVN_NONE);
    ck_assert_int_eq(evn_permute(NULL, 0, order), EVN_NONE);
    ck_assert_int_eq(evn_slice(NULL, 0, zero, EVN_SHAPE(3)), EVN_NONE);
    ck_assert_int_eq(evn_pad(NULL, 0, zero, EVN_SHAPE(3)), EVN_NONE);
    ck_assert_int_eq(evn_concat(NULL, &(evn_value){0}, 1, 0), EVN_NONE);
    NO_VALUE(evn_permute(g, x, NULL));
    NO_VALUE(evn_permute(g, x, (int[]){0, 2}));
    NO_VALUE(evn_permute(g, x, (int[]){-1, 1}));
    NO_VALUE(evn_permute(g, x, (int[]){INT32_MAX, INT32_MIN}));
    NO_VALUE(evn_permute(g, 99, order));
    NO_VALUE(evn_slice(g, x, NULL, EVN_SHAPE(1, 1)));
    NO_VALUE(evn_slice(g, x, (int64_t[]){far, 0}, EVN_SHAPE(1, 1)));
    NO_VALUE(evn_slice(g, x, (int64_t[]){-1, 0}, EVN_SHAPE(1, 1)));
    NO_VALUE(evn_slice(g, x, (int64_t[]){-far - 1, 0}, EVN_SHAPE(1, 1)));
    NO_VALUE(evn_slice(g, x, (int64_t[]){1, 0}, EVN_SHAPE(3, 4)));
    NO_VALUE(evn_slice(g, x, zero, EVN_SHAPE(1)));
    NO_VALUE(evn_pad(g, x, NULL, EVN_SHAPE(9, 9)));
    NO_VALUE(evn_pad(g, x, (int64_t[]){far, 0}, EVN_SHAPE(9, 9)));
    NO_VALUE(evn_pad(g, x, (int64_t[]){far - 2, 0}, EVN_SHAPE(9, 9)));
    NO_VALUE(evn_pad(g, x, (int64_t[]){7, 0}, EVN_SHAPE(9, 9)));
    NO_VALUE(evn_concat(g, NULL, 2, 0));
    NO_VALUE(evn_concat(g, (evn_value[]){x, x}, 0, 0));
    NO_VALUE(evn_concat(g, (evn_value[]){x, x}, 9, 0));
    NO_VALUE(evn_concat(g, (evn_value[]){x, x}, -2, 0));
    NO_VALUE(evn_concat(g, (evn_value[]){x, 99}, 2, 0));
    NO_VALUE(evn_concat(g, (evn_value[]){x, x}, 2, 2));
    NO_VALUE(evn_concat(g, (evn_value[]){x, x}, 2, -1));
}

static void reductions(void) {
    ck_assert_int_eq(evn_sum(NULL, 0, 1), EVN_NONE);
    ck_assert_int_eq(evn_mean(NULL, 0, 1), EVN_NONE);
    ck_assert_int_eq(evn_sum_to(NULL, 0, EVN_SCALAR), EVN_NONE);
    NO_VALUE(evn_sum(g, x, 1u << 2));
    NO_VALUE(evn_sum(g, x, ~0u));
    NO_VALUE(evn_sum(g, 99, 1));
    NO_VALUE(evn_mean(g, x, 1u << 31));
    NO_VALUE(evn_mean(g, 99, 1));
    NO_VALUE(evn_sum_to(g, x, EVN_SHAPE(2, 4)));
    NO_VALUE(evn_sum_to(g, x, EVN_SHAPE(5, 3, 4)));
    NO_VALUE(evn_sum_to(g, 99, EVN_SCALAR));
}

static void networks(void) {
    const evn_conv2d_options same = {1, 1}, bad[] = {{0, 0}, {-1, 0}, {1, -1}, {INT32_MIN, 0}};
    evn_shape image = EVN_SHAPE(2, 6, 6, 4);
    ck_assert_int_eq(evn_matmul(NULL, 0, 0, false, false), EVN_NONE);
    ck_assert_int_eq(evn_conv2d(NULL, 0, 0, same), EVN_NONE);
    ck_assert_int_eq(evn_conv2d_input_grad(NULL, 0, 0, image, same), EVN_NONE);
    ck_assert_int_eq(evn_conv2d_weight_grad(NULL, 0, 0, image, same), EVN_NONE);
    ck_assert_int_eq(evn_normalize(NULL, 0, 1, 0), EVN_NONE);
    ck_assert_int_eq(evn_normalize_grad(NULL, 0, 0, 1, 0), EVN_NONE);
    NO_VALUE(evn_matmul(g, x, x, false, false));
    NO_VALUE(evn_matmul(g, x, i, false, false));
    NO_VALUE(evn_matmul(g, 99, x, false, false));
    for (int k = 0; k < 4; ++k) {
        NO_VALUE(evn_conv2d(g, i, evn_input(g, "w", EVN_SHAPE(3, 3, 4, 4)), bad[k]));
        NO_VALUE(
            evn_conv2d_input_grad(g, i, evn_input(g, "w", EVN_SHAPE(1, 1, 4, 4)), image, bad[k]));
        NO_VALUE(evn_conv2d_weight_grad(g, i, i, EVN_SHAPE(1, 1, 4, 4), bad[k]));
    }
    NO_VALUE(evn_conv2d(g, i, evn_input(g, "w", EVN_SHAPE(3, 3, 5, 4)), same));
    NO_VALUE(evn_conv2d(g, i, evn_input(g, "w", EVN_SHAPE(30, 3, 4, 4)), same));
    NO_VALUE(evn_conv2d(g, x, x, same));
    const double epsilons[] = {NAN, -1e-5, INFINITY, -INFINITY};
    const int groups[] = {0, -1, 3, INT32_MAX, INT32_MIN};
    for (int k = 0; k < 4; ++k) {
        NO_VALUE(evn_normalize(g, i, 2, epsilons[k]));
        NO_VALUE(evn_normalize_grad(g, i, i, 2, epsilons[k]));
    }
    for (int k = 0; k < 5; ++k) {
        NO_VALUE(evn_normalize(g, i, groups[k], 1e-5));
        NO_VALUE(evn_normalize_grad(g, i, i, groups[k], 1e-5));
    }
    NO_VALUE(evn_normalize(g, evn_constant(g, 1), 1, 1e-5));
    NO_VALUE(evn_normalize_grad(g, i, x, 1, 1e-5));
    NO_VALUE(evn_log_softmax(g, evn_constant(g, 1)));
    ck_assert_int_eq(evn_linear_solve(NULL, 0, 0, false), EVN_NONE);
    NO_VALUE(evn_linear_solve(g, x, x, false));
    NO_VALUE(evn_linear_solve(g, i, x, true));
    NO_VALUE(evn_linear_solve(g, evn_input(g, "a", EVN_SHAPE(2, 3, 3)), x, false));
    NO_VALUE(evn_linear_solve(g, evn_input(g, "a", EVN_SHAPE(2, 3, 4)),
                              evn_input(g, "b", EVN_SHAPE(2, 3)), true));
}

static void pools(void) {
    evn_shape image = EVN_SHAPE(2, 6, 6, 4);
    ck_assert_int_eq(evn_mean_pool2d(NULL, 0, 2, 2), EVN_NONE);
    ck_assert_int_eq(evn_mean_pool2d_grad(NULL, 0, image, 2, 2), EVN_NONE);
    ck_assert_int_eq(evn_max_pool2d(NULL, 0, 2, 2), EVN_NONE);
    ck_assert_int_eq(evn_max_pool2d_select(NULL, 0, 0, 2, 2), EVN_NONE);
    ck_assert_int_eq(evn_max_pool2d_scatter(NULL, 0, 0, 2, 2), EVN_NONE);
    const int bad[][2] = {{0, 1}, {-1, 1}, {7, 1}, {2, 0}, {2, -1}, {INT32_MAX, INT32_MAX}};
    for (int k = 0; k < 6; ++k) {
        int window = bad[k][0], stride = bad[k][1];
        NO_VALUE(evn_mean_pool2d(g, i, window, stride));
        NO_VALUE(evn_mean_pool2d_grad(g, i, image, window, stride));
        NO_VALUE(evn_max_pool2d(g, i, window, stride));
        NO_VALUE(evn_max_pool2d_select(g, i, i, window, stride));
        NO_VALUE(evn_max_pool2d_scatter(g, i, i, window, stride));
    }
    NO_VALUE(evn_mean_pool2d(g, x, 1, 1));
    NO_VALUE(evn_max_pool2d_select(g, i, x, 1, 1));
    NO_VALUE(evn_max_pool2d_scatter(g, i, i, 2, 2));
    NO_VALUE(evn_max_pool2d_scatter(g, i, 99, 2, 2));
}

// network.h ---------------------------------------------------------------------------------------

static void layers(void) {
    evn_parameters *p = NULL;
    TRY(evn_parameters_create(&p));
    NO_VALUE(evn_layers(g, NULL, "s", "[\"relu\"]", x, EVN_NONE));
    NO_VALUE(evn_layers(g, p, NULL, "[\"relu\"]", x, EVN_NONE));
    NO_VALUE(evn_layers(g, p, "s", NULL, x, EVN_NONE));
    NO_VALUE(evn_layers(g, p, "s", "[\"relu\"]", 99, EVN_NONE));
    NO_VALUE(evn_layers(g, p, "s", "[\"relu\"]", x, 99));
    NO_VALUE(evn_layers(g, p, "s", "[\"concat-time\"]", x, i)); // which is no scalar
    NO_VALUE(evn_layers(g, p, "s", "[\"relu\"]", evn_constant(g, 1), EVN_NONE));
    evn_value x, i;
    evn_graph *malformed = new_graph(&x, &i);
    ck_assert_int_eq(evn_layers(malformed, p, "s", "relu", x, EVN_NONE), EVN_NONE);
    ck_assert_int_eq(evn_graph_status(malformed), EVN_ERR_FORMAT);
    evn_graph_destroy(&malformed);
    evn_parameters_destroy(&p);
}

// diff.h ------------------------------------------------------------------------------------------

static void transforms(void) {
    evn_value x, i, y;
    evn_graph *g = new_graph(&x, &i), *result = NULL;
    evn_output(g, "y", evn_tanh(g, x));
    const char *const unknown[] = {"nobody", NULL}, *const more[] = {"x", "x", "x", NULL};
    REFUSED(evn_vjp(NULL, NULL, &result));
    REFUSED(evn_vjp(g, NULL, NULL));
    REFUSED(evn_vjp(g, unknown, &result));
    REFUSED(evn_vjp(g, more, &result));
    REFUSED(evn_jvp(NULL, NULL, &result));
    REFUSED(evn_jvp(g, NULL, NULL));
    REFUSED(evn_jvp(g, unknown, &result));
    ck_assert_ptr_null(result);
    REFUSED(evn_pullback(NULL, &x, &x, 1, &x, 1, &y));
    REFUSED(evn_pullback(g, NULL, &x, 1, &x, 1, &y));
    REFUSED(evn_pullback(g, &x, NULL, 1, &x, 1, &y));
    REFUSED(evn_pullback(g, &x, &x, 1, NULL, 1, &y));
    REFUSED(evn_pullback(g, &x, &x, 1, &x, 1, NULL));
    REFUSED(evn_pullback(g, &x, &x, -1, &x, 1, &y));
    REFUSED(evn_pullback(g, &x, &x, 1, &x, -1, &y));
    REFUSED(evn_pullback(g, &x, &i, 1, &x, 1, &y)); // of another shape
    REFUSED(evn_pullback(g, &x, &x, 1, &(evn_value){99}, 1, &y));
    REFUSED(evn_pushforward(NULL, &x, &x, 1, &x, 1, &y));
    REFUSED(evn_pushforward(g, NULL, &x, 1, &x, 1, &y));
    REFUSED(evn_pushforward(g, &x, NULL, 1, &x, 1, &y));
    REFUSED(evn_pushforward(g, &x, &x, 1, NULL, 1, &y));
    REFUSED(evn_pushforward(g, &x, &x, 1, &x, 1, NULL));
    REFUSED(evn_pushforward(g, &x, &i, 1, &x, 1, &y));
    REFUSED(evn_pushforward(g, &x, &x, 1, &x, -1, &y));
    evn_graph_destroy(&g);
}

static void (*const all[])(void) = {shapes,     graphs,   ports, elements, views,
                                    reductions, networks, pools, layers,   transforms};

START_TEST(wrong_arguments_are_refused) {
    all[_i]();
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("builders");
    TCase *refused = tcase_create("refused");
    tcase_add_loop_test(refused, wrong_arguments_are_refused, 0, sizeof(all) / sizeof(all[0]));
    suite_add_tcase(s, refused);
    return s;
}

int main(void) {
    return test_run(suite());
}
