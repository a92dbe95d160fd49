// SPDX-License-Identifier: Apache-2.0
// The files of JSON in the folder of a run, each under a hash of its content: a damaged one is
// refused, where it would have been another run's.
#ifndef EVN_IO_RUN_JSON_H
#define EVN_IO_RUN_JSON_H

#include "base/status.h"
#include <jansson.h>

/// Write an object, which is taken, at once.
/// @return EVN_ERR_OUTPUT; EVN_ERR_MEMORY
evn_status evn__run_json_write(const char *folder, const char *name, json_t *object);

/// Read a file. Those of earlier versions have no hash.
/// @param[in] otherwise  what to do where a damaged one cannot be brought back, as in "train again"
/// @param[out] value     released by the caller with json_decref; without the hash
/// @return EVN_ERR_FILE; EVN_ERR_FORMAT, also where its hash does not fit
evn_status evn__run_json_read(const char *folder, const char *name, const char *otherwise,
                              json_t **value);

/// The same; NULL, and no failure, where it is not there.
evn_status evn__run_json_read_optional(const char *folder, const char *name, const char *otherwise,
                                       json_t **value);

#endif
