// SPDX-License-Identifier: Apache-2.0
#include "samples/form.h"

#include "host/quirks.h"
#include "host/tuning.h"

#include <stdio.h>
#include <string.h>

const evn__sample_form evn__sample_forms[] = {
    {"samples", true, true, true, 1},         {"samples, large", true, true, true, 4},
    {"samples, apart", true, false, true, 1}, {"samples, narrow", true, true, false, 1},
    {"batch", false, false, false, 0},        {NULL, false, false, false, 0},
};

// Shape classes -----------------------------------------------------------------------------------

static int64_t count_samples(const evn_graph *graph, const char *const *names) {
    for (; *names; ++names) {
        int index = evn_graph_find_input(graph, *names);
        evn_shape shape =
            index < 0 ? (evn_shape){0} : evn_value_shape(graph, evn_graph_input(graph, index));
        if (shape.rank > 0) {
            return shape.dim[0];
        }
    }
    return 0;
}

static bool sums_over_samples(const evn__node *node) {
    return (node->op == EVN__OP_SUM && node->attributes.axis == 0) ||
           (node->op == EVN__OP_MATMUL && node->attributes.transpose_a);
}

const char *evn__sample_form_key(const evn_graph *graph, const char *const *names, bool fp64,
                                 char key[EVN__VARIANT_KEY]) {
    int64_t samples = count_samples(graph, names), widest = 1;
    bool sums = false;
    for (int v = 0; v < graph->node_count; ++v) {
        const evn__node *node = evn__node_at(graph, v);
        bool rows = node->shape.rank == 2 && node->shape.dim[0] == samples;
        widest = rows && node->shape.dim[1] > widest ? node->shape.dim[1] : widest;
        sums = sums || sums_over_samples(node);
    }
    snprintf(key, EVN__VARIANT_KEY, "%s samples%s %lldx%lld", fp64 ? "fp64" : "fp32",
             sums ? " sums" : "", (long long)evn__variant_extent(samples),
             (long long)evn__variant_extent(widest));
    key[samples > 0 ? EVN__VARIANT_KEY - 1 : 0] = 0;
    return key;
}

// Choice ------------------------------------------------------------------------------------------

const evn__sample_form *evn__sample_form_of(const evn_device *device, const evn_graph *graph,
                                            const char *const *names, bool fp64) {
    char key[EVN__VARIANT_KEY];
    const char *name = evn__tuning_find(device, evn__sample_form_key(graph, names, fp64, key));
    for (const evn__sample_form *form = evn__sample_forms; name && form->name; ++form) {
        if (strcmp(form->name, name) == 0) {
            return form;
        }
    }
    return evn__sample_forms;
}

const char *evn__sample_form_unfit(const evn__sample_form *form, const evn_device *device) {
    const evn__sample_form *usual = evn__sample_forms;
    const evn__quirks *quirks = evn__device_quirks(device);
    if (form->by_sample && form->cooperates != usual->cooperates && !quirks->groups_progress) {
        return "work-items cannot cooperate there";
    }
    if (form->by_sample && form->pairs != usual->pairs && !quirks->long_vectors) {
        return "vectors cannot be taken in pairs there";
    }
    return NULL;
}
