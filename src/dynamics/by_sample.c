// SPDX-License-Identifier: Apache-2.0
// No operation may mix the samples of sampled values (dynamics/lift.h): what is made of a sample is
// then made of it alone. Where a timed value meets a sampled one, and lies along its samples, a
// sampled one is made in its place. Where it is a weight, products with it are those with its form
// (dynamics/separated.c), or with a weight of each sample's own in memory.
#include "dynamics/by_sample.h"

#include "dynamics/lift.h"
#include "samples/samples.h"
#include <stdlib.h>
#include <string.h>

/// What an operation becomes; EVN_NONE: it cannot be.
typedef evn_value rule(evn__lift_place *p);

static evn_value as_sampled(evn__lift *l, evn_value value);

static evn_value operand(const evn__lift_place *p, int k) {
    evn_value value = p->node->operands[k];
    bool meets = p->kind == EVN__SAMPLED && evn__lift_operand_kind(p, k) == EVN__TIMED;
    return meets ? as_sampled(p->l, value) : p->l->map[value];
}

static evn_shape operand_shape(const evn__lift_place *p, int k) {
    return evn_value_shape(p->l->from, p->node->operands[k]);
}

/// A shared operand beside timed ones: the same for each sample.
static evn_value timed(const evn__lift_place *p, int k) {
    evn_shape shape = operand_shape(p, k);
    return evn__lift_operand_kind(p, k) == EVN__TIMED
               ? operand(p, k)
               : evn_broadcast(p->l->to, operand(p, k), evn__lift_shape(p->l, 0, shape));
}

/// The shape of a sampled value that was this one.
static evn_shape sampled_shape(const evn__lift *l, evn_shape shape) {
    shape.dim[0] = shape.dim[0] / l->was * l->batch;
    return shape;
}

/// Of a broadcast: whether all along its first axis is the same.
static bool is_same_along_first(const evn_graph *graph, const evn__node *node) {
    evn_shape from = evn_value_shape(graph, node->operands[0]), to = node->shape;
    return from.rank < to.rank || (from.rank > 0 && from.dim[0] == 1);
}

/// What is broadcast along the first axis, as a bias is, is so to as many rows as there are now:
/// the same operation as that of many samples. Else the rows are there again for each sample.
static evn_value repeated(const evn__lift_place *p, int k) {
    evn__lift *l = p->l;
    const evn__node *node = evn__node_at(l->from, p->node->operands[k]);
    evn_shape shape = node->shape, wide = sampled_shape(l, shape);
    if (node->op == EVN__OP_BROADCAST && is_same_along_first(l->from, node)) {
        return evn_broadcast(l->to, l->map[node->operands[0]], wide);
    }
    int64_t count = evn_shape_count(shape);
    evn_value row = evn_reshape(l->to, operand(p, k), EVN_SHAPE(1, count));
    return evn_reshape(l->to, evn_broadcast(l->to, row, EVN_SHAPE(l->batch, count)), wide);
}

/// A shared operand beside sampled ones: there may be more samples than before of one alone.
static evn_value sampled(const evn__lift_place *p, int k) {
    bool widens = evn__lift_operand_kind(p, k) == EVN__SHARED && p->l->batch > p->l->was;
    return widens && operand_shape(p, k).rank > 0 ? repeated(p, k) : operand(p, k);
}

/// Of an operation all of whose operands have the samples along their first axis, or none.
static bool is_side_by_side(const evn__lift_place *p) {
    return evn__op_table[p->node->op].class == EVN__CLASS_ELEMENT || p->node->op == EVN__OP_CONCAT;
}

static evn_value beside(const evn__lift_place *p, int k) {
    return p->kind == EVN__TIMED ? timed(p, k) : is_side_by_side(p) ? sampled(p, k) : operand(p, k);
}

/// Of timed values as rows: kernels for samples know no more axes.
static evn_value copy_rows(evn__lift_place *p) {
    evn__node node = *p->node;
    evn_shape row = EVN_SHAPE(p->l->batch, evn_shape_count(node.shape));
    for (int k = 0; k < node.operand_count; ++k) {
        node.operands[k] = evn_reshape(p->l->to, timed(p, k), row);
    }
    evn_shape shape = evn__lift_shape(p->l, 0, node.shape);
    node.shape = row;
    return evn_reshape(p->l->to, evn__node_add(p->l->to, &node), shape);
}

