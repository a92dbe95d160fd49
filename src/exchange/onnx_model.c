// SPDX-License-Identifier: Apache-2.0
#include "exchange/onnx_model.h"

#include "base/number.h"
#include "base/status.h"
#include "evonode/version.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPSET = 17, IR_VERSION = 8, NAME_SIZE = 320 };

// Memory ------------------------------------------------------------------------------------------

/// Zeroed; NULL after a failure.
static void *allocate(evn__onnx_model *model, size_t bytes) {
    void *memory = model->status == EVN_OK ? evn__arena_alloc(&model->arena, bytes) : NULL;
    if (!memory && model->status == EVN_OK) {
        model->status =
            evn__fail(__FILE__, __LINE__, EVN_ERR_MEMORY, "no memory for the ONNX model");
    }
    return memory;
}

static char *copy_text(evn__onnx_model *model, const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = allocate(model, size);
    return copy ? memcpy(copy, text, size) : NULL;
}

/// Room for one more in a list of the graph, whose count is then one more; false after a failure.
static bool grow(evn__onnx_model *model, void ***items, size_t *count, int *capacity, void *item) {
    if (model->status == EVN_OK) {
        model->status = evn__reserve((void **)items, capacity, (int)*count + 1, sizeof(**items));
    }
    if (model->status != EVN_OK) {
        return false;
    }
    (*items)[(*count)++] = item;
    return true;
}

#define GROW(model, list, capacity, item)                                                          \
    grow((model), (void ***)&(model)->graph.list, &(model)->graph.n_##list, &(model)->capacity,    \
         (item))

void evn__onnx_model_begin(evn__onnx_model *model) {
    *model = (evn__onnx_model){.prefix = ""};
    onnx__graph_proto__init(&model->graph);
    model->graph.name = "evonode";
}

void evn__onnx_model_free(evn__onnx_model *model) {
    free(model->graph.node);
    free(model->graph.initializer);
    free(model->graph.input);
    free(model->graph.output);
    evn__arena_free(&model->arena);
}

// Nodes -------------------------------------------------------------------------------------------

void evn__onnx_prefix(evn__onnx_model *model, const char *prefix) {
    const char *copy = copy_text(model, prefix);
    model->prefix = copy ? copy : "";
    model->suffix = 0;
}

/// The next name with the prefix.
static char *next_name(evn__onnx_model *model) {
    char name[NAME_SIZE];
    int number = model->suffix++;
    snprintf(name, sizeof(name), number > 0 ? "%s.%d" : "%s", model->prefix, number);
    return copy_text(model, name);
}

static Onnx__AttributeProto *make_attribute(evn__onnx_model *model,
                                            const evn__onnx_attribute *from) {
    Onnx__AttributeProto *to = allocate(model, sizeof(*to));
    if (!to) {
        return NULL;
    }
    onnx__attribute_proto__init(to);
    to->name = copy_text(model, from->name);
    to->has_type = 1;
    if (from->count == -1) {
        to->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
        to->has_f = 1;
        to->f = from->real;
    } else if (from->count == -2) {
        to->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
        to->has_s = 1;
        to->s.data = (uint8_t *)copy_text(model, from->text);
        to->s.len = to->s.data ? strlen(from->text) : 0;
    } else if (from->count == 0) {
        to->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
        to->has_i = 1;
        to->i = from->integer;
    } else {
        to->type = ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
        to->ints = allocate(model, sizeof(*to->ints) * (size_t)from->count);
        to->n_ints = to->ints ? (size_t)from->count : 0;
        memcpy(to->ints, from->integers, sizeof(*to->ints) * to->n_ints);
    }
    return to;
}

static void add_attributes(evn__onnx_model *model, const evn__onnx_attribute *attributes,
                           Onnx__NodeProto *node) {
    size_t count = 0;
    while (attributes && attributes[count].name) {
        ++count;
    }
    node->attribute = allocate(model, sizeof(*node->attribute) * (count + 1));
    for (size_t i = 0; node->attribute && i < count; ++i) {
        node->attribute[i] = make_attribute(model, &attributes[i]);
    }
    node->n_attribute = model->status == EVN_OK ? count : 0;
}

static void add_arguments(evn__onnx_model *model, const char *const *arguments,
                          Onnx__NodeProto *node) {
    size_t count = 0;
    while (arguments[count]) {
        ++count;
    }
    node->input = allocate(model, sizeof(*node->input) * (count + 1));
    for (size_t i = 0; node->input && i < count; ++i) {
        node->input[i] = (char *)arguments[i]; // names are in the arena already
    }
    node->n_input = node->input ? count : 0;
}

