// SPDX-License-Identifier: Apache-2.0
// The task as it is compiled while a phase is trained: to train, to measure, and to measure with
// the solver of the next phase. One program of each kind is kept, since it has device memory.
#ifndef EVN_TRAIN_PROGRAMS_H
#define EVN_TRAIN_PROGRAMS_H

#include "train/fallback.h"

/// Zero-initialise but for what is borrowed.
typedef struct evn__programs {
    const evn_task *task;    ///< borrowed
    const evn_phase *phases; ///< borrowed
    void *training, *testing;
    void *ahead;                       ///< of an automatic phase: with the next phase's solver
    int training_phase, testing_phase; ///< what they were compiled for
    evn__fallback training_fallback;   ///< as it was then
} evn__programs;

void evn__programs_release(evn__programs *programs);

/// Compile what trains, or measures, in a phase, unless it is there. Each phase is tried as it is
/// entered.
/// @return EVN_ERR_ARGUMENT, naming the phase
evn_status evn__programs_train(evn__programs *programs, int phase, evn__fallback state);
evn_status evn__programs_test(evn__programs *programs, int phase);

/// Compile what looks ahead from an automatic phase; from others nothing does.
evn_status evn__programs_look_ahead(evn__programs *programs, int phase);

/// What the gradients were like says nothing of those to come.
evn_status evn__programs_forget(evn__programs *programs);

#endif
