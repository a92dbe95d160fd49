// SPDX-License-Identifier: Apache-2.0
// Lowering of evn_conv2d and its two gradients: Winograd's method where it serves, tiles in local
// memory on a GPU, else a kernel for each; before it a copy of the operand that is read in rows
// where those are not contiguous or too short, after it (weight gradient) the sum over slices of
// the batch.
#include "base/status.h"
#include "host/items.h"
#include "ops/lower.h"
#include "ops/tasks.h"
#include "ops/tile.h"
#include "ops/tiled.h"
#include "ops/variant.h"
#include "ops/winograd.h"
#include "ops/winograd_tiled.h"
#include <limits.h>
#include <stdio.h>

enum {
    CONV2D_SLICE_ELEMENTS = 1 << 18, // of x and y_bar in a slice: a second-level cache full
    CONV2D_MAX_SLICES = 16,          // copies of w_bar in scratch
    CONV2D_MIN_ROWS = 8,             // rows of a product: fewer are no work for a work-group
    CONV2D_MAX_PHASES = 8,           // of the pixels along an axis, layers in one launch
};

static const evn__variant variants[] = {
    EVN__VARIANT_TILES,
    {.algorithm = EVN__ALGORITHM_WINOGRAD},
    {EVN__ALGORITHM_WINOGRAD_2, {8, 2, 4, {16, 16, 1}}},
    {EVN__ALGORITHM_WINOGRAD_2, {4, 2, 4, {16, 8, 1}}},
    {EVN__ALGORITHM_WINOGRAD_2, {4, 1, 4, {16, 4, 1}}},
    {EVN__ALGORITHM_WINOGRAD_4, {4, 1, 4, {16, 12, 1}}},
};
const evn__space evn__space_conv2d = {variants, sizeof(variants) / sizeof(variants[0])};

typedef struct convolution {
    const int64_t *x, *w, *y; ///< extents [B, H, W, Ci], [Kh, Kw, Ci, Co], [B, Ho, Wo, Co]
    int64_t stride, padding;
    evn__op op;
    const evn__variant *variant; ///< tuned, or NULL
    evn__winograd winograd;      ///< the same extents
    evn__tile tile;
    char options[64];
} convolution;

/// The weight gradient looks for each row's border apart: half of the rows where registers are few.
static evn__tile choose_small_tile(const evn_device_info *device, evn__op op) {
    evn__tile tile = evn__tile_small();
    bool few = op == EVN__OP_CONV2D_WEIGHT_GRAD && evn__tile_few_registers(device);
    tile.rows = few ? tile.rows / 2 : tile.rows;
    return tile;
}

static evn__tile choose_tile(const evn_device_info *device, evn__op op, int64_t rows,
                             int64_t columns) {
    if (!evn__items_are_wide(device)) {
        return choose_small_tile(device, op);
    }
    evn__tile tile = evn__tile_wide(device);
    if (rows < 5) {
        int accumulators = tile.rows * tile.vectors;
        tile.rows = rows >= 3 ? 4 : 1;
        tile.vectors = tile.rows == 4 ? accumulators / 4 : 4;
    }
    int64_t needed = evn__divide_up(columns, tile.width);
    while (tile.vectors > 1 &&
           evn__divide_up(needed, tile.vectors) * tile.vectors * 4 > needed * 5) {
        tile.vectors /= 2;
    }
    return tile;
}

static int64_t tile_columns(const convolution *c) {
    return (int64_t)c->tile.vectors * c->tile.width;
}

static evn_status check_extents(const convolution *c) {
    const int64_t *const shapes[] = {c->x, c->w, c->y};
    for (int i = 0; i < 3; i++) {
        for (int axis = 0; axis < 4; axis++) {
            EVN_CHECK(shapes[i][axis] <= INT_MAX, EVN_ERR_SHAPE,
                      "conv2d: an extent of %lld is too large: at most %d",
                      (long long)shapes[i][axis], INT_MAX);
        }
    }
    EVN_CHECK(c->x[1] * c->x[2] <= INT_MAX && c->y[1] * c->y[2] <= INT_MAX, EVN_ERR_SHAPE,
              "conv2d: an image of more than %d pixels; cut it into parts", INT_MAX);
    EVN_CHECK(c->w[0] * c->w[1] * c->w[2] <= INT_MAX / c->w[3], EVN_ERR_SHAPE,
              "conv2d: more than %d weights", INT_MAX);
    return EVN_OK;
}

