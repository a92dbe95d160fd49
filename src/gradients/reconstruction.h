// SPDX-License-Identifier: Apache-2.0
// How far a state that was found by solving backwards is from the one that a solve began with.
#ifndef EVN_GRADIENTS_RECONSTRUCTION_H
#define EVN_GRADIENTS_RECONSTRUCTION_H

#include "gradients/scheme.h"
#include "integrator/integrator.h"

evn_status evn__reconstruction_create(const evn__problem *problem,
                                      evn__reconstruction **reconstruction);
void evn__reconstruction_destroy(evn__reconstruction **reconstruction); ///< nulls; accepts NULL

/// Where a copy of component `index` of the true state is, to be written.
evn_binding evn__reconstruction_truth(const evn__reconstruction *reconstruction, int index);

/// Before each gradient: nothing has been found yet.
void evn__reconstruction_begin(evn__reconstruction *reconstruction);

/// Within a gradient, where a scheme goes back in parts: it has come to the beginning of one, at t.
/// `truth` has all components of the true state there, as they are laid out. Enqueues only.
evn_status evn__reconstruction_pass(evn__reconstruction *reconstruction, const evn__scheme *scheme,
                                    evn_binding truth, double t);

// After a gradient, of the start and of all places that it has passed:

/// ‖found − true‖ / ‖true‖ of x, and of all evolving weights; the difference itself where the truth
/// is 0. Waits.
evn_status evn__reconstruction_measure(evn__reconstruction *reconstruction,
                                       const evn__scheme *scheme, double *x_error,
                                       double *theta_error);

/// EVN_OK where neither is beyond the options' bound, a state whose norm is below 200 atol an
/// element counting as one of that norm, and no pair of states is apart.
/// @return EVN_ERR_NOT_FINITE, EVN_ERR_SOLVER, which say what to do; with an outcome of their own
evn_status evn__reconstruction_check(evn__reconstruction *reconstruction, const evn__scheme *scheme,
                                     evn_solution *solution);

/// After a solve, or a gradient of it: evn_solver_apart; 0 where there is no pair. Waits.
evn_status evn__reconstruction_apart(evn__reconstruction *reconstruction, const evn__scheme *scheme,
                                     double *x_apart, double *theta_apart);

/// Whether a solve whose states are so far apart is good. Where they are not finite others say so.
/// @return EVN_ERR_SOLVER, which says what to do; with an outcome of its own
evn_status evn__reconstruction_check_apart(double x_apart, double theta_apart,
                                           evn_solution *solution);

/// After a gradient, with the option watch: enqueues what is worst so far. Does not wait.
evn_status evn__reconstruction_watch(evn__reconstruction *reconstruction,
                                     const evn__scheme *scheme);

/// The worst since the last look, as evn__reconstruction_check judges it: 0 where there is none.
/// Waits only where the device has not come that far.
evn_status evn__reconstruction_look(evn__reconstruction *reconstruction, double *worst);

#endif
