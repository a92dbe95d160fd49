// SPDX-License-Identifier: Apache-2.0
#include "study/kernels.h"

#include "base/memory.h"
#include "base/number.h"
#include "nn/evolving.h"
#include "plan/real.h"
#include "plot/plot.h"
#include "plot/tiles.h"
#include "task/learnt_solver.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 6, TIMES = 20, STRIDE = 4, COLUMNS = TIMES / STRIDE + 1, LABEL_SIZE = 64 };

/// The kernels of a layer over t. A slice is the kernel from one channel to another.
typedef struct way {
    evn_shape shape; ///< [Kh, Kw, Ci, Co]
    int64_t count;   ///< of all weights
    double *theta;   ///< [TIMES + 1, count]
} way;

/// A slice and how far it moves.
typedef struct move {
    double distance;
    int64_t slice;
} move;

// Solving -----------------------------------------------------------------------------------------

static evn_status solve(evn__learnt_solver *learnt, evn_binding start, way *w) {
    evn_binding series;
    EVN_TRY(evn_solve(learnt->solver, 0, 1, start, learnt->weights, &series, NULL));
    EVN_TRY(evn__real_read(start, false, w->theta, (size_t)w->count));
    return evn__real_read(series, false, w->theta + w->count, (size_t)(w->count * TIMES));
}

static evn_status find_way(evn_device *device, const evn_model *model, int kernel, double tolerance,
                           way *w) {
    evn_dynamics *dynamics;
    evn__learnt_solver learnt = {0};
    evn_parameters *parameters = evn_model_parameters(model);
    evn_solver_options options = evn_solver_options_default();
    options.rtol = options.atol = tolerance;
    options.observations = TIMES;
    EVN_TRY(evn__evolving_dynamics(model, kernel, &dynamics));
    w->shape = evn_dynamics_state_shape(dynamics);
    w->count = evn_shape_count(w->shape);
    evn_status status = evn__learnt_solver_create(device, dynamics, parameters, &options, &learnt);
    evn_dynamics_destroy(&dynamics);
    status = status == EVN_OK ? EVN_NEW(&w->theta, w->count * (TIMES + 1)) : status;
    if (status == EVN_OK) {
        int index = evn_parameters_find(parameters, evn__evolving_weight(model, kernel));
        status = solve(&learnt, evn_parameters_value(parameters, index), w);
    }
    evn__learnt_solver_free(&learnt);
    return status;
}

// Choosing ----------------------------------------------------------------------------------------

static int64_t slices(const way *w) {
    return w->shape.dim[2] * w->shape.dim[3];
}

static double at(const way *w, int time, int64_t position, int64_t slice) {
    return w->theta[time * w->count + position * slices(w) + slice];
}

static int farther_first(const void *a, const void *b) {
    const move *x = a, *y = b;
    if (x->distance != y->distance) {
        return x->distance > y->distance ? -1 : 1;
    }
    return x->slice < y->slice ? -1 : 1;
}

/// SHOWN slices, equally spaced in the order of their distances.
static evn_status choose(const way *w, int64_t chosen[SHOWN]) {
    int64_t count = slices(w), positions = w->shape.dim[0] * w->shape.dim[1];
    move *moves;
    EVN_TRY(EVN_NEW(&moves, count));
    for (int64_t slice = 0; slice < count; ++slice) {
        moves[slice].slice = slice;
        for (int64_t p = 0; p < positions; ++p) {
            moves[slice].distance += pow(at(w, TIMES, p, slice) - at(w, 0, p, slice), 2);
        }
    }
    qsort(moves, (size_t)count, sizeof(*moves), farther_first);
    for (int i = 0; i < SHOWN; ++i) {
        chosen[i] = moves[i * (count - 1) / (SHOWN - 1)].slice;
    }
    free(moves);
    return EVN_OK;
}

// Pictures ----------------------------------------------------------------------------------------

/// Labels of the chosen slices: which channel to which.
static void label(const way *w, const int64_t chosen[SHOWN], char texts[SHOWN][LABEL_SIZE],
                  const char *labels[SHOWN]) {
    for (int i = 0; i < SHOWN; ++i) {
        snprintf(texts[i], LABEL_SIZE, "channel %lld → %lld",
                 (long long)(chosen[i] / w->shape.dim[3]),
                 (long long)(chosen[i] % w->shape.dim[3]));
        labels[i] = texts[i];
    }
}

