// SPDX-License-Identifier: Apache-2.0
#include "cli/flow.h"

#include <string.h>

evn_status evn__flow_check_model(const char *name) {
    char list[256];
    EVN_CHECK(evn__flow_find(name), EVN_ERR_USAGE, "a flow has no model '%s'; it should be %s",
              name, evn__choice_text(evn_flow_model_name, list, sizeof(list)));
    return EVN_OK;
}

evn_trace evn__flow_find_trace(const char *name) {
    if (strcmp(name, "rademacher") == 0) {
        return EVN_TRACE_RADEMACHER;
    }
    return strcmp(name, "gaussian") == 0 ? EVN_TRACE_GAUSSIAN : EVN_TRACE_EXACT;
}

evn_status evn__flow_of(const evn__session *session, const char *folder, evn__flow_model *model) {
    *model = evn__flow_get_model(&session->task);
    EVN_CHECK(model->device, EVN_ERR_ARGUMENT,
              "%s is a run of the task %s; only a flow has samples and a density", folder,
              session->row->name);
    return EVN_OK;
}

evn_status evn__flow_unroll(const evn__session *session, const evn__unroll_options *options,
                            evn__unrolled *unrolled) {
    evn__flow_model model = evn__flow_get_model(&session->task);
    unrolled->columns = session->points->names;
    unrolled->column_count = session->points->dimensions;
    return evn__unrolled_flow(model.kind, &model.size, model.parameters, &session->points->standard,
                              options, unrolled);
}

// Rows --------------------------------------------------------------------------------------------

void evn__flow_put_head(evn__csv_writer *writer, const evn__points *points) {
    for (int i = 0; i < points->dimensions; ++i) {
        evn__csv_put_text(writer, points->names[i]);
    }
    evn__csv_put_text(writer, "log_p");
    evn__csv_end_row(writer);
}

void evn__flow_put_row(evn__csv_writer *writer, const evn__points *points, const double *x,
                       double log_p) {
    for (int i = 0; i < points->dimensions; ++i) {
        evn__csv_put_number(writer, x[i]);
    }
    evn__csv_put_number(writer, log_p);
    evn__csv_end_row(writer);
}
