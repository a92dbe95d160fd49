// SPDX-License-Identifier: Apache-2.0
// One trained model at more and more steps: the finite ResNets approach their limit.
// TEST: label=quick timeout=300
#include "test.h"
#include "train/depth.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { EPOCHS = 4 };

static evn_trainer *make(evn_dataset *dataset, evn_model_kind kind) {
    evn_phase phase = {.name = "backprop",
                       .solver = evn_solver_options_default(),
                       .epochs = EPOCHS,
                       .schedule = evn_schedule_default(0.1)};
    phase.solver.method = "euler";
    phase.solver.steps = 10;
    phase.solver.gradient = EVN_GRADIENT_BACKPROP;
    evn_trainer_options options = {.model = evn_model_options_default(8, 8, 1, 10),
                                   .phases = &phase,
                                   .phase_count = 1,
                                   .optimizer = evn_optimizer_options_default(EVN_OPTIMIZER_SGD),
                                   .seed = 2};
    options.model.kind = kind;
    options.model.batch = 32;
    options.model.filters = 8;
    evn_trainer *trainer = NULL;
    TRY(evn_trainer_create(test_device(), dataset, &options, &trainer));
    return trainer;
}

static evn_dataset *digits(void) {
    evn_dataset *dataset = NULL;
    TRY(evn_dataset_open("digits", NULL, &dataset));
    TRY(evn_dataset_limit(dataset, EVN_TRAIN, 640));
    TRY(evn_dataset_limit(dataset, EVN_TEST, 70)); // two batches and a short one
    return dataset;
}

START_TEST(more_steps_come_nearer) {
    evn_dataset *dataset = digits();
    evn_trainer *trainer = make(dataset, EVN_MODEL_NODE_EW);
    evn__depth depths[EVN__DEPTHS];
    TRY(evn_trainer_run(trainer));
    TRY(evn__depth_measure(trainer, 1e-5, depths));
    for (int i = 0; i < EVN__DEPTHS; ++i) {
        printf("%d steps: %.1f NFE, accuracy %.3f, difference %.3g, changed %lld\n",
               depths[i].steps, depths[i].nfe, depths[i].accuracy, depths[i].difference,
               (long long)depths[i].changed);
    }
    for (int i = 1; i + 1 < EVN__DEPTHS; ++i) { // Euler is of first order
        double ratio = depths[i - 1].difference / depths[i].difference;
        ck_assert_msg(ratio > 1.4 && ratio < 3, "%d steps: ratio %g", depths[i].steps, ratio);
        ck_assert(depths[i].nfe == depths[i].steps);
    }
    ck_assert(depths[EVN__DEPTHS - 1].difference == 0);
    ck_assert_int_eq(depths[EVN__DEPTHS - 1].changed, 0);
    ck_assert(depths[4].accuracy > 0.5);
    evn_epoch direct;
    TRY(evn_trainer_evaluate(trainer, 0, EVN_TEST, &direct)); // Euler, 10 steps
    ck_assert_int_eq(direct.test_errors, depths[1].errors);

    char path[512];
    struct stat status;
    TRY(evn__depth_draw(depths, evn_trainer_test_samples(trainer), test_folder()));
    snprintf(path, sizeof(path), "%s/depth-logits.png", test_folder());
    ck_assert_int_eq(stat(path, &status), 0);
    evn_trainer_destroy(&trainer);
    evn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(a_resnet_has_no_limit) {
    evn_dataset *dataset = digits();
    evn_trainer *trainer = make(dataset, EVN_MODEL_RESNET);
    evn__depth depths[EVN__DEPTHS];
    ck_assert_int_eq(evn__depth_measure(trainer, 1e-3, depths), EVN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "node"));
    evn_trainer_destroy(&trainer);
    evn_dataset_destroy(&dataset);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("train/depth");
    TCase *depth = tcase_create("depth");
    tcase_add_test(depth, more_steps_come_nearer);
    tcase_add_test(depth, a_resnet_has_no_limit);
    suite_add_tcase(s, depth);
    return s;
}

int main(void) {
    return test_run(suite());
}
