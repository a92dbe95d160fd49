// SPDX-License-Identifier: Apache-2.0
#include "report/chart.h"

#include "base/number.h"
#include "report/html.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 360, HEIGHT = 220, LEFT = 46, RIGHT = 14, TOP = 8, BOTTOM = 32, TICKS = 5 };
enum { DIGIT = 7 };    // width of a digit, at most
enum { POINTS = 500 }; // of a line, at most
static const double LOG_SPAN = 100;

/// The range of an axis and where it lies on the page, from `from` to `to`.
typedef struct axis {
    double low, high, from, to;
    bool log;
    double step; ///< between two ticks; a factor where it is logarithmic
} axis;

static double place(const axis *a, double value) {
    double low = a->log ? log10(a->low) : a->low, high = a->log ? log10(a->high) : a->high;
    double at = a->log ? log10(value) : value;
    return a->from + (a->to - a->from) * (high > low ? (at - low) / (high - low) : 0.5);
}

static bool is_point(const evn__chart_line *line, int i) {
    return isfinite(line->x[i]) && isfinite(line->y[i]);
}

/// The ranges of all points; how many the longest line has.
static int find_ranges(const evn__chart *c, axis *x, axis *y) {
    int most = 0;
    *x = (axis){INFINITY, -INFINITY, LEFT, WIDTH - RIGHT, false, 0};
    *y = (axis){INFINITY, -INFINITY, HEIGHT - BOTTOM, TOP, false, 0};
    for (int k = 0; k < c->count; ++k) {
        int points = 0;
        for (int i = 0; i < c->lines[k].count; ++i) {
            if (is_point(&c->lines[k], i)) {
                x->low = fmin(x->low, c->lines[k].x[i]);
                x->high = fmax(x->high, c->lines[k].x[i]);
                y->low = fmin(y->low, c->lines[k].y[i]);
                y->high = fmax(y->high, c->lines[k].y[i]);
                ++points;
            }
        }
        most = points > most ? points : most;
    }
    y->log = y->low > 0 && y->high / y->low >= LOG_SPAN;
    return most;
}

/// 1, 2 or 5 times a power of ten, about `extent` in TICKS steps.
static double tick_step(double extent) {
    double rough = extent / TICKS, power = pow(10, floor(log10(rough)));
    double share = rough / power;
    return power * (share < 1.5 ? 1 : share < 3.5 ? 2 : share < 7.5 ? 5 : 10);
}

/// A range that begins and ends with a tick.
static void round_range(axis *y) {
    if (y->log) {
        y->low = pow(10, floor(log10(y->low)));
        y->high = pow(10, ceil(log10(y->high)));
        y->step = pow(10, fmax(1, round(log10(y->high / y->low) / TICKS)));
        return;
    }
    if (!(y->high > y->low)) {
        double more = fmax(fabs(y->low) / 2, 0.5);
        y->low -= more;
        y->high += more;
    }
    double step = tick_step(y->high - y->low);
    y->low = step * floor(y->low / step + 1e-9);
    y->high = step * ceil(y->high / step - 1e-9);
    y->step = step;
}

static void put_y_axis(const axis *x, const axis *y, evn__text *html) {
    for (double tick = y->low; tick <= y->high + (y->log ? 0 : y->step) / 2;
         tick = y->log ? tick * y->step : tick + y->step) {
        double at = place(y, tick);
        double shown = y->log || fabs(tick) > y->step / 2 ? tick : 0; // not 2e-17
        evn__text_append(html,
                         "<path class=\"grid\" d=\"M%.0f %.1fH%.0f\"/><text x=\"%d\" y=\"%.1f\" "
                         "text-anchor=\"end\">%.4g</text>",
                         x->from, at, x->to, LEFT - 5, at + 4, shown);
    }
}

static void put_x_axis(const evn__chart *c, const axis *x, evn__text *html) {
    double step = fmax(1, tick_step(fmax(x->high - x->low, 1)));
    for (double tick = step * ceil(x->low / step); tick <= x->high + 1e-9; tick += step) {
        char text[32];
        evn__print(text, sizeof(text), "%.6g", tick);
        double half = DIGIT * (double)strlen(text) / 2; // the last one must not leave the picture
        evn__text_append(html, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>",
                         fmin(place(x, tick), WIDTH - half), HEIGHT - BOTTOM + 14, text);
    }
    for (int i = 0; i < c->mark_count; ++i) {
        if (c->marks[i] > x->low && c->marks[i] <= x->high) {
            evn__text_append(html, "<path class=\"mark\" d=\"M%.1f %dV%d\"/>",
                             place(x, c->marks[i]), TOP, HEIGHT - BOTTOM);
        }
    }
    evn__text_append(html, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">",
                     (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 4);
    evn__html_text(html, c->x_label);
    evn__text_append(html, "</text>");
}

static void put_line(const evn__chart_line *line, const axis *x, const axis *y, evn__text *html) {
    int every = (line->count + POINTS - 1) / POINTS;
    bool follows = false;
    evn__text_append(html, "<path class=\"line c%d%s\" d=\"", line->colour % EVN__CHART_COLOURS,
                     line->dashed ? " dashed" : "");
    for (int i = 0; i < line->count; i += every) {
        if (is_point(line, i)) {
            evn__text_append(html, "%s%.1f %.1f", follows ? "L" : "M", place(x, line->x[i]),
                             place(y, line->y[i]));
        }
        follows = is_point(line, i);
    }
    evn__text_append(html, "\"/>");
}

static void put_legend(const evn__chart *c, evn__text *html) {
    evn__text_append(html, "<p class=\"legend\">");
    for (int k = 0; k < c->count; ++k) {
        const evn__chart_line *line = &c->lines[k];
        evn__text_append(html,
                         "<span><svg viewBox=\"0 0 20 8\"><path class=\"line c%d%s\" "
                         "d=\"M0 4H20\"/></svg>",
                         line->colour % EVN__CHART_COLOURS, line->dashed ? " dashed" : "");
        evn__html_text(html, line->label);
        evn__text_append(html, "</span> ");
    }
    evn__text_append(html, "</p>");
}

void evn__chart_put(const evn__chart *chart, evn__text *html) {
    axis x, y;
    if (find_ranges(chart, &x, &y) < 2) {
        return;
    }
    round_range(&y);
    evn__text_append(html, "<figure class=\"chart\"><figcaption>");
    evn__html_text(html, chart->title);
    evn__text_append(html, "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
                     WIDTH, HEIGHT);
    evn__html_text(html, chart->title);
    evn__text_append(html, "\">");
    put_y_axis(&x, &y, html);
    put_x_axis(chart, &x, html);
    for (int k = 0; k < chart->count; ++k) {
        put_line(&chart->lines[k], &x, &y, html);
    }
    evn__text_append(html, "</svg>");
    put_legend(chart, html);
    evn__text_append(html, "</figure>\n");
}
