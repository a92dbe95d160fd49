// SPDX-License-Identifier: Apache-2.0
// evonode train images: a folder as anybody has it, and the same images as IDX files.
#include "pictures.h"
#include "program.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIDE = 8, COUNT = 24 };

static const char *const variables = "EVONODE_CACHE_DIR=cache";
#define SHORT "--phase backprop:epochs=1,steps=2,lr=0.1 --filters 8"

/// Images that are light below ("dark" above) or above, numbered over both classes.
static void make_part(const char *part) {
    for (int i = 0; i < COUNT; ++i) {
        char name[128];
        snprintf(name, sizeof(name), "%s/%s/%02d.png", part, i % 2 ? "light" : "dark", i);
        test_write_halves(name, SIDE, (uint8_t)(i % 2 ? 200 + i : 10 + i), 100);
    }
}

static void make_idx(const char *part, bool images) {
    unsigned char data[16 + COUNT * SIDE * SIDE] = {0, 0, 8, images ? 3 : 1, 0, 0, 0, COUNT};
    char name[128];
    size_t head = images ? 16 : 8, each = images ? SIDE * SIDE : 1;
    data[11] = data[15] = images ? SIDE : 0;
    for (int i = 0; i < COUNT; ++i) {
        int value = images ? (i % 2 ? 200 + i : 10 + i) : i % 2;
        memset(data + head + (size_t)i * each, value, each);
        memset(data + head + (size_t)i * each + (each + 1) / 2, images ? 100 : value, each / 2);
    }
    snprintf(name, sizeof(name), "%s-%s-idx%d-ubyte", part, images ? "images" : "labels",
             images ? 3 : 1);
    test_write(name, data, head + COUNT * each);
}

static void move(const char *from, const char *to) {
    char old[TEST_PATH], new[TEST_PATH];
    ck_assert_int_eq(rename(test_path(old, "%s", from), test_path(new, "%s", to)), 0);
}

static void trains(const char *arguments, const char *out) {
    test_outcome result = test_program(variables, "train images %s --out %s", arguments, out);
    ck_assert_msg(result.code == 0, "%s", result.err);
}

START_TEST(learns) {
    make_part("data");
    test_outcome result =
        test_program(variables, "train images --data data --holdout 0.25 --seed 3 "
                                "--phase backprop:epochs=12,steps=2,lr=0.1 "
                                "--flip --crop 1 --out r");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.err, "18 images to train on, 6 to test on"));
    ck_assert_ptr_nonnull(strstr(result.err, "2 classes: dark, light"));
    json_t *run = test_json("r/run.json"), *summary = test_json("r/summary.json");
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(run, "classes"), 1)),
                     "light");
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(run, "options"), "batch")),
                     18);
    ck_assert_double_eq(test_number(summary, "test_accuracy"), 1);
    json_decref(run);
    json_decref(summary);
    result = test_program(variables, "eval r");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.err, "from the cache"));
    ck_assert_double_eq(test_row(result.out, "test accuracy"), 100);
    size_t size;
    char *model = test_read("r/model.safetensors", &size);
    ck_assert_ptr_nonnull(strstr(model + 8, "[\\\"dark\\\",\\\"light\\\"]"));
    free(model);
}
END_TEST

/// The same images give the same bits, from PNGs and from IDX files.
START_TEST(as_idx) {
    size_t sizes[2];
    char *models[2];
    make_part("png/train");
    make_part("png/test");
    move("png/train/dark", "png/train/0");
    move("png/train/light", "png/train/1");
    move("png/test/dark", "png/test/0");
    move("png/test/light", "png/test/1");
    for (int i = 0; i < 4; ++i) {
        make_idx(i < 2 ? "train" : "t10k", i % 2);
    }
    trains("--data png --batch 8 " SHORT, "a");
    trains("--data . --batch 8 " SHORT, "b");
    models[0] = test_read("a/model.safetensors", &sizes[0]);
    models[1] = test_read("b/model.safetensors", &sizes[1]);
    ck_assert_uint_eq(sizes[0], sizes[1]);
    ck_assert_mem_eq(models[0], models[1], sizes[0]);
    free(models[0]);
    free(models[1]);
}
END_TEST

START_TEST(other_classes) {
    make_part("data");
    trains("--data data " SHORT, "r");
    make_part("more");
    move("more/dark", "more/black");
    test_fails_with(test_program(variables, "eval r --data more"), EVN_ERR_DATA, "the classes");
}
END_TEST

/// Nothing is written where the data are no good.
START_TEST(refused) {
    make_part("data");
    test_write("data/dark/99.png", "text", 4);
    test_fails_with(test_program(variables, "train images --data data --out r " SHORT),
                    EVN_ERR_FORMAT, "data/dark/99.png");
    ck_assert(!test_exists("r"));
    trains("--data data --skip-bad 1 " SHORT, "r");
    test_fails_with(test_program(variables, "train images --out q"), EVN_ERR_USAGE,
                    "--data FOLDER");
    test_fails_with(test_program(variables, "train images --data nowhere --out q"), EVN_ERR_FILE,
                    "nowhere");
    test_fails_with(test_program(variables, "train images --data data --size 8by8 --out q"),
                    EVN_ERR_USAGE, "HxW");
    test_fails_with(test_program(variables, "train images --data data --skip-bad 1 --jitter 0.2 "
                                            "--out q"),
                    EVN_ERR_ARGUMENT, "three colours");
    test_fails_with(test_program(variables, "train digits --flip --out q"), EVN_ERR_USAGE,
                    "--flip");
    ck_assert(!test_exists("q"));
}
END_TEST

/// 64×64 in colour, with all that changes images.
START_TEST(resized) {
    static test_file file;
    make_part("data");
    for (int i = 0; i < 2; ++i) {
        uint8_t pixels[48];
        memset(pixels, 100 * i, sizeof(pixels));
        test_png(&file, 4, 4, 8, 2, pixels, 12, NULL, 0);
        test_write(i ? "data/light/c.png" : "data/dark/c.png", file.data, file.size);
    }
    trains("--data data --size 64x64 --fit pad --flip --jitter 0.2 --rotate 5 " SHORT, "r");
    json_t *summary = test_json("r/summary.json");
    ck_assert_double_gt(test_number(summary, "parameters"), 0);
    json_decref(summary);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("images");
    test_add(s, tcase_create("learns"), learns);
    test_add(s, tcase_create("as_idx"), as_idx);
    test_add(s, tcase_create("other_classes"), other_classes);
    test_add(s, tcase_create("refused"), refused);
    test_add(s, tcase_create("resized"), resized);
    return s;
}

int main(void) {
    return test_run(suite());
}
