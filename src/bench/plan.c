// SPDX-License-Identifier: Apache-2.0
// Planning: the host's time to make a plan, or a solver, whose kernels the device has already
// compiled.
#include "bench/rows.h"

#include "evonode/diff.h"
#include "evonode/solver.h"
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 32, WIDTH = 16, NODES_A_LAYER = 19 };

typedef struct planning {
    evn_device *device;
    evn_graph *graph;
} planning;

/// A residual network, h + tanh(h W + b) with its own W and b in each layer, of `layers`.
static evn_status build_network(int layers, evn_graph **graph) {
    EVN_TRY(evn_graph_create(graph));
    evn_value h = evn_input(*graph, "x", EVN_SHAPE(ROWS, WIDTH));
    for (int i = 0; i < layers; ++i) {
        char weight[16], bias[16];
        snprintf(weight, sizeof(weight), "w%d", i);
        snprintf(bias, sizeof(bias), "b%d", i);
        evn_value w = evn_input(*graph, weight, EVN_SHAPE(WIDTH, WIDTH));
        evn_value b = evn_input(*graph, bias, EVN_SHAPE(WIDTH));
        evn_value product = evn_matmul(*graph, h, w, false, false);
        h = evn_add(*graph, h, evn_tanh(*graph, evn_add(*graph, product, b)));
    }
    evn_output(*graph, "y", h);
    return evn_graph_status(*graph);
}

/// The network with its cotangents, and every parameter moved along its own.
static evn_status build(int nodes, evn_graph **graph) {
    evn_graph *network = NULL;
    evn_status status = build_network(nodes / NODES_A_LAYER, &network);
    if (status == EVN_OK) {
        status = evn_vjp(network, NULL, graph);
    }
    for (int i = 1; status == EVN_OK && i < evn_graph_input_count(network); ++i) {
        char name[24];
        snprintf(name, sizeof(name), "next %s", evn_graph_input_name(network, i));
        evn_value step = evn_scale(*graph, evn_graph_output(*graph, 1 + i), -0.01);
        evn_output(*graph, name, evn_add(*graph, evn_graph_input(*graph, i), step));
        status = evn_graph_status(*graph);
    }
    evn_graph_destroy(&network);
    return status;
}

static evn_status plan_once(void *user) {
    planning *p = user;
    evn_plan *plan = NULL;
    evn_status status = evn_plan_create(p->device, p->graph, NULL, &plan);
    evn_plan_destroy(&plan);
    return status;
}

static void destroy(void *user) {
    planning *p = user;
    evn_graph_destroy(&p->graph);
    free(p);
}

evn_status evn__bench_plan(evn_device *device, const void *options, evn__bench_job *job) {
    const evn__bench_plan_options *o = options;
    planning *p = NULL;
    EVN_TRY(EVN_NEW(&p, 1));
    p->device = device;
    *job = (evn__bench_job){.work = plan_once, .user = p, .nodes = o->nodes, .destroy = destroy};
    EVN_TRY(build(o->nodes, &p->graph));
    return plan_once(p); // compiles
}

// Solvers -----------------------------------------------------------------------------------------

typedef struct creation {
    evn_device *device;
    evn_dynamics *dynamics;
} creation;

/// dx = tanh and (y + x)/2 in turn: few weights, many operations, of which each second one reads x.
static evn_status build_chain(int operations, evn_graph **graph) {
    EVN_TRY(evn_graph_create(graph));
    evn_input(*graph, "t", EVN_SCALAR);
    evn_value x = evn_input(*graph, "x", EVN_SHAPE(4, 100)), y = x;
    for (int i = 0; i < operations; ++i) {
        y = i % 2 ? evn_scale(*graph, evn_add(*graph, y, x), 0.5) : evn_tanh(*graph, y);
    }
    evn_output(*graph, "dx", y);
    return evn_graph_status(*graph);
}

static evn_status create_dynamics(int operations, evn_dynamics **dynamics) {
    evn_graph *f = NULL;
    evn_status status = build_chain(operations, &f);
    if (status == EVN_OK) {
        status = evn_dynamics_create(f, NULL, dynamics);
    }
    evn_graph_destroy(&f);
    return status;
}

static evn_status create_once(void *user) {
    creation *c = user;
    evn_solver *solver = NULL;
    evn_solver_options options = evn_solver_options_default();
    options.gradient = EVN_GRADIENT_ADJOINT;
    evn_status status = evn_solver_create(c->device, c->dynamics, &options, &solver);
    evn_solver_destroy(&solver);
    return status;
}

static void destroy_creation(void *user) {
    creation *c = user;
    evn_dynamics_destroy(&c->dynamics);
    free(c);
}

evn_status evn__bench_solver(evn_device *device, const void *options, evn__bench_job *job) {
    const evn__bench_solver_options *o = options;
    creation *c = NULL;
    EVN_TRY(EVN_NEW(&c, 1));
    c->device = device;
    *job = (evn__bench_job){.work = create_once, .user = c, .destroy = destroy_creation};
    EVN_TRY(create_dynamics(o->operations, &c->dynamics));
    return create_once(c); // compiles
}
