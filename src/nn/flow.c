// SPDX-License-Identifier: Apache-2.0
#include "nn/flow.h"

#include "base/status.h"
#include "evonode/diff.h"
#include <string.h>

enum { DIMENSIONS = 2, COLUMNS_EXACT = 3, COLUMNS_ESTIMATE = 5 };

static const evn__flow_kind *const kinds[] = {&evn__flow_evolving, &evn__flow_constant,
                                              &evn__flow_hyper};

const evn__flow_kind *evn__flow_at(int index) {
    return index >= 0 && index < (int)(sizeof(kinds) / sizeof(kinds[0])) ? kinds[index] : NULL;
}

const evn__flow_kind *evn__flow_find(const char *name) {
    for (int i = 0; evn__flow_at(i); ++i) {
        if (strcmp(evn__flow_at(i)->name, name) == 0) {
            return evn__flow_at(i);
        }
    }
    return NULL;
}

int evn__flow_columns(evn__flow_trace trace) {
    return trace == EVN__TRACE_EXACT ? COLUMNS_EXACT : COLUMNS_ESTIMATE;
}

// f -----------------------------------------------------------------------------------------------

evn_value evn__flow_weight(evn__network *f) {
    return evn__network_weight(f, "field", "theta", EVN_SHAPE(1, EVN__FLOW_THETA),
                               EVN_INITIAL_NORMAL, 1);
}

/// The part of θ from *at on, as a matrix of `rows`; *at moves behind it.
static evn_value take(evn_graph *g, evn_value theta, int64_t rows, int64_t *at) {
    int64_t start[] = {0, *at}, count = rows * EVN__FLOW_WIDTH;
    *at += count;
    evn_value part = evn_slice(g, theta, start, EVN_SHAPE(1, count));
    return evn_reshape(g, part, EVN_SHAPE(rows, EVN__FLOW_WIDTH));
}

/// dz/dt of z [B, 2].
static evn_value field(evn_graph *g, evn_value z, evn_value theta) {
    int64_t at = 0;
    evn_value w = take(g, theta, DIMENSIONS, &at), u = take(g, theta, DIMENSIONS, &at);
    evn_value gate = evn_sigmoid(g, take(g, theta, DIMENSIONS, &at));
    evn_value bias = take(g, theta, 1, &at);
    evn_value out = evn_scale(g, evn_mul(g, u, gate), EVN__FLOW_SPAN / (double)EVN__FLOW_WIDTH);
    evn_value hidden = evn_tanh(g, evn_add(g, evn_matmul(g, z, w, false, false), bias));
    return evn_matmul(g, hidden, out, false, true);
}

static evn_value columns(evn_graph *g, evn_value x, int64_t first, int64_t count) {
    int64_t start[] = {0, first};
    return evn_slice(g, x, start, EVN_SHAPE(evn_value_shape(g, x).dim[0], count));
}

/// Σ over columns of v · (∂dz/∂z) v, [B, 1].
static evn_status quadratic(evn_graph *g, evn_value z, evn_value dz, evn_value v, evn_value *form) {
    evn_value moved;
    EVN_TRY(evn_pushforward(g, &z, &v, 1, &dz, 1, &moved));
    *form = evn_sum(g, evn_mul(g, v, moved), 1u << 1);
    return EVN_OK;
}

/// [B, 2] of unit vectors along `axis`.
static evn_value unit(evn_graph *g, int64_t batch, int axis) {
    const double row[DIMENSIONS] = {axis == 0, axis == 1};
    evn_value table = evn_table(g, EVN_SHAPE(1, DIMENSIONS), row);
    return evn_broadcast(g, table, EVN_SHAPE(batch, DIMENSIONS));
}

