// SPDX-License-Identifier: Apache-2.0
// Metrics as members of a JSON object.
#ifndef EVN_IO_METRICS_JSON_H
#define EVN_IO_METRICS_JSON_H

#include "evonode/metrics.h"
#include <jansson.h>

/// Add a member for each; counts and bytes are whole numbers, what is not finite null.
void evn__metrics_put(const evn_metrics *metrics, json_t *object);

/// The same, and "metrics" with their units and which way is better.
void evn__metrics_show(const evn_metrics *metrics, json_t *object);

#endif
