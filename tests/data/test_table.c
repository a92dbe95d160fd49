// SPDX-License-Identifier: Apache-2.0
// Tables as files have them: what is taken as it comes, and what is refused, with its place.
#include "base/status.h"
#include "data/csv_writer.h"
#include "data/table.h"
#include "program.h"
#include "sweep.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// A copy of exactly the text's bytes, so that ASan sees what is read beyond them.
static evn_status parse(const char *text, size_t size, evn__data_table **table) {
    unsigned char *exact = malloc(size > 0 ? size : 1);
    memcpy(exact, text, size);
    evn_status status = evn__data_table_parse("t.csv", exact, size, table);
    free(exact);
    return status;
}

static evn__data_table *table_of(const char *text) {
    evn__data_table *table;
    test_note(text);
    TRY(parse(text, strlen(text), &table));
    return table;
}

static void refuse(const char *text, evn_status status, const char *message) {
    evn__data_table *table;
    char begin[64];
    snprintf(begin, sizeof(begin), "%s", text);
    test_note(begin);
    ck_assert_int_eq(parse(text, strlen(text), &table), status);
    ck_assert_ptr_null(table);
    ck_assert_msg(strstr(evn_error_message(), message), "'%s' lacks '%s'", evn_error_message(),
                  message);
}

/// Two columns a and b with the rows (1.5, 2) and (−3, 40).
static void check_two(const char *text, bool header) {
    evn__data_table *t = table_of(text);
    ck_assert_int_eq(t->row_count, 2);
    ck_assert_int_eq(t->column_count, 2);
    ck_assert(t->has_header == header);
    ck_assert_str_eq(t->columns[0].name, header ? "a" : "x1");
    ck_assert_str_eq(t->columns[1].name, header ? "b" : "x2");
    ck_assert(t->columns[0].values[0] == 1.5 && t->columns[0].values[1] == -3);
    ck_assert(t->columns[1].values[0] == 2 && t->columns[1].values[1] == 40);
    ck_assert_int_eq(t->columns[0].numbers, 2);
    ck_assert(!t->columns[0].texts && t->columns[0].first_word == -1);
    evn__data_table_destroy(&t);
    ck_assert_ptr_null(t);
}

START_TEST(forms) {
    check_two("a,b\n1.5,2\n-3,40\n", true);
    check_two("a;b\n1.5;2\n-3;40", true);
    check_two("a\tb\r\n1.5\t2\r\n-3\t40\r\n", true);
    check_two("\xef\xbb\xbf"
              "a,b\r1.5,2\r-3,40\r",
              true);
    check_two("1.5,2\n-3,40", false);
    check_two("\n\na,b\n\n1.5,2\n   \n-3,40\n\n", true);
    check_two("a;b\n1,5;2\n-3;40\n", true);
    check_two("\"a\";\"b\"\n\"1,5\";2\n-3;4e1\n", true);
    check_two(" a , b \n 1.5 , +2 \n-3.0,40.", true);
    check_two("\"a\",\"b\"\n15e-1,.2e1\n\"-3\",\"40\"\n", true);
}
END_TEST

/// The decimal comma of a single column, which nothing parts.
START_TEST(one_column) {
    static const char *const texts[] = {"t\n1,5\n-3\n", "t\r\n\"1,5\"\r\n\"-3\"",
                                        "\"1,5\"\n\"-3,0\"\n", "t\n1.5\n-3\n"};
    for (int i = 0; i < 4; ++i) {
        evn__data_table *t = table_of(texts[i]);
        ck_assert_int_eq(t->column_count, 1);
        ck_assert_int_eq(t->row_count, 2);
        ck_assert(t->columns[0].values[0] == 1.5 && t->columns[0].values[1] == -3);
        evn__data_table_destroy(&t);
    }
    refuse("t\n1,5\n2.5\n", EVN_ERR_FORMAT, "decimal comma");
    refuse("t\n1;5\n", EVN_ERR_FORMAT, "line 2: the row has 2 cells");
}
END_TEST

