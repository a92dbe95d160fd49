// SPDX-License-Identifier: Apache-2.0
#include "integrator/jump.h"

#include "base/memory.h"
#include "plan/build.h"
#include "plan/real.h"
#include <stdlib.h>

struct evn__jump {
    evn_shape shape;
    bool fp64;
    evn_plan *plan;
    evn_buffer *sum;
};

static void build(const void *self, evn_graph *graph) {
    evn_shape shape = ((const evn__jump *)self)->shape;
    evn_value a = evn_input(graph, "a", shape), share = evn_input(graph, "share", shape);
    evn_output(graph, "sum", evn_add(graph, a, share));
}

static evn_status create(evn_device *device, evn__jump *jump) {
    const evn_plan_options options = {.fp64 = jump->fp64};
    EVN_TRY(evn__plan_build(device, build, jump, &options, &jump->plan));
    return evn__real_create_for(device, EVN__USE_STATES, jump->fp64,
                                (size_t)evn_shape_count(jump->shape), &jump->sum);
}

evn_status evn__jump_create(evn_device *device, evn_shape shape, bool fp64, evn__jump **jump) {
    EVN_TRY(EVN_NEW(jump, 1));
    **jump = (evn__jump){.shape = shape, .fp64 = fp64};
    evn_status status = create(device, *jump);
    if (status != EVN_OK) {
        evn__jump_destroy(jump);
    }
    return status;
}

void evn__jump_destroy(evn__jump **jump) {
    if (*jump) {
        evn_plan_destroy(&(*jump)->plan);
        evn_buffer_destroy(&(*jump)->sum);
        free(*jump);
        *jump = NULL;
    }
}

evn_status evn__jump_add(const evn__jump *jump, evn_binding cotangent, evn_binding share) {
    const evn_binding inputs[] = {cotangent, share}, sum = {jump->sum, 0};
    EVN_TRY(evn_plan_run(jump->plan, inputs, &sum));
    return evn__real_copy(cotangent, sum, jump->fp64, (size_t)evn_shape_count(jump->shape));
}
