// SPDX-License-Identifier: Apache-2.0
#include "io/metrics_json.h"

#include "base/json.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

static const double EXACT_MAX = 9007199254740992; // whole numbers below it are exact

/// Counts and bytes are whole numbers.
static json_t *metric_value(const evn_metric *metric) {
    bool whole =
        (strcmp(metric->unit, EVN_UNIT_COUNT) == 0 || strcmp(metric->unit, "bytes") == 0) &&
        fabs(metric->value) < EXACT_MAX;
    if (!isfinite(metric->value)) {
        return json_null();
    }
    return whole ? json_integer((json_int_t)metric->value) : json_real(metric->value);
}

void evn__metrics_put(const evn_metrics *metrics, json_t *object) {
    for (int i = 0; i < metrics->count; ++i) {
        evn__json_put(object, metrics->items[i].name, metric_value(&metrics->items[i]));
    }
}

static const char *better_name(evn_better better) {
    static const char *const names[] = {NULL, "lower", "higher"};
    return names[better];
}

/// Units, and which way is better, of those that have one: a reader need not know the task.
static json_t *describe(const evn_metrics *metrics) {
    json_t *object = json_object();
    for (int i = 0; i < metrics->count; ++i) {
        const evn_metric *metric = &metrics->items[i];
        evn__json_put(
            object, metric->name,
            json_pack("{s:s, s:s?}", "unit", metric->unit, "better", better_name(metric->better)));
    }
    return object;
}

void evn__metrics_show(const evn_metrics *metrics, json_t *object) {
    evn__metrics_put(metrics, object);
    evn__json_put(object, "metrics", describe(metrics));
}
