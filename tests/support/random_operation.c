// SPDX-License-Identifier: Apache-2.0
#include "graph/node.h"
#include "random_maker.h"
#include "row_system.h"
#include <math.h>

// Element-wise ------------------------------------------------------------------------------------

/// Away from 0 by at least 0.5, for poles; it keeps the sign out.
static evn_value away(random_maker *m, evn_value x) {
    return evn_add(m->graph, evn_mul(m->graph, x, x), evn_constant(m->graph, 0.5));
}

/// What is mathematically equal must not meet at a kink.
static evn_value shifted(random_maker *m, random_candidate c) {
    return c.exact ? c.value
                   : evn_add(m->graph, c.value, evn_constant(m->graph, random_fraction(m) - 0.517));
}

static bool make_smooth(random_maker *m) {
    evn_graph *g = m->graph;
    random_candidate c = random_pick(m);
    double b = c.bound;
    switch (random_draw(m, 9)) {
    case 0:
        return random_offer(m, evn_neg(g, c.value), b, c.exact);
    case 1:
        return random_offer(m, evn_exp(g, evn_sin(g, c.value)), 2.8, false);
    case 2:
        return random_offer(m, evn_log(g, away(m, c.value)), log(b * b + 2), false);
    case 3:
        return random_offer(m, evn_sqrt(g, away(m, c.value)), sqrt(b * b + 0.5), false);
    case 4:
        return random_offer(m, evn_sin(g, c.value), 1, false);
    case 5:
        return random_offer(m, evn_cos(g, c.value), 1, false);
    case 6:
        return random_offer(m, evn_tanh(g, c.value), 1, false);
    case 7:
        return random_offer(m, evn_sigmoid(g, c.value), 1, false);
    default:
        return random_offer(m, evn_softplus(g, c.value), b + 0.7, false);
    }
}

static bool make_kink(random_maker *m) {
    evn_graph *g = m->graph;
    random_candidate c = random_pick(m);
    switch (random_draw(m, 4)) {
    case 0:
        return random_offer(m, evn_abs(g, shifted(m, c)), c.bound + 0.6, c.exact);
    case 1:
        return random_offer(m, evn_relu(g, shifted(m, c)), c.bound + 0.6, c.exact);
    case 2:
        return random_offer(m, evn_detach(g, evn_sign(g, random_pick_exact(m, -1).value)), 1, true);
    default:
        return random_offer(m, evn_step(g, random_pick_exact(m, -1).value), 1, true);
    }
}

static bool make_binary(random_maker *m) {
    evn_graph *g = m->graph;
    random_candidate a = random_pick(m), b = random_pick_like(m, random_shape_of(m, a.value));
    if (random_draw(m, 6) == 0) {
        b.value = evn_constant(g, random_fraction(m) - 0.4);
        b.bound = 1;
    }
    bool swap = random_draw(m, 2);
    evn_value x = swap ? b.value : a.value, y = swap ? a.value : b.value;
    switch (random_draw(m, m->kind == RANDOM_SMOOTH ? 4 : 6)) {
    case 0:
        return random_offer(m, evn_add(g, x, y), a.bound + b.bound, false);
    case 1:
        return random_offer(m, evn_sub(g, x, y), a.bound + b.bound, false);
    case 2:
        return random_offer(m, evn_mul(g, x, y), a.bound * b.bound, false);
    case 3:
        return random_offer(m, evn_div(g, x, away(m, y)), 2 * (swap ? b : a).bound, false);
    case 4:
        return random_offer(m, evn_maximum(g, a.value, shifted(m, b)), a.bound + b.bound + 0.6,
                            a.exact && b.exact);
    default: // a value that is rounded has no sign to rely on
        return random_offer(
            m, evn_mask(g, a.value, b.exact ? b.value : evn_constant(g, random_fraction(m) - 0.4)),
            a.bound, a.exact);
    }
}

// Views -------------------------------------------------------------------------------------------

