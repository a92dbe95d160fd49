// SPDX-License-Identifier: Apache-2.0
// All requests within windows are solved for together, and so are all that go on behind them.
#include "task/series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/// A request on its way: which state it begins from, and how long after.
typedef struct asked {
    int64_t request, row;
    double after; ///< in units
} asked;

typedef struct prediction {
    const evn__series_model *model;
    const evn__request *requests;
    int64_t columns;
    double *starts; ///< [windows + tracks, columns]: of each window, and of what is held out
    double *chosen; ///< the same, of those that are solved from
    int64_t *to;    ///< per start, its place among the chosen; −1
    asked *items;
    double *times; ///< of all requests that are solved for together
} prediction;

static void prediction_free(prediction *p) {
    free(p->starts);
    free(p->chosen);
    free(p->to);
    free(p->items);
    free(p->times);
}

/// The starts of all windows: as they are known, or learnt.
static evn_status start_windows(prediction *p) {
    const evn__time_series *s = p->model->series;
    for (int i = 0; i < s->window_count && s->exact; ++i) {
        const evn__window *window = &s->windows[i];
        evn__series_scaled(s, window->track, window->first, true, p->starts + i * p->columns);
    }
    return s->exact ? EVN_OK : evn__trajectory_starts(&p->model->trajectory, p->starts);
}

/// Extra columns of a trajectory that was not trained on begin as others do, on average.
static void start_held_out(prediction *p, int track) {
    const evn__time_series *s = p->model->series;
    double *start = p->starts + (s->window_count + track) * p->columns;
    evn__series_scaled(s, track, s->tracks[track].first, true, start);
    for (int64_t k = s->dimensions; k < p->columns; ++k) {
        for (int i = 0; i < s->window_count; ++i) {
            start[k] += p->starts[i * p->columns + k] / s->window_count;
        }
    }
}

static evn_status prepare(prediction *p, int64_t count) {
    const evn__time_series *s = p->model->series;
    int64_t starts = s->window_count + s->track_count;
    p->columns = p->model->trajectory.columns;
    EVN_TRY(EVN_NEW(&p->starts, starts * p->columns));
    EVN_TRY(EVN_NEW(&p->chosen, starts * p->columns));
    EVN_TRY(EVN_NEW(&p->to, starts));
    EVN_TRY(EVN_NEW(&p->items, count));
    EVN_TRY(EVN_NEW(&p->times, count));
    EVN_TRY(start_windows(p));
    for (int i = 0; i < s->track_count; ++i) {
        if (s->tracks[i].windows == 0) {
            start_held_out(p, i);
        }
    }
    return EVN_OK;
}

/// The window of a track that a time is in; its last one for a time behind it.
static int find_window(const evn__time_series *s, const evn__track *track, double t) {
    int low = track->first_window, high = track->first_window + track->windows - 1;
    while (low < high) {
        int middle = low + (high - low + 1) / 2;
        if (evn__window_start(s, middle) <= t) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    return low;
}

/// Where a request begins. Whether it is within its window.
static bool place(const prediction *p, int64_t request, asked *a) {
    const evn__time_series *s = p->model->series;
    const evn__track *track = &s->tracks[p->requests[request].track];
    double t = p->requests[request].t, from = s->t[track->first];
    *a = (asked){request, s->window_count + p->requests[request].track, 0};
    bool within = false;
    if (track->windows > 0) {
        int window = find_window(s, track, t);
        from = evn__window_start(s, window);
        within = t <= s->t[s->windows[window].last];
        a->row = window;
    }
    a->after = fmax(0, (t - from) / s->unit);
    return within;
}

static int by_time(const void *a, const void *b) {
    const asked *x = a, *y = b;
    int order = (x->after > y->after) - (x->after < y->after);
    return order != 0 ? order : (x->request > y->request) - (x->request < y->request);
}

/// The starts that are needed, and the times, each once.
static void choose(prediction *p, int64_t count, int64_t *rows, int64_t *times) {
    const double same = 1e-9;
    int64_t starts = p->model->series->window_count + p->model->series->track_count;
    *rows = *times = 0;
    for (int64_t i = 0; i < starts; ++i) {
        p->to[i] = -1;
    }
    for (int64_t i = 0; i < count; ++i) {
        const asked *a = &p->items[i];
        if (p->to[a->row] < 0) {
            memcpy(p->chosen + *rows * p->columns, p->starts + a->row * p->columns,
                   sizeof(double) * (size_t)p->columns);
            p->to[a->row] = (*rows)++;
        }
        if (*times == 0 || a->after - p->times[*times - 1] > same) {
            p->times[(*times)++] = a->after;
        }
    }
}

static void deliver(const prediction *p, const asked *a, const double *x, double *values) {
    const evn__time_series *s = p->model->series;
    for (int k = 0; k < s->dimensions; ++k) {
        values[a->request * s->dimensions + k] = s->mean[k] + s->deviation[k] * x[k];
    }
}

/// Solve for the first `count` items, whose values go to where their requests are.
static evn_status solve(prediction *p, const evn_solver_options *solver, int64_t count,
                        double *values) {
    int64_t rows, times, at = 0, dimensions = p->model->series->dimensions;
    double *x = NULL;
    if (count == 0) {
        return EVN_OK;
    }
    qsort(p->items, (size_t)count, sizeof(*p->items), by_time);
    choose(p, count, &rows, &times);
    EVN_TRY(EVN_NEW(&x, evn__size_product((size_t)times, (size_t)(rows * dimensions))));
    evn_status status = evn__trajectory_run(&p->model->trajectory, solver, rows, p->chosen,
                                            p->times, times, x, NULL);
    for (int64_t i = 0; i < count && status == EVN_OK; ++i) {
        while (at + 1 < times && p->times[at + 1] <= p->items[i].after) {
            ++at;
        }
        deliver(p, &p->items[i], x + (at * rows + p->to[p->items[i].row]) * dimensions, values);
    }
    free(x);
    return status;
}

static evn_status predict(prediction *p, const evn_solver_options *solver, int64_t count,
                          double *values) {
    EVN_TRY(prepare(p, count));
    for (int within = 0; within <= 1; ++within) {
        int64_t items = 0;
        for (int64_t i = 0; i < count; ++i) {
            items += place(p, i, &p->items[items]) == within;
        }
        EVN_TRY(solve(p, solver, items, values));
    }
    return EVN_OK;
}

static evn_status check(const evn__time_series *s, const evn__request *requests, int64_t count) {
    const double most = 1e4; // windows that a forecast goes through
    for (int64_t i = 0; i < count; ++i) {
        const evn__track *track = &s->tracks[requests[i].track];
        double begins = s->t[track->first], ends = s->t[track->first + track->count - 1];
        EVN_CHECK(requests[i].t >= begins, EVN_ERR_DATA,
                  "a value at %s = %.12g is asked for, but the series begins at %.12g",
                  s->time_name, requests[i].t, begins);
        EVN_CHECK(requests[i].t - ends <= most * s->unit, EVN_ERR_DATA,
                  "a value at %s = %.12g is asked for, which is too far: more than %g windows of "
                  "%.12g behind the data; ask for times up to %.12g",
                  s->time_name, requests[i].t, most, s->unit, ends + most * s->unit);
    }
    return EVN_OK;
}

evn_status evn__series_predict(const evn__series_model *model, const evn_solver_options *solver,
                               const evn__request *requests, int64_t count, double *values) {
    prediction p = {.model = model, .requests = requests};
    EVN_TRY(check(model->series, requests, count));
    evn_status status = predict(&p, solver, count, values);
    prediction_free(&p);
    return status;
}
