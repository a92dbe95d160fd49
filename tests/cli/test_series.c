// SPDX-License-Identifier: Apache-2.0
// A series through the program: from a file to values behind its end, and files that are refused.
#include "program.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// The files of the data sets' folder are where the program's source is.
static void copy_lynx_hare(void) {
    char path[1024];
    snprintf(path, sizeof(path), "%s/datasets/lynx_hare.csv", getenv("EVONODE_SOURCE"));
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file, "%s is missing", path);
    char text[4096];
    size_t size = fread(text, 1, sizeof(text), file);
    fclose(file);
    test_write("lynx hare.csv", text, size);
}

static const char LYNX_HARE[] = "series --data 'lynx hare.csv' --time year --holdout 0.24";

/// Rows of CSV under the heading; the time of the last one in *last.
static int count_rows(const char *csv, const char *heading, double *last) {
    int lines = 0;
    ck_assert_msg(strncmp(csv, heading, strlen(heading)) == 0, "%s", csv);
    for (csv += strlen(heading); *csv; csv = strchr(csv, '\n') + 1) {
        double values[3];
        ck_assert_int_eq(sscanf(csv, "%lf,%lf,%lf\n", &values[0], &values[1], &values[2]), 3);
        ck_assert(isfinite(values[1]) && isfinite(values[2]));
        *last = values[0];
        ++lines;
    }
    return lines;
}

static void check_run(const char *table) {
    json_t *summary = test_json("r/summary.json"), *run = test_json("r/run.json");
    ck_assert_double_eq_tol(
        test_row(table, "test RMSE hare") / test_number(summary, "test_rmse.hare"), 1, 1e-3);
    ck_assert_double_lt(test_number(summary, "train_error"), 0.3);
    const json_t *series = json_object_get(run, "series");
    const json_t *lynx = json_array_get(json_object_get(series, "columns"), 1);
    ck_assert_str_eq(json_string_value(json_object_get(lynx, "name")), "lynx");
    ck_assert_double_eq_tol(test_number(lynx, "mean"), 21.85, 0.001); // of sixteen years
    ck_assert_double_eq(test_number(series, "unit_of_time"), 8);
    json_decref(summary);
    json_decref(run);
}

START_TEST(from_a_file_to_a_forecast) {
    static const char *const pictures[] = {"fit-1", "fit-2", "phase", "loss"};
    double last;
    copy_lynx_hare();
    test_outcome result = test_program("", "train %s --out r --epochs 300", LYNX_HARE);
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.err, "21 rows of 2 quantities in 1 trajectory, 5 of them "
                                             "held out; 2 windows, solved at 9 times"));
    check_run(result.out);
    double error = test_row(result.out, "test error");
    for (int i = 0; i < 4; ++i) {
        char name[64];
        snprintf(name, sizeof(name), "r/%s.png", pictures[i]);
        ck_assert_msg(test_exists(name), "%s is missing", name);
        snprintf(name, sizeof(name), "r/%s.svg", pictures[i]);
        ck_assert_msg(test_exists(name), "%s is missing", name);
    }
    result = test_program("", "eval r");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_double_eq(test_row(result.out, "test error"), error);

    ck_assert_int_eq(count_rows(test_program("", "sample r").out, "year,hare,lynx\n", &last), 21);
    ck_assert(last == 1920);
    result = test_program("", "sample r --until 1926 --count 12 --out ahead.csv");
    ck_assert_msg(result.code == 0, "%s", result.err);
    char *csv = test_read("ahead.csv", NULL);
    ck_assert_int_eq(count_rows(csv, "year,hare,lynx\n", &last), 12);
    ck_assert(last == 1926);
    free(csv);
    test_write("at.csv", "n,year\n1,1910.5\n2,1900\n3,1923\n", 30);
    result = test_program("", "sample r --times at.csv");
    ck_assert_int_eq(count_rows(result.out, "year,hare,lynx\n", &last), 3);
    ck_assert(last == 1923);
}
END_TEST

