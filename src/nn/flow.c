// SPDX-License-Identifier: Apache-2.0
#include "nn/flow.h"

#include "base/status.h"
#include "evonode/diff.h"
#include <math.h>
#include <string.h>

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

evn_status evn__flow_choose(const char *name, const char *weights, evn__flow_kind *kind) {
    const evn__flow_kind *found = evn__flow_find(name);
    evn__evolves evolves;
    EVN_CHECK(found, EVN_ERR_ARGUMENT, "a flow has no model '%s'; evn_flow_model_name lists them",
              name);
    *kind = *found;
    EVN_TRY(evn__evolves_read(found->slope ? weights : NULL, NULL, &evolves));
    if (evolves.kind) {
        evn__flow_weights(evolves, kind);
    }
    return EVN_OK;
}

int64_t evn__flow_theta_count(const evn__flow_size *size) {
    return (3 * size->dimensions + 1) * size->width;
}

int64_t evn__flow_columns(const evn__flow_size *size, evn__flow_trace trace) {
    return size->dimensions + 1 + (trace == EVN__TRACE_EXACT ? 0 : size->dimensions);
}

// f -----------------------------------------------------------------------------------------------

/// f under construction.
typedef struct field {
    evn_graph *graph;
    const evn__flow_size *size;
    evn_value z;       ///< [B, D]
    evn_value in, out; ///< [D, width]: dz/dt = tanh(z in + bias) outᵀ
    evn_value hidden;  ///< [B, width]
    evn_value slope;   ///< dz/dt [B, D]
} field;

evn_value evn__flow_weight(evn__network *f, int64_t count) {
    return evn__network_weight(f, "field", "theta", EVN_SHAPE(1, count), EVN_INITIAL_NORMAL, 1);
}

/// The part of θ from *at on, as a matrix of `rows`; *at moves behind it.
static evn_value take(const field *f, evn_value theta, int64_t rows, int64_t *at) {
    evn_graph *g = f->graph;
    int64_t width = f->size->width, start[] = {0, *at}, count = rows * width;
    *at += count;
    evn_value part = evn_slice(g, theta, start, EVN_SHAPE(1, count));
    return evn_reshape(g, part, EVN_SHAPE(rows, width));
}

/// In the plane weights stay as they are; with more columns W·z would grow.
static evn_value scale_input(const field *f, evn_value w) {
    double dimensions = (double)f->size->dimensions;
    return dimensions == 2 ? w : evn_scale(f->graph, w, sqrt(2 / dimensions));
}

static void build_slope(field *f, evn_value theta) {
    evn_graph *g = f->graph;
    int64_t at = 0, rows = f->size->dimensions;
    evn_value w = take(f, theta, rows, &at), u = take(f, theta, rows, &at);
    evn_value gate = evn_sigmoid(g, take(f, theta, rows, &at));
    evn_value bias = take(f, theta, 1, &at);
    f->in = scale_input(f, w);
    f->out = evn_scale(g, evn_mul(g, u, gate), f->size->span / (double)f->size->width);
    f->hidden = evn_tanh(g, evn_add(g, evn_matmul(g, f->z, f->in, false, false), bias));
    f->slope = evn_matmul(g, f->hidden, f->out, false, true);
}

static evn_value columns(evn_graph *g, evn_value x, int64_t first, int64_t count) {
    int64_t start[] = {0, first};
    return evn_slice(g, x, start, EVN_SHAPE(evn_value_shape(g, x).dim[0], count));
}

/// Σ over columns of v · (∂f/∂z) v, [B, 1].
static evn_status quadratic(const field *f, evn_value v, evn_value *form) {
    evn_value moved;
    EVN_TRY(evn_pushforward(f->graph, &f->z, &v, 1, &f->slope, 1, &moved));
    *form = evn_sum(f->graph, evn_mul(f->graph, v, moved), 1u << 1);
    return EVN_OK;
}

/// [B, 2] of unit vectors along `axis`.
static evn_value unit(evn_graph *g, int64_t batch, int axis) {
    const double row[2] = {axis == 0, axis == 1};
    evn_value table = evn_table(g, EVN_SHAPE(1, 2), row);
    return evn_broadcast(g, table, EVN_SHAPE(batch, 2));
}

/// In the plane, axis by axis.
static evn_status plane_trace(const field *f, evn_value *trace) {
    int64_t batch = evn_value_shape(f->graph, f->z).dim[0];
    evn_value along_x, along_y;
    EVN_TRY(quadratic(f, unit(f->graph, batch, 0), &along_x));
    EVN_TRY(quadratic(f, unit(f->graph, batch, 1), &along_y));
    *trace = evn_add(f->graph, along_x, along_y);
    return EVN_OK;
}