/// The operation itself on operands that are as they were, along the first axis too, or, timed, all
/// behind an axis of samples.
static evn_value copy(evn__lift_place *p) {
    evn__node node = *p->node;
    bool element = evn__op_table[node.op].class == EVN__CLASS_ELEMENT;
    node.shape = p->kind == EVN__TIMED ? evn__lift_shape(p->l, 0, node.shape)
                                       : sampled_shape(p->l, node.shape);
    if (!evn__shape_is_valid(node.shape)) {
        return EVN_NONE;
    }
    if (p->kind == EVN__TIMED && element && p->node->shape.rank > 1) {
        return copy_rows(p);
    }
    for (int k = 0; k < node.operand_count; ++k) {
        node.operands[k] = beside(p, k);
    }
    return evn__node_add(p->l->to, &node);
}

// Rules -------------------------------------------------------------------------------------------

static evn_value lift_reshape(evn__lift_place *p) {
    evn_shape shape = p->node->shape;
    if (p->kind == EVN__TIMED) {
        return evn_reshape(p->l->to, operand(p, 0), evn__lift_shape(p->l, 0, shape));
    }
    bool apart = shape.rank > 0 && shape.dim[0] % p->l->was == 0;
    return apart ? evn_reshape(p->l->to, operand(p, 0), sampled_shape(p->l, shape)) : EVN_NONE;
}

/// Of a timed value, behind the axis of samples.
static evn_value broadcast_timed(evn__lift_place *p) {
    evn_shape from = operand_shape(p, 0), to = evn__lift_shape(p->l, 0, p->node->shape);
    evn_shape between = evn__lift_shape(p->l, p->node->shape.rank - from.rank, from);
    return evn__shape_is_valid(to)
               ? evn_broadcast(p->l->to, evn_reshape(p->l->to, operand(p, 0), between), to)
               : EVN_NONE;
}

static evn_value lift_broadcast(evn__lift_place *p) {
    evn_shape from = operand_shape(p, 0), to = p->node->shape;
    if (p->kind == EVN__TIMED) {
        return broadcast_timed(p);
    }
    return from.rank == to.rank && from.dim[0] == to.dim[0] ? copy(p) : EVN_NONE;
}

static evn_value lift_permute(evn__lift_place *p) {
    int order[EVN_MAX_RANK] = {0};
    if (p->kind == EVN__SAMPLED) {
        return p->node->attributes.order[0] == 0 ? copy(p) : EVN_NONE;
    }
    for (int i = 0; i < p->node->shape.rank && i + 1 < EVN_MAX_RANK; ++i) {
        order[i + 1] = p->node->attributes.order[i] + 1;
    }
    return evn_permute(p->l->to, operand(p, 0), order);
}

/// Slices and pads: all samples, and each by itself.
static evn_value lift_part(evn__lift_place *p,
                           evn_value (*build)(evn_graph *, evn_value, const int64_t *, evn_shape)) {
    int64_t start[EVN_MAX_RANK] = {0};
    if (p->kind == EVN__SAMPLED) {
        return p->node->shape.dim[0] == operand_shape(p, 0).dim[0] ? copy(p) : EVN_NONE;
    }
    for (int i = 0; i < p->node->shape.rank && i + 1 < EVN_MAX_RANK; ++i) {
        start[i + 1] = p->node->attributes.start[i];
    }
    return build(p->l->to, operand(p, 0), start, evn__lift_shape(p->l, 0, p->node->shape));
}

static evn_value lift_slice(evn__lift_place *p) {
    return lift_part(p, evn_slice);
}

static evn_value lift_pad(evn__lift_place *p) {
    return lift_part(p, evn_pad);
}

/// Operations along some axes: not along the samples.
static evn_value lift_along(evn__lift_place *p) {
    evn__node node = *p->node;
    if (p->kind == EVN__SAMPLED) {
        return node.attributes.axis > 0 ? copy(p) : EVN_NONE;
    }
    evn__lift_place along = *p; // the caller's keeps a node that lives on
    along.node = &node;
    ++node.attributes.axis;
    return copy(&along);
}

