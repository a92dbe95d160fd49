// SPDX-License-Identifier: Apache-2.0
#include "graph/krylov.h"

#include "graph/node.h"

static bool known(evn_graph *graph, evn__op op, const evn_value *values, int count) {
    for (int i = 0; i < count; ++i) {
        if (!evn__graph_has(graph, values[i])) {
            evn__graph_fail(graph, EVN_ERR_ARGUMENT, "%s: an operand is not a value of this graph",
                            evn__op_table[op].text);
            return false;
        }
    }
    return true;
}

static evn_value mismatch(evn_graph *graph, evn__op op, evn_shape a, evn_shape b) {
    char x[128], y[128];
    return evn__graph_fail(graph, EVN_ERR_SHAPE, "%s: operands %s and %s do not go together",
                           evn__op_table[op].text, evn__shape_text(a, x), evn__shape_text(b, y));
}

evn_value evn__krylov_begin(evn_graph *graph, evn_value w, int vectors) {
    if (!known(graph, EVN__OP_KRYLOV_EXTEND, &w, 1)) {
        return EVN_NONE;
    }
    evn_shape s = evn_value_shape(graph, w);
    if (s.rank != 2 || vectors < 1 || vectors > EVN__KRYLOV_MAX_VECTORS) {
        return evn__graph_fail(graph, EVN_ERR_ARGUMENT, "%s: %d vectors, or no rows",
                               evn__op_table[EVN__OP_KRYLOV_EXTEND].text, vectors);
    }
    return evn__node_add(graph,
                         &(evn__node){.op = EVN__OP_KRYLOV_EXTEND,
                                      .shape = EVN_SHAPE(s.dim[0], 1, s.dim[1] + vectors + 1),
                                      .operand_count = 1,
                                      .operands = {w}});
}

evn_value evn__krylov_extend(evn_graph *graph, evn_value basis, evn_value w) {
    if (!known(graph, EVN__OP_KRYLOV_EXTEND, (const evn_value[]){basis, w}, 2)) {
        return EVN_NONE;
    }
    evn_shape s = evn_value_shape(graph, basis), own = evn_value_shape(graph, w);
    if (s.rank != 3 || own.rank != 2 || s.dim[0] != own.dim[0] ||
        s.dim[2] <= own.dim[1] + s.dim[1]) {
        return mismatch(graph, EVN__OP_KRYLOV_EXTEND, s, own);
    }
    ++s.dim[1];
    return evn__node_add(graph, &(evn__node){.op = EVN__OP_KRYLOV_EXTEND,
                                             .shape = s,
                                             .operand_count = 2,
                                             .operands = {basis, w}});
}

evn_value evn__krylov_combine(evn_graph *graph, evn_value basis, int64_t n, bool residual) {
    if (!known(graph, EVN__OP_KRYLOV_COMBINE, &basis, 1)) {
        return EVN_NONE;
    }
    evn_shape s = evn_value_shape(graph, basis);
    if (s.rank != 3 || s.dim[1] < 2 || n < 1 || s.dim[2] < n + s.dim[1]) {
        return mismatch(graph, EVN__OP_KRYLOV_COMBINE, s, EVN_SHAPE(n));
    }
    return evn__node_add(graph, &(evn__node){.op = EVN__OP_KRYLOV_COMBINE,
                                             .shape = EVN_SHAPE(s.dim[0], n),
                                             .operand_count = 1,
                                             .operands = {basis},
                                             .attributes = {.columns = n, .residual = residual}});
}

evn_value evn__root(evn_graph *graph, evn_value value, evn_value x, evn_value r, int vectors,
                    int cycles) {
    if (!known(graph, EVN__OP_ROOT, (const evn_value[]){value, x, r}, 3)) {
        return EVN_NONE;
    }
    evn_shape s = evn_value_shape(graph, value), at = evn_value_shape(graph, x);
    if (s.rank != 2 || !evn_shape_equal(s, at) || !evn_shape_equal(s, evn_value_shape(graph, r))) {
        return mismatch(graph, EVN__OP_ROOT, s, at);
    }
    return evn__node_add(graph, &(evn__node){.op = EVN__OP_ROOT,
                                             .shape = s,
                                             .operand_count = 3,
                                             .operands = {value, x, r},
                                             .attributes = {.vectors = vectors, .cycles = cycles}});
}
