// SPDX-License-Identifier: Apache-2.0
// The three models: sizes known from the literature, gradients of the whole chain, weights that
// evolve or do not.
#include "derivative.h"
#include "evonode/model.h"
#include "nn/evolution.h"
#include "problem.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#ifndef EVOLUTIONS // whose adjoints are compared; test_model_long.c has all three
#define EVOLUTIONS 1
#endif

static evn_model *make(evn_model_kind kind, const char *weights, evn_model_options options) {
    evn_model *model = NULL;
    options.kind = kind;
    options.weights = weights;
    TRY(evn_model_create(&options, &model));
    return model;
}

static evn_model_options mnist(void) {
    evn_model_options options = evn_model_options_default(28, 28, 1, 10);
    options.batch = 2;
    return options;
}

static evn_model_options tiny(void) {
    evn_model_options options = evn_model_options_default(4, 4, 1, 3);
    options.batch = 2;
    options.filters = 4;
    options.layers = 2;
    return options;
}

// torchdiffeq's odenet_mnist has 208,266 parameters; its ResNet of six blocks 576,778, of which
// each block has 74,112 (without the time channel and the third norm).
START_TEST(parameter_counts) {
    evn_model *node = make(EVN_MODEL_NODE, NULL, mnist());
    ck_assert_int_eq(evn_parameters_scalar_count(evn_model_parameters(node)), 208266);
    evn_model *rda = make(EVN_MODEL_NODE_EW, "rda", mnist());
    ck_assert_int_eq(evn_parameters_scalar_count(evn_model_parameters(rda)), 208266 + 8);
    evn_shape state = evn_dynamics_state_shape(evn_model_dynamics(rda));
    ck_assert(evn_shape_equal(state, EVN_SHAPE(2, 6, 6, 64)));
    evn_model_destroy(&node);
    evn_model_destroy(&rda);
}
END_TEST

/// What a solve costs goes with the state's area: it stays near MNIST's.
START_TEST(states_of_larger_images) {
    const int64_t sides[][2] = {{4, 2},  {8, 4},  {15, 7},  {16, 3}, {28, 6},  {32, 7}, {47, 11},
                                {50, 6}, {64, 7}, {96, 11}, {98, 6}, {128, 7}, {224, 6}};
    for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); ++i) {
        evn_model_options options = evn_model_options_default(sides[i][0], sides[i][0], 3, 10);
        options.batch = 2;
        evn_model *model = make(EVN_MODEL_NODE, NULL, options);
        evn_shape state = evn_dynamics_state_shape(evn_model_dynamics(model));
        ck_assert_int_eq(state.dim[1], sides[i][1]);
        ck_assert_int_eq(state.dim[2], sides[i][1]);
        evn_model_destroy(&model);
    }
    evn_model *model = NULL;
    evn_model_options options = evn_model_options_default(28, 28, 1, 10);
    options.down_samplings = 4;
    ck_assert_int_eq(evn_model_create(&options, &model), EVN_ERR_SHAPE);
    options.down_samplings = 0;
    ck_assert_int_eq(evn_model_create(&options, &model), EVN_ERR_ARGUMENT);
}
END_TEST

START_TEST(kernels_evolve_and_nothing_else) {
    evn_model *model = make(EVN_MODEL_NODE_EW, "mlp", mnist());
    const evn_dynamics *dynamics = evn_model_dynamics(model);
    int64_t evolving = 0;
    for (int i = 0; i < evn_dynamics_weight_count(dynamics); ++i) {
        const char *name = evn_dynamics_weight_name(dynamics, i);
        bool kernel = strcmp(name, "f.conv1.weight") == 0 || strcmp(name, "f.conv2.weight") == 0;
        ck_assert_int_eq(evn_dynamics_weight_evolves(dynamics, i), kernel);
        ck_assert_int_ge(evn_parameters_find(evn_model_parameters(model), name), 0);
        evolving += kernel ? evn_shape_count(evn_dynamics_weight_shape(dynamics, i)) : 0;
    }
    ck_assert_int_eq(evolving, 73728);
    evn_model_destroy(&model);
    model = make(EVN_MODEL_NODE, NULL, mnist());
    for (int i = 0; i < evn_dynamics_weight_count(evn_model_dynamics(model)); ++i) {
        ck_assert(!evn_dynamics_weight_evolves(evn_model_dynamics(model), i));
    }
    evn_model_destroy(&model);
}
END_TEST

/// Waves of three vectors of norms, two each, and of two biases: nothing that is a kernel.
START_TEST(vectors_evolve_too) {
    evn_model *model = make(EVN_MODEL_NODE_EW, "rda-waves", mnist());
    const evn_dynamics *dynamics = evn_model_dynamics(model);
    int vectors = 0;
    for (int i = 0; i < evn_dynamics_weight_count(dynamics); ++i) {
        bool vector = evn_dynamics_weight_shape(dynamics, i).rank == 1;
        const char *name = evn_dynamics_weight_name(dynamics, i);
        bool fixed = strstr(name, "time_weight") || strncmp(name, "g.", 2) == 0;
        ck_assert_msg(evn_dynamics_weight_evolves(dynamics, i) == !fixed, "%s", name);
        vectors += vector;
    }
    ck_assert_int_eq(vectors, 8);
    ck_assert_int_eq(evn_parameters_scalar_count(evn_model_parameters(model)),
                     208266 + 8 + 8 * 64 * 4);
    int index = evn_parameters_find(evn_model_parameters(model), "g.norm3.scale.waves");
    ck_assert_int_ge(index, 0);
    evn_model_destroy(&model);
}
END_TEST

