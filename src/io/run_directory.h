// SPDX-License-Identifier: Apache-2.0
// The folder of a run: run.json (what was asked for, and where it ran), metrics.jsonl (a line for
// each epoch), metrics.csv (the same as a table), model.safetensors (every parameter by name) and,
// once the run is finished, summary.json. Until then its checkpoints (run_checkpoints.h) say where
// it goes on. All but the metrics appear whole or not at all. What stands for something is written
// after it: run.json after what the run needs to begin, a checkpoint after the lines that it
// counts, summary.json after all, and what it makes superfluous is removed last.
#ifndef EVN_IO_RUN_DIRECTORY_H
#define EVN_IO_RUN_DIRECTORY_H

#include "evonode/metrics.h"
#include "evonode/parameters.h"
#include "io/run_checkpoints.h"
#include "io/run_lines.h"
#include "io/run_lock.h"
#include "io/run_totals.h"
#include "io/safetensors.h"
#include <jansson.h>

/// A run that is being written. While it exists no other process can claim its folder.
typedef struct evn__run_directory evn__run_directory;

/// Make the folder parent/stem-N with the smallest N that is free, and put its path into `path`.
/// @return EVN_ERR_OUTPUT
evn_status evn__run_directory_number(const char *parent, const char *stem, char *path, size_t size);

/// Take back a folder that was numbered, where no run has begun in it, with what the beginning left
/// there, as far as that can be.
void evn__run_directory_discard(const char *folder);

/// Whether a folder is a run's and the name one of the files that make it up.
/// @return EVN_ERR_OUTPUT; EVN_ERR_FILE
evn_status evn__run_owns(const char *folder, const char *name, bool *owns);

/// Whether no run is named twice: it would make results look more certain than they are.
/// @return EVN_ERR_USAGE
evn_status evn__run_check_different(const char *const *folders, int count);

/// Whether a folder could be claimed, as far as can be told without writing: before what takes
/// long.
/// @return EVN_ERR_OUTPUT as evn__run_directory_create
evn_status evn__run_directory_check(const char *folder);

/// Claim a folder, which is made where it is missing. What an unfinished run without a checkpoint
/// left there is removed.
/// @return EVN_ERR_OUTPUT when it cannot be written, is in use, holds a finished run or a
///         checkpoint, or holds something that is no run
evn_status evn__run_directory_create(const char *folder, evn__run_directory **directory);
void evn__run_directory_destroy(evn__run_directory **directory); ///< nulls; accepts NULL

/// Write run.json: from here on the run can be resumed, so that what it needs is there before.
/// Again: with what a later process has to add.
/// @return EVN_ERR_OUTPUT; EVN_ERR_MEMORY
evn_status evn__run_directory_begin(evn__run_directory *directory, const json_t *run);

/// Whether the folder that was claimed still has its name, whether the run can be gone on with
/// there, from its checkpoint or, before it has one, from its beginning, and whether its summary is
/// written: others may have removed the folder, or some of its files, meanwhile.
bool evn__run_directory_is_there(const evn__run_directory *directory);
bool evn__run_directory_is_finished(const evn__run_directory *directory);
bool evn__run_directory_goes_on(const evn__run_directory *directory);

/// Claim the folder of a run that has begun, to go on with it; *directory stays NULL where the run
/// is finished, of which checkpoints and half-written files are removed.
/// @return EVN_ERR_FILE when it holds no run; EVN_ERR_OUTPUT when it is in use
evn_status evn__run_directory_reopen(const char *folder, evn__run_directory **directory);

/// Keep trainings out of the folder of a run while something is written into it beside the run; a
/// run of somebody else, which is only read, is left alone. Released with evn__run_lock_release.
/// @return EVN_ERR_OUTPUT when it is being trained
evn_status evn__run_directory_share(const char *folder, evn__run_lock *lock);

/// Leave in metrics.jsonl and metrics.csv the lines of the first `epochs` epochs alone, and add
/// them up. Those that it lacks are missing from totals->epochs. evaluation.json goes.
/// @return EVN_ERR_OUTPUT; EVN_ERR_FILE
evn_status evn__run_directory_rewind(evn__run_directory *directory, int epochs,
                                     evn__run_totals *totals);

/// Flush metrics.jsonl to the disk: a checkpoint must not know of more epochs than it.
/// @return EVN_ERR_OUTPUT, also when the folder was removed or moved meanwhile
evn_status evn__run_directory_flush(const evn__run_directory *directory);

/// A line of metrics.jsonl: an epoch, or some iterations, the last of which is number `epoch`.
typedef struct evn__run_line {
    int epoch, phase;
    const char *phase_name;
    const char *ended; ///< why an automatic phase ends with it; NULL: it does not
    const evn_metrics *metrics;
} evn__run_line;

/// Append a line to metrics.jsonl (NaN: null) and metrics.csv, and hand it to the system.
/// @return EVN_ERR_OUTPUT, also when the folder was removed or moved meanwhile
evn_status evn__run_directory_epoch(evn__run_directory *directory, const evn__run_line *line);

/// Write model.safetensors.
/// @return EVN_ERR_NOT_FINITE, and nothing is written, when a parameter is not a number
evn_status evn__run_directory_parameters(evn__run_directory *directory,
                                         const evn_parameters *parameters,
                                         const evn__key_value *metadata, int metadata_count);

/// Keep the network file that the run's model is built from, network.json.
evn_status evn__run_directory_network(evn__run_directory *directory, const char *json);

/// Path of a file in the folder.
/// @return EVN_ERR_OUTPUT when it is too long
evn_status evn__run_file(const char *folder, const char *name, char *path, size_t size);

/// Whether the folder has a file, or folder, of that name.
/// @return EVN_ERR_OUTPUT when the path is too long; EVN_ERR_FILE
evn_status evn__run_has(const char *folder, const char *name, bool *has);

/// Path of network.json.
/// @return EVN_ERR_OUTPUT when it is too long
evn_status evn__run_network(const char *folder, char *path, size_t size);

/// Write summary.json, the metrics with their units: the run is finished. Its checkpoints go.
evn_status evn__run_directory_finish(evn__run_directory *directory, const evn_metrics *metrics);

/// Write evaluation.json, what eval says of the run.
/// @return EVN_ERR_OUTPUT
evn_status evn__run_evaluation_write(const char *folder, const json_t *evaluation);

/// Read it. NULL, and no failure, where the run was not evaluated.
evn_status evn__run_evaluation(const char *folder, json_t **evaluation);

/// Read run.json of a folder. *run is released by the caller with json_decref.
/// @return EVN_ERR_FILE; EVN_ERR_FORMAT, also when it is another file of a run
evn_status evn__run_read(const char *folder, json_t **run);

/// The same of summary.json; NULL, and no failure, where the run is not finished.
evn_status evn__run_summary(const char *folder, json_t **summary);

/// Read model.safetensors of a folder into parameters of the same names and shapes.
/// @return EVN_ERR_FILE; EVN_ERR_FORMAT; EVN_ERR_DATA with what is missing or differs
evn_status evn__run_parameters(const char *folder, evn_parameters *parameters);

#endif
