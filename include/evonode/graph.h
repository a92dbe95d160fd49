// SPDX-License-Identifier: Apache-2.0
/// @file
/// A graph: a pure function from named inputs to named outputs, built from primitive operations.
/// It is data only: no device, no precision. Values are dense, row-major (C order).
///
/// Builders check shapes and link; they return EVN_NONE after the first failure, which sticks to
/// the graph (evn_graph_status), so that a network can be written without a test in every line. A
/// shape that is invalid, or does not go with the operands, is EVN_ERR_SHAPE; any other argument
/// that a builder does not take is EVN_ERR_ARGUMENT.
///
/// Shape letters: B batch, H height, W width, C channels (channels last), K kernel size, N classes.
#ifndef EVONODE_GRAPH_H
#define EVONODE_GRAPH_H

#include "evonode/status.h"
#include <stdbool.h>
#include <stdint.h>

/// Bounds.
enum {
    EVN_MAX_RANK = 6,   ///< axes of a shape
    EVN_MAX_INPUTS = 8, ///< operands of evn_concat
    EVN_MAX_NAME = 200, ///< bytes of the name of an input or output
};

/// Nodes, inputs and outputs. Owned by who created it.
typedef struct evn_graph evn_graph;

/// A value of a graph: the number of the node that computes it; valid for that graph only.
typedef int32_t evn_value;
/// No value: what a builder returns after a failure.
#define EVN_NONE (-1)

/// Extents in C order; rank 0 is a scalar; every extent >= 1.
typedef struct evn_shape {
    int rank;                  ///< 0 … EVN_MAX_RANK
    int64_t dim[EVN_MAX_RANK]; ///< the first `rank` count
} evn_shape;

/// EVN_SHAPE(3, 4): the shape [3, 4]. EVN_SCALAR: the shape of a scalar.
#ifdef __cplusplus // which has no compound literals
template <typename... Extents> inline evn_shape evn_shape_of(Extents... extents) {
    return evn_shape{static_cast<int>(sizeof...(extents)), {static_cast<int64_t>(extents)...}};
}
#define EVN_SHAPE(...) (evn_shape_of(__VA_ARGS__))
/// The shape of a scalar, [].
#define EVN_SCALAR (evn_shape{0, {0}})
#else
/// @cond
#define EVN_SHAPE_COUNT_(...) ((int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))
/// @endcond
#define EVN_SHAPE(...)        ((evn_shape){EVN_SHAPE_COUNT_(__VA_ARGS__), {__VA_ARGS__}})
/// The shape of a scalar, [].
#define EVN_SCALAR            ((evn_shape){0, {0}})
#endif

EVN_API_BEGIN

/// Number of elements; 0 when it is no shape: a rank below 0 or over EVN_MAX_RANK, an extent below
/// 1, or a product of the extents that 64 bits cannot hold with some room to spare.
int64_t evn_shape_count(evn_shape shape);
/// Same rank and extents.
bool evn_shape_equal(evn_shape a, evn_shape b);

/// A graph without nodes.
evn_status evn_graph_create(evn_graph **graph);
void evn_graph_destroy(evn_graph **graph); ///< nulls; accepts NULL

/// The first failure of a builder, EVN_OK if none; restores its message as the last one.
evn_status evn_graph_status(const evn_graph *graph);

/// Stable text, one line a node, for golden tests and for reading. Freed by the caller.
evn_status evn_graph_print(const evn_graph *graph, char **text);

// Inputs, outputs, inlining ----------------------------------------------------------------------

/// A named input; the name must be new among the inputs.
evn_value evn_input(evn_graph *graph, const char *name, evn_shape shape);
/// Name a value as an output; the name must be new among the outputs.
void evn_output(evn_graph *graph, const char *name, evn_value value);

/// Number of inputs.
int evn_graph_input_count(const evn_graph *graph);
/// Number of outputs.
int evn_graph_output_count(const evn_graph *graph);
/// Input number `index`, in the order in which they were made.
evn_value evn_graph_input(const evn_graph *graph, int index);
/// Output number `index`, in the order in which they were named.
evn_value evn_graph_output(const evn_graph *graph, int index);
/// Name of input number `index`; borrowed.
const char *evn_graph_input_name(const evn_graph *graph, int index);
/// Name of output number `index`; borrowed.
const char *evn_graph_output_name(const evn_graph *graph, int index);
/// Index of the input of that name, -1 when there is none.
int evn_graph_find_input(const evn_graph *graph, const char *name);
/// Index of the output of that name, -1 when there is none.
int evn_graph_find_output(const evn_graph *graph, const char *name);
/// Shape of a value; EVN_SCALAR for one that the graph does not have.
evn_shape evn_value_shape(const evn_graph *graph, evn_value value);

