// SPDX-License-Identifier: Apache-2.0
#include "exchange/weights.h"

#include "base/memory.h"
#include "io/tensors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/// A parameter and its place in the file.
typedef struct link {
    const char *name;
    evn_shape shape;
    evn__weight_place place;
    int tensor; ///< number in the file; −1: none
} link;

typedef struct links {
    link *items;
    int count;
    evn__arena arena;
} links;

/// Of parameters that share a tensor, one without a channel takes those behind the others'.
static void share_channels(links *all) {
    for (int i = 0; i < all->count; ++i) {
        evn__weight_place *place = &all->items[i].place;
        for (int k = 0; place->channel < 0 && k < all->count; ++k) {
            const link *other = &all->items[k];
            bool shares = k != i && strcmp(other->place.name, place->name) == 0;
            if (shares && other->place.channel >= 0) {
                place->channel = other->place.channel + other->shape.dim[other->place.inputs];
            }
        }
    }
}

static evn_status make_links(const evn__weight_map *map, const evn_parameters *parameters,
                             links *all) {
    all->count = evn_parameters_count(parameters);
    EVN_TRY(EVN_NEW(&all->items, all->count + 1));
    for (int i = 0; i < all->count; ++i) {
        link *l = &all->items[i];
        l->name = evn_parameters_name(parameters, i);
        l->shape = evn_parameters_shape(parameters, i);
        l->tensor = -1;
        EVN_TRY(evn__weight_map_place(map, l->name, l->shape, &l->place));
    }
    share_channels(all);
    return EVN_OK;
}

static void free_links(links *all) {
    free(all->items);
    evn__arena_free(&all->arena);
}

/// The shape of the file's tensor as far as this parameter says.
static evn_shape their_shape(const link *l) {
    evn_shape shape = l->shape;
    for (int i = 0; i < shape.rank; ++i) {
        shape.dim[i] = l->shape.dim[l->place.order[i]];
        if (l->place.channel > 0 && l->place.order[i] == l->place.inputs) {
            shape.dim[i] += l->place.channel;
        }
    }
    return shape;
}

/// Where element `index` of the parameter is in a tensor of their shape.
static int64_t their_index(const link *l, evn_shape theirs, int64_t index) {
    int64_t at[EVN_MAX_RANK], flat = 0;
    for (int i = l->shape.rank - 1; i >= 0; --i) {
        at[i] = index % l->shape.dim[i];
        index /= l->shape.dim[i];
    }
    if (l->place.channel > 0) {
        at[l->place.inputs] += l->place.channel;
    }
    for (int i = 0; i < theirs.rank; ++i) {
        flat = flat * theirs.dim[i] + at[l->place.order[i]];
    }
    return flat;
}

static evn_shape shape_of(const evn__tensor *tensor) {
    evn_shape shape = {.rank = tensor->rank};
    for (int i = 0; i < tensor->rank && i < EVN_MAX_RANK; ++i) {
        shape.dim[i] = tensor->extent[i];
    }
    return shape;
}

static void append_shape(evn__text *text, const evn__tensor *tensor) {
    evn__text_append(text, "[");
    for (int i = 0; i < tensor->rank; ++i) {
        evn__text_append(text, "%s%lld", i ? ", " : "", (long long)tensor->extent[i]);
    }
    evn__text_append(text, "]");
}

/// `tensor` of what a parameter asks for.
static evn__tensor wanted_tensor(const link *l) {
    evn_shape shape = their_shape(l);
    evn__tensor tensor = {.name = l->place.name, .dtype = EVN__F32, .rank = shape.rank};
    memcpy(tensor.extent, shape.dim, sizeof(*shape.dim) * (size_t)shape.rank);
    return tensor;
}

// Loading -----------------------------------------------------------------------------------------

/// Whether the parameter can be read from the tensor. A part of the channels may be others'.
static bool goes_with(const link *l, const evn__tensor *tensor) {
    evn_shape wanted = their_shape(l);
    bool fits = tensor->rank == wanted.rank && tensor->dtype != EVN__U8;
    for (int i = 0; fits && i < wanted.rank; ++i) {
        bool part = l->place.channel >= 0 && l->place.order[i] == l->place.inputs;
        fits = part ? tensor->extent[i] >= wanted.dim[i] : tensor->extent[i] == wanted.dim[i];
    }
    return fits;
}

