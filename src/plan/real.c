// SPDX-License-Identifier: Apache-2.0
#include "plan/real.h"

#include "base/memory.h"
#include <stdlib.h>

evn_status evn__real_check(evn_binding at, bool fp64, size_t count, const char *kind,
                           const char *name) {
    EVN_CHECK(at.buffer, EVN_ERR_ARGUMENT, "nothing is bound to %s %s", kind, name);
    size_t elements = evn_buffer_bytes(at.buffer) / evn__real_bytes(fp64);
    EVN_CHECK(at.offset <= elements && count <= elements - at.offset, EVN_ERR_ARGUMENT,
              "%s %s has %zu elements of %zu bytes, but its buffer has %zu, and %zu of them from "
              "offset %zu on; bind one that is large enough",
              kind, name, count, evn__real_bytes(fp64), elements,
              at.offset <= elements ? elements - at.offset : 0, at.offset);
    return EVN_OK;
}

evn_status evn__real_write(evn_binding to, bool fp64, const double *data, size_t count) {
    if (fp64) {
        return evn_buffer_write(to.buffer, to.offset * sizeof(double), count * sizeof(double),
                                data);
    }
    float *narrow = NULL;
    EVN_TRY(EVN_NEW(&narrow, count));
    for (size_t i = 0; i < count; ++i) {
        narrow[i] = (float)data[i];
    }
    evn_status status =
        evn_buffer_write(to.buffer, to.offset * sizeof(float), count * sizeof(float), narrow);
    free(narrow);
    return status;
}

evn_status evn__real_read(evn_binding from, bool fp64, double *data, size_t count) {
    if (fp64) {
        return evn_buffer_read(from.buffer, from.offset * sizeof(double), count * sizeof(double),
                               data);
    }
    float *narrow = NULL;
    EVN_TRY(EVN_NEW(&narrow, count));
    evn_status status =
        evn_buffer_read(from.buffer, from.offset * sizeof(float), count * sizeof(float), narrow);
    for (size_t i = 0; i < count && status == EVN_OK; ++i) {
        data[i] = narrow[i];
    }
    free(narrow);
    return status;
}

evn_status evn__real_copy(evn_binding to, evn_binding from, bool fp64, size_t count) {
    size_t size = evn__real_bytes(fp64);
    if (to.buffer == from.buffer && to.offset == from.offset) {
        return EVN_OK;
    }
    return evn_buffer_copy(to.buffer, to.offset * size, from.buffer, from.offset * size,
                           count * size);
}

evn_status evn__real_zero(evn_binding to, bool fp64, size_t count) {
    size_t size = evn__real_bytes(fp64);
    return evn_buffer_zero(to.buffer, to.offset * size, count * size);
}

evn_status evn__real_create_for(evn_device *device, evn__use use, bool fp64, size_t count,
                                evn_buffer **buffer) {
    size_t bytes = evn__size_product(count ? count : 1, evn__real_bytes(fp64));
    return evn__buffer_create_for(device, use, bytes, buffer);
}

evn_status evn__real_create(evn_device *device, bool fp64, size_t count, evn_buffer **buffer) {
    return evn__real_create_for(device, EVN__USE_PLANS, fp64, count, buffer);
}
