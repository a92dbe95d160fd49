// SPDX-License-Identifier: Apache-2.0
// What is typed wrongly is refused with exit code 2 and a hint, before any device is touched.
#include "evonode/version.h"
#include "program.h"
#include "test.h"

#include <string.h>

START_TEST(help) {
    const char *const words[] = {"--help", "train --help", "eval -h", "sample -h",
                                 "devices --help"};
    const char *const expected[] = {"Exit codes:", "--phase NAME", "--rtol X", "--count N",
                                    "--json"};
    for (int i = 0; i < 5; ++i) {
        test_outcome result = test_program("", "%s", words[i]);
        ck_assert_int_eq(result.code, 0);
        ck_assert_msg(strstr(result.out, expected[i]), "%s lacks %s", words[i], expected[i]);
        ck_assert_str_eq(result.err, "");
    }
    test_outcome version = test_program("", "--version");
    ck_assert_int_eq(version.code, 0);
    ck_assert_str_eq(version.out, "evonode " EVN_VERSION_STRING "\n");
}
END_TEST

START_TEST(every_exit_code_is_listed) {
    test_outcome result = test_program("", "--help");
    for (int status = EVN_OK; status <= EVN_ERR_INTERRUPTED; ++status) {
        ck_assert_ptr_nonnull(strstr(result.out, evn_status_text((evn_status)status)));
    }
}
END_TEST

START_TEST(unknown_words) {
    test_fails_with(test_program("", " "), EVN_ERR_USAGE, "evonode train digits");
    test_fails_with(test_program("", "trian digits"), EVN_ERR_USAGE, "did you mean train?");
    test_fails_with(
        test_program("", "xyzzy"), EVN_ERR_USAGE,
        "devices, describe, train, resume, eval, predict, depth, invert, gradcheck, sample, "
        "density, export, compress, compare, "
        "report, tune, selftest or bench");
    test_fails_with(test_program("", "train"), EVN_ERR_USAGE, "train needs a TASK");
    test_fails_with(test_program("", "train cifar"), EVN_ERR_USAGE,
                    "digits, mnist, images, series, curve or flow");
    test_fails_with(test_program("", "train digits mnist"), EVN_ERR_USAGE, "unexpected argument");
    test_fails_with(test_program("", "train digits --epoch 3"), EVN_ERR_USAGE, "--epochs?");
    test_fails_with(test_program("", "train digits --epoch=3"), EVN_ERR_USAGE, "--epochs?");
    test_fails_with(test_program("", "devices --seed 3"), EVN_ERR_USAGE, "unknown option --seed");
    test_fails_with(test_program("", "predict run --until 3"), EVN_ERR_USAGE,
                    "predict does not have it; it is one of: train, sample");
    test_fails_with(test_program("", "train digits -e 3"), EVN_ERR_USAGE, "two dashes");
    test_fails_with(test_program("", "devices --json=yes"), EVN_ERR_USAGE, "takes no value");
    test_fails_with(test_program("", "train digits --seed"), EVN_ERR_USAGE, "needs a value");
}
END_TEST

