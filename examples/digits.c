// SPDX-License-Identifier: Apache-2.0
// Training through the library: NODE-EW on the built-in digits, backprop and then the adjoint.
#include <evonode/evonode.h>

#include <stdio.h>
#include <stdlib.h>

static void must(evn_status status) {
    if (status != EVN_OK) {
        fprintf(stderr, "%s\n", evn_error_message());
        exit((int)status);
    }
}

static void show_epoch(void *user, const evn_epoch *epoch) {
    double *accuracy = user;
    *accuracy = evn_metrics_value(&epoch->metrics, "test_accuracy");
    printf("epoch %d: loss %.4f, test accuracy %.1f %%\n", epoch->epoch + 1,
           evn_metrics_value(&epoch->metrics, "train_loss"), 100 * *accuracy);
}

int main(void) {
    evn_device *device = NULL;
    evn_dataset *digits = NULL;
    evn_source source;
    evn_task task;
    evn_trainer *trainer = NULL;
    double accuracy = 0;

    const evn_phase phases[] = {evn_phase_default("euler", 10, EVN_GRADIENT_BACKPROP, 5, 0.1),
                                evn_phase_default("dopri5", 0, EVN_GRADIENT_ADJOINT, 1, 0.01)};
    const evn_trainer_options options = {.phases = phases,
                                         .phase_count = 2,
                                         .optimizer =
                                             evn_optimizer_options_default(EVN_OPTIMIZER_SGD),
                                         .epoch_done = show_epoch,
                                         .user = &accuracy};
    const evn_model_options model = evn_model_options_default(8, 8, 1, 10);

    must(evn_device_open(NULL, &device));
    must(evn_dataset_open("digits", NULL, &digits));
    must(evn_source_images(digits, 32, NULL, 1, &source));
    must(evn_task_images(device, &source, &model, 1, &task));
    must(evn_trainer_create(device, &task, &options, &trainer));
    must(evn_trainer_run(trainer));

    evn_trainer_destroy(&trainer);
    evn_task_destroy(&task);
    evn_source_destroy(&source);
    evn_dataset_destroy(&digits);
    evn_device_close(&device);
    return accuracy > 0.9 ? EXIT_SUCCESS : EXIT_FAILURE;
}
