// SPDX-License-Identifier: Apache-2.0
// Elements of values of rows, in the text of a group's kernel: as expressions, and, where samples
// are summed, as statements.
#ifndef EVN_SAMPLES_ROW_TERMS_H
#define EVN_SAMPLES_ROW_TERMS_H

#include "samples/emission.h"

const evn__node *evn__row_node(const evn__emission *e, evn_value value);

/// Whether the value is a sum over the samples.
bool evn__row_is_contraction(const evn__emission *e, evn_value value);
/// A sum over the samples and over each row.
bool evn__row_is_total(const evn__emission *e, evn_value value);

/// Terms that each element of a product or sum of rows has.
int64_t evn__row_terms(const evn__emission *e, evn_value value);

/// Rows and columns of a contraction.
void evn__row_contraction_extents(const evn__emission *e, evn_value value, int64_t *m, int64_t *n);

// These append to `text`; false where something that they read is not there (yet).

/// Term `k` of an element of a product or sum.
bool evn__row_term(evn__emission *e, evn_value value, evn__affine element, evn__affine k,
                   evn__text *text);

/// An element of operands side by side, or of one with zeros around it.
bool evn__row_placed(evn__emission *e, evn_value value, int64_t element, evn__text *text);

/// Element `element` of a row, its terms unrolled.
bool evn__row_expression(evn__emission *e, evn_value value, evn__affine element, evn__text *text);

/// One element of a contraction: the sum over this work-item's samples.
bool evn__row_contract(evn__emission *e, evn_value value, evn__affine row, evn__affine column,
                       evn__text *text);

/// What begins the statement that sums over samples and leaves an element of a contraction in its
/// slab; a term and ");" end it.
void evn__row_assign_partial(evn__emission *e, evn_value value, evn__affine row, evn__affine column,
                             evn__text *text);

#endif
