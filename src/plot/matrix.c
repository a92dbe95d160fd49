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
    SIDE = 560,    ///< of all cells, in pixels
    TITLES = 45,   ///< left of the labels and below them: an axis title and gaps
    RIGHT = 70,    ///< beside the cells
    TOP = 70,      ///< above them: title and note
    NUMBERED = 20, ///< most rows whose cells have numbers
    LABELLED = 40, ///< most rows that all have labels
    LABEL = 290,   ///< room for a label, at a scale of 1
    BYTES = 256,   ///< of its text
    PAGE = 760     ///< texts grow with the page; on one of this height they have their scale
};

/// A matrix with its place: the cells' lower left corner, from the page's, is (room, room).
typedef struct picture {
    const evn__matrix *matrix;
    int room; ///< for labels and axis title
} picture;

static double cell_of(const evn__matrix *m) {
    return (double)SIDE / m->count;
}

/// About the width of the character that begins with this byte, at a scale of 1: PLplot cannot
/// measure a text.
static int width_of(unsigned char first) {
    static const char wide[] = "MWmw@%";
    if ((first & 0xc0) == 0x80) {
        return 0; // goes on with the one before
    }
    if (first >= 0xe0 || memchr(wide, first, sizeof(wide) - 1)) {
        return 20; // Chinese, for instance
    }
    return first >= 0xc0 || (first >= 'A' && first <= 'Z') ? 14 : 12;
}

/// A text that means itself to PLplot ("#" begins an escape), shortened to LABEL; its width.
static int plain(const char *text, char out[BYTES]) {
    size_t used = 0;
    int width = 0;
    for (; *text && used < BYTES - 8; ++text) {
        int more = width_of((unsigned char)*text);
        if (width + more > LABEL) {
            break;
        }
        width += more;
        used += (size_t)snprintf(out + used, 3, *text == '#' ? "##" : "%c", *text);
    }
    snprintf(out + used, 8, "%s", *text ? "…" : "");
    return width + (*text ? width_of(0xe2) : 0);
}

static double text_scale(const evn__matrix *m) {
    return m->count <= NUMBERED / 2 ? 0.95 : 0.7;
}

static int room_of(const evn__matrix *m) {
    int widest = 3 * width_of('0');
    char text[BYTES];
    for (int i = 0; i < m->count; ++i) {
        int width = plain(m->labels[i], text);
        widest = width > widest ? width : widest;
    }
    return TITLES + (int)ceil(text_scale(m) * widest);
}

static void draw_cell(const picture *p, int row, int column) {
    const evn__matrix *m = p->matrix;
    double side = cell_of(m), left = p->room + column * side, top = p->room + SIDE - row * side;
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

static void draw_labels(const picture *p) {
    const evn__matrix *m = p->matrix;
    char text[BYTES];
    double side = cell_of(m);
    int every = (m->count + LABELLED - 1) / LABELLED;
    plcol0(EVN__COLOUR_AXES);
    for (int i = 0; i < m->count; i += every) {
        double middle = (i + 0.5) * side;
        plain(m->labels[i], text);
        plptex(p->room - 8, p->room + SIDE - middle, 1, 0, 1, text);
        plptex(p->room + middle, p->room - 8, 0, 1, 1, text); // upwards, ends below the cells
    }
}

static void draw(const void *user) {
    const picture *p = user;
    const evn__matrix *m = p->matrix;
    double low = p->room, high = low + SIDE, middle = low + SIDE / 2;
    evn__palette_set(EVN__PALETTE_HEAT);
    plvpor(0, 1, 0, 1);
    plwind(0, high + RIGHT, 0, high + TOP);
    plschr(0, text_scale(m) * PAGE / (high + TOP));
    for (int i = 0; i < m->count * m->count; ++i) {
        draw_cell(p, i / m->count, i % m->count);
    }
    draw_labels(p);
    double x[] = {low, high, high, low, low}, y[] = {low, low, high, high, low};
    plwidth(0.5);
    plline(5, x, y);
    plschr(0, 0.95 * PAGE / (high + TOP));
    plptex(middle, high + 40, 1, 0, 0.5, m->title);
    plptex(middle, high + 14, 1, 0, 0.5, m->note);
    plptex(middle, 14, 1, 0, 0.5, m->columns);
    plptex(20, middle, 0, 1, 0.5, m->rows);
}

evn_status evn__matrix_save(const evn__matrix *matrix, const char *folder, const char *stem) {
    EVN_CHECK(matrix->count >= 1, EVN_ERR_ARGUMENT, "a matrix has at least one row");
    bool raster = matrix->count * matrix->count > EVN__TILES_SVG_CELLS;
    const picture p = {matrix, room_of(matrix)};
    return (raster ? evn__canvas_save_png : evn__canvas_save)(folder, stem, p.room + SIDE + RIGHT,
                                                              p.room + SIDE + TOP, draw, &p);
}
