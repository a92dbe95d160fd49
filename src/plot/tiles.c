// SPDX-License-Identifier: Apache-2.0
#include "plot/tiles.h"

#include "plot/canvas.h"
#include "plot/plot.h"
#include <math.h>
#include <plplot/plplot.h>
#include <stdbool.h>

enum { LEVELS = 64 }; // of colour: neighbours of the same one are drawn as one rectangle

/// Pixels from the page's lower left corner.
typedef struct area {
    double left, bottom, width, height;
} area;

/// GRID is the most that the tiles can have; the page is as much lower as they need less.
static const area GRID = {150, 96, 630, 424}, SCALE = {260, 40, 280, 16};
static const double TITLE_Y = 54, NOTE_Y = 76, GAP = 0.06, LINE = 15; // the title's above the tiles

// Colours -----------------------------------------------------------------------------------------

/// −1: not to be drawn.
static int level_of(const evn__tile *tile, int row, int column) {
    double value = tile->values[row * tile->width + column];
    if (!isfinite(value)) {
        return -1;
    }
    double share = tile->high > tile->low ? (value - tile->low) / (tile->high - tile->low) : 0.5;
    return (int)lround(fmin(fmax(share, 0), 1) * (LEVELS - 1));
}

static void fill(int level, double left, double right, double bottom, double top) {
    double x[] = {left, right, right, left}, y[] = {bottom, bottom, top, top};
    plcol1(level / (double)(LEVELS - 1));
    plfill(4, x, y);
}

// Tiles -------------------------------------------------------------------------------------------

/// From the upper left corner on. Each rectangle goes a little under its right and lower
/// neighbours, which are drawn later: no seam shines through.
static void draw_values(const evn__tile *tile, area a) {
    const double under = 0.5;
    double width = a.width / tile->width, height = a.height / tile->height;
    for (int row = 0; row < tile->height; ++row) {
        double top = a.bottom + a.height - row * height;
        double bottom = fmax(top - height - under, a.bottom);
        for (int first = 0, next; first < tile->width; first = next) {
            int level = level_of(tile, row, first);
            for (next = first + 1; next < tile->width && level_of(tile, row, next) == level;) {
                ++next;
            }
            if (level >= 0) {
                double right = fmin(a.left + next * width + under, a.left + a.width);
                fill(level, a.left + first * width, right, bottom, top);
            }
        }
    }
}

static void draw_frame(area a) {
    double x[] = {a.left, a.left + a.width, a.left + a.width, a.left, a.left};
    double y[] = {a.bottom, a.bottom, a.bottom + a.height, a.bottom + a.height, a.bottom};
    plcol0(EVN__COLOUR_AXES);
    plwidth(0.5);
    plline(5, x, y);
}

static void draw_scale(const evn__tiles *t) {
    double middle = SCALE.bottom + SCALE.height / 2, right = SCALE.left + SCALE.width;
    for (int i = 0; i < LEVELS; ++i) {
        double left = SCALE.left + SCALE.width * i / LEVELS;
        fill(i, left, right, SCALE.bottom, SCALE.bottom + SCALE.height);
    }
    draw_frame(SCALE);
    plptex(SCALE.left - 8, middle, 1, 0, 1, t->low);
    plptex(right + 8, middle, 1, 0, 0, t->high);
    plptex(SCALE.left + SCALE.width / 2, SCALE.bottom - LINE, 1, 0, 0.5, t->scale);
}

/// Of a tile with the gap to the next.
static double side_of(const evn__tiles *t) {
    return fmin(GRID.width / t->columns, GRID.height / t->rows);
}

static double top_of(const evn__tiles *t) {
    return GRID.bottom + side_of(t) * t->rows;
}

static int page_height(const evn__tiles *t) {
    return EVN__PLOT_HEIGHT - (int)(GRID.bottom + GRID.height - top_of(t));
}

static void draw_grid(const evn__tiles *t) {
    double side = side_of(t), inner = side * (1 - GAP), top = top_of(t);
    double start = GRID.left + (GRID.width - side * t->columns) / 2;
    for (int row = 0; row < t->rows; ++row) {
        double bottom = top - side * row - inner;
        plcol0(EVN__COLOUR_AXES);
        plptex(start - 10, bottom + inner / 2, 1, 0, 1, t->row_labels[row]);
        for (int column = 0; column < t->columns; ++column) {
            area a = {start + side * column, bottom, inner, inner};
            draw_values(&t->tiles[row * t->columns + column], a);
            draw_frame(a);
        }
    }
    for (int column = 0; column < t->columns; ++column) {
        plptex(start + side * column + inner / 2, top + LINE, 1, 0, 0.5, t->column_labels[column]);
    }
}

static void draw(const void *user) {
    const evn__tiles *t = user;
    evn__palette_set(t->palette);
    plvpor(0, 1, 0, 1);
    plwind(0, EVN__PLOT_WIDTH, 0, page_height(t));
    plschr(0, 0.95);
    draw_grid(t);
    plcol0(EVN__COLOUR_AXES);
    plptex(EVN__PLOT_WIDTH / 2.0, top_of(t) + TITLE_Y, 1, 0, 0.5, t->title);
    plptex(EVN__PLOT_WIDTH / 2.0, NOTE_Y, 1, 0, 0.5, t->note);
    draw_scale(t);
}

/// A rectangle takes 400 bytes of an SVG, which soon has megabytes.
static bool is_raster(const evn__tiles *t) {
    int cells = 0;
    for (int i = 0; i < t->rows * t->columns; ++i) {
        cells += t->tiles[i].height * t->tiles[i].width;
    }
    return cells > EVN__TILES_SVG_CELLS;
}

evn_status evn__tiles_save(const evn__tiles *tiles, const char *folder, const char *stem) {
    EVN_CHECK(tiles->rows >= 1 && tiles->columns >= 1, EVN_ERR_ARGUMENT,
              "a picture has at least one tile");
    return (is_raster(tiles) ? evn__canvas_save_png : evn__canvas_save)(
        folder, stem, EVN__PLOT_WIDTH, page_height(tiles), draw, tiles);
}
