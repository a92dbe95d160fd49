// SPDX-License-Identifier: Apache-2.0
// Where evonode keeps what it can make again.
#ifndef EVN_BASE_CACHE_FOLDER_H
#define EVN_BASE_CACHE_FOLDER_H

#include "base/memory.h"

/// Append the folder of what is kept between runs: `part` ("/cl-cache", "") of evonode's own, or
/// EVONODE_CACHE_DIR itself. Appends nothing where there is to be none.
void evn__cache_folder(evn__text *folder, const char *part);

#endif
