// SPDX-License-Identifier: Apache-2.0
// Folders with the files of known sets: four IDX files of any prefix, CIFAR's batches.
#include "base/status.h"
#include "evonode/dataset.h"
#include "program.h"
#include "sweep.h"
#include "test.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { SIDE = 4, COUNT = 12, IMAGE = 3072, LONG = 2 * PATH_MAX };

static evn_dataset *open_set(const char *folder, const evn_folder_options *options) {
    char path[TEST_PATH];
    evn_dataset *dataset;
    TRY(evn_dataset_open_folder(test_path(path, "%s", folder), options, &dataset));
    return dataset;
}

static void refuse(const char *folder, evn_status status, const char *text) {
    char path[TEST_PATH];
    evn_dataset *dataset;
    ck_assert_int_eq(evn_dataset_open_folder(test_path(path, "%s", folder), NULL, &dataset),
                     status);
    ck_assert_msg(strstr(evn_error_message(), text), "message '%s' lacks '%s'", evn_error_message(),
                  text);
}

/// A file of images whose bytes count up, or of labels first, first + 1, … in turn, three of them.
static void write_idx(const char *name, bool images, int first) {
    unsigned char data[16 + COUNT * SIDE * SIDE] = {0, 0, 8, images ? 3 : 1, 0, 0, 0, COUNT};
    size_t head = images ? 16 : 8, size = head + COUNT * (images ? SIDE * SIDE : 1);
    char path[TEST_PATH];
    data[11] = data[15] = images ? SIDE : data[15];
    for (size_t i = 0; i < size - head; ++i) {
        data[head + i] = (unsigned char)(images ? i : (size_t)first + i % 3);
    }
    gzFile file = gzopen(test_path(path, "%s", name), strstr(name, ".gz") ? "wb" : "wbT");
    ck_assert_int_eq(gzwrite(file, data, (unsigned)size), (int)size);
    gzclose(file);
}

static void write_set(const char *prefix, const char *test, const char *end, int first) {
    char name[256];
    const char *parts[] = {"train", test};
    for (int part = 0; part < 2; ++part) {
        snprintf(name, sizeof(name), "%s%s-images-idx3-ubyte%s", prefix, parts[part], end);
        write_idx(name, true, 0);
        snprintf(name, sizeof(name), "%s%s-labels-idx1-ubyte%s", prefix, parts[part], end);
        write_idx(name, false, first);
    }
}

static void make_folder(const char *name) {
    char path[TEST_PATH];
    mkdir(test_path(path, "%s", name), 0777);
}

START_TEST(mnist_form) {
    make_folder("data");
    write_set("data/", "t10k", "", 0);
    evn_dataset *dataset = open_set("data", NULL);
    evn_dataset_info info = evn_dataset_get_info(dataset);
    ck_assert(info.count[0] == COUNT && info.count[1] == COUNT && info.classes == 3);
    ck_assert(info.height == SIDE && info.width == SIDE && info.channels == 1);
    ck_assert_str_eq(evn_dataset_class_name(dataset, 2), "2");
    ck_assert_int_eq(evn_dataset_pixels(dataset, EVN_TEST)[20], 20);
    evn_dataset_destroy(&dataset);
    evn_folder_options options = evn_folder_options_default();
    options.height = options.width = 8;
    options.limit = 5;
    dataset = open_set("data", &options);
    info = evn_dataset_get_info(dataset);
    ck_assert(info.height == 8 && info.width == 8 && info.count[EVN_TRAIN] == 5);
    evn_dataset_destroy(&dataset);
}
END_TEST

/// EMNIST: a prefix, gzip, labels from 1, characters in a file beside; several sets in a folder.
START_TEST(emnist_form) {
    make_folder("data");
    write_set("data/emnist-letters-", "test", ".gz", 1);
    static const char mapping[] = "1 65 97\n2 66 98\n";
    test_write("data/emnist-letters-mapping.txt", mapping, sizeof(mapping) - 1);
    evn_dataset *dataset = open_set("data", NULL);
    ck_assert_int_eq(evn_dataset_get_info(dataset).classes, 3);
    ck_assert_str_eq(evn_dataset_class_name(dataset, 0), "Aa");
    ck_assert_str_eq(evn_dataset_class_name(dataset, 2), "3");
    for (int i = 0; i < COUNT; ++i) {
        ck_assert_int_eq(evn_dataset_labels(dataset, EVN_TRAIN)[i], i % 3);
    }
    evn_dataset_destroy(&dataset);
    write_set("data/emnist-digits-", "test", ".gz", 0);
    refuse("data", EVN_ERR_DATA, "are of two sets");
    dataset = open_set("data/emnist-digits", NULL);
    ck_assert_str_eq(evn_dataset_class_name(dataset, 0), "0");
    evn_dataset_destroy(&dataset);
    refuse("data/emnist-none", EVN_ERR_FILE, "no folder");
}
END_TEST