static bool make_reshape(random_maker *m) {
    random_candidate c = random_pick(m);
    evn_shape s = random_shape_of(m, c.value), to = EVN_SHAPE(random_count_of(m, c.value));
    const int64_t parts[] = {2, 3, 4, 5, 8, 16};
    for (int i = 0; i < 4 && to.rank < 4; ++i) {
        int64_t part = parts[random_draw(m, 6)], *last = &to.dim[to.rank - 1];
        if (*last % part == 0 && random_draw(m, 3)) {
            *last /= part;
            to.dim[to.rank++] = part;
        }
    }
    if (random_draw(m, 4) == 0 && s.rank < EVN_MAX_RANK) { // another axis of 1
        to = s;
        int at = (int)random_draw(m, s.rank + 1);
        for (int i = to.rank++; i > at; --i) {
            to.dim[i] = to.dim[i - 1];
        }
        to.dim[at] = 1;
    }
    return random_offer(m, evn_reshape(m->graph, c.value, to), c.bound, c.exact);
}

static bool make_broadcast(random_maker *m) {
    random_candidate c = random_pick(m);
    evn_shape s = random_shape_of(m, c.value);
    for (int i = 0; i < s.rank; ++i) {
        s.dim[i] = s.dim[i] == 1 ? 1 + random_draw(m, 17) : s.dim[i];
    }
    if (s.rank < 4 && random_draw(m, 2)) {
        for (int i = s.rank++; i > 0; --i) {
            s.dim[i] = s.dim[i - 1];
        }
        s.dim[0] = 1 + random_draw(m, 20);
    }
    return random_offer(m, evn_broadcast(m->graph, c.value, s), c.bound, c.exact);
}

static bool make_permute(random_maker *m) {
    random_candidate c = random_pick(m);
    int rank = random_shape_of(m, c.value).rank, order[EVN_MAX_RANK];
    for (int i = 0; i < rank; ++i) {
        int k = (int)random_draw(m, i + 1);
        order[i] = order[k];
        order[k] = i;
    }
    return random_offer(m, evn_permute(m->graph, c.value, order), c.bound, c.exact);
}

/// The rows of samples stay whole.
static int first_axis(const random_maker *m) {
    return m->kind == RANDOM_SAMPLES;
}

static bool make_slice(random_maker *m) {
    random_candidate c = random_pick(m);
    evn_shape s = random_shape_of(m, c.value);
    int64_t start[EVN_MAX_RANK] = {0};
    for (int i = first_axis(m); i < s.rank; ++i) {
        start[i] = random_draw(m, 2) ? random_draw(m, s.dim[i]) : 0;
        s.dim[i] -= start[i];
        s.dim[i] -= random_draw(m, 3) ? 0 : random_draw(m, s.dim[i]);
    }
    return random_offer(m, evn_slice(m->graph, c.value, start, s), c.bound, c.exact);
}

static bool make_pad(random_maker *m) {
    random_candidate c = random_pick(m);
    evn_shape s = random_shape_of(m, c.value);
    int64_t start[EVN_MAX_RANK] = {0};
    for (int i = first_axis(m); i < s.rank; ++i) {
        start[i] = random_draw(m, 3);
        s.dim[i] += start[i] + random_draw(m, 3);
    }
    return random_offer(m, evn_pad(m->graph, c.value, start, s), c.bound, c.exact);
}

static bool make_concat(random_maker *m) {
    random_candidate c = random_pick(m);
    evn_shape s = random_shape_of(m, c.value);
    evn_value parts[3] = {c.value};
    int count = 1 + (int)random_draw(m, 3);
    if (s.rank <= first_axis(m)) {
        return false;
    }
    for (int i = 1; i < count; ++i) {
        random_candidate other = random_pick_same(m, s);
        parts[i] = other.value;
        c.bound = fmax(c.bound, other.bound);
        c.exact = c.exact && other.exact;
    }
    int axis = first_axis(m) + (int)random_draw(m, s.rank - first_axis(m));
    return random_offer(m, evn_concat(m->graph, parts, count, axis), c.bound, c.exact);
}