/// Rows times a matrix that is shared.
static evn_value lift_matmul(evn__lift_place *p) {
    const evn__attributes *a = &p->node->attributes;
    if (evn__lift_operand_kind(p, 0) == EVN__SHARED ||
        evn__lift_operand_kind(p, 1) != EVN__SHARED || a->transpose_a) {
        return EVN_NONE;
    }
    if (p->kind == EVN__SAMPLED) {
        return copy(p);
    }
    evn_graph *g = p->l->to;
    evn_shape rows = operand_shape(p, 0);
    evn_value flat =
        evn_reshape(g, operand(p, 0), EVN_SHAPE(p->l->batch * rows.dim[0], rows.dim[1]));
    evn_value product = evn_matmul(g, flat, operand(p, 1), false, a->transpose_b);
    return evn_reshape(g, product, evn__lift_shape(p->l, 0, p->node->shape));
}

/// Images with a kernel that is shared.
static evn_value lift_image(evn__lift_place *p) {
    bool shared =
        evn__lift_operand_kind(p, 0) == EVN__SAMPLED && evn__lift_operand_kind(p, 1) == EVN__SHARED;
    return shared ? copy(p) : EVN_NONE;
}

// Products with weights that depend on t ----------------------------------------------------------

static evn__separated weight_form(const evn__lift_place *p) {
    return p->l->separated[p->node->operands[1]];
}

/// Rows on the left of such a product, and how many each sample has.
static evn_value rows_of_samples(const evn__lift_place *p) {
    evn_shape shape = operand_shape(p, 0);
    if (p->kind == EVN__TIMED) {
        return evn_reshape(p->l->to, timed(p, 0),
                           EVN_SHAPE(p->l->batch * shape.dim[0], shape.dim[1]));
    }
    return shape.dim[0] % p->l->was == 0 ? sampled(p, 0) : EVN_NONE;
}

/// Of products of x, in memory before they are summed up.
static bool is_too_much(const evn__lift_place *p) {
    const int64_t most = 1 << 26;
    evn_shape rows = sampled_shape(p->l, operand_shape(p, 0)), shape = p->node->shape;
    return p->kind == EVN__SAMPLED && evn_shape_count(rows) > most / shape.dim[1];
}

static evn_value weigh_matmul(evn__lift_place *p) {
    const evn__attributes *a = &p->node->attributes;
    evn_shape timed_shape = evn__lift_shape(p->l, 0, p->node->shape);
    evn_value x = a->transpose_a ? EVN_NONE : rows_of_samples(p);
    evn__separated form = weight_form(p);
    if (x == EVN_NONE || (form.functions == EVN_NONE && is_too_much(p))) {
        return EVN_NONE;
    }
    evn_value product =
        form.functions != EVN_NONE
            ? evn__separated_matmul(p->l, x, form, a->transpose_b)
            : evn__timed_matmul(p->l, x, p->l->map[p->node->operands[1]], a->transpose_b);
    return p->kind == EVN__TIMED ? evn_reshape(p->l->to, product, timed_shape) : product;
}

static evn_conv2d_options conv2d_options(const evn__lift_place *p) {
    return (evn_conv2d_options){p->node->attributes.stride, p->node->attributes.padding};
}

static bool has_images(const evn__lift_place *p) {
    return evn__lift_operand_kind(p, 0) == EVN__SAMPLED && weight_form(p).functions != EVN_NONE;
}

static evn_value weigh_conv2d(evn__lift_place *p) {
    return has_images(p)
               ? evn__separated_conv2d(p->l, operand(p, 0), weight_form(p), conv2d_options(p))
               : EVN_NONE;
}

static evn_value weigh_conv2d_input_grad(evn__lift_place *p) {
    return has_images(p) ? evn__separated_conv2d_input_grad(p->l, operand(p, 0), weight_form(p),
                                                            sampled_shape(p->l, p->node->shape),
                                                            conv2d_options(p))
                         : EVN_NONE;
}

