// SPDX-License-Identifier: Apache-2.0
// Pictures of a flow on columns of the user's: its samples against the points that there are.
#include "study/flow_pictures.h"

#include "base/memory.h"
#include "base/number.h"
#include "base/random.h"
#include "plot/plot.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 1000, COLUMNS_SHOWN = 4, BARS = 40, GRID = 400, FEW = 300, SEED = 1, STREAM = 10 };
enum { TITLE = 256, LABEL = 128 };

/// Points of both sides by column: [D][shown].
typedef struct sides {
    int dimensions, data_count;
    double *data, *flow; ///< [D, SHOWN]
} sides;

// Points ------------------------------------------------------------------------------------------

/// Some of the rows, chosen at random.
static evn_status take_data(const evn__points *points, sides *s) {
    int64_t *order;
    EVN_TRY(EVN_NEW(&order, points->count));
    evn__random_permutation(SEED, STREAM, order, points->count);
    s->data_count = points->count < SHOWN ? (int)points->count : SHOWN;
    for (int i = 0; i < s->data_count; ++i) {
        for (int k = 0; k < s->dimensions; ++k) {
            s->data[k * SHOWN + i] = points->rows[order[i] * s->dimensions + k];
        }
    }
    free(order);
    return EVN_OK;
}

static evn_status take_samples(const evn__flow_model *model, const evn_solver_options *solver,
                               const evn__points *points, sides *s) {
    double *samples, x[EVN__FLOW_DIMENSIONS_MAX];
    size_t columns = (size_t)s->dimensions + 1;
    EVN_TRY(EVN_NEW(&samples, 2 * SHOWN * columns));
    evn_status status = evn__flow_sample(model, solver, SEED, SHOWN, 1, samples);
    for (int i = 0; i < SHOWN && status == EVN_OK; ++i) {
        evn__standardisation_undo(&points->standard, samples + (SHOWN + (size_t)i) * columns, x);
        for (int k = 0; k < s->dimensions; ++k) {
            s->flow[k * SHOWN + i] = x[k];
        }
    }
    free(samples);
    return status;
}

/// '#' begins an escape in texts of pictures.
static const char *escape(const char *name, char label[LABEL]) {
    size_t used = 0;
    for (; *name && used + 8 < LABEL; ++name) {
        label[used++] = *name;
        if (*name == '#') {
            label[used++] = '#';
        }
    }
    while (used > 0 && *name && ((unsigned char)label[used - 1] & 0xc0) == 0x80) {
        --used; // not within a character
    }
    memcpy(label + used, *name ? "…" : "", *name ? sizeof("…") : 1);
    return label;
}

// Pairs -------------------------------------------------------------------------------------------

static evn_status draw_pair(const evn__points *points, const sides *s, int a, int b,
                            const char *folder) {
    char title[TITLE], stem[64], x[LABEL], y[LABEL];
    // Few dots would be lost; as many of both sides can be compared by eye, drawn alike.
    bool few = s->data_count <= FEW;
    evn__series_style style = few ? EVN__MARKS : EVN__DOTS;
    int flow_count = few ? s->data_count : SHOWN;
    evn__print(title, sizeof(title), "%d points of the data and %d of the flow", s->data_count,
               flow_count);
    evn__print(stem, sizeof(stem), "samples-%d-%d", a + 1, b + 1);
    const evn__series series[] = {
        {"data", style, s->data + a * SHOWN, s->data + b * SHOWN, NULL, s->data_count},
        {"flow", style, s->flow + a * SHOWN, s->flow + b * SHOWN, NULL, flow_count}};
    const evn__plot plot = {.title = title,
                            .x = {escape(points->names[a], x), false},
                            .y = {escape(points->names[b], y), false},
                            .series = series,
                            .count = 2};
    return evn__plot_save(&plot, folder, stem);
}

static evn_status draw_pairs(const evn__points *points, const sides *s, const char *folder) {
    int shown = s->dimensions < COLUMNS_SHOWN ? s->dimensions : COLUMNS_SHOWN;
    for (int a = 0; a < shown; ++a) {
        for (int b = a + 1; b < shown; ++b) {
            EVN_TRY(draw_pair(points, s, a, b, folder));
        }
    }
    return EVN_OK;
}

// One column --------------------------------------------------------------------------------------

