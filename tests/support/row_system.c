// SPDX-License-Identifier: Apache-2.0
#include "row_system.h"

#include "diff/krylov.h"
#include <stddef.h>

typedef struct row_map {
    evn_graph *graph;
    evn_value a;
} row_map;

static evn_status multiply(void *context, evn_value x, evn_value *image) {
    const row_map *r = context;
    evn_value along = evn_mul(r->graph, r->a, evn_mean(r->graph, x, 2));
    *image = evn_add(r->graph, evn_scale(r->graph, x, 3), evn_scale(r->graph, along, 0.5));
    return evn_graph_status(r->graph);
}

static evn_value solve(evn_graph *graph, evn_value a, evn_value b) {
    enum { VECTORS = 3, CYCLES = 2 };
    row_map r = {graph, a};
    const evn__krylov krylov = {graph, multiply, &r, VECTORS, 1};
    evn_value x = EVN_NONE, image = EVN_NONE;
    bool solved =
        evn__krylov_solve(&krylov, b, &x, NULL) == EVN_OK && multiply(&r, x, &image) == EVN_OK;
    return solved ? evn__root(graph, x, x, evn_sub(graph, image, b), VECTORS, CYCLES) : EVN_NONE;
}

evn_value row_system_of_all(evn_graph *graph, evn_value a, evn_value b) {
    evn_shape rows = evn_value_shape(graph, b), all = EVN_SHAPE(1, rows.dim[0]);
    return evn_reshape(graph, solve(graph, evn_reshape(graph, a, all), evn_reshape(graph, b, all)),
                       rows);
}

evn_value row_system_of_each(evn_graph *graph, evn_value a, evn_value b, bool transposed) {
    static const double one[] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
    evn_shape s = evn_value_shape(graph, b);
    int64_t rows = s.dim[0], n = s.dim[1];
    evn_value sum = evn_add(graph, a, evn_table(graph, EVN_SHAPE(n * n), one));
    evn_value matrix = evn_reshape(graph, sum, EVN_SHAPE(rows, n, n));
    return evn_linear_solve(graph, matrix, b, transposed);
}
