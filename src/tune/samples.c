// SPDX-License-Identifier: Apache-2.0
#include "tune/samples.h"

#include "graph/krylov.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// Matrices and convolutions -----------------------------------------------------------------------

static evn_value build_matmul(evn_graph *graph, const int64_t sizes[EVN__PRODUCT_SIZES]) {
    int64_t m = sizes[0], n = sizes[1], k = sizes[2];
    bool transpose_a = sizes[3], transpose_b = sizes[4];
    evn_value a = evn_input(graph, "a", transpose_a ? EVN_SHAPE(k, m) : EVN_SHAPE(m, k));
    evn_value b = evn_input(graph, "b", transpose_b ? EVN_SHAPE(n, k) : EVN_SHAPE(k, n));
    return evn_matmul(graph, a, b, transpose_a, transpose_b);
}

static evn_value build_conv2d(evn_graph *graph, evn__op op, const int64_t s[EVN__PRODUCT_SIZES]) {
    evn_conv2d_options options = {(int)s[7], (int)s[8]};
    evn_shape images = EVN_SHAPE(s[0], s[1], s[2], s[3]),
              weights = EVN_SHAPE(s[4], s[5], s[3], s[6]);
    evn_shape results = EVN_SHAPE(s[0], (s[1] + 2 * s[8] - s[4]) / s[7] + 1,
                                  (s[2] + 2 * s[8] - s[5]) / s[7] + 1, s[6]);
    if (op == EVN__OP_CONV2D_INPUT_GRAD) {
        evn_value y_bar = evn_input(graph, "y_bar", results), w = evn_input(graph, "w", weights);
        return evn_conv2d_input_grad(graph, y_bar, w, images, options);
    }
    evn_value x = evn_input(graph, "x", images);
    if (op == EVN__OP_CONV2D_WEIGHT_GRAD) {
        evn_value y_bar = evn_input(graph, "y_bar", results);
        return evn_conv2d_weight_grad(graph, x, y_bar, weights, options);
    }
    return evn_conv2d(graph, x, evn_input(graph, "w", weights), options);
}

evn_value evn__product_build(evn_graph *graph, evn__op op, const int64_t *sizes) {
    evn_value result =
        op == EVN__OP_MATMUL ? build_matmul(graph, sizes) : build_conv2d(graph, op, sizes);
    evn_output(graph, "result", result);
    return result;
}

/// Below a tile; tiles of rows and columns that are not full; K cut into slices.
static void matmul(evn_graph *g, int index) {
    const int64_t sizes[][3] = {{1, 1, 1}, {11, 33, 7}, {9, 17, 530}};
    const int64_t *s = sizes[index / 4];
    evn__product_build(g, EVN__OP_MATMUL,
                       (int64_t[EVN__PRODUCT_SIZES]){s[0], s[1], s[2], index & 1, index & 2});
}

/// A row of tiles that is not full in samples and channels; one channel; strides; kernels outside.
static const int64_t geometries[][EVN__PRODUCT_SIZES] = {
    {9, 3, 4, 5, 3, 3, 19, 1, 1}, {2, 5, 6, 1, 4, 4, 3, 2, 1}, {3, 4, 4, 3, 1, 1, 17, 2, 0},
    {1, 7, 5, 2, 2, 3, 33, 3, 1}, {2, 2, 3, 2, 2, 2, 5, 1, 3},
};
enum { GEOMETRIES = sizeof(geometries) / sizeof(*geometries) };

static void conv2d(evn_graph *g, int index) {
    evn__product_build(g, EVN__OP_CONV2D, geometries[index]);
}

static void conv2d_input_grad(evn_graph *g, int index) {
    evn__product_build(g, EVN__OP_CONV2D_INPUT_GRAD, geometries[index]);
}

static void conv2d_weight_grad(evn_graph *g, int index) {
    evn__product_build(g, EVN__OP_CONV2D_WEIGHT_GRAD, geometries[index]);
}

