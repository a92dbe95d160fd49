// SPDX-License-Identifier: Apache-2.0
// Bars with their spread as SVG inside a page: a group for each thing, a bar for each of those who
// did it. Names stand above their bars, so that it can be read on a phone.
#ifndef EVN_REPORT_BARS_H
#define EVN_REPORT_BARS_H

#include "base/memory.h"
#include <stdbool.h>

typedef struct evn__bar {
    double value, low, high; ///< value NaN: there is none; low, high: the spread, NaN: none
} evn__bar;

typedef struct evn__bars {
    const char *title;
    const char *const *groups; ///< [group_count] names
    const char *const *labels; ///< [count] who
    const evn__bar *bars;      ///< [group_count, count], values >= 0
    int group_count, count;
    int first_colour; ///< of the first label
    double mark;      ///< > 0: bars begin there, and the scale is logarithmic; NaN: at 0
    bool percent;     ///< values are fractions, shown as per cent
} evn__bars;

/// Append a figure with its legend, without the groups that have no value; nothing where none has.
void evn__bars_put(const evn__bars *bars, evn__text *html);

#endif
