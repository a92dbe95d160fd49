// SPDX-License-Identifier: Apache-2.0
#include "data/series_layout.h"

#include <math.h>
#include <string.h>

static evn_status copy_text(evn__time_series *s, const char *text, const char **copy) {
    *copy = text ? evn__arena_string(&s->arena, text) : NULL;
    EVN_CHECK(*copy || !text, EVN_ERR_MEMORY, "no memory for a name");
    return EVN_OK;
}

static evn_status copy_numbers(evn__time_series *s, const double *from, int64_t count,
                               double **copy) {
    EVN_TRY(EVN__SERIES_NEW(s, copy, count));
    memcpy(*copy, from, sizeof(*from) * (size_t)count);
    return EVN_OK;
}

static evn_status copy_columns(const evn__series_outline *o, evn__time_series *s) {
    s->dimensions = o->dimensions;
    EVN_TRY(copy_text(s, o->time_name, &s->time_name));
    EVN_TRY(copy_text(s, o->group_name, &s->group_name));
    EVN_TRY(EVN__SERIES_NEW(s, &s->names, o->dimensions));
    EVN_TRY(copy_numbers(s, o->mean, o->dimensions, &s->mean));
    EVN_TRY(copy_numbers(s, o->deviation, o->dimensions, &s->deviation));
    for (int k = 0; k < o->dimensions; ++k) {
        EVN_TRY(copy_text(s, o->names[k], &s->names[k]));
        EVN_CHECK(s->deviation[k] > 0, EVN_ERR_DATA, "the deviation of %s is not above 0",
                  s->names[k]);
    }
    return EVN_OK;
}

/// As many rows as there are left, and of those trained on none, or two at least.
static evn_status set_track(const evn__series_outline *o, int index, evn__time_series *s,
                            int64_t *first) {
    evn__track *track = &s->tracks[index];
    double count = o->track_rows[2 * index], trained = o->track_rows[2 * index + 1];
    EVN_CHECK(count >= 2 && count <= (double)(o->rows - *first) && trained <= count &&
                  (trained == 0 || trained >= 2),
              EVN_ERR_DATA, "trajectory %d has %g rows, %g of them trained on, of %lld", index + 1,
              count, trained, (long long)o->rows);
    *track = (evn__track){.first = *first, .count = (int64_t)count, .trained = (int64_t)trained};
    for (int64_t row = *first + 1; row < *first + track->count; ++row) {
        EVN_CHECK(s->t[row] > s->t[row - 1], EVN_ERR_DATA, "its times do not increase");
    }
    *first += track->count;
    return copy_text(s, o->tracks[index], &track->name);
}

static evn_status copy_tracks(const evn__series_outline *o, evn__time_series *s) {
    int64_t first = 0;
    s->rows = o->rows;
    s->track_count = o->track_count;
    EVN_TRY(copy_numbers(s, o->t, o->rows, &s->t));
    EVN_TRY(EVN__SERIES_NEW(s, &s->tracks, o->track_count));
    for (int i = 0; i < o->track_count; ++i) {
        EVN_TRY(set_track(o, i, s, &first));
    }
    EVN_CHECK(first == o->rows, EVN_ERR_DATA, "its trajectories have %lld rows, but there are %lld",
              (long long)first, (long long)o->rows);
    return EVN_OK;
}

static evn_status set_values(const evn__series_outline *o, evn__time_series *s) {
    int64_t count = s->rows * s->dimensions;
    EVN_TRY(EVN__SERIES_NEW(s, &s->values, count));
    for (int64_t i = 0; i < count; ++i) {
        s->values[i] = NAN;
    }
    for (int i = 0; i < s->track_count; ++i) {
        for (int k = 0; k < s->dimensions; ++k) {
            s->values[s->tracks[i].first * s->dimensions + k] =
                s->mean[k] + s->deviation[k] * o->starts[i * s->dimensions + k];
        }
    }
    return EVN_OK;
}

static evn_status build(const evn__series_outline *o, int64_t window, evn__time_series *s) {
    EVN_TRY(copy_columns(o, s));
    EVN_TRY(copy_tracks(o, s));
    EVN_TRY(set_values(o, s));
    bool trained = false;
    for (int i = 0; i < s->track_count; ++i) {
        trained = trained || s->tracks[i].trained > 0;
    }
    EVN_CHECK(trained, EVN_ERR_DATA, "none of its trajectories was trained on");
    return evn__series_lay_out(s, window);
}

evn_status evn__series_recall(const evn__series_outline *outline, int64_t window,
                              evn__time_series **series) {
    EVN_TRY(EVN_NEW(series, 1));
    evn_status status = build(outline, window, *series);
    if (status != EVN_OK) {
        evn__series_destroy(series);
    }
    return status;
}
