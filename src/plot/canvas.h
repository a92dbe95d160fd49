// SPDX-License-Identifier: Apache-2.0
// A wrapper of PLplot's stream: files appear whole or not at all. PLplot draws in a child process
// with a time limit: its fatal errors end a process, and where it has no memory it crashes, or goes
// round and round.
#ifndef EVN_PLOT_CANVAS_H
#define EVN_PLOT_CANVAS_H

#include "base/status.h"

/// Colours of PLplot's map 0: what the canvas sets up.
enum { EVN__COLOUR_AXES = 1, EVN__COLOUR_GRID = 2, EVN__COLOUR_SERIES = 3 };

/// Draw one page of width × height by `draw`, which calls PLplot, between its start and its end,
/// into a file, whole or not at all; the format by the name's end, ".png" or ".svg".
/// @return EVN_ERR_ARGUMENT for another end; EVN_ERR_OUTPUT when PLplot lacks the device, fails,
///         crashes or is not done after 300 seconds (or EVONODE_DEADLINE, if that is less), and
///         where the file cannot be written; EVN_ERR_MEMORY when there is none; EVN_ERR_FILE when
///         what the process that draws has to say cannot be read
evn_status evn__canvas_write(const char *path, int width, int height,
                             void (*draw)(const void *user), const void *user);

/// Draw folder/stem.png and folder/stem.svg, in one process; the first of them alone.
evn_status evn__canvas_save(const char *folder, const char *stem, int width, int height,
                            void (*draw)(const void *user), const void *user);
evn_status evn__canvas_save_png(const char *folder, const char *stem, int width, int height,
                                void (*draw)(const void *user), const void *user);

#endif