/// Where the second operand is a weight, and timed.
static rule *const weighted[EVN__OP_COUNT] = {
    [EVN__OP_MATMUL] = weigh_matmul,
    [EVN__OP_CONV2D] = weigh_conv2d,
    [EVN__OP_CONV2D_INPUT_GRAD] = weigh_conv2d_input_grad,
};

static bool is_weighted(const evn__lift_place *p) {
    return weighted[p->node->op] && evn__lift_operand_kind(p, 1) == EVN__TIMED;
}

// Whole samples -----------------------------------------------------------------------------------

/// What treats each sample by itself, of one operand or of two that are both sampled.
static evn_value lift_sample(evn__lift_place *p) {
    bool sampled = p->node->shape.rank > 1;
    for (int k = 0; k < p->node->operand_count; ++k) {
        sampled = sampled && evn__lift_operand_kind(p, k) == EVN__SAMPLED;
    }
    return sampled ? copy(p) : EVN_NONE;
}

/// Samples meet.
static evn_value lift_none(evn__lift_place *p) {
    (void)p;
    return EVN_NONE;
}

static rule *const classes[] = {
    [EVN__CLASS_LEAF] = lift_none,
    [EVN__CLASS_ELEMENT] = copy,
    [EVN__CLASS_VIEW] = lift_none,
    [EVN__CLASS_KERNEL] = lift_none,
};

/// Where an operation has no rule of its own its class has one.
static rule *const rules[EVN__OP_COUNT] = {
    [EVN__OP_RESHAPE] = lift_reshape,
    [EVN__OP_BROADCAST] = lift_broadcast,
    [EVN__OP_PERMUTE] = lift_permute,
    [EVN__OP_SLICE] = lift_slice,
    [EVN__OP_PAD] = lift_pad,
    [EVN__OP_CONCAT] = lift_along,
    [EVN__OP_SUM] = lift_along,
    [EVN__OP_MATMUL] = lift_matmul,
    [EVN__OP_SOLVE] = lift_sample,
    [EVN__OP_CONV2D] = lift_image,
    [EVN__OP_CONV2D_INPUT_GRAD] = lift_image,
    [EVN__OP_NORMALIZE] = lift_sample,
    [EVN__OP_NORMALIZE_GRAD] = lift_sample,
    [EVN__OP_LOG_SOFTMAX] = lift_sample,
    [EVN__OP_MEAN_POOL2D] = lift_sample,
    [EVN__OP_MEAN_POOL2D_GRAD] = lift_sample,
    [EVN__OP_MAX_POOL2D_SELECT] = lift_sample,
    [EVN__OP_MAX_POOL2D_SCATTER] = lift_sample,
};

static evn_value apply(evn__lift_place *p) {
    if (is_weighted(p)) {
        return weighted[p->node->op](p);
    }
    for (int k = 0; k < p->node->operand_count; ++k) {
        if (operand(p, k) == EVN_NONE) {
            return EVN_NONE;
        }
    }
    rule *own = rules[p->node->op];
    return (own ? own : classes[evn__op_table[p->node->op].class])(p);
}

// Timed values beside sampled ones ----------------------------------------------------------------

/// A timed value that was the same for all samples.
static bool is_along_samples(const evn__lift_place *p) {
    evn_shape to = p->node->shape;
    return p->node->op == EVN__OP_BROADCAST && to.rank > 0 && to.dim[0] % p->l->was == 0 &&
           is_same_along_first(p->l->from, p->node);
}

/// [B] + shape as rows of what it was broadcast to, of which a sample may have several.
static evn_value lay_along(const evn__lift_place *p) {
    evn__lift *l = p->l;
    evn_shape from = operand_shape(p, 0), to = p->node->shape, row = from;
    bool several = to.dim[0] > l->was;
    if (from.rank == to.rank) { // its first axis, of one, is that of the samples
        row.rank = from.rank - 1;
        memcpy(row.dim, from.dim + 1, sizeof(*row.dim) * (size_t)row.rank);
    }
    evn_shape between = evn__lift_shape(l, to.rank - 1 - row.rank + several, row);
    evn_shape wide = several ? evn__lift_shape(l, 0, to) : sampled_shape(l, to);
    if (several) {
        wide.dim[1] = to.dim[0] / l->was;
    }
    if (!evn__shape_is_valid(wide)) {
        return EVN_NONE;
    }
    evn_value source = evn_reshape(l->to, l->map[p->node->operands[0]], between);
    return evn_reshape(l->to, evn_broadcast(l->to, source, wide), sampled_shape(l, to));
}

