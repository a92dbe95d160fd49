// SPDX-License-Identifier: Apache-2.0
// evonode predict: the answers of eval, from files.
#include "pictures.h"
#include "program.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 355, SIDE = 8 };

/// The built-in test images as PNGs, dig/NUMBER-LABEL.png, and the list of their names.
static void make_digits(char *list, size_t size) {
    static test_file file;
    static uint8_t images[16 + IMAGES * SIDE * SIDE], labels[8 + IMAGES];
    const char *const names[] = {"images-idx3", "labels-idx1"};
    for (int i = 0; i < 2; ++i) {
        char path[TEST_PATH];
        snprintf(path, sizeof(path), "%s/datasets/digits/test-%s-ubyte", getenv("EVONODE_SOURCE"),
                 names[i]);
        FILE *stream = fopen(path, "rb");
        ck_assert_ptr_nonnull(stream);
        size_t bytes = i ? sizeof(labels) : sizeof(images);
        ck_assert_uint_eq(fread(i ? labels : images, 1, bytes, stream), bytes);
        fclose(stream);
    }
    list[0] = 0;
    for (int i = 0; i < IMAGES; ++i) {
        char name[64];
        snprintf(name, sizeof(name), "d%03d-%d.png", i, labels[8 + i]);
        test_png(&file, SIDE, SIDE, 8, 0, images + 16 + i * SIDE * SIDE, SIDE, NULL, 0);
        test_write(name, file.data, file.size);
        size_t used = strlen(list);
        snprintf(list + used, size - used, "%s\n", name);
    }
}

static void make_run(void) {
    test_outcome result = test_program("", "train digits --out r --filters 8 --limit 64 --batch 16 "
                                           "--phase backprop:steps=2,epochs=4,lr=0.1");
    ck_assert_msg(result.code == 0, "%s", result.err);
}

/// Lines "NAME-LABEL.png: CLASS …" whose class is the label.
static int count_right(const char *lines, int *all) {
    int right = 0;
    *all = 0;
    for (const char *at = lines; (at = strstr(at, ".png: ")); at += 6) {
        right += at[-1] == at[6];
        ++*all;
    }
    return right;
}

static json_t *first_line(const char *text) {
    json_t *line = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL);
    ck_assert_msg(line, "not JSON: %s", text);
    return line;
}

START_TEST(as_eval) {
    static char list[IMAGES * 16];
    int all, wrong;
    make_digits(list, sizeof(list));
    make_run();
    test_outcome result = test_program("", "eval r");
    ck_assert_msg(result.code == 0, "%s", result.err);
    wrong = (int)test_row(result.out, "test errors");
    test_write("list", list, strlen(list));
    result = test_program("", "predict r --files-from list");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_int_eq(count_right(result.out, &all), IMAGES - wrong);
    ck_assert_int_eq(all, IMAGES);
    static char windows[2 * sizeof(list)];
    size_t used = 0;
    for (const char *at = list; *at; ++at) {
        used += (size_t)snprintf(windows + used, sizeof(windows) - used,
                                 *at == '\n' ? "\r\n" : "%c", *at);
    }
    test_write("windows", windows, used);
    result = test_program("", "predict r --files-from windows");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_int_eq(count_right(result.out, &all), IMAGES - wrong);
    size_t two = (size_t)(strchr(strchr(list, '\n') + 1, '\n') - list) + 1;
    *strchr(list, '\n') = list[two - 1] = 0; // as find -print0 has them
    test_write("list", list, two);
    result = test_program("", "predict r --top 2 --files-from - <list");
    ck_assert_msg(result.code == 0, "%s", result.err);
    count_right(result.out, &all);
    ck_assert_int_eq(all, 2);

    // One image, from a file and from standard input: probabilities, largest first, sum to 1.
    double sum = 0, before = 1;
    result = test_program("", "predict r d000-*.png --json --top 256");
    json_t *line = first_line(result.out), *top = json_object_get(line, "top");
    ck_assert_uint_eq(json_array_size(top), 10);
    for (size_t i = 0; i < 10; ++i) {
        double p = test_number(json_array_get(top, i), "probability");
        ck_assert(p <= before);
        sum += before = p;
    }
    ck_assert_double_eq_tol(sum, 1, 1e-6);
    result = test_program("", "predict r --json --top 1 - <%s", list);
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_t *again = first_line(result.out);
    ck_assert_str_eq(json_string_value(json_object_get(again, "file")), "standard input");
    ck_assert_double_eq(test_number(again, "probability"), test_number(line, "probability"));
    ck_assert_double_eq(test_number(again, "index"), test_number(line, "index"));
    json_decref(line);
    json_decref(again);
}
END_TEST

