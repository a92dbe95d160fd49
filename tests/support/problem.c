// SPDX-License-Identifier: Apache-2.0
#include "problem.h"

#include "plan/real.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static double *numbers(int count) {
    double *data = calloc((size_t)count, sizeof(*data));
    ck_assert_ptr_nonnull(data);
    return data;
}

problem problem_new(evn_dynamics *dynamics) {
    problem p = {.dynamics = dynamics, .weight_count = evn_dynamics_weight_count(dynamics)};
    p.x_count = (int)evn_shape_count(evn_dynamics_state_shape(dynamics));
    p.x0 = numbers(p.x_count);
    p.x1 = numbers(p.x_count * PROBLEM_OBSERVATIONS);
    p.x0_bar = numbers(p.x_count);
    p.x1_bar = numbers(p.x_count * PROBLEM_OBSERVATIONS);
    for (int i = 0; i < p.x_count * PROBLEM_OBSERVATIONS; ++i) {
        p.x1_bar[i] = 1;
    }
    for (int i = 0; i < p.weight_count; ++i) {
        p.weight_size[i] = (int)evn_shape_count(evn_dynamics_weight_shape(dynamics, i));
        p.weight[i] = numbers(p.weight_size[i]);
        p.weight_bar_host[i] = numbers(p.weight_size[i]);
    }
    return p;
}

evn_graph *problem_begin(evn_shape shape, evn_value *t, evn_value *x) {
    evn_graph *f = NULL;
    TRY(evn_graph_create(&f));
    *t = evn_input(f, "t", EVN_SCALAR);
    *x = evn_input(f, "x", shape);
    return f;
}

problem problem_of(evn_graph *f, evn_graph *g) {
    evn_dynamics *dynamics = NULL;
    TRY(evn_graph_status(f));
    TRY(evn_dynamics_create(f, g, &dynamics));
    evn_graph_destroy(&f);
    evn_graph_destroy(&g);
    return problem_new(dynamics);
}

problem problem_growth(bool fp64) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(1), &t, &x);
    evn_output(f, "dx", x);
    problem p = problem_of(f, NULL);
    p.fp64 = fp64;
    p.x0[0] = 1;
    return p;
}

problem problem_square(void) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(1), &t, &x);
    evn_output(f, "dx", evn_mul(f, x, x));
    problem p = problem_of(f, NULL);
    p.x0[0] = 1;
    return p;
}

// Two decaying rotations: x' = x W with W = blockdiag(R(a, w1), R(b, w2)).
static const double decay[] = {-0.3, -0.1}, turn[] = {2, -3};

void problem_linear_start(double *x0) {
    test_uniform(11, -1, 1, x0, 8);
}

problem problem_linear(void) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(2, 4), &t, &x);
    evn_value w = evn_input(f, "w", EVN_SHAPE(4, 4));
    evn_output(f, "dx", evn_matmul(f, x, w, false, false));
    problem p = problem_of(f, NULL);
    problem_linear_start(p.x0);
    for (int b = 0; b < 2; ++b) {
        p.weight[0][(2 * b) * 4 + 2 * b] = p.weight[0][(2 * b + 1) * 4 + 2 * b + 1] = decay[b];
        p.weight[0][(2 * b) * 4 + 2 * b + 1] = turn[b];
        p.weight[0][(2 * b + 1) * 4 + 2 * b] = -turn[b];
    }
    return p;
}

double problem_linear_error(const problem *p, double t) {
    double worst = 0, x0[8];
    problem_linear_start(x0);
    for (int row = 0; row < 2; ++row) {
        for (int b = 0; b < 2; ++b) {
            double scale = exp(decay[b] * t), c = cos(turn[b] * t), s = sin(turn[b] * t);
            int at = row * 4 + 2 * b;
            double u = scale * (c * x0[at] - s * x0[at + 1]);
            double v = scale * (s * x0[at] + c * x0[at + 1]);
            worst = fmax(worst, fmax(fabs(p->x1[at] - u), fabs(p->x1[at + 1] - v)));
        }
    }
    return worst;
}

static evn_graph *node_ew_g(void) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value t = evn_input(g, "t", EVN_SCALAR), w = evn_input(g, "w", EVN_SHAPE(2, 5));
    evn_value a = evn_input(g, "a", EVN_SHAPE(2, 2)), s = evn_input(g, "s", EVN_SHAPE(5));
    evn_value moved = evn_tanh(g, evn_matmul(g, a, w, false, false));
    evn_output(g, "dw", evn_add(g, moved, evn_mul(g, t, evn_mul(g, w, s))));
    return g;
}

