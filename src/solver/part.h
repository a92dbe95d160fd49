// SPDX-License-Identifier: Apache-2.0
// A solve that is part of a way.
#ifndef EVN_SOLVER_PART_H
#define EVN_SOLVER_PART_H

#include "evonode/solver.h"

/// As evn_solve_gradient, with cotangents that come from behind t1.
/// @param[in] carried_bar  one for each component of the state, of which x has its in x1_bar: those
///                         of the weights that evolve, at t1; NULL: zeros
evn_status evn__solve_part_gradient(evn_solver *solver, evn_binding x1_bar,
                                    const evn_binding *carried_bar, evn_binding *x0_bar,
                                    const evn_binding *weights_bar, evn_solution *solution);

#endif
