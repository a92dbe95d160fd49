// SPDX-License-Identifier: Apache-2.0
// The evolving weights of a NODE-EW without its state: dθ/dt = g(t, θ, θ₁) for one kernel.
#ifndef EVN_NN_EVOLVING_H
#define EVN_NN_EVOLVING_H

#include "evonode/model.h"

/// Layers of f whose kernels "f.LAYER.weight" [Kh, Kw, Ci, Co] evolve, each by itself; NULL past
/// the last.
const char *evn__evolving_layer(int index);

/// A dynamics whose state is the kernel of a layer, and whose weights are g's parameters for it.
/// @return EVN_ERR_ARGUMENT for a model whose weights do not evolve
evn_status evn__evolving_dynamics(const evn_model *model, const char *layer,
                                  evn_dynamics **dynamics);

#endif
