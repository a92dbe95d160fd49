// SPDX-License-Identifier: Apache-2.0
/// @file
/// A task: what is trained, on what, and what is measured. The trainer (trainer.h), checkpoints and
/// evaluation know a task by this interface alone; the three built-in ones are tasks like any that
/// a program defines for itself.
///
/// A task owns its parameters. It is compiled for a solver into a program, which has device memory
/// for a batch and for the results of some forward runs.
#ifndef EVONODE_TASK_H
#define EVONODE_TASK_H

#include "evonode/metrics.h"
#include "evonode/parameters.h"
#include "evonode/solver.h"
#include "evonode/source.h"

EVN_API_BEGIN

/// A number that a task measures of each sample besides the loss.
typedef struct evn_score {
    const char *name;  ///< "accuracy" becomes the metrics train_accuracy and test_accuracy
    const char *unit;  ///< static storage, as of a metric
    evn_better better; ///< which way it gets better
    bool mean;         ///< the metric is the mean over the samples; else the sum
} evn_score;

/// Most scores of a task.
enum { EVN_SCORES_MAX = 4 };

/// Sums over what forward runs gave.
typedef struct evn_tally {
    double weight;                 ///< what the means are over: samples, or batches
    double loss;                   ///< weight · mean loss
    double scores[EVN_SCORES_MAX]; ///< in the order of the task's list
    int64_t samples;               ///< that were measured
} evn_tally;

/// What a task can do. All functions get `self` of the task, or a program that it compiled. An
/// optional function may be NULL. A function that fails returns its status; evn_error_set gives it
/// a message.
typedef struct evn_task_methods {
    const char *name; ///< shown to the user, and kept in checkpoints

    /// An epoch is one iteration on a batch of its own, and summaries are of several of them.
    /// Otherwise an epoch is a pass over the training part, and each ends with a test.
    bool iterates;
    int slots;               ///< results of that many forward runs are kept before they are read
    const evn_score *scores; ///< score_count of them, at most EVN_SCORES_MAX
    int score_count;         ///< entries of scores

    /// The learnt tensors, allocated on the task's device; the same in all its life.
    evn_parameters *(*parameters)(void *self);

    /// Batches in an epoch of a part; 0: the task has no such part. Of an iterating task, what
    /// evaluation goes through: its epochs are single batches.
    int64_t (*batches)(void *self, evn_part part);

    /// Optional: whether `compile` would take a solver, as far as can be told at once. All phases
    /// are asked about before the first begins.
    evn_status (*check)(void *self, const evn_solver_options *solver, bool trains);

    /// Compile for a solver. With `trains` the program has the gradient that the options name.
    /// @param[out] program  not read after a failure, which leaves nothing to release
    /// @return EVN_ERR_ARGUMENT for a solver that does not fit the task
    evn_status (*compile)(void *self, const evn_solver_options *solver, bool trains,
                          void **program);
    /// Release a program, never NULL.
    void (*release)(void *program);

    // A step of training is load, forward and gradient for each batch, in slots 0, 1, … in turn;
    // read comes when the slots are full and at the end of an epoch. Evaluation leaves gradient
    // out. A program needs memory for one batch and for the results of all slots.

    /// Draw a batch, from the task's source if it has one, and copy it to the device.
    evn_status (*load)(void *program, const evn_batch *batch, int slot);

    /// The loss of the loaded batch, and what the scores are made of. Enqueues; does not wait
    /// where the solver does not.
    evn_status (*forward)(void *program, int slot, evn_solution *solution);

    /// Overwrite the parameters' gradients with those of the loss of the last forward run, whose
    /// mean over several batches is the trainer's work. Like forward it gets a `solution` of zeros,
    /// which a task that solves nothing leaves as it is.
    evn_status (*gradient)(void *program, evn_solution *solution);

    /// Add the results of the slots first … first + count − 1 to the tally. Waits.
    evn_status (*read)(void *program, int first, int count, evn_tally *tally);

    /// Optional: as evn_solver_reconstruction of the last gradient by the adjoint method.
    evn_status (*reconstruction)(void *program, double *x_error, double *theta_error);

    /// Optional: as evn_solver_apart of the last solve by the reversible method.
    evn_status (*apart)(void *program, double *x_apart, double *theta_apart);

    /// Optional: as evn_solver_watched, of a program that was compiled with `watch` and the
    /// adjoint.
    evn_status (*watched)(void *program, double *worst);

    /// Optional: measure a part with a solver in the task's own way. Without it, evaluation is
    /// the loss and the scores over all batches of the part.
    evn_status (*evaluate)(void *self, const evn_solver_options *solver, evn_part part,
                           evn_metrics *metrics);

    /// Optional, all three or none: what the task knows besides its parameters and what training
    /// would need to go on. Bytes of this kind of machine.
    size_t (*state_bytes)(void *self);
    /// Write state_bytes bytes to `data`.
    evn_status (*save)(void *self, void *data);
    /// Read what `save` wrote.
    evn_status (*restore)(void *self, const void *data);

    /// Optional: what it solves, one after the other, NULL past the last; its weights are
    /// parameters of the same names. For what looks at θ(t).
    const evn_dynamics *(*dynamics)(void *self, int index);

    /// Release `self`, after all its programs.
    void (*destroy)(void *self);
} evn_task_methods;

/// A task by value: copies of it are the same task, which one evn_task_destroy ends.
typedef struct evn_task {
    const evn_task_methods *methods; ///< borrowed; outlives the task
    void *self;                      ///< handed to the methods; theirs
} evn_task;

void evn_task_destroy(evn_task *task); ///< nulls; accepts an empty one

/// Measure a part with a solver, whose gradient option does not matter.
/// @param[in] epoch      of which a shuffled training part has the order; 0 if in doubt
/// @param[in,out] metrics  gets test_… or train_… of the loss, the scores, the count of samples,
///                         and nfe_forward where something is solved; or what the task's own
///                         evaluation says
/// @return EVN_ERR_ARGUMENT for a part that the task does not have; EVN_ERR_NOT_FINITE, with its
///         name, where one of the metrics is not finite: a task leaves out what it cannot measure
evn_status evn_task_evaluate(const evn_task *task, const evn_solver_options *solver, evn_part part,
                             int64_t epoch, evn_metrics *metrics);

EVN_API_END

#endif
