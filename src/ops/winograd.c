// SPDX-License-Identifier: Apache-2.0
// Winograd's F(3×3, 3×3), and for a kernel of 4×4 with stride 2 F(m×n, 2×2) with m and n 3 or 4:
// the outputs are cut into up to four blocks of equal tiles, so that none reaches over the edge.
// The input gradient runs the convolution's transforms transposed and last first, the weight
// gradient takes the products over tiles instead of over channels.
#include "ops/winograd.h"

#include "host/quirks.h"
#include "ops/tasks.h"
#include "ops/tile.h"

// Measured: docs/performance/notes.md, MNIST steps; a change shows in rows conv2d* of
// `evonode bench`.
enum {
    GAP = 16,              // elements between the points of a tensor
    MIN_CHANNELS = 16,     // with fewer the transforms cost more than they save
    MAX_TILES = 40,        // of a work-item: with the weights of a point they stay in an L2 cache
    SLICES_PER_UNIT = 4,   // of the tiles in a weight gradient, so that the load evens out
    MIN_SLICE = 64,        // tiles: with fewer adding up the slices costs too much
    MAX_PARTIAL = 1 << 22, // reals of a weight gradient's sums over slices
    WIDEST_REAL = 8,       // bytes; the working precision is not known here
    MAX_BLOCKS = 4,
    ASSUMED_CACHE = 1 << 18, // bytes of a second-level cache, where the system does not tell
};

/// Outputs from (top, left) on, as down × across tiles of tall × wide outputs.
typedef struct block {
    const evn__winograd *c;
    int64_t top, left, down, across;
    int tall, wide;
} block;

typedef struct blocks {
    block block[MAX_BLOCKS];
    int count;
} blocks;

// Geometry ----------------------------------------------------------------------------------------

static int64_t taps(const evn__winograd *c) {
    return c->w[0] / c->stride;
}

/// Of STEP pixels beside one another, which kernels/winograd.cl takes as one.
static int64_t channels(const evn__winograd *c) {
    return c->stride * c->w[2];
}

static int64_t points(const block *b) {
    return (b->tall + taps(b->c) - 1) * (b->wide + taps(b->c) - 1);
}

static int64_t tiles(const block *b) {
    return b->c->x[0] * b->down * b->across;
}

/// Tiles of 3 and of 4 that cover an axis of the outputs. With those of 4 they fit most extents,
/// but make blocks of few tiles: not for fewer samples than a register tile has rows.
static void cut(const evn_device_info *device, const evn__winograd *c, int axis,
                int64_t counts[2]) {
    int64_t outputs = c->y[axis], threes = outputs / 3, rest = outputs % 3;
    bool mixed = taps(c) == 2 && threes >= rest && c->x[0] >= evn__tile_wide(device).rows;
    counts[0] = mixed ? threes - rest : evn__divide_up(outputs, 3);
    counts[1] = mixed ? rest : 0;
}

