// SPDX-License-Identifier: Apache-2.0
#include "ops/winograd_tiled.h"

#include "ops/tasks.h"

// No figure of a GPU is on record for any of these.
enum {
    DEPTH = 4,   // terms in local memory, fewer where it is small
    PADDING = 8, // elements from one term to the next, as in kernels/winograd_tiled.cl
    COPY_X = 16, // work-group of the weights' transform
    COPY_Y = 4,
    MIN_CHANNELS = 32,    // with fewer the transforms cost more than they save
    GROUPS_PER_UNIT = 2,  // to hide each other's loads
    MIN_SLICE = 64,       // tiles: adding up a slice costs as much as nine of them
    MAX_SLICES = 64,      // copies of w_bar in scratch
    COLUMNS_MULTIPLE = 4, // of the transformed weights: a vector
};

/// The defaults, from large to small: a larger tile transforms each operand less often. Of 256
/// work-items a unit would hold one work-group, by their registers (docs/devices.md).
static const evn__tile choices[] = {
    {4, 2, 4, {16, 8, 1}},
    {4, 1, 4, {16, 4, 1}},
};
enum { CHOICES = sizeof(choices) / sizeof(choices[0]) };

static int64_t min(int64_t a, int64_t b) {
    return a < b ? a : b;
}

// Tiles of images ---------------------------------------------------------------------------------

/// Images that are cut into tiles: the results, or what the weight gradient takes of y_bar.
static const int64_t *tiled_images(const evn__winograd_tiled *t) {
    return t->op == EVN__OP_CONV2D_INPUT_GRAD ? t->c->x : t->c->y;
}

static int64_t tiles(const evn__winograd_tiled *t) {
    const int64_t *images = tiled_images(t);
    return images[0] * evn__divide_up(images[1], t->outside) *
           evn__divide_up(images[2], t->outside);
}

static int64_t points(const evn__winograd_tiled *t) {
    return (int64_t)(t->outside + 2) * (t->outside + 2);
}

// A work-group ------------------------------------------------------------------------------------

static int64_t tile_rows(const evn__tile *tile) {
    return (int64_t)4 * tile->rows;
}

static int64_t tile_columns(const evn__tile *tile) {
    return (int64_t)16 * tile->vectors;
}

static int64_t items(const evn__tile *tile) {
    return (int64_t)(tile->local[0] * tile->local[1]);
}

/// Elements of local memory: tiles of both operands, or at the end a part of the sums.
static int64_t local_elements(const evn__winograd_tiled *t) {
    int64_t pairs = items(&t->tile) >= 256 ? 256 : items(&t->tile) >= 128 ? 128 : 64;
    int64_t operands = t->depth * (tile_rows(&t->tile) + tile_columns(&t->tile) + 2 * PADDING);
    return points(t) * (operands > pairs ? operands : pairs);
}

/// Whether the device can run work-groups of its tile; sets the depth.
static bool choose_depth(const evn_device_info *device, bool fp64, evn__winograd_tiled *t) {
    int64_t bytes = fp64 ? 8 : 4;
    if ((uint64_t)items(&t->tile) > device->max_work_group) {
        return false;
    }
    for (t->depth = DEPTH; t->depth > 0; t->depth /= 2) {
        if ((uint64_t)(local_elements(t) * bytes) <= device->local_bytes) {
            return true;
        }
    }
    return false;
}

/// Work-groups of one slice.
static int64_t groups(const evn__winograd_tiled *t) {
    bool weights = t->op == EVN__OP_CONV2D_WEIGHT_GRAD;
    int64_t rows = weights ? t->c->w[2] : tiles(t);
    int64_t columns = t->op == EVN__OP_CONV2D_INPUT_GRAD ? t->c->w[2] : t->c->w[3];
    return evn__divide_up(rows, tile_rows(&t->tile)) *
           evn__divide_up(columns, tile_columns(&t->tile));
}

static int64_t max_slices(const evn__winograd_tiled *t) {
    int64_t slices =
        t->op == EVN__OP_CONV2D_WEIGHT_GRAD ? min(tiles(t) / MIN_SLICE, MAX_SLICES) : 1;
    return slices > 1 ? slices : 1;
}

/// The largest tile with work for all of the device.
static bool choose_tile(const evn_device_info *device, bool fp64, evn__winograd_tiled *t) {
    for (int i = 0; i < CHOICES; ++i) {
        t->tile = choices[i];
        if (choose_depth(device, fp64, t) &&
            groups(t) * max_slices(t) >= (int64_t)GROUPS_PER_UNIT * device->compute_units) {
            return true;
        }
    }
    return false;
}

// Whether -----------------------------------------------------------------------------------------

/// The kernels count elements in 32 bits, of the transformed weights too.
static bool is_possible(const evn_device_info *device, const evn__winograd *c) {
    return device->type != EVN_DEVICE_CPU && c->w[0] == 3 && c->w[1] == 3 && c->stride == 1 &&
           evn__is_short(c->x) && evn__is_short(c->y) &&
           (c->w[2] + COLUMNS_MULTIPLE) * (c->w[3] + COLUMNS_MULTIPLE) <= INT_MAX / 2 / 36;
}

/// Enough channels, a third fewer multiplications than the direct method, and registers.
static bool gains(const evn_device_info *device, const evn__winograd_tiled *t) {
    const int64_t *images = tiled_images(t);
    return !evn__tile_few_registers(device) && t->c->w[2] >= MIN_CHANNELS &&
           t->c->w[3] >= MIN_CHANNELS &&
           3 * points(t) * tiles(t) <= 2 * 9 * images[0] * images[1] * images[2];
}

