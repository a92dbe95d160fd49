// SPDX-License-Identifier: Apache-2.0
// Winograd's F(3×3, 3×3). The input gradient is the convolution of y_bar with the kernel turned
// round and its channels exchanged; the weight gradient runs the transforms the other way.
#include "ops/winograd.h"

#include "ops/tasks.h"
#include "ops/tile.h"

enum {
    POINTS = 25,       // products a tile
    GAP = 16,          // elements between the points of a tensor
    MIN_CHANNELS = 16, // with fewer the transforms cost more than they save
    MOST_TILES = 32,   // of a work-item: their transform and the weights' fill half of an L2 cache
    MOST_EXPANDED = 1 << 22, // reals of a weight gradient's transformed operands
    WIDEST_REAL = 8,         // bytes; the working precision is not known here
};

static int64_t tiles_of(const int64_t *y) {
    return y[0] * evn__divide_up(y[1], 3) * evn__divide_up(y[2], 3);
}

/// Pairs of an output and a tap, along one axis, that meet inside the image: what the direct method
/// multiplies.
static int64_t pairs_inside(int64_t outputs, int64_t inputs, int64_t padding) {
    int64_t pairs = 0;
    for (int64_t tap = 0; tap < 3; ++tap) {
        int64_t low = tap < padding ? padding - tap : 0, high = inputs + padding - tap;
        high = high < outputs ? high : outputs;
        pairs += high > low ? high - low : 0;
    }
    return pairs;
}

/// Tiles of a work-item, a multiple of the register tile's rows, whose transform fits local memory;
/// 0 if none does.
static int64_t tiles_each(const evn_device_info *device, int64_t channels) {
    int64_t rows = evn__tile_fat(device).rows;
    int64_t reals = (int64_t)device->local_bytes / 2 / WIDEST_REAL;
    int64_t most = (reals / POINTS - GAP) / channels;
    most = most < MOST_TILES ? most : MOST_TILES;
    return most / rows * rows;
}

static bool whole_vectors(const evn_device_info *device, int64_t channels) {
    return channels >= MIN_CHANNELS && channels % evn__tile_fat(device).width == 0;
}

/// Geometry, and a third fewer multiplications than the direct method.
static bool saves(const evn__lowering *lowering, const evn__winograd *c) {
    int64_t products = POINTS * tiles_of((const int64_t[]){1, c->y[1], c->y[2]});
    int64_t inside =
        pairs_inside(c->y[1], c->x[1], c->padding) * pairs_inside(c->y[2], c->x[2], c->padding);
    return evn__tasks_are_fat(lowering) && c->w[0] == 3 && c->w[1] == 3 && c->stride == 1 &&
           c->padding <= 2 && 3 * products <= 2 * inside && c->w[2] >= MIN_CHANNELS &&
           c->w[3] >= MIN_CHANNELS;
}

bool evn__winograd_fits(const evn__lowering *lowering, const evn__winograd *c) {
    const evn_device_info *device = evn__lower_device(lowering);
    return saves(lowering, c) && whole_vectors(device, c->w[2]) && whole_vectors(device, c->w[3]) &&
           tiles_each(device, c->w[2]) > 0 && tiles_each(device, c->w[3]) > 0;
}

bool evn__winograd_fits_weight_grad(const evn__lowering *lowering, const evn__winograd *c) {
    return evn__winograd_fits(lowering, c) &&
           POINTS * tiles_of(c->y) * (c->w[2] + c->w[3]) <= MOST_EXPANDED;
}

// Calls -------------------------------------------------------------------------------------------

/// The register tile for `columns` channels, a multiple of its width.
static evn__tile choose_tile(const evn__lowering *lowering, int64_t columns) {
    evn__tile tile = evn__tile_fat(evn__lower_device(lowering));
    if (columns % (tile.vectors * tile.width) != 0) {
        tile.vectors = 1;
    }
    return tile;
}

/// @param inputs  channels that conv2d's work-items transform; other kernels of the source ignore
/// it
static void write_options(char options[96], const evn__lowering *lowering, evn__tile tile,
                          int64_t inputs) {
    snprintf(options, 96, "-DROWS=%d -DVECTORS=%d -DWIDTH=%d -DTILES=%d -DINPUTS=%d", tile.rows,
             tile.vectors, tile.width, (int)tiles_each(evn__lower_device(lowering), inputs),
             (int)inputs);
}

/// A tensor [POINTS, elements] in scratch, with the gaps of STRIDE in kernels/winograd.cl.
static evn__operand expanded_scratch(evn__lowering *lowering, int64_t elements) {
    return evn__lower_scratch(lowering, POINTS * (elements + GAP));
}

static evn__call start_call(const char *options, const char *kernel) {
    return (evn__call){.source = {.family = "winograd", .options = options}, .kernel = kernel};
}

static evn_status emit(evn__lowering *lowering, evn__call *call, int64_t items) {
    call->range = (evn__range){1, {(size_t)items}, {1}};
    return evn__lower_emit(lowering, call);
}

