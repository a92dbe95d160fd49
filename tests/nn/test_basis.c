// SPDX-License-Identifier: Apache-2.0
// Weights as functions of t: each basis against its closed form, how θ(t) begins, and gradients of
// all kinds of weight evolution.
#include "derivative.h"
#include "evonode/model.h"
#include "nn/evolution.h"
#include "nn/field.h"
#include "problem.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SMOOTH // bases whose adjoints are compared; test_basis_long.c has all four
#define SMOOTH 2
#endif

static const double pi = 3.14159265358979323846;

// Closed forms ------------------------------------------------------------------------------------

static double piece(int k, int count, double t) {
    int at = (int)floor(t * count);
    return (at < count ? at : count - 1) == k;
}

static double hat(int k, int count, double t) {
    double left = floor(t * (count - 1)), share = t * (count - 1) - left;
    return k == left ? 1 - share : k == left + 1 ? share : 0;
}

static double wave(int k, int count, double t) {
    (void)count;
    double turn = 2 * pi * ((k + 1) / 2) * t;
    return k == 0 ? 1 : k % 2 ? cos(turn) : sin(turn);
}

static double chebyshev(int k, int count, double t) {
    (void)count;
    return cos(k * acos(2 * t - 1));
}

/// Rodrigues' formula, written out as a sum.
static double legendre(int k, int count, double t) {
    (void)count;
    double sum = 0, x = 2 * t - 1;
    for (int i = 0; i <= k; ++i) {
        double binomial = tgamma(k + 1) / (tgamma(i + 1) * tgamma(k - i + 1));
        sum += binomial * binomial * pow((x - 1) / 2, k - i) * pow((x + 1) / 2, i);
    }
    return sum;
}

/// Cox and de Boor's recursion over knots at whole numbers.
static double spline(int k, int degree, double u) {
    if (degree == 0) {
        return u >= k && u < k + 1;
    }
    return (u - k) / degree * spline(k, degree - 1, u) +
           (k + degree + 1 - u) / degree * spline(k + 1, degree - 1, u);
}

static double cubic(int k, int count, double t) {
    return spline(k - 3, 3, t * (count - 3));
}

static const struct {
    const char *name;
    double (*form)(int k, int count, double t);
} forms[] = {{"steps", piece},  {"buckets", piece},       {"piecewise-linear", hat},
             {"fourier", wave}, {"chebyshev", chebyshev}, {"legendre", legendre},
             {"splines", cubic}};
enum { FORMS = sizeof(forms) / sizeof(forms[0]), MOST = EVN__BASIS_MOST };

/// φ(t) as a graph, and its values.
typedef struct functions {
    evn_graph *graph;
    evn_parameters *parameters;
    values inputs;
    int count;
} functions;

static functions functions_new(const evn__basis *basis, int count) {
    functions f = {.count = count};
    TRY(evn_parameters_create(&f.parameters));
    TRY(evn_graph_create(&f.graph));
    evn__network network = {f.graph, f.parameters, "f", NULL};
    evn_value t = evn_input(f.graph, "t", EVN_SCALAR);
    evn_output(f.graph, "functions", basis->functions(&network, t, count));
    TRY(evn_graph_status(f.graph));
    f.inputs = values_like_inputs(f.graph, 1, 0, 1);
    return f;
}

static void functions_at(functions *f, double t, double *phi) {
    f->inputs.data[0][0] = t;
    values out = values_run(f->graph, &f->inputs);
    memcpy(phi, out.data[0], sizeof(*phi) * (size_t)f->count);
    values_free(&out);
}

static void functions_free(functions *f) {
    values_free(&f->inputs);
    evn_graph_destroy(&f->graph);
    evn_parameters_destroy(&f->parameters);
}

/// Times are no multiples of 1/count, where pieces jump.
START_TEST(functions_are_their_closed_forms) {
    const evn__basis *basis = evn__evolution_find(forms[_i].name)->basis;
    const int counts[] = {basis->least, 4, 5, basis->usual, 12};
    for (int c = 0; c < 5; ++c) {
        functions f = functions_new(basis, counts[c]);
        for (int i = 0; i < 40; ++i) {
            double phi[MOST], t = (i + 0.37) / 40;
            functions_at(&f, t, phi);
            for (int k = 0; k < f.count; ++k) {
                double exact = forms[_i].form(k, f.count, t);
                ck_assert_msg(fabs(phi[k] - exact) < 1e-11,
                              "%s: function %d of %d at %g is %g, "
                              "not %g",
                              forms[_i].name, k, f.count, t, phi[k], exact);
            }
        }
        functions_free(&f);
    }
}
END_TEST

