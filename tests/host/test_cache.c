// SPDX-License-Identifier: Apache-2.0
// The cache is forced on, so that it is tested also where the implementation keeps programs itself.
#include "base/files.h"
#include "base/hash.h"
#include "host/kernel.h"
#include "host/quirks.h"
#include "test.h"

#include <dirent.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

// Place of the header's parts in an entry (host/cache.c).
enum { AT_KEY_BYTES = 16, AT_CHECKSUM = 32, AT_KEY = 40 };

static const char text[] = "__kernel void five(OUTPUT(y)) {\n"
                           "    OUTPUT_OF(y);\n"
                           "    y[0] = R(5.0) * FACTOR;\n"
                           "}\n";

static const char *program_path;

static const char *cache_folder(void) {
    static char path[512];
    snprintf(path, sizeof(path), "%s/deep/cache", test_folder());
    return path;
}

/// Compile and run on a device of its own: the number it stored, and what was done to get there.
static evn_device_stats run(const char *options, float expected) {
    evn_device *device;
    evn__kernel *kernel;
    evn_buffer *y;
    float got = 0;
    evn__source source = {.text = text, .options = options};
    TRY(evn_device_open(NULL, &device));
    TRY(evn__kernel_get(device, &source, "five", &kernel));
    TRY(evn_buffer_create(device, 4, &y));
    evn__argument argument = {.kind = EVN__ARGUMENT_BUFFER, .buffer = y};
    TRY(evn__kernel_launch(kernel, &argument, 1, (evn__range){.dimensions = 1, .global = {1}}));
    TRY(evn_buffer_read(y, 0, 4, &got));
    ck_assert_float_eq(got, expected);
    evn_device_stats stats = evn_device_get_stats(device);
    evn_buffer_destroy(&y);
    evn_device_close(&device);
    return stats;
}

static void expect_built(const char *options, float expected) {
    evn_device_stats stats = run(options, expected);
    ck_assert_uint_eq(stats.programs_built, 1);
    ck_assert_uint_eq(stats.programs_loaded, 0);
}

static void expect_loaded(const char *options, float expected) {
    evn_device_stats stats = run(options, expected);
    ck_assert_uint_eq(stats.programs_built, 0);
    ck_assert_uint_eq(stats.programs_loaded, 1);
}

/// Number of files in the cache; the path of the last one goes to `path`, of at least 1024 bytes.
static int entries(char *path) {
    int count = 0;
    DIR *folder = opendir(cache_folder());
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (entry->d_name[0] != '.') {
            snprintf(path, 1024, "%s/%s", cache_folder(), entry->d_name);
            count++;
        }
    }
    if (folder) {
        closedir(folder);
    }
    return count;
}

static void empty_cache(void) {
    char path[1024];
    while (entries(path) > 0) {
        ck_assert_int_eq(unlink(path), 0);
    }
    setenv("EVONODE_CACHE", "force", 1);
    setenv("EVONODE_CACHE_DIR", cache_folder(), 1);
}

// Hits --------------------------------------------------------------------------------------------

START_TEST(second_run_loads) {
    char path[1024];
    struct stat info;
    expect_built("-DFACTOR=1", 5);
    ck_assert_int_eq(stat(cache_folder(), &info), 0);
    ck_assert_int_eq(info.st_mode & 0777, 0700);
    expect_loaded("-DFACTOR=1", 5);
    ck_assert_int_eq(entries(path), 1);
    expect_built("-DFACTOR=2", 10); // other options, other program
    expect_loaded("-DFACTOR=2", 10);
    expect_loaded("-DFACTOR=1", 5);
    ck_assert_int_eq(entries(path), 2);
}
END_TEST

START_TEST(cache_can_be_off) {
    static const char *const words[] = {"0", "off", "none", "OFF"};
    char path[1024];
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); ++i) {
        setenv("EVONODE_CACHE_DIR", words[i], 1);
        expect_built("-DFACTOR=1", 5);
        ck_assert_int_ne(access(words[i], F_OK), 0);
    }
    ck_assert_int_eq(entries(path), 0);
}
END_TEST

