// SPDX-License-Identifier: Apache-2.0
// One trained model at more and more steps: the finite ResNets approach their limit.
// TEST: label=quick timeout=300
#include "evonode/trainer.h"
#include "study/depth.h"
#include "test.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { EPOCHS = 4 };

typedef struct trained {
    evn_dataset *dataset;
    evn_source source;
    evn_task task;
} trained;

static trained open_task(evn_model_kind kind) {
    trained t = {0};
    evn_model_options model = evn_model_options_default(8, 8, 1, 10);
    model.kind = kind;
    model.filters = 8;
    TRY(evn_dataset_open("digits", NULL, &t.dataset));
    TRY(evn_dataset_limit(t.dataset, EVN_TRAIN, 640));
    TRY(evn_dataset_limit(t.dataset, EVN_TEST, 70)); // two batches and a short one
    TRY(evn_source_images(t.dataset, 32, NULL, 2, &t.source));
    TRY(evn_task_images(test_device(), &t.source, &model, 2, &t.task));
    return t;
}

static void close_task(trained *t) {
    evn_task_destroy(&t->task);
    evn_source_destroy(&t->source);
    evn_dataset_destroy(&t->dataset);
}

static evn_solver_options euler(void) {
    evn_solver_options solver = evn_solver_options_default();
    solver.method = "euler";
    solver.steps = 10;
    solver.gradient = EVN_GRADIENT_BACKPROP;
    return solver;
}

static void train(const trained *t) {
    evn_phase phase = {.name = "backprop",
                       .solver = euler(),
                       .epochs = EPOCHS,
                       .schedule = evn_schedule_default(0.1)};
    const evn_trainer_options options = {.phases = &phase,
                                         .phase_count = 1,
                                         .optimizer =
                                             evn_optimizer_options_default(EVN_OPTIMIZER_SGD)};
    evn_trainer *trainer = NULL;
    TRY(evn_trainer_create(test_device(), &t->task, &options, &trainer));
    TRY(evn_trainer_run(trainer));
    evn_trainer_destroy(&trainer);
}

START_TEST(more_steps_come_nearer) {
    trained t = open_task(EVN_MODEL_NODE_EW);
    evn__depth depths[EVN__DEPTHS];
    int64_t samples;
    train(&t);
    TRY(evn__depth_measure(&t.task, 1e-5, depths, &samples));
    ck_assert_int_eq(samples, 70);
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
    evn_metrics direct = {0};
    evn_solver_options solver = euler();
    TRY(evn_task_evaluate(&t.task, &solver, EVN_TEST, 0, &direct));
    ck_assert_double_eq(evn_metrics_value(&direct, "test_errors"), (double)depths[1].errors);

    char path[512];
    struct stat status;
    TRY(evn__depth_draw(depths, samples, test_folder()));
    snprintf(path, sizeof(path), "%s/depth-logits.png", test_folder());
    ck_assert_int_eq(stat(path, &status), 0);
    close_task(&t);
}
END_TEST

START_TEST(a_resnet_has_no_limit) {
    trained t = open_task(EVN_MODEL_RESNET);
    evn__depth depths[EVN__DEPTHS];
    int64_t samples;
    ck_assert_int_eq(evn__depth_measure(&t.task, 1e-3, depths, &samples), EVN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "node"));
    close_task(&t);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("study/depth");
    TCase *depth = tcase_create("depth");
    tcase_add_test(depth, more_steps_come_nearer);
    tcase_add_test(depth, a_resnet_has_no_limit);
    suite_add_tcase(s, depth);
    return s;
}

int main(void) {
    return test_run(suite());
}
