// SPDX-License-Identifier: Apache-2.0
// What can be exported, and what cannot; what is in the files is tests/exchange.
#include "exchange/onnx.h"
#include "program.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static void train(const char *name, const char *task) {
    test_outcome result = test_program("", "train %s --out %s", task, name);
    ck_assert_msg(result.code == 0, "%s", result.err);
}

static void make_digits(void) {
    train("r", "digits --filters 8 --limit 32 --phase backprop:steps=1");
}

START_TEST(usage) {
    make_digits();
    test_fails_with(test_program("", "export"), EVN_ERR_USAGE, "needs a RUN");
    test_fails_with(test_program("", "export r"), EVN_ERR_USAGE, "--onnx FILE");
    test_fails_with(test_program("", "export r --onnx"), EVN_ERR_USAGE, "needs a value");
    test_fails_with(test_program("", "export nowhere --onnx m"), EVN_ERR_FILE, "nowhere/run.json");
    test_fails_with(test_program("", "export r --onnx m --solver none"), EVN_ERR_USAGE, "euler");
    test_fails_with(test_program("", "export r --onnx m --batch 0"), EVN_ERR_USAGE, "batch");
    ck_assert(!test_exists("m"));
}
END_TEST

START_TEST(files) {
    size_t any, fixed, more;
    make_digits();
    if (!evn__onnx_is_there()) {
        test_fails_with(test_program("", "export r --onnx m"), EVN_ERR_ARGUMENT, "protobuf-c");
        return;
    }
    test_fails_with(test_program("", "export r --onnx nowhere/m"), EVN_ERR_OUTPUT, "nowhere/m");
    test_outcome result = test_program("", "export r --onnx any.onnx");
    ck_assert_int_eq(result.code, 0);
    ck_assert_ptr_nonnull(strstr(result.out, "euler, 1 equal steps"));
    ck_assert_int_eq(test_program("", "export r --onnx fixed.onnx --batch 3").code, 0);
    ck_assert_int_eq(test_program("", "export r --onnx more.onnx --solver rk4 --steps 3").code, 0);
    free(test_read("any.onnx", &any));
    free(test_read("fixed.onnx", &fixed));
    free(test_read("more.onnx", &more));
    ck_assert_int_lt((int)any, (int)more);
    ck_assert_int_ne((int)any, (int)fixed);
}
END_TEST

/// Parameters to a file and back are the same bits, and a run of no epochs can be evaluated.
START_TEST(weights) {
    size_t size[2];
    make_digits();
    test_fails_with(test_program("", "export r --onnx m --map torch"), EVN_ERR_USAGE, "--map");
    ck_assert_int_eq(test_program("", "export r --safetensors t --map torch").code, 0);
    test_outcome result = test_program("", "train digits --filters 8 --limit 32 --epochs 0 "
                                           "--weights-from t --map torch --out w");
    ck_assert_msg(result.code == 0, "%s", result.err);
    char *before = test_read("r/model.safetensors", &size[0]);
    char *after = test_read("w/model.safetensors", &size[1]);
    ck_assert(size[0] == size[1] && memcmp(before, after, size[0]) == 0);
    ck_assert_int_eq(test_program("", "eval w").code, 0);
    test_fails_with(test_program("", "train digits --filters 8 --weights-from t --out x"),
                    EVN_ERR_DATA, "stem.norm1.scale [8] for stem.norm1.scale is missing");
    test_fails_with(test_program("", "train digits --map torch --out x"), EVN_ERR_USAGE,
                    "--weights-from");
    test_fails_with(test_program("", "train digits --weights-from t --map nothing --out x"),
                    EVN_ERR_FILE, "evonode, torch, odenet-mnist");
    ck_assert(!test_exists("x"));
    free(before);
    free(after);
}
END_TEST

/// Standard output, a file or a pipe, gets the bytes that the file has, and nothing else.
static void check_stream(const char *file, const char *option) {
    static const char *const ways[] = {"", "| cat"};
    size_t size[2];
    char *whole = test_read(file, &size[0]);
    for (int i = 0; i < 2; ++i) {
        test_outcome result = test_program("", "export c %s - %s", option, ways[i]);
        ck_assert_msg(result.code == 0, "%s", result.err);
        ck_assert(i == 1 || strstr(result.err, "/dev/stdout: curve"));
        char *stream = test_read("printed.out", &size[1]);
        ck_assert(size[0] == size[1] && memcmp(whole, stream, size[0]) == 0);
        free(stream);
    }
    ck_assert(!test_exists("-"));
    free(whole);
}

START_TEST(curve) {
    train("c", "curve --width 8 --phase backprop:epochs=1");
    ck_assert_int_eq(test_program("", "export c --safetensors s").code, 0);
    check_stream("s", "--safetensors");
    if (evn__onnx_is_there()) {
        test_fails_with(test_program("", "export c --onnx m --steps 7"), EVN_ERR_ARGUMENT,
                        "a multiple of");
        test_outcome result = test_program("", "export c --onnx m");
        ck_assert_msg(result.code == 0, "%s", result.err);
        ck_assert_ptr_nonnull(strstr(result.out, "m: curve, euler, 100 equal steps"));
        check_stream("m", "--onnx");
        test_fails_with(test_program("", "export c --onnx m --safetensors m"), EVN_ERR_USAGE,
                        "both write into 'm'");
        train("d", "curve --model node-ew --width 8 --phase backprop:epochs=1,weight-steps=200");
        test_fails_with(test_program("", "export d --onnx n"), EVN_ERR_USAGE,
                        "say by how many --steps");
        ck_assert_int_eq(test_program("", "export d --onnx n --steps 200").code, 0);
        train("e", "curve --model node-ew --width 8 --phase adjoint:epochs=1,weight-steps=200");
        test_fails_with(test_program("", "export e --onnx n"), EVN_ERR_USAGE,
                        "say by how many --steps");
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("export");
    test_add(suite, tcase_create("usage"), usage);
    test_add(suite, tcase_create("files"), files);
    test_add(suite, tcase_create("weights"), weights);
    test_add(suite, tcase_create("curve"), curve);
    return test_run(suite);
}
