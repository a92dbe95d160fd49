// SPDX-License-Identifier: Apache-2.0
// Every kernel family at small shapes, in buffers of exactly the size of what they hold. Short
// enough for a simulator and for slow compilers: CTest runs the program on the device under test,
// under Oclgrind and on rusticl.
#include "evonode/optimizer.h"
#include "host/tuning.h"
#include "ops/variant.h"
#include "plan/real.h"
#include "problem.h"
#include "run_exact.h"
#include "test.h"
#include "tune/samples.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Where the tests mean to run: another implementation would prove nothing.
static void check_platform(void) {
    const char *wanted = getenv("EVONODE_TEST_PLATFORM");
    const char *got = evn_device_get_info(test_device())->platform_name;
    ck_assert_msg(!wanted || strstr(got, wanted), "runs on %s instead of %s", got, wanted);
}

// Operations --------------------------------------------------------------------------------------

/// The variant is for one sort of device: acting as the other it takes its own choice.
static void choose(const evn_graph *graph, const char *variant) {
    char key[EVN__VARIANT_KEY];
    for (int fp64 = 0; fp64 < 2; ++fp64) {
        evn__variant_key(graph, evn_graph_output(graph, 0), fp64, key);
        TRY(evn__tuning_set(test_device(), key, variant));
    }
}

static void check_family(const char *family) {
    int checked = 0;
    for (const evn__sample *sample = evn__samples; sample->family; ++sample) {
        for (int i = 0; i < sample->count && strcmp(sample->family, family) == 0; ++i) {
            evn_graph *graph = NULL;
            TRY(evn_graph_create(&graph));
            sample->build(graph, i);
            if (sample->variant) {
                choose(graph, sample->variant);
            }
            check_exact(graph);
            ++checked;
        }
    }
    ck_assert_int_gt(checked, 0);
}

