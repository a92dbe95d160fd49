// SPDX-License-Identifier: Apache-2.0
/// @file
/// Training a task, phase by phase: backprop through Euler, then the adjoint with an adaptive
/// solver (He, Xie, Lin 2019, section 3.2.2), or any other list of phases.
#ifndef EVONODE_TRAINER_H
#define EVONODE_TRAINER_H

#include "evonode/optimizer.h"
#include "evonode/task.h"

EVN_API_BEGIN

/// A model under training: its data, phases and optimiser.
typedef struct evn_trainer evn_trainer;

/// One phase of training.
typedef struct evn_phase {
    const char *name;          ///< shown to the user: "backprop", "adjoint"
    evn_solver_options solver; ///< with its gradient; not read by a task that solves nothing
    int epochs;                ///< at most, if automatic; 0: the phase is passed over
    evn_schedule schedule;     ///< of the learning rate, over the phase's own epochs
    /// The phase, which must not be the last, ends early when the loss with the next phase's solver
    /// no longer follows its own, or when it no longer falls (src/train/switch.h). Not for a task
    /// that iterates.
    bool automatic;
    /// The phase ends with the parameters whose loss of the test part was least, seen at its start
    /// and with each summary on at most 16 batches of it, and early when that loss has not fallen
    /// for a quarter of its summaries: early stopping. The test part then has had a say in
    /// training.
    bool held_out;
    /// With the gradient EVN_GRADIENT_ADJOINT: where solving backwards ends further from the true
    /// start than this (evn_solver_watched), the phase goes on with gradients from checkpoints, and
    /// the next summary has a metric fell_back, which says how far. That is seen with the results
    /// of the batches that are read next, and costs no wait; the batch behind which it is seen is
    /// the last of an adjoint. A solve backwards that did not stay finite has spoilt the parameters
    /// by then, and training ends with EVN_ERR_NOT_FINITE, without a summary. 0: it is not looked
    /// at
    double reconstruction;
} evn_phase;

/// Why a phase ends before its epochs are over.
typedef enum evn_switch {
    EVN_SWITCH_NONE,     ///< it does not
    EVN_SWITCH_APART,    ///< automatic: the loss with the next phase's solver leaves its own
    EVN_SWITCH_STALLED,  ///< automatic: the training loss no longer falls
    EVN_SWITCH_HELD_OUT, ///< held_out: the loss of the test part no longer falls
} evn_switch;

/// The summary of an epoch, or of some iterations (epochs of a task that iterates), the last of
/// which it names. Its metrics: train_loss and the task's scores, learning_rate (of the last step),
/// seconds (training alone), data_wait_seconds (of them: the device had nothing to do until a batch
/// was drawn and augmented), nfe_forward and nfe_backward (means over the batches, where something
/// is solved), peak_device_bytes; of the adjoint x_reconstruction and theta_reconstruction
/// (relative errors, last batch), of the reversible method states_apart (evn_solver_apart, the
/// larger one, last batch); of a task with epochs what evn_task_evaluate says of the test
/// part; of an automatic phase own_loss and next_loss, of some training batches with its solver and
/// with the next phase's; of a held_out phase held_out_loss, of the test part.
typedef struct evn_epoch {
    int phase, epoch;    ///< phase number; epoch within all phases, from 0
    evn_switch ended;    ///< whether, and why, the phase ends with this epoch
    evn_metrics metrics; ///< what was measured, as above
} evn_epoch;

/// How far training is.
typedef struct evn_progress {
    int phase, phases;         ///< number of the phase, and of all phases
    int epoch, epochs;         ///< within all phases
    int64_t step, steps;       ///< batches of this epoch; 0: an epoch is one iteration
    double loss;               ///< of the batches since the last progress; NaN before the first
    double samples_per_second; ///< NaN for a task that iterates
    double seconds_left;       ///< of all phases, from the speed of this one
} evn_progress;

