// SPDX-License-Identifier: Apache-2.0
#include "base/embedded.h"

#include <string.h>

const evn__embedded *evn__embedded_find(const evn__embedded *table, const char *name) {
    for (; table->name; ++table) {
        if (strcmp(table->name, name) == 0) {
            return table;
        }
    }
    return NULL;
}
