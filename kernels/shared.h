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
#define EVN_SUM_SLOTS         32 // sums over a work-group's samples that it makes at a time

// control.cl, src/integrator/control.c. A record of a solve: pairs of reals, then numbers.
#define EVN_CONTROL_RECORD   16 // reals, of which numbers take the last ones
#define EVN_CONTROL_T        0
#define EVN_CONTROL_DT       2 // of the next attempt; of the last one where there is none
#define EVN_CONTROL_WANTED   4
#define EVN_CONTROL_ERRORS   6 // two: of the last accepted step, and of the one before
#define EVN_CONTROL_SEEN     8 // one: t as the stages of the next attempt see it
#define EVN_CONTROL_NUMBERS  9
#define EVN_CONTROL_STATUS   0
#define EVN_CONTROL_LANDS    1 // whether the next attempt ends its interval
#define EVN_CONTROL_ACCEPTED 2
#define EVN_CONTROL_REJECTED 3
#define EVN_CONTROL_INTERVAL 4
#define EVN_CONTROL_STARTS   5
#define EVN_CONTROL_TOOK     6 // what became of the attempt before
// Its status: a solve goes on, or has ended
#define EVN_CONTROL_RUNNING    0
#define EVN_CONTROL_DONE       1
#define EVN_CONTROL_TOO_SMALL  2
#define EVN_CONTROL_TOO_MANY   3
#define EVN_CONTROL_NOT_FINITE 4
#define EVN_CONTROL_NOT_SOLVED 5 // too small a step, whose equations were not solved
// TOOK
#define EVN_CONTROL_NOTHING 0
#define EVN_CONTROL_ACCEPT  1
#define EVN_CONTROL_REJECT  2
// What a solve has to keep to: reals, then pairs
#define EVN_CONTROL_RTOL       0
#define EVN_CONTROL_ATOL       1
#define EVN_CONTROL_SPAN       2 // the longest first step
#define EVN_CONTROL_LONGEST    3 // step of all
#define EVN_CONTROL_FIRST      4 // step, where it is given
#define EVN_CONTROL_T1         5
#define EVN_CONTROL_EXPONENTS  6 // three: of the controller
#define EVN_CONTROL_REMEMBERED 9 // the least error that it remembers
#define EVN_CONTROL_T0         10
#define EVN_CONTROL_SAFETY     12
#define EVN_CONTROL_LEAST      14
#define EVN_CONTROL_MOST       16
#define EVN_CONTROL_DT_MIN     18
#define EVN_CONTROL_ENDS       20

// interpolate.cl, src/per_sample/sample_step.c: steps of each sample's own. Columns of reals.
#define EVN_SAMPLE_ENDS     6 // of a solve: begin and end, pairs, and the way between them
#define EVN_SAMPLE_BEGIN    0
#define EVN_SAMPLE_END      2
#define EVN_SAMPLE_WAY      4
#define EVN_SAMPLE_BEFORE   5 // attempts of the parts before, which max_steps counts, too
#define EVN_SAMPLE_RECORD   9 // after an attempt
#define EVN_SAMPLE_T        0 // a pair
#define EVN_SAMPLE_WANTED   2 // the next step, before it is cut short to land
#define EVN_SAMPLE_ACCEPTED 3
#define EVN_SAMPLE_REJECTED 4
#define EVN_SAMPLE_STATUS   5 // EVN_CONTROL_RUNNING, …
#define EVN_SAMPLE_ERRORS   6 // of the accepted step before, and of the one before that
#define EVN_SAMPLE_REFUSED  8 // whether it was rejected
#define EVN_SAMPLE_STEP     3 // what an attempt did: from t, a pair, a step of dt; 0: none
#define EVN_SAMPLE_STEP_T   0
#define EVN_SAMPLE_STEP_DT  2
#define EVN_DENSE_PLACE     3 // a time of the batch: its step, which is a × EVN_DENSE_RADIX + b; θ
#define EVN_DENSE_RADIX     4096
// Whether factor p of an interpolant of so many terms is 1 − θ, not θ (src/methods/interpolant.h).
#define EVN_FACTOR_MIRRORS(terms, p) ((terms) > 5 && (p) % 2 == 0)

// elementwise.cl, src/elements/generate.c
#define EVN_EPILOGUE_LANES 16

#endif
