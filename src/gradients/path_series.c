// SPDX-License-Identifier: Apache-2.0
#include "gradients/path_series.h"

#include "methods/error_norm.h"
#include "plan/build.h"
#include "plan/real.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct evn__path_series {
    const evn__problem *problem;
    const evn__system *system; ///< of the weights alone
    const evn__path_basis *basis;
    int terms, weights;
    size_t elements;     ///< of all weights
    size_t *at, total;   ///< where the series of each weight is; elements of all
    evn_plan *transform; ///< nodes → series, and what is left of the last terms where they say it
    evn_plan *transpose; ///< series_bar → nodes_bar
    evn_plan *evaluate;  ///< τ, series → θ; NULL: it was not needed yet
    evn_buffer *series;  ///< [total], then span [2]
    evn_buffer *bars;    ///< as series
    evn_buffer *rest;    ///< [1]
    double span[2];      ///< as it is in the series
    evn_buffer *tau;     ///< [room], of the times that were last asked for,
    double *taus;        ///< and as they are there,
    int room, count;     ///< so many of them
    evn_buffer *left;    ///< [Θ], for θ that is not wanted
    evn_binding *inputs; ///< τ, then series,
    evn_binding *values; ///< [weights], and θ of them
};

// Graphs ------------------------------------------------------------------------------------------

/// What makes series of values at the nodes, [terms, terms].
static evn_status make_matrix(const evn__path_series *s, double **matrix) {
    int terms = s->terms;
    EVN_TRY(EVN_NEW(matrix, (size_t)terms * (size_t)terms));
    for (int k = 0; k < terms; ++k) {
        for (int j = 0; j < terms; ++j) {
            (*matrix)[k * terms + j] = s->basis->coefficient(k, j, terms);
        }
    }
    return EVN_OK;
}

static evn_value rows(evn_graph *g, evn_value table, int first, int count) {
    const int64_t start[] = {first, 0};
    return evn_slice(g, table, start, EVN_SHAPE(count, evn_value_shape(g, table).dim[1]));
}

/// Of each element all along the way, [1, Θ].
static evn_value largest_size(const evn__path_series *s, evn_graph *g, evn_value nodes) {
    evn_value size = evn_abs(g, rows(g, nodes, 0, 1));
    for (int j = 1; j < s->terms; ++j) {
        size = evn_maximum(g, size, evn_abs(g, rows(g, nodes, j, 1)));
    }
    return size;
}

/// The last two terms by what is tolerated, in the norm of the weights' own steps.
static evn_value build_rest(const evn__path_series *s, evn_graph *g, evn_value nodes,
                            evn_value series) {
    const evn_solver_options *o = s->problem->options;
    evn__step_build step = {.graph = g,
                            .system = s->system,
                            .t = evn_constant(g, 0),
                            .rtol = evn_constant(g, o->rtol),
                            .atol = evn_constant(g, o->atol)};
    evn__error_norm norm = evn__error_norm_begin(&step);
    evn_value left = evn_add(g, evn_abs(g, rows(g, series, s->terms - 1, 1)),
                             evn_abs(g, rows(g, series, s->terms - 2, 1)));
    evn_value tolerated = evn__error_tolerance(&step, largest_size(s, g, nodes));
    // An atol below all floats is 0 to single precision.
    tolerated = evn_maximum(g, tolerated, evn_constant(g, FLT_MIN));
    evn__error_norm_add(&step, &norm, 0, left, tolerated);
    return evn_reshape(g, evn__error_norm_end(&step, &norm), EVN_SHAPE(1));
}

/// A transform under construction.
typedef struct transform {
    const evn__path_series *series;
    const double *matrix; ///< NULL: values at the nodes are the series
} transform;

/// The matrix, or its transpose, times what is given.
static evn_value times_matrix(const transform *t, evn_graph *g, evn_value x, bool transpose) {
    int terms = t->series->terms;
    if (!t->matrix) {
        return x;
    }
    evn_value matrix = evn_table(g, EVN_SHAPE(terms, terms), t->matrix);
    return evn_matmul(g, matrix, x, transpose, false);
}

static int64_t size_of(const evn__path_series *s, int weight) {
    const evn__system *system = s->problem->system;
    return (int64_t)(evn__path_offset(system, weight + 1) - evn__path_offset(system, weight));
}

static evn_value declare_series(const evn__path_series *s, evn_graph *g, int weight) {
    char name[32];
    snprintf(name, sizeof(name), "series.%d", weight);
    return evn_input(g, name, EVN_SHAPE(s->terms, size_of(s, weight)));
}

