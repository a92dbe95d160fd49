// SPDX-License-Identifier: Apache-2.0
// Derivatives of an ODE in forward mode: a solve of its tangent dynamics for each direction.
#ifndef EVN_STUDY_TANGENTS_H
#define EVN_STUDY_TANGENTS_H

#include "evonode/solver.h"

typedef struct evn__tangents {
    evn_device *device;
    const evn_dynamics *dynamics;
    const double *point; ///< x(0), then the weights, one after the other
    // Made by evn__tangents_open.
    evn_dynamics *tangent;
    evn_solver *solver;
    evn_buffer *memory; ///< x and its tangent joined, weights, their tangents
    bool fp64;
    size_t x, columns, total; ///< elements of x, along its last axis, and with all weights
    double *host;             ///< [2 total]
    evn_binding *weights;
} evn__tangents;

typedef struct evn__tangent_cost {
    double seconds;
    int nfe, waits;
} evn__tangent_cost;

/// The fields before are set; close it also after a failure.
evn_status evn__tangents_open(evn__tangents *tangents, const evn_solver_options *options);
void evn__tangents_close(evn__tangents *tangents);

/// Solve from 0 to 1 along a direction [total].
/// @param[in]  loss   [x]
/// @param[out] slope  of the product of loss and x(1)
evn_status evn__tangents_push(evn__tangents *tangents, const double *direction, const double *loss,
                              double *slope, evn__tangent_cost *cost);

#endif
