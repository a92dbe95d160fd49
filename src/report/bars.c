// SPDX-License-Identifier: Apache-2.0
#include "report/bars.h"

#include "report/chart.h"
#include "report/html.h"

#include <math.h>

enum { WIDTH = 360, RIGHT = 44, NAME = 14, BAR = 10, GAP = 6 };

/// Pixels of a value's bar.
static double place(double value, double most) {
    return (WIDTH - RIGHT) * fmin(value / most, 1);
}

/// The largest value; spreads beyond it are cut.
static double find_most(const evn__bars *b) {
    double most = isnan(b->mark) ? 0 : 1.1 * b->mark;
    bool any = false;
    for (int i = 0; i < b->group_count * b->count; ++i) {
        any = any || isfinite(b->bars[i].value);
        most = isfinite(b->bars[i].value) ? fmax(most, b->bars[i].value) : most;
    }
    return any ? most : 0;
}

static void put_bar(const evn__bars *b, const evn__bar *bar, int who, int y, double most,
                    evn__text *html) {
    if (!isfinite(bar->value)) {
        evn__text_append(html, "<text x=\"0\" y=\"%d\">–</text>", y + 4);
        return;
    }
    double end = place(bar->value, most);
    evn__text_append(html, "<path class=\"bar c%d\" d=\"M0 %dH%.1f\"/>",
                     (b->first_colour + who) % EVN__CHART_COLOURS, y, fmax(end, 0.5));
    double high = end;
    if (isfinite(bar->low) && isfinite(bar->high)) {
        high = fmax(end, place(bar->high, most));
        evn__text_append(html, "<path class=\"spread\" d=\"M%.1f %dH%.1f\"/>",
                         place(bar->low, most), y, high);
    }
    evn__text_append(html, "<text x=\"%.1f\" y=\"%d\">", high + 3, y + 4);
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

void evn__bars_put(const evn__bars *bars, evn__text *html) {
    double most = find_most(bars);
    int group = NAME + BAR * bars->count + GAP, height = group * bars->group_count;
    if (!(most > 0)) {
        return;
    }
    evn__text_append(html, "<figure class=\"chart\"><figcaption>");
    evn__html_text(html, bars->title);
    evn__text_append(html, "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
                     WIDTH, height);
    evn__html_text(html, bars->title);
    evn__text_append(html, "\">");
    for (int i = 0; i < bars->group_count; ++i) {
        evn__text_append(html, "<text x=\"0\" y=\"%d\">", i * group + NAME - 3);
        evn__html_text(html, bars->groups[i]);
        evn__text_append(html, "</text>");
        for (int k = 0; k < bars->count; ++k) {
            put_bar(bars, &bars->bars[i * bars->count + k], k, i * group + NAME + BAR * k + BAR / 2,
                    most, html);
        }
    }
    if (!isnan(bars->mark)) {
        double x = place(bars->mark, most);
        evn__text_append(html, "<path class=\"mark\" d=\"M%.1f 0V%d\"/>", x, height);
    }
    evn__text_append(html, "</svg>");
    put_legend(bars, html);
    evn__text_append(html, "</figure>\n");
}
