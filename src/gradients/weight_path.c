// SPDX-License-Identifier: Apache-2.0
#include "gradients/weight_path.h"

#include "dynamics/path_system.h"
#include "gradients/path_series.h"
#include "gradients/time_gradient.h"
#include "host/counting.h"
#include "integrator/integrator.h"
#include "integrator/jump.h"
#include "integrator/outcome.h"
#include "methods/stepper.h"
#include "plan/real.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

struct evn__weight_path {
    const evn__problem *problem;
    evn__system system;         ///< of the weights alone
    evn_solver_options options; ///< of their solve, which observes them at Chebyshev's points
    evn__course course;
    evn__problem own; ///< of the above
    evn__scheme *scheme;
    evn__doubtful doubtful; ///< of their solve
    const evn__path_basis *basis;
    int terms, weights; ///< as many nodes as terms
    bool *reads;        ///< [parameters]: those that g reads
    evn_buffer *nodes;  ///< [terms, Θ]
    evn_buffer *ends;   ///< [layout.total]: θ at the end
    evn__layout layout; ///< of all states
    evn__path_series *series;
    evn_buffer *nodes_bar;
    evn__time_gradient *times; ///< of their solve, where the gradient is one in times, too,
    evn__passage back;         ///< and what its gradient was of
    evn_buffer *shares;        ///< cotangents of the parameters that g reads
    evn__jump **sums;          ///< [parameters], of these
    evn__jump **joins;         ///< [weights], of θ̄ at the end; NULL: it does not go on
    evn_binding *parameters, *parameters_bar; ///< of the system along the path
    evn_binding *read, *share;                ///< of the system of the weights
    double t0, t1;
};

// Life --------------------------------------------------------------------------------------------

/// As many as a smooth path takes at the tolerance: two for each digit.
static int choose_terms(const evn_solver_options *o) {
    double tolerance = o->rtol > o->atol ? o->rtol : o->atol;
    double terms = 2 + 2 * ceil(-log10(tolerance));
    terms = fmin(fmax(terms, EVN__LEAST_TERMS), EVN__MOST_TERMS);
    return o->weight_terms > 0 ? o->weight_terms : (int)terms;
}

/// The weights are solved more tightly than x, so that noise of their steps is none of the series.
static double tighter(const evn_solver_options *o, double tolerance) {
    double rounding = o->fp64 ? DBL_EPSILON : (double)FLT_EPSILON;
    return tolerance > 10 * rounding ? tolerance / 10 : tolerance;
}

evn_solver_options evn__weight_path_options(const evn_solver_options *options) {
    evn_solver_options own = *options;
    own.steps = options->weight_steps;
    own.per_sample = own.times_vary = own.observe_weights = own.dense = false;
    own.weight_terms = own.weight_steps = 0;
    own.rtol = tighter(options, options->rtol);
    own.atol = tighter(options, options->atol);
    if (own.steps == 0 && evn__stepper_find(options->method)->error_order == 0) {
        own.method = "dopri5"; // x takes fixed steps, by a method that cannot choose them
        own.krylov = 0;
    }
    return own;
}

static evn_status make_course(evn__weight_path *path) {
    double *times = NULL;
    int last = path->terms - 1;
    EVN_TRY(EVN_NEW(&times, path->terms));
    for (int j = 0; j <= last; ++j) {
        times[j] = (1 + path->basis->node(j, path->terms)) / 2;
    }
    times[last] = 1;
    path->options.times = times;
    evn_status status = evn__course_create(&path->options, &path->course);
    path->options.times = NULL;
    free(times);
    return status;
}

/// What is said of their own solve.
static evn_status of_weights(evn_status status) {
    return status == EVN_OK ? status : evn__prepend(status, "the weights, solved by themselves");
}

static evn_status make_scheme(evn__weight_path *path) {
    path->options = evn__weight_path_options(path->problem->options);
    path->options.observations = path->terms;
    EVN_TRY(make_course(path));
    path->own = (evn__problem){.device = path->problem->device,
                               .system = &path->system,
                               .options = &path->options,
                               .course = &path->course,
                               .observed = evn__path_offset(path->problem->system, path->weights)};
    EVN_TRY(evn__outcome_find_doubtful(&path->options, &path->system, &path->doubtful));
    EVN_TRY(of_weights(evn__scheme_create(&path->own, &path->scheme)));
    return path->options.time_gradient
               ? evn__time_gradient_create(&path->own, path->scheme->methods, &path->times)
               : EVN_OK;
}

static evn_status make(const evn__weight_path *path, size_t count, evn_buffer **buffer) {
    return evn__real_create_for(path->problem->device, EVN__USE_STATES, path->options.fp64, count,
                                buffer);
}

