// SPDX-License-Identifier: Apache-2.0
#include "ops/variant.h"

#include "host/items.h"
#include "host/tuning.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { EXACT_EXTENT = 8 };

static const char *const algorithms[] = {
    [EVN__ALGORITHM_TILES] = "tiles",
    [EVN__ALGORITHM_DOTS] = "dots",
    [EVN__ALGORITHM_SMALL] = "small",
    [EVN__ALGORITHM_FLAT] = "flat",
    [EVN__ALGORITHM_BLOCKS] = "blocks",
    [EVN__ALGORITHM_LOCAL] = "local",
    [EVN__ALGORITHM_CLBLAST] = "clblast",
    [EVN__ALGORITHM_WINOGRAD] = "winograd",
    [EVN__ALGORITHM_WINOGRAD_2] = "winograd 2x2",
    [EVN__ALGORITHM_WINOGRAD_4] = "winograd 4x4",
    [EVN__ALGORITHM_ONE_BARRIER] = "one barrier",
    [EVN__ALGORITHM_SUB_GROUPS] = "sub-groups",
};

const char *evn__variant_name(const evn__variant *variant, char name[EVN__VARIANT_NAME]) {
    const evn__tile *tile = &variant->tile;
    if (tile->rows == 0) {
        snprintf(name, EVN__VARIANT_NAME, "%s", algorithms[variant->algorithm]);
        return name;
    }
    snprintf(name, EVN__VARIANT_NAME, "%s %dx%dx%d in %zux%zu", algorithms[variant->algorithm],
             tile->rows, tile->vectors, tile->width, tile->local[0], tile->local[1]);
    return name;
}

const char *evn__variant_unfit(const evn__variant *variant, const evn_device_info *device) {
    size_t group = variant->tile.local[0] * variant->tile.local[1] * variant->tile.local[2];
    if (group > device->max_work_group) {
        return "its work-group is larger than the device allows";
    }
    if (variant->algorithm == EVN__ALGORITHM_SUB_GROUPS &&
        device->sub_groups == EVN_SUB_GROUPS_NONE) {
        return "the device has no sub-groups";
    }
    if (variant->algorithm == EVN__ALGORITHM_CLBLAST) {
        return NULL; // the library chooses its own work-groups
    }
    return (group <= 1) == evn__items_are_wide(device) ? NULL : "for another sort of device";
}

const evn__variant *evn__variant_find(evn__op op, const char *name) {
    char own[EVN__VARIANT_NAME];
    const evn__space *space = evn__space_table[op];
    for (int i = 0; space && i < space->count; ++i) {
        if (strcmp(evn__variant_name(&space->rows[i], own), name) == 0) {
            return &space->rows[i];
        }
    }
    return NULL;
}

/// Appends; what does not fit is cut off, at the same place for every node of the class.
static void append(char key[EVN__VARIANT_KEY], const char *format, ...) {
    size_t used = strlen(key);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(key + used, EVN__VARIANT_KEY - used, format, arguments);
    va_end(arguments);
}

int64_t evn__variant_extent(int64_t extent) {
    int64_t rounded = EXACT_EXTENT;
    while (rounded < extent) {
        rounded *= 2;
    }
    return extent <= EXACT_EXTENT ? extent : rounded;
}

static void append_shape(char key[EVN__VARIANT_KEY], evn_shape shape) {
    for (int i = 0; i < shape.rank; ++i) {
        append(key, "%s%lld", i == 0 ? " " : "x", (long long)evn__variant_extent(shape.dim[i]));
    }
}

typedef void append_attributes(char key[EVN__VARIANT_KEY], const evn__attributes *attributes);

static void append_transposes(char key[EVN__VARIANT_KEY], const evn__attributes *attributes) {
    append(key, " %c%c", attributes->transpose_a ? 't' : 'n', attributes->transpose_b ? 't' : 'n');
}

static void append_geometry(char key[EVN__VARIANT_KEY], const evn__attributes *attributes) {
    append(key, " stride %d padding %d", attributes->stride, attributes->padding);
}

static void append_groups(char key[EVN__VARIANT_KEY], const evn__attributes *attributes) {
    append(key, " groups %d", attributes->groups);
}

/// What a choice hangs on besides the shapes.
static append_attributes *const attributes_of[EVN__OP_COUNT] = {
    [EVN__OP_MATMUL] = append_transposes,          [EVN__OP_CONV2D] = append_geometry,
    [EVN__OP_CONV2D_INPUT_GRAD] = append_geometry, [EVN__OP_CONV2D_WEIGHT_GRAD] = append_geometry,
    [EVN__OP_NORMALIZE] = append_groups,           [EVN__OP_NORMALIZE_GRAD] = append_groups,
};

const char *evn__variant_key(const evn_graph *graph, evn_value value, bool fp64,
                             char key[EVN__VARIANT_KEY]) {
    const evn__node *node = evn__node_at(graph, value);
    key[0] = 0;
    append(key, "%s %s", fp64 ? "fp64" : "fp32", evn__op_table[node->op].text);
    if (attributes_of[node->op]) {
        attributes_of[node->op](key, &node->attributes);
    }
    for (int i = 0; i < node->operand_count; ++i) {
        append_shape(key, evn__node_at(graph, node->operands[i])->shape);
    }
    append_shape(key, node->shape);
    return key;
}

const evn__variant *evn__lower_variant(const evn__lowering *lowering, const evn_graph *graph,
                                       evn_value value) {
    char key[EVN__VARIANT_KEY];
    const char *name =
        evn__tuning_find(lowering->device, evn__variant_key(graph, value, lowering->fp64, key));
    return name ? evn__variant_find(evn__node_at(graph, value)->op, name) : NULL;
}
