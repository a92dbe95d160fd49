// SPDX-License-Identifier: Apache-2.0
#ifndef EVN_BASE_MARKS_H
#define EVN_BASE_MARKS_H

#include <stdbool.h>

/// A set of numbers that is cleared at once.
typedef struct evn__marks {
    int *at; ///< per number: the round that it was marked in
    int round, count;
} evn__marks;

static inline void evn__marks_clear(evn__marks *marks) {
    ++marks->round;
    marks->count = 0;
}

static inline bool evn__is_marked(const evn__marks *marks, int number) {
    return marks->at[number] == marks->round;
}

/// Mark a number; false where it was.
static inline bool evn__mark(evn__marks *marks, int number) {
    bool fresh = marks->at[number] != marks->round;
    marks->at[number] = marks->round;
    marks->count += fresh;
    return fresh;
}

#endif
