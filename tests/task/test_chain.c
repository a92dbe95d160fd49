// SPDX-License-Identifier: Apache-2.0
// Networks of several ODEs, forward and backward.
#include "base/memory.h"
#include "base/random.h"
#include "task/classifier.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { B = 3, SIDE = 8, CLASSES = 3, PIXELS = SIDE * SIDE };

typedef struct trained {
    evn_model *model;
    evn_parameters *parameters;
    evn__classifier *classifier;
} trained;

static void load(evn__classifier *c) {
    double numbers[B * PIXELS];
    float *images, labels[B * CLASSES] = {0}, weights[B];
    test_uniform(3, 0, 1, numbers, B * PIXELS);
    TRY(evn__classifier_open(c, &images));
    for (int i = 0; i < B * PIXELS; ++i) {
        images[i] = (float)numbers[i];
    }
    for (int i = 0; i < B; ++i) {
        labels[i * CLASSES + i % CLASSES] = 1;
        weights[i] = 1;
    }
    TRY(evn__classifier_load(c, labels, weights));
}

static trained open_network(const char *json, const evn_solver_options *solver) {
    trained t = {0};
    evn_network *network = NULL;
    test_note(json);
    TRY(evn_network_parse(json, "test", &network));
    evn_model_options options = evn_model_options_default(SIDE, SIDE, 1, CLASSES);
    options.batch = B;
    options.network = network;
    TRY(evn_model_create(&options, &t.model));
    evn_network_destroy(&network);
    t.parameters = evn_model_parameters(t.model);
    TRY(evn_parameters_allocate(t.parameters, test_device(), false, 1));
    TRY(evn__classifier_create(test_device(), t.model, solver, true, &t.classifier));
    load(t.classifier);
    return t;
}

static void close_network(trained *t) {
    evn__classifier_destroy(&t->classifier);
    evn_model_destroy(&t->model);
}

static double loss_of(const trained *t, evn_solution *solution) {
    double loss, logits[B * CLASSES];
    TRY(evn__classifier_forward(t->classifier, 0, solution));
    TRY(evn__classifier_read(t->classifier, 0, 1, &loss, logits));
    return loss;
}

/// Move all parameters by `step` along directions drawn by their number; the derivative of the loss
/// along them by the gradient that is there.
static double move(const trained *t, double step) {
    double along = 0;
    for (int i = 0; i < evn_parameters_count(t->parameters); ++i) {
        int64_t count = evn_shape_count(evn_parameters_shape(t->parameters, i));
        double *value = calloc((size_t)count * 3, sizeof(*value));
        double *bar = value + count, *direction = bar + count;
        test_uniform(100 + i, -1, 1, direction, count);
        TRY(evn_parameters_read(t->parameters, i, value));
        TRY(evn_parameters_read_gradient(t->parameters, i, bar));
        for (int64_t k = 0; k < count; ++k) {
            along += bar[k] * direction[k];
            value[k] += step * direction[k];
        }
        TRY(evn_parameters_write(t->parameters, i, value));
        free(value);
    }
    return along;
}

static const char two[] =
    "{\"stem\": [{\"layer\": \"conv\", \"filters\": 4}, \"silu\"],"
    " \"blocks\": [{\"ode\": [\"norm\", \"tanh\", {\"layer\": \"conv\", \"time\": true}],"
    "               \"evolve\": \"mlp\"},"
    "              {\"layers\": [{\"layer\": \"conv\", \"filters\": 6, \"size\": 4, \"stride\": 2},"
    "                            \"mean-pool\"]},"
    "              {\"ode\": [\"gelu\", \"concat-time\", {\"layer\": \"conv\", \"filters\": 6,"
    "                        \"size\": 1}]},"
    "              {\"layers\": [\"sin\"]}],"
    " \"head\": [\"flatten\", {\"layer\": \"dense\", \"units\": 5}, \"softplus\","
    "            {\"layer\": \"dense\", \"units\": \"classes\"}]}";

/// Without a stem the first ODE moves the images.
static const char bare[] =
    "{\"blocks\": [{\"ode\": [{\"layer\": \"conv\", \"filters\": 4}, \"tanh\","
    "                        {\"layer\": \"conv\", \"filters\": 1}], \"evolve\": \"linear\"}],"
    " \"head\": [\"flatten\", {\"layer\": \"dense\", \"units\": \"classes\"}]}";

static void check_gradient(const char *json, const evn_solver_options *solver, int nfe) {
    const double h = 4e-3;
    evn_solution solution;
    trained t = open_network(json, solver);
    loss_of(&t, &solution);
    ck_assert_int_eq(solution.nfe, nfe);
    TRY(evn__classifier_gradient(t.classifier, &solution));
    double along = move(&t, h), up = loss_of(&t, &solution);
    move(&t, -2 * h);
    double difference = (up - loss_of(&t, &solution)) / (2 * h);
    printf("gradient %.6g, difference %.6g\n", along, difference);
    ck_assert_double_eq_tol(along, difference, 1e-2 * fmax(0.1, fabs(difference)));
    close_network(&t);
}

