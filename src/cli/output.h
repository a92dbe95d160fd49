// SPDX-License-Identifier: Apache-2.0
// Results as text, in a file of the user's or on standard output.
#ifndef EVN_CLI_OUTPUT_H
#define EVN_CLI_OUTPUT_H

#include "base/memory.h"

/// Write what `text` holds, if it has not failed; frees it. `path` NULL: standard output.
/// @return EVN_ERR_OUTPUT
evn_status evn__output_write(evn__text *text, const char *path);

#endif
