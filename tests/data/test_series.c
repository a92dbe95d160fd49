// SPDX-License-Identifier: Apache-2.0
// Series from CSV files: columns, trajectories, what is held out, windows, and what is refused.
#include "data/series.h"
#include "program.h"
#include "sweep.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static evn_status read_text(const char *text, const evn__series_options *options,
                            evn__time_series **series) {
    char path[TEST_PATH];
    test_write("s.csv", text, strlen(text));
    return evn__series_read(test_path(path, "s.csv"), options, series);
}

static evn__time_series *series_of(const char *text, evn__series_options options) {
    evn__time_series *series = NULL;
    TRY(read_text(text, &options, &series));
    return series;
}

// What is read ------------------------------------------------------------------------------------

START_TEST(columns) {
    static const char *const texts[] = {
        "a,t,b\n1,0,5\n2,1,6\n4,3,7\n",                 // by its name
        "time;a;b\n0;1;5\n1;2;6\n3;4;7\n",              // semicolons
        "t\ta\tb\r\n0\t1\t5\r\n1\t2\t6\r\n3\t4\t7\r\n", // tabs, CRLF
        "\xef\xbb\xbft,a,b\n0,1,5\n1,2,6\n3,4,7\n",     // a byte-order mark
        "t;a;b\n0,0;1,0;5\n1;2;6\n3;4;7,0\n",           // decimal commas
        "0,1,5\n1,2,6\n3,4,7\n",                        // no header
    };
    evn__time_series *s = series_of(texts[_i], (evn__series_options){0});
    ck_assert_int_eq(s->rows, 3);
    ck_assert_int_eq(s->dimensions, 2);
    ck_assert_int_eq(s->track_count, 1);
    ck_assert(s->t[0] == 0 && s->t[1] == 1 && s->t[2] == 3);
    ck_assert(s->values[0] == 1 && s->values[1] == 5 && s->values[4] == 4 && s->values[5] == 7);
    ck_assert_str_eq(s->names[0], _i == 5 ? "x2" : "a");
    evn__series_destroy(&s);
}
END_TEST

/// The times are the first column that is not the group, or "t" and "time" wherever they are.
START_TEST(time_behind_the_group) {
    static const char *const texts[] = {"Ort;Jahr;x\nUlm;3;5\nUlm;4;6\nBonn;1;7\nBonn;2;8\n",
                                        "Ort,x,Time\nUlm,5,3\nUlm,6,4\nBonn,7,1\nBonn,8,2\n"};
    evn__time_series *s = series_of(texts[_i], (evn__series_options){.group = "Ort"});
    ck_assert_str_eq(s->time_name, _i == 0 ? "Jahr" : "Time");
    ck_assert_int_eq(s->track_count, 2);
    ck_assert_int_eq(s->dimensions, 1);
    ck_assert(s->t[0] == 1 && s->values[0] == 7 && s->t[3] == 4 && s->values[3] == 6);
    evn__series_destroy(&s);
}
END_TEST

/// Columns that are named, in the order in which they are; what is missing, and a row without
/// anything.
START_TEST(named_and_missing) {
    const evn__series_options options = {.time = "year", .columns = "b,a"};
    evn__time_series *s =
        series_of("note,year,a,b\nx,0,1,\ny,1,,NaN\nz,2,3,8\nu,3,NA,10\n", options);
    ck_assert_int_eq(s->rows, 3);
    ck_assert_str_eq(s->names[0], "b");
    ck_assert_str_eq(s->time_name, "year");
    ck_assert(isnan(s->values[0]) && s->values[1] == 1 && s->values[2] == 8);
    ck_assert(s->values[4] == 10 && isnan(s->values[5]));
    ck_assert_double_eq_tol(s->mean[0], 9, 1e-12);
    ck_assert_double_eq_tol(s->deviation[0], 1, 1e-12);
    double scaled[2];
    evn__series_scaled(s, 0, 0, true, scaled); // b begins with what comes first
    ck_assert_double_eq_tol(scaled[0], -1, 1e-12);
    ck_assert_double_eq_tol(scaled[1], -1, 1e-12);
    evn__series_scaled(s, 0, 0, false, scaled);
    ck_assert(isnan(scaled[0]));
    evn__series_destroy(&s);
}
END_TEST

