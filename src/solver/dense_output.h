// SPDX-License-Identifier: Apache-2.0
// x(t) and θ(t) anywhere on the way of the last solve of a batch, from the interpolants of its
// steps: those that the gradient goes along, or else own ones, for which the steps are gone once
// more when they are first asked for.
#ifndef EVN_SOLVER_DENSE_OUTPUT_H
#define EVN_SOLVER_DENSE_OUTPUT_H

#include "gradients/dense.h"
#include "integrator/passage.h"
#include "integrator/trail.h"

typedef struct evn__dense_output evn__dense_output;

/// @param[in] problem  outlives it
evn_status evn__dense_output_create(const evn__problem *problem, evn__dense_output **output);
void evn__dense_output_destroy(evn__dense_output **output); ///< nulls; accepts NULL

/// A solve begins with this component of the state; what was before is forgotten. Enqueues only.
evn_status evn__dense_output_start(evn__dense_output *output, int index, evn_binding value);

/// Component `index` of the state at [count] times of the passage, [count, its elements].
/// @param[in] trail  of that solve; NULL: its steps are the course's
/// @param[in] dense  the interpolants of that solve, gone; NULL: its own
evn_status evn__dense_output_at(evn__dense_output *output, const evn__passage *passage,
                                const evn__trail *trail, evn__dense *dense, const double *times,
                                int count, int index, evn_binding to);

#endif
