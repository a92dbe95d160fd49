// SPDX-License-Identifier: Apache-2.0
// What He, Xie and Lin (PRCV 2019, "Neural Ordinary Differential Equations with Evolutionary
// Weights") measured, to be shown beside what is measured here.
#ifndef EVN_STUDY_PAPER_H
#define EVN_STUDY_PAPER_H

#include <stdbool.h>

/// One training of the paper. What it does not say is NaN.
typedef struct evn__paper_figure {
    const char *task;
    const char *model;        ///< as --model names it
    const char *name;         ///< what the paper trains
    const char *source;       ///< where the paper says so
    double test_error;        ///< %
    double seconds_per_epoch; ///< on the paper's machine
    double speedup;           ///< of the whole training, over the adjoint method alone
    const char *text;         ///< what it says in words, or NULL
} evn__paper_figure;

/// Number `index` of the figures for a task, NULL past the last.
const evn__paper_figure *evn__paper_figure_at(const char *task, int index);

/// Whether the paper's figures are of these data, whole and unchanged.
/// @param[in] digest  evn__dataset_digest; "" or NULL: none is known, or data are computed
bool evn__paper_is_on(const char *task, const char *digest);

#endif
