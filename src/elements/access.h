// SPDX-License-Identifier: Apache-2.0
// Strided access to an operand under a view.
#ifndef EVN_ELEMENTS_ACCESS_H
#define EVN_ELEMENTS_ACCESS_H

#include "graph/node.h"

/// The operand behind reshapes: the same elements in the same order.
evn_value evn__strip(const evn_graph *graph, evn_value value);

/// Broadcast, permute or slice: elements of the operand under another index.
bool evn__is_moving(const evn__node *node);

/// The value whose memory a generated kernel reads, or whose formula it repeats, where it reads
/// `value`: behind reshapes and one view. A view of a view has memory of its own.
evn_value evn__source_of(const evn_graph *graph, evn_value value);

/// Which value a node that a generated kernel computes reads through its operand `k`: a view is its
/// own operand.
evn_value evn__read_by(const evn_graph *graph, evn_value member, int k);

/// offset = start + Σ index[d] · stride[d] over the dimensions of the view.
typedef struct evn__access {
    evn_value source; ///< the value that is read, behind view and reshapes
    int rank;
    int64_t dim[EVN_MAX_RANK], stride[EVN_MAX_RANK];
    int64_t start;
} evn__access;

/// How `value` is read when a kernel runs over its elements.
evn__access evn__access_of(const evn_graph *graph, evn_value value);

/// Whether the last `columns` elements of each row lie at a fixed stride; if so *stride is it.
bool evn__access_split(const evn__access *access, int64_t columns, int64_t *stride);

/// Append the C expression of the offset of row `row` (a C variable) to `text`.
void evn__access_base(const evn__access *access, int64_t columns, const char *row, evn__text *text);

#endif
