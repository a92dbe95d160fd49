// SPDX-License-Identifier: Apache-2.0
// evonode predict with tables: a series at times, a flow at rows. The answers are those of sample
// and density.
// TEST: timeout=600
#include "program.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void train(const char *words) {
    test_outcome result = test_program("", "train %s", words);
    ck_assert_msg(result.code == 0, "%s", result.err);
}

static test_outcome predict(const char *words) {
    test_outcome result = test_program("", "predict %s", words);
    ck_assert_msg(result.code == 0, "%s: %s", words, result.err);
    return result;
}

static void write_text(const char *name, const char *text) {
    test_write(name, text, strlen(text));
}

/// The numbers of a line of CSV behind `start`.
static void read_line(const char *csv, const char *start, double values[2]) {
    const char *line = strstr(csv, start);
    ck_assert_msg(line, "no %s in %s", start, csv);
    ck_assert_int_eq(sscanf(line + strlen(start), "%lf,%lf", &values[0], &values[1]), 2);
}

/// Two trajectories, a and "b, c".
static void make_series(void) {
    char text[2048];
    int at = snprintf(text, sizeof(text), "who;t;x;y\n");
    for (int i = 0; i < 24; ++i) {
        double t = i % 12 * 0.5;
        at += snprintf(text + at, sizeof(text) - (size_t)at, "%s;%g;%g;%g\n", i < 12 ? "a" : "b, c",
                       t, cos(t + i / 12), sin(t + i / 12));
    }
    test_write("s.csv", text, (size_t)at);
    train("series --data s.csv --group who --epochs 20 --out r");
}

/// Rows in their own order are what sample says of each trajectory at these times.
static void check_order(void) {
    double a[2], b[2], sampled[2];
    char path[TEST_PATH];
    write_text("at.csv", "t,n,who\n7.25,1,\"b, c\"\n0.25,2,a\n0.25,3,\"b, c\"\n");
    write_text("times.csv", "7.25\n0.25\n");
    ck_assert_int_eq(unlink(test_path(path, "s.csv")), 0); // the run alone is needed
    char *all = strdup(test_program("", "sample r --times times.csv").out);
    char *answers = strdup(predict("r at.csv").out);
    ck_assert_int_eq(strncmp(answers, "who,t,x,y\n\"b, c\",7.25,", 22), 0);
    const char *const starts[] = {"\"b, c\",7.25,", "\na,0.25,", "\"b, c\",0.25,"};
    for (int i = 0; i < 3; ++i) {
        read_line(answers, starts[i], a);
        read_line(all, starts[i], sampled);
        ck_assert_double_eq_tol(a[0], sampled[0], 1e-3);
        ck_assert_double_eq_tol(a[1], sampled[1], 1e-3);
    }
    ck_assert(strstr(answers, starts[0]) < strstr(answers, starts[1]));
    ck_assert_str_eq(predict("r times.csv").out, all);
    ck_assert_str_eq(predict("r - <at.csv").out, answers);
    json_t *line = json_loads(predict("r at.csv --json").out, JSON_DISABLE_EOF_CHECK, NULL);
    read_line(answers, starts[0], b);
    ck_assert_str_eq(json_string_value(json_object_get(line, "who")), "b, c");
    ck_assert_double_eq(test_number(line, "t"), 7.25);
    ck_assert_double_eq(test_number(line, "x"), b[0]);
    ck_assert_double_eq(test_number(line, "y"), b[1]);
    json_decref(line);
    free(all);
    free(answers);
}

START_TEST(series) {
    static const struct {
        const char *table;
        evn_status status;
        const char *text;
    } wrong[] = {
        {"who,t\na,1\nd,2\n", EVN_ERR_DATA,
         "line 3, column 'who': the run has no trajectory 'd'; "
         "it has a, b, c"},
        {"who,t\na,1\na,\n", EVN_ERR_DATA, "line 3, column 't': the time is missing"},
        {"who,t\na,soon\n", EVN_ERR_DATA, "soon"},
        {"who,time\na,1\n", EVN_ERR_DATA, "no column 't', the times of the run"},
        {"who,t\na,-1\n", EVN_ERR_DATA, "begins at 0"},
        {"who,t\na,1e9\n", EVN_ERR_DATA, "too far"},
        {"who,t\na,1,2\n", EVN_ERR_FORMAT, "line 2"},
        {"who,t\n", EVN_ERR_DATA, "row"},
        {"", EVN_ERR_FORMAT, "wrong.csv is empty"},
    };
    make_series();
    check_order();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); ++i) {
        write_text("wrong.csv", wrong[i].table);
        test_outcome result = test_program("", "predict r wrong.csv");
        test_fails_with(result, (int)wrong[i].status, wrong[i].text);
        ck_assert_str_eq(result.out, "");
    }
    test_fails_with(test_program("", "predict r none.csv"), EVN_ERR_FILE, "none.csv");
    test_fails_with(test_program("", "predict r"), EVN_ERR_USAGE, "predict r FILE.csv");
    test_fails_with(test_program("", "predict r at.csv at.csv"), EVN_ERR_USAGE, "one table");
    test_fails_with(test_program("", "predict r at.csv --top 2"), EVN_ERR_USAGE, "--top is for");
    test_fails_with(test_program("", "predict r --files-from at.csv"), EVN_ERR_USAGE,
                    "--files-from is for");
}
END_TEST

