// SPDX-License-Identifier: Apache-2.0
// evonode report: pages that load nothing and take no text for HTML.
#include "program.h"
#include "test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define SHORT "--filters 8 --limit 64 --phase backprop:steps=1,epochs=2,lr=0.1"

static void train(const char *out) {
    test_outcome result = test_program("", "train digits " SHORT " --out '%s'", out);
    ck_assert_msg(result.code == 0, "%s", result.err);
}

static int count_of(const char *page, const char *text) {
    int count = 0;
    for (const char *at = page; (at = strstr(at, text)); ++at) {
        ++count;
    }
    return count;
}

START_TEST(page) {
    train("a<b>&c");
    train("d");
    test_outcome result = test_program("", "report 'a<b>&c'");
    ck_assert_msg(result.code == 0, "%s", result.err);
    char *text = test_read("a<b>&c/report.html", NULL);
    ck_assert_int_eq(count_of(text, "<b>"), 0);
    ck_assert_int_gt(count_of(text, "a&lt;b&gt;&amp;c"), 1);
    ck_assert_int_eq(count_of(text, "name=\"viewport\""), 1);
    ck_assert_int_gt(count_of(text, "<figure class=\"chart\">"), 3);
    ck_assert_int_gt(count_of(text, ">epoch</text>"), 3);
    ck_assert_int_eq(count_of(text, "http"), 1); // Content-Security-Policy's http-equiv
    ck_assert_int_eq(count_of(text, "<script"), 0);
    ck_assert_int_eq(count_of(text, "<img"), 0);
    ck_assert_int_eq(count_of(text, "<table"), count_of(text, "</table>"));
    free(text);

    ck_assert_int_eq(test_program("", "eval d").code, 0);
    result = test_program("", "report 'a<b>&c' d --out -");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_int_eq(count_of(result.out, "src=\"data:image/png;base64,"), 2);
    ck_assert_int_eq(count_of(result.out, "class=\"confusion\""), 1);
    ck_assert_int_gt(count_of(result.out, "class=\"best\""), 3);
    ck_assert_ptr_nonnull(strstr(result.out, "Options that differ"));
    ck_assert_ptr_nonnull(strstr(result.out, "backprop:solver=euler,steps=1,"));
    ck_assert_ptr_null(strstr(result.out, "&quot;solver&quot;"));
    ck_assert_ptr_nonnull(strstr(result.out, "<span>--filters</span> <span>8</span>"));
}
END_TEST

START_TEST(tasks_that_iterate) {
    test_outcome result = test_program("", "train curve --width 8 --epochs 5 --out c");
    ck_assert_msg(result.code == 0, "%s", result.err);
    result = test_program("", "report c --out -");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_int_gt(count_of(result.out, ">iteration</text>"), 0);
    ck_assert_int_eq(count_of(result.out, ">epoch</text>"), 0);
}
END_TEST

START_TEST(refused) {
    test_fails_with(test_program("", "report nowhere"), EVN_ERR_FILE, "nowhere/run.json");
    test_fails_with(test_program("", "report"), EVN_ERR_USAGE, "needs a RUN");
    train("r");
    test_fails_with(test_program("", "report r --out nowhere/x.html"), EVN_ERR_OUTPUT, "nowhere");
    test_fails_with(test_program("", "report r --out r/metrics.csv"), EVN_ERR_OUTPUT,
                    "metrics.csv");
    size_t size;
    char *summary = test_read("r/summary.json", &size);
    test_write("r/run.json", summary, size);
    test_fails_with(test_program("", "report r"), EVN_ERR_FORMAT, "r/run.json describes no run");
    free(summary);
    // What a run's files have is taken for nothing but text and numbers.
    const char *run = "{\"format\": 1, \"task\": [1], \"options\": 3, \"command\": {\"a\": 1}}";
    const char *lines = "{\"epoch\": \"x\", \"train_loss\": 1}\n[]\n";
    char path[TEST_PATH];
    remove(test_path(path, "r/summary.json")); // which knows the lines
    test_write("r/run.json", run, strlen(run));
    test_write("r/metrics.jsonl", lines, strlen(lines));
    ck_assert_int_eq(test_program("", "report r").code, 0);
    test_fails_with(test_program("", "report r r/. --out x.html"), EVN_ERR_USAGE, "one run");
    test_write("r/run.json", "no", 2);
    test_fails_with(test_program("", "report r"), EVN_ERR_FORMAT, "r/run.json");
}
END_TEST

static int report_beside(const char *before, const char *words) {
    char command[4 * TEST_PATH];
    snprintf(command, sizeof(command), "cd '%s' && %s && '%s' %s", test_folder(), before,
             getenv("EVONODE_PROGRAM"), words);
    return system(command);
}

/// Nothing is written into the directory of a run that is trained; elsewhere its page can go.
START_TEST(beside_a_training) {
    pid_t process = test_program_start("", "train curve --width 8 --epochs 1000000 --out r");
    for (int i = 0; i < 12000 && !test_exists("r/metrics.csv"); ++i) {
        nanosleep(&(const struct timespec){0, 10000000}, NULL);
    }
    int inside = report_beside("true", "report r 2>said");
    int outside = report_beside("true", "report r --out x.html >printed");
    int printed = report_beside("cd r", "report . --out - >../printed");
    int linked =
        report_beside("touch r/page.html && ln -s r/page.html page", "report r --out page");
    kill(process, SIGTERM);
    test_fails_with(test_program_end(process), EVN_ERR_INTERRUPTED, "stopped");
    ck_assert_int_eq(WEXITSTATUS(inside), EVN_ERR_OUTPUT);
    ck_assert_int_eq(WEXITSTATUS(outside), 0);
    ck_assert_int_eq(WEXITSTATUS(printed), 0);
    ck_assert_int_eq(WEXITSTATUS(linked), EVN_ERR_OUTPUT);
    ck_assert(!test_exists("r/report.html"));
    ck_assert(test_exists("x.html"));
    char *said = test_read("said", NULL);
    ck_assert_msg(strstr(said, "another process is writing the run r"), "%s", said);
    ck_assert_msg(strstr(said, "--out FILE.html"), "%s", said);
    free(said);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("report");
    test_add(s, tcase_create("page"), page);
    test_add(s, tcase_create("iterations"), tasks_that_iterate);
    test_add(s, tcase_create("refused"), refused);
    test_add(s, tcase_create("beside"), beside_a_training);
    return s;
}

int main(void) {
    return test_run(suite());
}
