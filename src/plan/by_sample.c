// SPDX-License-Identifier: Apache-2.0
// Units from the kernels that carry a sample in each lane or work-item (src/samples), in place of
// fusion.
#include "plan/plan.h"
#include "samples/samples.h"

static evn_status add_units(const evn__samples_result *result, evn__arena *arena,
                            evn__units *units) {
    int count = result->launch_count;
    EVN_TRY(EVN_RESERVE(units->rows, units->capacity, count));
    units->order = evn__arena_alloc(arena, sizeof(int) * (size_t)(count + 1));
    EVN_CHECK(units->order, EVN_ERR_MEMORY, "no memory for %d kernels", count);
    for (int i = 0; i < count; ++i) {
        const evn__sample_launch *launch = &result->launches[i];
        units->rows[i] = (evn__unit){.phase = launch->phase,
                                     .place = i,
                                     .group = {.first = launch->large, .family = launch->large},
                                     .call = launch->call,
                                     .replaced = launch->replaced};
        units->order[i] = i;
    }
    units->count = units->order_count = count;
    units->lanes = result->lanes;
    units->samples_per_item = result->per_item;
    units->scratch = result->scratch;
    units->scratch_count = result->scratch_count;
    return EVN_OK;
}

evn_status evn__plan_by_sample(const evn__plan_input *in, const evn__classes *classes,
                               const evn_plan_options *options, evn__units *units) {
    evn__samples_result result;
    evn__samples_request request = {.device = in->device,
                                    .graph = in->graph,
                                    .arena = in->arena,
                                    .fp64 = in->fp64,
                                    .names = options->sample_inputs,
                                    .few = options->few_samples,
                                    .active = options->active_input,
                                    .needed = classes->needed,
                                    .late = classes->late,
                                    .first_reader = classes->first_reader,
                                    .readers = classes->readers};
    if (!options->sample_inputs || !in->fuse) {
        return EVN_OK;
    }
    EVN_TRY(evn__samples_plan(&request, &result));
    return result.taken ? add_units(&result, in->arena, units) : EVN_OK;
}
