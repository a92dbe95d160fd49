// SPDX-License-Identifier: Apache-2.0
// Folders of images as data sets: what is read, in which order, what is refused, what is kept.
#include "data/folder.h"
#include "data/pack.h"
#include "pictures.h"
#include "program.h"
#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIDE = 6, PIXELS = SIDE * SIDE, NOTES = 4096 };

static char notes[NOTES]; ///< what the last call told

static void keep_note(void *user, const char *text) {
    (void)user;
    size_t used = strlen(notes);
    snprintf(notes + used, sizeof(notes) - used, "%s\n", text);
}

static evn_folder_options make_options(void) {
    evn_folder_options options = evn_folder_options_default();
    options.note = keep_note;
    return options;
}

static evn_status open_with(const char *folder, evn_folder_options options, evn_dataset **dataset) {
    char path[TEST_PATH];
    notes[0] = 0;
    return evn_dataset_open_folder(test_path(path, "%s", folder), &options, dataset);
}

static evn_dataset *open_folder(const char *folder, evn_folder_options options) {
    evn_dataset *dataset;
    TRY(open_with(folder, options, &dataset));
    return dataset;
}

static void refuse_with(const char *folder, evn_folder_options options, evn_status status,
                        const char *text) {
    evn_dataset *dataset;
    ck_assert_int_eq(open_with(folder, options, &dataset), status);
    ck_assert_ptr_null(dataset);
    ck_assert_msg(strstr(evn_error_message(), text), "message '%s' lacks '%s'", evn_error_message(),
                  text);
}

static void refuse(const char *folder, evn_status status, const char *text) {
    refuse_with(folder, make_options(), status, text);
}

static void set_up(void) {
    char path[TEST_PATH];
    setenv("EVONODE_CACHE_DIR", test_path(path, "cache"), 1);
}

/// Ten images of each of two classes, numbered over both, each of its number's grey.
static void make_two(const char *folder) {
    for (int i = 0; i < 20; ++i) {
        char name[128];
        snprintf(name, sizeof(name), "%s/%s/%02d.png", folder, i % 2 ? "odd" : "even", i);
        test_write_png(name, SIDE, SIDE, (uint8_t)i);
    }
}

static uint8_t value(const evn_dataset *dataset, evn_part part, int64_t index) {
    return evn_dataset_pixels(dataset, part)[index * PIXELS];
}

// Layouts -----------------------------------------------------------------------------------------

START_TEST(parts) {
    make_two("data/train");
    test_write_png("data/test/odd/a.png", SIDE, SIDE, 201);
    test_write_png("data/test/even/b.png", SIDE, SIDE, 200);
    test_write("data/LICENSE.txt", "free\n", 5);
    test_write("data/train/odd/.hidden", "x", 1);
    test_write("data/train/odd/Thumbs.db", "x", 1);
    evn_dataset *dataset = open_folder("data", make_options());
    evn_dataset_info info = evn_dataset_get_info(dataset);
    ck_assert_str_eq(info.name, "images");
    ck_assert(info.count[EVN_TRAIN] == 20 && info.count[EVN_TEST] == 2 && info.classes == 2);
    ck_assert(info.height == SIDE && info.width == SIDE && info.channels == 1);
    ck_assert_str_eq(evn_dataset_class_name(dataset, 0), "even");
    ck_assert_str_eq(evn_dataset_class_name(dataset, 1), "odd");
    for (int i = 0; i < 20; ++i) { // in the order of the names over all classes
        ck_assert_int_eq(value(dataset, EVN_TRAIN, i), i);
        ck_assert_int_eq(evn_dataset_labels(dataset, EVN_TRAIN)[i], i % 2);
    }
    ck_assert_int_eq(value(dataset, EVN_TEST, 0), 201);
    ck_assert_int_eq(evn_dataset_labels(dataset, EVN_TEST)[0], 1);
    evn_dataset_destroy(&dataset);
    ck_assert_ptr_null(dataset);
}
END_TEST

