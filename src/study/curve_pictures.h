// SPDX-License-Identifier: Apache-2.0
// The pictures of a Neural ODE that was trained to follow the paper's curve.
#ifndef EVN_STUDY_CURVE_PICTURES_H
#define EVN_STUDY_CURVE_PICTURES_H

#include "evonode/trainer.h"
#include "task/trajectory.h"

/// Draw the curve from three sides and in space (curve_x1_x2, …, curve_3d) and its distance from
/// the target (error), png and svg, into the folder. The fit is of evn_source_curve.
evn_status evn__curve_pictures(const evn__trajectory_fit *fit, const char *folder);

/// Draw loss: the losses [count] of all iterations, phase by phase.
/// @param[in] label  of the axis
evn_status evn__curve_draw_losses(const double *losses, int count, const evn_phase *phases,
                                  int phase_count, const char *label, const char *folder);

#endif
