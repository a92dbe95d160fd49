// SPDX-License-Identifier: Apache-2.0
#include "events/root.h"

#include <math.h>

/// Whether a value is one behind the zero.
static bool is_behind(const evn__root *r, double value) {
    return r->rises ? value >= 0 : value <= 0;
}

evn__root evn__root_begin(double length, double at_begin, double at_end, bool rises, double width) {
    const evn__root_point begin = {0, at_begin}, end = {length, at_end};
    return (evn__root){
        .last = end, .other = begin, .before = begin, .rises = rises, .width = width};
}

/// Whether the last place is behind the zero; else the other one is.
static bool last_is_behind(const evn__root *r) {
    return fabs(r->last.at) > fabs(r->other.at);
}

double evn__root_end(const evn__root *r) {
    return last_is_behind(r) ? r->last.at : r->other.at;
}

/// By how much of the way to the other one the next place is away from the last.
static double interpolate(const evn__root *r) {
    evn__root_point a = r->last, b = r->other, c = r->before;
    double place = (a.at - b.at) / (c.at - b.at);
    double size = (a.value - b.value) / (c.value - b.value);
    bool safe = 1 - sqrt(1 - place) < size && size < sqrt(place);
    bool begins = b.at == 0 && b.value == 0; // which is another zero
    if (r->made < 2 || !safe || begins) {
        return 0.5;
    }
    return a.value / (b.value - a.value) * c.value / (b.value - c.value) +
           (c.at - a.at) / (b.at - a.at) * a.value / (c.value - a.value) * b.value /
               (c.value - b.value);
}

bool evn__root_next(const evn__root *r, double *at) {
    double way = r->other.at - r->last.at, least = 0.5 * r->width / fabs(way);
    if (!(least < 0.5)) {
        return false;
    }
    double part = fmin(1 - least, fmax(least, interpolate(r)));
    *at = r->last.at + part * way;
    return *at != r->last.at && *at != r->other.at;
}

void evn__root_add(evn__root *r, double at, double value) {
    bool same = is_behind(r, value) == last_is_behind(r);
    r->before = same ? r->last : r->other;
    r->other = same ? r->other : r->last;
    r->last = (evn__root_point){at, value};
    ++r->made;
}
