// SPDX-License-Identifier: Apache-2.0
// A Neural ODE by hand: build dx/dt = tanh(x W), solve it on a device, take the gradient of the sum
// of x(1) by the adjoint method, and check one entry of it against a difference quotient.
#include <evonode/evonode.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 4, SIZE = 3, X = ROWS * SIZE, W = SIZE * SIZE };

// Errors are statuses with a message; an example may end at the first.
static void must(evn_status status) {
    if (status != EVN_OK) {
        fprintf(stderr, "%s\n", evn_error_message());
        exit((int)status);
    }
}

static evn_dynamics *make_dynamics(void) {
    evn_graph *f = NULL;
    evn_dynamics *dynamics = NULL;
    must(evn_graph_create(&f));
    evn_input(f, "t", EVN_SCALAR); // f may depend on time; this one does not
    evn_value x = evn_input(f, "x", EVN_SHAPE(ROWS, SIZE));
    evn_value w = evn_input(f, "w", EVN_SHAPE(SIZE, SIZE));
    evn_output(f, "dx", evn_tanh(f, evn_matmul(f, x, w, false, false)));
    must(evn_dynamics_create(f, NULL, &dynamics)); // NULL: the weights do not evolve
    evn_graph_destroy(&f);
    return dynamics;
}

/// Memory of the device: x(0), the cotangent of x(1), W, the cotangent of W.
typedef struct memory {
    evn_buffer *buffer;
    evn_binding x0, x1_bar, w, w_bar;
} memory;

static memory make_memory(evn_device *device) {
    memory m = {0};
    float x[X], ones[X], w[W];
    for (int i = 0; i < X; ++i) {
        x[i] = sinf((float)i);
        ones[i] = 1;
    }
    for (int i = 0; i < W; ++i) {
        w[i] = cosf(2 * (float)i);
    }
    must(evn_buffer_create(device, (2 * X + 2 * W) * sizeof(float), &m.buffer));
    m.x0 = (evn_binding){m.buffer, 0}; // offsets count elements
    m.x1_bar = (evn_binding){m.buffer, X};
    m.w = (evn_binding){m.buffer, 2 * X};
    m.w_bar = (evn_binding){m.buffer, 2 * X + W};
    must(evn_buffer_write(m.buffer, 0, sizeof(x), x));
    must(evn_buffer_write(m.buffer, X * sizeof(float), sizeof(ones), ones));
    must(evn_buffer_write(m.buffer, 2 * X * sizeof(float), sizeof(w), w));
    return m;
}

static double sum_of_x1(evn_solver *solver, const memory *m, evn_solution *solution) {
    evn_binding x1;
    float x[X];
    double sum = 0;
    must(evn_solve(solver, 0, 1, m->x0, &m->w, &x1, solution));
    must(evn_buffer_read(x1.buffer, x1.offset * sizeof(float), sizeof(x), x));
    for (int i = 0; i < X; ++i) {
        sum += x[i];
    }
    return sum;
}

/// d(sum)/dW[0], by moving W[0] a little up and down.
static double difference_quotient(evn_solver *solver, const memory *m) {
    const float step = 1e-2f;
    float w, moved;
    size_t place = m->w.offset * sizeof(float);
    must(evn_buffer_read(m->buffer, place, sizeof(w), &w));
    moved = w + step;
    must(evn_buffer_write(m->buffer, place, sizeof(w), &moved));
    double high = sum_of_x1(solver, m, NULL);
    moved = w - step;
    must(evn_buffer_write(m->buffer, place, sizeof(w), &moved));
    double low = sum_of_x1(solver, m, NULL);
    must(evn_buffer_write(m->buffer, place, sizeof(w), &w));
    return (high - low) / (2 * (double)step);
}

int main(void) {
    evn_device *device = NULL;
    evn_solver *solver = NULL;
    evn_solver_options options = evn_solver_options_default(); // dopri5, adaptive
    options.gradient = EVN_GRADIENT_ADJOINT;
    options.rtol = options.atol = 1e-5;
    must(evn_device_open(NULL, &device)); // $EVONODE_DEVICE, else the best there is
    evn_dynamics *dynamics = make_dynamics();
    must(evn_solver_create(device, dynamics, &options, &solver));
    memory m = make_memory(device);

    evn_solution solution;
    evn_binding x0_bar;
    float w_bar[W];
    double sum = sum_of_x1(solver, &m, &solution);
    must(evn_solve_gradient(solver, m.x1_bar, &x0_bar, &m.w_bar, NULL));
    must(evn_buffer_read(m.buffer, m.w_bar.offset * sizeof(float), sizeof(w_bar), w_bar));
    double quotient = difference_quotient(solver, &m);
    printf("on %s: sum of x(1) = %.5f in %d steps\n", evn_device_get_info(device)->name, sum,
           solution.accepted);
    printf("d(sum)/dW[0] = %.4f, by differences %.4f\n", (double)w_bar[0], quotient);

    evn_buffer_destroy(&m.buffer);
    evn_solver_destroy(&solver);
    evn_dynamics_destroy(&dynamics);
    evn_device_close(&device);
    return fabs(w_bar[0] - quotient) < 1e-2 ? EXIT_SUCCESS : EXIT_FAILURE;
}
