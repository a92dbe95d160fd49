// SPDX-License-Identifier: Apache-2.0
#include "evonode/dataset.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static const char *const parts[] = {"train", "t10k"};

/// Write an IDX file of `count` images of 2×3, or labels, whose bytes are 0, 1, … mod 10.
static void write_idx(const char *name, int rank, int count, int width) {
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", test_folder(), name);
    const unsigned char header[] = {
        0, 0, 8, (unsigned char)rank, 0, 0, 0, (unsigned char)count, 0, 0, 0, 2,
        0, 0, 0, (unsigned char)width};
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    fwrite(header, 1, rank == 1 ? 8 : sizeof(header), file);
    for (int i = 0; i < (rank == 1 ? count : count * 2 * width); ++i) {
        fputc(i % 10, file);
    }
    fclose(file);
}

/// A right data set of 12 and 5 images in test_folder().
static void write_all(void) {
    write_idx("train-images-idx3-ubyte", 3, 12, 3);
    write_idx("train-labels-idx1-ubyte", 1, 12, 0);
    write_idx("t10k-images-idx3-ubyte", 3, 5, 3);
    write_idx("t10k-labels-idx1-ubyte", 1, 5, 0);
}

static void refuse(evn_status status, const char *message) {
    evn_dataset *dataset;
    ck_assert_int_eq(evn_dataset_open("mnist", test_folder(), &dataset), status);
    ck_assert_ptr_null(dataset);
    ck_assert_msg(strstr(evn_error_message(), message), "message '%s' lacks '%s'",
                  evn_error_message(), message);
}

