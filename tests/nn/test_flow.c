// SPDX-License-Identifier: Apache-2.0
#include "derivative.h"
#include "nn/flow.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 3, SIZES = 3, DIMENSIONS_MAX = 5, COLUMNS_MAX = 2 * DIMENSIONS_MAX + 1 };
enum { WIDTH = 64, THETA_COUNT = 7 * WIDTH }; // of the plane

static const evn__flow_size sizes[SIZES] = {{2, 64, 10}, {1, 16, 10}, {DIMENSIONS_MAX, 24, 4}};

/// f in double through the reference, its weights drawn at random.
typedef struct field {
    evn_graph *graph;
    values inputs;
    int dimensions, columns;
} field;

/// Of a kind and a size by number.
static field field_new(int number, evn__flow_trace trace) {
    const evn__flow_kind *kind = evn__flow_at(number / SIZES);
    const evn__flow_size *size = &sizes[number % SIZES];
    field f = {.dimensions = (int)size->dimensions, .columns = (int)evn__flow_columns(size, trace)};
    evn_parameters *parameters;
    TRY(evn_parameters_create(&parameters));
    TRY(evn__flow_f(kind, size, BATCH, trace, parameters, &f.graph));
    f.inputs = values_like_inputs(f.graph, 4, -1, 1);
    evn_parameters_destroy(&parameters);
    return f;
}

static void field_free(field *f) {
    values_free(&f->inputs);
    evn_graph_destroy(&f->graph);
}

/// dx of row `row` at the state as it is.
static void slope(const field *f, int row, double dx[COLUMNS_MAX]) {
    values out = values_run(f->graph, &f->inputs);
    memcpy(dx, out.data[0] + row * f->columns, (size_t)f->columns * sizeof(*dx));
    values_free(&out);
}

/// ∂f_i/∂z_j of a row by central differences.
static double difference(field *f, int row, int i, int j) {
    const double h = 1e-5;
    double up[COLUMNS_MAX], down[COLUMNS_MAX], *z = &f->inputs.data[1][row * f->columns + j],
                                               kept = *z;
    *z = kept + h;
    slope(f, row, up);
    *z = kept - h;
    slope(f, row, down);
    *z = kept;
    return (up[i] - down[i]) / (2 * h);
}

START_TEST(exact_trace_is_the_divergence) {
    field f = field_new(_i, EVN__TRACE_EXACT);
    for (int row = 0; row < BATCH; ++row) {
        double dx[COLUMNS_MAX], divergence = 0;
        for (int i = 0; i < f.dimensions; ++i) {
            divergence += difference(&f, row, i, i);
        }
        slope(&f, row, dx);
        ck_assert_double_gt(fabs(divergence), 1e-3);
        ck_assert_double_eq_tol(dx[f.dimensions], -divergence, 1e-8);
    }
    field_free(&f);
}
END_TEST

START_TEST(estimate_is_a_quadratic_form_of_the_noise) {
    field f = field_new(_i, EVN__TRACE_ESTIMATE);
    int first = f.dimensions + 1;
    for (int row = 0; row < BATCH; ++row) {
        double dx[COLUMNS_MAX], form = 0, *noise = &f.inputs.data[1][row * f.columns + first];
        for (int i = 0; i < f.dimensions; ++i) {
            for (int j = 0; j < f.dimensions; ++j) {
                form += noise[i] * difference(&f, row, i, j) * noise[j];
            }
        }
        slope(&f, row, dx);
        ck_assert_double_eq_tol(dx[f.dimensions], -form, 1e-8);
        for (int k = first; k < f.columns; ++k) {
            ck_assert_double_eq(dx[k], 0);
        }
    }
    field_free(&f);
}
END_TEST

START_TEST(tangents_and_cotangents_of_the_trace) {
    field f = field_new(_i, EVN__TRACE_EXACT);
    check_derivative(f.graph, 9, -1, 1);
    field_free(&f);
}
END_TEST

