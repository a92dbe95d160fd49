// SPDX-License-Identifier: Apache-2.0
// The inside of a graph, for the transforms, the plan and the reference.
#ifndef EVN_GRAPH_NODE_H
#define EVN_GRAPH_NODE_H

#include "base/memory.h"
#include "evonode/graph.h"

typedef enum evn__op {
#define EVN_OP(name, text, arity, class) EVN__OP_##name,
#include "graph/op.def"
#undef EVN_OP
    EVN__OP_COUNT
} evn__op;

typedef enum evn__op_class {
    EVN__CLASS_LEAF,
    EVN__CLASS_ELEMENT,
    EVN__CLASS_VIEW,
    EVN__CLASS_KERNEL,
} evn__op_class;

typedef struct evn__op_info {
    const char *text;
    int arity;
    evn__op_class class;
} evn__op_info;

extern const evn__op_info evn__op_table[EVN__OP_COUNT];

/// What a node has besides operands and shape; unused fields are zero.
typedef struct evn__attributes {
    double scalar;                ///< CONSTANT: its value; NORMALIZE*: epsilon
    const double *table;          ///< TABLE: [shape], owned by the graph
    int64_t start[EVN_MAX_RANK];  ///< SLICE, PAD
    int order[EVN_MAX_RANK];      ///< PERMUTE
    int axis;                     ///< CONCAT; SUM: first axis of the run that is summed
    int axes;                     ///< SUM: number of adjacent axes summed
    int transpose_a, transpose_b; ///< MATMUL; transpose_a also SOLVE
    int stride, padding;          ///< CONV2D*; stride also *_POOL2D*
    int window;                   ///< *_POOL2D*
    int groups;                   ///< NORMALIZE*
    int vectors, cycles;          ///< ROOT: effort of the systems in its derivative
    int64_t columns;              ///< KRYLOV_COMBINE: of a vector
    int residual;                 ///< KRYLOV_COMBINE
} evn__attributes;

/// A node is its value. Operands always have smaller numbers: the order is topological.
typedef struct evn__node {
    evn__op op;
    evn_shape shape;
    int operand_count;
    evn_value operands[EVN_MAX_INPUTS];
    evn__attributes attributes;
} evn__node;

typedef struct evn__port {
    const char *name;
    evn_value value;
} evn__port;

/// Ports by name: a hash table of their numbers, −1 where it is empty.
typedef struct evn__names {
    int *slots;
    int slot_count; ///< a power of two, or 0
} evn__names;

struct evn_graph {
    evn__arena arena; ///< names, tables
    evn__node *nodes;
    int node_count, node_capacity;
    evn__port *inputs, *outputs;
    int input_count, input_capacity, output_count, output_capacity;
    evn__names input_names, output_names;
    int *buckets; ///< hash table of nodes, so that equal nodes are one
    int bucket_count;
    evn_status status;
    char *message; ///< of the first failure
};

/// The node of a value; of EVN_NONE, as builders of a failed graph return it, a scalar of zero.
const evn__node *evn__node_at(const evn_graph *graph, evn_value value);

/// Add a node, or find the equal one. Shapes are already checked by the builder.
evn_value evn__node_add(evn_graph *graph, const evn__node *node);

/// Make `status` with this message stick to the graph, unless one does already. Of no graph it is
/// the thread's last error.
evn_value evn__graph_fail(evn_graph *graph, evn_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/// Whether a builder may make a value of the shape: a rank and extents that there are, and few
/// enough elements that no size or offset computed from them overflows.
bool evn__shape_is_valid(evn_shape shape);

/// Whether the graph can go on and has the value; NULL is no graph.
static inline bool evn__graph_has(const evn_graph *graph, evn_value value) {
    return graph && graph->status == EVN_OK && value >= 0 && value < graph->node_count;
}

/// The smaller; shapes as of evn_maximum.
evn_value evn__minimum(evn_graph *graph, evn_value a, evn_value b);

/// evn_concat of any number of values, at least one.
evn_value evn__concat_many(evn_graph *graph, const evn_value *parts, int count, int axis);

/// "[2, 3]" into `text`; returns text.
const char *evn__shape_text(evn_shape shape, char text[128]);

/// A copy of node `value` of `from` with its operands mapped to values of `graph`.
evn_value evn__node_copy(evn_graph *graph, const evn_graph *from, evn_value value,
                         const evn_value *map);

/// Check every node of the graph (operands, shapes, attributes) as a builder would have.
evn_status evn__graph_verify(const evn_graph *graph);

/// evn_graph_inline of a callee whose derivatives nobody will take: a ROOT is its value, and what
/// it has besides for derivatives is left out.
evn_status evn__graph_inline_values(evn_graph *graph, const evn_graph *callee,
                                    const evn_value *inputs, evn_value *outputs);

/// needed[v] is true for the values that the outputs depend on; `needed` has node_count entries.
void evn__graph_needed(const evn_graph *graph, bool *needed);

#endif
