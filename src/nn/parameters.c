// SPDX-License-Identifier: Apache-2.0
#include "evonode/parameters.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/random.h"
#include "plan/real.h"
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 16 }; // elements: every tensor starts at a cache line

typedef struct tensor {
    const char *name;
    evn_shape shape;
    evn_initial initial;
    double value;
    size_t offset, size;
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
    return EVN_NEW(parameters, 1);
}

void evn_parameters_destroy(evn_parameters **parameters) {
    evn_parameters *p = *parameters;
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

evn_status evn_parameters_add(evn_parameters *parameters, const char *name, evn_shape shape,
                              evn_initial initial, double value) {
    evn_parameters *p = parameters;
    EVN_CHECK(!p->values, EVN_ERR_ARGUMENT, "parameter %s: the parameters are allocated already",
              name);
    EVN_CHECK(evn_parameters_find(p, name) < 0, EVN_ERR_ARGUMENT,
              "there are two parameters named %s", name);
    EVN_TRY(EVN_RESERVE(p->tensors, p->capacity, p->count + 1));
    size_t size = (size_t)evn_shape_count(shape);
    tensor t = {evn__arena_string(&p->arena, name), shape, initial, value, p->elements, size};
    EVN_CHECK(t.name, EVN_ERR_MEMORY, "no memory for the name %s", name);
    p->tensors[p->count++] = t;
    p->elements += (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return EVN_OK;
}

static void draw(const tensor *t, uint64_t seed, double *data) {
    uint64_t stream = evn__checksum(t->name, strlen(t->name));
    for (size_t i = 0; i < t->size; ++i) {
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
    EVN_CHECK(!p->values, EVN_ERR_ARGUMENT, "the parameters are allocated already");
    EVN_CHECK(p->elements > 0, EVN_ERR_ARGUMENT, "the model has no parameters");
    p->fp64 = fp64;
    EVN_TRY(evn__real_create(device, fp64, p->elements, &p->values));
    EVN_TRY(evn__real_create(device, fp64, p->elements, &p->gradients));
    return initialise(p, seed);
}

int evn_parameters_count(const evn_parameters *parameters) {
    return parameters->count;
}

int evn_parameters_find(const evn_parameters *parameters, const char *name) {
    for (int i = 0; i < parameters->count; ++i) {
        if (strcmp(parameters->tensors[i].name, name) == 0) {
            return i;
        }
    }
    return -1;
}

const char *evn_parameters_name(const evn_parameters *parameters, int index) {
    return parameters->tensors[index].name;
}

evn_shape evn_parameters_shape(const evn_parameters *parameters, int index) {
    return parameters->tensors[index].shape;
}

int64_t evn_parameters_scalar_count(const evn_parameters *parameters) {
    int64_t learnt = 0;
    for (int i = 0; i < parameters->count; ++i) {
        learnt += (int64_t)parameters->tensors[i].size;
    }
    return learnt;
}

evn_binding evn_parameters_value(const evn_parameters *parameters, int index) {
    return (evn_binding){parameters->values, parameters->tensors[index].offset};
}

evn_binding evn_parameters_gradient(const evn_parameters *parameters, int index) {
    return (evn_binding){parameters->gradients, parameters->tensors[index].offset};
}

evn_binding evn_parameters_values(const evn_parameters *parameters) {
    return (evn_binding){parameters->values, 0};
}

evn_binding evn_parameters_gradients(const evn_parameters *parameters) {
    return (evn_binding){parameters->gradients, 0};
}

size_t evn_parameters_element_count(const evn_parameters *parameters) {
    return parameters->elements;
}

evn_status evn_parameters_read(const evn_parameters *parameters, int index, double *data) {
    return evn__real_read(evn_parameters_value(parameters, index), parameters->fp64, data,
                          parameters->tensors[index].size);
}

evn_status evn_parameters_read_gradient(const evn_parameters *parameters, int index, double *data) {
    return evn__real_read(evn_parameters_gradient(parameters, index), parameters->fp64, data,
                          parameters->tensors[index].size);
}

evn_status evn_parameters_write(evn_parameters *parameters, int index, const double *data) {
    return evn__real_write(evn_parameters_value(parameters, index), parameters->fp64, data,
                           parameters->tensors[index].size);
}
