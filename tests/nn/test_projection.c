// SPDX-License-Identifier: Apache-2.0
// θ(t) in another basis: exact where the basis has it, the nearest one where it has not.
#include "evonode/parameters.h"
#include "nn/evolution.h"
#include "nn/projection.h"
#include "test.h"

#include <math.h>
#include <stdio.h>

enum { SIZE = 6, MOST = EVN__BASIS_MOST };

/// One weight "f.a.weight" [2, 3] that evolves so, and a constant one, "head.b.bias" [4].
static evn_parameters *weight_of(const char *word, uint64_t seed) {
    evn_parameters *parameters;
    evn_graph *graph;
    evn__evolves evolves;
    TRY(evn_parameters_create(&parameters));
    TRY(evn_graph_create(&graph));
    TRY(evn__evolves_read(word, NULL, &evolves));
    evn__network network = {graph, parameters, "f", NULL};
    evn__expansions expansions = {.t = evn_input(graph, "t", EVN_SCALAR)};
    TRY(evn__network_expand(&network, &expansions, evolves.kind ? evolves.kind->basis : NULL,
                            evolves.count));
    evn__network_weight(&network, "a", "weight", EVN_SHAPE(2, 3), EVN_INITIAL_NORMAL, 1);
    TRY(evn_graph_status(graph));
    TRY(evn_parameters_add(parameters, "head.b.bias", EVN_SHAPE(4), EVN_INITIAL_NORMAL, 1));
    evn_graph_destroy(&graph);
    test_needs_fp64();
    TRY(evn_parameters_allocate(parameters, test_device(), true, seed));
    return parameters;
}

static int find(const evn_parameters *parameters) {
    int index = evn_parameters_find(parameters, "f.a.weight");
    ck_assert_int_ge(index, 0);
    return index;
}

/// Coefficients that are all different.
static void fill(evn_parameters *parameters) {
    double c[MOST * SIZE];
    int index = find(parameters);
    int64_t count = evn_shape_count(evn_parameters_shape(parameters, index));
    test_uniform(3, -1, 1, c, count);
    TRY(evn_parameters_write(parameters, index, c));
}

static void read_all(const evn_parameters *parameters, double *c) {
    TRY(evn_parameters_read(parameters, find(parameters), c));
}

static const char *const exact[][2] = {
    {"chebyshev:4", "chebyshev:7"}, {"legendre:5", "chebyshev:5"},
    {"chebyshev:5", "legendre:5"},  {"fourier:5", "fourier:8"},
    {"buckets:4", "buckets:8"},     {"buckets:5", "steps:10"},
    {"splines:5", "splines:7"},     {"legendre:4", "splines:6"},
    {"none", "splines:6"},          {"none", "hypernet:3"},
    {"constant", "fourier:3"},      {"legendre:2", "piecewise-linear:6"},
    {"hypernet:4", "hypernet:4"},
};

/// There, and back again.
START_TEST(what_a_basis_has_is_kept) {
    evn__projection there, back;
    double before[MOST * SIZE], after[MOST * SIZE], bias[2][4];
    evn_parameters *from = weight_of(exact[_i][0], 1), *to = weight_of(exact[_i][1], 2);
    evn_parameters *again = weight_of(exact[_i][0], 1); // a hypernetwork's layers are the same
    test_note(exact[_i][1]);
    fill(from);
    TRY(evn__parameters_project(from, NULL, to, &there));
    TRY(evn__parameters_project(to, NULL, again, &back));
    ck_assert_double_lt(there.distance, 1e-9);
    read_all(from, before);
    read_all(again, after);
    int64_t count = evn_shape_count(evn_parameters_shape(from, find(from)));
    ck_assert_double_lt(test_difference(after, before, count), 1e-8);
    TRY(evn_parameters_read(from, evn_parameters_find(from, "head.b.bias"), bias[0]));
    TRY(evn_parameters_read(to, evn_parameters_find(to, "head.b.bias"), bias[1]));
    ck_assert_mem_eq(bias[0], bias[1], sizeof(bias[0]));
    evn_parameters_destroy(&from);
    evn_parameters_destroy(&to);
    evn_parameters_destroy(&again);
}
END_TEST

/// θ on a line from −1 to 1: of two buckets the means ±1/2, which are √(1/12) away in the mean;
/// constant, 0.
START_TEST(what_it_has_not_is_nearest) {
    evn__projection p;
    evn_parameters *from = weight_of("legendre:2", 1), *to = weight_of("buckets:2", 2);
    evn_parameters *constant = weight_of("constant", 2);
    double c[2 * SIZE] = {0};
    for (int i = SIZE; i < 2 * SIZE; ++i) {
        c[i] = 1;
    }
    TRY(evn_parameters_write(from, find(from), c));
    TRY(evn__parameters_project(from, NULL, to, &p));
    read_all(to, c);
    ck_assert_int_eq(p.projected, 1);
    ck_assert_double_eq_tol(p.distance, sqrt(1.0 / 12) / sqrt(1.0 / 3), 1e-5);
    for (int i = 0; i < 2 * SIZE; ++i) {
        ck_assert_double_eq_tol(sqrt(2) * c[i], i < SIZE ? -0.5 : 0.5, 1e-12);
    }
    TRY(evn__parameters_project(from, NULL, constant, &p));
    read_all(constant, c);
    ck_assert_double_eq_tol(p.distance, 1, 1e-12);
    ck_assert_double_eq_tol(c[0], 0, 1e-12);
    evn_parameters_destroy(&from);
    evn_parameters_destroy(&to);
    evn_parameters_destroy(&constant);
}
END_TEST

