// SPDX-License-Identifier: Apache-2.0
// Runs as one HTML document: what was trained, how it went, what came of it, several side by side.
// Nothing is loaded from anywhere; pictures and data are inside.
#ifndef EVN_REPORT_PAGE_H
#define EVN_REPORT_PAGE_H

#include "base/memory.h"
#include <stdbool.h>

/// Run directories as they were when they were read.
typedef struct evn__page evn__page;

/// @param[in] folders   [count] of runs, finished or not; borrowed
/// @param[in] iterates  whether what a task of that name counts are iterations, not epochs
/// @return EVN_ERR_FILE; EVN_ERR_FORMAT
evn_status evn__page_read(const char *const *folders, int count, bool (*iterates)(const char *task),
                          evn__page **page);
void evn__page_destroy(evn__page **page); ///< nulls; accepts NULL

/// Append the document.
/// @param[in] live  it follows a training, through what else its server has (page.js)
void evn__page_put(const evn__page *page, bool live, evn__text *html);

/// Append what is within its <main>.
void evn__page_put_main(const evn__page *page, evn__text *html);

#endif
