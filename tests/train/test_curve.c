// SPDX-License-Identifier: Apache-2.0
// A Neural ODE that follows a curve: it learns, twice alike, by backprop and by the adjoint.
#include "evonode/solver.h"
#include "test.h"
#include "train/curve.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 32, MAX_COUNT = 64 };

typedef struct record {
    evn_epoch reports[MAX_COUNT];
    int count;
    bool stop;
} record;

static void keep(void *user, const evn_epoch *epoch) {
    record *r = user;
    ck_assert_int_lt(r->count, MAX_COUNT);
    r->reports[r->count++] = *epoch;
}

static bool stops(void *user) {
    return ((record *)user)->stop;
}

static evn_phase phase(const char *method, int steps, evn_gradient gradient, int iterations,
                       double rate) {
    evn_phase p = {.name = method,
                   .solver = evn_solver_options_default(),
                   .epochs = iterations,
                   .schedule = evn_schedule_default(rate)};
    p.solver.method = method;
    p.solver.steps = steps;
    p.solver.gradient = gradient;
    return p;
}

static evn__curve *curve_with(const evn_phase *phases, int count, record *r) {
    evn_trainer_options options = {.phases = phases,
                                   .phase_count = count,
                                   .optimizer = evn_optimizer_options_default(EVN_OPTIMIZER_ADAM),
                                   .seed = 1,
                                   .epoch_done = keep,
                                   .stop = stops,
                                   .user = r};
    evn__curve *curve = NULL;
    TRY(evn__curve_create(test_device(), WIDTH, &options, &curve));
    return curve;
}

/// Loss and largest error of the points themselves.
static void check_fit(const evn__curve_fit *fit) {
    double loss = 0, worst = 0;
    for (int i = 0; i < EVN__CURVE_POINTS; ++i) {
        double s[EVN__CURVE_DIMENSIONS], sum = 0;
        evn__curve_target((i + 1) * 0.01, s);
        for (int k = 0; k < EVN__CURVE_DIMENSIONS; ++k) {
            sum += pow(fit->x[i][k] - s[k], 2);
        }
        loss += sum;
        worst = fmax(worst, sqrt(sum));
    }
    ck_assert_double_eq_tol(fit->max_error, worst, 1e-12);
    ck_assert_double_eq_tol(fit->loss / loss, 1, 1e-3); // single precision
}

START_TEST(target) {
    double s[EVN__CURVE_DIMENSIONS];
    evn__curve_target(0, s);
    ck_assert_double_eq(s[0], 0);
    ck_assert_double_eq(s[1], 1);
    ck_assert_double_eq(s[2], 1);
    evn__curve_target(1, s);
    ck_assert_double_eq_tol(s[0], sin(2) / 2, 1e-12);
    ck_assert_double_eq_tol(s[1], (1 - cos(2)) / 2 + (1 + cosh(2)) / 2, 1e-12);
    ck_assert_double_eq_tol(s[2], 2.718281828459045, 1e-12);
}
END_TEST

START_TEST(the_loss_falls) {
    record r = {0};
    evn_phase phases[] = {phase("euler", 100, EVN_GRADIENT_BACKPROP, 400, 0.01)};
    evn__curve *curve = curve_with(phases, 1, &r);
    evn__curve_fit before, after;
    TRY(evn__curve_evaluate(curve, 0, &before));
    TRY(evn__curve_run(curve));
    TRY(evn__curve_evaluate(curve, 0, &after));
    int count;
    const double *losses = evn__curve_losses(curve, &count);
    printf("loss %g → %g, max error %g → %g\n", before.loss, after.loss, before.max_error,
           after.max_error);
    check_fit(&before);
    check_fit(&after);
    ck_assert_int_eq(count, 400);
    ck_assert_double_eq_tol(losses[0] / before.loss, 1, 1e-5);
    ck_assert_double_lt(after.loss, before.loss / 100);
    ck_assert_int_eq(r.count, 40);
    const evn_epoch *last = &r.reports[39];
    ck_assert_int_eq(last->epoch, 399);
    double mean = 0; // of what the last report is about
    for (int i = 390; i < 400; ++i) {
        mean += losses[i] / 10;
    }
    ck_assert_double_eq_tol(last->train_loss / mean, 1, 1e-12);
    ck_assert_double_eq(last->nfe_forward, 100);
    ck_assert(isnan(last->test_accuracy));
    evn__curve_destroy(&curve);
}
END_TEST