static void build_transform(const void *self, evn_graph *g) {
    const transform *t = self;
    const evn__path_series *s = t->series;
    evn_value nodes = evn_input(g, "nodes", EVN_SHAPE(s->terms, (int64_t)s->elements));
    evn_value series = times_matrix(t, g, nodes, false);
    for (int i = 0; i < s->weights; ++i) {
        char name[32];
        const int64_t start[] = {0, (int64_t)evn__path_offset(s->problem->system, i)};
        snprintf(name, sizeof(name), "series.%d", i);
        evn_output(g, name, evn_slice(g, series, start, EVN_SHAPE(s->terms, size_of(s, i))));
    }
    if (s->basis->converges) {
        evn_output(g, "rest", build_rest(s, g, nodes, series));
    }
}

static void build_transpose(const void *self, evn_graph *g) {
    const transform *t = self;
    const evn__path_series *s = t->series;
    evn_value all = EVN_NONE;
    for (int i = 0; i < s->weights; ++i) {
        evn_value bar = declare_series(s, g, i);
        const evn_value parts[] = {all, bar};
        all = i == 0 ? bar : evn_concat(g, parts, 2, 1);
    }
    evn_value nodes_bar = times_matrix(t, g, all, true);
    evn_output(g, "nodes_bar",
               evn_reshape(g, nodes_bar, EVN_SHAPE(s->terms, (int64_t)s->elements)));
}

/// As a system along the path reads them (dynamics/path_system.c).
static void build_evaluate(const void *self, evn_graph *g) {
    const evn__path_series *s = self;
    evn_value functions = s->basis->functions(g, evn_input(g, "tau", EVN_SHAPE(1)), s->terms);
    for (int i = 0; i < s->weights; ++i) {
        char name[32];
        snprintf(name, sizeof(name), "theta.%d", i);
        evn_value series = declare_series(s, g, i);
        evn_output(g, name, evn_matmul(g, functions, series, false, false));
    }
}

// Life --------------------------------------------------------------------------------------------

static evn_plan_options plan_options(const evn__path_series *s) {
    return (evn_plan_options){.fp64 = s->problem->options->fp64};
}

static bool goes_back(const evn__path_series *s) {
    return s->problem->options->gradient != EVN_GRADIENT_NONE;
}

static evn_status compile(evn__path_series *s) {
    const evn_plan_options options = plan_options(s);
    double *matrix = NULL;
    EVN_TRY(s->basis->coefficient ? make_matrix(s, &matrix) : EVN_OK);
    const transform t = {s, matrix};
    evn_device *device = s->problem->device;
    evn_status status = evn__plan_build(device, build_transform, &t, &options, &s->transform);
    if (status == EVN_OK && goes_back(s)) {
        status = evn__plan_build(device, build_transpose, &t, &options, &s->transpose);
    }
    free(matrix);
    return status;
}

static evn_status make(const evn__path_series *s, size_t count, evn_buffer **buffer) {
    return evn__real_create_for(s->problem->device, EVN__USE_STATES, s->problem->options->fp64,
                                count, buffer);
}

static evn_status create(evn__path_series *s) {
    s->weights = evn__path_weights(s->problem->system);
    s->elements = evn__path_offset(s->problem->system, s->weights);
    s->span[0] = s->span[1] = NAN;
    EVN_TRY(EVN_NEW(&s->at, s->weights));
    EVN_TRY(EVN_NEW(&s->inputs, s->weights + 2));
    EVN_TRY(EVN_NEW(&s->values, s->weights + 1));
    for (int i = 0; i < s->weights; ++i) {
        s->at[i] = s->total;
        s->total += evn__real_aligned((size_t)s->terms * (size_t)size_of(s, i));
    }
    EVN_TRY(make(s, s->total + 2, &s->series));
    EVN_TRY(make(s, 1, &s->rest));
    EVN_TRY(goes_back(s) ? make(s, s->total + 2, &s->bars) : EVN_OK);
    return compile(s);
}

evn_status evn__path_series_create(const evn__problem *problem, const evn__system *weights,
                                   const evn__path_basis *basis, int terms,
                                   evn__path_series **series) {
    EVN_TRY(EVN_NEW(series, 1));
    **series =
        (evn__path_series){.problem = problem, .system = weights, .basis = basis, .terms = terms};
    evn_status status = create(*series);
    if (status != EVN_OK) {
        evn__path_series_destroy(series);
    }
    return status;
}

void evn__path_series_destroy(evn__path_series **series) {
    evn__path_series *s = *series;
    if (!s) {
        return;
    }
    evn_plan **const plans[] = {&s->transform, &s->transpose, &s->evaluate};
    evn_buffer **const buffers[] = {&s->series, &s->bars, &s->rest, &s->tau, &s->left};
    for (size_t i = 0; i < sizeof(plans) / sizeof(*plans); ++i) {
        evn_plan_destroy(plans[i]);
    }
    for (size_t i = 0; i < sizeof(buffers) / sizeof(*buffers); ++i) {
        evn_buffer_destroy(buffers[i]);
    }
    free(s->at);
    free(s->taus);
    free(s->inputs);
    free(s->values);
    free(s);
    *series = NULL;
}

// The series --------------------------------------------------------------------------------------