static evn_status exact_trace(evn_graph *g, evn_value z, evn_value dz, evn_value *trace) {
    int64_t batch = evn_value_shape(g, z).dim[0];
    evn_value along_x, along_y;
    EVN_TRY(quadratic(g, z, dz, unit(g, batch, 0), &along_x));
    EVN_TRY(quadratic(g, z, dz, unit(g, batch, 1), &along_y));
    *trace = evn_add(g, along_x, along_y);
    return EVN_OK;
}

static evn_status build_f(const evn__flow_kind *kind, int64_t batch, evn__flow_trace how,
                          evn__network *f) {
    evn_graph *g = f->graph;
    evn_value t = evn_input(g, "t", EVN_SCALAR);
    evn_value x = evn_input(g, "x", EVN_SHAPE(batch, evn__flow_columns(how)));
    evn_value z = columns(g, x, 0, DIMENSIONS), trace;
    evn_value dz = field(g, z, kind->theta(f, t));
    EVN_TRY(evn_graph_status(g));
    if (how == EVN__TRACE_EXACT) {
        EVN_TRY(exact_trace(g, z, dz, &trace));
    } else {
        EVN_TRY(quadratic(g, z, dz, columns(g, x, COLUMNS_EXACT, DIMENSIONS), &trace));
    }
    evn_value parts[] = {dz, evn_neg(g, trace), evn_full(g, EVN_SHAPE(batch, DIMENSIONS), 0)};
    evn_output(g, "dx", evn_concat(g, parts, how == EVN__TRACE_EXACT ? 2 : 3, 1));
    return evn_graph_status(g);
}

// Dynamics ----------------------------------------------------------------------------------------

/// g, or with other names of input and output the dynamics of θ alone.
static evn_status build_g(const evn__flow_kind *kind, const char *theta_name,
                          const char *slope_name, evn__network *g) {
    evn_value t = evn_input(g->graph, "t", EVN_SCALAR);
    evn_value theta = evn_input(g->graph, theta_name, EVN_SHAPE(1, EVN__FLOW_THETA));
    evn_output(g->graph, slope_name, kind->slope(g, t, theta));
    return evn_graph_status(g->graph);
}

evn_status evn__flow_f(const evn__flow_kind *kind, int64_t batch, evn__flow_trace trace,
                       evn_parameters *parameters, evn_graph **f) {
    EVN_TRY(evn_graph_create(f));
    evn__network network = {*f, parameters, "f"};
    evn_status status = build_f(kind, batch, trace, &network);
    if (status != EVN_OK) {
        evn_graph_destroy(f);
    }
    return status;
}

evn_status evn__flow_dynamics(const evn__flow_kind *kind, int64_t batch, evn__flow_trace trace,
                              evn_parameters *parameters, evn_dynamics **dynamics) {
    evn_graph *f = NULL;
    evn__network g = {.parameters = parameters, .scope = "g"};
    EVN_TRY(evn__flow_f(kind, batch, trace, parameters, &f));
    evn_status status = kind->slope ? evn_graph_create(&g.graph) : EVN_OK;
    if (status == EVN_OK && kind->slope) {
        status = build_g(kind, EVN__FLOW_WEIGHT, "d" EVN__FLOW_WEIGHT, &g);
    }
    if (status == EVN_OK) {
        status = evn_dynamics_create(f, g.graph, dynamics);
    }
    evn_graph_destroy(&f);
    evn_graph_destroy(&g.graph);
    return status;
}

evn_status evn__flow_theta_dynamics(const evn__flow_kind *kind, evn_parameters *parameters,
                                    evn_dynamics **dynamics) {
    evn__network g = {.parameters = parameters, .scope = "g"};
    EVN_CHECK(kind->slope, EVN_ERR_ARGUMENT, "the weights of the flow %s do not evolve",
              kind->name);
    EVN_TRY(evn_graph_create(&g.graph));
    evn_status status = build_g(kind, "x", "dx", &g);
    if (status == EVN_OK) {
        status = evn_dynamics_create(g.graph, NULL, dynamics);
    }
    evn_graph_destroy(&g.graph);
    return status;
}
