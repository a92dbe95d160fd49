// SPDX-License-Identifier: Apache-2.0
// metrics.jsonl of a run: a line of JSON for each epoch. A finished run has a hash of all of them
// in its summary; one that is not finished has that of the lines until then in its checkpoint.
#ifndef EVN_IO_RUN_LINES_H
#define EVN_IO_RUN_LINES_H

#include "base/hash.h"
#include "base/status.h"
#include <jansson.h>

/// The file's name; static storage.
extern const char evn__run_lines_name[];

/// The lines as text, freed by the caller.
/// @return EVN_ERR_FILE; EVN_ERR_MEMORY; EVN_ERR_OUTPUT when the path is too long
evn_status evn__run_lines_read(const char *folder, char **text, size_t *size);

/// The hash of all that is there.
/// @return as evn__run_lines_read
evn_status evn__run_lines_hash(const char *folder, char digits[EVN__HASH_TEXT]);

/// Put the hash of all that is there into a summary.
/// @return as evn__run_lines_read
evn_status evn__run_lines_put_hash(const char *folder, json_t *summary);

/// The lines as an array, released by the caller with json_decref; a last line that is still being
/// written is left out.
/// @return as evn__run_lines_read; EVN_ERR_FORMAT, also where a finished run had other lines
evn_status evn__run_metrics(const char *folder, json_t **lines);

#endif
