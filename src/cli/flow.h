// SPDX-License-Identifier: Apache-2.0
// What the flows' rows of the task table, and the verbs for flows, have in common.
#ifndef EVN_CLI_FLOW_H
#define EVN_CLI_FLOW_H

#include "cli/answers.h"
#include "cli/session.h"
#include "task/flow.h"

/// @return EVN_ERR_USAGE for a model of other tasks
evn_status evn__flow_check_model(const char *name);

/// The flow of a session.
/// @param[in] folder  of its run, for the message
/// @return EVN_ERR_ARGUMENT for a run of another task
evn_status evn__flow_of(const evn__session *session, const char *folder, evn__flow_model *model);

/// Columns and cells of points in the user's units with their log p, without the end of the head
/// or the row.
/// @param[in] x  [D]
void evn__flow_put_columns(evn__answers *answers, const evn__points *points);
void evn__flow_put_point(evn__answers *answers, const evn__points *points, const double *x,
                         double log_p);

/// Rows that a flow is asked about.
typedef struct evn__flow_rows {
    const evn__points *points; ///< the session's
    int64_t count;
    double *x;     ///< [count, D] in the user's units
    double *log_p; ///< [count], nats in the user's units
} evn__flow_rows;

/// Read the rows of a CSV file ("-": standard input) and say how likely they are. Zero-initialise
/// the rows, release them also after a failure.
/// @return EVN_ERR_ARGUMENT for a run of another task; EVN_ERR_FILE, EVN_ERR_FORMAT, EVN_ERR_DATA;
///         EVN_ERR_NOT_FINITE for a point too far away
evn_status evn__flow_ask(const evn__session *session, const evn__settings *given,
                         evn__flow_rows *rows);
void evn__flow_rows_free(evn__flow_rows *rows);

/// log p in bits, a dimension of the points.
double evn__flow_bits(const evn__points *points, double log_p);

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
