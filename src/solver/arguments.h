// SPDX-License-Identifier: Apache-2.0
// What solvers of every kind do with what they are given, when they are made and at a solve.
#ifndef EVN_SOLVER_ARGUMENTS_H
#define EVN_SOLVER_ARGUMENTS_H

#include "evonode/solver.h"

/// Check the options, and keep of them and of the dynamics what may not live as long as the solver.
/// @param[in,out] options  the solver's own; their method becomes the name that the stepper has
/// @param[out]    copy     of the dynamics, with the norm of the options
evn_status evn__take_over(evn_solver_options *options, const evn_dynamics *dynamics,
                          evn_dynamics **copy);

/// @return EVN_ERR_ARGUMENT where the ends or the way between them are not finite in the precision
evn_status evn__check_interval(const evn_solver_options *options, double t0, double t1);

/// The same of a sample's way; and where its times of observations are not within that.
evn_status evn__check_sample_times(const evn_solver_options *options, const evn_sample_times *times,
                                   int64_t sample);

/// One binding for each weight, with room for it.
/// @param kind  what they are, in the singular
evn_status evn__check_weights(const evn_dynamics *dynamics, const evn_solver_options *options,
                              const evn_binding *bindings, const char *kind);

#endif
