// SPDX-License-Identifier: Apache-2.0
// One step of a method as a graph: differentiable, and compiled like any other. Times,
// lengths and errors have the shape of the system's time: they are scalars, or one for each sample.
#ifndef EVN_METHODS_STEP_H
#define EVN_METHODS_STEP_H

#include "dynamics/system.h"
#include "methods/stepper.h"

/// y' = y + dt Σ b_i k_i. Inputs "t", "dt", states, parameters; outputs the states after the step,
/// then for each parameter with pairs A of each pair and stage with b_i ≠ 0, then dt b_i B of each.
evn_status evn__step_graph(const evn__system *system, const evn__stepper *stepper,
                           evn_graph **graph);

/// What such a step adds: dt Σ b_i k_i of each state, as "dx", "dw1", …; the same inputs, and
/// behind them "end": the time at the end of the step, which t + dt is but for rounding.
evn_status evn__change_graph(const evn__system *system, const evn__stepper *stepper,
                             evn_graph **graph);

/// y' with an error estimate. Further inputs: what the system gives at t (first stage), then
/// "rtol", "atol"; further outputs, before those of pairs: what it gives at t + dt, with which the
/// next attempt begins, then "error": the largest over the controlled states, or over
/// all elements of these, of sqrt(mean((error / (atol + rtol max(|y|, |y'|)))²)); at most 1 is
/// acceptable, NaN stays NaN. Behind all, of an implicit method, "doubt", which is part of the
/// error: above 1, or NaN, where equations were not solved.
evn_status evn__adaptive_step_graph(const evn__system *system, const evn__stepper *stepper,
                                    evn_graph **graph);

/// The same, and right behind the error, of each state, the terms from which methods/interpolant.h
/// makes all between t and t + dt, but the first, which is the state itself.
evn_status evn__dense_step_graph(const evn__system *system, const evn__stepper *stepper,
                                 evn_graph **graph);

/// The same of a fixed step. Inputs as evn__step_graph; outputs the states after the step, then the
/// terms.
evn_status evn__dense_fixed_graph(const evn__system *system, const evn__stepper *stepper,
                                  evn_graph **graph);

/// The start of an adaptive solve. Inputs "t", "span" (t1 − t0), states, parameters, "rtol",
/// "atol"; outputs what the system gives at t, then "dt": the first step (Hairer, Nørsett, Wanner:
/// Solving ODEs I, II.4), with the sign of span and at most as long; then, of a system with a
/// history, the schedule with which that begins (methods/history.h).
evn_status evn__start_graph(const evn__system *system, const evn__stepper *stepper,
                            evn_graph **graph);

#endif
