// SPDX-License-Identifier: Apache-2.0
// Run directories as a page needs them.
#ifndef EVN_REPORT_RUNS_H
#define EVN_REPORT_RUNS_H

#include "base/memory.h"
#include <jansson.h>
#include <stdbool.h>

/// One run. Zero-initialise.
typedef struct evn__reported {
    const char *folder; ///< borrowed
    json_t *run;        ///< run.json
    json_t *lines;      ///< of metrics.jsonl
    json_t *summary;    ///< NULL: the run is not finished
    json_t *evaluation; ///< NULL: it was not evaluated
    bool iterates;      ///< its lines are of iterations, not of epochs
    char **pictures;    ///< [picture_count] names of its PNG files, sorted; owned
    int picture_count, picture_capacity;
} evn__reported;

/// @return EVN_ERR_FILE, EVN_ERR_FORMAT
evn_status evn__reported_read(const char *folder, evn__reported *run);
void evn__reported_free(evn__reported *run); ///< also after a failure

/// What the runs count: "epoch", "iteration", or both.
const char *evn__reported_step(const evn__reported *runs, int count);

/// A number of a member, NaN where it is none.
double evn__number_of(const json_t *object, const char *name);

/// A picture of the run, freed with free(); one that is larger than a page should have is left out.
/// @return EVN_ERR_FILE
evn_status evn__reported_picture(const evn__reported *run, int index, unsigned char **data,
                                 size_t *size);

#endif
