// SPDX-License-Identifier: Apache-2.0
// What solvers of every kind check of the arguments of a solve.
#ifndef EVN_ODE_ARGUMENTS_H
#define EVN_ODE_ARGUMENTS_H

#include "evonode/solver.h"

/// @return EVN_ERR_ARGUMENT where the ends or the way between them are not finite in the precision
evn_status evn__check_interval(const evn_solver_options *options, double t0, double t1);

/// One binding for each weight, with room for it.
/// @param kind  what they are, in the singular
evn_status evn__check_weights(const evn_dynamics *dynamics, const evn_solver_options *options,
                              const evn_binding *bindings, const char *kind);

#endif