/// The ends and the times of steps among them, as they are in single precision, too.
START_TEST(pieces_begin_at_their_boundaries) {
    functions f = functions_new(&evn__basis_buckets, 10);
    for (int i = 0; i <= 10; ++i) {
        for (int sign = -1; sign <= 1; ++sign) {
            double phi[MOST];
            functions_at(&f, i / 10.0 + sign * 1e-6, phi);
            for (int k = 0; k < 10; ++k) {
                ck_assert_double_eq(phi[k], k == (i < 10 ? i : 9));
            }
        }
    }
    functions_free(&f);
}
END_TEST

START_TEST(partitions_sum_to_one) {
    for (int kind = 0; evn__evolution_at(kind); ++kind) {
        const evn__basis *basis = evn__evolution_at(kind)->basis;
        for (int count = basis ? basis->least : 13; count < 13; ++count) {
            functions f = functions_new(basis, count);
            for (int i = 0; i <= 100; ++i) {
                double phi[MOST], sum = 0;
                functions_at(&f, i / 100.0, phi);
                for (int k = 0; k < count; ++k) {
                    sum += phi[k];
                }
                ck_assert_double_eq_tol(basis->partition ? sum : phi[0], 1, 1e-13);
            }
            functions_free(&f);
        }
    }
}
END_TEST

/// ∫ φₖ φₗ, of Chebyshev's with the weight dt/√(t (1 − t)): sums over as many places are exact.
START_TEST(series_are_orthogonal) {
    enum { COUNT = 7, PLACES = 4000 };
    static const char *const names[] = {"fourier", "chebyshev", "legendre"};
    functions f = functions_new(evn__evolution_find(names[_i])->basis, COUNT);
    double gram[COUNT][COUNT] = {{0}};
    for (int i = 0; i < PLACES; ++i) {
        double phi[MOST], t = (i + 0.5) / PLACES;
        functions_at(&f, _i == 1 ? (1 - cos(pi * t)) / 2 : t, phi);
        for (int k = 0; k < COUNT * COUNT; ++k) {
            gram[k / COUNT][k % COUNT] += phi[k / COUNT] * phi[k % COUNT] / PLACES;
        }
    }
    for (int k = 0; k < COUNT; ++k) {
        double square = k == 0 ? 1 : _i == 2 ? 1.0 / (2 * k + 1) : 0.5;
        for (int l = 0; l < COUNT; ++l) {
            ck_assert_double_eq_tol(gram[k][l], k == l ? square : 0, 2e-6);
        }
    }
    functions_free(&f);
}
END_TEST

// θ(t) --------------------------------------------------------------------------------------------

static evn_model *allocated(const char *weights) {
    evn_model *model;
    evn_model_options options = evn_model_options_default(4, 4, 1, 3);
    options.batch = 2;
    options.filters = 4;
    options.kind = weights ? EVN_MODEL_NODE_EW : EVN_MODEL_NODE;
    options.weights = weights;
    TRY(evn_model_create(&options, &model));
    TRY(evn_parameters_allocate(evn_model_parameters(model), test_device(), false, 5));
    return model;
}

static int64_t read_parameter(const evn_model *model, const char *name, double *data) {
    const evn_parameters *parameters = evn_model_parameters(model);
    int index = evn_parameters_find(parameters, name);
    ck_assert_msg(index >= 0, "%s", name);
    TRY(evn_parameters_read(parameters, index, data));
    return evn_shape_count(evn_parameters_shape(parameters, index));
}

