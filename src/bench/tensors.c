// SPDX-License-Identifier: Apache-2.0
#include "bench/tensors.h"

#include "plan/real.h"
#include <stdio.h>
#include <stdlib.h>

evn_status evn__bench_tensors_add(evn__bench_tensors *tensors, const char *name, evn_shape shape,
                                  const double *data) {
    size_t count = (size_t)evn_shape_count(shape);
    float *copy = evn__arena_alloc(&tensors->arena, count * sizeof(*copy));
    char *name_copy = evn__arena_string(&tensors->arena, name);
    EVN_CHECK(copy && name_copy, EVN_ERR_MEMORY, "no memory for the tensor %s", name);
    for (size_t i = 0; i < count; ++i) {
        copy[i] = (float)data[i];
    }
    evn__tensor tensor = {.name = name_copy, .dtype = EVN__F32, .rank = shape.rank, .data = copy};
    for (int i = 0; i < shape.rank; ++i) {
        tensor.extent[i] = shape.dim[i];
    }
    EVN_TRY(EVN_RESERVE(tensors->list, tensors->capacity, tensors->count + 1));
    tensors->list[tensors->count++] = tensor;
    return EVN_OK;
}

evn_status evn__bench_tensors_read(evn__bench_tensors *tensors, const char *name, evn_shape shape,
                                   evn_binding from) {
    size_t count = (size_t)evn_shape_count(shape);
    double *data = NULL;
    EVN_TRY(EVN_NEW(&data, count));
    evn_status status = evn__real_read(from, false, data, count);
    if (status == EVN_OK) {
        status = evn__bench_tensors_add(tensors, name, shape, data);
    }
    free(data);
    return status;
}

evn_status evn__bench_tensors_parameters(evn__bench_tensors *tensors,
                                         const evn_parameters *parameters) {
    for (int i = 0; i < evn_parameters_count(parameters); ++i) {
        EVN_TRY(evn__bench_tensors_read(tensors, evn_parameters_name(parameters, i),
                                        evn_parameters_shape(parameters, i),
                                        evn_parameters_value(parameters, i)));
    }
    return EVN_OK;
}

evn_status evn__bench_tensors_gradients(evn__bench_tensors *tensors,
                                        const evn_parameters *parameters) {
    for (int i = 0; i < evn_parameters_count(parameters); ++i) {
        char name[256];
        snprintf(name, sizeof(name), "%s_bar", evn_parameters_name(parameters, i));
        EVN_TRY(evn__bench_tensors_read(tensors, name, evn_parameters_shape(parameters, i),
                                        evn_parameters_gradient(parameters, i)));
    }
    return EVN_OK;
}

evn_status evn__bench_tensors_write(const evn__bench_tensors *tensors, const char *folder,
                                    const char *name) {
    evn__text path = {0};
    evn__text_append(&path, "%s/%s.safetensors", folder, name);
    evn_status status = path.status;
    if (status == EVN_OK) {
        status = evn__safetensors_write(path.data, tensors->list, tensors->count, NULL, 0);
    }
    free(path.data);
    return status;
}

void evn__bench_tensors_free(evn__bench_tensors *tensors) {
    evn__arena_free(&tensors->arena);
    free(tensors->list);
    *tensors = (evn__bench_tensors){0};
}