static evn_status make_nodes(evn__weight_path *path) {
    EVN_TRY(make(path, (size_t)path->terms * path->own.observed, &path->nodes));
    EVN_TRY(evn__layout_create(path->problem->system, &path->layout));
    return make(path, path->layout.total, &path->ends);
}

static evn_status make_joins(evn__weight_path *path) {
    EVN_TRY(EVN_NEW(&path->joins, path->weights));
    for (int i = 0; i < path->weights; ++i) {
        EVN_TRY(evn__jump_create(path->problem->device,
                                 evn__system_state_shape(path->problem->system, i + 1),
                                 path->options.fp64, &path->joins[i]));
    }
    return EVN_OK;
}

/// Of what g reads, and what is added to its cotangent.
static evn_status make_shares(evn__weight_path *path) {
    const evn__system *system = path->problem->system;
    size_t total = 0;
    int count = 0;
    EVN_TRY(EVN_NEW(&path->sums, system->parameter_count + 1));
    for (int i = 0; i < system->parameter_count; ++i) {
        evn_shape shape = evn__system_parameter_shape(system, i);
        if (path->reads[i]) {
            path->share[count++].offset = total;
            total += evn__real_aligned((size_t)evn_shape_count(shape));
            EVN_TRY(
                evn__jump_create(path->problem->device, shape, path->options.fp64, &path->sums[i]));
        }
    }
    EVN_TRY(make(path, total, &path->shares));
    for (int i = 0; i < count; ++i) {
        path->share[i].buffer = path->shares;
    }
    EVN_TRY(path->problem->goes_on ? make_joins(path) : EVN_OK);
    return make(path, (size_t)path->terms * path->own.observed, &path->nodes_bar);
}

static evn_status make_bindings(evn__weight_path *path) {
    int parameters = path->problem->system->parameter_count;
    int all = parameters + path->weights + 1;
    EVN_TRY(EVN_NEW(&path->parameters, all));
    EVN_TRY(EVN_NEW(&path->parameters_bar, all));
    EVN_TRY(EVN_NEW(&path->read, parameters + 1));
    return EVN_NEW(&path->share, parameters + 1);
}

static evn_status create(evn__weight_path *path, evn__system *along) {
    const evn__system *system = path->problem->system;
    int steps = path->problem->options->weight_steps;
    path->weights = evn__path_weights(system);
    path->basis = steps > 0 ? &evn__path_linear : &evn__path_chebyshev;
    path->terms = steps > 0 ? steps + 1 : choose_terms(path->problem->options);
    EVN_TRY(EVN_NEW(&path->reads, system->parameter_count + 1));
    EVN_TRY(evn__path_system(system, path->reads, &path->system));
    EVN_TRY(make_scheme(path));
    EVN_TRY(make_bindings(path));
    EVN_TRY(make_nodes(path));
    EVN_TRY(path->options.gradient != EVN_GRADIENT_NONE ? make_shares(path) : EVN_OK);
    EVN_TRY(evn__path_series_create(path->problem, &path->system, path->basis, path->terms,
                                    &path->series));
    return evn__system_along_path(system, path->basis, path->terms, along);
}

evn_status evn__weight_path_create(const evn__problem *problem, evn__system *along,
                                   evn__weight_path **path) {
    EVN_TRY(EVN_NEW(path, 1));
    (*path)->problem = problem;
    evn_status status = create(*path, along);
    if (status != EVN_OK) {
        evn__weight_path_destroy(path);
    }
    return status;
}

static void free_host(evn__weight_path *path) {
    free(path->reads);
    free(path->sums);
    free(path->joins);
    free(path->parameters);
    free(path->parameters_bar);
    free(path->read);
    free(path->share);
    free(path);
}

void evn__weight_path_destroy(evn__weight_path **path) {
    evn__weight_path *p = *path;
    if (!p) {
        return;
    }
    evn__scheme_destroy(&p->scheme);
    evn__course_free(&p->course);
    evn__time_gradient_destroy(&p->times);
    evn__path_series_destroy(&p->series);
    for (int i = 0; p->sums && i < p->problem->system->parameter_count; ++i) {
        evn__jump_destroy(&p->sums[i]);
    }
    for (int i = 0; p->joins && i < p->weights; ++i) {
        evn__jump_destroy(&p->joins[i]);
    }
    evn__system_free(&p->system);
    evn__layout_free(&p->layout);
    evn_buffer **const buffers[] = {&p->nodes, &p->ends, &p->nodes_bar, &p->shares};
    for (size_t i = 0; i < sizeof(buffers) / sizeof(*buffers); ++i) {
        evn_buffer_destroy(buffers[i]);
    }
    free_host(p);
    *path = NULL;
}

