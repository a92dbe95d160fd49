// SPDX-License-Identifier: Apache-2.0
#include "study/assessment.h"

#include "base/json.h"
#include "base/memory.h"
#include "task/classifier.h"

#include <math.h>
#include <stdlib.h>

// Measuring ---------------------------------------------------------------------------------------

static double ratio(double a, double b) {
    return b > 0 ? a / b : NAN;
}

static void add_sample(evn__assessment *a, const double *p, int answer, int label) {
    const double least = 1e-300; // a probability that is 0 in double
    int bin = (int)(p[answer] * EVN__RELIABILITY_BINS);
    evn__reliability *r =
        &a->bins[bin < EVN__RELIABILITY_BINS && bin >= 0 ? bin : EVN__RELIABILITY_BINS - 1];
    ++a->confusion[label * a->classes + answer];
    ++a->scores[label].count;
    ++a->scores[answer].answered;
    ++r->count;
    r->confidence += p[answer];
    r->accuracy += answer == label;
    a->negative_log_likelihood -= log(fmax(p[label], least));
    for (int c = 0; c < a->classes; ++c) {
        a->brier += (p[c] - (c == label)) * (p[c] - (c == label));
    }
}

static void finish_classes(evn__assessment *a) {
    int present = 0;
    for (int c = 0; c < a->classes; ++c) {
        evn__class_score *s = &a->scores[c];
        double right = (double)a->confusion[c * a->classes + c];
        s->precision = ratio(right, (double)s->answered);
        s->recall = ratio(right, (double)s->count);
        s->f1 = ratio(2 * right, (double)(s->count + s->answered));
        if (s->count > 0) {
            ++present;
            a->macro_f1 += s->f1;
        }
    }
    a->macro_f1 = ratio(a->macro_f1, present);
}

static void finish(evn__assessment *a) {
    double n = (double)a->samples;
    finish_classes(a);
    for (int i = 0; i < EVN__RELIABILITY_BINS; ++i) {
        evn__reliability *r = &a->bins[i];
        a->calibration_error += fabs(r->confidence - r->accuracy) / n;
        r->confidence = ratio(r->confidence, (double)r->count);
        r->accuracy = ratio(r->accuracy, (double)r->count);
    }
    a->negative_log_likelihood /= n;
    a->brier /= n;
}

evn_status evn__assess(const double *logits, const uint16_t *labels, int64_t samples, int classes,
                       evn__assessment *assessment) {
    evn__assessment *a = assessment;
    double *p = NULL;
    *a = (evn__assessment){.classes = classes, .samples = samples};
    EVN_TRY(EVN_NEW(&a->confusion, (int64_t)classes * classes));
    EVN_TRY(EVN_NEW(&a->scores, classes));
    EVN_TRY(EVN_NEW(&p, classes));
    for (int64_t i = 0; i < samples; ++i) {
        const double *row = logits + i * classes;
        evn__classifier_probabilities(row, classes, p);
        add_sample(a, p, evn__classifier_choice(row, classes), labels[i]);
    }
    free(p);
    finish(a);
    return EVN_OK;
}

void evn__assessment_free(evn__assessment *assessment) {
    free(assessment->confusion);
    free(assessment->scores);
    assessment->confusion = NULL;
    assessment->scores = NULL;
}

// JSON --------------------------------------------------------------------------------------------

static json_t *number(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *show_classes(const evn__assessment *a, const char *const *names) {
    json_t *classes = json_array();
    for (int c = 0; c < a->classes; ++c) {
        const evn__class_score *s = &a->scores[c];
        evn__json_append(classes,
                         json_pack("{s:s, s:I, s:I, s:o, s:o, s:o}", "class", names[c], "count",
                                   (json_int_t)s->count, "answered", (json_int_t)s->answered,
                                   "precision", number(s->precision), "recall", number(s->recall),
                                   "f1", number(s->f1)));
    }
    return classes;
}

static json_t *show_confusion(const evn__assessment *a) {
    json_t *rows = json_array();
    for (int truth = 0; truth < a->classes; ++truth) {
        json_t *row = json_array();
        for (int answer = 0; answer < a->classes; ++answer) {
            evn__json_append(row, json_integer(a->confusion[truth * a->classes + answer]));
        }
        evn__json_append(rows, row);
    }
    return rows;
}

static json_t *show_bins(const evn__assessment *a) {
    json_t *bins = json_array();
    for (int i = 0; i < EVN__RELIABILITY_BINS; ++i) {
        const evn__reliability *r = &a->bins[i];
        evn__json_append(bins, json_pack("{s:f, s:f, s:I, s:o, s:o}", "from",
                                         (double)i / EVN__RELIABILITY_BINS, "to",
                                         (double)(i + 1) / EVN__RELIABILITY_BINS, "count",
                                         (json_int_t)r->count, "confidence", number(r->confidence),
                                         "accuracy", number(r->accuracy)));
    }
    return bins;
}

json_t *evn__assessment_show(const evn__assessment *assessment, const char *const *names) {
    const evn__assessment *a = assessment;
    json_t *calibration =
        json_pack("{s:o, s:o, s:o, s:o}", "expected_error", number(a->calibration_error),
                  "negative_log_likelihood", number(a->negative_log_likelihood), "brier",
                  number(a->brier), "bins", show_bins(a));
    return json_pack("{s:o, s:o, s:o}", "classes", show_classes(a, names), "confusion",
                     show_confusion(a), "calibration", calibration);
}
