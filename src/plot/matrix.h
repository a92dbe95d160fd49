// SPDX-License-Identifier: Apache-2.0
// Pictures of square tables whose rows and columns are the same things: a colour and a number for
// each cell.
#ifndef EVN_PLOT_MATRIX_H
#define EVN_PLOT_MATRIX_H

#include "base/status.h"
#include <stdint.h>

typedef struct evn__matrix {
    const char *title, *rows, *columns, *note; ///< as in plot.h
    const char *const *labels;                 ///< [count], any text
    int count;
    const double *values;   ///< [count, count] 0 … 1: white to dark; not finite: white
    const int64_t *numbers; ///< [count, count] written into the cells, where these have room
} evn__matrix;

/// Draw folder/stem.png, and folder/stem.svg unless there are too many cells for one (tiles.h).
/// @return EVN_ERR_ARGUMENT without a cell; else as evn__canvas_save
evn_status evn__matrix_save(const evn__matrix *matrix, const char *folder, const char *stem);

#endif