/// Whether it is done by Winograd's method for CPUs.
static bool is_winograd(const evn__lowering *lowering, const convolution *c) {
    if (c->variant) {
        return c->variant->algorithm == EVN__ALGORITHM_WINOGRAD &&
               evn__winograd_possible(lowering, &c->winograd);
    }
    return evn__winograd_gains(lowering, &c->winograd, c->op);
}

/// Whether it is done by Winograd's method for GPUs.
static bool is_winograd_tiled(const evn__lowering *lowering, const convolution *c,
                              evn__winograd_tiled *t) {
    return evn__winograd_tiled_fits(evn__lower_device(lowering), lowering->fp64, &c->winograd,
                                    c->op, c->variant, t);
}

/// A tuned method of Winograd's that is not for this convolution leaves the choice to us.
static void forget_impossible(const evn__lowering *lowering, convolution *c) {
    evn__winograd_tiled t;
    const evn__variant *variant = c->variant;
    bool winograd = variant && variant->algorithm == EVN__ALGORITHM_WINOGRAD;
    if ((winograd && !is_winograd(lowering, c)) ||
        (variant && evn__variant_is_winograd(variant) && !is_winograd_tiled(lowering, c, &t))) {
        c->variant = NULL;
    }
}

/// The convolution between nodes x, w and y, with the tuned variant for `value` or else tiles for
/// rows × columns.
static evn_status describe(convolution *c, const evn__lowering *lowering, const evn_graph *graph,
                           evn_value value, const evn__node *const tensors[3], int64_t rows,
                           int64_t columns) {
    const evn__node *node = evn__node_at(graph, value);
    const evn__variant *variant = evn__lower_variant(lowering, graph, value);
    *c = (convolution){.x = tensors[0]->shape.dim,
                       .w = tensors[1]->shape.dim,
                       .y = tensors[2]->shape.dim,
                       .stride = node->attributes.stride,
                       .padding = node->attributes.padding,
                       .op = node->op,
                       .variant = variant,
                       .tile =
                           variant && variant->algorithm == EVN__ALGORITHM_TILES
                               ? variant->tile
                               : choose_tile(evn__lower_device(lowering), node->op, rows, columns)};
    c->winograd = (evn__winograd){c->x, c->w, c->y, c->stride, c->padding};
    snprintf(c->options, sizeof c->options, "-DROWS=%d -DVECTORS=%d -DWIDTH=%d", c->tile.rows,
             c->tile.vectors, c->tile.width);
    EVN_TRY(check_extents(c));
    forget_impossible(lowering, c);
    return EVN_OK;
}

static evn__call start_call(const convolution *c, const char *kernel) {
    return (evn__call){.source = {.family = "conv2d", .options = c->options}, .kernel = kernel};
}

static void push_geometry(evn__call *call, const convolution *c) {
    const int64_t integers[] = {c->x[0], c->x[1], c->x[2], c->x[3],   c->y[1],   c->y[2],
                                c->y[3], c->w[0], c->w[1], c->stride, c->padding};
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        evn__push_int(call, integers[i]);
    }
}

static void set_range(evn__call *call, const convolution *c, int64_t columns, int64_t middle,
                      int64_t last) {
    call->range.dimensions = 3;
    call->range.global[0] = (size_t)evn__divide_up(columns, tile_columns(c));
    call->range.global[1] = (size_t)middle;
    call->range.global[2] = (size_t)last;
    for (int i = 0; i < 3; i++) {
        call->range.local[i] = c->tile.local[i];
    }
}

