// SPDX-License-Identifier: Apache-2.0
// What the rows of series in the task table, a file's and the curve, have in common: the session's
// data are an evn__time_series, its task is evn__series_task.
#ifndef EVN_CLI_SERIES_H
#define EVN_CLI_SERIES_H

#include "cli/session.h"
#include "task/series.h"

/// Give the session a series, which it then owns, and the source over it.
evn_status evn__series_take(evn__session *session, evn__time_series *series);

/// evn__exportation.unroll.
evn_status evn__series_unroll(const evn__session *session, const evn__unroll_options *options,
                              evn__unrolled *unrolled);

/// evn__task_row.sample: values at the times of the series, of --times, or up to --until.
evn_status evn__series_sample(const evn__session *session, const evn__command *command);

#endif
