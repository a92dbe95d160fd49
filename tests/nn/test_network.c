// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"
#include "derivative.h"
#include "evonode/model.h"
#include "nn/description.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Rules, each broken once -------------------------------------------------------------------------

#define HEAD "\"head\": [\"global-pool\", {\"layer\": \"dense\", \"units\": \"classes\"}]"

static const struct {
    const char *json;
    const char *says[3]; ///< parts of the message, in any order
} rules[] = {
    {"{\"stem\": [", {"net:1: it is not JSON"}},
    {"{\"stem\": [\"relu\"],\n \"stem\": [\"relu\"]}", {"net:2: it is not JSON", "duplicate"}},
    {"[1]", {"net:1: ", "a network is an object", "there is a list"}},
    {"{}", {"net:1: there are neither \"stem\" nor \"blocks\""}},
    {"[]", {"net:1: a network is an object"}},
    {"{\"stem\": [\"relu\",\n ]}", {"net:2: it is not JSON", "take out the comma before it"}},
    {"{\"stem\": [\"relu\"],}", {"net:1: it is not JSON", "take out the comma before it"}},
    {"{\"stem\": [\"relu\"],\n \"tail\": []}", {"net:2: tail: ", "here are stem, blocks, head"}},
    {"{\"stem\": \"relu\"}", {"net:1: stem: ", "there is a text here"}},
    {"{\"stem\": []}", {"stem: the list is empty", "1 to 1000"}},
    {"{\"stem\": [\"relu\",\n 3]}", {"net:2: stem[1]: a layer is a name", "a whole number here"}},
    {"{\"stem\": [{\"size\": 3}]}", {"stem[0]: ", "an object without the text \"layer\""}},
    {"{\"stem\": [\"relux\"]}",
     {"no layer is named 'relux'; did you mean relu?", "softplus, silu"}},
    {"{\"stem\": [{\"layer\": \"conv\", \"sise\": 3}]}",
     {"stem[0].sise: conv has no key \"sise\"", "filters, size, stride"}},
    {"{\"stem\": [{\"layer\": \"relu\", \"name\": \"a\"}]}", {"its keys are none"}},
    {"{\"stem\": [\n {\"layer\": \"conv\",\n  \"size\": 0}]}",
     {"net:3: stem[0].size: size of conv is 0, but should be 1 to 31 [3]"}},
    {"{\"stem\": [{\"layer\": \"conv\", \"size\": 2.5}]}", {"size of conv is 2.5"}},
    {"{\"stem\": [{\"layer\": \"conv\", \"time\": 1}]}", {"should be true or false [false]"}},
    {"{\"stem\": [{\"layer\": \"norm\", \"over\": \"pixel\"}]}", {"group, layer, batch [group]"}},
    {"{\"stem\": [{\"layer\": \"conv\", \"size\": \"fit\"}]}", {"is \"fit\", but should be 1 to"}},
    {"{\"stem\": [\"dense\"]}", {"stem[0]: dense needs \"units\""}},
    {"{\"stem\": [\"residual\"]}", {"residual needs a list \"layers\""}},
    {"{\"stem\": [{\"layer\": \"repeat\", \"layers\": [\"relu\"]}]}", {"needs \"times\""}},
    {"{\"stem\": [{\"layer\": \"residual\", \"layers\": [\"relu\", {}]}]}",
     {"stem[0].layers[1]: a layer is a name"}},
    {"{\"stem\": [{\"layer\": \"conv\", \"name\": \"a b\"}]}",
     {"stem[0].name: a name has 1 to 32"}},
    {"{\"stem\": [{\"layer\": \"conv\", \"evolve\": \"rda\"}]}",
     {"stem[0].evolve: weights evolve along the t of an ODE"}},
    {"{\"blocks\": {}}", {"blocks are a list", "an object here"}},
    {"{\"blocks\": [\"relu\"]}", {"blocks[0]: a block is an object with a list \"ode\""}},
    {"{\"blocks\": [{\"ode\": [\"relu\"], \"layers\": [\"relu\"]}]}",
     {"blocks[0].layers: there is no such key", "ode, evolve"}},
    {"{\"blocks\": [{\"ode\": [\"conv\"],\n \"evolve\": \"magic\"}]}",
     {"net:2: blocks[0].evolve: magic is no kind", "rda, rda-waves, mlp"}},
    {"{\"blocks\": [{\"layers\": [\"relu\"], \"name\": \"f2\"}]}", {"the name 'f2' is taken"}},
    {"{\"blocks\": [{\"layers\": [\"relu\"], \"name\": \"a\"},\n"
     " {\"layers\": [\"relu\"], \"name\": \"a\"}]}",
     {"net:2: blocks[1].name: the name 'a' is taken"}},
    {"{\"blocks\": [{\"layers\": [\"relu\"], \"repeat\": 0}]}",
     {"blocks[0].repeat: repeat should be 1 to 1000"}},
};

