// SPDX-License-Identifier: Apache-2.0
#include "io/run_totals.h"

#include "base/json.h"
#include "io/run_directory.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

evn__run_totals evn__run_totals_none(void) {
    return (evn__run_totals){.phase = -1, .nfe_forward = NAN, .nfe_backward = NAN, .loss = NAN};
}

void evn__run_totals_add(evn__run_totals *totals, int phase, int epoch,
                         const evn_metrics *metrics) {
    double seconds = evn_metrics_value(metrics, "seconds");
    totals->seconds += isfinite(seconds) ? seconds : 0;
    totals->peak_device_bytes =
        fmax(totals->peak_device_bytes, evn_metrics_value(metrics, "peak_device_bytes"));
    totals->nfe_forward = evn_metrics_value(metrics, "nfe_forward");
    totals->nfe_backward = evn_metrics_value(metrics, "nfe_backward");
    totals->loss = evn_metrics_value(metrics, "train_loss");
    totals->phase = phase;
    totals->timed += epoch + 1 - totals->epochs;
    totals->epochs = epoch + 1;
}

static int64_t read_count(const json_t *line, const char *key) {
    const json_t *value = json_object_get(line, key);
    return json_is_integer(value) ? json_integer_value(value) : -1;
}

/// A number of a line as a metric, NaN where it has none.
static void read_metric(const json_t *line, const char *name, evn_metrics *metrics) {
    const json_t *value = json_object_get(line, name);
    evn_metric *metric = &metrics->items[metrics->count++];
    snprintf(metric->name, sizeof(metric->name), "%s", name);
    metric->value = json_is_number(value) ? json_number_value(value) : NAN;
}

/// What a line says is added, if it is of one of the first `epochs` epochs: whether it is.
static bool add_object(const json_t *object, int epochs, evn__run_totals *totals) {
    static const char *const names[] = {"seconds", "peak_device_bytes", "nfe_forward",
                                        "nfe_backward", "train_loss"};
    int64_t epoch = read_count(object, "epoch"), phase = read_count(object, "phase");
    evn_metrics metrics = {0};
    bool counts = epoch >= 0 && epoch < epochs && phase >= 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); ++i) {
        read_metric(object, names[i], &metrics);
    }
    if (counts) {
        evn__run_totals_add(totals, (int)phase, (int)epoch, &metrics);
    }
    return counts;
}

/// *counts: the line is whole, and of one of the first `epochs` epochs; then it is added.
static evn_status add_line(const char *line, size_t length, int epochs, evn__run_totals *totals,
                           bool *counts) {
    json_t *object;
    evn_status status = evn__json_parse(line, length, &object);
    *counts = false;
    if (status != EVN_OK) { // what is damaged ends what counts; what could not be read does not
        return status == EVN_ERR_FORMAT ? EVN_OK : status;
    }
    *counts = add_object(object, epochs, totals);
    json_decref(object);
    return EVN_OK;
}

evn_status evn__run_totals_read(evn__run_totals *totals, const char *text, int epochs,
                                size_t *bytes) {
    const char *line = text;
    bool counts = true;
    *totals = evn__run_totals_none();
    for (const char *end = strchr(line, '\n'); end; end = strchr(line, '\n')) {
        EVN_TRY(add_line(line, (size_t)(end - line), epochs, totals, &counts));
        if (!counts) {
            break;
        }
        line = end + 1;
    }
    *bytes = (size_t)(line - text);
    return EVN_OK;
}

evn_status evn__run_loss(const char *folder, int epochs, double *loss) {
    json_t *lines;
    size_t i;
    const json_t *line;
    *loss = NAN;
    EVN_TRY(evn__run_metrics(folder, &lines));
    json_array_foreach(lines, i, line) {
        const json_t *value = json_object_get(line, "train_loss");
        if (read_count(line, "epoch") == epochs - 1 && json_is_number(value)) {
            *loss = json_number_value(value);
        }
    }
    json_decref(lines);
    return EVN_OK;
}
