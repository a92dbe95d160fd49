// SPDX-License-Identifier: Apache-2.0
// Reaction–diffusion–advection (Zhang et al. 2019, ANODEV2): each kernel slice is a small image,
//     dw/dt = tanh(τ Δw + υ_y ∂w/∂y + υ_x ∂w/∂x + ρ w),
// with four scalars a convolution. The stencils act on the slice positions alone, so they are
// matrices [P, P], P = Kh·Kw, and the slope is one product [P, P] · [P, Ci·Co].
#include "graph/node.h"
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

static void (*const stencils[])(slice, double *) = {laplacian, along_y, along_x, identity};
enum { STENCILS = sizeof(stencils) / sizeof(stencils[0]) };

/// The stencils' matrices as rows, [STENCILS, P·P].
static evn_value stencil_table(evn_graph *graph, slice s) {
    int64_t size = (int64_t)s.height * s.width * s.height * s.width;
    double *rows = calloc((size_t)(STENCILS * size), sizeof(*rows));
    if (!rows) {
        return evn__graph_fail(graph, EVN_ERR_MEMORY, "no memory for %d stencils", STENCILS);
    }
    for (int i = 0; i < STENCILS; ++i) {
        stencils[i](s, rows + i * size);
    }
    evn_value table = evn_table(graph, EVN_SHAPE(STENCILS, size), rows);
    free(rows);
    return table;
}

evn_value evn__evolution_rda(evn__network *network, const char *layer, evn_value t, evn_value w) {
    (void)t;
    evn_graph *g = network->graph;
    evn_shape shape = evn_value_shape(g, w);
    slice s = {(int)shape.dim[0], (int)shape.dim[1]};
    int64_t positions = shape.dim[0] * shape.dim[1], slices = shape.dim[2] * shape.dim[3];
    // τ, υ_y, υ_x, ρ: as one row, so that their gradient is one product.
    evn_value factors = evn__network_weight(network, layer, "coefficients", EVN_SHAPE(1, STENCILS),
                                            EVN_INITIAL_CONSTANT, 0);
    evn_value matrix = evn_matmul(g, factors, stencil_table(g, s), false, false);
    matrix = evn_reshape(g, matrix, EVN_SHAPE(positions, positions));
    evn_value columns = evn_reshape(g, w, EVN_SHAPE(positions, slices));
    evn_value moved = evn_matmul(g, matrix, columns, false, false);
    return evn_reshape(g, evn_tanh(g, moved), shape);
}
