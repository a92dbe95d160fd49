// SPDX-License-Identifier: Apache-2.0
// Every kernel family at small shapes, in buffers of exactly the size of what they hold. Short
// enough for a simulator and for slow compilers: CTest runs the program on the device under test,
// under Oclgrind and on rusticl.
#include "evonode/optimizer.h"
#include "plan/real.h"
#include "problem.h"
#include "ref/ref.h"
#include "run_exact.h"
#include "test.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/// Where the tests mean to run: another implementation would prove nothing.
static void check_platform(void) {
    const char *wanted = getenv("EVONODE_TEST_PLATFORM");
    const char *got = evn_device_get_info(test_device())->platform_name;
    ck_assert_msg(!wanted || strstr(got, wanted), "runs on %s instead of %s", got, wanted);
}

static evn_graph *new_graph(void) {
    evn_graph *graph = NULL;
    TRY(evn_graph_create(&graph));
    return graph;
}

// Matrices and convolutions -----------------------------------------------------------------------

static void check_matmul(int64_t m, int64_t n, int64_t k, bool transpose_a, bool transpose_b) {
    evn_graph *g = new_graph();
    evn_value a = evn_input(g, "a", transpose_a ? EVN_SHAPE(k, m) : EVN_SHAPE(m, k));
    evn_value b = evn_input(g, "b", transpose_b ? EVN_SHAPE(n, k) : EVN_SHAPE(k, n));
    evn_output(g, "c", evn_matmul(g, a, b, transpose_a, transpose_b));
    check_exact(g);
}

/// Below a tile; tiles of rows and columns that are not full; K cut into slices.
START_TEST(matmul) {
    bool transpose_a = _i & 1, transpose_b = _i & 2;
    check_matmul(1, 1, 1, transpose_a, transpose_b);
    check_matmul(11, 33, 7, transpose_a, transpose_b);
    check_matmul(9, 17, 530, transpose_a, transpose_b);
}
END_TEST

/// Images [B, H, W, Ci], weights [Kh, Kw, Ci, Co].
typedef struct geometry {
    int64_t b, h, w, ci, kh, kw, co;
    int stride, padding;
} geometry;

/// A row of tiles that is not full in samples and channels; one channel; strides; kernels outside.
static const geometry geometries[] = {
    {9, 3, 4, 5, 3, 3, 19, 1, 1}, {2, 5, 6, 1, 4, 4, 3, 2, 1}, {3, 4, 4, 3, 1, 1, 17, 2, 0},
    {1, 7, 5, 2, 2, 3, 33, 3, 1}, {2, 2, 3, 2, 2, 2, 5, 1, 3},
};
enum { GEOMETRIES = sizeof(geometries) / sizeof(*geometries) };

static evn_shape images(geometry g) {
    return EVN_SHAPE(g.b, g.h, g.w, g.ci);
}

static evn_shape weights(geometry g) {
    return EVN_SHAPE(g.kh, g.kw, g.ci, g.co);
}

static evn_shape results(geometry g) {
    return EVN_SHAPE(g.b, (g.h + 2 * g.padding - g.kh) / g.stride + 1,
                     (g.w + 2 * g.padding - g.kw) / g.stride + 1, g.co);
}

START_TEST(conv2d) {
    geometry shape = geometries[_i];
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", images(shape)), w = evn_input(g, "w", weights(shape));
    evn_output(g, "y", evn_conv2d(g, x, w, (evn_conv2d_options){shape.stride, shape.padding}));
    check_exact(g);
}
END_TEST

START_TEST(conv2d_input_grad) {
    geometry shape = geometries[_i];
    evn_graph *g = new_graph();
    evn_value y_bar = evn_input(g, "y_bar", results(shape)), w = evn_input(g, "w", weights(shape));
    evn_conv2d_options options = {shape.stride, shape.padding};
    evn_output(g, "x_bar", evn_conv2d_input_grad(g, y_bar, w, images(shape), options));
    check_exact(g);
}
END_TEST

START_TEST(conv2d_weight_grad) {
    geometry shape = geometries[_i];
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", images(shape)), y_bar = evn_input(g, "y_bar", results(shape));
    evn_conv2d_options options = {shape.stride, shape.padding};
    evn_output(g, "w_bar", evn_conv2d_weight_grad(g, x, y_bar, weights(shape), options));
    check_exact(g);
}
END_TEST

