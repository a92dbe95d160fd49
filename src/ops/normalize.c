// SPDX-License-Identifier: Apache-2.0
// Lowering of normalize and normalize_grad: one launch each. A CPU's work-item has some channels of
// a sample, on a GPU a work-group has them where that is work for its items.
#include "ops/group_sum.h"
#include "ops/tasks.h"

enum {
    NORMALIZE_VECTORS = 4, // as many sums of each kind as registers hold
    NORMALIZE_ITEMS = 256, // a work-group
    NORMALIZE_ACROSS = 64, // channels beside each other: memory is read in whole lines
    NORMALIZE_MIN = 4,     // elements for each item; with fewer most of them would wait
    NORMALIZE_READS = 16,  // sums of others that an item adds up after one barrier
};

static const evn__variant variants[] = {
    {EVN__ALGORITHM_ONE_BARRIER, {.local = {NORMALIZE_ITEMS, 1, 1}}},
    {EVN__ALGORITHM_SUB_GROUPS, {.local = {NORMALIZE_ITEMS, 1, 1}}},
};

const evn__space evn__space_normalize = {variants, sizeof(variants) / sizeof(*variants)};

typedef struct normalization {
    const evn__node *node;
    evn_value value;
    int64_t samples, positions, channels, width; ///< width: channels of a group
} normalization;

static normalization describe(const evn_graph *graph, evn_value value) {
    const evn__node *node = evn__node_at(graph, value);
    int64_t samples = node->shape.dim[0], channels = node->shape.dim[node->shape.rank - 1];
    return (normalization){.node = node,
                           .value = value,
                           .samples = samples,
                           .positions = evn_shape_count(node->shape) / (samples * channels),
                           .channels = channels,
                           .width = channels / node->attributes.groups};
}

/// What all kernels have.
static void push_operands(evn__call *call, const normalization *n) {
    for (int i = 0; i < n->node->operand_count; ++i) {
        evn__push(call, evn__operand_value(n->node->operands[i]));
    }
    evn__push(call, evn__operand_value(n->value));
    evn__push_int(call, n->positions);
    evn__push_int(call, n->channels);
    evn__push_int(call, n->width);
    evn__push(call, evn__operand_real(n->node->attributes.scalar));
}

/// How many of `count` adjacent vectors a CPU's work-item sums up at once.
static int64_t choose_vectors(const evn__lowering *lowering, int64_t count) {
    int64_t vectors = evn__tasks_are_wide(lowering) ? NORMALIZE_VECTORS : 1;
    while (count % vectors != 0) {
        vectors /= 2;
    }
    return vectors;
}

static evn_status emit_items(evn__lowering *lowering, const normalization *n, const char *kernel) {
    // Vectors of 16 where they hold whole groups or a group is whole vectors, else single elements.
    bool fits = n->channels % 16 == 0 && (16 % n->width == 0 || n->width % 16 == 0);
    char lanes_option[EVN__TASKS_OPTIONS], options[2 * EVN__TASKS_OPTIONS];
    int64_t lanes = evn__choose_lanes(lowering, fits ? 16 : 1, lanes_option);
    int64_t vectors = choose_vectors(lowering, (n->width > lanes ? n->width : n->channels) / lanes);
    int64_t span = n->width > lanes ? n->width : lanes * vectors;
    snprintf(options, sizeof(options), "%s -DVECTORS=%d", lanes_option, (int)vectors);
    evn__call call = {.source = {.family = "normalize", .options = options}, .kernel = kernel};
    push_operands(&call, n);
    EVN_TRY(
        evn__share_tasks(lowering, &call, n->samples * (n->channels / span), n->positions * span));
    return evn__lower_emit_result(lowering, &call);
}

/// Channels of a work-group: as many whole groups as are beside each other, or one that is wider.
static int64_t choose_span(const normalization *n) {
    int64_t span = n->width;
    for (int64_t more = n->width; more <= NORMALIZE_ACROSS; more += n->width) {
        span = n->channels % more == 0 ? more : span;
    }
    return span;
}

/// The variant, where it is for rows of `across` items; else NULL.
static const evn__variant *fitting(const evn__variant *variant, const evn_device_info *device,
                                   const normalization *n, int64_t across) {
    bool few = n->width < across && n->width * (NORMALIZE_ITEMS / across) <= NORMALIZE_READS;
    bool fits = variant && (variant->algorithm == EVN__ALGORITHM_SUB_GROUPS
                                ? evn__sub_groups_fit(device, across, n->width)
                                : few);
    return fits ? variant : NULL;
}

static evn_status emit_groups(evn__lowering *lowering, const normalization *n, int64_t span,
                              const evn__variant *variant, const char *kernel) {
    const evn_device_info *device = evn__lower_device(lowering);
    char options[3 * EVN__TASKS_OPTIONS + EVN__GROUP_SUM_OPTIONS], sums[EVN__GROUP_SUM_OPTIONS];
    int64_t across = span < NORMALIZE_ACROSS ? span : NORMALIZE_ACROSS;
    snprintf(options, sizeof(options), "-DLANES=1 -DVECTORS=1 -DITEMS=%d%s", NORMALIZE_ITEMS,
             evn__group_sum_options(fitting(variant, device, n, across), device, sums));
    evn__call call = {.source = {.family = "normalize", .options = options}, .kernel = kernel};
    push_operands(&call, n);
    evn__push_int(&call, span);
    evn__push_int(&call, across);
    size_t groups = (size_t)(n->samples * (n->channels / span));
    call.range = (evn__range){1, {groups * NORMALIZE_ITEMS}, {NORMALIZE_ITEMS}};
    return evn__lower_emit_result(lowering, &call);
}

/// @param kernels  for work-items, for work-groups
static evn_status lower(evn__lowering *lowering, const evn_graph *graph, evn_value value,
                        const char *const kernels[2]) {
    const evn_device_info *device = evn__lower_device(lowering);
    normalization n = describe(graph, value);
    int64_t span = choose_span(&n);
    // A CPU's barrier stores what each item has, and loads it again.
    bool shared = device->type != EVN_DEVICE_CPU && device->max_work_group >= NORMALIZE_ITEMS &&
                  n.positions * span >= NORMALIZE_MIN * NORMALIZE_ITEMS &&
                  n.samples * n.channels <= INT_MAX / NORMALIZE_ITEMS;
    if (!shared) {
        return emit_items(lowering, &n, kernels[0]);
    }
    return emit_groups(lowering, &n, span, evn__lower_variant(lowering, graph, value), kernels[1]);
}

evn_status evn__lower_normalize(evn__lowering *lowering, const evn_graph *graph, evn_value value) {
    return lower(lowering, graph, value,
                 (const char *const[]){"normalize_groups", "normalize_groups_shared"});
}

evn_status evn__lower_normalize_grad(evn__lowering *lowering, const evn_graph *graph,
                                     evn_value value) {
    return lower(lowering, graph, value,
                 (const char *const[]){"normalize_groups_grad", "normalize_groups_grad_shared"});
}
