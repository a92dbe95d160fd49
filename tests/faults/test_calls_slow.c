// SPDX-License-Identifier: Apache-2.0
// TEST: label=long timeout=3600
// As test_calls.c, a seeded part, of verbs whose runs last seconds.
#include "calls.h"

int main(void) {
    Suite *suite = suite_create("calls_slow");
    add(suite, tcase_create("files_invert"), TEST_FILES, "invert");
    add(suite, tcase_create("queries_invert"), TEST_QUERIES, "invert");
    add(suite, tcase_create("memory_invert"), TEST_MEMORY, "invert");
    add(suite, tcase_create("drawing_invert"), TEST_DRAWING, "invert");
    add(suite, tcase_create("opencl_invert"), TEST_OPENCL, "invert");
    add(suite, tcase_create("hanging_invert"), TEST_HANGING, "invert");
    add(suite, tcase_create("files_bench"), TEST_FILES, "bench");
    add(suite, tcase_create("queries_bench"), TEST_QUERIES, "bench");
    add(suite, tcase_create("memory_bench"), TEST_MEMORY, "bench");
    add(suite, tcase_create("opencl_bench"), TEST_OPENCL, "bench");
    add(suite, tcase_create("hanging_bench"), TEST_HANGING, "bench");
    return test_run(suite);
}