/// Of one sample alone all rows are its own, behind the axis of the samples.
static bool is_of_one(const evn__lift *l, evn_shape shape) {
    return l->was == 1 && shape.rank > 0;
}

static evn_value make_sampled(evn__lift *l, evn_value value) {
    evn__lift_place p = {.l = l, .node = evn__node_at(l->from, value), .kind = EVN__SAMPLED};
    if (is_of_one(l, p.node->shape)) {
        return evn_reshape(l->to, l->map[value], sampled_shape(l, p.node->shape));
    }
    if (p.node->operand_count == 0) {
        return EVN_NONE; // t itself, which lies along no sample
    }
    return is_along_samples(&p) ? lay_along(&p) : apply(&p);
}

static evn_value as_sampled(evn__lift *l, evn_value value) {
    l->beside[value] = l->beside[value] == EVN_NONE ? make_sampled(l, value) : l->beside[value];
    return l->beside[value];
}

// The graph ---------------------------------------------------------------------------------------

static evn_status refuse(const evn__lift_place *p) {
    const char *text = evn__op_table[p->node->op].text;
    char shape[128];
    bool timed = false;
    for (int k = 0; k < p->node->operand_count; ++k) {
        timed = timed || evn__lift_operand_kind(p, k) == EVN__TIMED;
    }
    evn__shape_text(p->node->shape, shape);
    EVN_TRY(evn_graph_status(p->l->to));
    EVN_CHECK(
        !timed, EVN_ERR_ARGUMENT,
        "steps of each sample's own: f has %s %s of what depends on t, which is neither the same "
        "for all samples nor a weight of theirs that is a sum of functions of t times constant "
        "weights; leave per_sample out",
        text, shape);
    EVN_FAIL(
        EVN_ERR_ARGUMENT,
        "steps of each sample's own: in f the samples of x (its first axis, %lld of them) meet "
        "in %s %s; leave per_sample out",
        (long long)p->l->was, text, shape);
}

/// Whether a timed value is a part of one that has more elements than kernels for samples carry,
/// and that need not be made for it.
static bool is_part_of_many(const evn__lift_place *p) {
    return p->kind == EVN__TIMED && p->node->op == EVN__OP_SLICE &&
           evn_shape_count(operand_shape(p, 0)) > EVN__SAMPLES_MAX_ROW &&
           p->l->separated[p->node->operands[0]].functions != EVN_NONE;
}

static evn_status lift_node(evn__lift *l, evn_value value) {
    evn_shape shape = evn_value_shape(l->from, value);
    evn__lift_place p = {.l = l, .node = evn__node_at(l->from, value), .kind = EVN__SHARED};
    for (int k = 0; k < p.node->operand_count; ++k) {
        p.kind = evn__lift_operand_kind(&p, k) > p.kind ? evn__lift_operand_kind(&p, k) : p.kind;
    }
    if (p.kind == EVN__SHARED) {
        l->map[value] = evn__node_copy(l->to, l->from, value, l->map);
        return evn_graph_status(l->to);
    }
    l->kinds[value] = p.kind;
    if (p.kind == EVN__TIMED) {
        l->separated[value] = evn__lift_separate(&p);
    }
    l->map[value] =
        is_part_of_many(&p) ? evn__separated_value(l, l->separated[value], shape) : apply(&p);
    if (p.kind == EVN__TIMED && evn_shape_count(shape) == 1) {
        l->separated[value] = evn__lift_number(&p, l->map[value]);
    }
    return l->map[value] == EVN_NONE ? refuse(&p) : EVN_OK;
}

