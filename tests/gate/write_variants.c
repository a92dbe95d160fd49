// SPDX-License-Identifier: Apache-2.0
// Builds a product with each variant that the tuner may try on the device, and runs none of them:
// under tests/layer, which writes down the programs.   gate_write_variants
#include "base/status.h"
#include "evonode/device.h"
#include "evonode/plan.h"
#include "host/tuning.h"
#include "ops/variant.h"
#include "tune/samples.h"

#include <stdio.h>

// Large enough for each algorithm; a tile of any size is right for any shape.
static const struct {
    evn__op op;
    int64_t sizes[EVN__PRODUCT_SIZES];
} products[] = {
    {EVN__OP_MATMUL, {256, 256, 256}},
    {EVN__OP_CONV2D, {8, 12, 12, 64, 3, 3, 64, 1, 1}},
    {EVN__OP_CONV2D_INPUT_GRAD, {8, 12, 12, 64, 3, 3, 64, 1, 1}},
    {EVN__OP_CONV2D_WEIGHT_GRAD, {8, 12, 12, 64, 3, 3, 64, 1, 1}},
};

/// As the tuner, but for the library's product, whose programs are not ours.
static bool is_fit(const evn_device_info *info, const evn__variant *variant) {
    return variant->algorithm != EVN__ALGORITHM_CLBLAST && !evn__variant_unfit(variant, info);
}

static evn_status build(evn_device *device, const evn_graph *graph, evn_value node,
                        const evn__variant *variant) {
    char key[EVN__VARIANT_KEY], name[EVN__VARIANT_NAME];
    evn_plan *plan = NULL;
    evn__variant_key(graph, node, false, key);
    EVN_TRY(evn__tuning_set(device, key, evn__variant_name(variant, name)));
    evn_status status = evn_plan_create(device, graph, NULL, &plan);
    evn_plan_destroy(&plan);
    return status;
}

static evn_status build_all(evn_device *device) {
    for (size_t i = 0; i < sizeof(products) / sizeof(products[0]); ++i) {
        const evn__space *space = evn__space_table[products[i].op];
        evn_graph *graph = NULL;
        EVN_TRY(evn_graph_create(&graph));
        evn_value node = evn__product_build(graph, products[i].op, products[i].sizes);
        evn_status status = evn_graph_status(graph);
        for (int row = 0; row < space->count && status == EVN_OK; ++row) {
            if (is_fit(evn_device_get_info(device), &space->rows[row])) {
                status = build(device, graph, node, &space->rows[row]);
            }
        }
        evn_graph_destroy(&graph);
        EVN_TRY(status);
    }
    return EVN_OK;
}

int main(void) {
    evn_device *device = NULL;
    evn_status status = evn_device_open(NULL, &device);
    if (status == EVN_OK) {
        status = build_all(device);
    }
    if (status != EVN_OK) {
        fprintf(stderr, "%s\n", evn_error_message());
    }
    evn_device_close(&device);
    return status == EVN_OK ? 0 : 1;
}