/// As the Neural ODE of the same seed: kernels, biases, scales.
START_TEST(weights_begin_constant) {
    static const char *const names[] = {"f.conv1.weight", "f.conv2.time_weight", "f.conv1.bias",
                                        "f.norm3.scale"};
    enum { SIZE = 4096 };
    static double constant[SIZE], c[SIZE], phi[MOST];
    const evn__evolution_kind *kind = evn__evolution_at(_i);
    if (!kind->basis) {
        return;
    }
    int count = kind->basis->usual;
    evn_model *node = allocated(NULL), *model = allocated(kind->name);
    functions f = functions_new(kind->basis, count);
    for (int n = 0; n < 4; ++n) {
        int64_t size = read_parameter(node, names[n], constant);
        ck_assert_int_eq(read_parameter(model, names[n], c), size * count);
        for (int i = 0; i < 5; ++i) {
            functions_at(&f, i / 4.0, phi);
            for (int64_t j = 0; j < size; ++j) {
                double theta = 0;
                for (int k = 0; k < count; ++k) {
                    theta += phi[k] * evn__basis_scale(kind->basis, count) * c[k * size + j];
                }
                ck_assert_double_eq_tol(theta, constant[j], 1e-6);
            }
        }
    }
    functions_free(&f);
    evn_model_destroy(&node);
    evn_model_destroy(&model);
}
END_TEST

/// Of f's: two kernels with a channel of t, two biases, three scales and shifts.
START_TEST(parameters_are_counted) {
    evn_model *node = allocated(NULL), *model = allocated("fourier:5");
    evn_model *same = allocated("constant"), *learnt = allocated("hypernet:5");
    int64_t of_f = 2 * 9 * 5 * 4 + 2 * 4 + 6 * 4;
    int64_t count = evn_parameters_scalar_count(evn_model_parameters(node));
    ck_assert_int_eq(evn_parameters_scalar_count(evn_model_parameters(model)), count + 4 * of_f);
    ck_assert_int_eq(evn_parameters_scalar_count(evn_model_parameters(same)), count);
    ck_assert_int_eq(evn_parameters_scalar_count(evn_model_parameters(learnt)),
                     count + 4 * of_f + 16 + 16 + 16 * 4 + 4);
    for (int i = 0; i < evn_dynamics_weight_count(evn_model_dynamics(model)); ++i) {
        ck_assert(!evn_dynamics_weight_evolves(evn_model_dynamics(model), i));
    }
    evn_model_destroy(&node);
    evn_model_destroy(&model);
    evn_model_destroy(&same);
    evn_model_destroy(&learnt);
}
END_TEST

/// x' = x W(t) by K Euler steps is x Π (1 + Wₖ/K): each step has its own set.
START_TEST(a_set_of_weights_for_each_step) {
    enum { K = 6 };
    test_needs_fp64();
    evn_parameters *parameters;
    evn_dynamics *dynamics;
    const evn__field field = {.evolution = "steps:6"};
    TRY(evn_parameters_create(&parameters));
    TRY(evn__field_dynamics(&field, EVN_SHAPE(1, 1), parameters, &dynamics));
    problem p = problem_new(dynamics);
    int w = strcmp(evn_dynamics_weight_name(dynamics, 0), "f.dense1.weight") == 0 ? 0 : 1;
    double exact = p.x0[0] = 1.5;
    for (int k = 0; k < K; ++k) {
        p.weight[w][k] = 0.3 + k;
        exact *= 1 + sqrt(K) * p.weight[w][k] / K;
    }
    evn_solver_options options = evn_solver_options_default();
    options.fp64 = true;
    options.method = "euler";
    options.steps = K;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 1);
    ck_assert_double_eq_tol(p.x1[0], exact, 1e-12 * exact);
    problem_free(&p);
    evn_parameters_destroy(&parameters);
}
END_TEST

// Words -------------------------------------------------------------------------------------------

START_TEST(words_are_read) {
    evn__evolves e;
    TRY(evn__evolves_read("fourier:5", NULL, &e));
    ck_assert_ptr_eq(e.kind->basis, &evn__basis_fourier);
    ck_assert_int_eq(e.count, 5);
    TRY(evn__evolves_read("fit", "splines", &e));
    ck_assert_ptr_eq(e.kind->basis, &evn__basis_splines);
    ck_assert_int_eq(e.count, evn__basis_splines.usual);
    TRY(evn__evolves_read("rda", NULL, &e));
    ck_assert_int_eq(e.count, 0);
    TRY(evn__evolves_read("none", "rda", &e));
    ck_assert_ptr_null(e.kind);
    static const char *const bad[] = {"fourier:",    "fourier:0", "fourier:65", "fourier:5x",
                                      "fourier:1e9", "splines:3", "rda:4",      "constant:2",
                                      "four",        "fit",       ":3",         "fourier: 5"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); ++i) {
        ck_assert_msg(evn__evolves_read(bad[i], NULL, &e) == EVN_ERR_ARGUMENT, "%s", bad[i]);
    }
}
END_TEST

