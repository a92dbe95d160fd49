// SPDX-License-Identifier: Apache-2.0
#include "ode/linear.h"

#include "evonode/diff.h"
#include "ode/by_sample.h"
#include <stdio.h>
#include <stdlib.h>

struct evn__linear_kind {
    evn_status (*prepare)(evn__linear *linear, evn__linear_matrix *matrix, bool constant);
    evn_status (*solve)(evn__linear *linear, const evn__linear_matrix *matrix,
                        const evn_value *right, evn_value *solution);
};

static int states_of(const evn__linear *linear) {
    return linear->step->system->state_count;
}

static evn_shape shape_of(const evn__linear *linear, int state) {
    return evn__system_state_shape(linear->step->system, state);
}

/// Elements of a state in one row.
static int64_t width_of(const evn__linear *linear, int state) {
    return evn_shape_count(shape_of(linear, state)) / linear->rows;
}

// Dense matrices ----------------------------------------------------------------------------------

/// Put together along axis 1, as many as there are.
static evn_value join(evn_graph *g, evn_value *parts, int count) {
    while (count > 1) {
        int joined = 0;
        for (int first = 0; first < count; first += EVN_MAX_INPUTS) {
            int some = count - first < EVN_MAX_INPUTS ? count - first : EVN_MAX_INPUTS;
            parts[joined++] = evn_concat(g, parts + first, some, 1);
        }
        count = joined;
    }
    return parts[0];
}

/// [rows, width] of one value per coupled state.
static evn_value pack(evn__linear *linear, const evn_value *values) {
    evn_graph *g = linear->step->graph;
    evn_value parts[EVN__LINEAR_MAX_DENSE];
    int count = 0;
    for (int i = 0; i < states_of(linear); ++i) {
        if (linear->coupled[i]) {
            evn_shape row = EVN_SHAPE(linear->rows, width_of(linear, i));
            evn_value whole = evn_broadcast(g, values[i], shape_of(linear, i));
            parts[count++] = evn_reshape(g, whole, row);
        }
    }
    return join(g, parts, count);
}

static void unpack(evn__linear *linear, evn_value packed, evn_value *values) {
    evn_graph *g = linear->step->graph;
    int64_t start[] = {0, 0};
    for (int i = 0; i < states_of(linear); ++i) {
        if (linear->coupled[i]) {
            evn_shape row = EVN_SHAPE(linear->rows, width_of(linear, i));
            evn_value part = evn_slice(g, packed, start, row);
            values[i] = evn_reshape(g, part, shape_of(linear, i));
            start[1] += row.dim[1];
        }
    }
}

/// 1 in element `at` of each row of a state, else 0.
static evn_value unit(evn__linear *linear, int state, int64_t at) {
    evn_graph *g = linear->step->graph;
    double row[EVN__LINEAR_MAX_DENSE] = {0};
    int64_t width = width_of(linear, state);
    row[at] = 1;
    evn_value one = evn_table(g, EVN_SHAPE(1, width), row);
    return evn_reshape(g, evn_broadcast(g, one, EVN_SHAPE(linear->rows, width)),
                       shape_of(linear, state));
}

/// dt of each row, or of all.
static evn_value length_of_rows(const evn__linear *linear) {
    evn_graph *g = linear->step->graph;
    bool own = evn_value_shape(g, linear->step->t).rank > 0;
    return own ? evn_reshape(g, linear->step->dt, EVN_SHAPE(linear->rows, 1)) : linear->step->dt;
}

/// Columns of J one after the other in each row.
static evn_status make_columns(evn__linear *linear, const evn__linear_matrix *matrix,
                               evn_value *tangents, evn_value *columns) {
    evn_graph *g = linear->step->graph;
    int count = 0, states = states_of(linear);
    for (int i = 0; i < states; ++i) {
        for (int64_t at = 0; linear->coupled[i] && at < width_of(linear, i); ++at) {
            evn_value direction = unit(linear, i, at);
            EVN_TRY(evn_graph_status(g));
            EVN_TRY(evn_pushforward(g, &matrix->states[i], &direction, 1, matrix->slopes, states,
                                    tangents));
            columns[count++] = pack(linear, tangents);
        }
    }
    *columns = join(g, columns, count);
    return evn_graph_status(g);
}

