// SPDX-License-Identifier: Apache-2.0
#include "methods/adams_between.h"

#include "kernels/shared.h"
#include <string.h>

enum { MOST = EVN__ADAMS_TERMS };

_Static_assert((int)MOST <= (int)EVN__INTERPOLANT_MOST_TERMS, "steps have room for so many terms");

/// Polynomials are Σ a_p b_p, b_p = f₁ … f_p, the products of an interpolant's factors: what is
/// smooth has terms that become small, in whose sum few digits are lost.
typedef struct terms {
    double a[MOST];
} terms;

/// θ p, of a degree that leaves room.
static terms times_theta(int count, const terms *p) {
    terms product = {{0}};
    for (int i = 0; i + 1 < count; ++i) {
        bool mirrors = EVN_FACTOR_MIRRORS(count, i + 1); // b_{i+1} = (1 − θ) b_i
        product.a[i] += mirrors ? p->a[i] : 0;
        product.a[i + 1] += mirrors ? -p->a[i] : p->a[i];
    }
    return product;
}

static void add(terms *to, double factor, const terms *p) {
    for (int i = 0; i < MOST; ++i) {
        to->a[i] += factor * p->a[i];
    }
}

/// db_p/dθ, by the product rule.
static void find_slopes(int count, terms slopes[MOST]) {
    memset(slopes, 0, sizeof(*slopes) * MOST);
    for (int p = 0; p + 1 < count; ++p) {
        bool mirrors = EVN_FACTOR_MIRRORS(count, p + 1);
        const terms moved = times_theta(count, &slopes[p]);
        add(&slopes[p + 1], mirrors ? -1 : 1, &moved);
        add(&slopes[p + 1], mirrors ? 1 : 0, &slopes[p]);
        slopes[p + 1].a[p] += mirrors ? -1 : 1;
    }
}

/// The integral of b_p from 0 on: slopes of b_q are Σ over those before b_q.
static terms integral_of(int count, const terms slopes[MOST], int p) {
    terms rest = {{0}}, sum = {{0}};
    rest.a[p] = 1;
    for (int q = count - 1; q > 0; --q) {
        sum.a[q] = rest.a[q - 1] / slopes[q].a[q - 1];
        add(&rest, -sum.a[q], &slopes[q]);
    }
    return sum;
}

/// [count, count] of what becomes of each b_p but the last, for which there is no room.
static evn_value table(evn_graph *graph, int count, bool integrates) {
    double entries[MOST * MOST] = {0};
    terms slopes[MOST];
    find_slopes(count, slopes);
    for (int p = 0; p + 1 < count; ++p) {
        terms one = {{0}};
        one.a[p] = 1;
        const terms made = integrates ? integral_of(count, slopes, p) : times_theta(count, &one);
        for (int q = 0; q < count; ++q) {
            entries[q * count + p] = made.a[q];
        }
    }
    return evn_table(graph, EVN_SHAPE(count, count), entries);
}

/// 1 at `which` of `count`, else 0: a column.
static evn_value unit(evn_graph *graph, int count, int which) {
    double one[MOST] = {0};
    one[which] = 1;
    return evn__adams_column(graph, count, one);
}

evn_value evn__adams_between(const evn__step_build *step, const evn__adams *adams,
                             const evn__adams_formula *f) {
    evn_graph *g = step->graph;
    int orders = adams->orders, count = EVN__ADAMS_TERMS_OF(orders);
    evn_value moves = table(g, count, false), integrals = table(g, count, true);
    evn_value c = unit(g, count, 0), sum = evn_constant(g, 0);
    for (int i = 0; i <= orders; ++i) {
        evn_value integral = evn_matmul(g, integrals, c, false, false);
        sum = evn_add(g, sum, evn_matmul(g, integral, unit(g, orders + 1, i), false, true));
        if (i < orders) {
            evn_value moved = evn_matmul(g, moves, c, false, false);
            c = evn_add(g, moved, evn_mul(g, evn__adams_number(g, f->rest, i), c));
            c = evn_div(g, c, evn__adams_number(g, f->reach, i));
        }
    }
    return sum;
}
