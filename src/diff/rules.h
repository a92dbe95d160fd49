// SPDX-License-Identifier: Apache-2.0
// The derivative of every operation, as builders of further nodes.
#ifndef EVN_DIFF_RULES_H
#define EVN_DIFF_RULES_H

#include "evonode/diff.h"
#include "graph/node.h"

/// One application of an operation. `node` is a copy: building may move the graph's nodes.
typedef struct evn__site {
    evn_graph *graph;
    evn__node node;
    evn_value y; ///< the node's value
} evn__site;

/// x_bar[i] of operand i from y_bar; entries are EVN_NONE (zero) on entry.
typedef void evn__vjp_rule(const evn__site *site, evn_value y_bar, evn_value *x_bar);

/// The tangent of the node; x_dot[i] is EVN_NONE where operand i has none, not for all of them.
typedef evn_value evn__jvp_rule(const evn__site *site, const evn_value *x_dot);

typedef struct evn__rule {
    evn__vjp_rule *vjp;
    evn__jvp_rule *jvp;
} evn__rule;

/// Rules of all operations; those of leaves are never called.
extern const evn__rule evn__rule_table[EVN__OP_COUNT];

// Every operation of op.def has the two functions; a missing one does not link.
#define EVN_OP(name, text, arity, class)                                                           \
    evn__vjp_rule evn__vjp_##name;                                                                 \
    evn__jvp_rule evn__jvp_##name;
#include "graph/op.def"
#undef EVN_OP

/// a + b where EVN_NONE stands for zero.
evn_value evn__add_tangents(evn_graph *graph, evn_value a, evn_value b);

#endif