static evn_status prepare_dense(evn__linear *linear, evn__linear_matrix *matrix, bool constant) {
    evn_graph *g = linear->step->graph;
    int64_t n = linear->width;
    evn_value columns[EVN__LINEAR_MAX_DENSE], *tangents = NULL;
    double one[EVN__LINEAR_MAX_DENSE * EVN__LINEAR_MAX_DENSE] = {0};
    for (int64_t i = 0; i < n; ++i) {
        one[i * n + i] = 1;
    }
    EVN_TRY(EVN_NEW(&tangents, states_of(linear)));
    evn_status status = make_columns(linear, matrix, tangents, columns);
    free(tangents);
    EVN_TRY(status);
    evn_value jacobian = columns[0], length = evn_scale(g, length_of_rows(linear), matrix->gamma);
    if (constant) {
        jacobian = evn_detach(g, jacobian);
        length = evn_detach(g, length);
    }
    evn_value identity = evn_table(g, EVN_SHAPE(n * n), one);
    evn_value flat = evn_sub(g, identity, evn_mul(g, length, jacobian));
    matrix->dense = evn_reshape(g, flat, EVN_SHAPE(linear->rows, n, n));
    return evn_graph_status(g);
}

static evn_status solve_dense(evn__linear *linear, const evn__linear_matrix *matrix,
                              const evn_value *right, evn_value *solution) {
    evn_graph *g = linear->step->graph;
    evn_value packed = pack(linear, right);
    unpack(linear, evn_linear_solve(g, matrix->dense, packed, true), solution);
    return evn_graph_status(g);
}

static const evn__linear_kind dense = {prepare_dense, solve_dense};

// Which way ---------------------------------------------------------------------------------------

static evn_status find_coupled(evn__linear *linear) {
    const evn__system *system = linear->step->system;
    bool *needed = NULL;
    EVN_TRY(EVN_NEW(&linear->coupled, system->state_count));
    EVN_TRY(EVN_NEW(&needed, system->graph->node_count));
    evn__graph_needed(system->graph, needed);
    for (int i = 0; i < system->state_count; ++i) {
        linear->coupled[i] = needed[evn_graph_input(system->graph, evn__system_state(i))];
    }
    free(needed);
    return EVN_OK;
}

/// Inputs of f as parameters of a system of one state: its own t too, which is the same for all
/// rows and what weights may be made of.
static void declare_parameters(const evn__system *system, evn_graph *g, evn_value *inputs) {
    inputs[0] = evn_input(g, "time", EVN_SCALAR);
    for (int i = 0; i < system->parameter_count; ++i) {
        char name[32];
        snprintf(name, sizeof(name), "parameter.%d", i);
        inputs[evn__system_parameter(system, i)] =
            evn_input(g, name, evn__system_parameter_shape(system, i));
    }
}

/// The coupled states side by side as one, x [rows, …], with its slopes; the others are 0.
static evn_status build_side_by_side(evn__linear *linear, evn_graph *g, evn_value *inputs,
                                     evn_value *slopes) {
    const evn__system *system = linear->step->system;
    int64_t start[] = {0, 0}, columns = 0;
    for (int i = 0; i < system->state_count; ++i) {
        columns += linear->coupled[i] ? width_of(linear, i) : 0;
    }
    evn_input(g, "t", EVN_SCALAR);
    evn_value x = evn_input(g, "x", EVN_SHAPE(linear->rows, columns)), all = EVN_NONE;
    for (int i = 0; i < system->state_count; ++i) {
        evn_shape row = EVN_SHAPE(linear->rows, width_of(linear, i));
        inputs[1 + i] = linear->coupled[i]
                            ? evn_reshape(g, evn_slice(g, x, start, row), shape_of(linear, i))
                            : evn_full(g, shape_of(linear, i), 0);
        start[1] += linear->coupled[i] ? row.dim[1] : 0;
    }
    declare_parameters(system, g, inputs);
    EVN_TRY(evn_graph_inline(g, system->graph, inputs, slopes));
    for (int i = 0; i < system->state_count; ++i) {
        if (linear->coupled[i]) {
            evn_shape row = EVN_SHAPE(linear->rows, width_of(linear, i));
            const evn_value both[] = {all, evn_reshape(g, slopes[i], row)};
            all = all == EVN_NONE ? both[1] : evn_concat(g, both, 2, 1);
        }
    }
    evn_output(g, "dx", all);
    return evn_graph_status(g);
}