static void check_message(const char *const says[3]) {
    for (int i = 0; i < 3 && says[i]; ++i) {
        ck_assert_msg(strstr(evn_error_message(), says[i]), "'%s' is not in '%s'", says[i],
                      evn_error_message());
    }
}

START_TEST(broken_rules_are_named) {
    evn_network *network = NULL;
    test_note(rules[_i].json);
    ck_assert_int_eq(evn_network_parse(rules[_i].json, "net", &network), EVN_ERR_FORMAT);
    ck_assert_ptr_null(network);
    check_message(rules[_i].says);
}
END_TEST

/// Shapes that do not fit, on images of 8×8: both layers are named.
static const struct {
    const char *json;
    evn_status status;
    const char *says[3];
} misfits[] = {
    {"{\"stem\": [\"relu\",\n {\"layer\": \"dense\", \"units\": 3}]}",
     EVN_ERR_SHAPE,
     {"net:2: stem[1]: dense: it takes rows [B, D], but stem[0] (relu) gives [2, 8, 8, 1]",
      "put flatten or global-pool"}},
    {"{\"stem\": [\"flatten\", \"conv\"]}",
     EVN_ERR_SHAPE,
     {"stem[1]: conv: it takes images", "stem[0] (flatten) gives [2, 64]"}},
    {"{\"stem\": [{\"layer\": \"conv\", \"size\": 9, \"padding\": 0}]}",
     EVN_ERR_SHAPE,
     {"size 9 with padding 0 does not fit on the 8×8 pixels"}},
    {"{\"stem\": [\"max-pool\", {\"layer\": \"mean-pool\", \"size\": 5}]}",
     EVN_ERR_SHAPE,
     {"windows of size 5", "4×4 pixels that stem[0] (max-pool) gives"}},
    {"{\"stem\": [\"relu\", {\"layer\": \"residual\", \"layers\": [\"max-pool\"]}]}",
     EVN_ERR_SHAPE,
     {"stem[1]: residual: its layers give [2, 4, 4, 1] by stem[1].layers[0] (max-pool)",
      "[2, 8, 8, 1] of stem[0] (relu)"}},
    {"{\"stem\": [{\"layer\": \"beside\", \"layers\": [\"max-pool\"]}]}",
     EVN_ERR_SHAPE,
     {"stem[0]: beside: its layers give", "must keep all but channels"}},
    {"{\"stem\": [\"concat-time\"]}", EVN_ERR_SHAPE, {"there is no time t here"}},
    {"{\"stem\": [{\"layer\": \"conv\", \"time\": true}]}", EVN_ERR_SHAPE, {"no time t here"}},
    {"{\"blocks\": [{\"ode\": [{\"layer\": \"conv\", \"filters\": 3}]}]}",
     EVN_ERR_SHAPE,
     {"net:1: blocks[0]: blocks[0].ode[0] (conv) gives [2, 8, 8, 3]", "is [2, 8, 8, 1]"}},
    {"{\"blocks\": [{\"ode\": [\"relu\"], \"evolve\": \"rda\"}]}",
     EVN_ERR_SHAPE,
     {"no layer has weights that evolve by rda"}},
    {"{\"stem\": [{\"layer\": \"conv\", \"filters\": \"state\"}]}",
     EVN_ERR_SHAPE,
     {"stem[0]: conv: there is no state here"}},
    {"{\"stem\": [{\"layer\": \"conv\", \"name\": \"a\"}, {\"layer\": \"norm\", \"name\": \"a\"}]}",
     EVN_ERR_FORMAT,
     {"stem[1]: norm: there is another layer named 'a' in stem"}},
    {"{\"stem\": [{\"layer\": \"repeat\", \"times\": 1000, \"layers\": [{\"layer\": \"repeat\","
     " \"times\": 1000, \"layers\": [\"relu\"]}]}]}",
     EVN_ERR_SHAPE,
     {"stem[0].layers[0].layers[0]: relu: ", "more than 10000 layers"}},
    {"{\"stem\": [\"conv\"], \"head\": [\"flatten\"]}",
     EVN_ERR_SHAPE,
     {"head: head[0] (flatten) gives [2, 64]", "a number for each class, [2, 3]"}},
};

