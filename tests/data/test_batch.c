// SPDX-License-Identifier: Apache-2.0
#include "evonode/dataset.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SIZE = 100, PIXELS = 64, CLASSES = 10, TRAIN = 1442, TEST = 355 };

static float images[SIZE * PIXELS], labels[SIZE * CLASSES], weights[SIZE];

static evn_dataset *open_digits(void) {
    evn_dataset *dataset;
    TRY(evn_dataset_open("digits", NULL, &dataset));
    return dataset;
}

static evn_batches *open_batches(const evn_dataset *dataset, evn_part part, bool shuffle,
                                 uint64_t seed) {
    evn_batches *batches;
    evn_batches_options options = {.part = part, .size = SIZE, .shuffle = shuffle, .seed = seed};
    TRY(evn_batches_create(dataset, &options, &batches));
    return batches;
}

/// The first sample of the data set that has these pixels and label.
static int64_t find_sample(const evn_dataset *dataset, const float *image, const float *label) {
    const uint8_t *pixels = evn_dataset_pixels(dataset, EVN_TRAIN);
    for (int64_t sample = 0; sample < TRAIN; ++sample) {
        int same = label[evn_dataset_labels(dataset, EVN_TRAIN)[sample]] == 1;
        for (int i = 0; i < PIXELS && same; ++i) {
            same = image[i] == (float)(pixels[sample * PIXELS + i] / 255.0);
        }
        if (same) {
            return sample;
        }
    }
    return -1;
}

static void check_one_hot(int count) {
    for (int i = 0; i < count; ++i) {
        float sum = 0, highest = 0;
        for (int label = 0; label < CLASSES; ++label) {
            sum += labels[i * CLASSES + label];
            highest = fmaxf(highest, labels[i * CLASSES + label]);
        }
        ck_assert(sum == 1 && highest == 1);
    }
}

START_TEST(epoch_is_permutation) {
    evn_dataset *dataset = open_digits();
    evn_batches *batches = open_batches(dataset, EVN_TRAIN, true, 5);
    ck_assert_int_eq(evn_batches_batch_count(batches), TRAIN / SIZE); // the short batch is left out
    static bool seen[TRAIN];
    int in_place = 0;
    for (int64_t index = 0; index < evn_batches_batch_count(batches); ++index) {
        ck_assert_int_eq(evn_batches_fill(batches, index, images, labels, weights), SIZE);
        check_one_hot(SIZE);
        for (int i = 0; i < SIZE; ++i) {
            int64_t sample = find_sample(dataset, images + i * PIXELS, labels + i * CLASSES);
            ck_assert_int_ge(sample, 0);
            ck_assert_msg(!seen[sample], "sample %d comes twice", (int)sample);
            seen[sample] = true;
            in_place += sample == index * SIZE + i;
            ck_assert(weights[i] == 1);
        }
    }
    ck_assert_int_lt(in_place, 20); // about one is expected
    evn_batches_destroy(&batches);
    evn_dataset_destroy(&dataset);
}
END_TEST

static void fill_batch(const evn_dataset *dataset, uint64_t seed, int64_t epoch, float *out) {
    evn_batches *batches = open_batches(dataset, EVN_TRAIN, true, seed);
    evn_batches_set_epoch(batches, epoch);
    evn_batches_fill(batches, 3, out, labels, NULL);
    evn_batches_destroy(&batches);
}

