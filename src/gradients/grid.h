// SPDX-License-Identifier: Apache-2.0
// Backprop along a grid of fixed steps: the states of the grid are kept, and what each step's
// cotangents need of its forward run, unless that is recomputed.
#ifndef EVN_GRADIENTS_GRID_H
#define EVN_GRADIENTS_GRID_H

#include "gradients/scheme.h"
#include "integrator/integrator.h"

typedef struct evn__grid evn__grid;

/// @param[in] problem  outlives the grid
evn_status evn__grid_create(const evn__problem *problem, evn__grid **grid);
void evn__grid_destroy(evn__grid **grid);

const evn__layout *evn__grid_layout(const evn__grid *grid);

/// After forward, with observations: copy those that end an interval to series [intervals,
/// observed]; enqueues only.
evn_status evn__grid_observe(const evn__grid *grid, evn_binding series);

/// Component of the state at grid point `point` (0 … steps).
evn_binding evn__grid_state(const evn__grid *grid, int point, int index);

/// From the state at point 0 to point `steps`; enqueues only.
evn_status evn__grid_forward(evn__grid *grid, double t0, double t1, const evn_binding *parameters,
                             evn_solution *solution);

/// Cotangent of a state component: to be written for the last point before evn__grid_backward,
/// read for point 0 after it.
evn_binding evn__grid_state_bar(const evn__grid *grid, int index);

/// With time_gradient, after evn__grid_backward.
evn__time_bars evn__grid_time_bars(const evn__grid *grid);

/// @param[in] parameters_bar  where the cotangents of the parameters go
/// @param[in] observed  with observations: the cotangents [intervals, x] of those that end an
///                      interval, added to that of state 0 where each was made; else NULL
evn_status evn__grid_backward(evn__grid *grid, const evn_binding *parameters,
                              const evn_binding *parameters_bar, const evn_binding *observed,
                              evn_solution *solution);

#endif
