// SPDX-License-Identifier: Apache-2.0
#include "study/series_pictures.h"

#include "base/names.h"
#include "plot/plot.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Of a trajectory there are three items, of the only one four.
enum { TRACKS = 3, COLUMNS = 12, POINTS = 400, LABEL = 96, MARKS_MAX = 500, TITLE = 320 };

/// What is seen of one trajectory, as [points, dimensions].
typedef struct seen {
    int track;
    int points; ///< of the curve
    double *t, *curve;
    double trained_until;
} seen;

typedef struct pictures {
    const evn__time_series *series;
    seen tracks[TRACKS];
    int count;
} pictures;

/// Text of the file as a label: "#" begins an escape, and length has a bound.
static const char *as_label(const char *text, char to[LABEL]) {
    char shown[LABEL / 2];
    size_t at = 0;
    evn__printable(text, shown, sizeof(shown));
    for (const char *c = shown; *c && at + 2 < LABEL; ++c) {
        to[at++] = *c;
        if (*c == '#') {
            to[at++] = '#';
        }
    }
    to[at] = 0;
    return to;
}

// Curves ------------------------------------------------------------------------------------------

static evn_status see(const evn__series_model *model, const evn_solver_options *solver, int track,
                      seen *view) {
    const evn__time_series *s = model->series;
    const evn__track *rows = &s->tracks[track];
    evn__request requests[POINTS];
    double from = s->t[rows->first], until = s->t[rows->first + rows->count - 1];
    view->track = track;
    view->points = POINTS;
    view->trained_until = rows->trained > 0 ? s->t[rows->first + rows->trained - 1] : from;
    EVN_TRY(EVN_NEW(&view->t, POINTS));
    EVN_TRY(EVN_NEW(&view->curve, POINTS * s->dimensions));
    for (int i = 0; i < POINTS; ++i) {
        view->t[i] = from + (until - from) * i / (POINTS - 1);
        requests[i] = (evn__request){track, view->t[i]};
    }
    return evn__series_predict(model, solver, requests, POINTS, view->curve);
}

// Pictures ----------------------------------------------------------------------------------------

/// A picture under construction; its axes are columns, −1 being the time.
typedef struct drawing {
    const pictures *of;
    int axes[2];
    evn__series items[EVN__SERIES_MAX];
    int colours[EVN__SERIES_MAX];
    char labels[TRACKS][LABEL];
    int count;
    double *memory; ///< of coordinates
    size_t used;
} drawing;

/// A part of some points; those that do not go into a picture are left out evenly.
typedef struct part {
    const double *t, *values;
    int64_t first, count;
} part;

/// @param[in] label   NULL: not in the legend
static void add(drawing *d, evn__series_style style, const char *label, int colour, part from) {
    const evn__time_series *s = d->of->series;
    int64_t stride = 1 + (from.count - 1) / MARKS_MAX, shown = 0;
    double *to[] = {d->memory + d->used, d->memory + d->used + MARKS_MAX};
    if (from.count <= 0) {
        return;
    }
    for (int64_t i = from.first; i < from.first + from.count; i += stride) {
        for (int axis = 0; axis < 2; ++axis) {
            int column = d->axes[axis];
            to[axis][shown] = column < 0 ? from.t[i] : from.values[i * s->dimensions + column];
        }
        ++shown;
    }
    d->items[d->count] = (evn__series){label, style, to[0], to[1], NULL, (int)shown};
    d->colours[d->count++] = colour;
    d->used += 2 * MARKS_MAX;
}

/// Points of the curve that are a fit; the rest is a forecast.
static int64_t count_fitted(const evn__track *track, const seen *view) {
    int64_t fitted = 0;
    while (fitted < view->points && view->t[fitted] <= view->trained_until) {
        ++fitted;
    }
    return track->trained > 0 ? fitted : 0;
}

