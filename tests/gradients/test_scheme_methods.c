// SPDX-License-Identifier: Apache-2.0
// One-step methods by the discrete gradients, in fp64: all along fixed steps (implicit ones but
// reversible) and accepted ones, explicit ones along each sample's own; relative to the same steps
// written out as one graph and pulled back by the reference. Multi-step: methods/test_adams.
// TEST: label=long timeout=600
#include "methods/explicit.h"
#include "methods/implicit.h"
#include "methods/stepper.h"
#include "methods/symplectic.h"
#include "problem.h"
#include "test.h"
#include "written_solve.h"
#include <stdio.h>
#include <string.h>

enum { RESULTS = WRITTEN_SOLVE_RESULTS, STEPS = 4 };

static const evn_gradient kinds[] = {EVN_GRADIENT_BACKPROP, EVN_GRADIENT_CHECKPOINTED,
                                     EVN_GRADIENT_REVERSIBLE};
enum { KINDS = sizeof(kinds) / sizeof(*kinds), ALONG_ACCEPTED = 2 }; // all but the last

static bool splits(const evn__stepper *stepper) {
    return stepper->kind->splits;
}

static bool iterates(const evn__stepper *stepper) {
    return !splits(stepper) && stepper->kind != &evn__explicit && evn__stepper_past(stepper) == 0;
}

static bool is_explicit(const evn__stepper *stepper) {
    return stepper->kind == &evn__explicit;
}

/// q'' = −w sin q + t, x [2, 4]: two pairs of halves a row.
static problem second_order(void) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(2, 4), &t, &x);
    evn_value q = evn_slice(f, x, (int64_t[]){0, 0}, EVN_SHAPE(2, 2));
    evn_value v = evn_slice(f, x, (int64_t[]){0, 2}, EVN_SHAPE(2, 2));
    evn_value w = evn_input(f, "w", EVN_SHAPE(2));
    evn_value pull = evn_mul(f, evn_sin(f, q), w);
    const evn_value slopes[] = {v, evn_sub(f, t, pull)};
    evn_output(f, "dx", evn_concat(f, slopes, 2, 1));
    problem p = problem_of(f, NULL);
    test_uniform(41, -1, 1, p.x0, p.x_count);
    test_uniform(42, 1, 2, p.weight[0], p.weight_size[0]);
    return p;
}

/// x' = w sin x + t, w' = t cos w − c w: few operations, since steps have many stages.
static problem evolving(void) {
    evn_value t, x;
    evn_graph *g = NULL, *f = problem_begin(EVN_SHAPE(2, 2), &t, &x);
    evn_value w = evn_input(f, "w", EVN_SHAPE(2));
    evn_output(f, "dx", evn_add(f, evn_mul(f, evn_sin(f, x), w), t));
    TRY(evn_graph_create(&g));
    t = evn_input(g, "t", EVN_SCALAR);
    w = evn_input(g, "w", EVN_SHAPE(2));
    evn_value decay = evn_mul(g, w, evn_input(g, "c", EVN_SHAPE(2)));
    evn_output(g, "dw", evn_sub(g, evn_mul(g, evn_cos(g, w), t), decay));
    problem p = problem_of(f, g);
    test_uniform(43, -1, 1, p.x0, p.x_count);
    test_uniform(44, 1, 2, p.weight[0], p.weight_size[0]);
    test_uniform(45, 1, 2, p.weight[1], p.weight_size[1]);
    return p;
}

/// With evolving weights, but for methods that move halves of x alone.
static problem problem_for(const evn__stepper *stepper) {
    return splits(stepper) ? second_order() : evolving();
}

static evn_solver_options with(const evn__stepper *stepper, int steps, evn_gradient gradient) {
    evn_solver_options options = evn_solver_options_default();
    options.method = stepper->name;
    options.steps = steps;
    options.gradient = gradient;
    options.fp64 = true;
    options.rtol = options.atol = stepper->order < 4 ? 1e-4 : 1e-7;
    return options;
}

static void check_same(const evn_solver_options *options, const char *steps, const double *got,
                       const double *expected, int count) {
    double error = test_relative_difference(got, expected, count);
    const char *gradient = evn_gradient_name((int)options->gradient);
    printf("%s, %s, %s: differs from the steps written out by %.2g\n", options->method, gradient,
           steps, error);
    ck_assert_msg(error <= 1e-10, "%s, %s, %s: %g", options->method, gradient, steps, error);
}

// Fixed steps -------------------------------------------------------------------------------------

static int written_fixed(const problem *p, const evn_solver_options *options, double *expected) {
    const double dt = 1.0 / STEPS, coupling = 0.99; // the default
    written_solve w;
    written_solve_begin(&w, p, options->method);
    for (int step = 0; step < STEPS; ++step) {
        options->gradient == EVN_GRADIENT_REVERSIBLE
            ? written_solve_reversible_step(&w, step * dt, dt, coupling)
            : written_solve_step(&w, step * dt, dt);
    }
    written_solve_observe(&w);
    return written_solve_gradient(&w, expected);
}

static void check_fixed(const evn__stepper *stepper, evn_gradient gradient) {
    double expected[RESULTS], got[RESULTS];
    problem p = problem_for(stepper);
    evn_solver_options options = with(stepper, STEPS, gradient);
    int count = written_fixed(&p, &options, expected);
    ck_assert_int_eq(problem_all_gradients(&p, &options, got), count);
    check_same(&options, "fixed steps", got, expected, count);
    problem_free(&p);
}

/// Each method that is one of these; at least as many as are said.
static void check_all_fixed(bool (*is_one)(const evn__stepper *stepper), int least,
                            evn_gradient gradient) {
    int found = 0;
    for (int i = 0; evn_method_name(i); ++i) {
        if (is_one(evn__stepper_at(i))) {
            check_fixed(evn__stepper_at(i), gradient);
            ++found;
        }
    }
    ck_assert_int_ge(found, least);
}