/// Header and bytes of an IDX file of any rank and extents, all bytes `value`.
static void write_bytes(const char *name, int rank, const int *extents, int value) {
    unsigned char data[1024] = {0, 0, 8, (unsigned char)rank};
    size_t size = 4, count = 1;
    for (int i = 0; i < rank; ++i, size += 4) {
        data[size + 3] = (unsigned char)extents[i];
        count *= (size_t)extents[i];
    }
    ck_assert_uint_le(size + count, sizeof(data));
    memset(data + size, value, count);
    test_write(name, data, size + count);
}

static void write_small(int height, int width, int labels) {
    const char *const parts[] = {"train", "test"};
    char name[64];
    for (int part = 0; part < 2; ++part) {
        snprintf(name, sizeof(name), "small/%s-images", parts[part]);
        write_bytes(name, 3, (const int[]){3, height, width}, 0);
        snprintf(name, sizeof(name), "small/%s-labels", parts[part]);
        write_idx(name, false, 0);
        if (labels >= 0) {
            write_bytes(name, 1, (const int[]){3}, labels);
        }
    }
}

START_TEST(unusual_idx) {
    char path[TEST_PATH];
    evn_dataset *dataset;
    make_folder("small");
    write_small(3, 4, 1);
    refuse("small", EVN_ERR_DATA, "all labels are 1");
    write_small(4, 4, -1);
    refuse("small", EVN_ERR_DATA, "12"); // labels, of three images
    make_folder("data");
    write_set("data/", "t10k", "", 0);
    write_bytes("data/train-none", 0, NULL, 0); // ranks that are no IDX file's
    write_bytes("data/train-many", 9, (const int[]){1, 1, 1, 1, 1, 1, 1, 1, 1}, 0);
    const evn_folder_options wrong[] = {{.height = 3, .width = 8},      {.fit = (evn_fit)9},
                                        {.fit = (evn_fit)-1},           {.limit = -1},
                                        {.skip_bad = -1, .holdout = 0}, {.holdout = -0.5}};
    for (int i = 0; i < 6; ++i) {
        ck_assert_int_eq(evn_dataset_open_folder(test_path(path, "data"), &wrong[i], &dataset),
                         EVN_ERR_ARGUMENT);
        ck_assert_ptr_null(dataset);
    }
    const int sizes[][2] = {{4, 4}, {4, 8}, {8, 4}};
    for (int i = 0; i < 3; ++i) {
        evn_folder_options options = evn_folder_options_default();
        options.height = sizes[i][0];
        options.width = sizes[i][1];
        dataset = open_set("data", &options);
        evn_dataset_info info = evn_dataset_get_info(dataset);
        ck_assert(info.height == sizes[i][0] && info.width == sizes[i][1]);
        ck_assert(i > 0 || evn_dataset_pixels(dataset, EVN_TRAIN)[5] == 5);
        evn_dataset_destroy(&dataset);
    }
    ck_assert_int_eq(evn_dataset_open_folder(path, NULL, NULL), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_dataset_open_folder(NULL, NULL, &dataset), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn_dataset_open_folder("/none-of-that-name", NULL, &dataset), EVN_ERR_FILE);
    ck_assert_int_eq(evn_dataset_open_folder("none-of-that-name", NULL, &dataset), EVN_ERR_FILE);
}
END_TEST

START_TEST(too_small) {
    static const int sides[][2] = {{3, 4}, {4, 3}};
    for (int i = 0; i < 2; ++i) {
        char name[64];
        make_folder("small");
        write_small(sides[i][0], sides[i][1], 0);
        for (int part = 0; part < 2; ++part) { // three labels, of two classes
            unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 3, 0, 1, 1};
            snprintf(name, sizeof(name), "small/%s-labels", part ? "test" : "train");
            test_write(name, labels, sizeof(labels));
        }
        refuse("small", EVN_ERR_DATA, "too small");
    }
}
END_TEST

