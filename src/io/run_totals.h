// SPDX-License-Identifier: Apache-2.0
// What the lines of metrics.jsonl add up to (run_directory.h).
#ifndef EVN_IO_RUN_TOTALS_H
#define EVN_IO_RUN_TOTALS_H

#include "evonode/metrics.h"
#include <stddef.h>

/// What the epochs of a run add up to so far.
typedef struct evn__run_totals {
    double seconds;                   ///< training alone
    double peak_device_bytes;         ///< the most of all epochs
    double nfe_forward, nfe_backward; ///< of the last summary; NaN: not applicable
    double loss;                      ///< of the last summary; NaN: it had none
    int phase, epochs;                ///< of the last summary; how many are done
    int timed; ///< epochs that `seconds` is of: not those whose lines are lost
} evn__run_totals;

/// Nothing is added up yet.
evn__run_totals evn__run_totals_none(void);

/// Add a line: an epoch, or some iterations, the last of which is number `epoch`.
void evn__run_totals_add(evn__run_totals *totals, int phase, int epoch, const evn_metrics *metrics);

/// The totals of a text's first lines that are whole and of the first `epochs` epochs.
/// @param[out] bytes  of those lines
/// @return EVN_ERR_MEMORY
evn_status evn__run_totals_read(evn__run_totals *totals, const char *text, int epochs,
                                size_t *bytes);

/// The training loss of the line of metrics.jsonl that ends when `epochs` are done; NaN: it has
/// none, or is not there.
evn_status evn__run_loss(const char *folder, int epochs, double *loss);

#endif