/// Copy the nodes of `callee` into `graph`, its inputs replaced by `inputs` (one per input, of the
/// same shapes); outputs[i] receives the value of output i.
/// @return EVN_ERR_ARGUMENT for a value that the graph does not have; EVN_ERR_SHAPE
evn_status evn_graph_inline(evn_graph *graph, const evn_graph *callee, const evn_value *inputs,
                            evn_value *outputs);

// Constants --------------------------------------------------------------------------------------

evn_value evn_constant(evn_graph *graph, double value); ///< a scalar
/// Every element is `value`.
evn_value evn_full(evn_graph *graph, evn_shape shape, double value);
/// A tensor of `data` [shape]; copied. For small tables: stencils, masks.
evn_value evn_table(evn_graph *graph, evn_shape shape, const double *data);

// Element-wise; operands of two-argument operations are broadcast against each other as in NumPy
// ----
// A NaN stays one in all of them but evn_mask, as do infinities where the mathematics has them.

evn_value evn_add(evn_graph *graph, evn_value a, evn_value b);     ///< a + b
evn_value evn_sub(evn_graph *graph, evn_value a, evn_value b);     ///< a − b
evn_value evn_mul(evn_graph *graph, evn_value a, evn_value b);     ///< a b
evn_value evn_div(evn_graph *graph, evn_value a, evn_value b);     ///< a / b
evn_value evn_maximum(evn_graph *graph, evn_value a, evn_value b); ///< the larger
/// x where keep > 0, else 0, whatever x is there: NaN too; where keep is NaN, it is 0. Derivative 0
/// with respect to keep.
evn_value evn_mask(evn_graph *graph, evn_value x, evn_value keep);
evn_value evn_neg(evn_graph *graph, evn_value x);      ///< −x
evn_value evn_abs(evn_graph *graph, evn_value x);      ///< |x|
evn_value evn_sign(evn_graph *graph, evn_value x);     ///< −1, 0 or 1; derivative 0
evn_value evn_step(evn_graph *graph, evn_value x);     ///< 1 where x > 0, else 0; derivative 0
evn_value evn_detach(evn_graph *graph, evn_value x);   ///< x, but with derivative 0
evn_value evn_exp(evn_graph *graph, evn_value x);      ///< eˣ
evn_value evn_log(evn_graph *graph, evn_value x);      ///< natural logarithm
evn_value evn_sqrt(evn_graph *graph, evn_value x);     ///< √x
evn_value evn_sin(evn_graph *graph, evn_value x);      ///< of radians
evn_value evn_cos(evn_graph *graph, evn_value x);      ///< of radians
evn_value evn_tanh(evn_graph *graph, evn_value x);     ///< hyperbolic tangent
evn_value evn_sigmoid(evn_graph *graph, evn_value x);  ///< 1 / (1 + e⁻ˣ)
evn_value evn_softplus(evn_graph *graph, evn_value x); ///< log(1 + eˣ), without overflow
evn_value evn_relu(evn_graph *graph, evn_value x);     ///< max(x, 0)
evn_value evn_scale(evn_graph *graph, evn_value x, double factor); ///< factor x

// Views ------------------------------------------------------------------------------------------

/// The same elements in C order, in another shape of as many.
evn_value evn_reshape(evn_graph *graph, evn_value x, evn_shape shape);
/// Extents of 1 (and missing leading ones) are repeated up to `shape`.
evn_value evn_broadcast(evn_graph *graph, evn_value x, evn_shape shape);
/// Output axis i is input axis order[i].
evn_value evn_permute(evn_graph *graph, evn_value x, const int *order);
/// Elements start[i] … start[i] + shape.dim[i] − 1 of every axis.
evn_value evn_slice(evn_graph *graph, evn_value x, const int64_t *start, evn_shape shape);
/// The transpose of a slice: zeros of `shape` with x placed at `start`.
evn_value evn_pad(evn_graph *graph, evn_value x, const int64_t *start, evn_shape shape);
/// Join `count` (1 … EVN_MAX_INPUTS) tensors along `axis`.
evn_value evn_concat(evn_graph *graph, const evn_value *parts, int count, int axis);

