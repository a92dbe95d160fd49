// SPDX-License-Identifier: Apache-2.0
// Finished runs of one task side by side: those that differ in the seed alone are a group, and what
// is said of a group are means over its seeds.
#ifndef EVN_STUDY_COMPARISON_H
#define EVN_STUDY_COMPARISON_H

#include "base/memory.h"
#include "study/paper.h"
#include <jansson.h>
#include <stdbool.h>

/// A training as it went: an entry for each line of metrics.jsonl.
typedef struct evn__history {
    int count;
    double *epochs;  ///< trained so far: epochs, or iterations of a curve or a flow
    double *seconds; ///< of training so far
    double *loss;    ///< of training, since the entry before
    double *metric;  ///< the style's metric; NaN where it does not apply
} evn__history;

/// How the runs of a task are drawn side by side.
typedef struct evn__comparison_style {
    const char *metric; ///< drawn over epochs and over time; NULL: the losses are drawn
    const char *title;  ///< of the picture; %s of a picture of losses: the data
    const char *axis;   ///< label of what is drawn
    double scale;       ///< of the metric
    bool logarithmic;   ///< losses
} evn__comparison_style;

/// A run folder.
typedef struct evn__run {
    const char *folder; ///< borrowed
    json_t *description, *summary, *options;
    evn__history history;
} evn__run;

/// Runs that differ in the seed alone.
typedef struct evn__group {
    const char *label;     ///< what sets it apart from the other groups
    const json_t *options; ///< option → text, flat: of a phase as phase1.lr; device by name
    const evn__run **runs;
    int count;
    evn__history mean; ///< over the runs, as far as all of them went
} evn__group;

typedef struct evn__comparison {
    const char *task;
    const evn__comparison_style *style;
    evn__run *runs;          ///< finished ones
    evn__group *groups;      ///< in the order of their first runs
    const char **unfinished; ///< folders that were left out
    int run_count, group_count, unfinished_count;
    bool other_data; ///< a run has learnt other data than the paper measured
    evn__arena arena;
} evn__comparison;

/// Read run folders and group them. The folders' names are borrowed.
/// @param[in] style  finds the style of a task, or fails where it knows none of that name
/// @return EVN_ERR_FILE, EVN_ERR_FORMAT; EVN_ERR_DATA when they are not of one task, or none is
///         finished
evn_status evn__comparison_read(const char *const *folders, int count,
                                evn_status (*style)(const char *task,
                                                    const evn__comparison_style **style),
                                evn__comparison **comparison);
void evn__comparison_destroy(evn__comparison **comparison); ///< nulls; accepts NULL

/// Number `index` of the paper's figures that stand beside the runs, NULL past the last.
const evn__paper_figure *evn__comparison_figure(const evn__comparison *comparison, int index);

/// One number of summary.json over the runs of a group.
typedef struct evn__statistic {
    int count; ///< runs that have it; with 0 the others are NaN
    double mean, low, high;
    double deviation; ///< of a sample; NaN below 2 runs
} evn__statistic;

evn__statistic evn__group_statistic(const evn__group *group, const char *field);

/// Text of an option, "" where it was not given.
const char *evn__group_option(const evn__group *group, const char *name);

/// Losses of single batches are noisy: what is compared is their mean over this many iterations.
enum { EVN__LOSS_WINDOW = 50 };

/// Mean loss of the last EVN__LOSS_WINDOW epochs before and with entry `index`.
double evn__history_loss(const evn__history *history, int index);

/// The first entry where that is at or below `level`; −1 where it never is.
int evn__history_reaches(const evn__history *history, double level);

/// Whether two groups learn the same data, so that their losses can be compared.
bool evn__group_comparable(const evn__group *a, const evn__group *b);

/// Draw into the folder, which exists, png and svg: the style's metric over epochs and over time
/// (accuracy-epoch, accuracy-time), or the losses (loss, or loss-DATA for several data). At most
/// EVN__SERIES_MAX lines: the first groups, then what the paper says.
evn_status evn__comparison_draw(const evn__comparison *comparison, const char *folder);

#endif