static const char layered[] =
    "{\"blocks\": [{\"ode\": [{\"layer\": \"dense\", \"units\": 3}, \"tanh\","
    "{\"layer\": \"dense\", \"units\": 4, \"evolve\": \"none\"}, \"tanh\","
    "{\"layer\": \"dense\", \"units\": 2, \"evolve\": \"linear\"}], \"evolve\": \"legendre:3\"}]}";

START_TEST(layers_may_differ) {
    evn_network *network;
    evn_parameters *parameters;
    evn_dynamics *dynamics;
    TRY(evn_network_parse(layered, "net", &network));
    TRY(evn_parameters_create(&parameters));
    TRY(evn_network_dynamics(network, EVN_SHAPE(5, 2), parameters, &dynamics));
    const char *const names[] = {"f.dense1.weight", "f.dense2.weight", "f.dense3.weight"};
    const evn_shape shapes[] = {EVN_SHAPE(3, 2, 3), EVN_SHAPE(3, 4), EVN_SHAPE(4, 2)};
    int met = 0;
    for (int i = 0; i < evn_dynamics_weight_count(dynamics); ++i) {
        for (int n = 0; n < 3; ++n) {
            if (strcmp(evn_dynamics_weight_name(dynamics, i), names[n]) == 0) {
                ck_assert(evn_shape_equal(evn_dynamics_weight_shape(dynamics, i), shapes[n]));
                ck_assert_int_eq(evn_dynamics_weight_evolves(dynamics, i), n == 2);
                ++met;
            }
        }
    }
    ck_assert_int_eq(met, 3);
    evn_dynamics_destroy(&dynamics);
    evn_parameters_destroy(&parameters);
    evn_network_destroy(&network);
}
END_TEST

START_TEST(wrong_words_are_placed) {
    static const char *const wrong[] = {"fourier:99", "rda:3"};
    evn_network *network;
    for (int i = 0; i < 2; ++i) {
        char text[160];
        snprintf(text, sizeof(text), "{\"blocks\": [{\"ode\": [\"conv\"], \"evolve\": \"%s\"}]}",
                 wrong[i]);
        ck_assert_int_eq(evn_network_parse(text, "net", &network), EVN_ERR_FORMAT);
        ck_assert_ptr_nonnull(strstr(evn_error_message(), "net:1: blocks[0].evolve: "));
        ck_assert_ptr_nonnull(strstr(evn_error_message(), wrong[i]));
    }
}
END_TEST

// Gradients ---------------------------------------------------------------------------------------

/// f of two dense layers for states [rows, 2], with numbers that are not special.
static problem dense_problem(const char *evolution, int rows) {
    const int widths[] = {3};
    const evn__field field = {.widths = widths,
                              .hidden = 1,
                              .activation = evn__activation_find("tanh"),
                              .evolution = evolution};
    evn_parameters *parameters;
    evn_dynamics *dynamics;
    test_note(evolution);
    TRY(evn_parameters_create(&parameters));
    TRY(evn__field_dynamics(&field, EVN_SHAPE(rows, 2), parameters, &dynamics));
    evn_parameters_destroy(&parameters);
    problem p = problem_new(dynamics);
    test_uniform(1, -1, 1, p.x0, p.x_count);
    for (int i = 0; i < p.weight_count; ++i) {
        test_uniform(2 + (uint64_t)i, -0.5, 0.5, p.weight[i], p.weight_size[i]);
    }
    return p;
}

static void solve(problem *p, const evn_solver_options *options) {
    problem_prepare(p, options);
    test_uniform(99, -1, 1, p->x1_bar, p->x1_count);
    problem_solve(p, 0, 1);
    problem_gradient(p);
}