static void bind(const evn__path_series *s, evn_buffer *buffer, evn_binding *to) {
    for (int i = 0; i < s->weights; ++i) {
        *to++ = (evn_binding){buffer, s->at[i]};
    }
    *to = (evn_binding){buffer, s->total}; // span
}

void evn__path_series_bind(const evn__path_series *s, evn_binding *to) {
    bind(s, s->series, to);
}

void evn__path_series_bind_bars(const evn__path_series *s, evn_binding *to) {
    bind(s, s->bars, to);
}

evn_status evn__path_series_set_span(evn__path_series *s, double t0, double t1) {
    double way = t1 - t0;
    const double span[] = {t0 + way / 2, way != 0 ? 2 / way : 0};
    if (memcmp(s->span, span, sizeof(span)) == 0) {
        return EVN_OK;
    }
    EVN_TRY(
        evn__real_write((evn_binding){s->series, s->total}, s->problem->options->fp64, span, 2));
    memcpy(s->span, span, sizeof(span));
    return EVN_OK;
}

evn_status evn__path_series_take(const evn__path_series *s, evn_binding nodes) {
    bind(s, s->series, s->inputs);
    s->inputs[s->weights] = (evn_binding){s->rest, 0};
    return evn_plan_run(s->transform, &nodes, s->inputs);
}

evn_status evn__path_series_rest(const evn__path_series *s, double *rest) {
    *rest = 0;
    return s->basis->converges
               ? evn__real_read((evn_binding){s->rest, 0}, s->problem->options->fp64, rest, 1)
               : EVN_OK;
}

evn_status evn__path_series_back(const evn__path_series *s, evn_binding nodes_bar) {
    bind(s, s->bars, s->inputs);
    return evn_plan_run(s->transpose, s->inputs, &nodes_bar);
}

/// Of middle = (t0 + t1) / 2 and rate = 2 / (t1 − t0).
evn_status evn__path_series_span_bars(const evn__path_series *s, double *t0_bar, double *t1_bar) {
    double bar[2];
    EVN_TRY(evn__real_read((evn_binding){s->bars, s->total}, s->problem->options->fp64, bar, 2));
    double by_rate = bar[1] * s->span[1] * s->span[1] / 2;
    *t0_bar = bar[0] / 2 + by_rate;
    *t1_bar = bar[0] / 2 - by_rate;
    return EVN_OK;
}

// θ at times --------------------------------------------------------------------------------------

static evn_status prepare(evn__path_series *s, int count) {
    const evn_plan_options options = plan_options(s);
    EVN_TRY(s->left ? EVN_OK : make(s, s->elements, &s->left));
    EVN_TRY(s->evaluate
                ? EVN_OK
                : evn__plan_build(s->problem->device, build_evaluate, s, &options, &s->evaluate));
    if (count <= s->room) {
        return EVN_OK;
    }
    evn_buffer_destroy(&s->tau);
    free(s->taus);
    s->taus = NULL;
    s->room = s->count = 0;
    EVN_TRY(make(s, (size_t)count, &s->tau));
    EVN_TRY(EVN_NEW(&s->taus, count));
    s->room = count;
    return EVN_OK;
}

/// From −1 to 1, also where a time is behind an end by rounding.
static double place_of(const evn__path_series *s, double t) {
    return isnan(t) ? 0 : fmin(fmax((t - s->span[0]) * s->span[1], -1), 1);
}

static evn_status set_taus(evn__path_series *s, const double *times, int count) {
    bool same = count == s->count;
    for (int k = 0; k < count; ++k) {
        double tau = place_of(s, times[k]);
        same = same && tau == s->taus[k];
        s->taus[k] = tau;
    }
    s->count = 0; // until they are there
    EVN_TRY(same ? EVN_OK
                 : evn__real_write((evn_binding){s->tau, 0}, s->problem->options->fp64, s->taus,
                                   (size_t)count));
    s->count = count;
    return EVN_OK;
}

static evn_status evaluate(const evn__path_series *s, int index, const evn_binding *to,
                           size_t stride) {
    s->inputs[0] = (evn_binding){s->tau, (size_t)index};
    bind(s, s->series, s->inputs + 1);
    for (int i = 0; i < s->weights; ++i) {
        size_t by = stride > 0 ? stride : (size_t)size_of(s, i);
        s->values[i] = to[i].buffer
                           ? (evn_binding){to[i].buffer, to[i].offset + by * (size_t)index}
                           : (evn_binding){s->left, evn__path_offset(s->problem->system, i)};
    }
    return evn_plan_run(s->evaluate, s->inputs, s->values);
}

evn_status evn__path_series_at(evn__path_series *s, const double *times, int count,
                               const evn_binding *to, size_t stride) {
    EVN_TRY(prepare(s, count));
    EVN_TRY(set_taus(s, times, count));
    for (int k = 0; k < count; ++k) {
        EVN_TRY(isnan(times[k]) ? EVN_OK : evaluate(s, k, to, stride));
    }
    return EVN_OK;
}