/// From Euler to the adaptive solver: the loss jumps by Euler's own error, then falls again.
START_TEST(the_adjoint_takes_over) {
    record r = {0};
    evn_phase phases[] = {phase("euler", 100, EVN_GRADIENT_BACKPROP, 300, 0.01),
                          phase("dopri5", 0, EVN_GRADIENT_ADJOINT, 20, 0.001)};
    evn__curve *curve = curve_with(phases, 2, &r);
    evn__curve_fit fit;
    TRY(evn__curve_run(curve));
    TRY(evn__curve_evaluate(curve, 1, &fit));
    int count;
    const double *losses = evn__curve_losses(curve, &count);
    printf("loss %g, by dopri5 %g → %g\n", losses[299], losses[300], fit.loss);
    check_fit(&fit);
    ck_assert_int_eq(count, 320);
    ck_assert_double_lt(fit.loss, losses[300]);
    ck_assert_double_gt(r.reports[r.count - 1].nfe_backward, 600);
    ck_assert_double_lt(r.reports[r.count - 1].x_reconstruction, 0.01);
    evn__curve_destroy(&curve);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_bits) {
    double losses[2][40];
    evn_phase phases[] = {phase("euler", 100, EVN_GRADIENT_BACKPROP, 30, 0.01),
                          phase("dopri5", 0, EVN_GRADIENT_ADJOINT, 10, 0.001)};
    for (int i = 0; i < 2; ++i) {
        record r = {0};
        int count;
        evn__curve *curve = curve_with(phases, 2, &r);
        TRY(evn__curve_run(curve));
        const double *all = evn__curve_losses(curve, &count);
        ck_assert_int_eq(count, 40);
        memcpy(losses[i], all, sizeof(losses[i]));
        evn__curve_destroy(&curve);
    }
    ck_assert_mem_eq(losses[0], losses[1], sizeof(losses[0]));
}
END_TEST

START_TEST(endings) {
    record r = {.stop = true};
    evn_phase p = phase("euler", 100, EVN_GRADIENT_BACKPROP, 10, 0.01);
    evn__curve *curve = curve_with(&p, 1, &r);
    ck_assert_int_eq(evn__curve_run(curve), EVN_ERR_INTERRUPTED);
    evn__curve_destroy(&curve);

    r.stop = false;
    p.schedule.rate = 1e30;
    curve = curve_with(&p, 1, &r);
    ck_assert_int_eq(evn__curve_run(curve), EVN_ERR_NOT_FINITE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "learning rate"));
    evn__curve_destroy(&curve);
}
END_TEST

START_TEST(mistakes_are_reported) {
    evn__curve *curve = NULL;
    evn_phase p = phase("euler", 150, EVN_GRADIENT_BACKPROP, 10, 0.01);
    evn_trainer_options options = {.phases = &p,
                                   .phase_count = 1,
                                   .optimizer = evn_optimizer_options_default(EVN_OPTIMIZER_ADAM)};
    ck_assert_int_eq(evn__curve_create(test_device(), 8, &options, &curve), EVN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "multiple of 100"));
    p.solver.steps = 100;
    ck_assert_int_eq(evn__curve_create(test_device(), 0, &options, &curve), EVN_ERR_ARGUMENT);
    options.phase_count = 0;
    ck_assert_int_eq(evn__curve_create(test_device(), 8, &options, &curve), EVN_ERR_ARGUMENT);
    ck_assert_ptr_null(curve);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("train/curve");
    TCase *learning = tcase_create("learning");
    tcase_add_test(learning, target);
    tcase_add_test(learning, the_loss_falls);
    suite_add_tcase(s, learning);
    TCase *switching = tcase_create("switching");
    tcase_add_test(switching, the_adjoint_takes_over);
    suite_add_tcase(s, switching);
    TCase *repeating = tcase_create("repeating");
    tcase_add_test(repeating, the_same_seed_gives_the_same_bits);
    suite_add_tcase(s, repeating);
    TCase *ends = tcase_create("endings");
    tcase_add_test(ends, endings);
    tcase_add_test(ends, mistakes_are_reported);
    suite_add_tcase(s, ends);
    return s;
}

int main(void) {
    return test_run(suite());
}
