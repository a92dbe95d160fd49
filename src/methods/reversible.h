// SPDX-License-Identifier: Apache-2.0
// Steps of an algebraically reversible method, as graphs (McCallum, Foster 2024: Efficient,
// accurate and stable gradients for Neural ODEs, arXiv 2410.11648). A second state z goes beside
// y; both begin at x(t0). With Ψ the change that one step of the base method makes:
//     y' = λ y + (1 − λ) z + Ψ(t, dt, z)      z' = z − Ψ(t + dt, −dt, y')
// which two sums undo. So that they undo it to rounding however many steps there are, each state
// is two numbers, the second beyond the first one's last digit (Knuth's two-sum).
#ifndef EVN_METHODS_REVERSIBLE_H
#define EVN_METHODS_REVERSIBLE_H

#include "dynamics/system.h"
#include "methods/stepper.h"

/// The parts of a state: y, z, and what is beyond their last digits.
enum {
    EVN__REVERSIBLE_Y,
    EVN__REVERSIBLE_Y_LOW,
    EVN__REVERSIBLE_Z,
    EVN__REVERSIBLE_Z_LOW,
    EVN__REVERSIBLE_PARTS,
};

typedef struct evn__reversible {
    const evn__system *system;
    const evn__stepper *stepper;
    double coupling; ///< λ, 0 < λ <= 1
    bool observes;   ///< backward: a share of an observation is added to y's first component
    bool times;      ///< backward: with the cotangents of t and dt
} evn__reversible;

/// Inputs "t", "dt", all states of a part, part by part, parameters; outputs the states after the
/// step, part by part.
evn_status evn__reversible_forward(const evn__reversible *method, evn_graph **graph);

/// From after a step to before it. Inputs as above, "t" being the time before the step, then the
/// cotangents of y and of z after the step, "observed" where it observes, and the cotangents of
/// the parameters so far; outputs the states before the step, the cotangents of y and z there,
/// those of the parameters with this step's share and, where wanted, those of t and dt.
evn_status evn__reversible_backward(const evn__reversible *method, evn_graph **graph);

#endif
