// SPDX-License-Identifier: Apache-2.0
#include "gradients/cotangents.h"

#include "plan/real.h"
#include <stdlib.h>

static size_t parameter_size(const evn__cotangents *c, int index) {
    return (size_t)evn_shape_count(evn__system_parameter_shape(c->problem->system, index));
}

static evn_status create(evn__cotangents *c) {
    const evn__problem *p = c->problem;
    bool fp64 = p->options->fp64;
    EVN_TRY(evn__layout_create(p->system, &c->layout));
    EVN_TRY(EVN_NEW(&c->parameter, p->system->parameter_count));
    c->total = (size_t)c->sets * c->layout.total;
    for (int i = 0; i < p->system->parameter_count; ++i) {
        c->parameter[i] = c->total;
        c->total += evn__real_aligned(parameter_size(c, i));
    }
    EVN_TRY(evn__real_create_for(p->device, EVN__USE_STATES, fp64, 2 * c->total, &c->memory));
    EVN_TRY(evn__real_create_for(p->device, EVN__USE_STATES, fp64, c->layout.size[0], &c->zeros));
    return evn__real_zero((evn_binding){c->zeros, 0}, fp64, c->layout.size[0]);
}

evn_status evn__cotangents_create(const evn__problem *problem, int sets, evn__cotangents *c) {
    *c = (evn__cotangents){.problem = problem, .sets = sets};
    evn_status status = create(c);
    if (status != EVN_OK) {
        evn__cotangents_free(c);
    }
    return status;
}

void evn__cotangents_free(evn__cotangents *c) {
    evn__layout_free(&c->layout);
    evn_buffer_destroy(&c->memory);
    evn_buffer_destroy(&c->zeros);
    free(c->parameter);
    *c = (evn__cotangents){0};
}

static evn_binding at(const evn__cotangents *c, bool next, size_t offset) {
    return (evn_binding){c->memory, (size_t)(next ? !c->now : c->now) * c->total + offset};
}

evn_binding evn__cotangents_state(const evn__cotangents *c, int set, int index) {
    return at(c, false, (size_t)set * c->layout.total + c->layout.offset[index]);
}

evn_status evn__cotangents_load(evn__cotangents *c, const evn__passage *passage) {
    const evn_solver_options *options = c->problem->options;
    size_t x = options->observations > 0 ? 0 : c->layout.size[0];
    c->now = 0;
    EVN_TRY(evn__real_copy(at(c, false, 0), passage->x1_bar, options->fp64, x));
    EVN_TRY(evn__real_zero(at(c, false, x), options->fp64, c->total - x));
    const evn__system *system = c->problem->system;
    int states = evn__system_own_states(system); // a history's is 0
    for (int i = x > 0; passage->carried_bar && i < states; ++i) {
        EVN_TRY(evn__real_copy(evn__cotangents_state(c, 0, i), passage->carried_bar[i],
                               options->fp64, c->layout.size[i]));
    }
    return EVN_OK;
}

evn_binding *evn__cotangents_bind_states(const evn__cotangents *c, bool next, evn_binding *to) {
    for (int set = 0; set < c->sets; ++set) {
        for (int i = 0; i < c->layout.count; ++i) {
            *to++ = at(c, next, (size_t)set * c->layout.total + c->layout.offset[i]);
        }
    }
    return to;
}

evn_binding *evn__cotangents_bind_parameters(const evn__cotangents *c, bool next, evn_binding *to) {
    for (int i = 0; i < c->problem->system->parameter_count; ++i) {
        *to++ = at(c, next, c->parameter[i]);
    }
    return to;
}

evn_binding evn__cotangents_share(const evn__cotangents *c, evn_binding x1_bar, int observation) {
    return observation < 0 ? (evn_binding){c->zeros, 0}
                           : evn__scheme_observation(c->problem, x1_bar, observation);
}

evn_status evn__cotangents_deliver(const evn__cotangents *c, const evn_binding *parameters_bar) {
    for (int i = 0; i < c->problem->system->parameter_count; ++i) {
        EVN_TRY(evn__real_copy(parameters_bar[i], at(c, false, c->parameter[i]),
                               c->problem->options->fp64, parameter_size(c, i)));
    }
    return EVN_OK;
}
