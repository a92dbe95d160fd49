// SPDX-License-Identifier: Apache-2.0
// Names of files as they can be shown: a file system allows any bytes, a terminal and JSON do not.
#ifndef EVN_BASE_NAMES_H
#define EVN_BASE_NAMES_H

#include <stdbool.h>
#include <stddef.h>

/// Write a name as UTF-8 without control characters: any other byte becomes \xNN. What does not
/// fit into `size` (>= 8) bytes ends in "…".
/// @return shown
const char *evn__printable(const char *name, char *shown, size_t size);

/// Whether JSON can have the text: it is well-formed UTF-8.
bool evn__is_utf8(const char *text);

/// Put ? in the place of each byte that is no part of well-formed UTF-8. Control characters stay.
void evn__make_utf8(char *text);

#endif
