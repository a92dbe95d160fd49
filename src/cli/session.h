// SPDX-License-Identifier: Apache-2.0
// What training and evaluation work with: device, phases, data and the task.
#ifndef EVN_CLI_SESSION_H
#define EVN_CLI_SESSION_H

#include "base/hash.h"
#include "cli/task.h"
#include "data/points.h"
#include "evonode/tasks.h"
#include "evonode/trainer.h"
#include "host/timing.h"
#include "tune/first_use.h"

struct evn__session {
    const evn__task_row *row;
    evn_device *device;
    evn_phase phases[EVN__PHASES_MAX];
    evn_trainer_options options; ///< phases point into the session
    int phase;                   ///< whose solver evaluates: the last that was trained
    void *data;                  ///< what the source reads, of the row's own kind; NULL: nothing
    void (*close)(evn__session *session); ///< releases data; NULL: there is nothing to release
    char digest[EVN__HASH_TEXT]; ///< of the data, as run.json keeps it; "": they are computed
    const char *run;             ///< its folder, where it is opened again; NULL: it is a new one
    const evn__points *points;   ///< whose columns the samples are; NULL: they are none
    const evn_dataset *classes;  ///< whose classes have names of the user's; NULL: there are none
    evn_network *network;        ///< a network file's; NULL: a shipped one
    evn_source source;
    /// Let the source give batches of so many samples; NULL: evn__session_split does.
    void (*narrow)(evn__session *session, int64_t batch);
    evn_task task;
    uint64_t memory_limit;              ///< bytes that training may use; 0: what the device has
    evn__longest_launch longest;        ///< seconds 0: no launch was timed
    evn__timing around;                 ///< what was timed before (launch_limit.h)
    evn_trainer *trainer;               ///< NULL where nothing is trained
    evn__first_use *first_use;          ///< until it is checked
    bool distrusted;                    ///< something was wrong, and was forced
    bool unchecked;                     ///< there was no memory to check something
    char selftest[EVN__FIRST_USE_WHAT]; ///< "right", "off", what is wrong and was forced, or that
                                        ///< there was no memory for all of it
};

/// Translate the settings, which must be complete. Zero-initialise the session before.
evn_status evn__session_prepare(evn__session *session, const evn__task_row *row,
                                const evn__settings *settings);

/// The same, then read the task's data and open the device.
evn_status evn__session_open(evn__session *session, const evn__task_row *row,
                             evn__settings *settings);

/// Refuse --filters for a network of the user's whose layers all name theirs, and --layers for one
/// that has no block of that many.
/// @param[in] filters, layers  INT64_MIN: not given
/// @param[in] network  NULL: a model, which takes them
/// @return EVN_ERR_USAGE
evn_status evn__session_check_sizes(int64_t filters, int64_t layers, const evn_network *network);

/// Whether batches can be computed in parts: no sample depends on others.
bool evn__session_splits(const evn__session *session);

/// Let the source give each batch in so many parts, one after the other, and the trainer take them
/// as one batch.
/// @return EVN_ERR_USAGE where batches have no such parts, or samples depend on each other
evn_status evn__session_split(evn__session *session, int64_t parts);
void evn__session_close(evn__session *session);

/// The solver that evaluates.
const evn_solver_options *evn__session_solver(const evn__session *session);

#endif