// Reductions --------------------------------------------------------------------------------------

static void check_sum(evn_shape shape, unsigned axes) {
    evn_graph *g = new_graph();
    evn_output(g, "y", evn_sum(g, evn_input(g, "x", shape), axes));
    check_exact(g);
}

/// Along rows and down columns, whole vectors and rests, in one pass and in two.
START_TEST(sums) {
    check_sum(EVN_SHAPE(3, 37), 2);
    check_sum(EVN_SHAPE(37, 3), 1);
    check_sum(EVN_SHAPE(5, 7, 16), 2);
    check_sum(EVN_SHAPE(5, 7, 16), 5);
    check_sum(EVN_SHAPE(33001), 1);
    check_sum(EVN_SHAPE(257, 3), 1);
}
END_TEST

/// Vectors that hold several groups, groups of several vectors, and neither.
START_TEST(normalize) {
    const int channels_groups[][2] = {{16, 8}, {32, 1}, {6, 2}, {20, 1}};
    evn_shape shape = EVN_SHAPE(3, 2, 5, channels_groups[_i][0]);
    int groups = channels_groups[_i][1];
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", shape), v = evn_input(g, "v", shape);
    evn_output(g, "y", evn_normalize(g, x, groups, 1e-2));
    evn_output(g, "grad", evn_normalize_grad(g, x, v, groups, 1e-2));
    check_exact(g);
}
END_TEST

START_TEST(log_softmax) {
    const int64_t classes[] = {1, 10, 16, 37};
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(7, classes[_i]));
    evn_output(g, "y", evn_log_softmax(g, x));
    check_exact(g);
}
END_TEST

// Pooling and layout ------------------------------------------------------------------------------

/// Overlapping windows, gaps between them, rows and columns left over at the end.
typedef struct pooling {
    evn_shape x;
    int window, stride;
} pooling;

static const pooling poolings[] = {
    {{4, {2, 5, 7, 3}}, 2, 2},
    {{4, {2, 5, 6, 16}}, 3, 1},
    {{4, {1, 6, 8, 4}}, 2, 3},
};
enum { POOLINGS = sizeof(poolings) / sizeof(*poolings) };

START_TEST(pool2d) {
    pooling p = poolings[_i];
    evn_shape pooled = p.x;
    pooled.dim[1] = (p.x.dim[1] - p.window) / p.stride + 1;
    pooled.dim[2] = (p.x.dim[2] - p.window) / p.stride + 1;
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", p.x), v = evn_input(g, "v", p.x);
    evn_value y_bar = evn_input(g, "y_bar", pooled);
    evn_output(g, "mean", evn_mean_pool2d(g, x, p.window, p.stride));
    evn_output(g, "mean_grad", evn_mean_pool2d_grad(g, y_bar, p.x, p.window, p.stride));
    evn_output(g, "select", evn_max_pool2d_select(g, x, v, p.window, p.stride));
    evn_output(g, "scatter", evn_max_pool2d_scatter(g, x, y_bar, p.window, p.stride));
    check_exact(g);
}
END_TEST

START_TEST(pad) {
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(3, 5)), row = evn_input(g, "row", EVN_SHAPE(1100));
    evn_value image = evn_input(g, "image", EVN_SHAPE(2, 3, 4, 16));
    evn_output(g, "odd", evn_pad(g, x, (int64_t[]){1, 2}, EVN_SHAPE(4, 9)));
    evn_output(g, "end", evn_pad(g, x, (int64_t[]){2, 0}, EVN_SHAPE(5, 5)));
    evn_output(g, "long", evn_pad(g, row, (int64_t[]){1030}, EVN_SHAPE(2131)));
    evn_output(g, "border", evn_pad(g, image, (int64_t[]){0, 1, 1, 0}, EVN_SHAPE(2, 5, 6, 16)));
    check_exact(g);
}
END_TEST

START_TEST(concat) {
    evn_graph *g = new_graph();
    evn_value a = evn_input(g, "a", EVN_SHAPE(3, 5)), b = evn_input(g, "b", EVN_SHAPE(3, 1));
    evn_value wide = evn_input(g, "wide", EVN_SHAPE(3, 2, 2, 16));
    evn_value map = evn_input(g, "map", EVN_SHAPE(3, 2, 2, 1));
    evn_output(g, "columns", evn_concat(g, (evn_value[]){a, b, a}, 3, 1));
    evn_output(g, "rows", evn_concat(g, (evn_value[]){a, a}, 2, 0));
    evn_output(g, "channels", evn_concat(g, (evn_value[]){wide, map}, 2, 3));
    check_exact(g);
}
END_TEST

