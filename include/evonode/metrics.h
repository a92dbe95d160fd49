// SPDX-License-Identifier: Apache-2.0
/// @file
/// What training and evaluation measure: a list of named numbers, whose names each task chooses.
/// Run directories, reports and comparisons read this list and know no task.
#ifndef EVONODE_METRICS_H
#define EVONODE_METRICS_H

#include "evonode/status.h"

EVN_API_BEGIN

/// Which way a metric gets better.
typedef enum evn_better { EVN_BETTER_NEITHER, EVN_BETTER_LOWER, EVN_BETTER_HIGHER } evn_better;

/// Bounds: bytes of a name with its NUL; metrics in a list.
enum { EVN_METRIC_NAME = 48, EVN_METRICS_MAX = 48 };

/// Unit of a metric that is a whole number of things. The other units are texts of the field:
/// "fraction", "nats", "s", "bytes", … or "" for a number without a unit.
#define EVN_UNIT_COUNT "count"

/// One measured number.
typedef struct evn_metric {
    char name[EVN_METRIC_NAME]; ///< a key of JSON: "test_accuracy"
    const char *unit;           ///< static storage
    double value;               ///< NaN: it could not be measured
    evn_better better;          ///< which way it gets better
} evn_metric;

/// Metrics in the order in which they were added. Zero-initialise.
typedef struct evn_metrics {
    int count;                         ///< of items
    evn_metric items[EVN_METRICS_MAX]; ///< the first `count`
} evn_metrics;

/// Set the metric of that name, which is added where it is new.
/// @param[in] name  shorter than EVN_METRIC_NAME; copied
/// @param[in] unit  kept as it is
/// @return EVN_ERR_ARGUMENT for a name that is too long, or one metric more than EVN_METRICS_MAX
evn_status evn_metrics_set(evn_metrics *metrics, const char *name, const char *unit,
                           evn_better better, double value);

/// The metric of that name, NULL when there is none; borrowed.
const evn_metric *evn_metrics_find(const evn_metrics *metrics, const char *name);

/// Its value; NaN when there is none.
double evn_metrics_value(const evn_metrics *metrics, const char *name);

EVN_API_END

#endif
