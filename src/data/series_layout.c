// SPDX-License-Identifier: Apache-2.0
#include "data/series_layout.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

evn_status evn__series_allocate(evn__time_series *s, size_t count, size_t size, void *out) {
    void *memory = evn__arena_alloc(&s->arena, evn__size_product(count, size) + 1);
    EVN_CHECK(memory, EVN_ERR_MEMORY, "no memory for a series");
    memcpy(out, &memory, sizeof(memory));
    return EVN_OK;
}

// Windows -----------------------------------------------------------------------------------------

/// The windows of a track: as few as there can be, of lengths that differ by one at most.
static void add_windows(evn__time_series *s, int index, int64_t window) {
    evn__track *track = &s->tracks[index];
    int64_t intervals = track->trained - 1;
    int64_t count = window > 0 ? (intervals + window - 1) / window : 1;
    track->first_window = s->window_count;
    track->windows = track->trained > 0 ? (int)count : 0;
    for (int64_t i = 0; i < track->windows; ++i) {
        s->windows[s->window_count++] = (evn__window){index, track->first + i * intervals / count,
                                                      track->first + (i + 1) * intervals / count};
    }
}

static evn_status make_windows(evn__time_series *s, int64_t window) {
    EVN_TRY(EVN__SERIES_NEW(s, &s->windows, s->rows));
    for (int i = 0; i < s->track_count; ++i) {
        add_windows(s, i, window);
    }
    for (int i = 0; i < s->window_count; ++i) {
        s->unit = fmax(s->unit, s->t[s->windows[i].last] - s->t[s->windows[i].first]);
    }
    EVN_CHECK(isfinite(s->unit), EVN_ERR_DATA, "the times of the series are too far apart");
    return EVN_OK;
}

static double time_in(const evn__time_series *s, const evn__window *window, int64_t row) {
    return (s->t[row] - s->t[window->first]) / s->unit;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/// Times of all windows, each once: those that rounding alone tells apart are one.
static evn_status unite_times(evn__time_series *s) {
    const double same = 1e-6;
    int64_t count = 0;
    EVN_TRY(EVN__SERIES_NEW(s, &s->times, s->rows + s->window_count));
    for (int i = 0; i < s->window_count; ++i) {
        for (int64_t row = evn__window_seen(s, i); row <= s->windows[i].last; ++row) {
            s->times[count++] = time_in(s, &s->windows[i], row);
        }
    }
    qsort(s->times, (size_t)count, sizeof(*s->times), by_value);
    for (int64_t i = 0; i < count; ++i) {
        if (s->time_count == 0 || s->times[i] - s->times[s->time_count - 1] > same) {
            s->times[s->time_count++] = s->times[i];
        }
    }
    s->times[s->time_count - 1] = 1;
    return EVN_OK;
}

/// Number of the time that is nearest.
static int64_t find_time(const evn__time_series *s, double time) {
    int64_t low = 0, high = s->time_count - 1;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (s->times[middle] <= time) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return time - s->times[low] < s->times[high] - time ? low : high;
}

static evn_status chain_windows(evn__time_series *s) {
    EVN_TRY(EVN__SERIES_NEW(s, &s->continues, s->window_count));
    for (int i = 0; i < s->window_count; ++i) {
        const evn__window *window = &s->windows[i];
        bool chained = i + 1 < s->window_count && window[1].track == window->track;
        s->continues[i] = chained ? (int)find_time(s, time_in(s, window, window->last)) : -1;
    }
    return EVN_OK;
}

/// What one batch of windows takes.
static evn_status check_size(const evn__time_series *s) {
    const double most = 1 << 28;
    double values = (double)s->time_count * s->window_count * s->dimensions;
    EVN_CHECK(values <= most, EVN_ERR_DATA,
              "%d windows with %lld different times and %d columns are too many to be solved "
              "together; give fewer rows or columns, or another --window",
              s->window_count, (long long)s->time_count, s->dimensions);
    return EVN_OK;
}

evn_status evn__series_lay_out(evn__time_series *series, int64_t window) {
    EVN_TRY(make_windows(series, window));
    EVN_TRY(unite_times(series));
    EVN_TRY(chain_windows(series));
    return check_size(series);
}

int64_t evn__series_time(const evn__time_series *series, int window, int64_t row) {
    return find_time(series, time_in(series, &series->windows[window], row));
}
