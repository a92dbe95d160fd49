// SPDX-License-Identifier: Apache-2.0
#include "plot/plot.h"

#include "plot/canvas.h"
#include <math.h>
#include <plplot/plplot.h>
#include <string.h>

static const double MARGIN = 0.04, MARGIN_3D = 0.1;  // of the range, on each side
static const double LEGEND_ROW = 0.04;               // of the page's height
enum { LEGEND_CHARACTERS = 80, LEGEND_SAMPLE = 11 }; // in a row; taken by a sample of the line
enum { LEGEND_ROWS = 2 };                            // of large letters
static const double LEGEND_SMALL = 0.8;              // size of letters where there are more
static const char MARK[] = "○", DOT[] = "·";

typedef struct range {
    double low, high;
} range;

// Coordinates -------------------------------------------------------------------------------------

static double coordinate(const evn__axis *axis, double value) {
    return axis->log ? log10(value) : value;
}

/// Coordinates of point `index`; whether all are finite.
static bool point_at(const evn__plot *plot, const evn__series *series, int index, double at[3]) {
    at[0] = coordinate(&plot->x, series->x[index]);
    at[1] = coordinate(&plot->y, series->y[index]);
    at[2] = series->z ? series->z[index] : 0;
    return isfinite(at[0]) && isfinite(at[1]) && isfinite(at[2]);
}

/// A range without extent, or without any point, gets one.
static range widen(range r, double margin) {
    if (r.low > r.high) {
        return (range){0, 1};
    }
    double extent = r.high - r.low;
    double more = extent > 0 ? margin * extent : fmax(0.5 * fabs(r.low), 0.5);
    return (range){r.low - more, r.high + more};
}

/// Only whole decades are labelled: a log axis has two of them at least.
static range hold_decades(range r) {
    return floor(r.high) - ceil(r.low) < 1 ? (range){floor(r.low), ceil(r.high)} : r;
}

static void find_ranges(const evn__plot *plot, range ranges[3]) {
    double at[3];
    for (int i = 0; i < 3; ++i) {
        ranges[i] = (range){INFINITY, -INFINITY};
    }
    for (int s = 0; s < plot->count; ++s) {
        for (int k = 0; k < plot->series[s].count; ++k) {
            for (int i = 0; i < 3 && point_at(plot, &plot->series[s], k, at); ++i) {
                ranges[i].low = fmin(ranges[i].low, at[i]);
                ranges[i].high = fmax(ranges[i].high, at[i]);
            }
        }
    }
    for (int i = 0; i < 3; ++i) {
        ranges[i] = widen(ranges[i], plot->series[0].z ? MARGIN_3D : MARGIN);
    }
    ranges[0] = plot->x.log ? hold_decades(ranges[0]) : ranges[0];
    ranges[1] = plot->y.log ? hold_decades(ranges[1]) : ranges[1];
}

// Series ------------------------------------------------------------------------------------------

static double line_width(const evn__series *series) {
    return series->style == EVN__LINE ? 2 : 2.5;
}

static int colour_of(const evn__plot *plot, int index) {
    return EVN__COLOUR_SERIES + (plot->colours ? plot->colours[index] : index);
}

static void set_pen(const evn__plot *plot, int index) {
    const evn__series *series = &plot->series[index];
    plcol0(colour_of(plot, index));
    plwidth(line_width(series));
    pllsty(series->style == EVN__DASHED ? 2 : 1);
}

/// NULL for a line.
static const char *mark_of(const evn__series *series) {
    return series->style == EVN__MARKS ? MARK : series->style == EVN__DOTS ? DOT : NULL;
}

static void draw_segment(const evn__series *series, const double from[3], const double to[3]) {
    double x[] = {from[0], to[0]}, y[] = {from[1], to[1]}, z[] = {from[2], to[2]};
    if (series->z) {
        plline3(2, x, y, z);
    } else {
        plline(2, x, y);
    }
}

static void draw_mark(const evn__series *series, const double at[3]) {
    if (series->z) {
        plstring3(1, &at[0], &at[1], &at[2], mark_of(series));
    } else {
        plstring(1, &at[0], &at[1], mark_of(series));
    }
}

