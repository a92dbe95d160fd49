// SPDX-License-Identifier: Apache-2.0
// Pictures of arrays: the colours of the scale's ends, one rectangle for equal neighbours.
#include "plot/tiles.h"
#include "program.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const row[] = {"row"}, *const column[] = {"column"};

static char *drawn(const double *values, int height, int width, evn__palette palette) {
    const evn__tile tile = {values, height, width, -1, 1};
    const evn__tiles tiles = {"title", &tile,   1,     1,       row,   column,
                              "note",  palette, "low", "scale", "high"};
    TRY(evn__tiles_save(&tiles, test_folder(), "tiles"));
    ck_assert(test_exists("tiles.png"));
    return test_read("tiles.svg", NULL);
}

static int count(const char *text, const char *word) {
    int found = 0;
    for (; (text = strstr(text, word)); ++text) {
        ++found;
    }
    return found;
}

static int filled(const double *values, int height, int width) {
    char *text = drawn(values, height, width, EVN__PALETTE_GREY);
    int shapes = count(text, "<path");
    free(text);
    return shapes;
}

START_TEST(equal_neighbours_are_one_rectangle) {
    static const double same[] = {1, 1, 1, 1}, mixed[] = {1, -1, 1, -1}, odd[] = {1, NAN, 1, NAN};
    int one = filled(same, 1, 4);
    ck_assert_int_eq(filled(same, 2, 2), one + 1); // a rectangle a row
    ck_assert_int_eq(filled(mixed, 1, 4), one + 3);
    ck_assert_int_eq(filled(odd, 1, 4), one + 1); // what is not finite is left out
}
END_TEST

static int blacks(const double *values) {
    char *text = drawn(values, 1, 4, EVN__PALETTE_GREY);
    int found = count(text, "rgb(0%,0%,0%)");
    free(text);
    return found;
}

/// Black is the scale's lower end: in the scale itself, and for each value at or below it.
START_TEST(ends_of_the_scale) {
    static const double above[] = {5, 5, 0, 0}, some[] = {-1, 5, 0, -7};
    ck_assert_int_gt(blacks(above), 0);
    ck_assert_int_eq(blacks(some), 3 * blacks(above));
}
END_TEST

/// Height of the page of rows × columns tiles.
static int height_of(int rows, int columns) {
    enum { MAX_COUNT = 36 };
    static const double value = 0;
    const char *labels[MAX_COUNT];
    evn__tile tiles[MAX_COUNT];
    for (int i = 0; i < MAX_COUNT; ++i) {
        labels[i] = "label";
        tiles[i] = (evn__tile){&value, 1, 1, -1, 1};
    }
    const evn__tiles picture = {"title",           tiles, rows,    columns, labels, labels, "note",
                                EVN__PALETTE_GREY, "low", "scale", "high"};
    TRY(evn__tiles_save(&picture, test_folder(), "page"));
    char *text = test_read("page.svg", NULL);
    const char *found = strstr(text, " height=\"");
    ck_assert_ptr_nonnull(found);
    int height = atoi(found + strlen(" height=\""));
    free(text);
    return height;
}

START_TEST(a_strip_has_a_low_page) {
    int full = height_of(6, 6), strip = height_of(1, 6);
    ck_assert_int_eq(height_of(1, 1), full);
    ck_assert_int_gt(height_of(2, 6), strip + 50);
    ck_assert_int_lt(strip, full / 2 + 1);
    ck_assert_int_gt(strip, full / 3);
}
END_TEST

START_TEST(many_values_are_no_svg) {
    static double values[EVN__TILES_SVG_CELLS + 1];
    const evn__tile most = {values, 1, EVN__TILES_SVG_CELLS, -1, 1};
    const evn__tile more = {values, 1, EVN__TILES_SVG_CELLS + 1, -1, 1};
    evn__tiles tiles = {"title",           &most, 1,       1,     row, column, "note",
                        EVN__PALETTE_GREY, "low", "scale", "high"};
    TRY(evn__tiles_save(&tiles, test_folder(), "most"));
    tiles.tiles = &more;
    TRY(evn__tiles_save(&tiles, test_folder(), "more"));
    ck_assert(test_exists("most.png") && test_exists("most.svg"));
    ck_assert(test_exists("more.png") && !test_exists("more.svg"));
}
END_TEST

START_TEST(refused) {
    const evn__tiles none = {.title = "t", .note = ""};
    ck_assert_int_eq(evn__tiles_save(&none, test_folder(), "none"), EVN_ERR_ARGUMENT);
    ck_assert(!test_exists("none.png"));
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("tiles");
    TCase *c = tcase_create("tiles");
    tcase_add_test(c, equal_neighbours_are_one_rectangle);
    tcase_add_test(c, ends_of_the_scale);
    tcase_add_test(c, a_strip_has_a_low_page);
    tcase_add_test(c, many_values_are_no_svg);
    tcase_add_test(c, refused);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
