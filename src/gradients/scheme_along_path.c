// SPDX-License-Identifier: Apache-2.0
// Weights that evolve have a solve of their own, and x goes along their path by the scheme that
// there is where none evolves: what that can do this can, too. So it is with the gradient in times:
// that of x along the path, whose ends then have what the path itself has of them.
#include "base/memory.h"
#include "gradients/path_times.h"
#include "gradients/scheme.h"
#include "gradients/weight_path.h"
#include "methods/stepper.h"
#include <math.h>
#include <stdlib.h>

typedef struct along_path {
    evn__scheme base;
    evn__scheme_methods own; ///< those that the scheme of x has
    evn__weight_path *path;
    evn__system system; ///< of x along it
    evn_solver_options options;
    evn__problem problem; ///< of the above
    evn__scheme *x;
    double *observed;       ///< [observations], with observe_weights: when
    evn__path_times *times; ///< where the gradient is one in times, too
    bool stopped;           ///< the weights came to a stop in the last solve,
    evn_solution stop;      ///< and where
} along_path;

static const along_path *of(const evn__scheme *scheme) {
    return (const along_path *)scheme;
}

static evn_status check(const evn_solver_options *o) {
    return evn__stepper_check_end(evn__stepper_find(o->method),
                                  "behind the end of weights that evolve, which are solved by "
                                  "themselves");
}

static void keep_methods(along_path *a) {
    const evn__scheme_methods *x = a->x->methods;
    a->own = evn__scheme_along_path;
    a->own.sample = x->sample ? a->own.sample : NULL;
    a->own.steps = x->steps ? a->own.steps : NULL;
    a->own.trail = x->trail ? a->own.trail : NULL;
    a->own.dense = x->dense ? a->own.dense : NULL;
    a->own.at = x->at ? a->own.at : NULL;
    a->own.take_times = x->gradient ? a->own.take_times : NULL;
    a->own.gradient = x->gradient ? a->own.gradient : NULL;
    a->own.reconstructed = x->reconstructed ? a->own.reconstructed : NULL;
    a->base.methods = &a->own;
}

static evn_status create(const evn__problem *problem, evn__scheme **scheme) {
    along_path *a = NULL;
    EVN_TRY(check(problem->options));
    EVN_TRY(EVN_NEW(&a, 1));
    *scheme = &a->base;
    EVN_TRY(evn__weight_path_create(problem, &a->system, &a->path));
    a->options = *problem->options;
    a->options.weight_terms = a->options.weight_steps = 0;
    a->problem = *problem;
    a->problem.system = &a->system;
    a->problem.options = &a->options;
    EVN_TRY(evn__scheme_create(&a->problem, &a->x));
    keep_methods(a);
    EVN_TRY(a->options.observe_weights ? EVN_NEW(&a->observed, a->options.observations + 1)
                                       : EVN_OK);
    return a->options.time_gradient ? evn__path_times_create(a->x, a->path, &a->times) : EVN_OK;
}

static void destroy(evn__scheme *scheme) {
    along_path *a = (along_path *)scheme;
    evn__path_times_destroy(&a->times);
    free(a->observed);
    evn__scheme_destroy(&a->x);
    evn__weight_path_destroy(&a->path);
    evn__system_free(&a->system);
    free(a);
}

static evn_binding begin(const evn__scheme *scheme, int index) {
    const along_path *a = of(scheme);
    return index == 0 ? a->x->methods->begin(a->x, 0) : evn__weight_path_begin(a->path, index);
}

static evn_binding end(const evn__scheme *scheme, int index) {
    const along_path *a = of(scheme);
    return index == 0 ? a->x->methods->end(a->x, 0) : evn__weight_path_end(a->path, index);
}

/// Of the samples that observe in this passage, which all do so at the same time, or each has that
/// of its own, where nobody asks.
static double time_of(const along_path *a, const evn__passage *passage, int index) {
    evn_shape x = evn__system_state_shape(&a->system, 0);
    int64_t samples = passage->samples ? x.dim[0] : 1;
    double t = NAN;
    for (int i = 0; i < samples && isnan(t); ++i) {
        t = evn__passage_observation(&a->problem, passage, i, index);
    }
    return t;
}

static evn_status observe_weights(along_path *a, const evn__passage *passage) {
    int count = evn__scheme_observations(&a->problem),
        weights = evn__path_weights(a->base.problem->system);
    evn_binding *to = NULL;
    if (!passage->weights.buffer) {
        return EVN_OK;
    }
    EVN_TRY(EVN_NEW(&to, weights));
    for (int i = 0; i < count; ++i) {
        a->observed[i] = time_of(a, passage, i);
    }
    for (int i = 0; i < weights; ++i) {
        size_t offset = evn__path_offset(a->base.problem->system, i);
        to[i] = (evn_binding){passage->weights.buffer, passage->weights.offset + offset};
    }
    size_t stride = evn__path_offset(a->base.problem->system, weights);
    evn_status status = evn__weight_path_at(a->path, a->observed, count, to, stride);
    free(to);
    return status;
}

