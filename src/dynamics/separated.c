// SPDX-License-Identifier: Apache-2.0
// Forms Σₖ φₖ(t) Cₖ of what depends on t alone: they follow from those of operands where an
// operation is linear in one of these. A product of x with one is Σₖ φₖ x Cₖ: as many
// multiplications as to make the sum would take for each sample, and no memory for it.
#include "dynamics/lift.h"
#include "samples/samples.h"

static const evn__separated none = {EVN_NONE, EVN_NONE};

enum {
    MOST_FUNCTIONS = 64 // of a product of two forms
};

static bool is_form(evn__separated s) {
    return s.functions != EVN_NONE;
}

static int64_t function_count(const evn__lift *l, evn__separated s) {
    return evn_value_shape(l->to, s.functions).dim[1];
}

/// [count] + `axes` ones + shape.
static evn_shape stacked(int64_t count, int axes, evn_shape shape) {
    const evn__lift counting = {.batch = count};
    return evn__lift_shape(&counting, axes, shape);
}

/// The form with other factors.
static evn__separated with(evn__separated s, evn_value factors) {
    return factors == EVN_NONE ? none : (evn__separated){s.functions, factors};
}

// Forms of operands -------------------------------------------------------------------------------

/// Of a timed operand, or of a shared one with 1 as its function.
static evn__separated operand_form(const evn__lift_place *p, int k) {
    evn__lift *l = p->l;
    evn_value operand = p->node->operands[k];
    if (evn__lift_operand_kind(p, k) == EVN__TIMED) {
        return l->separated[operand];
    }
    evn_shape shape = stacked(1, 0, evn_value_shape(l->from, operand));
    return (evn__separated){evn_full(l->to, EVN_SHAPE(l->batch, 1), 1),
                            evn_reshape(l->to, l->map[operand], shape)};
}

// Rules -------------------------------------------------------------------------------------------

typedef evn__separated rule(const evn__lift_place *p);

/// Functions [1, K] times a shared matrix.
static evn__separated of_matmul(const evn__lift_place *p) {
    const evn__attributes *a = &p->node->attributes;
    evn_graph *g = p->l->to;
    evn_shape rows = evn_value_shape(p->l->from, p->node->operands[0]);
    if (evn__lift_operand_kind(p, 0) != EVN__TIMED || evn__lift_operand_kind(p, 1) != EVN__SHARED ||
        a->transpose_a || rows.dim[0] != 1) {
        return none;
    }
    const int turned[] = {1, 0};
    evn_value matrix = p->l->map[p->node->operands[1]];
    matrix = a->transpose_b ? evn_permute(g, matrix, turned) : matrix;
    return (evn__separated){
        evn_reshape(g, p->l->map[p->node->operands[0]], EVN_SHAPE(p->l->batch, rows.dim[1])),
        evn_reshape(g, matrix, stacked(rows.dim[1], 0, p->node->shape))};
}

/// The shape of the operation, behind the functions of s.
static evn_shape behind(const evn__lift_place *p, evn__separated s) {
    return stacked(function_count(p->l, s), 0, p->node->shape);
}

static evn__separated of_reshape(const evn__lift_place *p) {
    evn__separated s = operand_form(p, 0);
    return with(s, evn_reshape(p->l->to, s.factors, behind(p, s)));
}

static evn__separated of_broadcast(const evn__lift_place *p) {
    evn__separated s = operand_form(p, 0);
    evn_shape from = evn_value_shape(p->l->from, p->node->operands[0]);
    evn_shape between = stacked(function_count(p->l, s), p->node->shape.rank - from.rank, from);
    evn_value factors = evn_reshape(p->l->to, s.factors, between);
    return with(s, evn_broadcast(p->l->to, factors, behind(p, s)));
}

static evn__separated of_permute(const evn__lift_place *p) {
    evn__separated s = operand_form(p, 0);
    int order[EVN_MAX_RANK] = {0};
    for (int i = 0; i + 1 < behind(p, s).rank; ++i) {
        order[i + 1] = p->node->attributes.order[i] + 1;
    }
    return with(s, evn_permute(p->l->to, s.factors, order));
}

