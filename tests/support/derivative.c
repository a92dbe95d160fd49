// SPDX-License-Identifier: Apache-2.0
#include "derivative.h"

#include "evonode/diff.h"
#include "ref/ref.h"
#include "test.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t input_count(const evn_graph *graph, int i) {
    return evn_shape_count(evn_value_shape(graph, evn_graph_input(graph, i)));
}

static int64_t output_count(const evn_graph *graph, int i) {
    return evn_shape_count(evn_value_shape(graph, evn_graph_output(graph, i)));
}

static values values_new(int count) {
    values v = {calloc((size_t)count + 1, sizeof(double *)), count};
    ck_assert_ptr_nonnull(v.data);
    return v;
}

values values_like_inputs(const evn_graph *graph, uint64_t seed, double low, double high) {
    values v = values_new(evn_graph_input_count(graph));
    for (int i = 0; i < v.count; ++i) {
        v.data[i] = calloc((size_t)input_count(graph, i), sizeof(double));
        test_uniform(seed * 1000 + (uint64_t)i, low, high, v.data[i], input_count(graph, i));
    }
    return v;
}

values values_run(const evn_graph *graph, const values *inputs) {
    values v = values_new(evn_graph_output_count(graph));
    ck_assert_int_eq(inputs->count, evn_graph_input_count(graph));
    for (int i = 0; i < v.count; ++i) {
        v.data[i] = calloc((size_t)output_count(graph, i), sizeof(double));
    }
    TRY(evn__ref_run(graph, (const double *const *)inputs->data, v.data));
    return v;
}

void values_free(values *v) {
    for (int i = 0; i < v->count; ++i) {
        free(v->data[i]);
    }
    free(v->data);
    *v = (values){0};
}

/// The first `count` arrays of a, followed by those of b; shares the arrays.
static values joined(const values *a, int count, const values *b) {
    values v = values_new(count + b->count);
    memcpy(v.data, a->data, sizeof(double *) * (size_t)count);
    memcpy(v.data + count, b->data, sizeof(double *) * (size_t)b->count);
    return v;
}

static values moved(const evn_graph *graph, const values *x, const values *x_dot, double h) {
    values v = values_new(x->count);
    for (int i = 0; i < x->count; ++i) {
        int64_t n = input_count(graph, i);
        v.data[i] = calloc((size_t)n, sizeof(double));
        for (int64_t k = 0; k < n; ++k) {
            v.data[i][k] = x->data[i][k] + h * x_dot->data[i][k];
        }
    }
    return v;
}

static void check_jvp(const evn_graph *graph, const values *x, const values *x_dot,
                      const values *tangents, int outputs) {
    const double h = 1e-5;
    values forward = moved(graph, x, x_dot, h), backward = moved(graph, x, x_dot, -h);
    values high = values_run(graph, &forward), low = values_run(graph, &backward);
    for (int i = 0; i < outputs; ++i) {
        int64_t n = output_count(graph, i);
        for (int64_t k = 0; k < n; ++k) {
            high.data[i][k] = (high.data[i][k] - low.data[i][k]) / (2 * h);
        }
        double difference = test_difference(tangents->data[outputs + i], high.data[i], n);
        ck_assert_msg(difference <= 1e-6, "jvp of output %d differs from differences by %g", i,
                      difference);
    }
    values_free(&forward);
    values_free(&backward);
    values_free(&high);
    values_free(&low);
}

static double inner(const double *a, const double *b, int64_t n, double *size) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) {
        sum += a[i] * b[i];
        *size += fabs(a[i] * b[i]);
    }
    return sum;
}

void check_derivative(const evn_graph *graph, uint64_t seed, double low, double high) {
    evn_graph *jvp = NULL, *vjp = NULL;
    TRY(evn_graph_status(graph));
    TRY(evn_jvp(graph, NULL, &jvp));
    TRY(evn_vjp(graph, NULL, &vjp));
    TRY(evn__graph_verify(jvp));
    TRY(evn__graph_verify(vjp));
    int inputs = evn_graph_input_count(graph), outputs = evn_graph_output_count(graph);
    values x = values_like_inputs(graph, seed, low, high);
    values x_dot = values_like_inputs(graph, seed + 1, -1, 1);
    values jvp_inputs = joined(&x, inputs, &x_dot), tangents = values_run(jvp, &jvp_inputs);
    check_jvp(graph, &x, &x_dot, &tangents, outputs);

    values seeds = values_like_inputs(vjp, seed + 2, -1, 1); // only its last entries are used
    values y_bar = {seeds.data + inputs, outputs};
    values vjp_inputs = joined(&x, inputs, &y_bar), cotangents = values_run(vjp, &vjp_inputs);
    double left = 0, right = 0, size = 0;
    for (int i = 0; i < outputs; ++i) {
        left += inner(y_bar.data[i], tangents.data[outputs + i], output_count(graph, i), &size);
    }
    for (int i = 0; i < inputs; ++i) {
        right += inner(cotangents.data[outputs + i], x_dot.data[i], input_count(graph, i), &size);
    }
    ck_assert_msg(fabs(left - right) <= 1e-10 * fmax(1, size), "<v, Ju> = %.17g, <JTv, u> = %.17g",
                  left, right);
    free(jvp_inputs.data);
    free(vjp_inputs.data);
    values_free(&x);
    values_free(&x_dot);
    values_free(&tangents);
    values_free(&seeds);
    values_free(&cotangents);
    evn_graph_destroy(&jvp);
    evn_graph_destroy(&vjp);
}
