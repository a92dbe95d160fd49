// SPDX-License-Identifier: Apache-2.0
// Which gradients are trusted: not one that is not finite, nor one that could not be had.
#include "study/gradcheck.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { STEPS = 100, REVERSIBLE = 3, ADJOINT = 4, ADJOINT_ADAPTIVE = 5 };

/// x' = -w x (1 + 1.02 x²) / (1 + x²): decays from any x, so that solved backwards x grows until
/// its square overflows, and then is no number.
static evn_dynamics *decay(void) {
    const evn_shape shape = EVN_SHAPE(4);
    evn_graph *f = NULL;
    evn_dynamics *dynamics = NULL;
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", shape), w = evn_input(f, "w", shape);
    evn_value square = evn_mul(f, x, x), one = evn_full(f, shape, 1);
    evn_value part = evn_div(f, evn_add(f, one, evn_scale(f, square, 1.02)), //
                             evn_add(f, one, square));
    evn_output(f, "dx", evn_neg(f, evn_mul(f, evn_mul(f, w, x), part)));
    TRY(evn_graph_status(f));
    TRY(evn_dynamics_create(f, NULL, &dynamics));
    evn_graph_destroy(&f);
    return dynamics;
}

static evn_parameters *rate_of(double rate) {
    const double w[4] = {rate, rate, rate, rate};
    evn_parameters *parameters = NULL;
    TRY(evn_parameters_create(&parameters));
    TRY(evn_parameters_add(parameters, "w", EVN_SHAPE(4), EVN_INITIAL_NORMAL, 1));
    TRY(evn_parameters_allocate(parameters, test_device(), false, 1));
    TRY(evn_parameters_write(parameters, 0, w));
    return parameters;
}

static void measure_with(const char *method, int steps, double rate,
                         evn__gradcheck_row rows[EVN__GRADCHECK_ROWS]) {
    evn_dynamics *dynamics = decay();
    evn_parameters *parameters = rate_of(rate);
    evn_solver_options options = evn_solver_options_default();
    options.method = method;
    options.steps = steps;
    TRY(evn__gradcheck_measure(test_device(), dynamics, parameters, &options, rows));
    evn_parameters_destroy(&parameters);
    evn_dynamics_destroy(&dynamics);
}

static void measure(double rate, evn__gradcheck_row rows[EVN__GRADCHECK_ROWS]) {
    measure_with("euler", STEPS, rate, rows);
}

START_TEST(what_is_not_finite_is_not_trusted) {
    evn__gradcheck_row rows[EVN__GRADCHECK_ROWS];
    test_needs_fp64();
    measure(190, rows);
    for (int i = 0; i < 3; ++i) { // along the steps that were taken
        ck_assert_double_lt(rows[i].own, 1e-3);
        ck_assert(evn__gradcheck_trusts(&rows[i]));
    }
    const evn__gradcheck_row *adjoint = &rows[ADJOINT];
    ck_assert_int_eq(adjoint->status, EVN_OK);
    ck_assert_msg(!isfinite(adjoint->own), "%g", adjoint->own);
    ck_assert_msg(isinf(adjoint->reconstruction), "%g", adjoint->reconstruction);
    ck_assert(!evn__gradcheck_trusts(adjoint));
    const evn__gradcheck_row *reversible = &rows[REVERSIBLE]; // which undoes what is wrong, too
    ck_assert_msg(reversible->apart > EVN_MOST_APART, "%g", reversible->apart);
    ck_assert(!evn__gradcheck_trusts(reversible));
}
END_TEST

/// A gradient that could not be had has no figures, and the whole reason.
START_TEST(what_failed_has_no_figures) {
    evn__gradcheck_row rows[EVN__GRADCHECK_ROWS];
    test_needs_fp64();
    measure(190, rows);
    const evn__gradcheck_row *row = &rows[ADJOINT_ADAPTIVE];
    ck_assert_msg(row->status == EVN_ERR_SOLVER || row->status == EVN_ERR_NOT_FINITE, "%d",
                  row->status);
    ck_assert(isnan(row->seconds) && isnan(row->own) && row->bytes == 0 && row->nfe == 0);
    ck_assert(!evn__gradcheck_trusts(row));
    ck_assert_ptr_nonnull(strstr(row->message, "cannot be solved backwards"));
}
END_TEST

START_TEST(what_is_right_is_trusted) {
    evn__gradcheck_row rows[EVN__GRADCHECK_ROWS];
    test_needs_fp64();
    measure(1, rows);
    for (int i = 0; i < EVN__GRADCHECK_ROWS; ++i) {
        ck_assert_msg(evn__gradcheck_trusts(&rows[i]), "%s", rows[i].name);
        ck_assert(rows[i].seconds > 0 && rows[i].bytes > 0);
        ck_assert_int_eq(isnan(rows[i].own), rows[i].options.steps == 0);
    }
}
END_TEST

