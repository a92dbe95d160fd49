// SPDX-License-Identifier: Apache-2.0
#include "per_sample/interpolation.h"

#include "base/memory.h"
#include "host/items.h"
#include <string.h>

/// Of a group, and along the second axis at most.
enum { GROUP_ITEMS = 64, MAX_SECOND = 64, LOCATED = 11 };

evn_status evn__interpolation_get(evn__interpolation *in) {
    const evn__source source = {.family = "interpolate", .options = "", .fp64 = in->fp64};
    EVN_TRY(evn__kernel_get(in->device, &source, "interpolate_begin", &in->begin));
    EVN_TRY(evn__kernel_get(in->device, &source, "interpolate_steps", &in->steps));
    return evn__kernel_get(in->device, &source, "interpolate_back", &in->back);
}

static evn__argument memory(evn_buffer *buffer, size_t offset) {
    return (evn__argument){.kind = EVN__ARGUMENT_BUFFER, .buffer = buffer, .offset = offset};
}

static evn__argument number(int value) {
    return (evn__argument){.kind = EVN__ARGUMENT_INT, .integer = value};
}

/// A work-item for each sample and, where it is not wide, for some of the others.
static evn_status launch(const evn__interpolation *in, evn__kernel *kernel,
                         const evn__argument *arguments, int count, int second) {
    bool wide = evn__items_are_wide(evn_device_get_info(in->device));
    size_t group = wide ? 1 : GROUP_ITEMS;
    size_t items = ((size_t)in->samples + group - 1) / group * group;
    size_t others = wide ? 1 : (size_t)(second < MAX_SECOND ? second : MAX_SECOND);
    return evn__kernel_launch(kernel, arguments, count,
                              (evn__range){2, {items, others}, {group, 1}});
}

static void set_located(const evn__interpolation *in, const evn__located *located,
                        evn__argument arguments[LOCATED]) {
    const evn__argument all[LOCATED] = {
        memory(located->ends, 0),  memory(located->times, 0), memory(located->record, 0),
        memory(located->steps, 0), number(in->samples),       number(in->rows),
        number(in->observations),  number(in->size),          number(in->terms),
        number(located->first),    number(in->attempts)};
    memcpy(arguments, all, sizeof(all));
}

evn_status evn__interpolation_begin(const evn__interpolation *in, const evn__located *located,
                                    evn_buffer *x, evn_binding series) {
    const evn__argument arguments[] = {memory(located->ends, 0),
                                       memory(located->times, 0),
                                       memory(x, 0),
                                       memory(series.buffer, series.offset),
                                       number(in->samples),
                                       number(in->observations),
                                       number(in->size)};
    return launch(in, in->begin, arguments, sizeof(arguments) / sizeof(*arguments),
                  in->observations);
}

evn_status evn__interpolation_steps(const evn__interpolation *in, const evn__located *located,
                                    evn_buffer *starts, evn_buffer *terms, evn_binding series) {
    evn__argument arguments[LOCATED + 3];
    set_located(in, located, arguments);
    arguments[LOCATED] = memory(starts, 0);
    arguments[LOCATED + 1] = memory(terms, 0);
    arguments[LOCATED + 2] = memory(series.buffer, series.offset);
    return launch(in, in->steps, arguments, LOCATED + 3, in->observations);
}

evn_status evn__interpolation_back(const evn__interpolation *in, const evn__located *located,
                                   evn_binding series_bar, evn_buffer *term_bar) {
    evn__argument arguments[LOCATED + 2];
    set_located(in, located, arguments);
    arguments[LOCATED] = memory(series_bar.buffer, series_bar.offset);
    arguments[LOCATED + 1] = memory(term_bar, 0);
    return launch(in, in->back, arguments, LOCATED + 2, in->size);
}
