// SPDX-License-Identifier: Apache-2.0
#include "evonode/parameters.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "graph/node.h"
#include "nn/basis.h"
#include "nn/parameters.h"
#include "plan/real.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct tensor {
    const char *name;
    evn_shape shape;
    evn_initial initial;
    double value;
    size_t offset, size;
    const evn__basis *basis; ///< of the rows; NULL: there are none
} tensor;

struct evn_parameters {
    evn__arena arena;
    tensor *tensors;
    int count, capacity;
    size_t elements;
    bool fp64;
    evn_buffer *values, *gradients;
};

evn_status evn_parameters_create(evn_parameters **parameters) {
    EVN_REQUIRE(parameters);
    return EVN_NEW(parameters, 1);
}

void evn_parameters_destroy(evn_parameters **parameters) {
    evn_parameters *p = parameters ? *parameters : NULL;
    if (!p) {
        return;
    }
    evn_buffer_destroy(&p->values);
    evn_buffer_destroy(&p->gradients);
    evn__arena_free(&p->arena);
    free(p->tensors);
    free(p);
    *parameters = NULL;
}

static evn_status add(evn_parameters *parameters, const char *name, evn_shape shape,
                      evn_initial initial, double value, const evn__basis *basis) {
    evn_parameters *p = parameters;
    char text[128];
    EVN_REQUIRE(parameters);
    EVN_REQUIRE(name);
    EVN_CHECK(evn__shape_is_valid(shape), EVN_ERR_SHAPE, "parameter %s: a tensor of shape %s", name,
              evn__shape_text(shape, text));
    EVN_CHECK(initial == EVN_INITIAL_CONSTANT || initial == EVN_INITIAL_UNIFORM ||
                  initial == EVN_INITIAL_NORMAL,
              EVN_ERR_ARGUMENT, "parameter %s: no kind of initial values is %d", name,
              (int)initial);
    EVN_CHECK(isfinite(value), EVN_ERR_ARGUMENT, "parameter %s: initial values of size %g", name,
              value);
    EVN_CHECK(!p->values, EVN_ERR_ARGUMENT, "parameter %s: the parameters are allocated already",
              name);
    EVN_CHECK(evn_parameters_find(p, name) < 0, EVN_ERR_ARGUMENT,
              "there are two parameters named %s", name);
    size_t size = (size_t)evn_shape_count(shape);
    EVN_CHECK(size <= (size_t)(INT64_MAX >> 8) - p->elements, EVN_ERR_SHAPE,
              "parameter %s: with a tensor of shape %s there are too many", name,
              evn__shape_text(shape, text));
    EVN_TRY(EVN_RESERVE(p->tensors, p->capacity, p->count + 1));
    tensor t = {
        evn__arena_string(&p->arena, name), shape, initial, value, p->elements, size, basis};
    EVN_CHECK(t.name, EVN_ERR_MEMORY, "no memory for the name %s", name);
    p->tensors[p->count++] = t;
    p->elements += evn__real_aligned(size);
    return EVN_OK;
}

evn_status evn_parameters_add(evn_parameters *parameters, const char *name, evn_shape shape,
                              evn_initial initial, double value) {
    return add(parameters, name, shape, initial, value, NULL);
}

evn_status evn__parameters_add_coefficients(evn_parameters *parameters, const char *name,
                                            evn_shape shape, evn_initial initial, double value,
                                            const evn__basis *basis) {
    return add(parameters, name, shape, initial, value, basis);
}

static void draw(const tensor *t, uint64_t seed, double *data) {
    uint64_t stream = evn__checksum(t->name, strlen(t->name));
    size_t drawn = t->basis ? t->size / (size_t)t->shape.dim[0] : t->size;
    for (size_t i = 0; i < drawn; ++i) {
        switch (t->initial) {
        case EVN_INITIAL_CONSTANT:
            data[i] = t->value;
            break;
        case EVN_INITIAL_UNIFORM:
            data[i] = t->value * (2 * evn__random_uniform(seed, stream, i) - 1);
            break;
        case EVN_INITIAL_NORMAL:
            data[i] = t->value * evn__random_normal(seed, stream, i);
            break;
        }
    }
    for (size_t i = drawn; i < t->size; ++i) {
        data[i] = t->basis->partition ? data[i - drawn] : 0;
    }
}

static evn_status initialise(evn_parameters *p, uint64_t seed) {
    double *data = NULL;
    EVN_TRY(EVN_NEW(&data, p->elements));
    for (int i = 0; i < p->count; ++i) {
        draw(&p->tensors[i], seed, data + p->tensors[i].offset);
    }
    evn_status status = evn__real_write(evn_parameters_values(p), p->fp64, data, p->elements);
    free(data);
    EVN_TRY(status);
    return evn__real_zero(evn_parameters_gradients(p), p->fp64, p->elements);
}

