// SPDX-License-Identifier: Apache-2.0
// A solver for events with its device memory: what the tests of events share.
#ifndef EVN_TEST_RIG_H
#define EVN_TEST_RIG_H

#include "evonode/event.h"
#include "test.h"

enum { RIG_WEIGHTS = 4, RIG_SLOTS = 64 };

/// A solver with its memory: x0, x1_bar, weights and their cotangents, at most RIG_SLOTS numbers
/// each.
typedef struct rig {
    evn_event_solver *solver;
    evn_buffer *memory;
    evn_binding x0, x1, x1_bar, weights[RIG_WEIGHTS], weights_bar[RIG_WEIGHTS];
    bool fp64;
    int size, weight_count, weight_size[RIG_WEIGHTS];
    evn_solution solution;
} rig;

/// Take over the dynamics.
rig rig_new(evn_dynamics *dynamics, const evn_solver_options *options, const evn_event *events,
            int count);
void rig_free(rig *r);

/// Write x0, solve; the second one must succeed, and reads x1.
evn_status rig_try(rig *r, double t0, double t1, const double *x0);
void rig_solve(rig *r, double t0, double t1, const double *x0, double *x1);
evn_occurrence rig_occurrence(const rig *r, int index);

/// Double precision, by dopri5.
evn_solver_options rig_options(double tolerance);

/// Of graphs, which it takes over.
evn_dynamics *rig_dynamics(evn_graph *f, evn_graph *g);
/// q' = v, v' = −q, x [rows, 2]: from q = 1 at rest q = cos t.
evn_dynamics *rig_oscillator(int rows);

/// Column `index` of x; the same as an event.
evn_value rig_column(evn_graph *g, evn_value x, int64_t index);
evn_graph *rig_component(int rows, int columns, int index);

#endif
