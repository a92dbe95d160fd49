// SPDX-License-Identifier: Apache-2.0
// Which graphs take a batch of any size. What the models compute is test_onnx.py.
#include "exchange/onnx.h"
#include "exchange/unrolled.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

enum { ANY = EVN__ANY_BATCH };

/// Write the graph of x and y [B, 6] that `make` makes of them; destroys it.
static evn_status write(evn_value (*make)(evn_graph *g, evn_value x, evn_value y)) {
    char path[1024];
    evn_graph *g;
    TRY(evn_graph_create(&g));
    evn_value x = evn_input(g, "x", EVN_SHAPE(ANY, 6)), y = evn_input(g, "y", EVN_SHAPE(ANY, 6));
    evn_output(g, "out", make(g, x, y));
    TRY(evn_graph_status(g));
    snprintf(path, sizeof(path), "%s/model.onnx", test_folder());
    const evn__onnx_options options = {.any_batch = true};
    evn_status status = evn__onnx_write(path, g, &options);
    evn_graph_destroy(&g);
    return status;
}

static evn_value rows(evn_graph *g, evn_value x, evn_value y) {
    return evn_sum(g, evn_mul(g, x, y), 1u << 1);
}

static evn_value split(evn_graph *g, evn_value x, evn_value y) {
    const int order[] = {1, 0, 2};
    (void)y;
    return evn_permute(g, evn_reshape(g, x, EVN_SHAPE(ANY, 2, 3)), order);
}

static evn_value constant(evn_graph *g, evn_value x, evn_value y) {
    const evn_value parts[] = {evn_add(g, x, y), evn_full(g, EVN_SHAPE(ANY, 2), 3)};
    return evn_concat(g, parts, 2, 1);
}

static evn_value product(evn_graph *g, evn_value x, evn_value y) {
    return evn_add(g, y, evn_matmul(g, x, evn_full(g, EVN_SHAPE(6, 6), 2), false, false));
}

static evn_value mean(evn_graph *g, evn_value x, evn_value y) {
    return evn_mean(g, evn_add(g, x, y), 1u << 0);
}

static evn_value first(evn_graph *g, evn_value x, evn_value y) {
    const int64_t start[] = {1, 0};
    return evn_slice(g, evn_add(g, x, y), start, EVN_SHAPE(2, 6));
}

static evn_value stack(evn_graph *g, evn_value x, evn_value y) {
    const evn_value parts[] = {x, y};
    return evn_concat(g, parts, 2, 0);
}

static evn_value flat(evn_graph *g, evn_value x, evn_value y) {
    return evn_reshape(g, evn_add(g, x, y), EVN_SHAPE(6 * ANY));
}

static evn_value gram(evn_graph *g, evn_value x, evn_value y) {
    return evn_matmul(g, x, y, true, false);
}

static evn_value across(evn_graph *g, evn_value x, evn_value y) {
    const int order[] = {1, 0};
    return evn_log_softmax(g, evn_permute(g, evn_add(g, x, y), order));
}

START_TEST(samples_for_themselves) {
    if (evn__onnx_is_there()) {
        TRY(write(rows));
        TRY(write(split));
        TRY(write(constant));
        TRY(write(product));
    }
}
END_TEST

START_TEST(samples_that_meet) {
    static evn_value (*const makes[])(evn_graph *, evn_value, evn_value) = {mean, first, stack,
                                                                            flat, gram,  across};
    static const char *const operations[] = {"sum",     "slice",  "concat",
                                             "reshape", "matmul", "log_softmax"};
    for (size_t i = 0; evn__onnx_is_there() && i < sizeof(makes) / sizeof(makes[0]); ++i) {
        test_note(operations[i]);
        ck_assert_int_eq(write(makes[i]), EVN_ERR_ARGUMENT);
        ck_assert_msg(strstr(evn_error_message(), operations[i]), "%s", evn_error_message());
    }
}
END_TEST

int main(void) {
    Suite *suite = suite_create("batch");
    test_add(suite, tcase_create("samples_for_themselves"), samples_for_themselves);
    test_add(suite, tcase_create("samples_that_meet"), samples_that_meet);
    return test_run(suite);
}
