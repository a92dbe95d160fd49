// SPDX-License-Identifier: Apache-2.0
// A graph on its way to one with a time for each sample: what the files of dynamics/by_sample.h
// share. A value is one of three kinds. Shared ones depend on neither t nor x and stay as they are.
// Timed ones depend on t alone: one of shape S becomes [B] + S, a value a sample. Sampled ones
// depend on x, and have the samples along their first axis.
#ifndef EVN_DYNAMICS_LIFT_H
#define EVN_DYNAMICS_LIFT_H

#include "graph/node.h"

typedef enum evn__lift_kind { EVN__SHARED, EVN__TIMED, EVN__SAMPLED } evn__lift_kind;

/// A timed value of shape S as Σₖ functionsₖ factorsₖ, so that what is multiplied by it meets
/// shared factors, and no sample needs a value of shape S of its own.
typedef struct evn__separated {
    evn_value functions; ///< [B, K], of t; EVN_NONE: the value is not of this form, as far as known
    evn_value factors;   ///< [K] + S, shared
} evn__separated;

typedef struct evn__lift {
    const evn_graph *from;
    evn_graph *to;
    int64_t was, batch; ///< samples before and after
    // per value of `from`
    evn_value *map;            ///< what it has become
    evn_value *beside;         ///< of timed ones, once it has been needed: the sampled one in its
                               ///< place
    evn__separated *separated; ///< of timed ones
    evn__lift_kind *kinds;
} evn__lift;

/// One operation that is not shared.
typedef struct evn__lift_place {
    evn__lift *l;
    const evn__node *node;
    evn__lift_kind kind; ///< of the result: the furthest of the operands
} evn__lift_place;

static inline evn__lift_kind evn__lift_operand_kind(const evn__lift_place *p, int k) {
    return p->l->kinds[p->node->operands[k]];
}

/// [B] + `axes` ones + shape.
static inline evn_shape evn__lift_shape(const evn__lift *l, int axes, evn_shape shape) {
    evn_shape result = {.rank = shape.rank + 1 + axes, .dim = {l->batch}};
    for (int i = 0; i < axes && i + 1 < EVN_MAX_RANK; ++i) {
        result.dim[i + 1] = 1;
    }
    for (int i = 0; i < shape.rank && i + 1 + axes < EVN_MAX_RANK; ++i) {
        result.dim[i + 1 + axes] = shape.dim[i];
    }
    return result;
}

/// The form of a timed operation, from those of its operands.
evn__separated evn__lift_separate(const evn__lift_place *p);
/// Of a timed operation that gives one number, `value` [B, …]: that is its own function.
evn__separated evn__lift_number(const evn__lift_place *p, evn_value value);

/// The value of a form, [B] + shape.
evn_value evn__separated_value(const evn__lift *l, evn__separated value, evn_shape shape);

/// Rows x [R, n], R / B of each sample, times the sample's own matrix [n, m], or [m, n] transposed;
/// [R, m].
evn_value evn__separated_matmul(const evn__lift *l, evn_value x, evn__separated weight,
                                bool transpose);
/// The same with a matrix of each sample in memory, weight [B, n, m] or [B, m, n].
evn_value evn__timed_matmul(const evn__lift *l, evn_value x, evn_value weight, bool transpose);

/// Images x [B, H, W, Ci] with kernels of each sample's own.
evn_value evn__separated_conv2d(const evn__lift *l, evn_value x, evn__separated kernel,
                                evn_conv2d_options options);
/// The transpose of that in x: y_bar [B, Ho, Wo, Co] → shape `x`.
evn_value evn__separated_conv2d_input_grad(const evn__lift *l, evn_value y_bar,
                                           evn__separated kernel, evn_shape x,
                                           evn_conv2d_options options);

#endif