/// Groups that are mixed, each with times of its own.
START_TEST(groups) {
    const evn__series_options options = {.group = "who"};
    evn__time_series *s = series_of("t,x,who\n0,1,b\n5,7,a\n1,2,b\n6,8,a\n9,9,a\n", options);
    ck_assert_int_eq(s->track_count, 2);
    ck_assert_str_eq(s->tracks[0].name, "a");
    ck_assert_int_eq(s->tracks[0].count, 3);
    ck_assert(s->t[0] == 5 && s->t[1] == 6 && s->t[2] == 9 && s->t[3] == 0);
    ck_assert_int_eq(s->window_count, 2);
    ck_assert(s->unit == 4);
    ck_assert_int_eq(s->time_count, 3); // 0, 1/4, 1: the second one's is among them
    ck_assert_int_eq(s->continues[0], -1);
    evn__series_destroy(&s);
}
END_TEST

// Parts -------------------------------------------------------------------------------------------

static const char ten[] = "t,x\n0,0\n1,1\n2,2\n3,3\n4,4\n5,5\n6,6\n7,7\n8,8\n9,90\n";

START_TEST(held_out_by_time) {
    evn__time_series *s = series_of(ten, (evn__series_options){.holdout = 0.3, .window = 2});
    ck_assert_int_eq(s->tracks[0].trained, 7);
    ck_assert_double_eq_tol(s->mean[0], 3, 1e-12); // of what is trained on
    ck_assert_int_eq(s->window_count, 3);
    for (int i = 0; i < 3; ++i) {
        ck_assert_int_eq(s->windows[i].first, 2 * i);
        ck_assert_int_eq(s->windows[i].last, 2 * i + 2);
        ck_assert_int_eq(s->continues[i], i < 2 ? 2 : -1);
    }
    ck_assert(s->unit == 2 && s->time_count == 3 && s->times[1] == 0.5 && s->times[2] == 1);
    evn__series_destroy(&s);
    s = series_of(ten, (evn__series_options){.holdout = 0.001});
    ck_assert_int_eq(s->tracks[0].trained, 9); // one at least
    ck_assert_int_eq(s->window_count, 1);
    evn__series_destroy(&s);
    s = series_of(ten, (evn__series_options){.holdout = 0.999});
    ck_assert_int_eq(s->tracks[0].trained, 2);
    evn__series_destroy(&s);
}
END_TEST

START_TEST(held_out_by_group) {
    static const char text[] = "g,t,x\na,0,1\na,1,2\nb,0,3\nb,1,4\nc,0,5\nc,1,6\nd,0,7\nd,1,8\n";
    int held[5] = {0};
    for (uint64_t seed = 0; seed < 20; ++seed) {
        evn__time_series *s = series_of(
            text,
            (evn__series_options){.group = "g", .holdout = 0.5, .by_group = true, .seed = seed});
        int count = 0;
        for (int i = 0; i < 4; ++i) {
            ck_assert(s->tracks[i].trained == 0 || s->tracks[i].trained == 2);
            ck_assert_int_eq(s->tracks[i].windows, s->tracks[i].trained > 0);
            count += s->tracks[i].trained == 0;
            held[i] += s->tracks[i].trained == 0;
        }
        ck_assert_int_eq(count, 2);
        ck_assert_int_eq(s->window_count, 2);
        evn__series_destroy(&s);
    }
    for (int i = 0; i < 4; ++i) {
        ck_assert(held[i] > 2 && held[i] < 18);
    }
}
END_TEST

