// SPDX-License-Identifier: Apache-2.0
// A flow on columns of a CSV file through the program: training, samples and densities in the
// user's units and by the user's names, without the file; what is refused, and what is left behind.
#include "base/number.h"
#include "program.h"
#include "test.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char SHORT[] = "--phase backprop:solver=rk4,steps=4,epochs=60,lr=0.02,until=held-out";

static void put_file(const char *name, const char *text) {
    char path[TEST_PATH];
    FILE *file = fopen(test_path(path, "%s", name), "wb");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

/// Rows of `columns` columns, two of which are related and in very different units.
static void put_points(const char *name, const char *head, int columns, int rows, int wrong_row,
                       const char *wrong) {
    char path[TEST_PATH];
    double u[2];
    FILE *file = fopen(test_path(path, "%s", name), "wb");
    ck_assert_ptr_nonnull(file);
    fputs(head, file);
    for (int i = 0; i < rows; ++i) {
        for (int k = 0; k < columns; ++k) {
            char number[64];
            test_uniform((uint64_t)(i * columns + k + 1), -1, 1, u, 2);
            evn__print(number, sizeof(number), "%.6f", k == 1 ? 1e4 + 50 * (u[0] + u[1]) : u[0]);
            fprintf(file, "%s%s", k > 0 ? "," : "", i == wrong_row && k == 1 ? wrong : number);
        }
        fputs("\n", file);
    }
    fclose(file);
}

static double number_after(const char *text, const char *key) {
    const char *at = strstr(text, key);
    char *end;
    ck_assert_msg(at, "'%s' is not in %s", key, text);
    return evn__read_real(at + strlen(key), &end);
}

/// Density of two columns, summed over a grid that has practically all of it.
static double integral(const char *run) {
    enum { SIDE = 60 };
    char path[TEST_PATH];
    double sum = 0, low[] = {-3, 9700}, extent[] = {6, 600};
    FILE *file = fopen(test_path(path, "grid.csv"), "wb");
    ck_assert_ptr_nonnull(file);
    fputs("pressure;depth, m\n", file); // in another order, with another delimiter
    for (int i = 0; i < SIDE * SIDE; ++i) {
        char row[96];
        evn__print(row, sizeof(row), "%.9g;%.9g\n", low[1] + extent[1] * (i / SIDE + 0.5) / SIDE,
                   low[0] + extent[0] * (i % SIDE + 0.5) / SIDE);
        fputs(row, file);
    }
    fclose(file);
    test_outcome result = test_program("", "density %s grid.csv --json", run);
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_t *answer = json_loads(result.out, 0, NULL);
    const json_t *log_p = json_object_get(answer, "log_p");
    ck_assert_uint_eq(json_array_size(log_p), SIDE * SIDE);
    for (int i = 0; i < SIDE * SIDE; ++i) {
        sum += exp(json_number_value(json_array_get(log_p, (size_t)i)));
    }
    json_decref(answer);
    return sum * extent[0] * extent[1] / (SIDE * SIDE);
}

START_TEST(train_sample_density) {
    char path[TEST_PATH];
    put_points("data.csv", "\"depth, m\",pressure\n", 2, 300, 7, "NA");
    test_outcome result =
        test_program("", "train flow --data data.csv --out r --skip-bad 1 --holdout 0.2 %s", SHORT);
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.err, "299 rows of 2 columns, 60 of them held out"));
    ck_assert_ptr_nonnull(strstr(result.err, "1 row left out"));
    json_t *summary = test_json("r/summary.json");
    double nll = test_number(summary, "test_nll");
    ck_assert_double_eq_tol(test_number(summary, "test_bits"), nll / (2 * log(2)), 1e-9);
    ck_assert_double_gt(test_number(summary, "train_nll"), log(2 * 100)); // a bound of its density
    ck_assert(nll > log(200) && nll < log(200) + 0.9);
    json_decref(summary);
    static const char *const pictures[] = {"loss", "samples-1-2", "density"};
    for (int i = 0; i < 3; ++i) {
        char name[64];
        snprintf(name, sizeof(name), "r/%s.png", pictures[i]);
        ck_assert_msg(test_exists(name), "%s", name);
    }
    result = test_program("", "eval r");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_double_eq_tol(test_row(result.out, "test NLL"), nll, 2e-3);
    ck_assert_int_eq(unlink(test_path(path, "data.csv")), 0); // what follows needs no data

    result = test_program("", "sample r --count 5 --out s.csv");
    ck_assert_msg(result.code == 0, "%s", result.err);
    char *samples = test_read("s.csv", NULL);
    ck_assert_int_eq(strncmp(samples, "\"depth, m\",pressure,log_p\n", 26), 0);
    result = test_program("", "density r s.csv");
    ck_assert_msg(result.code == 0, "%s", result.err);
    const char *at = samples, *answer = result.out;
    for (int i = 0; i < 5; ++i) { // the same rows, and the same density but for the solver's error
        at = strchr(at, '\n') + 1;
        answer = strchr(answer, '\n') + 1;
        double pressure = number_after(at, ",");
        ck_assert(fabs(pressure - 1e4) < 300);
        ck_assert_double_eq_tol(number_after(answer, ","), pressure, 1e-3);
        double log_p = number_after(strchr(at, ',') + 1, ",");
        ck_assert_double_eq_tol(number_after(strchr(answer, ',') + 1, ","), log_p, 1e-2);
    }
    free(samples);
    ck_assert_double_eq_tol(integral("r"), 1, 0.01);
    test_fails_with(test_program("", "eval r"), EVN_ERR_FILE, "data.csv");
}
END_TEST