START_TEST(holdout_is_stratified_and_seeded) {
    bool seen[3][20] = {{false}};
    make_two("data");
    for (int run = 0; run < 3; ++run) {
        evn_folder_options options = make_options();
        options.holdout = 0.3;
        options.seed = run == 2 ? 8 : 7;
        evn_dataset *dataset = open_folder("data", options);
        evn_dataset_info info = evn_dataset_get_info(dataset);
        ck_assert(info.count[EVN_TRAIN] == 14 && info.count[EVN_TEST] == 6);
        int odd = 0, sum = 0;
        for (int i = 0; i < 6; ++i) {
            seen[run][value(dataset, EVN_TEST, i)] = true;
            odd += evn_dataset_labels(dataset, EVN_TEST)[i];
            sum += value(dataset, EVN_TEST, i);
        }
        for (int i = 0; i < 14; ++i) {
            sum += value(dataset, EVN_TRAIN, i);
        }
        ck_assert_int_eq(odd, 3);
        ck_assert_int_eq(sum, 190); // each image is in one of the parts
        evn_dataset_destroy(&dataset);
    }
    ck_assert_mem_eq(seen[0], seen[1], sizeof(seen[0]));
    ck_assert_mem_ne(seen[0], seen[2], sizeof(seen[0]));
}
END_TEST

