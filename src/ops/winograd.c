// SPDX-License-Identifier: Apache-2.0
// Winograd's F(3×3, 3×3), and F(3×3, 2×2) for each phase of a kernel of 4×4 with stride 2. The
// input gradient runs the convolution's transforms transposed and last first, the weight gradient
// takes the products over tiles instead of over channels.
#include "ops/winograd.h"

#include "ops/tasks.h"
#include "ops/tile.h"

enum {
    GAP = 16,               // elements between the points of a tensor
    MIN_CHANNELS = 16,      // with fewer the transforms cost more than they save
    MOST_TILES = 40,        // of a work-item: with the weights of a point they stay in an L2 cache
    SLICES_PER_UNIT = 4,    // of the tiles in a weight gradient, so that the load evens out
    MIN_SLICE = 128,        // tiles: with fewer adding up the slices costs too much
    MOST_PARTIAL = 1 << 22, // reals of a weight gradient's sums over slices
    WIDEST_REAL = 8,        // bytes; the working precision is not known here
};

// Geometry ----------------------------------------------------------------------------------------

static int64_t taps(const evn__winograd *c) {
    return c->w[0] / c->stride;
}

static int64_t points(const evn__winograd *c) {
    return (taps(c) + 2) * (taps(c) + 2);
}

/// Of STEP pixels beside one another, which kernels/winograd.cl takes as one.
static int64_t channels(const evn__winograd *c) {
    return c->stride * c->w[2];
}

static int64_t tiles_of_sample(const evn__winograd *c) {
    return evn__divide_up(c->y[1], 3) * evn__divide_up(c->y[2], 3);
}

/// Pairs of an output and a tap, along one axis, that meet inside the image: what the direct method
/// multiplies.
static int64_t pairs_inside(const evn__winograd *c, int axis) {
    int64_t pairs = 0;
    for (int64_t tap = 0; tap < c->w[0]; ++tap) {
        int64_t before = c->padding - tap, after = c->x[axis] + before;
        int64_t low = before > 0 ? evn__divide_up(before, c->stride) : 0;
        int64_t high = after > 0 ? evn__divide_up(after, c->stride) : 0;
        high = high < c->y[axis] ? high : c->y[axis];
        pairs += high > low ? high - low : 0;
    }
    return pairs;
}

/// Tiles of a work-item, a multiple of the register tile's rows, whose transforms on both sides of
/// the product fit local memory; 0 if none does.
static int64_t tiles_each(const evn_device_info *device, const evn__winograd *c) {
    int64_t rows = evn__tile_fat(device).rows;
    int64_t reals = (int64_t)(device->local_bytes / 8 * 7 / WIDEST_REAL);
    int64_t most = (reals / points(c) - 2 * GAP) / (channels(c) + c->w[3]);
    most = most < MOST_TILES ? most : MOST_TILES;
    return most > 0 ? most / rows * rows : 0;
}

/// Elements of the transformed weights [phases, points, channels, Co], with the gaps of STRIDE in
/// kernels/winograd.cl.
static int64_t expanded_weights(const evn__winograd *c) {
    return c->stride * points(c) * (channels(c) * c->w[3] + GAP);
}

static bool whole_vectors(const evn_device_info *device, int64_t channels) {
    return channels >= MIN_CHANNELS && channels % evn__tile_fat(device).width == 0;
}

/// A third fewer multiplications than the direct method.
static bool saves(const evn__winograd *c) {
    int64_t products = c->stride * c->stride * points(c) * tiles_of_sample(c);
    return 3 * products <= 2 * pairs_inside(c, 1) * pairs_inside(c, 2);
}

bool evn__winograd_fits(const evn__lowering *lowering, const evn__winograd *c, evn__op op) {
    const evn_device_info *device = evn__lower_device(lowering);
    bool known = c->w[0] == c->w[1] &&
                 ((c->w[0] == 3 && c->stride == 1) || (c->w[0] == 4 && c->stride == 2));
    // The input gradient's work-items have whole samples.
    bool enough = op != EVN__OP_CONV2D_INPUT_GRAD || c->x[0] >= device->compute_units;
    return evn__tasks_are_fat(lowering) && known && enough && whole_vectors(device, c->w[2]) &&
           whole_vectors(device, c->w[3]) && tiles_each(device, c) > 0 && saves(c);
}

// Calls -------------------------------------------------------------------------------------------

typedef struct options {
    char text[128];
} options;

/// The sources' options, with a register tile for products of `columns` channels.
static options write_options(const evn__lowering *lowering, const evn__winograd *c,
                             int64_t columns) {
    const evn_device_info *device = evn__lower_device(lowering);
    evn__tile tile = evn__tile_fat(device);
    options o;
    if (columns % (tile.vectors * tile.width) != 0) {
        tile.vectors = 1;
    }
    snprintf(o.text, sizeof o.text,
             "-DROWS=%d -DVECTORS=%d -DWIDTH=%d -DTAPS=%d -DSTEP=%d -DTILES=%d -DINPUTS=%d "
             "-DOUTPUTS=%d",
             tile.rows, tile.vectors, tile.width, (int)taps(c), (int)c->stride,
             (int)tiles_each(device, c), (int)c->w[2], (int)c->w[3]);
    return o;
}

