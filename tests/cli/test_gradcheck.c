// SPDX-License-Identifier: Apache-2.0
// evonode gradcheck: every gradient of a run's ODE against differences, as a table and as JSON.
#include "evonode/status.h"
#include "program.h"
#include "test.h"
#include <jansson.h>
#include <string.h>

enum { ROWS = 10 };

static double number_of(const json_t *row, const char *key) {
    const json_t *value = json_object_get(row, key);
    ck_assert_msg(json_is_number(value), "%s", key);
    return json_number_value(value);
}

/// The discrete gradients are those of their own steps, to single precision.
START_TEST(run) {
    test_needs_fp64();
    test_outcome made = test_program("", "train curve --out r --width 8 --epochs 0");
    ck_assert_msg(made.code == 0, "%s", made.err);
    test_outcome result = test_program("", "gradcheck r --solver euler --steps 4 --json");
    ck_assert_msg(result.code == 0, "%s", result.err);
    json_t *rows = json_loads(result.out, 0, NULL);
    ck_assert_uint_eq(json_array_size(rows), ROWS);
    for (size_t i = 0; i < ROWS; ++i) {
        const json_t *row = json_array_get(rows, i);
        const char *name = json_string_value(json_object_get(row, "gradient"));
        bool adjoint = strncmp(name, "adjoint", 7) == 0;
        bool along = strncmp(name, "adjoint-quadrature", 18) == 0;
        bool forward = strcmp(name, "forward") == 0;
        bool adaptive = strstr(name, ", adaptive") != NULL;
        ck_assert_msg(adjoint || adaptive || number_of(row, "error_own_steps") < 1e-4, "%s: %g",
                      name, number_of(row, "error_own_steps"));
        ck_assert_msg(!(along || adaptive) || number_of(row, "error_solution") < 0.2, "%s", name);
        ck_assert(number_of(row, "peak_bytes") > 0);
        ck_assert((number_of(row, "nfe_backward") > 0) == !forward);
        ck_assert(json_is_number(json_object_get(row, "reconstruction")) ==
                  ((adjoint && !along) || strncmp(name, "reversible", 10) == 0));
    }
    json_decref(rows);
    result = test_program("", "gradcheck r --solver euler --steps 4");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(strstr(result.out, "own steps"));
    ck_assert_ptr_nonnull(strstr(result.out, "\n  backprop, adaptive "));
    ck_assert_ptr_nonnull(strstr(result.out, "\n  checkpointed, adaptive "));
    result = test_program("", "gradcheck r --solver abm5 --steps 0");
    ck_assert_msg(result.code == 0, "%s", result.err);
    ck_assert_ptr_nonnull(
        strstr(result.out, "  refused\n      solver abm5 goes on from the steps before"));
    ck_assert_ptr_null(strstr(result.out, "rebuilt beyond")); // the others go back well
}
END_TEST

START_TEST(mistakes) {
    test_fails_with(test_program("", "gradcheck nowhere"), EVN_ERR_FILE,
                    "nowhere is neither a run nor a task");
    test_fails_with(test_program("", "gradcheck --solver rk4 --steps 0"), EVN_ERR_USAGE,
                    "phase backprop: rk4 cannot choose its steps"); // of a task, as none is named
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("cli/gradcheck");
    TCase *c = tcase_create("run");
    tcase_add_test(c, run);
    suite_add_tcase(s, c);
    c = tcase_create("mistakes");
    tcase_add_test(c, mistakes);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
