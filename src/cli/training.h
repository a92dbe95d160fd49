// SPDX-License-Identifier: Apache-2.0
// A training run, from its claimed folder to its summary: what train and resume have in common.
#ifndef EVN_CLI_TRAINING_H
#define EVN_CLI_TRAINING_H

#include "cli/session.h"
#include "cli/watch.h"
#include "exchange/events.h"
#include "io/run_directory.h"
#include "train/mark.h"

enum { EVN__FOLDER_SIZE = 4096, EVN__MESSAGE_SIZE = 4096 };

typedef struct evn__training {
    evn__session *session;
    evn__run_directory *directory;
    evn__watch *watch;   ///< NULL: nobody watches
    evn__events *events; ///< for TensorBoard; NULL: not asked for
    char folder[EVN__FOLDER_SIZE];
    bool resumes;            ///< a run that has begun, with its options
    const json_t *run;       ///< its run.json, where it resumes
    evn__mark mark;          ///< which its checkpoints have (evn__training_mark)
    json_t *differs;         ///< from what it was begun with (made_with.h); NULL: nothing
    int epochs;              ///< of all phases
    evn__run_totals so_far;  ///< of the epochs that are done
    double best_loss;        ///< of the checkpoint that is kept as the best; NaN: of none known
    double started;          ///< when the task was made
    double earlier;          ///< seconds of training before it was resumed
    int lines;               ///< shown of iterations so far, some a phase
    int warned;              ///< number of the last phase warned about, from 1
    double saved_at, saving; ///< when the last checkpoint was written, and how long that took
    bool has_checkpoint;     ///< whether there was one in the folder when it was claimed
    evn_status unsaved;      ///< of the last attempt to write one
    evn_status status;       ///< of writing an epoch
    char message[EVN__MESSAGE_SIZE]; ///< of that failure
} evn__training;

/// Find out what device memory the training of an open session needs, say so, and see that it fits.
/// Nothing has been allocated after a failure.
/// @return as evn__memory_fit
evn_status evn__training_fit(evn__training *training, evn__settings *settings);

/// Make task and trainer of an open session, with complete settings: after it nothing that was
/// asked for can be refused, and nothing has been written. A signal then ends the training
/// in order, a second one at once (interruption.h).
evn_status evn__training_create(evn__training *training, const evn__settings *settings);

/// Know the run again by what is in its run.json: its checkpoints are of it alone.
/// @return EVN_ERR_MEMORY
evn_status evn__training_mark(evn__training *training, const json_t *run);

/// Train in the folder, which the directory has claimed.
evn_status evn__training_run(evn__training *training, const evn__settings *settings);

/// Release what the training has: watch and directory.
void evn__training_close(evn__training *training);

/// The run directory with all that a run needs to be resumed but run.json, which comes last
/// (evn__run_directory_begin).
evn_status evn__training_claim(evn__training *training, const char *folder);

/// Take a numbered folder back in which the run could not begin; returns `status`, with its
/// message.
evn_status evn__training_take_back(evn__training *training, evn_status status);

/// Write what the task has learnt into the run directory.
evn_status evn__training_keep(evn__training *training, const evn__settings *settings);

/// The words of the command line, a new array.
/// @return EVN_ERR_USAGE where one is not UTF-8: it would be left out without a word
evn_status evn__training_words(const evn__command *command, json_t **words);

/// The names of the classes, a new array.
json_t *evn__class_names(const evn_dataset *dataset);

#endif
