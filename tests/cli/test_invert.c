// SPDX-License-Identifier: Apache-2.0
// evonode invert on small runs: what is recovered, and what cannot be run backwards.
#include "program.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

static const char SMALL[] = "--filters 8 --batch 32 --limit 128";

typedef struct row {
    int forward, backward;
    double x, theta, pixels;
} row;

/// The line of the table that begins with `name`.
static row read_row(const char *table, const char *name) {
    row r = {0};
    const char *at = strstr(table, name);
    ck_assert_msg(at, "no %s in %s", name, table);
    int found = sscanf(at + strlen(name), "%d %d %lf %lf %lf", &r.forward, &r.backward, &r.x,
                       &r.theta, &r.pixels);
    ck_assert_msg(found == 5, "%s has %d numbers in %s", name, found, table);
    return r;
}

static void train(const char *options) {
    test_outcome result = test_program("", "train digits %s %s", options, SMALL);
    ck_assert_msg(result.code == 0, "%s", result.err);
}

START_TEST(errors_fall_with_the_tolerance) {
    train("--out a --phase backprop:steps=4,epochs=4,lr=0.1");
    test_outcome result = test_program("", "invert a");
    ck_assert_msg(result.code == 0, "%s", result.err);
    row rough = read_row(result.out, "dopri5 at 1e-2"), fine = read_row(result.out, "at 1e-5");
    row euler = read_row(result.out, "Euler, 4 steps"), given = read_row(result.out, "x(0) itself");
    ck_assert(fine.forward > rough.forward && fine.backward > rough.backward);
    ck_assert_msg(fine.x > 0 && fine.x < rough.x / 30, "%g, %g", fine.x, rough.x);
    ck_assert_msg(fine.theta > 0 && fine.theta < 1e-3, "%g", fine.theta);
    ck_assert_int_eq(euler.forward, 4);
    ck_assert_msg(euler.x > 10 * fine.x, "Euler's %g against %g", euler.x, fine.x);
    row reversible = read_row(result.out, "reversible, 4");
    ck_assert_msg(reversible.x <= 1e-5 && reversible.theta <= 1e-5, "%g, %g", reversible.x,
                  reversible.theta);
    ck_assert_msg(given.x == 0 && given.pixels > 0 && given.pixels < 0.5, "%g", given.pixels);
    ck_assert_msg(fine.pixels < 0.5, "%g", fine.pixels); // all black would be 1
    ck_assert(test_exists("a/invert.png") && test_exists("a/invert.svg"));
    ck_assert(test_exists("a/invert-errors.png") && test_exists("a/invert-errors.svg"));
}
END_TEST

/// What rounding leaves does not grow with the steps.
START_TEST(many_steps_are_undone) {
    train("--out m --phase backprop:steps=4,epochs=1,lr=0.1 "
          "--phase checkpointed:steps=400,epochs=1,lr=0.01");
    test_outcome result = test_program("", "invert m");
    ck_assert_msg(result.code == 0, "%s", result.err);
    row reversible = read_row(result.out, "reversible, 400");
    ck_assert_int_eq(reversible.forward, 1600);
    ck_assert_msg(reversible.x <= 1e-5 && reversible.theta <= 1e-5, "%g, %g", reversible.x,
                  reversible.theta);
}
END_TEST

START_TEST(constant_weights_have_no_error) {
    train("--out n --model node --phase adjoint:epochs=1,rtol=1e-2,atol=1e-2,lr=0.05");
    test_outcome result = test_program("", "invert n");
    ck_assert_msg(result.code == 0, "%s", result.err);
    row rough = read_row(result.out, "dopri5 at 1e-2"), fine = read_row(result.out, "at 1e-5");
    ck_assert_msg(fine.x > 0 && fine.x < rough.x / 10, "%g, %g", fine.x, rough.x);
    ck_assert(fine.theta == 0);
    read_row(result.out, "Euler, 10 steps");
}
END_TEST

START_TEST(what_cannot_be_inverted) {
    test_fails_with(test_program("", "invert nowhere"), EVN_ERR_FILE, "nowhere");
    test_fails_with(test_program("", "invert"), EVN_ERR_USAGE, "needs a RUN");
    test_fails_with(test_program("", "invert r --steps 3"), EVN_ERR_USAGE,
                    "unknown option --steps");
    train("--out r --model resnet --layers 2 --phase backprop:epochs=1");
    test_fails_with(test_program("", "invert r"), EVN_ERR_ARGUMENT, "take a run of node");
    test_outcome result = test_program(
        "", "train curve --out c --width 8 --phase backprop:steps=100,epochs=2 --optimizer adam");
    ck_assert_msg(result.code == 0, "%s", result.err);
    test_fails_with(test_program("", "invert c"), EVN_ERR_ARGUMENT, "take a run on digits");
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("invert");
    TCase *c = tcase_create("invert");
    tcase_add_test(c, errors_fall_with_the_tolerance);
    tcase_add_test(c, constant_weights_have_no_error);
    suite_add_tcase(s, c);
    c = tcase_create("many_steps");
    tcase_add_test(c, many_steps_are_undone);
    suite_add_tcase(s, c);
    c = tcase_create("refused");
    tcase_add_test(c, what_cannot_be_inverted);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