static void find_tensor(const evn__safetensors *file, link *l, evn__text *text) {
    const evn__tensor wanted = wanted_tensor(l), *found = NULL;
    for (int i = 0; i < evn__safetensors_count(file) && !found; ++i) {
        if (strcmp(evn__safetensors_tensor(file, i)->name, l->place.name) == 0) {
            found = evn__safetensors_tensor(file, i);
            l->tensor = i;
        }
    }
    if ((!found && l->place.optional) || (found && goes_with(l, found))) {
        return;
    }
    evn__text_append(text, "%s%s ", text->size ? "; " : "", l->place.name);
    append_shape(text, &wanted);
    evn__text_append(text, " for %s is %s", l->name, found ? "there as " : "missing");
    if (found) {
        append_shape(text, found);
    }
}

/// What no parameter takes, or only a part of.
static void find_rest(const evn__safetensors *file, const evn__weight_map *map, const links *all,
                      evn__text *text) {
    for (int i = 0; i < evn__safetensors_count(file); ++i) {
        const evn__tensor *tensor = evn__safetensors_tensor(file, i);
        int64_t taken = 0, there = 1;
        for (int k = 0; k < tensor->rank; ++k) {
            there *= tensor->extent[k];
        }
        for (int k = 0; k < all->count; ++k) {
            taken += all->items[k].tensor == i ? evn_shape_count(all->items[k].shape) : 0;
        }
        if (taken != there && !evn__weight_map_ignores(map, tensor->name)) {
            evn__text_append(text, "%s%s ", text->size ? "; " : "", tensor->name);
            append_shape(text, tensor);
            evn__text_append(text, taken == 0 ? " is part of no parameter"
                                              : " has channels that no parameter takes");
        }
    }
}

static evn_status match(const evn__safetensors *file, const evn__weight_map *map, links *all) {
    evn__text text = {0};
    for (int i = 0; i < all->count; ++i) {
        find_tensor(file, &all->items[i], &text);
    }
    if (text.size == 0) { // what is left over is told by the shapes before
        find_rest(file, map, all, &text);
    }
    evn_status status = text.status;
    if (status == EVN_OK && text.size > 0) {
        status = evn__fail(__FILE__, __LINE__, EVN_ERR_DATA, "the file does not fit the model: %s",
                           text.data);
    }
    free(text.data);
    return status;
}

static double element(const evn__tensor *tensor, int64_t index) {
    const unsigned char *data = tensor->data;
    float narrow;
    double wide;
    if (tensor->dtype == EVN__F64) {
        memcpy(&wide, data + sizeof(wide) * (size_t)index, sizeof(wide));
        return wide;
    }
    memcpy(&narrow, data + sizeof(narrow) * (size_t)index, sizeof(narrow));
    return (double)narrow;
}

/// The parameter's numbers, owned by the caller.
static evn_status gather(const link *l, const evn__tensor *tensor, double **values) {
    evn_shape theirs = shape_of(tensor);
    int64_t count = evn_shape_count(l->shape);
    bool finite = true;
    EVN_TRY(EVN_NEW(values, count));
    for (int64_t i = 0; i < count; ++i) {
        (*values)[i] = element(tensor, their_index(l, theirs, i));
        finite = finite && isfinite((float)(*values)[i]);
    }
    if (!finite) {
        free(*values);
        EVN_FAIL(EVN_ERR_NOT_FINITE, "tensor %s has a number that is not finite", tensor->name);
    }
    return EVN_OK;
}

static evn_status check_finite(const evn__safetensors *file, const links *all) {
    for (int i = 0; i < all->count; ++i) {
        const link *l = &all->items[i];
        double *values;
        if (l->tensor >= 0) {
            EVN_TRY(gather(l, evn__safetensors_tensor(file, l->tensor), &values));
            free(values);
        }
    }
    return EVN_OK;
}

static evn_status store(const evn__safetensors *file, const links *all,
                        evn_parameters *parameters) {
    EVN_TRY(check_finite(file, all)); // before the first is written
    for (int i = 0; i < all->count; ++i) {
        const link *l = &all->items[i];
        double *values;
        if (l->tensor >= 0) {
            EVN_TRY(gather(l, evn__safetensors_tensor(file, l->tensor), &values));
            evn_status status = evn_parameters_write(parameters, i, values);
            free(values);
            EVN_TRY(status);
        }
    }
    return EVN_OK;
}

