// SPDX-License-Identifier: Apache-2.0
#include "data/augment.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>

enum { SIDE = 6, PIXELS = SIDE * SIDE, LEVELS = 256, DRAWS = 4000 };
static const double PI = 3.14159265358979323846;
static const evn_dataset_info info = {.height = SIDE, .width = SIDE, .channels = 1, .classes = 2};

/// Every byte as itself, so that images are of bytes.
static float levels[LEVELS];

static void make_levels(void) {
    for (int i = 0; i < LEVELS; ++i) {
        levels[i] = (float)i;
    }
}

/// A picture without any symmetry.
static void make_picture(uint8_t *picture) {
    for (int i = 0; i < PIXELS; ++i) {
        picture[i] = (uint8_t)(i * i % 251);
    }
    make_levels();
}

static void write_picture(evn__placement placement, float *image) {
    uint8_t picture[PIXELS];
    make_picture(picture);
    evn__placement_write(&placement, &info, picture, levels, image);
}

START_TEST(a_quarter_turn_moves_pixels) {
    uint8_t picture[PIXELS];
    float image[PIXELS];
    make_picture(picture);
    write_picture((evn__placement){.angle = PI / 2, .factor = 1}, image);
    for (int row = 0; row < SIDE; ++row) { // the left column shows what was the top row
        for (int column = 0; column < SIDE; ++column) {
            ck_assert_double_eq_tol(image[row * SIDE + column],
                                    picture[column * SIDE + SIDE - 1 - row], 1e-4);
        }
    }
}
END_TEST

START_TEST(a_turn_shifts_by_its_window) {
    float turned[PIXELS], shifted[PIXELS];
    write_picture((evn__placement){.angle = 0.3, .factor = 1.2}, turned);
    write_picture((evn__placement){.angle = 0.3, .factor = 1.2, .top = 1, .left = -2}, shifted);
    for (int row = 0; row < SIDE - 1; ++row) {
        for (int column = 2; column < SIDE; ++column) {
            ck_assert_double_eq_tol(shifted[row * SIDE + column],
                                    turned[(row + 1) * SIDE + column - 2], 1e-3);
        }
    }
}
END_TEST

/// Twice as large, a pixel of the middle lies a quarter of the way between two.
START_TEST(enlargement_is_bilinear) {
    uint8_t picture[PIXELS];
    float image[PIXELS];
    make_picture(picture);
    write_picture((evn__placement){.factor = 2}, image);
    for (int row = 0; row < SIDE; ++row) {
        for (int column = 0; column < SIDE; ++column) {
            double y = 1.25 + 0.5 * row, x = 1.25 + 0.5 * column, wanted = 0;
            for (int k = 0; k < 4; ++k) {
                int r = (int)y + k / 2, c = (int)x + k % 2;
                wanted += (1 - fabs(y - r)) * (1 - fabs(x - c)) * picture[r * SIDE + c];
            }
            ck_assert_double_eq_tol(image[row * SIDE + column], wanted, 1e-3);
        }
    }
}
END_TEST

/// With equal coefficients the splines, which add up to 1, displace all pixels alike.
START_TEST(an_even_bend_shifts) {
    float bent[PIXELS], shifted[PIXELS];
    evn__placement even = {.angle = 0.3, .factor = 1.2, .bent = true};
    for (int i = 0; i < EVN__BEND_NODES; ++i) {
        for (int k = 0; k < EVN__BEND_NODES; ++k) {
            even.bend[0][i][k] = 1;
            even.bend[1][i][k] = -2;
        }
    }
    write_picture(even, bent);
    write_picture((evn__placement){.angle = 0.3, .factor = 1.2, .top = 1, .left = -2}, shifted);
    for (int i = 0; i < PIXELS; ++i) {
        ck_assert_double_eq_tol(bent[i], shifted[i], 1e-3);
    }
}
END_TEST

