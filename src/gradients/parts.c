// SPDX-License-Identifier: Apache-2.0
#include "gradients/parts.h"

#include "base/memory.h"
#include "integrator/rounding.h"
#include <stdlib.h>

evn_status evn__parts_create(const evn_solver_options *options, evn__parts *parts) {
    *parts = (evn__parts){0};
    return EVN_NEW(&parts->all, options->jump_count + 1);
}

void evn__parts_free(evn__parts *parts) {
    free(parts->all);
    *parts = (evn__parts){0};
}

// Where they begin and end ------------------------------------------------------------------------

/// The last time before one, as the kernels have them: numbers below the smallest normal one may be
/// 0 there.
static double before(bool fp64, double t) {
    double last = fp64 ? nextafter(t, -INFINITY) : (double)nextafterf((float)t, -INFINITY);
    return !fp64 && fabs(last) < FLT_MIN ? -FLT_MIN : last;
}

/// But for one without length.
static void add(evn__parts *parts, double t0, double t1, int jump) {
    if (parts->rises ? t0 < t1 : t0 > t1) {
        int at = parts->count > 0 ? jump : -1;
        parts->all[parts->count++] = (evn__part){.t0 = t0, .t1 = t1, .jump = at};
    }
}

/// f has its new values at a jump itself: what comes from below ends before it, what comes from
/// above ends at it. All times are those that the kernels see, which decide on which side they are.
void evn__parts_cut(const evn_solver_options *o, double t0, double t1, evn__parts *parts) {
    double from = evn__rounded(o->fp64, t0), to = evn__rounded(o->fp64, t1), begin = from;
    bool rises = to >= from;
    int last = -1;
    parts->count = 0;
    parts->rises = rises;
    for (int i = 0; i < o->jump_count; ++i) {
        int index = rises ? i : o->jump_count - 1 - i;
        double jump = evn__rounded(o->fp64, o->jumps[index]);
        double under = before(o->fp64, jump);
        if (rises && jump > begin && jump <= to) {
            add(parts, from, under, last);
            from = jump;
            last = index;
        } else if (!rises && jump <= begin && jump > to) {
            add(parts, from, jump, last);
            from = under;
            last = index;
        }
    }
    add(parts, from, to, last);
    if (parts->count == 0) { // no way
        parts->all[parts->count++] = (evn__part){.t0 = begin, .t1 = begin, .jump = -1};
    }
}

// What is observed in them ------------------------------------------------------------------------

/// Whether b comes after a.
static bool is_behind(const evn__parts *parts, double a, double b) {
    return parts->rises ? b > a : b < a;
}

int evn__parts_find(const evn_solver_options *o, const evn__parts *parts, double *t) {
    double seen = evn__rounded(o->fp64, *t);
    int index = 0;
    while (index + 1 < parts->count && is_behind(parts, parts->all[index + 1].t0, seen)) {
        ++index;
    }
    const evn__part *part = &parts->all[index];
    *t = !is_behind(parts, seen, part->t1) ? part->t1
         : is_behind(parts, *t, part->t0)  ? part->t0
                                           : *t;
    return index;
}

void evn__parts_split(const evn_solver_options *options, const evn__course *course, double t0,
                      double t1, evn__parts *parts) {
    evn__parts_cut(options, t0, t1, parts);
    for (int i = 0; i < course->intervals; ++i) {
        double t = evn__course_end(course, i, t0, t1);
        evn__part *part = &parts->all[evn__parts_find(options, parts, &t)];
        bool ends = part->at_end > 0 || t == part->t1;
        part->within += !ends;
        part->at_end += ends;
    }
    for (int i = 1; i < parts->count; ++i) {
        const evn__part *part = &parts->all[i - 1];
        parts->all[i].first = part->first + part->within + part->at_end;
    }
}

void evn__parts_lay(const evn_solver_options *options, const evn__course *course, double t0,
                    double t1, const evn__part *part, evn__course *own) {
    double way = part->t1 - part->t0, last = 0;
    for (int i = 0; i < part->within; ++i) {
        double t = evn__course_end(course, part->first + i, t0, t1);
        double fraction = (t - part->t0) / way;
        last = own->end[i] = fmin(fmax(fraction, last), 1);
    }
    own->end[part->within] = 1;
    evn__course_lay(options, part->within + 1, own);
}