/// Of two files of the same name the one that is unpacked is read, whichever the folder lists
/// first.
START_TEST(packed_and_not) {
    test_folder_in_memory(); // lists the last first
    make_folder("data");
    for (int i = 0; i < 2; ++i) {
        char path[TEST_PATH];
        write_set("data/", "t10k", "", 0);
        write_set("data/", "t10k", ".gz", 0);
        if (i == 0) { // in another order
            unlink(test_path(path, "data/train-images-idx3-ubyte"));
            unlink(test_path(path, "data/t10k-labels-idx1-ubyte"));
            write_idx("data/train-images-idx3-ubyte", true, 0);
            write_idx("data/t10k-labels-idx1-ubyte", false, 0);
        }
        evn_dataset *dataset = open_set("data", NULL);
        ck_assert_int_eq(evn_dataset_get_info(dataset).classes, 3);
        evn_dataset_destroy(&dataset);
    }
    write_idx("data/train-images-idx3-ubyte.bak", true, 0);
    refuse("data", EVN_ERR_DATA, "of two sets");
    char path[TEST_PATH];
    unlink(test_path(path, "data/train-images-idx3-ubyte.bak"));
    write_idx("data/train-images-idx3-ubytf", true, 0); // as long
    refuse("data", EVN_ERR_DATA, "of two sets");
}
END_TEST