/// B-splines reproduce straight lines: coefficients that rise by a cell's width from node to node
/// displace each pixel by its own place, counted from the corner.
START_TEST(a_rising_bend_stretches) {
    uint8_t picture[PIXELS];
    float image[PIXELS];
    make_picture(picture);
    evn__placement rising = {.factor = 1, .bent = true};
    const double cell = (double)SIDE / EVN__BEND_CELLS;
    for (int i = 0; i < EVN__BEND_NODES; ++i) { // node 1 lies on the corner
        for (int k = 0; k < EVN__BEND_NODES; ++k) {
            rising.bend[0][i][k] = (float)(0.25 * cell * (i - 1)); // down, more in lower rows
            rising.bend[1][i][k] = (float)(-0.5 * cell * (k - 1));
        }
    }
    write_picture(rising, image);
    for (int row = 0; row < SIDE; ++row) {
        for (int column = 0; column < SIDE; ++column) {
            double y = row + 0.25 * (row + 0.5), x = column - 0.5 * (column + 0.5), wanted = 0;
            for (int r = 0; r < SIDE; ++r) {
                for (int c = 0; c < SIDE; ++c) {
                    wanted +=
                        fmax(0, 1 - fabs(y - r)) * fmax(0, 1 - fabs(x - c)) * picture[r * SIDE + c];
                }
            }
            ck_assert_double_eq_tol(image[row * SIDE + column], wanted, 1e-3);
        }
    }
}
END_TEST

/// What a bend displaces is read off an image that rises with the column.
START_TEST(bends_have_their_deviation) {
    enum { WIDE = 40, MIDDLE = WIDE * WIDE / 2 + WIDE / 2 };
    static uint8_t slope[WIDE * WIDE];
    static float image[WIDE * WIDE];
    const evn_dataset_info wide = {.height = WIDE, .width = WIDE, .channels = 1, .classes = 2};
    const evn_augmentation augmentation = {.elastic = 1.5};
    make_levels();
    for (int i = 0; i < WIDE * WIDE; ++i) {
        slope[i] = (uint8_t)(5 * (i % WIDE));
    }
    double sum = 0, of_next = 0, of_far = 0;
    for (int i = 0; i < DRAWS; ++i) {
        evn__placement p = evn__placement_draw(&augmentation, 7, 3, i);
        evn__placement_write(&p, &wide, slope, levels, image);
        double here = image[MIDDLE] / 5 - WIDE / 2, next = image[MIDDLE + 1] / 5 - WIDE / 2 - 1,
               far = image[MIDDLE - 15] / 5 - WIDE / 2 + 15;
        sum += here * here;
        of_next += (here - next) * (here - next);
        of_far += (here - far) * (here - far);
    }
    // A square of 1.5² has a deviation of √2 1.5²/√DRAWS; on a node the splines' variance is higher
    // than on average, 1/2 instead of 151/315 in each direction.
    double variance = sum / DRAWS, expected = 1.5 * 1.5 * pow(0.5 * 315 / 151, 2);
    ck_assert_double_eq_tol(variance, expected, 4 * sqrt(2. / DRAWS) * expected);
    ck_assert_double_lt(of_next / DRAWS, 0.05 * expected); // smooth
    ck_assert_double_gt(of_far / DRAWS, 1 * expected);     // and not the same everywhere
}
END_TEST

START_TEST(outside_is_byte_zero) {
    float image[PIXELS];
    write_picture((evn__placement){.angle = 1, .factor = 0.5, .left = 100}, image);
    for (int i = 0; i < PIXELS; ++i) {
        ck_assert_double_eq(image[i], 0);
    }
}
END_TEST

START_TEST(channels_stay_apart) {
    const evn_dataset_info colours = {.height = 2, .width = 2, .channels = 3, .classes = 2};
    const uint8_t picture[12] = {1, 50, 200, 2, 51, 201, 3, 52, 202, 4, 53, 203};
    float table[3 * LEVELS], image[12];
    evn__placement placement = {.angle = PI, .factor = 1};
    for (int i = 0; i < 3 * LEVELS; ++i) { // a level of its own for each channel
        table[i] = (float)i;
    }
    evn__placement_write(&placement, &colours, picture, table, image);
    for (int i = 0; i < 12; ++i) {
        int channel = i % 3, pixel = 3 - i / 3;
        ck_assert_double_eq_tol(image[i], LEVELS * channel + picture[pixel * 3 + channel], 1e-3);
    }
}
END_TEST

