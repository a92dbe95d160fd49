// SPDX-License-Identifier: Apache-2.0
// Runs of fewer functions of t: what they give, how they are used, and what cannot be compressed.
#include "program.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS "train digits --limit 128 --filters 8 --batch 32 --phase backprop:steps=4,epochs=2 "

static test_outcome good(test_outcome result) {
    ck_assert_msg(result.code == 0, "%s", result.err);
    return result;
}

static double metric(const char *file, const char *name) {
    json_t *summary = test_json(file);
    double value = test_number(summary, name);
    json_decref(summary);
    return value;
}

/// f has 2 kernels [3, 3, 9, 8], 2 biases, 3 scales and 3 shifts of 8.
enum { OF_F = 2 * 9 * 9 * 8 + 8 * 8 };

START_TEST(images) {
    good(test_program("", DIGITS "--weights legendre --basis 4 --out a"));
    const char *out = good(test_program("", "compress a --basis 6 --out more")).out;
    ck_assert_ptr_nonnull(strstr(out, "legendre:4"));
    ck_assert_ptr_nonnull(strstr(out, "legendre:6"));
    ck_assert_double_lt(test_row(out, "distance of weights"), 1e-6);
    ck_assert_double_eq_tol(metric("more/summary.json", "test_loss"),
                            metric("a/summary.json", "test_loss"), 1e-4);
    good(test_program("", "compress a --basis 2 --out less"));
    double parameters = metric("a/summary.json", "parameters");
    ck_assert_double_eq(metric("less/summary.json", "parameters"), parameters - 2 * OF_F);
    good(test_program("", "compress a --weights constant --out node"));
    ck_assert_double_eq(metric("node/summary.json", "parameters"), parameters - 3 * OF_F);
    ck_assert_double_ne(metric("node/summary.json", "test_loss"),
                        metric("a/summary.json", "test_loss"));
}
END_TEST

/// Evaluated, described, resumed, exported, compared and compressed as any run.
START_TEST(use) {
    good(test_program("", DIGITS "--weights fourier --basis 3 --out a"));
    good(test_program("", "compress a --weights splines --basis 4 --out b"));
    good(test_program("", "eval b"));
    ck_assert_double_eq(metric("b/evaluation.json", "test_loss"),
                        metric("b/summary.json", "test_loss"));
    ck_assert_ptr_nonnull(strstr(good(test_program("", "describe b")).out, "f.conv1 θ(t)"));
    ck_assert_ptr_nonnull(strstr(good(test_program("", "resume b")).err, "finished"));
    good(test_program("", "export b --onnx b.onnx"));
    ck_assert_ptr_nonnull(strstr(good(test_program("", "compare a b")).out, "splines"));
    good(test_program("", "compress b --weights buckets --basis 2 --out c"));
    char path[TEST_PATH];
    remove(test_path(path, "c/summary.json")); // as where it was cut off
    test_fails_with(test_program("", "resume c"), EVN_ERR_FILE, "compress again");
    good(test_program("", "compress b --weights buckets --basis 2 --out c"));
    json_t *run = test_json("c/run.json");
    ck_assert_ptr_nonnull(json_object_get(json_object_get(run, "versions"), "evonode"));
    const json_t *from = json_object_get(run, "compressed"), *o = json_object_get(run, "options");
    ck_assert_str_eq(json_string_value(json_object_get(from, "run")), "b");
    ck_assert_str_eq(json_string_value(json_object_get(from, "from")), "splines:4");
    ck_assert_str_eq(json_string_value(json_object_get(o, "weights")), "buckets");
    ck_assert_double_eq(test_number(o, "basis"), 2);
    json_decref(run);
}
END_TEST

/// A run of an earlier version had no hash of its network file; the new one does.
START_TEST(network) {
    static const char fit[] = "{\"blocks\": [{\"ode\": [{\"layer\": \"conv\", \"filters\": 1}], "
                              "\"evolve\": \"fit\"}], \"head\": [\"global-pool\", "
                              "{\"layer\": \"dense\", \"units\": \"classes\"}]}\n";
    char path[TEST_PATH];
    test_write("fit.json", fit, strlen(fit));
    good(test_program("", "train digits --limit 64 --network fit.json --weights fourier --basis 3 "
                          "--phase backprop:steps=2,epochs=1 --out a"));
    json_t *run = test_json("a/run.json");
    ck_assert_int_eq(json_object_del(run, "network_hash"), 0);
    ck_assert_int_eq(json_object_del(run, "hash"), 0);
    ck_assert_int_eq(json_dump_file(run, test_path(path, "a/run.json"), 0), 0);
    json_decref(run);
    good(test_program("", "compress a --basis 2 --out b"));
    run = test_json("b/run.json");
    ck_assert_ptr_nonnull(json_object_get(run, "network_hash"));
    json_decref(run);
    good(test_program("", "describe b"));
}
END_TEST

