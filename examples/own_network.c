// SPDX-License-Identifier: Apache-2.0
// A network of one's own through the library: two ODEs with a down-sampling between them, as lists
// of layers, trained on the built-in digits. The kernels of the first ODE evolve.
#include <evonode/evonode.h>

#include <stdio.h>
#include <stdlib.h>

static const char layers[] =
    "{\"stem\": [{\"layer\": \"conv\", \"filters\": 16}, \"norm\", \"relu\"],"
    " \"blocks\": ["
    "   {\"ode\": [\"norm\", \"silu\", {\"layer\": \"conv\", \"time\": true}], \"evolve\": "
    "\"rda\"},"
    "   {\"layers\": [{\"layer\": \"conv\", \"filters\": 32, \"size\": 4, \"stride\": 2}]},"
    "   {\"ode\": [\"norm\", \"silu\", \"conv\"]}],"
    " \"head\": [\"norm\", \"relu\", \"global-pool\", {\"layer\": \"dense\", \"units\": "
    "\"classes\"}]}";

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
    evn_network *network = NULL;
    evn_source source;
    evn_task task;
    evn_trainer *trainer = NULL;
    double accuracy = 0;

    must(evn_network_parse(layers, "own network", &network)); // a file: evn_network_read
    evn_model_options model = evn_model_options_default(8, 8, 1, 10);
    model.network = network;
    const evn_phase phase = evn_phase_default("euler", 4, EVN_GRADIENT_BACKPROP, 4, 0.1);
    const evn_trainer_options options = {.phases = &phase,
                                         .phase_count = 1,
                                         .optimizer =
                                             evn_optimizer_options_default(EVN_OPTIMIZER_SGD),
                                         .epoch_done = show_epoch,
                                         .user = &accuracy};

    must(evn_device_open(NULL, &device));
    must(evn_dataset_open("digits", NULL, &digits));
    must(evn_source_images(digits, 32, NULL, 1, &source));
    must(evn_task_images(device, &source, &model, 1, &task));
    evn_network_destroy(&network); // the model has a copy
    must(evn_trainer_create(device, &task, &options, &trainer));
    must(evn_trainer_run(trainer));

    evn_trainer_destroy(&trainer);
    evn_task_destroy(&task);
    evn_source_destroy(&source);
    evn_dataset_destroy(&digits);
    evn_device_close(&device);
    return accuracy > 0.8 ? EXIT_SUCCESS : EXIT_FAILURE;
}
