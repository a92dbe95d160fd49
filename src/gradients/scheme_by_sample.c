// SPDX-License-Identifier: Apache-2.0
// Each sample with steps of its own: without a gradient, and with backprop along them.
#include "base/memory.h"
#include "gradients/scheme.h"
#include "per_sample/sample_gradient.h"
#include <stdlib.h>

typedef struct by_sample {
    evn__scheme base;
    evn__sample_solve *solve;
    evn__sample_gradient *gradient; ///< of the scheme that has one
} by_sample;

static evn_status create(const evn__problem *problem, evn__scheme **scheme) {
    by_sample *b = NULL;
    EVN_TRY(EVN_NEW(&b, 1));
    *scheme = &b->base;
    return evn__sample_solve_create(problem, &b->solve);
}

static evn_status create_backprop(const evn__problem *problem, evn__scheme **scheme) {
    EVN_TRY(create(problem, scheme));
    by_sample *b = (by_sample *)*scheme;
    return evn__sample_gradient_create(b->solve, &b->gradient);
}

static void destroy(evn__scheme *scheme) {
    by_sample *b = (by_sample *)scheme;
    evn__sample_gradient_destroy(&b->gradient);
    evn__sample_solve_destroy(&b->solve);
    free(b);
}

/// The only component: weights that evolve have a path (gradients/scheme_along_path.c).
static evn_binding state(const evn__scheme *scheme, int index) {
    (void)index;
    return evn__sample_solve_state(((const by_sample *)scheme)->solve);
}

static evn_status solve(evn__scheme *scheme, const evn__passage *passage, evn_solution *solution) {
    return evn__sample_solve_run(((by_sample *)scheme)->solve, passage, solution);
}

static evn_solution sample(const evn__scheme *scheme, int index) {
    return evn__sample_solve_solution(((const by_sample *)scheme)->solve, index);
}

static evn_status steps(evn__scheme *scheme, const evn__passage *passage, int index,
                        evn__trail *trail) {
    (void)passage;
    return evn__sample_solve_steps(((const by_sample *)scheme)->solve, index, trail);
}

static evn_status at(evn__scheme *scheme, const double *times, bool own, int count,
                     evn_binding to) {
    return evn__sample_solve_at(((by_sample *)scheme)->solve, times, own, count, to);
}

static evn_status gradient(evn__scheme *scheme, const evn__passage *passage,
                           evn_solution *solution) {
    return evn__sample_gradient_run(((by_sample *)scheme)->gradient, passage, solution);
}

static evn_binding state_bar(const evn__scheme *scheme, int index) {
    (void)index;
    return evn__sample_gradient_state_bar(((const by_sample *)scheme)->gradient);
}

const evn__scheme_methods evn__scheme_by_sample = {.create = create,
                                                   .destroy = destroy,
                                                   .begin = state,
                                                   .end = state,
                                                   .solve = solve,
                                                   .sample = sample,
                                                   .steps = steps,
                                                   .at = at};

const evn__scheme_methods evn__scheme_by_sample_backprop = {.create = create_backprop,
                                                            .destroy = destroy,
                                                            .begin = state,
                                                            .end = state,
                                                            .solve = solve,
                                                            .sample = sample,
                                                            .steps = steps,
                                                            .at = at,
                                                            .gradient = gradient,
                                                            .state_bar = state_bar};
