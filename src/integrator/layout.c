// SPDX-License-Identifier: Apache-2.0
#include "integrator/layout.h"

#include "base/memory.h"
#include "plan/real.h"

#include <stdlib.h>

static void place(evn__layout *layout, int index, evn_shape shape) {
    layout->offset[index] = layout->total;
    layout->size[index] = (size_t)evn_shape_count(shape);
    layout->total += evn__real_aligned(layout->size[index]);
}

static evn_status allocate(evn__layout *layout, int count) {
    *layout = (evn__layout){.count = count};
    EVN_TRY(EVN_NEW(&layout->offset, count));
    return EVN_NEW(&layout->size, count);
}

evn_status evn__layout_create(const evn__system *system, evn__layout *layout) {
    EVN_TRY(allocate(layout, system->state_count));
    for (int i = 0; i < layout->count; ++i) {
        place(layout, i, evn__system_state_shape(system, i));
    }
    return EVN_OK;
}

evn_status evn__layout_create_outputs(const evn__system *system, evn__layout *layout) {
    EVN_TRY(allocate(layout, evn__system_outputs(system)));
    for (int i = 0; i < layout->count; ++i) {
        place(layout, i, evn_value_shape(system->graph, evn_graph_output(system->graph, i)));
    }
    return EVN_OK;
}

evn_binding *evn__layout_bind(const evn__layout *layout, evn_buffer *buffer, evn_binding *to) {
    for (int i = 0; i < layout->count; ++i) {
        *to++ = (evn_binding){buffer, layout->offset[i]};
    }
    return to;
}

void evn__layout_free(evn__layout *layout) {
    free(layout->offset);
    free(layout->size);
    *layout = (evn__layout){0};
}
