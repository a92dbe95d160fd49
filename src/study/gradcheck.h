// SPDX-License-Identifier: Apache-2.0
// Every gradient scheme on one ODE: how far its gradient is from central differences of its steps,
// and from forward mode along the solution, in double precision, and what it costs. The loss is the
// inner product of x(1) and random numbers; x(0) is drawn, too. Gradients are taken in single
// precision, as training takes them.
#ifndef EVN_STUDY_GRADCHECK_H
#define EVN_STUDY_GRADCHECK_H

#include "evonode/parameters.h"
#include "evonode/solver.h"

enum { EVN__GRADCHECK_ROWS = 10, EVN__GRADCHECK_DIRECTIONS = 3 };

/// Beyond this, what was found by solving backwards is not to be trusted.
#define EVN__GRADCHECK_RECONSTRUCTION 0.05

/// As many tolerances, rtol, a gradient of the solution may be off.
#define EVN__GRADCHECK_TOLERANCES 10

/// One scheme. Errors are over all directions, ‖difference‖/‖derivatives‖.
typedef struct evn__gradcheck_row {
    char name[48];
    evn_solver_options options;
    evn_status status;     ///< of solve and gradient; not OK: what follows is NaN or 0
    char message[1024];    ///< why
    double own;            ///< against differences of the same steps; NaN: some are adaptive
    double exact;          ///< against derivatives of the solution, forward mode, dopri5 at 1e-10
    double floor;          ///< by how much these change at 1e-9; of all rows
    double seconds;        ///< of a solve with its gradient, the least of three
    int nfe, nfe_back;     ///< evaluations
    int waits;             ///< of the host, in a solve with its gradient
    uint64_t bytes;        ///< most device memory of the solver
    double reconstruction; ///< the larger one of x(0) and θ(0); NaN: nothing is solved backwards
    double apart;          ///< reversible: evn_solver_apart, the larger one; else NaN
} evn__gradcheck_row;

/// Whether the gradient is that of the solution to EVN__GRADCHECK_TOLERANCES, where it is meant to
/// be: by adaptive adjoints.
bool evn__gradcheck_is_exact(const evn__gradcheck_row *row);

/// Whether a gradient was measured, is finite and exact, was not found by solving backwards
/// elsewhere, and is of no solve whose two states have come apart.
bool evn__gradcheck_trusts(const evn__gradcheck_row *row);

/// @param[in] parameters  have the dynamics' weights by name; unchanged
/// @param[in] options     method and steps, or tolerances, that the rows take
/// @return EVN_ERR_ARGUMENT on a device without double precision
evn_status evn__gradcheck_measure(evn_device *device, const evn_dynamics *dynamics,
                                  const evn_parameters *parameters,
                                  const evn_solver_options *options,
                                  evn__gradcheck_row rows[EVN__GRADCHECK_ROWS]);

#endif
