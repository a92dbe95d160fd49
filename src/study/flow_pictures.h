// SPDX-License-Identifier: Apache-2.0
// The pictures of a trained flow.
#ifndef EVN_STUDY_FLOW_PICTURES_H
#define EVN_STUDY_FLOW_PICTURES_H

#include "data/density.h"
#include "data/points.h"
#include "task/flow.h"

/// Draw into the folder, png and svg: samples (against points of the density), strip (samples at
/// six times between base and target) and density.
evn_status evn__flow_pictures(const evn__flow_model *model, const evn_solver_options *solver,
                              const evn__density *density, const char *folder);

/// Draw density.png: at t = 1, 0.8, … 0, on [−extent, extent]², how many of 10,000 samples an area
/// has, and below it p(·, t) as evn__flow_log_density finds it. (flow_density.c)
evn_status evn__flow_draw_density(const evn__flow_model *model, const evn_solver_options *solver,
                                  double extent, const char *folder);

/// Draw loss: the losses [count] of the iterations, averaged over some, and the density's entropy
/// (NaN: not known).
evn_status evn__flow_draw_losses(const double *losses, int count, double entropy,
                                 const char *folder);

/// The same for points of the user's, in their units: with one column `samples`, a histogram and
/// the density; with more of them `samples-A-B`, points against samples, for pairs of the first few
/// columns. With two columns also `density`, in the flow's own coordinates. (flow_columns.c)
evn_status evn__flow_draw_points(const evn__flow_model *model, const evn_solver_options *solver,
                                 const evn__points *points, const char *folder);

#endif