/// x' = w (1 - relu(x)): where x passes 0 its slope has a kink, and differences of adaptive solves
/// are those of their steps. What fine steps are off the solution is their own error alone.
START_TEST(kinks_are_in_the_solution) {
    evn__gradcheck_row rows[EVN__GRADCHECK_ROWS];
    const evn_shape shape = EVN_SHAPE(4);
    evn_graph *f = NULL;
    evn_dynamics *dynamics = NULL;
    evn_solver_options options = evn_solver_options_default();
    test_needs_fp64();
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", shape), w = evn_input(f, "w", shape);
    evn_value rest = evn_sub(f, evn_full(f, shape, 1), evn_relu(f, x));
    evn_output(f, "dx", evn_mul(f, w, rest));
    TRY(evn_dynamics_create(f, NULL, &dynamics));
    evn_graph_destroy(&f);
    evn_parameters *parameters = rate_of(1);
    options.method = "rk4";
    options.steps = 400;
    TRY(evn__gradcheck_measure(test_device(), dynamics, parameters, &options, rows));
    printf("off the solution by %.2g, which is known to %.2g\n", rows[0].exact, rows[0].floor);
    ck_assert_double_lt(rows[0].exact, 1e-3);
    ck_assert_double_lt(rows[0].floor, 1e-5);
    evn_parameters_destroy(&parameters);
    evn_dynamics_destroy(&dynamics);
}
END_TEST

/// Adaptive adjoints are held to ten tolerances, discrete gradients to none.
START_TEST(what_is_inexact_is_not_trusted) {
    evn__gradcheck_row row = {.options = evn_solver_options_default(), .exact = 0.02};
    row.reconstruction = row.apart = row.own = NAN;
    row.options.gradient = EVN_GRADIENT_BACKPROP;
    ck_assert(evn__gradcheck_trusts(&row));
    row.options.gradient = EVN_GRADIENT_ADJOINT;
    ck_assert(!evn__gradcheck_trusts(&row)); // 20 of 1e-3
    row.exact = 0.009;
    ck_assert(evn__gradcheck_trusts(&row));
    row.options.gradient = EVN_GRADIENT_ADJOINT_QUADRATURE;
    row.options.rtol = 1e-5;
    ck_assert(!evn__gradcheck_trusts(&row));
}
END_TEST

/// A multi-step method has the gradients that do not take each step by itself.
START_TEST(what_a_method_cannot_do_is_a_row) {
    evn__gradcheck_row rows[EVN__GRADCHECK_ROWS];
    test_needs_fp64();
    measure_with("abm5", 0, 1, rows);
    for (int i = 0; i < EVN__GRADCHECK_ROWS; ++i) {
        bool refused = i == REVERSIBLE;
        ck_assert_msg(evn__gradcheck_trusts(&rows[i]) == !refused, "%s", rows[i].name);
        ck_assert(isnan(rows[i].seconds) == refused);
    }
    const evn__gradcheck_row *row = &rows[REVERSIBLE];
    ck_assert_int_eq(row->status, EVN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(row->message, "solver abm5 goes on from the steps before"));
}
END_TEST

/// x' = w x, w' = -w: of weights on adaptive steps no differences are those of the same steps.
START_TEST(adaptive_weights_have_no_own_differences) {
    evn__gradcheck_row rows[EVN__GRADCHECK_ROWS];
    evn_graph *f = NULL, *g = NULL;
    evn_dynamics *dynamics = NULL;
    evn_solver_options options = evn_solver_options_default();
    test_needs_fp64();
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(4));
    evn_output(f, "dx", evn_mul(f, x, evn_input(f, "w", EVN_SHAPE(4))));
    TRY(evn_graph_create(&g));
    evn_input(g, "t", EVN_SCALAR);
    evn_output(g, "dw", evn_neg(g, evn_input(g, "w", EVN_SHAPE(4))));
    TRY(evn_dynamics_create(f, g, &dynamics));
    evn_graph_destroy(&f);
    evn_graph_destroy(&g);
    evn_parameters *parameters = rate_of(1);
    options.method = "rk4";
    options.steps = 20;
    options.weight_terms = 8;
    TRY(evn__gradcheck_measure(test_device(), dynamics, parameters, &options, rows));
    ck_assert_int_eq(rows[0].status, EVN_OK);
    ck_assert(isnan(rows[0].own));
    ck_assert(evn__gradcheck_trusts(&rows[0]));
    evn_parameters_destroy(&parameters);
    evn_dynamics_destroy(&dynamics);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("study/gradcheck");
    TCase *c = tcase_create("trust");
    tcase_add_test(c, what_is_not_finite_is_not_trusted);
    tcase_add_test(c, what_failed_has_no_figures);
    tcase_add_test(c, what_a_method_cannot_do_is_a_row);
    tcase_add_test(c, what_is_right_is_trusted);
    tcase_add_test(c, kinks_are_in_the_solution);
    tcase_add_test(c, what_is_inexact_is_not_trusted);
    tcase_add_test(c, adaptive_weights_have_no_own_differences);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
