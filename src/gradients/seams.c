// SPDX-License-Identifier: Apache-2.0
#include "gradients/seams.h"

#include "base/memory.h"
#include <stdlib.h>

// Life --------------------------------------------------------------------------------------------

static evn_status make(const evn__seams *s, size_t count, evn_buffer **buffer) {
    return evn__real_create_for(s->problem->device, EVN__USE_STATES, s->problem->options->fp64,
                                count, buffer);
}

static evn_status make_bars(evn__seams *s) {
    EVN_TRY(make(s, s->layout.total, &s->bars));
    EVN_TRY(EVN_NEW(&s->bar, s->layout.count));
    evn__layout_bind(&s->layout, s->bars, s->bar);
    return EVN_OK;
}

static evn_status make_shares(evn__seams *s) {
    const evn__problem *p = s->problem;
    size_t total = 0;
    EVN_TRY(EVN_NEW(&s->share, p->system->parameter_count + 1));
    EVN_TRY(EVN_NEW(&s->sums, p->system->parameter_count + 1));
    for (int i = 0; i < p->system->parameter_count; ++i) {
        evn_shape shape = evn__system_parameter_shape(p->system, i);
        s->share[i].offset = total;
        total += evn__real_aligned((size_t)evn_shape_count(shape));
        EVN_TRY(evn__jump_create(p->device, shape, p->options->fp64, &s->sums[i]));
    }
    EVN_TRY(make(s, total, &s->shares));
    for (int i = 0; i < p->system->parameter_count; ++i) {
        s->share[i].buffer = s->shares;
    }
    return EVN_OK;
}

static evn_status create(evn__seams *s, size_t parts) {
    EVN_TRY(evn__layout_create(s->problem->system, &s->layout));
    EVN_TRY(make(s, evn__size_product(parts + 1, s->layout.total), &s->states));
    if (s->problem->options->gradient == EVN_GRADIENT_NONE) {
        return EVN_OK;
    }
    EVN_TRY(make_bars(s));
    return make_shares(s);
}

evn_status evn__seams_create(const evn__problem *problem, size_t parts, evn__seams *seams) {
    *seams = (evn__seams){.problem = problem};
    evn_status status = create(seams, parts);
    if (status != EVN_OK) {
        evn__seams_free(seams);
    }
    return status;
}

void evn__seams_free(evn__seams *seams) {
    for (int i = 0; seams->sums && i < seams->problem->system->parameter_count; ++i) {
        evn__jump_destroy(&seams->sums[i]);
    }
    evn__layout_free(&seams->layout);
    evn_buffer_destroy(&seams->states);
    evn_buffer_destroy(&seams->bars);
    evn_buffer_destroy(&seams->shares);
    free(seams->bar);
    free(seams->share);
    free(seams->sums);
    *seams = (evn__seams){0};
}

// States ------------------------------------------------------------------------------------------

evn_binding evn__seams_state(const evn__seams *s, int place, int index) {
    return (evn_binding){s->states, (size_t)place * s->layout.total + s->layout.offset[index]};
}

evn_status evn__seams_keep(const evn__seams *s, int place, const evn__scheme *scheme,
                           evn__place_of *of) {
    for (int i = 0; i < s->layout.count; ++i) {
        EVN_TRY(evn__real_copy(evn__seams_state(s, place, i), of(scheme, i),
                               s->problem->options->fp64, s->layout.size[i]));
    }
    return EVN_OK;
}

evn_status evn__seams_restore(const evn__seams *s, int place, const evn__scheme *scheme,
                              evn__place_of *of) {
    for (int i = 0; i < s->layout.count; ++i) {
        EVN_TRY(evn__real_copy(of(scheme, i), evn__seams_state(s, place, i),
                               s->problem->options->fp64, s->layout.size[i]));
    }
    return EVN_OK;
}

// Cotangents --------------------------------------------------------------------------------------

evn_status evn__seams_pass(const evn__seams *s, const evn__scheme *scheme, bool last,
                           const evn_binding *parameters_bar) {
    for (int i = 0; i < s->problem->system->parameter_count && !last; ++i) {
        EVN_TRY(evn__jump_add(s->sums[i], parameters_bar[i], s->share[i]));
    }
    for (int i = 0; i < s->layout.count; ++i) {
        EVN_TRY(evn__real_copy(s->bar[i], scheme->methods->state_bar(scheme, i),
                               s->problem->options->fp64, s->layout.size[i]));
    }
    return EVN_OK;
}