/// Files with and without quotes go different ways.
START_TEST(both_ways_agree) {
    static const char *const texts[] = {"a,b,\n1, 2 ,\n\n3,4,", "a;b\r\n1;\r\n;x\r\n \r\n3;4 5",
                                        "a\tb\n1\t \n\t2", "a\n1\n2\n\n3", "a,b\r1,2\r\r3,4\r"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); ++i) {
        char quoted[128];
        snprintf(quoted, sizeof(quoted), "\"a\"%s", texts[i] + 1);
        evn__data_table *t = table_of(texts[i]), *q = table_of(quoted);
        ck_assert_int_eq(t->row_count, q->row_count);
        ck_assert_int_eq(t->column_count, q->column_count);
        for (int k = 0; k < t->column_count; ++k) {
            ck_assert_str_eq(t->columns[k].name, q->columns[k].name);
            ck_assert_int_eq(t->columns[k].missing, q->columns[k].missing);
            ck_assert(!t->columns[k].texts == !q->columns[k].texts);
            for (int64_t row = 0; row < t->row_count; ++row) {
                double a = t->columns[k].values[row], b = q->columns[k].values[row];
                ck_assert(a == b || (isnan(a) && isnan(b)));
                ck_assert_int_eq(t->lines[row], q->lines[row]);
                ck_assert(!t->columns[k].texts ||
                          strcmp(t->columns[k].texts[row], q->columns[k].texts[row]) == 0);
            }
        }
        evn__data_table_destroy(&t);
        evn__data_table_destroy(&q);
    }
}
END_TEST

START_TEST(names_and_words) {
    evn__data_table *t = table_of("kind,\"width, cm\",,note\n"
                                  "setosa,1,7,\"two\nlines\"\nsetosa,2,8,\nother,3,9,x\n");
    int columns[EVN__TABLE_COLUMNS_MAX], count;
    char label[EVN__TABLE_LABEL];
    ck_assert_int_eq(t->row_count, 3);
    ck_assert_int_eq(evn__data_table_find(t, "width, cm"), 1);
    ck_assert(!t->columns[2].named && strcmp(t->columns[2].name, "x3") == 0);
    ck_assert_int_eq(evn__data_table_find(t, "nothing"), -1);
    ck_assert_int_eq(t->lines[0], 2);
    ck_assert_int_eq(t->lines[1], 4); // the note took two
    ck_assert_str_eq(t->columns[0].texts[1], "setosa");
    ck_assert_str_eq(t->columns[3].texts[0], "two\nlines");
    ck_assert_int_eq(t->columns[3].missing, 1);
    ck_assert_int_eq(t->columns[3].first_missing, 1);
    ck_assert_str_eq(evn__data_table_label(t, 2, 0, label), "other");
    ck_assert_str_eq(evn__data_table_label(t, 2, 1, label), "3");
    TRY(evn__data_table_select(t, "--columns", "x3,\"width, cm\"", columns, &count));
    ck_assert(count == 2 && columns[0] == 2 && columns[1] == 1);
    ck_assert_int_eq(evn__data_table_select(t, "--columns", "x3,x3", columns, &count),
                     EVN_ERR_USAGE);
    ck_assert_int_eq(evn__data_table_select(t, "--columns", "height", columns, &count),
                     EVN_ERR_DATA);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "kind, width, cm, x3, note"));
    ck_assert_int_eq(evn__data_table_select(t, "--columns", " ", columns, &count), EVN_ERR_USAGE);
    ck_assert_int_eq(evn__data_table_select(t, "--columns", "z,y", columns, &count), EVN_ERR_DATA);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "no column 'z'")); // the first
    evn__data_table_destroy(&t);
}
END_TEST

/// Of many columns some are named; a quoted file is read piece by piece.
START_TEST(large_ones) {
    enum { COLUMNS = 100, LINES = 16000 };
    static char text[LINES * 64];
    int columns[EVN__TABLE_COLUMNS_MAX], count;
    size_t used = 0;
    for (int line = 0; line < 2; ++line) {
        for (int i = 0; i < COLUMNS; ++i) {
            used += (size_t)sprintf(text + used, line ? "%d%s" : "name%d%s", i,
                                    i + 1 < COLUMNS ? "," : "\n");
        }
    }
    evn__data_table *t = table_of(text);
    ck_assert_int_eq(evn__data_table_select(t, "--columns", "z", columns, &count), EVN_ERR_DATA);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "name1, name2"));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "\xe2\x80\xa6"));
    evn__data_table_destroy(&t);
    used = (size_t)sprintf(text, "a,b\n");
    for (int i = 0; i < LINES; ++i) {
        used +=
            (size_t)sprintf(text + used, "\"%d\",\"                              x%d\"\n", i, i);
    }
    t = table_of(text);
    ck_assert_int_eq(t->row_count, LINES);
    ck_assert(t->columns[0].values[LINES - 1] == LINES - 1);
    evn__data_table_destroy(&t);
    sprintf(text + used, "\"1\",\"2\",\"3\"\n\"4\"\n");
    refuse(text, EVN_ERR_FORMAT, "3 cells");
    memset(text, ' ', 3 << 18);
    memcpy(text, "a,b\n\"1\",\"2\",\"3\"\n", 16);
    text[3 << 18] = 0;
    refuse(text, EVN_ERR_FORMAT, "3 cells"); // in the first piece, and the others are not read
}
END_TEST

