// SPDX-License-Identifier: Apache-2.0
// Plans with a sample in each lane, or in each work-item of a GPU, against the reference.
#include "evonode/diff.h"
#include "graph/node.h"
#include "host/guard.h"
#include "host/runtime.h"
#include "ops/lower.h"
#include "run_plan.h"
#include "samples/samples.h"
#include "test.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const samples[] = {"x", "y", NULL};

/// Enough samples for two vectors an item, not all of them full, unless there are very many units.
static int64_t many_samples(void) {
    int units = evn_device_get_info(test_device())->compute_units;
    return 32 * (units < 8 ? units : 8) + 5;
}

static evn_graph *new_graph(void) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    return g;
}

static bool is_taken(const evn_graph *g, const evn_plan_options *options) {
    evn_plan *plan = NULL;
    char *text = NULL;
    TRY(evn_plan_create(test_device(), g, options, &plan));
    TRY(evn_plan_print(plan, &text));
    bool taken = strstr(text, "samples_") != NULL;
    free(text);
    evn_plan_destroy(&plan);
    return taken;
}

/// Both precisions.
static void check_here(const evn_graph *g, const char *const *late, bool taken, uint64_t seed) {
    const evn_device_info *info = evn_device_get_info(test_device());
    for (int fp64 = 0; fp64 <= info->has_fp64; ++fp64) {
        evn_plan_options options = {.fp64 = fp64, .late_inputs = late, .sample_inputs = samples};
        check_options(g, &options, seed);
        ck_assert_int_eq(is_taken(g, &options), taken);
    }
}

/// Whether the samples fill a work-group of a GPU.
static bool has_many(const evn_graph *g) {
    int x = evn_graph_find_input(g, "x");
    evn_value value = evn_graph_input(g, x >= 0 ? x : evn_graph_find_input(g, "y"));
    return evn_value_shape(g, value).dim[0] >= EVN__SIMT_SAMPLES;
}

/// As the device itself, in guarded buffers, a CPU then as a GPU; destroys the graph.
/// @param gpu  whether a GPU takes it too where it has samples enough
static void check_both(evn_graph *g, const char *const *late, bool taken, bool gpu, uint64_t seed) {
    evn_device_type own = evn_device_get_info(test_device())->type;
    TRY(evn_graph_status(g));
    evn__device_guard(test_device(), true);
    if (own == EVN_DEVICE_CPU) {
        check_here(g, late, taken, seed);
        test_act_as(EVN_DEVICE_GPU);
    }
    check_here(g, late, gpu && has_many(g), seed);
    test_act_as(own);
    ck_assert_uint_eq(evn__device_guard_failures(test_device()), 0);
    evn__device_guard(test_device(), false);
    evn_graph_destroy(&g);
}

static void check(evn_graph *g, const char *const *late, bool taken, uint64_t seed) {
    check_both(g, late, taken, taken, seed);
}

static int launches_of(const evn_graph *g, const char *const *late) {
    evn_plan_options options = {.late_inputs = late, .sample_inputs = samples};
    evn_plan *plan = NULL;
    TRY(evn_plan_create(test_device(), g, &options, &plan));
    int launches = evn_plan_launch_count(plan);
    evn_plan_destroy(&plan);
    return launches;
}

static void add_elementwise(evn_graph *g, evn_value x, evn_value y) {
    evn_value positive = evn_add(g, evn_abs(g, x), evn_constant(g, 0.5));
    evn_output(g, "add", evn_add(g, x, y));
    evn_output(g, "sub", evn_sub(g, x, y));
    evn_output(g, "div", evn_div(g, x, positive));
    evn_output(g, "maximum", evn_maximum(g, x, y));
    evn_output(g, "mask", evn_mask(g, x, y));
    evn_output(g, "neg", evn_neg(g, x));
    evn_output(g, "sign", evn_sign(g, x));
    evn_output(g, "step", evn_step(g, x));
    evn_output(g, "exp", evn_exp(g, x));
    evn_output(g, "log", evn_log(g, positive));
    evn_output(g, "sqrt", evn_sqrt(g, positive));
    evn_output(g, "sin", evn_sin(g, x));
    evn_output(g, "cos", evn_cos(g, x));
    evn_output(g, "tanh", evn_tanh(g, x));
    evn_output(g, "sigmoid", evn_sigmoid(g, x));
    evn_output(g, "softplus", evn_softplus(g, evn_scale(g, x, 30)));
    evn_output(g, "relu", evn_relu(g, x));
}

