// SPDX-License-Identifier: Apache-2.0
// Trajectories with learnt starts and missing values: the gradient, what windows gain; a series
// that is trained, measured and asked for values.
#include "evonode/trainer.h"
#include "plan/real.h"
#include "program.h"
#include "task/series.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// A training on a file of the test's folder.
typedef struct training {
    evn__time_series *series;
    evn_source source;
    evn_task task;
    evn_trainer *trainer;
} training;

static const int widths[] = {12};

static evn_trajectory_options small(const char *evolution, int extra) {
    evn_trajectory_options options = evn_trajectory_options_default();
    options.widths = widths;
    options.layers = 1;
    options.activation = "tanh";
    options.evolution = evolution;
    options.extra = extra;
    options.continuity = 0.7;
    return options;
}

static evn_solver_options rk4(evn_gradient gradient) {
    evn_solver_options solver = evn_solver_options_default();
    solver.method = "rk4";
    solver.steps = 8;
    solver.gradient = gradient;
    return solver;
}

/// x = cos t and y = sin t at n times, with gaps, as a file.
static void write_circle(const char *name, int n) {
    char text[1 << 14];
    int at = snprintf(text, sizeof(text), "t,x,y\n");
    for (int i = 0; i < n; ++i) {
        double t = 0.3 * i + (i % 3 == 1 ? 0.1 : 0);
        at += snprintf(text + at, sizeof(text) - (size_t)at, "%.6f,", t);
        at += snprintf(text + at, sizeof(text) - (size_t)at, i % 5 == 2 ? "," : "%.6f,", cos(t));
        at += snprintf(text + at, sizeof(text) - (size_t)at, "%.6f\n", 10 + 3 * sin(t));
    }
    test_write(name, text, (size_t)at);
}

static training open_task(const evn__series_options *read, const evn_trajectory_options *options) {
    training t = {0};
    char path[TEST_PATH];
    TRY(evn__series_read(test_path(path, "circle.csv"), read, &t.series));
    TRY(evn__source_series(t.series, &t.source));
    TRY(evn__series_task(test_device(), &t.source, t.series, options, &t.task));
    return t;
}

static void train(training *t, int iterations) {
    evn_phase phase = {.name = "backprop",
                       .solver = rk4(EVN_GRADIENT_BACKPROP),
                       .epochs = iterations,
                       .schedule = evn_schedule_default(0.02)};
    evn_trainer_options options = {.phases = &phase,
                                   .phase_count = 1,
                                   .optimizer = evn_optimizer_options_default(EVN_OPTIMIZER_ADAM)};
    TRY(evn_trainer_create(test_device(), &t->task, &options, &t->trainer));
    TRY(evn_trainer_run(t->trainer));
}

static void close_task(training *t) {
    evn_trainer_destroy(&t->trainer);
    evn_task_destroy(&t->task);
    evn_source_destroy(&t->source);
    evn__series_destroy(&t->series);
}

// Gradients ---------------------------------------------------------------------------------------

static double loss_of(const training *t, void *program) {
    const evn_batch batch = {.part = EVN_TRAIN, .training = true};
    evn_solution solution;
    evn_tally tally = {0};
    TRY(t->task.methods->load(program, &batch, 0));
    TRY(t->task.methods->forward(program, 0, &solution));
    TRY(t->task.methods->read(program, 0, 1, &tally));
    return tally.loss;
}

/// The derivative along the gradient itself is its square; in single precision.
static void check_gradient(const training *t, void *program, int index) {
    evn_parameters *parameters = t->task.methods->parameters(t->task.self);
    const char *name = evn_parameters_name(parameters, index);
    int64_t count = evn_shape_count(evn_parameters_shape(parameters, index));
    evn_solution solution;
    double values[512], moved[512], gradient[512], square = 0, sides[2];
    ck_assert_int_le(count, 512);
    loss_of(t, program);
    TRY(t->task.methods->gradient(program, &solution));
    TRY(evn_parameters_read(parameters, index, values));
    TRY(evn_parameters_read_gradient(parameters, index, gradient));
    for (int64_t i = 0; i < count; ++i) {
        square += gradient[i] * gradient[i];
    }
    ck_assert_msg(square > 0, "%s has no gradient", name);
    double h = 5e-3 / sqrt(square);
    for (int side = 0; side < 2; ++side) {
        for (int64_t i = 0; i < count; ++i) {
            moved[i] = values[i] + (side ? h : -h) * gradient[i];
        }
        TRY(evn_parameters_write(parameters, index, moved));
        sides[side] = loss_of(t, program);
    }
    TRY(evn_parameters_write(parameters, index, values));
    double error = (sides[1] - sides[0]) / (2 * h) / square - 1;
    printf("%s: relative error %.2g\n", name, error);
    ck_assert_msg(fabs(error) < 0.02, "%s: %g", name, error);
}

