// SPDX-License-Identifier: Apache-2.0
// Folders of images while each call of the system and each allocation fails: they are decoded, or
// taken from the cache, or it is said why not.
#include "base/status.h"
#include "evonode/dataset.h"
#include "pictures.h"
#include "program.h"
#include "sweep.h"
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIDE = 6 };

static const char *swept; ///< the folder that is read

/// Each image has its class in its grey: 1 and 2 in the one, 11 and 12 in the other.
static bool are_right(const evn_dataset *dataset) {
    evn_dataset_info info = evn_dataset_get_info(dataset);
    bool right = info.classes == 2 && info.count[EVN_TRAIN] == 2 && info.count[EVN_TEST] == 2;
    int sum = 0;
    for (int i = 0; right && i < 4; ++i) {
        evn_part part = i < 2 ? EVN_TRAIN : EVN_TEST;
        size_t pixels = (size_t)(info.height * info.width);
        int grey = evn_dataset_pixels(dataset, part)[(size_t)(i % 2) * pixels];
        right = evn_dataset_labels(dataset, part)[i % 2] == grey / 10;
        sum += grey;
    }
    return right && sum == 26;
}

static evn_status read_swept(void) {
    evn_dataset *dataset = NULL;
    evn_folder_options options = evn_folder_options_default();
    options.height = options.width = swept[0] == 'a' ? 8 : 0; // resized, or as they are
    EVN_TRY(evn_dataset_open_folder(swept, &options, &dataset));
    bool right = are_right(dataset);
    evn_dataset_destroy(&dataset);
    return right ? EVN_OK : evn_error_set(EVN_ERR_INTERNAL, "%s is read wrongly", swept);
}

static void forget(void) {
    char path[TEST_PATH];
    DIR *stream = opendir(test_path(path, "cache/images"));
    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        remove(test_path(path, "cache/images/%s", entry->d_name));
    }
    if (stream) {
        closedir(stream);
    }
}

START_TEST(faults) {
    static const test_deed decoded = {
        .name = "decoded", .prepare = forget, .run = read_swept, .uncounted = true};
    static const test_deed again = {.name = "kept", .run = read_swept, .uncounted = true};
    static const char *const images[] = {
        "a/train/one/1.png", "a/train/two/11.png", "a/test/one/2.png", "a/test/two/12.png",
        "b/one/1.png",       "b/two/11.png",       "b/one/2.png",      "b/two/12.png"};
    char cache[TEST_PATH];
    test_sweep_begin();
    setenv("EVONODE_CACHE_DIR", test_path(cache, "cache"), 1);
    ck_assert_int_eq(chdir(test_folder()), 0);
    for (int i = 0; i < 8; ++i) {
        test_write_png(images[i], SIDE, SIDE, (uint8_t)atoi(strrchr(images[i], '/') + 1));
    }
    for (swept = "a"; swept; swept = swept[0] == 'a' ? "b" : NULL) {
        test_sweep(&decoded);
        test_sweep(&again);
    }
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("folder_faults");
    test_add(s, tcase_create("faults"), faults);
    return s;
}

int main(void) {
    return test_run(suite());
}