evn_status evn_parameters_allocate(evn_parameters *parameters, evn_device *device, bool fp64,
                                   uint64_t seed) {
    evn_parameters *p = parameters;
    EVN_REQUIRE(parameters);
    EVN_REQUIRE(device);
    EVN_CHECK(!p->values, EVN_ERR_ARGUMENT, "the parameters are allocated already");
    EVN_CHECK(p->elements > 0, EVN_ERR_ARGUMENT, "the model has no parameters");
    p->fp64 = fp64;
    EVN_TRY(evn__real_create_for(device, EVN__USE_PARAMETERS, fp64, p->elements, &p->values));
    EVN_TRY(evn__real_create_for(device, EVN__USE_GRADIENTS, fp64, p->elements, &p->gradients));
    return evn__device_is_counting(device) ? EVN_OK : initialise(p, seed);
}

int evn_parameters_count(const evn_parameters *parameters) {
    return parameters ? parameters->count : 0;
}

static const tensor *tensor_at(const evn_parameters *parameters, int index) {
    return index >= 0 && index < evn_parameters_count(parameters) ? &parameters->tensors[index]
                                                                  : NULL;
}

int evn_parameters_find(const evn_parameters *parameters, const char *name) {
    for (int i = 0; name && i < evn_parameters_count(parameters); ++i) {
        if (strcmp(parameters->tensors[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

const char *evn_parameters_name(const evn_parameters *parameters, int index) {
    const tensor *t = tensor_at(parameters, index);
    return t ? t->name : NULL;
}

const evn__basis *evn__parameters_basis(const evn_parameters *parameters, int index) {
    const tensor *t = tensor_at(parameters, index);
    return t ? t->basis : NULL;
}

evn_shape evn_parameters_shape(const evn_parameters *parameters, int index) {
    const tensor *t = tensor_at(parameters, index);
    return t ? t->shape : EVN_SCALAR;
}

int64_t evn_parameters_scalar_count(const evn_parameters *parameters) {
    int64_t learnt = 0;
    for (int i = 0; i < evn_parameters_count(parameters); ++i) {
        learnt += (int64_t)parameters->tensors[i].size;
    }
    return learnt;
}

evn_binding evn_parameters_value(const evn_parameters *parameters, int index) {
    const tensor *t = tensor_at(parameters, index);
    return t ? (evn_binding){parameters->values, t->offset} : (evn_binding){0};
}

evn_binding evn_parameters_gradient(const evn_parameters *parameters, int index) {
    const tensor *t = tensor_at(parameters, index);
    return t ? (evn_binding){parameters->gradients, t->offset} : (evn_binding){0};
}

evn_binding evn_parameters_values(const evn_parameters *parameters) {
    return (evn_binding){parameters ? parameters->values : NULL, 0};
}

evn_binding evn_parameters_gradients(const evn_parameters *parameters) {
    return (evn_binding){parameters ? parameters->gradients : NULL, 0};
}

size_t evn_parameters_element_count(const evn_parameters *parameters) {
    return parameters ? parameters->elements : 0;
}

/// Whether there are numbers of a tensor to copy, and somewhere to copy them.
static evn_status check_copy(const evn_parameters *parameters, int index, const double *data) {
    EVN_CHECK(data && tensor_at(parameters, index), EVN_ERR_ARGUMENT,
              "there is no parameter %d, or no memory for its numbers", index);
    EVN_CHECK(parameters->values, EVN_ERR_ARGUMENT,
              "parameter %s has no values yet: call evn_parameters_allocate first",
              parameters->tensors[index].name);
    return EVN_OK;
}

evn_status evn_parameters_read(const evn_parameters *parameters, int index, double *data) {
    EVN_TRY(check_copy(parameters, index, data));
    return evn__real_read(evn_parameters_value(parameters, index), parameters->fp64, data,
                          parameters->tensors[index].size);
}

evn_status evn_parameters_read_gradient(const evn_parameters *parameters, int index, double *data) {
    EVN_TRY(check_copy(parameters, index, data));
    return evn__real_read(evn_parameters_gradient(parameters, index), parameters->fp64, data,
                          parameters->tensors[index].size);
}

evn_status evn_parameters_write(evn_parameters *parameters, int index, const double *data) {
    EVN_TRY(check_copy(parameters, index, data));
    return evn__real_write(evn_parameters_value(parameters, index), parameters->fp64, data,
                           parameters->tensors[index].size);
}