START_TEST(cells_that_are_missing) {
    evn__data_table *t = table_of("a,b\n1,\nNA,2\nnan,?\nNone,-\n5,6\n");
    ck_assert_int_eq(t->columns[0].missing, 3);
    ck_assert_int_eq(t->columns[0].first_missing, 1);
    ck_assert_int_eq(t->columns[1].missing, 3);
    ck_assert(isnan(t->columns[1].values[0]) && t->columns[1].values[4] == 6);
    ck_assert_int_eq(t->columns[0].words, 0);
    TRY(evn__data_table_check_numbers(t, 0));
    evn__data_table_destroy(&t);
}
END_TEST

START_TEST(words_among_numbers) {
    static const char *const words[] = {"seven", "inf", "-Infinity", "1e999", "0x10", "1,5", "1 2"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); ++i) {
        char text[64];
        snprintf(text, sizeof(text), "a,b\n1,2\n\"%s\",4\n", words[i]);
        evn__data_table *t = table_of(text);
        TRY(evn__data_table_check_numbers(t, 1));
        ck_assert_int_eq(evn__data_table_check_numbers(t, 0), EVN_ERR_DATA);
        snprintf(text, sizeof(text), "t.csv, line 3, column 'a': '%s'", words[i]);
        ck_assert_ptr_nonnull(strstr(evn_error_message(), text));
        ck_assert(isnan(t->columns[0].values[1]));
        evn__data_table_destroy(&t);
    }
}
END_TEST

START_TEST(what_is_no_table) {
    char many[3 * EVN__TABLE_CELL_MAX];
    refuse("", EVN_ERR_FORMAT, "is empty");
    refuse("\n \n", EVN_ERR_FORMAT, "is empty");
    refuse("a,b\n", EVN_ERR_DATA, "no row");
    refuse("a,b\n1,2\n3\n", EVN_ERR_FORMAT, "t.csv, line 3: the row has 1 cells, the first one 2");
    refuse("a,b\n\n\"1\",2\n3,4,5\n", EVN_ERR_FORMAT, "line 4: the row has 3 cells");
    refuse("1,2\n3\n", EVN_ERR_FORMAT, "line 2");
    refuse("a,b,a\n1,2,3\n", EVN_ERR_FORMAT, "two columns have the name 'a'");
    refuse("a,b\n1,2\n\"3,4\n", EVN_ERR_FORMAT, "not closed");
    refuse("a,b\n1,2\n\"3\"x,4\n", EVN_ERR_FORMAT, "line 3: a quote stands within a cell");
    refuse("a;b\n1,5;2.5\n", EVN_ERR_FORMAT, "decimal comma");
    refuse("a\xfc,b\n1,2\n", EVN_ERR_FORMAT, "UTF-8");
    memset(many, '1', sizeof(many));
    many[sizeof(many) - 1] = 0;
    memcpy(many, "\"", 1);
    refuse(many, EVN_ERR_FORMAT, "line 1: a cell has more than");
    memcpy(many, "1\n\"", 3);
    refuse(many, EVN_ERR_FORMAT, "line 2: a cell has more than");
    memset(many, ',', sizeof(many) - 1);
    refuse(many, EVN_ERR_FORMAT, "columns");
    evn__data_table *t;
    ck_assert_int_eq(parse("a\0,\0b\0", 6, &t), EVN_ERR_FORMAT);
    ck_assert_int_eq(evn__data_table_read("/nowhere/t.csv", &t), EVN_ERR_FILE);
    ck_assert_ptr_null(t);
}
END_TEST

