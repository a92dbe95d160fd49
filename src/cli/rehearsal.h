// SPDX-License-Identifier: Apache-2.0
// The device memory of a training, known before it starts: task and trainer are made, and run for a
// batch or two of each phase, on a device that only counts (host/counting.h). What is counted is
// thus what the training's own code asks for.
#ifndef EVN_CLI_REHEARSAL_H
#define EVN_CLI_REHEARSAL_H

#include "cli/session.h"
#include "host/counting.h"

/// Device memory that a training needs.
typedef struct evn__needs {
    evn__memory_use training;
    uint64_t measuring; ///< bytes at the peak while the results are measured, after training
    uint64_t largest;   ///< bytes of the largest buffer of all
    uint64_t fallen;    ///< bytes of the peak where an adjoint falls back on checkpoints; 0: none
                        ///< does, or it was not asked
    int steps;          ///< of an adaptive solve, at most, that these are for; 0: no matter
    uint64_t step;      ///< bytes that the peak grows by for each step more
} evn__needs;

/// What is tried in place of what the settings say.
typedef struct evn__variation {
    int64_t batch;         ///< samples that the device gets at once; 0: the source's own
    bool parts;            ///< that is one of several that make a step, whose gradients are kept
    evn_gradient gradient; ///< of the phases whose gradient keeps more; EVN_GRADIENT_NONE: as it is
    bool fallen;           ///< adjoints that may go on from checkpoints do
    int more_steps;        ///< of adaptive solves than are expected
} evn__variation;

/// Whether memory is needed for each step that an adaptive solve of the phase takes.
/// @param[in] fallen  where an adjoint that goes on from checkpoints once it has fallen back has
bool evn__phase_keeps_steps(const evn_phase *phase, bool fallen);

/// Solve the first batch with the weights that training begins with, where phases keep adaptive
/// steps, and have their solvers expect as many, and an eighth more; below a limit no fewer than
/// are usual. Weights that are loaded or resumed are not known
/// yet: those are fresh random ones there. Where that fails nothing is expected: training will say
/// why.
/// @param[in] room  bytes that may be used
evn_status evn__expect_steps(evn__session *session, const evn__settings *settings, bool fallen,
                             uint64_t room);

/// Rehearse the training of an open session with complete settings. The device must hold no
/// buffers that are used meanwhile.
evn_status evn__rehearse(const evn__session *session, const evn__settings *settings,
                         const evn__variation *variation, evn__needs *needs);

/// Rehearse on the device itself.
evn_status evn__rehearse_computed(const evn__session *session, const evn__settings *settings,
                                  const evn__variation *variation);

/// A forward run of the session's task with the solver that evaluates, over a batch of so many
/// samples; nothing for a task that evaluates in its own way.
evn_status evn__rehearse_use(const evn__session *session, const evn__settings *settings,
                             int64_t batch);

/// Compile the task for a solver and run it over the first batch.
evn_status evn__rehearse_forward(const evn_task *task, const evn_solver_options *solver,
                                 evn_solution *solution);

/// Bytes that have to be there: the most of both.
uint64_t evn__needs_bytes(const evn__needs *needs);

/// "12.3 MiB: parameters 0.1 MiB, …" into `text`; returns text.
const char *evn__needs_text(const evn__needs *needs, char *text, size_t size);

#endif
