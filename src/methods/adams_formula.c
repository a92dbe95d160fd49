// SPDX-License-Identifier: Apache-2.0
#include "methods/adams_formula.h"

#include "graph/node.h"
#include "methods/history.h"

enum { MOST = EVN__ADAMS_ORDERS };

/// Nodes of Gauss and Legendre's quadrature on [0, 1], exact to degree 13: that of c_{K+1} is K.
enum { NODES = 7 };
static const double nodes[NODES] = {
    0.025446043828620737737, 0.12923440720030278007, 0.29707742431130141655, 0.5,
    0.70292257568869858345,  0.87076559279969721993, 0.97455395617137926226};
static const double weights[NODES] = {
    0.064742483084434846635, 0.13985269574463833395, 0.19091502525255947248, 0.20897959183673469388,
    0.19091502525255947248,  0.13985269574463833395, 0.064742483084434846635};

/// −γ*_i of Adams and Moulton's formulas of equal steps, i from 1: γ*_m = −Σ_{j<m} γ*_j / (m + 1 −
/// j), γ*_0 = 1 (Hairer, Nørsett, Wanner: Solving ODEs I, III.1).
static void find_moulton(int orders, double *errors) {
    double gamma[MOST + 1] = {1};
    for (int m = 1; m <= orders; ++m) {
        for (int j = 0; j < m; ++j) {
            gamma[m] -= gamma[j] / (m + 1 - j);
        }
        errors[m - 1] = -gamma[m];
    }
}

evn_value evn__adams_column(evn_graph *graph, int count, const double *data) {
    return evn_table(graph, EVN_SHAPE(count, 1), data);
}

/// Lower triangle of ones, with its diagonal or without: sums of what is up to i, or before it.
static evn_value triangle(evn_graph *graph, int orders, bool diagonal) {
    double ones[MOST * MOST];
    for (int i = 0; i < orders; ++i) {
        for (int j = 0; j < orders; ++j) {
            ones[i * orders + j] = j < i || (diagonal && i == j);
        }
    }
    return evn_table(graph, EVN_SHAPE(orders, orders), ones);
}

evn_value evn__adams_entry(const evn__step_build *step, int entry) {
    evn_graph *g = step->graph;
    const int64_t start[] = {entry};
    evn_value schedule = step->states[evn__history_schedule(step->system)];
    return evn_reshape(g, evn_slice(g, schedule, start, EVN_SHAPE(1)), EVN_SCALAR);
}

evn_value evn__adams_number(evn_graph *graph, evn_value column, int index) {
    const int64_t start[] = {index, 0};
    return evn_reshape(graph, evn_slice(graph, column, start, EVN_SHAPE(1, 1)), EVN_SCALAR);
}

static evn_value lengths(const evn__step_build *step, int orders) {
    evn_graph *g = step->graph;
    const int64_t start[] = {EVN__SCHEDULE_LENGTHS};
    evn_value schedule = step->states[evn__history_schedule(step->system)];
    return evn_reshape(g, evn_slice(g, schedule, start, EVN_SHAPE(orders)), EVN_SHAPE(orders, 1));
}

/// i + offset
static evn_value counted(evn_graph *g, int orders, double offset) {
    double numbers[MOST];
    for (int i = 0; i < orders; ++i) {
        numbers[i] = i + 1 + offset;
    }
    return evn__adams_column(g, orders, numbers);
}

/// 1 where i is at most `last`, a whole number.
static evn_value up_to(evn_graph *g, int orders, evn_value last) {
    return evn_step(g, evn_sub(g, last, counted(g, orders, -0.5)));
}

evn_value evn__adams_used(const evn__step_build *step, const evn__adams_formula *formula,
                          int orders, int away) {
    evn_graph *g = step->graph;
    return up_to(g, orders, evn_add(g, formula->order, evn_constant(g, away)));
}

evn_value evn__adams_at_order(const evn__step_build *step, const evn__adams_formula *formula,
                              evn_value x, int away) {
    evn_graph *g = step->graph;
    int orders = (int)evn_value_shape(g, x).dim[0];
    evn_value at = evn_abs(g, evn_sub(g, formula->order, counted(g, orders, -away)));
    return evn_mask(g, x, evn_sub(g, evn_constant(g, 0.5), at));
}

/// Of each row the product of those up to it, or before it. All factors are above 0.
static evn_value products(evn_graph *g, evn_value factors, bool own) {
    int orders = (int)evn_value_shape(g, factors).dim[0];
    evn_value sums = evn_matmul(g, triangle(g, orders, own), evn_log(g, factors), false, false);
    return evn_exp(g, sums);
}

/// What is 1 where nothing is behind.
static evn_value ratio(evn_graph *g, evn_value over, evn_value under, evn_value behind) {
    evn_value one = evn_constant(g, 1);
    over = evn_add(g, one, evn_mask(g, evn_sub(g, over, one), behind));
    under = evn_add(g, one, evn_mask(g, evn_sub(g, under, one), behind));
    return evn_div(g, over, under);
}

/// From t back to the beginning of each step, or to its end, in dt.
static evn_value sums_of_lengths(const evn__step_build *step, int orders, bool own) {
    evn_graph *g = step->graph;
    evn_value sums = evn_matmul(g, triangle(g, orders, own), lengths(step, orders), false, false);
    return evn_div(g, sums, step->dt);
}

static evn_value choose_order(const evn__step_build *step, const evn__adams *adams,
                              evn_value count) {
    evn_graph *g = step->graph;
    evn_value one = evn_constant(g, 1), most = evn_constant(g, adams->orders);
    if (adams->chooses) {
        return evn_add(g, one, evn__adams_entry(step, EVN__SCHEDULE_RAISED));
    }
    return evn__minimum(g, evn_add(g, count, one), most);
}

evn__adams_formula evn__adams_formula_build(evn__step_build *step, const evn__adams *adams) {
    evn_graph *g = step->graph;
    int orders = adams->orders;
    double errors[MOST];
    find_moulton(orders, errors);
    evn__adams_formula f = {.count = evn__adams_entry(step, EVN__SCHEDULE_COUNT)};
    f.order = choose_order(step, adams, f.count);
    f.behind = up_to(g, orders, f.count);
    f.known = up_to(g, orders, evn_add(g, f.count, evn_constant(g, 1)));
    f.used = up_to(g, orders, f.order);
    evn_value before = sums_of_lengths(step, orders, true);
    f.rest = sums_of_lengths(step, orders, false);
    f.reach = evn_add(g, f.rest, evn_constant(g, 1));
    f.scale = products(g, ratio(g, f.reach, before, f.behind), false);
    evn_value even = products(g, evn_div(g, counted(g, orders, 0), f.reach), true);
    f.even = evn_mul(g, even, evn__adams_column(g, orders, errors));
    evn_value at = evn_table(g, EVN_SHAPE(1, NODES), nodes);
    evn_value factors = evn_div(g, evn_add(g, at, f.rest), f.reach);
    evn_value parts = evn__adams_column(g, NODES, weights);
    f.gain = evn_matmul(g, products(g, factors, true), parts, false, false);
    f.integral = evn_matmul(g, products(g, factors, false), parts, false, false);
    return f;
}
