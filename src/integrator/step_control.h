// SPDX-License-Identifier: Apache-2.0
// The step control of a solve on the host, in double: twin of kernels/control.cl, and what decides
// for the rows of a search for events. Equal steps are counted by it, too.
#ifndef EVN_INTEGRATOR_STEP_CONTROL_H
#define EVN_INTEGRATOR_STEP_CONTROL_H

#include "integrator/controller.h"

/// The same for all solves of a solver.
typedef struct evn__step_rules {
    const evn_solver_options *options;
    const evn__stepper *stepper;
    evn__controller controller;
    double longest; ///< of a step; 0: any length
    /// Lengths of steps are rounded as the stages see them. Else, to compare with the kernel, they
    /// keep the digits behind, as on the device, which has them in pairs.
    bool rounds;
} evn__step_rules;

/// Those of the options, which are right and outlive them: steps up to dt_max, rounded.
evn__step_rules evn__step_rules_of(const evn_solver_options *options, const evn__stepper *stepper);

/// How far a solve is, and its next attempt.
typedef struct evn__step_control {
    double t0, t1;          ///< the way, outside of which no stage is seen
    double landing;         ///< where a step that would go further ends: an observation, or t1
    double t;               ///< where it is
    double seen, dt;        ///< of the next attempt: t as its stages see it, and its length
    double wanted;          ///< that length before it was cut short to land
    double next;            ///< behind the landing
    bool lands;             ///< the attempt comes to `landing`
    bool refused;           ///< the last attempt was rejected
    double errors[2];       ///< of the accepted steps before, the last one first
    int accepted, rejected; ///< attempts
    bool goes;              ///< there is a next attempt
    evn_outcome outcome;    ///< where there is none: EVN_OUTCOME_DONE at `landing`
} evn__step_control;

/// At t0.
/// @param dt  the first step; of equal steps, which are the options', it is not looked at
void evn__step_control_begin(evn__step_control *control, const evn__step_rules *rules, double t0,
                             double t1, double landing, double dt);

/// The attempt was accepted, with this error: to where it came to, and the next one.
void evn__step_control_accept(evn__step_control *control, const evn__step_rules *rules,
                              double error);

/// It was rejected; an error that is not finite counts as far too large.
void evn__step_control_reject(evn__step_control *control, const evn__step_rules *rules,
                              double error);

/// From a landing that is not t1 on to the next one, to compare with the kernel: the rows of a
/// search have one landing each.
void evn__step_control_go_on(evn__step_control *control, const evn__step_rules *rules,
                             double landing);

/// The way, or the longest step on it, with its sign.
double evn__step_rules_limit(const evn__step_rules *rules, double way);

#endif