START_TEST(limit_is_spread_over_the_classes) {
    make_two("data");
    for (int i = 0; i < 10; ++i) { // a class whose names come before all others
        char name[64];
        snprintf(name, sizeof(name), "data/all/%c.png", '!' + i);
        test_write_png(name, SIDE, SIDE, 100);
    }
    evn_folder_options options = make_options();
    options.limit = 7;
    evn_dataset *dataset = open_folder("data", options);
    ck_assert_int_eq(evn_dataset_get_info(dataset).count[EVN_TRAIN], 7);
    ck_assert_int_eq(evn_dataset_get_info(dataset).count[EVN_TEST], 3);
    int counts[3] = {0};
    for (int i = 0; i < 7; ++i) {
        ++counts[evn_dataset_labels(dataset, EVN_TRAIN)[i]];
    }
    for (int label = 0; label < 3; ++label) {
        ck_assert(counts[label] == 2 || counts[label] == 3);
    }
    evn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(names) {
    test_write_png("data/Küche/ein Bild.png", SIDE, SIDE, 1);
    test_write_png("data/Küche/zwei\nZeilen.png", SIDE, SIDE, 2);
    test_write_png("data/a\nb/猫.png", SIDE, SIDE, 3);
    test_write_png("data/a\nb/\xff.png", SIDE, SIDE, 4);
    evn_dataset *dataset = open_folder("data", make_options());
    ck_assert_str_eq(evn_dataset_class_name(dataset, 0), "Küche");
    ck_assert_str_eq(evn_dataset_class_name(dataset, 1), "a\\x0ab");
    evn_dataset_destroy(&dataset);
    test_write("data/a\nb/no\nimage", "text", 4);
    refuse("data", EVN_ERR_FORMAT, "/data/a\\x0ab/no\\x0aimage: ");
}
END_TEST

START_TEST(sizes) {
    make_two("data");
    test_write_png("data/odd/99.png", 2 * SIDE, SIDE, 99);
    refuse("data", EVN_ERR_DATA, "99.png: it has 6 x 12 pixels");
    refuse("data", EVN_ERR_DATA, "--size");
    evn_folder_options options = make_options();
    options.height = 8;
    options.width = 10;
    evn_dataset *dataset = open_folder("data", options);
    evn_dataset_info info = evn_dataset_get_info(dataset);
    ck_assert(info.height == 8 && info.width == 10);
    evn_dataset_destroy(&dataset);
    options.width = 3;
    refuse_with("data", options, EVN_ERR_ARGUMENT, "sides should be from 4 to 1024");
    test_write_png("large/a/1.png", 200, 100, 0);
    test_write_png("large/b/2.png", 200, 100, 0);
    refuse("large", EVN_ERR_DATA, "have 100 x 200 pixels");
    test_write_png("small/a/1.png", 3, 3, 0);
    test_write_png("small/b/2.png", 3, 3, 0);
    refuse("small", EVN_ERR_DATA, "cannot be trained on");
}
END_TEST

/// One image in colour makes all of them so.
START_TEST(colours) {
    static test_file file;
    uint8_t pixels[PIXELS * 3];
    make_two("data");
    memset(pixels, 0, sizeof(pixels));
    pixels[0] = 255;
    test_png(&file, SIDE, SIDE, 8, 2, pixels, 3 * SIDE, NULL, 0);
    test_write("data/odd/99.png", file.data, file.size);
    evn_dataset *dataset = open_folder("data", make_options());
    ck_assert_int_eq(evn_dataset_get_info(dataset).channels, 3);
    const uint8_t *first = evn_dataset_pixels(dataset, EVN_TRAIN);
    ck_assert(first[0] == first[1] && first[1] == first[2]);
    evn_dataset_destroy(&dataset);
    dataset = open_folder("data", make_options());
    ck_assert_ptr_nonnull(strstr(notes, "from the cache"));
    ck_assert_int_eq(evn_dataset_get_info(dataset).channels, 3);
    evn_dataset_destroy(&dataset);
}
END_TEST

// Refused -----------------------------------------------------------------------------------------

START_TEST(no_classes) {
    char path[TEST_PATH];
    mkdir(test_path(path, "empty"), 0777);
    refuse("empty", EVN_ERR_DATA, "is empty");
    refuse("nowhere", EVN_ERR_FILE, "no folder");
    test_write_png("loose/1.png", SIDE, SIDE, 0);
    refuse("loose", EVN_ERR_DATA, "no sub-folders");
    refuse("loose/1.png", EVN_ERR_FILE, "is a file");
    test_write_png("one/cats/1.png", SIDE, SIDE, 0);
    refuse("one", EVN_ERR_DATA, "one class, 'cats'");
    mkdir(test_path(path, "hollow"), 0777);
    mkdir(test_path(path, "hollow/a"), 0777);
    mkdir(test_path(path, "hollow/b"), 0777);
    refuse("hollow", EVN_ERR_DATA, "are empty");
}
END_TEST

START_TEST(few_images) {
    make_two("data");
    test_write_png("data/single/1.png", SIDE, SIDE, 0);
    refuse("data", EVN_ERR_DATA, "the class 'single' has 1 of the two images");
    make_two("apart/train");
    test_write_png("apart/test/other/1.png", SIDE, SIDE, 0);
    refuse("apart", EVN_ERR_DATA, "a class 'other' that the training part lacks");
    make_two("both/train");
    make_two("both/test");
    evn_folder_options options = make_options();
    options.holdout = 0.5;
    refuse_with("both", options, EVN_ERR_ARGUMENT, "a test part of its own");
    options.holdout = 1;
    refuse_with("data", options, EVN_ERR_ARGUMENT, "below 1");
}
END_TEST

/// The first bad file in the order of names is told, however many threads look.
START_TEST(bad_files) {
    char path[TEST_PATH];
    make_two("data");
    test_write("data/even/07.png", "this is text\n", 13);
    test_write("data/odd/12.jpg", test_jpeg, test_jpeg_size / 2);
    for (int i = 0; i < 5; ++i) {
        refuse("data", EVN_ERR_FORMAT, "data/even/07.png: it is no PNG");
    }
    evn_folder_options options = make_options();
    options.skip_bad = 1;
    refuse_with("data", options, EVN_ERR_FORMAT, "data/odd/12.jpg: the JPEG file is truncated");
    ck_assert_int_eq(symlink("nowhere", test_path(path, "data/odd/14.png")), 0);
    options.skip_bad = 2;
    refuse_with("data", options, EVN_ERR_FORMAT, "data/odd/14.png: it is a symbolic link");
    options.skip_bad = 3;
    evn_dataset *dataset = open_folder("data", options);
    evn_dataset_info info = evn_dataset_get_info(dataset);
    ck_assert_int_eq(info.left_out, 3);
    ck_assert_int_eq(info.count[EVN_TRAIN] + info.count[EVN_TEST], 20);
    ck_assert_ptr_nonnull(strstr(notes, "left out: "));
    evn_dataset_destroy(&dataset);
    options.skip_bad = 2; // also where the cache has what is left
    refuse_with("data", options, EVN_ERR_FORMAT, "14.png");
}
END_TEST

START_TEST(no_regular_files) {
    char path[TEST_PATH], target[TEST_PATH];
    make_two("data");
    ck_assert_int_eq(mkfifo(test_path(path, "data/odd/pipe.png"), 0666), 0);
    refuse("data", EVN_ERR_FORMAT, "no regular file");
    unlink(path);
    mkdir(test_path(path, "data/odd/more"), 0777);
    refuse("data", EVN_ERR_FORMAT, "it is a folder");
    rmdir(path);
    test_write_png("elsewhere/1.png", SIDE, SIDE, 0);
    test_path(target, "elsewhere");
    ck_assert_int_eq(symlink(target, test_path(path, "data/link")), 0);
    refuse("data", EVN_ERR_DATA, "symbolic link");
    make_two("apart/train");
    ck_assert_int_eq(symlink(target, test_path(path, "apart/train/link")), 0);
    refuse("apart", EVN_ERR_DATA, "/train/link is a symbolic link");
}
END_TEST

START_TEST(changed_meanwhile) {
    char path[TEST_PATH];
    evn__folder folder;
    unsigned char *data;
    size_t size;
    make_two("data");
    TRY(evn__folder_open(test_path(path, "data"), &folder));
    const evn__folder_file *file = &folder.files[0];
    TRY(evn__folder_read(&folder, file, 1000, &data, &size));
    ck_assert_int_eq((int64_t)size, file->size);
    free(data);
    ck_assert_int_eq(evn__folder_read(&folder, file, 10, &data, &size), EVN_ERR_FORMAT);
    test_write_png("data/even/00.png", SIDE, SIDE, 99);
    ck_assert_int_eq(evn__folder_read(&folder, file, 1000, &data, &size), EVN_ERR_FILE);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "it changed"));
    evn__folder_close(&folder);
}
END_TEST

