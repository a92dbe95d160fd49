// SPDX-License-Identifier: Apache-2.0
#include "tune/subject.h"

#include "evonode/diff.h"
#include "samples/form.h"

#include <string.h>

// Products ----------------------------------------------------------------------------------------

static void build_product(evn_graph *graph, const evn__subject *subject) {
    evn__product_build(graph, subject->op, subject->sizes);
}

static const char *key_of_node(const evn_graph *graph, char key[EVN__VARIANT_KEY]) {
    return evn__variant_key(graph, evn_graph_output(graph, 0), false, key);
}

static const char *variant(const evn__subject *subject, int index, char name[EVN__VARIANT_NAME]) {
    const evn__space *space = evn__space_table[subject->op];
    return index < space->count ? evn__variant_name(&space->rows[index], name) : NULL;
}

static const char *unfit_variant(const evn__subject *subject, int index, const evn_device *device) {
    return evn__variant_unfit(&evn__space_table[subject->op]->rows[index],
                              evn_device_get_info(device));
}

/// The cases of the operation's samples, and those of the variant's own.
static bool odd_node(const evn__subject *subject, const char *name, int index, evn_graph *graph) {
    const char *family = evn__op_table[subject->op].text;
    for (const evn__sample *sample = evn__samples; sample->family; ++sample) {
        bool own = sample->variant && strcmp(sample->variant, name) == 0;
        int count = own || strcmp(sample->family, family) == 0 ? sample->count : 0;
        if (index < count) {
            sample->build(graph, index);
            return true;
        }
        index -= count;
    }
    return false;
}

static const evn__subject_kind product = {build_product, key_of_node, variant,
                                          unfit_variant, odd_node,    NULL};

// Sums over work-groups ---------------------------------------------------------------------------

static void build_normalization(evn_graph *graph, const evn__subject *subject) {
    evn__normalization_build(graph, subject->op, subject->sizes);
}

static const evn__subject_kind normalization = {build_normalization, key_of_node, variant,
                                                unfit_variant,       odd_node,    NULL};

static void build_krylov(evn_graph *graph, const evn__subject *subject) {
    evn__krylov_extend_build(graph, subject->op, subject->sizes);
}

static const evn__subject_kind krylov = {build_krylov,  key_of_node, variant,
                                         unfit_variant, odd_node,    NULL};

// Plans over samples ------------------------------------------------------------------------------

enum { ROWS, STATE, HIDDEN, GRADIENTS }; // of the sizes

static const char *const sample_inputs[] = {"x", "x_bar", NULL};

/// Parameters of a step, and its output.
enum { X, U, B, V, D, PORTS };

/// A step x + h (tanh(x u + b) v + d) of x [rows, state].
static evn_value build_step(evn_graph *graph, const int64_t *sizes, evn_value port[PORTS]) {
    int64_t rows = sizes[ROWS], state = sizes[STATE], hidden = sizes[HIDDEN];
    port[X] = evn_input(graph, "x", EVN_SHAPE(rows, state));
    port[U] = evn_input(graph, "u", EVN_SHAPE(state, hidden));
    port[B] = evn_input(graph, "b", EVN_SHAPE(1, hidden));
    port[V] = evn_input(graph, "v", EVN_SHAPE(hidden, state));
    port[D] = evn_input(graph, "d", EVN_SHAPE(1, state));
    evn_value sum = evn_add(graph, evn_matmul(graph, port[X], port[U], false, false), port[B]);
    evn_value inner = evn_matmul(graph, evn_tanh(graph, sum), port[V], false, false);
    return evn_add(graph, port[X], evn_scale(graph, evn_add(graph, inner, port[D]), 0.1));
}

/// Of a step alone, or its cotangents.
static void build_plan(evn_graph *graph, const int64_t *sizes) {
    static const char *const names[PORTS] = {"x_next_bar", "u_bar", "b_bar", "v_bar", "d_bar"};
    evn_value port[PORTS], bar[PORTS], y = build_step(graph, sizes, port);
    if (!sizes[GRADIENTS]) {
        evn_output(graph, "x_next", y);
        return;
    }
    evn_value y_bar = evn_input(graph, "x_bar", EVN_SHAPE(sizes[ROWS], sizes[STATE]));
    if (evn_pullback(graph, &y, &y_bar, 1, port, PORTS, bar) == EVN_OK) {
        for (int i = 0; i < PORTS; ++i) {
            evn_output(graph, names[i], bar[i]);
        }
    }
}