START_TEST(draws_fill_their_range) {
    const evn_augmentation augmentation = {.crop = 2, .rotate = 30, .scale = 0.5};
    int windows[5] = {0}, turned_left = 0, enlarged = 0, far = 0;
    for (int i = 0; i < DRAWS; ++i) {
        evn__placement p = evn__placement_draw(&augmentation, 7, 3, i);
        ck_assert(fabs(p.angle) <= PI / 6 && p.factor <= 1.5 && p.factor >= 1 / 1.5);
        ck_assert(p.top >= -2 && p.top <= 2 && p.left >= -2 && p.left <= 2);
        ++windows[p.left + 2];
        turned_left += p.angle > 0;
        enlarged += p.factor > 1;
        far += fabs(p.angle) > PI / 12 && p.factor > sqrt(1.5);
    }
    for (int k = 0; k < 5; ++k) { // four deviations of each count
        ck_assert_int_le(abs(windows[k] - DRAWS / 5), 101);
    }
    ck_assert_int_le(abs(turned_left - DRAWS / 2), 126);
    ck_assert_int_le(abs(enlarged - DRAWS / 2), 126);
    ck_assert_int_le(abs(far - DRAWS / 8), 84); // angle and factor are drawn apart
}
END_TEST

START_TEST(draws_are_of_seed_epoch_and_sample) {
    const evn_augmentation augmentation = {.rotate = 10, .scale = 0.1, .elastic = 1};
    const struct {
        uint64_t seed;
        int64_t epoch, sample;
    } others[] = {{2, 5, 9}, {1, 6, 9}, {1, 5, 10}};
    evn__placement first = evn__placement_draw(&augmentation, 1, 5, 9);
    evn__placement again = evn__placement_draw(&augmentation, 1, 5, 9);
    ck_assert(first.angle == again.angle && first.factor == again.factor);
    ck_assert_mem_eq(first.bend, again.bend, sizeof(first.bend));
    for (int i = 0; i < 3; ++i) {
        evn__placement other =
            evn__placement_draw(&augmentation, others[i].seed, others[i].epoch, others[i].sample);
        ck_assert(other.angle != first.angle && other.factor != first.factor);
        for (int axis = 0; axis < 2; ++axis) {
            for (int k = 0; k < EVN__BEND_NODES; ++k) {
                ck_assert(other.bend[axis][k][k] != first.bend[axis][k][k]);
            }
        }
    }
    const evn_augmentation none = {0};
    first = evn__placement_draw(&none, 1, 5, 9);
    ck_assert(first.angle == 0 && first.factor == 1 && first.top == 0 && first.left == 0);
    ck_assert(!first.bent);
}
END_TEST

START_TEST(a_flip_mirrors) {
    uint8_t picture[PIXELS];
    float image[PIXELS];
    make_picture(picture);
    write_picture((evn__placement){.factor = 1, .flipped = true}, image);
    for (int i = 0; i < PIXELS; ++i) {
        ck_assert_float_eq(image[i], picture[i / SIDE * SIDE + SIDE - 1 - i % SIDE]);
    }
}
END_TEST

START_TEST(half_are_flipped) {
    const evn_augmentation augmentation = {.flip = true};
    int flipped = 0;
    for (int i = 0; i < DRAWS; ++i) {
        evn__placement p = evn__placement_draw(&augmentation, 7, 3, i);
        ck_assert(p.top == 0 && p.left == 0 && p.factor == 1);
        flipped += p.flipped;
    }
    ck_assert_int_le(abs(flipped - DRAWS / 2), DRAWS / 20);
}
END_TEST

