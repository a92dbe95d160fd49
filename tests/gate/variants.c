// SPDX-License-Identifier: Apache-2.0
#include "evonode/buffer.h"
#include "evonode/plan.h"
#include "gate/write.h"
#include "host/counting.h"
#include "host/forecast.h"
#include "host/tuning.h"
#include "ops/variant.h"
#include "tune/samples.h"

// Large enough for each algorithm; a tile of any size is right for any shape.
static const struct {
    evn__op op;
    evn__node_builder *build;
    int64_t sizes[EVN__PRODUCT_SIZES];
} nodes[] = {
    {EVN__OP_MATMUL, evn__product_build, {256, 256, 256}},
    {EVN__OP_CONV2D, evn__product_build, {8, 12, 12, 64, 3, 3, 64, 1, 1}},
    {EVN__OP_CONV2D_INPUT_GRAD, evn__product_build, {8, 12, 12, 64, 3, 3, 64, 1, 1}},
    {EVN__OP_CONV2D_WEIGHT_GRAD, evn__product_build, {8, 12, 12, 64, 3, 3, 64, 1, 1}},
    {EVN__OP_NORMALIZE, evn__normalization_build, {8, 12, 12, 64, 32}},
    {EVN__OP_NORMALIZE_GRAD, evn__normalization_build, {8, 12, 12, 64, 32}},
    {EVN__OP_KRYLOV_EXTEND, evn__krylov_extend_build, {8, 300, 4}},
};

/// As the tuner, but for the library's product, whose programs are not ours.
static bool is_fit(const evn_device_info *info, const evn__variant *variant) {
    return variant->algorithm != EVN__ALGORITHM_CLBLAST && !evn__variant_unfit(variant, info);
}

/// Nothing is computed, but the size of work-groups is noted.
static evn_status launch(evn_device *device, evn_plan *plan) {
    enum { PORTS = 3, ELEMENTS = 1 << 20 }; // more than any of the operands has
    evn_binding ports[PORTS];
    evn_buffer *buffer = NULL;
    EVN_TRY(evn_buffer_create(device, PORTS * ELEMENTS * sizeof(float), &buffer));
    for (int i = 0; i < PORTS; ++i) {
        ports[i] = (evn_binding){buffer, (size_t)i * ELEMENTS};
    }
    evn_status status = evn_plan_run(plan, ports, ports + PORTS - 1);
    evn_buffer_destroy(&buffer);
    return status;
}

static evn_status name(evn_device *device, const evn_graph *graph, evn_value node,
                       const evn__variant *variant) {
    char key[EVN__VARIANT_KEY], name[EVN__VARIANT_NAME];
    evn_plan *plan = NULL;
    evn__variant_key(graph, node, false, key);
    EVN_TRY(evn__tuning_set(device, key, evn__variant_name(variant, name)));
    evn_status status = evn_plan_create(device, graph, NULL, &plan);
    if (status == EVN_OK) {
        status = launch(device, plan);
    }
    evn_plan_destroy(&plan);
    return status;
}

static evn_status name_all(evn_device *device) {
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); ++i) {
        const evn__space *space = evn__space_table[nodes[i].op];
        evn_graph *graph = NULL;
        EVN_TRY(evn_graph_create(&graph));
        evn_value node = nodes[i].build(graph, nodes[i].op, nodes[i].sizes);
        evn_status status = evn_graph_status(graph);
        for (int row = 0; row < space->count && status == EVN_OK; ++row) {
            if (is_fit(evn_device_get_info(device), &space->rows[row])) {
                status = name(device, graph, node, &space->rows[row]);
            }
        }
        evn_graph_destroy(&graph);
        EVN_TRY(status);
    }
    return EVN_OK;
}

static evn_status write(evn_device *device, const char *folder) {
    evn__device_count_begin(device);
    EVN_TRY(evn__forecast_begin(device));
    evn_status status = name_all(device);
    if (status == EVN_OK) {
        status = gate_write_programs(device, folder);
    }
    evn__device_count_end(device);
    evn_status ended = evn__forecast_end(device, false);
    return status == EVN_OK ? ended : status;
}

evn_status gate_write_variants(const char *folder) {
    evn_device *device = NULL;
    EVN_TRY(evn_device_open(NULL, &device));
    evn_status status = write(device, folder);
    evn_device_close(&device);
    return status;
}
