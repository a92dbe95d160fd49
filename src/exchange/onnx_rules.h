// SPDX-License-Identifier: Apache-2.0
// How each operation of a graph is written with ONNX operators: one function per NAME of op.def,
// without which nothing links.
#ifndef EVN_EXCHANGE_ONNX_RULES_H
#define EVN_EXCHANGE_ONNX_RULES_H

#include "exchange/onnx_model.h"
#include "graph/node.h"

/// A value of the graph in the model.
typedef struct evn__onnx_value {
    const char *name; ///< NULL: a constant, or an image with channels first, that nothing has
                      ///< needed otherwise yet (evn__onnx_name)
    evn_shape shape;  ///< which may be smaller than the node's and be broadcast to it, as ONNX's
                      ///< element-wise operators do; whole for all other rules
    int batch;        ///< the axis of it that has any extent; −1: none
    const char *channels_first; ///< the same as [B, C, H, W]; NULL: not made yet
    const char *per_channel;    ///< of a vector [C]: as [C, 1, 1]; NULL
    const char *kernel_first;   ///< of a kernel [Kh, Kw, Ci, Co]: as [Co, Ci, Kh, Kw]; NULL
    bool is_constant;           ///< the same known number everywhere, `constant`
    double constant;
} evn__onnx_value;

typedef struct evn__onnx_translation {
    evn__onnx_model model;
    const evn_graph *graph;
    evn__onnx_value *values; ///< of the graph's nodes
    const char *batch;       ///< [1], the extent of the batch; NULL: not made, or fixed
    const char *first_input; ///< whose first axis that is
    bool any_batch;
    int64_t batch_extent; ///< which nothing else has; of the graph as it was built
    evn_status status;    ///< of the first operation that cannot be translated
} evn__onnx_translation;

/// Write a node: operands x, result *y, whose shape is set already; name and batch are the rule's.
typedef void evn__onnx_rule(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                            evn__onnx_value *y);

#define EVN_OP(name, text, arity, class) evn__onnx_rule evn__onnx_##name;
#include "graph/op.def"
#undef EVN_OP

/// The axis, where `kept` says that the operation leaves it as it is; otherwise, and where there is
/// one, the translation fails.
int evn__onnx_keep(evn__onnx_translation *t, const evn__node *node, int axis, bool kept);

/// Its name, for an argument.
const char *evn__onnx_name(evn__onnx_translation *t, evn__onnx_value *value);

/// The value in the node's whole shape.
void evn__onnx_expand(evn__onnx_translation *t, evn__onnx_value *value, evn_shape shape);

/// x [B, H, W, C] as [B, C, H, W], and back: a new node.
const char *evn__onnx_channels_first(evn__onnx_translation *t, evn__onnx_value *x);
const char *evn__onnx_channels_last(evn__onnx_translation *t, const char *x);

/// x in the shape; −1 is the axis that is left over, 0 one that stays.
const char *evn__onnx_reshape(evn__onnx_translation *t, const char *x, const evn__onnx_list *shape);

#endif