#define FAMILY(name)                                                                               \
    START_TEST(name) {                                                                             \
        check_family(#name);                                                                       \
    }                                                                                              \
    END_TEST

FAMILY(matmul)
FAMILY(conv2d)
FAMILY(conv2d_input_grad)
FAMILY(conv2d_weight_grad)
FAMILY(winograd)
FAMILY(winograd_tiled)
FAMILY(reduce)
FAMILY(normalize)
FAMILY(softmax)
FAMILY(pool2d)
FAMILY(layout)
FAMILY(generated)

// Optimisers --------------------------------------------------------------------------------------

enum { PARAMETERS = 1037 };

typedef struct numbers {
    double p[PARAMETERS], g[PARAMETERS];
} numbers;

/// The first step of each, written out: all its state is zero before. `norm` is that of all g.
static double first_step(const evn_optimizer_options *o, double p, double g, double norm,
                         double rate) {
    if (o->kind == EVN_OPTIMIZER_LBFGS) {
        return p - rate * 0.01 * g / norm;
    }
    if (o->kind == EVN_OPTIMIZER_SGD) {
        return p - rate * (g + o->weight_decay * p);
    }
    return p - rate * o->weight_decay * p - rate * g / (fabs(g) + o->epsilon);
}

static void check_step(evn_optimizer_options options, numbers n) {
    evn_binding p = {0}, g = {0};
    evn_optimizer *optimizer = NULL;
    double norm, squares = 0;
    options.weight_decay = options.kind == EVN_OPTIMIZER_LBFGS ? 0 : 0.1;
    TRY(evn__real_create(test_device(), options.fp64, PARAMETERS, &p.buffer));
    TRY(evn__real_create(test_device(), options.fp64, PARAMETERS, &g.buffer));
    TRY(evn__real_write(p, options.fp64, n.p, PARAMETERS));
    TRY(evn__real_write(g, options.fp64, n.g, PARAMETERS));
    TRY(evn_optimizer_create(test_device(), &options, PARAMETERS, &optimizer));
    TRY(evn_optimizer_step(optimizer, p, g, 0.01));
    TRY(evn_optimizer_gradient_norm(optimizer, g, &norm));
    for (int i = 0; i < PARAMETERS; ++i) {
        squares += n.g[i] * n.g[i];
    }
    for (int i = 0; i < PARAMETERS; ++i) {
        n.p[i] = first_step(&options, n.p[i], n.g[i], sqrt(squares), 0.01);
    }
    double got[PARAMETERS];
    TRY(evn__real_read(p, options.fp64, got, PARAMETERS));
    ck_assert_double_le(test_difference(got, n.p, PARAMETERS), options.fp64 ? 1e-13 : 1e-6);
    ck_assert_double_eq_tol(norm, sqrt(squares), 1e-5 * norm);
    evn_optimizer_destroy(&optimizer);
    evn_buffer_destroy(&p.buffer);
    evn_buffer_destroy(&g.buffer);
}

static void check_optimizers(bool fp64, const void *context) {
    for (int kind = EVN_OPTIMIZER_SGD; kind <= EVN_OPTIMIZER_LBFGS; ++kind) {
        evn_optimizer_options options = evn_optimizer_options_default((evn_optimizer_kind)kind);
        options.fp64 = fp64;
        check_step(options, *(const numbers *)context);
    }
}

START_TEST(steps) {
    numbers n;
    test_uniform(1, -1, 1, n.p, PARAMETERS);
    test_uniform(2, -1, 1, n.g, PARAMETERS);
    for_each_variant(check_optimizers, &n);
}
END_TEST

// A solve with its gradient -----------------------------------------------------------------------

enum { EULER_STEPS = 3 };

static const double *weight(const problem *p, const char *name) {
    for (int i = 0; i < p->weight_count; ++i) {
        if (strcmp(evn_dynamics_weight_name(p->dynamics, i), name) == 0) {
            return p->weight[i];
        }
    }
    ck_abort_msg("no weight %s", name);
    return NULL;
}

/// w [2, 5] += h (tanh(a w) + t·w·s)
static void weights_step(const problem *p, double w[2][5], double t, double h) {
    const double *a = weight(p, "a"), *s = weight(p, "s");
    for (int k = 0; k < 5; ++k) {
        double top = w[0][k], bottom = w[1][k];
        for (int i = 0; i < 2; ++i) {
            double moved = tanh(a[2 * i] * top + a[2 * i + 1] * bottom);
            w[i][k] += h * (moved + t * w[i][k] * s[k]);
        }
    }
}

/// x [2] += h · tanh(x w + t·v) out
static void state_step(const problem *p, double x[2], double w[2][5], double t, double h) {
    const double *out = weight(p, "out"), *v = weight(p, "v");
    double dx[2] = {0, 0};
    for (int k = 0; k < 5; ++k) {
        double hidden = tanh(x[0] * w[0][k] + x[1] * w[1][k] + t * v[k]);
        dx[0] += hidden * out[2 * k];
        dx[1] += hidden * out[2 * k + 1];
    }
    x[0] += h * dx[0];
    x[1] += h * dx[1];
}

/// ⟨x1_bar, x(1)⟩ of problem_node_ew by Euler steps in plain C; x(1) goes to x1 [3, 2].
static double plain_solve(const problem *p, double *x1) {
    double w[2][5], h = 1.0 / EULER_STEPS, loss = 0;
    memcpy(w, weight(p, "w"), sizeof(w));
    memcpy(x1, p->x0, 6 * sizeof(*x1));
    for (int step = 0; step < EULER_STEPS; ++step) {
        for (int row = 0; row < 3; ++row) {
            state_step(p, x1 + 2 * row, w, step * h, h);
        }
        weights_step(p, w, step * h, h);
    }
    for (int i = 0; i < 6; ++i) {
        loss += p->x1_bar[i] * x1[i];
    }
    return loss;
}

/// Largest |derivative − central difference| over the entries of `at`.
static double gradient_error(const problem *p, double *at, const double *derivative, int count) {
    const double h = 1e-5;
    double worst = 0, x1[6];
    for (int i = 0; i < count; ++i) {
        double kept = at[i];
        at[i] = kept + h;
        double high = plain_solve(p, x1);
        at[i] = kept - h;
        double low = plain_solve(p, x1);
        at[i] = kept;
        worst = fmax(worst, fabs(derivative[i] - (high - low) / (2 * h)));
    }
    return worst;
}

START_TEST(euler) {
    problem p = problem_node_ew(5);
    evn_solver_options options = evn_solver_options_default();
    options.method = "euler";
    options.steps = EULER_STEPS;
    options.gradient = EVN_GRADIENT_BACKPROP;
    options.fp64 = evn_device_get_info(test_device())->has_fp64;
    double tolerance = options.fp64 ? 1e-8 : 1e-5, x1[6];
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    problem_gradient(&p);
    plain_solve(&p, x1);
    ck_assert_double_le(test_difference(p.x1, x1, 6), tolerance);
    ck_assert_double_le(gradient_error(&p, p.x0, p.x0_bar, p.x_count), tolerance);
    for (int i = 0; i < p.weight_count; ++i) {
        double error = gradient_error(&p, p.weight[i], p.weight_bar_host[i], p.weight_size[i]);
        ck_assert_msg(error <= tolerance, "%s: %g", evn_dynamics_weight_name(p.dynamics, i), error);
    }
    problem_free(&p);
}
END_TEST

static TCase *add(Suite *suite, TCase *tcase) {
    tcase_add_checked_fixture(tcase, check_platform, NULL);
    suite_add_tcase(suite, tcase);
    return tcase;
}

static Suite *suite(void) {
    Suite *s = suite_create("kernels");
    tcase_add_test(add(s, tcase_create("matmul")), matmul);
    tcase_add_test(add(s, tcase_create("conv2d")), conv2d);
    tcase_add_test(add(s, tcase_create("conv2d_input_grad")), conv2d_input_grad);
    tcase_add_test(add(s, tcase_create("conv2d_weight_grad")), conv2d_weight_grad);
    tcase_add_test(add(s, tcase_create("winograd")), winograd);
    tcase_add_test(add(s, tcase_create("winograd_tiled")), winograd_tiled);
    tcase_add_test(add(s, tcase_create("reduce")), reduce);
    tcase_add_test(add(s, tcase_create("normalize")), normalize);
    tcase_add_test(add(s, tcase_create("softmax")), softmax);
    tcase_add_test(add(s, tcase_create("pool2d")), pool2d);
    tcase_add_test(add(s, tcase_create("layout")), layout);
    tcase_add_test(add(s, tcase_create("generated")), generated);
    tcase_add_test(add(s, tcase_create("optimizer")), steps);
    tcase_add_test(add(s, tcase_create("solver")), euler);
    return s;
}

int main(void) {
    return test_run(suite());
}