/// Between values that are known, before the first, behind the last, where one is and where none.
START_TEST(values_between) {
    static const char text[] = "g,t,x,y\n1,0,,4\n1,1,2,\n1,3,,7\n1,4,8,\n1,5,,9\n"
                               "2,0,,1\n2,1,,3\n3,0,0,3\n3,1,4,5\n";
    static const double right[][2] = {{2, 4}, {2, 5}, {6, 7}, {8, 8}, {8, 9}};
    evn__time_series *s = series_of(text, (evn__series_options){.group = "\"g\""});
    for (int row = 0; row < 5; ++row) {
        double values[2];
        evn__series_scaled(s, 0, row, true, values);
        for (int k = 0; k < 2; ++k) {
            ck_assert_double_eq_tol(values[k] * s->deviation[k] + s->mean[k], right[row][k], 1e-9);
        }
    }
    double none[2];
    evn__series_scaled(s, 1, 5, true, none);
    ck_assert(none[0] == 0); // the mean: the track has no x
    evn__series_scaled(s, 1, 5, false, none);
    ck_assert(isnan(none[0]));
    evn__series_destroy(&s);
    s = series_of(text, (evn__series_options){.group = "g", .by_group = true}); // none is held out
    ck_assert_int_eq(s->tracks[0].trained, 5);
    evn__series_destroy(&s);
    s = series_of("g,t,x,y\n1,0,,1\n1,1,3,2\n2,0,,3\n2,1,5,4\n1,2,4,9\n2,2,7,1\n",
                  (evn__series_options){.group = "g", .by_group = true, .holdout = 0.5});
    int held = s->tracks[0].trained > 0;
    double first[2];
    evn__series_scaled(s, held, s->tracks[held].first, true, first);
    ck_assert_double_eq_tol(first[0] * s->deviation[0] + s->mean[0], held ? 5 : 3, 1e-9);
    evn__series_destroy(&s);
}
END_TEST

// The source --------------------------------------------------------------------------------------

/// Irregular times, in windows: each value is where it was observed, and nowhere else.
START_TEST(batches) {
    enum { TIMES = 5 };
    evn__time_series *s =
        series_of("t,x,y\n0,1,\n1,2,5\n4,3,6\n6,4,7\n7,,8\n", (evn__series_options){.window = 2});
    evn_source source;
    const evn_batch batch = {.part = EVN_TRAIN};
    float samples[2][2], targets[2][TIMES][2], weights[2];
    int64_t filled;
    TRY(evn__source_series(s, &source));
    evn_source_info info = source.methods->info(source.self);
    ck_assert_int_eq(info.batch, 2);
    ck_assert_int_eq(info.target.dim[0], TIMES);
    ck_assert(s->unit == 4);
    TRY(source.methods->fill(source.self, &batch, samples[0], targets[0][0], weights, &filled));
    ck_assert_int_eq(filled, 2);
    // Of x and y; the row between two windows is in both.
    static const bool seen[2][TIMES][2] = {{{1, 0}, {1, 1}, {0, 0}, {0, 0}, {1, 1}},
                                           {{1, 1}, {0, 0}, {1, 1}, {0, 1}, {0, 0}}};
    for (int i = 0; i < TIMES; ++i) {
        ck_assert_double_eq_tol(s->times[i], 0.25 * i, 1e-12);
        for (int k = 0; k < 4; ++k) {
            ck_assert_int_eq(!isnan(targets[k / 2][i][k % 2]), seen[k / 2][i][k % 2]);
        }
    }
    ck_assert_double_eq_tol(s->mean[1] + s->deviation[1] * targets[1][3][1], 8, 1e-5);
    ck_assert_double_eq_tol(s->mean[0] + s->deviation[0] * samples[1][0], 3, 1e-5);
    ck_assert_double_eq_tol(s->mean[1] + s->deviation[1] * samples[0][1], 5, 1e-5); // the next one
    evn__series_destroy(&s);
}
END_TEST

// What is kept ------------------------------------------------------------------------------------