/// f from a network file, and what does not fit the state.
START_TEST(networks) {
    static const char fits[] = "{\"blocks\": [{\"ode\": [{\"layer\": \"dense\", \"units\": 8}, "
                               "\"tanh\", {\"layer\": \"dense\", \"units\": 2}], "
                               "\"evolve\": \"linear\"}]}";
    char wrong[sizeof(fits)];
    copy_lynx_hare();
    test_write("net.json", fits, strlen(fits));
    test_outcome result =
        test_program("", "train %s --network net.json --epochs 20 --out r", LYNX_HARE);
    ck_assert_msg(result.code == 0, "%s", result.err);
    // Dense layers with biases; the matrices evolve by two numbers each; two starts.
    ck_assert_double_eq(test_row(result.out, "parameters"), 24 + 18 + 2 * (16 + 16) + 2 * 2);
    ck_assert_int_eq(test_program("", "eval r").code, 0);
    memcpy(wrong, fits, sizeof(fits));
    *strstr(wrong, "2}") = '3';
    test_write("wrong.json", wrong, strlen(wrong));
    test_fails_with(test_program("", "train %s --network wrong.json --out w", LYNX_HARE),
                    EVN_ERR_SHAPE, "wrong.json:1");
    ck_assert(!test_exists("w/model.safetensors"));
}
END_TEST

/// What was learnt belongs to the very rows.
START_TEST(other_data) {
    static const char rows[] = "t,x\n0,1\n1,2\n2,1\n3,2\n4,1\n",
                      more[] = "t,x\n0,1\n1,2\n2,1\n3,2\n4,2\n";
    test_write("s.csv", rows, strlen(rows));
    test_outcome result = test_program("", "train series --data s.csv --epochs 2 --out r");
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_t *run = test_json("r/run.json"); // one quantity alone has a column beside it
    ck_assert_double_eq(test_number(json_object_get(run, "options"), "extra"), 1);
    json_decref(run);
    test_write("s.csv", more, strlen(more));
    test_fails_with(test_program("", "eval r"), EVN_ERR_DATA, "not those that the run");
    test_fails_with(test_program("", "sample r --until 3"), EVN_ERR_USAGE, "goes on to 4");
    test_write("at.csv", "-1\n", 3);
    test_fails_with(test_program("", "sample r --times at.csv"), EVN_ERR_DATA, "begins at 0");
    test_fails_with(test_program("", "sample r --times none.csv"), EVN_ERR_FILE, "none.csv");
    test_fails_with(test_program("", "sample r --times at.csv --until 9"), EVN_ERR_USAGE, "both");
    test_write("at.csv", "1e9\n", 4);
    test_fails_with(test_program("", "sample r --times at.csv"), EVN_ERR_DATA, "times up to 30004");

    // Seconds since 1970, with all their digits.
    static const char seconds[] = "t,x\n1700000000.25,1\n1700000060.5,2\n1700000120,1\n";
    test_write("u.csv", seconds, strlen(seconds));
    result = test_program("", "train series --data u.csv --epochs 2 --out u");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(test_program("", "sample u").out, "\n1700000060.5,"));
}
END_TEST

/// Values need the run alone, wherever its data are; what stands in for them is checked.
static void check_without_data(void) {
    char path[TEST_PATH];
    size_t size;
    json_t *summary = test_json("g/summary.json");
    char *fit = strdup(test_program("", "sample g").out);
    double error = 0, a[3], b[3];
    char *data = test_read("g.csv", NULL);
    for (const char *row = data; (row = strchr(row, '\n')) && row[1]; ++row) {
        char name, at[32];
        ck_assert_int_eq(sscanf(row, "\n%c;%lf;%lf;%lf", &name, &a[0], &a[1], &a[2]), 4);
        snprintf(at, sizeof(at), "\n%c,%g,", name, a[0]);
        const char *found = strstr(fit, at);
        ck_assert_msg(found && sscanf(found + strlen(at), "%lf,%lf", &b[1], &b[2]) == 2, "%s", at);
        error += (a[1] - b[1]) * (a[1] - b[1]) / 40;
    }
    free(data);
    double train = test_number(summary, "train_rmse.x"), test = test_number(summary, "test_rmse.x");
    ck_assert_double_eq_tol(error, 0.75 * train * train + 0.25 * test * test, 1e-6);
    json_decref(summary);
    ck_assert_int_eq(unlink(test_path(path, "g.csv")), 0);
    ck_assert_str_eq(test_program("", "sample g").out, fit);
    free(fit);
    char *kept = test_read("g/series.safetensors", &size);
    strstr(kept + 8, "evonode series 1")[15] = '0';
    test_write("g/series.safetensors", kept, size);
    free(kept);
    test_fails_with(test_program("", "sample g"), EVN_ERR_FORMAT, "series.safetensors");
    ck_assert_int_eq(unlink(test_path(path, "g/series.safetensors")), 0);
    test_fails_with(test_program("", "sample g"), EVN_ERR_FILE, "series.safetensors");
}

