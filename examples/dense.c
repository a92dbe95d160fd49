// SPDX-License-Identifier: Apache-2.0
// Dense output: solve the harmonic oscillator q'' = −q with a few adaptive steps, and ask for q at
// times that no step ends at. q(t) = cos t.
#include <evonode/evonode.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { TIMES = 9, STATE = 2 };

// Errors are statuses with a message; an example may end at the first.
static void must(evn_status status) {
    if (status != EVN_OK) {
        fprintf(stderr, "%s\n", evn_error_message());
        exit((int)status);
    }
}

/// x = [q, q']: x' = x A.
static evn_dynamics *make_dynamics(void) {
    const double turn[] = {0, -1, 1, 0};
    evn_graph *f = NULL;
    evn_dynamics *dynamics = NULL;
    must(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(1, STATE));
    evn_value a = evn_table(f, EVN_SHAPE(STATE, STATE), turn);
    evn_output(f, "dx", evn_matmul(f, x, a, false, false));
    must(evn_dynamics_create(f, NULL, &dynamics));
    evn_graph_destroy(&f);
    return dynamics;
}

int main(void) {
    evn_device *device = NULL;
    evn_solver *solver = NULL;
    evn_buffer *memory = NULL; // x(0), then x at all times
    evn_solver_options options = evn_solver_options_default();
    evn_solution solution;
    evn_binding x1;
    double times[TIMES], worst = 0;
    float x[TIMES * STATE];
    const float x0[STATE] = {1, 0};
    options.rtol = options.atol = 1e-5;
    options.dense = true;
    must(evn_device_open(NULL, &device));
    evn_dynamics *dynamics = make_dynamics();
    must(evn_solver_create(device, dynamics, &options, &solver));
    must(evn_buffer_create(device, sizeof(x0) + sizeof(x), &memory));
    must(evn_buffer_write(memory, 0, sizeof(x0), x0));

    must(evn_solve(solver, 0, 6, (evn_binding){memory, 0}, NULL, &x1, &solution));
    for (int i = 0; i < TIMES; ++i) {
        times[i] = 6. * i / (TIMES - 1); // in any order, of any number
    }
    must(evn_solver_at(solver, times, TIMES, (evn_binding){memory, STATE}, NULL));
    must(evn_buffer_read(memory, sizeof(x0), sizeof(x), x));
    for (int i = 0; i < TIMES; ++i) {
        printf("q(%.2f) = %8.5f, which is %8.5f\n", times[i], (double)x[STATE * i], cos(times[i]));
        worst = fmax(worst, fabs(x[STATE * i] - cos(times[i])));
    }
    printf("from %d steps, within %.1g\n", solution.accepted, worst);

    evn_buffer_destroy(&memory);
    evn_solver_destroy(&solver);
    evn_dynamics_destroy(&dynamics);
    evn_device_close(&device);
    return worst < 1e-3 ? EXIT_SUCCESS : EXIT_FAILURE;
}