START_TEST(cache_lies_under_the_user_s_cache_folder) {
    char base[512], path[1024];
    snprintf(base, sizeof(base), "%s/xdg", test_folder());
    snprintf(path, sizeof(path), "%s/evonode/cl-cache", base);
    unsetenv("EVONODE_CACHE_DIR");
    setenv("XDG_CACHE_HOME", base, 1);
    expect_built("-DFACTOR=1", 5);
    expect_loaded("-DFACTOR=1", 5);
    ck_assert_int_eq(access(path, F_OK), 0);
    unsetenv("XDG_CACHE_HOME");
}
END_TEST

START_TEST(cache_is_bypassed_where_the_driver_has_one) {
    evn_device_info info = {.platform_name = "Portable Computing Language"};
    ck_assert(evn__quirks_of(&info).caches_programs);
    info.type = EVN_DEVICE_GPU; // of PoCL too, but no thread of the host runs its work-groups
    ck_assert(evn__quirks_of(&info).caches_programs);
    ck_assert(!evn__quirks_of(&info).groups_progress && !evn__quirks_of(&info).long_vectors);
    snprintf(info.platform_name, sizeof(info.platform_name), "NVIDIA CUDA");
    ck_assert(evn__quirks_of(&info).caches_programs);
    snprintf(info.platform_name, sizeof(info.platform_name), "rusticl");
    ck_assert(evn__quirks_of(&info).caches_programs);
    snprintf(info.platform_name, sizeof(info.platform_name), "Intel(R) OpenCL Graphics");
    ck_assert(!evn__quirks_of(&info).caches_programs);
    char path[1024];
    unsetenv("EVONODE_CACHE");
    expect_built("-DFACTOR=1", 5);
    bool bypassed = evn__quirks_of(evn_device_get_info(test_device())).caches_programs;
    ck_assert_int_eq(entries(path), bypassed ? 0 : 1);
}
END_TEST

// Doubt -------------------------------------------------------------------------------------------

typedef void damage(unsigned char *data, size_t *bytes);

static void make_empty(unsigned char *data, size_t *bytes) {
    (void)data;
    *bytes = 0;
}

static void cut_header(unsigned char *data, size_t *bytes) {
    (void)data;
    *bytes = AT_KEY / 2;
}

static void cut_end(unsigned char *data, size_t *bytes) {
    (void)data;
    *bytes -= 1;
}

static void flip_magic(unsigned char *data, size_t *bytes) {
    (void)bytes;
    data[3] ^= 1;
}

static void flip_version(unsigned char *data, size_t *bytes) {
    (void)bytes;
    data[8] ^= 2;
}

static void flip_key_size(unsigned char *data, size_t *bytes) {
    (void)bytes;
    data[AT_KEY_BYTES + 7] ^= 0x80; // a size near 2^63
}

static void flip_binary(unsigned char *data, size_t *bytes) {
    data[*bytes - 100] ^= 0x10;
}

static void seal(unsigned char *data, size_t bytes) {
    uint64_t checksum = evn__checksum(data + AT_KEY, bytes - AT_KEY);
    memcpy(data + AT_CHECKSUM, &checksum, sizeof(checksum));
}

static void change_key(unsigned char *data, size_t *bytes) {
    data[AT_KEY + 20] ^= 1;
    seal(data, *bytes);
}

static void change_binary(unsigned char *data, size_t *bytes) {
    uint64_t key_bytes;
    memcpy(&key_bytes, data + AT_KEY_BYTES, sizeof(key_bytes));
    memset(data + AT_KEY + key_bytes, 'x', *bytes - AT_KEY - key_bytes);
    seal(data, *bytes);
}

static void damage_entry(damage *harm) {
    char path[1024];
    unsigned char *data;
    size_t bytes;
    ck_assert_int_eq(entries(path), 1);
    TRY(evn__file_read(path, &data, &bytes));
    harm(data, &bytes);
    TRY(evn__file_write(path, data, bytes));
    free(data);
}

static damage *const damages[] = {make_empty,  cut_header,   cut_end,
                                  flip_magic,  flip_version, flip_key_size,
                                  flip_binary, change_key,   change_binary};

