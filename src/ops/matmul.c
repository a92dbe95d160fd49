// SPDX-License-Identifier: Apache-2.0
// Lowering of evn_matmul: dot products for few rows, or few elements, against a transposed b; one
// plain loop for what is smaller than a copy of b; long runs of few rows; blocks for the caches of
// a CPU, tiles in local memory on a GPU; else a packed copy of b where the kernel needs one, and
// tiles. A split K takes a second pass that adds the slices.
#include "base/status.h"
#include "host/blast.h"
#include "host/items.h"
#include "kernels/shared.h"
#include "ops/lower.h"
#include "ops/tasks.h"
#include "ops/tile.h"
#include "ops/tiled.h"
#include "ops/variant.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>

// Measured: blocks in docs/performance/notes.md, SGEMM; the others are bounds between algorithms
// that `evonode tune --family matmul` measures on both sides of.
enum {
    MATMUL_MIN_SLICE = 256,     // terms; shorter slices do not pay for the second pass
    MATMUL_MAX_SLICES = 64,     // copies of c in scratch
    MATMUL_DOT_ROWS = 3,        // of a; more pay for a packed b
    MATMUL_DOT_COUNT = 512,     // elements of c; fewer do not pay for it either
    MATMUL_MIN_DOT = 32,        // terms; fewer are not worth a work-item of their own
    MATMUL_DOT_TERMS = 1 << 14, // one work-item adds them up
    MATMUL_ROW_ITEMS = 3,       // a compute unit, at least
    MATMUL_DOT_ITEMS = 8,       // a compute unit
    MATMUL_SMALL_WORK = 8192,   // terms of a row of c; more pay for a packed b
    MATMUL_FLAT_TERMS = 256,    // of a column of c; with more, tiles need fewer loads
    MATMUL_FLAT_RUNS = 4,       // a row
    MATMUL_LINES = 512,         // cache lines of a that stay near the core, with as many of b
    MATMUL_BLOCKED_ROWS = 128,  // of c; fewer do not pay for a copy of b
    MATMUL_MIN_BLOCKED = 32,    // where tiles would need a copy as well
    MATMUL_BLOCK_ROWS = 256, // of c: rows of a 4 KiB apart share sets of an L2 cache with 16 ways
    MATMUL_BLOCK_COLUMNS = 256, // at most, half of them where local memory is small
    MATMUL_BLOCK_DEPTH = 256,   // terms: a panel of 32 columns is two thirds of an L1 cache
    MATMUL_COLUMN_BYTES = MATMUL_BLOCK_DEPTH * 8, // of a copy of b, in double precision
    MATMUL_MIN_BLOCK = 64,  // rows, where there are enough: a copy of b serves them all
    MATMUL_BLOCK_ITEMS = 4, // a compute unit, so that the load evens out
};

static const evn__variant variants[] = {
    EVN__VARIANT_TILES,
    {EVN__ALGORITHM_DOTS, {8, 2, 16, {1, 1, 1}}},
    {.algorithm = EVN__ALGORITHM_SMALL},
    {.algorithm = EVN__ALGORITHM_FLAT},
    {EVN__ALGORITHM_BLOCKS, {8, 2, 16, {1, 1, 1}}},
    {EVN__ALGORITHM_BLOCKS, {6, 4, 16, {1, 1, 1}}},
    {EVN__ALGORITHM_BLOCKS, {8, 1, 16, {1, 1, 1}}},
    {EVN__ALGORITHM_BLOCKS, {6, 2, 8, {1, 1, 1}}},
    {EVN__ALGORITHM_BLOCKS, {6, 2, 4, {1, 1, 1}}},
#ifdef EVN_CLBLAST
    {.algorithm = EVN__ALGORITHM_CLBLAST},
#endif
};
const evn__space evn__space_matmul = {variants, sizeof(variants) / sizeof(variants[0])};

typedef struct product {
    evn_value c;
    int64_t m, n, k;
    bool transpose_a, transpose_b;
    evn__operand a, b;
    int64_t b_stride;
    int64_t slices, slice;
    int64_t block_rows, block_columns;
    evn__tile tile;
    evn__tiled tiled; // where local memory is used
    char options[96];
} product;

/// Emits the slices of K to c, one after the other.
typedef evn_status emit_slice(evn__lowering *lowering, const product *p, evn__operand c);

/// For single rows of a, which read b as fast as memory gives it: each row of b may lie in another
/// page, and pays for that once a work-item.
static evn__tile widen(evn__tile tile, int64_t max_vectors) {
    for (tile.vectors = 1; tile.vectors < 8 && 2 * tile.vectors <= max_vectors;) {
        tile.vectors *= 2;
    }
    return tile;
}

