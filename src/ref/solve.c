// SPDX-License-Identifier: Apache-2.0
#include "ref/ref.h"

#include <math.h>
#include <stdlib.h>

static void swap_rows(double *m, double *x, int64_t n, int64_t i, int64_t k) {
    for (int64_t j = 0; j < n; ++j) {
        double kept = m[k * n + j];
        m[k * n + j] = m[i * n + j];
        m[i * n + j] = kept;
    }
    double kept = x[k];
    x[k] = x[i];
    x[i] = kept;
}

/// Golub, Van Loan: Matrix Computations, 3.4: to an upper triangle, the largest pivot of each
/// column first.
static void eliminate(double *m, double *x, int64_t n) {
    for (int64_t k = 0; k < n; ++k) {
        int64_t pivot = k;
        for (int64_t i = k + 1; i < n; ++i) {
            pivot = fabs(m[i * n + k]) > fabs(m[pivot * n + k]) ? i : pivot;
        }
        swap_rows(m, x, n, pivot, k);
        for (int64_t i = k + 1; i < n; ++i) {
            double factor = m[i * n + k] / m[k * n + k];
            for (int64_t j = k + 1; j < n; ++j) {
                m[i * n + j] -= factor * m[k * n + j];
            }
            x[i] -= factor * x[k];
        }
    }
}

static void substitute(const double *m, double *x, int64_t n) {
    for (int64_t k = n - 1; k >= 0; --k) {
        for (int64_t j = k + 1; j < n; ++j) {
            x[k] -= m[k * n + j] * x[j];
        }
        x[k] /= m[k * n + k];
    }
}

void evn__ref_solve(const evn_graph *graph, const evn__node *node, const double *const *operands,
                    double *result) {
    (void)graph;
    int64_t n = node->shape.dim[1], transposed = node->attributes.transpose_a;
    double *m = malloc(sizeof(*m) * (size_t)(n * n));
    for (int64_t sample = 0; sample < node->shape.dim[0]; ++sample) {
        const double *a = operands[0] + sample * n * n;
        double *x = result + sample * n;
        for (int64_t i = 0; i < n; ++i) {
            x[i] = m ? operands[1][sample * n + i] : NAN;
            for (int64_t j = 0; m && j < n; ++j) {
                m[i * n + j] = transposed ? a[j * n + i] : a[i * n + j];
            }
        }
        if (m) {
            eliminate(m, x, n);
            substitute(m, x, n);
        }
    }
    free(m);
}
