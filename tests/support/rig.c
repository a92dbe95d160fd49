// SPDX-License-Identifier: Apache-2.0
#include "rig.h"

#include "plan/real.h"

rig rig_new(evn_dynamics *dynamics, const evn_solver_options *options, const evn_event *events,
            int count) {
    rig r = {.fp64 = options->fp64,
             .size = (int)evn_shape_count(evn_dynamics_state_shape(dynamics)),
             .weight_count = evn_dynamics_weight_count(dynamics)};
    TRY(evn_event_solver_create(test_device(), dynamics, options, events, count, &r.solver));
    TRY(evn__real_create(test_device(), r.fp64, RIG_SLOTS * (2 + 2 * RIG_WEIGHTS), &r.memory));
    r.x0 = (evn_binding){r.memory, 0};
    r.x1_bar = (evn_binding){r.memory, RIG_SLOTS};
    for (int i = 0; i < r.weight_count; ++i) {
        r.weight_size[i] = (int)evn_shape_count(evn_dynamics_weight_shape(dynamics, i));
        r.weights[i] = (evn_binding){r.memory, (size_t)RIG_SLOTS * (2 + 2 * (size_t)i)};
        r.weights_bar[i] = (evn_binding){r.memory, (size_t)RIG_SLOTS * (3 + 2 * (size_t)i)};
    }
    evn_dynamics_destroy(&dynamics);
    return r;
}

void rig_free(rig *r) {
    evn_event_solver_destroy(&r->solver);
    evn_buffer_destroy(&r->memory);
}

evn_status rig_try(rig *r, double t0, double t1, const double *x0) {
    TRY(evn__real_write(r->x0, r->fp64, x0, (size_t)r->size));
    return evn_solve_to_event(r->solver, t0, t1, r->x0, r->weights, &r->x1, &r->solution);
}

void rig_solve(rig *r, double t0, double t1, const double *x0, double *x1) {
    TRY(rig_try(r, t0, t1, x0));
    TRY(evn__real_read(r->x1, r->fp64, x1, (size_t)r->size));
}

evn_occurrence rig_occurrence(const rig *r, int index) {
    evn_occurrence o;
    TRY(evn_event_solver_occurrence(r->solver, index, &o));
    return o;
}

evn_solver_options rig_options(double tolerance) {
    test_needs_fp64();
    evn_solver_options options = evn_solver_options_default();
    options.rtol = options.atol = tolerance;
    options.fp64 = true;
    return options;
}

evn_dynamics *rig_dynamics(evn_graph *f, evn_graph *g) {
    evn_dynamics *dynamics = NULL;
    TRY(evn_dynamics_create(f, g, &dynamics));
    evn_graph_destroy(&f);
    evn_graph_destroy(&g);
    return dynamics;
}

evn_value rig_column(evn_graph *g, evn_value x, int64_t index) {
    const int64_t start[] = {0, index};
    return evn_slice(g, x, start, EVN_SHAPE(evn_value_shape(g, x).dim[0], 1));
}

evn_dynamics *rig_oscillator(int rows) {
    evn_graph *f = NULL;
    TRY(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(rows, 2));
    const evn_value slopes[] = {rig_column(f, x, 1), evn_neg(f, rig_column(f, x, 0))};
    evn_output(f, "dx", evn_concat(f, slopes, 2, 1));
    return rig_dynamics(f, NULL);
}

evn_graph *rig_component(int rows, int columns, int index) {
    evn_graph *e = NULL;
    TRY(evn_graph_create(&e));
    evn_value x = evn_input(e, "x", EVN_SHAPE(rows, columns));
    evn_output(e, "e", rig_column(e, x, index));
    return e;
}
