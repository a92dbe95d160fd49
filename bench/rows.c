// SPDX-License-Identifier: Apache-2.0
// The table of rows. A row with a peer has an entry of the same key in bench/peers, and one with
// its goals in bench/scoreboard.
#include "bench/rows.h"

#include <string.h>

#define MATMUL(...)                                                                                \
    bench_matmul, &(const bench_matmul_options) {                                                  \
        __VA_ARGS__                                                                                \
    }
#define CONV2D(...)                                                                                \
    bench_conv2d, &(const bench_conv2d_options) {                                                  \
        __VA_ARGS__                                                                                \
    }
#define BLOCK .side = 6, .kernel = 3, .stride = 1 // of the ODE
#define STEM  .side = 26, .kernel = 4, .stride = 2
#define NORM(...)                                                                                  \
    bench_norm, &(const bench_norm_options) {                                                      \
        __VA_ARGS__                                                                                \
    }
#define CLASSIFIER(...)                                                                            \
    bench_classifier, &(const bench_classifier_options) {                                          \
        __VA_ARGS__                                                                                \
    }
#define CURVE(...)                                                                                 \
    bench_curve, &(const bench_curve_options) {                                                    \
        __VA_ARGS__                                                                                \
    }
#define FLOW(...)                                                                                  \
    bench_flow, &(const bench_flow_options) {                                                      \
        __VA_ARGS__                                                                                \
    }

#define PLAN(...)                                                                                  \
    bench_plan, &(const bench_plan_options) {                                                      \
        __VA_ARGS__                                                                                \
    }

#define SOLVER(...)                                                                                \
    bench_solver, &(const bench_solver_options) {                                                  \
        __VA_ARGS__                                                                                \
    }

static const bench_row rows[] = {
    {"matmul_square", "matmul 1024 x 1024 x 1024", MATMUL(1024, 1024, 1024)},
    {"matmul_conv", "matmul 4608 x 64 x 576", MATMUL(4608, 64, 576)},
    {"matmul_dense", "matmul 128 x 1000 x 1000", MATMUL(128, 1000, 1000)},
    {"conv2d", "conv2d 128x6x6, 64-64, 3x3", CONV2D(BLOCK, .forward = true)},
    {"conv2d_input_grad", "conv2d input gradient", CONV2D(BLOCK, .input_grad = true)},
    {"conv2d_weight_grad", "conv2d weight gradient", CONV2D(BLOCK, .weight_grad = true)},
    {"conv2d_grads", "conv2d both gradients",
     CONV2D(BLOCK, .input_grad = true, .weight_grad = true)},
    {"conv2d_stem", "conv2d 128x26x26, 64-64, 4x4, stride 2", CONV2D(STEM, .forward = true)},
    {"conv2d_stem_input_grad", "conv2d stride 2, input gradient", CONV2D(STEM, .input_grad = true)},
    {"conv2d_stem_weight_grad", "conv2d stride 2, weight gradient",
     CONV2D(STEM, .weight_grad = true)},
    {"norm", "GroupNorm + ReLU 128x6x6x64", NORM(.vjp = false)},
    {"norm_vjp", "GroupNorm + ReLU with vjp", NORM(.vjp = true)},
    {"mnist_euler", "MNIST step, NODE, Euler 10, backprop", CLASSIFIER(EVN_MODEL_NODE, 10, false)},
    {"mnist_ew_euler", "MNIST step, NODE-EW, Euler 10, backprop",
     CLASSIFIER(EVN_MODEL_NODE_EW, 10, false)},
    {"mnist_adjoint", "MNIST step, NODE, dopri5, adjoint", CLASSIFIER(EVN_MODEL_NODE, 0, true)},
    // Correct solvers with steps of their own differ too much: numbers are compared on equal steps.
    {"mnist_adjoint_check", NULL, CLASSIFIER(EVN_MODEL_NODE, 10, true)},
    {"curve_euler", "curve, Euler 100, backprop", CURVE(.adjoint = false)},
    {"curve_adjoint", "curve, dopri5 1e-5, adjoint", CURVE(.adjoint = true)},
    {"flow_100", "flow, hypernetwork, 100 points", FLOW(100, "rk4", 10)},
    {"flow_512", "flow, hypernetwork, 512 points", FLOW(512, "rk4", 10)},
    {"plan_1000", "plan of 1,000 nodes", PLAN(1000)},
    {"plan_3000", "plan of 3,000 nodes", PLAN(3000)},
    {"plan_10000", "plan of 10,000 nodes", PLAN(10000)},
    {"solver_500", "solver of 500 operations, adjoint", SOLVER(500)},
    {"solver_2500", "solver of 2,500 operations, adjoint", SOLVER(2500)},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

const bench_row *bench_row_at(int index) {
    return index >= 0 && index < ROWS ? &rows[index] : NULL;
}

const bench_row *bench_row_find(const char *key) {
    for (int i = 0; i < ROWS; ++i) {
        if (strcmp(rows[i].key, key) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

evn_status bench_job_create(evn_device *device, const bench_row *row, bench_job *job) {
    *job = (bench_job){0};
    evn_status status = row->create(device, row->options, job);
    if (status != EVN_OK) {
        bench_job_destroy(job);
    }
    return status;
}

void bench_job_destroy(bench_job *job) {
    if (job->destroy && job->user) {
        job->destroy(job->user);
    }
    *job = (bench_job){0};
}
