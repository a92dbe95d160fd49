// SPDX-License-Identifier: Apache-2.0
// A Neural ODE that follows a curve: it learns, twice alike, by backprop and by the adjoint.
#include "data/curve.h"
#include "task/trajectory.h"
#include "test.h"
#include "training.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 32 };

static evn_status open_status(const evn_phase *phases, int count, int width, test_record *r,
                              test_training *t) {
    evn_trainer_options options = test_trainer_options(phases, count, EVN_OPTIMIZER_ADAM, r);
    options.renew_optimizer = true;
    *t = (test_training){0};
    TRY(evn_source_curve(&t->source));
    const int widths[] = {width, width};
    evn_trajectory_options trajectory = evn_trajectory_options_default();
    trajectory.widths = widths;
    evn_status status = evn_task_trajectory(test_device(), &t->source, &trajectory, &t->task);
    return status == EVN_OK ? evn_trainer_create(test_device(), &t->task, &options, &t->trainer)
                            : status;
}

static test_training open_training(const evn_phase *phases, int count, test_record *r) {
    test_training t;
    TRY(open_status(phases, count, WIDTH, r, &t));
    return t;
}

/// The fit with a phase's solver, whose loss and largest error are those of the points themselves.
static evn__trajectory_fit fit_of(const test_training *t, const evn_phase *phase) {
    evn__trajectory_fit fit = {0};
    double loss = 0, worst = 0;
    TRY(evn__trajectory_evaluate(&t->task, &phase->solver, &fit));
    ck_assert_int_eq(fit.times, EVN__CURVE_POINTS);
    ck_assert_int_eq(fit.dimensions, EVN__CURVE_DIMENSIONS);
    for (int i = 0; i < EVN__CURVE_POINTS; ++i) {
        double s[EVN__CURVE_DIMENSIONS], sum = 0;
        evn__curve_at((i + 1) * 0.01, s);
        for (int k = 0; k < EVN__CURVE_DIMENSIONS; ++k) {
            sum += pow(fit.x[i * EVN__CURVE_DIMENSIONS + k] - s[k], 2);
        }
        loss += sum;
        worst = fmax(worst, sqrt(sum));
    }
    ck_assert_double_eq_tol(fit.max_error, worst, 1e-6); // the target is in single precision
    ck_assert_double_eq_tol(fit.loss / loss, 1, 1e-3);
    return fit;
}

START_TEST(target) {
    double s[EVN__CURVE_DIMENSIONS];
    evn__curve_at(0, s);
    ck_assert_double_eq(s[0], 0);
    ck_assert_double_eq(s[1], 1);
    ck_assert_double_eq(s[2], 1);
    evn__curve_at(1, s);
    ck_assert_double_eq_tol(s[0], sin(2) / 2, 1e-12);
    ck_assert_double_eq_tol(s[1], (1 - cos(2)) / 2 + (1 + cosh(2)) / 2, 1e-12);
    ck_assert_double_eq_tol(s[2], 2.718281828459045, 1e-12);
}
END_TEST

START_TEST(the_loss_falls) {
    test_record r = {0};
    evn_phase phases[] = {evn_phase_default("euler", 100, EVN_GRADIENT_BACKPROP, 400, 0.01)};
    test_training t = open_training(phases, 1, &r);
    evn__trajectory_fit before = fit_of(&t, &phases[0]);
    TRY(evn_trainer_run(t.trainer));
    evn__trajectory_fit after = fit_of(&t, &phases[0]);
    int count;
    const double *losses = evn_trainer_losses(t.trainer, &count);
    printf("loss %g → %g, max error %g → %g\n", before.loss, after.loss, before.max_error,
           after.max_error);
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
    ck_assert_double_eq_tol(evn_metrics_value(&last->metrics, "train_loss") / mean, 1, 1e-12);
    ck_assert_double_eq(evn_metrics_value(&last->metrics, "nfe_forward"), 100);
    ck_assert_ptr_null(evn_metrics_find(&last->metrics, "test_loss"));
    evn__trajectory_fit_free(&before);
    evn__trajectory_fit_free(&after);
    test_training_end(&t);
}
END_TEST