/// What each kernel of kernels/tiled.cl has: two operands, the result, the geometry.
static evn__call start_tiled(const convolution *c, const evn__tiled *t, const char *kernel,
                             int64_t layers, const evn__node *node, evn__operand result) {
    evn__call call = evn__tiled_call(t, kernel, layers);
    evn__push(&call, evn__operand_value(node->operands[0]));
    evn__push(&call, evn__operand_value(node->operands[1]));
    evn__push(&call, result);
    push_geometry(&call, c);
    return call;
}

/// Whether a convolution is a product [m, k] [k, n] for tiles in local memory, whose kernels count
/// elements in 32 bits.
static bool is_tiled(const evn__lowering *lowering, const convolution *c, int64_t m, int64_t n,
                     int64_t k, evn__tiled *t) {
    return m >= CONV2D_MIN_ROWS && evn__is_short(c->x) && evn__is_short(c->w) &&
           evn__is_short(c->y) &&
           evn__tiled_fits(evn__lower_device(lowering), c->variant, m, n, k, t);
}

/// conv2d: pixels × channels, of taps × channels.
static bool is_tiled_forward(const evn__lowering *lowering, const convolution *c, evn__tiled *t) {
    return is_tiled(lowering, c, c->y[0] * c->y[1] * c->y[2], c->y[3], c->w[0] * c->w[1] * c->w[2],
                    t);
}

/// conv2d_input_grad: the largest of as many phases as a stride has.
static bool is_tiled_input_grad(const evn__lowering *lowering, const convolution *c,
                                evn__tiled *t) {
    int64_t phase[4];
    for (int i = 0; i < 2; i++) {
        phase[i] = evn__divide_up(c->x[1 + i], c->stride);
        phase[2 + i] = evn__divide_up(c->w[i], c->stride);
    }
    return c->stride <= CONV2D_MAX_PHASES && is_tiled(lowering, c, c->x[0] * phase[0] * phase[1],
                                                      c->x[3], phase[2] * phase[3] * c->y[3], t);
}

static evn_status emit_tiled_images(evn__lowering *lowering, const convolution *c,
                                    const evn__tiled *t, const evn__node *node, evn_value result) {
    bool forward = node->op == EVN__OP_CONV2D;
    evn__call call =
        start_tiled(c, t, forward ? "conv2d_tiled" : "conv2d_input_grad_tiled",
                    forward ? 1 : c->stride * c->stride, node, evn__operand_value(result));
    return evn__lower_emit_result(lowering, &call);
}

/// A tensor that is read in rows of `columns` elements, a tile's width at a time.
typedef struct row_source {
    evn__operand tensor; ///< [taps, inner, columns], or [taps, columns, inner] when transposed
    int64_t taps, inner, columns;
    bool transposed;
} row_source;

/// Where rows are not contiguous, or shorter than a tile, replace the tensor by a copy in scratch.
/// @param[out] stride  elements from row to row
static evn_status pack(evn__lowering *lowering, const convolution *c, row_source *rows,
                       int64_t *stride) {
    *stride = rows->columns > tile_columns(c) ? rows->columns : tile_columns(c);
    if (!rows->transposed && *stride == rows->columns) {
        return EVN_OK;
    }
    evn__operand packed = evn__lower_scratch(lowering, rows->taps * rows->inner * *stride);
    evn__call call = start_call(c, "conv2d_pack");
    call.range = (evn__range){2, {(size_t)*stride, (size_t)rows->taps}, {0}};
    evn__push(&call, rows->tensor);
    evn__push(&call, packed);
    evn__push_int(&call, rows->taps);
    evn__push_int(&call, rows->inner);
    evn__push_int(&call, rows->columns);
    evn__push_int(&call, *stride);
    evn__push_int(&call, rows->transposed);
    rows->tensor = packed;
    return evn__lower_emit(lowering, &call);
}

