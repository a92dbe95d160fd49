// SPDX-License-Identifier: Apache-2.0
// solve.cl — op(a) x = b for each sample: a [samples, n, n], b and x [samples, n]; task: a sample.
// Twin: src/ref/solve.c.   Relaxed math: none.
// `work` [samples, n, n] is eliminated in place, with the largest pivot of each column.
INLINE int find_pivot(__global const real *m, const int n, const int k) {
    int pivot = k;
    for (int i = k + 1; i < n; i++) {
        pivot = fabs(m[i * n + k]) > fabs(m[pivot * n + k]) ? i : pivot;
    }
    return pivot;
}

INLINE void swap_rows(__global real *m, __global real *x, const int n, const int i, const int k) {
    for (int j = k; j < n; j++) {
        const real kept = m[k * n + j];
        m[k * n + j] = m[i * n + j];
        m[i * n + j] = kept;
    }
    const real kept = x[k];
    x[k] = x[i];
    x[i] = kept;
}

INLINE void eliminate(__global real *m, __global real *x, const int n) {
    for (int k = 0; k < n; k++) {
        swap_rows(m, x, n, find_pivot(m, n, k), k);
        for (int i = k + 1; i < n; i++) {
            const real factor = m[i * n + k] / m[k * n + k];
            for (int j = k + 1; j < n; j++) {
                m[i * n + j] -= factor * m[k * n + j];
            }
            x[i] -= factor * x[k];
        }
    }
}

INLINE void substitute(__global const real *m, __global real *x, const int n) {
    for (int k = n - 1; k >= 0; k--) {
        real sum = x[k];
        for (int j = k + 1; j < n; j++) {
            sum -= m[k * n + j] * x[j];
        }
        x[k] = sum / m[k * n + k];
    }
}

__kernel void solve(INPUT(a), INPUT(b), OUTPUT(x), OUTPUT(work), const int n, const int transposed,
                    TASKS) {
    INPUT_OF(a);
    INPUT_OF(b);
    OUTPUT_OF(x);
    OUTPUT_OF(work);
    FOR_EACH_TASK {
        const size_t first = (size_t)task * n;
        __global const real *matrix = a + first * n;
        __global real *m = work + first * n;
        for (int i = 0; i < n; i++) {
            x[first + i] = b[first + i];
            for (int j = 0; j < n; j++) {
                m[i * n + j] = matrix[transposed ? j * n + i : i * n + j];
            }
        }
        eliminate(m, x + first, n);
        substitute(m, x + first, n);
    }
}
