// SPDX-License-Identifier: Apache-2.0
// What eval tells of a run on images: class by class, what is taken for what, and calibration.
#include "base/json.h"
#include "base/memory.h"
#include "cli/session.h"
#include "cli/table.h"
#include "study/assessment.h"
#include "task/images.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { MATRIX_MAX = 12, PAIRS = 10, HEADING = 8 }; // shown of classes; of pairs; letters of a name

// Measuring ---------------------------------------------------------------------------------------

static evn_status set(evn_metrics *metrics, const char *name, evn_better better, double value) {
    return isnan(value) ? EVN_OK : evn_metrics_set(metrics, name, "", better, value);
}

static evn_status keep(const evn__assessment *a, const char *const *names, const char *folder,
                       evn_metrics *metrics, json_t *evaluation) {
    EVN_TRY(set(metrics, "test_macro_f1", EVN_BETTER_HIGHER, a->macro_f1));
    EVN_TRY(set(metrics, "test_calibration_error", EVN_BETTER_LOWER, a->calibration_error));
    EVN_TRY(set(metrics, "test_brier", EVN_BETTER_LOWER, a->brier));
    evn__json_put_all(evaluation, evn__assessment_show(a, names));
    return folder ? evn__assessment_draw(a, names, folder) : EVN_OK;
}

static evn_status assess(const evn_dataset *dataset, const double *logits, int64_t samples,
                         const char *folder, evn_metrics *metrics, json_t *evaluation) {
    evn__assessment a = {0};
    int classes = evn_dataset_get_info(dataset).classes;
    const char **names;
    EVN_TRY(EVN_NEW(&names, classes));
    for (int i = 0; i < classes; ++i) {
        names[i] = evn_dataset_class_name(dataset, i);
    }
    evn_status status =
        evn__assess(logits, evn_dataset_labels(dataset, EVN_TEST), samples, classes, &a);
    if (status == EVN_OK) {
        status = keep(&a, names, folder, metrics, evaluation);
    }
    evn__assessment_free(&a);
    free(names);
    return status;
}

/// A class is answered for logits that are no numbers too, and would be counted.
static evn_status check_finite(const double *logits, int64_t count, int64_t classes) {
    for (int64_t i = 0; i < count; ++i) {
        EVN_CHECK(isfinite(logits[i]), EVN_ERR_NOT_FINITE,
                  "what the model says of image %lld of the test part is not finite: its states "
                  "overflow with this solver; try more --steps, another --solver or smaller "
                  "--rtol, or train it again with a lower rate",
                  (long long)(i / classes));
    }
    return EVN_OK;
}

static evn_status measure(const evn__session *session, const char *folder, evn_metrics *metrics,
                          json_t *evaluation) {
    const evn_dataset *dataset = session->data;
    double *logits;
    int64_t classes = evn_dataset_get_info(dataset).classes;
    EVN_TRY(EVN_NEW(&logits, evn__images_test_capacity(&session->task) * classes));
    evn_status status =
        evn__images_logits(&session->task, evn__session_solver(session), logits, metrics);
    int64_t samples = evn_dataset_get_info(dataset).count[EVN_TEST];
    if (status == EVN_OK) {
        status = check_finite(logits, samples * classes, classes);
    }
    if (status == EVN_OK) {
        status = assess(dataset, logits, samples, folder, metrics, evaluation);
    }
    free(logits);
    return status;
}

// Tables ------------------------------------------------------------------------------------------

static void add_share(evn__table *table, const json_t *value) {
    if (json_is_number(value)) {
        evn__table_add(table, "%.2f %%", 100 * json_number_value(value));
    } else {
        evn__table_add(table, "-");
    }
}

static const char *name_of(const json_t *classes, size_t index) {
    return json_string_value(json_object_get(json_array_get(classes, index), "class"));
}

static evn_status print_classes(const json_t *classes) {
    evn__table table = {.columns = 5};
    const char *const heads[] = {"class", "images", "precision", "recall", "F1"};
    const json_t *row;
    size_t i;
    for (int column = 0; column < 5; ++column) {
        evn__table_add(&table, "%s", heads[column]);
    }
    json_array_foreach(classes, i, row) {
        evn__table_add(&table, "%s", name_of(classes, i));
        evn__table_add(&table, "%lld",
                       (long long)json_integer_value(json_object_get(row, "count")));
        add_share(&table, json_object_get(row, "precision"));
        add_share(&table, json_object_get(row, "recall"));
        add_share(&table, json_object_get(row, "f1"));
    }
    printf("\n");
    evn_status status = evn__table_print(&table);
    evn__table_free(&table);
    return status;
}