START_TEST(outline) {
    static const char *const names[] = {"x", "y"}, *const tracks[] = {"a", "b"};
    static const double t[] = {0, 1, 3, 4, 0, 2, 5}, mean[] = {1, 10}, deviation[] = {2, 5};
    double rows[] = {4, 3, 3, 0}, starts[] = {0.5, -1, 2, 0};
    const evn__series_outline kept = {"t", NULL, names, tracks, 2,    2,
                                      7,   t,    rows,  starts, mean, deviation};
    evn__time_series *s,
        *read = series_of("g,t,x,y\na,0,1,0\na,1,1,2\na,3,3,1\na,4,5,1\n",
                          (evn__series_options){.group = "g", .holdout = 0.25, .window = 1});
    TRY(evn__series_recall(&kept, 1, &s));
    ck_assert_int_eq(s->window_count, 2); // of three rows; what is held out has none
    ck_assert(s->unit == 2 && s->time_count == read->time_count);
    ck_assert_mem_eq(s->times, read->times, sizeof(double) * (size_t)s->time_count);
    ck_assert_mem_eq(s->continues, read->continues, 2 * sizeof(int));
    ck_assert(s->values[0] == 2 && s->values[1] == 5 && s->values[8] == 5 && s->values[9] == 10);
    ck_assert(isnan(s->values[2]) && s->tracks[1].first == 4 && s->tracks[1].windows == 0);
    evn__series_destroy(&read);
    evn__series_destroy(&s);
    static const double wrong[][4] = {{4, 0, 3, 0}, {4, 1, 3, 3}, {5, 3, 2, 2},
                                      {4, 4, 2, 2}, {4, 3, 4, 2}, {4, 5, 3, 0}};
    for (int i = 0; i < 6; ++i) {
        memcpy(rows, wrong[i], sizeof(rows));
        ck_assert_msg(evn__series_recall(&kept, 1, &s) == EVN_ERR_DATA, "rows %d", i);
        ck_assert_ptr_null(s);
    }
}
END_TEST

// What is refused ---------------------------------------------------------------------------------

START_TEST(refused) {
    static const struct {
        const char *text;
        evn__series_options options;
        evn_status status;
        const char *says, *where;
    } wrong[] = {
        {"t,x\n0,1\n2,2\n1,3\n", {0}, EVN_ERR_DATA, "goes back", "line 4"},
        {"t,x\n0,1\n2,2\n2,3\n", {0}, EVN_ERR_DATA, "is that of line 3", "line 4"},
        {"t,x\n0,1\n1,abc\n", {0}, EVN_ERR_DATA, "abc", "line 3"},
        {"t,x\n0,1\n1,inf\n2,1\n", {0}, EVN_ERR_DATA, "inf", "line 3"},
        {"t,x\n0,1\n,2\n", {0}, EVN_ERR_DATA, "time", "line 3"},
        {"t,x\n0,1\n1,2,3\n", {0}, EVN_ERR_FORMAT, "s.csv", "line 3"},
        {"t,x\n", {0}, EVN_ERR_DATA, "s.csv", ""},
        {"", {0}, EVN_ERR_FORMAT, "empty", "s.csv"},
        {"t\n0\n1\n", {0}, EVN_ERR_DATA, "too few columns", "s.csv"},
        {"t,x\n0,1\n", {0}, EVN_ERR_DATA, "one row", "s.csv, line 2"},
        {"t,x\n0,\n1,\n", {0}, EVN_ERR_DATA, "no row with a value", "s.csv"},
        {"t,x,y\n0,1,\n1,2,\n2,3,4\n3,4,5\n", {.holdout = 0.5}, EVN_ERR_DATA, "column y", "s.csv"},
        {"t,x,y\n0,1,7\n1,2,7\n2,3,8\n", {.holdout = 0.3}, EVN_ERR_DATA, "y is constant (7)", ""},
        {"t,x\n0,1\n1,2\n", {.time = "year"}, EVN_ERR_DATA, "year", "--time"},
        {"t,x\n0,1\n1,2\n", {.columns = "x,z"}, EVN_ERR_DATA, "z", "--columns"},
        {"t,x\n0,1\n1,2\n", {.columns = "t"}, EVN_ERR_USAGE, "the time", ""},
        {"t,x\n0,1\n1,2\n", {.time = "t", .group = "t"}, EVN_ERR_USAGE, "same column", ""},
        {"t,x\n0,1\n1,2\n", {.group = "t"}, EVN_ERR_DATA, "too few columns", "s.csv"},
        {"day,x\n2024-01-31,1\n2024-02-01,2\n", {0}, EVN_ERR_DATA, "is a date", "line 2"},
        {"day,x\n31.1.2024,1\n", {.time = "day"}, EVN_ERR_DATA, "is a date", "column day"},
        {"where,t1,x\nUlm,0,1\nUlm,1,2\n", {0}, EVN_ERR_DATA, "column where was", "--group"},
        {"day,x\n2024-01/31,1\n", {0}, EVN_ERR_DATA, "2024-01/31", "column day was"},
        {"day,x\n2024x01x31,1\n", {0}, EVN_ERR_DATA, "2024x01x31", "column day was"},
        {"t,x\n0,1\n1,2\n", {.time = "t,x"}, EVN_ERR_USAGE, "should be one column", "--time"},
        {"t,x\n0,1\n1,2\n", {.group = "who"}, EVN_ERR_DATA, "who", "--group"},
        {"who\na\nb\n", {.group = "who"}, EVN_ERR_DATA, "too few columns", "s.csv"},
        {"a,x\nsoon,1\n", {.time = "a"}, EVN_ERR_DATA, "'soon'", "column 'a'"},
        {"t,x,g\n0,1,a\n1,2,a\n0,1,b\n", {.group = "g"}, EVN_ERR_DATA, "trajectory b", "line 4"},
        {"t,x\n0,1\n1,2\n2,2\n",
         {.holdout = 0.3, .by_group = true},
         EVN_ERR_DATA,
         "one trajectory",
         "s.csv"},
    };
    evn__time_series *series = NULL;
    ck_assert_int_lt(_i, (int)(sizeof(wrong) / sizeof(wrong[0])));
    evn_status status = read_text(wrong[_i].text, &wrong[_i].options, &series);
    ck_assert_msg(status == wrong[_i].status, "%s: %s", evn_status_name(status),
                  evn_error_message());
    ck_assert_msg(strstr(evn_error_message(), wrong[_i].says) &&
                      strstr(evn_error_message(), wrong[_i].where),
                  "%s", evn_error_message());
    printf("%s\n", evn_error_message());
    ck_assert_ptr_null(series);
}
END_TEST

