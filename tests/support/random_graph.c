// SPDX-License-Identifier: Apache-2.0
#include "random_graph.h"

#include "graph/node.h"
#include "row_system.h"
#include "test.h"
#include <math.h>
#include <stdio.h>

enum { VALUES = 400, LARGEST_BOUND = 8 };

/// A value that later operations may read.
typedef struct candidate {
    evn_value value;
    double bound; ///< of its magnitude
    bool exact;   ///< not rounded
    bool read;
} candidate;

typedef struct maker {
    evn_graph *graph;
    random_kind kind;
    uint64_t state;
    int64_t elements, batch;
    candidate known[VALUES];
    int count, inputs;
} maker;

/// In [0, n). (splitmix64)
static int64_t draw(maker *m, int64_t n) {
    uint64_t z = m->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (int64_t)((z ^ (z >> 31)) % (uint64_t)n);
}

static double fraction(maker *m) {
    return (double)draw(m, 1 << 20) / (1 << 20);
}

static evn_shape shape_of(const maker *m, evn_value value) {
    return evn_value_shape(m->graph, value);
}

static int64_t count_of(const maker *m, evn_value value) {
    return evn_shape_count(shape_of(m, value));
}

// Candidates --------------------------------------------------------------------------------------

/// Make `value` known; false where it is none or too large.
static bool offer(maker *m, evn_value value, double bound, bool exact) {
    if (value == EVN_NONE || m->count == VALUES || count_of(m, value) > m->elements) {
        return false;
    }
    if (bound > LARGEST_BOUND) {
        value = evn_scale(m->graph, value, 2 / bound);
        bound = 2;
        exact = false;
    }
    m->known[m->count++] = (candidate){value, bound, exact, false};
    return true;
}

static candidate new_input(maker *m, evn_shape shape) {
    char name[16];
    snprintf(name, sizeof(name), "x%d", m->inputs++);
    candidate input = {evn_input(m->graph, name, shape), 1, true, true};
    if (m->count < VALUES) {
        m->known[m->count++] = input;
    }
    return input;
}

/// Rather one of the last, so that the graph becomes deep.
static candidate pick(maker *m) {
    int span = draw(m, 3) ? (m->count < 6 ? m->count : 6) : m->count;
    candidate *c = &m->known[m->count - 1 - draw(m, span)];
    c->read = true;
    return *c;
}

/// One that has `shape`, or comes to it by broadcast; else a new input.
static candidate pick_like(maker *m, evn_shape shape) {
    for (int tries = 0; tries < 12; ++tries) {
        candidate c = pick(m);
        evn_shape own = shape_of(m, c.value);
        bool fits = own.rank <= shape.rank;
        for (int i = 1; fits && i <= own.rank; ++i) {
            int64_t extent = own.dim[own.rank - i];
            fits = extent == 1 || extent == shape.dim[shape.rank - i];
        }
        if (fits) {
            return c;
        }
    }
    for (int i = 0; i < shape.rank && m->kind != RANDOM_SAMPLES; ++i) {
        shape.dim[i] = draw(m, 4) ? shape.dim[i] : 1;
    }
    return new_input(m, shape);
}

static candidate pick_same(maker *m, evn_shape shape) {
    candidate c = pick_like(m, shape);
    c.value = evn_broadcast(m->graph, c.value, shape);
    return c;
}

static candidate pick_exact(maker *m, int rank) {
    for (int tries = 0; tries < 40; ++tries) {
        candidate c = m->known[draw(m, m->count)];
        if (c.exact && (rank < 0 || shape_of(m, c.value).rank == rank)) {
            return c;
        }
    }
    evn_shape image = EVN_SHAPE(1 + draw(m, 3), 4 + draw(m, 3), 5, 1 + draw(m, 9));
    return new_input(m, rank == 4 ? image : EVN_SHAPE(17));
}

static candidate pick_image(maker *m) {
    for (int tries = 0; tries < 12; ++tries) {
        candidate c = pick(m);
        evn_shape s = shape_of(m, c.value);
        if (s.rank == 4 && s.dim[1] >= 3 && s.dim[2] >= 3) {
            return c;
        }
    }
    const int64_t channels[] = {1, 3, 8, 16, 17, 32};
    evn_shape s = EVN_SHAPE(1 + draw(m, 4), 3 + draw(m, 5), 3 + draw(m, 5), channels[draw(m, 6)]);
    return new_input(m, s);
}

