// SPDX-License-Identifier: Apache-2.0
// Systems with a time for each sample: each row is what the system gives at that time; what mixes
// samples is refused by name.
#include "derivative.h"
#include "dynamics/by_sample.h"
#include "ref/ref.h"
#include "test.h"
#include <string.h>

static evn_graph *begin(evn_shape shape, evn_value *t, evn_value *x) {
    evn_graph *f = NULL;
    TRY(evn_graph_create(&f));
    *t = evn_input(f, "t", EVN_SCALAR);
    *x = evn_input(f, "x", shape);
    return f;
}

/// Time as a column, as a part of the bias, and behind a small network of its own, all with as many
/// units as there are samples.
static evn_graph *dense(int batch) {
    enum { UNITS = 4 };
    evn_value t, x;
    evn_graph *f = begin(EVN_SHAPE(batch, 3), &t, &x);
    evn_value u = evn_input(f, "u", EVN_SHAPE(4, UNITS)),
              v = evn_input(f, "v", EVN_SHAPE(UNITS, 3));
    evn_value s = evn_input(f, "s", EVN_SHAPE(UNITS)), h = evn_input(f, "h", EVN_SHAPE(1, UNITS));
    evn_value k = evn_input(f, "k", EVN_SHAPE(UNITS, 3));
    const evn_value parts[] = {x, evn_broadcast(f, t, EVN_SHAPE(batch, 1))};
    evn_value sum = evn_matmul(f, evn_concat(f, parts, 2, 1), u, false, false);
    sum = evn_tanh(f, evn_add(f, sum, evn_mul(f, evn_sin(f, t), s)));
    evn_value own = evn_matmul(f, evn_reshape(f, t, EVN_SHAPE(1, 1)), h, false, false);
    evn_value shift = evn_matmul(f, evn_tanh(f, own), k, false, false);
    evn_value dx = evn_add(f, evn_matmul(f, sum, v, false, false), shift);
    evn_output(f, "dx", evn_mul(f, dx, evn_exp(f, evn_neg(f, t))));
    return f;
}

/// Images: convolution, normalisation, views and a sum over places.
static evn_graph *images(int batch) {
    evn_value t, x;
    evn_graph *f = begin(EVN_SHAPE(batch, 4, 4, 2), &t, &x);
    evn_value w = evn_input(f, "w", EVN_SHAPE(3, 3, 2, 2)), m = evn_input(f, "m", EVN_SHAPE(2, 2));
    evn_value h = evn_conv2d(f, evn_normalize(f, x, 1, 1e-3), w, (evn_conv2d_options){1, 1});
    h = evn_add(f, evn_relu(f, h), evn_mul(f, t, evn_mean(f, x, 6)));
    evn_value rows = evn_reshape(f, h, EVN_SHAPE(batch * 16, 2));
    h = evn_reshape(f, evn_matmul(f, rows, m, false, true), EVN_SHAPE(batch, 4, 4, 2));
    const int order[] = {0, 2, 1, 3};
    evn_output(f, "dx", evn_mul(f, evn_permute(f, h, order), evn_cos(f, t)));
    return f;
}

static evn_graph *of_time_alone(int batch) {
    evn_value t, x;
    evn_graph *f = begin(EVN_SHAPE(batch, 2), &t, &x);
    evn_output(f, "dx", evn_broadcast(f, evn_mul(f, t, t), EVN_SHAPE(batch, 2)));
    return f;
}

/// Rows of two behind a reshape: with a bias and one that depends on t, beside what all rows share,
/// times numbers of each row's own.
static evn_graph *rows_of_two(int batch) {
    enum { ROWS = 3, UNITS = 2 };
    evn_value t, x;
    evn_graph *f = begin(EVN_SHAPE(batch, ROWS * UNITS), &t, &x);
    evn_value b = evn_input(f, "b", EVN_SHAPE(UNITS)), k = evn_input(f, "k", EVN_SHAPE(1, UNITS));
    evn_value h = evn_add(f, evn_reshape(f, x, EVN_SHAPE(batch * ROWS, UNITS)), b);
    h = evn_add(f, h, evn_mul(f, t, b));
    const evn_value parts[] = {h, evn_broadcast(f, k, EVN_SHAPE(batch * ROWS, UNITS))};
    evn_value m = evn_input(f, "m", EVN_SHAPE(batch * ROWS, 1));
    h = evn_mul(f, evn_sum(f, evn_tanh(f, evn_concat(f, parts, 2, 1)), 2), m);
    evn_value back = evn_reshape(f, evn_broadcast(f, h, EVN_SHAPE(batch * ROWS, UNITS)),
                                 EVN_SHAPE(batch, ROWS * UNITS));
    evn_output(f, "dx", evn_mul(f, back, evn_cos(f, t)));
    return f;
}

