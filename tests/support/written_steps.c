// SPDX-License-Identifier: Apache-2.0
#include "written_steps.h"

#include "evonode/diff.h"
#include "ref/ref.h"
#include "test.h"
#include <stdio.h>
#include <string.h>

void written_steps_begin(written_steps *w, const problem *p) {
    *w = (written_steps){.p = p, .count = p->weight_count + 1};
    TRY(evn_graph_create(&w->graph));
    TRY(evn__unroll_create(p->dynamics, "rk4", &w->first));
    for (int i = 0; i < w->count; ++i) {
        evn_shape shape = i == 0 ? evn_dynamics_state_shape(p->dynamics)
                                 : evn_dynamics_weight_shape(p->dynamics, i - 1);
        const char *name = i == 0 ? "x" : evn_dynamics_weight_name(p->dynamics, i - 1);
        w->inputs[i] = w->at[i] = evn_input(w->graph, name, shape);
    }
}

/// Of x and evolving weights, EVN_NONE for others.
static void find_slopes(written_steps *w, double t, const evn_value *at, evn_value *slopes) {
    const evn_dynamics *d = w->p->dynamics;
    evn_value inputs[2 * WRITTEN_STEPS_STATES], outputs[WRITTEN_STEPS_STATES];
    inputs[0] = evn_constant(w->graph, t);
    inputs[evn__system_state(0)] = at[0];
    for (int i = 0; i < d->weight_count; ++i) {
        const evn__weight *v = &d->weights[i];
        inputs[v->evolves ? evn__system_state(v->index)
                          : evn__system_parameter(&d->system, v->index)] = at[i + 1];
    }
    TRY(evn_graph_inline(w->graph, d->system.graph, inputs, outputs));
    slopes[0] = outputs[0];
    for (int i = 0; i < d->weight_count; ++i) {
        const evn__weight *v = &d->weights[i];
        slopes[i + 1] = v->evolves ? outputs[v->index] : EVN_NONE;
    }
}

/// The integral from 0 to 1 of the polynomial that is 1 at node `index`, 0 at the others.
static double lagrange(const double *nodes, int count, int index) {
    long double p[WRITTEN_STEPS_ORDERS + 2] = {1},
                                         integral = 0; // of high degree, where doubles lose digits
    int degree = 0;
    for (int j = 0; j < count; ++j) {
        if (j != index) {
            long double scale = 1 / ((long double)nodes[index] - nodes[j]);
            for (int k = ++degree; k >= 0; --k) {
                p[k] = scale * ((k > 0 ? p[k - 1] : 0) - nodes[j] * p[k]);
            }
        }
    }
    for (int k = 0; k <= degree; ++k) {
        integral += p[k] / (k + 1);
    }
    return (double)integral;
}

/// to = at + dt Σ b_j slopes_j.
static void add_slopes(written_steps *w, double dt, const evn_value *const *slopes,
                       const double *nodes, int count, evn_value *to) {
    for (int i = 0; i < w->count; ++i) {
        to[i] = w->at[i];
        for (int j = 0; j < count && slopes[0][i] != EVN_NONE; ++j) {
            double weight = dt * lagrange(nodes, count, j);
            to[i] = evn_add(w->graph, to[i], evn_scale(w->graph, slopes[j][i], weight));
        }
    }
}

void written_steps_add(written_steps *w, double t, double dt, int order) {
    evn_value ahead[WRITTEN_STEPS_STATES], there[WRITTEN_STEPS_STATES];
    int n = w->steps++;
    ck_assert_int_lt(n, WRITTEN_STEPS_MAX);
    w->times[n] = t;
    find_slopes(w, t, w->at, w->slopes[n]);
    if (order == 0) {
        TRY(evn__unroll_step(w->first, w->graph, t, dt, &w->at[0], w->at + 1));
        return;
    }
    const evn_value *slopes[WRITTEN_STEPS_ORDERS + 1] = {there};
    double nodes[WRITTEN_STEPS_ORDERS + 1] = {1};
    for (int j = 0; j < order; ++j) {
        slopes[j + 1] = w->slopes[n - j];
        nodes[j + 1] = (w->times[n - j] - t) / dt;
    }
    add_slopes(w, dt, slopes + 1, nodes + 1, order, ahead);
    find_slopes(w, t + dt, ahead, there);
    add_slopes(w, dt, slopes, nodes, order + 1, ahead);
    memcpy(w->at, ahead, sizeof(w->at));
}

int written_steps_gradient(written_steps *w, double *x1, double *all) {
    const problem *p = w->p;
    evn_value seed = evn_constant(w->graph, 1), bars[WRITTEN_STEPS_STATES];
    evn_shape shape = evn_dynamics_state_shape(p->dynamics);
    evn_value share = evn_mul(w->graph, w->at[0], evn_table(w->graph, shape, p->x1_bar));
    evn_value sum = evn_sum_all(w->graph, share);
    const double *inputs[WRITTEN_STEPS_STATES];
    double *outputs[WRITTEN_STEPS_STATES + 1] = {x1};
    int total = 0;
    TRY(evn_pullback(w->graph, &sum, &seed, 1, w->inputs, w->count, bars));
    evn_output(w->graph, "x1", w->at[0]);
    for (int i = 0; i < w->count; ++i) {
        char name[32];
        snprintf(name, sizeof(name), "bar%d", i);
        evn_output(w->graph, name, bars[i]);
        inputs[i] = i == 0 ? p->x0 : p->weight[i - 1];
        outputs[i + 1] = all + total;
        total += i == 0 ? p->x_count : p->weight_size[i - 1];
    }
    ck_assert_int_le(total, WRITTEN_STEPS_RESULTS);
    TRY(evn__ref_run(w->graph, inputs, outputs));
    evn__unroll_destroy(&w->first);
    evn_graph_destroy(&w->graph);
    return total;
}
