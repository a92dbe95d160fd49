// SPDX-License-Identifier: Apache-2.0
/// @file
/// Events: zeros of functions of t and x on the way of a solve. A solver that looks for them ends
/// at the first one that is terminal, and differentiates through its time.
///
/// An event is found where its function has changed its sign from one end of an accepted step to
/// the other: a pair of zeros within one step is passed over (dt_max makes steps shorter). Its time
/// is then narrowed down along the step itself, which is taken again with other lengths, until two
/// times are as near to each other as the precision has them: the state at an event is one that
/// the method gives, and the function is 0 there but for rounding. A function that comes to 0 and
/// stays there, or turns back, is one event, where it first is 0. One that is 0 all the way, from
/// the start on, has no event: nothing is found, and the solve goes to t1; a solution says so by
/// EVN_OUTCOME_DONE.
///
/// A zero at the start is none: the derivative of the function says to which side it goes. It
/// counts as one where it is ahead by no more than some digits of time, those of t0 and of the
/// longest step that the options allow: a solve that goes on behind an event, with another state
/// perhaps, begins at the zero but for rounding, on either side, and does not meet the same event
/// again.
///
/// Events whose times are within the width are at one time. An event may be anything behind one
/// that is terminal; elsewhere one that is not finite makes an adaptive step shorter, and ends the
/// solve where that does not help.
#ifndef EVONODE_EVENT_H
#define EVONODE_EVENT_H

#include "evonode/solver.h"

EVN_API_BEGIN

/// A compiled solver that looks for events.
typedef struct evn_event_solver evn_event_solver;

/// Which zeros count, in the order in which the solve comes to them.
typedef enum evn_event_direction {
    EVN_EVENT_EITHER,
    EVN_EVENT_RISING,  ///< from below 0 to above
    EVN_EVENT_FALLING, ///< from above 0 to below
} evn_event_direction;

/// What is looked for.
typedef struct evn_event {
    /// Inputs "t" (scalar), "x" in the dynamics' shape, then any of the dynamics' weights that do
    /// not evolve, by name. One output: a number, or with per_sample [B] or [B, 1], one for each
    /// sample, of which it must not mix any. Copied
    const evn_graph *function;
    evn_event_direction direction; ///< which of its zeros count
    bool terminal; ///< the solve ends there; else it is noted, and the solve goes on
} evn_event;

/// An event that was found.
typedef struct evn_occurrence {
    int64_t sample;  ///< with per_sample; else 0
    int event;       ///< its number among those that were given
    double t;        ///< at the zero, or behind it by as little as the precision has
    const double *x; ///< the state there, [state], or with per_sample of the sample alone; borrowed
                     ///< until the solver's next solve
} evn_occurrence;

/// Compile. The dynamics and the events may be destroyed afterwards. Options are those of solvers,
/// with fixed or adaptive steps, of the batch or per_sample, and any gradient, but without
/// dense output.
///
/// Across jumps of f each event stays on the side where it was: one that f turns around is found
/// once, or not at all; one whose function jumps, too, with another sign behind, right behind the
/// jump. An event that is found at a jump is on the way before it. Where weights evolve and samples
/// have steps of their own, a gradient takes samples that end on one side of each jump alone.
///
/// Observations are made without a say in the steps, also where these are fixed: a step is taken
/// again as far as their times; an adaptive one whose part up to there is not good enough is
/// rejected. They are at fractions of the way that a solve is given, from t0 to t1, whether or not
/// an event ends it: x stays where it ended, and those behind are x there. The solve goes to t1
/// also where the last of them is before that. Not with times_vary, observe_weights, or
/// time_gradient.
/// @param[in] events  [count], 1 to EVN_MAX_INPUTS
/// @return EVN_ERR_ARGUMENT as evn_solver_create, and naming the event for a function that is none
///         of these dynamics'; EVN_ERR_SHAPE, naming the event, for one with another output
evn_status evn_event_solver_create(evn_device *device, const evn_dynamics *dynamics,
                                   const evn_solver_options *options, const evn_event *events,
                                   int count, evn_event_solver **solver);
void evn_event_solver_destroy(evn_event_solver **solver); ///< nulls; accepts NULL

/// As evn_solve, up to the first terminal event; where there is none, to t1. Waits after each step.
/// @param[out] x1        where x at the event, or at t1, is
/// @param[out] solution  outcome EVN_OUTCOME_EVENT, and t that of the event; EVN_OUTCOME_DONE where
///                       no terminal event was met. With per_sample the outcome is EVENT where any
///                       sample met one; all else is that of the sample with the most attempts, and
///                       evn_event_solver_sample_solution says what each did. Its nfe counts those
///                       that narrow down, too. May be NULL
/// @return as evn_solve; EVN_ERR_NOT_FINITE, naming the event, where its function is not finite,
///         and naming the observation, where x is not finite there
evn_status evn_solve_to_event(evn_event_solver *solver, double t0, double t1, evn_binding x0,
                              const evn_binding *weights, evn_binding *x1, evn_solution *solution);

