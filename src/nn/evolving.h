// SPDX-License-Identifier: Apache-2.0
// The evolving kernels of a model without its state, dθ/dt = g(t, θ, θ₁) for one of them; and its
// layers as they were built.
#ifndef EVN_NN_EVOLVING_H
#define EVN_NN_EVOLVING_H

#include "evonode/model.h"
#include "nn/layering.h"

/// Convolution kernels that evolve, each by itself.
int evn__evolving_count(const evn_model *model);
/// The parameter's name, as in "f.conv1.weight" [Kh, Kw, Ci, Co].
const char *evn__evolving_weight(const evn_model *model, int index);
/// A dynamics whose state is kernel number `index`, and whose weights are g's parameters for it.
evn_status evn__evolving_dynamics(const evn_model *model, int index, evn_dynamics **dynamics);

/// All layers, in the order of the data.
const evn__layer_records *evn__model_records(const evn_model *model);

#endif
