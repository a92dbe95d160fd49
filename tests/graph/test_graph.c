// SPDX-License-Identifier: Apache-2.0
// Builders: shapes, identities, equal nodes, inlining, errors that stick, stable text.
#include "graph/node.h"
#include "test.h"
#include <stdlib.h>
#include <string.h>

static evn_graph *new_graph(void) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    return g;
}

static void check_shape(const evn_graph *g, evn_value value, evn_shape expected) {
    char have[128], want[128];
    TRY(evn_graph_status(g));
    evn_shape shape = evn_value_shape(g, value);
    ck_assert_msg(evn_shape_equal(shape, expected), "%s, not %s", evn__shape_text(shape, have),
                  evn__shape_text(expected, want));
}

START_TEST(shapes_follow_from_operands) {
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(5, 11, 9, 4));
    evn_value w = evn_input(g, "w", EVN_SHAPE(3, 2, 4, 6)), m = evn_input(g, "m", EVN_SHAPE(7, 3));
    evn_conv2d_options options = {2, 1};
    evn_value y = evn_conv2d(g, x, w, options);
    check_shape(g, y, EVN_SHAPE(5, 6, 5, 6));
    check_shape(g, evn_conv2d_input_grad(g, y, w, EVN_SHAPE(5, 11, 9, 4), options),
                EVN_SHAPE(5, 11, 9, 4));
    check_shape(g, evn_conv2d_weight_grad(g, x, y, EVN_SHAPE(3, 2, 4, 6), options),
                EVN_SHAPE(3, 2, 4, 6));
    check_shape(g, evn_matmul(g, m, m, true, false), EVN_SHAPE(3, 3));
    check_shape(g, evn_matmul(g, m, m, false, true), EVN_SHAPE(7, 7));
    check_shape(g, evn_add(g, m, evn_input(g, "row", EVN_SHAPE(3))), EVN_SHAPE(7, 3));
    check_shape(g, evn_sum(g, x, 1u << 0 | 1u << 2), EVN_SHAPE(1, 11, 1, 4));
    check_shape(g, evn_sum_all(g, x), EVN_SCALAR);
    check_shape(g, evn_sum_to(g, x, EVN_SHAPE(9, 1)), EVN_SHAPE(9, 1));
    check_shape(g, evn_permute(g, x, (int[]){3, 1, 0, 2}), EVN_SHAPE(4, 11, 5, 9));
    check_shape(g, evn_concat(g, (evn_value[]){m, m, m}, 3, 0), EVN_SHAPE(21, 3));
    check_shape(g, evn_mean_pool2d(g, x, 3, 2), EVN_SHAPE(5, 5, 4, 4));
    check_shape(g, evn_max_pool2d(g, x, 2, 2), EVN_SHAPE(5, 5, 4, 4));
    TRY(evn__graph_verify(g));
    evn_graph_destroy(&g);
}
END_TEST

START_TEST(equal_nodes_are_one) {
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(4)), y = evn_input(g, "y", EVN_SHAPE(4));
    ck_assert_int_eq(evn_tanh(g, x), evn_tanh(g, x));
    ck_assert_int_ne(evn_tanh(g, x), evn_tanh(g, y));
    ck_assert_int_eq(evn_scale(g, x, 0.3), evn_scale(g, x, 0.3));
    ck_assert_int_ne(evn_scale(g, x, 0.3), evn_scale(g, x, -0.3));
    const double data[] = {1, 2}, other[] = {1, 3};
    ck_assert_int_eq(evn_table(g, EVN_SHAPE(2), data), evn_table(g, EVN_SHAPE(2), data));
    ck_assert_int_ne(evn_table(g, EVN_SHAPE(2), data), evn_table(g, EVN_SHAPE(2), other));
    for (int i = 0; i < 2000; ++i) { // past several growths of the table
        evn_scale(g, x, i + 0.5);
    }
    ck_assert_int_eq(evn_scale(g, x, 17.5), evn_scale(g, x, 17.5));
    evn_graph_destroy(&g);
}
END_TEST