bool evn__winograd_tiled_fits(const evn_device_info *device, bool fp64, const evn__winograd *c,
                              evn__op op, const evn__variant *variant, evn__winograd_tiled *t) {
    *t = (evn__winograd_tiled){.c = c, .op = op, .outside = 2};
    if (!is_possible(device, c)) {
        return false;
    }
    if (!variant) {
        if (!gains(device, t) || !choose_tile(device, fp64, t)) {
            return false;
        }
    } else {
        t->tile = variant->tile;
        t->outside = variant->algorithm == EVN__ALGORITHM_WINOGRAD_4 ? 4 : 2;
        if (!evn__variant_is_winograd(variant) || !choose_depth(device, fp64, t)) {
            return false;
        }
    }
    t->slice = tiles(t);
    snprintf(t->options, sizeof t->options,
             "-DROWS=%d -DVECTORS=%d -DWIDTH=%d -DGROUP_X=%zu -DGROUP_Y=%zu -DDEPTH=%d "
             "-DOUTSIDE=%d%s",
             t->tile.rows, t->tile.vectors, t->tile.width, t->tile.local[0], t->tile.local[1],
             t->depth, t->outside, op == EVN__OP_CONV2D_WEIGHT_GRAD ? " -DWEIGHT_GRAD" : "");
    return true;
}

// Calls -------------------------------------------------------------------------------------------

static evn__call start_call(const evn__winograd_tiled *t, const char *kernel) {
    return (evn__call){.source = {.family = "winograd_tiled", .options = t->options},
                       .kernel = kernel};
}

static void set_range(evn__call *call, const evn__winograd_tiled *t, int64_t rows, int64_t columns,
                      int64_t layers) {
    const size_t *local = t->tile.local;
    call->range =
        (evn__range){3,
                     {(size_t)evn__divide_up(columns, tile_columns(&t->tile)) * local[0],
                      (size_t)evn__divide_up(rows, tile_rows(&t->tile)) * local[1], (size_t)layers},
                     {local[0], local[1], 1}};
}

static void push_extents(evn__call *call, const int64_t *inside, const int64_t *outside,
                         int64_t padding) {
    const int64_t integers[] = {inside[0],  inside[1],  inside[2],  inside[3],
                                outside[1], outside[2], outside[3], padding};
    for (size_t i = 0; i < sizeof integers / sizeof *integers; ++i) {
        evn__push_int(call, integers[i]);
    }
}

/// *u = the transformed weights [points, terms, columns] between images of `terms` and of `results`
/// channels.
static evn_status emit_transform(evn__lowering *lowering, const evn__winograd_tiled *t, evn_value w,
                                 int64_t terms, int64_t results, int64_t columns, evn__operand *u) {
    *u = evn__lower_scratch(lowering, points(t) * terms * columns);
    evn__call call = start_call(t, "winograd_tiled_weights");
    evn__push(&call, evn__operand_value(w));
    evn__push(&call, *u);
    evn__push_int(&call, terms);
    evn__push_int(&call, results);
    evn__push_int(&call, columns);
    evn__push_int(&call, t->op == EVN__OP_CONV2D_INPUT_GRAD);
    call.range = (evn__range){2,
                              {(size_t)evn__divide_up(columns, COPY_X) * COPY_X,
                               (size_t)evn__divide_up(terms, COPY_Y) * COPY_Y},
                              {COPY_X, COPY_Y}};
    return evn__lower_emit(lowering, &call);
}

evn_status evn__winograd_tiled_images(evn__lowering *lowering, const evn__winograd_tiled *t,
                                      const evn__node *node, evn_value result) {
    bool forward = t->op == EVN__OP_CONV2D;
    const int64_t *inside = forward ? t->c->x : t->c->y, *outside = tiled_images(t);
    int64_t columns = evn__divide_up(outside[3], COLUMNS_MULTIPLE) * COLUMNS_MULTIPLE;
    evn__operand u;
    EVN_TRY(emit_transform(lowering, t, node->operands[1], inside[3], outside[3], columns, &u));
    evn__call call = start_call(t, "winograd_tiled");
    evn__push(&call, evn__operand_value(node->operands[0]));
    evn__push(&call, u);
    evn__push(&call, evn__operand_value(result));
    push_extents(&call, inside, outside, forward ? t->c->padding : 2 - t->c->padding);
    evn__push_int(&call, columns);
    set_range(&call, t, tiles(t), outside[3], 1);
    return evn__lower_emit_result(lowering, &call);
}

int64_t evn__winograd_tiled_split(evn__winograd_tiled *t, const evn_device_info *device) {
    int64_t wanted = evn__divide_up((int64_t)GROUPS_PER_UNIT * device->compute_units, groups(t));
    t->slice = evn__divide_up(tiles(t), min(wanted, max_slices(t)));
    return evn__divide_up(tiles(t), t->slice);
}

evn_status evn__winograd_tiled_weights(evn__lowering *lowering, const evn__winograd_tiled *t,
                                       const evn__node *node, int64_t slices, evn__operand w_bar) {
    evn__call call = start_call(t, "winograd_tiled_weight_grad");
    evn__push(&call, evn__operand_value(node->operands[0]));
    evn__push(&call, evn__operand_value(node->operands[1]));
    evn__push(&call, w_bar);
    push_extents(&call, t->c->x, t->c->y, t->c->padding);
    evn__push_int(&call, t->slice);
    set_range(&call, t, t->c->w[2], t->c->w[3], slices);
    return evn__lower_emit(lowering, &call);
}