/// Rows of 3 and 40 elements, and uniform values of 1, 16 and 21.
START_TEST(every_elementwise_operation) {
    const int64_t widths[] = {3, 40, 1, 16, 21};
    for (int i = 0; i < 5; ++i) {
        evn_graph *g = new_graph();
        bool rows = i < 2;
        int64_t batch = i == 0 ? 37 : many_samples();
        evn_shape shape = EVN_SHAPE(rows ? batch : 1, widths[i]);
        evn_value x = evn_input(g, rows ? "x" : "u", shape);
        evn_value y = evn_input(g, rows ? "y" : "v", shape);
        add_elementwise(g, x, y);
        if (!rows) {
            evn_output(g, "rows", evn_exp(g, evn_input(g, "x", EVN_SHAPE(37, 2))));
        }
        check(g, NULL, true, 1);
    }
}
END_TEST

/// Products of rows with uniform matrices, short and long, and both ways round.
START_TEST(products_of_rows) {
    const int64_t terms[] = {2, 40}, columns[] = {3, 24};
    for (int i = 0; i < 8; ++i) {
        evn_graph *g = new_graph();
        int64_t k = terms[i & 1], n = columns[i >> 1 & 1];
        bool transpose = i >> 2;
        evn_value x = evn_input(g, "x", EVN_SHAPE(transpose ? 33 : many_samples(), k));
        evn_value w = evn_input(g, "w", transpose ? EVN_SHAPE(n, k) : EVN_SHAPE(k, n));
        evn_value h = evn_matmul(g, evn_tanh(g, x), w, false, transpose);
        evn_output(g, "h", h);
        evn_output(g, "sum", evn_sum(g, evn_mul(g, h, h), 1u << 1));
        evn_output(g, "w_tanh", evn_tanh(g, w));
        check(g, NULL, true, 2);
    }
}
END_TEST

/// Lanes have a tanh of their own, within OpenCL's 5 ulp, at its ends, and at what is no number.
START_TEST(tanh_of_lanes) {
    enum { COUNT = 20000 };
    static float x[COUNT], y[COUNT];
    evn_graph *g = new_graph();
    evn_output(g, "y", evn_tanh(g, evn_input(g, "x", EVN_SHAPE(COUNT, 1))));
    evn_plan_options options = {.sample_inputs = samples};
    evn_plan *plan = NULL;
    evn_buffer *in = NULL, *out = NULL;
    for (int i = 0; i < COUNT; ++i) {
        double part = (double)i / COUNT;
        x[i] = (float)((i & 1 ? -1 : 1) * (i & 2 ? 12 * part : exp(-40 * part)));
    }
    x[0] = NAN;
    x[1] = INFINITY;
    x[2] = -INFINITY;
    x[3] = 0;
    TRY(evn_buffer_create(test_device(), sizeof(x), &in));
    TRY(evn_buffer_create(test_device(), sizeof(y), &out));
    TRY(evn_buffer_write(in, 0, sizeof(x), x));
    TRY(evn_plan_create(test_device(), g, &options, &plan));
    TRY(evn_plan_run(plan, &(evn_binding){in, 0}, &(evn_binding){out, 0}));
    TRY(evn_buffer_read(out, 0, sizeof(y), y));
    // Others than PoCL's vectors take OpenCL's own, within 5.
    const evn_device_info *info = evn_device_get_info(test_device());
    bool lanes = info->type == EVN_DEVICE_CPU &&
                 strstr(info->platform_name, "Portable Computing Language") != NULL;
    double most = lanes ? 4.5 : 5, one = lanes ? 1 : 1 - 5 * 0x1p-24;
    ck_assert_msg(isnan(y[0]) && y[1] >= one && y[2] <= -one && y[3] == 0, "%.9g %.9g %.9g %.9g",
                  y[0], y[1], y[2], y[3]);
    for (int i = 4; i < COUNT; ++i) {
        double exact = tanh(x[i]);
        double ulp = ldexp(1, fabs(exact) > 0x1p-126 ? ilogb(exact) - 23 : -149);
        ck_assert_msg(fabs(y[i] - exact) <= most * ulp, "tanh(%g) = %.9g, not %.9g", x[i], y[i],
                      exact);
        ck_assert_float_le(fabsf(y[i]), 1);
    }
    evn_plan_destroy(&plan);
    evn_buffer_destroy(&in);
    evn_buffer_destroy(&out);
    evn_graph_destroy(&g);
}
END_TEST