START_TEST(one_column_and_many) {
    put_points("one.csv", "", 1, 100, -1, "");
    test_outcome result = test_program("", "train flow --data one.csv --out one %s", SHORT);
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert(test_exists("one/samples.png"));
    result = test_program("", "sample one --count 1");
    ck_assert_int_eq(strncmp(result.out, "x1,log_p\n", 9), 0);
    put_points("many.csv", "", 24, 20, -1, ""); // more columns than rows
    result = test_program("", "train flow --data many.csv --out many %s", SHORT);
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert(test_exists("many/samples-3-4.png"));
    result = test_program("", "density many many.csv --json --out answer.json");
    ck_assert_msg(result.code == 0, "%s", result.err);
    char *answer = test_read("answer.json", NULL);
    ck_assert(isfinite(number_after(answer, "\"bits_per_dimension\": ")));
    free(answer);
}
END_TEST

/// A run that is stopped has its columns, and goes on with the rows that it began with alone.
START_TEST(a_run_that_is_stopped) {
    const struct timespec pause = {.tv_nsec = 20000000};
    put_points("data.csv", "a,b,c\n", 3, 80, -1, "");
    pid_t process = test_program_start(
        "", "train flow --data data.csv --out part "
            "--phase backprop:solver=rk4,steps=2,epochs=100000,lr=0.02,until=held-out");
    for (int i = 0; i < 3000 && !test_exists("part/checkpoint.safetensors"); ++i) {
        nanosleep(&pause, NULL);
    }
    kill(process, SIGTERM);
    test_outcome result = test_program_end(process);
    ck_assert_msg(result.code == EVN_ERR_INTERRUPTED, "%d: %s", result.code, result.err);
    result = test_program("", "sample part --count 2");
    ck_assert_msg(result.code == 0, "%s", result.err);
    put_points("data.csv", "a,b,c\n", 3, 81, -1, "");
    test_fails_with(test_program("", "resume part"), EVN_ERR_DATA, "not those that the run began");
}
END_TEST

static void refuse(const char *text, const char *options, int code, const char *message) {
    put_file("bad.csv", text);
    test_note(text);
    test_fails_with(test_program("", "train flow --data bad.csv --out bad %s", options), code,
                    message);
    ck_assert_msg(!test_exists("bad"), "a folder is left");
}

