// SPDX-License-Identifier: Apache-2.0
#include "task/chain.h"

#include "base/memory.h"
#include "evonode/diff.h"
#include "plan/real.h"
#include "task/bound_plan.h"
#include "task/learnt_solver.h"
#include <math.h>
#include <stdlib.h>

/// A stage: a plan, or a solver.
typedef struct stage {
    evn__bound_plan plan;
    evn__learnt_solver learnt;
    bool keeps_rejected; ///< attempts of adaptive steps
    int seed;            ///< the plan's input for the cotangent of what the stage gives
    evn_buffer *state;   ///< what the plan gives, then the cotangent of what it takes
    evn_binding given, taken_bar;
} stage;

struct evn__chain {
    evn_device *device;
    const evn_model *model;
    bool trains;
    stage *stages;
    int count;
};

// Plans -------------------------------------------------------------------------------------------

/// Names of the inputs that have a cotangent: weights and, but for images, what the stage takes.
static const char **learnt_inputs(const evn_graph *graph, const evn_parameters *parameters,
                                  bool first) {
    const char **names = calloc((size_t)evn_graph_input_count(graph) + 1, sizeof(*names));
    int count = 0;
    for (int i = 0; names && i < evn_graph_input_count(graph); ++i) {
        const char *name = evn_graph_input_name(graph, i);
        bool taken = i == 0 && !first;
        if (taken || evn_parameters_find(parameters, name) >= 0) {
            names[count++] = name;
        }
    }
    return names;
}

static evn_status with_gradient(const evn__chain *c, const evn_graph *of, bool first,
                                evn_graph **graph) {
    const char **names = learnt_inputs(of, evn_model_parameters(c->model), first);
    EVN_CHECK(names, EVN_ERR_MEMORY, "no memory for the names of a stage's weights");
    evn_status status = evn_vjp(of, names, graph);
    free(names);
    return status;
}

static evn_status make_state(const evn__chain *c, const evn_graph *of, bool first, stage *made) {
    size_t given = (size_t)evn_shape_count(evn_value_shape(of, evn_graph_output(of, 0)));
    size_t taken = (size_t)evn_shape_count(evn_value_shape(of, evn_graph_input(of, 0)));
    bool has_bar = c->trains && !first;
    EVN_TRY(evn__real_create_for(c->device, EVN__USE_STATES, false, given + (has_bar ? taken : 0),
                                 &made->state));
    made->given = (evn_binding){made->state, 0};
    made->taken_bar = (evn_binding){made->state, given};
    return EVN_OK;
}

/// With a gradient the cotangent of what the stage gives, "x_bar", comes late.
static evn_status make_plan(const evn__chain *c, const evn_graph *of, bool first, stage *made) {
    evn_graph *own = NULL;
    if (c->trains) {
        EVN_TRY(with_gradient(c, of, first, &own));
    }
    const evn_graph *graph = own ? own : of;
    evn_plan_options options = {.late_inputs = own ? (const char *const[]){"x_bar", NULL} : NULL};
    evn_status status = evn__bound_plan_create(c->device, graph, &options,
                                               evn_model_parameters(c->model), &made->plan);
    if (status == EVN_OK) {
        evn__bound_plan_output(&made->plan, graph, "x", made->given);
        evn__bound_plan_output(&made->plan, graph, "x_bar", made->taken_bar);
        made->seed = evn_graph_find_input(graph, "x_bar");
    }
    evn_graph_destroy(&own);
    return status;
}

static evn_status make_stage(const evn__chain *c, const evn_solver_options *solver, int index) {
    evn_stage of = evn_model_stage(c->model, index);
    stage *made = &c->stages[index];
    if (of.dynamics) {
        made->keeps_rejected = solver->per_sample;
        return evn__learnt_solver_create(c->device, of.dynamics, evn_model_parameters(c->model),
                                         solver, &made->learnt);
    }
    EVN_TRY(make_state(c, of.graph, index == 0, made));
    return make_plan(c, of.graph, index == 0, made);
}

// Life --------------------------------------------------------------------------------------------

static evn_status make(evn__chain *c, const evn_solver_options *solver) {
    EVN_TRY(EVN_NEW(&c->stages, evn_model_stage_count(c->model)));
    for (int i = 0; i < evn_model_stage_count(c->model); ++i) {
        c->count = i + 1;
        EVN_TRY(make_stage(c, solver, i));
    }
    return EVN_OK;
}