/// More functions are never farther away, and other coefficients are.
START_TEST(more_functions_are_nearer) {
    double last = INFINITY;
    evn_parameters *from = weight_of("buckets:6", 1);
    fill(from);
    for (int count = 1; count < 12; ++count) {
        char word[32];
        evn__projection p;
        snprintf(word, sizeof(word), "legendre:%d", count);
        evn_parameters *to = weight_of(word, 2);
        TRY(evn__parameters_project(from, NULL, to, &p));
        ck_assert_double_lt(p.distance, last);
        last = p.distance;
        evn_parameters_destroy(&to);
    }
    ck_assert_double_gt(last, 1e-3);
    evn_parameters_destroy(&from);
}
END_TEST

/// sin 2πt, as a g would have moved it; of another weight it says that it stays.
static evn_status sample_sine(const void *self, const char *name, int count, bool *moves,
                              double *theta) {
    (void)self;
    *moves = name[0] == 'f';
    for (int i = 0; *moves && i < count * SIZE; ++i) {
        theta[i] = sin(2 * acos(-1) * (i / SIZE + 0.5) / count) * (1 + i % SIZE);
    }
    return EVN_OK;
}

START_TEST(what_a_g_moves_is_sampled) {
    evn__projection p;
    const evn__sampler sampler = {NULL, sample_sine};
    double c[3 * SIZE];
    evn_parameters *from = weight_of("none", 1), *to = weight_of("fourier:3", 2);
    TRY(evn__parameters_project(from, &sampler, to, &p));
    read_all(to, c);
    ck_assert_double_lt(p.distance, 1e-7); // squares, rounded
    for (int i = 0; i < 3 * SIZE; ++i) {
        ck_assert_double_eq_tol(c[i], i < 2 * SIZE ? 0 : 1 + i % SIZE, 1e-12);
    }
    evn_parameters_destroy(&from);
    evn_parameters_destroy(&to);
}
END_TEST

/// A wave too fast for the basis, of as many functions as it can have: what is between the places
/// of the fit counts, and the distance is that of the best fit, found from many more places.
static evn_status sample_wave(const void *self, const char *name, int count, bool *moves,
                              double *theta) {
    const double *frequency = self;
    *moves = name[0] == 'f';
    for (int i = 0; *moves && i < count * SIZE; ++i) {
        theta[i] = sin(2 * acos(-1) * *frequency * (i / SIZE + 0.5) / count + 0.3);
    }
    return EVN_OK;
}

/// ‖θ' − θ‖ / ‖θ‖ over t of what a tensor of `to` has become, by its Legendre polynomials.
static double true_distance(const double *c, int count, double frequency) {
    enum { FINE = 20000 };
    double lost = 0, all = 0;
    for (int i = 0; i < FINE; ++i) {
        double t = (i + 0.5) / FINE, x = 2 * t - 1, before = 0, now = 1, sum = 0;
        double theta = sin(2 * acos(-1) * frequency * t + 0.3);
        for (int k = 0; k < count; ++k) {
            sum += c[k * SIZE] * now;
            double next = ((2 * k + 1) * x * now - k * before) / (k + 1);
            before = now;
            now = next;
        }
        lost += (sum - theta) * (sum - theta);
        all += theta * theta;
    }
    return sqrt(lost / all);
}

START_TEST(between_samples_it_is_near_too) {
    static const double frequencies[] = {3, 31};
    static double c[MOST * SIZE];
    evn_parameters *from = weight_of("none", 1), *to = weight_of("legendre:64", 2);
    for (int i = 0; i < 2; ++i) {
        evn__projection p;
        const evn__sampler sampler = {&frequencies[i], sample_wave};
        TRY(evn__parameters_project(from, &sampler, to, &p));
        read_all(to, c);
        double truth = true_distance(c, MOST, frequencies[i]);
        printf("frequency %g: distance %.3g, in truth %.3g\n", frequencies[i], p.distance, truth);
        ck_assert_double_eq_tol(p.distance, truth, 1e-9 + 0.02 * truth);
        ck_assert_double_lt(truth, i == 0 ? 1e-6 : 0.9);
    }
    evn_parameters_destroy(&from);
    evn_parameters_destroy(&to);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("nn/projection");
    TCase *c = tcase_create("projection");
    tcase_add_loop_test(c, what_a_basis_has_is_kept, 0, sizeof(exact) / sizeof(exact[0]));
    tcase_add_test(c, what_it_has_not_is_nearest);
    tcase_add_test(c, more_functions_are_nearer);
    tcase_add_test(c, what_a_g_moves_is_sampled);
    tcase_add_test(c, between_samples_it_is_near_too);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