START_TEST(digits) {
    evn_dataset *dataset;
    TRY(evn_dataset_open("digits", NULL, &dataset));
    evn_dataset_info info = evn_dataset_get_info(dataset);
    ck_assert_str_eq(info.name, "digits");
    ck_assert_int_eq(info.count[EVN_TRAIN], 1442);
    ck_assert_int_eq(info.count[EVN_TEST], 355);
    ck_assert(info.height == 8 && info.width == 8 && info.channels == 1 && info.classes == 10);
    int seen[2][10] = {{0}}, highest = 0;
    for (int part = 0; part < 2; ++part) {
        for (int64_t i = 0; i < info.count[part]; ++i) {
            ++seen[part][evn_dataset_labels(dataset, part)[i]];
        }
        for (int64_t i = 0; i < 64 * info.count[part]; ++i) {
            int pixel = evn_dataset_pixels(dataset, part)[i];
            highest = pixel > highest ? pixel : highest;
        }
    }
    ck_assert_int_eq(highest, 255);
    for (int label = 0; label < 10; ++label) { // stratified: a fifth of every class
        ck_assert_int_eq(seen[EVN_TEST][label], (seen[0][label] + seen[1][label]) / 5);
    }
    evn_dataset_destroy(&dataset);
    ck_assert_ptr_null(dataset);
    evn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(digits_from_folder) {
    char folder[512];
    snprintf(folder, sizeof(folder), "%s/datasets/digits", getenv("EVONODE_SOURCE"));
    evn_dataset *files, *embedded;
    TRY(evn_dataset_open("digits", folder, &files));
    TRY(evn_dataset_open("digits", NULL, &embedded));
    ck_assert_mem_eq(evn_dataset_pixels(files, EVN_TRAIN), evn_dataset_pixels(embedded, EVN_TRAIN),
                     1442 * 64);
    ck_assert_mem_eq(evn_dataset_labels(files, EVN_TEST), evn_dataset_labels(embedded, EVN_TEST),
                     355 * sizeof(uint16_t));
    evn_dataset_destroy(&files);
    evn_dataset_destroy(&embedded);
}
END_TEST

START_TEST(limit) {
    evn_dataset *dataset;
    TRY(evn_dataset_open("digits", NULL, &dataset));
    ck_assert_int_eq(evn_dataset_limit(dataset, EVN_TRAIN, 0), EVN_ERR_ARGUMENT);
    TRY(evn_dataset_limit(dataset, EVN_TRAIN, 100));
    TRY(evn_dataset_limit(dataset, EVN_TEST, 1000));
    ck_assert_int_eq(evn_dataset_get_info(dataset).count[EVN_TRAIN], 100);
    ck_assert_int_eq(evn_dataset_get_info(dataset).count[EVN_TEST], 355);
    evn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(file_names) {
    write_all();
    evn_dataset *dataset;
    TRY(evn_dataset_open("mnist", test_folder(), &dataset));
    ck_assert_int_eq(evn_dataset_get_info(dataset).count[EVN_TRAIN], 12);
    ck_assert_int_eq(evn_dataset_get_info(dataset).width, 3);
    evn_dataset_destroy(&dataset);
    char from[512], to[512];
    snprintf(from, sizeof(from), "%s/t10k-labels-idx1-ubyte", test_folder());
    const char *others[] = {"-idx1-ubyte.gz", ".idx1-ubyte", ".idx1-ubyte.gz"};
    for (int i = 0; i < 3; ++i) { // gzip is told by content, whatever the name says
        snprintf(to, sizeof(to), "%s/t10k-labels%s", test_folder(), others[i]);
        ck_assert_int_eq(rename(from, to), 0);
        TRY(evn_dataset_open("mnist", test_folder(), &dataset));
        evn_dataset_destroy(&dataset);
        ck_assert_int_eq(rename(to, from), 0);
    }
}
END_TEST

/// What cannot be read fails where it may be of the set, and is none of it elsewhere.
static evn_status open_beside(const char *name) {
    evn_dataset *dataset = NULL;
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", test_folder(), name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    fclose(file);
    ck_assert_int_eq(chmod(path, 0), 0);
    bool root = geteuid() == 0; // who may read all
    ck_assert(!root || (chmod(test_folder(), 0755) == 0 && seteuid(65534) == 0));
    evn_folder_options options = evn_folder_options_default();
    options.height = options.width = 8;
    evn_status status = evn_dataset_open_folder(test_folder(), &options, &dataset);
    ck_assert(!root || seteuid(0) == 0);
    evn_dataset_destroy(&dataset);
    ck_assert_int_eq(unlink(path), 0);
    return status;
}

START_TEST(unreadable_files) {
    write_all();
    TRY(open_beside("notes"));
    ck_assert_int_eq(open_beside("train-more"), EVN_ERR_FILE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "train-more"));
}
END_TEST

START_TEST(no_such_set) {
    evn_dataset *dataset;
    ck_assert_int_eq(evn_dataset_open("cifar", NULL, &dataset), EVN_ERR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "digits and mnist"));
}
END_TEST

START_TEST(nowhere) {
    ck_assert_int_eq(chdir(test_folder()), 0);
    unsetenv("EVONODE_DATA");
    evn_dataset *dataset;
    ck_assert_int_eq(evn_dataset_open("mnist", NULL, &dataset), EVN_ERR_FILE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "sh datasets/fetch_mnist.sh"));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "--data"));
    setenv("EVONODE_DATA", "/nowhere", 1);
    ck_assert_int_eq(evn_dataset_open("mnist", NULL, &dataset), EVN_ERR_FILE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "EVONODE_DATA is /nowhere"));
}
END_TEST

