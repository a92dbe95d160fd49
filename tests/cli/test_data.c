// SPDX-License-Identifier: Apache-2.0
// Broken data sets: refused with a message that names the file, and no run folder is made.
#include "program.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS, FILES, SIDE = 28, HEAD = 16 };

static const char *const names[FILES] = {
    "data/train-images-idx3-ubyte", "data/train-labels-idx1-ubyte", "data/t10k-images-idx3-ubyte",
    "data/t10k-labels-idx1-ubyte"};
static const int counts[FILES] = {40, 40, 10, 10};

/// An IDX file of zeros: images of SIDE×SIDE, or labels. Returns its size.
static size_t make_idx(unsigned char *data, bool images, int count) {
    size_t head = images ? HEAD : 8;
    size_t size = head + (size_t)count * (images ? SIDE * SIDE : 1);
    memset(data, 0, size);
    data[2] = 8;
    data[3] = images ? 3 : 1;
    data[7] = (unsigned char)count;
    if (images) {
        data[11] = data[15] = SIDE;
    }
    return size;
}

/// A whole data set, then file `broken` again with `count` samples, of which `cut` bytes lack and
/// the last byte is `end`.
static void make_data(int broken, int count, size_t cut, unsigned char end) {
    static unsigned char data[HEAD + 256 * SIDE * SIDE];
    char path[TEST_PATH];
    mkdir(test_path(path, "data"), 0777);
    for (int i = 0; i < FILES; ++i) {
        bool images = i == TRAIN_IMAGES || i == TEST_IMAGES;
        size_t size = make_idx(data, images, i == broken ? count : counts[i]);
        if (i == broken) {
            data[size - 1] = end;
            size -= cut;
        }
        test_write(names[i], data, size);
    }
}

static void refused(evn_status status, const char *text) {
    test_fails_with(test_program("", "train mnist --data data --out r"), (int)status, text);
    ck_assert(!test_exists("r"));
}

START_TEST(missing) {
    char path[TEST_PATH];
    make_data(FILES, 0, 0, 0);
    unlink(test_path(path, "%s", names[TEST_LABELS]));
    refused(EVN_ERR_FILE, "t10k-labels");
    test_fails_with(test_program("EVONODE_DATA=", "train mnist --out r"), EVN_ERR_FILE,
                    "fetch_mnist.sh");
    test_fails_with(test_program("", "train mnist --out r --data nowhere"), EVN_ERR_FILE,
                    "nowhere");
    ck_assert(!test_exists("r"));
}
END_TEST

START_TEST(truncated) {
    make_data(TRAIN_IMAGES, counts[TRAIN_IMAGES], 1, 0);
    refused(EVN_ERR_FORMAT, "train-images");
}
END_TEST

START_TEST(mismatched) {
    make_data(TRAIN_LABELS, counts[TRAIN_LABELS] - 1, 0, 0);
    refused(EVN_ERR_DATA, "labels");
}
END_TEST

START_TEST(label_out_of_range) {
    make_data(TEST_LABELS, counts[TEST_LABELS], 0, 10);
    refused(EVN_ERR_DATA, "label");
}
END_TEST

/// Files are read and trained on; the preset's phases stand but for what is given.
START_TEST(preset) {
    make_data(FILES, 0, 0, 0);
    test_outcome result = test_program("", "train mnist --data data --out p --preset paper "
                                           "--epochs 1 --steps 1 --batch 16 --filters 8");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_null(strstr(result.out, "paper:")); // it has measured other data
    result = test_program("", "compare p");
    ck_assert_msg(result.code == 0 && !strstr(result.out, "paper"), "%s", result.out);
    json_t *run = test_json("p/run.json");
    const json_t *phases = json_object_get(json_object_get(run, "options"), "phase");
    ck_assert_uint_eq(json_array_size(phases), 2);
    const double rates[] = {0.01, 0.001};
    for (size_t i = 0; i < 2; ++i) {
        const json_t *phase = json_array_get(phases, i);
        ck_assert_double_eq(json_real_value(json_object_get(phase, "lr")), rates[i]);
        ck_assert_int_eq(json_integer_value(json_object_get(phase, "steps")), 1);
        ck_assert_int_eq(json_integer_value(json_object_get(phase, "epochs")), 1);
    }
    json_decref(run);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("data");
    TCase *c = tcase_create("refused");
    tcase_add_test(c, missing);
    tcase_add_test(c, truncated);
    tcase_add_test(c, mismatched);
    tcase_add_test(c, label_out_of_range);
    suite_add_tcase(s, c);
    c = tcase_create("preset");
    tcase_add_test(c, preset);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