/// conv2d or conv2d_input_grad: `node`, numbered `result`, is the images that are computed.
static evn_status emit_images(evn__lowering *lowering, const convolution *c, const char *kernel,
                              const evn__node *node, row_source *weights, evn_value result) {
    evn__winograd_tiled winograd;
    evn__tiled t;
    if (is_winograd(lowering, c)) {
        return evn__winograd_emit(lowering, &c->winograd, node, result);
    }
    if (is_winograd_tiled(lowering, c, &winograd)) {
        return evn__winograd_tiled_images(lowering, &winograd, node, result);
    }
    if (node->op == EVN__OP_CONV2D ? is_tiled_forward(lowering, c, &t)
                                   : is_tiled_input_grad(lowering, c, &t)) {
        return emit_tiled_images(lowering, c, &t, node, result);
    }
    int64_t w_stride;
    EVN_TRY(pack(lowering, c, weights, &w_stride));
    evn__call call = start_call(c, kernel);
    const int64_t *image = node->shape.dim;
    set_range(&call, c, image[3], image[1] * image[2], evn__divide_up(image[0], c->tile.rows));
    evn__push(&call, evn__operand_value(node->operands[0]));
    evn__push(&call, weights->tensor);
    evn__push(&call, evn__operand_value(result));
    push_geometry(&call, c);
    evn__push_int(&call, w_stride);
    return evn__lower_emit_result(lowering, &call);
}

evn_status evn__lower_conv2d(evn__lowering *lowering, const evn_graph *graph, evn_value value) {
    const evn__node *node = evn__node_at(graph, value);
    const evn__node *x = evn__node_at(graph, node->operands[0]);
    const evn__node *w = evn__node_at(graph, node->operands[1]);
    convolution c;
    EVN_TRY(describe(&c, lowering, graph, value, (const evn__node *const[]){x, w, node},
                     node->shape.dim[0], node->shape.dim[3]));
    row_source weights = {evn__operand_value(node->operands[1]), c.w[0] * c.w[1], c.w[2], c.w[3],
                          false};
    return emit_images(lowering, &c, "conv2d", node, &weights, value);
}

evn_status evn__lower_conv2d_input_grad(evn__lowering *lowering, const evn_graph *graph,
                                        evn_value value) {
    const evn__node *node = evn__node_at(graph, value);
    const evn__node *y_bar = evn__node_at(graph, node->operands[0]);
    const evn__node *w = evn__node_at(graph, node->operands[1]);
    convolution c;
    EVN_TRY(describe(&c, lowering, graph, value, (const evn__node *const[]){node, w, y_bar},
                     node->shape.dim[0], node->shape.dim[3]));
    row_source weights = {evn__operand_value(node->operands[1]), c.w[0] * c.w[1], c.w[3], c.w[2],
                          true};
    return emit_images(lowering, &c, "conv2d_input_grad", node, &weights, value);
}

/// Samples in a slice: few enough for the cache, and for every compute unit to have several
/// work-items; many enough that adding up the slices costs little.
static int64_t choose_slice(const convolution *c, int compute_units, int64_t items) {
    int64_t sample = c->x[1] * c->x[2] * c->x[3] + c->y[1] * c->y[2] * c->y[3];
    int64_t slices = evn__divide_up(c->x[0] * sample, CONV2D_SLICE_ELEMENTS);
    int64_t group = (int64_t)(c->tile.local[0] * c->tile.local[1]);
    int64_t occupied = evn__divide_up(8 * group * compute_units, items);
    slices = slices < CONV2D_MAX_SLICES ? slices : CONV2D_MAX_SLICES;
    slices = slices > occupied ? slices : occupied;
    slices = slices < c->x[0] ? slices : c->x[0];
    return evn__divide_up(c->x[0], slices);
}

static evn_status emit_add(evn__lowering *lowering, const convolution *c, evn__operand partial,
                           evn_value w_bar, int64_t slices) {
    int64_t weights = c->w[0] * c->w[1] * c->w[2] * c->w[3];
    evn__call call = start_call(c, "conv2d_add");
    call.range = (evn__range){1, {(size_t)weights}, {0}};
    evn__push(&call, partial);
    evn__push(&call, evn__operand_value(w_bar));
    evn__push_int(&call, weights);
    evn__push_int(&call, slices);
    return evn__lower_emit(lowering, &call);
}