/// Whether a system of one state x can be lifted to times of each row, which no slope depends on.
static evn_status are_apart(evn_graph *graph, int parameters, bool *apart) {
    bool controlled = true;
    const evn__system joined = {
        .graph = graph, .state_count = 1, .parameter_count = parameters, .controlled = &controlled};
    evn__system lifted = {0};
    evn_status status = evn__system_by_sample(&joined, &lifted);
    evn__system_free(&lifted);
    *apart = status == EVN_OK;
    bool meet = status == EVN_ERR_ARGUMENT || status == EVN_ERR_SHAPE;
    return meet ? EVN_OK : status; // not one of memory, say
}

/// Whether the rows, along the first axis, do not depend on each other.
static evn_status find_apart(evn__linear *linear, bool *apart) {
    const evn__system *system = linear->step->system;
    evn_graph *g = NULL;
    evn_value *values = NULL;
    EVN_TRY(evn_graph_create(&g));
    evn_status status =
        EVN_NEW(&values, evn_graph_input_count(system->graph) + evn__system_outputs(system));
    if (status == EVN_OK) {
        evn_value *slopes = values + evn_graph_input_count(system->graph);
        status = build_side_by_side(linear, g, values, slopes);
    }
    if (status == EVN_OK) {
        status = are_apart(g, system->parameter_count + 1, apart);
    }
    free(values);
    evn_graph_destroy(&g);
    return status;
}

/// The first axis of all coupled states; 1 where they do not have the same.
static int64_t count_rows(const evn__linear *linear) {
    int64_t rows = 0;
    for (int i = 0; i < states_of(linear); ++i) {
        if (linear->coupled[i]) {
            evn_shape shape = shape_of(linear, i);
            int64_t own = shape.rank > 0 ? shape.dim[0] : 1;
            rows = rows == 0 || rows == own ? own : 1;
        }
    }
    return rows > 0 ? rows : 1;
}

static evn_status find_rows(evn__linear *linear) {
    bool apart = true;
    linear->rows = count_rows(linear);
    if (linear->rows > 1 && evn__system_time_shape(linear->step->system).rank == 0) {
        EVN_TRY(find_apart(linear, &apart)); // those with times of their own are
    }
    linear->rows = apart ? linear->rows : 1;
    return EVN_OK;
}

static evn_status check_width(const evn__linear *linear) {
    bool several = false; // x and its cotangent, or weights that evolve
    for (int i = 0, count = 0; i < states_of(linear); ++i) {
        count += linear->coupled[i];
        several = count > 1;
    }
    EVN_CHECK(linear->width <= EVN__LINEAR_MAX_DENSE, EVN_ERR_ARGUMENT,
              "solver %s: %s %lld unknowns%s, of at most %d; take an explicit solver, such as "
              "dopri5, %sor a smaller state",
              linear->step->stepper->name,
              linear->rows < count_rows(linear)
                  ? "rows of the state could not be told apart, so that its system has"
                  : "the system of a row has",
              (long long)linear->width,
              several ? " (the adjoint's x and cotangent, or x and evolving weights, together)"
                      : "",
              EVN__LINEAR_MAX_DENSE,
              several ? "in place of an adjoint a gradient by backprop or checkpointed, " : "");
    return EVN_OK;
}

static evn_status choose(evn__linear *linear) {
    const evn__system *system = linear->step->system;
    int64_t all = 0;
    EVN_TRY(find_coupled(linear));
    for (int i = 0; i < system->state_count; ++i) {
        all += linear->coupled[i] ? evn_shape_count(shape_of(linear, i)) : 0;
    }
    EVN_TRY(find_rows(linear));
    linear->width = all / linear->rows;
    linear->kind = &dense;
    return check_width(linear);
}

evn_status evn__linear_create(evn__step_build *step, evn__linear *linear) {
    *linear = (evn__linear){.step = step};
    evn_status status = choose(linear);
    if (status != EVN_OK) {
        evn__linear_free(linear);
    }
    return status;
}

void evn__linear_free(evn__linear *linear) {
    free(linear->coupled);
    linear->coupled = NULL;
}

evn_status evn__linear_prepare(evn__linear *linear, evn__linear_matrix *matrix, bool constant) {
    return linear->width > 0 ? linear->kind->prepare(linear, matrix, constant) : EVN_OK;
}

evn_status evn__linear_solve(evn__linear *linear, const evn__linear_matrix *matrix,
                             const evn_value *right, evn_value *solution) {
    return linear->width > 0 ? linear->kind->solve(linear, matrix, right, solution) : EVN_OK;
}
