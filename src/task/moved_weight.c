// SPDX-License-Identifier: Apache-2.0
#include "task/moved_weight.h"

#include "base/memory.h"
#include "dynamics/system.h"
#include "plan/real.h"
#include "task/learnt_solver.h"
#include <stdlib.h>
#include <string.h>

static const double TOLERANCE = 1e-6;

static const evn_dynamics *dynamics_of(const evn_task *task, int index) {
    return task->methods->dynamics ? task->methods->dynamics(task->self, index) : NULL;
}

bool evn__task_moves_weights(const evn_task *task) {
    const evn_dynamics *dynamics;
    for (int i = 0; (dynamics = dynamics_of(task, i)) != NULL; ++i) {
        for (int k = 0; k < evn_dynamics_weight_count(dynamics); ++k) {
            if (evn_dynamics_weight_evolves(dynamics, k)) {
                return true;
            }
        }
    }
    return false;
}

/// The dynamics in which g moves a weight of that name; NULL: none does.
static const evn_dynamics *find(const evn_task *task, const char *name,
                                const evn__weight **weight) {
    const evn_dynamics *dynamics;
    for (int i = 0; (dynamics = dynamics_of(task, i)) != NULL; ++i) {
        for (int k = 0; k < dynamics->weight_count; ++k) {
            *weight = &dynamics->weights[k];
            if ((*weight)->evolves && strcmp((*weight)->name, name) == 0) {
                return dynamics;
            }
        }
    }
    return NULL;
}

/// What an input of the system becomes: the weight is the state "x" of the new graph, constants
/// stay what they are, and what g does not see is 0.
static evn_value input_for(evn_graph *graph, const evn_dynamics *of, const evn__weight *weight,
                           int index, evn_value x) {
    const evn__system *system = &of->system;
    evn_shape shape = evn_value_shape(system->graph, evn_graph_input(system->graph, index));
    if (index == evn__system_state(weight->index)) {
        return x;
    }
    for (int i = 0; i < of->weight_count; ++i) {
        const evn__weight *w = &of->weights[i];
        if (!w->evolves && index == evn__system_parameter(system, w->index)) {
            return evn_input(graph, w->name, shape);
        }
    }
    return evn_full(graph, shape, 0);
}

static evn_status build(const evn_dynamics *of, const evn__weight *weight, evn_graph *graph) {
    const evn__system *system = &of->system;
    int inputs = evn_graph_input_count(system->graph);
    evn_value *values;
    EVN_TRY(EVN_NEW(&values, inputs + evn_graph_output_count(system->graph)));
    values[0] = evn_input(graph, "t", EVN_SCALAR);
    evn_value x = evn_input(graph, "x", evn__system_state_shape(system, weight->index));
    for (int i = 1; i < inputs; ++i) {
        values[i] = input_for(graph, of, weight, i, x);
    }
    evn_status status = evn_graph_inline(graph, system->graph, values, values + inputs);
    evn_output(graph, "dx", values[inputs + weight->index]);
    free(values);
    return status == EVN_OK ? evn_graph_status(graph) : status;
}

/// dθ/dt of the weight as dynamics whose state it is.
static evn_status make(const evn_dynamics *of, const evn__weight *weight, evn_dynamics **dynamics) {
    evn_graph *graph = NULL;
    EVN_TRY(evn_graph_create(&graph));
    evn_status status = build(of, weight, graph);
    if (status == EVN_OK) {
        status = evn_dynamics_create(graph, NULL, dynamics);
    }
    evn_graph_destroy(&graph);
    return status;
}

/// @param[in] times  [count + 1], the last of them 1
static evn_status solve(evn_device *device, const evn_dynamics *dynamics,
                        const evn_parameters *parameters, const char *name, const double *times,
                        int count, double *theta) {
    evn__learnt_solver learnt = {0};
    evn_binding series;
    evn_solver_options options = evn_solver_options_default();
    options.rtol = options.atol = TOLERANCE;
    options.observations = count + 1;
    options.times = times;
    size_t size = (size_t)(count * evn_shape_count(evn_dynamics_state_shape(dynamics)));
    evn_binding start = evn_parameters_value(parameters, evn_parameters_find(parameters, name));
    evn_status status = evn__learnt_solver_create(device, dynamics, parameters, &options, &learnt);
    if (status == EVN_OK) {
        status = evn_solve(learnt.solver, 0, 1, start, learnt.weights, &series, NULL);
    }
    if (status == EVN_OK) {
        status = evn__real_read(series, false, theta, size);
    }
    evn__learnt_solver_free(&learnt);
    return status;
}

evn_status evn__moved_weight_sample(evn_device *device, const evn_task *task, const char *name,
                                    int count, bool *moves, double *theta) {
    const evn__weight *weight;
    const evn_dynamics *of = find(task, name, &weight);
    evn_dynamics *dynamics = NULL;
    double *times;
    *moves = of != NULL;
    if (!of) {
        return EVN_OK;
    }
    EVN_TRY(make(of, weight, &dynamics));
    evn_status status = EVN_NEW(&times, count + 1);
    if (status == EVN_OK) {
        for (int i = 0; i <= count; ++i) {
            times[i] = i < count ? (i + 0.5) / count : 1;
        }
        status = solve(device, dynamics, task->methods->parameters(task->self), name, times, count,
                       theta);
        free(times);
    }
    evn_dynamics_destroy(&dynamics);
    return status;
}