/// The same with times of each sample's own: per_sample. Those of observations are within the way
/// that the sample is given.
evn_status evn_solve_samples_to_event(evn_event_solver *solver, const evn_sample_times *times,
                                      evn_binding x0, const evn_binding *weights, evn_binding *x1,
                                      evn_solution *solution);

/// Where the observations of the last solve are, [observations, state]; the solver's, valid until
/// its next solve.
/// @return EVN_ERR_ARGUMENT without observations, and before a solve that was EVN_OK
evn_status evn_event_solver_observed(const evn_event_solver *solver, evn_binding *series);

/// What sample `index` did in the last solve; without per_sample there is sample 0 alone.
/// @return EVN_ERR_ARGUMENT without such a sample, and before a solve
evn_status evn_event_solver_sample_solution(const evn_event_solver *solver, int64_t index,
                                            evn_solution *solution);

/// The event that ended sample `index`; −1: none did.
/// @return as evn_event_solver_sample_solution
evn_status evn_event_solver_ended_with(const evn_event_solver *solver, int64_t index, int *event);

/// The grid of sample `index` in the last solve, as evn_solver_grid has it, also of one that
/// failed; the last step ends where the sample has ended.
/// @param[out] times  [count]
/// @param[in]  count  evn_solution.accepted + 1 of that sample
/// @return as evn_event_solver_sample_solution, and EVN_ERR_ARGUMENT when that is another number
evn_status evn_event_solver_grid(const evn_event_solver *solver, int64_t index, double *times,
                                 int count);

/// Events of the last solve: by sample, and of one sample in the order of the way; of those at one
/// time the one that ended it is the last.
int evn_event_solver_occurrence_count(const evn_event_solver *solver);
/// Number `index` of these.
/// @return EVN_ERR_ARGUMENT when there are not as many
evn_status evn_event_solver_occurrence(const evn_event_solver *solver, int index,
                                       evn_occurrence *occurrence);

/// Cotangents of an event that was found; zeros where the loss knows nothing of it.
typedef struct evn_occurrence_bar {
    double t_bar;        ///< of its time
    const double *x_bar; ///< of the state there, as evn_occurrence has it; NULL: zeros
} evn_occurrence_bar;

/// Cotangents of all that a solve to an event gives. Set x1_bar, and what else there is.
typedef struct evn_event_bars {
    evn_binding x1_bar; ///< of x1, in its shape
    /// [1], or with per_sample [B]: of the times of the terminal events that ended the samples; not
    /// read where there was none. NULL: zeros
    const double *t_bar;
    /// [evn_event_solver_occurrence_count], in their order; of an event that ended a sample they
    /// are added to those above. NULL: zeros
    const evn_occurrence_bar *occurrences;
    evn_binding observations; ///< [observations, state]: of these; without a buffer zeros, as it is
                              ///< where the options have none
} evn_event_bars;

/// The gradient through the last solve, which must have ended with EVN_OK, and through the times t*
/// of events, those that ended it and those on the way, which by the implicit function theorem move
/// with x by −eₓ / (eₜ + eₓ f): the cotangents x̄ and t̄ of an event are x̄ − eₓᵀ (t̄ + x̄·f) /
/// (eₜ + eₓ f) of x at t*, that of a weight of e gets its share, and the rest is the options'
/// gradient of solves from one such event, or observation, to the next, as far as these have
/// cotangents that are not 0, which are made before it. Samples that ended at t1 have the usual
/// gradient. Waits.
///
/// Those solves may take other steps than the one that looked for events: fixed steps are as many
/// as in the options, over the way from each of these to the next, and those of the reversible
/// gradient are of its own method. dt_first and max_steps hold for each of them, dt_min for none.
/// Each begins anew: through n observations it costs n solves at least, adaptive ones with a first
/// step each, and n runs of what passes an event. The gradient is one of that solve's x at t*,
/// which differs from x1 by the error of the method.
/// @param[out] x0_bar       as in evn_solve_gradient, as are weights_bar and the solution, whose
///                          nfe includes that of the solves; where no event on the way has
///                          cotangents, the first time alone
/// @return as evn_solve_gradient; EVN_ERR_NOT_FINITE, naming event, time and sample, where the
///         function only touches 0, or so nearly that its time has no finite derivative
evn_status evn_solve_to_event_gradient(evn_event_solver *solver, const evn_event_bars *bars,
                                       evn_binding *x0_bar, const evn_binding *weights_bar,
                                       evn_solution *solution);

/// After such a gradient, with time_gradient in the options: that with respect to t0, per unit of
/// t, through the time of the event, too. The t1 of a way that an event has ended has none.
/// @param[out] t0_bar  [1], or with per_sample [B]
/// @return EVN_ERR_ARGUMENT without time_gradient, or where there is no such gradient
evn_status evn_solve_to_event_time_gradient(evn_event_solver *solver, double *t0_bar);

EVN_API_END

#endif