static void randomize(problem *p, uint64_t seed) {
    test_uniform(seed, -1, 1, p->x0, p->x_count);
    test_uniform(seed + 1, -1, 1, p->x1_bar, p->x_count * PROBLEM_OBSERVATIONS);
    for (int i = 0; i < p->weight_count; ++i) {
        test_uniform(seed + 2 + (uint64_t)i, -1, 1, p->weight[i], p->weight_size[i]);
    }
}

problem problem_wide(uint64_t seed) {
    enum { UNITS = 24 };
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(2, 3), &t, &x);
    evn_value u = evn_input(f, "u", EVN_SHAPE(3, UNITS));
    evn_value w = evn_input(f, "w", EVN_SHAPE(UNITS, UNITS));
    evn_value v = evn_input(f, "v", EVN_SHAPE(UNITS, 3)), s = evn_input(f, "s", EVN_SHAPE(3));
    evn_value h = evn_tanh(f, evn_matmul(f, x, u, false, false));
    evn_value k = evn_tanh(f, evn_matmul(f, evn_scale(f, h, 0.3), w, false, false));
    evn_value back = evn_scale(f, evn_matmul(f, k, w, false, true), 0.1);
    evn_value out = evn_matmul(f, back, v, false, false);
    evn_output(f, "dx", evn_add(f, out, evn_mul(f, t, s)));
    problem p = problem_of(f, NULL);
    randomize(&p, seed);
    return p;
}

problem problem_node_ew(uint64_t seed) {
    return problem_node_ew_of(3, seed);
}

problem problem_node_ew_of(int rows, uint64_t seed) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(rows, 2), &t, &x);
    evn_value out = evn_input(f, "out", EVN_SHAPE(5, 2)), w = evn_input(f, "w", EVN_SHAPE(2, 5));
    evn_value v = evn_input(f, "v", EVN_SHAPE(5));
    evn_value sum = evn_add(f, evn_matmul(f, x, w, false, false), evn_mul(f, t, v));
    evn_output(f, "dx", evn_matmul(f, evn_tanh(f, sum), out, false, false));
    problem p = problem_of(f, node_ew_g());
    randomize(&p, seed);
    return p;
}

problem problem_network(int rows) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(rows, 2), &t, &x);
    evn_value u = evn_input(f, "u", EVN_SHAPE(2, 3)), v = evn_input(f, "v", EVN_SHAPE(3, 2));
    evn_value hidden = evn_tanh(f, evn_matmul(f, x, u, false, false));
    evn_value fast = evn_scale(f, evn_matmul(f, hidden, v, false, false), 2);
    evn_output(f, "dx", evn_add(f, evn_sub(f, fast, evn_scale(f, x, 2)), t));
    problem p = problem_of(f, NULL);
    test_uniform(5, -1, 1, p.x0, p.x_count);
    test_uniform(6, -1, 1, p.weight[0], 6);
    test_uniform(7, -1, 1, p.weight[1], 6);
    return p;
}

static void place(problem *p, size_t *at, int count, evn_binding *binding) {
    *binding = (evn_binding){p->buffer, *at};
    *at += (size_t)count;
}

/// Destroy the solver and the device memory.
static void release(problem *p) {
    evn_solver_destroy(&p->solver);
    evn_buffer_destroy(&p->buffer);
}

evn_solver_options problem_own_steps(evn_gradient gradient, double tolerance, bool fp64) {
    evn_solver_options options = evn_solver_options_default();
    options.rtol = options.atol = tolerance;
    options.gradient = gradient;
    options.fp64 = fp64;
    options.per_sample = true;
    return options;
}

void problem_prepare(problem *p, const evn_solver_options *options) {
    release(p);
    p->fp64 = options->fp64;
    if (p->fp64) {
        test_needs_fp64();
    }
    TRY(evn_solver_create(test_device(), p->dynamics, options, &p->solver));
    ck_assert_int_le(options->observations, PROBLEM_OBSERVATIONS);
    p->x1_count = p->x_count * (options->observations > 0 ? options->observations : 1);
    size_t total = (size_t)(p->x_count + p->x1_count), at = 0;
    for (int i = 0; i < p->weight_count; ++i) {
        total += 2 * (size_t)p->weight_size[i];
    }
    TRY(evn__real_create(test_device(), p->fp64, total, &p->buffer));
    place(p, &at, p->x_count, &p->x0_at);
    place(p, &at, p->x1_count, &p->x1_bar_at);
    for (int i = 0; i < p->weight_count; ++i) {
        place(p, &at, p->weight_size[i], &p->weights[i]);
        place(p, &at, p->weight_size[i], &p->weights_bar[i]);
    }
}