/// Each of the three operations at each of two shapes.
static void build_winograd(evn_graph *g, int index, const int64_t sizes[2][EVN__PRODUCT_SIZES]) {
    const evn__op ops[] = {EVN__OP_CONV2D, EVN__OP_CONV2D_INPUT_GRAD, EVN__OP_CONV2D_WEIGHT_GRAD};
    evn__product_build(g, ops[index % 3], sizes[index / 3]);
}

/// For CPUs: whole vectors of channels, tiles that reach over the edge.
static void winograd(evn_graph *g, int index) {
    build_winograd(g, index,
                   (const int64_t[2][EVN__PRODUCT_SIZES]){{2, 7, 6, 16, 3, 3, 32, 1, 1},
                                                          {2, 13, 13, 16, 4, 4, 16, 2, 1}});
}

/// For GPUs: more tiles and more channels than a work-group has.
static void winograd_tiled(evn_graph *g, int index) {
    build_winograd(g, index,
                   (const int64_t[2][EVN__PRODUCT_SIZES]){{4, 7, 5, 9, 3, 3, 35, 1, 1},
                                                          {1, 4, 6, 34, 3, 3, 7, 1, 0}});
}

// Reductions --------------------------------------------------------------------------------------

/// Along rows and down columns, whole vectors and rests, in one pass and in two.
static void sums(evn_graph *g, int index) {
    const struct {
        evn_shape shape;
        unsigned axes;
    } rows[] = {{EVN_SHAPE(3, 37), 2},    {EVN_SHAPE(37, 3), 1}, {EVN_SHAPE(5, 7, 16), 2},
                {EVN_SHAPE(5, 7, 16), 5}, {EVN_SHAPE(33001), 1}, {EVN_SHAPE(257, 3), 1}};
    evn_output(g, "y", evn_sum(g, evn_input(g, "x", rows[index].shape), rows[index].axes));
}

/// Vectors that hold several groups, groups of several vectors, and neither; work-groups that hold
/// several groups, and one that is wider than a row of items.
static void normalize(evn_graph *g, int index) {
    const struct {
        evn_shape shape;
        int groups;
    } rows[] = {{EVN_SHAPE(3, 2, 5, 16), 8},  {EVN_SHAPE(3, 2, 5, 32), 1},
                {EVN_SHAPE(3, 2, 5, 6), 2},   {EVN_SHAPE(3, 2, 5, 20), 1},
                {EVN_SHAPE(3, 5, 7, 48), 16}, {EVN_SHAPE(2, 5, 3, 96), 1}};
    evn_value x = evn_input(g, "x", rows[index].shape), v = evn_input(g, "v", rows[index].shape);
    evn_output(g, "y", evn_normalize(g, x, rows[index].groups, 1e-2));
    evn_output(g, "grad", evn_normalize_grad(g, x, v, rows[index].groups, 1e-2));
}

evn_value evn__normalization_build(evn_graph *g, evn__op op, const int64_t *s) {
    static const double EPSILON = 1e-2;
    evn_shape shape = EVN_SHAPE(s[0], s[1], s[2], s[3]);
    evn_value x = evn_input(g, "x", shape);
    evn_value y = op == EVN__OP_NORMALIZE
                      ? evn_normalize(g, x, (int)s[4], EPSILON)
                      : evn_normalize_grad(g, x, evn_input(g, "v", shape), (int)s[4], EPSILON);
    evn_output(g, "result", y);
    return y;
}

/// Blocks of 2 columns and of 32, one of all, rows that are no power of two, idle items.
static void normalize_in_groups(evn_graph *g, int index) {
    static const int64_t sizes[][5] = {{3, 6, 5, 64, 32}, {2, 5, 7, 64, 2}, {3, 5, 7, 48, 16},
                                       {2, 5, 3, 96, 1},  {2, 9, 8, 16, 8}, {1, 6, 9, 40, 1}};
    evn__normalization_build(g, index % 2 ? EVN__OP_NORMALIZE_GRAD : EVN__OP_NORMALIZE,
                             sizes[index / 2]);
}

