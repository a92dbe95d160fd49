// SPDX-License-Identifier: Apache-2.0
// One trained model at more and more steps: the finite ResNets approach their limit.
// TEST: label=quick timeout=300
#include "study/depth.h"
#include "test.h"
#include "training.h"
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { EPOCHS = 4 };

static test_training open_task(evn_model_kind kind) {
    test_training t = {0};
    test_training_of_digits(&t, kind, 8, 640, 70, 2); // two batches to test on and a short one
    return t;
}

static evn_solver_options euler(void) {
    evn_solver_options solver = evn_solver_options_default();
    solver.method = "euler";
    solver.steps = 10;
    solver.gradient = EVN_GRADIENT_BACKPROP;
    return solver;
}

static void train(test_training *t) {
    const evn_phase phase = evn_phase_default("euler", 10, EVN_GRADIENT_BACKPROP, EPOCHS, 0.1);
    const evn_trainer_options options = test_trainer_options(&phase, 1, EVN_OPTIMIZER_SGD, NULL);
    test_training_begin(t, &options);
    TRY(evn_trainer_run(t->trainer));
}

START_TEST(more_steps_come_nearer) {
    test_training t = open_task(EVN_MODEL_NODE_EW);
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
    test_training_end(&t);
}
END_TEST

START_TEST(a_resnet_has_no_limit) {
    test_training t = open_task(EVN_MODEL_RESNET);
    evn__depth depths[EVN__DEPTHS];
    int64_t samples;
    ck_assert_int_eq(evn__depth_measure(&t.task, 1e-3, depths, &samples), EVN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "node"));
    test_training_end(&t);
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
