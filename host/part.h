// SPDX-License-Identifier: Apache-2.0
// Several texts in one program. OpenCL C has one scope for all names of a program, and our kernel
// files define the same names again for each choice of options: a part gives its functions, types
// and kernels a suffix, and takes its macros back at its end.
#ifndef EVN_HOST_PART_H
#define EVN_HOST_PART_H

#include "base/memory.h"
#include <stdbool.h>

/// Whether the options are definitions alone ("-DROWS=8 -DFAST"), which a part can have of its own.
bool evn__part_takes(const char *options);

/// Append `text` as part `part`, with `options` as macros. Its names end in evn__part_suffix.
/// The text defines what it defines at the outermost level with at least a type before the name, as
/// C does; calls of macros at that level stand alone on their line.
void evn__part_append(evn__text *program, const char *options, const char *text, int part);

enum { EVN__PART_SUFFIX = 16 };

/// What follows the names of a part: "__3"; "" for part 0, a program of its own.
const char *evn__part_suffix(int part, char suffix[EVN__PART_SUFFIX]);

#endif