static evn_status make(const char *json, evn_model **model) {
    evn_network *network = NULL;
    TRY(evn_network_parse(json, "net", &network));
    evn_model_options options = evn_model_options_default(8, 8, 1, 3);
    options.batch = 2;
    options.network = network;
    evn_status status = evn_model_create(&options, model);
    evn_network_destroy(&network); // the model has a copy
    return status;
}

START_TEST(misfits_name_both_layers) {
    evn_model *model = NULL;
    test_note(misfits[_i].json);
    ck_assert_int_eq(make(misfits[_i].json, &model), misfits[_i].status);
    ck_assert_ptr_null(model);
    check_message(misfits[_i].says);
}
END_TEST

START_TEST(places_have_lines) {
    static const char text[] =
        "{\n \"a\\\"[\": [1,\n  {\"b\": \"}\"},\n  [2, 3.5e1]],\n \"c\":\n  {\"d\" : null}}";
    static const struct {
        const char *place;
        int line;
    } cases[] = {{"", 1},  {"c", 5},     {"c.d", 6},   {"c.e", 5},
                 {"x", 1}, {"c.d.e", 6}, {"a\\\"", 1}, {"c[3].d", 5}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        ck_assert_msg(evn__json_line(text, cases[i].place) == cases[i].line, "%s: %d",
                      cases[i].place, evn__json_line(text, cases[i].place));
    }
    static const char list[] = "[{\"b\": \"]\"},\n [2,\n 3]]";
    ck_assert_int_eq(evn__json_line(list, "[0].b"), 1);
    ck_assert_int_eq(evn__json_line(list, "[1]"), 2);
    ck_assert_int_eq(evn__json_line(list, "[1][1]"), 3);
}
END_TEST

// Layers ------------------------------------------------------------------------------------------