static bool make_table(random_maker *m) {
    double data[17];
    for (int i = 0; i < 17; ++i) {
        data[i] = 2 * random_fraction(m) - 1;
    }
    return random_offer(m, evn_table(m->graph, EVN_SHAPE(1 + random_draw(m, 17)), data), 1, false);
}

// Kernels -----------------------------------------------------------------------------------------

/// `c`, scaled down so that sums of so many terms are small: what comes of a kernel is then read as
/// it is.
static random_candidate tamed(random_maker *m, random_candidate c, double terms) {
    if (c.bound * terms > RANDOM_LARGEST_BOUND) {
        c.value = evn_scale(m->graph, c.value, 2 / (c.bound * terms));
        c.bound = 2 / terms;
        c.exact = false;
    }
    return c;
}

static bool make_sum(random_maker *m) {
    random_candidate c = random_pick(m);
    evn_shape s = random_shape_of(m, c.value);
    unsigned all = (1u << s.rank) - 1,
             axes = random_draw(m, 2) ? (unsigned)random_draw(m, all + 1) : all;
    double terms = 1;
    for (int i = 0; i < s.rank; ++i) {
        terms *= axes >> i & 1 ? (double)s.dim[i] : 1;
    }
    c = tamed(m, c, terms);
    evn_value sum = axes == all ? evn_sum_all(m->graph, c.value) : evn_sum(m->graph, c.value, axes);
    return random_offer(m, sum, c.bound * terms, false);
}

static bool make_matmul(random_maker *m) {
    random_candidate a = random_pick_matrix(m), b = random_pick_matrix(m);
    evn_shape s = random_shape_of(m, a.value), t = random_shape_of(m, b.value);
    bool ta = random_draw(m, 2), tb = random_draw(m, 2);
    int64_t terms = s.dim[!ta];
    if (t.dim[tb] != terms) {
        const int64_t extents[] = {1, 3, 16, 33, 64};
        int64_t n = terms > 1000 ? 1 : extents[random_draw(m, 5)];
        b = random_new_input(m, tb ? EVN_SHAPE(n, terms) : EVN_SHAPE(terms, n));
    }
    a = tamed(m, a, b.bound * (double)terms);
    return random_offer(m, evn_matmul(m->graph, a.value, b.value, ta, tb),
                        a.bound * b.bound * (double)terms, false);
}

static bool make_convolution(random_maker *m) {
    random_candidate x = random_pick_image(m);
    evn_shape s = random_shape_of(m, x.value);
    x = tamed(m, x, 9 * (double)s.dim[3]);
    const int64_t channels[] = {1, 4, 16, 19};
    evn_conv2d_options o = {.stride = 1 + (int)random_draw(m, 2),
                            .padding = (int)random_draw(m, 3)};
    evn_shape w = EVN_SHAPE(1 + random_draw(m, 3), 1 + random_draw(m, 3), s.dim[3],
                            channels[random_draw(m, 4)]);
    double terms = (double)(w.dim[0] * w.dim[1]);
    int which = (int)random_draw(m, 3);
    if (which == 0) {
        random_candidate c = random_new_input(m, w);
        evn_value y = evn_conv2d(m->graph, x.value, c.value, o);
        return random_offer(m, y, x.bound * terms * (double)s.dim[3], false);
    } else if (which == 1) { // x is y_bar
        random_candidate c = random_new_input(m, EVN_SHAPE(w.dim[0], w.dim[1], w.dim[3], s.dim[3]));
        evn_shape to = s;
        for (int i = 1; i < 3; ++i) {
            to.dim[i] = (s.dim[i] - 1) * o.stride + w.dim[i - 1] - 2 * o.padding;
        }
        to.dim[3] = w.dim[3];
        if (to.dim[1] > 0 && to.dim[2] > 0) {
            evn_value y = evn_conv2d_input_grad(m->graph, x.value, c.value, to, o);
            return random_offer(m, y, x.bound * terms * (double)s.dim[3], false);
        }
    } else {
        evn_shape y = s;
        for (int i = 1; i < 3; ++i) {
            y.dim[i] = (s.dim[i] + 2 * o.padding - w.dim[i - 1]) / o.stride + 1;
        }
        y.dim[3] = w.dim[3];
        random_candidate c = random_pick_same(m, y);
        evn_value w_bar = evn_conv2d_weight_grad(m->graph, x.value, c.value, w, o);
        return random_offer(m, w_bar, x.bound * c.bound * (double)(y.dim[0] * y.dim[1] * y.dim[2]),
                            false);
    }
    return false;
}

