// SPDX-License-Identifier: Apache-2.0
// What the files of the integrator share: integrator.c has its life and fixed steps, adaptive.c
// adaptive ones.
#ifndef EVN_INTEGRATOR_INTEGRATOR_STATE_H
#define EVN_INTEGRATOR_INTEGRATOR_STATE_H

#include "integrator/integrator.h"
#include "integrator/jump.h"
#include "integrator/outcome.h"
#include "integrator/times.h"
#include "integrator/weight_gradient.h"
#include "methods/history.h"

/// What only adaptive steps need. (adaptive.c)
typedef struct evn__adaptive evn__adaptive;

enum { EVN__INTEGRATOR_SCALARS = 5 }; ///< at most, among the ports of a step

struct evn__integrator {
    evn_device *device;
    const evn__stepper *stepper;
    evn_solver_options options;
    const evn__course *course; ///< borrowed
    bool jumps;                ///< as in evn__integrator_create
    evn__history history;      ///< of a multi-step method, in the state behind the system's own
    int states;                ///< of the system, without it
    evn__layout layout, slope_layout; ///< of the state; of what the system gives
    int parameter_count;
    evn__weight_gradient *batched; ///< of an adjoint: parameters with pairs
    int stacked, max_stacked;      ///< steps whose operands are in it
    int *quadrature;               ///< as the system's
    evn_plan *step;
    evn_plan *first;      ///< fixed: of the first ones of a multi-step method, NULL without
    int taken;            ///< fixed: since the history began
    evn_buffer *state[2]; ///< now and next, exchanged by each step
    int now;
    evn__times times; ///< fixed steps
    evn__adaptive *adaptive;
    evn__trail trail; ///< adaptive: of the last way
    evn__jump *jump;  ///< at observations that no step control passes
    evn_binding *inputs, *outputs;
};

evn_status evn__adaptive_create(evn__integrator *in, const evn__system *system);
void evn__adaptive_destroy(evn__adaptive **adaptive); ///< nulls; accepts NULL

/// Adaptive steps over a way that is one: t0 ≠ t1. What happens at an observed start is left.
evn_status evn__integrate_adaptively(evn__integrator *integrator, const evn__way *way,
                                     const evn_binding *parameters, evn_solution *solution);

evn_status evn__integrator_compile(evn__integrator *in, const evn_graph *graph, evn_plan **plan);

/// Bindings of one kind; each returns the place after.
evn_binding *evn__integrator_bind_states(const evn__integrator *in, int which, evn_binding *to);
evn_binding *evn__integrator_bind_parameters(const evn__integrator *in,
                                             const evn_binding *parameters, evn_binding *to);
/// Operands of pairs, in a slot of the stack: the next free one is `stacked`.
evn_binding *evn__integrator_bind_pairs(const evn__integrator *in, int slot, evn_binding *to);

/// Elements of an observation.
size_t evn__integrator_observed(const evn__integrator *in, const evn__way *way);

/// The step whose operands are in the next free slot counts.
evn_status evn__integrator_keep_pairs(evn__integrator *in);

#endif
