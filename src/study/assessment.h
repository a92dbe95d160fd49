// SPDX-License-Identifier: Apache-2.0
// What the answers of a classifier are worth: class by class, and whether its probabilities are as
// good as they say.
#ifndef EVN_STUDY_ASSESSMENT_H
#define EVN_STUDY_ASSESSMENT_H

#include "base/status.h"
#include <jansson.h>
#include <stdint.h>

enum { EVN__RELIABILITY_BINS = 15 };

/// Answers for one class. NaN: there is nothing to divide by.
typedef struct evn__class_score {
    int64_t count, answered; ///< samples of the class, and those that were taken for it
    double precision;        ///< of those that were taken for it, the share that is
    double recall;           ///< of the class, the share that was found
    double f1;               ///< their harmonic mean
} evn__class_score;

/// Samples whose most probable class has a probability within (i, i + 1)/EVN__RELIABILITY_BINS.
typedef struct evn__reliability {
    int64_t count;
    double confidence, accuracy; ///< means; NaN where there is none
} evn__reliability;

typedef struct evn__assessment {
    int classes;
    int64_t samples;
    int64_t *confusion;       ///< [classes, classes]: true class, answer; owned
    evn__class_score *scores; ///< [classes]; owned
    evn__reliability bins[EVN__RELIABILITY_BINS];
    double macro_f1;          ///< mean over the classes that have samples
    double calibration_error; ///< expected: mean over the samples of |confidence − accuracy| of
                              ///< their bin (Guo et al. 2017)
    double negative_log_likelihood; ///< mean −log of the true class's probability, nats
    double brier; ///< mean squared distance from the one-hot truth, 0 … 2 (Brier 1950)
} evn__assessment;

/// @param[in]  logits  [samples, classes]
/// @param[in]  labels  [samples]
/// @param[out] assessment  freed by the caller with evn__assessment_free, also after a failure
evn_status evn__assess(const double *logits, const uint16_t *labels, int64_t samples, int classes,
                       evn__assessment *assessment);
void evn__assessment_free(evn__assessment *assessment);

/// All of it as an object, for evaluation.json: "classes", "confusion", "calibration".
/// @param[in] names  [classes]
json_t *evn__assessment_show(const evn__assessment *assessment, const char *const *names);

/// Draw confusion and reliability (.png, .svg) into the folder.
evn_status evn__assessment_draw(const evn__assessment *assessment, const char *const *names,
                                const char *folder);

#endif