static evn__separated of_part(const evn__lift_place *p,
                              evn_value (*build)(evn_graph *, evn_value, const int64_t *,
                                                 evn_shape)) {
    evn__separated s = operand_form(p, 0);
    int64_t start[EVN_MAX_RANK] = {0};
    for (int i = 0; i + 1 < behind(p, s).rank; ++i) {
        start[i + 1] = p->node->attributes.start[i];
    }
    return with(s, build(p->l->to, s.factors, start, behind(p, s)));
}

static evn__separated of_slice(const evn__lift_place *p) {
    return of_part(p, evn_slice);
}

static evn__separated of_pad(const evn__lift_place *p) {
    return of_part(p, evn_pad);
}

static evn__separated of_sum(const evn__lift_place *p) {
    evn__separated s = operand_form(p, 0);
    evn__node node = *p->node;
    node.operands[0] = s.factors;
    node.shape = behind(p, s);
    ++node.attributes.axis;
    return with(s, evn__node_add(p->l->to, &node));
}

static evn__separated of_neg(const evn__lift_place *p) {
    evn__separated s = operand_form(p, 0);
    return with(s, evn_neg(p->l->to, s.factors));
}

/// Of a sum or a difference: functions that both have stay, else there are those of both.
static evn__separated joined(const evn__lift_place *p,
                             evn_value (*combine)(evn_graph *, evn_value, evn_value)) {
    evn_graph *g = p->l->to;
    evn__separated a = operand_form(p, 0), b = operand_form(p, 1);
    if (a.functions == b.functions) {
        return with(a, combine(g, a.factors, b.factors));
    }
    evn_value second = combine == evn_sub ? evn_neg(g, b.factors) : b.factors;
    const evn_value functions[] = {a.functions, b.functions}, factors[] = {a.factors, second};
    return (evn__separated){evn_concat(g, functions, 2, 1), evn_concat(g, factors, 2, 0)};
}

static evn__separated of_add(const evn__lift_place *p) {
    return joined(p, evn_add);
}

static evn__separated of_sub(const evn__lift_place *p) {
    return joined(p, evn_sub);
}

/// Each function of the one with each of the other.
static evn__separated of_mul(const evn__lift_place *p) {
    evn_graph *g = p->l->to;
    evn__separated a = operand_form(p, 0), b = operand_form(p, 1);
    int64_t m = function_count(p->l, a), n = function_count(p->l, b), batch = p->l->batch;
    evn_shape first = stacked(m, 1, p->node->shape), second = stacked(1, 0, behind(p, b));
    evn_shape all = first;
    all.dim[1] = n;
    if (m * n > MOST_FUNCTIONS || !evn__shape_is_valid(all)) {
        return none;
    }
    evn_value functions = evn_mul(g, evn_reshape(g, a.functions, EVN_SHAPE(batch, m, 1)),
                                  evn_reshape(g, b.functions, EVN_SHAPE(batch, 1, n)));
    evn_value factors =
        evn_mul(g, evn_reshape(g, a.factors, first), evn_reshape(g, b.factors, second));
    return (evn__separated){evn_reshape(g, functions, EVN_SHAPE(batch, m * n)),
                            evn_reshape(g, factors, stacked(m * n, 0, p->node->shape))};
}

/// By what is shared.
static evn__separated of_div(const evn__lift_place *p) {
    evn__separated s = operand_form(p, 0);
    if (evn__lift_operand_kind(p, 1) != EVN__SHARED) {
        return none;
    }
    return with(s, evn_div(p->l->to, s.factors, p->l->map[p->node->operands[1]]));
}

/// Of operations that are linear in an operand.
static rule *const rules[EVN__OP_COUNT] = {
    [EVN__OP_ADD] = of_add,
    [EVN__OP_SUB] = of_sub,
    [EVN__OP_MUL] = of_mul,
    [EVN__OP_DIV] = of_div,
    [EVN__OP_NEG] = of_neg,
    [EVN__OP_RESHAPE] = of_reshape,
    [EVN__OP_BROADCAST] = of_broadcast,
    [EVN__OP_PERMUTE] = of_permute,
    [EVN__OP_SLICE] = of_slice,
    [EVN__OP_PAD] = of_pad,
    [EVN__OP_SUM] = of_sum,
};

