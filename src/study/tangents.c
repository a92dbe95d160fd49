// SPDX-License-Identifier: Apache-2.0
#include "study/tangents.h"

#include "base/clock.h"
#include "base/memory.h"
#include "plan/real.h"
#include <stdlib.h>
#include <string.h>

/// Elements of x and of all weights, and which x has along the axis that its tangent is joined on.
static void measure(evn__tangents *t) {
    evn_shape joined = evn_dynamics_state_shape(t->tangent);
    t->x = t->total = (size_t)evn_shape_count(evn_dynamics_state_shape(t->dynamics));
    t->columns = (size_t)joined.dim[joined.rank - 1] / 2;
    for (int i = 0; i < evn_dynamics_weight_count(t->dynamics); ++i) {
        t->total += (size_t)evn_shape_count(evn_dynamics_weight_shape(t->dynamics, i));
    }
}

static evn_status bind(evn__tangents *t) {
    int count = evn_dynamics_weight_count(t->tangent);
    size_t at = 2 * t->x;
    EVN_TRY(EVN_NEW(&t->weights, count));
    for (int i = 0; i < count; ++i) {
        t->weights[i] = (evn_binding){t->memory, at};
        at += (size_t)evn_shape_count(evn_dynamics_weight_shape(t->tangent, i));
    }
    return EVN_OK;
}

evn_status evn__tangents_open(evn__tangents *t, const evn_solver_options *options) {
    t->fp64 = options->fp64;
    EVN_TRY(evn_dynamics_tangent(t->dynamics, &t->tangent));
    measure(t);
    EVN_TRY(evn_solver_create(t->device, t->tangent, options, &t->solver));
    EVN_TRY(evn__real_create(t->device, t->fp64, 2 * t->total, &t->memory));
    EVN_TRY(EVN_NEW(&t->host, 2 * t->total));
    return bind(t);
}

void evn__tangents_close(evn__tangents *t) {
    evn_solver_destroy(&t->solver);
    evn_dynamics_destroy(&t->tangent);
    evn_buffer_destroy(&t->memory);
    free(t->host);
    free(t->weights);
}

/// Element `index` of x, or of its tangent, in both joined.
static double *joined_at(const evn__tangents *t, size_t index, bool tangent) {
    size_t row = index / t->columns, column = index % t->columns;
    return &t->host[(2 * row + tangent) * t->columns + column];
}

static evn_status load(const evn__tangents *t, const double *direction) {
    size_t weights = t->total - t->x;
    for (size_t i = 0; i < t->x; ++i) {
        *joined_at(t, i, false) = t->point[i];
        *joined_at(t, i, true) = direction[i];
    }
    memcpy(t->host + 2 * t->x, t->point + t->x, sizeof(double) * weights);
    memcpy(t->host + 2 * t->x + weights, direction + t->x, sizeof(double) * weights);
    return evn__real_write((evn_binding){t->memory, 0}, t->fp64, t->host, 2 * t->total);
}

static evn_status solve(const evn__tangents *t, evn_binding *x1, evn__tangent_cost *cost) {
    const evn_binding x0 = {t->memory, 0};
    evn_solution solution;
    uint64_t waits = evn_device_get_stats(t->device).waits;
    double begun = evn__now();
    EVN_TRY(evn_solve(t->solver, 0, 1, x0, t->weights, x1, &solution));
    cost->waits = (int)(evn_device_get_stats(t->device).waits - waits);
    EVN_TRY(evn_device_finish(t->device));
    cost->seconds = evn__now() - begun;
    cost->nfe = solution.nfe;
    return EVN_OK;
}

evn_status evn__tangents_push(evn__tangents *t, const double *direction, const double *loss,
                              double *slope, evn__tangent_cost *cost) {
    evn_binding x1;
    *slope = 0;
    *cost = (evn__tangent_cost){0};
    EVN_TRY(load(t, direction));
    EVN_TRY(solve(t, &x1, cost));
    EVN_TRY(evn__real_read(x1, t->fp64, t->host, 2 * t->x));
    for (size_t i = 0; i < t->x; ++i) {
        *slope += loss[i] * *joined_at(t, i, true);
    }
    return EVN_OK;
}
