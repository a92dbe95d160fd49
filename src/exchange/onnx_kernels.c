// SPDX-License-Identifier: Apache-2.0
// Products, convolutions, normalisation, pooling. ONNX has channels first, and kernels as
// [Co, Ci, Kh, Kw].
#include "exchange/onnx_rules.h"

#include <math.h>
#include <stdio.h>

static evn__onnx_attribute both(const char *name, int64_t value) {
    return (evn__onnx_attribute){.name = name, .count = 2, .integers = {value, value}};
}

static evn__onnx_attribute around(const char *name, int64_t value) {
    return (evn__onnx_attribute){
        .name = name, .count = 4, .integers = {value, value, value, value}};
}

static const char *transpose(evn__onnx_translation *t, const char *x, int a, int b, int c, int d) {
    const evn__onnx_attribute order = {.name = "perm", .count = 4, .integers = {a, b, c, d}};
    return evn__onnx_node(&t->model, "Transpose", EVN__ONNX_ARGUMENTS(x),
                          EVN__ONNX_ATTRIBUTES(order));
}

/// w [Kh, Kw, Ci, Co] as [Co, Ci, Kh, Kw].
static const char *kernel_first(evn__onnx_translation *t, evn__onnx_value *w) {
    if (!w->kernel_first) {
        w->kernel_first = transpose(t, evn__onnx_name(t, w), 3, 2, 0, 1);
    }
    return w->kernel_first;
}

// Products ----------------------------------------------------------------------------------------

void evn__onnx_MATMUL(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                      evn__onnx_value *y) {
    int row = node->attributes.transpose_a ? 1 : 0, column = node->attributes.transpose_b ? 0 : 1;
    evn__onnx_keep(t, node, x[0]->batch, x[0]->batch == row);
    evn__onnx_keep(t, node, x[1]->batch, x[1]->batch == column);
    y->batch = x[0]->batch >= 0 ? 0 : x[1]->batch >= 0 ? 1 : -1;
    y->name = evn__onnx_node(
        &t->model, "Gemm", EVN__ONNX_ARGUMENTS(evn__onnx_name(t, x[0]), evn__onnx_name(t, x[1])),
        EVN__ONNX_ATTRIBUTES(EVN__ONNX_INTEGER("transA", node->attributes.transpose_a),
                             EVN__ONNX_INTEGER("transB", node->attributes.transpose_b)));
}

void evn__onnx_CONV2D(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                      evn__onnx_value *y) {
    y->batch = evn__onnx_keep(t, node, x[0]->batch, x[0]->batch == 0);
    evn__onnx_keep(t, node, x[1]->batch, false);
    const char *image = evn__onnx_channels_first(t, x[0]), *kernel = kernel_first(t, x[1]);
    y->channels_first =
        evn__onnx_node(&t->model, "Conv", EVN__ONNX_ARGUMENTS(image, kernel),
                       EVN__ONNX_ATTRIBUTES(both("strides", node->attributes.stride),
                                            around("pads", node->attributes.padding)));
}

/// What of `extent` no window begins at: a transposed convolution has to be told.
static int64_t left_over(int64_t extent, int64_t places, int64_t window, int64_t stride,
                         int64_t padding) {
    return extent + 2 * padding - ((places - 1) * stride + window);
}

void evn__onnx_CONV2D_INPUT_GRAD(evn__onnx_translation *t, const evn__node *node,
                                 evn__onnx_value **x, evn__onnx_value *y) {
    const evn__attributes *a = &node->attributes;
    evn__onnx_attribute over = {.name = "output_padding", .count = 2};
    for (int i = 0; i < 2; ++i) {
        over.integers[i] = left_over(node->shape.dim[1 + i], x[0]->shape.dim[1 + i],
                                     x[1]->shape.dim[i], a->stride, a->padding);
    }
    y->batch = evn__onnx_keep(t, node, x[0]->batch, x[0]->batch == 0);
    evn__onnx_keep(t, node, x[1]->batch, false);
    const char *image = evn__onnx_channels_first(t, x[0]), *kernel = kernel_first(t, x[1]);
    y->channels_first = evn__onnx_node(
        &t->model, "ConvTranspose", EVN__ONNX_ARGUMENTS(image, kernel),
        EVN__ONNX_ATTRIBUTES(both("strides", a->stride), around("pads", a->padding), over));
}