static candidate pick_matrix(maker *m) {
    for (int tries = 0; tries < 12; ++tries) {
        candidate c = pick(m);
        if (shape_of(m, c.value).rank == 2) {
            return c;
        }
    }
    const int64_t extents[] = {1, 5, 15, 16, 17, 40, 130};
    return new_input(m, EVN_SHAPE(extents[draw(m, 7)], extents[draw(m, 7)]));
}

// Element-wise ------------------------------------------------------------------------------------

/// Away from 0 by at least 0.5, for poles; it keeps the sign out.
static evn_value away(maker *m, evn_value x) {
    return evn_add(m->graph, evn_mul(m->graph, x, x), evn_constant(m->graph, 0.5));
}

/// What is mathematically equal must not meet at a kink.
static evn_value shifted(maker *m, candidate c) {
    return c.exact ? c.value
                   : evn_add(m->graph, c.value, evn_constant(m->graph, fraction(m) - 0.517));
}

static bool make_smooth(maker *m) {
    evn_graph *g = m->graph;
    candidate c = pick(m);
    double b = c.bound;
    switch (draw(m, 9)) {
    case 0:
        return offer(m, evn_neg(g, c.value), b, c.exact);
    case 1:
        return offer(m, evn_exp(g, evn_sin(g, c.value)), 2.8, false);
    case 2:
        return offer(m, evn_log(g, away(m, c.value)), log(b * b + 2), false);
    case 3:
        return offer(m, evn_sqrt(g, away(m, c.value)), sqrt(b * b + 0.5), false);
    case 4:
        return offer(m, evn_sin(g, c.value), 1, false);
    case 5:
        return offer(m, evn_cos(g, c.value), 1, false);
    case 6:
        return offer(m, evn_tanh(g, c.value), 1, false);
    case 7:
        return offer(m, evn_sigmoid(g, c.value), 1, false);
    default:
        return offer(m, evn_softplus(g, c.value), b + 0.7, false);
    }
}

static bool make_kink(maker *m) {
    evn_graph *g = m->graph;
    candidate c = pick(m);
    switch (draw(m, 4)) {
    case 0:
        return offer(m, evn_abs(g, shifted(m, c)), c.bound + 0.6, c.exact);
    case 1:
        return offer(m, evn_relu(g, shifted(m, c)), c.bound + 0.6, c.exact);
    case 2:
        return offer(m, evn_detach(g, evn_sign(g, pick_exact(m, -1).value)), 1, true);
    default:
        return offer(m, evn_step(g, pick_exact(m, -1).value), 1, true);
    }
}

static bool make_binary(maker *m) {
    evn_graph *g = m->graph;
    candidate a = pick(m), b = pick_like(m, shape_of(m, a.value));
    if (draw(m, 6) == 0) {
        b.value = evn_constant(g, fraction(m) - 0.4);
        b.bound = 1;
    }
    bool swap = draw(m, 2);
    evn_value x = swap ? b.value : a.value, y = swap ? a.value : b.value;
    switch (draw(m, m->kind == RANDOM_SMOOTH ? 4 : 6)) {
    case 0:
        return offer(m, evn_add(g, x, y), a.bound + b.bound, false);
    case 1:
        return offer(m, evn_sub(g, x, y), a.bound + b.bound, false);
    case 2:
        return offer(m, evn_mul(g, x, y), a.bound * b.bound, false);
    case 3:
        return offer(m, evn_div(g, x, away(m, y)), 2 * (swap ? b : a).bound, false);
    case 4:
        return offer(m, evn_maximum(g, a.value, shifted(m, b)), a.bound + b.bound + 0.6,
                     a.exact && b.exact);
    default: // a value that is rounded has no sign to rely on
        return offer(m,
                     evn_mask(g, a.value, b.exact ? b.value : evn_constant(g, fraction(m) - 0.4)),
                     a.bound, a.exact);
    }
}

// Views -------------------------------------------------------------------------------------------