/// Σᵢ (inᵢ·outᵢ) (1 − tanhᵢ²): work that grows with the width alone, where D tangents, and an
/// estimate's one, take as much as f or more.
static evn_value closed_trace(const field *f) {
    evn_graph *g = f->graph;
    int64_t width = f->size->width;
    evn_value turns = evn_sum(g, evn_mul(g, f->in, f->out), 1u << 0); // [1, width]
    evn_value flat = evn_neg(g, evn_mul(g, f->hidden, f->hidden));
    evn_value slopes = evn_add(g, flat, evn_full(g, EVN_SHAPE(1, width), 1));
    return evn_sum(g, evn_mul(g, slopes, turns), 1u << 1);
}

static evn_status build_trace(const field *f, evn_value x, evn__flow_trace how, evn_value *trace) {
    int64_t dimensions = f->size->dimensions;
    if (how == EVN__TRACE_ESTIMATE) {
        return quadratic(f, columns(f->graph, x, dimensions + 1, dimensions), trace);
    }
    if (dimensions == 2) {
        return plane_trace(f, trace);
    }
    *trace = closed_trace(f);
    return EVN_OK;
}

static evn_status build_f(const evn__flow_kind *kind, const evn__flow_size *size, int64_t batch,
                          evn__flow_trace how, evn__network *network) {
    evn_graph *g = network->graph;
    field f = {.graph = g, .size = size};
    evn_value t = evn_input(g, "t", EVN_SCALAR), trace;
    evn_value x = evn_input(g, "x", EVN_SHAPE(batch, evn__flow_columns(size, how)));
    f.z = columns(g, x, 0, size->dimensions);
    build_slope(&f, kind->theta(kind, network, t, evn__flow_theta_count(size)));
    EVN_TRY(evn_graph_status(g));
    EVN_TRY(build_trace(&f, x, how, &trace));
    evn_value parts[] = {f.slope, evn_neg(g, trace),
                         evn_full(g, EVN_SHAPE(batch, size->dimensions), 0)};
    evn_output(g, "dx", evn_concat(g, parts, how == EVN__TRACE_EXACT ? 2 : 3, 1));
    return evn_graph_status(g);
}

// Dynamics ----------------------------------------------------------------------------------------

/// g, or with other names of input and output the dynamics of θ alone.
static evn_status build_g(const evn__flow_kind *kind, const evn__flow_size *size,
                          const char *theta_name, const char *slope_name, evn__network *g) {
    evn_value t = evn_input(g->graph, "t", EVN_SCALAR);
    evn_value theta = evn_input(g->graph, theta_name, EVN_SHAPE(1, evn__flow_theta_count(size)));
    evn_output(g->graph, slope_name, kind->slope(kind, g, t, theta));
    return evn_graph_status(g->graph);
}

evn_status evn__flow_f(const evn__flow_kind *kind, const evn__flow_size *size, int64_t batch,
                       evn__flow_trace trace, evn_parameters *parameters, evn_graph **f) {
    EVN_TRY(evn_graph_create(f));
    evn__network network = {*f, parameters, "f", NULL};
    evn_status status = build_f(kind, size, batch, trace, &network);
    if (status != EVN_OK) {
        evn_graph_destroy(f);
    }
    return status;
}

evn_status evn__flow_dynamics(const evn__flow_kind *kind, const evn__flow_size *size, int64_t batch,
                              evn__flow_trace trace, evn_parameters *parameters,
                              evn_dynamics **dynamics) {
    evn_graph *f = NULL;
    evn__network g = {.parameters = parameters, .scope = "g"};
    EVN_TRY(evn__flow_f(kind, size, batch, trace, parameters, &f));
    evn_status status = kind->slope ? evn_graph_create(&g.graph) : EVN_OK;
    if (status == EVN_OK && kind->slope) {
        status = build_g(kind, size, EVN__FLOW_WEIGHT, "d" EVN__FLOW_WEIGHT, &g);
    }
    if (status == EVN_OK) {
        status = evn_dynamics_create(f, g.graph, dynamics);
    }
    evn_graph_destroy(&f);
    evn_graph_destroy(&g.graph);
    return status;
}

evn_status evn__flow_theta_dynamics(const evn__flow_kind *kind, const evn__flow_size *size,
                                    evn_parameters *parameters, evn_dynamics **dynamics) {
    evn__network g = {.parameters = parameters, .scope = "g"};
    EVN_CHECK(kind->slope, EVN_ERR_ARGUMENT, "the weights of the flow %s do not evolve",
              kind->name);
    EVN_TRY(evn_graph_create(&g.graph));
    evn_status status = build_g(kind, size, "x", "dx", &g);
    if (status == EVN_OK) {
        status = evn_dynamics_create(g.graph, NULL, dynamics);
    }
    evn_graph_destroy(&g.graph);
    return status;
}
