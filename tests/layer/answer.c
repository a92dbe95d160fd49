// SPDX-License-Identifier: Apache-2.0
#include "answer.h"

#include <string.h>

cl_int layer_answer(const void *data, size_t bytes, size_t size, void *value, size_t *size_out) {
    if (value && size < bytes) {
        return CL_INVALID_VALUE;
    }
    if (value) {
        memcpy(value, data, bytes);
    }
    if (size_out) {
        *size_out = bytes;
    }
    return CL_SUCCESS;
}

static cl_int answer_sizes(const profile_value *v, size_t size, void *value, size_t *size_out) {
    size_t sizes[PROFILE_NUMBERS];
    for (int i = 0; i < v->count; ++i) {
        sizes[i] = (size_t)v->numbers[i];
    }
    return layer_answer(sizes, (size_t)v->count * sizeof(sizes[0]), size, value, size_out);
}

cl_int layer_answer_key(const profile *p, profile_key key, size_t size, void *value,
                        size_t *size_out) {
    const profile_value *v = &p->values[key];
    cl_uint narrow = (cl_uint)v->numbers[0]; // cl_bool is one too
    size_t word = (size_t)v->numbers[0];
    switch (profile_rows[key].kind) {
    case PROFILE_TEXT:
        return layer_answer(v->text, strlen(v->text) + 1, size, value, size_out);
    case PROFILE_SIZES:
        return answer_sizes(v, size, value, size_out);
    case PROFILE_SIZE:
        return layer_answer(&word, sizeof(word), size, value, size_out);
    case PROFILE_UINT:
    case PROFILE_BOOL:
        return layer_answer(&narrow, sizeof(narrow), size, value, size_out);
    default: // cl_device_type is as wide as cl_ulong
        return layer_answer(&v->numbers[0], sizeof(v->numbers[0]), size, value, size_out);
    }
}