/// One of each, on x [2, 6, 6, 4]; rows are [2, 4].
static const struct {
    const char *json;
    bool rows;
    evn_shape to;
} layers[] = {
    {"[{\"layer\": \"dense\", \"units\": 3}]", true, {2, {2, 3}}},
    {"[{\"layer\": \"dense\", \"units\": 3, \"time\": true}]", true, {2, {2, 3}}},
    {"[\"conv\"]", false, {4, {2, 6, 6, 4}}},
    {"[{\"layer\": \"conv\", \"filters\": 3, \"size\": 4, \"stride\": 2, \"time\": true}]",
     false,
     {4, {2, 3, 3, 3}}},
    {"[\"norm\"]", false, {4, {2, 6, 6, 4}}},
    {"[{\"layer\": \"norm\", \"groups\": 2}]", true, {2, {2, 4}}},
    {"[{\"layer\": \"norm\", \"over\": \"layer\"}]", false, {4, {2, 6, 6, 4}}},
    {"[{\"layer\": \"norm\", \"over\": \"batch\"}]", false, {4, {2, 6, 6, 4}}},
    {"[{\"layer\": \"norm\", \"over\": \"batch\"}]", true, {2, {2, 4}}},
    {"[\"relu\"]", true, {2, {2, 4}}},
    {"[\"tanh\"]", true, {2, {2, 4}}},
    {"[\"softplus\"]", true, {2, {2, 4}}},
    {"[\"silu\"]", true, {2, {2, 4}}},
    {"[\"gelu\"]", true, {2, {2, 4}}},
    {"[\"elu\"]", true, {2, {2, 4}}},
    {"[\"sigmoid\"]", true, {2, {2, 4}}},
    {"[\"sin\"]", true, {2, {2, 4}}},
    {"[\"mean-pool\"]", false, {4, {2, 3, 3, 4}}},
    {"[{\"layer\": \"max-pool\", \"size\": 3, \"stride\": 1}]", false, {4, {2, 4, 4, 4}}},
    {"[\"global-pool\"]", false, {2, {2, 4}}},
    {"[\"flatten\"]", false, {2, {2, 144}}},
    {"[\"concat-time\"]", false, {4, {2, 6, 6, 5}}},
    {"[\"concat-time\"]", true, {2, {2, 5}}},
    {"[{\"layer\": \"zeros\", \"channels\": 3}]", false, {4, {2, 6, 6, 7}}},
    {"[{\"layer\": \"zeros\", \"channels\": 3}]", true, {2, {2, 7}}},
    {"[{\"layer\": \"beside\", \"layers\": [{\"layer\": \"conv\", \"filters\": 2}, \"tanh\"]}]",
     false,
     {4, {2, 6, 6, 6}}},
    {"[{\"layer\": \"beside\", \"layers\": [\"sin\"]}]", true, {2, {2, 8}}},
    {"[{\"layer\": \"residual\", \"layers\": [\"conv\", \"tanh\"]}]", false, {4, {2, 6, 6, 4}}},
    {"[{\"layer\": \"repeat\", \"times\": 2, \"layers\": [\"conv\", \"sin\"]}]",
     false,
     {4, {2, 6, 6, 4}}},
};

static evn_graph *build(int index, evn_parameters **parameters) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    TRY(evn_parameters_create(parameters));
    evn_value x = evn_input(g, "x", layers[index].rows ? EVN_SHAPE(2, 4) : EVN_SHAPE(2, 6, 6, 4));
    evn_value t = evn_input(g, "t", EVN_SCALAR);
    evn_output(g, "y", evn_layers(g, *parameters, "s", layers[index].json, x, t));
    TRY(evn_graph_status(g));
    return g;
}

START_TEST(every_layer_has_its_shape_and_gradients) {
    evn_parameters *parameters = NULL;
    test_note(layers[_i].json);
    evn_graph *g = build(_i, &parameters);
    ck_assert(evn_shape_equal(evn_value_shape(g, evn_graph_output(g, 0)), layers[_i].to));
    check_derivative(g, 5, -1, 1);
    evn_graph_destroy(&g);
    evn_parameters_destroy(&parameters);
}
END_TEST

START_TEST(every_layer_is_tested) {
    for (int i = 0; evn_layer_name(i); ++i) {
        char quoted[64];
        bool found = false;
        snprintf(quoted, sizeof(quoted), "\"%s\"", evn_layer_name(i));
        for (size_t k = 0; k < sizeof(layers) / sizeof(layers[0]); ++k) {
            found = found || strstr(layers[k].json, quoted);
        }
        ck_assert_msg(found, "%s", quoted);
        ck_assert_ptr_nonnull(evn_layer_text(i));
    }
}
END_TEST

static double silu(double x) {
    return x / (1 + exp(-x));
}