START_TEST(wrong_values) {
    test_fails_with(test_program("", "train digits --epochs=some"), EVN_ERR_USAGE, "whole number");
    test_fails_with(test_program("", "train digits --epochs -1"), EVN_ERR_USAGE, "from 0");
    test_fails_with(test_program("", "train digits --epochs 1.5"), EVN_ERR_USAGE, "whole number");
    test_fails_with(test_program("", "train digits --seed 99999999999999999999"), EVN_ERR_USAGE,
                    "whole number");
    // 2⁵³ + 1, the first whole number that JSON's readers may take for another.
    test_fails_with(test_program("", "train digits --seed 9007199254740993"), EVN_ERR_USAGE,
                    "from 0 to 9007199254740991");
    test_fails_with(test_program("", "train digits --lr nan"), EVN_ERR_USAGE, "a number from");
    test_fails_with(test_program("", "train digits --lr -1"), EVN_ERR_USAGE, "a number from");
    test_fails_with(test_program("", "train digits --model cnn"), EVN_ERR_USAGE,
                    "resnet, node, node-ew or hypernet");
    test_fails_with(test_program("", "train digits --weights none"), EVN_ERR_USAGE, "rda");
    test_fails_with(test_program("", "train digits --weights splines --basis 3"), EVN_ERR_USAGE,
                    "splines takes 4 to 64 functions");
    test_fails_with(test_program("", "train digits --weights rda --basis 3"), EVN_ERR_USAGE,
                    "--weights fourier and its like, not with rda");
    test_fails_with(test_program("", "train flow --basis 3"), EVN_ERR_USAGE, "not with none");
    test_fails_with(test_program("", "train digits --weights steps --basis 3"), EVN_ERR_USAGE,
                    "the phase backprop takes 10 steps; give --steps 3 or --basis 10");
    test_fails_with(test_program("", "train digits --solver magic"), EVN_ERR_USAGE, "dopri5");
    test_fails_with(test_program("", "train digits --solver tsit"), EVN_ERR_USAGE,
                    "did you mean tsit5?");
    test_fails_with(test_program("", "train digits --controller pd"), EVN_ERR_USAGE,
                    "should be i, pi or pid");
    test_fails_with(test_program("", "train digits --norm l2"), EVN_ERR_USAGE, "rms");
    test_fails_with(test_program("", "train digits --safety 2"), EVN_ERR_USAGE, "a number from");
    test_fails_with(test_program("", "train digits --min-factor 1"), EVN_ERR_USAGE,
                    "a number from");
    test_fails_with(test_program("", "train digits --max-factor 1"), EVN_ERR_USAGE,
                    "a number from");
    test_fails_with(test_program("", "train digits --dt-min -1"), EVN_ERR_USAGE, "a number from");
    test_fails_with(test_program("", "train digits --phase adjoint:dt-min=1,dt-max=0.5"),
                    EVN_ERR_ARGUMENT, "is not longer than dt_min");
    test_fails_with(test_program("", "train digits --phase adjoint:rtol=1e-9"), EVN_ERR_ARGUMENT,
                    "less than the rounding of single precision");
    test_fails_with(test_program("", "train digits --out ''"), EVN_ERR_USAGE, "empty");
    test_fails_with(test_program("", "train digits --preset paper"), EVN_ERR_USAGE,
                    "digits has no preset paper (tasks that have it: mnist, curve, flow)");
    test_fails_with(test_program("", "train mnist --preset long"), EVN_ERR_USAGE,
                    "mnist has no preset long (tasks that have it: flow)");
}
END_TEST