// Reductions -------------------------------------------------------------------------------------

/// Sum over the axes of the bit mask `axes` (bit i = axis i); those extents become 1.
evn_value evn_sum(evn_graph *graph, evn_value x, unsigned axes);
/// Sum of all elements; a scalar.
evn_value evn_sum_all(evn_graph *graph, evn_value x);
/// Mean over axes, as evn_sum.
evn_value evn_mean(evn_graph *graph, evn_value x, unsigned axes);
/// Sum x down to `shape`: the transpose of evn_broadcast.
evn_value evn_sum_to(evn_graph *graph, evn_value x, evn_shape shape);

// Linear algebra ---------------------------------------------------------------------------------

/// op(a) op(b) with op(a) [M, K], op(b) [K, N]; a transposed operand is stored as its transpose.
evn_value evn_matmul(evn_graph *graph, evn_value a, evn_value b, bool transpose_a,
                     bool transpose_b);

/// The solutions x [B, n] of op(a) x = b for each of B samples, a [B, n, n], b [B, n]; transposed,
/// op(a) is the transpose. By elimination with row pivots; what a singular matrix has is not
/// finite.
evn_value evn_linear_solve(evn_graph *graph, evn_value a, evn_value b, bool transpose);

/// Stride and zero padding are the same for both axes.
typedef struct evn_conv2d_options {
    int stride;  ///< >= 1
    int padding; ///< >= 0, rows and columns of zeros on each side
} evn_conv2d_options;

/// Cross-correlation: x [B, H, W, Ci], w [Kh, Kw, Ci, Co] →
/// [B, (H + 2p − Kh)/s + 1, (W + 2p − Kw)/s + 1, Co].
evn_value evn_conv2d(evn_graph *graph, evn_value x, evn_value w, evn_conv2d_options options);
/// The transpose in x: y_bar [B, Ho, Wo, Co], w → x_bar of shape `x` [B, H, W, Ci].
evn_value evn_conv2d_input_grad(evn_graph *graph, evn_value y_bar, evn_value w, evn_shape x,
                                evn_conv2d_options options);
/// The transpose in w: x, y_bar → w_bar of shape `w` [Kh, Kw, Ci, Co].
evn_value evn_conv2d_weight_grad(evn_graph *graph, evn_value x, evn_value y_bar, evn_shape w,
                                 evn_conv2d_options options);

// Networks ---------------------------------------------------------------------------------------

/// (x − mean)/sqrt(variance + epsilon), epsilon >= 0, over each sample's group of C/groups
/// channels, x [B, …, C]; the biased variance. GroupNorm without its scale and shift.
evn_value evn_normalize(evn_graph *graph, evn_value x, int groups, double epsilon);
/// The derivative of evn_normalize at x applied to v; it is its own transpose.
evn_value evn_normalize_grad(evn_graph *graph, evn_value x, evn_value v, int groups,
                             double epsilon);
/// x − log Σ exp x along the last axis, without overflow.
evn_value evn_log_softmax(evn_graph *graph, evn_value x);
/// Mean over windows: x [B, H, W, C] → [B, (H − window)/stride + 1, …, C].
evn_value evn_mean_pool2d(evn_graph *graph, evn_value x, int window, int stride);
/// The transpose of evn_mean_pool2d: y_bar → shape `x`.
evn_value evn_mean_pool2d_grad(evn_graph *graph, evn_value y_bar, evn_shape x, int window,
                               int stride);
/// Maximum over windows; of equal elements the first in row order counts.
evn_value evn_max_pool2d(evn_graph *graph, evn_value x, int window, int stride);
/// The elements of v [shape of x] at the places of x's window maxima.
evn_value evn_max_pool2d_select(evn_graph *graph, evn_value x, evn_value v, int window, int stride);
/// The transpose in v: y_bar added to the places of x's window maxima.
evn_value evn_max_pool2d_scatter(evn_graph *graph, evn_value x, evn_value y_bar, int window,
                                 int stride);

EVN_API_END

#endif