/// [K] functions of t times coefficients, of the shape.
static evn_value expanded(evn_graph *f, evn_value t, const char *name, evn_shape shape) {
    static const double rates[] = {0.5, -1, 2};
    enum { K = 3 };
    evn_value at = evn_mul(f, evn_table(f, EVN_SHAPE(1, K), rates), t);
    evn_value c = evn_input(f, name, EVN_SHAPE(K, evn_shape_count(shape)));
    return evn_reshape(f, evn_matmul(f, evn_cos(f, at), c, false, false), shape);
}

/// A part of weights that depend on t, its sum with and its product by others, and a transpose, by
/// several rows of each sample.
static evn_graph *weights_of_time(int batch) {
    enum { UNITS = 4, ROWS = 2 };
    evn_value t, x;
    evn_graph *f = begin(EVN_SHAPE(batch, ROWS * 3), &t, &x);
    const int64_t start[] = {1, 0}, none[] = {0, 0};
    const int order[] = {1, 0};
    evn_value all = expanded(f, t, "c", EVN_SHAPE(5, UNITS));
    evn_value u = evn_slice(f, all, start, EVN_SHAPE(3, UNITS));
    evn_value k = evn_input(f, "k", EVN_SHAPE(3, UNITS)), s = evn_input(f, "s", EVN_SHAPE(UNITS));
    u = evn_sub(f, evn_add(f, evn_mul(f, evn_neg(f, u), s), k), evn_mul(f, evn_exp(f, t), k));
    u = evn_mul(f, evn_div(f, u, evn_add(f, evn_mul(f, s, s), evn_constant(f, 1))), evn_sin(f, t));
    u = evn_add(
        f, u, evn_pad(f, evn_slice(f, all, none, EVN_SHAPE(1, UNITS)), start, EVN_SHAPE(3, UNITS)));
    evn_value h = evn_matmul(f, evn_reshape(f, x, EVN_SHAPE(batch * ROWS, 3)), u, false, false);
    h = evn_add(f, evn_tanh(f, h), evn_sum(f, u, 1));
    evn_value back = evn_matmul(f, h, evn_permute(f, evn_permute(f, u, order), order), false, true);
    evn_output(f, "dx", evn_reshape(f, back, EVN_SHAPE(batch, ROWS * 3)));
    return f;
}

/// Those that are no sum of functions times constants, their products by each other and by constant
/// ones.
static evn_graph *bent_weights(int batch) {
    enum { UNITS = 4 };
    evn_value t, x;
    evn_graph *f = begin(EVN_SHAPE(batch, 3), &t, &x);
    evn_value u = evn_tanh(f, expanded(f, t, "c", EVN_SHAPE(3, UNITS)));
    evn_value v = evn_input(f, "v", EVN_SHAPE(UNITS, UNITS)), w = evn_mul(f, v, t);
    evn_value h = evn_matmul(f, evn_tanh(f, evn_matmul(f, x, u, false, false)),
                             evn_matmul(f, evn_tanh(f, w), v, false, true), false, false);
    h = evn_add(f, h, evn_matmul(f, evn_full(f, EVN_SHAPE(batch, UNITS), 0.5), w, false, false));
    h = evn_matmul(f, h, evn_matmul(f, v, evn_sin(f, w), false, false), false, false);
    evn_output(f, "dx", evn_matmul(f, h, u, false, true));
    return f;
}

/// Weights of more elements than a sample may have in a kernel, of many functions, of which parts
/// are taken, one as a bias.
static evn_graph *many_weights(int batch) {
    enum { UNITS = 40, ALL = 2 * 3 * UNITS + UNITS };
    evn_value t, x;
    evn_graph *f = begin(EVN_SHAPE(batch, 3), &t, &x);
    const int64_t starts[][2] = {{0, 0}, {0, 3 * UNITS}, {0, 6 * UNITS}};
    evn_value all = expanded(f, t, "c", EVN_SHAPE(1, ALL)), m[2];
    for (int i = 0; i < 2; ++i) {
        evn_value part = evn_slice(f, all, starts[i], EVN_SHAPE(1, 3 * UNITS));
        m[i] = evn_reshape(f, part, EVN_SHAPE(3, UNITS));
    }
    evn_value bias = evn_slice(f, all, starts[2], EVN_SHAPE(1, UNITS));
    evn_value h = evn_tanh(f, evn_add(f, evn_matmul(f, x, m[0], false, false), bias));
    evn_output(f, "dx", evn_matmul(f, h, m[1], false, true));
    return f;
}

static evn_graph *kernels_of_time(int batch) {
    evn_value t, x;
    evn_conv2d_options same = {1, 1};
    evn_graph *f = begin(EVN_SHAPE(batch, 4, 4, 2), &t, &x);
    evn_value w = expanded(f, t, "c", EVN_SHAPE(3, 3, 2, 3));
    evn_value h = evn_tanh(f, evn_conv2d(f, x, w, same));
    evn_output(f, "dx", evn_conv2d_input_grad(f, h, w, evn_value_shape(f, x), same));
    return f;
}

static evn_graph *(*const builders[])(int batch) = {dense,        images,          of_time_alone,
                                                    rows_of_two,  weights_of_time, bent_weights,
                                                    many_weights, kernels_of_time};