/// Sums over the samples, short and long, and what depends on them: uniform values and rows.
START_TEST(contractions) {
    const int64_t left[] = {2, 12}, right[] = {3, 20};
    for (int i = 0; i < 4; ++i) {
        evn_graph *g = new_graph();
        int64_t m = left[i & 1], n = right[i >> 1];
        int64_t batch = many_samples() - 5 * (i & 1); // full vectors, or not
        evn_value x = evn_input(g, "x", EVN_SHAPE(batch, m));
        evn_value y = evn_input(g, "y", EVN_SHAPE(batch, n));
        evn_value c = evn_matmul(g, evn_tanh(g, x), y, true, false);
        evn_value mean = evn_sum(g, evn_exp(g, y), 1u << 0);
        evn_output(g, "c", c);
        evn_output(g, "c_tanh", evn_tanh(g, evn_scale(g, c, 0.1)));
        evn_output(g, "mean", mean);
        evn_value again = evn_matmul(g, x, evn_scale(g, c, 0.1), false, false);
        evn_output(g, "again", evn_add(g, again, evn_scale(g, mean, 0.02)));
        evn_output(g, "total", evn_sum_all(g, evn_mul(g, y, y)));
        evn_output(g, "last", evn_sum(g, evn_tanh(g, again), 1u << 0));
        check(g, NULL, true, 3);
    }
}
END_TEST

/// Views, paddings and concatenations, of rows and of uniform values.
START_TEST(parts) {
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(35, 3)),
              theta = evn_input(g, "theta", EVN_SHAPE(1, 64));
    int64_t at[] = {0, 1}, at_32[] = {0, 32}, at_wide[] = {0, 7}, at_row[] = {1, 16};
    evn_value z = evn_slice(g, x, at, EVN_SHAPE(35, 2));
    evn_value w = evn_reshape(g, evn_slice(g, theta, at_32, EVN_SHAPE(1, 32)), EVN_SHAPE(2, 16));
    evn_value h = evn_matmul(g, z, w, false, false);
    evn_value both[] = {z, evn_tanh(g, x), evn_full(g, EVN_SHAPE(35, 1), 2)};
    evn_value wide[] = {h, z};
    evn_output(g, "concat", evn_concat(g, both, 3, 1));
    evn_output(g, "concat_wide", evn_concat(g, wide, 2, 1));
    evn_output(g, "pad", evn_pad(g, evn_tanh(g, z), at, EVN_SHAPE(35, 4)));
    evn_output(g, "pad_wide", evn_pad(g, evn_exp(g, z), at_wide, EVN_SHAPE(35, 12)));
    evn_output(g, "z", z);
    evn_output(g, "w", w);
    evn_output(g, "w_pad", evn_pad(g, evn_tanh(g, w), at_row, EVN_SHAPE(4, 48)));
    evn_value turned = evn_permute(g, w, (int[]){1, 0}), uniform[] = {w, evn_exp(g, w)};
    evn_output(g, "turned", evn_add(g, turned, turned));
    evn_output(g, "stacked", evn_concat(g, uniform, 2, 0));
    evn_output(g, "beside", evn_concat(g, uniform, 2, 1));
    evn_output(g, "w_sum", evn_sum(g, w, 1u << 1));
    evn_output(g, "w_columns", evn_sum(g, w, 1u << 0));
    check(g, NULL, true, 4);
}
END_TEST

