// SPDX-License-Identifier: Apache-2.0
#include "dynamics/path_basis.h"

#include "base/memory.h"
#include "graph/node.h"
#include <math.h>
#include <stdlib.h>

// Chebyshev's polynomials -------------------------------------------------------------------------

static double chebyshev_node(int index, int count) {
    return -cos(acos(-1.0) * index / (count - 1));
}

/// Tₖ(τ), by their recurrence.
static evn_value chebyshev_functions(evn_graph *g, evn_value tau, int count) {
    evn_value all[EVN__MOST_TERMS] = {evn_full(g, EVN_SHAPE(1), 1), tau};
    for (int k = 2; k < count; ++k) {
        evn_value twice = evn_scale(g, evn_mul(g, tau, all[k - 1]), 2);
        all[k] = evn_sub(g, twice, all[k - 2]);
    }
    return evn_reshape(g, evn__concat_many(g, all, count, 0), EVN_SHAPE(1, count));
}

static double chebyshev_coefficient(int k, int j, int count) {
    int last = count - 1;
    double half_term = k == 0 || k == last ? 0.5 : 1;
    double half_node = j == 0 || j == last ? 0.5 : 1;
    double t = cos(acos(-1.0) * (double)((int64_t)k * (last - j)) / last);
    return 2.0 / last * half_term * half_node * t;
}

const evn__path_basis evn__path_chebyshev = {.node = chebyshev_node,
                                             .functions = chebyshev_functions,
                                             .coefficient = chebyshev_coefficient,
                                             .converges = true};

// Linear between nodes ----------------------------------------------------------------------------

static double linear_node(int index, int count) {
    return 2.0 * index / (count - 1) - 1;
}

/// 0, 1, …, [1, count].
static evn_value numbers(evn_graph *g, int count) {
    double *values = NULL;
    if (EVN_NEW(&values, count) != EVN_OK) {
        return evn__graph_fail(g, EVN_ERR_MEMORY, "no memory for the numbers of %d nodes", count);
    }
    for (int k = 0; k < count; ++k) {
        values[k] = k;
    }
    evn_value table = evn_table(g, EVN_SHAPE(1, count), values);
    free(values);
    return table;
}

/// A rounded t may be before the first node or behind the last, where the hats are no sum of 1.
static evn_value within(evn_graph *g, evn_value place, int last) {
    place = evn_maximum(g, place, evn_constant(g, 0));
    return evn__minimum(g, place, evn_constant(g, last));
}

/// Hats, max(0, 1 − |place − k|), where the place is k at node k.
static evn_value linear_functions(evn_graph *g, evn_value tau, int count) {
    evn_value one = evn_constant(g, 1);
    evn_value place = evn_scale(g, evn_add(g, tau, one), (count - 1) / 2.0);
    place = within(g, place, count - 1);
    evn_value distance = evn_abs(g, evn_sub(g, numbers(g, count), place));
    return evn_relu(g, evn_sub(g, one, distance));
}

const evn__path_basis evn__path_linear = {.node = linear_node, .functions = linear_functions};