evn_status evn__chain_create(evn_device *device, const evn_model *model,
                             const evn_solver_options *solver, bool trains, evn__chain **chain) {
    EVN_TRY(EVN_NEW(chain, 1));
    (*chain)->device = device;
    (*chain)->model = model;
    (*chain)->trains = trains;
    evn_status status = make(*chain, solver);
    if (status != EVN_OK) {
        evn__chain_destroy(chain);
    }
    return status;
}

void evn__chain_destroy(evn__chain **chain) {
    evn__chain *c = *chain;
    if (!c) {
        return;
    }
    for (int i = 0; i < c->count; ++i) {
        evn__bound_plan_free(&c->stages[i].plan);
        evn__learnt_solver_free(&c->stages[i].learnt);
        evn_buffer_destroy(&c->stages[i].state);
    }
    free(c->stages);
    free(c);
    *chain = NULL;
}

// Running -----------------------------------------------------------------------------------------

/// What a solver says; a plan says nothing.
static void add(const stage *at, const evn_solution *one, evn_solution *sum) {
    if (at->learnt.solver) {
        sum->outcome = one->outcome;
        sum->t = one->t;
        sum->dt = one->dt;
        int steps = one->accepted + (at->keeps_rejected ? one->rejected : 0);
        sum->most_steps = steps > sum->most_steps ? steps : sum->most_steps;
        sum->accepted += one->accepted;
        sum->rejected += one->rejected;
        sum->nfe += one->nfe;
        sum->decay = fmax(sum->decay, one->decay);
    }
}

static evn_status run_forward(stage *at, evn_binding *x, evn_solution *solution) {
    if (at->learnt.solver) {
        return evn_solve(at->learnt.solver, 0, 1, *x, at->learnt.weights, x, solution);
    }
    at->plan.inputs[0] = *x;
    *x = at->given;
    return evn_plan_run_phase(at->plan.plan, 0, at->plan.inputs, at->plan.outputs, NULL);
}

evn_status evn__chain_forward(evn__chain *chain, evn_binding images, evn_binding *x,
                              evn_solution *solution) {
    *x = images;
    *solution = (evn_solution){0};
    for (int i = 0; i < chain->count; ++i) {
        evn_solution one = {0};
        evn_status status = run_forward(&chain->stages[i], x, &one);
        add(&chain->stages[i], &one, solution);
        EVN_TRY(status);
    }
    return EVN_OK;
}

static evn_status run_backward(stage *at, evn_binding *x_bar, evn_solution *solution) {
    if (at->learnt.solver) {
        return evn_solve_gradient(at->learnt.solver, *x_bar, x_bar, at->learnt.weights_bar,
                                  solution);
    }
    at->plan.inputs[at->seed] = *x_bar;
    *x_bar = at->taken_bar;
    return evn_plan_run_phase(at->plan.plan, 1, at->plan.inputs, at->plan.outputs, NULL);
}

evn_status evn__chain_gradient(evn__chain *chain, evn_binding x_bar, evn_solution *solution) {
    *solution = (evn_solution){0};
    for (int i = chain->count - 1; i >= 0; --i) {
        evn_solution one = {0};
        evn_status status = run_backward(&chain->stages[i], &x_bar, &one);
        add(&chain->stages[i], &one, solution);
        EVN_TRY(status);
    }
    return EVN_OK;
}

/// What is asked of each solver, of x and of evolving weights: the largest.
static evn_status ask_all(evn__chain *chain, evn_status (*ask)(evn_solver *, double *, double *),
                          double *of_x, double *of_theta) {
    *of_x = *of_theta = 0;
    for (int i = 0; i < chain->count; ++i) {
        double x = 0, theta = 0;
        if (chain->stages[i].learnt.solver) {
            EVN_TRY(ask(chain->stages[i].learnt.solver, &x, &theta));
        }
        *of_x = x > *of_x ? x : *of_x;
        *of_theta = theta > *of_theta ? theta : *of_theta;
    }
    return EVN_OK;
}

evn_status evn__chain_reconstruction(evn__chain *chain, double *x_error, double *theta_error) {
    return ask_all(chain, evn_solver_reconstruction, x_error, theta_error);
}

evn_status evn__chain_apart(evn__chain *chain, double *x_apart, double *theta_apart) {
    return ask_all(chain, evn_solver_apart, x_apart, theta_apart);
}

evn_status evn__chain_watched(evn__chain *chain, double *worst) {
    *worst = 0;
    for (int i = 0; i < chain->count; ++i) {
        double one = 0;
        if (chain->stages[i].learnt.solver) {
            EVN_TRY(evn_solver_watched(chain->stages[i].learnt.solver, &one));
        }
        *worst = one > *worst ? one : *worst;
    }
    return EVN_OK;
}