START_TEST(damaged_entry_is_replaced) {
    bool rusticl = strcmp(evn_device_get_info(test_device())->platform_name, "rusticl") == 0;
    if (rusticl && damages[_i] == change_binary) {
        return; // would abort the process: host/quirks.c
    }
    expect_built("-DFACTOR=1", 5);
    damage_entry(damages[_i]);
    expect_built("-DFACTOR=1", 5);
    expect_loaded("-DFACTOR=1", 5);
}
END_TEST

START_TEST(folder_open_to_others_is_not_trusted) {
    expect_built("-DFACTOR=1", 5);
    ck_assert_int_eq(chmod(cache_folder(), 0777), 0);
    expect_built("-DFACTOR=1", 5);
    ck_assert_int_eq(chmod(cache_folder(), 0700), 0);
    expect_loaded("-DFACTOR=1", 5);
}
END_TEST

START_TEST(unwritable_place_fails_nothing) {
    char path[1024];
    snprintf(path, sizeof(path), "%s/file", test_folder());
    TRY(evn__file_write(path, "x", 1));
    setenv("EVONODE_CACHE_DIR", path, 1);
    expect_built("-DFACTOR=1", 5);
    strcat(path, "/below");
    setenv("EVONODE_CACHE_DIR", path, 1);
    expect_built("-DFACTOR=1", 5);
}
END_TEST

// Many processes ----------------------------------------------------------------------------------

extern char **environ;

START_TEST(processes_share_one_cache) {
    enum { PROCESSES = 4 };
    pid_t children[PROCESSES];
    char *arguments[] = {(char *)program_path, "child", NULL};
    char path[1024];
    for (int i = 0; i < PROCESSES; ++i) {
        ck_assert_int_eq(posix_spawn(&children[i], program_path, NULL, NULL, arguments, environ),
                         0);
    }
    for (int i = 0; i < PROCESSES; ++i) {
        int status = -1;
        ck_assert_int_eq(waitpid(children[i], &status, 0), children[i]);
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "process %d: %x", i, status);
    }
    ck_assert_int_eq(entries(path), 1); // no temporary file is left
    expect_loaded("-DFACTOR=1", 5);
}
END_TEST

/// What each process does; Check's assertions are not for use outside a test.
static int child(void) {
    evn_device *device;
    evn__kernel *kernel;
    evn__source source = {.text = text, .options = "-DFACTOR=1"};
    if (evn_device_open(NULL, &device) != EVN_OK ||
        evn__kernel_get(device, &source, "five", &kernel) != EVN_OK) {
        fprintf(stderr, "%s\n", evn_error_message());
        return EXIT_FAILURE;
    }
    evn_device_close(&device);
    return EXIT_SUCCESS;
}

static Suite *suite(void) {
    Suite *all = suite_create("cache");
    TCase *hits = tcase_create("hits");
    tcase_add_checked_fixture(hits, empty_cache, NULL);
    tcase_add_test(hits, second_run_loads);
    tcase_add_test(hits, cache_can_be_off);
    tcase_add_test(hits, cache_lies_under_the_user_s_cache_folder);
    tcase_add_test(hits, cache_is_bypassed_where_the_driver_has_one);
    suite_add_tcase(all, hits);
    TCase *doubt = tcase_create("doubt");
    tcase_add_checked_fixture(doubt, empty_cache, NULL);
    tcase_add_loop_test(doubt, damaged_entry_is_replaced, 0, sizeof(damages) / sizeof(damages[0]));
    tcase_add_test(doubt, folder_open_to_others_is_not_trusted);
    tcase_add_test(doubt, unwritable_place_fails_nothing);
    suite_add_tcase(all, doubt);
    TCase *processes = tcase_create("processes");
    tcase_add_checked_fixture(processes, empty_cache, NULL);
    tcase_add_test(processes, processes_share_one_cache);
    suite_add_tcase(all, processes);
    return all;
}

int main(int count, char **arguments) {
    program_path = arguments[0];
    if (count > 1 && strcmp(arguments[1], "child") == 0) {
        return child();
    }
    return test_run(suite());
}
