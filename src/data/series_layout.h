// SPDX-License-Identifier: Apache-2.0
// Making series, from a file or from what is kept of one.
#ifndef EVN_DATA_SERIES_LAYOUT_H
#define EVN_DATA_SERIES_LAYOUT_H

#include "data/series.h"

/// Zeroed memory of the series' arena, into *out.
evn_status evn__series_allocate(evn__time_series *series, size_t count, size_t size, void *out);

#define EVN__SERIES_NEW(series, out, count)                                                        \
    evn__series_allocate((series), (size_t)(count), sizeof(**(out)), (out))

/// Windows, their times and how they continue, from t and the trajectories' rows.
/// @param[in] window  as in evn__series_options
evn_status evn__series_lay_out(evn__time_series *series, int64_t window);

#endif
