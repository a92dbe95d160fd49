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

/// Rehearse on the device itself, and find the longest launch.
evn_status evn__rehearse_timed(const evn__session *session, const evn__settings *settings,
                               const evn__variation *variation, evn__longest_launch *longest);

/// Bytes that have to be there: the most of both.
uint64_t evn__needs_bytes(const evn__needs *needs);

/// "12.3 MiB: parameters 0.1 MiB, …" into `text`; returns text.
const char *evn__needs_text(const evn__needs *needs, char *text, size_t size);

/// Rehearse; compute batches in parts where --memory-limit asks for it (then also
/// settings->micro_batches says so); refuse what does not fit, with what would.
/// Below a limit an adjoint that may fall back on checkpoints must fit with these.
/// @param[in] fixed  batches, parts and gradients must stay as they are: a run goes on
/// @return EVN_ERR_DEVICE_MEMORY; EVN_ERR_USAGE for a limit that is none
evn_status evn__memory_fit(evn__session *session, evn__settings *settings, bool fixed,
                           evn__needs *needs);

/// Time the launches, where --launch-limit or the device asks for it; compute batches in
/// parts so that none is longer, and warn where no parts help. session->longest is the longest.
/// @param[in] fixed  the parts must stay as they are: a run goes on, and is timed alone
evn_status evn__launch_fit(evn__session *session, evn__settings *settings, bool fixed);

#endif
