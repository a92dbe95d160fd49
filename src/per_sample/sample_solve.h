// SPDX-License-Identifier: Apache-2.0
// Adaptive solves in which each sample, a row of x [B, …], has its own steps, ends and
// observations: each is accepted or refused by itself, and stays as it is once it has come to its
// end or to a stop. Attempts are enqueued many at a time; the host looks whether any sample still
// has to go on.
#ifndef EVN_PER_SAMPLE_SAMPLE_SOLVE_H
#define EVN_PER_SAMPLE_SAMPLE_SOLVE_H

#include "integrator/passage.h"
#include "integrator/trail.h"

typedef struct evn__sample_solve evn__sample_solve;

/// @param[in] problem  outlives it
/// @return EVN_ERR_ARGUMENT as evn__system_by_sample
evn_status evn__sample_solve_create(const evn__problem *problem, evn__sample_solve **solve);
void evn__sample_solve_destroy(evn__sample_solve **solve); ///< nulls; accepts NULL

/// Where x is, [B, …]: at the start before a solve, at the end after it.
evn_binding evn__sample_solve_state(const evn__sample_solve *solve);

/// Waits now and then.
/// @param[out] solution  of all: what the sample says that needed the most attempts; the outcome of
///                       the first that came to a stop
/// @return EVN_ERR_SOLVER or EVN_ERR_NOT_FINITE, naming the first that came to a stop and why; the
///         others are right all the same
evn_status evn__sample_solve_run(evn__sample_solve *solve, const evn__passage *passage,
                                 evn_solution *solution);

/// With dense: x of each sample at times of the last solve, [B, count] of its `own` or [count] of
/// all, to [count, B, …]. Waits for the device.
/// @return EVN_ERR_ARGUMENT, naming the sample, where a time is not on its way
evn_status evn__sample_solve_at(evn__sample_solve *solve, const double *times, bool own, int count,
                                evn_binding to);

/// Of so many samples these came to a stop.
typedef struct evn__stopped {
    int first, count, samples;
} evn__stopped;

/// The error of a solve in which that happened; `solution` is the first one's.
evn_status evn__sample_solve_fail(const evn_solver_options *options, const evn__passage *passage,
                                  const evn__stopped *stopped, const evn_solution *solution);

/// The accepted steps of one sample in the last solve, behind those that are there. Waits.
/// @return EVN_ERR_ARGUMENT where neither a gradient nor dense output has them kept
evn_status evn__sample_solve_steps(const evn__sample_solve *solve, int sample, evn__trail *trail);

/// Of one sample of the last solve.
evn_solution evn__sample_solve_solution(const evn__sample_solve *solve, int sample);

#endif