static bool make_normalization(random_maker *m) {
    random_candidate x = random_pick(m);
    evn_shape s = random_shape_of(m, x.value);
    if (s.rank < 2) {
        return false;
    }
    int64_t channels = s.dim[s.rank - 1];
    int groups = 1 + (int)random_draw(m, channels);
    while (channels % groups != 0) {
        --groups;
    }
    if (random_draw(m, 2)) {
        return random_offer(m, evn_normalize(m->graph, x.value, groups, 0.3), 4 * x.bound, false);
    }
    random_candidate v = random_pick_same(m, s);
    evn_value y = evn_normalize_grad(m->graph, x.value, v.value, groups, 0.3);
    return random_offer(m, y, 16 * v.bound, false);
}

static bool make_softmax(random_maker *m) {
    random_candidate x = random_pick(m);
    return random_shape_of(m, x.value).rank > 0 &&
           random_offer(m, evn_log_softmax(m->graph, x.value), 2 * x.bound + 10, false);
}

static bool make_solve(random_maker *m) {
    int64_t n = random_draw(m, 2) ? 1 : 4,
            batch = m->kind == RANDOM_SAMPLES ? m->batch : 1 + random_draw(m, 20);
    random_candidate b = random_pick_same(m, EVN_SHAPE(batch, n)),
                     a = random_pick_same(m, EVN_SHAPE(batch, n * n));
    evn_value small = evn_scale(m->graph, a.value, 0.5 / ((double)n * fmax(a.bound, 1)));
    evn_value x = n == 1 && m->kind != RANDOM_SAMPLES
                      ? row_system_of_all(m->graph, small, b.value)
                      : row_system_of_each(m->graph, small, b.value, random_draw(m, 2));
    return random_offer(m, x, 2 * b.bound, false);
}

static bool make_mean_pool(random_maker *m) {
    random_candidate x = random_pick_image(m);
    evn_shape s = random_shape_of(m, x.value);
    int window = 1 + (int)random_draw(m, 3), stride = 1 + (int)random_draw(m, 2);
    if (random_draw(m, 2)) {
        return random_offer(m, evn_mean_pool2d(m->graph, x.value, window, stride), x.bound, false);
    }
    s.dim[1] = (s.dim[1] - 1) * stride + window;
    s.dim[2] = (s.dim[2] - 1) * stride + window;
    return random_offer(m, evn_mean_pool2d_grad(m->graph, x.value, s, window, stride), 9 * x.bound,
                        false);
}

static bool make_max_pool(random_maker *m) {
    random_candidate x = random_pick_exact(m, 4);
    evn_shape s = random_shape_of(m, x.value);
    int window = 1 + (int)random_draw(m, 3), stride = 1 + (int)random_draw(m, 2),
        which = (int)random_draw(m, 3);
    if (s.dim[1] < window || s.dim[2] < window) {
        return false;
    }
    if (which == 0) {
        return random_offer(m, evn_max_pool2d(m->graph, x.value, window, stride), x.bound, x.exact);
    } else if (which == 1) {
        random_candidate v = random_pick_same(m, s);
        evn_value y = evn_max_pool2d_select(m->graph, x.value, v.value, window, stride);
        return random_offer(m, y, v.bound, v.exact);
    }
    s.dim[1] = (s.dim[1] - window) / stride + 1;
    s.dim[2] = (s.dim[2] - window) / stride + 1;
    random_candidate y = random_pick_same(m, s);
    evn_value x_bar = evn_max_pool2d_scatter(m->graph, x.value, y.value, window, stride);
    return random_offer(m, x_bar, 9 * y.bound, false);
}

