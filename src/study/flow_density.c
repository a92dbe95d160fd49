// SPDX-License-Identifier: Apache-2.0
// The strip of densities: samples on their way from the base, and the density that the flow has
// where they are. One is found backwards from t = 1, the other forwards to it.
#include "study/flow_pictures.h"

#include "base/memory.h"
#include "base/number.h"
#include "plot/tiles.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 5, TIMES = STEPS + 1, SAMPLES = 10000, SEED = 1 };
enum { AREAS = 28, AREA_COUNT = AREAS * AREAS }; // a side of a tile of samples, all of it
enum { GRID = 56, GRID_COUNT = GRID * GRID };    // of a tile of densities

typedef struct strip {
    double samples[TIMES][SAMPLES][3];
    double points[GRID_COUNT][2]; ///< middles of the grid's squares
    double counted[TIMES][AREA_COUNT], density[TIMES][GRID_COUNT];
} strip;

static double time_of(int index) {
    return 1 - index / (double)STEPS;
}

/// Samples an area, over their number and its size: an estimate of the density.
static void count_samples(strip *s, double extent) {
    double side = 2 * extent / AREAS, each = 1 / (SAMPLES * side * side);
    for (int k = 0; k < TIMES; ++k) {
        for (int i = 0; i < SAMPLES; ++i) {
            double column = floor((s->samples[k][i][0] + extent) / side);
            double row = floor((extent - s->samples[k][i][1]) / side);
            if (column >= 0 && column < AREAS && row >= 0 && row < AREAS) {
                s->counted[k][(int)row * AREAS + (int)column] += each;
            }
        }
    }
}

static evn_status find_densities(const evn__flow_model *model, const evn_solver_options *solver,
                                 double extent, strip *s) {
    double side = 2 * extent / GRID;
    for (int i = 0; i < GRID_COUNT; ++i) {
        s->points[i][0] = (i % GRID + 0.5) * side - extent;
        s->points[i][1] = extent - (i / GRID + 0.5) * side;
    }
    for (int k = 0; k < TIMES; ++k) {
        EVN_TRY(evn__flow_log_density(model, solver, time_of(k), s->points[0], GRID_COUNT,
                                      s->density[k], NULL));
        for (int i = 0; i < GRID_COUNT; ++i) {
            s->density[k][i] = exp(s->density[k][i]);
        }
    }
    return EVN_OK;
}

static double largest(const double *values, int count) {
    double most = 0;
    for (int i = 0; i < count; ++i) {
        most = fmax(most, values[i]);
    }
    return most;
}

static evn_status draw(const strip *s, double extent, const char *folder) {
    static const char *const rows[] = {"10,000 samples", "density"};
    char labels[TIMES][16], note[96];
    const char *columns[TIMES];
    evn__tile tiles[2 * TIMES];
    for (int k = 0; k < TIMES; ++k) {
        double most = largest(s->density[k], GRID_COUNT);
        tiles[k] = (evn__tile){s->counted[k], AREAS, AREAS, 0, most};
        tiles[TIMES + k] = (evn__tile){s->density[k], GRID, GRID, 0, most};
        evn__print(labels[k], sizeof(labels[k]), "t = %.1f", time_of(k));
        columns[k] = labels[k];
    }
    evn__print(note, sizeof(note), "each tile: z₁ and z₂ from −%g to %g  (no unit)", extent,
               extent);
    const evn__tiles picture = {"From the base (t = 1) to the target (t = 0)",
                                tiles,
                                2,
                                TIMES,
                                rows,
                                columns,
                                note,
                                EVN__PALETTE_HEAT,
                                "0",
                                "p(z, t)  (per unit of area)",
                                "the largest at this t"};
    return evn__tiles_save(&picture, folder, "density");
}

evn_status evn__flow_draw_density(const evn__flow_model *model, const evn_solver_options *solver,
                                  double extent, const char *folder) {
    strip *s;
    EVN_TRY(EVN_NEW(&s, 1));
    evn_status status = evn__flow_sample(model, solver, SEED, SAMPLES, STEPS, s->samples[0][0]);
    if (status == EVN_OK) {
        count_samples(s, extent);
        status = find_densities(model, solver, extent, s);
    }
    status = status == EVN_OK ? draw(s, extent, folder) : status;
    free(s);
    return status;
}