/// A field and its vjp in two phases: rows cross from the first to the second, or are repeated.
START_TEST(phases) {
    static const char *const late[] = {"y", NULL};
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(35, 2)), y = evn_input(g, "y", EVN_SHAPE(35, 2));
    evn_value w = evn_input(g, "w", EVN_SHAPE(2, 32)), v = evn_input(g, "v", EVN_SHAPE(32, 2));
    evn_value h = evn_tanh(g, evn_matmul(g, x, w, false, false));
    evn_value out = evn_matmul(g, evn_mul(g, h, h), v, false, false);
    const evn_value inputs[] = {x, w, v};
    evn_value bars[3];
    evn_output(g, "out", out);
    TRY(evn_pullback(g, &out, &y, 1, inputs, 3, bars));
    evn_output(g, "x_bar", bars[0]);
    evn_output(g, "w_bar", bars[1]);
    evn_output(g, "v_bar", bars[2]);
    // Rows; rows and the sums over them, in which work-items may cooperate.
    evn_device_type own = evn_device_get_info(test_device())->type;
    bool cooperate = own == EVN_DEVICE_CPU && test_device()->quirks.groups_progress;
    ck_assert_int_eq(launches_of(g, late), cooperate ? 2 : 3);
    test_act_as(EVN_DEVICE_GPU);
    ck_assert_int_eq(launches_of(g, late), 3);
    test_act_as(own);
    check(g, late, true, 5);
}
END_TEST

/// A field of one sample and its vjp, with products of long rows.
static evn_graph *field_of_one_sample(void) {
    enum { WIDTH = 150 };
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(1, 3)), y = evn_input(g, "y", EVN_SHAPE(1, 3));
    evn_value first = evn_input(g, "first", EVN_SHAPE(3, WIDTH));
    evn_value middle = evn_input(g, "middle", EVN_SHAPE(WIDTH, WIDTH));
    evn_value bias = evn_input(g, "bias", EVN_SHAPE(WIDTH));
    evn_value last = evn_input(g, "last", EVN_SHAPE(WIDTH, 3));
    evn_value h = evn_relu(g, evn_matmul(g, x, first, false, false));
    evn_value product = evn_matmul(g, h, middle, false, false);
    evn_value k = evn_tanh(g, evn_add(g, evn_scale(g, product, 0.1), bias));
    evn_value out = evn_add(g, x, evn_matmul(g, k, last, false, false));
    const evn_value inputs[] = {x, first, bias, last};
    evn_value bars[4];
    evn_output(g, "out", out);
    evn_output(g, "product", product);
    TRY(evn_pullback(g, &out, &y, 1, inputs, 4, bars));
    evn_output(g, "x_bar", bars[0]);
    evn_output(g, "first_bar", bars[1]);
    evn_output(g, "bias_bar", bars[2]);
    evn_output(g, "last_bar", bars[3]);
    return g;
}

/// Where work-items cooperate, a phase is one launch; elsewhere the large products are left to
/// their family, and what lies between two of them is one launch.
START_TEST(one_sample) {
    static const char *const late[] = {"y", NULL};
    bool known = test_device()->quirks.groups_progress;
    for (int cooperates = 0; cooperates <= known; ++cooperates) {
        evn_graph *g = field_of_one_sample();
        test_device()->quirks.groups_progress = cooperates;
        if (evn_device_get_info(test_device())->type == EVN_DEVICE_CPU) {
            ck_assert_int_eq(launches_of(g, late), cooperates ? 2 : 6);
        }
        check(g, late, true, 7);
    }
    test_device()->quirks.groups_progress = known;
}
END_TEST

/// Products behind a ReLU, and before one's gate: one gate, two different ones, and a reader
/// without.
START_TEST(gated_products) {
    enum { WIDTH = 150 };
    for (int i = 0; i < 4; ++i) {
        evn_graph *g = new_graph();
        evn_value x = evn_input(g, "x", EVN_SHAPE(1, WIDTH));
        evn_value y = evn_input(g, "y", EVN_SHAPE(1, WIDTH));
        evn_value w = evn_input(g, "w", EVN_SHAPE(WIDTH, WIDTH));
        evn_value ahead = evn_matmul(g, evn_relu(g, x), w, false, false);
        evn_value back = evn_matmul(g, y, w, false, true);
        evn_value gate = evn_step(g, i == 1 ? evn_add(g, ahead, y) : x);
        evn_value shut = evn_mul(g, back, gate);
        evn_output(g, "ahead", evn_tanh(g, ahead));
        evn_output(g, "again", evn_matmul(g, shut, w, false, false));
        evn_output(g, "shut", i == 2 ? evn_add(g, shut, evn_mul(g, evn_step(g, y), back)) : shut);
        evn_output(g, "twice", i == 3 ? evn_exp(g, back) : evn_mul(g, gate, back));
        check(g, NULL, true, 9);
    }
}
END_TEST

