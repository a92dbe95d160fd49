// SPDX-License-Identifier: Apache-2.0
// PLplot's stream, tamed: it draws into memory, and its errors come back as statuses where it would
// end the process.
#ifndef EVN_PLOT_CANVAS_H
#define EVN_PLOT_CANVAS_H

#include "base/status.h"
#include <stddef.h>

/// Colours of PLplot's map 0: what the canvas sets up.
enum { EVN__COLOUR_AXES = 1, EVN__COLOUR_GRID = 2, EVN__COLOUR_SERIES = 3 };

/// Draw one page of width × height by `draw`, which calls PLplot, between its start and its end.
/// @param[in]  device  of PLplot: "pngcairo", "svgcairo"
/// @param[out] data    the file's contents, freed with free()
/// @return EVN_ERR_OUTPUT when PLplot lacks the device or fails
evn_status evn__canvas_draw(const char *device, int width, int height,
                            void (*draw)(const void *user), const void *user, char **data,
                            size_t *size);

#endif
