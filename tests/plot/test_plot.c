// SPDX-License-Identifier: Apache-2.0
// Pictures: files of the right format and size, with what was asked for in them.
#include "plot/plot.h"
#include "program.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POINTS = 50 };

static double ramp[POINTS], falling[POINTS], wave[POINTS];

static void fill(void) {
    for (int i = 0; i < POINTS; ++i) {
        ramp[i] = i;
        falling[i] = exp(-0.3 * i);
        wave[i] = sin(0.2 * i);
    }
}

static const evn__series lines[] = {
    {"falls", EVN__LINE, ramp, falling, NULL, POINTS},
    {"waves", EVN__DASHED, ramp, wave, NULL, POINTS},
    {"marks", EVN__MARKS, ramp, falling, NULL, POINTS},
};
static const evn__series curve[] = {
    {"curve", EVN__LINE, ramp, falling, wave, POINTS},
    {"marks", EVN__MARKS, ramp, falling, wave, POINTS},
};

static const evn__plot flat = {
    .title = "A picture", .x = {"x, m", false}, .y = {"y, s", false}, .series = lines, .count = 3};
static const evn__plot logarithmic = {
    .title = "A picture", .x = {"x, m", false}, .y = {"y, s", true}, .series = lines, .count = 3};
static const evn__plot deep = {.title = "A picture",
                               .x = {"x, m", false},
                               .y = {"y, s", false},
                               .z = {"z, K", false},
                               .series = curve,
                               .count = 2};

static uint32_t big_endian(const unsigned char *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/// Size in bytes of a file that must be a PNG of 800×600.
static size_t check_png(const char *name) {
    size_t size;
    unsigned char *data = (unsigned char *)test_read(name, &size);
    ck_assert_uint_gt(size, 1000);
    ck_assert_mem_eq(data, "\x89PNG\r\n\x1a\n", 8);
    ck_assert_uint_eq(big_endian(data + 16), EVN__PLOT_WIDTH);
    ck_assert_uint_eq(big_endian(data + 20), EVN__PLOT_HEIGHT);
    ck_assert_mem_eq(data + size - 8, "IEND", 4);
    free(data);
    return size;
}

static void check_svg(const char *name) {
    char *text = test_read(name, NULL);
    ck_assert_ptr_nonnull(strstr(text, "<svg "));
    ck_assert_ptr_nonnull(strstr(text, "viewBox=\"0 0 800 600\""));
    ck_assert_ptr_nonnull(strstr(text, "</svg>"));
    free(text);
}

START_TEST(both_formats) {
    static const evn__plot *const plots[] = {&flat, &logarithmic, &deep};
    static const char *const stems[] = {"flat", "log", "deep"};
    char name[32];
    fill();
    for (int i = 0; i < 3; ++i) {
        TRY(evn__plot_save(plots[i], test_folder(), stems[i]));
        snprintf(name, sizeof(name), "%s.png", stems[i]);
        check_png(name);
        snprintf(name, sizeof(name), "%s.svg", stems[i]);
        check_svg(name);
    }
}
END_TEST

/// The colour of each series is in the SVG as often as it is drawn: in the box and the legend.
START_TEST(series_are_drawn) {
    static const char *const colours[] = {"rgb(0%,44.", "rgb(83.", "rgb(0%,61."};
    fill();
    TRY(evn__plot_save(&flat, test_folder(), "series"));
    char *text = test_read("series.svg", NULL);
    for (int i = 0; i < 3; ++i) {
        int found = 0;
        for (const char *at = text; (at = strstr(at, colours[i])); ++at) {
            ++found;
        }
        ck_assert_msg(found >= 2, "series %d is there %d times", i, found);
    }
    free(text);
}
END_TEST

/// Series that belong together have one colour, and one entry in the legend.
START_TEST(shared_colours) {
    static const int colours[] = {0, 2, 0};
    evn__series series[3];
    evn__plot plot = flat;
    fill();
    memcpy(series, lines, sizeof(series));
    series[2].label = NULL;
    plot.series = series;
    plot.colours = colours;
    TRY(evn__plot_save(&plot, test_folder(), "shared"));
    char *text = test_read("shared.svg", NULL);
    ck_assert_ptr_nonnull(strstr(text, "rgb(0%,44."));
    ck_assert_ptr_nonnull(strstr(text, "rgb(0%,61."));
    ck_assert_ptr_null(strstr(text, "rgb(83."));
    free(text);
    series[0].label = series[1].label = NULL;
    ck_assert_int_eq(evn__plot_save(&plot, test_folder(), "none"), EVN_ERR_ARGUMENT);
}
END_TEST

START_TEST(same_bytes_twice) {
    size_t sizes[2];
    fill();
    TRY(evn__plot_save(&deep, test_folder(), "once"));
    TRY(evn__plot_save(&deep, test_folder(), "again"));
    char *once = test_read("once.png", &sizes[0]), *again = test_read("again.png", &sizes[1]);
    ck_assert_uint_eq(sizes[0], sizes[1]);
    ck_assert_mem_eq(once, again, sizes[0]);
    free(once);
    free(again);
}
END_TEST

/// Points that cannot be drawn, and a range without extent.
START_TEST(odd_numbers) {
    static const double odd[] = {1, NAN, 3, INFINITY, 0, 6}, same[] = {2, 2, 2, 2, 2, 2};
    const evn__series series[] = {{"odd", EVN__LINE, same, odd, NULL, 6},
                                  {"none", EVN__MARKS, odd, odd, NULL, 0}};
    const evn__plot plot = {
        .title = "#", .x = {"x", false}, .y = {"y", true}, .series = series, .count = 2};
    TRY(evn__plot_save(&plot, test_folder(), "odd"));
    check_png("odd.png");
}
END_TEST

START_TEST(refused) {
    char path[TEST_PATH];
    evn__plot none = flat;
    none.count = 0;
    ck_assert_int_eq(evn__plot_write(&flat, "/dev/null/a.png"), EVN_ERR_OUTPUT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "/dev/null/a.png"));
    ck_assert_int_eq(evn__plot_save(&flat, "/nowhere", "a"), EVN_ERR_OUTPUT);
    ck_assert_int_eq(evn__plot_write(&flat, test_path(path, "a.gif")), EVN_ERR_ARGUMENT);
    ck_assert_int_eq(evn__plot_write(&none, test_path(path, "a.png")), EVN_ERR_ARGUMENT);
    ck_assert(!test_exists("a.png"));
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("plot");
    TCase *c = tcase_create("files");
    tcase_add_test(c, both_formats);
    tcase_add_test(c, series_are_drawn);
    tcase_add_test(c, shared_colours);
    tcase_add_test(c, same_bytes_twice);
    tcase_add_test(c, odd_numbers);
    suite_add_tcase(s, c);
    c = tcase_create("refused");
    tcase_add_test(c, refused);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
