// SPDX-License-Identifier: Apache-2.0
// Units from the kernels that carry a sample in each lane (src/samples), in place of fusion.
#include "plan/plan.h"
#include "samples/samples.h"

static evn_status add_scratch(evn_plan *plan, const evn__samples_result *result) {
    EVN_TRY(EVN_RESERVE(plan->scratch, plan->scratch_capacity, result->scratch_count));
    for (int i = 0; i < result->scratch_count; ++i) {
        plan->scratch[plan->scratch_count++] = (evn__scratch){result->scratch[i], {0}};
    }
    return EVN_OK;
}

static evn_status add_units(evn_plan *plan, const evn__samples_result *result) {
    int count = result->launch_count;
    EVN_TRY(EVN_RESERVE(plan->units, plan->unit_capacity, count));
    plan->order = evn__arena_alloc(plan->in.arena, sizeof(int) * (size_t)(count + 1));
    EVN_CHECK(plan->order, EVN_ERR_MEMORY, "no memory for %d kernels", count);
    for (int i = 0; i < count; ++i) {
        const evn__sample_launch *launch = &result->launches[i];
        plan->units[i] = (evn__unit){.phase = launch->phase,
                                     .place = i,
                                     .group = {.first = launch->large, .family = launch->large},
                                     .call = launch->call,
                                     .replaced = launch->replaced};
        plan->order[i] = i;
    }
    plan->unit_count = plan->order_count = count;
    plan->lanes = result->lanes;
    plan->samples_per_item = result->per_item;
    return EVN_OK;
}

evn_status evn__plan_by_sample(evn_plan *plan, const char *const *names, bool *taken) {
    evn__samples_result result;
    evn__samples_request request = {.device = plan->in.device,
                                    .graph = plan->in.graph,
                                    .arena = plan->in.arena,
                                    .fp64 = plan->in.fp64,
                                    .names = names,
                                    .needed = plan->classes.needed,
                                    .late = plan->classes.late,
                                    .first_reader = plan->classes.first_reader,
                                    .readers = plan->classes.readers};
    *taken = false;
    if (!names || !plan->in.fuse) {
        return EVN_OK;
    }
    EVN_TRY(evn__samples_plan(&request, &result));
    *taken = result.taken;
    if (result.taken) {
        EVN_TRY(add_scratch(plan, &result));
        EVN_TRY(add_units(plan, &result));
    }
    return EVN_OK;
}
