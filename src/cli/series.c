// SPDX-License-Identifier: Apache-2.0
#include "cli/series.h"

static void close_data(evn__session *session) {
    evn__time_series *series = session->data;
    evn__series_destroy(&series);
    session->data = NULL;
}

evn_status evn__series_take(evn__session *session, evn__time_series *series) {
    session->data = series;
    session->close = close_data;
    return evn__source_series(series, &session->source);
}

/// The state's columns that nothing observes begin at 0 where their start is not known.
evn_status evn__series_unroll(const evn__session *session, const evn__unroll_options *options,
                              evn__unrolled *unrolled) {
    const evn__series_model model = evn__series_get_model(&session->task);
    const evn__time_series *series = model.series;
    unrolled->columns = series->names;
    unrolled->column_count = series->dimensions;
    unrolled->duration = series->unit;
    const evn__unrolled_states states = {.dimensions = model.trajectory.dimensions,
                                         .columns = model.trajectory.columns,
                                         .observations = series->exact ? (int)model.trajectory.times
                                                                       : options->steps,
                                         .mean = series->mean,
                                         .deviation = series->deviation};
    return evn__unrolled_trajectory(&model.trajectory.field, model.trajectory.parameters, &states,
                                    options, unrolled);
}
