// SPDX-License-Identifier: Apache-2.0
// Reaction–diffusion–advection (Zhang et al. 2019, ANODEV2): each kernel slice is a small image,
//     dw/dt = tanh(τ Δw + υ_y ∂w/∂y + υ_x ∂w/∂x + ρ w),
// with four scalars a convolution. The stencils act on the slice positions alone, so they are
// matrices [P, P], P = Kh·Kw, and the slope is one product [P, P] · [P, Ci·Co].
#include "nn/evolution.h"

#include <stdlib.h>

typedef struct slice {
    int height, width;
} slice;

/// The position at (y, x), moved to the nearest one inside: no flux through the border.
static int inside(slice s, int y, int x) {
    y = y < 0 ? 0 : y >= s.height ? s.height - 1 : y;
    x = x < 0 ? 0 : x >= s.width ? s.width - 1 : x;
    return y * s.width + x;
}

/// matrix [P, P] += weight at every (position, position moved by dy, dx).
static void add_shift(slice s, int dy, int dx, double weight, double *matrix) {
    int positions = s.height * s.width;
    for (int y = 0; y < s.height; ++y) {
        for (int x = 0; x < s.width; ++x) {
            matrix[inside(s, y, x) * positions + inside(s, y + dy, x + dx)] += weight;
        }
    }
}

static void laplacian(slice s, double *matrix) {
    add_shift(s, 0, 0, -4, matrix);
    add_shift(s, -1, 0, 1, matrix);
    add_shift(s, 1, 0, 1, matrix);
    add_shift(s, 0, -1, 1, matrix);
    add_shift(s, 0, 1, 1, matrix);
}

static void along_y(slice s, double *matrix) {
    add_shift(s, 1, 0, 0.5, matrix);
    add_shift(s, -1, 0, -0.5, matrix);
}

static void along_x(slice s, double *matrix) {
    add_shift(s, 0, 1, 0.5, matrix);
    add_shift(s, 0, -1, -0.5, matrix);
}

static void identity(slice s, double *matrix) {
    add_shift(s, 0, 0, 1, matrix);
}

static evn_value term(evn__network *network, const char *layer, const char *kind, slice s,
                      void (*stencil)(slice, double *)) {
    int64_t positions = (int64_t)s.height * s.width;
    double *matrix = calloc((size_t)(positions * positions), sizeof(*matrix));
    if (!matrix) {
        return EVN_NONE; // the next builder reports it
    }
    stencil(s, matrix);
    evn_value table = evn_table(network->graph, EVN_SHAPE(positions, positions), matrix);
    free(matrix);
    evn_value factor =
        evn__network_weight(network, layer, kind, EVN_SHAPE(1), EVN_INITIAL_CONSTANT, 0);
    return evn_mul(network->graph, table, factor);
}

evn_value evn__evolution_rda(evn__network *network, const char *layer, evn_value t, evn_value w) {
    (void)t;
    evn_graph *g = network->graph;
    evn_shape shape = evn_value_shape(g, w);
    slice s = {(int)shape.dim[0], (int)shape.dim[1]};
    evn_value diffusion = term(network, layer, "diffusion", s, laplacian);
    evn_value advection_y = term(network, layer, "advection_y", s, along_y);
    evn_value advection_x = term(network, layer, "advection_x", s, along_x);
    evn_value reaction = term(network, layer, "reaction", s, identity);
    evn_value advection = evn_add(g, advection_y, advection_x);
    evn_value matrix = evn_add(g, evn_add(g, diffusion, advection), reaction);
    evn_shape flat = EVN_SHAPE(shape.dim[0] * shape.dim[1], shape.dim[2] * shape.dim[3]);
    evn_value moved = evn_matmul(g, matrix, evn_reshape(g, w, flat), false, false);
    return evn_reshape(g, evn_tanh(g, moved), shape);
}