evn__separated evn__lift_separate(const evn__lift_place *p) {
    rule *own = rules[p->node->op];
    if (p->node->op == EVN__OP_MATMUL) { // whose functions need no form themselves
        return of_matmul(p);
    }
    bool known = own != NULL && p->node->shape.rank < EVN_MAX_RANK;
    for (int k = 0; k < p->node->operand_count && known; ++k) {
        known = is_form(operand_form(p, k)) &&
                evn_value_shape(p->l->from, p->node->operands[k]).rank < EVN_MAX_RANK;
    }
    return known ? own(p) : none;
}

evn__separated evn__lift_number(const evn__lift_place *p, evn_value value) {
    evn_graph *g = p->l->to;
    return (evn__separated){evn_reshape(g, value, EVN_SHAPE(p->l->batch, 1)),
                            evn_full(g, stacked(1, 0, p->node->shape), 1)};
}

evn_value evn__separated_value(const evn__lift *l, evn__separated s, evn_shape shape) {
    evn_shape matrix = EVN_SHAPE(function_count(l, s), evn_shape_count(shape));
    evn_value rows =
        evn_matmul(l->to, s.functions, evn_reshape(l->to, s.factors, matrix), false, false);
    return evn_reshape(l->to, rows, evn__lift_shape(l, 0, shape));
}

// Products ----------------------------------------------------------------------------------------

/// [B, count] for each of as many rows.
static evn_value for_rows(const evn__lift *l, evn_value functions, int64_t rows) {
    int64_t count = evn_value_shape(l->to, functions).dim[1];
    evn_value each = evn_reshape(l->to, functions, EVN_SHAPE(l->batch, 1, count));
    each = evn_broadcast(l->to, each, EVN_SHAPE(l->batch, rows / l->batch, count));
    return evn_reshape(l->to, each, EVN_SHAPE(rows, count));
}

/// The sum of products with each of the factors [K, …], of which kernels for samples take one after
/// the other; cut where they have two axes, as the transpose of that has then, too.
static evn_value sum_products(const evn__lift *l, evn_value x, evn_value functions,
                              evn_value factors, bool transpose) {
    evn_graph *g = l->to;
    evn_shape all = evn_value_shape(g, factors), matrix = EVN_SHAPE(all.dim[1], all.dim[2]);
    int64_t rows = evn_value_shape(g, x).dim[0], elements = all.dim[1] * all.dim[2];
    evn_value flat = evn_reshape(g, factors, EVN_SHAPE(all.dim[0], elements)), sum = EVN_NONE;
    for (int64_t k = 0; k < all.dim[0]; ++k) {
        const int64_t of_function[] = {0, k}, of_factor[] = {k, 0};
        evn_value one =
            evn_reshape(g, evn_slice(g, flat, of_factor, EVN_SHAPE(1, elements)), matrix);
        evn_value product = evn_mul(g, evn_matmul(g, x, one, false, transpose),
                                    evn_slice(g, functions, of_function, EVN_SHAPE(rows, 1)));
        sum = k == 0 ? product : evn_add(g, sum, product);
    }
    return sum;
}

/// One product, of x times each function, side by side, [R, K n].
static evn_value wide_product(const evn__lift *l, evn_value x, evn_value functions,
                              evn_value factors, bool transpose) {
    evn_graph *g = l->to;
    const int turned[] = {0, 2, 1};
    evn_value high = transpose ? evn_permute(g, factors, turned) : factors;
    evn_shape all = evn_value_shape(g, high);
    int64_t rows = evn_value_shape(g, x).dim[0], k = all.dim[0], n = all.dim[1];
    evn_value wide = evn_mul(g, evn_reshape(g, functions, EVN_SHAPE(rows, k, 1)),
                             evn_reshape(g, x, EVN_SHAPE(rows, 1, n)));
    return evn_matmul(g, evn_reshape(g, wide, EVN_SHAPE(rows, k * n)),
                      evn_reshape(g, high, EVN_SHAPE(k * n, all.dim[2])), false, false);
}

