// SPDX-License-Identifier: Apache-2.0
// The table of rows. A row with a peer has an entry of the same key in bench/peers, and one with
// its goals in bench/scoreboard.
#include "bench/rows.h"

#include <string.h>

#define MATMUL(...)                                                                                \
    evn__bench_matmul, &(const evn__bench_matmul_options) {                                        \
        __VA_ARGS__                                                                                \
    }
#define CONV2D(...)                                                                                \
    evn__bench_conv2d, &(const evn__bench_conv2d_options) {                                        \
        __VA_ARGS__                                                                                \
    }
#define BLOCK .side = 6, .kernel = 3, .stride = 1 // of the ODE
#define STEM  .side = 26, .kernel = 4, .stride = 2
#define ARITHMETIC(...)                                                                            \
    evn__bench_arithmetic, &(const evn__bench_arithmetic_options) {                                \
        __VA_ARGS__                                                                                \
    }
#define LAUNCH(...)                                                                                \
    evn__bench_launch, &(const evn__bench_launch_options) {                                        \
        __VA_ARGS__                                                                                \
    }
#define COPY(...)                                                                                  \
    evn__bench_copy, &(const evn__bench_copy_options) {                                            \
        __VA_ARGS__                                                                                \
    }
#define SOLVE(...)                                                                                 \
    evn__bench_solve, &(const evn__bench_solve_options) {                                          \
        __VA_ARGS__                                                                                \
    }
#define ACCURACY(...)                                                                              \
    evn__bench_accuracy, &(const evn__bench_accuracy_options) {                                    \
        __VA_ARGS__                                                                                \
    }
#define NORM(...)                                                                                  \
    evn__bench_norm, &(const evn__bench_norm_options) {                                            \
        __VA_ARGS__                                                                                \
    }
#define CLASSIFIER(...)                                                                            \
    evn__bench_classifier, &(const evn__bench_classifier_options) {                                \
        __VA_ARGS__                                                                                \
    }
#define CURVE(...)                                                                                 \
    evn__bench_curve, &(const evn__bench_curve_options) {                                          \
        __VA_ARGS__                                                                                \
    }
#define FLOW(...)                                                                                  \
    evn__bench_flow, &(const evn__bench_flow_options) {                                            \
        __VA_ARGS__                                                                                \
    }

#define SAMPLES(...)                                                                               \
    evn__bench_samples, &(const evn__bench_samples_options) {                                      \
        __VA_ARGS__                                                                                \
    }

#define PLAN(...)                                                                                  \
    evn__bench_plan, &(const evn__bench_plan_options) {                                            \
        __VA_ARGS__                                                                                \
    }

#define SOLVER(...)                                                                                \
    evn__bench_solver, &(const evn__bench_solver_options) {                                        \
        __VA_ARGS__                                                                                \
    }

