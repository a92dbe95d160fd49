// SPDX-License-Identifier: Apache-2.0
// A way to solve the linear systems of methods/linear.h: a file each, and what they share.
#ifndef EVN_METHODS_LINEAR_KIND_H
#define EVN_METHODS_LINEAR_KIND_H

#include "methods/linear.h"

struct evn__linear_kind {
    bool keeps; ///< the work that goes into a matrix serves for all systems that have it

    evn_status (*prepare)(evn__linear *linear, evn__linear_matrix *matrix);
    evn_status (*solve)(evn__linear *linear, const evn__linear_matrix *matrix,
                        const evn_value *right, evn_value *solution);
    evn_status (*hold)(evn__linear *linear, evn_value *values);
    evn_status (*settle)(evn__linear *linear, const evn_value *rest, evn_value *values);
};

extern const evn__linear_kind evn__linear_dense, evn__linear_krylov;

evn_shape evn__linear_shape(const evn__linear *linear, int state);
int64_t evn__linear_width(const evn__linear *linear, int state); ///< elements of a state in one row

/// Put together along axis 1, as many as there are; `parts` is overwritten.
evn_value evn__linear_join(evn_graph *graph, evn_value *parts, int count);
/// [rows, width] of one value per coupled state, and back.
evn_value evn__linear_pack(evn__linear *linear, const evn_value *values);
void evn__linear_unpack(evn__linear *linear, evn_value packed, evn_value *values);
evn_value evn__linear_length(const evn__linear *linear); ///< dt of each row, [rows, 1], or of all

#endif
