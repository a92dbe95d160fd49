// SPDX-License-Identifier: Apache-2.0
#include "study/flow_pictures.h"

#include "base/memory.h"
#include "base/number.h"
#include "plot/plot.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SHOWN = 1000, TIMES = 5, PANELS = TIMES + 1, PANELS_A_ROW = 3 };
static const uint64_t SHOWN_SEED = 1;

/// Points of each time as coordinates, those of the data last.
typedef struct cloud {
    double x[PANELS + 1][SHOWN], y[PANELS + 1][SHOWN];
} cloud;

static evn_status find_points(const evn__flow_model *model, const evn_solver_options *solver,
                              const evn__density *density, cloud *c) {
    static const uint64_t stream = 9; // of points that no training has
    double *points;
    EVN_TRY(EVN_NEW(&points, PANELS * SHOWN * 3));
    evn_status status = evn__flow_sample(model, solver, SHOWN_SEED, SHOWN, TIMES, points);
    for (int i = 0; i < PANELS * SHOWN; ++i) {
        c->x[i / SHOWN][i % SHOWN] = points[3 * i];
        c->y[i / SHOWN][i % SHOWN] = points[3 * i + 1];
    }
    evn__density_sample(density, SHOWN_SEED, stream, 0, SHOWN, points);
    for (int i = 0; i < SHOWN; ++i) {
        c->x[PANELS][i] = points[2 * i];
        c->y[PANELS][i] = points[2 * i + 1];
    }
    free(points);
    return status;
}

static evn_status draw_samples(const evn__density *density, const cloud *c, const char *folder) {
    char title[128];
    snprintf(title, sizeof(title), "%s: %d points of the data and of the flow", density->name,
             SHOWN);
    const evn__series series[] = {
        {"data", EVN__DOTS, c->x[PANELS], c->y[PANELS], NULL, SHOWN},
        {"flow", EVN__DOTS, c->x[PANELS - 1], c->y[PANELS - 1], NULL, SHOWN}};
    const evn__plot plot = {.title = title,
                            .x = {"z₁  (no unit)", false},
                            .y = {"z₂  (no unit)", false},
                            .series = series,
                            .count = 2};
    return evn__plot_save(&plot, folder, "samples");
}

/// Panels beside and below each other, from the base to the target; the points are moved.
static evn_status draw_strip(const evn__density *density, cloud *c, const char *folder) {
    evn__series series[PANELS];
    char labels[PANELS][16];
    double side = 2 * density->extent;
    for (int k = 0; k < PANELS; ++k) {
        for (int i = 0; i < SHOWN; ++i) {
            c->x[k][i] += side * (k % PANELS_A_ROW);
            c->y[k][i] -= side * (k / PANELS_A_ROW);
        }
        evn__print(labels[k], sizeof(labels[k]), "%.1f", 1 - k / (double)TIMES);
        series[k] = (evn__series){labels[k], EVN__DOTS, c->x[k], c->y[k], NULL, SHOWN};
    }
    const evn__plot plot = {.title = "From the base (t = 1) to the target (t = 0), t by colour",
                            .x = {"z₁, each time beside the one before  (no unit)", false},
                            .y = {"z₂, second row below the first  (no unit)", false},
                            .series = series,
                            .count = PANELS};
    return evn__plot_save(&plot, folder, "strip");
}

evn_status evn__flow_draw_losses(const double *losses, int count, double entropy,
                                 const char *folder) {
    enum { POINTS = 100 };
    double at[POINTS], mean[POINTS] = {0}, ends[2], level[2];
    int points = 0, each = (count + POINTS - 1) / POINTS;
    for (int i = 0; i < count; i += each, ++points) {
        int length = count - i < each ? count - i : each;
        for (int k = 0; k < length; ++k) {
            mean[points] += losses[i + k] / length;
        }
        at[points] = i + (length + 1) / 2.0;
    }
    ends[0] = 1;
    ends[1] = count;
    level[0] = level[1] = entropy;
    const evn__series series[] = {{"training loss", EVN__LINE, at, mean, NULL, points},
                                  {"entropy of the density", EVN__DASHED, ends, level, NULL, 2}};
    const evn__plot plot = {.title = "Loss over the training",
                            .x = {"iteration", false},
                            .y = {"−log p  (nats)", false},
                            .series = series,
                            .count = isnan(entropy) ? 1 : 2};
    return evn__plot_save(&plot, folder, "loss");
}

evn_status evn__flow_pictures(const evn__flow_model *model, const evn_solver_options *solver,
                              const evn__density *density, const char *folder) {
    cloud *c;
    EVN_TRY(EVN_NEW(&c, 1));
    evn_status status = find_points(model, solver, density, c);
    status = status == EVN_OK ? draw_samples(density, c, folder) : status;
    status = status == EVN_OK ? draw_strip(density, c, folder) : status;
    free(c);
    EVN_TRY(status);
    return evn__flow_draw_density(model, solver, density->extent, folder);
}
