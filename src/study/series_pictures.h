// SPDX-License-Identifier: Apache-2.0
// The pictures of a series and what was fitted to it.
#ifndef EVN_STUDY_SERIES_PICTURES_H
#define EVN_STUDY_SERIES_PICTURES_H

#include "task/series.h"

/// Draw, png and svg, into the folder: for each of the first columns fit-1, fit-2, … with what was
/// trained on, what was held out, the fit and the forecast, of the first three trajectories; and
/// phase, the first column against the second.
evn_status evn__series_pictures(const evn__series_model *model, const evn_solver_options *solver,
                                const char *folder);

#endif