evn_status problem_try(problem *p, double t0, double t1, evn_binding *x1) {
    uint64_t before = evn_device_get_stats(test_device()).waits;
    TRY(evn__real_write(p->x0_at, p->fp64, p->x0, (size_t)p->x_count));
    for (int i = 0; i < p->weight_count; ++i) {
        TRY(evn__real_write(p->weights[i], p->fp64, p->weight[i], (size_t)p->weight_size[i]));
    }
    p->loads = evn_device_get_stats(test_device()).waits - before;
    return evn_solve(p->solver, t0, t1, p->x0_at, p->weights, x1, &p->solution);
}

void problem_solve(problem *p, double t0, double t1) {
    evn_binding x1;
    TRY(problem_try(p, t0, t1, &x1));
    TRY(evn__real_read(x1, p->fp64, p->x1, (size_t)p->x1_count));
}

void problem_gradient(problem *p) {
    evn_binding x0_bar;
    TRY(evn__real_write(p->x1_bar_at, p->fp64, p->x1_bar, (size_t)p->x1_count));
    TRY(evn_solve_gradient(p->solver, p->x1_bar_at, &x0_bar, p->weights_bar, &p->backward));
    TRY(evn__real_read(x0_bar, p->fp64, p->x0_bar, (size_t)p->x_count));
    for (int i = 0; i < p->weight_count; ++i) {
        TRY(evn__real_read(p->weights_bar[i], p->fp64, p->weight_bar_host[i],
                           (size_t)p->weight_size[i]));
    }
}

void problem_free(problem *p) {
    release(p);
    evn_dynamics_destroy(&p->dynamics);
    double *arrays[] = {p->x0, p->x1, p->x0_bar, p->x1_bar};
    for (int i = 0; i < 4; ++i) {
        free(arrays[i]);
    }
    for (int i = 0; i < p->weight_count; ++i) {
        free(p->weight[i]);
        free(p->weight_bar_host[i]);
    }
}

// Derivatives -------------------------------------------------------------------------------------

/// ⟨x1_bar, x1⟩ of a solve from 0 to 1.
static double loss(problem *p) {
    double sum = 0;
    problem_solve(p, 0, 1);
    for (int i = 0; i < p->x1_count; ++i) {
        sum += p->x1_bar[i] * p->x1[i];
    }
    return sum;
}

double problem_against_differences(problem *p, double *at, const double *derivative, int count) {
    const double h = 1e-5;
    double worst = 0, scale = 1e-12;
    for (int i = 0; i < count; ++i) {
        double kept = at[i];
        at[i] = kept + h;
        double high = loss(p);
        at[i] = kept - h;
        double low = loss(p);
        at[i] = kept;
        worst = fmax(worst, fabs(derivative[i] - (high - low) / (2 * h)));
        scale = fmax(scale, fabs(derivative[i]));
    }
    return worst / scale;
}

static int least(int a, int b) {
    return a < b ? a : b;
}

void problem_check_differences(problem *p, const evn_solver_options *options, int of_x,
                               int of_weights, double bound) {
    double worst, *x0_bar = numbers(p->x_count);
    problem_prepare(p, options);
    problem_solve(p, 0, 1);
    problem_gradient(p);
    memcpy(x0_bar, p->x0_bar, sizeof(double) * (size_t)p->x_count);
    worst = problem_against_differences(p, p->x0, x0_bar, least(p->x_count, of_x));
    for (int i = 0; i < p->weight_count; ++i) {
        int count = least(p->weight_size[i], of_weights);
        worst =
            fmax(worst, problem_against_differences(p, p->weight[i], p->weight_bar_host[i], count));
    }
    printf("%s, %s: off by %.2g\n", options->method, evn_gradient_name((int)options->gradient),
           worst);
    ck_assert_double_lt(worst, bound);
    free(x0_bar);
}

int problem_all_gradients(problem *p, const evn_solver_options *options, double *all) {
    int count = p->x_count;
    problem_prepare(p, options);
    problem_solve(p, 0, 1);
    problem_gradient(p);
    memcpy(all, p->x0_bar, sizeof(double) * (size_t)count);
    for (int i = 0; i < p->weight_count; count += p->weight_size[i++]) {
        memcpy(all + count, p->weight_bar_host[i], sizeof(double) * (size_t)p->weight_size[i]);
    }
    return count;
}

void problem_check_same_gradients(const problem *p, const problem *q, double within) {
    double by = test_relative_difference(p->x0_bar, q->x0_bar, p->x_count);
    printf("x0_bar differs by %.2g\n", by);
    ck_assert_double_le(by, within);
    for (int i = 0; i < p->weight_count; ++i) {
        by = test_relative_difference(p->weight_bar_host[i], q->weight_bar_host[i],
                                      p->weight_size[i]);
        printf("%s_bar differs by %.2g\n", evn_dynamics_weight_name(p->dynamics, i), by);
        ck_assert_double_le(by, within);
    }
}