static evn__tile choose_tile(const evn_device_info *device, int64_t m, int64_t n) {
    if (!evn__items_are_wide(device)) {
        return evn__tile_small();
    }
    evn__tile tile = evn__tile_wide(device);
    tile.rows = m >= tile.rows ? tile.rows : m >= 4 ? 4 : 1;
    int64_t vectors = evn__divide_up(n, tile.width);
    if (tile.rows == 1) {
        return widen(tile, vectors / (MATMUL_ROW_ITEMS * device->compute_units));
    }
    if (vectors % 2 == 1 && vectors < 8) {
        tile.vectors = 1;
    }
    return tile;
}

static int tile_columns(const product *p) {
    return p->tile.vectors * p->tile.width;
}

static void cut_inner(product *p, int64_t slices) {
    int64_t max_slices = p->k / MATMUL_MIN_SLICE;
    slices = slices < max_slices ? slices : max_slices;
    slices = slices < MATMUL_MAX_SLICES ? slices : MATMUL_MAX_SLICES;
    p->slice = evn__divide_up(p->k, slices > 1 ? slices : 1);
    p->slices = evn__divide_up(p->k, p->slice);
}

/// Cut K until every compute unit has several work-items. A transposed a has each term on a cache
/// line of its own: short slices keep those lines for the next tile of rows.
static void split_inner(product *p, int compute_units) {
    int64_t items = evn__divide_up(p->n, tile_columns(p)) * evn__divide_up(p->m, p->tile.rows);
    int64_t group = (int64_t)(p->tile.local[0] * p->tile.local[1]);
    int64_t enough = 4 * group * compute_units;
    int64_t slices = items < enough ? evn__divide_up(2 * enough, items) : 1;
    if (p->transpose_a && slices < p->k / MATMUL_LINES) {
        slices = p->k / MATMUL_LINES;
    }
    cut_inner(p, slices);
}

static evn__call start_call(const product *p, const char *kernel) {
    return (evn__call){.source = {.family = "matmul", .options = p->options}, .kernel = kernel};
}

/// N, K, and the strides of both operands from row to row and from column to column.
static void push_strides(evn__call *call, const product *p) {
    evn__push_int(call, p->n);
    evn__push_int(call, p->k);
    evn__push_int(call, p->transpose_a ? 1 : p->k);
    evn__push_int(call, p->transpose_a ? p->m : 1);
    evn__push_int(call, p->transpose_b ? 1 : p->n);
    evn__push_int(call, p->transpose_b ? p->k : 1);
}

/// Copy b to [K, N or the columns of a tile].
static evn_status emit_pack(evn__lowering *lowering, product *p) {
    int64_t stride = p->n > tile_columns(p) ? p->n : tile_columns(p);
    evn__operand packed = evn__lower_scratch(lowering, p->k * stride);
    evn__call call = start_call(p, "matmul_pack");
    call.range =
        (evn__range){2, {(size_t)stride, (size_t)evn__divide_up(p->k, EVN_PACK_ROWS)}, {0}};
    evn__push(&call, p->b);
    evn__push(&call, packed);
    evn__push_int(&call, p->n);
    evn__push_int(&call, stride);
    evn__push_int(&call, p->k);
    evn__push_int(&call, p->transpose_b ? 1 : p->n);
    evn__push_int(&call, p->transpose_b ? p->k : 1);
    p->b = packed;
    p->b_stride = stride;
    return evn__lower_emit(lowering, &call);
}

static evn_status emit_product(evn__lowering *lowering, const product *p, evn__operand c) {
    evn__call call = start_call(p, "matmul");
    call.range.dimensions = 3;
    call.range.global[0] = (size_t)evn__divide_up(p->n, tile_columns(p));
    call.range.global[1] = (size_t)evn__divide_up(p->m, p->tile.rows);
    call.range.global[2] = (size_t)p->slices;
    for (int i = 0; i < 3; i++) {
        call.range.local[i] = p->tile.local[i];
    }
    evn__push(&call, p->a);
    evn__push(&call, p->b);
    evn__push(&call, c);
    evn__push_int(&call, p->m);
    evn__push_int(&call, p->n);
    evn__push_int(&call, p->k);
    evn__push_int(&call, p->transpose_a ? 1 : p->k);
    evn__push_int(&call, p->transpose_a ? p->m : 1);
    evn__push_int(&call, p->b_stride);
    evn__push_int(&call, p->slice);
    return p->slices == 1 ? evn__lower_emit_result(lowering, &call)
                          : evn__lower_emit(lowering, &call);
}

