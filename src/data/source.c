// SPDX-License-Identifier: Apache-2.0
#include "evonode/source.h"

void evn_source_destroy(evn_source *source) {
    if (!source) {
        return;
    }
    if (source->methods && source->methods->destroy) {
        source->methods->destroy(source->self);
    }
    *source = (evn_source){0};
}
