// SPDX-License-Identifier: Apache-2.0
#include "integrator/lookahead.h"

#include <math.h>
#include <stdbool.h>

static int kept(const evn__lookahead *l) {
    return l->solves < EVN__LOOKAHEAD_SOLVES ? l->solves : EVN__LOOKAHEAD_SOLVES;
}

void evn__lookahead_add(evn__lookahead *l, int attempts) {
    l->attempts[l->solves % EVN__LOOKAHEAD_SOLVES] = attempts;
    // Both are the same modulo EVN__LOOKAHEAD_SOLVES.
    l->solves = l->solves + 1 < 2 * EVN__LOOKAHEAD_SOLVES ? l->solves + 1 : EVN__LOOKAHEAD_SOLVES;
}

/// Whether a step behind the end costs less than a look.
static bool is_cheap(const evn__lookahead *l) {
    return l->surplus > 0 && l->surplus <= l->wait;
}

/// What enqueueing `count` more would have cost in the last solves that went on from here.
static double cost_of(const evn__lookahead *l, int made, int count) {
    double surplus = l->surplus > 0 ? l->surplus : INFINITY, cost = 0;
    for (int i = 0; i < kept(l); ++i) {
        int rest = l->attempts[i] - made;
        if (rest > count) {
            cost += l->wait;
        } else if (rest > 0 && rest < count) {
            cost += (count - rest) * surplus;
        }
    }
    return cost;
}

static int cheapest(const evn__lookahead *l, int made) {
    int best = 0;
    double least = INFINITY;
    for (int i = 0; i < kept(l); ++i) {
        int rest = l->attempts[i] - made;
        int count = rest > EVN__LOOKAHEAD_MAX ? EVN__LOOKAHEAD_MAX : rest;
        double cost = count > 0 ? cost_of(l, made, count) : INFINITY;
        if (cost < least || (cost == least && count < best)) {
            least = cost;
            best = count;
        }
    }
    return best;
}

int evn__lookahead_guess(const evn__lookahead *l, double fits) {
    if (!is_cheap(l) || !(fits > 1)) {
        return 1;
    }
    return fits < EVN__LOOKAHEAD_MAX ? (int)ceil(fits) : EVN__LOOKAHEAD_MAX;
}

int evn__lookahead_choose(const evn__lookahead *l, int made, double fits) {
    int best = cheapest(l, made);
    return best > 0 ? best : evn__lookahead_guess(l, fits);
}