/// Append the number of elements that each of the device's work-items takes of `count`, emit.
static evn_status emit_shared(evn__lowering *lowering, evn__call *call, int64_t count) {
    int64_t most = (int64_t)EVN__TASKS_PER_UNIT * evn__lower_device(lowering)->compute_units;
    int64_t per = evn__divide_up(count, most);
    evn__push_int(call, per);
    return emit(lowering, call, evn__divide_up(count, per));
}

static evn_status emit_weights(evn__lowering *lowering, const char *options, evn_value w,
                               evn__operand u, const int64_t *extents, bool flipped) {
    int64_t inner = extents[flipped ? 3 : 2], columns = extents[flipped ? 2 : 3];
    evn__call call = start_call(options, "winograd_weights");
    evn__push(&call, evn__operand_value(w));
    evn__push(&call, u);
    evn__push_int(&call, inner);
    evn__push_int(&call, columns);
    evn__push_int(&call, flipped);
    return emit(lowering, &call, inner);
}

evn_status evn__winograd_images(evn__lowering *lowering, const evn__winograd *c,
                                const evn__node *node, evn_value result) {
    bool flipped = node->op == EVN__OP_CONV2D_INPUT_GRAD;
    const int64_t *from = flipped ? c->y : c->x, *to = node->shape.dim;
    char options[96];
    write_options(options, lowering, choose_tile(lowering, to[3]), from[3]);
    evn__operand u = expanded_scratch(lowering, from[3] * to[3]);
    EVN_TRY(emit_weights(lowering, options, node->operands[1], u, c->w, flipped));
    evn__call call = start_call(options, "winograd_conv2d");
    evn__push(&call, evn__operand_value(node->operands[0]));
    evn__push(&call, u);
    evn__push(&call, evn__operand_value(result));
    const int64_t integers[] = {from[0], from[1], from[2], from[3],
                                to[1],   to[2],   to[3],   flipped ? 2 - c->padding : c->padding};
    for (size_t i = 0; i < sizeof integers / sizeof *integers; ++i) {
        evn__push_int(&call, integers[i]);
    }
    int64_t each = tiles_each(evn__lower_device(lowering), from[3]);
    return emit(lowering, &call, evn__divide_up(tiles_of(to), each));
}

/// The transform of an image tensor of extents `from`, for the tiles of c->y.
static evn_status emit_expand(evn__lowering *lowering, const char *options, const evn__winograd *c,
                              const int64_t *from, evn_value images, evn__operand expanded) {
    bool cotangent = from == c->y;
    evn__call call =
        start_call(options, cotangent ? "winograd_expand_cotangent" : "winograd_expand_input");
    evn__push(&call, evn__operand_value(images));
    evn__push(&call, expanded);
    const int64_t integers[] = {
        tiles_of(c->y), from[1], from[2], from[3], c->y[1], c->y[2], cotangent ? 0 : c->padding};
    for (size_t i = 0; i < sizeof integers / sizeof *integers; ++i) {
        evn__push_int(&call, integers[i]);
    }
    return emit_shared(lowering, &call, tiles_of(c->y));
}

static evn_status emit_correlate(evn__lowering *lowering, const char *options, evn__tile tile,
                                 const evn__winograd *c, const evn__operand operands[3]) {
    evn__call call = start_call(options, "winograd_correlate");
    for (int i = 0; i < 3; ++i) {
        evn__push(&call, operands[i]);
    }
    evn__push_int(&call, tiles_of(c->y));
    evn__push_int(&call, c->w[2]);
    evn__push_int(&call, c->w[3]);
    call.range = (evn__range){3,
                              {(size_t)(c->w[3] / (tile.vectors * tile.width)),
                               (size_t)evn__divide_up(c->w[2], tile.rows), POINTS},
                              {1, 1, 1}};
    return evn__lower_emit(lowering, &call);
}

evn_status evn__winograd_weight_grad(evn__lowering *lowering, const evn__winograd *c,
                                     const evn__node *node, evn_value result) {
    char options[96];
    evn__tile tile = choose_tile(lowering, c->w[3]);
    int64_t tiles = tiles_of(c->y), weights = c->w[2] * c->w[3];
    write_options(options, lowering, tile, c->w[2]);
    const evn__operand operands[] = {expanded_scratch(lowering, tiles * c->w[2]),
                                     expanded_scratch(lowering, tiles * c->w[3]),
                                     expanded_scratch(lowering, weights)};
    EVN_TRY(emit_expand(lowering, options, c, c->x, node->operands[0], operands[0]));
    EVN_TRY(emit_expand(lowering, options, c, c->y, node->operands[1], operands[1]));
    EVN_TRY(emit_correlate(lowering, options, tile, c, operands));
    evn__call call = start_call(options, "winograd_contract");
    evn__push(&call, operands[2]);
    evn__push(&call, evn__operand_value(result));
    evn__push_int(&call, weights);
    return emit_shared(lowering, &call, weights);
}