static void draw_marks(const evn__plot *plot, const evn__series *series) {
    double at[3];
    for (int k = 0; k < series->count; ++k) {
        if (point_at(plot, series, k, at)) {
            draw_mark(series, at);
        }
    }
}

/// In one piece where nothing interrupts it: a dash pattern would start again at each piece.
static void draw_line(const evn__plot *plot, const evn__series *series) {
    double before[3], at[3];
    bool follows = false;
    for (int k = 0; k < series->count; ++k) {
        bool drawn = point_at(plot, series, k, at);
        if (drawn && follows) {
            draw_segment(series, before, at);
        }
        memcpy(before, at, sizeof(at));
        follows = drawn;
    }
}

static void draw_series(const evn__plot *plot) {
    for (int s = 0; s < plot->count; ++s) {
        set_pen(plot, s);
        if (mark_of(&plot->series[s])) {
            draw_marks(plot, &plot->series[s]);
        } else {
            draw_line(plot, &plot->series[s]);
        }
    }
    pllsty(1);
}

// Around them -------------------------------------------------------------------------------------

/// Characters of a text in UTF-8.
static size_t text_length(const char *text) {
    size_t length = 0;
    for (; *text; ++text) {
        length += (*text & 0xc0) != 0x80;
    }
    return length;
}

/// Series that the legend has.
static int labelled(const evn__plot *plot) {
    int count = 0;
    for (int s = 0; s < plot->count; ++s) {
        count += plot->series[s].label != NULL;
    }
    return count;
}

/// The legend's columns with letters of that size.
static int columns_at(const evn__plot *plot, double size) {
    size_t longest = 1;
    for (int s = 0; s < plot->count; ++s) {
        size_t length = plot->series[s].label ? text_length(plot->series[s].label) : 0;
        longest = length > longest ? length : longest;
    }
    int columns = (int)(LEGEND_CHARACTERS / size / (double)(longest + LEGEND_SAMPLE));
    columns = columns < 1 ? 1 : columns;
    return columns < labelled(plot) ? columns : labelled(plot);
}

static double legend_size(const evn__plot *plot) {
    return labelled(plot) > LEGEND_ROWS * columns_at(plot, 1) ? LEGEND_SMALL : 1;
}

static int legend_columns(const evn__plot *plot) {
    return columns_at(plot, legend_size(plot));
}

static int legend_rows(const evn__plot *plot) {
    int columns = legend_columns(plot);
    return (labelled(plot) + columns - 1) / columns;
}

/// Upper edge of the box, below title and legend.
static double box_top(const evn__plot *plot) {
    return 0.84 - LEGEND_ROW * (legend_rows(plot) - 1);
}

/// The title stands one line above the legend; plmtex counts in lines.
static void draw_title(const evn__plot *plot) {
    plmtex("t", 3.6 + 1.15 * (legend_rows(plot) - 1), 0.5, 0.5, plot->title);
}

/// Rows above the box, so that it never covers what is drawn.
static void draw_legend(const evn__plot *plot) {
    PLINT kinds[EVN__SERIES_MAX], colours[EVN__SERIES_MAX], styles[EVN__SERIES_MAX];
    PLINT texts[EVN__SERIES_MAX], numbers[EVN__SERIES_MAX];
    PLFLT widths[EVN__SERIES_MAX], scales[EVN__SERIES_MAX];
    const char *labels[EVN__SERIES_MAX], *marks[EVN__SERIES_MAX];
    int i = 0;
    for (int s = 0; s < plot->count; ++s) {
        const evn__series *series = &plot->series[s];
        if (!series->label) {
            continue;
        }
        kinds[i] = mark_of(series) ? PL_LEGEND_SYMBOL : PL_LEGEND_LINE;
        colours[i] = colour_of(plot, s);
        styles[i] = series->style == EVN__DASHED ? 2 : 1;
        texts[i] = EVN__COLOUR_AXES;
        numbers[i] = 1;
        widths[i] = line_width(series);
        scales[i] = series->style == EVN__DOTS ? 3 : 1; // its colour is to be seen
        labels[i] = series->label;
        marks[i++] = mark_of(series) ? mark_of(series) : MARK;
    }
    PLFLT width, height;
    pllegend(&width, &height, PL_LEGEND_ROW_MAJOR, PL_POSITION_TOP | PL_POSITION_OUTSIDE, 0, 0.005,
             0.06, 0, 0, 1, legend_rows(plot), legend_columns(plot), i, kinds, 0.8,
             legend_size(plot), 1.6, 0, texts, labels, NULL, NULL, NULL, NULL, colours, styles,
             widths, colours, scales, numbers, marks);
}