/// `extent` cut into `parts` equal ones or fewer, each a multiple of `unit`.
static int64_t cut_evenly(int64_t extent, int64_t parts, int64_t unit) {
    return evn__divide_up(evn__divide_up(extent, parts), unit) * unit;
}

/// At least `parts`, so that `others` times as many are the same number for every compute unit;
/// `parts` where that takes more than a quarter more.
static int64_t balance(int64_t parts, int64_t others, int compute_units) {
    for (int64_t more = parts; 4 * more <= 5 * parts; ++more) {
        if (more * others % compute_units == 0) {
            return more;
        }
    }
    return parts;
}

/// That a work-item copies at most; 0 where blocks are not for the device: only a wide work-item
/// has caches of its own.
static int columns_of_blocks(const evn_device_info *device) {
    if (!evn__items_are_wide(device)) {
        return 0;
    }
    for (int columns = MATMUL_BLOCK_COLUMNS; columns >= MATMUL_BLOCK_COLUMNS / 2; columns /= 2) {
        if (device->local_bytes >= (uint64_t)columns * MATMUL_COLUMN_BYTES) {
            return columns;
        }
    }
    return 0;
}

/// The part of c that a work-item computes, and the slices of K that are needed besides so that
/// every compute unit has several work-items.
static void choose_blocks(product *p, const evn_device_info *device) {
    int compute_units = device->compute_units;
    int64_t enough = (int64_t)MATMUL_BLOCK_ITEMS * compute_units, unit = tile_columns(p), items;
    int64_t rows = MATMUL_BLOCK_ROWS, columns = columns_of_blocks(device);
    for (;;) {
        p->block_columns = cut_evenly(p->n, evn__divide_up(p->n, columns), unit);
        int64_t beside = evn__divide_up(p->n, p->block_columns);
        int64_t parts = balance(evn__divide_up(p->m, rows), beside, compute_units);
        p->block_rows = cut_evenly(p->m, parts, p->tile.rows);
        items = evn__divide_up(p->m, p->block_rows) * evn__divide_up(p->n, p->block_columns);
        if (items >= enough || (p->block_columns <= unit && rows <= MATMUL_MIN_BLOCK)) {
            break;
        }
        if (p->block_columns > unit) {
            columns /= 2;
        } else {
            rows /= 2;
        }
    }
    cut_inner(p, items < enough ? evn__divide_up(enough, items) : 1);
}

static evn_status emit_blocks(evn__lowering *lowering, const product *p, evn__operand c) {
    evn__call call = start_call(p, "matmul_blocked");
    call.range.dimensions = 3;
    call.range.global[0] = (size_t)evn__divide_up(p->n, p->block_columns);
    call.range.global[1] = (size_t)evn__divide_up(p->m, p->block_rows);
    call.range.global[2] = (size_t)p->slices;
    for (int i = 0; i < 3; i++) {
        call.range.local[i] = 1;
    }
    evn__push(&call, p->a);
    evn__push(&call, p->b);
    evn__push(&call, c);
    evn__push_int(&call, p->m);
    push_strides(&call, p);
    evn__push_int(&call, p->block_rows);
    evn__push_int(&call, p->block_columns);
    evn__push_int(&call, p->slice);
    return p->slices == 1 ? evn__lower_emit_result(lowering, &call)
                          : evn__lower_emit(lowering, &call);
}

static evn_status emit_add(evn__lowering *lowering, const product *p, evn__operand partial) {
    evn__call call = start_call(p, "matmul_add");
    call.range = (evn__range){1, {(size_t)(p->m * p->n)}, {0}};
    evn__push(&call, partial);
    evn__push(&call, evn__operand_value(p->c));
    evn__push_int(&call, p->m * p->n);
    evn__push_int(&call, p->n);
    evn__push_int(&call, p->slices);
    return evn__lower_emit_result(lowering, &call);
}

static evn_status emit_tiled(evn__lowering *lowering, const product *p, evn__operand c) {
    evn__call call = evn__tiled_call(&p->tiled, "matmul_tiled", p->slices);
    evn__push(&call, p->a);
    evn__push(&call, p->b);
    evn__push(&call, c);
    evn__push_int(&call, p->m);
    push_strides(&call, p);
    evn__push_int(&call, p->tiled.slice);
    return p->slices == 1 ? evn__lower_emit_result(lowering, &call)
                          : evn__lower_emit(lowering, &call);
}

