// SPDX-License-Identifier: Apache-2.0
// The families of rows: what makes a row ready to run, and its options.
#ifndef EVN_BENCH_ROWS_H
#define EVN_BENCH_ROWS_H

#include "bench/bench.h"
#include "evonode/evonode.h"

// bench/kernels.c ---------------------------------------------------------------------------------

/// [m, k] times [k, n].
typedef struct bench_matmul_options {
    int64_t m, n, k;
} bench_matmul_options;
evn_status bench_matmul(evn_device *device, const void *options, bench_job *job);

/// Parts of a convolution of the MNIST model with padding 1: x [128, side, side, 64],
/// w [kernel, kernel, 64, 64].
typedef struct bench_conv2d_options {
    int64_t side, kernel;
    int stride;
    bool forward, input_grad, weight_grad;
} bench_conv2d_options;
evn_status bench_conv2d(evn_device *device, const void *options, bench_job *job);

/// GroupNorm, scale, shift and ReLU of x [128, 6, 6, 64], in 32 groups.
typedef struct bench_norm_options {
    bool vjp; ///< with the cotangents of x, scale and shift
} bench_norm_options;
evn_status bench_norm(evn_device *device, const void *options, bench_job *job);

// Loss and gradient of one batch, without the optimiser -------------------------------------------

/// bench/classifier.c: the MNIST model, batch 128.
typedef struct bench_classifier_options {
    evn_model_kind kind;
    int steps;    ///< of Euler; 0: dopri5 at 1e-3
    bool adjoint; ///< else backprop
} bench_classifier_options;
evn_status bench_classifier(evn_device *device, const void *options, bench_job *job);

/// bench/curve.c: the curve with two hidden layers of 1,000 units, 100 points.
typedef struct bench_curve_options {
    bool adjoint; ///< dopri5 at 1e-5; else backprop through 100 Euler steps
} bench_curve_options;
evn_status bench_curve(evn_device *device, const void *options, bench_job *job);

/// bench/flow.c: the flow whose weights are a hypernetwork's, backprop through equal steps.
typedef struct bench_flow_options {
    int64_t points;
    const char *method;
    int steps;
} bench_flow_options;
evn_status bench_flow(evn_device *device, const void *options, bench_job *job);

// bench/plan.c ------------------------------------------------------------------------------------

/// A plan of a network with its cotangents and updates of its parameters: about so many nodes.
typedef struct bench_plan_options {
    int nodes;
} bench_plan_options;
evn_status bench_plan(evn_device *device, const void *options, bench_job *job);

/// A solver, dopri5 with the adjoint, of a chain of so many element-wise operations.
typedef struct bench_solver_options {
    int operations;
} bench_solver_options;
evn_status bench_solver(evn_device *device, const void *options, bench_job *job);

#endif