/// x times the normal distribution's function, which the formula meets to 5e-4.
static double gelu(double x) {
    return x / 2 * (1 + erf(x / sqrt(2)));
}

static double elu(double x) {
    return x > 0 ? x : expm1(x);
}

START_TEST(activations_have_their_values) {
    static const struct {
        const char *json;
        double (*value)(double x);
        double tolerance;
    } cases[] = {
        {"[\"silu\"]", silu, 1e-14}, {"[\"gelu\"]", gelu, 5e-4}, {"[\"elu\"]", elu, 1e-14}};
    for (int c = 0; c < 3; ++c) {
        evn_graph *g = NULL;
        evn_parameters *parameters = NULL;
        TRY(evn_graph_create(&g));
        TRY(evn_parameters_create(&parameters));
        evn_value x = evn_input(g, "x", EVN_SHAPE(7, 1));
        evn_output(g, "y", evn_layers(g, parameters, "s", cases[c].json, x, EVN_NONE));
        values in = values_like_inputs(g, 1, 0, 1);
        static const double points[] = {-30, -2, -0.3, 0, 1e-3, 1.5, 40};
        memcpy(in.data[0], points, sizeof(points));
        values out = values_run(g, &in);
        for (int i = 0; i < 7; ++i) {
            ck_assert_double_eq_tol(out.data[0][i], cases[c].value(points[i]), cases[c].tolerance);
        }
        values_free(&in);
        values_free(&out);
        evn_graph_destroy(&g);
        evn_parameters_destroy(&parameters);
    }
}
END_TEST

/// What is beside x keeps x, and zeros behind it are zeros: slopes of a part of a state that rests.
START_TEST(a_part_of_a_state_rests) {
    evn_graph *g = NULL;
    evn_parameters *parameters = NULL;
    TRY(evn_graph_create(&g));
    TRY(evn_parameters_create(&parameters));
    evn_value x = evn_input(g, "x", EVN_SHAPE(5, 2));
    static const char both[] = "[{\"layer\": \"beside\", \"layers\": [\"sin\"]}]",
                      rest[] = "[\"sin\", {\"layer\": \"zeros\", \"channels\": 1}]";
    evn_output(g, "both", evn_layers(g, parameters, "s", both, x, EVN_NONE));
    evn_output(g, "slope", evn_layers(g, parameters, "f", rest, x, EVN_NONE));
    values in = values_like_inputs(g, 1, -1, 1), out = values_run(g, &in);
    for (int i = 0; i < 5; ++i) {
        for (int k = 0; k < 2; ++k) {
            double value = in.data[0][2 * i + k];
            ck_assert_double_eq(out.data[0][4 * i + k], value);
            ck_assert_double_eq_tol(out.data[0][4 * i + 2 + k], sin(value), 1e-14);
            ck_assert_double_eq_tol(out.data[1][3 * i + k], sin(value), 1e-14);
        }
        ck_assert_double_eq(out.data[1][3 * i + 2], 0);
    }
    values_free(&in);
    values_free(&out);
    evn_graph_destroy(&g);
    evn_parameters_destroy(&parameters);
}
END_TEST

/// A channel over the batch and its pixels has mean 0 and variance 1, whatever it was.
START_TEST(batch_norm_is_over_the_batch) {
    enum { SAMPLES = 2 * 6 * 6, CHANNELS = 4 };
    evn_parameters *parameters = NULL;
    evn_graph *g = build(7, &parameters);
    values in = values_like_inputs(g, 3, -2, 5);
    for (int c = 0; c < CHANNELS; ++c) {
        in.data[evn_graph_find_input(g, "s.norm1.scale")][c] = 1;
        in.data[evn_graph_find_input(g, "s.norm1.shift")][c] = 0;
    }
    values out = values_run(g, &in);
    for (int c = 0; c < CHANNELS; ++c) {
        double sum = 0, squares = 0;
        for (int i = 0; i < SAMPLES; ++i) {
            double y = out.data[0][i * CHANNELS + c];
            sum += y / SAMPLES;
            squares += y * y / SAMPLES;
        }
        ck_assert_double_eq_tol(sum, 0, 1e-12);
        ck_assert_double_eq_tol(squares, 1, 1e-4);
    }
    values_free(&in);
    values_free(&out);
    evn_graph_destroy(&g);
    evn_parameters_destroy(&parameters);
}
END_TEST

