// SPDX-License-Identifier: Apache-2.0
// The file of a series' run that stands in for its data where values are asked for.
#ifndef EVN_CLI_SERIES_RUN_H
#define EVN_CLI_SERIES_RUN_H

#include "data/series.h"

/// Write series.safetensors into the run's folder, and read it.
/// @param[in] window  of the run's options
/// @return EVN_ERR_OUTPUT; EVN_ERR_FILE, EVN_ERR_FORMAT, EVN_ERR_DATA
evn_status evn__series_keep(const evn__time_series *series, const char *folder);
evn_status evn__series_read_kept(const char *folder, int64_t window, evn__time_series **series);

#endif
