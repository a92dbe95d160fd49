// SPDX-License-Identifier: Apache-2.0
// The trained weights θ(t) of a NODE-EW over t, for a few kernels.
#ifndef EVN_STUDY_KERNELS_H
#define EVN_STUDY_KERNELS_H

#include "evonode/model.h"

/// Solve dθ/dt = g from the learnt θ(0) with dopri5 at `tolerance` for each layer of f whose
/// kernels evolve, and draw kernels-LAYER (a few kernels at t = 0 … 1 as images) and
/// kernel-lines-LAYER (their middle entries over t), .png and .svg, into the folder. The kernels
/// are chosen by how far they move, ‖θ(1) − θ(0)‖: from the one that moves most to the one that
/// moves least. Nothing where no kernels evolve.
evn_status evn__kernels_draw(evn_device *device, const evn_model *model, double tolerance,
                             const char *folder);

#endif
