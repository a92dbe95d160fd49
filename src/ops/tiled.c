// SPDX-License-Identifier: Apache-2.0
#include "ops/tiled.h"

#include "ops/tasks.h"

// Chosen by what compilers make of them (docs/devices.md); never timed.
enum {
    WIDTH = 4,         // columns of a vector
    PADDING = 4,       // elements between rows of a tile in local memory
    DEPTH = 16,        // terms in local memory
    DEPTH_OF_MANY = 8, // with more than FEW_ROWS rows a work-item, for other groups' sake
    FEW_ROWS = 4,
    WIDEST_REAL = 8,     // bytes; the working precision is not known here
    GROUPS_PER_UNIT = 2, // to hide each other's loads
    MIN_TERMS = 8,       // with fewer most of a tile's would be zeros
    MIN_SLICE = 32,      // terms, and
    SLICE_PER_ROW = 8,   // for each row of C: adding up reads as many elements of each column
    ENOUGH_TERMS = 256,  // whatever the rows
    MAX_SLICES = 64,     // copies of C in scratch
};

/// A tile that is a default.
typedef struct choice {
    evn__tile tile;
    bool small_file; ///< also where a hardware thread has 4 KiB of registers
} choice;

// From large to small: a larger tile loads each operand less often. Where a compiler may put as few
// as 8 work-items into a hardware thread (Intel's GPUs), it does so for all of these, so that each
// has 128 registers; larger tiles spill (4 x 2 in 8 x 8) or, in groups of 256, take more than half
// of the threads that share local memory (tools/compile_gate).
static const choice choices[] = {
    {{8, 2, WIDTH, {16, 16, 1}}, false}, {{8, 1, WIDTH, {16, 16, 1}}, false},
    {{4, 1, WIDTH, {16, 16, 1}}, false}, {{4, 1, WIDTH, {16, 8, 1}}, true},
    {{4, 1, WIDTH, {8, 8, 1}}, true},
};
enum { CHOICES = sizeof(choices) / sizeof(choices[0]) };

static int64_t tile_rows(const evn__tile *tile) {
    return tile->rows * (int64_t)tile->local[1];
}

static int64_t tile_columns(const evn__tile *tile) {
    return (int64_t)tile->vectors * tile->width * (int64_t)tile->local[0];
}

static int depth(const evn__tile *tile) {
    return tile->rows > FEW_ROWS ? DEPTH_OF_MANY : DEPTH;
}

static int64_t groups(const evn__tiled *t) {
    return evn__divide_up(t->m, tile_rows(&t->tile)) * evn__divide_up(t->n, tile_columns(&t->tile));
}

static bool is_possible(const evn_device_info *device, const evn__tile *tile) {
    int64_t elements = depth(tile) * (tile_rows(tile) + tile_columns(tile) + 2 * PADDING);
    return tile->local[0] * tile->local[1] <= device->max_work_group &&
           (uint64_t)(elements * WIDEST_REAL) <= device->local_bytes;
}

/// Whether it has work for all of the device, and not twice as wide or tall as C.
static bool is_filled(const evn_device_info *device, const evn__tiled *t) {
    return groups(t) >= (int64_t)GROUPS_PER_UNIT * device->compute_units &&
           tile_rows(&t->tile) < 2 * t->m && tile_columns(&t->tile) < 2 * t->n;
}

/// The largest tile that is filled, or else the smallest.
static bool choose_tile(const evn_device_info *device, evn__tiled *t) {
    bool found = false;
    bool small_file = evn__tile_few_registers(device);
    for (int i = 0; i < CHOICES; ++i) {
        const evn__tile *tile = &choices[i].tile;
        if (is_possible(device, tile) && (choices[i].small_file || !small_file)) {
            t->tile = *tile;
            found = true;
            if (is_filled(device, t)) {
                break;
            }
        }
    }
    return found;
}

bool evn__tiled_fits(const evn_device_info *device, const evn__variant *variant, int64_t m,
                     int64_t n, int64_t k, evn__tiled *t) {
    *t = (evn__tiled){.m = m, .n = n, .k = k, .slice = k};
    if (device->type == EVN_DEVICE_CPU || m > INT_MAX / 2 || n > INT_MAX / 2 || k > INT_MAX / 2) {
        return false;
    }
    if (variant) {
        t->tile = variant->tile;
        if (variant->algorithm != EVN__ALGORITHM_LOCAL || !is_possible(device, &t->tile)) {
            return false;
        }
    } else if (k < MIN_TERMS || !choose_tile(device, t)) {
        return false;
    }
    snprintf(t->options, sizeof t->options,
             "-DROWS=%d -DVECTORS=%d -DWIDTH=%d -DGROUP_X=%zu -DGROUP_Y=%zu -DDEPTH=%d",
             t->tile.rows, t->tile.vectors, t->tile.width, t->tile.local[0], t->tile.local[1],
             depth(&t->tile));
    return true;
}

/// Terms that pay for adding up.
static int64_t min_slice(const evn__tiled *t) {
    int64_t terms = SLICE_PER_ROW * t->m < ENOUGH_TERMS ? SLICE_PER_ROW * t->m : ENOUGH_TERMS;
    return terms > MIN_SLICE ? terms : MIN_SLICE;
}

int64_t evn__tiled_split(evn__tiled *t, const evn_device_info *device) {
    int64_t slices = evn__divide_up((int64_t)GROUPS_PER_UNIT * device->compute_units, groups(t));
    int64_t max_slices = t->k / min_slice(t) < MAX_SLICES ? t->k / min_slice(t) : MAX_SLICES;
    slices = slices < max_slices ? slices : max_slices;
    t->slice = evn__divide_up(t->k, slices > 1 ? slices : 1);
    return evn__divide_up(t->k, t->slice);
}

evn__call evn__tiled_call(const evn__tiled *t, const char *kernel, int64_t layers) {
    evn__call call = {.source = {.family = "tiled", .options = t->options}, .kernel = kernel};
    const size_t *local = t->tile.local;
    call.range =
        (evn__range){3,
                     {(size_t)evn__divide_up(t->n, tile_columns(&t->tile)) * local[0],
                      (size_t)evn__divide_up(t->m, tile_rows(&t->tile)) * local[1], (size_t)layers},
                     {local[0], local[1], 1}};
    return call;
}
