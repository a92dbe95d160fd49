// SPDX-License-Identifier: Apache-2.0
// The families of rows: what makes a row ready to run, and its options.
#ifndef EVN_BENCH_ROWS_H
#define EVN_BENCH_ROWS_H

#include "bench/bench.h"
#include "evonode/evonode.h"

// bench/limits.c ----------------------------------------------------------------------------------

/// The rows that fractions of a limit are of.
#define EVN__BENCH_ARITHMETIC_KEY "limit_fp32"
#define EVN__BENCH_MEMORY_KEY     "limit_memory"

/// Multiply-adds in registers, elements of 2, 4 or 8 bytes.
/// @return EVN_ERR_ARGUMENT where the device does not have them
typedef struct evn__bench_arithmetic_options {
    int bytes;
} evn__bench_arithmetic_options;
evn_status evn__bench_arithmetic(evn_device *device, const void *options, evn__bench_job *job);

/// a + 3 b over memory beyond the caches; no options.
evn_status evn__bench_memory(evn_device *device, const void *options, evn__bench_job *job);

/// A kernel that does nothing.
typedef struct evn__bench_launch_options {
    bool wait; ///< for each
} evn__bench_launch_options;
evn_status evn__bench_launch(evn_device *device, const void *options, evn__bench_job *job);

/// 16 MiB between host and device.
typedef struct evn__bench_copy_options {
    bool read; ///< from the device; else to it
} evn__bench_copy_options;
evn_status evn__bench_copy(evn_device *device, const void *options, evn__bench_job *job);

// bench/kernels.c ---------------------------------------------------------------------------------

/// [m, k] times [k, n].
typedef struct evn__bench_matmul_options {
    int64_t m, n, k;
} evn__bench_matmul_options;
evn_status evn__bench_matmul(evn_device *device, const void *options, evn__bench_job *job);

/// Parts of a convolution of the MNIST model with padding 1: x [128, side, side, 64],
/// w [kernel, kernel, 64, 64].
typedef struct evn__bench_conv2d_options {
    int64_t side, kernel;
    int stride;
    bool forward, input_grad, weight_grad;
} evn__bench_conv2d_options;
evn_status evn__bench_conv2d(evn_device *device, const void *options, evn__bench_job *job);

/// GroupNorm, scale, shift and ReLU of x [128, 6, 6, 64], in 32 groups.
typedef struct evn__bench_norm_options {
    bool vjp; ///< with the cotangents of x, scale and shift
} evn__bench_norm_options;
evn_status evn__bench_norm(evn_device *device, const void *options, evn__bench_job *job);

// bench/solve.c -----------------------------------------------------------------------------------

/// One step through the ODE of the MNIST model, x [128, 6, 6, 64].
typedef struct evn__bench_solve_options {
    evn_model_kind kind;
    const char *method;
    bool adjoint; ///< with the gradient by the adjoint method
} evn__bench_solve_options;
evn_status evn__bench_solve(evn_device *device, const void *options, evn__bench_job *job);

// bench/samples.c ---------------------------------------------------------------------------------

typedef struct evn__bench_samples_options evn__bench_samples_options;

/// What is solved: f of x [batch, size], and a number of x(0) from a normal one.
typedef struct evn__bench_field {
    evn_value (*slopes)(evn_graph *f, evn_value x, const evn__bench_samples_options *options);
    double (*start)(double normal, int64_t column);
} evn__bench_field;
extern const evn__bench_field evn__bench_van_der_pol, evn__bench_network, evn__bench_robertson;

/// A solve from 0 to `end` with steps of each sample's own, seen at so many equal parts of it.
struct evn__bench_samples_options {
    const evn__bench_field *field;
    const char *method;
    int64_t batch, size;
    int64_t units; ///< of the network
    int times;     ///< 0: the end alone
    double end, tolerance;
    bool fp64;
};
evn_status evn__bench_samples(evn_device *device, const void *options, evn__bench_job *job);

// Loss and gradient of one batch, without the optimiser -------------------------------------------

/// bench/classifier.c: the MNIST model, batch 128.
typedef struct evn__bench_classifier_options {
    evn_model_kind kind;
    int steps;    ///< of Euler; 0: dopri5 at 1e-3
    bool adjoint; ///< else backprop
} evn__bench_classifier_options;
evn_status evn__bench_classifier(evn_device *device, const void *options, evn__bench_job *job);

/// bench/curve.c: the curve with two hidden layers of 1,000 units, 100 points.
typedef struct evn__bench_curve_options {
    bool adjoint; ///< dopri5 at 1e-5; else backprop through 100 Euler steps
} evn__bench_curve_options;
evn_status evn__bench_curve(evn_device *device, const void *options, evn__bench_job *job);

/// bench/flow.c: the flow whose weights are a hypernetwork's, backprop through 10 steps of rk4.
typedef struct evn__bench_flow_options {
    int64_t points;
} evn__bench_flow_options;
evn_status evn__bench_flow(evn_device *device, const void *options, evn__bench_job *job);

// bench/plan.c ------------------------------------------------------------------------------------

/// A plan of a network with its cotangents and updates of its parameters: about so many nodes.
typedef struct evn__bench_plan_options {
    int nodes;
} evn__bench_plan_options;
evn_status evn__bench_plan(evn_device *device, const void *options, evn__bench_job *job);

/// A solver, dopri5 with the adjoint, of a chain of so many element-wise operations.
typedef struct evn__bench_solver_options {
    int operations;
} evn__bench_solver_options;
evn_status evn__bench_solver(evn_device *device, const void *options, evn__bench_job *job);

// bench/accuracy.c --------------------------------------------------------------------------------

/// Training on the built-in digits until so many of the test part are right: a NODE-EW, batch 32,
/// backprop through 10 Euler steps, sgd at 0.1 along half a cosine over 20 epochs; each repetition
/// has the next seed. Seconds of training, without those of tests and compilation.
typedef struct evn__bench_accuracy_options {
    double accuracy; ///< a fraction
} evn__bench_accuracy_options;
evn_status evn__bench_accuracy(evn_device *device, const void *options, evn__bench_job *job);

#endif
