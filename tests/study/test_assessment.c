// SPDX-License-Identifier: Apache-2.0
#include "program.h"
#include "study/assessment.h"
#include "test.h"

#include <math.h>

enum { SAMPLES = 5, CLASSES = 3 };

/// Probabilities (0.8, 0.1, 0.1) and their like, as logits.
static void fill(double *logits) {
    static const int likely[SAMPLES] = {0, 0, 1, 1, 0};
    for (int i = 0; i < SAMPLES; ++i) {
        for (int c = 0; c < CLASSES; ++c) {
            logits[i * CLASSES + c] = 7 + log(c == likely[i] ? 0.8 : 0.1);
        }
    }
}

START_TEST(values) {
    static const uint16_t labels[SAMPLES] = {0, 0, 1, 0, 1};
    double logits[SAMPLES * CLASSES];
    evn__assessment a;
    fill(logits);
    TRY(evn__assess(logits, labels, SAMPLES, CLASSES, &a));
    const int64_t confusion[] = {2, 1, 0, 1, 1, 0, 0, 0, 0};
    ck_assert_mem_eq(a.confusion, confusion, sizeof(confusion));
    ck_assert_int_eq(a.scores[0].count, 3);
    ck_assert_int_eq(a.scores[0].answered, 3);
    ck_assert_double_eq_tol(a.scores[0].precision, 2.0 / 3, 1e-12);
    ck_assert_double_eq_tol(a.scores[1].recall, 0.5, 1e-12);
    ck_assert_double_eq_tol(a.scores[1].f1, 0.5, 1e-12);
    ck_assert(isnan(a.scores[2].precision) && isnan(a.scores[2].recall));
    ck_assert_double_eq_tol(a.macro_f1, (2.0 / 3 + 0.5) / 2, 1e-12); // of two classes
    ck_assert_double_eq_tol(a.calibration_error, 0.8 - 0.6, 1e-9);
    ck_assert_double_eq_tol(a.negative_log_likelihood, -(3 * log(0.8) + 2 * log(0.1)) / 5, 1e-9);
    double right = 0.04 + 0.01 + 0.01, wrong = 0.81 + 0.64 + 0.01;
    ck_assert_double_eq_tol(a.brier, (3 * right + 2 * wrong) / 5, 1e-9);
    int64_t binned = 0;
    for (int i = 0; i < EVN__RELIABILITY_BINS; ++i) {
        binned += a.bins[i].count;
        ck_assert(a.bins[i].count > 0 || isnan(a.bins[i].accuracy));
    }
    ck_assert_int_eq(binned, SAMPLES);

    const char *const names[CLASSES] = {"a#1", "ß", "a name that is much longer than a label"};
    json_t *report = evn__assessment_show(&a, names);
    const json_t *rows = json_object_get(report, "confusion");
    ck_assert_int_eq(json_integer_value(json_array_get(json_array_get(rows, 1), 0)), 1);
    const json_t *last = json_array_get(json_object_get(report, "classes"), 2);
    ck_assert(json_is_null(json_object_get(last, "precision")));
    json_decref(report);
    TRY(evn__assessment_draw(&a, names, test_folder()));
    ck_assert(test_exists("confusion.png") && test_exists("confusion.svg"));
    ck_assert(test_exists("reliability.png"));
    evn__assessment_free(&a);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("assessment");
    test_add(s, tcase_create("values"), values);
    return s;
}

int main(void) {
    return test_run(suite());
}