START_TEST(wrong_phases) {
    test_fails_with(test_program("", "train digits --phase forward"), EVN_ERR_USAGE,
                    "backprop, checkpointed, adjoint, reversible or adjoint-quadrature");
    test_fails_with(test_program("", "train digits --phase backprop:steps"), EVN_ERR_USAGE,
                    "not key=value");
    test_fails_with(test_program("", "train digits --phase backprop:per-sample=1"), EVN_ERR_USAGE,
                    "takes no value");
    test_fails_with(test_program("", "train digits --per-sample"), EVN_ERR_ARGUMENT,
                    "per_sample is of adaptive steps");
    test_fails_with(test_program("", "train digits --phase adjoint:per-sample"), EVN_ERR_ARGUMENT,
                    "no gradient 'adjoint' along steps of each sample's own");
    test_fails_with(test_program("", "train digits --phase adjoint:weight-terms=8,weight-steps=8"),
                    EVN_ERR_ARGUMENT, "leave one of them out");
    test_fails_with(test_program("", "train digits --phase backprop:speed=3"), EVN_ERR_USAGE,
                    "has no key 'speed'");
    test_fails_with(test_program("", "train curve --phase checkpointed:checkpoints=64MX"),
                    EVN_ERR_USAGE, "or memory, such as 64MB");
    test_fails_with(test_program("", "train curve --phase checkpointed:checkpoints=0MB"),
                    EVN_ERR_USAGE, "checkpoints is '0MB'");
    test_fails_with(test_program("", "train digits --phase backprop:steps=0"), EVN_ERR_USAGE,
                    "cannot choose its steps");
    test_fails_with(test_program("", "train digits --phase reversible:solver=dopri5,steps=0"),
                    EVN_ERR_USAGE, "needs equal steps");
    test_fails_with(test_program("", "train digits --phase adjoint-quadrature:steps=5"),
                    EVN_ERR_USAGE, "adaptive steps");
    test_fails_with(test_program("", "train curve --phase adjoint-quadrature:solver=rk4"),
                    EVN_ERR_USAGE, "leave steps out and take a solver that chooses them");
    test_fails_with(test_program("", "train curve --phase adjoint-quadrature:solver=rk4,steps=0"),
                    EVN_ERR_USAGE, "leave steps out and take a solver that chooses them");
    test_fails_with(test_program("", "train digits --phase adjoint:solver=rk4,steps=0"),
                    EVN_ERR_USAGE, "cannot choose its steps");
    test_fails_with(test_program("", "train digits --phase adjoint:rtol=0,atol=0"), EVN_ERR_USAGE,
                    "atol is 0");
    test_fails_with(test_program("", "train digits --schedule step --milestones 3-4"),
                    EVN_ERR_USAGE, "as in 30/60");
    test_fails_with(test_program("", "train digits --phase backprop:milestone=3"), EVN_ERR_USAGE,
                    "did you mean milestones?");
    test_fails_with(test_program("", "train digits --phase backprop:schedule=step,milestones=3,4"),
                    EVN_ERR_USAGE, "milestones=30/60");
    test_fails_with(test_program("", "train digits --phase backprop:lr=1,steps=3,lr=2"),
                    EVN_ERR_USAGE, "gives lr twice");
    test_fails_with(test_program("", "train digits --phase backprop:schedule=step"), EVN_ERR_USAGE,
                    "phase backprop: the schedule step needs milestones");
    test_fails_with(test_program("", "train digits --phase backprop:milestones=3"), EVN_ERR_USAGE,
                    "milestones are for the schedule step, and this is cosine");
    ck_assert(!test_exists("runs"));
}
END_TEST

/// What is refused, wherever that is found out, leaves nothing behind.
START_TEST(nothing_is_made_before_all_is_checked) {
    static const char *const words[] = {
        "digits --batch 5000",    "digits --until automatic",
        "digits --crop 8",        "digits --warmup 40",
        "series --data none.csv", "digits --atol 0",
        "digits --momentum 1",    "digits --phase adjoint:solver=euler,steps=0"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); ++i) {
        test_outcome result = test_program("", "train %s --out made", words[i]);
        ck_assert_msg(result.code > 0, "%s: %d", words[i], result.code);
        ck_assert_msg(!test_exists("made"), "%s leaves a folder", words[i]);
        result = test_program("", "train %s", words[i]);
        ck_assert_msg(result.code > 0 && !test_exists("runs"), "%s leaves runs", words[i]);
    }
}
END_TEST

/// An option that means different things to different verbs says the one that is asked for.
START_TEST(help_of_each_verb) {
    ck_assert_ptr_nonnull(strstr(test_program("", "train --help").out, "run directory (runs/"));
    ck_assert_ptr_null(strstr(test_program("", "train --help").out, "for the pictures"));
    ck_assert_ptr_nonnull(strstr(test_program("", "sample --help").out, "file for the points"));
    ck_assert_ptr_nonnull(strstr(test_program("", "compare --help").out, "for the pictures"));
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("usage");
    TCase *c = tcase_create("help");
    tcase_add_test(c, help);
    tcase_add_test(c, every_exit_code_is_listed);
    tcase_add_test(c, help_of_each_verb);
    suite_add_tcase(s, c);
    c = tcase_create("wrong");
    tcase_add_test(c, unknown_words);
    tcase_add_test(c, wrong_values);
    tcase_add_test(c, wrong_phases);
    tcase_add_test(c, nothing_is_made_before_all_is_checked);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
