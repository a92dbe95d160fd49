// SPDX-License-Identifier: Apache-2.0
// Two epochs of backprop through ten Euler steps on a quarter of MNIST, then the adjoint with
// dopri5 on less; test_mnist_long.c takes all of it. Needs EVONODE_DATA/mnist. With 8 lanes and
// with 16 the accuracy is 0.953 after the first, 0.954 after the second: of 2,500 images a standard
// deviation is 0.004.
// TEST: label=mnist timeout=1500
#include "evonode/tasks.h"
#include "evonode/trainer.h"
#include "test.h"
#include <stdio.h>
#include <stdlib.h>

#ifndef TRAINED // images, of both parts, and the least accuracy after each phase
#define TRAINED      15000
#define TESTED       2500
#define LEAST        0.93
#define LEAST_CHANGE (-0.012)
#endif

static void print_epoch(void *user, const evn_epoch *epoch) {
    const evn_metrics *m = &epoch->metrics;
    *(double *)user = evn_metrics_value(m, "test_accuracy");
    printf("loss %.4f, test accuracy %.4f, %.1f s, NFE %.1f and %.1f\n",
           evn_metrics_value(m, "train_loss"), evn_metrics_value(m, "test_accuracy"),
           evn_metrics_value(m, "seconds"), evn_metrics_value(m, "nfe_forward"),
           evn_metrics_value(m, "nfe_backward"));
}

static void copy_parameters(const evn_task *from, const evn_task *to) {
    evn_parameters *p = from->methods->parameters(from->self);
    evn_parameters *q = to->methods->parameters(to->self);
    for (int i = 0; i < evn_parameters_count(p); ++i) {
        size_t count = (size_t)evn_shape_count(evn_parameters_shape(p, i));
        double *data = calloc(count, sizeof(*data));
        TRY(evn_parameters_read(p, i, data));
        TRY(evn_parameters_write(q, i, data));
        free(data);
    }
}

/// Train a phase on the first `limit` images, from the parameters of `start`; the accuracy after.
static double train(const evn_phase *phase, int64_t limit, evn_task *start, evn_task *task) {
    double accuracy = 0;
    evn_dataset *dataset = NULL;
    evn_source source;
    evn_trainer *trainer = NULL;
    const evn_model_options model = evn_model_options_default(28, 28, 1, 10);
    const evn_trainer_options options = {.phases = phase,
                                         .phase_count = 1,
                                         .optimizer =
                                             evn_optimizer_options_default(EVN_OPTIMIZER_SGD),
                                         .epoch_done = print_epoch,
                                         .user = &accuracy};
    TRY(evn_dataset_open("mnist", NULL, &dataset));
    TRY(evn_dataset_limit(dataset, EVN_TRAIN, limit));
    TRY(evn_dataset_limit(dataset, EVN_TEST, TESTED));
    TRY(evn_source_images(dataset, model.batch, NULL, 1, &source));
    TRY(evn_task_images(test_device(), &source, &model, 1, task));
    if (start) {
        copy_parameters(start, task);
    }
    TRY(evn_trainer_create(test_device(), task, &options, &trainer));
    TRY(evn_trainer_run(trainer));
    evn_trainer_destroy(&trainer);
    evn_source_destroy(&source);
    evn_dataset_destroy(&dataset);
    return accuracy;
}

START_TEST(backprop_then_adjoint) {
    evn_phase euler = {.name = "backprop",
                       .solver = evn_solver_options_default(),
                       .epochs = 2,
                       .schedule = evn_schedule_default(0.1)};
    euler.solver.method = "euler";
    euler.solver.steps = 10;
    euler.solver.gradient = EVN_GRADIENT_BACKPROP;
    euler.schedule.kind = EVN_SCHEDULE_COSINE;
    euler.schedule.epochs = 2;
    euler.schedule.warmup = 0.1;
    evn_phase adjoint = {.name = "adjoint",
                         .solver = evn_solver_options_default(),
                         .epochs = 1,
                         .schedule = evn_schedule_default(0.001)};
    adjoint.solver.gradient = EVN_GRADIENT_ADJOINT;
    evn_task whole, part;
    double first = train(&euler, TRAINED, NULL, &whole);
    ck_assert_msg(first >= LEAST, "%.4f after two epochs", first);
    double second = train(&adjoint, 3200, &whole, &part);
    ck_assert_msg(second - first >= LEAST_CHANGE, "%.4f after the adjoint", second);
    evn_task_destroy(&part);
    evn_task_destroy(&whole);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("train/mnist");
    TCase *training = tcase_create("training");
    tcase_add_test(training, backprop_then_adjoint);
    suite_add_tcase(s, training);
    return s;
}

int main(void) {
    return test_run(suite());
}