static const evn__bench_row rows[] = {
    {EVN__BENCH_ARITHMETIC_KEY, "multiply-add, fp32", ARITHMETIC(4), EVN__BENCH_LIMITS},
    {"limit_fp64", "multiply-add, fp64", ARITHMETIC(8), EVN__BENCH_LIMITS},
    {"limit_fp16", "multiply-add, fp16", ARITHMETIC(2), EVN__BENCH_LIMITS},
    {EVN__BENCH_MEMORY_KEY, "memory, a + 3 b", evn__bench_memory, NULL, EVN__BENCH_LIMITS},
    {"limit_launch", "launch of an empty kernel", LAUNCH(.wait = false), EVN__BENCH_LIMITS},
    {"limit_wait", "launch and wait", LAUNCH(.wait = true), EVN__BENCH_LIMITS},
    {"limit_write", "16 MiB to the device", COPY(.read = false), EVN__BENCH_LIMITS},
    {"limit_read", "16 MiB from the device", COPY(.read = true), EVN__BENCH_LIMITS},
    {"matmul_square", "matmul 1024 x 1024 x 1024", MATMUL(1024, 1024, 1024), EVN__BENCH_KERNELS},
    {"matmul_conv", "matmul 4608 x 64 x 576", MATMUL(4608, 64, 576), EVN__BENCH_KERNELS},
    {"matmul_dense", "matmul 128 x 1000 x 1000", MATMUL(128, 1000, 1000), EVN__BENCH_KERNELS},
    {"conv2d", "conv2d 128x6x6, 64-64, 3x3", CONV2D(BLOCK, .forward = true), EVN__BENCH_KERNELS},
    {"conv2d_input_grad", "conv2d input gradient", CONV2D(BLOCK, .input_grad = true),
     EVN__BENCH_KERNELS},
    {"conv2d_weight_grad", "conv2d weight gradient", CONV2D(BLOCK, .weight_grad = true),
     EVN__BENCH_KERNELS},
    {"conv2d_grads", "conv2d both gradients",
     CONV2D(BLOCK, .input_grad = true, .weight_grad = true), EVN__BENCH_KERNELS},
    {"conv2d_stem", "conv2d 128x26x26, 64-64, 4x4, stride 2", CONV2D(STEM, .forward = true),
     EVN__BENCH_KERNELS},
    {"conv2d_stem_input_grad", "conv2d stride 2, input gradient", CONV2D(STEM, .input_grad = true),
     EVN__BENCH_KERNELS},
    {"conv2d_stem_weight_grad", "conv2d stride 2, weight gradient",
     CONV2D(STEM, .weight_grad = true), EVN__BENCH_KERNELS},
    {"norm", "GroupNorm + ReLU 128x6x6x64", NORM(.vjp = false), EVN__BENCH_KERNELS},
    {"norm_vjp", "GroupNorm + ReLU with vjp", NORM(.vjp = true), EVN__BENCH_KERNELS},
    {"ode_rk4", "rk4 step, NODE", SOLVE(EVN_MODEL_NODE, "rk4", false), EVN__BENCH_SOLVERS},
    {"ode_dopri5", "dopri5 step, NODE", SOLVE(EVN_MODEL_NODE, "dopri5", false), EVN__BENCH_SOLVERS},
    {"ode_ew_rk4", "rk4 step, NODE-EW", SOLVE(EVN_MODEL_NODE_EW, "rk4", false), EVN__BENCH_SOLVERS},
    {"ode_adjoint", "dopri5 step and adjoint, NODE", SOLVE(EVN_MODEL_NODE, "dopri5", true),
     EVN__BENCH_SOLVERS},
    {"van_der_pol", "van der Pol, 256 samples, steps of their own, dopri5 1e-5, 200 times",
     SAMPLES(&evn__bench_van_der_pol, "dopri5", 256, 2, .times = 200, .end = 7.63,
             .tolerance = 1e-5),
     EVN__BENCH_SOLVERS},
    {"network_100", "network 8-64-8, 1,024 samples, steps of their own, tsit5 1e-5, 100 times",
     SAMPLES(&evn__bench_network, "tsit5", 1024, 8, 64, .times = 100, .end = 1, .tolerance = 1e-5),
     EVN__BENCH_SOLVERS},
    {"robertson", "Robertson, 1,024 samples, steps of their own, kvaerno5 1e-8, double precision",
     SAMPLES(&evn__bench_robertson, "kvaerno5", 1024, 3, .end = 100, .tolerance = 1e-8,
             .fp64 = true),
     EVN__BENCH_SOLVERS},
    {"mnist_euler", "MNIST step, NODE, Euler 10, backprop", CLASSIFIER(EVN_MODEL_NODE, 10, false),
     EVN__BENCH_TRAINING},
    {"mnist_ew_euler", "MNIST step, NODE-EW, Euler 10, backprop",
     CLASSIFIER(EVN_MODEL_NODE_EW, 10, false), EVN__BENCH_TRAINING},
    {"mnist_adjoint", "MNIST step, NODE, dopri5, adjoint", CLASSIFIER(EVN_MODEL_NODE, 0, true),
     EVN__BENCH_TRAINING},
    // Correct solvers with steps of their own differ too much: numbers are compared on equal steps.
    {"mnist_adjoint_check", NULL, CLASSIFIER(EVN_MODEL_NODE, 10, true), EVN__BENCH_TRAINING},
    {"curve_euler", "curve, Euler 100, backprop", CURVE(.adjoint = false), EVN__BENCH_TRAINING},
    {"curve_adjoint", "curve, dopri5 1e-5, adjoint", CURVE(.adjoint = true), EVN__BENCH_TRAINING},
    {"flow_100", "flow, hypernetwork, 100 points", FLOW(100), EVN__BENCH_TRAINING},
    {"flow_512", "flow, hypernetwork, 512 points", FLOW(512), EVN__BENCH_TRAINING},
    {"plan_1000", "plan of 1,000 nodes", PLAN(1000), EVN__BENCH_PLANNING},
    {"plan_3000", "plan of 3,000 nodes", PLAN(3000), EVN__BENCH_PLANNING},
    {"plan_10000", "plan of 10,000 nodes", PLAN(10000), EVN__BENCH_PLANNING},
    {"solver_500", "solver of 500 operations, adjoint", SOLVER(500), EVN__BENCH_PLANNING},
    {"solver_2500", "solver of 2,500 operations, adjoint", SOLVER(2500), EVN__BENCH_PLANNING},
    {"digits_97_5", "digits, time to 97.5 % of the test", ACCURACY(0.975), EVN__BENCH_RUNS},
};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

const evn__bench_row *evn__bench_row_at(int index) {
    return index >= 0 && index < ROWS ? &rows[index] : NULL;
}

const evn__bench_row *evn__bench_row_find(const char *key) {
    for (int i = 0; i < ROWS; ++i) {
        if (strcmp(rows[i].key, key) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

const char *evn__bench_group_name(int group) {
    static const char *const names[] = {"limits",         "kernels",  "solver steps",
                                        "training steps", "planning", "whole runs"};
    return group >= 0 && group < EVN__BENCH_GROUPS ? names[group] : NULL;
}

evn_status evn__bench_job_create(evn_device *device, const evn__bench_row *row,
                                 evn__bench_job *job) {
    *job = (evn__bench_job){0};
    evn_status status = row->create(device, row->options, job);
    if (status != EVN_OK) {
        evn__bench_job_destroy(job);
    }
    return status;
}

void evn__bench_job_destroy(evn__bench_job *job) {
    if (job->destroy && job->user) {
        job->destroy(job->user);
    }
    *job = (evn__bench_job){0};
}