START_TEST(bad_files) {
    make_run();
    test_write("text.png", "text", 4);
    test_write_halves("good one.png", SIDE, 200, 10);
    test_write_halves("two\nlines.png", SIDE, 10, 200);
    test_outcome result = test_program("", "predict r 'good one.png' text.png nothing.png "
                                           "'two\nlines.png'");
    test_fails_with(result, EVN_ERR_FORMAT, "2 of 4 files");
    ck_assert_ptr_nonnull(strstr(result.err, "text.png: it is no PNG"));
    ck_assert_ptr_nonnull(strstr(result.err, "nothing.png"));
    ck_assert_ptr_nonnull(strstr(result.out, "good one.png: "));
    ck_assert_ptr_nonnull(strstr(result.out, "two\\x0alines.png: "));
    result = test_program("", "predict r 'good one.png' text.png --json --skip-bad 1");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.out, "\"error\":\"text.png: it is no PNG"));
    test_write_halves("\xff.png", SIDE, 200, 10);
    test_write_halves("\\xff.png", SIDE, 10, 200);
    result = test_program("", "predict r '\xff.png' '\\xff.png' --json");
    ck_assert_ptr_nonnull(
        strstr(result.out, "{\"file\":\"\\\\xff.png\",\"file_bytes\":\"ff2e706e67\","));
    ck_assert_ptr_nonnull(strstr(result.out, "\n{\"file\":\"\\\\xff.png\",\"class\""));
    test_fails_with(test_program("", "predict r nothing.png"), EVN_ERR_FILE, "nothing.png");
    test_fails_with(test_program("", "predict r r"), EVN_ERR_FILE, "name a file");
    test_fails_with(test_program("", "predict r - </dev/null"), EVN_ERR_FORMAT, "file is empty");
    test_fails_with(test_program("", "predict r - -"), EVN_ERR_USAGE, "once only");
    test_fails_with(test_program("", "predict r"), EVN_ERR_USAGE, "predict needs images");
    test_fails_with(test_program("", "predict r --files-from nowhere"), EVN_ERR_FILE, "nowhere");
    test_fails_with(test_program("", "predict nowhere x.png"), EVN_ERR_FILE, "nowhere/run.json");
    test_fails_with(test_program("", "predict r x.png --top 0"), EVN_ERR_USAGE, "top is");
}
END_TEST

/// Colour, other sizes, and names of classes, also without the data that were trained on.
START_TEST(own_images) {
    static test_file file;
    for (int i = 0; i < 24; ++i) {
        char name[64];
        snprintf(name, sizeof(name), "data/%s/%02d.png", i % 2 ? "light" : "dark", i);
        test_write_halves(name, SIDE, (uint8_t)(i % 2 ? 200 + i : 10 + i), 100);
    }
    const char *variables = "EVONODE_CACHE_DIR=off";
    test_outcome result =
        test_program(variables, "train images --data data --holdout 0.25 --out r --filters 8 "
                                "--phase backprop:epochs=12,steps=2,lr=0.1");
    ck_assert_msg(result.code == 0, "%s", result.err);
    char from[TEST_PATH], to[TEST_PATH];
    ck_assert_int_eq(rename(test_path(from, "data"), test_path(to, "gone")), 0);
    test_write_halves("large.png", 64, 240, 100);
    const uint8_t red[12] = {40, 0, 0, 40, 0, 0, 100, 100, 100, 100, 100, 100}; // luma 12 above
    test_png(&file, 2, 2, 8, 2, red, 6, NULL, 0);
    test_write("red.png", file.data, file.size);
    result = test_program(variables, "predict r large.png red.png");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.out, "large.png: light "));
    ck_assert_ptr_nonnull(strstr(result.out, "red.png: dark "));
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("predict");
    test_add(s, tcase_create("as_eval"), as_eval);
    test_add(s, tcase_create("bad_files"), bad_files);
    test_add(s, tcase_create("own_images"), own_images);
    return s;
}

int main(void) {
    return test_run(suite());
}
