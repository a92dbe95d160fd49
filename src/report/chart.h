// SPDX-License-Identifier: Apache-2.0
// Lines over epochs as SVG inside a page: colours and letters are those of the page, in light and
// in dark.
#ifndef EVN_REPORT_CHART_H
#define EVN_REPORT_CHART_H

#include "base/memory.h"
#include <stdbool.h>

enum { EVN__CHART_COLOURS = 8 }; // of the style sheet: classes c0 …

typedef struct evn__chart_line {
    const char *label;
    int colour;
    bool dashed;
    const double *x, *y; ///< [count]; a point that is not finite interrupts the line
    int count;
} evn__chart_line;

typedef struct evn__chart {
    const char *title, *x_label;
    const evn__chart_line *lines;
    int count;
    const double *marks; ///< [mark_count] places on x where something begins
    int mark_count;
} evn__chart;

/// Append a figure with its legend. Nothing where no line has two points. The y axis is logarithmic
/// where the values are positive and span two decades.
void evn__chart_put(const evn__chart *chart, evn__text *html);

#endif