static void log_softmax(evn_graph *g, int index) {
    const int64_t classes[] = {1, 10, 16, 37};
    evn_value x = evn_input(g, "x", EVN_SHAPE(7, classes[index]));
    evn_output(g, "y", evn_log_softmax(g, x));
}

/// Rows that have to change places: of the matrix with zeros along its diagonal, too.
static void solve(evn_graph *g, int index) {
    const int64_t sizes[] = {1, 2, 3, 7, 19};
    int64_t n = sizes[index];
    evn_value a = evn_input(g, "a", EVN_SHAPE(5, n, n)), b = evn_input(g, "b", EVN_SHAPE(5, n));
    double *corner = calloc((size_t)(n * n), sizeof(*corner));
    for (int64_t i = 0; corner && i < n; ++i) {
        corner[i * n + (i + 1) % n] = 2 * (double)n;
    }
    if (corner) {
        evn_value matrix = evn_add(g, a, evn_table(g, EVN_SHAPE(n, n), corner));
        evn_output(g, "x", evn_linear_solve(g, matrix, b, false));
        evn_output(g, "transposed", evn_linear_solve(g, matrix, b, true));
    }
    free(corner);
}

/// Whole vectors and rests, from the first vector to the combination.
static void krylov(evn_graph *g, int index) {
    const int64_t sizes[] = {1, 5, 40};
    enum { VECTORS = 3 };
    int64_t n = sizes[index];
    evn_value basis = EVN_NONE;
    for (int i = 0; i <= VECTORS; ++i) {
        char name[8];
        snprintf(name, sizeof(name), "w%d", i);
        evn_value w = evn_input(g, name, EVN_SHAPE(3, n));
        basis = i == 0 ? evn__krylov_begin(g, w, VECTORS) : evn__krylov_extend(g, basis, w);
    }
    evn_output(g, "basis", basis);
    evn_output(g, "x", evn__krylov_combine(g, basis, n, false));
    evn_output(g, "residual", evn__krylov_combine(g, basis, n, true));
}

/// As short as they are, vectors that are not orthogonal take no more away than there is.
evn_value evn__krylov_extend_build(evn_graph *g, evn__op op, const int64_t *s) {
    (void)op;
    int64_t rows = s[0], n = s[1], k = s[2];
    evn_value basis = evn_input(g, "basis", EVN_SHAPE(rows, k, n + k + 2));
    evn_value vectors = evn_scale(g, basis, 1 / sqrt((double)n));
    evn_value y = evn__krylov_extend(g, vectors, evn_input(g, "w", EVN_SHAPE(rows, n)));
    evn_output(g, "result", y);
    return y;
}

/// Fewer elements than a work-group has items, and more.
static void krylov_extend(evn_graph *g, int index) {
    static const int64_t sizes[][3] = {{3, 5, 1}, {2, 300, 1}};
    evn__krylov_extend_build(g, EVN__OP_KRYLOV_EXTEND, sizes[index]);
}

// Pooling and layout ------------------------------------------------------------------------------

/// Overlapping windows, gaps between them, rows and columns left over at the end.
typedef struct pooling {
    evn_shape x;
    int window, stride;
} pooling;

static const pooling poolings[] = {
    {{4, {2, 5, 7, 3}}, 2, 2},
    {{4, {2, 5, 6, 16}}, 3, 1},
    {{4, {1, 6, 8, 4}}, 2, 3},
};
enum { POOLINGS = sizeof(poolings) / sizeof(*poolings) };

