// SPDX-License-Identifier: Apache-2.0
// What every HTML document of ours begins and ends with: one file that loads nothing.
#ifndef EVN_REPORT_DOCUMENT_H
#define EVN_REPORT_DOCUMENT_H

#include "base/memory.h"

/// Append all up to the begin of the body.
/// @param[in] title   text
/// @param[in] policy  what the document may do besides showing itself, "; script-src …", or ""
void evn__document_begin(const char *title, const char *policy, evn__text *html);

/// Append the end of the body, with the script of that name (one of evn__embedded_page) or NULL.
void evn__document_end(const char *script, evn__text *html);

#endif
