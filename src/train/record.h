// SPDX-License-Identifier: Apache-2.0
// The folder of a run: run.json (what was asked for, and where it ran), metrics.jsonl (a line for
// each epoch), model.safetensors (every parameter by name) and, once the run is finished,
// summary.json. Until then checkpoint.safetensors says where it goes on. All but metrics.jsonl
// appear whole or not at all.
#ifndef EVN_TRAIN_RECORD_H
#define EVN_TRAIN_RECORD_H

#include "evonode/trainer.h"
#include "train/safetensors.h"
#include <jansson.h>

/// A run that is being written. While it exists no other process can claim its folder.
typedef struct evn__record evn__record;

/// What a finished run ended with. NaN, or a negative count: does not apply, null in the file.
typedef struct evn__summary {
    double test_accuracy, train_accuracy; ///< fractions
    int64_t test_errors;
    double loss;                             ///< mean over the test part
    double seconds_per_epoch, seconds_total; ///< training alone; the whole run
    double nfe_forward, nfe_backward;        ///< means over the batches of the last epoch
    int64_t peak_device_bytes, parameters;
    double test_nll, gap_nats; ///< flows
    double max_error;          ///< curves
} evn__summary;

/// Nothing applies.
evn__summary evn__summary_empty(void);

/// Make the folder parent/stem-N with the smallest N that is free, and put its path into `path`.
/// @return EVN_ERR_OUTPUT
evn_status evn__record_number(const char *parent, const char *stem, char *path, size_t size);

/// What the epochs of a run add up to so far.
typedef struct evn__totals {
    double seconds; ///< training alone
    uint64_t peak_device_bytes;
    evn_epoch last; ///< after evn__record_rewind as far as metrics.jsonl has it
} evn__totals;

void evn__totals_add(evn__totals *totals, const evn_epoch *epoch);

/// Claim a folder, which is made where it is missing, and write run.json. What an unfinished run
/// without a checkpoint left there is replaced.
/// @return EVN_ERR_OUTPUT when it cannot be written, is in use, holds a finished run or a
///         checkpoint, or holds something that is no run
evn_status evn__record_create(const char *folder, const json_t *run, evn__record **record);
void evn__record_destroy(evn__record **record); ///< nulls; accepts NULL

/// Claim the folder of an unfinished run, to go on with it.
/// @return EVN_ERR_OUTPUT when it holds no run, a finished one, or is in use
evn_status evn__record_reopen(const char *folder, evn__record **record);

/// Leave in metrics.jsonl the lines of the first `epochs` epochs alone, and add them up.
/// @return EVN_ERR_OUTPUT; EVN_ERR_FILE
evn_status evn__record_rewind(evn__record *record, int epochs, evn__totals *totals);

/// Flush metrics.jsonl to the disk: a checkpoint must not know of more epochs than it.
evn_status evn__record_flush(const evn__record *record);

/// Append a line to metrics.jsonl (NaN and negative counts: null) and hand it to the
/// system.
evn_status evn__record_epoch(evn__record *record, const char *phase, const evn_epoch *epoch);

/// Write model.safetensors.
/// @return EVN_ERR_NOT_FINITE, and nothing is written, when a parameter is not a number
evn_status evn__record_parameters(evn__record *record, const evn_parameters *parameters,
                                  const evn__pair *metadata, int metadata_count);

/// Path of the checkpoint, which a finished run has no more.
/// @return EVN_ERR_OUTPUT when it is too long
evn_status evn__run_checkpoint(const char *folder, char *path, size_t size);

/// Write summary.json: the run is finished.
evn_status evn__record_finish(evn__record *record, const evn__summary *summary);

/// Read run.json of a folder. *run is released by the caller with json_decref.
/// @return EVN_ERR_FILE; EVN_ERR_FORMAT
evn_status evn__run_read(const char *folder, json_t **run);

/// The same of summary.json; NULL, and no failure, where the run is not finished.
evn_status evn__run_summary(const char *folder, json_t **summary);

/// The lines of metrics.jsonl as an array; a last line that is still being written is left out.
evn_status evn__run_metrics(const char *folder, json_t **lines);

/// Read model.safetensors of a folder into parameters of the same names and shapes.
/// @return EVN_ERR_FILE; EVN_ERR_FORMAT; EVN_ERR_DATA with what is missing or differs
evn_status evn__run_parameters(const char *folder, evn_parameters *parameters);

#endif
