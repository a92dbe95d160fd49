// SPDX-License-Identifier: Apache-2.0
#include "report/bars.h"

#include "report/chart.h"
#include "report/html.h"

#include <math.h>

enum { WIDTH = 360, RIGHT = 48, NAME = 14, BAR = 10, GAP = 6 };

/// What the pixels 0 to WIDTH − RIGHT stand for. With a mark it is logarithmic: bars begin there.
typedef struct scale {
    double low, high, origin;
    bool log;
} scale;

static double place(const scale *s, double value) {
    double at = s->log ? log(value / s->low) / log(s->high / s->low)
                       : (value - s->low) / (s->high - s->low);
    return (WIDTH - RIGHT) * fmin(fmax(at, 0), 1);
}

static bool has_value(const evn__bars *b, int group) {
    bool any = false;
    for (int k = 0; k < b->count; ++k) {
        any = any || isfinite(b->bars[group * b->count + k].value);
    }
    return any;
}

/// Spreads beyond the values are cut.
static scale find_scale(const evn__bars *b) {
    bool marked = !isnan(b->mark);
    scale s = {marked ? b->mark / 1.25 : 0, marked ? 1.25 * b->mark : 0, marked ? b->mark : 0,
               marked};
    for (int i = 0; i < b->group_count * b->count; ++i) {
        double value = b->bars[i].value;
        if (isfinite(value)) {
            s.high = fmax(s.high, value);
            s.low = marked ? fmin(s.low, value) : s.low;
        }
    }
    return s;
}

static void put_bar(const evn__bars *b, const evn__bar *bar, int who, int y, const scale *s,
                    evn__text *html) {
    if (!isfinite(bar->value)) {
        evn__text_append(html, "<text x=\"0\" y=\"%d\">–</text>", y + 4);
        return;
    }
    double begin = place(s, s->origin), end = place(s, bar->value), right = fmax(begin, end);
    evn__text_append(html, "<path class=\"bar c%d\" d=\"M%.1f %dH%.1f\"/>",
                     (b->first_colour + who) % EVN__CHART_COLOURS, begin, y,
                     fabs(end - begin) < 1 ? begin + 1 : end);
    if (isfinite(bar->low) && isfinite(bar->high)) {
        right = fmax(right, place(s, bar->high));
        evn__text_append(html, "<path class=\"spread\" d=\"M%.1f %dH%.1f\"/>", place(s, bar->low),
                         y, place(s, bar->high));
    }
    evn__text_append(html, "<text x=\"%.1f\" y=\"%d\">", right + 3, y + 4);
    evn__text_append(html, b->percent ? "%.0f %%" : "%.3g",
                     b->percent ? 100 * bar->value : bar->value);
    evn__text_append(html, "</text>");
}

static void put_legend(const evn__bars *b, evn__text *html) {
    evn__text_append(html, "<p class=\"legend\">");
    for (int k = 0; k < b->count; ++k) {
        evn__text_append(html,
                         "<span><svg viewBox=\"0 0 20 8\"><path class=\"bar c%d\" "
                         "d=\"M0 4H20\"/></svg>",
                         (b->first_colour + k) % EVN__CHART_COLOURS);
        evn__html_text(html, b->labels[k]);
        evn__text_append(html, "</span> ");
    }
    evn__text_append(html, "</p>");
}

static void put_group(const evn__bars *b, int group, int y, const scale *s, evn__text *html) {
    evn__text_append(html, "<text x=\"0\" y=\"%d\">", y + NAME - 3);
    evn__html_text(html, b->groups[group]);
    evn__text_append(html, "</text>");
    for (int k = 0; k < b->count; ++k) {
        put_bar(b, &b->bars[group * b->count + k], k, y + NAME + BAR * k + BAR / 2, s, html);
    }
}

void evn__bars_put(const evn__bars *bars, evn__text *html) {
    scale s = find_scale(bars);
    int step = NAME + BAR * bars->count + GAP, shown = 0;
    for (int i = 0; i < bars->group_count; ++i) {
        shown += has_value(bars, i);
    }
    if (shown == 0) {
        return;
    }
    evn__text_append(html, "<figure class=\"chart\"><figcaption>");
    evn__html_text(html, bars->title);
    evn__text_append(html, "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
                     WIDTH, step * shown);
    evn__html_text(html, bars->title);
    evn__text_append(html, "\">");
    if (s.log) {
        evn__text_append(html, "<path class=\"mark\" d=\"M%.1f 0V%d\"/>", place(&s, s.origin),
                         step * shown);
    }
    for (int i = 0, y = 0; i < bars->group_count; ++i) {
        if (has_value(bars, i)) {
            put_group(bars, i, y, &s, html);
            y += step;
        }
    }
    evn__text_append(html, "</svg>");
    put_legend(bars, html);
    evn__text_append(html, "</figure>\n");
}