/// A convolution whose batch is the channels, and whose kernel is y_bar with gaps between: of its
/// result [Ci, Co, …] the first Kh rows and Kw columns.
void evn__onnx_CONV2D_WEIGHT_GRAD(evn__onnx_translation *t, const evn__node *node,
                                  evn__onnx_value **x, evn__onnx_value *y) {
    const evn__attributes *a = &node->attributes;
    evn__onnx_keep(t, node, x[0]->batch, false);
    evn__onnx_keep(t, node, x[1]->batch, false);
    const char *image = transpose(t, evn__onnx_name(t, x[0]), 3, 0, 1, 2);
    const char *kernel = transpose(t, evn__onnx_name(t, x[1]), 3, 0, 1, 2);
    const char *whole = evn__onnx_node(
        &t->model, "Conv", EVN__ONNX_ARGUMENTS(image, kernel),
        EVN__ONNX_ATTRIBUTES(both("dilations", a->stride), around("pads", a->padding)));
    evn__onnx_list starts = {2, {0, 0}}, axes = {2, {2, 3}};
    evn__onnx_list ends = {2, {node->shape.dim[0], node->shape.dim[1]}};
    const char *from = evn__onnx_integers(&t->model, &starts);
    const char *to = evn__onnx_integers(&t->model, &ends);
    const char *of = evn__onnx_integers(&t->model, &axes);
    const char *cut =
        evn__onnx_node(&t->model, "Slice", EVN__ONNX_ARGUMENTS(whole, from, to, of), NULL);
    y->name = transpose(t, cut, 2, 3, 0, 1);
}

// Normalisation -----------------------------------------------------------------------------------

static const char *filled(evn__onnx_translation *t, const char *what, int64_t count, double value) {
    char name[64];
    snprintf(name, sizeof(name), "%s_%lld", what, (long long)count);
    return evn__onnx_filled(&t->model, name, EVN_SHAPE(count), value);
}

/// InstanceNormalization with the channels of a group as one.
void evn__onnx_NORMALIZE(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                         evn__onnx_value *y) {
    int rank = node->shape.rank, groups = node->attributes.groups;
    evn__onnx_list back = {.count = rank, .items = {0, node->shape.dim[rank - 1]}};
    evn__onnx_list grouped = {3, {0, groups, -1}};
    evn__onnx_attribute last = {.name = "perm", .count = rank, .integers = {0, rank - 1}};
    evn__onnx_attribute first = {.name = "perm", .count = rank};
    for (int i = 2; i < rank; ++i) {
        back.items[i] = node->shape.dim[i - 1];
        last.integers[i] = i - 1;
        first.integers[i - 1] = i;
    }
    first.integers[rank - 1] = 1;
    y->batch = evn__onnx_keep(t, node, x[0]->batch, x[0]->batch == 0);
    if (!x[0]->channels_first) {
        x[0]->channels_first =
            evn__onnx_node(&t->model, "Transpose", EVN__ONNX_ARGUMENTS(evn__onnx_name(t, x[0])),
                           EVN__ONNX_ATTRIBUTES(last));
    }
    const char *in = evn__onnx_reshape(t, x[0]->channels_first, &grouped);
    const char *scale = filled(t, "ones", groups, 1), *shift = filled(t, "zeros", groups, 0);
    const char *unit =
        evn__onnx_node(&t->model, "InstanceNormalization", EVN__ONNX_ARGUMENTS(in, scale, shift),
                       EVN__ONNX_ATTRIBUTES(EVN__ONNX_REAL("epsilon", node->attributes.scalar)));
    y->channels_first = evn__onnx_reshape(t, unit, &back);
    if (rank != 4) { // else where it is needed
        y->name = evn__onnx_node(&t->model, "Transpose", EVN__ONNX_ARGUMENTS(y->channels_first),
                                 EVN__ONNX_ATTRIBUTES(first));
    }
}

