// SPDX-License-Identifier: Apache-2.0
// Batched weight gradients: sums of outer products. The share of one step in the cotangent of a
// constant weight of a dense layer is Σ AᵀB, with as many rows in A [R, M] and B [R, N] as the
// batch has. With few rows, adding it to the cotangent [M, N] moves far more memory than A and B
// have: they are stacked instead, over all steps, and one product at the end gives the sum. An
// operand that is a state is in the trajectory already and is taken from there. The gradient of a
// convolution has a row for each place of each image: there adding is a small part of the work.
// A solve without a grid has a stack of some steps, which is emptied when it is full.
#ifndef EVN_INTEGRATOR_WEIGHT_GRADIENT_H
#define EVN_INTEGRATOR_WEIGHT_GRADIENT_H

#include "integrator/integrator.h"

typedef struct evn__weight_gradient evn__weight_gradient;

enum { EVN__LEFT, EVN__RIGHT, EVN__SIDES, EVN__WEIGHT_GRADIENT_TERMS = 8 };

/// AᵀB: the values A [rows, columns of LEFT] and B [rows, columns of RIGHT] of a graph.
typedef struct evn__product {
    evn_value side[EVN__SIDES];
    int64_t rows, columns[EVN__SIDES];
} evn__product;

/// Whether `share` is a sum of products of one shape whose operands are smaller than itself.
/// @param[out] terms  [EVN__WEIGHT_GRADIENT_TERMS], of which *count are set
bool evn__weight_gradient_find(const evn_graph *graph, evn_value share, evn__product *terms,
                               int *count);

/// For at most `parameters` parameters and `steps` steps, of a grid whose states are laid out so;
/// `layout` is kept by reference. Without it the sums of many times `steps` steps are added up.
evn_status evn__weight_gradient_create(int parameters, int steps, const evn__layout *layout,
                                       evn__weight_gradient **batched);
void evn__weight_gradient_destroy(evn__weight_gradient **batched); ///< nulls; accepts NULL

/// Take `share`, a value of `graph`, if it is such a sum: its operands become outputs of the graph,
/// but for those among `states`, the states before the step.
evn_status evn__weight_gradient_take(evn__weight_gradient *batched, evn_graph *graph, int parameter,
                                     evn_value share, const evn_value *states, bool *taken);

/// Take sums of `terms` products a step, all like `product` in rows and columns, whose operands are
/// bound as those of evn__weight_gradient_take are: first all left ones, then all right ones.
void evn__weight_gradient_add(evn__weight_gradient *batched, int parameter, int terms,
                              const evn__product *product);

/// After the last of these: allocate, and compile the products.
evn_status evn__weight_gradient_compile(evn__weight_gradient *batched, evn_device *device,
                                        bool fp64);

bool evn__weight_gradient_has(const evn__weight_gradient *batched, int parameter);

/// Where `step` writes the outputs made for `parameter`, in their order; returns the place after.
evn_binding *evn__weight_gradient_bind(const evn__weight_gradient *batched, int parameter, int step,
                                       evn_binding *to);

/// The operands of one step take the place of another's; enqueues only.
evn_status evn__weight_gradient_move(const evn__weight_gradient *batched, int from, int to);

/// After all steps, whose states are in trajectory [steps, layout.total]: the cotangents, each to
/// where `results` [parameters] has it; enqueues only.
evn_status evn__weight_gradient_multiply(evn__weight_gradient *batched, evn_binding trajectory,
                                         const evn_binding *results);

/// Without a trajectory: set the cotangents to 0; add the products of the first `steps` steps to
/// them. Both enqueue only.
evn_status evn__weight_gradient_clear(evn__weight_gradient *batched);
evn_status evn__weight_gradient_flush(evn__weight_gradient *batched, int steps);

evn_binding evn__weight_gradient_sum(const evn__weight_gradient *batched,
                                     int parameter); ///< the cotangent

#endif
