// SPDX-License-Identifier: Apache-2.0
// Goes the steps of a trail again, and backwards: with all states and intermediate values kept, or
// with as many states as there are checkpoints (revolve.h), from which the others are computed
// again.
#ifndef EVN_GRADIENTS_REPLAY_H
#define EVN_GRADIENTS_REPLAY_H

#include "gradients/scheme.h"
#include "integrator/trail.h"

typedef struct evn__replay evn__replay;

/// By the problem's gradient: backprop keeps all, checkpointed the options' checkpoints, or all
/// states.
/// @param[in] steps  memory for so many at first; more is made when it is needed
/// @return EVN_ERR_ARGUMENT where the options' memory of checkpoints has no room for the fewest
evn_status evn__replay_create(const evn__problem *problem, int steps, evn__replay **replay);
/// Whether it has, of a gradient that is made later.
evn_status evn__replay_check_room(const evn__problem *problem);
void evn__replay_destroy(evn__replay **replay); ///< nulls; accepts NULL

/// The steps to go; may move what is kept.
evn_status evn__replay_follow(evn__replay *replay, const evn__trail *trail);

/// Component of the state before the first step, to be written before going forward; after the
/// last one, once that is done.
evn_binding evn__replay_begin(const evn__replay *replay, int index);
evn_binding evn__replay_end(const evn__replay *replay, int index);

/// All steps; observations go to the passage's series, if it has a buffer. Enqueues only.
evn_status evn__replay_forward(evn__replay *replay, const evn__passage *passage);

/// All steps backwards, after forward, as often as wanted. Enqueues only.
evn_status evn__replay_backward(evn__replay *replay, const evn__passage *passage);
evn_binding evn__replay_state_bar(const evn__replay *replay, int index);

/// With time_gradient, after it.
evn__time_bars evn__replay_time_bars(const evn__replay *replay);

/// Evaluations of the last one of these, of the right-hand side.
int evn__replay_evaluations(const evn__replay *replay);

#endif
