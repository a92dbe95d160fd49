// SPDX-License-Identifier: Apache-2.0
// A program of somebody else's, as C and as C++: a graph, a plan and an ODE by the public headers
// alone, checked against what they must give.
#include <evonode/evonode.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static int failed(const char *what) {
    fprintf(stderr, "%s: %s (%s)\n", what, evn_error_message(), evn_error_place());
    return 1;
}

// y = tanh of the sum of x.
static int use_plan(evn_device *device, evn_buffer *memory) {
    const float x[3] = {0.25F, 0.5F, -0.125F};
    float y = 0;
    evn_graph *graph = NULL;
    evn_plan *plan = NULL;
    evn_plan_options options;
    memset(&options, 0, sizeof(options));
    evn_graph_create(&graph);
    evn_output(graph, "y",
               evn_tanh(graph, evn_sum_all(graph, evn_input(graph, "x", EVN_SHAPE(3)))));
    evn_binding input = {memory, 0}, output = {memory, 32};
    if (evn_plan_create(device, graph, &options, &plan) ||
        evn_buffer_write(memory, 0, sizeof(x), x) || evn_plan_run(plan, &input, &output) ||
        evn_buffer_read(memory, 32 * sizeof(float), sizeof(y), &y)) {
        return failed("plan");
    }
    evn_plan_destroy(&plan);
    evn_graph_destroy(&graph);
    printf("tanh(0.625) = %.7f\n", y);
    return fabs(y - tanh(0.625)) > 1e-6;
}

// dx/dt = -x from t = 0 to 1.
static int use_solver(evn_device *device, evn_buffer *memory) {
    const float x0 = 2;
    float x1 = 0;
    evn_graph *f = NULL;
    evn_dynamics *dynamics = NULL;
    evn_solver *solver = NULL;
    evn_solver_options options = evn_solver_options_default();
    options.rtol = options.atol = 1e-5;
    evn_graph_create(&f);
    evn_input(f, "t", EVN_SCALAR);
    evn_output(f, "dx", evn_neg(f, evn_input(f, "x", EVN_SHAPE(1))));
    evn_binding start = {memory, 0}, end;
    if (evn_dynamics_create(f, NULL, &dynamics) ||
        evn_solver_create(device, dynamics, &options, &solver) ||
        evn_buffer_write(memory, 0, sizeof(x0), &x0) ||
        evn_solve(solver, 0, 1, start, NULL, &end, NULL) ||
        evn_buffer_read(end.buffer, end.offset * sizeof(float), sizeof(x1), &x1)) {
        return failed("solver");
    }
    evn_solver_destroy(&solver);
    evn_dynamics_destroy(&dynamics);
    evn_graph_destroy(&f);
    printf("2/e = %.7f\n", x1);
    return fabs(x1 - 2 * exp(-1.0)) > 1e-4;
}

int main(void) {
    evn_device *device = NULL;
    evn_buffer *memory = NULL;
    if (strcmp(evn_version(), EVN_VERSION_STRING) != 0) {
        fprintf(stderr, "headers of " EVN_VERSION_STRING ", library of %s\n", evn_version());
        return 1;
    }
    if (evn_device_open(NULL, &device) || evn_buffer_create(device, 4096, &memory)) {
        return failed("device");
    }
    int bad = use_plan(device, memory) || use_solver(device, memory);
    evn_buffer_destroy(&memory);
    evn_device_close(&device);
    return bad;
}