/// A flow and a series, in which other things are learnt and kept, too.
START_TEST(tasks) {
    good(test_program("", "train flow --weights fourier --basis 4 --phase "
                          "backprop:solver=rk4,steps=8,epochs=20 --out f"));
    good(test_program("", "compress f --basis 2 --out f2"));
    good(test_program("", "sample f2 --count 3"));
    test_write("s.csv", "t,x\n0,0\n1,1\n2,0\n3,-1\n4,0\n5,1\n6,0\n7,-1\n8,0\n9,1\n",
               strlen("t,x\n0,0\n1,1\n2,0\n3,-1\n4,0\n5,1\n6,0\n7,-1\n8,0\n9,1\n"));
    good(test_program("", "train series --data s.csv --f mlp:4 --window 3 --weights "
                          "piecewise-linear --basis 3 --phase backprop:solver=rk4,epochs=5 "
                          "--out s"));
    good(test_program("", "compress s --weights chebyshev --basis 5 --out s2"));
    good(test_program("", "sample s2 --until 12"));
}
END_TEST

/// What a g moves is solved: in enough functions it is the same, but for what four Euler steps of
/// the run make of it.
START_TEST(moved) {
    good(test_program("", DIGITS "--weights waves --out a"));
    const char *out =
        good(test_program("", "compress a --weights legendre --basis 12 --out b")).out;
    ck_assert_double_lt(test_row(out, "distance of weights"), 1e-4);
    ck_assert_double_eq_tol(metric("b/summary.json", "test_loss"),
                            metric("a/summary.json", "test_loss"), 2e-2);
    good(test_program("", DIGITS "--weights rda-waves --out v"));
    out = good(test_program("", "compress v --weights splines --basis 8 --out w")).out;
    ck_assert_double_lt(test_row(out, "distance of weights"), 1e-3);
    good(test_program("", "train flow --phase backprop:solver=rk4,steps=8,epochs=50 --out f"));
    out = good(test_program("", "compress f --weights legendre --basis 12 --out f2")).out;
    ck_assert_ptr_nonnull(strstr(out, "waves of its own"));
    ck_assert_double_lt(test_row(out, "distance of weights"), 1e-2);
    test_fails_with(test_program("", "compress a --basis 4"), EVN_ERR_USAGE,
                    "moved by a g (waves)");
}
END_TEST

/// Weights with a solve of their own have none where they no longer evolve.
START_TEST(moved_by_themselves) {
    static const char *const solves[] = {"--weight-steps 40", "--weight-terms 16"};
    good(test_program("",
                      "train curve --model node-ew --width 8 --steps 20 %s --phase "
                      "backprop:epochs=2 --out by%d",
                      solves[_i], _i));
    good(test_program("", "compress by%d --weights splines --basis 4 --out s%d", _i, _i));
    good(test_program("", "eval s%d", _i));
}
END_TEST

START_TEST(refused) {
    good(test_program("", DIGITS "--weights fourier --basis 3 --out a"));
    good(test_program("", DIGITS "--model node --out n"));
    test_fails_with(test_program("", "compress a"), EVN_ERR_USAGE, "compress to what?");
    test_fails_with(test_program("", "compress a --basis 3"), EVN_ERR_ARGUMENT,
                    "no weight is in another basis");
    test_fails_with(test_program("", "compress a --weights rda"), EVN_ERR_USAGE, "a g, by which");
    test_fails_with(test_program("", "compress a --weights splines --basis 2"), EVN_ERR_USAGE,
                    "splines takes 4 to 64");
    test_fails_with(test_program("", "compress a --weights steps --basis 3"), EVN_ERR_USAGE,
                    "the phase backprop takes 4 steps");
    test_fails_with(test_program("", "compress n --basis 3"), EVN_ERR_ARGUMENT,
                    "the weights of n are constant");
    test_fails_with(test_program("", "compress a --basis 2 --out n"), EVN_ERR_OUTPUT, "n");
    test_fails_with(test_program("", "compress nothing --basis 2"), EVN_ERR_FILE, "nothing");
    ck_assert(!test_exists("runs"));
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("compress");
    TCase *c = tcase_create("images");
    tcase_add_test(c, images);
    suite_add_tcase(s, c);
    c = tcase_create("use");
    tcase_add_test(c, use);
    suite_add_tcase(s, c);
    test_add(s, tcase_create("network"), network);
    c = tcase_create("tasks");
    tcase_add_test(c, tasks);
    suite_add_tcase(s, c);
    c = tcase_create("moved"); // whole: long
    tcase_add_test(c, moved);
    tcase_add_loop_test(c, moved_by_themselves, 0, test_is_whole() ? 2 : 1);
    suite_add_tcase(s, c);
    c = tcase_create("refused");
    tcase_add_test(c, refused);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
