// SPDX-License-Identifier: Apache-2.0
#include "io/tensors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void describe(const evn_parameters *parameters, int index, evn__tensor *tensor) {
    evn_shape shape = evn_parameters_shape(parameters, index);
    tensor->name = evn_parameters_name(parameters, index);
    tensor->dtype = EVN__F32;
    tensor->rank = shape.rank;
    for (int axis = 0; axis < shape.rank; ++axis) {
        tensor->extent[axis] = shape.dim[axis];
    }
    tensor->bytes = (size_t)evn_shape_count(shape) * sizeof(float);
}

evn_status evn__tensors_describe(const evn_parameters *parameters, int further, evn__tensors *all) {
    all->count = evn_parameters_count(parameters);
    size_t room = (size_t)(all->count + further);
    all->items = evn__arena_alloc(&all->arena, room * sizeof(*all->items));
    EVN_CHECK(all->items, EVN_ERR_MEMORY, "no memory for %zu tensors", room);
    for (int i = 0; i < all->count; ++i) {
        describe(parameters, i, &all->items[i]);
    }
    return EVN_OK;
}

static evn_status fetch(const evn_parameters *parameters, int index, evn__tensors *all) {
    evn__tensor *tensor = &all->items[index];
    size_t count = tensor->bytes / sizeof(float);
    double *wide;
    EVN_TRY(EVN_NEW(&wide, count));
    evn_status status = evn_parameters_read(parameters, index, wide);
    float *narrow = evn__arena_alloc(&all->arena, tensor->bytes);
    bool finite = true;
    for (size_t i = 0; status == EVN_OK && narrow && i < count; ++i) {
        narrow[i] = (float)wide[i];
        finite = finite && isfinite(narrow[i]);
    }
    free(wide);
    EVN_TRY(status);
    EVN_CHECK(narrow, EVN_ERR_MEMORY, "no memory for the tensor %s", tensor->name);
    EVN_CHECK(finite, EVN_ERR_NOT_FINITE, "the parameter %s is not finite", tensor->name);
    tensor->data = narrow;
    return EVN_OK;
}

evn_status evn__tensors_fetch(const evn_parameters *parameters, int further, evn__tensors *all) {
    EVN_TRY(evn__tensors_describe(parameters, further, all));
    for (int i = 0; i < all->count; ++i) {
        EVN_TRY(fetch(parameters, i, all));
    }
    return EVN_OK;
}

static evn_status store(evn_parameters *parameters, int index, const evn__tensor *tensor) {
    size_t count = tensor->bytes / sizeof(float);
    double *wide;
    EVN_TRY(EVN_NEW(&wide, count));
    for (size_t i = 0; i < count; ++i) {
        float narrow;
        memcpy(&narrow, (const char *)tensor->data + i * sizeof(narrow), sizeof(narrow));
        wide[i] = narrow;
    }
    evn_status status = evn_parameters_write(parameters, index, wide);
    free(wide);
    return status;
}

evn_status evn__tensors_store(evn_parameters *parameters, const evn__safetensors *file) {
    for (int i = 0; i < evn_parameters_count(parameters); ++i) {
        const char *name = evn_parameters_name(parameters, i);
        EVN_TRY(store(parameters, i, evn__safetensors_find(file, name)));
    }
    return EVN_OK;
}

void evn__tensors_free(evn__tensors *all) {
    evn__arena_free(&all->arena);
    *all = (evn__tensors){0};
}
