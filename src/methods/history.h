// SPDX-License-Identifier: Apache-2.0
// What a multi-step method knows of the steps before: further states, behind those of a system,
// that its steps read and write and nobody else looks at. Step control on the device, backprop and
// checkpoints are therefore the same as for one-step methods. Of each state there are
// differences of its slopes, each like the state; of all, a schedule: how long the steps were, and
// how many.
#ifndef EVN_METHODS_HISTORY_H
#define EVN_METHODS_HISTORY_H

#include "evonode/solver.h"
#include "methods/step_build.h"

/// Names of the inputs of steps and of their pullbacks that have an axis of samples: the state and
/// its cotangent, their slopes where a step starts with one, an observation's share, and histories
/// of either. NULL-ended, as evn_plan_options wants them.
extern const char *const evn__sample_inputs[];

/// Entries of the schedule.
enum {
    EVN__SCHEDULE_COUNT,   ///< steps since the history began
    EVN__SCHEDULE_RAISED,  ///< by how much the order is above 1
    EVN__SCHEDULE_RTOL,    ///< the tolerances, by which orders are chosen: the same when steps are
    EVN__SCHEDULE_ATOL,    ///< gone again as in the solve
    EVN__SCHEDULE_LENGTHS, ///< from here on of the steps before, the last one first
};

typedef struct evn__history {
    evn__system own;           ///< with the further states
    const evn__system *system; ///< that, or the caller's where the method has no history
    evn_buffer *begin;         ///< the schedule before the first step
    bool fp64;
} evn__history;

/// @param[in] system  outlives the history where the method has none
evn_status evn__history_create(evn_device *device, const evn__system *system,
                               const evn__stepper *stepper, const evn_solver_options *options,
                               evn__history *history);
void evn__history_free(evn__history *history); ///< what it holds

/// What is before is forgotten: `schedule` is where that state is. Enqueues only.
evn_status evn__history_begin(const evn__history *history, evn_binding schedule);

/// The same as a value of a graph, of a system that has a history, with its tolerances.
evn_value evn__history_build(const evn__step_build *step);

/// Index of the first of the differences of a state, and of the schedule, among the states of a
/// system that has them.
int evn__history_differences(const evn__system *system, int state);
int evn__history_schedule(const evn__system *system);

#endif
