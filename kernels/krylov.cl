// SPDX-License-Identifier: Apache-2.0
// krylov.cl — orthonormal bases of Krylov's subspaces, and least squares in them, for each row.
//   krylov_extend:  basis [rows, k, width], w [rows, n] → [rows, k + 1, width]: w without its parts along
//                   the vectors before, at the length 1; behind its n elements those parts and the length.
//   krylov_combine: the basis of a right-hand side and A times each vector → the solution of least residual,
//                   or that residual, [rows, n].
// Twin: src/ref/krylov.c.   Relaxed math: none.
// A row is a work-group's, of ITEMS work-items. `work` [rows, (k + 1)(k + 3)]: columns of H [k, k + 1], the
// right-hand side [k + 1], rotations [k, 2].
// Assumes: k + n < width.
#ifdef EVN_FP64
#define ROUNDING R(2e-14)
#else
#define ROUNDING R(1e-5)
#endif
#define FOR_EACH_OWN(n) for (int i = (int)get_local_id(0); i < (n); i += ITEMS)

#if ITEMS == 1
// On a CPU sixteen sums at once.
INLINE real dot_of(__global const real *a, __global const real *b, const int n) {
    real16 sums = 0;
    int i = 0;
    for (; i + 16 <= n; i += 16) {
        sums += load_16(a + i) * load_16(b + i);
    }
    const real8 s8 = sums.lo + sums.hi;
    const real4 s4 = s8.lo + s8.hi;
    const real2 s2 = s4.lo + s4.hi;
    real sum = s2.x + s2.y;
    for (; i < n; ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}
#define DOT(a, b, n, turn) dot_of(a, b, n)
#define WAIT(fence)
#else
// Each item gets the sum.
INLINE real dot_of(__global const real *a, __global const real *b, const int n, __local real *room) {
    real own = R(0.0);
    FOR_EACH_OWN(n) {
        own += a[i] * b[i];
    }
    group_sums(&own, 1, room, 1, 1);
    return own;
}
#define DOT(a, b, n, turn) dot_of(a, b, n, GROUP_ROOM_AT(room, (turn) % 2))
#define WAIT(fence)        barrier(fence)
#endif

GROUP __kernel void krylov_extend(INPUT(basis), INPUT(w), OUTPUT(extended), const int k, const int n,
                                  const int width) {
    INPUT_OF(basis);
    INPUT_OF(w);
    OUTPUT_OF(extended);
#if ITEMS > 1
    __local real room[GROUP_ROOM(2)]; // in turn: an item may begin a sum while others read the one before
#endif
    const size_t row = get_group_id(0), before = (size_t)k * width;
    __global real *vectors = extended + row * (before + width), *own = vectors + before;
    const bool first = get_local_id(0) == 0;
    FOR_EACH_OWN(k * width) {
        vectors[i] = basis[row * before + i];
    }
    FOR_EACH_OWN(width) {
        own[i] = i < n ? w[row * n + i] : R(0.0);
    }
    WAIT(CLK_GLOBAL_MEM_FENCE);
    const real whole = sqrt(DOT(own, own, n, 0));
    for (int j = 0; j < 2 * k; j++) {
        __global const real *v = vectors + (size_t)(j % k) * width;
        const real part = DOT(v, own, n, j + 1);
        FOR_EACH_OWN(n) {
            own[i] -= part * v[i];
        }
        if (first) {
            own[n + j % k] += part;
        }
        WAIT(CLK_GLOBAL_MEM_FENCE);
    }
    real left = sqrt(DOT(own, own, n, 2 * k + 1));
    left = left <= ROUNDING * whole ? R(0.0) : left; // a NaN stays one
    FOR_EACH_OWN(n) {
        own[i] = left == R(0.0) ? R(0.0) : own[i] / left;
    }
    if (first) {
        own[n + k] = left;
    }
}

INLINE void rotate_columns(__global real *h, __global real *g, __global real *turns, const int k) {
    for (int j = 0; j < k; j++) {
        __global real *column = h + j * (k + 1);
        for (int i = 0; i < j; i++) {
            const real c = turns[2 * i], s = turns[2 * i + 1], above = column[i], below = column[i + 1];
            column[i] = c * above + s * below;
            column[i + 1] = c * below - s * above;
        }
        const real r = sqrt(column[j] * column[j] + column[j + 1] * column[j + 1]);
        const real c = r == R(0.0) ? R(0.0) : column[j] / r; // nothing of g is solved by a column of 0
        const real s = r == R(0.0) ? R(-1.0) : column[j + 1] / r;
        column[j] = r;
        turns[2 * j] = c;
        turns[2 * j + 1] = s;
        g[j + 1] = -s * g[j];
        g[j] = c * g[j];
    }
}

INLINE void substitute(__global const real *h, __global real *g, const int k) {
    for (int i = k - 1; i >= 0; i--) {
        const real pivot = h[i * (k + 1) + i];
        real sum = g[i];
        for (int j = i + 1; j < k; j++) {
            sum -= h[j * (k + 1) + i] * g[j];
        }
        g[i] = pivot == R(0.0) ? R(0.0) : sum / pivot;
    }
    g[k] = R(0.0);
}

INLINE void turn_back(__global const real *turns, __global real *g, const int k) {
    for (int j = 0; j < k; j++) {
        g[j] = R(0.0);
    }
    for (int j = k - 1; j >= 0; j--) {
        const real c = turns[2 * j], s = turns[2 * j + 1], below = g[j + 1];
        g[j] = -s * below;
        g[j + 1] = c * below;
    }
}

GROUP __kernel void krylov_combine(INPUT(basis), OUTPUT(x), OUTPUT(work), const int k, const int n,
                                   const int width, const int residual) {
    INPUT_OF(basis);
    OUTPUT_OF(x);
    OUTPUT_OF(work);
    const size_t row = get_group_id(0);
    __global const real *vectors = basis + row * (k + 1) * width;
    __global real *h = work + row * (k + 1) * (k + 3), *g = h + k * (k + 1), *turns = g + k + 1;
    if (get_local_id(0) == 0) {
        for (int j = 0; j < k; j++) {
            for (int i = 0; i <= k; i++) {
                h[j * (k + 1) + i] = vectors[(size_t)(j + 1) * width + n + i];
            }
        }
        g[0] = vectors[n];
        rotate_columns(h, g, turns, k);
        if (residual) {
            turn_back(turns, g, k);
        } else {
            substitute(h, g, k);
        }
    }
    WAIT(CLK_GLOBAL_MEM_FENCE);
    FOR_EACH_OWN(n) {
        real sum = R(0.0);
        for (int j = 0; j <= k; j++) {
            sum += g[j] * vectors[(size_t)j * width + i];
        }
        x[row * n + i] = sum;
    }
}
