// SPDX-License-Identifier: Apache-2.0
#include "methods/unroll.h"

#include "methods/step.h"
#include <stdlib.h>

struct evn__unroll {
    evn_dynamics *dynamics; ///< a copy
    evn_graph *step;        ///< inputs t, dt, states, parameters; outputs states
    evn_value *values;      ///< of its inputs, then of its outputs
};

static evn_status make(evn__unroll *unroll, const evn_dynamics *dynamics, const char *method) {
    const evn__stepper *stepper;
    EVN_TRY(evn__stepper_need(method, &stepper));
    EVN_TRY(evn__stepper_check_past(stepper, "a step of an exported model"));
    EVN_TRY(evn__dynamics_copy(dynamics, &unroll->dynamics));
    EVN_TRY(evn__step_graph(&unroll->dynamics->system, stepper, &unroll->step));
    return EVN_NEW(&unroll->values,
                   evn_graph_input_count(unroll->step) + evn_graph_output_count(unroll->step));
}

evn_status evn__unroll_create(const evn_dynamics *dynamics, const char *method,
                              evn__unroll **unroll) {
    EVN_TRY(EVN_NEW(unroll, 1));
    evn_status status = make(*unroll, dynamics, method);
    if (status != EVN_OK) {
        evn__unroll_destroy(unroll);
    }
    return status;
}

void evn__unroll_destroy(evn__unroll **unroll) {
    if (*unroll) {
        evn_dynamics_destroy(&(*unroll)->dynamics);
        evn_graph_destroy(&(*unroll)->step);
        free((*unroll)->values);
        free(*unroll);
        *unroll = NULL;
    }
}

evn_status evn__unroll_step(const evn__unroll *unroll, evn_graph *graph, double t, double dt,
                            evn_value *x, evn_value *weights) {
    // Not as arguments, which compilers evaluate in any order: exported bytes would differ.
    evn_value begin = evn_constant(graph, t), length = evn_constant(graph, dt);
    return evn__unroll_step_at(unroll, graph, begin, length, x, weights);
}

evn_status evn__unroll_step_at(const evn__unroll *unroll, evn_graph *graph, evn_value t,
                               evn_value dt, evn_value *x, evn_value *weights) {
    enum { SCALARS = 2 }; // t and dt
    const evn_dynamics *d = unroll->dynamics;
    evn_value *inputs = unroll->values, *states = inputs + SCALARS;
    evn_value *parameters = states + d->system.state_count;
    evn_value *next = inputs + evn_graph_input_count(unroll->step);
    inputs[0] = t;
    inputs[1] = dt;
    states[0] = *x;
    for (int i = 0; i < d->weight_count; ++i) {
        const evn__weight *w = &d->weights[i];
        (w->evolves ? states : parameters)[w->index] = weights[i];
    }
    EVN_TRY(evn_graph_inline(graph, unroll->step, inputs, next));
    *x = next[0];
    for (int i = 0; i < d->weight_count; ++i) {
        weights[i] = d->weights[i].evolves ? next[d->weights[i].index] : weights[i];
    }
    return EVN_OK;
}
