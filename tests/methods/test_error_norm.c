// SPDX-License-Identifier: Apache-2.0
// Norms of errors: what has a say in the steps, and how it is put together.
#include "evonode/solver.h"
#include "problem.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NORMS = EVN_NORM_COMPONENT + 1 };

static evn_solver_options with_norm(evn_norm norm, double tolerance) {
    evn_solver_options options = evn_solver_options_default();
    options.norm = norm;
    options.rtol = options.atol = tolerance;
    options.fp64 = true;
    return options;
}

START_TEST(names_are_those_of_the_list) {
    static const char *const names[] = {"state", "seminorm", "mixed", "rms", "component"};
    for (int i = 0; i < NORMS; ++i) {
        ck_assert_str_eq(evn_norm_name(i), names[i]);
    }
    ck_assert_ptr_null(evn_norm_name(NORMS));
    ck_assert_ptr_null(evn_norm_name(-1));
    ck_assert_int_eq(evn_solver_options_default().norm, EVN_NORM_STATE);
}
END_TEST

static int steps_with(problem *p, evn_solver_options options, double t1) {
    problem_prepare(p, &options);
    problem_solve(p, 0, t1);
    int steps = p->solution.accepted;
    return steps;
}

/// Beside θ with large errors x alone is what is looked at, or hides in a mean.
START_TEST(norms_differ) {
    int steps[NORMS];
    problem p = problem_node_ew(7);
    for (int norm = 0; norm < NORMS; ++norm) {
        steps[norm] = steps_with(&p, with_norm((evn_norm)norm, 1e-7), 3);
        printf("%s: %d steps\n", evn_norm_name(norm), steps[norm]);
    }
    ck_assert_int_gt(steps[EVN_NORM_SEMINORM], steps[EVN_NORM_RMS]);
    ck_assert_int_ge(steps[EVN_NORM_SEMINORM], steps[EVN_NORM_STATE]);
    ck_assert_int_ne(steps[EVN_NORM_RMS], steps[EVN_NORM_STATE]);
    ck_assert_int_gt(steps[EVN_NORM_COMPONENT], steps[EVN_NORM_SEMINORM]);
    ck_assert_int_eq(steps[EVN_NORM_MIXED], steps[EVN_NORM_SEMINORM]); // no cotangents forwards
    problem_free(&p);
}
END_TEST

/// x' = −x + factor·w, x [1, 1]; w' = 50 cos 50 t.
static problem beside_a_fast_weight(double factor) {
    evn_value t, x;
    evn_graph *g = NULL, *f = problem_begin(EVN_SHAPE(1, 1), &t, &x);
    evn_value w = evn_scale(f, evn_input(f, "w", EVN_SHAPE(1, 1)), factor);
    evn_output(f, "dx", evn_sub(f, w, x));
    TRY(evn_graph_create(&g));
    t = evn_input(g, "t", EVN_SCALAR);
    evn_value angle = evn_add(g, evn_scale(g, t, 50), evn_constant(g, acos(0)));
    evn_value slope = evn_scale(g, evn_sin(g, angle), 50);
    evn_output(g, "dw", evn_reshape(g, slope, EVN_SHAPE(1, 1)));
    problem p = problem_of(f, g);
    p.x0[0] = 1;
    return p;
}

/// A weight that f hardly reads costs no steps; one that x feels is followed as far as x needs it:
/// x = e^(−t) (1 + 50 / 2501) + (sin 50 t − 50 cos 50 t) / 2501.
START_TEST(weights_have_no_say_in_that_of_the_state) {
    const double tolerance = 1e-6;
    problem idle = beside_a_fast_weight(1e-12), felt = beside_a_fast_weight(1);
    int few = steps_with(&idle, with_norm(EVN_NORM_STATE, tolerance), 1);
    int many = steps_with(&idle, with_norm(EVN_NORM_SEMINORM, tolerance), 1);
    int needed = steps_with(&felt, with_norm(EVN_NORM_STATE, tolerance), 1);
    double x = exp(-1.0) * (1 + 50.0 / 2501) + (sin(50.0) - 50 * cos(50.0)) / 2501;
    printf("%d, %d and %d steps, error %.2g\n", few, many, needed, felt.x1[0] - x);
    ck_assert_int_lt(few, 20);
    ck_assert_int_gt(many, 5 * few);
    ck_assert_int_gt(needed, 2 * few);
    ck_assert_double_lt(fabs(felt.x1[0] - x), 10 * tolerance);
    problem_free(&idle);
    problem_free(&felt);
}
END_TEST

/// x' = 2 cos 20 t in the first of 1,000 elements, the others rest at 0.
static problem beside_idle_elements(void) {
    enum { WIDTH = 1000 };
    double first[WIDTH] = {20};
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(2, WIDTH), &t, &x);
    evn_value angle = evn_add(f, evn_scale(f, t, 20), evn_constant(f, acos(0)));
    evn_value row = evn_mul(f, evn_table(f, EVN_SHAPE(1, WIDTH), first), evn_sin(f, angle));
    evn_output(f, "dx", evn_add(f, evn_scale(f, x, 0), row));
    return problem_of(f, NULL);
}