START_TEST(unreadable) {
    char path[TEST_PATH];
    if (geteuid() == 0) {
        return; // may read everything
    }
    make_two("data");
    chmod(test_path(path, "data/odd"), 0);
    refuse("data", EVN_ERR_FILE, "data/odd: Permission denied");
    chmod(path, 0700);
    chmod(test_path(path, "data/odd/03.png"), 0);
    refuse("data", EVN_ERR_FILE, "03.png: it cannot be opened");
}
END_TEST

// The cache ---------------------------------------------------------------------------------------

/// The only file in the cache.
static void find_cache(char path[TEST_PATH]) {
    char folder[TEST_PATH];
    const struct dirent *entry;
    int count = 0;
    DIR *stream = opendir(test_path(folder, "cache/images"));
    ck_assert_ptr_nonnull(stream);
    while ((entry = readdir(stream))) {
        if (entry->d_name[0] != '.') {
            snprintf(path, TEST_PATH, "%.512s/%.400s", folder, entry->d_name);
            ++count;
        }
    }
    closedir(stream);
    ck_assert_int_eq(count, 1);
}

static void told(const char *text) {
    evn_dataset *dataset = open_folder("data", make_options());
    ck_assert_msg(strstr(notes, text), "notes '%s' lack '%s'", notes, text);
    ck_assert_int_eq(value(dataset, EVN_TRAIN, 0) + value(dataset, EVN_TEST, 0) > 0, 1);
    evn_dataset_destroy(&dataset);
}

START_TEST(kept) {
    char path[TEST_PATH];
    make_two("data");
    told("decoded 20 images");
    told("20 images from the cache");
    find_cache(path);
    int file = open(path, O_RDWR);
    uint8_t byte;
    ck_assert_int_eq(pread(file, &byte, 1, 300), 1); // a pixel, or a number
    byte ^= 1;
    ck_assert_int_eq(pwrite(file, &byte, 1, 300), 1);
    close(file);
    told("is damaged");
    told("20 images from the cache");
    ck_assert_int_eq(truncate(path, 100), 0);
    told("is damaged");
    test_write_png("data/odd/77.png", SIDE, SIDE, 77);
    told("as it was before");
    told("21 images from the cache");
    test_write_png("data/odd/77.png", SIDE, SIDE, 78); // of the same size, at another time
    told("as it was before");
}
END_TEST

