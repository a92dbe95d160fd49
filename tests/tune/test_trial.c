// SPDX-License-Identifier: Apache-2.0
// How much of a difference from plain C is the graph's own: what rounding makes of its results.
#include "test.h"
#include "tune/trial.h"

#include <math.h>

#include <string.h>

enum { OUTPUTS = 2 };

/// What rounding on the way makes of each output, and how far the device's is from plain C.
static void measure(evn_graph *graph, double *changes, double *errors) {
    evn__trial *trial = NULL;
    evn_plan *plan = NULL;
    double error;
    TRY(evn__trial_create(test_device(), graph, false, evn__fill_uniform, &trial));
    TRY(evn__trial_plan(trial, &plan));
    TRY(evn__trial_check(trial, plan, &error));
    TRY(evn__trial_sensitivity(trial, changes));
    int outputs = evn_graph_output_count(graph);
    memcpy(errors, evn__trial_errors(trial), sizeof(*errors) * (size_t)outputs);
    ck_assert_double_eq(error, outputs == 1 ? errors[0] : fmax(errors[0], errors[1]));
    evn_plan_destroy(&plan);
    evn__trial_destroy(&trial);
    evn_graph_destroy(&graph);
}

START_TEST(products_and_views_keep_their_digits) {
    evn_graph *graph = NULL;
    double change, error;
    TRY(evn_graph_create(&graph));
    evn_value a = evn_input(graph, "a", EVN_SHAPE(24, 40));
    evn_value b = evn_input(graph, "b", EVN_SHAPE(40, 8));
    evn_value product = evn_matmul(graph, a, b, false, false);
    evn_output(graph, "product", evn_reshape(graph, product, EVN_SHAPE(8, 24)));
    measure(graph, &change, &error);
    ck_assert_double_gt(change, 1e-8);
    ck_assert_double_lt(change, 3e-6);
    ck_assert_double_lt(error, 3e-6);
}
END_TEST

/// As the gradient of a bias in front of a normalisation: changes of the inputs alone leave it 0.
START_TEST(a_sum_that_is_zero_is_one_of_rounding) {
    enum { COUNT = 4096 };
    evn_graph *graph = NULL;
    double changes[OUTPUTS], errors[OUTPUTS];
    TRY(evn_graph_create(&graph));
    evn_value x = evn_input(graph, "x", EVN_SHAPE(COUNT, 1));
    evn_value sum = evn_sum(graph, x, 1);
    evn_value mean = evn_broadcast(graph, evn_scale(graph, sum, 1.0 / COUNT), EVN_SHAPE(COUNT, 1));
    evn_value away = evn_scale(graph, evn_sub(graph, x, mean), 1e4);
    evn_output(graph, "zero", evn_sum(graph, away, 1));
    evn_output(graph, "away", away);
    measure(graph, changes, errors);
    ck_assert_double_gt(changes[0], 1e-3);
    ck_assert_double_lt(changes[0], 10);
    ck_assert_double_le(errors[0], 30 * changes[0]);
    ck_assert_double_lt(changes[1], 1e-5); // of it nothing is hidden
    ck_assert_double_lt(errors[1], 1e-5);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("trial");
    test_add(suite, tcase_create("digits"), products_and_views_keep_their_digits);
    test_add(suite, tcase_create("zero"), a_sum_that_is_zero_is_one_of_rounding);
    return test_run(suite);
}
