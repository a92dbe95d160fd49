// SPDX-License-Identifier: Apache-2.0
// Saad: Iterative Methods for Sparse Linear Systems, 2nd ed., 6.3 and 6.5.
#include "ref/ref.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double dot(const double *a, const double *b, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}

static void subtract(double *w, double factor, const double *v, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
        w[i] -= factor * v[i];
    }
}

/// vectors [k + 1, width], of which the last is 0 but for w in its first n elements.
static void orthonormalize(double *vectors, int64_t k, int64_t n, int64_t width) {
    double *w = vectors + k * width, *coefficients = w + n;
    double before = sqrt(dot(w, w, n));
    for (int64_t i = 0; i < 2 * k; ++i) {
        const double *v = vectors + i % k * width;
        double part = dot(v, w, n);
        coefficients[i % k] += part;
        subtract(w, part, v, n);
    }
    double left = sqrt(dot(w, w, n));
    left = left <= 2e-14 * before ? 0 : left; // a NaN stays one
    coefficients[k] = left;
    for (int64_t i = 0; i < n; ++i) {
        w[i] = left == 0 ? 0 : w[i] / left;
    }
}

void evn__ref_krylov_extend(const evn_graph *graph, const evn__node *node,
                            const double *const *operands, double *result) {
    int64_t k = node->shape.dim[1] - 1, width = node->shape.dim[2];
    int64_t n = evn_value_shape(graph, node->operands[k > 0]).dim[1];
    for (int64_t row = 0; row < node->shape.dim[0]; ++row) {
        double *vectors = result + row * (k + 1) * width, *w = vectors + k * width;
        if (k > 0) {
            memcpy(vectors, operands[0] + row * k * width, sizeof(double) * (size_t)(k * width));
        }
        memset(w, 0, sizeof(double) * (size_t)width);
        memcpy(w, operands[k > 0] + row * n, sizeof(double) * (size_t)n);
        orthonormalize(vectors, k, n, width);
    }
}

/// Of min |β e₁ − H y|: H [k + 1, k] to an upper triangle by rotations, [2, k] of which are kept;
/// `h` [k, k + 1] has a column in each row, `g` [k + 1] the right-hand side.
static void rotate(double *h, double *g, double *turns, int64_t k) {
    for (int64_t j = 0; j < k; ++j) {
        double *column = h + j * (k + 1);
        for (int64_t i = 0; i < j; ++i) {
            double c = turns[2 * i], s = turns[2 * i + 1], above = column[i], below = column[i + 1];
            column[i] = c * above + s * below;
            column[i + 1] = c * below - s * above;
        }
        double r = sqrt(column[j] * column[j] + column[j + 1] * column[j + 1]);
        double c = r == 0 ? 0 : column[j] / r; // nothing of g is solved by a column of 0
        double s = r == 0 ? -1 : column[j + 1] / r;
        column[j] = r;
        turns[2 * j] = c;
        turns[2 * j + 1] = s;
        g[j + 1] = -s * g[j];
        g[j] = c * g[j];
    }
}

/// y into g; what no vector belongs to is 0.
static void substitute(const double *h, double *g, int64_t k) {
    for (int64_t i = k - 1; i >= 0; --i) {
        double sum = g[i], pivot = h[i * (k + 1) + i];
        for (int64_t j = i + 1; j < k; ++j) {
            sum -= h[j * (k + 1) + i] * g[j];
        }
        g[i] = pivot == 0 ? 0 : sum / pivot;
    }
    g[k] = 0;
}

/// β e₁ − H y into g: of the turned right-hand side the last element, turned back.
static void turn_back(const double *turns, double *g, int64_t k) {
    for (int64_t j = 0; j < k; ++j) {
        g[j] = 0;
    }
    for (int64_t j = k - 1; j >= 0; --j) {
        double c = turns[2 * j], s = turns[2 * j + 1], below = g[j + 1];
        g[j] = -s * below;
        g[j + 1] = c * below;
    }
}

static void combine(const evn__node *node, const double *vectors, int64_t k, int64_t width,
                    double *h, double *result) {
    double *g = h + k * (k + 1), *turns = g + k + 1;
    int64_t n = node->attributes.columns;
    for (int64_t j = 0; j < k; ++j) {
        memcpy(h + j * (k + 1), vectors + (j + 1) * width + n, sizeof(double) * (size_t)(k + 1));
        g[j + 1] = 0;
    }
    g[0] = vectors[n];
    rotate(h, g, turns, k);
    if (node->attributes.residual) {
        turn_back(turns, g, k);
    } else {
        substitute(h, g, k);
    }
    memset(result, 0, sizeof(double) * (size_t)n);
    for (int64_t i = 0; i <= k; ++i) {
        subtract(result, -g[i], vectors + i * width, n);
    }
}

void evn__ref_krylov_combine(const evn_graph *graph, const evn__node *node,
                             const double *const *operands, double *result) {
    evn_shape basis = evn_value_shape(graph, node->operands[0]);
    int64_t k = basis.dim[1] - 1, width = basis.dim[2], n = node->attributes.columns;
    double *h = malloc(sizeof(*h) * (size_t)((k + 1) * (k + 3)));
    for (int64_t row = 0; row < basis.dim[0]; ++row) {
        if (h) {
            combine(node, operands[0] + row * (k + 1) * width, k, width, h, result + row * n);
        }
        for (int64_t i = 0; !h && i < n; ++i) {
            result[row * n + i] = NAN;
        }
    }
    free(h);
}

void evn__ref_root(const evn_graph *graph, const evn__node *node, const double *const *operands,
                   double *result) {
    (void)graph;
    memcpy(result, operands[0], sizeof(double) * (size_t)evn_shape_count(node->shape));
}
