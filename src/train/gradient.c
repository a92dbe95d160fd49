// SPDX-License-Identifier: Apache-2.0
#include "train/gradient.h"

#include "base/memory.h"
#include "plan/build.h"
#include "plan/real.h"
#include <stdlib.h>

struct evn__gradient_mean {
    const evn_parameters *parameters;
    size_t count;
    evn_plan *add;      ///< sum + gradient · weight; NULL where a step has one batch
    evn_buffer *memory; ///< [2, count]: the sum so far, and the next one; then the weight
    int current;        ///< which of the two has the sum
    int added;          ///< batches in it
    int batches;        ///< whose weight is in memory; 0: none
};

static void build_sum(const void *self, evn_graph *g) {
    evn_shape shape = EVN_SHAPE((int64_t)((const evn__gradient_mean *)self)->count);
    evn_value sum = evn_input(g, "sum", shape), gradient = evn_input(g, "gradient", shape);
    evn_value weight = evn_input(g, "weight", EVN_SCALAR);
    evn_value part = evn_mul(g, gradient, evn_broadcast(g, weight, shape));
    evn_output(g, "result", evn_add(g, sum, part));
}

static evn_binding sum_at(const evn__gradient_mean *m, int which) {
    return (evn_binding){m->memory, (size_t)which * m->count};
}

static evn_status make(evn_device *device, int batches, evn__gradient_mean *m) {
    m->count = evn_parameters_element_count(m->parameters);
    if (batches <= 1) {
        return EVN_OK;
    }
    EVN_TRY(evn__plan_build(device, build_sum, m, NULL, &m->add));
    return evn__real_create_for(device, EVN__USE_GRADIENTS, false, 2 * m->count + 1, &m->memory);
}

evn_status evn__gradient_mean_create(evn_device *device, const evn_parameters *parameters,
                                     int batches, evn__gradient_mean **mean) {
    EVN_TRY(EVN_NEW(mean, 1));
    (*mean)->parameters = parameters;
    evn_status status = make(device, batches, *mean);
    if (status != EVN_OK) {
        evn__gradient_mean_destroy(mean);
    }
    return status;
}

void evn__gradient_mean_destroy(evn__gradient_mean **mean) {
    if (!*mean) {
        return;
    }
    evn_plan_destroy(&(*mean)->add);
    evn_buffer_destroy(&(*mean)->memory);
    free(*mean);
    *mean = NULL;
}

static evn_status set_weight(evn__gradient_mean *m, evn_binding weight, int batches) {
    double value = 1.0 / batches;
    if (m->batches == batches) {
        return EVN_OK;
    }
    m->batches = 0; // what failed to be written is not there
    EVN_TRY(evn__real_write(weight, false, &value, 1));
    m->batches = batches;
    return EVN_OK;
}

evn_status evn__gradient_mean_add(evn__gradient_mean *mean, int batches) {
    evn__gradient_mean *m = mean;
    if (!m->add || batches == 1) {
        return EVN_OK; // they are the mean where they are
    }
    evn_binding weight = {m->memory, 2 * m->count};
    EVN_TRY(set_weight(m, weight, batches));
    if (m->added == 0) {
        EVN_TRY(evn__real_zero(sum_at(m, m->current), false, m->count));
    }
    evn_binding inputs[] = {sum_at(m, m->current), evn_parameters_gradients(m->parameters), weight};
    evn_binding outputs[] = {sum_at(m, !m->current)};
    EVN_TRY(evn_plan_run(m->add, inputs, outputs));
    m->current = !m->current;
    ++m->added;
    return EVN_OK;
}

evn_binding evn__gradient_mean_take(evn__gradient_mean *mean) {
    bool summed = mean->added > 0;
    mean->added = 0;
    return summed ? sum_at(mean, mean->current) : evn_parameters_gradients(mean->parameters);
}