evn_value evn__separated_matmul(const evn__lift *l, evn_value x, evn__separated weight,
                                bool transpose) {
    evn_shape all = evn_value_shape(l->to, weight.factors);
    evn_value functions = for_rows(l, weight.functions, evn_value_shape(l->to, x).dim[0]);
    bool small = all.dim[1] <= EVN__SAMPLES_MAX_ROW && all.dim[2] <= EVN__SAMPLES_MAX_ROW &&
                 all.dim[1] * all.dim[2] <= EVN__SAMPLES_MAX_PRODUCT;
    return (small ? sum_products : wide_product)(l, x, functions, weight.factors, transpose);
}

evn_value evn__timed_matmul(const evn__lift *l, evn_value x, evn_value weight, bool transpose) {
    evn_graph *g = l->to;
    evn_shape rows = evn_value_shape(g, x), w = evn_value_shape(g, weight);
    int64_t batch = l->batch, each = rows.dim[0] / batch, n = rows.dim[1];
    int64_t m = transpose ? w.dim[1] : w.dim[2];
    evn_shape side = transpose ? EVN_SHAPE(batch, each, 1, n) : EVN_SHAPE(batch, each, n, 1);
    evn_value products = evn_mul(g, evn_reshape(g, x, side),
                                 evn_reshape(g, weight, EVN_SHAPE(batch, 1, w.dim[1], w.dim[2])));
    evn_value sum = evn_sum(g, products, transpose ? 1u << 3 : 1u << 2);
    return evn_reshape(g, sum, EVN_SHAPE(rows.dim[0], m));
}

/// x [B, H, W, C] times each function, [B, H, W, K C].
static evn_value channels_of(const evn__lift *l, evn_value x, evn_value functions) {
    evn_graph *g = l->to;
    evn_shape s = evn_value_shape(g, x);
    int64_t count = evn_value_shape(g, functions).dim[1];
    evn_value wide =
        evn_mul(g, evn_reshape(g, functions, EVN_SHAPE(l->batch, 1, 1, count, 1)),
                evn_reshape(g, x, EVN_SHAPE(s.dim[0], s.dim[1], s.dim[2], 1, s.dim[3])));
    return evn_reshape(g, wide, EVN_SHAPE(s.dim[0], s.dim[1], s.dim[2], count * s.dim[3]));
}

evn_value evn__separated_conv2d(const evn__lift *l, evn_value x, evn__separated kernel,
                                evn_conv2d_options options) {
    const int order[] = {1, 2, 0, 3, 4};
    evn_value factors = evn_permute(l->to, kernel.factors, order);
    evn_shape s = evn_value_shape(l->to, factors); // [Kh, Kw, K, Ci, Co]
    evn_shape all = EVN_SHAPE(s.dim[0], s.dim[1], s.dim[2] * s.dim[3], s.dim[4]);
    return evn_conv2d(l->to, channels_of(l, x, kernel.functions), evn_reshape(l->to, factors, all),
                      options);
}

evn_value evn__separated_conv2d_input_grad(const evn__lift *l, evn_value y_bar,
                                           evn__separated kernel, evn_shape x,
                                           evn_conv2d_options options) {
    const int order[] = {1, 2, 3, 0, 4};
    evn_value factors = evn_permute(l->to, kernel.factors, order);
    evn_shape s = evn_value_shape(l->to, factors); // [Kh, Kw, Ci, K, Co]
    evn_shape all = EVN_SHAPE(s.dim[0], s.dim[1], s.dim[2], s.dim[3] * s.dim[4]);
    return evn_conv2d_input_grad(l->to, channels_of(l, y_bar, kernel.functions),
                                 evn_reshape(l->to, factors, all), x, options);
}