enum { BUILDERS = sizeof(builders) / sizeof(builders[0]) };

static void lift(const evn_graph *f, evn_dynamics **dynamics, evn__system *lifted) {
    TRY(evn_dynamics_create(f, NULL, dynamics));
    TRY(evn__system_by_sample(&(*dynamics)->system, lifted));
}

/// @param batch  of 1 there are two rows of the same
static void check_rows(evn_graph *f, int batch) {
    evn_dynamics *dynamics = NULL;
    evn__system lifted;
    lift(f, &dynamics, &lifted);
    const evn_graph *own = dynamics->system.graph;
    int rows = batch > 1 ? batch : 2;
    ck_assert_int_eq(evn__system_time_shape(&lifted).dim[0], rows);
    values given = values_like_inputs(own, 7, -1, 1),
           many = values_like_inputs(lifted.graph, 8, -1, 1);
    for (int i = 1; i < given.count; ++i) {
        int64_t count = evn_shape_count(evn_value_shape(own, evn_graph_input(own, i)));
        memcpy(many.data[i], given.data[i], sizeof(double) * (size_t)count);
    }
    int64_t size = evn_shape_count(evn__system_state_shape(&dynamics->system, 0)) / batch;
    for (int row = batch; row < rows; ++row) {
        memcpy(many.data[1] + row * size, given.data[1], sizeof(double) * (size_t)size);
    }
    values got = values_run(lifted.graph, &many);
    for (int row = 0; row < rows; ++row) {
        given.data[0][0] = many.data[0][row];
        values expected = values_run(own, &given);
        for (int64_t d = 0; d < size; ++d) {
            ck_assert_double_eq_tol(got.data[0][row * size + d],
                                    expected.data[0][row % batch * size + d], 1e-14);
        }
        values_free(&expected);
    }
    values_free(&given);
    values_free(&many);
    values_free(&got);
    evn__system_free(&lifted);
    evn_dynamics_destroy(&dynamics);
    evn_graph_destroy(&f);
}

START_TEST(rows_have_their_time) {
    static const int batches[] = {4, 5, 1}; // 4: as many as units
    for (size_t i = 0; i < sizeof(batches) / sizeof(*batches); ++i) {
        check_rows(builders[_i](batches[i]), batches[i]);
    }
}
END_TEST

// Refusals ----------------------------------------------------------------------------------------

static evn_value mean_field(evn_graph *f, evn_value t, evn_value x) {
    (void)t;
    return evn_sub(f, x, evn_mean(f, x, 1));
}

static evn_value neighbours(evn_graph *f, evn_value t, evn_value x) {
    const int order[] = {1, 0};
    (void)t;
    return evn_permute(f, x, order);
}

static evn_value bent_kernels(evn_graph *f, evn_value t, evn_value x) {
    evn_value w = evn_input(f, "w", EVN_SHAPE(1, 1, 1, 1));
    evn_value images = evn_reshape(f, x, EVN_SHAPE(3, 3, 1, 1));
    w = evn_tanh(f, evn_mul(f, w, t));
    w = evn_broadcast(f, w, EVN_SHAPE(1, 1, 1, 2));
    evn_value h = evn_conv2d(f, images, evn_tanh(f, evn_mul(f, w, t)), (evn_conv2d_options){1, 0});
    return evn_reshape(f, evn_mean(f, h, 8), EVN_SHAPE(3, 3));
}

static evn_value gram(evn_graph *f, evn_value t, evn_value x) {
    (void)t;
    return evn_matmul(f, evn_matmul(f, x, x, false, true), x, false, false);
}

static const struct {
    evn_value (*build)(evn_graph *f, evn_value t, evn_value x);
    const char *says;
} refusals[] = {{mean_field, "meet in sum"},
                {neighbours, "meet in permute"},
                {gram, "meet in matmul"},
                {bent_kernels, "sum of functions of t"}};
enum { REFUSALS = sizeof(refusals) / sizeof(refusals[0]) };

START_TEST(mixing_is_refused) {
    evn_dynamics *dynamics = NULL;
    evn__system lifted;
    evn_value t, x;
    evn_graph *f = begin(EVN_SHAPE(3, 3), &t, &x);
    evn_output(f, "dx", refusals[_i].build(f, t, x));
    TRY(evn_dynamics_create(f, NULL, &dynamics));
    ck_assert_int_eq(evn__system_by_sample(&dynamics->system, &lifted), EVN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), refusals[_i].says));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "per_sample"));
    evn_dynamics_destroy(&dynamics);
    evn_graph_destroy(&f);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("dynamics/by_sample");
    TCase *rows = tcase_create("rows");
    tcase_add_loop_test(rows, rows_have_their_time, 0, BUILDERS);
    tcase_add_loop_test(rows, mixing_is_refused, 0, REFUSALS);
    suite_add_tcase(s, rows);
    return s;
}

int main(void) {
    return test_run(suite());
}