/// From Euler to the adaptive solver: the loss jumps by Euler's own error, then falls again.
START_TEST(the_adjoint_takes_over) {
    test_record r = {0};
    evn_phase phases[] = {evn_phase_default("euler", 100, EVN_GRADIENT_BACKPROP, 300, 0.01),
                          evn_phase_default("dopri5", 0, EVN_GRADIENT_ADJOINT, 20, 0.001)};
    test_training t = open_training(phases, 2, &r);
    TRY(evn_trainer_run(t.trainer));
    evn__trajectory_fit fit = fit_of(&t, &phases[1]);
    int count;
    const double *losses = evn_trainer_losses(t.trainer, &count);
    const evn_metrics *last = &r.reports[r.count - 1].metrics;
    printf("loss %g, by dopri5 %g → %g\n", losses[299], losses[300], fit.loss);
    ck_assert_int_eq(count, 320);
    ck_assert_double_lt(fit.loss, losses[300]);
    ck_assert_double_gt(evn_metrics_value(last, "nfe_backward"), 600);
    ck_assert_double_lt(evn_metrics_value(last, "x_reconstruction"), 0.01);
    evn__trajectory_fit_free(&fit);
    test_training_end(&t);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_bits) {
    double losses[2][40];
    evn_phase phases[] = {evn_phase_default("euler", 100, EVN_GRADIENT_BACKPROP, 30, 0.01),
                          evn_phase_default("dopri5", 0, EVN_GRADIENT_ADJOINT, 10, 0.001)};
    for (int i = 0; i < 2; ++i) {
        test_record r = {0};
        int count;
        test_training t = open_training(phases, 2, &r);
        TRY(evn_trainer_run(t.trainer));
        const double *all = evn_trainer_losses(t.trainer, &count);
        ck_assert_int_eq(count, 40);
        memcpy(losses[i], all, sizeof(losses[i]));
        test_training_end(&t);
    }
    ck_assert_mem_eq(losses[0], losses[1], sizeof(losses[0]));
}
END_TEST

START_TEST(endings) {
    test_record r = {.stop = true};
    evn_phase p = evn_phase_default("euler", 100, EVN_GRADIENT_BACKPROP, 10, 0.01);
    test_training t = open_training(&p, 1, &r);
    ck_assert_int_eq(evn_trainer_run(t.trainer), EVN_ERR_INTERRUPTED);
    ck_assert_int_eq(r.count, 1); // the iteration that was done
    test_training_end(&t);

    r.stop = false;
    p.schedule.rate = 1e30;
    t = open_training(&p, 1, &r);
    ck_assert_int_eq(evn_trainer_run(t.trainer), EVN_ERR_NOT_FINITE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "learning rate"));
    test_training_end(&t);
}
END_TEST

static void check_mistake(const evn_phase *p, int count, int width, const char *text) {
    test_record r = {0};
    test_training t;
    ck_assert_int_eq(open_status(p, count, width, &r, &t), EVN_ERR_ARGUMENT);
    ck_assert_msg(strstr(evn_error_message(), text), "%s", evn_error_message());
    test_training_end(&t);
}

START_TEST(mistakes_are_reported) {
    evn_phase p = evn_phase_default("euler", 100, EVN_GRADIENT_BACKPROP, 10, 0.01);
    check_mistake(&p, 1, 0, "width");
    check_mistake(&p, 0, 8, "phase");
    p.solver.gradient = EVN_GRADIENT_NONE;
    check_mistake(&p, 1, 8, "no gradient");
    evn_phase two[] = {evn_phase_default("euler", 100, EVN_GRADIENT_BACKPROP, 10, 0.01), p};
    two[0].automatic = true;
    two[1].solver.gradient = EVN_GRADIENT_BACKPROP;
    check_mistake(two, 2, 8, "iterates");
    evn_source source;
    evn_task task;
    TRY(evn_source_density("moons", 10, 1, &source)); // points without targets
    const evn_trajectory_options trajectory = evn_trajectory_options_default();
    ck_assert_int_eq(evn_task_trajectory(test_device(), &source, &trajectory, &task),
                     EVN_ERR_SHAPE);
    evn_source_destroy(&source);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("task/trajectory");
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