static bool make_reshape(maker *m) {
    candidate c = pick(m);
    evn_shape s = shape_of(m, c.value), to = EVN_SHAPE(count_of(m, c.value));
    const int64_t parts[] = {2, 3, 4, 5, 8, 16};
    for (int i = 0; i < 4 && to.rank < 4; ++i) {
        int64_t part = parts[draw(m, 6)], *last = &to.dim[to.rank - 1];
        if (*last % part == 0 && draw(m, 3)) {
            *last /= part;
            to.dim[to.rank++] = part;
        }
    }
    if (draw(m, 4) == 0 && s.rank < EVN_MAX_RANK) { // another axis of 1
        to = s;
        int at = (int)draw(m, s.rank + 1);
        for (int i = to.rank++; i > at; --i) {
            to.dim[i] = to.dim[i - 1];
        }
        to.dim[at] = 1;
    }
    return offer(m, evn_reshape(m->graph, c.value, to), c.bound, c.exact);
}

static bool make_broadcast(maker *m) {
    candidate c = pick(m);
    evn_shape s = shape_of(m, c.value);
    for (int i = 0; i < s.rank; ++i) {
        s.dim[i] = s.dim[i] == 1 ? 1 + draw(m, 17) : s.dim[i];
    }
    if (s.rank < 4 && draw(m, 2)) {
        for (int i = s.rank++; i > 0; --i) {
            s.dim[i] = s.dim[i - 1];
        }
        s.dim[0] = 1 + draw(m, 20);
    }
    return offer(m, evn_broadcast(m->graph, c.value, s), c.bound, c.exact);
}

static bool make_permute(maker *m) {
    candidate c = pick(m);
    int rank = shape_of(m, c.value).rank, order[EVN_MAX_RANK];
    for (int i = 0; i < rank; ++i) {
        int k = (int)draw(m, i + 1);
        order[i] = order[k];
        order[k] = i;
    }
    return offer(m, evn_permute(m->graph, c.value, order), c.bound, c.exact);
}

/// The rows of samples stay whole.
static int first_axis(const maker *m) {
    return m->kind == RANDOM_SAMPLES;
}

static bool make_slice(maker *m) {
    candidate c = pick(m);
    evn_shape s = shape_of(m, c.value);
    int64_t start[EVN_MAX_RANK] = {0};
    for (int i = first_axis(m); i < s.rank; ++i) {
        start[i] = draw(m, 2) ? draw(m, s.dim[i]) : 0;
        s.dim[i] -= start[i];
        s.dim[i] -= draw(m, 3) ? 0 : draw(m, s.dim[i]);
    }
    return offer(m, evn_slice(m->graph, c.value, start, s), c.bound, c.exact);
}

static bool make_pad(maker *m) {
    candidate c = pick(m);
    evn_shape s = shape_of(m, c.value);
    int64_t start[EVN_MAX_RANK] = {0};
    for (int i = first_axis(m); i < s.rank; ++i) {
        start[i] = draw(m, 3);
        s.dim[i] += start[i] + draw(m, 3);
    }
    return offer(m, evn_pad(m->graph, c.value, start, s), c.bound, c.exact);
}

static bool make_concat(maker *m) {
    candidate c = pick(m);
    evn_shape s = shape_of(m, c.value);
    evn_value parts[3] = {c.value};
    int count = 1 + (int)draw(m, 3);
    if (s.rank <= first_axis(m)) {
        return false;
    }
    for (int i = 1; i < count; ++i) {
        candidate other = pick_same(m, s);
        parts[i] = other.value;
        c.bound = fmax(c.bound, other.bound);
        c.exact = c.exact && other.exact;
    }
    int axis = first_axis(m) + (int)draw(m, s.rank - first_axis(m));
    return offer(m, evn_concat(m->graph, parts, count, axis), c.bound, c.exact);
}

static bool make_table(maker *m) {
    double data[17];
    for (int i = 0; i < 17; ++i) {
        data[i] = 2 * fraction(m) - 1;
    }
    return offer(m, evn_table(m->graph, EVN_SHAPE(1 + draw(m, 17)), data), 1, false);
}

// Kernels -----------------------------------------------------------------------------------------