static evn__call start_call(const options *o, const char *kernel) {
    return (evn__call){.source = {.family = "winograd", .options = o->text}, .kernel = kernel};
}

/// A call on two tensors and a third that it computes, with the arguments EXTENTS.
static evn__call start_product(const options *o, const char *kernel, const evn__winograd *c,
                               evn__operand left, evn__operand right, evn__operand result) {
    evn__call call = start_call(o, kernel);
    evn__push(&call, left);
    evn__push(&call, right);
    evn__push(&call, result);
    const int64_t integers[] = {c->x[0], c->x[1], c->x[2], c->y[1], c->y[2], c->padding};
    for (size_t i = 0; i < sizeof integers / sizeof *integers; ++i) {
        evn__push_int(&call, integers[i]);
    }
    return call;
}

static evn_status emit(evn__lowering *lowering, evn__call *call, int64_t items, int64_t others) {
    call->range = (evn__range){2, {(size_t)items, (size_t)others}, {1, 1}};
    return evn__lower_emit(lowering, call);
}

/// *u = the weights transformed, for products over Ci or, `transposed`, over Co.
static evn_status emit_weights(evn__lowering *lowering, const options *o, const evn__winograd *c,
                               evn_value w, bool transposed, evn__operand *u) {
    *u = evn__lower_scratch(lowering, expanded_weights(c));
    evn__call call = start_call(o, "winograd_weights");
    evn__push(&call, evn__operand_value(w));
    evn__push(&call, *u);
    evn__push_int(&call, transposed);
    return emit(lowering, &call, transposed ? c->w[3] : channels(c), c->stride);
}

static evn_status emit_forward(evn__lowering *lowering, const evn__winograd *c,
                               const evn__node *node, evn_value y) {
    options o = write_options(lowering, c, c->w[3]);
    evn__operand u;
    EVN_TRY(emit_weights(lowering, &o, c, node->operands[1], false, &u));
    evn__call call = start_product(&o, "winograd_conv2d", c, evn__operand_value(node->operands[0]),
                                   u, evn__operand_value(y));
    int64_t each = tiles_each(evn__lower_device(lowering), c);
    return emit(lowering, &call, evn__divide_up(c->y[0] * tiles_of_sample(c), each), 1);
}

static evn_status emit_input_grad(evn__lowering *lowering, const evn__winograd *c,
                                  const evn__node *node, evn_value x_bar) {
    options o = write_options(lowering, c, c->w[2]);
    evn__operand u;
    EVN_TRY(emit_weights(lowering, &o, c, node->operands[1], true, &u));
    evn__call call =
        start_product(&o, "winograd_input_grad", c, evn__operand_value(node->operands[0]), u,
                      evn__operand_value(x_bar));
    int64_t most = (int64_t)EVN__TASKS_PER_UNIT * evn__lower_device(lowering)->compute_units;
    int64_t per = evn__divide_up(c->x[0], most);
    evn__push_int(&call, per);
    return emit(lowering, &call, evn__divide_up(c->x[0], per), 1);
}

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/// Tiles in a slice, a multiple of a work-item's.
static int64_t choose_slice(const evn__lowering *lowering, const evn__winograd *c) {
    const evn_device_info *device = evn__lower_device(lowering);
    int64_t tiles = c->x[0] * tiles_of_sample(c), each = tiles_each(device, c);
    int64_t slices = (int64_t)SLICES_PER_UNIT * device->compute_units;
    slices = least(slices, least(tiles / MIN_SLICE, MOST_PARTIAL / expanded_weights(c)));
    slices = slices > 1 ? slices : 1;
    return evn__divide_up(evn__divide_up(tiles, slices), each) * each;
}

static evn_status emit_weight_grad(evn__lowering *lowering, const evn__winograd *c,
                                   const evn__node *node, evn_value w_bar) {
    options o = write_options(lowering, c, c->w[3]);
    int64_t slice = choose_slice(lowering, c);
    int64_t slices = evn__divide_up(c->x[0] * tiles_of_sample(c), slice);
    evn__operand m = evn__lower_scratch(lowering, slices * expanded_weights(c));
    evn__call call =
        start_product(&o, "winograd_correlate", c, evn__operand_value(node->operands[0]),
                      evn__operand_value(node->operands[1]), m);
    evn__push_int(&call, slice);
    EVN_TRY(emit(lowering, &call, slices, 1));
    call = start_call(&o, "winograd_contract");
    evn__push(&call, m);
    evn__push(&call, evn__operand_value(w_bar));
    evn__push_int(&call, slices);
    return emit(lowering, &call, channels(c), c->stride);
}

evn_status evn__winograd_emit(evn__lowering *lowering, const evn__winograd *c,
                              const evn__node *node, evn_value result) {
    if (node->op == EVN__OP_CONV2D) {
        return emit_forward(lowering, c, node, result);
    }
    return node->op == EVN__OP_CONV2D_INPUT_GRAD ? emit_input_grad(lowering, c, node, result)
                                                 : emit_weight_grad(lowering, c, node, result);
}
