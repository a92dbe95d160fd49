// SPDX-License-Identifier: Apache-2.0
// Gradients that are sums of outer products. The share of one step in the cotangent of a constant
// weight of a dense layer is Σ AᵀB, with as many rows in A [R, M] and B [R, N] as the batch has.
// With few rows, adding it to the cotangent [M, N] moves far more memory than A and B have: they
// are stacked instead, over all steps, and one product at the end gives the sum. An operand that is
// a state is in the trajectory already and is taken from there. The gradient of a
// convolution has a row for each place of each image: there adding is a small part of the work.
#ifndef EVN_ODE_OUTER_H
#define EVN_ODE_OUTER_H

#include "ode/integrator.h"

typedef struct evn__outer evn__outer;

/// For at most `parameters` parameters and a grid of `steps` steps, whose states are laid out so;
/// `layout` is kept by reference.
evn_status evn__outer_create(int parameters, int steps, const evn__layout *layout,
                             evn__outer **outer);
void evn__outer_destroy(evn__outer **outer); ///< nulls; accepts NULL

/// Whether `share`, a value of `graph`, is such a sum and its operands are smaller than itself. If
/// it is, they become outputs of the graph, but for those among `states`, the states before the
/// step.
evn_status evn__outer_take(evn__outer *outer, evn_graph *graph, int parameter, evn_value share,
                           const evn_value *states, bool *taken);

/// After the last evn__outer_take: allocate, and compile the products.
evn_status evn__outer_compile(evn__outer *outer, evn_device *device, bool fp64);

bool evn__outer_has(const evn__outer *outer, int parameter);

/// Where `step` writes the outputs made for `parameter`, in their order; returns the place after.
evn_binding *evn__outer_bind(const evn__outer *outer, int parameter, int step, evn_binding *to);

/// After all steps, whose states are in trajectory [steps, layout.total]: the cotangents; enqueues
/// only.
evn_status evn__outer_multiply(evn__outer *outer, evn_binding trajectory);
evn_binding evn__outer_result(const evn__outer *outer, int parameter);

#endif