/// A cache whose checksum is right and whose contents are not.
START_TEST(forged) {
    enum { HEIGHT = -40, WIDTH = -32, CHANNELS = -24, CHECKSUM = -8, FIRST = 0, LAST = 19 * 4 };
    static const struct {
        int at; ///< from the numbers of the files
        int32_t value;
    } wrong[] = {{HEIGHT, 0}, {WIDTH, 0}, {CHANNELS, 2}, {FIRST, -1}, {FIRST, 1}, {LAST, 20}};
    char path[TEST_PATH];
    make_two("data");
    told("decoded 20 images");
    find_cache(path);
    size_t size, head = evn__pack_offset(0);
    char *kept_file = test_read(strstr(path, "cache/"), &size);
    for (int i = 0; i < 6; ++i) {
        char *copy = malloc(size);
        memcpy(copy, kept_file, size);
        memcpy(copy + (int)head + wrong[i].at, &wrong[i].value, sizeof(wrong[i].value));
        uint64_t sum = evn__checksum(copy + head, size - head);
        memcpy(copy + (int)head + CHECKSUM, &sum, sizeof(sum));
        test_write(strstr(path, "cache/"), copy, size);
        free(copy);
        told("is damaged");
    }
    free(kept_file);
    ck_assert_uint_eq(evn__pack_size(-1, 4, 4, 1), 0);
    ck_assert_uint_eq(evn__pack_size(1, 0, 4, 1), 0);
    ck_assert_uint_eq(evn__pack_size(1, 1 << 16, 1 << 16, 3), 0);
    ck_assert_uint_eq(evn__pack_size((int64_t)1 << 33, 4, 4, 1), 0);
    ck_assert_uint_eq(evn__pack_size(2, 3, 4, 3), head + 8 + 72);
}
END_TEST

START_TEST(off) {
    make_two("data");
    setenv("EVONODE_CACHE_DIR", "off", 1);
    told("decoded 20 images");
    told("decoded 20 images");
    setenv("EVONODE_CACHE_DIR", "/dev/null/cache", 1);
    told("cannot be kept");
}
END_TEST

// Large -------------------------------------------------------------------------------------------

START_TEST(ten_thousand) {
    char name[64];
    for (int i = 0; i < 10000; ++i) {
        snprintf(name, sizeof(name), "data/%s/%05d.png", i < 9998 ? "many" : "few", i);
        test_write_png(name, 4, 4, (uint8_t)i);
    }
    evn_dataset *dataset = open_folder("data", make_options());
    evn_dataset_info info = evn_dataset_get_info(dataset);
    ck_assert_int_eq(info.count[EVN_TRAIN], 8999);
    ck_assert_int_eq(info.count[EVN_TEST], 1001);
    evn_dataset_destroy(&dataset);
}
END_TEST