static long long cell_of(const json_t *confusion, size_t truth, size_t answer) {
    return json_integer_value(json_array_get(json_array_get(confusion, truth), answer));
}

/// Bytes of the first `characters` characters of a text in UTF-8.
static int head_of(const char *text, int characters) {
    int bytes = 0;
    while (text[bytes] && ((text[bytes] & 0xc0) == 0x80 || characters-- > 0)) {
        ++bytes;
    }
    return bytes;
}

static evn_status print_matrix(const json_t *classes, const json_t *confusion) {
    size_t count = json_array_size(classes);
    evn__table table = {.columns = (int)count + 1};
    evn__table_add(&table, "true, then answers");
    for (size_t i = 0; i < count; ++i) {
        const char *name = name_of(classes, i);
        evn__table_add(&table, "%.*s", head_of(name, HEADING), name);
    }
    for (size_t truth = 0; truth < count; ++truth) {
        evn__table_add(&table, "%s", name_of(classes, truth));
        for (size_t answer = 0; answer < count; ++answer) {
            evn__table_add(&table, "%lld", cell_of(confusion, truth, answer));
        }
    }
    evn_status status = evn__table_print(&table);
    evn__table_free(&table);
    return status;
}

typedef struct pair {
    size_t truth, answer;
    long long count;
} pair;

/// The most frequent mistakes, most frequent first, of equal ones the first; how many there are.
static int find_mistakes(const json_t *confusion, pair most[PAIRS]) {
    size_t count = json_array_size(confusion);
    int found = 0;
    for (size_t i = 0; i < count * count; ++i) {
        pair next = {i / count, i % count, cell_of(confusion, i / count, i % count)};
        int at = found < PAIRS ? found : PAIRS;
        while (at > 0 && most[at - 1].count < next.count) {
            if (at < PAIRS) {
                most[at] = most[at - 1];
            }
            --at;
        }
        if (next.truth != next.answer && next.count > 0 && at < PAIRS) {
            most[at] = next;
            found += found < PAIRS;
        }
    }
    return found;
}

static evn_status print_mistakes(const json_t *classes, const json_t *confusion) {
    pair most[PAIRS];
    int count = find_mistakes(confusion, most);
    evn__table table = {.columns = 3};
    const char *const heads[] = {"true class", "taken for", "times"};
    for (int column = 0; column < 3; ++column) {
        evn__table_add(&table, "%s", heads[column]);
    }
    for (int i = 0; i < count; ++i) {
        evn__table_add(&table, "%s", name_of(classes, most[i].truth));
        evn__table_add(&table, "%s", name_of(classes, most[i].answer));
        evn__table_add(&table, "%lld", most[i].count);
    }
    evn_status status = evn__table_print(&table);
    evn__table_free(&table);
    return status;
}

/// Bins that have images.
static evn_status print_bins(const json_t *bins) {
    evn__table table = {.columns = 4};
    const char *const heads[] = {"probability", "images", "on average", "right"};
    const json_t *bin;
    size_t i;
    for (int column = 0; column < 4; ++column) {
        evn__table_add(&table, "%s", heads[column]);
    }
    json_array_foreach(bins, i, bin) {
        json_int_t count = json_integer_value(json_object_get(bin, "count"));
        if (count > 0) {
            evn__table_add(&table, "%.0f to %.0f %%",
                           100 * json_number_value(json_object_get(bin, "from")),
                           100 * json_number_value(json_object_get(bin, "to")));
            evn__table_add(&table, "%lld", (long long)count);
            add_share(&table, json_object_get(bin, "confidence"));
            add_share(&table, json_object_get(bin, "accuracy"));
        }
    }
    printf("\n");
    evn_status status = evn__table_print(&table);
    evn__table_free(&table);
    return status;
}

static evn_status print(const json_t *evaluation) {
    const json_t *classes = json_object_get(evaluation, "classes");
    const json_t *confusion = json_object_get(evaluation, "confusion");
    EVN_TRY(print_classes(classes));
    printf("\n");
    EVN_TRY(json_array_size(classes) <= MATRIX_MAX ? print_matrix(classes, confusion)
                                                   : print_mistakes(classes, confusion));
    return print_bins(json_object_get(json_object_get(evaluation, "calibration"), "bins"));
}

const evn__evaluation evn__evaluate_images = {measure, print};