static const char *binary(evn__onnx_translation *t, const char *type, const char *a,
                          const char *b) {
    return evn__onnx_node(&t->model, type, EVN__ONNX_ARGUMENTS(a, b), NULL);
}

/// Of x [B, positions, groups, width].
static const char *group_mean(evn__onnx_translation *t, const char *x) {
    const evn__onnx_attribute axes = {.name = "axes", .count = 2, .integers = {1, 3}};
    return evn__onnx_node(&t->model, "ReduceMean", EVN__ONNX_ARGUMENTS(x),
                          EVN__ONNX_ATTRIBUTES(axes, EVN__ONNX_INTEGER("keepdims", 1)));
}

/// (v − mean v − x̂ mean(x̂ v))/σ.
void evn__onnx_NORMALIZE_GRAD(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                              evn__onnx_value *y) {
    int64_t groups = node->attributes.groups;
    int64_t width = node->shape.dim[node->shape.rank - 1] / groups;
    evn__onnx_list grouped = {4, {0, -1, groups, width}}, back = {.count = node->shape.rank};
    for (int i = 1; i < back.count; ++i) {
        back.items[i] = node->shape.dim[i];
    }
    y->batch = evn__onnx_keep(t, node, x[0]->batch, x[0]->batch == 0);
    y->batch = x[1]->batch < 0 ? y->batch : evn__onnx_keep(t, node, x[1]->batch, x[1]->batch == 0);
    const char *in = evn__onnx_reshape(t, evn__onnx_name(t, x[0]), &grouped);
    const char *v = evn__onnx_reshape(t, evn__onnx_name(t, x[1]), &grouped);
    const char *centred = binary(t, "Sub", in, group_mean(t, in));
    const char *variance = group_mean(t, binary(t, "Mul", centred, centred));
    const char *epsilon = evn__onnx_scalar(&t->model, node->attributes.scalar);
    const char *deviation = evn__onnx_node(
        &t->model, "Sqrt", EVN__ONNX_ARGUMENTS(binary(t, "Add", variance, epsilon)), NULL);
    const char *unit = binary(t, "Div", centred, deviation);
    const char *along = binary(t, "Mul", unit, group_mean(t, binary(t, "Mul", unit, v)));
    const char *rest = binary(t, "Sub", binary(t, "Sub", v, group_mean(t, v)), along);
    y->name = evn__onnx_reshape(t, binary(t, "Div", rest, deviation), &back);
}

void evn__onnx_LOG_SOFTMAX(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                           evn__onnx_value *y) {
    y->batch = evn__onnx_keep(t, node, x[0]->batch, x[0]->batch != node->shape.rank - 1);
    y->name = evn__onnx_node(&t->model, "LogSoftmax", EVN__ONNX_ARGUMENTS(evn__onnx_name(t, x[0])),
                             EVN__ONNX_ATTRIBUTES(EVN__ONNX_INTEGER("axis", -1)));
}

// Linear systems ----------------------------------------------------------------------------------

static void refuse_system(evn__onnx_translation *t, const evn__node *node) {
    if (t->status == EVN_OK) {
        t->status = evn__fail(__FILE__, __LINE__, EVN_ERR_ARGUMENT,
                              "%s: ONNX has no operator for %s, the solution of linear systems, "
                              "which implicit solvers need; export with an explicit one, such as "
                              "--solver dopri5",
                              t->model.prefix, evn__op_table[node->op].text);
    }
}

#define NO_OPERATOR(NAME)                                                                          \
    void evn__onnx_##NAME(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,    \
                          evn__onnx_value *y) {                                                    \
        (void)x, (void)y;                                                                          \
        refuse_system(t, node);                                                                    \
    }
NO_OPERATOR(SOLVE)
NO_OPERATOR(ROOT)
NO_OPERATOR(KRYLOV_EXTEND)
NO_OPERATOR(KRYLOV_COMBINE)

// Pooling -----------------------------------------------------------------------------------------

