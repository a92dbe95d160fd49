// SPDX-License-Identifier: Apache-2.0
#include "ode/integrator.h"
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

void evn__layout_free(evn__layout *layout) {
    free(layout->offset);
    free(layout->size);
    *layout = (evn__layout){0};
}

evn_status evn__times_create(evn_device *device, int steps, bool fp64, evn__times *times) {
    *times = (evn__times){.steps = steps, .fp64 = fp64};
    return evn__real_create(device, fp64, (size_t)steps + 2, &times->buffer);
}

void evn__times_free(evn__times *times) {
    evn_buffer_destroy(&times->buffer);
}

evn_status evn__times_set(evn__times *times, double t0, double t1) {
    if (times->written && times->t0 == t0 && times->t1 == t1) {
        return EVN_OK;
    }
    double *values = NULL, dt = (t1 - t0) / times->steps;
    size_t count = (size_t)times->steps + 2;
    EVN_TRY(EVN_NEW(&values, count));
    for (int i = 0; i <= times->steps; ++i) {
        values[i] = i == times->steps ? t1 : t0 + i * dt;
    }
    values[count - 1] = dt;
    evn_status status =
        evn__real_write((evn_binding){times->buffer, 0}, times->fp64, values, count);
    free(values);
    times->written = status == EVN_OK;
    times->t0 = t0;
    times->t1 = t1;
    return status;
}

evn_binding evn__times_at(const evn__times *times, int step) {
    return (evn_binding){times->buffer, (size_t)step};
}

evn_binding evn__times_dt(const evn__times *times) {
    return (evn_binding){times->buffer, (size_t)times->steps + 1};
}
