// SPDX-License-Identifier: Apache-2.0
// Pictures of arrays: small images beside and below each other, with a colour scale. 800 wide and
// at most 600 high, as high as the tiles need; texts as in plot.h.
#ifndef EVN_PLOT_TILES_H
#define EVN_PLOT_TILES_H

#include "base/status.h"
#include "plot/palette.h"

/// One image. What is not finite is left white.
typedef struct evn__tile {
    const double *values; ///< [height, width], the first row on top
    int height, width;
    double low, high; ///< values at the ends of the colour scale; what is beyond has its end's
} evn__tile;

typedef struct evn__tiles {
    const char *title;
    const evn__tile *tiles; ///< [rows, columns]
    int rows, columns;
    const char *const *row_labels;    ///< [rows]
    const char *const *column_labels; ///< [columns]
    const char *note;                 ///< below: what the sides of a tile are, with units
    evn__palette palette;
    const char *low, *scale, *high; ///< at the ends of the colour scale and between, with its unit
} evn__tiles;

enum { EVN__TILES_SVG_CELLS = 4096 }; ///< values of all tiles that an SVG is drawn of

/// Draw folder/stem.png, and folder/stem.svg unless the tiles have more values than that.
/// @return EVN_ERR_ARGUMENT without a tile; else as evn__canvas_save
evn_status evn__tiles_save(const evn__tiles *tiles, const char *folder, const char *stem);

#endif
