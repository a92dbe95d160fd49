// SPDX-License-Identifier: Apache-2.0
// Lowering of krylov_extend and krylov_combine: one launch each, a work-group a row, of one
// work-item on a CPU.
#include "ops/group_sum.h"
#include "ops/tasks.h"

enum { KRYLOV_ITEMS = 64 };

static const evn__variant variants[] = {
    {EVN__ALGORITHM_SUB_GROUPS, {.local = {KRYLOV_ITEMS, 1, 1}}},
};

const evn__space evn__space_krylov = {variants, sizeof(variants) / sizeof(*variants)};

/// @param variant  of what has sums over a row; NULL: none
static evn_status emit_rows(evn__lowering *lowering, evn__call *call, int64_t rows, int64_t row,
                            const evn__variant *variant) {
    EVN_CHECK(rows <= INT_MAX / 2 && row <= INT_MAX / 2, EVN_ERR_SHAPE,
              "%s: %lld rows of %lld elements are too many; take a smaller batch or fewer vectors",
              call->kernel, (long long)rows, (long long)row);
    bool cpu = evn__lower_device(lowering)->type == EVN_DEVICE_CPU; // no barriers there
    size_t items = cpu ? 1 : KRYLOV_ITEMS;
    const evn_device_info *device = evn__lower_device(lowering);
    bool fits = !cpu && variant && evn__sub_groups_fit(device, 1, 1);
    char options[EVN__TASKS_OPTIONS + EVN__GROUP_SUM_OPTIONS], sums[EVN__GROUP_SUM_OPTIONS];
    snprintf(options, sizeof(options), "-DITEMS=%d%s", (int)items,
             evn__group_sum_options(fits ? variant : NULL, device, sums));
    call->source = (evn__source){.family = "krylov", .options = options};
    call->range = (evn__range){1, {(size_t)rows * items}, {items}};
    return evn__lower_emit(lowering, call);
}

evn_status evn__lower_krylov_extend(evn__lowering *lowering, const evn_graph *graph,
                                    evn_value value) {
    const evn__node *node = evn__node_at(graph, value);
    int64_t k = node->shape.dim[1] - 1, width = node->shape.dim[2];
    evn_value w = node->operands[k > 0];
    evn__call call = {.kernel = "krylov_extend"};
    evn__push(&call, evn__operand_value(node->operands[0])); // nothing is read of it where k is 0
    evn__push(&call, evn__operand_value(w));
    evn__push(&call, evn__operand_value(value));
    evn__push_int(&call, k);
    evn__push_int(&call, evn_value_shape(graph, w).dim[1]);
    evn__push_int(&call, width);
    return emit_rows(lowering, &call, node->shape.dim[0], (k + 1) * width,
                     evn__lower_variant(lowering, graph, value));
}

evn_status evn__lower_krylov_combine(evn__lowering *lowering, const evn_graph *graph,
                                     evn_value value) {
    const evn__node *node = evn__node_at(graph, value);
    evn_shape basis = evn_value_shape(graph, node->operands[0]);
    int64_t k = basis.dim[1] - 1, width = basis.dim[2];
    evn__call call = {.kernel = "krylov_combine"};
    evn__push(&call, evn__operand_value(node->operands[0]));
    evn__push(&call, evn__operand_value(value));
    evn__push(&call, evn__lower_scratch(lowering, basis.dim[0] * (k + 1) * (k + 3)));
    evn__push_int(&call, k);
    evn__push_int(&call, node->attributes.columns);
    evn__push_int(&call, width);
    evn__push_int(&call, node->attributes.residual);
    return emit_rows(lowering, &call, basis.dim[0], (k + 1) * width, NULL);
}
