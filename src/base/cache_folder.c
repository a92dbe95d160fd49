// SPDX-License-Identifier: Apache-2.0
#include "base/cache_folder.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_off(const char *folder) {
    return strcmp(folder, "0") == 0 || strcasecmp(folder, "off") == 0 ||
           strcasecmp(folder, "none") == 0;
}

void evn__cache_folder(evn__text *folder, const char *part) {
    const char *own = getenv("EVONODE_CACHE_DIR");
    const char *base = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    if (own && own[0]) {
        evn__text_append(folder, "%s", is_off(own) ? "" : own);
    } else if (base && base[0] == '/') { // the XDG rules say to ignore relative ones
        evn__text_append(folder, "%s/evonode%s", base, part);
    } else if (home && home[0] == '/') {
        evn__text_append(folder, "%s/.cache/evonode%s", home, part);
    }
}