START_TEST(identities_add_no_node) {
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(2, 3)), zero = evn_constant(g, 0);
    evn_value one = evn_constant(g, 1);
    ck_assert_int_eq(evn_add(g, x, zero), x);
    ck_assert_int_eq(evn_add(g, zero, x), x);
    ck_assert_int_eq(evn_sub(g, x, zero), x);
    ck_assert_int_eq(evn_mul(g, one, x), x);
    ck_assert_int_eq(evn_div(g, x, one), x);
    ck_assert_int_eq(evn_mul(g, x, evn_constant(g, -1)), evn_neg(g, x));
    ck_assert_int_eq(evn_reshape(g, evn_reshape(g, x, EVN_SHAPE(6)), EVN_SHAPE(2, 3)), x);
    ck_assert_int_eq(evn_slice(g, x, (int64_t[]){0, 0}, EVN_SHAPE(2, 3)), x);
    ck_assert_int_eq(evn_permute(g, x, (int[]){0, 1}), x);
    ck_assert_int_eq(evn_add(g, one, evn_constant(g, 2)), evn_constant(g, 3));
    // 0 · x is kept: x may be NaN, and that must not be lost.
    ck_assert_int_eq(evn__node_at(g, evn_mul(g, x, zero))->op, EVN__OP_MUL);
    evn_graph_destroy(&g);
}
END_TEST

START_TEST(text_is_stable) {
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(2, 3)), w = evn_input(g, "w", EVN_SHAPE(3, 4));
    evn_output(g, "y", evn_tanh(g, evn_matmul(g, x, w, false, false)));
    evn_output(g, "s", evn_scale(g, evn_sum(g, x, 2), 0.5));
    char *text = NULL;
    TRY(evn_graph_print(g, &text));
    ck_assert_str_eq(text, "%0 = input x [2, 3]\n"
                           "%1 = input w [3, 4]\n"
                           "%2 = matmul %0 %1 transpose=00 [2, 4]\n"
                           "%3 = tanh %2 [2, 4]\n"
                           "%4 = sum %0 axis=1 axes=1 [2, 1]\n"
                           "%5 = constant value=0.5 []\n"
                           "%6 = broadcast %5 [2, 1]\n"
                           "%7 = mul %4 %6 [2, 1]\n"
                           "output y = %3\n"
                           "output s = %7\n");
    free(text);
    evn_graph_destroy(&g);
}
END_TEST

START_TEST(inlining_copies_what_is_needed) {
    evn_graph *f = new_graph(), *g = new_graph();
    evn_value x = evn_input(f, "x", EVN_SHAPE(3));
    evn_exp(f, x); // not needed
    evn_output(f, "y", evn_sin(f, x));
    evn_value a = evn_input(g, "a", EVN_SHAPE(3)), y;
    TRY(evn_graph_inline(g, f, &a, &y));
    ck_assert_int_eq(y, evn_sin(g, a));
    ck_assert_int_eq(g->node_count, 2);
    evn_value wrong = evn_input(g, "b", EVN_SHAPE(4));
    ck_assert_int_eq(evn_graph_inline(g, f, &wrong, &y), EVN_ERR_SHAPE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "input x has shape [3], its value [4]"));
    evn_graph_destroy(&f);
    evn_graph_destroy(&g);
}
END_TEST

// The graph grows while it is read: only the nodes that it had are copied.
START_TEST(a_graph_is_inlined_into_itself) {
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(3)), y = x;
    for (int i = 0; i < 40; ++i) {
        y = evn_sin(g, y);
    }
    evn_output(g, "y", y);
    evn_value twice;
    TRY(evn_graph_inline(g, g, &y, &twice));
    ck_assert_int_eq(g->node_count, 81);
    ck_assert_int_eq(twice, 80);
    evn_graph_destroy(&g);
}
END_TEST

typedef evn_value mistake(evn_graph *g, evn_value x);

