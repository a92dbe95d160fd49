// SPDX-License-Identifier: Apache-2.0
// evonode depth on a small run, and a phase that ends by itself.
#include "program.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static const char SMALL[] = "--filters 8 --batch 32 --limit 128";

START_TEST(depth_of_a_run) {
    test_outcome result =
        test_program("", "train digits --out a %s --phase backprop:steps=4,epochs=2,lr=0.1", SMALL);
    ck_assert_msg(result.code == 0, "%s", result.err);
    result = test_program("", "depth a --rtol 1e-2");
    ck_assert_msg(result.code == 0, "%s", result.err);
    static const char *const rows[] = {"Euler, 5 steps", "Euler, 80 steps", "dopri5"};
    for (int i = 0; i < 3; ++i) {
        ck_assert_msg(strstr(result.out, rows[i]), "no %s in %s", rows[i], result.out);
    }
    ck_assert(test_exists("a/depth-logits.png") && test_exists("a/depth-logits.svg"));
    ck_assert(test_exists("a/depth-errors.png") && test_exists("a/depth-errors.svg"));
    ck_assert(test_exists("a/kernels-conv1.png") && test_exists("a/kernels-conv2.svg"));
    ck_assert(test_exists("a/kernel-lines-conv1.svg") && test_exists("a/kernel-lines-conv2.png"));
}
END_TEST

START_TEST(depth_of_what_has_none) {
    test_fails_with(test_program("", "depth nowhere"), EVN_ERR_FILE, "nowhere");
    test_fails_with(test_program("", "depth"), EVN_ERR_USAGE, "needs a RUN");
    test_outcome result = test_program(
        "", "train digits --out r --model resnet --layers 2 %s --phase backprop:epochs=1", SMALL);
    ck_assert_msg(result.code == 0, "%s", result.err);
    test_fails_with(test_program("", "depth r"), EVN_ERR_ARGUMENT, "ResNet");
}
END_TEST

START_TEST(a_phase_that_ends_by_itself) {
    test_outcome result = test_program("",
                                       "train digits --out b --model node %s "
                                       "--phase backprop:steps=1,epochs=40,lr=0.2,until=automatic "
                                       "--phase adjoint:epochs=1,rtol=1e-2,lr=0.01",
                                       SMALL);
    ck_assert_msg(result.code == 0, "%s", result.err);
    size_t size;
    char *lines = test_read("b/metrics.jsonl", &size);
    ck_assert_ptr_null(strstr(lines, "\"epoch\":40,")); // it did not use up its epochs
    ck_assert_ptr_nonnull(strstr(lines, "\"phase_name\":\"adjoint\""));
    ck_assert_ptr_nonnull(strstr(lines, "\"switch\":\"apart\""));
    ck_assert_ptr_nonnull(strstr(result.err, "backprop  ends here: loss "));
    free(lines);
    test_fails_with(test_program("", "train digits --phase backprop:until=automatic"),
                    EVN_ERR_ARGUMENT, "no phase follows");
    test_fails_with(test_program("", "train curve --phase backprop:until=automatic"), EVN_ERR_USAGE,
                    "passes over data");
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("depth");
    TCase *c = tcase_create("depth");
    tcase_add_test(c, depth_of_a_run);
    tcase_add_test(c, depth_of_what_has_none);
    suite_add_tcase(s, c);
    c = tcase_create("automatic");
    tcase_add_test(c, a_phase_that_ends_by_itself);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
