// SPDX-License-Identifier: Apache-2.0
// Each sample with steps of its own: without a gradient, and with backprop along them.
#include "base/memory.h"
#include "ode/sample_gradient.h"
#include "ode/stepper.h"
#include "ode/weight_path.h"
#include <stdlib.h>

typedef struct by_sample {
    evn__scheme base;
    evn__weight_path *path; ///< of weights that evolve; NULL: there are none
    evn__system along;      ///< the system along it,
    evn__problem problem;   ///< of samples, with that system or the one that there is
    evn__sample_solve *solve;
    evn__sample_gradient *gradient; ///< of the scheme that has one
    bool stopped;                   ///< the weights came to a stop in the last solve,
    evn_solution stop;              ///< and where
} by_sample;

static evn_status create_path(const evn__problem *problem, by_sample *b) {
    const evn_solver_options *o = problem->options;
    EVN_CHECK(!o->observe_weights && !o->time_gradient, EVN_ERR_ARGUMENT,
              "solver %s: weights evolve, and samples have steps and observations of their own: "
              "there is no %s; leave it out, or per_sample",
              o->method, o->observe_weights ? "observe_weights" : "time_gradient");
    EVN_TRY(evn__stepper_check_end(evn__stepper_find(o->method),
                                   "behind the end of weights that evolve, which are solved once "
                                   "for all samples"));
    EVN_TRY(evn__weight_path_create(problem, &b->along, &b->path));
    b->problem.system = &b->along;
    return EVN_OK;
}

static evn_status check_constant(const evn_solver_options *o) {
    EVN_CHECK(o->weight_terms == 0, EVN_ERR_ARGUMENT,
              "solver %s: %d weight_terms, which are of weights that evolve, and no weight does; "
              "leave them out",
              o->method, o->weight_terms);
    return EVN_OK;
}

static evn_status create(const evn__problem *problem, evn__scheme **scheme) {
    by_sample *b = NULL;
    EVN_TRY(EVN_NEW(&b, 1));
    *scheme = &b->base;
    b->problem = *problem;
    bool evolves = problem->system->state_count > 1;
    EVN_TRY(evolves ? create_path(problem, b) : check_constant(problem->options));
    return evn__sample_solve_create(&b->problem, &b->solve);
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
    evn__weight_path_destroy(&b->path);
    evn__system_free(&b->along);
    free(b);
}

static evn_binding begin(const evn__scheme *scheme, int index) {
    const by_sample *b = (const by_sample *)scheme;
    return index == 0 ? evn__sample_solve_state(b->solve) : evn__weight_path_begin(b->path, index);
}

static evn_binding end(const evn__scheme *scheme, int index) {
    const by_sample *b = (const by_sample *)scheme;
    return index == 0 ? evn__sample_solve_state(b->solve) : evn__weight_path_end(b->path, index);
}

static evn_status solve_along(by_sample *b, const evn__passage *passage, evn_solution *solution) {
    evn__passage own = *passage;
    b->stop = (evn_solution){0};
    evn_status status = evn__weight_path_solve(b->path, passage, &b->stop);
    b->stopped = status != EVN_OK;
    if (b->stopped) {
        *solution = b->stop;
        return status;
    }
    own.parameters = evn__weight_path_parameters(b->path);
    status = evn__sample_solve_run(b->solve, &own, solution);
    solution->waits += b->stop.waits;
    return status;
}

static evn_status solve(evn__scheme *scheme, const evn__passage *passage, evn_solution *solution) {
    by_sample *b = (by_sample *)scheme;
    return b->path ? solve_along(b, passage, solution)
                   : evn__sample_solve_run(b->solve, passage, solution);
}

static evn_solution sample(const evn__scheme *scheme, int index) {
    const by_sample *b = (const by_sample *)scheme;
    return b->stopped ? b->stop : evn__sample_solve_solution(b->solve, index);
}

static evn_status gradient_along(const by_sample *b, const evn__passage *passage,
                                 evn_solution *solution) {
    evn__passage own = *passage;
    own.parameters = evn__weight_path_parameters(b->path);
    own.parameters_bar = evn__weight_path_want(b->path, passage);
    EVN_TRY(evn__sample_gradient_run(b->gradient, &own, solution));
    return evn__weight_path_gradient(b->path, passage);
}

static evn_status gradient(evn__scheme *scheme, const evn__passage *passage,
                           evn_solution *solution) {
    by_sample *b = (by_sample *)scheme;
    return b->path ? gradient_along(b, passage, solution)
                   : evn__sample_gradient_run(b->gradient, passage, solution);
}

static evn_binding state_bar(const evn__scheme *scheme, int index) {
    const by_sample *b = (const by_sample *)scheme;
    return index == 0 ? evn__sample_gradient_state_bar(b->gradient)
                      : evn__weight_path_bar(b->path, index);
}

const evn__scheme_methods evn__scheme_by_sample = {.create = create,
                                                   .destroy = destroy,
                                                   .begin = begin,
                                                   .end = end,
                                                   .solve = solve,
                                                   .sample = sample};

const evn__scheme_methods evn__scheme_by_sample_backprop = {.create = create_backprop,
                                                            .destroy = destroy,
                                                            .begin = begin,
                                                            .end = end,
                                                            .solve = solve,
                                                            .sample = sample,
                                                            .gradient = gradient,
                                                            .state_bar = state_bar};