static evn_status draw_strip(const way *w, const int64_t chosen[SHOWN], const char *layer,
                             const char *const *labels, const char *folder) {
    int height = (int)w->shape.dim[0], width = (int)w->shape.dim[1], size = height * width;
    double *values, most = 0;
    char title[160], stem[96], times[COLUMNS][LABEL_SIZE], ends[2][LABEL_SIZE];
    const char *columns[COLUMNS];
    evn__tile tiles[SHOWN * COLUMNS];
    EVN_TRY(EVN_NEW(&values, SHOWN * COLUMNS * size));
    for (int i = 0; i < SHOWN * COLUMNS * size; ++i) {
        values[i] = at(w, i / size % COLUMNS * STRIDE, i % size, chosen[i / size / COLUMNS]);
        most = fmax(most, fabs(values[i]));
    }
    for (int i = 0; i < SHOWN * COLUMNS; ++i) {
        tiles[i] = (evn__tile){values + i * size, height, width, -most, most};
    }
    for (int i = 0; i < COLUMNS; ++i) {
        evn__print(times[i], LABEL_SIZE, "t = %.1f", i / (COLUMNS - 1.0));
        columns[i] = times[i];
    }
    evn__print(ends[0], LABEL_SIZE, "−%.2g", most);
    evn__print(ends[1], LABEL_SIZE, "%.2g", most);
    snprintf(title, sizeof(title),
             "Kernels of %s over t, from the one that moves most to the least", layer);
    snprintf(stem, sizeof(stem), "kernels-%s", layer);
    const evn__tiles picture = {title,
                                tiles,
                                SHOWN,
                                COLUMNS,
                                labels,
                                columns,
                                "each tile: the positions of a kernel (pixels of the state)",
                                EVN__PALETTE_SIGNED,
                                ends[0],
                                "weight  (no unit)",
                                ends[1]};
    evn_status status = evn__tiles_save(&picture, folder, stem);
    free(values);
    return status;
}

static evn_status draw_lines(const way *w, const int64_t chosen[SHOWN], const char *layer,
                             const char *const *labels, const char *folder) {
    double t[TIMES + 1], values[SHOWN][TIMES + 1];
    char title[160], stem[96];
    evn__series series[SHOWN];
    int64_t middle = w->shape.dim[0] / 2 * w->shape.dim[1] + w->shape.dim[1] / 2;
    for (int i = 0; i < SHOWN; ++i) {
        for (int k = 0; k <= TIMES; ++k) {
            t[k] = k / (double)TIMES;
            values[i][k] = at(w, k, middle, chosen[i]);
        }
        series[i] = (evn__series){labels[i], EVN__LINE, t, values[i], NULL, TIMES + 1};
    }
    snprintf(title, sizeof(title), "Middle entries of kernels of %s", layer);
    snprintf(stem, sizeof(stem), "kernel-lines-%s", layer);
    const evn__plot plot = {.title = title,
                            .x = {"t  (no unit)", false},
                            .y = {"weight θ(t)  (no unit)", false},
                            .series = series,
                            .count = SHOWN};
    return evn__plot_save(&plot, folder, stem);
}

static evn_status draw(const way *w, const char *layer, const char *folder) {
    int64_t chosen[SHOWN];
    char texts[SHOWN][LABEL_SIZE];
    const char *labels[SHOWN];
    EVN_TRY(choose(w, chosen));
    label(w, chosen, texts, labels);
    EVN_TRY(draw_strip(w, chosen, layer, labels, folder));
    return draw_lines(w, chosen, layer, labels, folder);
}

/// A layer's name for titles and files: "f.conv1.weight" is conv1, "f2.conv1.weight" is f2-conv1.
static void name_layer(const char *weight, char name[LABEL_SIZE]) {
    const char *from = strncmp(weight, "f.", 2) == 0 ? weight + 2 : weight;
    snprintf(name, LABEL_SIZE, "%.*s", (int)(strlen(from) - strlen(".weight")), from);
    for (char *dot = strchr(name, '.'); dot; dot = strchr(dot, '.')) {
        *dot = '-';
    }
}

evn_status evn__kernels_draw(evn_device *device, const evn_model *model, double tolerance,
                             const char *folder) {
    for (int i = 0; i < evn__evolving_count(model); ++i) {
        char layer[LABEL_SIZE];
        way w = {0};
        name_layer(evn__evolving_weight(model, i), layer);
        evn_status status = find_way(device, model, i, tolerance, &w);
        status = status == EVN_OK ? draw(&w, layer, folder) : status;
        free(w.theta);
        EVN_TRY(status);
    }
    return EVN_OK;
}