evn_status evn__weights_load(const char *path, const evn__weight_map *map,
                             evn_parameters *parameters) {
    evn__safetensors *file;
    links all = {0};
    EVN_TRY(evn__safetensors_read(path, &file));
    evn_status status = make_links(map, parameters, &all);
    if (status == EVN_OK) {
        status = match(file, map, &all);
    }
    if (status == EVN_OK) {
        status = store(file, &all, parameters);
    }
    free_links(&all);
    evn__safetensors_destroy(&file);
    return status == EVN_OK ? status : evn__prepend(status, "%s", path);
}

// Saving ------------------------------------------------------------------------------------------

/// The tensor of that name, which is made where it is not there.
static evn__tensor *find_or_add(evn__tensor *tensors, int *count, const link *l) {
    for (int i = 0; i < *count; ++i) {
        if (strcmp(tensors[i].name, l->place.name) == 0) {
            return &tensors[i];
        }
    }
    tensors[*count] = wanted_tensor(l);
    return &tensors[(*count)++];
}

/// The file's tensors, each as large as the parameters in it ask for.
static evn_status make_tensors(links *all, evn__tensor *tensors, int *count) {
    for (int i = 0; i < all->count; ++i) {
        link *l = &all->items[i];
        evn__tensor *tensor = find_or_add(tensors, count, l), wanted = wanted_tensor(l);
        EVN_CHECK(tensor->rank == wanted.rank, EVN_ERR_DATA,
                  "the map makes one tensor %s of parameters of rank %d and %d", tensor->name,
                  tensor->rank, wanted.rank);
        for (int k = 0; k < wanted.rank; ++k) {
            int64_t extent = wanted.extent[k];
            tensor->extent[k] = extent > tensor->extent[k] ? extent : tensor->extent[k];
        }
        l->tensor = (int)(tensor - tensors);
    }
    return EVN_OK;
}

static evn_status scatter(links *all, const evn_parameters *parameters, evn__tensor *tensors,
                          int64_t *taken) {
    for (int i = 0; i < all->count; ++i) {
        const link *l = &all->items[i];
        int64_t count = evn_shape_count(l->shape);
        evn_shape theirs = shape_of(&tensors[l->tensor]);
        float *data = (float *)tensors[l->tensor].data;
        double *values;
        EVN_TRY(EVN_NEW(&values, count));
        evn_status status = evn_parameters_read(parameters, i, values);
        for (int64_t k = 0; status == EVN_OK && k < count; ++k) {
            data[their_index(l, theirs, k)] = (float)values[k];
        }
        free(values);
        EVN_TRY(status);
        taken[l->tensor] += count;
    }
    return EVN_OK;
}

/// Fill the tensors; of each all elements come from parameters.
static evn_status fill(links *all, const evn_parameters *parameters, evn__tensor *tensors,
                       int count) {
    int64_t *taken = evn__arena_alloc(&all->arena, sizeof(*taken) * ((size_t)count + 1));
    bool memory = taken != NULL;
    for (int i = 0; i < count; ++i) {
        evn_shape shape = shape_of(&tensors[i]);
        tensors[i].data =
            evn__arena_alloc(&all->arena, sizeof(float) * (size_t)evn_shape_count(shape));
        memory = memory && tensors[i].data;
    }
    EVN_CHECK(memory, EVN_ERR_MEMORY, "no memory for %d tensors", count);
    EVN_TRY(scatter(all, parameters, tensors, taken));
    for (int i = 0; i < count; ++i) {
        EVN_CHECK(taken[i] == evn_shape_count(shape_of(&tensors[i])), EVN_ERR_DATA,
                  "the map makes a tensor %s of parameters that do not fill it, or overlap",
                  tensors[i].name);
    }
    return EVN_OK;
}

static evn_status save(const char *path, links *all, const evn_parameters *parameters) {
    int count = 0;
    evn__tensor *tensors = NULL;
    EVN_TRY(EVN_NEW(&tensors, all->count + 1));
    evn_status status = make_tensors(all, tensors, &count);
    if (status == EVN_OK) {
        status = fill(all, parameters, tensors, count);
    }
    if (status == EVN_OK) {
        status = evn__safetensors_write(path, tensors, count, NULL, 0);
    }
    free(tensors);
    return status;
}

evn_status evn__weights_save(const char *path, const evn__weight_map *map,
                             const evn_parameters *parameters) {
    links all = {0};
    evn_status status = make_links(map, parameters, &all);
    if (status == EVN_OK) {
        status = save(path, &all, parameters);
    }
    free_links(&all);
    return status;
}