// Faults ------------------------------------------------------------------------------------------

static const char *group; ///< of words, or of numbers

static evn_status read_series(void) {
    evn__time_series *series = NULL;
    const evn__series_options options = {.time = "t",
                                         .columns = "x,y",
                                         .group = group,
                                         .by_group = group[0] == 'n',
                                         .holdout = 0.3,
                                         .window = 2,
                                         .seed = 1};
    evn_status status = evn__series_read("s.csv", &options, &series);
    evn__series_destroy(&series);
    return status;
}

START_TEST(faults) {
    static const test_deed deed = {.name = "series", .run = read_series};
    static const char text[] = "t,x,y,g,n\n0,1,2,a,1\n1,2,3,a,1\n2,2,4,a,1\n3,1,5,a,1\n"
                               "0,5,6,b,2\n1,4,,b,2\n2,3,2,b,2\n3,3,1,b,2\n";
    test_sweep_begin();
    ck_assert_int_eq(chdir(test_folder()), 0);
    test_write("s.csv", text, sizeof(text) - 1);
    group = "g";
    test_sweep(&deed);
    group = "n";
    test_sweep(&deed);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("data/series");
    TCase *files = tcase_create("files");
    tcase_add_loop_test(files, columns, 0, 6);
    tcase_add_loop_test(files, time_behind_the_group, 0, 2);
    tcase_add_test(files, named_and_missing);
    tcase_add_test(files, groups);
    suite_add_tcase(s, files);
    TCase *parts = tcase_create("parts");
    tcase_add_test(parts, held_out_by_time);
    tcase_add_test(parts, held_out_by_group);
    tcase_add_test(parts, values_between);
    tcase_add_test(parts, batches);
    tcase_add_test(parts, outline);
    suite_add_tcase(s, parts);
    TCase *mistakes = tcase_create("mistakes");
    tcase_add_loop_test(mistakes, refused, 0, 29);
    suite_add_tcase(s, mistakes);
    test_add(s, tcase_create("faults"), faults);
    return s;
}

int main(void) {
    return test_run(suite());
}