static evn_status solve(evn__scheme *scheme, const evn__passage *passage, evn_solution *solution) {
    along_path *a = (along_path *)scheme;
    evn__passage own = *passage;
    a->stop = (evn_solution){0};
    evn_status status = evn__weight_path_solve(a->path, passage, &a->stop);
    a->stopped = status != EVN_OK;
    if (a->stopped) {
        *solution = a->stop;
        return status;
    }
    EVN_TRY(observe_weights(a, passage));
    EVN_TRY(a->times ? evn__path_times_begin(a->times, passage) : EVN_OK);
    own.parameters = evn__weight_path_parameters(a->path);
    status = a->x->methods->solve(a->x, &own, solution);
    solution->waits += a->stop.waits;
    return status;
}

static evn_solution sample(const evn__scheme *scheme, int index) {
    const along_path *a = of(scheme);
    return a->stopped ? a->stop : a->x->methods->sample(a->x, index);
}

static evn_status steps(evn__scheme *scheme, const evn__passage *passage, int index,
                        evn__trail *trail) {
    const along_path *a = of(scheme);
    return a->x->methods->steps(a->x, passage, index, trail);
}

static bool stopped_together(const evn__scheme *scheme) {
    return of(scheme)->stopped;
}

static const evn__trail *trail(const evn__scheme *scheme) {
    const along_path *a = of(scheme);
    return a->x->methods->trail(a->x);
}

static const evn__scheme *of_x(const evn__scheme *scheme, const evn_binding **parameters) {
    const along_path *a = of(scheme);
    *parameters = evn__weight_path_parameters(a->path);
    return a->x;
}

static evn_status dense(evn__scheme *scheme, const evn__passage *passage, evn__dense **dense) {
    along_path *a = (along_path *)scheme;
    evn__passage own = *passage;
    own.parameters = evn__weight_path_parameters(a->path);
    return a->x->methods->dense(a->x, &own, dense);
}

static evn_status at(evn__scheme *scheme, const double *times, bool own, int count,
                     evn_binding to) {
    along_path *a = (along_path *)scheme;
    return a->x->methods->at(a->x, times, own, count, to);
}

static evn_status weights_at(const evn__scheme *scheme, const double *times, int count,
                             const evn_binding *to) {
    return evn__weight_path_at(of(scheme)->path, times, count, to, 0);
}

static evn_status gradient(evn__scheme *scheme, const evn__passage *passage,
                           evn_solution *solution) {
    along_path *a = (along_path *)scheme;
    evn__passage own = *passage;
    own.parameters = evn__weight_path_parameters(a->path);
    own.parameters_bar = evn__weight_path_want(a->path, passage);
    EVN_TRY(a->x->methods->gradient(a->x, &own, solution));
    evn_solution weights = {0};
    evn_status status = evn__weight_path_gradient(a->path, passage, &weights);
    if (status != EVN_OK) {
        *solution = weights;
        return status;
    }
    solution->waits += weights.waits;
    return EVN_OK;
}

static evn_status take_times(const evn__scheme *scheme, const evn__passage *passage) {
    const along_path *a = of(scheme);
    evn__passage own = *passage;
    own.parameters = evn__weight_path_parameters(a->path);
    return evn__path_times_take(a->times, &own);
}

static evn_status read_times(const evn__scheme *scheme, double *bars, double *end_bars) {
    return evn__path_times_read(of(scheme)->times, bars, end_bars);
}

static evn_binding state_bar(const evn__scheme *scheme, int index) {
    const along_path *a = of(scheme);
    return index == 0 ? a->x->methods->state_bar(a->x, 0) : evn__weight_path_bar(a->path, index);
}

static evn_binding reconstructed(const evn__scheme *scheme, int index) {
    const along_path *a = of(scheme);
    return index == 0 ? a->x->methods->reconstructed(a->x, 0)
                      : evn__weight_path_reconstructed(a->path, index);
}

const evn__scheme_methods evn__scheme_along_path = {.create = create,
                                                    .destroy = destroy,
                                                    .begin = begin,
                                                    .end = end,
                                                    .solve = solve,
                                                    .sample = sample,
                                                    .steps = steps,
                                                    .stopped_together = stopped_together,
                                                    .trail = trail,
                                                    .of_x = of_x,
                                                    .dense = dense,
                                                    .at = at,
                                                    .weights_at = weights_at,
                                                    .gradient = gradient,
                                                    .state_bar = state_bar,
                                                    .take_times = take_times,
                                                    .read_times = read_times,
                                                    .reconstructed = reconstructed};