START_TEST(default_folder) {
    write_all();
    ck_assert_int_eq(chdir(test_folder()), 0);
    ck_assert_int_eq(mkdir("datasets", 0777), 0);
    ck_assert_int_eq(symlink("..", "datasets/mnist"), 0);
    evn_dataset *dataset;
    TRY(evn_dataset_open("mnist", NULL, &dataset));
    evn_dataset_destroy(&dataset);
    ck_assert_int_eq(rename("datasets", "elsewhere"), 0);
    char folder[512];
    snprintf(folder, sizeof(folder), "%s/elsewhere", test_folder());
    setenv("EVONODE_DATA", folder, 1);
    TRY(evn_dataset_open("mnist", NULL, &dataset));
    evn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(missing_file) {
    write_all();
    char path[512];
    snprintf(path, sizeof(path), "%s/t10k-labels-idx1-ubyte", test_folder());
    remove(path);
    refuse(EVN_ERR_FILE, "no file t10k-labels-idx1-ubyte");
    refuse(EVN_ERR_FILE, test_folder());
}
END_TEST

START_TEST(swapped_files) {
    for (int part = 0; part < 2; ++part) {
        char name[64];
        write_all();
        snprintf(name, sizeof(name), "%s-images-idx3-ubyte", parts[part]);
        write_idx(name, 1, 12, 0);
        refuse(EVN_ERR_DATA, "swapped?");
        write_all();
        snprintf(name, sizeof(name), "%s-labels-idx1-ubyte", parts[part]);
        write_idx(name, 3, 12, 3);
        refuse(EVN_ERR_DATA, "swapped?");
    }
}
END_TEST

START_TEST(counts_and_shapes) {
    write_all();
    write_idx("train-labels-idx1-ubyte", 1, 11, 0);
    refuse(EVN_ERR_DATA, "train: 12 images, but 11 labels");
    write_all();
    write_idx("t10k-images-idx3-ubyte", 3, 5, 4);
    refuse(EVN_ERR_DATA, "extent 3 on axis 2, those of t10k 4");
}
END_TEST

START_TEST(label_out_of_range) {
    write_all();
    char path[512];
    snprintf(path, sizeof(path), "%s/train-labels-idx1-ubyte", test_folder());
    FILE *file = fopen(path, "r+b");
    ck_assert_ptr_nonnull(file);
    fseek(file, 8 + 7, SEEK_SET);
    fputc(10, file);
    fclose(file);
    refuse(EVN_ERR_DATA, "train-labels: label 7 is 10; the classes are 0 to 9");
}
END_TEST

static long resident_kib(void) {
    struct rusage usage;
    ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

/// What does not fit by its headers is not unpacked, however much it would be.
START_TEST(headers_first) {
    enum { COUNT = 100000, SIDE = 64 };
    static const unsigned char zeros[SIDE * SIDE];
    const unsigned char header[] = {0, 0, 8, 3, 0, 1, 0x86, 0xa0, 0, 0, 0, SIDE, 0, 0, 0, SIDE};
    char path[512];
    write_all();
    snprintf(path, sizeof(path), "%s/train-images-idx3-ubyte", test_folder());
    gzFile file = gzopen(path, "wb1");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(gzwrite(file, header, sizeof(header)), sizeof(header));
    for (int i = 0; i < COUNT; ++i) {
        ck_assert_int_eq(gzwrite(file, zeros, sizeof(zeros)), sizeof(zeros));
    }
    ck_assert_int_eq(gzclose(file), Z_OK);
    long before = resident_kib();
    refuse(EVN_ERR_DATA, "100000 images, but 12 labels");
    ck_assert_int_lt(resident_kib() - before, 32 << 10); // of 400 MB
}
END_TEST

static Suite *suite(void) {
    Suite *all = suite_create("dataset");
    TCase *builtin = tcase_create("digits");
    tcase_add_test(builtin, digits);
    tcase_add_test(builtin, digits_from_folder);
    tcase_add_test(builtin, limit);
    suite_add_tcase(all, builtin);
    TCase *folders = tcase_create("folders");
    tcase_add_test(folders, unreadable_files);
    tcase_add_test(folders, no_such_set);
    tcase_add_test(folders, nowhere);
    tcase_add_test(folders, file_names);
    tcase_add_test(folders, default_folder);
    suite_add_tcase(all, folders);
    TCase *unfit = tcase_create("unfit");
    tcase_add_test(unfit, missing_file);
    tcase_add_test(unfit, swapped_files);
    tcase_add_test(unfit, counts_and_shapes);
    tcase_add_test(unfit, label_out_of_range);
    tcase_add_test(unfit, headers_first);
    suite_add_tcase(all, unfit);
    return all;
}

int main(void) {
    return test_run(suite());
}