/// A node with `outputs` outputs; the name of the last one.
static const char *add_node(evn__onnx_model *model, const char *type, const char *const *arguments,
                            const evn__onnx_attribute *attributes, int outputs) {
    Onnx__NodeProto *node = allocate(model, sizeof(*node));
    if (!node) {
        return "";
    }
    onnx__node_proto__init(node);
    node->op_type = copy_text(model, type);
    node->output = allocate(model, sizeof(*node->output) * (size_t)outputs);
    for (int i = 0; node->output && i < outputs; ++i) {
        node->output[i] = next_name(model);
        node->name = node->output[i];
    }
    node->n_output = node->output ? (size_t)outputs : 0;
    add_arguments(model, arguments, node);
    add_attributes(model, attributes, node);
    return GROW(model, node, node_capacity, node) ? node->name : "";
}

const char *evn__onnx_node(evn__onnx_model *model, const char *type, const char *const *arguments,
                           const evn__onnx_attribute *attributes) {
    return add_node(model, type, arguments, attributes, 1);
}

const char *evn__onnx_second(evn__onnx_model *model, const char *type, const char *argument,
                             const evn__onnx_attribute *attributes) {
    return add_node(model, type, EVN__ONNX_ARGUMENTS(argument), attributes, 2);
}

// Initializers ------------------------------------------------------------------------------------

static const char *find_initializer(const evn__onnx_model *model, const char *name) {
    for (size_t i = 0; i < model->graph.n_initializer; ++i) {
        if (strcmp(model->graph.initializer[i]->name, name) == 0) {
            return model->graph.initializer[i]->name;
        }
    }
    return NULL;
}

/// A tensor with room for its bytes, which the caller fills; NULL after a failure.
static Onnx__TensorProto *add_tensor(evn__onnx_model *model, const char *name, int32_t type,
                                     int rank, const int64_t *extents, size_t bytes) {
    Onnx__TensorProto *tensor = allocate(model, sizeof(*tensor));
    if (!tensor) {
        return NULL;
    }
    onnx__tensor_proto__init(tensor);
    tensor->name = copy_text(model, name);
    tensor->has_data_type = 1;
    tensor->data_type = type;
    tensor->dims = allocate(model, sizeof(*tensor->dims) * (size_t)(rank + 1));
    tensor->raw_data.data = allocate(model, bytes);
    if (model->status != EVN_OK || !GROW(model, initializer, initializer_capacity, tensor)) {
        return NULL;
    }
    memcpy(tensor->dims, extents, sizeof(*extents) * (size_t)rank);
    tensor->n_dims = (size_t)rank;
    tensor->has_raw_data = 1;
    tensor->raw_data.len = bytes;
    return tensor;
}

static const char *name_of(const Onnx__TensorProto *tensor) {
    return tensor ? tensor->name : "";
}

static Onnx__TensorProto *add_floats(evn__onnx_model *model, const char *name, evn_shape shape) {
    return add_tensor(model, name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, shape.rank, shape.dim,
                      sizeof(float) * (size_t)evn_shape_count(shape));
}

const char *evn__onnx_table(evn__onnx_model *model, const char *name, evn_shape shape,
                            const double *data) {
    Onnx__TensorProto *tensor = add_floats(model, name, shape);
    for (int64_t i = 0; tensor && i < evn_shape_count(shape); ++i) {
        float value = (float)data[i];
        memcpy(tensor->raw_data.data + sizeof(value) * (size_t)i, &value, sizeof(value));
    }
    return name_of(tensor);
}

const char *evn__onnx_filled(evn__onnx_model *model, const char *name, evn_shape shape,
                             double value) {
    const char *known = find_initializer(model, name);
    if (known) {
        return known;
    }
    float number = (float)value;
    Onnx__TensorProto *tensor = add_floats(model, name, shape);
    for (int64_t i = 0; tensor && i < evn_shape_count(shape); ++i) {
        memcpy(tensor->raw_data.data + sizeof(number) * (size_t)i, &number, sizeof(number));
    }
    return name_of(tensor);
}

const char *evn__onnx_scalar(evn__onnx_model *model, double value) {
    char name[64];
    evn__print(name, sizeof(name), "constant_%.9g", value); // float32 to the bit
    return evn__onnx_filled(model, name, EVN_SCALAR, value);
}

const char *evn__onnx_integers(evn__onnx_model *model, const evn__onnx_list *list) {
    char name[NAME_SIZE] = "integers";
    size_t used = strlen(name);
    for (int i = 0; i < list->count && used < sizeof(name); ++i) {
        used +=
            (size_t)snprintf(name + used, sizeof(name) - used, "_%lld", (long long)list->items[i]);
    }
    const char *known = find_initializer(model, name);
    if (known) {
        return known;
    }
    int64_t count = list->count;
    size_t bytes = sizeof(list->items[0]) * (size_t)count;
    Onnx__TensorProto *tensor =
        add_tensor(model, name, ONNX__TENSOR_PROTO__DATA_TYPE__INT64, 1, &count, bytes);
    if (tensor) {
        memcpy(tensor->raw_data.data, list->items, bytes);
    }
    return name_of(tensor);
}