static void pool2d(evn_graph *g, int index) {
    pooling p = poolings[index];
    evn_shape pooled = p.x;
    pooled.dim[1] = (p.x.dim[1] - p.window) / p.stride + 1;
    pooled.dim[2] = (p.x.dim[2] - p.window) / p.stride + 1;
    evn_value x = evn_input(g, "x", p.x), v = evn_input(g, "v", p.x);
    evn_value y_bar = evn_input(g, "y_bar", pooled);
    evn_output(g, "mean", evn_mean_pool2d(g, x, p.window, p.stride));
    evn_output(g, "mean_grad", evn_mean_pool2d_grad(g, y_bar, p.x, p.window, p.stride));
    evn_output(g, "select", evn_max_pool2d_select(g, x, v, p.window, p.stride));
    evn_output(g, "scatter", evn_max_pool2d_scatter(g, x, y_bar, p.window, p.stride));
}

static void pad(evn_graph *g, int index) {
    (void)index;
    evn_value x = evn_input(g, "x", EVN_SHAPE(3, 5)), row = evn_input(g, "row", EVN_SHAPE(1100));
    evn_value image = evn_input(g, "image", EVN_SHAPE(2, 3, 4, 16));
    evn_output(g, "odd", evn_pad(g, x, (int64_t[]){1, 2}, EVN_SHAPE(4, 9)));
    evn_output(g, "end", evn_pad(g, x, (int64_t[]){2, 0}, EVN_SHAPE(5, 5)));
    evn_output(g, "long", evn_pad(g, row, (int64_t[]){1030}, EVN_SHAPE(2131)));
    evn_output(g, "border", evn_pad(g, image, (int64_t[]){0, 1, 1, 0}, EVN_SHAPE(2, 5, 6, 16)));
}

static void concat(evn_graph *g, int index) {
    (void)index;
    evn_value a = evn_input(g, "a", EVN_SHAPE(3, 5)), b = evn_input(g, "b", EVN_SHAPE(3, 1));
    evn_value wide = evn_input(g, "wide", EVN_SHAPE(3, 2, 2, 16));
    evn_value map = evn_input(g, "map", EVN_SHAPE(3, 2, 2, 1));
    evn_output(g, "columns", evn_concat(g, (evn_value[]){a, b, a}, 3, 1));
    evn_output(g, "rows", evn_concat(g, (evn_value[]){a, a}, 2, 0));
    evn_output(g, "channels", evn_concat(g, (evn_value[]){wide, map}, 2, 3));
}

// Generated kernels -------------------------------------------------------------------------------

static void chains(evn_graph *g, int index) {
    (void)index;
    evn_value a = evn_input(g, "a", EVN_SHAPE(3, 37)), b = evn_input(g, "b", EVN_SHAPE(3, 37));
    evn_value positive = evn_add(g, evn_abs(g, a), evn_constant(g, 0.5));
    evn_value y = evn_div(g, evn_maximum(g, a, b), positive);
    y = evn_add(g, evn_sigmoid(g, y), evn_mul(g, evn_tanh(g, b), evn_exp(g, evn_neg(g, a))));
    evn_output(g, "smooth", evn_sub(g, evn_log(g, positive), evn_softplus(g, y)));
    evn_output(g, "wave", evn_add(g, evn_sin(g, a), evn_mul(g, evn_cos(g, b), evn_step(g, a))));
    evn_output(g, "rest", evn_add(g, evn_sqrt(g, positive), evn_mul(g, evn_sign(g, a), b)));
    evn_output(g, "masked", evn_mask(g, y, b));
    evn_output(g, "scaled", evn_relu(g, evn_scale(g, a, 0.3)));
}

