// SPDX-License-Identifier: Apache-2.0
// What the command line knows of a task: one row each, in a file of its own. A new task is its
// file and its line in task.c.
#ifndef EVN_CLI_TASK_H
#define EVN_CLI_TASK_H

#include "cli/settings.h"
#include "exchange/unrolled.h"
#include "study/comparison.h"

typedef struct evn__session evn__session;
typedef struct evn__command evn__command; // verb.h

/// How a run answers inputs that it was not trained on: `evonode predict RUN INPUT...`.
typedef struct evn__prediction {
    /// Whether the command line is right, before anything is read; NULL: `open` says.
    evn_status (*check)(const evn__settings *given);
    /// Read the inputs that the command line names (its subjects after the run) and make the
    /// session's source, in place of the row's own `open`: no data of the training are there.
    /// Sets session->data, and session->close where they are to be released. NULL: the session is
    /// opened to use what the run has learnt.
    /// @param[in] run  run.json; "sample" and "target" are the shapes that it was trained on
    evn_status (*open)(evn__session *session, evn__settings *settings, const json_t *run,
                       const evn__command *command);
    /// Print the answers; the session's task has the run's parameters.
    evn_status (*answer)(evn__session *session, const evn__command *command);
} evn__prediction;

/// How a run becomes an ONNX model: `evonode export RUN --onnx FILE`.
typedef struct evn__exportation {
    const char *input; ///< what the input is, for who runs the model
    /// The network at fixed steps. The session's task has the run's parameters.
    evn_status (*unroll)(const evn__session *session, const evn__unroll_options *options,
                         evn__unrolled *unrolled);
} evn__exportation;

/// What an option is when it is not given. The first row that applies counts; phases add up.
typedef struct evn__default {
    const char *preset; ///< NULL: without one too
    const char *option, *value;
} evn__default;

/// How a metric is shown: scale · value + shift, by `format`, which may have text around the
/// number.
typedef struct evn__column {
    const char *metric, *title;
    const char *format;
    double scale, shift;
    bool spread; ///< compare: least and largest are shown too
} evn__column;

/// What eval tells of a run besides the metrics that every task has.
typedef struct evn__evaluation {
    /// Measure the test part as evn_task_evaluate does, add what else there is to the metrics and
    /// as members to `evaluation`, which becomes evaluation.json, and draw its pictures.
    /// @param[in] folder  for the pictures; NULL: none are drawn
    evn_status (*measure)(const evn__session *session, const char *folder, evn_metrics *metrics,
                          json_t *evaluation);
    /// Print what measure put into the evaluation, below the table of metrics.
    evn_status (*print)(const json_t *evaluation);
} evn__evaluation;

struct evn__task_row {
    const char *name, *text;
    const char *note; ///< on results without a preset, where they are smaller than the paper's
    int64_t steps;    ///< where a phase must have equal ones and says nothing
    bool iterates;    ///< an epoch is one iteration (as in evn_task_methods)
    bool renew;       ///< each phase begins with a fresh optimiser
    const char *const *options;   ///< of those that not every task has; NULL-ended
    const evn__default *defaults; ///< ended by a row without an option
    // Tables of columns, each ended by one without a metric.
    const evn__column *progress; ///< of the line of an epoch, title unused
    const evn__column *results;  ///< of the tables of train and eval, first of all
    const evn__column *compared; ///< of compare, first of all
    evn__comparison_style style; ///< of the pictures of compare

    /// The row that stands in for this one where settings, not yet complete, ask for other data;
    /// NULL: none ever does.
    const evn__task_row *(*stand_in)(const evn__settings *settings);
    /// Check the settings, read data, make the session's source, before there is a device.
    evn_status (*open)(evn__session *session, evn__settings *settings);
    /// The same for a run that is opened to use what it has learnt, from its folder session->run
    /// and its run.json alone, without the data that it was trained on; NULL: these have to be
    /// there. Sets session->data, and session->close where they are to be released.
    evn_status (*open_learnt)(evn__session *session, evn__settings *settings, const json_t *run);
    /// Write into the run directory what a run needs to be used besides its parameters; NULL:
    /// nothing.
    evn_status (*keep)(const evn__session *session, const char *folder);
    /// Make the session's task on its device.
    evn_status (*create)(evn__session *session, const evn__settings *settings);
    /// Draw the pictures of a finished training into the run directory; NULL: there are none.
    evn_status (*draw)(const evn__session *session, const evn__settings *settings,
                       const char *folder);
    /// Release session->data; NULL: there is none.
    void (*close)(evn__session *session);
    /// The ODE that the task solves, for so many samples: what gradcheck measures. Its weights are
    /// parameters of the task; *dynamics is the caller's, NULL where the model solves nothing.
    /// Itself never NULL.
    evn_status (*ode)(const evn_task *task, int64_t samples, evn_dynamics **dynamics);
    const evn__exportation *export;  ///< how it becomes an ONNX model; NULL: it does not
    const evn__prediction *predict;  ///< how it answers what the user gives
    const evn__evaluation *evaluate; ///< what eval says besides the metrics; NULL: nothing
    /// Print, or write into --out, what `evonode sample` gives of a run; NULL: nothing.
    evn_status (*sample)(const evn__session *session, const evn__command *command);
    /// Add to run.json what else there is to say of the data; NULL: nothing.
    void (*describe)(const evn__session *session, json_t *run);
    bool bound; ///< what is learnt is of the very data: a run of others is not opened
};

/// The row of a task.
/// @return `missing` with the names that there are
evn_status evn__task_find(const char *name, evn_status missing, const evn__task_row **row);

/// Whether what the task of that name counts are iterations, not epochs.
bool evn__task_iterates(const char *name);

/// The row for settings that are not yet complete: `row`, or the one that stands in for it.
const evn__task_row *evn__task_for(const evn__task_row *row, const evn__settings *settings);

/// Known tasks, in the order of the help, those that stand in for others too; NULL past the last.
const evn__task_row *evn__task_at(int index);

/// Columns for all tasks, behind those of the task.
extern const evn__column evn__console_columns[];
extern const evn__column evn__compared_columns[];           ///< of tasks with epochs
extern const evn__column evn__compared_iteration_columns[]; ///< of tasks that iterate

/// What is shown of a value.
double evn__column_value(const evn__column *column, double value);

/// Whether the task has the option.
bool evn__task_has_option(const evn__task_row *row, const char *option);

/// The number of values that `row` gives an option by default without a preset, and the one of
/// that index; NULL past the last.
const char *evn__task_default(const evn__task_row *row, const char *option, int index);

extern const evn__task_row evn__task_digits, evn__task_mnist, evn__task_folder; // task_images.c
extern const evn__task_row evn__task_curve;                                     // task_curve.c
extern const evn__task_row evn__task_flow;                                      // task_flow.c
extern const evn__task_row evn__task_points;                                    // task_points.c
extern const evn__evaluation evn__evaluate_images;                              // evaluate_images.c
extern const evn__task_row evn__task_series;                                    // task_series.c
/// A source of no images, in the shapes of a run.
evn_status evn__images_open_none(evn__session *session, evn__settings *settings,
                                 const json_t *run); // predict_images.c
extern const evn__prediction evn__predict_images;    // predict_images.c
extern const evn__prediction evn__predict_series;    // series_values.c
extern const evn__prediction evn__predict_points;    // flow_rows.c

#endif