// A solve -----------------------------------------------------------------------------------------

/// Of all weights, that of component `index`.
static evn_binding part(const evn__weight_path *path, evn_binding all, int index) {
    all.offset += evn__path_offset(path->problem->system, index - 1);
    return all;
}

evn_binding evn__weight_path_begin(const evn__weight_path *path, int index) {
    return part(path, path->scheme->methods->begin(path->scheme, 0), index);
}

evn_binding evn__weight_path_end(const evn__weight_path *path, int index) {
    return (evn_binding){path->ends, path->layout.offset[index]};
}

/// Of the samples that have a way, in one direction; where none has, of the first.
static evn_status find_span(evn__weight_path *path, const evn__passage *passage) {
    evn_shape x = evn__system_state_shape(path->problem->system, 0);
    int64_t samples = passage->samples ? x.dim[0] : 1;
    double low = INFINITY, high = -INFINITY;
    bool rises = false, falls = false;
    for (int i = 0; i < samples; ++i) {
        double t0, t1;
        evn__passage_ends(passage, i, &t0, &t1);
        rises = rises || t1 > t0;
        falls = falls || t1 < t0;
        low = t0 != t1 ? fmin(low, fmin(t0, t1)) : low;
        high = t0 != t1 ? fmax(high, fmax(t0, t1)) : high;
    }
    EVN_CHECK(!rises || !falls, EVN_ERR_ARGUMENT,
              "weights evolve in one direction for all samples, some of which go up in t, some "
              "down; solve those in a batch of their own");
    path->t0 = falls ? high : low;
    path->t1 = falls ? low : high;
    if (!rises && !falls) {
        evn__passage_ends(passage, 0, &path->t0, &path->t1);
    }
    return EVN_OK;
}

static void bind_read(const evn__weight_path *path, const evn__passage *passage) {
    int count = 0;
    for (int i = 0; i < path->problem->system->parameter_count; ++i) {
        path->parameters[i] = passage->parameters[i];
        if (path->reads[i]) {
            path->read[count++] = passage->parameters[i];
        }
    }
    evn__path_series_bind(path->series, path->parameters + path->problem->system->parameter_count);
}

static evn_binding node(const evn__weight_path *path, int index) {
    return (evn_binding){path->nodes, (size_t)index * path->own.observed};
}

static evn_status keep_ends(const evn__weight_path *path) {
    for (int i = 1; i < path->layout.count; ++i) {
        EVN_TRY(evn__real_copy(evn__weight_path_end(path, i),
                               part(path, node(path, path->terms - 1), i), path->options.fp64,
                               path->layout.size[i]));
    }
    return EVN_OK;
}

/// Whether the series is as exact as the solve along it is to be.
static evn_status check_rest(const evn__weight_path *path, evn_solution *solution) {
    const evn_solver_options *o = path->problem->options;
    double rest = 0;
    if (evn__device_is_counting(path->problem->device)) {
        return EVN_OK;
    }
    EVN_TRY(evn__path_series_rest(path->series, &rest));
    if (rest <= 1) {
        return EVN_OK;
    }
    solution->outcome = EVN_OUTCOME_WEIGHTS_NOT_RESOLVED;
    EVN_FAIL(
        EVN_ERR_SOLVER,
        "weights that evolve are solved by themselves, as a series of %d Chebyshev polynomials "
        "in t, and its last terms are %.2g times as large as rtol %g and atol %g allow; give "
        "more, up to %d, as weight_terms, loosen rtol and atol, go a shorter way, or leave %s "
        "out",
        path->terms, rest, o->rtol, o->atol, EVN__MOST_TERMS,
        o->per_sample ? "per_sample" : "weight_terms");
}

static evn_status solve_weights(evn__weight_path *path, evn_solution *solution) {
    const evn__scheme_methods *methods = path->scheme->methods;
    const evn__passage own = {
        .t0 = path->t0, .t1 = path->t1, .parameters = path->read, .series = node(path, 0)};
    EVN_TRY(evn__real_copy(node(path, 0), methods->begin(path->scheme, 0), path->options.fp64,
                           path->own.observed));
    if (path->times) {
        EVN_TRY(evn__time_gradient_start(path->times, 0, node(path, 0)));
        evn__time_gradient_begin(path->times, &own);
    }
    evn_status status = methods->solve(path->scheme, &own, solution);
    if (status == EVN_OK) { // x along no numbers would be told of f's
        status =
            evn__outcome_check_steps(&path->options, path->doubtful, node(path, 0),
                                     node(path, path->terms - 1), path->own.observed, solution);
    }
    return of_weights(status);
}

