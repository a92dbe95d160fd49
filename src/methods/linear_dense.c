// SPDX-License-Identifier: Apache-2.0
// Matrices of few unknowns, column by column, and elimination.
#include "evonode/diff.h"
#include "methods/linear_kind.h"
#include <stdlib.h>

/// 1 in element `at` of each row of a state, else 0.
static evn_value unit(evn__linear *linear, int state, int64_t at) {
    evn_graph *g = linear->step->graph;
    double row[EVN__LINEAR_MAX_DENSE] = {0};
    int64_t width = evn__linear_width(linear, state);
    row[at] = 1;
    evn_value one = evn_table(g, EVN_SHAPE(1, width), row);
    return evn_reshape(g, evn_broadcast(g, one, EVN_SHAPE(linear->rows, width)),
                       evn__linear_shape(linear, state));
}

/// Columns of J one after the other in each row.
static evn_status make_columns(evn__linear *linear, const evn__linear_matrix *matrix,
                               evn_value *tangents, evn_value *columns) {
    evn_graph *g = linear->step->graph;
    int count = 0, states = linear->step->system->state_count;
    for (int i = 0; i < states; ++i) {
        for (int64_t at = 0; linear->coupled[i] && at < evn__linear_width(linear, i); ++at) {
            evn_value direction = unit(linear, i, at);
            EVN_TRY(evn_graph_status(g));
            EVN_TRY(evn_pushforward(g, &matrix->states[i], &direction, 1, matrix->slopes, states,
                                    tangents));
            columns[count++] = evn__linear_pack(linear, tangents);
        }
    }
    *columns = evn__linear_join(g, columns, count);
    return evn_graph_status(g);
}

static evn_status prepare(evn__linear *linear, evn__linear_matrix *matrix) {
    evn_graph *g = linear->step->graph;
    int64_t n = linear->width;
    evn_value columns[EVN__LINEAR_MAX_DENSE], *tangents = NULL;
    double one[EVN__LINEAR_MAX_DENSE * EVN__LINEAR_MAX_DENSE] = {0};
    for (int64_t i = 0; i < n; ++i) {
        one[i * n + i] = 1;
    }
    EVN_TRY(EVN_NEW(&tangents, linear->step->system->state_count));
    evn_status status = make_columns(linear, matrix, tangents, columns);
    free(tangents);
    EVN_TRY(status);
    evn_value jacobian = columns[0],
              length = evn_scale(g, evn__linear_length(linear), matrix->gamma);
    if (matrix->constant) {
        jacobian = evn_detach(g, jacobian);
        length = evn_detach(g, length);
    }
    evn_value identity = evn_table(g, EVN_SHAPE(n * n), one);
    evn_value flat = evn_sub(g, identity, evn_mul(g, length, jacobian));
    matrix->dense = evn_reshape(g, flat, EVN_SHAPE(linear->rows, n, n));
    return evn_graph_status(g);
}

static evn_status solve(evn__linear *linear, const evn__linear_matrix *matrix,
                        const evn_value *right, evn_value *solution) {
    evn_graph *g = linear->step->graph;
    evn_value packed = evn__linear_pack(linear, right);
    evn__linear_unpack(linear, evn_linear_solve(g, matrix->dense, packed, true), solution);
    return evn_graph_status(g);
}

/// What is begun with, as constants.
static evn_status hold(evn__linear *linear, evn_value *values) {
    for (int i = 0; i < linear->step->system->state_count; ++i) {
        values[i] = evn_detach(linear->step->graph, values[i]);
    }
    return evn_graph_status(linear->step->graph);
}

/// The solution has its derivative by `rest` already.
static evn_status settle(evn__linear *linear, const evn_value *rest, evn_value *values) {
    (void)linear, (void)rest, (void)values;
    return EVN_OK;
}

const evn__linear_kind evn__linear_dense = {
    .keeps = true, .prepare = prepare, .solve = solve, .hold = hold, .settle = settle};