/// Lines of a mapping that say nothing of a label, or more than a name has room for.
START_TEST(strange_mappings) {
    static const char mapping[] = "-1 65\n300 65\n1 65 66 67 68 69 70 71 72 73\n2 32\n3 200\n\n";
    make_folder("data");
    write_set("data/e-", "test", "", 1);
    test_write("data/e-mapping.txt", mapping, sizeof(mapping) - 1);
    evn_dataset *dataset = open_set("data", NULL);
    ck_assert_str_eq(evn_dataset_class_name(dataset, 0), "ABCDEFG");
    ck_assert_str_eq(evn_dataset_class_name(dataset, 1), "2");
    ck_assert_str_eq(evn_dataset_class_name(dataset, 2), "3");
    evn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(wrong_idx) {
    char path[TEST_PATH];
    make_folder("data");
    write_set("data/", "t10k", "", 0);
    write_idx("data/t10k-labels-idx1-ubyte", false, 1);
    refuse("data", EVN_ERR_DATA, "which the training part does not have");
    unlink(test_path(path, "data/t10k-labels-idx1-ubyte"));
    refuse("data", EVN_ERR_FILE, "none with the test labels");
    write_idx("data/other-labels", false, 1);
    refuse("data", EVN_ERR_DATA, "its part is unclear");
}
END_TEST

/// Records of `labels` label bytes, of which the last is i % classes.
static void write_batch(const char *name, int labels, int classes, int count, size_t cut) {
    size_t record = (size_t)(IMAGE + labels);
    unsigned char *data = calloc((size_t)count, record);
    for (int i = 0; i < count; ++i) {
        unsigned char *at = data + (size_t)i * record;
        at[labels - 1] = (unsigned char)(i % classes);
        memset(at + labels, 10, 1024); // red
        memset(at + labels + 1024, 20, 1024);
        memset(at + labels + 2048, 30, 1024);
        at[labels + 1] = 11; // the second pixel's
    }
    test_write(name, data, (size_t)count * record - cut);
    free(data);
}

START_TEST(cifar) {
    char name[64];
    make_folder("ten");
    for (int i = 1; i <= 5; ++i) {
        snprintf(name, sizeof(name), "ten/data_batch_%d.bin", i);
        write_batch(name, 1, 10, 10 + i, 0);
    }
    write_batch("ten/test_batch.bin", 1, 10, 10, 0);
    static const char names[] =
        "airplane\nautomobile\n\nchat \xe9\n4\n5\n6\n7\n8\n\nmore\nthan there are\n";
    test_write("ten/batches.meta.txt", names, sizeof(names) - 1);
    evn_dataset *dataset = open_set("ten", NULL);
    evn_dataset_info info = evn_dataset_get_info(dataset);
    ck_assert(info.count[EVN_TRAIN] == 65 && info.count[EVN_TEST] == 10 && info.classes == 10);
    ck_assert(info.height == 32 && info.width == 32 && info.channels == 3);
    const uint8_t first[] = {10, 20, 30, 11, 20, 30};
    ck_assert_mem_eq(evn_dataset_pixels(dataset, EVN_TRAIN), first, sizeof(first));
    ck_assert_str_eq(evn_dataset_class_name(dataset, 1), "automobile");
    ck_assert_str_eq(evn_dataset_class_name(dataset, 3), "chat \\xe9"); // no UTF-8
    ck_assert_str_eq(evn_dataset_class_name(dataset, 9), "9");
    evn_dataset_destroy(&dataset);
    make_folder("hundred");
    write_batch("hundred/train.bin", 2, 100, 200, 0);
    write_batch("hundred/test.bin", 2, 100, 100, 0);
    dataset = open_set("hundred", NULL);
    ck_assert_int_eq(evn_dataset_get_info(dataset).classes, 100);
    ck_assert_int_eq(evn_dataset_labels(dataset, EVN_TEST)[99], 99);
    evn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(wrong_cifar) {
    make_folder("data");
    write_batch("data/train.bin", 2, 100, 3, 0);
    refuse("data", EVN_ERR_FILE, "test.bin");
    write_batch("data/test.bin", 2, 100, 3, 1);
    refuse("data", EVN_ERR_FORMAT, "no multiple");
    write_batch("data/test.bin", 2, 101, 101, 0);
    refuse("data", EVN_ERR_DATA, "image 100 is 100");
}
END_TEST

/// Paths up to the longest and beyond: the set is read, or refused.
START_TEST(long_paths) {
    char path[LONG];
    evn_dataset *dataset;
    evn_status last = EVN_OK;
    make_folder("data");
    write_set("data/", "t10k", "", 0);
    make_folder("cifar");
    for (int i = 1; i <= 5; ++i) {
        snprintf(path, sizeof(path), "cifar/data_batch_%d.bin", i);
        write_batch(path, 1, 10, 10, 0);
    }
    write_batch("cifar/test_batch.bin", 1, 10, 10, 0);
    for (size_t length = PATH_MAX - 50; length < PATH_MAX + 2; ++length) {
        for (int i = 0; i < 2; ++i) {
            last = evn_dataset_open_folder(test_stretch(length, i ? "data" : "cifar", path), NULL,
                                           &dataset);
            ck_assert_msg(last == EVN_OK || last == EVN_ERR_FILE || last == EVN_ERR_DATA, "%s",
                          evn_error_message());
            evn_dataset_destroy(&dataset);
        }
    }
    ck_assert_int_eq(last, EVN_ERR_FILE);
}
END_TEST

// Faults ------------------------------------------------------------------------------------------

/// The last class has this name.
static evn_status check_names(const evn_dataset *dataset, const char *last) {
    const char *name = evn_dataset_class_name(dataset, evn_dataset_get_info(dataset).classes - 1);
    EVN_CHECK(strcmp(name, last) == 0, EVN_ERR_INTERNAL, "the last class is %s, not %s", name,
              last);
    return EVN_OK;
}

static evn_status read_set(const char *folder, int side, const char *last) {
    evn_dataset *dataset = NULL;
    evn_folder_options options = evn_folder_options_default();
    options.height = options.width = side;
    evn_status status = evn_dataset_open_folder(folder, &options, &dataset);
    status = status == EVN_OK ? check_names(dataset, last) : status;
    evn_dataset_destroy(&dataset);
    return status;
}

static evn_status read_mnist(void) {
    return read_set("mnist", 8, "2"); // resized
}

static evn_status read_emnist(void) {
    return read_set("emnist/e-", 0, "Cc");
}

static evn_status read_cifar(void) {
    return read_set("cifar", 0, "j");
}

START_TEST(faults) {
    static const test_deed deeds[] = {{.name = "mnist", .run = read_mnist},
                                      {.name = "emnist", .run = read_emnist},
                                      {.name = "cifar", .run = read_cifar}};
    static const char mapping[] = "1 65 97\n2 66 98\n3 67 99\n";
    static const char names[] = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
    test_sweep_begin();
    ck_assert_int_eq(chdir(test_folder()), 0);
    make_folder("mnist");
    write_set("mnist/", "t10k", "", 0);
    make_folder("emnist");
    write_set("emnist/e-", "test", ".gz", 1);
    test_write("emnist/e-mapping.txt", mapping, sizeof(mapping) - 1);
    make_folder("cifar");
    for (int i = 1; i <= 5; ++i) {
        char name[64];
        snprintf(name, sizeof(name), "cifar/data_batch_%d.bin", i);
        write_batch(name, 1, 10, 10, 0);
    }
    write_batch("cifar/test_batch.bin", 1, 10, 10, 0);
    test_write("cifar/batches.meta.txt", names, sizeof(names) - 1);
    for (int i = 0; i < 3; ++i) {
        test_sweep(&deeds[i]);
    }
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("sets");
    test_add(s, tcase_create("mnist_form"), mnist_form);
    test_add(s, tcase_create("emnist_form"), emnist_form);
    test_add(s, tcase_create("wrong_idx"), wrong_idx);
    test_add(s, tcase_create("cifar"), cifar);
    test_add(s, tcase_create("wrong_cifar"), wrong_cifar);
    test_add(s, tcase_create("faults"), faults);
    test_add(s, tcase_create("unusual_idx"), unusual_idx);
    test_add(s, tcase_create("too_small"), too_small);
    test_add(s, tcase_create("packed_and_not"), packed_and_not);
    test_add(s, tcase_create("strange_mappings"), strange_mappings);
    test_add(s, tcase_create("long_paths"), long_paths);
    return s;
}

int main(void) {
    return test_run(suite());
}