/// Every prefix of a file is a table or refused, and each byte may be any other.
START_TEST(any_bytes) {
    static const char text[] = "a;\"b\nc\";d\n1,5;x;\n2;\"y\"\"z\";-3e4\r\n\n7;;8\n";
    char changed[sizeof(text)];
    evn__data_table *t;
    for (size_t size = 0; size < sizeof(text); ++size) {
        parse(text, size, &t);
        evn__data_table_destroy(&t);
    }
    for (size_t at = 0; at < sizeof(text) - 1; ++at) {
        for (int byte = 0; byte < 256; ++byte) {
            memcpy(changed, text, sizeof(text));
            changed[at] = (char)byte;
            parse(changed, sizeof(text) - 1, &t);
            evn__data_table_destroy(&t);
        }
    }
}
END_TEST

START_TEST(what_is_written_is_read) {
    static const char *const names[] = {"plain", "a,b", "say \"x\"", " spaced", "two\nlines"};
    enum { COLUMNS = sizeof(names) / sizeof(names[0]) };
    const double values[COLUMNS] = {0.1f, -1e-30f, NAN, 16777217, 3.4028235e38f};
    evn__csv_writer writer = {0};
    for (int i = 0; i < COLUMNS; ++i) {
        evn__csv_put_text(&writer, names[i]);
    }
    evn__csv_end_row(&writer);
    for (int i = 0; i < COLUMNS; ++i) {
        evn__csv_put_number(&writer, values[i]);
    }
    evn__csv_end_row(&writer);
    TRY(writer.text.status);
    evn__data_table *t;
    ck_assert_int_eq(parse(writer.text.data, writer.text.size, &t), EVN_ERR_FORMAT);
    char *lines = strstr(writer.text.data, "two\n"); // names are of one line
    lines[3] = ' ';
    TRY(parse(writer.text.data, writer.text.size, &t));
    ck_assert_int_eq(t->row_count, 1);
    for (int i = 0; i < COLUMNS; ++i) {
        ck_assert(i == 4 || strcmp(t->columns[i].name, names[i]) == 0);
        ck_assert(isnan(values[i]) || (float)t->columns[i].values[0] == (float)values[i]);
    }
    ck_assert(isnan(t->columns[2].values[0]));
    evn__data_table_destroy(&t);
    free(writer.text.data);
}
END_TEST

// Faults ------------------------------------------------------------------------------------------

enum { ROWS = 600 }; // more than there is room for at first

static evn_status check_rows(const evn__data_table *table) {
    EVN_CHECK(table->row_count == ROWS, EVN_ERR_INTERNAL, "%lld rows", (long long)table->row_count);
    for (int i = 0; i < ROWS; ++i) {
        char word[16];
        snprintf(word, sizeof(word), "word %d", i % 7);
        EVN_CHECK(table->columns[0].values[i] == i && table->columns[2].values[i] == 0.5 &&
                      strcmp(table->columns[1].texts[i], word) == 0,
                  EVN_ERR_INTERNAL, "row %d is another", i);
    }
    return EVN_OK;
}

static evn_status read_table(void) {
    evn__data_table *table = NULL;
    int columns[EVN__TABLE_COLUMNS_MAX], count;
    evn_status status = evn__data_table_read("t.csv", &table);
    if (status == EVN_OK) {
        status = evn__data_table_select(table, "--columns", "a,b", columns, &count);
    }
    status = status == EVN_OK ? check_rows(table) : status;
    evn__data_table_destroy(&table);
    return status;
}

START_TEST(faults) {
    static const test_deed deed = {.name = "table", .run = read_table};
    char text[1 << 14] = "a;kind;b\n";
    test_sweep_begin();
    ck_assert_int_eq(chdir(test_folder()), 0);
    for (int i = 0; i < ROWS; ++i) {
        snprintf(text + strlen(text), 32, "%d;word %d;0,5\n", i, i % 7);
    }
    test_write("t.csv", text, strlen(text));
    test_sweep(&deed);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("table");
    TCase *c = tcase_create("read");
    tcase_add_test(c, forms);
    tcase_add_test(c, one_column);
    tcase_add_test(c, both_ways_agree);
    tcase_add_test(c, names_and_words);
    tcase_add_test(c, cells_that_are_missing);
    tcase_add_test(c, large_ones);
    suite_add_tcase(s, c);
    c = tcase_create("refused");
    tcase_add_test(c, words_among_numbers);
    tcase_add_test(c, what_is_no_table);
    tcase_add_test(c, any_bytes);
    suite_add_tcase(s, c);
    c = tcase_create("written");
    tcase_add_test(c, what_is_written_is_read);
    suite_add_tcase(s, c);
    test_add(s, tcase_create("faults"), faults);
    return s;
}

int main(void) {
    return test_run(suite());
}
