// SPDX-License-Identifier: Apache-2.0
#include "written_solve.h"

#include "evonode/diff.h"
#include "host/runtime.h"
#include "integrator/integrator.h"
#include "plan/real.h"
#include "ref/ref.h"
#include "test.h"
#include <stdio.h>
#include <string.h>

void written_solve_begin(written_solve *w, const problem *p, const char *method) {
    *w = (written_solve){.p = p, .count = p->weight_count + 1};
    TRY(evn_graph_create(&w->graph));
    TRY(evn__unroll_create(p->dynamics, method, &w->unroll));
    for (int i = 0; i < w->count; ++i) {
        evn_shape shape = i == 0 ? evn_dynamics_state_shape(p->dynamics)
                                 : evn_dynamics_weight_shape(p->dynamics, i - 1);
        const char *name = i == 0 ? "x" : evn_dynamics_weight_name(p->dynamics, i - 1);
        w->first[i] = w->at[i] = w->pair[i] = evn_input(w->graph, name, shape);
    }
    w->sum = evn_constant(w->graph, 0);
}

void written_solve_observe(written_solve *w) {
    const double *weights = w->p->x1_bar + w->observed++ * w->p->x_count;
    evn_shape shape = evn_dynamics_state_shape(w->p->dynamics);
    evn_value share = evn_mul(w->graph, w->at[0], evn_table(w->graph, shape, weights));
    w->sum = evn_add(w->graph, w->sum, evn_sum_all(w->graph, share));
}

void written_solve_step(written_solve *w, double t, double dt) {
    TRY(evn__unroll_step(w->unroll, w->graph, t, dt, &w->at[0], w->at + 1));
}

/// to[i] += sign (what a step of the method from `from` changes).
static void change(written_solve *w, double t, double dt, const evn_value *from, double sign,
                   evn_value *to) {
    evn_value next[WRITTEN_SOLVE_STATES];
    memcpy(next, from, sizeof(next));
    TRY(evn__unroll_step(w->unroll, w->graph, t, dt, &next[0], next + 1));
    for (int i = 0; i < w->count; ++i) {
        evn_value change = evn_sub(w->graph, next[i], from[i]);
        to[i] = evn_add(w->graph, to[i], evn_scale(w->graph, change, sign));
    }
}

void written_solve_reversible_step(written_solve *w, double t, double dt, double coupling) {
    for (int i = 0; i < w->count; ++i) {
        w->at[i] = evn_add(w->graph, evn_scale(w->graph, w->at[i], coupling),
                           evn_scale(w->graph, w->pair[i], 1 - coupling));
    }
    change(w, t, dt, w->pair, 1, w->at);
    change(w, t + dt, -dt, w->at, -1, w->pair);
}

int written_solve_gradient(written_solve *w, double *all) {
    const problem *p = w->p;
    evn_value seed = evn_constant(w->graph, 1), bars[WRITTEN_SOLVE_STATES];
    const double *inputs[WRITTEN_SOLVE_STATES];
    double *outputs[WRITTEN_SOLVE_STATES];
    int total = 0;
    TRY(evn_pullback(w->graph, &w->sum, &seed, 1, w->first, w->count, bars));
    for (int i = 0; i < w->count; ++i) {
        char name[32];
        snprintf(name, sizeof(name), "bar%d", i);
        evn_output(w->graph, name, bars[i]);
        inputs[i] = i == 0 ? p->x0 : p->weight[i - 1];
        outputs[i] = all + total;
        total += i == 0 ? p->x_count : p->weight_size[i - 1];
    }
    ck_assert_int_le(total, WRITTEN_SOLVE_RESULTS);
    TRY(evn__ref_run(w->graph, inputs, outputs));
    evn__unroll_destroy(&w->unroll);
    evn_graph_destroy(&w->graph);
    return total;
}

void written_solve_accepted(const problem *p, const evn_solver_options *options,
                            evn__trail *trail) {
    evn__course course;
    evn__integrator *in = NULL;
    evn_solution solution;
    evn_binding parameters[PROBLEM_WEIGHTS];
    evn_buffer *buffer = NULL;
    const evn_dynamics *d = p->dynamics;
    TRY(evn__course_create(options, &course));
    TRY(evn__integrator_create(test_device(), &d->system, options, &course, false, &in));
    TRY(evn__real_write(evn__integrator_state(in, 0), true, p->x0, (size_t)p->x_count));
    TRY(evn__real_create(test_device(), true, WRITTEN_SOLVE_RESULTS, &buffer));
    size_t at = 0;
    for (int i = 0; i < p->weight_count; at += (size_t)p->weight_size[i++]) {
        evn_binding to = d->weights[i].evolves ? evn__integrator_state(in, d->weights[i].index)
                                               : (evn_binding){buffer, at};
        if (!d->weights[i].evolves) {
            parameters[d->weights[i].index] = to;
        }
        TRY(evn__real_write(to, true, p->weight[i], (size_t)p->weight_size[i]));
    }
    evn_buffer *series = NULL;
    TRY(evn__real_create(test_device(), true, WRITTEN_SOLVE_RESULTS, &series));
    const evn__way way = {
        .t0 = 0, .t1 = 1, .series = {options->observations > 0 ? series : NULL, 0}};
    TRY(evn__integrate(in, &way, parameters, &solution));
    const evn__trail *found = evn__integrator_trail(in);
    for (int i = 0; i < found->count; ++i) {
        TRY(evn__trail_add(trail, found->steps[i].t, found->steps[i].dt,
                           found->steps[i].observation));
    }
    ck_assert_double_eq_tol(found->steps[found->count - 1].t + found->steps[found->count - 1].dt, 1,
                            1e-14);
    evn_buffer_destroy(&buffer);
    evn_buffer_destroy(&series);
    evn__integrator_destroy(&in);
    evn__course_free(&course);
}
