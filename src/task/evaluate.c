// SPDX-License-Identifier: Apache-2.0
#include "task/evaluate.h"

#include "base/status.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/// The names of scores become those of metrics.
static evn_status check_scores(const evn_task_methods *m) {
    enum { PREFIX = sizeof("train_") - 1 };
    for (int i = 0; i < m->score_count; ++i) {
        const evn_score *score = &m->scores[i];
        size_t length = score->name ? strlen(score->name) : 0;
        EVN_CHECK(score->unit && length > 0 && length + PREFIX < EVN_METRIC_NAME, EVN_ERR_ARGUMENT,
                  "score %d of the task %s needs a name of 1 to %d bytes and a unit, \"\" where it "
                  "has none",
                  i + 1, m->name, EVN_METRIC_NAME - 1 - PREFIX);
    }
    return EVN_OK;
}

evn_status evn__task_check(const evn_task *task) {
    EVN_REQUIRE(task);
    EVN_REQUIRE(task->methods);
    const evn_task_methods *m = task->methods;
    EVN_CHECK(m->name, EVN_ERR_ARGUMENT, "the task has no name");
    EVN_CHECK(m->parameters && m->batches && m->compile && m->release && m->load && m->forward &&
                  m->gradient && m->read && m->destroy,
              EVN_ERR_ARGUMENT, "the task %s lacks a function that is not optional (task.h)",
              m->name);
    EVN_CHECK(!m->state_bytes == !m->save && !m->save == !m->restore, EVN_ERR_ARGUMENT,
              "the task %s has a part of state_bytes, save and restore; give all or none", m->name);
    EVN_CHECK(m->slots >= 1 && m->score_count >= 0 && m->score_count <= EVN_SCORES_MAX &&
                  (m->scores || m->score_count == 0),
              EVN_ERR_ARGUMENT,
              "the task %s has %d slots and %d scores; give 1 or more and 0 to %d", m->name,
              m->slots, m->score_count, EVN_SCORES_MAX);
    return check_scores(m);
}

evn_status evn__task_result(const evn_task *task, const char *function, evn_status status) {
    if (status != EVN_OK && !evn_error_message()[0]) {
        EVN_FAIL(status, "%s of the task %s failed: %s", function, task->methods->name,
                 evn_status_text(status));
    }
    return status;
}

static evn_status check_part(evn_part part) {
    EVN_CHECK(part == EVN_TRAIN || part == EVN_TEST, EVN_ERR_ARGUMENT, "there is no part %d",
              (int)part);
    return EVN_OK;
}

void evn_task_destroy(evn_task *task) {
    if (!task) {
        return;
    }
    if (task->methods && task->methods->destroy) {
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
        EVN_TRY_TASK(task, load, program, &batch, slot);
        EVN_TRY_TASK(task, forward, program, slot, &solution);
        *nfe += (double)solution.nfe / (double)batches;
        if (slot == slots - 1 || i == batches - 1) {
            EVN_TRY_TASK(task, read, program, 0, slot + 1, tally);
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

/// Of a model whose states overflow some number is not finite: which, depends on the task. The
/// others may look like results, so that none of them is one.
static evn_status check_finite(const evn_metrics *metrics) {
    for (int i = 0; i < metrics->count; ++i) {
        const evn_metric *metric = &metrics->items[i];
        EVN_CHECK(isfinite(metric->value), EVN_ERR_NOT_FINITE,
                  "%s is not finite: the states of the model overflow with this solver; try more "
                  "steps, another solver or a smaller rtol, or train it again with a lower rate",
                  metric->name);
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
    EVN_TRY(check_part(part));
    int64_t batches = task->methods->batches(task->self, part);
    evn_batch first = {.part = part, .epoch = epoch};
    EVN_CHECK(batches > 0, EVN_ERR_ARGUMENT, "the task %s has no %s part", task->methods->name,
              prefix_of(part));
    EVN_TRY(evn__task_run(task, program, &first, batches, &tally, &nfe));
    EVN_TRY(evn__task_metrics(task, prefix_of(part), &tally, metrics));
    EVN_TRY(set(metrics, prefix_of(part), "count", EVN_UNIT_COUNT, EVN_BETTER_NEITHER,
                (double)tally.samples));
    EVN_TRY(nfe > 0 ? evn_metrics_set(metrics, "nfe_forward", "", EVN_BETTER_LOWER, nfe) : EVN_OK);
    return check_finite(metrics);
}

evn_status evn_task_evaluate(const evn_task *task, const evn_solver_options *solver, evn_part part,
                             int64_t epoch, evn_metrics *metrics) {
    void *program = NULL;
    EVN_TRY(evn__task_check(task));
    EVN_TRY(check_part(part));
    EVN_REQUIRE(solver);
    EVN_REQUIRE(metrics);
    const evn_solver_options forward = evn_solver_options_forward(solver);
    if (task->methods->evaluate) {
        EVN_TRY_TASK(task, evaluate, task->self, &forward, part, metrics);
        return check_finite(metrics);
    }
    EVN_TRY_TASK(task, compile, task->self, &forward, false, &program);
    evn_status status = evn__task_measure(task, program, part, epoch, metrics);
    task->methods->release(program);
    return status;
}