static void build_samples(evn_graph *graph, const evn__subject *subject) {
    build_plan(graph, subject->sizes);
}

static const char *key_of_samples(const evn_graph *graph, char key[EVN__VARIANT_KEY]) {
    return evn__sample_form_key(graph, sample_inputs, false, key);
}

static const char *form(const evn__subject *subject, int index, char name[EVN__VARIANT_NAME]) {
    (void)subject;
    (void)name;
    return evn__sample_forms[index].name;
}

static const char *unfit_form(const evn__subject *subject, int index, const evn_device *device) {
    (void)subject;
    return evn__sample_form_unfit(&evn__sample_forms[index], device);
}

/// Lanes and work-groups that are not full, one sample, rows that fill no vector.
static bool odd_samples(const evn__subject *subject, const char *name, int index,
                        evn_graph *graph) {
    static const int64_t sizes[][4] = {{37, 3, 19}, {33, 5, 70}, {1, 70, 70}, {70, 1, 1}};
    enum { CASES = sizeof(sizes) / sizeof(*sizes) };
    (void)subject;
    (void)name;
    if (index < 2 * CASES) {
        const int64_t *s = sizes[index / 2];
        build_plan(graph, (const int64_t[]){s[ROWS], s[STATE], s[HIDDEN], index % 2});
    }
    return index < 2 * CASES;
}

static const evn__subject_kind samples = {build_samples, key_of_samples, form,
                                          unfit_form,    odd_samples,    sample_inputs};

// All of them -------------------------------------------------------------------------------------

#define DIGITS                                                                                     \
    { 32, 3, 3, 32, 3, 3, 32, 1, 1 }
#define MNIST                                                                                      \
    { 128, 6, 6, 64, 3, 3, 64, 1, 1 }
#define STEM                                                                                       \
    { 128, 13, 13, 64, 4, 4, 64, 2, 1 }
#define MATMUL    &product, "matmul"
#define CONV2D    &product, "conv2d"
#define NORMALIZE &normalization, "normalize"
#define KRYLOV    &krylov, "krylov"
#define SAMPLES   &samples, "samples"