/// What is trained, how, and who is told.
typedef struct evn_trainer_options {
    const evn_phase *phases;         ///< copied by evn_trainer_create, with the texts in it
    int phase_count;                 ///< entries of phases, >= 1
    evn_optimizer_options optimizer; ///< the same for all phases
    /// Batches whose gradients are averaged before the optimiser takes a step: 0 or 1: each its
    /// own. With k, memory is that of one batch, and a step that of a batch k times as large; the
    /// last step of an epoch takes the batches that are left.
    int accumulate;
    /// The task's batches are parts of a batch: so many of them in turn are one, and `accumulate`
    /// counts whole batches. 0 or 1: each is its own.
    int micro_batches;
    /// After each step of the optimiser the device is left to others, and to cool, for so many
    /// seconds. 0: it is not.
    double pause_seconds;
    /// As long again as this share of all the time, 0 to 0.99; it is added to pause_seconds.
    double pause_share;
    /// Each phase begins with a fresh optimiser: where the solver changes gradients can grow, and
    /// moments that remember the small ones before would make the first steps far too long.
    bool renew_optimizer;
    /// Called now and then within an epoch, at most a few times a second; may be NULL.
    void (*progress)(void *user, const evn_progress *progress);
    /// Called after each epoch; may be NULL.
    void (*epoch_done)(void *user, const evn_epoch *epoch);
    /// Asked after each step whether to stop; may be NULL.
    bool (*stop)(void *user);
    void *user; ///< handed to the callbacks
} evn_trainer_options;

/// A phase with a constant rate, named after its method; then change fields. Its solver's bound of
/// a reconstruction is 1, which ends training at one step; evn_phase has its own.
/// @param[in] method  evn_method_name
/// @param[in] steps   equal ones; 0: adaptive, for the adjoint
/// @param[in] epochs  or iterations
evn_phase evn_phase_default(const char *method, int steps, evn_gradient gradient, int epochs,
                            double rate);

/// Compile the first phase.
/// @param[in] task  borrowed; outlives the trainer
/// @return EVN_ERR_ARGUMENT with what is wrong in which phase
evn_status evn_trainer_create(evn_device *device, const evn_task *task,
                              const evn_trainer_options *options, evn_trainer **trainer);
void evn_trainer_destroy(evn_trainer **trainer); ///< nulls; accepts NULL

/// Train all phases, or what is left of them.
/// @return EVN_ERR_NOT_FINITE, with the epoch and what to do, when the loss is not a number;
///         EVN_ERR_SOLVER when a solve fails; EVN_ERR_INTERRUPTED when `stop` said so;
///         EVN_ERR_ARGUMENT after a run that was left within an epoch. The
///         parameters then are those of the last finished step.
evn_status evn_trainer_run(evn_trainer *trainer);

/// Write a checkpoint, whole or not at all: what training needs to go on as if nothing had been,
/// with the same bits on the same device. Between epochs, as in epoch_done, and where training was
/// stopped between two.
/// @return EVN_ERR_ARGUMENT within an epoch, and after one that failed or was stopped;
///         EVN_ERR_OUTPUT; EVN_ERR_NOT_FINITE, and nothing is written
evn_status evn_trainer_save(const evn_trainer *trainer, const char *path);

/// Read a checkpoint of a trainer with the same task and options, before evn_trainer_run, or after
/// one that was left within an epoch.
/// @param[out] epochs  that are done
/// @return EVN_ERR_FILE; EVN_ERR_FORMAT; EVN_ERR_DATA when it is of another training
evn_status evn_trainer_restore(evn_trainer *trainer, const char *path, int *epochs);

/// Measure a part of the task with the solver of phase `phase`, as evn_task_evaluate does; a
/// shuffled training part in the order of the last epoch.
/// @return EVN_ERR_ARGUMENT for a phase, or a part of the task, that there is not
evn_status evn_trainer_evaluate(evn_trainer *trainer, int phase, evn_part part,
                                evn_metrics *metrics);

/// The training loss of every epoch so far, of an iteration before its update; *count of them,
/// owned by the trainer. NULL of a trainer that is NULL.
const double *evn_trainer_losses(const evn_trainer *trainer, int *count);

EVN_API_END

#endif
