// SPDX-License-Identifier: Apache-2.0
// Networks of one's own, from the command line: train --network, what a run keeps, describe.
#include "program.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHORT "--limit 200 --phase backprop:epochs=1,steps=2,lr=0.05"

static const char two[] =
    "{\"stem\": [{\"layer\": \"conv\", \"filters\": 8, \"size\": 4, \"stride\": 2}],\n"
    " \"blocks\": [{\"ode\": [\"norm\", \"silu\", \"conv\"], \"evolve\": \"rda\"},\n"
    "            {\"layers\": [\"max-pool\"]},\n"
    "            {\"ode\": [\"tanh\", {\"layer\": \"conv\", \"time\": true}]}],\n"
    " \"head\": [\"global-pool\", {\"layer\": \"dense\", \"units\": \"classes\"}]}\n";

/// The first line of `one` that begins with the name must be in `other`.
static void same_row(const char *one, const char *other, const char *name) {
    ck_assert_msg(test_row(one, name) == test_row(other, name), "%s", name);
}

START_TEST(a_run_keeps_its_network) {
    test_outcome result;
    test_write("two.json", two, strlen(two));
    result = test_program("", "train digits --network two.json " SHORT " --out run");
    ck_assert_msg(result.code == 0, "%s", result.err);
    char *trained = strdup(result.out);
    char path[TEST_PATH];
    ck_assert_int_eq(unlink(test_path(path, "two.json")), 0);
    result = test_program("", "eval run --steps 2 --solver euler");
    ck_assert_msg(result.code == 0, "%s", result.err);
    same_row(trained, result.out, "test errors");
    free(trained);
    size_t size;
    char *kept = test_read("run/network.json", &size);
    ck_assert_str_eq(kept, two);
    kept[size - 2] ^= ' '; // of the same shapes, but damaged
    test_write("run/network.json", kept, size);
    static const char said[] = "evonode: run/network.json is not the file that the run began with";
    test_fails_with(test_program("", "eval run"), EVN_ERR_FORMAT, said);
    test_fails_with(test_program("", "describe run"), EVN_ERR_FORMAT, said);
    test_fails_with(test_program("", "eval run"), EVN_ERR_FORMAT,
                    "delete \"network_hash\" and \"hash\" in the run's run.json");
    test_write("run/network.json", two, size);
    free(kept);
    result = test_program("", "depth run");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert(test_exists("run/kernels-f1-conv1.png"));
    test_fails_with(test_program("", "invert run"), 3, "the network has 4 stages");
    result = test_program("", "compare run");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.out, "two.json"));
    result = test_program("", "describe run");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.out, "f1.conv1 θ(t)"));
}
END_TEST

/// The shipped file gives the bits of the model of that name.
START_TEST(shipped_files_are_the_models) {
    static const char *const names[] = {"resnet", "node", "node-ew"};
    size_t sizes[2];
    char *weights[2], file[64];
    const char *name = names[_i], *layers = _i == 0 ? "--layers 2" : ""; // the others have none
    test_outcome result =
        test_program("", "train digits --model %s " SHORT " %s --out %s-name", name, layers, name);
    ck_assert_msg(result.code == 0, "%s", result.err);
    result =
        test_program("", "train digits --network %s/networks/%s.json " SHORT " %s --out %s-file",
                     getenv("EVONODE_SOURCE"), name, layers, name);
    ck_assert_msg(result.code == 0, "%s", result.err);
    snprintf(file, sizeof(file), "%s-name/model.safetensors", name);
    weights[0] = test_read(file, &sizes[0]);
    snprintf(file, sizeof(file), "%s-file/model.safetensors", name);
    weights[1] = test_read(file, &sizes[1]);
    const char *data[2];
    for (int i = 0; i < 2; ++i) { // the header's metadata differ
        uint64_t header;
        memcpy(&header, weights[i], sizeof(header));
        data[i] = weights[i] + sizeof(header) + header;
        sizes[i] -= sizeof(header) + header;
    }
    ck_assert_uint_eq(sizes[0], sizes[1]);
    ck_assert_int_eq(memcmp(data[0], data[1], sizes[0]), 0);
    free(weights[0]);
    free(weights[1]);
}
END_TEST

START_TEST(mistakes_leave_no_run) {
    static const char misfit[] = "{\"stem\": [\"conv\"],\n \"head\": [\"flatten\"]}";
    test_write("misfit.json", misfit, strlen(misfit));
    test_write("broken.json", misfit, 9);
    test_fails_with(test_program("", "train digits --network misfit.json --out wrong"), 16,
                    "misfit.json:2: head: head[0] (flatten) gives");
    test_fails_with(test_program("", "train digits --network broken.json --out wrong"), 11,
                    "broken.json:1: it is not JSON");
    test_fails_with(test_program("", "train digits --network none.json --out wrong"), 10,
                    "none.json");
    test_fails_with(test_program("", "train digits --network misfit.json --model node"), 2,
                    "--network takes the place of --model");
    test_fails_with(test_program("", "train flow --network misfit.json"), 2,
                    "--network is not for the task flow");
    ck_assert(!test_exists("wrong"));
}
END_TEST

