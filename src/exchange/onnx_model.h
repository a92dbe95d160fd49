// SPDX-License-Identifier: Apache-2.0
// An ONNX model under construction. Functions that add something return its name; after a failure,
// which sticks, they do nothing.
#ifndef EVN_EXCHANGE_ONNX_MODEL_H
#define EVN_EXCHANGE_ONNX_MODEL_H

#include "base/memory.h"
#include "evonode/graph.h"
#include "io/safetensors.h"
#include "onnx.pb-c.h"
#include <stdbool.h>

enum { EVN__ONNX_AXES = 8 };

/// An extent that the input decides.
#define EVN__ONNX_BATCH (-1)

typedef struct evn__onnx_model {
    evn__arena arena; ///< of all that the model points to
    Onnx__GraphProto graph;
    int node_capacity, initializer_capacity, input_capacity, output_capacity;
    const char *prefix; ///< of the names of nodes
    int suffix;         ///< nodes of that prefix so far
    evn_status status;
} evn__onnx_model;

/// Integers as an argument, not an attribute.
typedef struct evn__onnx_list {
    int count;
    int64_t items[2 * EVN__ONNX_AXES];
} evn__onnx_list;

/// An attribute: integers, or one of the other two where `integers` is NULL.
typedef struct evn__onnx_attribute {
    const char *name; ///< NULL: behind the last
    int count;        ///< 0: `integer` alone; −1: `real`; −2: `text`
    int64_t integer, integers[2 * EVN__ONNX_AXES];
    float real;
    const char *text;
} evn__onnx_attribute;

#define EVN__ONNX_INTEGER(key, value)                                                              \
    (evn__onnx_attribute) {                                                                        \
        .name = (key), .integer = (value)                                                          \
    }
#define EVN__ONNX_REAL(key, value)                                                                 \
    (evn__onnx_attribute) {                                                                        \
        .name = (key), .count = -1, .real = (float)(value)                                         \
    }
#define EVN__ONNX_TEXT(key, value)                                                                 \
    (evn__onnx_attribute) {                                                                        \
        .name = (key), .count = -2, .text = (value)                                                \
    }

void evn__onnx_model_begin(evn__onnx_model *model);
void evn__onnx_model_free(evn__onnx_model *model);

/// From here on nodes are named `prefix`, `prefix`.1, …; copied.
void evn__onnx_prefix(evn__onnx_model *model, const char *prefix);

/// A node with one output, the one called …; arguments end with NULL. `attributes` end with one
/// without a name; NULL: none.
const char *evn__onnx_node(evn__onnx_model *model, const char *type, const char *const *arguments,
                           const evn__onnx_attribute *attributes);
/// The second output of a node that has two.
const char *evn__onnx_second(evn__onnx_model *model, const char *type, const char *argument,
                             const evn__onnx_attribute *attributes);

/// Arguments of evn__onnx_node.
#define EVN__ONNX_ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define EVN__ONNX_ATTRIBUTES(...)                                                                  \
    ((const evn__onnx_attribute[]){__VA_ARGS__, (evn__onnx_attribute){0}})

/// Initializers. Equal scalars and lists are one.
const char *evn__onnx_scalar(evn__onnx_model *model, double value);
const char *evn__onnx_integers(evn__onnx_model *model, const evn__onnx_list *list);
const char *evn__onnx_table(evn__onnx_model *model, const char *name, evn_shape shape,
                            const double *data);
const char *evn__onnx_filled(evn__onnx_model *model, const char *name, evn_shape shape,
                             double value);
const char *evn__onnx_tensor(evn__onnx_model *model, const evn__tensor *tensor);

/// An input or output of the model. batch_axis: the axis called "batch"; −1: none.
void evn__onnx_port(evn__onnx_model *model, bool output, const char *name, evn_shape shape,
                    int batch_axis);

/// The whole as the bytes of a file, freed by the caller.
evn_status evn__onnx_pack(evn__onnx_model *model, const evn__key_value *metadata,
                          int metadata_count, unsigned char **data, size_t *size);

#endif