const char *evn__onnx_tensor(evn__onnx_model *model, const evn__tensor *from) {
    size_t bytes = sizeof(float);
    for (int i = 0; i < from->rank; ++i) {
        bytes *= (size_t)from->extent[i];
    }
    Onnx__TensorProto *tensor = add_tensor(model, from->name, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT,
                                           from->rank, from->extent, bytes);
    if (tensor) {
        memcpy(tensor->raw_data.data, from->data, bytes);
    }
    return name_of(tensor);
}

// Ports -------------------------------------------------------------------------------------------

static Onnx__TensorShapeProto *make_shape(evn__onnx_model *model, evn_shape shape, int batch_axis) {
    Onnx__TensorShapeProto *made = allocate(model, sizeof(*made));
    Onnx__TensorShapeProto__Dimension *axes =
        allocate(model, sizeof(*axes) * (size_t)(shape.rank + 1));
    Onnx__TensorShapeProto__Dimension **list =
        allocate(model, sizeof(*list) * (size_t)(shape.rank + 1));
    if (!list) {
        return NULL;
    }
    onnx__tensor_shape_proto__init(made);
    for (int i = 0; i < shape.rank; ++i) {
        onnx__tensor_shape_proto__dimension__init(&axes[i]);
        bool any = i == batch_axis;
        axes[i].value_case = any ? ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
                                 : ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        if (any) {
            axes[i].dim_param = "batch";
        } else {
            axes[i].dim_value = shape.dim[i];
        }
        list[i] = &axes[i];
    }
    made->dim = list;
    made->n_dim = (size_t)shape.rank;
    return made;
}

void evn__onnx_port(evn__onnx_model *model, bool output, const char *name, evn_shape shape,
                    int batch_axis) {
    Onnx__ValueInfoProto *port = allocate(model, sizeof(*port));
    Onnx__TypeProto *type = allocate(model, sizeof(*type));
    Onnx__TypeProto__Tensor *tensor = allocate(model, sizeof(*tensor));
    if (!tensor) {
        return;
    }
    onnx__value_info_proto__init(port);
    onnx__type_proto__init(type);
    onnx__type_proto__tensor__init(tensor);
    tensor->has_elem_type = 1;
    tensor->elem_type = ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
    tensor->shape = make_shape(model, shape, batch_axis);
    type->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    type->tensor_type = tensor;
    port->name = copy_text(model, name);
    port->type = type;
    if (output) {
        GROW(model, output, output_capacity, port);
    } else {
        GROW(model, input, input_capacity, port);
    }
}

// The file ----------------------------------------------------------------------------------------

static void add_metadata(evn__onnx_model *model, const evn__key_value *metadata, int count,
                         Onnx__ModelProto *whole) {
    Onnx__StringStringEntryProto *entries = allocate(model, sizeof(*entries) * ((size_t)count + 1));
    Onnx__StringStringEntryProto **list = allocate(model, sizeof(*list) * ((size_t)count + 1));
    for (int i = 0; list && i < count; ++i) {
        onnx__string_string_entry_proto__init(&entries[i]);
        entries[i].key = (char *)metadata[i].key;
        entries[i].value = (char *)metadata[i].value;
        list[i] = &entries[i];
    }
    whole->metadata_props = list;
    whole->n_metadata_props = list ? (size_t)count : 0;
}

evn_status evn__onnx_pack(evn__onnx_model *model, const evn__key_value *metadata,
                          int metadata_count, unsigned char **data, size_t *size) {
    Onnx__ModelProto whole = ONNX__MODEL_PROTO__INIT;
    Onnx__OperatorSetIdProto opset = ONNX__OPERATOR_SET_ID_PROTO__INIT, *opsets[] = {&opset};
    opset.domain = "";
    opset.has_version = 1;
    opset.version = OPSET;
    whole.has_ir_version = 1;
    whole.ir_version = IR_VERSION;
    whole.producer_name = "evonode";
    whole.producer_version = (char *)evn_version();
    whole.opset_import = opsets;
    whole.n_opset_import = 1;
    whole.graph = &model->graph;
    add_metadata(model, metadata, metadata_count, &whole);
    EVN_TRY(model->status);
    *size = onnx__model_proto__get_packed_size(&whole);
    EVN_CHECK(*size < INT32_MAX, EVN_ERR_ARGUMENT,
              "the ONNX model would have %zu bytes; a file can have 2 GiB", *size);
    EVN_TRY(EVN_NEW(data, *size));
    onnx__model_proto__pack(&whole, *data);
    return EVN_OK;
}
