// SPDX-License-Identifier: Apache-2.0
#include "task/evaluate.h"

#include "base/status.h"
#include <stdio.h>

void evn_task_destroy(evn_task *task) {
    if (task->methods) {
        task->methods->destroy(task->self);
    }
    *task = (evn_task){0};
}

evn_status evn__task_run(const evn_task *task, void *program, const evn_batch *first,
                         int64_t batches, evn_tally *tally, double *nfe) {
    const evn_task_methods *m = task->methods;
    evn_batch batch = *first;
    int slots = m->slots;
    for (int64_t i = 0; i < batches; ++i) {
        int slot = (int)(i % slots);
        evn_solution solution = {0};
        batch.index = first->index + i;
        EVN_TRY(m->load(program, &batch, slot));
        EVN_TRY(m->forward(program, slot, &solution));
        *nfe += (double)solution.nfe / (double)batches;
        if (slot == slots - 1 || i == batches - 1) {
            EVN_TRY(m->read(program, 0, slot + 1, tally));
        }
    }
    return EVN_OK;
}

static evn_status set(evn_metrics *metrics, const char *prefix, const char *name, const char *unit,
                      evn_better better, double value) {
    char text[EVN_METRIC_NAME + 8];
    snprintf(text, sizeof(text), "%s_%s", prefix, name);
    return evn_metrics_set(metrics, text, unit, better, value);
}

evn_status evn__task_metrics(const evn_task *task, const char *prefix, const evn_tally *tally,
                             evn_metrics *metrics) {
    const evn_task_methods *m = task->methods;
    EVN_TRY(set(metrics, prefix, "loss", "", EVN_BETTER_LOWER, tally->loss / tally->weight));
    for (int i = 0; i < m->score_count; ++i) {
        const evn_score *score = &m->scores[i];
        double sum = tally->scores[i];
        EVN_TRY(set(metrics, prefix, score->name, score->unit, score->better,
                    score->mean ? sum / tally->weight : sum));
    }
    return EVN_OK;
}

static const char *prefix_of(evn_part part) {
    return part == EVN_TEST ? "test" : "train";
}

evn_status evn__task_measure(const evn_task *task, void *program, evn_part part, int64_t epoch,
                             evn_metrics *metrics) {
    evn_tally tally = {0};
    double nfe = 0;
    int64_t batches = task->methods->batches(task->self, part);
    evn_batch first = {.part = part, .epoch = epoch};
    EVN_CHECK(batches > 0, EVN_ERR_ARGUMENT, "the task %s has no %s part", task->methods->name,
              prefix_of(part));
    EVN_TRY(evn__task_run(task, program, &first, batches, &tally, &nfe));
    EVN_TRY(evn__task_metrics(task, prefix_of(part), &tally, metrics));
    if (part == EVN_TEST) {
        EVN_TRY(evn_metrics_set(metrics, "test_count", EVN_UNIT_COUNT, EVN_BETTER_NEITHER,
                                (double)tally.samples));
    }
    return nfe > 0 ? evn_metrics_set(metrics, "nfe_forward", "", EVN_BETTER_LOWER, nfe) : EVN_OK;
}

evn_status evn_task_evaluate(const evn_task *task, const evn_solver_options *solver, evn_part part,
                             int64_t epoch, evn_metrics *metrics) {
    void *program = NULL;
    evn_solver_options forward = *solver;
    forward.gradient = EVN_GRADIENT_NONE;
    if (task->methods->evaluate) {
        return task->methods->evaluate(task->self, &forward, part, metrics);
    }
    EVN_TRY(task->methods->compile(task->self, &forward, false, &program));
    evn_status status = evn__task_measure(task, program, part, epoch, metrics);
    task->methods->release(program);
    return status;
}