static evn_value bad_add(evn_graph *g, evn_value x) {
    return evn_add(g, x, evn_input(g, "five", EVN_SHAPE(5)));
}
static evn_value bad_reshape(evn_graph *g, evn_value x) {
    return evn_reshape(g, x, EVN_SHAPE(5));
}
static evn_value bad_broadcast(evn_graph *g, evn_value x) {
    return evn_broadcast(g, x, EVN_SHAPE(3, 5));
}
static evn_value bad_permute(evn_graph *g, evn_value x) {
    return evn_permute(g, x, (int[]){1, 1});
}
static evn_value bad_slice(evn_graph *g, evn_value x) {
    return evn_slice(g, x, (int64_t[]){1, 0}, EVN_SHAPE(3, 1));
}
static evn_value bad_pad(evn_graph *g, evn_value x) {
    return evn_pad(g, x, (int64_t[]){0, 3}, EVN_SHAPE(3, 6));
}
static evn_value bad_concat(evn_graph *g, evn_value x) {
    return evn_concat(g, (evn_value[]){x, evn_input(g, "two", EVN_SHAPE(2, 2))}, 2, 0);
}
static evn_value bad_sum(evn_graph *g, evn_value x) {
    return evn_sum(g, x, 1u << 5);
}
static evn_value bad_conv(evn_graph *g, evn_value x) {
    return evn_conv2d(g, x, x, (evn_conv2d_options){1, 0});
}
static evn_value bad_norm(evn_graph *g, evn_value x) {
    return evn_normalize(g, x, 3, 1e-5);
}
static evn_value bad_pool(evn_graph *g, evn_value x) {
    return evn_mean_pool2d(g, x, 2, 1);
}
static evn_value bad_value(evn_graph *g, evn_value x) {
    return evn_tanh(g, x + 100);
}

static mistake *const mistakes[] = {bad_add,   bad_reshape, bad_broadcast, bad_permute,
                                    bad_slice, bad_pad,     bad_concat,    bad_sum,
                                    bad_conv,  bad_norm,    bad_pool,      bad_value};

START_TEST(mistakes_stick_to_the_graph) {
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(3, 4));
    ck_assert_int_eq(mistakes[_i](g, x), EVN_NONE);
    evn_status status = evn_graph_status(g);
    ck_assert(status == EVN_ERR_SHAPE || status == EVN_ERR_ARGUMENT);
    ck_assert_int_gt((int)strlen(evn_error_message()), 10);
    ck_assert_int_eq(evn_tanh(g, x), EVN_NONE); // nothing is built after a failure
    ck_assert_int_eq(evn__node_at(g, EVN_NONE)->operand_count, 0); // and may be asked about
    ck_assert_int_eq(evn_value_shape(g, EVN_NONE).rank, 0);
    evn_output(g, "y", EVN_NONE);
    ck_assert_int_eq(evn_graph_status(g), status);
    evn_graph_destroy(&g);
}
END_TEST

START_TEST(names_are_unique) {
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(3));
    evn_output(g, "y", x);
    evn_output(g, "y", x);
    ck_assert_int_eq(evn_graph_status(g), EVN_ERR_ARGUMENT);
    evn_graph_destroy(&g);
    g = new_graph();
    evn_input(g, "x", EVN_SHAPE(3));
    ck_assert_int_eq(evn_input(g, "x", EVN_SHAPE(3)), EVN_NONE);
    evn_graph_destroy(&g);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("graph");
    TCase *building = tcase_create("building");
    tcase_add_test(building, shapes_follow_from_operands);
    tcase_add_test(building, equal_nodes_are_one);
    tcase_add_test(building, identities_add_no_node);
    tcase_add_test(building, text_is_stable);
    tcase_add_test(building, inlining_copies_what_is_needed);
    tcase_add_test(building, a_graph_is_inlined_into_itself);
    suite_add_tcase(s, building);
    TCase *errors = tcase_create("errors");
    tcase_add_loop_test(errors, mistakes_stick_to_the_graph, 0,
                        sizeof(mistakes) / sizeof(mistakes[0]));
    tcase_add_test(errors, names_are_unique);
    suite_add_tcase(s, errors);
    return s;
}

int main(void) {
    return test_run(suite());
}
