// SPDX-License-Identifier: Apache-2.0
#include "bench/report.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

/// The larger share of the two limits; NaN where neither applies.
static double fraction(const bench_result *result, const bench_limits *limits) {
    double arithmetic = result->flops / result->time.median / limits->flops;
    double memory = result->bytes / result->time.median / limits->bytes;
    double larger = arithmetic > memory ? arithmetic : memory;
    return larger > 0 ? larger : NAN;
}

/// n of time ∝ nodesⁿ, from the smallest graph to the largest; NaN where there are not two.
static double planning_exponent(const bench_result *results, int count) {
    const bench_result *first = NULL, *last = NULL;
    for (int i = 0; i < count; ++i) {
        if (results[i].nodes > 0) {
            first = first ? first : &results[i];
            last = &results[i];
        }
    }
    return first == last
               ? NAN
               : log(last->time.median / first->time.median) / log(last->nodes / first->nodes);
}

void bench_report_print(const bench_result *results, int count, const bench_limits *limits) {
    printf("limits: %.1f GF/s multiply-add, %.1f GB/s triad\n\n", limits->flops * 1e-9,
           limits->bytes * 1e-9);
    printf("%-42s %10s %17s %8s %9s %9s\n", "row", "median ms", "quartiles", "GF/s", "of limit",
           "launches");
    for (int i = 0; i < count; ++i) {
        const bench_result *r = &results[i];
        char rate[16] = "", share[16] = "";
        if (r->flops > 0) {
            snprintf(rate, sizeof(rate), "%.1f", r->flops / r->time.median * 1e-9);
        }
        if (r->flops > 0 || r->bytes > 0) {
            snprintf(share, sizeof(share), "%.0f %%", 100 * fraction(r, limits));
        }
        printf("%-42s %10.3f %8.3f-%8.3f %8s %9s %9.0f\n", r->name, 1e3 * r->time.median,
               1e3 * r->time.low, 1e3 * r->time.high, rate, share, r->time.launches);
    }
    double exponent = planning_exponent(results, count);
    if (!isnan(exponent)) {
        printf("\ntime to plan grows as nodes to the %.2f\n", exponent);
    }
}

static json_t *describe(const bench_result *result, const bench_limits *limits) {
    const bench_time *time = &result->time;
    json_t *object =
        json_pack("{s:s, s:s, s:f, s:[f, f], s:f}", "row", result->name, "unit", "s", "ours",
                  time->median, "quartiles", time->low, time->high, "launches", time->launches);
    double share = fraction(result, limits);
    json_object_set_new(object, "fraction_of_limit", isnan(share) ? json_null() : json_real(share));
    return object;
}

evn_status bench_report_write(const char *path, const evn_device *device,
                              const bench_result *results, int count, const bench_limits *limits) {
    const evn_device_info *info = evn_device_get_info(device);
    json_t *list = json_array();
    for (int i = 0; i < count; ++i) {
        json_array_append_new(list, describe(&results[i], limits));
    }
    json_t *all = json_pack("{s:i, s:s, s:s, s:{s:f, s:f}, s:o}", "format", 1, "device", info->name,
                            "driver", info->driver, "limits", "flops", limits->flops, "bytes",
                            limits->bytes, "rows", list);
    int failed = json_dump_file(all, path, JSON_INDENT(2));
    json_decref(all);
    EVN_CHECK(!failed, EVN_ERR_OUTPUT, "cannot write %s; check that its folder exists", path);
    return EVN_OK;
}