/// `c`, scaled down so that sums of so many terms are small: what comes of a kernel is then read as
/// it is.
static candidate tamed(maker *m, candidate c, double terms) {
    if (c.bound * terms > LARGEST_BOUND) {
        c.value = evn_scale(m->graph, c.value, 2 / (c.bound * terms));
        c.bound = 2 / terms;
        c.exact = false;
    }
    return c;
}

static bool make_sum(maker *m) {
    candidate c = pick(m);
    evn_shape s = shape_of(m, c.value);
    unsigned all = (1u << s.rank) - 1, axes = draw(m, 2) ? (unsigned)draw(m, all + 1) : all;
    double terms = 1;
    for (int i = 0; i < s.rank; ++i) {
        terms *= axes >> i & 1 ? (double)s.dim[i] : 1;
    }
    c = tamed(m, c, terms);
    evn_value sum = axes == all ? evn_sum_all(m->graph, c.value) : evn_sum(m->graph, c.value, axes);
    return offer(m, sum, c.bound * terms, false);
}

static bool make_matmul(maker *m) {
    candidate a = pick_matrix(m), b = pick_matrix(m);
    evn_shape s = shape_of(m, a.value), t = shape_of(m, b.value);
    bool ta = draw(m, 2), tb = draw(m, 2);
    int64_t terms = s.dim[!ta];
    if (t.dim[tb] != terms) {
        const int64_t extents[] = {1, 3, 16, 33, 64};
        int64_t n = terms > 1000 ? 1 : extents[draw(m, 5)];
        b = new_input(m, tb ? EVN_SHAPE(n, terms) : EVN_SHAPE(terms, n));
    }
    a = tamed(m, a, b.bound * (double)terms);
    return offer(m, evn_matmul(m->graph, a.value, b.value, ta, tb),
                 a.bound * b.bound * (double)terms, false);
}

static bool make_convolution(maker *m) {
    candidate x = pick_image(m);
    evn_shape s = shape_of(m, x.value);
    x = tamed(m, x, 9 * (double)s.dim[3]);
    const int64_t channels[] = {1, 4, 16, 19};
    evn_conv2d_options o = {.stride = 1 + (int)draw(m, 2), .padding = (int)draw(m, 3)};
    evn_shape w = EVN_SHAPE(1 + draw(m, 3), 1 + draw(m, 3), s.dim[3], channels[draw(m, 4)]);
    double terms = (double)(w.dim[0] * w.dim[1]);
    int which = (int)draw(m, 3);
    if (which == 0) {
        candidate c = new_input(m, w);
        evn_value y = evn_conv2d(m->graph, x.value, c.value, o);
        return offer(m, y, x.bound * terms * (double)s.dim[3], false);
    } else if (which == 1) { // x is y_bar
        candidate c = new_input(m, EVN_SHAPE(w.dim[0], w.dim[1], w.dim[3], s.dim[3]));
        evn_shape to = s;
        for (int i = 1; i < 3; ++i) {
            to.dim[i] = (s.dim[i] - 1) * o.stride + w.dim[i - 1] - 2 * o.padding;
        }
        to.dim[3] = w.dim[3];
        if (to.dim[1] > 0 && to.dim[2] > 0) {
            evn_value y = evn_conv2d_input_grad(m->graph, x.value, c.value, to, o);
            return offer(m, y, x.bound * terms * (double)s.dim[3], false);
        }
    } else {
        evn_shape y = s;
        for (int i = 1; i < 3; ++i) {
            y.dim[i] = (s.dim[i] + 2 * o.padding - w.dim[i - 1]) / o.stride + 1;
        }
        y.dim[3] = w.dim[3];
        candidate c = pick_same(m, y);
        evn_value w_bar = evn_conv2d_weight_grad(m->graph, x.value, c.value, w, o);
        return offer(m, w_bar, x.bound * c.bound * (double)(y.dim[0] * y.dim[1] * y.dim[2]), false);
    }
    return false;
}

