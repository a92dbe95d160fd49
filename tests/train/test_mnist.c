// SPDX-License-Identifier: Apache-2.0
// One epoch of backprop through ten Euler steps on MNIST, then the adjoint with dopri5 on a part of
// it: the accuracies that the project promises. Needs EVONODE_DATA/mnist.
// TEST: label=mnist timeout=1500
#include "evonode/trainer.h"
#include "test.h"
#include <stdio.h>
#include <stdlib.h>

static void print_epoch(void *user, const evn_epoch *epoch) {
    *(evn_epoch *)user = *epoch;
    printf("loss %.4f, test accuracy %.4f, %.1f s, NFE %.1f and %.1f\n", epoch->train_loss,
           epoch->test_accuracy, epoch->seconds, epoch->nfe_forward, epoch->nfe_backward);
}

static evn_trainer_options options(const evn_phase *phase, evn_epoch *last) {
    evn_trainer_options o = {.model = evn_model_options_default(28, 28, 1, 10),
                             .phases = phase,
                             .phase_count = 1,
                             .optimizer = evn_optimizer_options_default(EVN_OPTIMIZER_SGD),
                             .seed = 1,
                             .epoch_done = print_epoch,
                             .user = last};
    return o;
}

static void copy_parameters(evn_trainer *from, evn_trainer *to) {
    evn_parameters *p = evn_trainer_parameters(from), *q = evn_trainer_parameters(to);
    for (int i = 0; i < evn_parameters_count(p); ++i) {
        size_t count = (size_t)evn_shape_count(evn_parameters_shape(p, i));
        double *data = calloc(count, sizeof(*data));
        TRY(evn_parameters_read(p, i, data));
        TRY(evn_parameters_write(q, i, data));
        free(data);
    }
}

START_TEST(backprop_then_adjoint) {
    evn_phase euler = {.name = "backprop",
                       .solver = evn_solver_options_default(),
                       .epochs = 1,
                       .schedule = evn_schedule_default(0.1)};
    euler.solver.method = "euler";
    euler.solver.steps = 10;
    euler.solver.gradient = EVN_GRADIENT_BACKPROP;
    euler.schedule.kind = EVN_SCHEDULE_COSINE;
    euler.schedule.epochs = 1;
    euler.schedule.warmup = 0.1;
    evn_phase adjoint = {.name = "adjoint",
                         .solver = evn_solver_options_default(),
                         .epochs = 1,
                         .schedule = evn_schedule_default(0.001)};
    adjoint.solver.gradient = EVN_GRADIENT_ADJOINT;
    evn_epoch first, second;
    evn_dataset *all = NULL, *part = NULL;
    evn_trainer *trainer = NULL, *tuner = NULL;
    evn_trainer_options o = options(&euler, &first);
    TRY(evn_dataset_open("mnist", NULL, &all));
    TRY(evn_trainer_create(test_device(), all, &o, &trainer));
    TRY(evn_trainer_run(trainer));
    ck_assert_msg(first.test_accuracy >= 0.98, "%.4f after one epoch", first.test_accuracy);

    o = options(&adjoint, &second);
    TRY(evn_dataset_open("mnist", NULL, &part));
    TRY(evn_dataset_limit(part, EVN_TRAIN, 3200));
    TRY(evn_trainer_create(test_device(), part, &o, &tuner));
    copy_parameters(trainer, tuner);
    TRY(evn_trainer_run(tuner));
    // 10,000 test images at 98 %: the standard deviation of the accuracy is 0.14 %.
    ck_assert_msg(second.test_accuracy >= first.test_accuracy - 0.003, "%.4f after the adjoint",
                  second.test_accuracy);
    evn_trainer_destroy(&tuner);
    evn_trainer_destroy(&trainer);
    evn_dataset_destroy(&part);
    evn_dataset_destroy(&all);
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
