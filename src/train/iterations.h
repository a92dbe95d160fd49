// SPDX-License-Identifier: Apache-2.0
// Training by iterations on one batch each: what the curve and the flow have in common. An epoch of
// a phase is one iteration; a report comes every ten of them, in a short phase more often.
#ifndef EVN_TRAIN_ITERATIONS_H
#define EVN_TRAIN_ITERATIONS_H

#include "train/checkpoint.h"
#include "train/phases.h"

/// A task under training. All is borrowed from the task.
typedef struct evn__iterations {
    evn_device *device;
    const evn_trainer_options *options; ///< callbacks, optimiser
    const evn_phase *phases;
    evn_parameters *parameters;
    evn_optimizer **optimizer;
    evn__learnt_solver *learnt;
    evn_binding x_bar; ///< cotangent of what the solve gave, as `forward` leaves it
    evn_binding loss;  ///< where `forward` leaves it
    bool renew;        ///< each phase begins with a fresh optimiser
    void *task;
    evn_status (*compile)(void *task,
                          int phase); ///< make `learnt` for the phase, with its gradient
    /// Solve one batch: its loss, and the cotangents in x_bar; waits for neither.
    evn_status (*forward)(void *task, evn_solution *solution);
    double *losses; ///< [iterations of all phases]: of each before its update
    evn__position *at;
} evn__iterations;

/// Train all phases, or what is left of them. A report's train_loss is the mean since the last one;
/// what an evn_epoch has about accuracies does not apply (NaN, −1). Failures as of evn_trainer_run.
evn_status evn__iterations_run(evn__iterations *training);

/// As evn_trainer_save and evn_trainer_restore; a training that was stopped can be saved too.
evn_status evn__iterations_save(const evn__iterations *training, const char *path);
evn_status evn__iterations_restore(evn__iterations *training, const char *path);

#endif
