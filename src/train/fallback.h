// SPDX-License-Identifier: Apache-2.0
// Phases whose gradient solves backwards, and which go on from checkpoints where that leads
// elsewhere. It is seen without a wait, after the batches whose results are read next.
#ifndef EVN_TRAIN_FALLBACK_H
#define EVN_TRAIN_FALLBACK_H

#include "evonode/trainer.h"

/// The solver by which a phase trains: it watches, or has fallen back.
evn_solver_options evn__fallback_solver(const evn_phase *phase, const evn_task *task,
                                        bool fell_back);

/// Whether the gradients since the last look are beyond what the phase allows: *fell_back is set
/// then, and fell_back in the metrics says by how much. Only after a wait for all that is enqueued.
/// @param[in] program  compiled with the solver above
evn_status evn__fallback_look(const evn_phase *phase, const evn_task *task, void *program,
                              bool *fell_back, evn_metrics *metrics);

#endif
