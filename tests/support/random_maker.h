// SPDX-License-Identifier: Apache-2.0
// A random graph in the making: draws, and the values that later operations may read.
#ifndef EVN_TEST_RANDOM_MAKER_H
#define EVN_TEST_RANDOM_MAKER_H

#include "random_graph.h"
#include "test.h"

enum { RANDOM_VALUES = 400, RANDOM_LARGEST_BOUND = 8 };

/// A value that later operations may read.
typedef struct random_candidate {
    evn_value value;
    double bound; ///< of its magnitude
    bool exact;   ///< not rounded
    bool read;
} random_candidate;

typedef struct random_maker {
    evn_graph *graph;
    random_kind kind;
    uint64_t state;
    int64_t elements, batch;
    random_candidate known[RANDOM_VALUES];
    int count, inputs;
} random_maker;

int64_t random_draw(random_maker *m, int64_t n); ///< in [0, n) (splitmix64)
double random_fraction(random_maker *m);         ///< in [0, 1)

evn_shape random_shape_of(const random_maker *m, evn_value value);
int64_t random_count_of(const random_maker *m, evn_value value);

/// Make `value` known; false where it is none or too large.
bool random_offer(random_maker *m, evn_value value, double bound, bool exact);
random_candidate random_new_input(random_maker *m, evn_shape shape);

/// Rather one of the last, so that the graph becomes deep.
random_candidate random_pick(random_maker *m);
/// One that has `shape`, or comes to it by broadcast; else a new input. Or it is brought to it.
random_candidate random_pick_like(random_maker *m, evn_shape shape);
random_candidate random_pick_same(random_maker *m, evn_shape shape);
/// One that is not rounded, of that rank (−1: any).
random_candidate random_pick_exact(random_maker *m, int rank);
random_candidate random_pick_image(random_maker *m);
random_candidate random_pick_matrix(random_maker *m);

/// Add an operation, one of those of the kind, where something comes of it. (random_operation.c)
void random_operation(random_maker *m);

#endif
