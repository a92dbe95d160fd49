// SPDX-License-Identifier: Apache-2.0
// Variants: the ways in which a kernel family can compute an operation. Each family lists those
// that the tuner may try in its own file. Lowering takes the one that was found fastest for the
// shape class on this device, and the family's own choice where none was.
#ifndef EVN_OPS_VARIANT_H
#define EVN_OPS_VARIANT_H

#include "ops/lower.h"
#include "ops/tile.h"

typedef enum evn__algorithm {
    EVN__ALGORITHM_TILES,       ///< tiles in registers
    EVN__ALGORITHM_DOTS,        ///< matmul: dot products of rows, where the shape allows them
    EVN__ALGORITHM_SMALL,       ///< matmul: one plain loop, b as it lies
    EVN__ALGORITHM_FLAT,        ///< matmul: long runs of a row of c, one row after the other
    EVN__ALGORITHM_BLOCKS,      ///< matmul: tiles, in blocks for the caches of a CPU
    EVN__ALGORITHM_LOCAL,       ///< tiles of both operands in local memory (tiled.h)
    EVN__ALGORITHM_CLBLAST,     ///< matmul: the library's (host/blast.h)
    EVN__ALGORITHM_WINOGRAD,    ///< conv2d: Winograd's method for CPUs (winograd.h)
    EVN__ALGORITHM_WINOGRAD_2,  ///< conv2d: for GPUs, tiles of 2×2 outputs (winograd_tiled.h)
    EVN__ALGORITHM_WINOGRAD_4,  ///< of 4×4
    EVN__ALGORITHM_ONE_BARRIER, ///< sums over a work-group: each item adds up what it needs
    EVN__ALGORITHM_SUB_GROUPS,  ///< those of sub-groups (group_sum.h)
} evn__algorithm;

/// One candidate. Any shape must be computed right: where the algorithm is not for it, the family
/// takes its own choice instead.
typedef struct evn__variant {
    evn__algorithm algorithm;
    evn__tile tile; ///< zero where the algorithm has none
} evn__variant;

#define EVN__VARIANT_OF(algorithm, rows, vectors, width, x, y)                                     \
    {                                                                                              \
        algorithm, {                                                                               \
            rows, vectors, width, {                                                                \
                x, y, 1                                                                            \
            }                                                                                      \
        }                                                                                          \
    }
#define EVN__VARIANT_TILE(rows, vectors, width, x, y)                                              \
    EVN__VARIANT_OF(EVN__ALGORITHM_TILES, rows, vectors, width, x, y)
#define EVN__VARIANT_LOCAL(rows, vectors, x, y)                                                    \
    EVN__VARIANT_OF(EVN__ALGORITHM_LOCAL, rows, vectors, 4, x, y)

/// Rows for the families that compute tiles. First for CPUs: one work-item a group, accumulators
/// for 32 registers of 16, then of 8 and of 4; then for other devices: many work-items of few
/// registers, without and with local memory.
#define EVN__VARIANT_TILES                                                                         \
    EVN__VARIANT_TILE(8, 2, 16, 1, 1), EVN__VARIANT_TILE(6, 2, 16, 1, 1),                          \
        EVN__VARIANT_TILE(12, 2, 16, 1, 1), EVN__VARIANT_TILE(4, 4, 16, 1, 1),                     \
        EVN__VARIANT_TILE(4, 2, 16, 1, 1), EVN__VARIANT_TILE(8, 1, 16, 1, 1),                      \
        EVN__VARIANT_TILE(6, 2, 8, 1, 1), EVN__VARIANT_TILE(4, 3, 8, 1, 1),                        \
        EVN__VARIANT_TILE(8, 1, 8, 1, 1), EVN__VARIANT_TILE(6, 2, 4, 1, 1),                        \
        EVN__VARIANT_TILE(4, 1, 4, 16, 4), EVN__VARIANT_TILE(8, 1, 4, 16, 4),                      \
        EVN__VARIANT_TILE(8, 1, 4, 16, 8), EVN__VARIANT_TILE(4, 2, 4, 8, 8),                       \
        EVN__VARIANT_TILE(8, 2, 4, 8, 8), EVN__VARIANT_TILE(4, 1, 8, 8, 8),                        \
        EVN__VARIANT_TILE(2, 1, 4, 16, 8), EVN__VARIANT_LOCAL(8, 2, 16, 16),                       \
        EVN__VARIANT_LOCAL(8, 1, 16, 16), EVN__VARIANT_LOCAL(4, 2, 16, 16),                        \
        EVN__VARIANT_LOCAL(4, 1, 16, 16), EVN__VARIANT_LOCAL(4, 1, 16, 8),                         \
        EVN__VARIANT_LOCAL(8, 2, 8, 8), EVN__VARIANT_LOCAL(8, 1, 8, 8),                            \
        EVN__VARIANT_LOCAL(4, 2, 8, 8), EVN__VARIANT_LOCAL(4, 1, 8, 8)

typedef struct evn__space {
    const evn__variant *rows;
    int count;
} evn__space;

enum { EVN__VARIANT_NAME = 64, EVN__VARIANT_KEY = 256 };

/// What the tuner may try for an operation; NULL where there is nothing to choose.
extern const evn__space *const evn__space_table[EVN__OP_COUNT];

extern const evn__space evn__space_matmul;    // matmul.c
extern const evn__space evn__space_conv2d;    // conv2d.c
extern const evn__space evn__space_normalize; // normalize.c
extern const evn__space evn__space_krylov;    // krylov.c

/// "clblast", "tiles 8x2x16 in 1x1": rows, vectors and width of the tile, work-group. Stable: it is
/// in files.
const char *evn__variant_name(const evn__variant *variant, char name[EVN__VARIANT_NAME]);

/// Whether it is Winograd's method for GPUs.
static inline bool evn__variant_is_winograd(const evn__variant *variant) {
    return variant->algorithm == EVN__ALGORITHM_WINOGRAD_2 ||
           variant->algorithm == EVN__ALGORITHM_WINOGRAD_4;
}

/// Why there is no use in trying it on the device; NULL: there is.
const char *evn__variant_unfit(const evn__variant *variant, const evn_device_info *device);

/// The operation's variant of that name; NULL when there is none.
const evn__variant *evn__variant_find(evn__op op, const char *name);

/// The shape class of a node, with operation and precision: extents up to 8 as they are, others as
/// the next power of two. Stable: it is in files.
const char *evn__variant_key(const evn_graph *graph, evn_value value, bool fp64,
                             char key[EVN__VARIANT_KEY]);

/// An extent as it stands in keys.
int64_t evn__variant_extent(int64_t extent);

/// The tuned variant for a node on the plan's device; NULL: the family chooses.
const evn__variant *evn__lower_variant(const evn__lowering *lowering, const evn_graph *graph,
                                       evn_value value);

#endif