START_TEST(seed_and_epoch_decide) {
    evn_dataset *dataset = open_digits();
    static float again[SIZE * PIXELS];
    const struct {
        uint64_t seed;
        int64_t epoch;
        bool same;
    } cases[] = {{1, 0, false},         {0, 1, false},          {1, 1, true},
                 {1, 1ll << 32, false}, {1ull << 32, 1, false}, {2, 1, false}};
    fill_batch(dataset, 1, 1, images);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); ++i) {
        fill_batch(dataset, cases[i].seed, cases[i].epoch, again);
        ck_assert_int_eq(memcmp(images, again, sizeof(images)) == 0, cases[i].same);
    }
    evn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(epochs_in_any_order) {
    evn_dataset *dataset = open_digits();
    static float again[SIZE * PIXELS];
    evn_batches *batches = open_batches(dataset, EVN_TRAIN, true, 9);
    for (int64_t epoch = 7; epoch >= 0; epoch -= 7) { // a resumed run begins in the middle
        evn_batches_set_epoch(batches, epoch);
        evn_batches_fill(batches, 3, images, labels, NULL);
        fill_batch(dataset, 9, epoch, again);
        ck_assert_mem_eq(images, again, sizeof(images));
    }
    evn_batches_destroy(&batches);
    evn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(evaluation_counts_each_once) {
    evn_dataset *dataset = open_digits();
    evn_batches *batches = open_batches(dataset, EVN_TEST, false, 0);
    ck_assert_int_eq(evn_batches_batch_count(batches), (TEST + SIZE - 1) / SIZE);
    int total = 0;
    for (int64_t index = 0; index < evn_batches_batch_count(batches); ++index) {
        memset(images, 0xff, sizeof(images));
        int real = evn_batches_fill(batches, index, images, labels, weights);
        check_one_hot(real);
        for (int i = 0; i < SIZE; ++i) {
            ck_assert(weights[i] == (i < real));
            if (i < real) {
                int label = evn_dataset_labels(dataset, EVN_TEST)[total + i];
                ck_assert(labels[i * CLASSES + label] == 1);
                continue;
            }
            for (int k = 0; k < PIXELS; ++k) {
                ck_assert(images[i * PIXELS + k] == 0);
            }
            for (int k = 0; k < CLASSES; ++k) {
                ck_assert(labels[i * CLASSES + k] == 0);
            }
        }
        total += real;
    }
    ck_assert_int_eq(total, TEST);
    evn_batches_destroy(&batches);
    evn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(range_of_pixels) {
    evn_dataset *dataset = open_digits();
    evn_batches *batches = open_batches(dataset, EVN_TRAIN, false, 0);
    evn_batches_fill(batches, 0, images, labels, NULL);
    float low = 1, high = 0;
    for (int i = 0; i < SIZE * PIXELS; ++i) {
        low = fminf(low, images[i]);
        high = fmaxf(high, images[i]);
    }
    ck_assert(low == 0 && high == 1);
    evn_batches_destroy(&batches);
    evn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(normalized_pixels) {
    evn_dataset *dataset = open_digits();
    TRY(evn_dataset_limit(dataset, EVN_TRAIN, 4 * SIZE));
    evn_batches *batches;
    evn_batches_options options = {.size = SIZE, .shuffle = true, .normalize = true};
    TRY(evn_batches_create(dataset, &options, &batches));
    ck_assert_int_eq(evn_batches_batch_count(batches), 4);
    double sum = 0, squares = 0, n = 4.0 * SIZE * PIXELS;
    for (int64_t index = 0; index < 4; ++index) {
        evn_batches_fill(batches, index, images, labels, NULL);
        for (int i = 0; i < SIZE * PIXELS; ++i) {
            sum += images[i];
            squares += (double)images[i] * images[i];
        }
    }
    ck_assert_double_eq_tol(sum / n, 0, 1e-6);
    ck_assert_double_eq_tol(squares / n, 1, 1e-6);
    evn_batches_destroy(&batches);
    evn_dataset_destroy(&dataset);
}
END_TEST

/// The pixel of the whole image that a window at (top, left) shows at (row, column).
static float shifted(const float *image, int row, int column, int top, int left) {
    enum { SIDE = 8 };
    row += top;
    column += left;
    bool inside = row >= 0 && row < SIDE && column >= 0 && column < SIDE;
    return inside ? image[row * SIDE + column] : 0;
}

static bool is_window(const float *cropped, const float *image, int top, int left) {
    bool same = true;
    for (int i = 0; i < PIXELS && same; ++i) {
        same = cropped[i] == shifted(image, i / 8, i % 8, top, left);
    }
    return same;
}

/// Which of the windows of a crop of 1 shows the image so: 0 … 8; −1: none.
static int find_window(const float *cropped, const float *image) {
    int window = 8;
    while (window >= 0 && !is_window(cropped, image, window / 3 - 1, window % 3 - 1)) {
        --window;
    }
    return window;
}

START_TEST(crops_are_windows) {
    static float whole[SIZE * PIXELS], whole_labels[SIZE * CLASSES], again[SIZE * PIXELS];
    evn_dataset *dataset = open_digits();
    evn_batches *plain = open_batches(dataset, EVN_TRAIN, true, 3), *cropped;
    evn_batches_options options = {
        .size = SIZE, .shuffle = true, .seed = 3, .augmentation.crop = 1};
    TRY(evn_batches_create(dataset, &options, &cropped));
    int seen[9] = {0};
    for (int64_t epoch = 0; epoch < 4; ++epoch) {
        evn_batches_set_epoch(plain, epoch);
        evn_batches_set_epoch(cropped, epoch);
        evn_batches_fill(plain, 2, whole, whole_labels, NULL);
        evn_batches_fill(cropped, 2, images, labels, NULL);
        evn_batches_fill(cropped, 2, again, labels, NULL);
        ck_assert_mem_eq(again, images, sizeof(again));
        ck_assert_mem_eq(labels, whole_labels, sizeof(labels));
        for (int i = 0; i < SIZE; ++i) {
            int window = find_window(images + i * PIXELS, whole + i * PIXELS);
            ck_assert_msg(window >= 0, "sample %d of epoch %d is no window", i, (int)epoch);
            ++seen[window];
        }
    }
    for (int window = 0; window < 9; ++window) { // 44 are expected, with a deviation of 6
        ck_assert_int_ge(seen[window], 20);
        ck_assert_int_le(seen[window], 80);
    }
    evn_batches_destroy(&plain);
    evn_batches_destroy(&cropped);
    evn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(windows_of_an_epoch_are_its_own) {
    static float again[SIZE * PIXELS];
    evn_dataset *dataset = open_digits();
    TRY(evn_dataset_limit(dataset, EVN_TRAIN, SIZE));
    evn_batches *batches;
    evn_batches_options options = {.size = SIZE,
                                   .augmentation.crop = 7}; // in the order of the file
    TRY(evn_batches_create(dataset, &options, &batches));
    evn_batches_fill(batches, 0, images, labels, NULL);
    evn_batches_set_epoch(batches, 1);
    evn_batches_fill(batches, 0, again, labels, NULL);
    ck_assert_mem_ne(images, again, sizeof(images));
    evn_batches_destroy(&batches);
    evn_dataset_destroy(&dataset);
}
END_TEST

/// A set of three 1×2 images in colour in test_folder(), both parts.
static void write_colours(const uint8_t *pixels) {
    const uint8_t head[] = {0, 0, 8, 4, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3};
    const uint8_t label_file[] = {0, 0, 8, 1, 0, 0, 0, 3, 1, 0, 2};
    const char *prefixes[] = {"train", "t10k"};
    for (int part = 0; part < 2; ++part) {
        char path[512];
        snprintf(path, sizeof(path), "%s/%s-images-idx3-ubyte", test_folder(), prefixes[part]);
        FILE *file = fopen(path, "wb");
        ck_assert_ptr_nonnull(file);
        fwrite(head, 1, sizeof(head), file);
        fwrite(pixels, 1, 18, file);
        fclose(file);
        snprintf(path, sizeof(path), "%s/%s-labels-idx1-ubyte", test_folder(), prefixes[part]);
        file = fopen(path, "wb");
        ck_assert_ptr_nonnull(file);
        fwrite(label_file, 1, sizeof(label_file), file);
        fclose(file);
    }
}

START_TEST(colours_are_apart) {
    const uint8_t pixels[18] = {0,   10, 255, 255, 20, 255, 0,   10, 255,
                                255, 20, 255, 0,   10, 255, 255, 20, 255};
    write_colours(pixels);
    evn_dataset *dataset;
    TRY(evn_dataset_open("mnist", test_folder(), &dataset));
    ck_assert_int_eq(evn_dataset_get_info(dataset).channels, 3);
    for (int normalize = 0; normalize < 2; ++normalize) {
        evn_batches *batches;
        evn_batches_options options = {.part = EVN_TEST, .size = 3, .normalize = normalize};
        TRY(evn_batches_create(dataset, &options, &batches));
        evn_batches_fill(batches, 0, images, labels, NULL);
        for (int i = 0; i < 18; ++i) { // the third channel is constant
            float wanted = i % 3 == 2 ? 0 : pixels[i] < (i % 3 ? 15 : 128) ? -1 : 1;
            ck_assert_double_eq_tol(images[i], normalize ? wanted : pixels[i] / 255.0f, 1e-6);
        }
        ck_assert(labels[1] == 1 && labels[CLASSES] == 1 && labels[2 * CLASSES + 2] == 1);
        evn_batches_destroy(&batches);
    }
    evn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(impossible_sizes) {
    evn_dataset *dataset = open_digits();
    evn_batches *batches;
    evn_batches_options options = {.size = TRAIN + 1, .shuffle = true};
    ck_assert_int_eq(evn_batches_create(dataset, &options, &batches), EVN_ERR_DATA);
    ck_assert_ptr_null(batches);
    options.shuffle = false;
    TRY(evn_batches_create(dataset, &options, &batches));
    ck_assert_int_eq(evn_batches_batch_count(batches), 1);
    evn_batches_destroy(&batches);
    options.size = 0;
    ck_assert_int_eq(evn_batches_create(dataset, &options, &batches), EVN_ERR_ARGUMENT);
    const int crops[] = {-1, 8};
    for (int i = 0; i < 2; ++i) { // images have 8 x 8 pixels
        options = (evn_batches_options){.size = SIZE, .augmentation.crop = crops[i]};
        ck_assert_int_eq(evn_batches_create(dataset, &options, &batches), EVN_ERR_ARGUMENT);
    }
    evn_dataset_destroy(&dataset);
}
END_TEST

static Suite *suite(void) {
    Suite *all = suite_create("batch");
    TCase *orders = tcase_create("orders");
    tcase_add_test(orders, epoch_is_permutation);
    tcase_add_test(orders, seed_and_epoch_decide);
    tcase_add_test(orders, epochs_in_any_order);
    suite_add_tcase(all, orders);
    TCase *content = tcase_create("content");
    tcase_add_test(content, evaluation_counts_each_once);
    tcase_add_test(content, range_of_pixels);
    tcase_add_test(content, normalized_pixels);
    tcase_add_test(content, colours_are_apart);
    tcase_add_test(content, crops_are_windows);
    tcase_add_test(content, windows_of_an_epoch_are_its_own);
    tcase_add_test(content, impossible_sizes);
    suite_add_tcase(all, content);
    return all;
}

int main(void) {
    return test_run(suite());
}
