// SPDX-License-Identifier: Apache-2.0
// Solves whose steps the device controls against a loop on the host that waits for each error.
#include "integrator/integrator.h"
#include "integrator/step_control.h"
#include "methods/step.h"
#include "plan/real.h"
#include "problem.h"
#include "test.h"
#include <stdlib.h>

typedef struct host_solve {
    evn_plan *start, *step;
    evn_buffer *scalars, *state[2], *slopes[2];
    evn__layout layout, slope_layout;
    bool fp64;
    int accepted, rejected, now;
} host_solve;

static evn_plan *compile(const evn_graph *graph, bool fp64) {
    static const char *const samples[] = {"x", "x_bar", "dx_first", "dx_bar_first", NULL};
    evn_plan_options options = {.fp64 = fp64, .sample_inputs = samples};
    evn_plan *plan = NULL;
    TRY(evn_plan_create(test_device(), graph, &options, &plan));
    return plan;
}

static evn_binding scalar(const host_solve *h, int index) {
    return (evn_binding){h->scalars, (size_t)index};
}

/// t, dt, states, parameters, slopes if `step`, rtol, atol.
static void bind(const host_solve *h, const problem *p, bool step, evn_binding *to) {
    *to++ = scalar(h, 0);
    *to++ = scalar(h, 1);
    to = evn__layout_bind(&h->layout, h->state[h->now], to);
    for (int i = 0; i < p->weight_count; ++i) {
        if (!p->dynamics->weights[i].evolves) {
            to[p->dynamics->weights[i].index] = p->weights[i];
        }
    }
    to += p->dynamics->system.parameter_count;
    to = step ? evn__layout_bind(&h->slope_layout, h->slopes[h->now], to) : to;
    *to++ = scalar(h, 2);
    *to = scalar(h, 3);
}

static double run(host_solve *h, const problem *p, bool step, double t, double dt) {
    evn_binding inputs[64], outputs[64], *to = outputs;
    double values[] = {t, dt}, result;
    TRY(evn__real_write(scalar(h, 0), h->fp64, values, 2));
    bind(h, p, step, inputs);
    to = step ? evn__layout_bind(&h->layout, h->state[!h->now], to) : to;
    to = evn__layout_bind(&h->slope_layout, h->slopes[step ? !h->now : h->now], to);
    *to = scalar(h, 4);
    TRY(evn_plan_run(step ? h->step : h->start, inputs, outputs));
    TRY(evn__real_read(scalar(h, 4), h->fp64, &result, 1));
    return result;
}

static void prepare_host(host_solve *h, const problem *p, const evn_solver_options *options) {
    const evn__system *system = &p->dynamics->system;
    const evn__stepper *stepper = evn__stepper_find("dopri5");
    double tolerances[] = {options->rtol, options->atol};
    evn_graph *graph = NULL;
    *h = (host_solve){.fp64 = options->fp64};
    TRY(evn__start_graph(system, stepper, &graph));
    h->start = compile(graph, h->fp64);
    evn_graph_destroy(&graph);
    TRY(evn__adaptive_step_graph(system, stepper, &graph));
    h->step = compile(graph, h->fp64);
    evn_graph_destroy(&graph);
    TRY(evn__layout_create(system, &h->layout));
    TRY(evn__layout_create_outputs(system, &h->slope_layout));
    TRY(evn__real_create(test_device(), h->fp64, 5, &h->scalars));
    TRY(evn__real_write(scalar(h, 2), h->fp64, tolerances, 2));
    for (int i = 0; i < 2; ++i) {
        TRY(evn__real_create(test_device(), h->fp64, h->layout.total, &h->state[i]));
        TRY(evn__real_create(test_device(), h->fp64, h->slope_layout.total, &h->slopes[i]));
    }
}

static void load_host(host_solve *h, const problem *p) {
    TRY(evn__real_copy((evn_binding){h->state[0], 0}, p->x0_at, h->fp64, (size_t)p->x_count));
    for (int i = 0; i < p->weight_count; ++i) {
        const evn__weight *w = &p->dynamics->weights[i];
        if (w->evolves) {
            TRY(evn__real_copy((evn_binding){h->state[0], h->layout.offset[w->index]},
                               p->weights[i], h->fp64, (size_t)p->weight_size[i]));
        }
    }
}

/// The step control on the host, with an error read for each step.
static void solve_on_host(host_solve *h, const problem *p, double t0, double t1) {
    const evn_solver_options options = evn_solver_options_default();
    evn__step_rules rules = evn__step_rules_of(&options, evn__stepper_find("dopri5"));
    evn__step_control c;
    rules.rounds = false;
    load_host(h, p);
    evn__step_control_begin(&c, &rules, t0, t1, t1, run(h, p, false, t0, t1 - t0));
    while (c.goes) {
        double error = run(h, p, true, c.seen, c.dt);
        if (error <= 1) {
            h->now = !h->now;
            evn__step_control_accept(&c, &rules, error);
        } else {
            evn__step_control_reject(&c, &rules, error);
        }
    }
    ck_assert_int_eq(c.outcome, EVN_OUTCOME_DONE);
    h->accepted = c.accepted;
    h->rejected = c.rejected;
}

static void free_host(host_solve *h) {
    evn_plan_destroy(&h->start);
    evn_plan_destroy(&h->step);
    evn_buffer_destroy(&h->scalars);
    for (int i = 0; i < 2; ++i) {
        evn_buffer_destroy(&h->state[i]);
        evn_buffer_destroy(&h->slopes[i]);
    }
    evn__layout_free(&h->layout);
    evn__layout_free(&h->slope_layout);
}

/// The same steps, accepted and rejected, and the same bits of the state at the end: also of a
/// solve whose steps are enqueued together, after the first ones.
START_TEST(steps_are_those_of_a_host) {
    problem p = _i < 2 ? problem_node_ew(7) : problem_linear();
    evn_solver_options options = evn_solver_options_default();
    options.rtol = options.atol = _i % 2 ? 1e-6 : 1e-4;
    double t1 = _i < 2 ? 3 : -20, *x = calloc((size_t)p.x_count, sizeof(*x));
    host_solve h;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, t1);
    prepare_host(&h, &p, &options);
    solve_on_host(&h, &p, 0, t1);
    TRY(evn__real_read((evn_binding){h.state[h.now], 0}, false, x, (size_t)p.x_count));
    for (int i = 0; i < 4; ++i) {
        ck_assert_int_eq(p.solution.accepted, h.accepted);
        ck_assert_int_eq(p.solution.rejected, h.rejected);
        ck_assert_mem_eq(p.x1, x, sizeof(*x) * (size_t)p.x_count);
        problem_solve(&p, 0, t1);
    }
    free(x);
    free_host(&h);
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("integrator/host_control");
    TCase *host = tcase_create("host");
    tcase_add_loop_test(host, steps_are_those_of_a_host, 0, 4);
    suite_add_tcase(s, host);
    return s;
}

int main(void) {
    return test_run(suite());
}
