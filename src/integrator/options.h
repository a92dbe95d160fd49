// SPDX-License-Identifier: Apache-2.0
// The usual options of a solver; whether options go with their method, and steps can be chosen by
// them.
#ifndef EVN_INTEGRATOR_OPTIONS_H
#define EVN_INTEGRATOR_OPTIONS_H

#include "evonode/solver.h"
#include "methods/stepper.h"

/// The stepper of the options' method, with the checks that evn_solver_create documents.
evn_status evn__check_options(const evn_solver_options *options, const evn__stepper **stepper);

#endif