/// What a zero or a gate leaves out is not read, whatever it is; NaN is no zero.
START_TEST(what_gates_leave_out) {
    enum { WIDTH = 140, OPEN = 3 };
    static double x[WIDTH], w[WIDTH * WIDTH], ahead[WIDTH], back[WIDTH];
    double *inputs[] = {x, w}, *outputs[] = {ahead, back};
    evn_graph *g = new_graph();
    evn_value input = evn_input(g, "x", EVN_SHAPE(1, WIDTH));
    evn_value matrix = evn_input(g, "w", EVN_SHAPE(WIDTH, WIDTH));
    evn_value h = evn_relu(g, input);
    evn_output(g, "ahead", evn_neg(g, evn_matmul(g, h, matrix, false, false)));
    evn_output(g, "back", evn_mul(g, evn_matmul(g, h, matrix, false, true), evn_step(g, input)));
    evn_plan_options options = {.sample_inputs = samples};
    for (int k = 0; k < WIDTH; ++k) {
        x[k] = k == OPEN ? 2 : k % 2 - 1; // 0 and −1 beside it
        for (int n = 0; n < WIDTH; ++n) {
            w[k * WIDTH + n] = k == OPEN ? n : INFINITY;
        }
    }
    if (test_device()->quirks.groups_progress) {
        run_plan(g, &options, inputs, outputs);
        for (int n = 0; n < WIDTH; ++n) {
            ck_assert_double_eq(ahead[n], -2.0 * n);
            ck_assert_double_eq(back[n], n == OPEN ? 2.0 * OPEN : 0);
        }
    }
    x[OPEN] = NAN;
    run_plan(g, &options, inputs, outputs);
    for (int n = 0; n < WIDTH; ++n) {
        ck_assert_double_nan(ahead[n]);
    }
    evn_graph_destroy(&g);
}
END_TEST

/// A large product of what all samples share, which they read.
START_TEST(large_uniform_product) {
    enum { WIDTH = 200 };
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(40, 4));
    evn_value u = evn_input(g, "u", EVN_SHAPE(2, WIDTH));
    evn_value w = evn_input(g, "w", EVN_SHAPE(WIDTH, WIDTH));
    evn_value theta = evn_matmul(g, evn_tanh(g, u), w, false, false);
    evn_value scaled = evn_scale(g, theta, 0.1);
    evn_value part = evn_slice(g, scaled, (int64_t[]){1, 16}, EVN_SHAPE(1, 64));
    evn_value rows = evn_matmul(g, x, evn_reshape(g, part, EVN_SHAPE(4, 16)), false, false);
    evn_output(g, "rows", evn_tanh(g, rows));
    evn_output(g, "again", evn_matmul(g, evn_cos(g, scaled), w, false, true));
    check(g, NULL, true, 8);
}
END_TEST

/// Samples that meet otherwise than in sums, or are too large, and uniform values that are large
/// but no products: compiled as any graph.
START_TEST(what_does_not_suit) {
    for (int i = 0; i < 5; ++i) {
        evn_graph *g = new_graph();
        evn_value x = evn_input(g, "x", EVN_SHAPE(40, i == 2 ? 300 : 20));
        evn_value turned = evn_permute(g, x, (int[]){1, 0});
        evn_value other = evn_input(g, "u", EVN_SHAPE(20, 40));
        evn_output(g, "tanh", evn_tanh(g, x));
        evn_output(g, "turned", i == 0 ? evn_add(g, turned, other) : turned);
        if (i == 3) {
            evn_output(g, "product", evn_matmul(g, other, x, false, false));
        } else if (i == 4) {
            evn_value wide = evn_input(g, "w", EVN_SHAPE(20, 1000));
            evn_output(g, "wide", evn_matmul(g, x, wide, false, false));
        } else if (i == 1) {
            evn_output(g, "total", evn_sum_all(g, evn_input(g, "w", EVN_SHAPE(200, 100))));
        }
        check(g, NULL, false, 6);
    }
}
END_TEST

/// `count` outputs, each of a value of its own.
static void add_outputs(evn_graph *g, const char *name, evn_value value, int count) {
    for (int i = 0; i < count; ++i) {
        char text[64];
        snprintf(text, sizeof(text), "%s%d", name, i);
        evn_output(g, text, evn_scale(g, value, 0.1 + 0.01 * i));
    }
}