START_TEST(gradients_of_the_parts) {
    evn_model *model = make(EVN_MODEL_RESNET, NULL, tiny());
    ck_assert_ptr_null(evn_model_dynamics(model));
    check_derivative(evn_model_stem(model), 1, -1, 1);
    check_derivative(evn_model_head(model), 2, -1, 1);
    evn_model_destroy(&model);
}
END_TEST

static evn_graph *slope_graph(const char *kind, evn_parameters *parameters) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn__network network = {g, parameters, "g", NULL};
    evn_value t = evn_input(g, "t", EVN_SCALAR), w = evn_input(g, "w", EVN_SHAPE(3, 3, 4, 5));
    evn_output(g, "dw", evn__evolution_find(kind)->slope(&network, "conv", t, w));
    TRY(evn_graph_status(g));
    return g;
}

START_TEST(every_kind_of_evolution_has_gradients) {
    evn_parameters *parameters = NULL;
    if (!evn__evolution_at(_i)->slope) {
        return; // test_basis has them
    }
    TRY(evn_parameters_create(&parameters));
    evn_graph *g = slope_graph(evn_evolution_name(_i), parameters);
    check_derivative(g, 3, -1, 1);
    evn_graph_destroy(&g);
    evn_parameters_destroy(&parameters);
}
END_TEST

/// All cotangents of the last gradient, one after the other.
static int gather(problem *p, const evn_solver_options *options, double *all) {
    int count = 0;
    problem_prepare(p, options);
    problem_solve(p, 0, 1);
    problem_gradient(p);
    for (int i = 0; i < p->weight_count; ++i) {
        memcpy(all + count, p->weight_bar_host[i], sizeof(double) * (size_t)p->weight_size[i]);
        count += p->weight_size[i];
    }
    return count;
}

/// f with its evolving weights, solved backwards, against backprop through many steps, in double.
/// They meet as 1 / steps: where a ReLU opens, f has a kink.
START_TEST(adjoint_of_evolving_weights) {
    static const char *const kinds[] = {"rda-waves", "mlp",
                                        "low-rank"}; // the first: the most kernels
    enum { MAX_COUNT = 4096 };
    static double exact[MAX_COUNT], adjoint[MAX_COUNT];
    evn_model *model = make(EVN_MODEL_NODE_EW, kinds[_i], tiny());
    problem p = problem_new((evn_dynamics *)evn_model_dynamics(model));
    test_uniform(1, -1, 1, p.x0, p.x_count);
    test_uniform(99, -1, 1, p.x1_bar, p.x_count); // a constant one is in the kernel of norm3's vjp
    for (int i = 0; i < p.weight_count; ++i) {
        bool scale = strstr(evn_dynamics_weight_name(p.dynamics, i), ".scale") &&
                     evn_dynamics_weight_name(p.dynamics, i)[0] == 'f';
        test_uniform(2 + i, scale ? 0.5 : -0.2, scale ? 1 : 0.2, p.weight[i], p.weight_size[i]);
    }
    evn_solver_options options = evn_solver_options_default();
    options.fp64 = true;
    options.method = "rk4";
    options.steps = 256;
    options.gradient = EVN_GRADIENT_BACKPROP;
    int count = gather(&p, &options, exact);
    ck_assert_int_le(count, MAX_COUNT);
    options = evn_solver_options_default();
    options.fp64 = true;
    options.rtol = options.atol = 1e-9;
    options.gradient = EVN_GRADIENT_ADJOINT;
    gather(&p, &options, adjoint);
    double error = test_difference(adjoint, exact, count);
    printf("%s: adjoint differs by %.2g\n", kinds[_i], error);
    ck_assert_msg(error < 2e-2, "%s: %g", kinds[_i], error);
    p.dynamics = NULL; // the model's
    problem_free(&p);
    evn_model_destroy(&model);
}
END_TEST

/// A Laplacian takes constants to zero, a gradient takes them to zero, the identity keeps them.
START_TEST(rda_knows_its_stencils) {
    evn_parameters *parameters = NULL;
    TRY(evn_parameters_create(&parameters));
    evn_graph *g = slope_graph("rda", parameters);
    values in = values_like_inputs(g, 1, 0, 0);
    for (int i = 0; i < 3 * 3 * 4 * 5; ++i) {
        in.data[1][i] = 0.25;
    }
    double *factors = in.data[evn_graph_find_input(g, "g.conv.coefficients")];
    for (int f = 0; f < 4; ++f) {
        factors[f] = 1;
        values out = values_run(g, &in);
        for (int i = 0; i < 3 * 3 * 4 * 5; ++i) {
            ck_assert_double_eq_tol(out.data[0][i], f == 3 ? tanh(0.25) : 0, 1e-15);
        }
        values_free(&out);
        factors[f] = 0;
    }
    values_free(&in);
    evn_graph_destroy(&g);
    evn_parameters_destroy(&parameters);
}
END_TEST