/// Broadcasts, slices and permutations are read where they stand: their offsets must stay inside.
static void views(evn_graph *g, int index) {
    (void)index;
    evn_value x = evn_input(g, "x", EVN_SHAPE(3, 2, 5, 4)), t = evn_input(g, "t", EVN_SCALAR);
    evn_value channel = evn_input(g, "channel", EVN_SHAPE(4));
    evn_value column = evn_input(g, "column", EVN_SHAPE(3, 1, 5, 1));
    double mask[] = {0, 1, 1, 0, 1};
    evn_value table = evn_reshape(g, evn_table(g, EVN_SHAPE(5), mask), EVN_SHAPE(1, 5, 1));
    evn_value y = evn_mul(g, evn_sub(g, evn_mul(g, x, channel), column), table);
    evn_output(g, "broadcast", evn_add(g, y, evn_mul(g, t, t)));
    evn_value part = evn_slice(g, x, (int64_t[]){1, 1, 2, 1}, EVN_SHAPE(2, 1, 3, 2));
    evn_output(g, "slice", evn_exp(g, part));
    evn_value turned = evn_permute(g, x, (int[]){3, 1, 0, 2});
    evn_output(g, "permute", evn_tanh(g, turned));
    int64_t last[] = {3, 1, 2, 4};
    evn_value corner = evn_slice(g, turned, last, EVN_SHAPE(1, 1, 1, 1));
    evn_output(g, "corner", evn_add(g, corner, evn_scale(g, t, 3.5)));
    evn_output(g, "itself", x);
}

/// tanh(value · row), in the kernel that computes `value`.
static void output_scaled(evn_graph *g, const char *name, evn_value value, evn_value row) {
    evn_output(g, name, evn_tanh(g, evn_mul(g, value, row)));
}

/// Epilogues of each family, 21 columns: a vector and what is left of it.
static void epilogues(evn_graph *g, int index) {
    (void)index;
    evn_value row = evn_input(g, "row", EVN_SHAPE(21)),
              x = evn_input(g, "x", EVN_SHAPE(2, 4, 3, 5));
    evn_value a = evn_input(g, "a", EVN_SHAPE(9, 6)), b = evn_input(g, "b", EVN_SHAPE(6, 21));
    evn_value few = evn_input(g, "few", EVN_SHAPE(1, 40));
    evn_value wide = evn_input(g, "wide", EVN_SHAPE(21, 40));
    evn_value w = evn_input(g, "w", EVN_SHAPE(3, 3, 5, 21));
    evn_value image = evn_conv2d(g, x, w, (evn_conv2d_options){.stride = 1, .padding = 1});
    output_scaled(g, "product", evn_matmul(g, a, b, false, false), row);
    output_scaled(g, "dots", evn_matmul(g, few, wide, false, true), row);
    output_scaled(g, "image", image, row);
    output_scaled(g, "sum", evn_sum(g, b, 1), row);
    output_scaled(g, "norm", evn_normalize(g, image, 7, 1e-3), row);
}

const evn__sample evn__samples[] = {
    {"matmul", "matmul", matmul, 12, NULL, false},
    {"conv2d", "conv2d", conv2d, GEOMETRIES, NULL, false},
    {"conv2d_input_grad", "conv2d_input_grad", conv2d_input_grad, GEOMETRIES, NULL, false},
    {"conv2d_weight_grad", "conv2d_weight_grad", conv2d_weight_grad, GEOMETRIES, NULL, false},
    {"winograd", "conv2d", winograd, 6, "winograd", false},
    {"winograd_tiled", "conv2d", winograd_tiled, 6, "winograd 4x4 4x1x4 in 16x12", true},
    {"winograd_tiled", "conv2d", winograd_tiled, 6, "winograd 2x2 8x2x4 in 16x16", false},
    {"reduce", "sum", sums, 6, NULL, false},
    {"normalize", "normalize", normalize, 6, NULL, false},
    {"normalize", "normalize", normalize_in_groups, 12, "one barrier", true},
    {"normalize", "normalize", normalize_in_groups, 12, "sub-groups", true},
    {"softmax", "log_softmax", log_softmax, 4, NULL, false},
    {"solve", "solve", solve, 5, NULL, false},
    {"krylov", "krylov", krylov, 3, NULL, false},
    {"krylov", "krylov", krylov_extend, 2, "sub-groups", true},
    {"pool2d", "pool2d", pool2d, POOLINGS, NULL, false},
    {"layout", "pad", pad, 1, NULL, false},
    {"layout", "concat", concat, 1, NULL, false},
    {"generated", "", chains, 1, NULL, false},
    {"generated", "", views, 1, NULL, false},
    {"generated", "", epilogues, 1, NULL, false},
    {0},
};
