// SPDX-License-Identifier: Apache-2.0
#include "data/curve.h"

#include "data/series_layout.h"
#include "evonode/source.h"

#include <math.h>

enum { ROWS = EVN__CURVE_POINTS + 1, DIMENSIONS = EVN__CURVE_DIMENSIONS };

void evn__curve_at(double t, double s[EVN__CURVE_DIMENSIONS]) {
    s[0] = sin(t) * cos(t);
    s[1] = sin(t) * sin(t) + cosh(t) * cosh(t);
    s[2] = exp(t);
}

static evn_status allocate(evn__time_series *s) {
    EVN_TRY(EVN__SERIES_NEW(s, &s->names, DIMENSIONS));
    EVN_TRY(EVN__SERIES_NEW(s, &s->mean, DIMENSIONS));
    EVN_TRY(EVN__SERIES_NEW(s, &s->deviation, DIMENSIONS));
    EVN_TRY(EVN__SERIES_NEW(s, &s->t, ROWS));
    EVN_TRY(EVN__SERIES_NEW(s, &s->values, ROWS * DIMENSIONS));
    return EVN__SERIES_NEW(s, &s->tracks, 1);
}

static evn_status build(evn__time_series *s) {
    static const char *const names[DIMENSIONS] = {"x1", "x2", "x3"};
    EVN_TRY(allocate(s));
    s->time_name = "t";
    s->rows = ROWS;
    s->dimensions = DIMENSIONS;
    s->exact = true;
    s->track_count = 1;
    s->tracks[0] = (evn__track){.name = "", .count = ROWS, .trained = ROWS};
    for (int k = 0; k < DIMENSIONS; ++k) {
        s->names[k] = names[k];
        s->deviation[k] = 1;
    }
    for (int i = 0; i < ROWS; ++i) {
        s->t[i] = i / (double)EVN__CURVE_POINTS;
        evn__curve_at(s->t[i], s->values + (int64_t)i * DIMENSIONS);
    }
    return evn__series_lay_out(s, 0);
}

evn_status evn__series_curve(evn__time_series **series) {
    EVN_TRY(EVN_NEW(series, 1));
    evn_status status = build(*series);
    if (status != EVN_OK) {
        evn__series_destroy(series);
    }
    return status;
}

evn_status evn_source_curve(evn_source *source) {
    evn__time_series *series;
    EVN_REQUIRE(source);
    *source = (evn_source){0};
    EVN_TRY(evn__series_curve(&series));
    return evn__source_series_owned(series, source);
}