/// Saturation leaves greys, contrast the mean: what a grey image becomes tells the other two.
START_TEST(jitter_changes_colours) {
    enum { COUNT = 4 };
    const evn_dataset_info colours = {.height = 2, .width = 2, .channels = 3, .classes = 2};
    const uint8_t greys[3 * COUNT] = {100, 100, 100, 100, 100, 100, 140, 140, 140, 140, 140, 140};
    uint8_t changed[3 * COUNT], again[3 * COUNT];
    double least = 255, most = 0;
    bool varies = false;
    for (int sample = 0; sample < DRAWS; ++sample) {
        evn__jitter_write(0.2, 7, 3, sample, &colours, greys, changed);
        evn__jitter_write(0.2, 7, 3, sample, &colours, greys, again);
        ck_assert_mem_eq(changed, again, sizeof(changed));
        for (int i = 0; i < 3 * COUNT; ++i) {
            ck_assert_int_eq(changed[i], changed[i / 6 * 6]);
        }
        double mean = 0.5 * (changed[0] + changed[6]), spread = changed[6] - changed[0];
        least = mean < least ? mean : least;
        most = mean > most ? mean : most;
        ck_assert(spread >= 40 * 0.64 - 1.5 && spread <= 40 * 1.44 + 1.5);
        varies = varies || spread > 50;
    }
    ck_assert(varies);
    ck_assert_double_eq_tol(least, 96, 2); // of 120
    ck_assert_double_eq_tol(most, 144, 2);
}
END_TEST

START_TEST(no_jitter_changes_nothing) {
    const evn_dataset_info colours = {.height = 1, .width = 2, .channels = 3, .classes = 2};
    const uint8_t pixels[] = {0, 128, 255, 3, 2, 1};
    uint8_t changed[6];
    evn__jitter_write(0, 7, 3, 1, &colours, pixels, changed);
    ck_assert_mem_eq(changed, pixels, sizeof(pixels));
}
END_TEST

START_TEST(ranges_are_checked) {
    const evn_augmentation right[] = {
        {0}, {.crop = 5, .rotate = 180, .scale = 1, .elastic = 0.25 * SIDE, .flip = true}};
    const evn_augmentation wrong[] = {
        {.crop = -1},     {.crop = SIDE},  {.rotate = -1}, {.rotate = 181}, {.rotate = NAN},
        {.scale = -0.1},  {.scale = 1.1},  {.scale = NAN}, {.elastic = -1}, {.elastic = 2},
        {.elastic = NAN}, {.jitter = 1.1}, {.jitter = -1}, {.jitter = NAN}, {.jitter = 0.1}};
    for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); ++i) {
        TRY(evn__augmentation_check(&right[i], &info));
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); ++i) { // the last: images are grey
        ck_assert_int_eq(evn__augmentation_check(&wrong[i], &info), EVN_ERR_ARGUMENT);
    }
    const evn_dataset_info colours = {.height = SIDE, .width = SIDE, .channels = 3, .classes = 2};
    TRY(evn__augmentation_check(&(evn_augmentation){.jitter = 0.1}, &colours));
}
END_TEST

static Suite *suite(void) {
    Suite *all = suite_create("augment");
    TCase *writing = tcase_create("writing");
    tcase_add_test(writing, a_quarter_turn_moves_pixels);
    tcase_add_test(writing, a_turn_shifts_by_its_window);
    tcase_add_test(writing, enlargement_is_bilinear);
    tcase_add_test(writing, an_even_bend_shifts);
    tcase_add_test(writing, a_rising_bend_stretches);
    tcase_add_test(writing, outside_is_byte_zero);
    tcase_add_test(writing, channels_stay_apart);
    tcase_add_test(writing, a_flip_mirrors);
    tcase_add_test(writing, no_jitter_changes_nothing);
    suite_add_tcase(all, writing);
    TCase *drawing = tcase_create("drawing");
    tcase_add_test(drawing, draws_fill_their_range);
    tcase_add_test(drawing, bends_have_their_deviation);
    tcase_add_test(drawing, draws_are_of_seed_epoch_and_sample);
    tcase_add_test(drawing, half_are_flipped);
    tcase_add_test(drawing, jitter_changes_colours);
    tcase_add_test(drawing, ranges_are_checked);
    suite_add_tcase(all, drawing);
    return all;
}

int main(void) {
    return test_run(suite());
}