/// Whether dot products of rows are to be taken. Untuned: where they are the fastest without local
/// memory to share, that is on a CPU, where a work-item that walks along a row uses its cache lines
/// whole.
static bool takes_dots(const evn_device_info *device, const evn__variant *variant,
                       const product *p) {
    if (!p->transpose_b || (p->transpose_a && p->m > 1) || p->k > MATMUL_DOT_TERMS) {
        return false;
    }
    if (variant) {
        return variant->algorithm == EVN__ALGORITHM_DOTS;
    }
    return evn__items_are_wide(device) && p->k >= MATMUL_MIN_DOT &&
           (p->m <= MATMUL_DOT_ROWS ||
            (p->m < MATMUL_MIN_BLOCKED && p->m * p->n <= MATMUL_DOT_COUNT));
}

static evn_status emit_dots(evn__lowering *lowering, const product *p, int compute_units) {
    evn__call call = start_call(p, "matmul_dot");
    int64_t items = evn__divide_up((int64_t)MATMUL_DOT_ITEMS * compute_units, p->m);
    int64_t run = evn__divide_up(evn__divide_up(p->n, EVN_DOTS), items) * EVN_DOTS;
    call.range = (evn__range){2, {(size_t)evn__divide_up(p->n, run), (size_t)p->m}, {1, 1}};
    evn__push(&call, p->a);
    evn__push(&call, p->b);
    evn__push(&call, evn__operand_value(p->c));
    evn__push_int(&call, p->n);
    evn__push_int(&call, p->k);
    evn__push_int(&call, run);
    return evn__lower_emit_result(lowering, &call);
}

/// Untuned: where b would have to be packed for next to no work; another launch takes longer than
/// that.
static bool takes_small(const evn_device_info *device, const evn__variant *variant,
                        const product *p) {
    if (variant) {
        return variant->algorithm == EVN__ALGORITHM_SMALL;
    }
    return evn__items_are_wide(device) && (p->transpose_b || p->n < tile_columns(p)) &&
           p->m <= MATMUL_DOT_ROWS && p->n * p->k <= MATMUL_SMALL_WORK;
}

static evn_status emit_small(evn__lowering *lowering, const product *p) {
    evn__call call = start_call(p, "matmul_small");
    size_t runs = (size_t)evn__divide_up(p->n, EVN_SMALL_RUN);
    call.range = (evn__range){2, {runs, (size_t)p->m}, {1, 1}};
    evn__push(&call, p->a);
    evn__push(&call, p->b);
    evn__push(&call, evn__operand_value(p->c));
    push_strides(&call, p);
    return evn__lower_emit_result(lowering, &call);
}

/// Untuned: where there are few terms and few, long rows; what counts is that memory is read in
/// long runs.
static bool takes_flat(const evn_device_info *device, const evn__variant *variant,
                       const product *p) {
    if (variant) {
        return variant->algorithm == EVN__ALGORITHM_FLAT;
    }
    return evn__items_are_wide(device) && !p->transpose_b && p->m > 1 &&
           p->m * p->k <= MATMUL_FLAT_TERMS && p->n >= MATMUL_FLAT_RUNS * EVN_SMALL_RUN;
}

static evn_status emit_flat(evn__lowering *lowering, const product *p) {
    evn__call call = start_call(p, "matmul_flat");
    call.range = (evn__range){1, {(size_t)evn__divide_up(p->n, EVN_SMALL_RUN)}, {1}};
    evn__push(&call, p->a);
    evn__push(&call, p->b);
    evn__push(&call, evn__operand_value(p->c));
    evn__push_int(&call, p->m);
    evn__push_int(&call, p->n);
    evn__push_int(&call, p->k);
    evn__push_int(&call, p->transpose_a ? 1 : p->k);
    evn__push_int(&call, p->transpose_a ? p->m : 1);
    return evn__lower_emit_result(lowering, &call);
}

/// One text for blocks and for tiles, so that they share a program.
static void write_options(const evn_device_info *device, product *p) {
    int used = snprintf(p->options, sizeof p->options, "-DROWS=%d -DVECTORS=%d -DWIDTH=%d",
                        p->tile.rows, p->tile.vectors, p->tile.width);
    if (columns_of_blocks(device) > 0) {
        snprintf(p->options + used, sizeof p->options - (size_t)used,
                 " -DBLOCK_COLUMNS=%d -DDEPTH=%d", columns_of_blocks(device), MATMUL_BLOCK_DEPTH);
    }
}