/// What was observed of the only trajectory, and its curve.
static void add_one(drawing *d, const seen *view) {
    const evn__time_series *s = d->of->series;
    const evn__track *track = &s->tracks[view->track];
    int64_t fitted = count_fitted(track, view), held = track->count - track->trained;
    int64_t left = fitted > 0 ? fitted - 1 : 0; // the forecast begins where the fit ends
    add(d, EVN__MARKS, "data", d->count, (part){s->t, s->values, track->first, track->trained});
    add(d, EVN__LINE, "fit", d->count, (part){view->t, view->curve, 0, fitted});
    if (held > 0) {
        add(d, EVN__MARKS, "held out", d->count,
            (part){s->t, s->values, track->first + track->trained, held});
        add(d, EVN__DASHED, "forecast", d->count,
            (part){view->t, view->curve, left, view->points - left});
    }
}

/// One of several: all of it in a colour of its own, under its name.
static void add_group(drawing *d, const seen *view) {
    const evn__time_series *s = d->of->series;
    const evn__track *track = &s->tracks[view->track];
    int64_t fitted = count_fitted(track, view), left = fitted > 0 ? fitted - 1 : 0;
    int colour = view->track;
    char name[LABEL], *label = d->labels[view->track];
    snprintf(label, LABEL, "%.48s%s", as_label(track->name, name),
             track->trained > 0 ? "" : " (held out)");
    add(d, EVN__MARKS, NULL, colour, (part){s->t, s->values, track->first, track->count});
    add(d, EVN__LINE, label, colour, (part){view->t, view->curve, 0, fitted});
    if (track->trained < track->count) {
        add(d, EVN__DASHED, fitted > 0 ? NULL : label, colour,
            (part){view->t, view->curve, left, view->points - left});
    }
}

/// What is drawn, and for several trajectories how.
static void write_title(const pictures *p, bool over_time, char labels[2][LABEL],
                        char title[TITLE]) {
    int all = p->series->track_count;
    char count[32] = "";
    if (p->count < all) {
        snprintf(count, sizeof(count), ", %d of %d", p->count, all);
    }
    snprintf(title, TITLE, "%s %s %s%s%s", labels[1], over_time ? "over" : "against", labels[0],
             count, p->count > 1 ? "  (○ data, — fit, - - forecast)" : "");
}

static evn_status draw(const pictures *p, int x, int y, const char *folder, const char *stem) {
    drawing d = {.of = p, .axes = {x, y}};
    char labels[2][LABEL], title[TITLE];
    EVN_TRY(EVN_NEW(&d.memory, 2 * MARKS_MAX * EVN__SERIES_MAX));
    for (int i = 0; i < p->count; ++i) {
        (p->count > 1 ? add_group : add_one)(&d, &p->tracks[i]);
    }
    as_label(x < 0 ? p->series->time_name : p->series->names[x], labels[0]);
    as_label(p->series->names[y], labels[1]);
    write_title(p, x < 0, labels, title);
    const evn__plot plot = {.title = title,
                            .x = {labels[0], false},
                            .y = {labels[1], false},
                            .series = d.items,
                            .count = d.count,
                            .colours = d.colours};
    evn_status status = evn__plot_save(&plot, folder, stem);
    free(d.memory);
    return status;
}

static evn_status draw_all(const pictures *p, const char *folder) {
    for (int k = 0; k < p->series->dimensions && k < COLUMNS; ++k) {
        char stem[16];
        snprintf(stem, sizeof(stem), "fit-%d", k + 1);
        EVN_TRY(draw(p, -1, k, folder, stem));
    }
    return p->series->dimensions >= 2 ? draw(p, 0, 1, folder, "phase") : EVN_OK;
}

evn_status evn__series_pictures(const evn__series_model *model, const evn_solver_options *solver,
                                const char *folder) {
    pictures p = {.series = model->series};
    evn_status status = EVN_OK;
    while (p.count < p.series->track_count && p.count < TRACKS && status == EVN_OK) {
        status = see(model, solver, p.count, &p.tracks[p.count]);
        ++p.count;
    }
    if (status == EVN_OK) {
        status = draw_all(&p, folder);
    }
    for (int i = 0; i < p.count; ++i) {
        free(p.tracks[i].t);
        free(p.tracks[i].curve);
    }
    return status;
}