START_TEST(series_take_a_network) {
    static const char field[] =
        "{\"blocks\": [{\"ode\": [{\"layer\": \"dense\", \"units\": 8}, \"gelu\",\n"
        "{\"layer\": \"dense\", \"units\": \"state\"}], \"evolve\": \"linear\"}]}";
    char rows[1024] = "t,x,y\n";
    for (int i = 0; i < 24; ++i) {
        size_t used = strlen(rows);
        snprintf(rows + used, sizeof(rows) - used, "%d,%d,%d\n", i, i % 7, i % 5);
    }
    test_write("rows.csv", rows, strlen(rows));
    test_write("field.json", field, strlen(field));
    test_write("two.json", two, strlen(two));
    test_outcome result = test_program("", "train series --data rows.csv --network field.json "
                                           "--epochs 3 --out series");
    ck_assert_msg(result.code == 0, "%s", result.err);
    // two dense layers, 8·2 + 8 and 8·2 + 2; g: rate and drift for each weight; starts of windows
    ck_assert_double_ge(test_row(result.out, "parameters"), 42 + 64);
    result = test_program("", "eval series");
    ck_assert_msg(result.code == 0, "%s", result.err);
    test_fails_with(test_program("", "train series --data rows.csv --network two.json --out no"),
                    16, "two.json: for trajectories a network is one ODE");
    test_fails_with(test_program("", "train series --data rows.csv --network two.json --f mlp:8"),
                    2, "--network takes the place of --model and --f");
    test_fails_with(test_program("", "train series --data rows.csv --f mlp:8:swish"), 2,
                    "softplus, silu, gelu, elu or sin");
    ck_assert(!test_exists("no"));
}
END_TEST

START_TEST(networks_are_described) {
    test_outcome result = test_program("", "describe node-ew --size 28 --svg net.svg");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.out, "parameters                208274"));
    ck_assert_double_eq(test_row(result.out, "of which g of f"), 8);
    ck_assert_ptr_nonnull(strstr(result.out, "f.conv1 θ(t)"));
    char *svg = test_read("net.svg", NULL);
    ck_assert_ptr_nonnull(strstr(svg, "dx/dt = f(t, x, θ(t))"));
    ck_assert_ptr_nonnull(strstr(svg, "</svg>"));
    free(svg);
    result = test_program("", "describe resnet --size 8x8x3 --classes 3 --batch 2 --json");
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_t *json = json_loads(result.out, 0, NULL);
    ck_assert_ptr_nonnull(json);
    ck_assert_double_eq(test_number(json, "classes"), 3);
    // 3×3·3·32 + (4×4 + 2·10·3×3)·32² and biases, norms and head
    ck_assert_double_eq(test_number(json, "parameters"),
                        864 + 32 + 64 + 196 * 1024 + 32 + 10 * (64 + 3 * 64) + 64 + 99);
    // for an image: 8×8·27·32 + 4×4·(16 + 180)·32² + 32·3
    ck_assert_double_eq(test_number(json, "multiply_adds"),
                        64 * 27 * 32 + 16 * 196 * 1024 + 32 * 3);
    ck_assert_double_gt(test_number(json_object_get(json, "estimated_bytes"), "backprop"), 1e6);
    json_decref(json);
    result = test_program("", "describe resnet");
    ck_assert_ptr_null(strstr(result.out, "(x, t)  "));
    result = test_program("", "describe node");
    ck_assert_ptr_nonnull(strstr(result.out, "conv (x, t)  "));
    ck_assert_ptr_null(strstr(result.out, "f.conv1 θ(t)"));
    const char *fixed = "{\"stem\": [{\"layer\": \"conv\", \"filters\": 4}], \"head\": "
                        "[\"global-pool\", {\"layer\": \"dense\", \"units\": \"classes\"}]}";
    test_write("fixed.json", fixed, strlen(fixed));
    ck_assert_int_eq(test_program("", "describe fixed.json").code, 0);
    test_fails_with(test_program("", "describe fixed.json --filters 7"), 2, "has no effect");
    test_fails_with(test_program("", "describe fixed.json --layers 7"), 2,
                    "--layers has no effect");
    test_fails_with(test_program("", "train digits --network fixed.json --layers 7 --out n"), 2,
                    "--layers has no effect");
    ck_assert_int_eq(test_program("", "describe resnet --layers 7").code, 0);
    test_fails_with(test_program("", "train digits --network fixed.json --filters 7 --out no"), 2,
                    "has no effect");
    ck_assert(!test_exists("no"));
    ck_assert_int_eq(test_program("", "describe resnet --filters 7").code, 0);
    test_fails_with(test_program("", "describe nothing"), 10, "nothing");
    test_fails_with(test_program("", "describe node --size 8x"), 2, "HxWxC");
    test_fails_with(test_program("", "describe node --size 1"), 16, "does not fit on");
    test_fails_with(test_program("", "describe"), 2, "describe needs a NETWORK");
    test_fails_with(test_program("", "describe node --svg no/folder.svg"), 13, "no/folder.svg");
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("cli/network");
    TCase *runs = tcase_create("runs");
    tcase_add_test(runs, a_run_keeps_its_network);
    tcase_add_test(runs, mistakes_leave_no_run);
    suite_add_tcase(s, runs);
    TCase *series = tcase_create("series");
    tcase_add_test(series, series_take_a_network);
    suite_add_tcase(s, series);
    TCase *shipped = tcase_create("shipped");
    tcase_add_loop_test(shipped, shipped_files_are_the_models, 0, 3);
    suite_add_tcase(s, shipped);
    TCase *described = tcase_create("described");
    tcase_add_test(described, networks_are_described);
    suite_add_tcase(s, described);
    return s;
}

int main(void) {
    return test_run(suite());
}