START_TEST(fixed_explicit_steps) {
    check_all_fixed(is_explicit, 16, kinds[_i]);
}
END_TEST

START_TEST(fixed_implicit_steps) {
    check_all_fixed(iterates, 8, kinds[_i]);
}
END_TEST

START_TEST(fixed_symplectic_steps) {
    check_all_fixed(splits, 2, kinds[_i]);
}
END_TEST

// Accepted steps ----------------------------------------------------------------------------------

static int written_along(const problem *p, const evn_solver_options *options, double *expected) {
    evn__trail trail = {0};
    written_solve w;
    written_solve_accepted(p, options, &trail);
    ck_assert_int_gt(trail.count, 1);
    written_solve_begin(&w, p, options->method);
    for (int i = 0; i < trail.count; ++i) {
        written_solve_step(&w, trail.steps[i].t, trail.steps[i].dt);
    }
    written_solve_observe(&w);
    evn__trail_free(&trail);
    return written_solve_gradient(&w, expected);
}

static void check_accepted(const evn__stepper *stepper) {
    double expected[RESULTS], got[RESULTS];
    problem p = problem_for(stepper);
    evn_solver_options options = with(stepper, 0, EVN_GRADIENT_BACKPROP);
    int count = written_along(&p, &options, expected);
    for (int k = 0; k < ALONG_ACCEPTED; ++k) {
        options.gradient = kinds[k];
        ck_assert_int_eq(problem_all_gradients(&p, &options, got), count);
        check_same(&options, "accepted steps", got, expected, count);
    }
    problem_free(&p);
}

static void check_all(bool (*is_one)(const evn__stepper *stepper), int least,
                      void (*check)(const evn__stepper *stepper)) {
    int found = 0;
    for (int i = 0; evn_method_name(i); ++i) {
        const evn__stepper *stepper = evn__stepper_at(i);
        if (is_one(stepper) && evn_method_is_adaptive(i)) {
            check(stepper);
            ++found;
        }
    }
    ck_assert_int_ge(found, least);
}

START_TEST(accepted_explicit_steps) {
    check_all(is_explicit, 9, check_accepted);
}
END_TEST

START_TEST(accepted_implicit_steps) {
    check_all(iterates, 5, check_accepted);
}
END_TEST

// Steps of each sample's own ----------------------------------------------------------------------

enum { SAMPLES = 2 };

/// Each sample alone: its x, and its share of the weights' gradient, summed over the samples.
static int written_samples(const problem *p, const evn_solver_options *options, double *expected) {
    int width = p->x_count / SAMPLES, total = 0;
    memset(expected, 0, sizeof(*expected) * RESULTS);
    for (int i = 0; i < SAMPLES; ++i) {
        double one[RESULTS];
        problem alone = problem_network(1);
        evn_solver_options own = *options;
        own.per_sample = false;
        memcpy(alone.x0, p->x0 + (size_t)(i * width), sizeof(double) * (size_t)width);
        total = written_along(&alone, &own, one) + p->x_count - width;
        memcpy(expected + (size_t)(i * width), one, sizeof(double) * (size_t)width);
        for (int j = p->x_count; j < total; ++j) {
            expected[j] += one[j - p->x_count + width];
        }
        problem_free(&alone);
    }
    return total;
}

static void check_samples(const evn__stepper *stepper) {
    double expected[RESULTS], got[RESULTS];
    problem p = problem_network(SAMPLES);
    evn_solver_options options = with(stepper, 0, EVN_GRADIENT_BACKPROP);
    options.per_sample = true;
    int count = written_samples(&p, &options, expected);
    for (int k = 0; k < ALONG_ACCEPTED; ++k) {
        options.gradient = kinds[k];
        ck_assert_int_eq(problem_all_gradients(&p, &options, got), count);
        check_same(&options, "each sample's own steps", got, expected, count);
    }
    problem_free(&p);
}

START_TEST(explicit_steps_of_samples) {
    check_all(is_explicit, 9, check_samples);
}
END_TEST

/// One kind of gradient a case, as a process compiles all methods.
static void add_fixed(Suite *s) {
    TCase *c = tcase_create("explicit_backprop");
    tcase_add_loop_test(c, fixed_explicit_steps, 0, 1);
    suite_add_tcase(s, c);
    c = tcase_create("explicit_checkpointed");
    tcase_add_loop_test(c, fixed_explicit_steps, 1, 2);
    suite_add_tcase(s, c);
    c = tcase_create("explicit_reversible");
    tcase_add_loop_test(c, fixed_explicit_steps, 2, KINDS);
    suite_add_tcase(s, c);
    c = tcase_create("implicit_backprop");
    tcase_add_loop_test(c, fixed_implicit_steps, 0, 1);
    suite_add_tcase(s, c);
    c = tcase_create("implicit_checkpointed");
    tcase_add_loop_test(c, fixed_implicit_steps, 1, 2);
    suite_add_tcase(s, c);
    c = tcase_create("symplectic");
    tcase_add_loop_test(c, fixed_symplectic_steps, 0, KINDS);
    suite_add_tcase(s, c);
}

static Suite *suite(void) {
    Suite *s = suite_create("gradients/scheme_methods");
    add_fixed(s);
    TCase *c = tcase_create("accepted_explicit");
    tcase_add_test(c, accepted_explicit_steps);
    suite_add_tcase(s, c);
    c = tcase_create("accepted_implicit");
    tcase_add_test(c, accepted_implicit_steps);
    suite_add_tcase(s, c);
    c = tcase_create("samples_explicit");
    tcase_add_test(c, explicit_steps_of_samples);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