/// Whether c is to be computed in blocks.
static bool takes_blocks(const evn_device_info *device, const evn__variant *variant,
                         const product *p) {
    if (columns_of_blocks(device) == 0) {
        return false;
    }
    if (variant) {
        return variant->algorithm == EVN__ALGORITHM_BLOCKS;
    }
    bool copied = p->transpose_b || p->n < tile_columns(p);
    return p->m >= (copied ? MATMUL_MIN_BLOCKED : MATMUL_BLOCKED_ROWS);
}

/// Whether the tuned form can compute it: those without tiles count an operand's elements in 32
/// bits, and long runs need rows of b.
static bool is_possible(const evn__variant *variant, const product *p) {
    bool flat = variant->algorithm == EVN__ALGORITHM_FLAT;
    bool plain = flat || variant->algorithm == EVN__ALGORITHM_SMALL;
    bool counted = p->n * p->k <= INT_MAX && p->m * p->k <= INT_MAX;
    return (!plain || counted) && !(flat && p->transpose_b);
}

static evn_status emit_library(evn__lowering *lowering, const product *p) {
    evn__call call = {.source.blast = true, .kernel = EVN__BLAST_NAME};
    evn__push(&call, p->a);
    evn__push(&call, p->b);
    evn__push(&call, evn__operand_value(p->c));
    evn__push_int(&call, p->m);
    evn__push_int(&call, p->n);
    evn__push_int(&call, p->k);
    evn__push_int(&call, p->transpose_a);
    evn__push_int(&call, p->transpose_b);
    return evn__lower_emit(lowering, &call);
}

/// The product in slices of K, and their sum.
static evn_status emit_slices(evn__lowering *lowering, const product *p, emit_slice *emit) {
    if (p->slices == 1) {
        return emit(lowering, p, evn__operand_value(p->c));
    }
    evn__operand partial = evn__lower_scratch(lowering, p->slices * p->m * p->n);
    EVN_TRY(emit(lowering, p, partial));
    return emit_add(lowering, p, partial);
}

static evn_status emit_tiles(evn__lowering *lowering, product *p, int compute_units) {
    split_inner(p, compute_units);
    if (p->transpose_b || p->n < tile_columns(p)) {
        EVN_TRY(emit_pack(lowering, p));
    }
    return emit_slices(lowering, p, emit_product);
}

evn_status evn__lower_matmul(evn__lowering *lowering, const evn_graph *graph, evn_value value) {
    const evn__node *node = evn__node_at(graph, value);
    const evn__node *a = evn__node_at(graph, node->operands[0]);
    const evn_device_info *device = evn__lower_device(lowering);
    product p = {.c = value,
                 .m = node->shape.dim[0],
                 .n = node->shape.dim[1],
                 .k = a->shape.dim[node->attributes.transpose_a ? 0 : 1],
                 .transpose_a = node->attributes.transpose_a,
                 .transpose_b = node->attributes.transpose_b,
                 .a = evn__operand_value(node->operands[0]),
                 .b = evn__operand_value(node->operands[1])};
    p.b_stride = p.n;
    EVN_CHECK(p.m * p.n <= INT_MAX && p.k <= INT_MAX, EVN_ERR_SHAPE,
              "matmul [%lld, %lld] of %lld terms is too large: at most %d elements; use smaller "
              "batches",
              (long long)p.m, (long long)p.n, (long long)p.k, INT_MAX);
    const evn__variant *variant = evn__lower_variant(lowering, graph, value);
    if (variant && variant->algorithm == EVN__ALGORITHM_CLBLAST) {
        return emit_library(lowering, &p);
    }
    bool tiled = evn__tiled_fits(device, variant, p.m, p.n, p.k, &p.tiled);
    if (variant && (variant->algorithm == EVN__ALGORITHM_LOCAL || !is_possible(variant, &p))) {
        variant = NULL; // taken, or not possible here
    }
    p.tile = variant && variant->tile.rows > 0 ? variant->tile : choose_tile(device, p.m, p.n);
    write_options(device, &p);
    if (tiled) {
        p.slices = evn__tiled_split(&p.tiled, device);
        return emit_slices(lowering, &p, emit_tiled);
    }
    if (takes_dots(device, variant, &p)) {
        return emit_dots(lowering, &p, device->compute_units);
    }
    if (takes_small(device, variant, &p)) {
        return emit_small(lowering, &p);
    }
    if (takes_flat(device, variant, &p)) {
        return emit_flat(lowering, &p);
    }
    if (takes_blocks(device, variant, &p)) {
        choose_blocks(&p, device);
        return emit_slices(lowering, &p, emit_blocks);
    }
    return emit_tiles(lowering, &p, device->compute_units);
}
