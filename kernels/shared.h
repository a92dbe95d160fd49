// SPDX-License-Identifier: Apache-2.0
// shared.h — numbers that kernels and the host code that launches them must agree on: read by both,
// so that each has one home. In the head of each program, always as it was built in: another one
// would not be the host's.
#ifndef EVN_KERNELS_SHARED_H
#define EVN_KERNELS_SHARED_H

// matmul.cl, src/ops/matmul.c
#define EVN_PACK_ROWS 16  // elements of one column that a work-item packs
#define EVN_DOTS      8   // dot products that a work-item has at a time
#define EVN_SMALL_RUN 256 // adjacent columns of a work-item, of products smaller than tiles

// optimizer.cl, src/optim/lbfgs.c
#define EVN_LBFGS_ROWS 4 // steps whose products with the gradient are computed together

// samples.cl, src/samples, src/plan
#define EVN_RUN_OFFSETS_FIRST 3  // numbers before the offsets of the runs (src/ops/lower.h)
#define EVN_TILE_VECTORS      8  // vectors of a result that an item keeps in registers
#define EVN_DOT_ROWS          8  // rows of a dot product at a time,
#define EVN_RUN_OF_DOTS       64 // and of an item: a multiple

// elementwise.cl, src/elements/generate.c
#define EVN_EPILOGUE_LANES 16

#endif
