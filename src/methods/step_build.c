// SPDX-License-Identifier: Apache-2.0
#include "methods/step_build.h"

#include "base/memory.h"

evn_value *evn__step_slopes(const evn__step_build *step, int set) {
    return step->k + (size_t)set * (size_t)evn__system_outputs(step->system);
}

evn_status evn__step_arrays(const evn__step_build *step, evn_value **const arrays[], int count,
                            evn_value **memory) {
    int outputs = evn__system_outputs(step->system);
    EVN_TRY(EVN_NEW(memory, count * outputs));
    for (int i = 0; i < count; ++i) {
        *arrays[i] = *memory + (size_t)i * (size_t)outputs;
    }
    return EVN_OK;
}

evn_status evn__step_evaluate(evn__step_build *step, evn_value t, const evn_value *states,
                              evn_value *slopes) {
    const evn__system *s = step->system;
    step->inputs[0] = t;
    for (int i = 0; i < s->state_count; ++i) {
        step->inputs[evn__system_state(i)] = states[i];
    }
    for (int i = 0; i < s->parameter_count; ++i) {
        step->inputs[evn__system_parameter(s, i)] = step->parameters[i];
    }
    return evn_graph_inline(step->graph, s->graph, step->inputs, slopes);
}

evn_value evn__step_combine(evn__step_build *step, const double *weights, int count, int state) {
    evn_graph *g = step->graph;
    evn_value sum = EVN_NONE;
    for (int j = 0; j < count; ++j) {
        if (weights[j] != 0) {
            evn_value term = evn_scale(g, evn__step_slopes(step, j)[state], weights[j]);
            sum = sum == EVN_NONE ? term : evn_add(g, sum, term);
        }
    }
    return sum == EVN_NONE ? EVN_NONE : evn_mul(g, step->dt, sum);
}

void evn__step_advance(evn__step_build *step, const double *weights, int count, evn_value *to) {
    for (int i = 0; i < step->system->state_count; ++i) {
        evn_value change = evn__step_combine(step, weights, count, i);
        to[i] =
            change == EVN_NONE ? step->states[i] : evn_add(step->graph, step->states[i], change);
    }
}

evn_value evn__step_time(const evn__step_build *step, double c) {
    evn_graph *g = step->graph;
    return c == 0                            ? step->t
           : c == 1 && step->end != EVN_NONE ? step->end
                                             : evn_add(g, step->t, evn_scale(g, step->dt, c));
}

void evn__step_choose_tolerances(evn__step_build *step) {
    if (step->rtol == EVN_NONE) {
        step->rtol = evn_constant(step->graph, 1e-3);
        step->atol = evn_constant(step->graph, 1e-6);
    }
}
