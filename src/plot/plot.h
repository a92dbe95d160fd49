// SPDX-License-Identifier: Apache-2.0
// Pictures of data as PNG and SVG: lines and marks in two or three dimensions.
// Texts are UTF-8; "#" begins an escape of PLplot ("##" is the character itself).
#ifndef EVN_PLOT_PLOT_H
#define EVN_PLOT_PLOT_H

#include "base/status.h"
#include <stdbool.h>

enum { EVN__SERIES_MAX = 10, EVN__PLOT_WIDTH = 800, EVN__PLOT_HEIGHT = 600 };

typedef enum evn__series_style { EVN__LINE, EVN__DASHED, EVN__MARKS, EVN__DOTS } evn__series_style;

/// Points in drawing order; one with a coordinate that is not finite, or not above 0 on a log axis,
/// interrupts the line.
typedef struct evn__series {
    const char *label; ///< in the legend; NULL: it is not there, but one of its colour is
    evn__series_style style;
    const double *x, *y, *z; ///< [count]; z NULL: two dimensions
    int count;
} evn__series;

typedef struct evn__axis {
    const char *label; ///< with its unit
    bool log;          ///< not in three dimensions
} evn__axis;

/// 800×600 pixels (SVG: points). All series have z, or none.
typedef struct evn__plot {
    const char *title;
    evn__axis x, y, z;
    const evn__series *series; ///< 1 … EVN__SERIES_MAX, with a label at least one
    int count;
    const int *colours; ///< [count], each 0 … EVN__SERIES_MAX − 1; NULL: each has its own
} evn__plot;

/// Draw into a file, whole or not at all; the format by the name's end, ".png" or ".svg".
/// @return EVN_ERR_ARGUMENT for another end, no series or too many; else as evn__canvas_write
evn_status evn__plot_write(const evn__plot *plot, const char *path);

/// Draw folder/stem.png and folder/stem.svg.
evn_status evn__plot_save(const evn__plot *plot, const char *folder, const char *stem);

#endif