static void lift_inputs(evn__lift *l) {
    const evn_graph *from = l->from;
    for (int i = 0; i < from->input_count; ++i) {
        evn_value value = from->inputs[i].value;
        evn_shape shape = evn_value_shape(from, value);
        const evn__lift_place p = {.l = l, .node = evn__node_at(from, value), .kind = EVN__TIMED};
        if (i == 0) { // t: a scalar for each sample
            int axes = evn_value_shape(from, from->inputs[1].value).rank - 1;
            evn_value t =
                evn_input(l->to, from->inputs[i].name, evn__lift_shape(l, axes, EVN_SCALAR));
            l->map[value] = evn_reshape(l->to, t, EVN_SHAPE(l->batch));
            l->separated[value] = evn__lift_number(&p, l->map[value]);
        } else {
            l->map[value] =
                evn_input(l->to, from->inputs[i].name, i == 1 ? sampled_shape(l, shape) : shape);
        }
        l->kinds[value] = i == 0 ? EVN__TIMED : i == 1 ? EVN__SAMPLED : EVN__SHARED;
    }
}

static evn_status lift_graph(evn__lift *l) {
    bool *needed = NULL;
    EVN_TRY(EVN_NEW(&needed, l->from->node_count));
    evn__graph_needed(l->from, needed);
    lift_inputs(l);
    evn_status status = evn_graph_status(l->to);
    for (int v = 0; v < l->from->node_count && status == EVN_OK; ++v) {
        if (needed[v] && evn__node_at(l->from, v)->op != EVN__OP_INPUT) {
            status = lift_node(l, v);
        }
    }
    free(needed);
    EVN_TRY(status);
    evn_value slope = l->from->outputs[0].value; // of an f that depends on nothing it is widened
    evn_shape shape = sampled_shape(l, evn_value_shape(l->from, slope));
    evn_value made = l->kinds[slope] == EVN__TIMED ? as_sampled(l, slope) : l->map[slope];
    EVN_TRY(evn_graph_status(l->to));
    EVN_CHECK(made != EVN_NONE, EVN_ERR_ARGUMENT,
              "steps of each sample's own: f depends on t alone, but not as one value for all "
              "samples; leave per_sample out");
    evn_output(l->to, l->from->outputs[0].name, evn_broadcast(l->to, made, shape));
    return evn_graph_status(l->to);
}

static evn_status check(const evn__system *system) {
    EVN_CHECK(system->state_count == 1, EVN_ERR_ARGUMENT,
              "steps of each sample's own: weights evolve, and functions of events know of none "
              "that do; leave per_sample out");
    EVN_CHECK(evn__system_state_shape(system, 0).rank > 0, EVN_ERR_ARGUMENT,
              "steps of each sample's own need an axis of samples, the first of x, which is a "
              "scalar");
    return EVN_OK;
}

static evn_status fill(evn__lift *l, const evn__system *system, evn__system *lifted) {
    EVN_TRY(EVN_NEW(&l->map, l->from->node_count));
    EVN_TRY(EVN_NEW(&l->beside, l->from->node_count));
    memset(l->beside, 0xff, sizeof(*l->beside) * (size_t)l->from->node_count); // EVN_NONE
    EVN_TRY(EVN_NEW(&l->kinds, l->from->node_count));
    EVN_TRY(EVN_NEW(&l->separated, l->from->node_count));
    memset(l->separated, 0xff, sizeof(*l->separated) * (size_t)l->from->node_count);
    EVN_TRY(EVN_NEW(&lifted->controlled, system->state_count));
    memcpy(lifted->controlled, system->controlled, sizeof(bool) * (size_t)system->state_count);
    EVN_TRY(evn_graph_create(&lifted->graph));
    l->to = lifted->graph;
    return lift_graph(l);
}

evn_status evn__system_by_sample(const evn__system *system, evn__system *lifted) {
    enum { FEWEST = 2 }; // one alone would be computed by other kernels
    *lifted = (evn__system){.state_count = system->state_count,
                            .parameter_count = system->parameter_count,
                            .options = system->options};
    EVN_TRY(check(system));
    int64_t samples = evn__system_state_shape(system, 0).dim[0];
    evn__lift l = {.from = system->graph, .was = samples, .batch = samples > 1 ? samples : FEWEST};
    evn_status status = fill(&l, system, lifted);
    free(l.map);
    free(l.beside);
    free(l.separated);
    free(l.kinds);
    if (status != EVN_OK) {
        evn__system_free(lifted);
    }
    return status;
}