static void draw_axes(const evn__plot *plot, const range *r) {
    plvpor(0.15, 0.96, 0.14, box_top(plot));
    plwind(r[0].low, r[0].high, r[1].low, r[1].high);
    plwidth(1);
    plcol0(EVN__COLOUR_GRID);
    plbox(plot->x.log ? "gl" : "g", 0, 0, plot->y.log ? "gl" : "g", 0, 0);
    plcol0(EVN__COLOUR_AXES);
    plbox(plot->x.log ? "bcnstl" : "bcnst", 0, 0, plot->y.log ? "bcnstvl" : "bcnstv", 0, 0);
    plmtex("b", 3.2, 0.5, 0.5, plot->x.label);
    plmtex("l", 5.2, 0.5, 0.5, plot->y.label);
    draw_title(plot);
}

/// The floor and the two walls behind it: without them depth cannot be told.
static void draw_walls(const range *r) {
    double x0 = r[0].low, x1 = r[0].high, y0 = r[1].low, y1 = r[1].high;
    double z0 = r[2].low, z1 = r[2].high;
    double floor_x[] = {x0, x1, x1, x0, x0}, floor_y[] = {y0, y0, y1, y1, y0};
    double floor_z[] = {z0, z0, z0, z0, z0};
    double back_x[] = {x0, x1, x1, x1}, back_y[] = {y1, y1, y1, y0}, back_z[] = {z1, z1, z1, z1};
    double corner_x[] = {x1, x1}, corner_y[] = {y1, y1}, corner_z[] = {z0, z1};
    plcol0(EVN__COLOUR_GRID);
    plline3(5, floor_x, floor_y, floor_z);
    plline3(4, back_x, back_y, back_z);
    plline3(2, corner_x, corner_y, corner_z);
    plcol0(EVN__COLOUR_AXES);
}

static void draw_axes_3d(const evn__plot *plot, const range *r) {
    plvpor(0.02, 0.98, 0.02, box_top(plot));
    plwind(-0.95, 0.9, -0.68, 1.38);
    plwidth(1);
    plw3d(1, 1, 1.1, r[0].low, r[0].high, r[1].low, r[1].high, r[2].low, r[2].high, 25, 40);
    draw_walls(r);
    plbox3("bnstu", plot->x.label, 0, 0, "bnstu", plot->y.label, 0, 0, "bcnstu", plot->z.label, 0,
           0);
    draw_title(plot);
}

static void draw(const void *user) {
    const evn__plot *plot = user;
    range ranges[3];
    find_ranges(plot, ranges);
    plschr(0, 1.05);
    if (plot->series[0].z) {
        draw_axes_3d(plot, ranges);
    } else {
        draw_axes(plot, ranges);
    }
    draw_series(plot);
    draw_legend(plot);
}

// Files -------------------------------------------------------------------------------------------

static evn_status check(const evn__plot *plot) {
    EVN_CHECK(plot->count >= 1 && plot->count <= EVN__SERIES_MAX, EVN_ERR_ARGUMENT,
              "a picture has 1 to %d series, not %d", EVN__SERIES_MAX, plot->count);
    EVN_CHECK(labelled(plot) > 0, EVN_ERR_ARGUMENT, "no series of the picture has a label");
    return EVN_OK;
}

evn_status evn__plot_write(const evn__plot *plot, const char *path) {
    EVN_TRY(check(plot));
    return evn__canvas_write(path, EVN__PLOT_WIDTH, EVN__PLOT_HEIGHT, draw, plot);
}

evn_status evn__plot_save(const evn__plot *plot, const char *folder, const char *stem) {
    EVN_TRY(check(plot));
    return evn__canvas_save(folder, stem, EVN__PLOT_WIDTH, EVN__PLOT_HEIGHT, draw, plot);
}
