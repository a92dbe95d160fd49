// SPDX-License-Identifier: Apache-2.0
// A flow on rows of numbers: densities in the user's units, and early stopping.
#include "data/points.h"
#include "evonode/trainer.h"
#include "task/flow.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { D = 3, COUNT = 120, EPOCHS = 200, REPORTS_MAX = 64 };

/// A training on few points of a known Gaussian.
typedef struct training {
    evn_source source;
    evn_task task;
    evn_trainer *trainer;
    double reported[REPORTS_MAX]; ///< losses of what is held out
    int count, epochs;
    evn_switch ended;
    int save_after;     ///< and stop; −1: not
    int stop_at, calls; ///< of stops, two an iteration: from which on to stop and save; 0: none
    bool stop;
} training;

static const char *checkpoint_path(void) {
    static char path[512];
    snprintf(path, sizeof(path), "%s/checkpoint.safetensors", test_folder());
    return path;
}

static bool is_stopped(const training *t) {
    return t->stop_at > 0 && t->calls >= t->stop_at;
}

static void keep(void *user, const evn_epoch *epoch) {
    training *t = user;
    ck_assert_int_lt(t->count, REPORTS_MAX);
    t->reported[t->count++] = evn_metrics_value(&epoch->metrics, "held_out_loss");
    t->epochs = epoch->epoch + 1;
    t->ended = epoch->ended;
    if (epoch->epoch == t->save_after || is_stopped(t)) {
        TRY(evn_trainer_save(t->trainer, checkpoint_path()));
        t->stop = true;
    }
}

static bool stops(void *user) {
    training *t = user;
    ++t->calls;
    return t->stop || is_stopped(t);
}

static void open_training(double rate, double log_volume, training *t) {
    static float rows[COUNT][D];
    double z[COUNT * D];
    evn_phase phase = {.name = "backprop",
                       .solver = evn_solver_options_default(),
                       .epochs = EPOCHS,
                       .schedule = evn_schedule_default(rate),
                       .held_out = true};
    phase.solver.method = "rk4";
    phase.solver.steps = 4;
    phase.solver.gradient = EVN_GRADIENT_BACKPROP;
    const evn_trainer_options options = {.phases = &phase,
                                         .phase_count = 1,
                                         .optimizer =
                                             evn_optimizer_options_default(EVN_OPTIMIZER_ADAM),
                                         .epoch_done = keep,
                                         .stop = stops,
                                         .user = t};
    const evn_flow_options flow = {.model = "node-ew",
                                   .entropy = NAN,
                                   .seed = 1,
                                   .width = 16,
                                   .span = 1,
                                   .log_volume = log_volume};
    test_uniform(5, -1.7, 1.7, z, COUNT * D);
    for (int i = 0; i < COUNT * D; ++i) {
        rows[i / D][i % D] = (float)z[i];
    }
    *t = (training){.save_after = -1};
    TRY(evn_source_points(rows[0], COUNT, D, 50, 0.25, 2, &t->source));
    TRY(evn_task_flow(test_device(), &t->source, &flow, &t->task));
    TRY(evn_trainer_create(test_device(), &t->task, &options, &t->trainer));
}

static void close_training(training *t) {
    evn_trainer_destroy(&t->trainer);
    evn_task_destroy(&t->task);
    evn_source_destroy(&t->source);
}

static double nll(const training *t, evn_part part) {
    evn_metrics metrics = {0};
    evn_solver_options solver = evn_solver_options_default();
    solver.method = "rk4";
    solver.steps = 4;
    TRY(evn_task_evaluate(&t->task, &solver, part, 0, &metrics));
    double value = evn_metrics_value(&metrics, part == EVN_TEST ? "test_nll" : "train_nll");
    if (part == EVN_TEST) {
        ck_assert_double_eq_tol(evn_metrics_value(&metrics, "test_bits"), value / (D * log(2)),
                                1e-12);
    }
    ck_assert(!evn_metrics_find(&metrics, "gap_nats"));
    return value;
}