static void find_range(const double *values, int64_t count, double *low, double *high) {
    *low = INFINITY;
    *high = -INFINITY;
    for (int64_t i = 0; i < count; ++i) {
        *low = fmin(*low, values[i]);
        *high = fmax(*high, values[i]);
    }
}

/// The outline of a histogram as an area of 1: outline_x and outline_y [2 BARS + 2].
static void outline(const evn__points *points, double low, double high, double *outline_x,
                    double *outline_y) {
    double side = (high - low) / BARS, heights[BARS] = {0};
    for (int64_t i = 0; i < points->count; ++i) {
        int bar = (int)((points->rows[i] - low) / side);
        heights[bar < BARS ? bar : BARS - 1] += 1 / (side * (double)points->count);
    }
    outline_x[0] = low;
    outline_y[0] = 0;
    for (int i = 0; i < BARS; ++i) {
        outline_x[2 * i + 1] = low + i * side;
        outline_x[2 * i + 2] = low + (i + 1) * side;
        outline_y[2 * i + 1] = outline_y[2 * i + 2] = heights[i];
    }
    outline_x[2 * BARS + 1] = high;
    outline_y[2 * BARS + 1] = 0;
}

/// p at GRID places in and around the range, in the column's units.
static evn_status find_curve(const evn__flow_model *model, const evn_solver_options *solver,
                             const evn__points *points, double low, double high, double *x,
                             double *p) {
    double z[GRID], margin = 0.1 * (high - low);
    for (int i = 0; i < GRID; ++i) {
        x[i] = low - margin + (high - low + 2 * margin) * i / (GRID - 1);
        evn__standardisation_apply(&points->standard, &x[i], &z[i]);
    }
    EVN_TRY(evn__flow_log_density(model, solver, 0, z, GRID, p, NULL));
    for (int i = 0; i < GRID; ++i) {
        p[i] = exp(p[i] - model->log_volume);
    }
    return EVN_OK;
}

static evn_status draw_histogram(const evn__flow_model *model, const evn_solver_options *solver,
                                 const evn__points *points, const char *folder) {
    double x[GRID], p[GRID], low, high, outline_x[2 * BARS + 2], outline_y[2 * BARS + 2];
    char title[TITLE], label[LABEL];
    find_range(points->rows, points->count, &low, &high);
    outline(points, low, high, outline_x, outline_y);
    EVN_TRY(find_curve(model, solver, points, low, high, x, p));
    evn__print(title, sizeof(title), "%lld points of the data and the density of the flow",
               (long long)points->count);
    const evn__series series[] = {{"data", EVN__LINE, outline_x, outline_y, NULL, 2 * BARS + 2},
                                  {"flow", EVN__LINE, x, p, NULL, GRID}};
    const evn__plot plot = {.title = title,
                            .x = {escape(points->names[0], label), false},
                            .y = {"density  (per unit of it)", false},
                            .series = series,
                            .count = 2};
    return evn__plot_save(&plot, folder, "samples");
}

// All ---------------------------------------------------------------------------------------------

/// Practically all of the points are within that of the origin, in the flow's coordinates.
static double extent_of(const evn__points *points) {
    double most = 3, z[2];
    for (int64_t i = 0; i < points->count; ++i) {
        evn__standardisation_apply(&points->standard, points->rows + 2 * i, z);
        most = fmax(most, fmax(fabs(z[0]), fabs(z[1])));
    }
    return ceil(fmin(most, 6));
}

static evn_status draw_sides(const evn__flow_model *model, const evn_solver_options *solver,
                             const evn__points *points, const char *folder, sides *s) {
    EVN_TRY(EVN_NEW(&s->data, s->dimensions * SHOWN));
    EVN_TRY(EVN_NEW(&s->flow, s->dimensions * SHOWN));
    EVN_TRY(take_data(points, s));
    EVN_TRY(take_samples(model, solver, points, s));
    return draw_pairs(points, s, folder);
}

evn_status evn__flow_draw_points(const evn__flow_model *model, const evn_solver_options *solver,
                                 const evn__points *points, const char *folder) {
    sides s = {.dimensions = points->dimensions};
    if (points->dimensions == 1) {
        return draw_histogram(model, solver, points, folder);
    }
    evn_status status = draw_sides(model, solver, points, folder, &s);
    free(s.data);
    free(s.flow);
    EVN_TRY(status);
    return points->dimensions == 2
               ? evn__flow_draw_density(model, solver, extent_of(points), folder)
               : EVN_OK;
}