/// The slope of t + sin(π k t), which the first and another row of amplitudes make.
START_TEST(waves_are_waves) {
    const double pi = 3.14159265358979323846, t = 0.3;
    enum { COUNT = 3 * 3 * 4 * 5 };
    evn_parameters *parameters = NULL;
    TRY(evn_parameters_create(&parameters));
    evn_graph *g = slope_graph("waves", parameters);
    values in = values_like_inputs(g, 1, 0, 0);
    in.data[0][0] = t;
    double *amplitudes = in.data[evn_graph_find_input(g, "g.conv.waves")];
    for (int k = 1; k <= 3; ++k) {
        for (int i = 0; i < COUNT; ++i) {
            amplitudes[i] = 1;
            amplitudes[k * COUNT + i] = i;
        }
        values out = values_run(g, &in);
        for (int i = 0; i < COUNT; ++i) {
            ck_assert_double_eq_tol(out.data[0][i], 1 + i * pi * k * cos(pi * k * t), 1e-10);
            amplitudes[k * COUNT + i] = 0;
        }
        values_free(&out);
    }
    values_free(&in);
    evn_graph_destroy(&g);
    evn_parameters_destroy(&parameters);
}
END_TEST

START_TEST(parameters_are_drawn_by_name) {
    evn_model *a = make(EVN_MODEL_NODE, NULL, tiny());
    evn_model *b = make(EVN_MODEL_NODE_EW, "linear", tiny()); // has more, between the shared ones
    evn_parameters *p = evn_model_parameters(a), *q = evn_model_parameters(b);
    TRY(evn_parameters_allocate(p, test_device(), false, 7));
    TRY(evn_parameters_allocate(q, test_device(), false, 7));
    double first[16], second[16];
    int index = evn_parameters_find(p, "f.norm1.scale");
    TRY(evn_parameters_read(p, index, first));
    ck_assert(first[0] == 1 && first[3] == 1);
    index = evn_parameters_find(p, "head.dense.bias");
    TRY(evn_parameters_read(p, index, first));
    TRY(evn_parameters_read(q, evn_parameters_find(q, "head.dense.bias"), second));
    ck_assert_mem_eq(first, second, 3 * sizeof(double));
    index = evn_parameters_find(p, "f.conv1.bias");
    TRY(evn_parameters_read(p, index, first));
    double bound = 1 / sqrt(9 * 5);
    for (int i = 0; i < 4; ++i) {
        ck_assert(fabs(first[i]) <= bound && first[i] != 0);
    }
    first[2] = 3;
    TRY(evn_parameters_write(q, index, first));
    TRY(evn_parameters_read(q, index, second));
    ck_assert(second[2] == 3);
    evn_model_destroy(&a);
    evn_model_destroy(&b);
}
END_TEST

START_TEST(mistakes_are_reported) {
    evn_model *model = NULL;
    evn_model_options options = mnist();
    options.weights = "magic";
    ck_assert_int_eq(evn_model_create(&options, &model), EVN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "magic"));
    options = evn_model_options_default(2, 2, 1, 10);
    ck_assert_int_eq(evn_model_create(&options, &model), EVN_ERR_SHAPE);
    options = mnist();
    options.batch = 0;
    ck_assert_int_eq(evn_model_create(&options, &model), EVN_ERR_ARGUMENT);
    ck_assert_ptr_null(model);
}
END_TEST

static int kinds_of_evolution(void) {
    int count = 0;
    while (evn_evolution_name(count)) {
        ++count;
    }
    return count;
}

static Suite *suite(void) {
    Suite *s = suite_create("nn/model");
    TCase *models = tcase_create("models");
    tcase_add_test(models, parameter_counts);
    tcase_add_test(models, states_of_larger_images);
    tcase_add_test(models, kernels_evolve_and_nothing_else);
    tcase_add_test(models, vectors_evolve_too);
    tcase_add_test(models, parameters_are_drawn_by_name);
    tcase_add_test(models, mistakes_are_reported);
    suite_add_tcase(s, models);
    TCase *gradients = tcase_create("gradients");
    tcase_add_test(gradients, gradients_of_the_parts);
    tcase_add_loop_test(gradients, every_kind_of_evolution_has_gradients, 0, kinds_of_evolution());
    tcase_add_test(gradients, rda_knows_its_stencils);
    tcase_add_test(gradients, waves_are_waves);
    suite_add_tcase(s, gradients);
    TCase *adjoints = tcase_create("adjoints");
    tcase_add_loop_test(adjoints, adjoint_of_evolving_weights, 0, EVOLUTIONS);
    suite_add_tcase(s, adjoints);
    return s;
}

int main(void) {
    return test_run(suite());
}