/// More operands than a function has: compiled as any graph. More than a kernel has, in stages that
/// would cooperate: a launch each.
START_TEST(very_many_operands) {
    enum { LEVELS = 3, OUTPUTS = EVN__OPERAND_CAPACITY / LEVELS + 1 };
    evn_graph *g = new_graph();
    evn_output(g, "row", evn_exp(g, evn_input(g, "x", EVN_SHAPE(40, 2))));
    add_outputs(g, "u", evn_input(g, "u", EVN_SHAPE(1, 3)), EVN__MAX_OPERANDS + 1);
    check(g, NULL, false, 10);
    g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(37, 2));
    for (int i = 0; i < LEVELS; ++i) {
        char name[32];
        evn_value mean = evn_sum(g, evn_scale(g, x, 0.02), 1u << 0);
        snprintf(name, sizeof(name), "level%d_", i);
        add_outputs(g, name, mean, OUTPUTS);
        x = evn_add(g, x, evn_abs(g, mean));
    }
    if (evn_device_get_info(test_device())->type == EVN_DEVICE_CPU) {
        ck_assert_int_ge(launches_of(g, NULL), 2 * LEVELS - 1);
    }
    check(g, NULL, true, 11);
}
END_TEST

/// More values in a row than a loop over its elements has room for: several loops, with arrays for
/// what goes from one to the next.
START_TEST(long_chain) {
    enum { OPERATIONS = 700, ROWS = 37, COLUMNS = 20 };
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(ROWS, COLUMNS)), y = x;
    for (int i = 0; i < OPERATIONS; ++i) {
        y = i % 2 ? evn_scale(g, evn_add(g, y, x), 0.5 + 0.001 * i) : evn_tanh(g, y);
    }
    evn_output(g, "y", y);
    evn_output(g, "sum", evn_sum(g, evn_mul(g, y, x), 1u << 0));
    check(g, NULL, true, 12);
}
END_TEST

/// More values than one kernel may hold: pieces, which read what others have left, in both phases,
/// with a sum over the samples that the second level needs.
START_TEST(pieces) {
    enum { TIMES = 450 }; // five values each
    static const char *const late[] = {"u", NULL};
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(37, 12)), y = x, z = x;
    evn_value u = evn_input(g, "u", EVN_SHAPE(1, 12));
    for (int i = 0; i < TIMES; ++i) {
        y = evn_div(g, y, evn_add(g, evn_abs(g, y), evn_constant(g, 1)));
        y = evn_add(g, evn_scale(g, y, 0.5 + 0.001 * i), x);
        z = i % 200 == 150 ? evn_mul(g, z, y) : z;
    }
    evn_output(g, "early", evn_add(g, y, z));
    evn_value mean = evn_scale(g, evn_sum(g, z, 1u << 0), 0.01);
    y = evn_mul(g, evn_add(g, y, mean), u);
    for (int i = 0; i < TIMES / 4; ++i) {
        y = evn_sub(g, evn_scale(g, y, 0.9 - 0.001 * i), z);
    }
    evn_output(g, "late", y);
    if (evn_device_get_info(test_device())->type == EVN_DEVICE_CPU) {
        ck_assert_int_ge(launches_of(g, late), 10);
    }
    check(g, late, true, 13);
}
END_TEST

/// More sums over the samples in an iteration of a loop than a work-group keeps waiting, sums of a
/// nest, and sums that wait together over several iterations and values.
START_TEST(many_sums) {
    enum { ROWS = 70, LONG = 20 };
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(ROWS, LONG));
    evn_value y = evn_input(g, "y", EVN_SHAPE(ROWS, 7)), h = evn_tanh(g, x);
    for (int i = 0; i < 6; ++i) {
        char name[32];
        snprintf(name, sizeof(name), "c%d", i);
        evn_value scaled = evn_scale(g, y, 1 + 0.1 * i);
        evn_output(g, name, evn_matmul(g, i % 2 ? h : x, evn_sin(g, scaled), true, false));
        snprintf(name, sizeof(name), "small%d", i);
        evn_output(g, name, evn_matmul(g, y, scaled, true, false));
    }
    evn_output(g, "nest", evn_matmul(g, h, x, true, false));
    evn_output(g, "columns", evn_sum(g, evn_exp(g, x), 1u << 0));
    evn_output(g, "few", evn_sum(g, evn_exp(g, y), 1u << 0));
    evn_output(g, "total", evn_sum_all(g, h));
    check(g, NULL, true, 14);
}
END_TEST