/// Starts that are tied, weights that evolve, a column that nobody sees; by each gradient.
START_TEST(gradients) {
    const evn__series_options read = {.window = 4, .holdout = 0.2};
    const evn_trajectory_options options = small(_i % 2 ? "linear" : NULL, _i % 2);
    write_circle("circle.csv", 20);
    training t = open_task(&read, &options);
    evn_solver_options solver = rk4((evn_gradient)(EVN_GRADIENT_BACKPROP + _i));
    void *program = NULL;
    TRY(t.task.methods->compile(t.task.self, &solver, true, &program));
    evn_parameters *parameters = t.task.methods->parameters(t.task.self);
    for (int i = 0; i < evn_parameters_count(parameters); ++i) {
        check_gradient(&t, program, i);
    }
    t.task.methods->release(program);
    close_task(&t);
}
END_TEST

// Learning ----------------------------------------------------------------------------------------

/// Windows meet: the fit, the forecast, and both in the units of the file.
START_TEST(a_circle_is_learnt) {
    const evn__series_options read = {.window = 5, .holdout = 0.25};
    const evn_trajectory_options options = small(NULL, 0);
    write_circle("circle.csv", 40);
    training t = open_task(&read, &options);
    const evn_solver_options solver = rk4(EVN_GRADIENT_NONE);
    evn_metrics metrics = {0};
    train(&t, 600);
    TRY(evn_task_evaluate(&t.task, &solver, EVN_TEST, 0, &metrics));
    double train_error = evn_metrics_value(&metrics, "train_error");
    double test_error = evn_metrics_value(&metrics, "test_error");
    double x = evn_metrics_value(&metrics, "test_rmse.x"),
           y = evn_metrics_value(&metrics, "test_rmse.y");
    printf("errors %g, %g; x %g, y %g\n", train_error, test_error, x, y);
    ck_assert(train_error < 0.05 && test_error < 0.2);
    ck_assert(x < 0.2 && y < 0.6 && y > x); // y has three times the size

    const evn__series_model model = evn__series_get_model(&t.task);
    ck_assert_ptr_eq(model.series, t.series);
    const evn__request requests[] = {{0, 10}, {0, 0.05}, {0, 13.2}, {0, 0}, {0, 3.1}};
    double values[5][2];
    TRY(evn__series_predict(&model, &solver, requests, 5, values[0]));
    for (int i = 0; i < 5; ++i) {
        ck_assert_double_eq_tol(values[i][0], cos(requests[i].t), 0.25);
        ck_assert_double_eq_tol(values[i][1], 10 + 3 * sin(requests[i].t), 0.75);
    }
    double alone[2]; // a request does not depend on the others
    TRY(evn__series_predict(&model, &solver, &requests[1], 1, alone));
    ck_assert_double_eq_tol(alone[0], values[1][0], 1e-3);
    const evn__request early = {0, -1};
    ck_assert_int_eq(evn__series_predict(&model, &solver, &early, 1, alone), EVN_ERR_DATA);
    close_task(&t);
}
END_TEST

/// A solve begins anew at every whole unit of time: weights that evolve do so again.
START_TEST(runs_begin_anew) {
    const evn__series_options read = {.window = 4};
    const evn_trajectory_options options = small("linear", 0);
    write_circle("circle.csv", 20);
    training t = open_task(&read, &options);
    train(&t, 50);
    const evn__trajectory_model model = evn__series_get_model(&t.task).trajectory;
    const evn_solver_options solver = rk4(EVN_GRADIENT_NONE);
    const double start[] = {0.3, -0.2}, times[] = {0, 0.5, 1, 1.5, 2.5}, again[] = {0.5};
    double x[5][2], y[2];
    TRY(evn__trajectory_run(&model, &solver, 1, start, times, 5, x[0], NULL));
    ck_assert_double_eq_tol(x[0][0], 0.3, 1e-6);
    TRY(evn__trajectory_run(&model, &solver, 1, x[2], again, 1, y, NULL));
    ck_assert_double_eq_tol(y[0], x[3][0], 1e-5);
    ck_assert_double_eq_tol(y[1], x[3][1], 1e-5);
    close_task(&t);
}
END_TEST

START_TEST(the_same_seed_gives_the_same_bits) {
    double losses[2][20];
    const evn__series_options read = {.window = 4};
    const evn_trajectory_options options = small("rda", 1);
    write_circle("circle.csv", 20);
    for (int i = 0; i < 2; ++i) {
        int count;
        training t = open_task(&read, &options);
        train(&t, 20);
        memcpy(losses[i], evn_trainer_losses(t.trainer, &count), sizeof(losses[i]));
        ck_assert_int_eq(count, 20);
        close_task(&t);
    }
    ck_assert_mem_eq(losses[0], losses[1], sizeof(losses[0]));
    ck_assert(losses[0][19] < losses[0][0]);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("task/series");
    TCase *gradient = tcase_create("gradients");
    tcase_add_loop_test(gradient, gradients, 0, 3);
    suite_add_tcase(s, gradient);
    TCase *learning = tcase_create("learning");
    tcase_add_test(learning, a_circle_is_learnt);
    tcase_add_test(learning, runs_begin_anew);
    tcase_add_test(learning, the_same_seed_gives_the_same_bits);
    suite_add_tcase(s, learning);
    return s;
}

int main(void) {
    return test_run(suite());
}