START_TEST(what_does_not_fit_is_refused) {
    refuse("", "", EVN_ERR_FORMAT, "is empty");
    refuse("a,b\n", "", EVN_ERR_DATA, "no row");
    refuse("a,b\n1,2\n3\n", "", EVN_ERR_FORMAT, "bad.csv, line 3");
    refuse("a,b\n1,2\nx,3\n4,5\n", "", EVN_ERR_DATA, "line 3, column 'a': 'x'");
    refuse("a,b\n1,2\ninf,3\n4,5\n", "", EVN_ERR_DATA, "line 3, column 'a': 'inf'");
    refuse("a,b\n1,2\nNaN,3\n4,5\n", "", EVN_ERR_DATA, "line 3, column 'a': the value is missing");
    refuse("a,b\n1,2\n,3\n,5\n", "--skip-bad 1", EVN_ERR_DATA, "line 4");
    refuse("a,b\n1,2\n1,3\n1,5\n1,7\n", "", EVN_ERR_DATA, "'a' is constant");
    refuse("a,b\n1,2\n2,4\n3,6\n4,8\n5,10\n", "", EVN_ERR_DATA, "'b' is a sum of multiples");
    refuse("a,b\n1,2\n3,1\n", "--columns a,c", EVN_ERR_DATA, "no column 'c'");
    refuse("a,b\n1,x\n2,y\n", "--columns b", EVN_ERR_DATA, "the column 'b' has words, such as 'x'");
    refuse("a,b\nx,y\n", "", EVN_ERR_DATA, "no column of numbers");
    refuse("a;b\n1,5;2.5\n", "", EVN_ERR_FORMAT, "decimal comma");
    refuse("1\n2\n", "", EVN_ERR_DATA, "there is 1 row to train on");
    char wide[2 * 129 * 2 + 1];
    for (int i = 0; i < 2 * 129; ++i) {
        wide[2 * i] = (char)('1' + i % 7);
        wide[2 * i + 1] = i % 129 == 128 ? '\n' : ',';
    }
    wide[sizeof(wide) - 1] = 0;
    refuse(wide, "", EVN_ERR_DATA, "129 columns of numbers, and 128");
    test_fails_with(test_program("", "train flow --data none.csv"), EVN_ERR_FILE, "none.csv");
    test_fails_with(test_program("", "train flow --data moons --columns x"), EVN_ERR_USAGE,
                    "--columns");
    test_fails_with(test_program("", "train flow --data bad.csv --model resnet"), EVN_ERR_USAGE,
                    "no model 'resnet'");
    test_fails_with(test_program("", "density nowhere"), EVN_ERR_USAGE, "one file");
    test_fails_with(test_program("", "density nowhere bad.csv"), EVN_ERR_FILE, "nowhere");
    ck_assert(!test_exists("runs"));
}
END_TEST

START_TEST(densities_in_the_plane) {
    test_outcome result = test_program(
        "", "train flow --data moons --out m --phase backprop:solver=rk4,steps=2,epochs=3");
    ck_assert_msg(result.code == 0, "%s", result.err);
    put_file("two.csv", "y,x,other\n0.5,1,z\n-1,0,z\n");
    result = test_program("", "density m two.csv");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_int_eq(strncmp(result.out, "x,y,log_p\n1,0.5,-", 17), 0);
    put_file("two.csv", "x\n1\n");
    test_fails_with(test_program("", "density m two.csv"), EVN_ERR_DATA, "no column 'y'");
    put_file("two.csv", "x,y\n1,\n");
    test_fails_with(test_program("", "density m two.csv"), EVN_ERR_DATA, "line 2, column 'y'");
    put_file("two.csv", "x,y\n1e300,1\n");
    test_fails_with(test_program("", "density m two.csv"), EVN_ERR_NOT_FINITE, "row 1");
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("points");
    TCase *c = tcase_create("run");
    tcase_add_test(c, train_sample_density);
    suite_add_tcase(s, c);
    c = tcase_create("sizes");
    tcase_add_test(c, one_column_and_many);
    suite_add_tcase(s, c);
    c = tcase_create("stopped");
    tcase_add_test(c, a_run_that_is_stopped);
    suite_add_tcase(s, c);
    c = tcase_create("refused");
    tcase_add_test(c, what_does_not_fit_is_refused);
    suite_add_tcase(s, c);
    c = tcase_create("plane");
    tcase_add_test(c, densities_in_the_plane);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
