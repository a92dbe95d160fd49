// SPDX-License-Identifier: Apache-2.0
// What the trainer and evaluation do alike with a compiled task.
#ifndef EVN_TASK_EVALUATE_H
#define EVN_TASK_EVALUATE_H

#include "base/status.h"
#include "evonode/task.h"

/// Whether a caller's task has all that is not optional.
/// @return EVN_ERR_ARGUMENT with what it lacks
evn_status evn__task_check(const evn_task *task);

/// What a function of a task ended with, with a message where it left none. EVN_TRY_TASK passes it
/// on; no message of another failure can be taken for its own.
evn_status evn__task_result(const evn_task *task, const char *function, evn_status status);

#define EVN_TRY_TASK(task, function, ...)                                                          \
    do {                                                                                           \
        evn__error_clear();                                                                        \
        EVN_TRY(evn__task_result((task), #function, (task)->methods->function(__VA_ARGS__)));      \
    } while (0)

/// Forward runs over `batches` batches from *first on, added to the tally; adds the mean number of
/// evaluations to *nfe.
evn_status evn__task_run(const evn_task *task, void *program, const evn_batch *first,
                         int64_t batches, evn_tally *tally, double *nfe);

/// Set PREFIX_loss and PREFIX_… of the task's scores from a tally.
evn_status evn__task_metrics(const evn_task *task, const char *prefix, const evn_tally *tally,
                             evn_metrics *metrics);

/// As evn_task_evaluate, with a program; not in the task's own way.
evn_status evn__task_measure(const evn_task *task, void *program, evn_part part, int64_t epoch,
                             evn_metrics *metrics);

#endif