// Models ------------------------------------------------------------------------------------------

static const char two[] =
    "{\"stem\": [{\"layer\": \"conv\", \"filters\": 4}],"
    " \"blocks\": [{\"ode\": [\"norm\", \"conv\", {\"layer\": \"conv\", \"evolve\": \"none\"}],"
    "               \"evolve\": \"rda\"},"
    "              {\"layers\": [\"max-pool\"]},"
    "              {\"ode\": [\"tanh\", \"conv\", {\"layer\": \"norm\", \"evolve\": \"waves\"}]}],"
    " " HEAD "}";

START_TEST(a_chain_of_stages) {
    evn_model *model = NULL;
    TRY(make(two, &model));
    ck_assert_int_eq(evn_model_stage_count(model), 4);
    ck_assert_str_eq(evn_graph_input_name(evn_model_stage(model, 0).graph, 0), "images");
    ck_assert_str_eq(evn_graph_input_name(evn_model_stage(model, 2).graph, 0), "x");
    ck_assert_ptr_eq(evn_model_dynamics(model), evn_model_stage(model, 1).dynamics);
    const evn_dynamics *last = evn_model_stage(model, 3).dynamics;
    ck_assert(evn_shape_equal(evn_dynamics_state_shape(last), EVN_SHAPE(2, 4, 4, 4)));
    ck_assert_str_eq(evn_network_name(evn_model_network(model)), "net");
    ck_assert_str_eq(evn_network_text(evn_model_network(model)), two);
    evn_model_destroy(&model);
}
END_TEST

/// Files with a few bytes changed, taken away or doubled are networks, or are refused at a place.
START_TEST(damaged_files_are_refused) {
    static const char bytes[] = "{}[]\",: 0179-.eftnrx\\\n";
    for (uint64_t seed = 0; seed < 1500; ++seed) {
        char text[sizeof(two) + 64];
        evn_network *network = NULL;
        evn_model *model = NULL;
        memcpy(text, two, sizeof(two));
        for (uint64_t k = 0; k <= evn__random_below(seed, 0, 0, 3); ++k) {
            size_t size = strlen(text), at = evn__random_below(seed, 1, k, size);
            size_t length = evn__random_below(seed, 2, k, 12) % (size - at);
            switch (evn__random_below(seed, 3, k, 3)) {
            case 0:
                text[at] = bytes[evn__random_below(seed, 4, k, sizeof(bytes) - 1)];
                break;
            case 1:
                memmove(text + at, text + at + length, size + 1 - at - length);
                break;
            default:
                memmove(text + at + length, text + at, size + 1 - at);
            }
        }
        test_note(text);
        evn_status status = evn_network_parse(text, "net", &network);
        if (status == EVN_OK) {
            evn_model_options options = evn_model_options_default(8, 8, 1, 3);
            options.batch = 2;
            options.network = network;
            status = evn_model_create(&options, &model);
        }
        ck_assert_msg(status == EVN_OK || strncmp(evn_error_message(), "net:", 4) == 0, "%s",
                      evn_error_message());
        evn_network_destroy(&network);
        evn_model_destroy(&model);
    }
}
END_TEST