/// A solve through dense layers, by backprop, against central differences in double.
START_TEST(gradients_of_dense_layers) {
    test_needs_fp64();
    problem p = dense_problem(evn_evolution_name(_i), 2);
    evn_solver_options options = evn_solver_options_default();
    options.fp64 = true;
    options.method = "rk4";
    options.steps = 4;
    options.gradient = EVN_GRADIENT_BACKPROP;
    solve(&p, &options);
    for (int i = 0; i < p.weight_count; ++i) {
        size_t size = sizeof(double) * (size_t)p.weight_size[i];
        double *derivative = malloc(size);
        memcpy(derivative, p.weight_bar_host[i], size);
        double error = problem_against_differences(&p, p.weight[i], derivative, p.weight_size[i]);
        ck_assert_msg(error < 1e-7, "%s, %s: %g", evn_evolution_name(_i),
                      evn_dynamics_weight_name(p.dynamics, i), error);
        free(derivative);
    }
    problem_free(&p);
}
END_TEST

/// f of convolutions: its vjp and jvp at a time within.
START_TEST(gradients_of_convolutions) {
    const evn_conv2d_options same = {.stride = 1, .padding = 1};
    const evn__evolution_kind *kind = evn__evolution_at(_i);
    evn_graph *g;
    evn_parameters *parameters;
    if (!kind->basis) {
        return; // test_model has them
    }
    TRY(evn_parameters_create(&parameters));
    TRY(evn_graph_create(&g));
    evn__network f = {g, parameters, "f", NULL};
    evn__expansions expansions = {.t = evn_input(g, "t", EVN_SCALAR)};
    evn_value x = evn_input(g, "x", EVN_SHAPE(2, 3, 3, 2));
    TRY(evn__network_expand(&f, &expansions, kind->basis, 4));
    x = evn__layer_conv2d_time(&f, "conv1", x, expansions.t, 2, 3, same);
    x = evn_tanh(g, evn__layer_group_norm(&f, "norm1", x, 2));
    evn_output(g, "dx", evn__layer_conv2d(&f, "conv2", x, 2, 3, same));
    TRY(evn_graph_status(g));
    ck_assert_int_eq(expansions.count, 1);
    check_derivative(g, 3, 0.07, 0.93);
    evn_graph_destroy(&g);
    evn_parameters_destroy(&parameters);
}
END_TEST

/// The adjoint meets backprop through many steps where θ(t) is smooth.
START_TEST(adjoints_meet_backprop) {
    static const char *const kinds[] = {"fourier:3", "hypernet:3", "legendre:4", "splines:5"};
    test_needs_fp64();
    problem p = dense_problem(kinds[_i], 3), q = dense_problem(kinds[_i], 3);
    evn_solver_options options = evn_solver_options_default();
    options.fp64 = true;
    options.method = "rk4";
    options.steps = 200;
    options.gradient = EVN_GRADIENT_BACKPROP;
    solve(&p, &options);
    options = evn_solver_options_default();
    options.fp64 = true;
    options.rtol = options.atol = 1e-10;
    options.gradient = EVN_GRADIENT_ADJOINT;
    solve(&q, &options);
    for (int i = 0; i < p.weight_count; ++i) {
        double error =
            test_difference(q.weight_bar_host[i], p.weight_bar_host[i], p.weight_size[i]);
        ck_assert_msg(error < 1e-7, "%s: %g", kinds[_i], error);
    }
    problem_free(&p);
    problem_free(&q);
}
END_TEST

static int kinds(void) {
    int count = 0;
    while (evn_evolution_name(count)) {
        ++count;
    }
    return count;
}

static Suite *suite(void) {
    Suite *s = suite_create("nn/basis");
    TCase *c = tcase_create("functions");
    tcase_add_loop_test(c, functions_are_their_closed_forms, 0, FORMS);
    tcase_add_test(c, pieces_begin_at_their_boundaries);
    tcase_add_test(c, partitions_sum_to_one);
    tcase_add_loop_test(c, series_are_orthogonal, 0, 3);
    suite_add_tcase(s, c);
    c = tcase_create("weights");
    tcase_add_loop_test(c, weights_begin_constant, 0, kinds());
    tcase_add_test(c, parameters_are_counted);
    tcase_add_test(c, a_set_of_weights_for_each_step);
    tcase_add_test(c, words_are_read);
    tcase_add_test(c, layers_may_differ);
    tcase_add_test(c, wrong_words_are_placed);
    suite_add_tcase(s, c);
    c = tcase_create("gradients");
    tcase_add_loop_test(c, gradients_of_dense_layers, 0, kinds());
    tcase_add_loop_test(c, gradients_of_convolutions, 0, kinds());
    tcase_add_loop_test(c, adjoints_meet_backprop, 0, SMOOTH);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