// Shapes of the models, forward and backward, and squares. A flow's steps sum over samples in both
// directions.
const evn__subject evn__subjects[] = {
    {MATMUL, true, "matmul 64 x 64 x 64", EVN__OP_MATMUL, {64, 64, 64}},
    {MATMUL, false, "matmul 256 x 256 x 256", EVN__OP_MATMUL, {256, 256, 256}},
    {MATMUL, false, "matmul 512 x 512 x 512", EVN__OP_MATMUL, {512, 512, 512}},
    {MATMUL, false, "matmul 4608 x 64 x 576", EVN__OP_MATMUL, {4608, 64, 576}},
    {MATMUL, true, "mnist: head, 128 x 10 x 64", EVN__OP_MATMUL, {128, 10, 64}},
    {MATMUL, false, "mnist: head, weights, 64 x 10 x 128", EVN__OP_MATMUL, {64, 10, 128, 1}},
    {MATMUL, false, "curve: 100 x 1000 x 1000", EVN__OP_MATMUL, {100, 1000, 1000}},
    {MATMUL, false, "curve: one state, 1 x 1000 x 1000", EVN__OP_MATMUL, {1, 1000, 1000}},
    {MATMUL, false, "curve: backward, 1 x 1000 x 1000 t", EVN__OP_MATMUL, {1, 1000, 1000, 0, 1}},
    {MATMUL, false, "curve: weights, 1000 x 1000 x 100 t", EVN__OP_MATMUL, {1000, 1000, 100, 1, 0}},
    {MATMUL, false, "flow: 100 x 64 x 2", EVN__OP_MATMUL, {100, 64, 2}},
    {MATMUL, false, "flow: 512 x 64 x 64", EVN__OP_MATMUL, {512, 64, 64}},
    {CONV2D, true, "digits: 32x3x3, 32-32, 3x3", EVN__OP_CONV2D, DIGITS},
    {CONV2D, false, "digits: its input gradient", EVN__OP_CONV2D_INPUT_GRAD, DIGITS},
    {CONV2D, false, "digits: its weight gradient", EVN__OP_CONV2D_WEIGHT_GRAD, DIGITS},
    {CONV2D, false, "mnist: 128x6x6, 64-64, 3x3", EVN__OP_CONV2D, MNIST},
    {CONV2D, false, "mnist: its input gradient", EVN__OP_CONV2D_INPUT_GRAD, MNIST},
    {CONV2D, false, "mnist: its weight gradient", EVN__OP_CONV2D_WEIGHT_GRAD, MNIST},
    {CONV2D,
     false,
     "mnist: stem, 128x28x28, 1-64, 3x3",
     EVN__OP_CONV2D,
     {128, 28, 28, 1, 3, 3, 64, 1, 0}},
    {CONV2D, false, "mnist: stem, 128x13x13, 64-64, 4x4 / 2", EVN__OP_CONV2D, STEM},
    {CONV2D, false, "mnist: its input gradient", EVN__OP_CONV2D_INPUT_GRAD, STEM},
    {CONV2D, false, "mnist: its weight gradient", EVN__OP_CONV2D_WEIGHT_GRAD, STEM},
    {NORMALIZE, true, "mnist: 128x6x6x64, 32 groups", EVN__OP_NORMALIZE, {128, 6, 6, 64, 32}},
    {NORMALIZE, false, "mnist: its gradient", EVN__OP_NORMALIZE_GRAD, {128, 6, 6, 64, 32}},
    {NORMALIZE, false, "mnist: 128x26x26x64, 32 groups", EVN__OP_NORMALIZE, {128, 26, 26, 64, 32}},
    {NORMALIZE, false, "mnist: its gradient", EVN__OP_NORMALIZE_GRAD, {128, 26, 26, 64, 32}},
    {NORMALIZE, false, "128x6x6x64, 1 group", EVN__OP_NORMALIZE, {128, 6, 6, 64, 1}},
    {KRYLOV, true, "krylov: 128 x 64 behind 8", EVN__OP_KRYLOV_EXTEND, {128, 64, 8}},
    {KRYLOV, false, "krylov: 1 x 1000 behind 16", EVN__OP_KRYLOV_EXTEND, {1, 1000, 16}},
    {SAMPLES, true, "flow: gradients, 100 x 2, 64 hidden", EVN__OP_COUNT, {100, 2, 64, 1}},
    {SAMPLES, false, "flow: gradients, 512 x 2, 64 hidden", EVN__OP_COUNT, {512, 2, 64, 1}},
    {SAMPLES, false, "flow: gradients, 1000 x 2, 64 hidden", EVN__OP_COUNT, {1000, 2, 64, 1}},
    {SAMPLES, false, "step, 100 x 2, 64 hidden", EVN__OP_COUNT, {100, 2, 64, 0}},
    {SAMPLES, false, "step, 128 x 64, 256 hidden", EVN__OP_COUNT, {128, 64, 256, 0}},
    {SAMPLES, false, "its gradients", EVN__OP_COUNT, {128, 64, 256, 1}},
    {SAMPLES, false, "step, 128 x 64, 512 hidden", EVN__OP_COUNT, {128, 64, 512, 0}},
    {SAMPLES, false, "its gradients", EVN__OP_COUNT, {128, 64, 512, 1}},
    {SAMPLES, true, "curve: step, 1 x 500", EVN__OP_COUNT, {1, 500, 500, 0}},
    {SAMPLES, false, "curve: gradients, 1 x 500", EVN__OP_COUNT, {1, 500, 500, 1}},
    {SAMPLES, false, "curve: gradients, 1 x 1000", EVN__OP_COUNT, {1, 1000, 1000, 1}},
    {NULL, NULL, false, NULL, EVN__OP_COUNT, {0}},
};