/// log p of given rows, in nats and in bits a dimension, as density says it.
static void check_rows(const char *run, int dimensions) {
    char *answers = strdup(test_program("", "predict %s p.csv", run).out);
    test_outcome result = test_program("", "predict %s - --json <p.csv", run);
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_t *line = json_loads(result.out, JSON_DISABLE_EOF_CHECK, NULL);
    json_t *density = json_loads(test_program("", "density %s p.csv --json", run).out, 0, NULL);
    double log_p = json_number_value(json_array_get(json_object_get(density, "log_p"), 0));
    double values[2];
    read_line(answers, "\n0.5,0.25,", values);
    ck_assert_double_eq(values[0], log_p);
    ck_assert_double_eq_tol(values[1], -log_p / log(2) / dimensions, 1e-7);
    ck_assert_double_eq(test_number(line, "log_p"), log_p);
    ck_assert_double_eq(test_number(line, "bits_per_dimension"), values[1]);
    ck_assert_double_eq(test_number(line, "y"), 0.25);
    json_decref(line);
    json_decref(density);
    free(answers);
}

START_TEST(rows) {
    char text[4096];
    int at = snprintf(text, sizeof(text), "x,y\n");
    for (int i = 0; i < 60; ++i) {
        at += snprintf(text + at, sizeof(text) - (size_t)at, "%g,%g\n", sin(i), cos(i * i));
    }
    test_write("d.csv", text, (size_t)at);
    write_text("p.csv", "y,n,x\n0.25,7,0.5\n-0.5,8,1\n");
    train("flow --data d.csv --epochs 10 --out own");
    train("flow --data moons --epochs 10 --out plane");
    check_rows("own", 2);
    check_rows("plane", 2);
    write_text("wrong.csv", "x,z\n1,2\n");
    test_fails_with(test_program("", "predict own wrong.csv"), EVN_ERR_DATA, "no column 'y'");
    write_text("wrong.csv", "x,y\n1,\n");
    test_fails_with(test_program("", "predict plane wrong.csv"), EVN_ERR_DATA, "line 2");
    test_fails_with(test_program("", "predict own - </dev/null"), EVN_ERR_FORMAT,
                    "standard input is empty");
    test_fails_with(test_program("", "predict own"), EVN_ERR_USAGE, "predict own FILE.csv");
    test_fails_with(test_program("", "predict own p.csv --skip-bad 1"), EVN_ERR_USAGE,
                    "--skip-bad is for");
}
END_TEST

/// The series that is built in, by both of its names: it begins at the curve itself.
START_TEST(curve) {
    double values[2];
    train("curve --width 8 --phase backprop:epochs=4 --out c");
    train("series --data curve --width 8 --phase backprop:epochs=4 --out s");
    write_text("at.csv", "t\n1.5\n0\n0.01\n");
    char *answers = strdup(predict("c at.csv").out);
    ck_assert_ptr_nonnull(strstr(answers, "t,x1,x2,x3\n1.5,"));
    ck_assert_ptr_nonnull(strstr(answers, "\n0,0,1,1\n"));
    ck_assert_str_eq(predict("s at.csv").out, answers);
    read_line(answers, "\n0.01,", values);
    char *fit = strdup(test_program("", "sample c").out);
    double fitted[2];
    read_line(fit, "\n0.01,", fitted);
    ck_assert_double_eq_tol(values[0], fitted[0], 1e-4);
    ck_assert_ptr_nonnull(strstr(fit, "\n1,"));
    free(answers);
    free(fit);
    test_fails_with(test_program("", "train curve --data no.csv --out n"), EVN_ERR_USAGE,
                    "train series --data no.csv");
    ck_assert(!test_exists("n"));
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("predict_tables");
    test_add(s, tcase_create("series"), series);
    test_add(s, tcase_create("rows"), rows);
    test_add(s, tcase_create("curve"), curve);
    return s;
}

int main(void) {
    return test_run(suite());
}