static bool make_normalization(maker *m) {
    candidate x = pick(m);
    evn_shape s = shape_of(m, x.value);
    if (s.rank < 2) {
        return false;
    }
    int64_t channels = s.dim[s.rank - 1];
    int groups = 1 + (int)draw(m, channels);
    while (channels % groups != 0) {
        --groups;
    }
    if (draw(m, 2)) {
        return offer(m, evn_normalize(m->graph, x.value, groups, 0.3), 4 * x.bound, false);
    }
    candidate v = pick_same(m, s);
    evn_value y = evn_normalize_grad(m->graph, x.value, v.value, groups, 0.3);
    return offer(m, y, 16 * v.bound, false);
}

static bool make_softmax(maker *m) {
    candidate x = pick(m);
    return shape_of(m, x.value).rank > 0 &&
           offer(m, evn_log_softmax(m->graph, x.value), 2 * x.bound + 10, false);
}

static bool make_solve(maker *m) {
    int64_t n = draw(m, 2) ? 1 : 4, batch = m->kind == RANDOM_SAMPLES ? m->batch : 1 + draw(m, 20);
    candidate b = pick_same(m, EVN_SHAPE(batch, n)), a = pick_same(m, EVN_SHAPE(batch, n * n));
    evn_value small = evn_scale(m->graph, a.value, 0.5 / ((double)n * fmax(a.bound, 1)));
    evn_value x = n == 1 && m->kind != RANDOM_SAMPLES
                      ? row_system_of_all(m->graph, small, b.value)
                      : row_system_of_each(m->graph, small, b.value, draw(m, 2));
    return offer(m, x, 2 * b.bound, false);
}

static bool make_mean_pool(maker *m) {
    candidate x = pick_image(m);
    evn_shape s = shape_of(m, x.value);
    int window = 1 + (int)draw(m, 3), stride = 1 + (int)draw(m, 2);
    if (draw(m, 2)) {
        return offer(m, evn_mean_pool2d(m->graph, x.value, window, stride), x.bound, false);
    }
    s.dim[1] = (s.dim[1] - 1) * stride + window;
    s.dim[2] = (s.dim[2] - 1) * stride + window;
    return offer(m, evn_mean_pool2d_grad(m->graph, x.value, s, window, stride), 9 * x.bound, false);
}

static bool make_max_pool(maker *m) {
    candidate x = pick_exact(m, 4);
    evn_shape s = shape_of(m, x.value);
    int window = 1 + (int)draw(m, 3), stride = 1 + (int)draw(m, 2), which = (int)draw(m, 3);
    if (s.dim[1] < window || s.dim[2] < window) {
        return false;
    }
    if (which == 0) {
        return offer(m, evn_max_pool2d(m->graph, x.value, window, stride), x.bound, x.exact);
    } else if (which == 1) {
        candidate v = pick_same(m, s);
        evn_value y = evn_max_pool2d_select(m->graph, x.value, v.value, window, stride);
        return offer(m, y, v.bound, v.exact);
    }
    s.dim[1] = (s.dim[1] - window) / stride + 1;
    s.dim[2] = (s.dim[2] - window) / stride + 1;
    candidate y = pick_same(m, s);
    evn_value x_bar = evn_max_pool2d_scatter(m->graph, x.value, y.value, window, stride);
    return offer(m, x_bar, 9 * y.bound, false);
}

// Samples -----------------------------------------------------------------------------------------

static bool is_rows(const maker *m, evn_value value) {
    evn_shape s = shape_of(m, value);
    return s.rank == 2 && s.dim[0] == m->batch;
}

/// A product of rows with weights, or, of two values of rows, a sum over the samples.
static bool make_sample_product(maker *m) {
    candidate a = pick(m), b = pick(m);
    const int64_t extents[] = {1, 3, 8, 20};
    if (!is_rows(m, a.value)) {
        return false;
    }
    if (draw(m, 4) == 0 && is_rows(m, b.value)) {
        double terms = (double)m->batch;
        return offer(m, evn_matmul(m->graph, a.value, b.value, true, false),
                     a.bound * b.bound * terms, false);
    }
    int64_t terms = shape_of(m, a.value).dim[1], n = extents[draw(m, 4)];
    bool transposed = draw(m, 2);
    b = new_input(m, transposed ? EVN_SHAPE(n, terms) : EVN_SHAPE(terms, n));
    return offer(m, evn_matmul(m->graph, a.value, b.value, false, transposed),
                 a.bound * (double)terms, false);
}