/// Where `slices` of the weight gradient go: what is to be added up, or the result.
static evn__operand place_slices(evn__lowering *lowering, const evn__node *node, evn_value value,
                                 int64_t slices) {
    return slices > 1 ? evn__lower_scratch(lowering, slices * evn_shape_count(node->shape))
                      : evn__operand_value(value);
}

static evn_status emit_tiled_weight_grad(evn__lowering *lowering, const convolution *c,
                                         evn__tiled *t, const evn__node *node, evn_value value) {
    int64_t slices = evn__tiled_split(t, evn__lower_device(lowering));
    evn__operand w_bar = place_slices(lowering, node, value, slices);
    evn__call call = start_tiled(c, t, "conv2d_weight_grad_tiled", slices, node, w_bar);
    evn__push_int(&call, t->slice);
    EVN_TRY(evn__lower_emit(lowering, &call));
    return slices > 1 ? emit_add(lowering, c, w_bar, value, slices) : EVN_OK;
}

static evn_status emit_winograd_weight_grad(evn__lowering *lowering, const convolution *c,
                                            evn__winograd_tiled *t, const evn__node *node,
                                            evn_value value) {
    int64_t slices = evn__winograd_tiled_split(t, evn__lower_device(lowering));
    evn__operand w_bar = place_slices(lowering, node, value, slices);
    EVN_TRY(evn__winograd_tiled_weights(lowering, t, node, slices, w_bar));
    return slices > 1 ? emit_add(lowering, c, w_bar, value, slices) : EVN_OK;
}

static evn_status emit_weight_grad(evn__lowering *lowering, const convolution *c,
                                   const evn__node *node, evn_value value) {
    evn__winograd_tiled winograd;
    evn__tiled t;
    if (is_winograd(lowering, c)) {
        return evn__winograd_emit(lowering, &c->winograd, node, value);
    }
    if (is_winograd_tiled(lowering, c, &winograd)) {
        return emit_winograd_weight_grad(lowering, c, &winograd, node, value);
    }
    if (is_tiled(lowering, c, c->w[0] * c->w[1] * c->w[2], c->w[3], c->y[0] * c->y[1] * c->y[2],
                 &t)) {
        return emit_tiled_weight_grad(lowering, c, &t, node, value);
    }
    row_source pixels = {evn__operand_value(node->operands[1]), c->y[0] * c->y[1] * c->y[2], 1,
                         c->y[3], false};
    int64_t y_stride;
    EVN_TRY(pack(lowering, c, &pixels, &y_stride));
    int64_t row_tiles = c->w[0] * evn__divide_up(c->w[1] * c->w[2], c->tile.rows);
    int64_t items = row_tiles * evn__divide_up(c->w[3], tile_columns(c));
    int64_t slice = choose_slice(c, evn__lower_device(lowering)->compute_units, items);
    int64_t slices = evn__divide_up(c->x[0], slice);
    evn__operand w_bar = place_slices(lowering, node, value, slices);
    evn__call call = start_call(c, "conv2d_weight_grad");
    set_range(&call, c, c->w[3], row_tiles, slices);
    evn__push(&call, evn__operand_value(node->operands[0]));
    evn__push(&call, pixels.tensor);
    evn__push(&call, w_bar);
    push_geometry(&call, c);
    evn__push_int(&call, y_stride);
    evn__push_int(&call, slice);
    EVN_TRY(evn__lower_emit(lowering, &call));
    return slices > 1 ? emit_add(lowering, c, w_bar, value, slices) : EVN_OK;
}

evn_status evn__lower_conv2d_weight_grad(evn__lowering *lowering, const evn_graph *graph,
                                         evn_value value) {
    const evn__node *node = evn__node_at(graph, value);
    const evn__node *x = evn__node_at(graph, node->operands[0]);
    const evn__node *y_bar = evn__node_at(graph, node->operands[1]);
    convolution c;
    EVN_TRY(describe(&c, lowering, graph, value, (const evn__node *const[]){x, node, y_bar},
                     node->shape.dim[1] * node->shape.dim[2], node->shape.dim[3]));
    return emit_weight_grad(lowering, &c, node, value);
}
