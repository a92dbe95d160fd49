// SPDX-License-Identifier: Apache-2.0
// What the files of a solver share.
#ifndef EVN_SOLVER_SOLVER_STATE_H
#define EVN_SOLVER_SOLVER_STATE_H

#include "evonode/solver.h"
#include "gradients/reconstruction.h"
#include "gradients/scheme.h"
#include "gradients/time_gradient.h"
#include "integrator/outcome.h"
#include "solver/dense_output.h"
#include "solver/observations.h"

struct evn_solver {
    evn_solver_options options; ///< without times, which are the caller's: the course has them
    evn__course course;
    double *jumps; ///< the options' own
    double *ends;  ///< [samples], of the last solve, where it ended before those given; once needed
    evn_dynamics *dynamics;
    evn__problem problem; ///< of the above
    evn__scheme *scheme;
    evn__layout layout;                  ///< of the state
    evn__reconstruction *reconstruction; ///< where the scheme solves backwards
    evn_solver_options checkpointed;     ///< the same options, for what is fallen back on
    evn__problem fallback_problem;
    evn__scheme *fallback;             ///< NULL: nothing is fallen back on
    const evn__scheme *last;           ///< which of both the last gradient is of
    evn__time_gradient *time_gradient; ///< where one is wanted
    evn__observations *observations;   ///< where the solve observes
    evn__dense_output *dense;          ///< with dense, for the whole batch
    evn_buffer *x1_bar;                ///< a copy of the caller's, once one is needed
    evn_buffer *start;                 ///< x(t0), where the end is doubtful; else NULL
    evn_binding *parameters;           ///< of the system, of the last solve
    evn_binding *parameters_bar;       ///< where their cotangents go
    evn__passage passage;              ///< of the last solve, without what its samples have
    evn__doubtful doubtful;            ///< what is looked at behind it
    evn_solution solution;             ///< of the last solve
    bool own_times;                    ///< each sample had its own in it
    bool ended;                        ///< it came to its end or to a stop
    bool solved;                       ///< it came to its end: there is something to differentiate
    bool differentiated;               ///< so did a gradient of it,
    bool reconstructed;                ///< and one that solves backwards
};

/// Before a solve: keep x0, which may be where its end goes, as what the last one gave.
evn_status evn__solver_keep_start(const evn_solver *solver, evn_binding x0);
/// After one: evn__outcome_check_steps.
evn_status evn__solver_check_steps(const evn_solver *solver, evn_binding x1,
                                   evn_solution *solution);

/// Whether evn__solver_check_gradient looks at gradients of the scheme itself.
bool evn__solver_checks_gradient(const evn_solver *solver);

/// After a gradient by a scheme: whether its cotangents of the state are finite, which those behind
/// transposed equations of an implicit step that were not solved are not. Waits, but only for
/// implicit methods, for what was fallen back on, and for adaptive solves backwards that nothing
/// else looks at.
/// @param passage  of the gradient, of whose cotangents that of x has `count` elements: where these
///                 are not finite, that is the caller's
/// @return EVN_ERR_SOLVER, EVN_ERR_NOT_FINITE, with the outcome
evn_status evn__solver_check_gradient(const evn_solver *solver, const evn__scheme *scheme,
                                      const evn__passage *passage, size_t count,
                                      evn_solution *solution);

#endif