// Samples -----------------------------------------------------------------------------------------

static bool is_rows(const random_maker *m, evn_value value) {
    evn_shape s = random_shape_of(m, value);
    return s.rank == 2 && s.dim[0] == m->batch;
}

/// A product of rows with weights, or, of two values of rows, a sum over the samples.
static bool make_sample_product(random_maker *m) {
    random_candidate a = random_pick(m), b = random_pick(m);
    const int64_t extents[] = {1, 3, 8, 20};
    if (!is_rows(m, a.value)) {
        return false;
    }
    if (random_draw(m, 4) == 0 && is_rows(m, b.value)) {
        double terms = (double)m->batch;
        return random_offer(m, evn_matmul(m->graph, a.value, b.value, true, false),
                            a.bound * b.bound * terms, false);
    }
    int64_t terms = random_shape_of(m, a.value).dim[1], n = extents[random_draw(m, 4)];
    bool transposed = random_draw(m, 2);
    b = random_new_input(m, transposed ? EVN_SHAPE(n, terms) : EVN_SHAPE(terms, n));
    return random_offer(m, evn_matmul(m->graph, a.value, b.value, false, transposed),
                        a.bound * (double)terms, false);
}

static bool make_sample_sum(random_maker *m) {
    random_candidate a = random_pick(m);
    unsigned axes = random_draw(m, 3) ? 2 : 1;
    int64_t terms = random_shape_of(m, a.value).dim[axes == 1 ? 0 : 1];
    return is_rows(m, a.value) &&
           random_offer(m, evn_sum(m->graph, a.value, axes), a.bound * (double)terms, false);
}

// One of them -------------------------------------------------------------------------------------

/// What comes of a kernel is often read by one element-wise operation alone, and then by others.
static void go_on(random_maker *m) {
    const random_candidate *last = &m->known[m->count - 1];
    evn_value value = last->value;
    while (m->graph->nodes[value].op == EVN__OP_RESHAPE) {
        value = m->graph->nodes[value].operands[0];
    }
    if (evn__op_table[m->graph->nodes[value].op].class == EVN__CLASS_KERNEL && random_draw(m, 2)) {
        value = last->value;
        --m->count;
        random_offer(m, random_draw(m, 2) ? evn_tanh(m->graph, value) : evn_sin(m->graph, value), 1,
                     false);
    }
}

typedef bool make(random_maker *m); ///< whether something came of it

void random_operation(random_maker *m) {
    static make *const any[] = {make_smooth,  make_smooth,    make_kink,        make_binary,
                                make_binary,  make_reshape,   make_broadcast,   make_permute,
                                make_slice,   make_pad,       make_concat,      make_sum,
                                make_matmul,  make_table,     make_convolution, make_normalization,
                                make_softmax, make_mean_pool, make_max_pool,    make_sum,
                                make_solve};
    static make *const smooth[] = {
        make_smooth,  make_binary,        make_reshape,   make_broadcast,
        make_permute, make_slice,         make_pad,       make_concat,
        make_sum,     make_matmul,        make_table,     make_convolution,
        make_softmax, make_normalization, make_mean_pool, make_solve};
    static make *const samples[] = {make_smooth, make_smooth, make_kink,           make_binary,
                                    make_binary, make_binary, make_sample_product, make_sample_sum,
                                    make_slice,  make_pad,    make_concat,         make_solve};
    make *chosen = m->kind == RANDOM_ANY ? any[random_draw(m, sizeof(any) / sizeof(*any))]
                   : m->kind == RANDOM_SMOOTH
                       ? smooth[random_draw(m, sizeof(smooth) / sizeof(*smooth))]
                       : samples[random_draw(m, sizeof(samples) / sizeof(*samples))];
    chosen(m);
    go_on(m);
}
