// SPDX-License-Identifier: Apache-2.0
// Cotangents of the times and of the lengths of steps, each left there by its step of a gradient.
#ifndef EVN_GRADIENTS_TIME_BARS_H
#define EVN_GRADIENTS_TIME_BARS_H

#include "evonode/plan.h"

typedef struct evn__time_bars {
    evn_buffer *buffer; ///< [2][stride]: of t, then of dt; NULL: they are not wanted
    size_t stride;      ///< steps that there is memory for
} evn__time_bars;

enum { EVN__TIME_BARS = 2, EVN__T_BAR = 0, EVN__DT_BAR = 1 };

/// Of t or of dt, from a step on.
static inline evn_binding evn__time_bars_at(evn__time_bars bars, int which, int step) {
    return (evn_binding){bars.buffer, (size_t)which * bars.stride + (size_t)step};
}

/// Both of a step, where they are wanted; returns the place after.
static inline evn_binding *evn__time_bars_bind(evn__time_bars bars, int step, evn_binding *to) {
    for (int i = 0; i < EVN__TIME_BARS && bars.buffer; ++i) {
        *to++ = evn__time_bars_at(bars, i, step);
    }
    return to;
}

#endif
