// SPDX-License-Identifier: Apache-2.0
// Phases whose gradient solves backwards, and which go on from checkpoints where that leads
// elsewhere. It is seen without a wait, after the batches whose results are read next.
#ifndef EVN_TRAIN_FALLBACK_H
#define EVN_TRAIN_FALLBACK_H

#include "evonode/trainer.h"

/// How a phase stands. The numbers are those of checkpoints.
typedef enum evn__fallback {
    EVN__FALLBACK_NONE,
    EVN__FALLBACK_TAKEN, ///< gradients are those of checkpoints
    EVN__FALLBACK_DUE,   ///< they will be, behind the batch whose results are read next
} evn__fallback;

/// The solver by which a phase trains: it watches, or has fallen back.
evn_solver_options evn__fallback_solver(const evn_phase *phase, const evn_task *task,
                                        evn__fallback state);

/// Whether the gradients since the last look are beyond what the phase allows: *state is due then,
/// and fell_back in the metrics says by how much. Waits for gradients that are under way.
/// @param[in] program  compiled with the solver above
/// @param[in] take     what is due is taken from here on
/// @return EVN_ERR_NOT_FINITE where one was infinitely far: the parameters have followed it
evn_status evn__fallback_look(const evn_phase *phase, const evn_task *task, void *program,
                              bool take, evn__fallback *state, evn_metrics *metrics);

/// What the program's gradients were like says nothing of those to come.
/// @param[in] program  compiled with the solver above in this state; NULL: nothing
evn_status evn__fallback_forget(const evn_phase *phase, const evn_task *task, void *program,
                                evn__fallback state);

#endif
