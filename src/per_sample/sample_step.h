// SPDX-License-Identifier: Apache-2.0
// Attempts of an adaptive solve in which each sample has a step of its own, as graphs: step, error,
// what becomes of it and how long the next one is are values that each sample has. Systems are
// those of dynamics/by_sample.h; [B, …] is the shape of x.
#ifndef EVN_PER_SAMPLE_SAMPLE_STEP_H
#define EVN_PER_SAMPLE_SAMPLE_STEP_H

#include "dynamics/system.h"
#include "integrator/controller.h"
#include "kernels/shared.h"

/// What a solve keeps to.
enum {
    EVN__SAMPLE_RTOL,
    EVN__SAMPLE_ATOL,
    EVN__SAMPLE_DT_FIRST, ///< 0: chosen
    EVN__SAMPLE_DT_MIN,
    EVN__SAMPLE_DT_MAX,
    EVN__SAMPLE_MAX_STEPS,
    EVN__SAMPLE_LIMITS ///< how many
};

/// The start. Inputs "ends" [B, EVN_SAMPLE_ENDS] and "x", then parameters and the limits, scalars;
/// outputs the slopes at the start, "record" [B, EVN_SAMPLE_RECORD] and "active" [B, 1].
evn_status evn__sample_start_graph(const evn__system *system, const evn__stepper *stepper,
                                   const evn__controller *controller, evn_graph **graph);

/// An attempt. Inputs "active", "ends", "record", "x", the slopes, parameters, limits; outputs
/// those of these that change, "active", "record", "x" and slopes, then, if there are to be
/// `terms`, what was done: "step" [B, EVN_SAMPLE_STEP] and "term.0", … [B, …], the first terms of
/// the step's interpolant, of which that of number 0 is x before the step. Samples that have come
/// to an end stay as they are. `active` says how a sample stands: 2 while it has to go on, 1 when
/// it has just ended, 0 from the attempt after that on, which changes nothing.
evn_status evn__sample_attempt_graph(const evn__system *system, const evn__stepper *stepper,
                                     const evn__controller *controller, int terms,
                                     evn_graph **graph);

/// Backward over an attempt that took a step of dt, or none where dt is 0. Inputs "step", "x"
/// before it, "ends", "x_end", which stands in for x where nothing was done, parameters; "x_bar",
/// the cotangent after it, "term_bar.0", … of the `terms`, and those of the parameters so far;
/// outputs "x_bar" before it and the parameters' with its share. The length of the step counts as
/// given.
evn_status evn__sample_backward_graph(const evn__system *system, const evn__stepper *stepper,
                                      int terms, evn_graph **graph);

#endif
