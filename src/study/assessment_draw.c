// SPDX-License-Identifier: Apache-2.0
// The pictures of an assessment.
#include "base/memory.h"
#include "base/number.h"
#include "plot/matrix.h"
#include "plot/plot.h"
#include "study/assessment.h"

#include <math.h>
#include <stdlib.h>

/// A row is a class's own share: classes of different size can be compared.
static evn_status draw_confusion(const evn__assessment *a, const char *const *names, double *shares,
                                 int64_t count, const char *folder) {
    for (int64_t i = 0; i < count; ++i) {
        int64_t of_class = a->scores[i / a->classes].count;
        shares[i] = of_class > 0 ? (double)a->confusion[i] / (double)of_class : NAN;
    }
    const evn__matrix matrix = {.title = "Test images: true class and answer",
                                .rows = "true class",
                                .columns = "answer",
                                .note = "colour: share of the true class, from 0 to 1",
                                .labels = names,
                                .count = a->classes,
                                .values = shares,
                                .numbers = a->confusion};
    return evn__matrix_save(&matrix, folder, "confusion");
}

/// The share of the images in each bin as steps: [2·bins].
static void find_steps(const evn__assessment *a, double *x, double *y) {
    for (int i = 0; i < 2 * EVN__RELIABILITY_BINS; ++i) {
        x[i] = (double)((i + 1) / 2) / EVN__RELIABILITY_BINS;
        y[i] = (double)a->bins[i / 2].count / (double)a->samples;
    }
}

static evn_status draw_reliability(const evn__assessment *a, const char *folder) {
    double confidence[EVN__RELIABILITY_BINS], accuracy[EVN__RELIABILITY_BINS];
    double steps_x[2 * EVN__RELIABILITY_BINS], steps_y[2 * EVN__RELIABILITY_BINS];
    static const double ends[] = {0, 1};
    char title[128];
    for (int i = 0; i < EVN__RELIABILITY_BINS; ++i) {
        confidence[i] = a->bins[i].confidence;
        accuracy[i] = a->bins[i].accuracy;
    }
    find_steps(a, steps_x, steps_y);
    const evn__series series[] = {
        {"accuracy of a bin", EVN__MARKS, confidence, accuracy, NULL, EVN__RELIABILITY_BINS},
        {"as good as it says", EVN__DASHED, ends, ends, NULL, 2},
        {"share of the images", EVN__LINE, steps_x, steps_y, NULL, 2 * EVN__RELIABILITY_BINS}};
    evn__print(title, sizeof(title), "Reliability: expected calibration error %.4f",
               a->calibration_error);
    const evn__plot plot = {.title = title,
                            .x = {"probability of the answer", false},
                            .y = {"fraction of the test images", false},
                            .series = series,
                            .count = 3};
    return evn__plot_save(&plot, folder, "reliability");
}

evn_status evn__assessment_draw(const evn__assessment *assessment, const char *const *names,
                                const char *folder) {
    double *shares;
    int64_t count = (int64_t)assessment->classes * assessment->classes;
    EVN_TRY(EVN_NEW(&shares, count));
    evn_status status = draw_confusion(assessment, names, shares, count, folder);
    free(shares);
    EVN_TRY(status);
    return draw_reliability(assessment, folder);
}
