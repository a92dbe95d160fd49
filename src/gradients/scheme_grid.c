// SPDX-License-Identifier: Apache-2.0
// Backprop along fixed steps, and the same checkpointed.
#include "gradients/grid.h"
#include "gradients/scheme.h"
#include "integrator/jump.h"
#include "plan/real.h"
#include <stdlib.h>

typedef struct on_grid {
    evn__scheme base;
    evn__grid *grid;
    evn__jump *jump; ///< where the start is observed
} on_grid;

static evn_status create(const evn__problem *p, evn__scheme **scheme) {
    on_grid *g = NULL;
    EVN_TRY(EVN_NEW(&g, 1));
    *scheme = &g->base;
    EVN_TRY(evn__grid_create(p, &g->grid));
    return p->course->starts ? evn__jump_create(p->device, evn__system_state_shape(p->system, 0),
                                                p->options->fp64, &g->jump)
                             : EVN_OK;
}

static void destroy(evn__scheme *scheme) {
    on_grid *g = (on_grid *)scheme;
    evn__grid_destroy(&g->grid);
    evn__jump_destroy(&g->jump);
    free(g);
}

static evn_binding begin(const evn__scheme *scheme, int index) {
    return evn__grid_state(((const on_grid *)scheme)->grid, 0, index);
}

static evn_binding end(const evn__scheme *scheme, int index) {
    return evn__grid_state(((const on_grid *)scheme)->grid, scheme->problem->course->steps, index);
}

static evn_binding state_bar(const evn__scheme *scheme, int index) {
    return evn__grid_state_bar(((const on_grid *)scheme)->grid, index);
}

static evn_status solve(evn__scheme *scheme, const evn__passage *passage, evn_solution *solution) {
    const evn__problem *p = scheme->problem;
    evn__grid *grid = ((on_grid *)scheme)->grid;
    EVN_TRY(evn__grid_forward(grid, passage->t0, passage->t1, passage->parameters, solution));
    return passage->series.buffer
               ? evn__grid_observe(grid, evn__scheme_place(p, passage->series, p->course->starts))
               : EVN_OK;
}

/// Cotangents of the state at t1, but for the observations'.
static evn_status load(const on_grid *g, bool observes, const evn__passage *passage) {
    const evn__layout *layout = evn__grid_layout(g->grid);
    bool fp64 = g->base.problem->options->fp64;
    for (int i = observes ? 0 : 1; i < layout->count; ++i) {
        EVN_TRY(evn__passage_load_bar(passage, i, state_bar(&g->base, i), fp64, layout->size[i]));
    }
    return observes
               ? EVN_OK
               : evn__real_copy(state_bar(&g->base, 0), passage->x1_bar, fp64, layout->size[0]);
}

static evn_status gradient(evn__scheme *scheme, const evn__passage *passage,
                           evn_solution *solution) {
    on_grid *g = (on_grid *)scheme;
    const evn__problem *p = scheme->problem;
    bool observes = p->options->observations > 0;
    EVN_TRY(load(g, observes, passage));
    const evn_binding ends = evn__scheme_observation(p, passage->x1_bar, p->course->starts);
    EVN_TRY(evn__grid_backward(g->grid, passage->parameters, passage->parameters_bar,
                               observes ? &ends : NULL, solution));
    return p->course->starts ? evn__jump_add(g->jump, state_bar(scheme, 0), passage->x1_bar)
                             : EVN_OK;
}

static evn__time_bars time_bars(const evn__scheme *scheme) {
    return evn__grid_time_bars(((const on_grid *)scheme)->grid);
}

const evn__scheme_methods evn__scheme_grid = {.create = create,
                                              .destroy = destroy,
                                              .begin = begin,
                                              .end = end,
                                              .solve = solve,
                                              .gradient = gradient,
                                              .state_bar = state_bar,
                                              .time_bars = time_bars};
