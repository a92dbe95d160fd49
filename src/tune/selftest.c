// SPDX-License-Identifier: Apache-2.0
#include "tune/selftest.h"

#include "base/status.h"
#include "host/tuning.h"
#include "ops/variant.h"
#include "tune/samples.h"
#include "tune/trial.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static evn_status measure(evn_device *device, const evn_graph *graph, bool fp64, double *error) {
    evn__trial *trial = NULL;
    evn_plan *plan = NULL;
    evn_status status = evn__trial_create(device, graph, fp64, evn__fill_uniform, &trial);
    if (status == EVN_OK) {
        status = evn__trial_plan(trial, &plan);
    }
    if (status == EVN_OK) {
        status = evn__trial_check(trial, plan, error);
    }
    evn_plan_destroy(&plan);
    evn__trial_destroy(&trial);
    return status;
}

/// With the sample's variant, where it has one; the device is then tuned as before.
static evn_status measure_variant(evn_device *device, const evn__sample *sample,
                                  const evn_graph *graph, bool fp64, double *error) {
    char key[EVN__VARIANT_KEY], before[EVN__VARIANT_NAME] = "";
    if (!sample->variant || evn_graph_status(graph) != EVN_OK) {
        return measure(device, graph, fp64, error);
    }
    const char *tuned =
        evn__tuning_find(device, evn__variant_key(graph, evn_graph_output(graph, 0), fp64, key));
    snprintf(before, sizeof(before), "%s", tuned ? tuned : "");
    EVN_TRY(evn__tuning_set(device, key, sample->variant));
    evn_status status = measure(device, graph, fp64, error);
    EVN_TRY(evn__tuning_set(device, key, before[0] ? before : NULL));
    return status;
}

/// Whether it says something of the device: a variant for others would only be passed over.
static bool is_fit(evn_device *device, const evn__sample *sample) {
    const evn__variant *variant =
        sample->variant ? evn__variant_find(EVN__OP_CONV2D, sample->variant) : NULL;
    return !sample->tuned &&
           (!variant || !evn__variant_unfit(variant, evn_device_get_info(device)));
}

static evn_status add_case(evn_device *device, const evn__sample *sample, int index,
                           evn__selftest_row *row) {
    double error = INFINITY;
    evn_graph *graph = NULL;
    EVN_TRY(evn_graph_create(&graph));
    sample->build(graph, index);
    if (measure_variant(device, sample, graph, row->fp64, &error) != EVN_OK) {
        snprintf(row->reason, sizeof(row->reason), "%.150s", evn_error_message());
        row->reason[strcspn(row->reason, "\n")] = 0;
    }
    evn_graph_destroy(&graph);
    ++row->cases;
    row->wrong += !(error <= row->tolerance);
    row->error = fmax(row->error, error);
    return EVN_OK;
}

static bool is_first(const evn__sample *sample) {
    return sample == evn__samples || strcmp(sample->family, sample[-1].family) != 0;
}

/// The rows of the table from `sample` on that are of its family.
static evn_status run_family(evn_device *device, const evn__sample *sample, bool all,
                             evn__selftest_row *row) {
    row->family = sample->family;
    for (; sample->family && strcmp(sample->family, row->family) == 0; ++sample) {
        for (int i = 0; i < sample->count && is_fit(device, sample); ++i) {
            if (all || i == 1 % sample->count || i == sample->count - 1) { // not the smallest
                EVN_TRY(add_case(device, sample, i, row));
            }
        }
    }
    return EVN_OK;
}

/// Whether a family begins here that is of use on the device and of which any operation is asked
/// for.
static bool is_wanted(evn_device *device, const evn__sample *sample,
                      const evn__selftest_part *part) {
    bool wanted = false;
    const char *family = sample->family;
    for (const evn__sample *s = sample; s->family && strcmp(s->family, family) == 0; ++s) {
        bool asked = !part || part->uses(part->user, s->operation);
        wanted = wanted || (asked && is_fit(device, s));
    }
    return wanted && is_first(sample);
}

evn_status evn__selftest(evn_device *device, const evn__selftest_part *part,
                         void (*report)(void *user, const evn__selftest_row *row), void *user,
                         int *wrong) {
    *wrong = 0;
    int precisions = evn_device_get_info(device)->has_fp64 && !part ? 2 : 1;
    for (const evn__sample *sample = evn__samples; sample->family; ++sample) {
        for (int fp64 = 0; fp64 < precisions && is_wanted(device, sample, part); ++fp64) {
            evn__selftest_row row = {.fp64 = fp64, .tolerance = fp64 ? 1e-12 : 1e-5};
            EVN_TRY(run_family(device, sample, !part, &row));
            report(user, &row);
            *wrong += row.wrong;
        }
    }
    return EVN_OK;
}
