// SPDX-License-Identifier: Apache-2.0
// Results as text, in a file of the user's or on standard output.
#ifndef EVN_CLI_OUTPUT_H
#define EVN_CLI_OUTPUT_H

#include "base/memory.h"

#include <stdbool.h>
#include <stdio.h>

/// The path that "-" stands for where an option names a file to write (evn__option_output), so that
/// whatever writes files writes there.
extern const char evn__standard_output[];

/// Whether an option's path is that; not where it is NULL, not given.
bool evn__output_is_standard(const char *path);

/// Where is printed what a verb says beside the result that goes to `path`: not among what standard
/// output takes.
FILE *evn__output_notes(const char *path);

/// Write what `text` holds, if it has not failed; frees it. `path` NULL: standard output.
/// @return EVN_ERR_OUTPUT
evn_status evn__output_write(evn__text *text, const char *path);

#endif