/// θ begins with a slope of zero: the output layer of g is zero.
START_TEST(evolution_starts_at_rest) {
    evn_parameters *parameters;
    evn_dynamics *dynamics;
    TRY(evn_parameters_create(&parameters));
    TRY(evn__flow_dynamics(&evn__flow_evolving, &sizes[0], BATCH, EVN__TRACE_EXACT, parameters,
                           &dynamics));
    ck_assert_str_eq(evn_dynamics_weight_name(dynamics, 0), EVN__FLOW_WEIGHT);
    ck_assert(evn_dynamics_weight_evolves(dynamics, 0));
    evn_dynamics_destroy(&dynamics);
    TRY(evn_parameters_allocate(parameters, test_device(), false, 1));
    int index = evn_parameters_find(parameters, "g.out.weight");
    ck_assert_int_ge(index, 0);
    size_t count = (size_t)evn_shape_count(evn_parameters_shape(parameters, index));
    double *data = malloc(count * sizeof(*data));
    TRY(evn_parameters_read(parameters, index, data));
    for (size_t k = 0; k < count; ++k) {
        ck_assert_double_eq(data[k], 0);
    }
    free(data);
    TRY(evn__flow_theta_dynamics(&evn__flow_evolving, &sizes[0], parameters, &dynamics));
    ck_assert(evn_shape_equal(evn_dynamics_state_shape(dynamics), EVN_SHAPE(1, THETA_COUNT)));
    evn_dynamics_destroy(&dynamics);
    ck_assert_int_eq(
        evn__flow_theta_dynamics(&evn__flow_constant, &sizes[0], parameters, &dynamics),
        EVN_ERR_ARGUMENT);
    evn_parameters_destroy(&parameters);
}
END_TEST

/// dθ/dt against its formula, at a t between 0 and 1 and phases that are not small.
START_TEST(evolution_is_a_sum_of_waves) {
    enum { T, THETA, A, B, C, INPUTS };
    evn_graph *graph;
    evn_parameters *parameters;
    TRY(evn_parameters_create(&parameters));
    TRY(evn_graph_create(&graph));
    evn__network network = {graph, parameters, "g", NULL};
    evn_value t = evn_input(graph, "t", EVN_SCALAR);
    evn_value theta = evn_input(graph, "theta", EVN_SHAPE(1, THETA_COUNT));
    evn_output(graph, "slope", evn__flow_evolving.slope(&evn__flow_evolving, &network, t, theta));
    TRY(evn_graph_status(graph));
    values in = values_like_inputs(graph, 4, 0.2, 0.9), out = values_run(graph, &in);
    ck_assert_int_eq(in.count, INPUTS);
    int out_weight = evn_parameters_find(parameters, "g.out.weight");
    int waves = (int)evn_parameters_shape(parameters, out_weight).dim[0];
    double phase[64] = {0};
    ck_assert(waves > 1 && waves <= 64);
    for (int i = 0; i < THETA_COUNT * waves; ++i) {
        phase[i / THETA_COUNT] += in.data[THETA][i % THETA_COUNT] * in.data[A][i] / THETA_COUNT;
    }
    for (int j = 0; j < THETA_COUNT; ++j) {
        double sum = 0;
        for (int k = 0; k < waves; ++k) {
            double angle = acos(-1) * k * in.data[T][0] + phase[k] + in.data[B][k];
            sum += in.data[C][k * THETA_COUNT + j] * cos(angle);
        }
        ck_assert_double_eq_tol(out.data[0][j], sum, 1e-9);
    }
    values_free(&in);
    values_free(&out);
    evn_graph_destroy(&graph);
    evn_parameters_destroy(&parameters);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("flow");
    TCase *c = tcase_create("trace");
    tcase_add_loop_test(c, exact_trace_is_the_divergence, 0, 3 * SIZES);
    tcase_add_loop_test(c, estimate_is_a_quadratic_form_of_the_noise, 0, 3 * SIZES);
    tcase_add_loop_test(c, tangents_and_cotangents_of_the_trace, 0, 3 * SIZES);
    suite_add_tcase(s, c);
    c = tcase_create("evolution");
    tcase_add_test(c, evolution_starts_at_rest);
    tcase_add_test(c, evolution_is_a_sum_of_waves);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