/// More classes than labels of a byte can tell apart, and than files may be open.
START_TEST(hundreds_of_classes) {
    enum { CLASSES = 300, FILES = 64 };
    char name[64];
    const struct rlimit few = {FILES, FILES};
    for (int i = 0; i < 3 * CLASSES; ++i) {
        snprintf(name, sizeof(name), "data/%03d/%d.png", i % CLASSES, i);
        test_write_png(name, 4, 4, (uint8_t)(i % CLASSES / 2));
    }
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    evn_dataset *dataset = open_folder("data", make_options());
    evn_dataset_info info = evn_dataset_get_info(dataset);
    ck_assert_int_eq(info.classes, CLASSES);
    ck_assert_int_eq(info.count[EVN_TEST], CLASSES); // one of each
    for (int part = 0; part < 2; ++part) {
        const uint8_t *pixels = evn_dataset_pixels(dataset, (evn_part)part);
        const uint16_t *labels = evn_dataset_labels(dataset, (evn_part)part);
        int seen = 0;
        for (int64_t i = 0; i < info.count[part]; ++i) {
            ck_assert_int_eq(pixels[16 * i], labels[i] / 2);
            seen += labels[i] >= 256;
        }
        ck_assert_int_eq(seen, (int)info.count[part] * (CLASSES - 256) / CLASSES);
    }
    ck_assert_str_eq(evn_dataset_class_name(dataset, 299), "299");
    evn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(parts_without_others) {
    char path[TEST_PATH];
    make_two("data/train"); // and no test
    test_write("data/train/odd/Desktop.ini", "x", 1);
    evn_dataset *dataset = open_folder("data", make_options());
    ck_assert_int_eq(evn_dataset_get_info(dataset).count[EVN_TEST], 2); // held out
    evn_dataset_destroy(&dataset);
    mkdir(test_path(path, "hollow"), 0777);
    mkdir(test_path(path, "hollow/training"), 0777);
    test_write("hollow/training/notes.txt", "x", 1);
    refuse("hollow", EVN_ERR_DATA, "the training part of");
    test_write("data/train/even/00.png", "", 0);
    refuse("data", EVN_ERR_FORMAT, "the file is empty");
}
END_TEST

/// The same size at another second, or only at another nanosecond.
START_TEST(changed_in_time) {
    char path[TEST_PATH];
    unsigned char *data;
    size_t size;
    evn__folder folder;
    evn__pack_key key;
    make_two("data");
    TRY(evn__folder_open(test_path(path, "data"), &folder));
    const evn__folder_file *file = &folder.files[0];
    for (int i = 0; i < 3; ++i) {
        struct timespec times[2] = {
            {.tv_sec = file->seconds + (i == 0), .tv_nsec = file->nanoseconds}};
        times[0].tv_nsec += i != 1 ? 0 : file->nanoseconds > 0 ? -1 : 1;
        times[1] = times[0];
        ck_assert_int_eq(utimensat(AT_FDCWD, test_path(path, "data/even/00.png"), times, 0), 0);
        ck_assert_int_eq(evn__folder_read(&folder, file, 1000, &data, &size),
                         i < 2 ? EVN_ERR_FILE : EVN_OK);
    }
    free(data);
    char away[TEST_PATH];
    ck_assert_int_eq(rename(test_path(path, "data"), test_path(away, "away")), 0);
    folder.path = path;
    evn_folder_options options = make_options();
    ck_assert_int_eq(evn__pack_make_key(&folder, &options, &key), EVN_ERR_FILE);
    evn__folder_close(&folder);
}
END_TEST

START_TEST(thousands_of_classes) {
    char path[TEST_PATH];
    test_folder_in_memory();
    set_up();
    mkdir(test_path(path, "data"), 0777);
    for (int i = 0; i <= EVN__CLASSES_MAX; ++i) {
        ck_assert_int_eq(mkdir(test_path(path, "data/%04d", i), 0777), 0);
    }
    refuse("data", EVN_ERR_DATA, "more than the 4096 classes");
    ck_assert_int_eq(rmdir(path), 0);
    refuse("data", EVN_ERR_DATA, "are empty");
}
END_TEST

static void add(Suite *s, TCase *c, const TTest *test) {
    tcase_add_checked_fixture(c, set_up, NULL);
    test_add(s, c, test);
}

static Suite *suite(void) {
    Suite *s = suite_create("folder");
    add(s, tcase_create("parts"), parts);
    add(s, tcase_create("holdout"), holdout_is_stratified_and_seeded);
    add(s, tcase_create("limit"), limit_is_spread_over_the_classes);
    add(s, tcase_create("names"), names);
    add(s, tcase_create("sizes"), sizes);
    add(s, tcase_create("colours"), colours);
    add(s, tcase_create("no_classes"), no_classes);
    add(s, tcase_create("few_images"), few_images);
    add(s, tcase_create("bad_files"), bad_files);
    add(s, tcase_create("no_regular_files"), no_regular_files);
    add(s, tcase_create("changed_meanwhile"), changed_meanwhile);
    add(s, tcase_create("unreadable"), unreadable);
    add(s, tcase_create("kept"), kept);
    add(s, tcase_create("off"), off);
    add(s, tcase_create("ten_thousand"), ten_thousand);
    add(s, tcase_create("classes"), hundreds_of_classes);
    add(s, tcase_create("half_parts"), parts_without_others);
    add(s, tcase_create("changed_in_time"), changed_in_time);
    add(s, tcase_create("forged"), forged);
    test_add(s, tcase_create("most_classes"), thousands_of_classes);
    return s;
}

int main(void) {
    return test_run(suite());
}