/// The error of one element is the norm, or a thousandth of a mean; by samples, too.
START_TEST(an_element_hides_behind_no_other) {
    double errors[2];
    const evn_norm norms[] = {EVN_NORM_COMPONENT, EVN_NORM_STATE};
    problem p = beside_idle_elements();
    for (int i = 0; i < 2; ++i) {
        evn_solver_options options = with_norm(norms[i], 1e-5);
        options.per_sample = _i == 1;
        printf("%s: %d steps, ", evn_norm_name(norms[i]), steps_with(&p, options, 2));
        errors[i] = fabs(p.x1[0] - sin(40.0));
        printf("error %.2g\n", errors[i]);
        ck_assert_double_eq(p.x1[0], p.x1[1000]);
    }
    ck_assert_double_lt(errors[0], 10e-5);
    ck_assert_double_gt(errors[1], 3 * errors[0]);
    problem_free(&p);
}
END_TEST

/// All cotangents, one behind the other.
static int gradient_with(problem *p, evn_solver_options options, double *all) {
    int count = 0;
    problem_prepare(p, &options);
    problem_solve(p, 0, 1);
    problem_gradient(p);
    memcpy(all, p->x0_bar, sizeof(*all) * (size_t)p->x_count);
    count += p->x_count;
    for (int i = 0; i < p->weight_count; ++i) {
        memcpy(all + count, p->weight_bar_host[i], sizeof(*all) * (size_t)p->weight_size[i]);
        count += p->weight_size[i];
    }
    return count;
}

/// Whatever has a say, gradients by solving backwards are those of the solution: with evolving
/// weights, and with constant ones, of whose cotangents most are sums of products elsewhere.
START_TEST(gradients_keep_to_tolerances) {
    static double exact[1024], found[1024];
    const double tolerance = 1e-6;
    int nfe[NORMS];
    problem p = _i == 0 ? problem_node_ew(8) : problem_wide(12);
    evn_solver_options reference = with_norm(EVN_NORM_STATE, 1e-3);
    reference.method = "rk4";
    reference.steps = 200;
    reference.gradient = EVN_GRADIENT_BACKPROP;
    int count = gradient_with(&p, reference, exact);
    for (int norm = 0; norm < NORMS; ++norm) {
        evn_solver_options options = with_norm((evn_norm)norm, tolerance);
        options.gradient = EVN_GRADIENT_ADJOINT;
        gradient_with(&p, options, found);
        double error = test_difference(found, exact, count);
        nfe[norm] = p.backward.nfe;
        printf("%s: NFE %d + %d, error %.2g\n", evn_norm_name(norm), p.solution.nfe, nfe[norm],
               error);
        ck_assert_double_lt(error, 10 * tolerance);
    }
    ck_assert_int_le(nfe[EVN_NORM_STATE], nfe[EVN_NORM_SEMINORM]);
    ck_assert_int_ge(nfe[EVN_NORM_COMPONENT], nfe[EVN_NORM_SEMINORM]);
    problem_free(&p);
}
END_TEST

/// x' = p cos 50 t − x with p = 0, x [1, 1]: its cotangent e^(t − 1) is smooth, that of p is not.
static problem beside_a_fast_integral(void) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(1, 1), &t, &x);
    evn_value p = evn_input(f, "p", EVN_SHAPE(1, 1));
    evn_value angle = evn_add(f, evn_scale(f, t, 50), evn_constant(f, acos(0)));
    evn_output(f, "dx", evn_sub(f, evn_mul(f, p, evn_sin(f, angle)), x));
    problem made = problem_of(f, NULL);
    made.x0[0] = 1;
    return made;
}

/// The mixed norm alone looks at the cotangents of constant weights: what it is for, and its price.
/// That of p is ∫ e^(t − 1) cos 50 t.
START_TEST(constant_weights_have_a_say_in_the_mixed_one) {
    const double tolerance = 1e-6;
    double found[2], exact = (cos(50.0) + 50 * sin(50.0) - exp(-1.0)) / 2501;
    problem p = beside_a_fast_integral();
    evn_solver_options options = with_norm(EVN_NORM_SEMINORM, tolerance);
    options.gradient = EVN_GRADIENT_ADJOINT;
    gradient_with(&p, options, found);
    int few = p.backward.nfe;
    ck_assert_double_lt(fabs(found[0] - exp(-1.0)), 10 * tolerance);
    options.norm = EVN_NORM_MIXED;
    gradient_with(&p, options, found);
    printf("NFE %d and %d, error %.2g\n", few, p.backward.nfe, fabs(found[1] - exact));
    ck_assert_int_gt(p.backward.nfe, 4 * few);
    ck_assert_double_lt(fabs(found[1] - exact), 10 * tolerance);
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("methods/error_norm");
    TCase *norms = tcase_create("norms");
    tcase_add_test(norms, names_are_those_of_the_list);
    tcase_add_test(norms, norms_differ);
    tcase_add_test(norms, weights_have_no_say_in_that_of_the_state);
    tcase_add_loop_test(norms, an_element_hides_behind_no_other, 0, 2);
    suite_add_tcase(s, norms);
    TCase *gradients = tcase_create("gradients");
    tcase_add_loop_test(gradients, gradients_keep_to_tolerances, 0, 2);
    tcase_add_test(gradients, constant_weights_have_a_say_in_the_mixed_one);
    suite_add_tcase(s, gradients);
    return s;
}

int main(void) {
    return test_run(suite());
}
