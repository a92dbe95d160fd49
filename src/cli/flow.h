// SPDX-License-Identifier: Apache-2.0
// What the flows' rows of the task table, and the verbs for flows, have in common.
#ifndef EVN_CLI_FLOW_H
#define EVN_CLI_FLOW_H

#include "cli/session.h"
#include "data/csv_writer.h"
#include "task/flow.h"

/// @return EVN_ERR_USAGE for a model of other tasks
evn_status evn__flow_check_model(const char *name);

/// The trace of that name, one of --trace.
evn_trace evn__flow_find_trace(const char *name);

/// The flow of a session.
/// @param[in] folder  of its run, for the message
/// @return EVN_ERR_ARGUMENT for a run of another task
evn_status evn__flow_of(const evn__session *session, const char *folder, evn__flow_model *model);

/// Head and rows of a table of points in the user's units with their log p.
/// @param[in] x  [D]
void evn__flow_put_head(evn__csv_writer *writer, const evn__points *points);
void evn__flow_put_row(evn__csv_writer *writer, const evn__points *points, const double *x,
                       double log_p);

/// evn__task_row.sample of a flow: points with their log p, as CSV.
evn_status evn__flow_sample_points(const evn__session *session, const evn__command *command);

/// evn__exportation.unroll of a flow.
evn_status evn__flow_unroll(const evn__session *session, const evn__unroll_options *options,
                            evn__unrolled *unrolled);

/// The file of a run with the names and units of its columns: written, and read with the points'
/// names and standardisation, without rows.
/// @return EVN_ERR_OUTPUT; EVN_ERR_FILE, EVN_ERR_FORMAT
evn_status evn__flow_keep_points(const evn__points *points, const char *folder);
evn_status evn__flow_read_points(const char *folder, evn__points **points);

#endif
