// SPDX-License-Identifier: Apache-2.0
#include "evonode/metrics.h"

#include "base/status.h"

#include <math.h>
#include <string.h>

static int find(const evn_metrics *metrics, const char *name) {
    int index = 0;
    while (index < metrics->count && strcmp(metrics->items[index].name, name) != 0) {
        ++index;
    }
    return index;
}

evn_status evn_metrics_set(evn_metrics *metrics, const char *name, const char *unit,
                           evn_better better, double value) {
    EVN_REQUIRE(metrics);
    EVN_REQUIRE(name);
    EVN_REQUIRE(unit);
    size_t length = strlen(name);
    int index = find(metrics, name);
    EVN_CHECK(length > 0 && length < EVN_METRIC_NAME, EVN_ERR_ARGUMENT,
              "the name of the metric '%.60s' has %zu bytes; give it 1 to %d", name, length,
              EVN_METRIC_NAME - 1);
    EVN_CHECK(index < EVN_METRICS_MAX, EVN_ERR_ARGUMENT,
              "the metric %s is one more than the %d that a list can have", name, EVN_METRICS_MAX);
    evn_metric *metric = &metrics->items[index];
    memcpy(metric->name, name, length + 1);
    metric->unit = unit;
    metric->better = better;
    metric->value = value;
    metrics->count += index == metrics->count;
    return EVN_OK;
}

const evn_metric *evn_metrics_find(const evn_metrics *metrics, const char *name) {
    int index = metrics && name ? find(metrics, name) : 0;
    return metrics && name && index < metrics->count ? &metrics->items[index] : NULL;
}

double evn_metrics_value(const evn_metrics *metrics, const char *name) {
    const evn_metric *metric = evn_metrics_find(metrics, name);
    return metric ? metric->value : NAN;
}
