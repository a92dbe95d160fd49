// SPDX-License-Identifier: Apache-2.0
// Kernels for groups of element-wise nodes: text, arguments, range. A group is written as a kernel
// of its own, or as the epilogue of the kernel whose result it reads.
#ifndef EVN_ELEMENTS_ELEMENTS_H
#define EVN_ELEMENTS_ELEMENTS_H

#include "base/marks.h"
#include "elements/access.h"
#include "ops/lower.h"

/// Nodes that one kernel computes.
typedef struct evn__group {
    evn_value first;  ///< smallest member; the others follow in `next`
    evn_value family; ///< the kernel node among them; EVN_NONE: none
    int sums;         ///< over its rows, which the kernel begins
    evn_value first_sum, last_sum;
    int64_t columns; ///< of these rows
} evn__group;

/// What the kernel of another unit leaves of a sum over rows.
typedef struct evn__partial {
    bool begun;
    evn_value next;    ///< sum that the same kernel begins
    evn__operand rows; ///< [count, columns]; both made by lowering that unit
    int64_t count;
} evn__partial;

/// What is to be written: a graph in groups, as fusion leaves it. Arrays are per value.
typedef struct evn__elements {
    const evn_graph *graph;
    evn__arena *arena; ///< for the texts of epilogues
    int *unit_of;      ///< number of its group; −1: no kernel computes it
    evn_value *next;   ///< member of the same group; EVN_NONE behind the last
    bool *stored;      ///< has memory
    bool *crosses;     ///< an output, or read by another group than its own
    const bool *held;  ///< as in evn__elements_inline
    evn__partial *partials;
    evn__marks numbered; ///< values that the kernel being written has a number for
    int *number;
} evn__elements;

/// A scalar that every kernel computes for itself instead of reading it.
/// @param held  per value: a scalar that is not
bool evn__elements_inline(const evn_graph *graph, const bool *held, evn_value value);

/// Emit the generated kernel of the lowering's unit, which is `group`.
evn_status evn__elements_kernel(evn__elements *elements, const evn__group *group,
                                evn__lowering *lowering);

/// Give `call`, which writes the result of the group's family, the group as its epilogue, unless it
/// has no room for the arguments.
evn_status evn__elements_epilogue(evn__elements *elements, const evn__group *group,
                                  evn__lowering *lowering, evn__call *call);

/// The C expression of an element-wise operation, as a format of its operands; a number as C.
const char *evn__formula(evn__op op);
void evn__literal(double value, char text[64]);

#endif
