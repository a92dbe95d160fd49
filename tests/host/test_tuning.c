// SPDX-License-Identifier: Apache-2.0
// Tuned variants on disk count for the kernels that they were measured with, and for no others.
#include "base/embedded.h"
#include "base/json.h"
#include "host/tuning.h"
#include "sweep.h"
#include "test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char key[] = "fp32 matmul nn 128x64 64x128 128x128";

/// Whether a device that is opened now takes the variant from disk.
static bool is_found(void) {
    evn_device *device = NULL;
    TRY(evn_device_open(NULL, &device));
    const char *name = evn__tuning_find(device, key);
    bool found = name && strcmp(name, "tiles") == 0;
    evn_device_close(&device);
    return found;
}

static void write_file(const char *folder, const char *name, const void *data, size_t size,
                       const char *more) {
    char path[512];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, size, file), size);
    fputs(more, file);
    fclose(file);
}

/// A folder with all kernels; what is in `changed` gets a comment more, `missing` is left out.
static void write_kernels(const char *name, const char *changed, const char *missing) {
    char folder[400];
    snprintf(folder, sizeof(folder), "%s/%s", test_folder(), name);
    ck_assert_int_eq(mkdir(folder, 0700), 0);
    for (const evn__embedded *file = evn__embedded_kernels; file->name; ++file) {
        if (!missing || strcmp(file->name, missing) != 0) {
            bool more = changed && strcmp(file->name, changed) == 0;
            write_file(folder, file->name, file->data, file->size, more ? "// edited\n" : "");
        }
    }
    setenv("EVONODE_KERNEL_DIR", folder, 1);
}

START_TEST(kernels_in_use_count) {
    char *path = NULL;
    evn_device *device = NULL;
    unsetenv("EVONODE_TUNE");
    unsetenv("EVONODE_KERNEL_DIR");
    setenv("EVONODE_CACHE_DIR", test_folder(), 1);
    TRY(evn_device_open(NULL, &device));
    TRY(evn__tuning_set(device, key, "tiles"));
    TRY(evn__tuning_save(device, &path));
    ck_assert_ptr_nonnull(path);
    free(path);
    evn_device_close(&device);
    ck_assert(is_found());
    write_kernels("same", NULL, NULL);
    ck_assert(is_found()); // the same text from elsewhere
    write_kernels("edited", "matmul.cl", NULL);
    ck_assert(!is_found());
    evn__text line = {0};
    evn__tuning_describe(evn_device_get_info(test_device()), &line);
    ck_assert_ptr_nonnull(strstr(line.data, "kernels"));
    free(line.data);
    write_kernels("incomplete", NULL, "matmul.cl");
    ck_assert(!is_found());
    unsetenv("EVONODE_KERNEL_DIR");
    ck_assert(is_found());
}
END_TEST

static void expect_description(const char *says) {
    evn__text line = {0};
    evn__tuning_describe(evn_device_get_info(test_device()), &line);
    ck_assert_msg(line.status == EVN_OK && strstr(line.data, says), "%s", line.data);
    free(line.data);
}

/// EVONODE_TUNE keeps it from being read and written.
START_TEST(off) {
    static const char *const words[] = {"0", "off", "NONE"};
    char *path = NULL;
    setenv("EVONODE_CACHE_DIR", test_folder(), 1);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); ++i) {
        setenv("EVONODE_TUNE", words[i], 1);
        TRY(evn__tuning_set(test_device(), key, "tiles"));
        TRY(evn__tuning_save(test_device(), &path));
        ck_assert_ptr_null(path);
        expect_description("EVONODE_TUNE disables it");
    }
    setenv("EVONODE_TUNE", "on", 1);
    expect_description("not tuned: evonode tune --device");
    TRY(evn__tuning_save(test_device(), &path));
    expect_description("tuned: 1 shape classes");
    write_file("", path, "", 0, "{");
    expect_description("tuning ignored: ");
    free(path);
}
END_TEST

/// What failed of JSON: the program would have ended.
static void forget(void) {
    evn__json_check();
}

static evn_status save(void) {
    char *path = NULL;
    EVN_TRY(evn__tuning_save(test_device(), &path));
    free(path);
    return EVN_OK;
}

static evn_status digest(void) {
    char text[33];
    EVN_TRY(evn__tuning_digest(test_device(), text));
    return text[0] ? EVN_OK : evn_error_set(EVN_ERR_INTERNAL, "there is no digest");
}

static evn_status set(void) {
    EVN_TRY(evn__tuning_set(test_device(), key, "tiles"));
    const char *name = evn__tuning_find(test_device(), key);
    return name && strcmp(name, "tiles") == 0
               ? EVN_OK
               : evn_error_set(EVN_ERR_INTERNAL, "the variant is lost");
}

/// It is described as what it is, or as what cannot be read.
static evn_status describe(void) {
    evn__text line = {0};
    evn__tuning_describe(evn_device_get_info(test_device()), &line);
    evn_status status = line.status;
    if (status != EVN_OK) {
        status = evn_error_set(status, "no memory for a line");
    } else if (strncmp(line.data, "tuned: 1 shape", 14) != 0 &&
               !strstr(line.data, "tuning ignored: ")) {
        status = evn_error_set(EVN_ERR_INTERNAL, "it is described as %s", line.data);
    }
    free(line.data);
    return status;
}

START_TEST(faults) {
    static const test_deed deeds[] = {
        {.name = "set", .run = set, .prepare = forget, .uncounted = true},
        {.name = "save", .run = save, .prepare = forget, .uncounted = true},
        {.name = "digest", .run = digest, .prepare = forget, .uncounted = true},
        {.name = "describe", .run = describe, .prepare = forget, .uncounted = true}};
    test_sweep_begin();
    unsetenv("EVONODE_TUNE");
    setenv("EVONODE_CACHE_DIR", test_folder(), 1);
    for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); ++i) {
        test_sweep(&deeds[i]);
    }
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("tuning");
    test_add(s, tcase_create("kernels"), kernels_in_use_count);
    test_add(s, tcase_create("off"), off);
    test_add(s, tcase_create("faults"), faults);
    return s;
}

int main(void) {
    return test_run(suite());
}
