// SPDX-License-Identifier: Apache-2.0
// A seeded part of all calls goes wrong, one at a time (support/faults.h): calls of the system for
// files, for what is asked of them, allocations, calls of OpenCL.
#include "calls.h"

/// Behind its summary a run is finished, whatever goes wrong.
START_TEST(end) {
    test_scenario(test_scenario_find(TEST_FILES, "train"), TEST_END);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("calls");
    add(suite, tcase_create("files_train"), TEST_FILES, "train");
    add(suite, tcase_create("files_resume"), TEST_FILES, "resume");
    add(suite, tcase_create("files_resume_ended"), TEST_FILES, "resume_ended");
    add(suite, tcase_create("files_eval"), TEST_FILES, "eval");
    add(suite, tcase_create("files_compare"), TEST_FILES, "compare");
    add(suite, tcase_create("files_predict"), TEST_FILES, "predict");
    add(suite, tcase_create("files_sample"), TEST_FILES, "sample");
    add(suite, tcase_create("files_report"), TEST_FILES, "report");
    add(suite, tcase_create("files_compress"), TEST_FILES, "compress");
    add(suite, tcase_create("files_export"), TEST_FILES, "export");
    add(suite, tcase_create("files_tune"), TEST_FILES, "tune");
    add(suite, tcase_create("queries_train"), TEST_QUERIES, "train");
    add(suite, tcase_create("queries_resume"), TEST_QUERIES, "resume");
    add(suite, tcase_create("queries_eval"), TEST_QUERIES, "eval");
    add(suite, tcase_create("queries_compare"), TEST_QUERIES, "compare");
    add(suite, tcase_create("queries_predict"), TEST_QUERIES, "predict");
    add(suite, tcase_create("queries_report"), TEST_QUERIES, "report");
    add(suite, tcase_create("queries_compress"), TEST_QUERIES, "compress");
    add(suite, tcase_create("queries_export"), TEST_QUERIES, "export");
    add(suite, tcase_create("memory_train"), TEST_MEMORY, "train");
    add(suite, tcase_create("memory_resume"), TEST_MEMORY, "resume");
    add(suite, tcase_create("memory_eval"), TEST_MEMORY, "eval");
    add(suite, tcase_create("memory_compare"), TEST_MEMORY, "compare");
    add(suite, tcase_create("memory_predict"), TEST_MEMORY, "predict");
    add(suite, tcase_create("memory_sample"), TEST_MEMORY, "sample");
    add(suite, tcase_create("memory_report"), TEST_MEMORY, "report");
    add(suite, tcase_create("memory_compress"), TEST_MEMORY, "compress");
    add(suite, tcase_create("memory_export"), TEST_MEMORY, "export");
    add(suite, tcase_create("memory_gradcheck"), TEST_MEMORY, "gradcheck");
    add(suite, tcase_create("memory_depth"), TEST_MEMORY, "depth");
    add(suite, tcase_create("memory_tune"), TEST_MEMORY, "tune");
    add(suite, tcase_create("drawing_train"), TEST_DRAWING, "train");
    add(suite, tcase_create("opencl_train"), TEST_OPENCL, "train");
    add(suite, tcase_create("opencl_eval"), TEST_OPENCL, "eval");
    add(suite, tcase_create("opencl_predict"), TEST_OPENCL, "predict");
    add(suite, tcase_create("hanging_train"), TEST_HANGING, "train");
    add(suite, tcase_create("hanging_eval"), TEST_HANGING, "eval");
    test_add(suite, tcase_create("end"), end);
    return test_run(suite);
}