/// Sums of one loop, in turn for this phase and for the next one too, which have memory apart.
START_TEST(sums_for_both_phases) {
    enum { ROWS = 70, LONG = 20 };
    static const char *const late[] = {"u", NULL};
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(ROWS, LONG)), u = evn_input(g, "u", EVN_SHAPE(LONG));
    for (int i = 0; i < 3; ++i) {
        char name[32];
        evn_value scaled = evn_scale(g, x, 1 + 0.1 * i);
        evn_value now = evn_sum(g, evn_exp(g, scaled), 1u << 0);
        evn_value both = evn_sum(g, evn_sin(g, scaled), 1u << 0);
        snprintf(name, sizeof(name), "now%d", i);
        evn_output(g, name, evn_mul(g, x, evn_add(g, now, both)));
        snprintf(name, sizeof(name), "later%d", i);
        evn_output(g, name, evn_mul(g, u, both));
    }
    check(g, late, true, 15);
}
END_TEST

/// Uniform values that a GPU's local memory has no room for, and sums of few elements with very
/// many terms.
START_TEST(large_uniform_values) {
    enum { M = 60, N = 110 };
    evn_graph *g = new_graph();
    evn_value x = evn_input(g, "x", EVN_SHAPE(37, M)), u = evn_input(g, "u", EVN_SHAPE(M, N));
    evn_value e = evn_exp(g, u), each = evn_sum(g, e, 1u << 1);
    evn_value f =
        evn_mul(g, evn_tanh(g, evn_scale(g, e, 0.1)), evn_broadcast(g, each, EVN_SHAPE(M, N)));
    evn_output(g, "columns", evn_sum(g, f, 1u << 0));
    evn_output(g, "all", evn_sum_all(g, each));
    evn_value start = evn_slice(g, f, (int64_t[]){0, 3}, EVN_SHAPE(M, 2));
    evn_output(g, "rows", evn_matmul(g, x, evn_scale(g, start, 0.01), false, false));
    check(g, NULL, true, 15);
}
END_TEST

/// What a lane of a CPU does, and a work-item of a GPU would take too long for: products, sums over
/// the samples.
START_TEST(too_much_for_a_work_item) {
    for (int i = 0; i < 2; ++i) {
        evn_graph *g = new_graph();
        evn_value x = evn_input(g, "x", EVN_SHAPE(40, 64)), h = evn_tanh(g, x);
        if (i == 0) {
            evn_value w = evn_input(g, "w", EVN_SHAPE(64, 128));
            evn_output(g, "product", evn_matmul(g, h, w, false, false));
        } else {
            evn_output(g, "sums", evn_matmul(g, h, x, true, false));
        }
        check_both(g, NULL, true, false, 16);
    }
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("samples");
    TCase *rows = tcase_create("rows");
    tcase_add_test(rows, every_elementwise_operation);
    tcase_add_test(rows, tanh_of_lanes);
    tcase_add_test(rows, products_of_rows);
    tcase_add_test(rows, parts);
    suite_add_tcase(s, rows);
    TCase *levels = tcase_create("levels");
    tcase_add_test(levels, contractions);
    tcase_add_test(levels, phases);
    tcase_add_test(levels, many_sums);
    tcase_add_test(levels, sums_for_both_phases);
    suite_add_tcase(s, levels);
    TCase *others = tcase_create("others");
    tcase_add_test(others, one_sample);
    tcase_add_test(others, gated_products);
    tcase_add_test(others, what_gates_leave_out);
    tcase_add_test(others, large_uniform_product);
    tcase_add_test(others, large_uniform_values);
    tcase_add_test(others, what_does_not_suit);
    tcase_add_test(others, too_much_for_a_work_item);
    tcase_add_test(others, very_many_operands);
    suite_add_tcase(s, others);
    TCase *large = tcase_create("large");
    tcase_add_test(large, long_chain);
    tcase_add_test(large, pieces);
    suite_add_tcase(s, large);
    return s;
}

int main(void) {
    return test_run(suite());
}