START_TEST(weights_evolve_layer_by_layer) {
    static const struct {
        int stage;
        const char *name;
        bool evolves;
    } cases[] = {{1, "f1.conv1.weight", true}, {1, "f1.conv2.weight", false},
                 {1, "f1.norm1.scale", false}, {3, "f2.conv1.weight", false},
                 {3, "f2.norm1.scale", true},  {3, "f2.norm1.shift", true}};
    evn_model *model = NULL;
    TRY(make(two, &model));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
        const evn_dynamics *dynamics = evn_model_stage(model, cases[i].stage).dynamics;
        bool found = false;
        for (int k = 0; k < evn_dynamics_weight_count(dynamics); ++k) {
            if (strcmp(evn_dynamics_weight_name(dynamics, k), cases[i].name) == 0) {
                found = true;
                ck_assert_msg(evn_dynamics_weight_evolves(dynamics, k) == cases[i].evolves, "%s",
                              cases[i].name);
            }
        }
        ck_assert_msg(found, "%s", cases[i].name);
    }
    ck_assert_int_ge(evn_parameters_find(evn_model_parameters(model), "g1.conv1.coefficients"), 0);
    ck_assert_int_ge(evn_parameters_find(evn_model_parameters(model), "g2.norm1.scale.waves"), 0);
    evn_model_destroy(&model);
}
END_TEST

START_TEST(dynamics_of_rows) {
    static const char json[] =
        "{\"blocks\": [{\"ode\": [{\"layer\": \"dense\", \"units\": 16, \"time\": true}, \"tanh\","
        " {\"layer\": \"dense\", \"units\": \"state\"}], \"evolve\": \"low-rank\"}]}";
    evn_network *network = NULL;
    evn_parameters *parameters = NULL;
    evn_dynamics *dynamics = NULL;
    TRY(evn_network_parse(json, "rows", &network));
    TRY(evn_parameters_create(&parameters));
    TRY(evn_network_dynamics(network, EVN_SHAPE(5, 2), parameters, &dynamics));
    ck_assert(evn_dynamics_weight_evolves(dynamics, 0));
    ck_assert_int_ge(evn_parameters_find(parameters, "g.dense2.u"), 0);
    evn_dynamics_destroy(&dynamics);
    ck_assert_int_eq(evn_network_dynamics(network, EVN_SHAPE(5, 3, 2), parameters, &dynamics),
                     EVN_ERR_SHAPE);
    evn_network_destroy(&network);
    TRY(evn_network_shipped("resnet", &network));
    ck_assert_int_eq(evn_network_dynamics(network, EVN_SHAPE(5, 2), parameters, &dynamics),
                     EVN_ERR_ARGUMENT);
    evn_network_destroy(&network);
    ck_assert_int_eq(evn_network_shipped("lstm", &network), EVN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "node, resnet"));
    evn_parameters_destroy(&parameters);
}
END_TEST

#define COUNT(table) ((int)(sizeof(table) / sizeof((table)[0])))

static Suite *suite(void) {
    Suite *s = suite_create("nn/network");
    TCase *files = tcase_create("files");
    tcase_add_loop_test(files, broken_rules_are_named, 0, COUNT(rules));
    tcase_add_loop_test(files, misfits_name_both_layers, 0, COUNT(misfits));
    tcase_add_test(files, places_have_lines);
    suite_add_tcase(s, files);
    TCase *kinds = tcase_create("layers");
    tcase_add_loop_test(kinds, every_layer_has_its_shape_and_gradients, 0, COUNT(layers));
    tcase_add_test(kinds, every_layer_is_tested);
    tcase_add_test(kinds, activations_have_their_values);
    tcase_add_test(kinds, a_part_of_a_state_rests);
    tcase_add_test(kinds, batch_norm_is_over_the_batch);
    suite_add_tcase(s, kinds);
    TCase *models = tcase_create("models");
    tcase_add_test(models, a_chain_of_stages);
    tcase_add_test(models, damaged_files_are_refused);
    tcase_add_test(models, weights_evolve_layer_by_layer);
    tcase_add_test(models, dynamics_of_rows);
    suite_add_tcase(s, models);
    return s;
}

int main(void) {
    return test_run(suite());
}
