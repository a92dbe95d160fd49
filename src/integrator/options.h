// SPDX-License-Identifier: Apache-2.0
// The usual options of a solver; whether options go with their method, and steps can be chosen by
// them.
#ifndef EVN_INTEGRATOR_OPTIONS_H
#define EVN_INTEGRATOR_OPTIONS_H

#include "evonode/solver.h"
#include "methods/stepper.h"

/// The stepper of the options' method, with the checks that evn_solver_create documents.
evn_status evn__check_options(const evn_solver_options *options, const evn__stepper **stepper);

/// What ends a message where single precision is too coarse: double precision is an option of the
/// library's alone.
const char *evn__precision_advice(const evn_solver_options *options);

/// Adaptive: steps that there is memory for before the first solve.
int evn__expected_steps(const evn_solver_options *options);

/// Steps that memory is made for where a solve takes more than there was any for: these, and an
/// eighth, so that it need not be made for each that takes a few more.
int evn__steps_room(int steps);

#endif
