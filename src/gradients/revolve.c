// SPDX-License-Identifier: Apache-2.0
#include "gradients/revolve.h"

/// Steps that `slots` states can reverse where each step is gone at most `times` times without
/// being reversed: the binomial (slots + times over slots); 0 where there are none, or no more than
/// `most`.
static int64_t reach(int slots, int times, int64_t most) {
    if (slots < 0 || times < 0) {
        return 0;
    }
    int64_t value = 1;
    for (int i = 1; i <= slots && value <= most; ++i) {
        value = value * (times + i) / i;
    }
    return value < most ? value : most;
}

/// How often a step has to be gone at most.
static int times_of(int steps, int slots) {
    int times = 0;
    while (reach(slots, times, steps) < steps) {
        ++times;
    }
    return times;
}

int evn__revolve_advance(int steps, int slots) {
    if (slots <= 1) {
        return steps - 1;
    }
    if (slots >= steps - 1) {
        return 1; // no step is gone more than once
    }
    int times = times_of(steps, slots);
    // What is left over is reversed with one slot less, and must not need fewer turns than it may:
    // both parts together are then as cheap as can be.
    int64_t first = reach(slots, times - 1, steps);
    int64_t left = steps - reach(slots - 1, times - 1, steps);
    int64_t advance = first < left ? first : left;
    return advance < 1 ? 1 : (int)(advance < steps ? advance : steps - 1);
}

int64_t evn__revolve_cost(int steps, int slots) {
    int64_t cost = 0;
    while (steps > 1) { // the part behind the next kept state, and so on; then the one before it
        int advance = evn__revolve_advance(steps, slots);
        if (slots <= 1) {
            return cost + (int64_t)steps * (steps - 1) / 2;
        }
        cost += advance + evn__revolve_cost(steps - advance, slots - 1);
        steps = advance;
    }
    return cost;
}