static bool make_sample_sum(maker *m) {
    candidate a = pick(m);
    unsigned axes = draw(m, 3) ? 2 : 1;
    int64_t terms = shape_of(m, a.value).dim[axes == 1 ? 0 : 1];
    return is_rows(m, a.value) &&
           offer(m, evn_sum(m->graph, a.value, axes), a.bound * (double)terms, false);
}

// Graphs ------------------------------------------------------------------------------------------

/// What comes of a kernel is often read by one element-wise operation alone, and then by others.
static void go_on(maker *m) {
    const candidate *last = &m->known[m->count - 1];
    evn_value value = last->value;
    while (m->graph->nodes[value].op == EVN__OP_RESHAPE) {
        value = m->graph->nodes[value].operands[0];
    }
    if (evn__op_table[m->graph->nodes[value].op].class == EVN__CLASS_KERNEL && draw(m, 2)) {
        value = last->value;
        --m->count;
        offer(m, draw(m, 2) ? evn_tanh(m->graph, value) : evn_sin(m->graph, value), 1, false);
    }
}

typedef bool make(maker *m); ///< whether something came of it

static void make_one(maker *m) {
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
    make *chosen = m->kind == RANDOM_ANY ? any[draw(m, sizeof(any) / sizeof(*any))]
                   : m->kind == RANDOM_SMOOTH
                       ? smooth[draw(m, sizeof(smooth) / sizeof(*smooth))]
                       : samples[draw(m, sizeof(samples) / sizeof(*samples))];
    chosen(m);
    go_on(m);
}

/// Shapes on both sides of what the planner looks at: 16 rows and columns, 2,048 and 16,384
/// elements.
static evn_shape draw_shape(maker *m) {
    const evn_shape shapes[] = {EVN_SCALAR,          EVN_SHAPE(1),        EVN_SHAPE(7),
                                EVN_SHAPE(16),       EVN_SHAPE(15, 16),   EVN_SHAPE(16, 16),
                                EVN_SHAPE(17, 15),   EVN_SHAPE(128, 16),  EVN_SHAPE(2049),
                                EVN_SHAPE(40, 33),   EVN_SHAPE(3, 5, 7),  EVN_SHAPE(2, 6, 5, 16),
                                EVN_SHAPE(127, 129), EVN_SHAPE(128, 128), EVN_SHAPE(4, 16, 16, 17)};
    evn_shape shape;
    do {
        shape = shapes[draw(m, sizeof(shapes) / sizeof(*shapes))];
    } while (evn_shape_count(shape) > m->elements);
    return shape;
}

static void start(maker *m) {
    const int64_t batches[] = {2, 15, 16, 33, 100};
    m->batch = batches[draw(m, 5)];
    const evn_shape rows[] = {EVN_SHAPE(m->batch, 1 + draw(m, 9)), EVN_SHAPE(m->batch, 1),
                              EVN_SCALAR};
    for (int i = 0; i < 3; ++i) {
        new_input(m, m->kind == RANDOM_SAMPLES ? rows[i] : draw_shape(m));
    }
}

/// The last value, most that nobody reads, and now and then one that is read too.
static void name_outputs(maker *m) {
    char name[16];
    for (int i = m->count - 1, named = 0; i >= 0 && named < 8; --i) {
        candidate *c = &m->known[i];
        int64_t often = count_of(m, c->value) == 1 ? 3 : 12; // scalars are planned unlike the rest
        bool taken = named == 0 || (c->read ? draw(m, often) == 0 : draw(m, 8) != 0);
        if (taken) {
            snprintf(name, sizeof(name), "y%d", named++);
            evn_output(m->graph, name, c->value);
        }
    }
}

evn_graph *random_graph(uint64_t seed, random_kind kind, int nodes, int64_t elements) {
    maker m = {.kind = kind, .state = seed * 1000003 + kind, .elements = elements};
    TRY(evn_graph_create(&m.graph));
    start(&m);
    for (int tries = 0; m.graph->node_count < nodes && tries < 4 * nodes; ++tries) {
        make_one(&m);
    }
    name_outputs(&m);
    TRY(evn_graph_status(m.graph));
    return m.graph;
}
