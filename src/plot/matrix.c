// SPDX-License-Identifier: Apache-2.0
#include "plot/matrix.h"

#include "plot/canvas.h"
#include "plot/palette.h"
#include "plot/tiles.h"

#include <math.h>
#include <plplot/plplot.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    WIDTH = 800,
    HEIGHT = 760,
    LEFT = 170, ///< of the cells, in pixels from the page's lower left corner
    BOTTOM = 130,
    SIDE = 560,
    NUMBERED = 20,  ///< most rows whose cells have numbers
    LABELLED = 40,  ///< most rows that all have labels
    CHARACTERS = 14 ///< of a label
};

static double cell_of(const evn__matrix *m) {
    return (double)SIDE / m->count;
}

/// A text that means itself to PLplot ("#" begins an escape), cut to so many characters.
static const char *plain(const char *text, char out[8 * CHARACTERS]) {
    size_t used = 0;
    int characters = 0;
    for (; *text && used < 8 * CHARACTERS - 8; ++text) {
        characters += ((unsigned char)*text & 0xc0) != 0x80;
        if (characters > CHARACTERS) {
            break;
        }
        used += (size_t)snprintf(out + used, 3, *text == '#' ? "##" : "%c", *text);
    }
    snprintf(out + used, 8, "%s", *text ? "…" : "");
    return out;
}

static void draw_cell(const evn__matrix *m, int row, int column) {
    double side = cell_of(m), left = LEFT + column * side, top = BOTTOM + SIDE - row * side;
    double x[] = {left, left + side, left + side, left}, y[] = {top, top, top - side, top - side};
    double value = m->values[row * m->count + column];
    int64_t number = m->numbers[row * m->count + column];
    plcol1(isfinite(value) ? fmin(fmax(value, 0), 1) : 0);
    plfill(4, x, y);
    if (m->count <= NUMBERED && number != 0) {
        char text[32];
        snprintf(text, sizeof(text), "%lld", (long long)number);
        plcol0(isfinite(value) && value > 0.5 ? 0 : EVN__COLOUR_AXES); // white on dark
        plptex(left + side / 2, top - side / 2, 1, 0, 0.5, text);
    }
}

static void draw_labels(const evn__matrix *m) {
    char text[8 * CHARACTERS];
    double side = cell_of(m);
    int every = (m->count + LABELLED - 1) / LABELLED;
    plcol0(EVN__COLOUR_AXES);
    for (int i = 0; i < m->count; i += every) {
        double middle = (i + 0.5) * side;
        plain(m->labels[i], text);
        plptex(LEFT - 8, BOTTOM + SIDE - middle, 1, 0, 1, text);
        plptex(LEFT + middle, BOTTOM - 8, 0, 1, 1, text); // upwards, ends below the cells
    }
}

static void draw(const void *user) {
    const evn__matrix *m = user;
    evn__palette_set(EVN__PALETTE_HEAT);
    plvpor(0, 1, 0, 1);
    plwind(0, WIDTH, 0, HEIGHT);
    plschr(0, m->count <= NUMBERED / 2 ? 0.95 : 0.7);
    for (int i = 0; i < m->count * m->count; ++i) {
        draw_cell(m, i / m->count, i % m->count);
    }
    draw_labels(m);
    double x[] = {LEFT, LEFT + SIDE, LEFT + SIDE, LEFT, LEFT};
    double y[] = {BOTTOM, BOTTOM, BOTTOM + SIDE, BOTTOM + SIDE, BOTTOM};
    plwidth(0.5);
    plline(5, x, y);
    plschr(0, 0.95);
    plptex(LEFT + SIDE / 2, BOTTOM + SIDE + 40, 1, 0, 0.5, m->title);
    plptex(LEFT + SIDE / 2, BOTTOM + SIDE + 14, 1, 0, 0.5, m->note);
    plptex(LEFT + SIDE / 2, 14, 1, 0, 0.5, m->columns);
    plptex(20, BOTTOM + SIDE / 2, 0, 1, 0.5, m->rows);
}

evn_status evn__matrix_save(const evn__matrix *matrix, const char *folder, const char *stem) {
    EVN_CHECK(matrix->count >= 1, EVN_ERR_ARGUMENT, "a matrix has at least one row");
    bool raster = matrix->count * matrix->count > EVN__TILES_SVG_CELLS;
    return (raster ? evn__canvas_save_png : evn__canvas_save)(folder, stem, WIDTH, HEIGHT, draw,
                                                              matrix);
}
