// SPDX-License-Identifier: Apache-2.0
// A kernel's text in the making: what generate.c writes, and with what arguments (generation.c).
#ifndef EVN_ELEMENTS_GENERATION_H
#define EVN_ELEMENTS_GENERATION_H

#include "elements/elements.h"

/// An operand that is read from memory, the same for all members that read it alike.
typedef struct evn__read {
    evn__access access;
    int argument; ///< number of its kernel argument
} evn__read;

typedef struct evn__generation {
    evn__lowering *lowering;
    evn__elements *elements;
    const evn__group *group;
    const evn_graph *graph;
    evn_value result;  ///< of the kernel whose epilogue this is; EVN_NONE: a kernel of its own
    evn_value carrier; ///< the member that takes the memory of `result`; EVN_NONE: none
    int64_t count, columns;
    int64_t items;     ///< work-items: rows of partial sums (partial.c)
    evn__text scalars; ///< before the loops
    evn__text bases;   ///< per row
    evn__text body;    ///< per element
    evn__text zeros;   ///< partial sums: per column, before the first row
    evn__text head;    ///< parameters
    evn__text pointers;
    evn__text formals; ///< epilogue: its parameters,
    evn__text pass;    ///< and what the kernel hands on to them
    evn__call call;
    evn__read reads[EVN__OPERAND_CAPACITY];
    int read_count;
    int reserved; ///< arguments that its results and sums will be
} evn__generation;

/// Append an operand to the call; *number is that of the argument.
evn_status evn__generation_add(evn__generation *g, evn__operand added, int *number);

/// A new argument a*number, which points to the memory of `bound`. `direction`: INPUT or OUTPUT.
evn_status evn__generation_bind(evn__generation *g, const char *direction, evn__operand bound,
                                int *number);

/// A number of the graph: in the text, or as an argument while there is room.
evn_status evn__generation_literal(evn__generation *g, double value, char text[64]);

/// The argument that points to a value that is read, added when it is new.
evn_status evn__generation_argument(evn__generation *g, evn_value source, int *number);

/// The read of reads[*index], added when it is new.
evn_status evn__generation_read(evn__generation *g, const evn__access *access, int *index);

#endif