START_TEST(gradient_through_all_stages) {
    static const evn_gradient gradients[] = {EVN_GRADIENT_BACKPROP, EVN_GRADIENT_CHECKPOINTED};
    evn_solver_options solver = evn_solver_options_default();
    solver.method = "midpoint";
    solver.steps = 3;
    solver.gradient = gradients[_i % 2];
    check_gradient(_i < 2 ? two : bare, &solver, _i < 2 ? 12 : 6); // evaluations, of both ODEs
}
END_TEST

START_TEST(adjoint_through_all_stages) {
    evn_solver_options solver = evn_solver_options_default();
    solver.rtol = solver.atol = 1e-5;
    solver.gradient = EVN_GRADIENT_ADJOINT;
    evn_solution forward, backward;
    double x_error, theta_error;
    trained t = open_network(two, &solver);
    loss_of(&t, &forward);
    TRY(evn__classifier_gradient(t.classifier, &backward));
    ck_assert_int_gt(forward.nfe, 12);
    ck_assert_int_gt(backward.nfe, 12);
    TRY(evn__classifier_reconstruction(t.classifier, &x_error, &theta_error));
    ck_assert(x_error > 0 && x_error < 1e-2);
    ck_assert(theta_error >= 0 && theta_error < 1e-2);
    close_network(&t);
}
END_TEST

// Networks drawn at random ------------------------------------------------------------------------

static const char *pick(uint64_t seed, uint64_t *counter, const char *const *from, uint64_t count) {
    return from[evn__random_below(seed, 0, (*counter)++, count)];
}

/// A network whose layers were drawn; the words of a list must keep the shape.
static void draw(uint64_t seed, evn__text *json) {
    static const char *const keep[] = {
        "\"norm\"",
        "\"relu\"",
        "\"silu\"",
        "\"elu\"",
        "\"conv\"",
        "{\"layer\": \"conv\", \"size\": 5}",
        "{\"layer\": \"norm\", \"over\": \"batch\"}",
        "{\"layer\": \"residual\", \"layers\": [\"conv\", \"sin\"]}"};
    static const char *const halve[] = {"\"max-pool\"", "\"mean-pool\"",
                                        "{\"layer\": \"conv\", \"size\": 4, \"stride\": 2}"};
    static const char *const last[] = {"{\"layer\": \"conv\", \"time\": true}", "\"norm\"",
                                       "\"tanh\""};
    static const char *const kinds[] = {"none", "rda", "waves", "low-rank"};
    uint64_t n = 0;
    evn__text_append(json, "{\"stem\": [{\"layer\": \"conv\", \"filters\": 4}, %s],",
                     pick(seed, &n, keep, 8));
    evn__text_append(json, "\"blocks\": [");
    for (int i = 0; i < 2; ++i) {
        evn__text_append(json, "{\"ode\": [%s, \"conv\", %s], \"evolve\": \"%s\"}, ",
                         pick(seed, &n, keep, 8), pick(seed, &n, last, 3),
                         pick(seed, &n, kinds, 4));
        evn__text_append(json, "{\"layers\": [%s, %s]}%s", pick(seed, &n, halve, 3),
                         pick(seed, &n, keep, 8), i == 0 ? "," : "],");
    }
    evn__text_append(json,
                     "\"head\": [%s, \"global-pool\", {\"layer\": \"dense\", \"units\": "
                     "\"classes\"}]}",
                     pick(seed, &n, keep, 8));
}

/// A step downhill lowers the loss.
START_TEST(random_networks_train) {
    evn__text json = {0};
    evn_solution solution;
    evn_solver_options solver = evn_solver_options_default();
    solver.method = "euler";
    solver.steps = 2;
    solver.gradient = EVN_GRADIENT_BACKPROP;
    draw(1000 + (uint64_t)_i, &json);
    trained t = open_network(json.data, &solver);
    double before = loss_of(&t, &solution), squares = 0;
    TRY(evn__classifier_gradient(t.classifier, &solution));
    for (int pass = 0; pass < 2; ++pass) { // the gradient's square, then the step
        for (int i = 0; i < evn_parameters_count(t.parameters); ++i) {
            int64_t count = evn_shape_count(evn_parameters_shape(t.parameters, i));
            double *value = calloc((size_t)count * 2, sizeof(*value)), *bar = value + count;
            TRY(evn_parameters_read(t.parameters, i, value));
            TRY(evn_parameters_read_gradient(t.parameters, i, bar));
            for (int64_t k = 0; k < count; ++k) {
                squares += pass == 0 ? bar[k] * bar[k] : 0;
                value[k] -= pass == 0 ? 0 : 1e-3 * bar[k] / squares;
            }
            TRY(evn_parameters_write(t.parameters, i, value));
            free(value);
        }
    }
    double after = loss_of(&t, &solution);
    printf("%s: %.6f %.6f\n", json.data, before, after);
    ck_assert_double_eq_tol(before - after, 1e-3, 4e-4);
    close_network(&t);
    free(json.data);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("task/chain");
    TCase *gradients = tcase_create("gradients");
    tcase_add_loop_test(gradients, gradient_through_all_stages, 0, 3);
    tcase_add_test(gradients, adjoint_through_all_stages);
    suite_add_tcase(s, gradients);
    TCase *networks = tcase_create("random");
    tcase_add_loop_test(networks, random_networks_train, 0, 2);
    suite_add_tcase(s, networks);
    return s;
}

int main(void) {
    return test_run(suite());
}
