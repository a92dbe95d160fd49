// SPDX-License-Identifier: Apache-2.0
#include "study/depth.h"

#include "base/memory.h"
#include "plot/plot.h"
#include "task/classifier.h"
#include "task/images.h"
#include <math.h>
#include <stdlib.h>

static const int steps[EVN__DEPTHS] = {5, 10, 20, 40, 80, 0};

static evn_solver_options solver_at(int count, double tolerance) {
    evn_solver_options options = evn_solver_options_default();
    options.method = count > 0 ? "euler" : "dopri5";
    options.steps = count;
    options.rtol = options.atol = tolerance;
    return options;
}

static void compare(const double *logits, const double *limit, int64_t samples, int classes,
                    evn__depth *depth) {
    double sum = 0;
    for (int64_t i = 0; i < samples * classes; ++i) {
        sum += fabs(logits[i] - limit[i]);
    }
    depth->difference = sum / (double)(samples * classes);
    for (int64_t i = 0; i < samples; ++i) {
        depth->changed += evn__classifier_choice(logits + i * classes, classes) !=
                          evn__classifier_choice(limit + i * classes, classes);
    }
}

static evn_status measure_all(const evn_task *task, double tolerance, double *logits, size_t block,
                              evn__depth *depths, int64_t *samples) {
    for (int i = 0; i < EVN__DEPTHS; ++i) {
        evn_solver_options solver = solver_at(steps[i], tolerance);
        evn_metrics m = {0};
        evn_status status = evn__images_logits(task, &solver, logits + (size_t)i * block, &m);
        EVN_TRY(status == EVN_OK
                    ? EVN_OK
                    : evn__prepend(status, "%s, %d steps", solver.method, solver.steps));
        depths[i] = (evn__depth){.steps = steps[i],
                                 .nfe = evn_metrics_value(&m, "nfe_forward"),
                                 .accuracy = evn_metrics_value(&m, "test_accuracy"),
                                 .errors = (int64_t)evn_metrics_value(&m, "test_errors")};
        *samples = (int64_t)evn_metrics_value(&m, "test_count");
    }
    const double *limit = logits + (size_t)(EVN__DEPTHS - 1) * block;
    int classes = evn_model_get_options(evn__images_model(task))->classes;
    for (int i = 0; i < EVN__DEPTHS; ++i) {
        compare(logits + (size_t)i * block, limit, *samples, classes, &depths[i]);
    }
    return EVN_OK;
}

evn_status evn__depth_measure(const evn_task *task, double tolerance,
                              evn__depth depths[EVN__DEPTHS], int64_t *samples) {
    const evn_model *model = evn__images_model(task);
    EVN_CHECK(
        evn_model_dynamics(model), EVN_ERR_ARGUMENT,
        "a ResNet has layers, not a depth that can be refined: take a run of node or node-ew");
    size_t block =
        (size_t)evn__images_test_capacity(task) * (size_t)evn_model_get_options(model)->classes;
    double *logits = NULL;
    EVN_TRY(EVN_NEW(&logits, block * EVN__DEPTHS));
    evn_status status = measure_all(task, tolerance, logits, block, depths, samples);
    free(logits);
    return status;
}

evn_status evn__depth_draw(const evn__depth depths[EVN__DEPTHS], int64_t samples,
                           const char *folder) {
    enum { EULER = EVN__DEPTHS - 1 };
    double x[EULER], difference[EULER], first_order[EULER], errors[EULER], limit[EULER];
    for (int i = 0; i < EULER; ++i) {
        x[i] = depths[i].steps;
        difference[i] = depths[i].difference;
        first_order[i] = depths[0].difference * depths[0].steps / depths[i].steps;
        errors[i] = 100 * (double)depths[i].errors / (double)samples;
        limit[i] = 100 * (double)depths[EULER].errors / (double)samples;
    }
    const evn__series logits[] = {
        {.label = "Euler against dopri5",
         .style = EVN__MARKS,
         .x = x,
         .y = difference,
         .count = EULER},
        {.label = "first order", .style = EVN__DASHED, .x = x, .y = first_order, .count = EULER}};
    const evn__series rates[] = {
        {.label = "Euler", .style = EVN__LINE, .x = x, .y = errors, .count = EULER},
        {.label = "dopri5", .style = EVN__DASHED, .x = x, .y = limit, .count = EULER}};
    evn__plot plot = {.title = "One model at more and more steps: logits",
                      .x = {"Euler steps", true},
                      .y = {"mean |difference of logits|", true},
                      .series = logits,
                      .count = 2};
    EVN_TRY(evn__plot_save(&plot, folder, "depth-logits"));
    plot = (evn__plot){.title = "One model at more and more steps: test errors",
                       .x = {"Euler steps", true},
                       .y = {"test error (%)", false},
                       .series = rates,
                       .count = 2};
    return evn__plot_save(&plot, folder, "depth-errors");
}
