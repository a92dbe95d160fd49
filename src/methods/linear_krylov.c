// SPDX-License-Identifier: Apache-2.0
// Systems of any number of unknowns by GMRES: of the matrix there is but what it makes of a vector,
// a forward derivative of the slopes.
#include "diff/krylov.h"
#include "evonode/diff.h"
#include "methods/linear_kind.h"
#include <stdlib.h>

/// (I − γ dt J) v
typedef struct product {
    evn__linear *linear;
    const evn__linear_matrix *matrix;
    evn_value *wrt, *directions, *tangents, *parts; ///< per state
    evn_value *memory;
} product;

static evn_status begin(evn__linear *linear, const evn__linear_matrix *matrix, product *p) {
    enum { ARRAYS = 4 };
    int states = linear->step->system->state_count;
    *p = (product){.linear = linear, .matrix = matrix};
    EVN_TRY(EVN_NEW(&p->memory, ARRAYS * states));
    p->wrt = p->memory;
    p->directions = p->wrt + states;
    p->tangents = p->directions + states;
    p->parts = p->tangents + states;
    return EVN_OK;
}

static evn_status multiply(void *context, evn_value v, evn_value *image) {
    product *p = context;
    evn_graph *g = p->linear->step->graph;
    int states = p->linear->step->system->state_count, count = 0;
    evn__linear_unpack(p->linear, v, p->parts);
    for (int i = 0; i < states; ++i) {
        if (p->linear->coupled[i]) {
            p->wrt[count] = p->matrix->states[i];
            p->directions[count++] = p->parts[i];
        }
    }
    EVN_TRY(evn_graph_status(g));
    EVN_TRY(
        evn_pushforward(g, p->wrt, p->directions, count, p->matrix->slopes, states, p->tangents));
    evn_value length = evn_scale(g, evn__linear_length(p->linear), p->matrix->gamma);
    *image = evn_sub(g, v, evn_mul(g, length, evn__linear_pack(p->linear, p->tangents)));
    return evn_graph_status(g);
}

static evn_value root(const evn__linear *linear, evn_value value, evn_value x, evn_value rest) {
    return evn__root(linear->step->graph, value, x, rest, linear->derivative_vectors,
                     linear->derivative_cycles);
}

/// The solution, of which derivatives by the right-hand side and by the matrix are taken.
static evn_status differentiate(product *p, evn_value right, evn_value *x) {
    const evn__linear *linear = p->linear;
    evn_value image, rest;
    EVN_TRY(multiply(p, *x, &image));
    rest = evn_sub(linear->step->graph, image, right);
    *x = root(linear, *x, *x, rest);
    return evn_graph_status(linear->step->graph);
}

static evn_status solve_packed(product *p, evn_value right, evn_value *x, evn_value *residual) {
    const evn__linear *linear = p->linear;
    const evn__krylov krylov = {linear->step->graph, multiply, p, linear->vectors, 1};
    EVN_TRY(evn__krylov_solve(&krylov, right, x, residual));
    return p->matrix->constant ? EVN_OK : differentiate(p, right, x);
}

static evn_status solve(evn__linear *linear, const evn__linear_matrix *matrix,
                        const evn_value *right, evn_value *solution) {
    product p;
    evn_value x, residual;
    EVN_TRY(begin(linear, matrix, &p));
    evn_status status = solve_packed(&p, evn__linear_pack(linear, right), &x, &residual);
    if (status == EVN_OK) {
        evn__linear_unpack(linear, x, solution);
        evn__linear_unpack(linear, residual, linear->residual);
        status = evn_graph_status(linear->step->graph);
    }
    free(p.memory);
    return status;
}

static evn_status prepare(evn__linear *linear, evn__linear_matrix *matrix) {
    (void)linear, (void)matrix;
    return EVN_OK;
}

/// The rest will be computed from one value, in whose place the solution is.
static evn_status hold(evn__linear *linear, evn_value *values) {
    evn_graph *g = linear->step->graph;
    for (int i = 0; i < linear->step->system->state_count; ++i) {
        values[i] = evn_detach(g, values[i]);
    }
    linear->held = evn_detach(g, evn__linear_pack(linear, values));
    evn__linear_unpack(linear, linear->held, values);
    return evn_graph_status(g);
}

static evn_status settle(evn__linear *linear, const evn_value *rest, evn_value *values) {
    evn_graph *g = linear->step->graph;
    evn_value packed = evn__linear_pack(linear, rest), value = evn__linear_pack(linear, values);
    evn__linear_unpack(linear, root(linear, value, linear->held, packed), values);
    return evn_graph_status(g);
}

const evn__linear_kind evn__linear_krylov = {
    .prepare = prepare, .solve = solve, .hold = hold, .settle = settle};