/// Small dynamics hardly move a point: the flow begins as the Gaussian of its source's units.
START_TEST(it_begins_as_a_gaussian) {
    training t;
    double values[2];
    for (int i = 0; i < 2; ++i) {
        open_training(0.01, 2.5 * i, &t);
        values[i] = nll(&t, EVN_TEST);
        close_training(&t);
    }
    ck_assert_double_eq_tol(values[0], D * (log(2 * acos(-1)) + 1.7 * 1.7 / 3) / 2, 0.25);
    ck_assert_double_eq_tol(values[1], values[0] + 2.5, 1e-6); // what the units add
}
END_TEST

/// With so few points a flow learns them by heart: the phase ends early, with the best parameters.
START_TEST(what_is_held_out_stops_it) {
    training t;
    open_training(0.1, 0, &t);
    TRY(evn_trainer_run(t.trainer));
    double best = INFINITY;
    for (int i = 0; i < t.count; ++i) {
        best = fmin(best, t.reported[i]);
    }
    ck_assert_int_lt(t.epochs, EPOCHS);
    ck_assert_int_eq(t.ended, EVN_SWITCH_HELD_OUT);
    ck_assert_double_gt(t.reported[t.count - 1], best);
    ck_assert_double_le(nll(&t, EVN_TEST), best + 1e-5);
    ck_assert_double_lt(nll(&t, EVN_TRAIN), t.reported[0] + 1);
    close_training(&t);
}
END_TEST

static void read_theta(const training *t, double *theta) {
    evn_parameters *parameters = t->task.methods->parameters(t->task.self);
    TRY(evn_parameters_read(parameters, evn_parameters_find(parameters, EVN__FLOW_WEIGHT), theta));
}

/// The best parameters so far are a part of the checkpoint.
START_TEST(a_checkpoint_goes_on) {
    static double theta[2][(3 * D + 1) * 16];
    training whole, first, second;
    int epochs;
    open_training(0.1, 0, &whole);
    TRY(evn_trainer_run(whole.trainer));
    read_theta(&whole, theta[0]);
    open_training(0.1, 0, &first);
    first.save_after = whole.epochs - 11; // after the best one
    ck_assert_int_eq(evn_trainer_run(first.trainer), EVN_ERR_INTERRUPTED);
    close_training(&first);
    open_training(0.1, 0, &second);
    TRY(evn_trainer_restore(second.trainer, checkpoint_path(), &epochs));
    TRY(evn_trainer_run(second.trainer));
    ck_assert_int_eq(second.epochs, whole.epochs);
    read_theta(&second, theta[1]);
    ck_assert_mem_eq(theta[0], theta[1], sizeof(theta[0]));
    close_training(&second);
    close_training(&whole);
}
END_TEST

/// A stop between two reports looks at nothing that no look without a stop would: what was best,
/// and how long ago, stays as it is.
START_TEST(a_stop_between_reports_looks_at_nothing) {
    static double theta[2][(3 * D + 1) * 16];
    training whole, first, second;
    int epochs;
    open_training(0.1, 0, &whole);
    TRY(evn_trainer_run(whole.trainer));
    read_theta(&whole, theta[0]);
    open_training(0.1, 0, &first);
    first.stop_at = 2 * (whole.epochs - 7);
    ck_assert_int_eq(evn_trainer_run(first.trainer), EVN_ERR_INTERRUPTED);
    ck_assert(isnan(first.reported[first.count - 1])); // no report was due
    close_training(&first);
    open_training(0.1, 0, &second);
    TRY(evn_trainer_restore(second.trainer, checkpoint_path(), &epochs));
    ck_assert_int_eq(epochs, whole.epochs - 7);
    TRY(evn_trainer_run(second.trainer));
    ck_assert_int_eq(second.epochs, whole.epochs);
    read_theta(&second, theta[1]);
    ck_assert_mem_eq(theta[0], theta[1], sizeof(theta[0]));
    close_training(&second);
    close_training(&whole);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("points");
    TCase *c = tcase_create("units");
    tcase_add_test(c, it_begins_as_a_gaussian);
    suite_add_tcase(s, c);
    c = tcase_create("held_out");
    tcase_add_test(c, what_is_held_out_stops_it);
    tcase_add_test(c, a_checkpoint_goes_on);
    tcase_add_test(c, a_stop_between_reports_looks_at_nothing);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
