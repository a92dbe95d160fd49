// SPDX-License-Identifier: Apache-2.0
// Reference of evn_conv2d and its two transposes.
//
// The three are one set of products, y[b, oh, ow, co] ~ x[b, ih, iw, ci] w[kh, kw, ci, co] with
// ih = oh·s − p + kh and iw = ow·s − p + kw, summed into one of the three factors. A tap outside
// the image takes no part, whatever the weight there is.
#include "ref/ref.h"
#include <string.h>

typedef struct convolution {
    const int64_t *x, *w, *y; ///< extents [B, H, W, Ci], [Kh, Kw, Ci, Co], [B, Ho, Wo, Co]
    int64_t stride, padding;
} convolution;

/// One of the products: places of its factors, the channels [0, Ci) and [0, Co) still to come.
typedef struct place {
    int64_t x, w, y; ///< index of channel 0
} place;

typedef void visitor(const convolution *c, place tap, const double *left, const double *right,
                     double *result);

/// Places of output pixel (b, oh, ow) at tap (kh, kw); false outside the image.
static bool find_tap(const convolution *c, int64_t b, int64_t oh, int64_t ow, int64_t kh,
                     int64_t kw, place *tap) {
    int64_t ih = oh * c->stride - c->padding + kh, iw = ow * c->stride - c->padding + kw;
    tap->x = ((b * c->x[1] + ih) * c->x[2] + iw) * c->x[3];
    tap->w = (kh * c->w[1] + kw) * c->w[2] * c->w[3];
    tap->y = ((b * c->y[1] + oh) * c->y[2] + ow) * c->y[3];
    return ih >= 0 && ih < c->x[1] && iw >= 0 && iw < c->x[2];
}

/// Visit all taps of output pixel (b, oh, ow).
static void visit_pixel(const convolution *c, int64_t b, int64_t oh, int64_t ow, visitor *visit,
                        const double *left, const double *right, double *result) {
    for (int64_t kh = 0; kh < c->w[0]; kh++) {
        for (int64_t kw = 0; kw < c->w[1]; kw++) {
            place tap;
            if (find_tap(c, b, oh, ow, kh, kw, &tap)) {
                visit(c, tap, left, right, result);
            }
        }
    }
}

/// Visit every pair of output pixel and tap.
static void visit_all(const convolution *c, visitor *visit, const double *left, const double *right,
                      double *result) {
    for (int64_t b = 0; b < c->y[0]; b++) {
        for (int64_t oh = 0; oh < c->y[1]; oh++) {
            for (int64_t ow = 0; ow < c->y[2]; ow++) {
                visit_pixel(c, b, oh, ow, visit, left, right, result);
            }
        }
    }
}

static void add_output(const convolution *c, place tap, const double *x, const double *w,
                       double *y) {
    int64_t inputs = c->w[2], outputs = c->w[3];
    for (int64_t ci = 0; ci < inputs; ci++) {
        for (int64_t co = 0; co < outputs; co++) {
            y[tap.y + co] += x[tap.x + ci] * w[tap.w + ci * outputs + co];
        }
    }
}

static void add_input_grad(const convolution *c, place tap, const double *y_bar, const double *w,
                           double *x_bar) {
    int64_t inputs = c->w[2], outputs = c->w[3];
    for (int64_t ci = 0; ci < inputs; ci++) {
        for (int64_t co = 0; co < outputs; co++) {
            x_bar[tap.x + ci] += y_bar[tap.y + co] * w[tap.w + ci * outputs + co];
        }
    }
}

static void add_weight_grad(const convolution *c, place tap, const double *x, const double *y_bar,
                            double *w_bar) {
    int64_t inputs = c->w[2], outputs = c->w[3];
    for (int64_t ci = 0; ci < inputs; ci++) {
        for (int64_t co = 0; co < outputs; co++) {
            w_bar[tap.w + ci * outputs + co] += x[tap.x + ci] * y_bar[tap.y + co];
        }
    }
}

static convolution describe(const evn__node *node, const evn__node *x, const evn__node *w,
                            const evn__node *y) {
    return (convolution){x->shape.dim, w->shape.dim, y->shape.dim, node->attributes.stride,
                         node->attributes.padding};
}

static void run(const convolution *c, visitor *visit, const evn__node *node,
                const double *const *operands, double *result) {
    memset(result, 0, (size_t)evn_shape_count(node->shape) * sizeof(*result));
    visit_all(c, visit, operands[0], operands[1], result);
}

/// x [B, H, W, Ci], w [Kh, Kw, Ci, Co] → y [B, Ho, Wo, Co].
void evn__ref_conv2d(const evn_graph *graph, const evn__node *node, const double *const *operands,
                     double *result) {
    convolution c = describe(node, evn__node_at(graph, node->operands[0]),
                             evn__node_at(graph, node->operands[1]), node);
    run(&c, add_output, node, operands, result);
}

/// y_bar [B, Ho, Wo, Co], w → x_bar [B, H, W, Ci].
void evn__ref_conv2d_input_grad(const evn_graph *graph, const evn__node *node,
                                const double *const *operands, double *result) {
    convolution c = describe(node, node, evn__node_at(graph, node->operands[1]),
                             evn__node_at(graph, node->operands[0]));
    run(&c, add_input_grad, node, operands, result);
}

/// x [B, H, W, Ci], y_bar [B, Ho, Wo, Co] → w_bar [Kh, Kw, Ci, Co].
void evn__ref_conv2d_weight_grad(const evn_graph *graph, const evn__node *node,
                                 const double *const *operands, double *result) {
    convolution c = describe(node, evn__node_at(graph, node->operands[0]), node,
                             evn__node_at(graph, node->operands[1]));
    run(&c, add_weight_grad, node, operands, result);
}