/// In this order all neighbours of a block above and to the left come before it, and the last
/// reaches furthest.
static blocks cut_blocks(const evn_device_info *device, const evn__winograd *c) {
    int64_t down[2], across[2];
    blocks all = {.count = 0};
    cut(device, c, 1, down);
    cut(device, c, 2, across);
    for (int i = 0; i < 2; ++i) {
        for (int j = 0; j < 2; ++j) {
            if (down[i] > 0 && across[j] > 0) {
                all.block[all.count++] = (block){.c = c,
                                                 .top = i * 3 * down[0],
                                                 .left = j * 3 * across[0],
                                                 .down = down[i],
                                                 .across = across[j],
                                                 .tall = 3 + i,
                                                 .wide = 3 + j};
            }
        }
    }
    return all;
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

/// Tiles, a multiple of the register tile's rows, whose transforms on both sides of the product fit
/// so many bytes, and in single precision fill less than half of them: the weights need room too.
/// 0 if none does.
static int64_t tiles_in(uint64_t bytes, const evn_device_info *device, const block *b) {
    int64_t rows = evn__tile_wide(device).rows;
    int64_t reals = (int64_t)(bytes / 8 * 7 / WIDEST_REAL);
    int64_t max_tiles = (reals / points(b) - 2 * GAP) / (channels(b->c) + b->c->w[3]);
    max_tiles = max_tiles < MAX_TILES ? max_tiles : MAX_TILES;
    return max_tiles > 0 ? max_tiles / rows * rows : 0;
}

/// Whether a work-item's tiles are in local memory. What bounds them on a CPU is the second-level
/// cache, as which PoCL grants local memory; where that is smaller, they are in global memory.
static bool is_local(const evn_device_info *device, const block *b) {
    return tiles_in(device->local_bytes, device, b) > 0;
}

/// Tiles of a work-item; 0 if not even a register tile's rows fit the cache.
static int64_t tiles_each(const evn_device_info *device, const block *b) {
    uint64_t cache = device->cache_bytes > 0 ? device->cache_bytes : ASSUMED_CACHE;
    return tiles_in(is_local(device, b) ? device->local_bytes : cache, device, b);
}

/// Elements of a work-item's tiles on both sides of the product, as kernels/winograd.cl has them.
static int64_t room(const evn_device_info *device, const block *b) {
    int64_t each = tiles_each(device, b);
    return points(b) * (each * (channels(b->c) + b->c->w[3]) + 2 * GAP);
}

/// Elements of the transformed weights [phases, points, channels, Co], with the gaps of STRIDE in
/// kernels/winograd.cl.
static int64_t expanded_weights(const block *b) {
    return b->c->stride * points(b) * (channels(b->c) * b->c->w[3] + GAP);
}

static bool whole_vectors(const evn_device_info *device, int64_t count) {
    return count % evn__tile_wide(device).width == 0;
}

static bool has_room(const evn_device_info *device, const evn__winograd *c) {
    blocks all = cut_blocks(device, c);
    for (int i = 0; i < all.count; ++i) {
        if (tiles_each(device, &all.block[i]) == 0) {
            return false;
        }
    }
    return true;
}

/// A third fewer multiplications than the direct method.
static bool saves(const evn_device_info *device, const evn__winograd *c) {
    blocks all = cut_blocks(device, c);
    int64_t products = 0;
    for (int i = 0; i < all.count; ++i) {
        const block *b = &all.block[i];
        products += c->stride * c->stride * points(b) * b->down * b->across;
    }
    return 3 * products <= 2 * pairs_inside(c, 1) * pairs_inside(c, 2);
}

bool evn__winograd_possible(const evn__lowering *lowering, const evn__winograd *c) {
    const evn_device_info *device = evn__lower_device(lowering);
    bool known = c->w[0] == c->w[1] &&
                 ((c->w[0] == 3 && c->stride == 1) || (c->w[0] == 4 && c->stride == 2));
    return evn__tasks_are_wide(lowering) && known &&
           !evn__device_quirks(lowering->device)->short_loops && whole_vectors(device, c->w[2]) &&
           whole_vectors(device, c->w[3]) && has_room(device, c);
}

bool evn__winograd_gains(const evn__lowering *lowering, const evn__winograd *c, evn__op op) {
    const evn_device_info *device = evn__lower_device(lowering);
    // The input gradient's work-items have whole samples.
    bool enough = op != EVN__OP_CONV2D_INPUT_GRAD || c->x[0] >= device->compute_units;
    return evn__winograd_possible(lowering, c) && enough && c->w[2] >= MIN_CHANNELS &&
           c->w[3] >= MIN_CHANNELS && saves(device, c);
}

// Calls -------------------------------------------------------------------------------------------

typedef struct options {
    char text[160];
} options;

/// The source's options, with a register tile for products of `columns` channels.
static options write_options(const evn__lowering *lowering, const block *b, int64_t columns) {
    const evn_device_info *device = evn__lower_device(lowering);
    evn__tile tile = evn__tile_wide(device);
    options o;
    if (columns % (tile.vectors * tile.width) != 0) {
        tile.vectors = 1;
    }
    snprintf(o.text, sizeof o.text,
             "-DROWS=%d -DVECTORS=%d -DWIDTH=%d -DTAPS=%d -DSTEP=%d -DTALL=%d -DWIDE=%d "
             "-DTILES=%d -DINPUTS=%d -DOUTPUTS=%d%s",
             tile.rows, tile.vectors, tile.width, (int)taps(b->c), (int)b->c->stride, b->tall,
             b->wide, (int)tiles_each(device, b), (int)b->c->w[2], (int)b->c->w[3],
             is_local(device, b) ? "" : " -DROOM");
    return o;
}

static evn__call start_call(const options *o, const char *kernel) {
    return (evn__call){.source = {.family = "winograd", .options = o->text}, .kernel = kernel};
}

/// A call of `items` work-items on two tensors and a third that it computes, with their tiles where
/// these are in global memory, and the arguments EXTENTS.
static evn__call start_product(evn__lowering *lowering, const options *o, const char *kernel,
                               const block *b, const evn__operand tensors[3], int64_t items) {
    const evn_device_info *device = evn__lower_device(lowering);
    const evn__winograd *c = b->c;
    evn__call call = start_call(o, kernel);
    call.range = (evn__range){2, {(size_t)items, 1}, {1, 1}};
    for (int i = 0; i < 3; ++i) {
        evn__push(&call, tensors[i]);
    }
    if (!is_local(device, b)) {
        evn__push(&call, evn__lower_scratch(lowering, items * room(device, b)));
    }
    const int64_t integers[] = {c->x[0],    c->x[1], c->x[2], c->y[1], c->y[2],
                                c->padding, b->top,  b->left, b->down, b->across};
    for (size_t i = 0; i < sizeof integers / sizeof *integers; ++i) {
        evn__push_int(&call, integers[i]);
    }
    return call;
}

static evn_status emit(evn__lowering *lowering, evn__call *call, int64_t items, int64_t others) {
    call->range = (evn__range){2, {(size_t)items, (size_t)others}, {1, 1}};
    return evn__lower_emit(lowering, call);
}

/// Tiles of a work-item of the convolution: in global memory it takes several lots one after the
/// other, so that fewer have a part of it.
static int64_t choose_forward(const evn_device_info *device, const block *b) {
    int64_t each = tiles_each(device, b), lots = evn__divide_up(tiles(b), each);
    int64_t max_items = (int64_t)EVN__TASKS_PER_UNIT * device->compute_units;
    return is_local(device, b) ? each : evn__divide_up(lots, max_items) * each;
}

/// *u = the weights transformed, for products over Ci or, `transposed`, over Co.
static evn_status emit_weights(evn__lowering *lowering, const options *o, const block *b,
                               evn_value w, bool transposed, evn__operand *u) {
    *u = evn__lower_scratch(lowering, expanded_weights(b));
    evn__call call = start_call(o, "winograd_weights");
    evn__push(&call, evn__operand_value(w));
    evn__push(&call, *u);
    evn__push_int(&call, transposed);
    return emit(lowering, &call, transposed ? b->c->w[3] : channels(b->c), b->c->stride);
}

static evn_status emit_forward(evn__lowering *lowering, const block *b, const evn__node *node,
                               evn_value y) {
    options o = write_options(lowering, b, b->c->w[3]);
    evn__operand u;
    EVN_TRY(emit_weights(lowering, &o, b, node->operands[1], false, &u));
    const evn__operand tensors[] = {evn__operand_value(node->operands[0]), u,
                                    evn__operand_value(y)};
    int64_t per = choose_forward(evn__lower_device(lowering), b);
    evn__call call =
        start_product(lowering, &o, "winograd_conv2d", b, tensors, evn__divide_up(tiles(b), per));
    evn__push_int(&call, per);
    return evn__lower_emit(lowering, &call);
}

static evn_status emit_input_grad(evn__lowering *lowering, const block *b, bool last,
                                  const evn__node *node, evn_value x_bar) {
    options o = write_options(lowering, b, b->c->w[2]);
    evn__operand u;
    EVN_TRY(emit_weights(lowering, &o, b, node->operands[1], true, &u));
    const evn__operand tensors[] = {evn__operand_value(node->operands[0]), u,
                                    evn__operand_value(x_bar)};
    int64_t max_items = (int64_t)EVN__TASKS_PER_UNIT * evn__lower_device(lowering)->compute_units;
    int64_t per = evn__divide_up(b->c->x[0], max_items);
    evn__call call = start_product(lowering, &o, "winograd_input_grad", b, tensors,
                                   evn__divide_up(b->c->x[0], per));
    evn__push_int(&call, last);
    evn__push_int(&call, per);
    return evn__lower_emit(lowering, &call);
}

static int64_t min(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/// Tiles in a slice, a multiple of a work-item's.
static int64_t choose_slice(const evn__lowering *lowering, const block *b) {
    const evn_device_info *device = evn__lower_device(lowering);
    int64_t each = tiles_each(device, b);
    int64_t slices = (int64_t)SLICES_PER_UNIT * device->compute_units;
    slices = min(slices, min(tiles(b) / MIN_SLICE, MAX_PARTIAL / expanded_weights(b)));
    slices = slices > 1 ? slices : 1;
    return evn__divide_up(evn__divide_up(tiles(b), slices), each) * each;
}

static evn_status emit_weight_grad(evn__lowering *lowering, const block *b, bool first,
                                   const evn__node *node, evn_value w_bar) {
    options o = write_options(lowering, b, b->c->w[3]);
    int64_t slice = choose_slice(lowering, b), slices = evn__divide_up(tiles(b), slice);
    evn__operand m = evn__lower_scratch(lowering, slices * expanded_weights(b));
    const evn__operand tensors[] = {evn__operand_value(node->operands[0]),
                                    evn__operand_value(node->operands[1]), m};
    evn__call call = start_product(lowering, &o, "winograd_correlate", b, tensors, slices);
    evn__push_int(&call, slice);
    EVN_TRY(evn__lower_emit(lowering, &call));
    call = start_call(&o, "winograd_contract");
    evn__push(&call, m);
    evn__push(&call, evn__operand_value(w_bar));
    evn__push_int(&call, slices);
    evn__push_int(&call, !first);
    return emit(lowering, &call, channels(b->c), b->c->stride);
}

evn_status evn__winograd_emit(evn__lowering *lowering, const evn__winograd *c,
                              const evn__node *node, evn_value result) {
    blocks all = cut_blocks(evn__lower_device(lowering), c);
    for (int i = 0; i < all.count; ++i) {
        const block *b = &all.block[i];
        if (node->op == EVN__OP_CONV2D) {
            EVN_TRY(emit_forward(lowering, b, node, result));
        } else if (node->op == EVN__OP_CONV2D_INPUT_GRAD) {
            EVN_TRY(emit_input_grad(lowering, b, i == all.count - 1, node, result));
        } else {
            EVN_TRY(emit_weight_grad(lowering, b, i == 0, node, result));
        }
    }
    return EVN_OK;
}