// Generated kernels -------------------------------------------------------------------------------

START_TEST(chains) {
    evn_graph *g = new_graph();
    evn_value a = evn_input(g, "a", EVN_SHAPE(3, 37)), b = evn_input(g, "b", EVN_SHAPE(3, 37));
    evn_value positive = evn_add(g, evn_abs(g, a), evn_constant(g, 0.5));
    evn_value y = evn_div(g, evn_maximum(g, a, b), positive);
    y = evn_add(g, evn_sigmoid(g, y), evn_mul(g, evn_tanh(g, b), evn_exp(g, evn_neg(g, a))));
    evn_output(g, "smooth", evn_sub(g, evn_log(g, positive), evn_softplus(g, y)));
    evn_output(g, "wave", evn_add(g, evn_sin(g, a), evn_mul(g, evn_cos(g, b), evn_step(g, a))));
    evn_output(g, "rest", evn_add(g, evn_sqrt(g, positive), evn_mul(g, evn_sign(g, a), b)));
    evn_output(g, "scaled", evn_relu(g, evn_scale(g, a, 0.3)));
    check_exact(g);
}
END_TEST

/// Broadcasts, slices and permutations are read where they stand: their offsets must stay inside.
START_TEST(views) {
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(3, 2, 5, 4)), t = evn_input(g, "t", EVN_SCALAR);
    evn_value channel = evn_input(g, "channel", EVN_SHAPE(4));
    evn_value column = evn_input(g, "column", EVN_SHAPE(3, 1, 5, 1));
    double mask[] = {0, 1, 1, 0, 1};
    evn_value table = evn_reshape(g, evn_table(g, EVN_SHAPE(5), mask), EVN_SHAPE(1, 5, 1));
    evn_value y = evn_mul(g, evn_sub(g, evn_mul(g, x, channel), column), table);
    evn_output(g, "broadcast", evn_add(g, y, evn_mul(g, t, t)));
    evn_value part = evn_slice(g, x, (int64_t[]){1, 1, 2, 1}, EVN_SHAPE(2, 1, 3, 2));
    evn_output(g, "slice", evn_exp(g, part));
    evn_value turned = evn_permute(g, x, (int[]){3, 1, 0, 2});
    evn_output(g, "permute", evn_tanh(g, turned));
    int64_t last[] = {3, 1, 2, 4};
    evn_value corner = evn_slice(g, turned, last, EVN_SHAPE(1, 1, 1, 1));
    evn_output(g, "corner", evn_add(g, corner, evn_scale(g, t, 3.5)));
    evn_output(g, "itself", x);
    check_exact(g);
}
END_TEST

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
    tcase_add_loop_test(add(s, tcase_create("matmul")), matmul, 0, 4);
    tcase_add_loop_test(add(s, tcase_create("conv2d")), conv2d, 0, GEOMETRIES);
    tcase_add_loop_test(add(s, tcase_create("conv2d_input_grad")), conv2d_input_grad, 0,
                        GEOMETRIES);
    tcase_add_loop_test(add(s, tcase_create("conv2d_weight_grad")), conv2d_weight_grad, 0,
                        GEOMETRIES);
    tcase_add_test(add(s, tcase_create("reduce")), sums);
    tcase_add_loop_test(add(s, tcase_create("normalize")), normalize, 0, 4);
    tcase_add_loop_test(add(s, tcase_create("softmax")), log_softmax, 0, 4);
    tcase_add_loop_test(add(s, tcase_create("pool2d")), pool2d, 0, POOLINGS);
    TCase *layout = add(s, tcase_create("layout"));
    tcase_add_test(layout, pad);
    tcase_add_test(layout, concat);
    TCase *generated = add(s, tcase_create("generated"));
    tcase_add_test(generated, chains);
    tcase_add_test(generated, views);
    tcase_add_test(add(s, tcase_create("optimizer")), steps);
    tcase_add_test(add(s, tcase_create("solver")), euler);
    return s;
}

int main(void) {
    return test_run(suite());
}
