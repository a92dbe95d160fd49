// SPDX-License-Identifier: Apache-2.0
// The function of one group of a plan over samples, while its text is written.
#ifndef EVN_SAMPLES_EMISSION_H
#define EVN_SAMPLES_EMISSION_H

#include "samples/samples.h"

/// Where a member of the group is, in the text.
typedef enum evn__emitted {
    EVN__EMITTED_NOT,
    EVN__EMITTED_PENDING, ///< complete after the loop that is being written
    EVN__EMITTED_LOCAL,   ///< lN, within the loop that is being written
    EVN__EMITTED_SMALL, ///< vN_0, vN_1, …: the elements of a row; a scalar that is uniform: vN_0
    EVN__EMITTED_ARRAY, ///< vN[…]
} evn__emitted;

/// Sums over samples that wait in local memory. (simt)
typedef struct evn__waiting_sums {
    int count;
    const evn__sample_slab *slab; ///< where all of them go
    bool flushed; ///< since it was last set to false: some did not wait for those after them
} evn__waiting_sums;

typedef struct evn__emission {
    const evn__samples *s;
    const evn__sample_group *group;
    int index; ///< of the group
    evn__operand operands[EVN__OPERAND_CAPACITY];
    int operand_count;
    evn__text body;
    evn__emitted *state; ///< per value
    int *number;         ///< per value: N, −1 before it has one
    int numbers;
    int64_t range[EVN__VARS]; ///< of the loop variables
    evn__affine here;         ///< the element that a local value is, in the loop being written
    int64_t private_elements; ///< in arrays of the work-item
    int64_t block_elements;   ///< of these in blocks, one after the other: the most of one
    int64_t unrolled;         ///< terms of the elements that are written one by one
    // simt
    int64_t local_elements; ///< of local memory: what sums need, then what the group shares
    int work;               ///< number of the scratch for what has no room there; −1: none
    evn__waiting_sums sums;
    bool fits; ///< everything so far could be written
} evn__emission;

/// What is being written fits only if it is so, too. What found `fits` false while it wrote has the
/// last word: an argument for which there was no room is number 0, whatever that is.
static inline void evn__emission_demand(evn__emission *e, bool so) {
    e->fits &= so;
}

/// The variable along which a vector runs; EVN__VAR_ONE: no vector.
typedef int evn__lanes_along;

/// The C expression of the element of `value` at `index`; false where it cannot be read (yet).
bool evn__emission_read(evn__emission *e, evn_value value, const evn__index *index,
                        evn__lanes_along along, evn__text *text);

/// The expression of an element-wise operation, or of a copied view, at `index`.
bool evn__emission_element(evn__emission *e, evn_value value, const evn__index *index,
                           evn__lanes_along along, evn__text *text);

/// Factors of a product at row r, column c and inner index k.
bool evn__emission_product(evn__emission *e, evn_value matmul, const evn__affine index[3],
                           evn__lanes_along along, evn__text *text);

/// Number of the operand among `count`; `count` where it is not among them.
int evn__samples_find(const evn__operand *operands, int count, const evn__operand *operand);

/// Number of the function's argument for the memory of `operand`.
int evn__emission_argument(evn__emission *e, const char *direction, evn__operand operand);

int evn__emission_number(evn__emission *e, evn_value value);

/// The next member that has not been written, from `from` on; EVN_NONE after the last.
evn_value evn__emission_next(const evn__emission *e, evn_value from);

/// Whether everything that it reads is there, or is in the loop that is being written.
bool evn__emission_ready(const evn__emission *e, evn_value value);

/// Note an array of the work-item, of which there is not much room.
void evn__emission_take_private(evn__emission *e, int64_t elements);
/// The same of one that is there for a block, with no other such one.
void evn__emission_take_block(evn__emission *e, int64_t elements);

/// Declare vN of the numbered value, `count` elements: the output itself, or shared by the group,
/// or private.
void evn__emission_declare(evn__emission *e, evn_value value, int64_t count, bool in_output);

/// Copy vN to where it is an output.
void evn__emission_copy(evn__emission *e, evn_value value);

/// Statements that put `variable`, element `element` of the value, where other kernels read it.
void evn__emission_store(evn__emission *e, evn_value value, evn__affine element,
                         const char *variable, evn__text *text);

/// Append to `text` what ends the waiting of sums over samples. (simt)
void evn__emission_flush(evn__emission *e, evn__text *text);

/// Work-items of the group's work-group: 1 but for simt.
int evn__emission_items(const evn__emission *e);

/// Whether a member that is not written, and not local, reads `value`.
bool evn__emission_read_later(const evn__emission *e, evn_value value);

evn__affine evn__affine_of(int variable, int64_t constant);

/// Append a linear system of rows, of a group of rows. (emit_system.c)
void evn__emit_system(evn__emission *e, evn_value value);

/// Append the members of a group. (emit_rows.c, emit_uniform.c, emit_product.c)
void evn__emit_rows(evn__emission *e);
void evn__emit_uniform(evn__emission *e);
int evn__emit_product(evn__emission *e); ///< returns the items

#endif