/// Several trajectories; one of them is not trained on.
START_TEST(groups) {
    char text[4096];
    int at = snprintf(text, sizeof(text), "who;t;x;y\n");
    for (int i = 0; i < 40; ++i) {
        double t = i / 4 * 0.4 + i % 4 * 0.1;
        at += snprintf(text + at, sizeof(text) - (size_t)at, "%c;%g;%g;%g\n", 'a' + i % 4, t,
                       cos(t + i % 4), sin(t + i % 4));
    }
    test_write("g.csv", text, (size_t)at);
    test_outcome result =
        test_program("", "train series --data g.csv --group who --holdout-by "
                         "group --holdout 0.25 --model node --epochs 400 --out g");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.err, "4 trajectories, 10 of them held out"));
    ck_assert_double_lt(test_row(result.out, "test error"), 0.3);
    result = test_program("", "sample g --until 8 --count 3");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.out, "who,t,x,y\na,"));
    ck_assert_ptr_nonnull(strstr(result.out, "\nd,8,"));
    check_without_data();
}
END_TEST

START_TEST(refused) {
    static const char rows[] = "t,x\n0,1\n1,2\n2,1\n", back[] = "t,x\n0,1\n1,2\n1,1\n";
    test_write("s.csv", rows, strlen(rows));
    test_write("back.csv", back, strlen(back));
    static const struct {
        const char *words;
        evn_status status;
        const char *text;
    } wrong[] = {
        {"", EVN_ERR_USAGE, "--data FILE.csv"},
        {"--data none.csv", EVN_ERR_FILE, "none.csv"},
        {"--data back.csv", EVN_ERR_DATA, "back.csv, line 4"},
        {"--data s.csv --f mlp:", EVN_ERR_USAGE, "mlp:64,64"},
        {"--data s.csv --f mlp:8,", EVN_ERR_USAGE, "mlp:64,64"},
        {"--data s.csv --f mlp:8:cosh", EVN_ERR_USAGE, "mlp:64,64"},
        {"--data s.csv --f cnn", EVN_ERR_USAGE, "mlp:64,64"},
        {"--data s.csv --model resnet", EVN_ERR_USAGE, "node or node-ew"},
        {"--data s.csv --until held-out", EVN_ERR_USAGE, "held-out"},
        {"--data s.csv --time year", EVN_ERR_DATA, "it has t, x"},
        {"--data s.csv --holdout-by group", EVN_ERR_DATA, "--group"},
        {"--data s.csv --width 3", EVN_ERR_USAGE, "not for the task series"},
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); ++i) {
        test_fails_with(test_program("", "train series --out r %s", wrong[i].words),
                        wrong[i].status, wrong[i].text);
        ck_assert_msg(!test_exists("r"), "%s", wrong[i].words);
    }
    test_fails_with(test_program("", "train curve --window 3"), EVN_ERR_USAGE,
                    "not for the task curve");
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("series");
    TCase *c = tcase_create("forecast");
    tcase_add_test(c, from_a_file_to_a_forecast);
    suite_add_tcase(s, c);
    c = tcase_create("files");
    tcase_add_test(c, other_data);
    tcase_add_test(c, groups);
    suite_add_tcase(s, c);
    c = tcase_create("networks");
    tcase_add_test(c, networks);
    suite_add_tcase(s, c);
    c = tcase_create("refused");
    tcase_add_test(c, refused);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