evn_status evn__weight_path_solve(evn__weight_path *path, const evn__passage *passage,
                                  evn_solution *solution) {
    EVN_TRY(find_span(path, passage));
    bind_read(path, passage);
    EVN_TRY(solve_weights(path, solution));
    EVN_TRY(evn__path_series_take(path->series, node(path, 0)));
    EVN_TRY(evn__path_series_set_span(path->series, path->t0, path->t1));
    EVN_TRY(keep_ends(path));
    return check_rest(path, solution);
}

void evn__weight_path_span(const evn__weight_path *path, double *t0, double *t1) {
    *t0 = path->t0;
    *t1 = path->t1;
}

/// Both ends are nodes.
static evn_status copy_end(const evn__weight_path *path, int index, const evn_binding *to,
                           size_t stride, int time) {
    for (int i = 0; i < path->weights; ++i) {
        size_t size = path->layout.size[i + 1], by = (stride > 0 ? stride : size) * (size_t)time;
        EVN_TRY(to[i].buffer
                    ? evn__real_copy((evn_binding){to[i].buffer, to[i].offset + by},
                                     part(path, node(path, index), i + 1), path->options.fp64, size)
                    : EVN_OK);
    }
    return EVN_OK;
}

evn_status evn__weight_path_at(const evn__weight_path *path, const double *times, int count,
                               const evn_binding *to, size_t stride) {
    EVN_TRY(evn__path_series_at(path->series, times, count, to, stride));
    for (int k = 0; k < count; ++k) {
        bool begins = times[k] == path->t0, ends = times[k] == path->t1;
        EVN_TRY(begins || ends ? copy_end(path, begins ? 0 : path->terms - 1, to, stride, k)
                               : EVN_OK);
    }
    return EVN_OK;
}

const evn_binding *evn__weight_path_parameters(const evn__weight_path *path) {
    return path->parameters;
}

// Its gradient ------------------------------------------------------------------------------------

const evn_binding *evn__weight_path_want(evn__weight_path *path, const evn__passage *passage) {
    int parameters = path->problem->system->parameter_count;
    for (int i = 0; i < parameters; ++i) {
        path->parameters_bar[i] = passage->parameters_bar[i];
    }
    evn__path_series_bind_bars(path->series, path->parameters_bar + parameters);
    return path->parameters_bar;
}

/// What comes from behind the end is that of the last node.
static evn_status join_end(const evn__weight_path *path, const evn__passage *passage) {
    evn_binding last = {path->nodes_bar, (size_t)(path->terms - 1) * path->own.observed};
    for (int i = 1; passage->carried_bar && i <= path->weights; ++i) {
        EVN_TRY(evn__jump_add(path->joins[i - 1], part(path, last, i), passage->carried_bar[i]));
    }
    return EVN_OK;
}

evn_status evn__weight_path_gradient(evn__weight_path *path, const evn__passage *passage,
                                     evn_solution *solution) {
    const evn__system *system = path->problem->system;
    const evn_binding nodes_bar = {path->nodes_bar, 0};
    int count = 0;
    path->back = (evn__passage){.t0 = path->t0,
                                .t1 = path->t1,
                                .parameters = path->read,
                                .series = node(path, 0),
                                .x1_bar = nodes_bar,
                                .parameters_bar = path->share};
    EVN_TRY(evn__path_series_back(path->series, nodes_bar));
    EVN_TRY(join_end(path, passage));
    EVN_TRY(of_weights(path->scheme->methods->gradient(path->scheme, &path->back, solution)));
    for (int i = 0; i < system->parameter_count; ++i) {
        if (path->reads[i]) {
            EVN_TRY(evn__jump_add(path->sums[i], passage->parameters_bar[i], path->share[count++]));
        }
    }
    return EVN_OK;
}

evn_status evn__weight_path_take_times(const evn__weight_path *path) {
    return evn__time_gradient_take(path->times, path->scheme, &path->back);
}

evn_status evn__weight_path_read_times(const evn__weight_path *path, double *t0_bar,
                                       double *t1_bar) {
    double t0 = 0, t1 = 0;
    EVN_TRY(evn__time_gradient_read(path->times, t0_bar, t1_bar, NULL));
    EVN_TRY(evn__path_series_span_bars(path->series, &t0, &t1));
    *t0_bar += t0;
    *t1_bar += t1;
    return EVN_OK;
}

evn_binding evn__weight_path_bar(const evn__weight_path *path, int index) {
    return part(path, path->scheme->methods->state_bar(path->scheme, 0), index);
}

evn_binding evn__weight_path_reconstructed(const evn__weight_path *path, int index) {
    return part(path, path->scheme->methods->reconstructed(path->scheme, 0), index);
}
