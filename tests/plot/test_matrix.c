// SPDX-License-Identifier: Apache-2.0
// Pictures of square tables: labels of any length are on the page and clear of the axis titles.
#include "plot/matrix.h"
#include "program.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

enum { COUNT = 2, BESIDE = 40 }; // so far from the page's edge an axis title may reach

/// How many letters stand beside the labels, where the axis title of the rows is; all letters have
/// to be on the page.
static int letters_beside(const char *const *labels) {
    static const double values[COUNT * COUNT] = {1, 0, 0, 1};
    static const int64_t numbers[COUNT * COUNT] = {1, 0, 0, 1};
    const evn__matrix matrix = {"title", "rows", "columns", "note", labels, COUNT, values, numbers};
    int beside = 0, letters = 0;
    TRY(evn__matrix_save(&matrix, test_folder(), "matrix"));
    char *svg = test_read("matrix.svg", NULL);
    double size = strtod(strstr(svg, "width=\"") + strlen("width=\""), NULL);
    for (const char *at = svg; (at = strstr(at, "<use ")); ++at, ++letters) {
        double x = strtod(strstr(at, " x=\"") + strlen(" x=\""), NULL);
        double y = strtod(strstr(at, " y=\"") + strlen(" y=\""), NULL);
        ck_assert_msg(x > 0 && x < size && y > 0 && y < size, "a letter at %g, %g", x, y);
        beside += x < BESIDE;
    }
    ck_assert_int_gt(letters, 20);
    free(svg);
    return beside;
}

START_TEST(labels_have_room) {
    static const char *const labels[][COUNT] = {
        {"grüne Quadrate", "rote Kreise"},
        {"WWWWWWWWWWWWW", "a name that is much longer than a label may be"},
        {"############", "分类名称分类名称分类名称分类名称分类名称"}};
    static const char *const two[COUNT] = {"a", "b"};
    int title = letters_beside(two);
    ck_assert_int_gt(title, 0);
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); ++i) {
        ck_assert_int_eq(letters_beside(labels[i]), title);
    }
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("matrix");
    test_add(s, tcase_create("labels"), labels_have_room);
    return s;
}

int main(void) {
    return test_run(suite());
}