void evn__onnx_MEAN_POOL2D(evn__onnx_translation *t, const evn__node *node, evn__onnx_value **x,
                           evn__onnx_value *y) {
    y->batch = evn__onnx_keep(t, node, x[0]->batch, x[0]->batch == 0);
    const char *image = evn__onnx_channels_first(t, x[0]);
    y->channels_first =
        evn__onnx_node(&t->model, "AveragePool", EVN__ONNX_ARGUMENTS(image),
                       EVN__ONNX_ATTRIBUTES(both("kernel_shape", node->attributes.window),
                                            both("strides", node->attributes.stride)));
}

/// A transposed convolution of each channel by itself with the same share everywhere.
void evn__onnx_MEAN_POOL2D_GRAD(evn__onnx_translation *t, const evn__node *node,
                                evn__onnx_value **x, evn__onnx_value *y) {
    int64_t window = node->attributes.window, stride = node->attributes.stride;
    int64_t channels = node->shape.dim[3];
    char name[64];
    evn__onnx_attribute over = {.name = "output_padding", .count = 2};
    for (int i = 0; i < 2; ++i) {
        over.integers[i] =
            left_over(node->shape.dim[1 + i], x[0]->shape.dim[1 + i], window, stride, 0);
    }
    y->batch = evn__onnx_keep(t, node, x[0]->batch, x[0]->batch == 0);
    snprintf(name, sizeof(name), "share_%lld_%lld", (long long)channels, (long long)window);
    const char *share = evn__onnx_filled(&t->model, name, EVN_SHAPE(channels, 1, window, window),
                                         1 / (double)(window * window));
    const char *image = evn__onnx_channels_first(t, x[0]);
    y->channels_first = evn__onnx_node(
        &t->model, "ConvTranspose", EVN__ONNX_ARGUMENTS(image, share),
        EVN__ONNX_ATTRIBUTES(both("strides", stride), EVN__ONNX_INTEGER("group", channels), over));
}

/// Places of the maxima in the flat image with channels first.
static const char *places(evn__onnx_translation *t, const evn__node *node, evn__onnx_value *x) {
    return evn__onnx_second(&t->model, "MaxPool", evn__onnx_channels_first(t, x),
                            EVN__ONNX_ATTRIBUTES(both("kernel_shape", node->attributes.window),
                                                 both("strides", node->attributes.stride)));
}

static const evn__onnx_list flat = {1, {-1}};

void evn__onnx_MAX_POOL2D_SELECT(evn__onnx_translation *t, const evn__node *node,
                                 evn__onnx_value **x, evn__onnx_value *y) {
    y->batch = evn__onnx_keep(t, node, x[0]->batch, x[0]->batch == 0);
    const char *at = places(t, node, x[0]);
    const char *of = evn__onnx_reshape(t, evn__onnx_channels_first(t, x[1]), &flat);
    y->channels_first = evn__onnx_node(&t->model, "Gather", EVN__ONNX_ARGUMENTS(of, at), NULL);
}

void evn__onnx_MAX_POOL2D_SCATTER(evn__onnx_translation *t, const evn__node *node,
                                  evn__onnx_value **x, evn__onnx_value *y) {
    evn__onnx_model *m = &t->model;
    y->batch = evn__onnx_keep(t, node, x[0]->batch, x[0]->batch == 0);
    const char *at = evn__onnx_reshape(t, places(t, node, x[0]), &flat);
    const char *image = evn__onnx_channels_first(t, x[0]);
    const char *shape = evn__onnx_node(m, "Shape", EVN__ONNX_ARGUMENTS(image), NULL);
    const char *empty = evn__onnx_node(m, "ConstantOfShape", EVN__ONNX_ARGUMENTS(shape), NULL);
    const char *zeros = evn__onnx_reshape(t, empty, &flat);
    const char *what = evn__onnx_reshape(t, evn__onnx_channels_first(t, x[1]), &flat);
    const char *sum = evn__onnx_node(
        m, "ScatterElements", EVN__ONNX_ARGUMENTS(zeros, at, what),
        EVN__ONNX_ATTRIBUTES(EVN__ONNX_INTEGER("axis", 0), EVN__ONNX_TEXT("reduction", "add")));
    y->channels_first = evn__onnx_node(m, "Reshape", EVN__ONNX_ARGUMENTS(sum, shape), NULL);
}
