// SPDX-License-Identifier: Apache-2.0
// Pieces of HTML: text that means nothing to a browser, numbers, files as data.
#ifndef EVN_REPORT_HTML_H
#define EVN_REPORT_HTML_H

#include "base/memory.h"
#include <jansson.h>

/// Append a text as it is read: no character of it begins a tag, an entity or ends an attribute.
/// Bytes that are no UTF-8, and control characters, are written out as \xNN.
void evn__html_text(evn__text *html, const char *text);

/// Append a number as people read it, by the unit that a metric has ("fraction" as %).
void evn__html_number(evn__text *html, double value, const char *unit);

/// Append any value of JSON in a line: texts as they are, arrays and objects as JSON.
void evn__html_value(evn__text *html, const json_t *value);

/// Append bytes as base64.
void evn__html_base64(evn__text *html, const unsigned char *data, size_t size);

#endif
