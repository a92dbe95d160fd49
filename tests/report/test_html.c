// SPDX-License-Identifier: Apache-2.0
#include "report/chart.h"
#include "report/html.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void expect(evn__text *html, const char *text) {
    TRY(html->status);
    ck_assert_str_eq(html->data, text);
    free(html->data);
    *html = (evn__text){0};
}

START_TEST(texts) {
    evn__text html = {0};
    evn__html_text(&html, "<b>\"1\" & 'ß'</b>\x01\xff");
    expect(&html, "&lt;b&gt;&quot;1&quot; &amp; &#39;ß&#39;&lt;/b&gt;\\x01\\xff");
    evn__html_number(&html, 0.12345, "fraction");
    expect(&html, "12.35 %");
    evn__html_number(&html, 3 << 20, "bytes");
    expect(&html, "3 MiB");
    evn__html_number(&html, NAN, "s");
    expect(&html, "–");
    json_t *value = json_pack("[i, s]", 1, "<");
    evn__html_value(&html, value);
    expect(&html, "[1, &quot;&lt;&quot;]");
    json_decref(value);
}
END_TEST

START_TEST(base64) {
    static unsigned char long_one[5000];
    evn__text html = {0};
    evn__html_base64(&html, (const unsigned char *)"light w", 7);
    expect(&html, "bGlnaHQgdw==");
    evn__html_base64(&html, (const unsigned char *)"light wo", 8);
    expect(&html, "bGlnaHQgd28=");
    evn__html_base64(&html, (const unsigned char *)"light wor", 9);
    expect(&html, "bGlnaHQgd29y");
    evn__html_base64(&html, long_one, sizeof(long_one));
    ck_assert_uint_eq(html.size, (sizeof(long_one) + 2) / 3 * 4);
    ck_assert_uint_eq(strspn(html.data, "A"), html.size - 1);
    free(html.data);
}
END_TEST

/// The last number of the x axis stands at its end and has to be in the picture as a whole.
START_TEST(last_number_is_within) {
    static const double x[] = {1, 1000000}, y[] = {1, 2};
    evn__text html = {0};
    evn__chart_line line = {.label = "a", .x = x, .y = y, .count = 2};
    evn__chart chart = {.title = "loss", .x_label = "epoch", .lines = &line, .count = 1};
    evn__chart_put(&chart, &html);
    TRY(html.status);
    const char *last = strstr(html.data, ">1e+06</text>");
    ck_assert_ptr_nonnull(last);
    while (strncmp(last, "<text x=\"", 9) != 0) {
        --last;
    }
    ck_assert_double_le(strtod(last + 9, NULL), 360 - 5 * 6.5 / 2);
    free(html.data);
}
END_TEST

START_TEST(charts) {
    static const double x[] = {1, 2, 3, 4}, y[] = {0.5, NAN, 0.25, 0.125},
                        large[] = {1, 10, 100, 1e3};
    evn__text html = {0};
    evn__chart_line line = {.label = "a < b", .x = x, .y = y, .count = 4};
    evn__chart chart = {.title = "loss", .x_label = "epoch", .lines = &line, .count = 1};
    evn__chart_put(&chart, &html);
    ck_assert_ptr_nonnull(strstr(html.data, "a &lt; b"));
    ck_assert_ptr_nonnull(strstr(html.data, ">0.5</text>"));
    ck_assert_ptr_null(strstr(html.data, "nan"));
    free(html.data);
    html = (evn__text){0};
    line.y = large;
    evn__chart_put(&chart, &html);
    ck_assert_ptr_nonnull(strstr(html.data, ">1000</text>")); // by decades
    ck_assert_ptr_null(strstr(html.data, ">500</text>"));
    free(html.data);
    html = (evn__text){0};
    line.count = 1;
    evn__chart_put(&chart, &html);
    ck_assert_ptr_null(html.data);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("html");
    test_add(s, tcase_create("texts"), texts);
    test_add(s, tcase_create("base64"), base64);
    test_add(s, tcase_create("charts"), charts);
    test_add(s, tcase_create("axis"), last_number_is_within);
    return s;
}

int main(void) {
    return test_run(suite());
}
