// SPDX-License-Identifier: Apache-2.0
// What people see: progress on standard error, tables of results on standard output.
#ifndef EVN_CLI_CONSOLE_H
#define EVN_CLI_CONSOLE_H

#include "cli/task.h"
#include "evonode/trainer.h"

enum { EVN__PROGRESS = 256 };

/// How far training is, as a line.
void evn__console_progress_text(const evn_phase *phases, const evn_progress *progress,
                                char text[EVN__PROGRESS]);

/// Where the page of the training is served.
void evn__console_watch(const char *url);

/// Show what is going on where no step has been reported yet; nothing without a terminal.
void evn__console_activity(const char *text);

/// A line about the data.
void evn__console_note(const char *text);

/// The device memory that a training needs, and the parts that its batches are computed in (0 or 1:
/// none); as a result on standard output where it was all that was asked for.
void evn__console_memory(const char *needs, int micro_batches, bool result);

/// Where a run computes, and who chose that or why.
void evn__console_device(const evn_device *device);

/// That the device is used though it computes wrongly: what was found.
void evn__console_distrust(const char *what);

/// A line as it is.
void evn__console_line(const char *text);

/// A line that asks for attention.
void evn__console_warning(const char *text);

/// What was read: counts, sizes, classes.
void evn__console_dataset(const evn_dataset *dataset);

/// Remove the progress line.
void evn__console_clear(void);

/// The line of an epoch, of `epochs` in all, with the task's columns.
void evn__console_epoch(const evn__task_row *row, const evn_phase *phases, int epochs,
                        const evn_epoch *epoch);

/// Say that a phase goes on from checkpoints; whether it did.
bool evn__console_fallback(const evn_phase *phases, const evn_epoch *epoch);
/// Warn when the state or the weights cannot be solved backwards, or when the two states of the
/// reversible method have come apart; whether it did.
bool evn__console_reconstruction(const evn_phase *phases, const evn_epoch *epoch);

/// The table at the end of a training run; what was not measured is left out.
/// @param[in] note  a line more, or NULL
void evn__console_summary(const evn__task_row *row, const char *folder, const evn_device *device,
                          const evn_metrics *metrics, const char *note);

/// What the paper says of the task with that model (NULL: node); lines of that table.
void evn__console_paper(const char *task, const char *model);

/// That a run resumes after so many of its epochs ("epoch", "iteration").
void evn__console_resumed(const char *unit, int done, int all);

/// That there is nothing to resume.
void evn__console_finished(const char *folder);

/// That metrics.jsonl lacks epochs which the checkpoint knows of; nothing where it has them all.
void evn__console_lost(const char *folder, int listed, int done);

/// That a run goes on from the checkpoint before, since the newest cannot be read.
void evn__console_older(const char *reason);

/// That a run which is evaluated is not finished.
void evn__console_unfinished(const char *folder);

/// That a checkpoint could not be written, and why.
void evn__console_unsaved(const char *reason);

/// The table of an evaluation with one solver, of a checkpoint in the folder or, where that is
/// NULL, of the run's model.
void evn__console_evaluation(const evn__task_row *row, const char *folder, const char *checkpoint,
                             const evn_device *device, const evn_solver_options *solver,
                             const evn_metrics *metrics);

#endif
