// SPDX-License-Identifier: Apache-2.0
// Training a model on a data set, phase by phase: backprop through Euler, then the adjoint with an
// adaptive solver (He, Xie, Lin 2019, section 3.2.2), or any other list of phases.
#ifndef EVONODE_TRAINER_H
#define EVONODE_TRAINER_H

#include "evonode/dataset.h"
#include "evonode/model.h"
#include "evonode/optimizer.h"
#include "evonode/solver.h"

typedef struct evn_trainer evn_trainer;

/// One phase of training. For a ResNet the solver and the gradient do not matter.
typedef struct evn_phase {
    const char *name;          ///< shown to the user: "backprop", "adjoint"
    evn_solver_options solver; ///< with its gradient
    int epochs;                ///< at most, if automatic
    evn_schedule schedule;     ///< of the learning rate, over the phase's own epochs
    /// The phase, which must not be the last, ends early when the loss with the next phase's solver
    /// no longer follows its own, or when it no longer falls (src/train/switch.h). For images.
    bool automatic;
} evn_phase;

/// Why an automatic phase ends before its epochs are over.
typedef enum evn_switch {
    EVN_SWITCH_NONE,    ///< it does not
    EVN_SWITCH_APART,   ///< the loss with the next phase's solver no longer follows its own
    EVN_SWITCH_STALLED, ///< the training loss no longer falls
} evn_switch;

/// What happened in an epoch, measured on what the epoch did.
typedef struct evn_epoch {
    int phase, epoch;                  ///< phase number; epoch within all phases, from 0
    double train_loss, train_accuracy; ///< of the batches as they were trained on
    double test_loss, test_accuracy;   ///< with the phase's solver
    int64_t test_errors, test_count;
    double learning_rate;                          ///< of the last step
    double seconds;                                ///< training alone, without the test
    double nfe_forward, nfe_backward;              ///< mean over the batches
    double x_reconstruction, theta_reconstruction; ///< adjoint: relative errors, last batch; else 0
    double own_loss, next_loss; ///< automatic phase: of some training batches with its solver and
                                ///< with the next phase's; else 0
    evn_switch ended;           ///< whether, and why, the phase ends with this epoch
    uint64_t peak_device_bytes;
} evn_epoch;

/// How far the running epoch is.
typedef struct evn_progress {
    int phase, phases;
    int epoch, epochs;   ///< within all phases
    int64_t step, steps; ///< batches of this epoch; 0: an epoch is one iteration
    double loss;         ///< of the batches since the last report; NaN before the first
    double images_per_second;
    double seconds_left; ///< of all phases, from the speed of this one
} evn_progress;

typedef struct evn_trainer_options {
    evn_model_options model; ///< image shape and classes are taken from the data set
    const evn_phase *phases; ///< borrowed during evn_trainer_create
    int phase_count;
    evn_optimizer_options optimizer;
    evn_augmentation augmentation; ///< of the images in training; they are tested as they are
    uint64_t seed;                 ///< of initial values, orders of batches and augmentation
    /// Called now and then within an epoch (at most a few times a second), after each epoch, and
    /// asked whether to stop; each may be NULL.
    void (*progress)(void *user, const evn_progress *progress);
    void (*epoch_done)(void *user, const evn_epoch *epoch);
    bool (*stop)(void *user);
    void *user;
} evn_trainer_options;

/// Build and allocate the model; compile the first phase. The data set is borrowed.
evn_status evn_trainer_create(evn_device *device, const evn_dataset *dataset,
                              const evn_trainer_options *options, evn_trainer **trainer);
void evn_trainer_destroy(evn_trainer **trainer); ///< nulls; accepts NULL

/// Train all phases, or what is left of them.
/// @return EVN_ERR_NOT_FINITE, with epoch, step and what to do, when the loss is not a number;
///         EVN_ERR_SOLVER when a solve fails; EVN_ERR_INTERRUPTED when `stop` said so. The
///         parameters then are those of the last finished step.
evn_status evn_trainer_run(evn_trainer *trainer);

/// Write a checkpoint, whole or not at all: what training needs to go on as if nothing had been,
/// with the same bits on the same device. Between epochs, as in epoch_done.
/// @return EVN_ERR_ARGUMENT within an epoch, and after one that failed or was stopped;
///         EVN_ERR_OUTPUT; EVN_ERR_NOT_FINITE, and nothing is written
evn_status evn_trainer_save(const evn_trainer *trainer, const char *path);

/// Read a checkpoint of a trainer with the same data set and options, before evn_trainer_run.
/// @param[out] epochs  that are done
/// @return EVN_ERR_FILE; EVN_ERR_FORMAT; EVN_ERR_DATA when it is of another training
evn_status evn_trainer_restore(evn_trainer *trainer, const char *path, int *epochs);

/// Accuracy of a part of the data set with the solver of phase `phase`; fields that do not apply
/// are 0. Results are in test_*.
evn_status evn_trainer_evaluate(evn_trainer *trainer, int phase, evn_part part, evn_epoch *result);

int64_t evn_trainer_test_samples(const evn_trainer *trainer);

/// The same of the test part with any solver, which is compiled for this call.
/// @param[out] logits  [test samples, classes], or NULL
evn_status evn_trainer_evaluate_with(evn_trainer *trainer, const evn_solver_options *solver,
                                     double *logits, evn_epoch *result);

const evn_model *evn_trainer_model(const evn_trainer *trainer); ///< owned by the trainer
evn_parameters *evn_trainer_parameters(const evn_trainer *trainer);

#endif
