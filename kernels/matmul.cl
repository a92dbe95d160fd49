// SPDX-License-Identifier: Apache-2.0
// matmul.cl — C[M, N] = A[M, K] B[K, N].   Twin: src/ref/matmul.c
// A work-item computes ROWS × (VECTORS · WIDTH) elements of C in registers: no local memory, no
// barrier. A is read as scalars, at any pair of strides, so that A and its transpose cost the same.
// Assumes: rows of B are contiguous, `b_stride` >= VECTORS · WIDTH apart; where they are not (B is
// transposed, or N is small), matmul_pack makes such a copy first. Any M, N, K >= 1.
// matmul_blocked, for CPUs, makes the copies itself, of parts that stay in the caches.
// matmul_small serves products that are not worth a launch for the copy, matmul_flat those of few terms
// and few, long rows.
// matmul_dot serves few rows of A against a transposed B: a copy of B would cost more than the
// product, and the rows of both are contiguous.
// Split K: slice s of `slice` terms goes to its own C, s·M·N elements on; matmul_add adds them up.
// Tuned: ROWS, VECTORS, WIDTH (variant.cl).   Relaxed math: none.

// packed[k, n] = B[k, n] at strides (b_row, b_column), zero for n >= n_count. A work-item copies
// EVN_PACK_ROWS elements of one column: read or written, a cache line is used whole.
__kernel void matmul_pack(INPUT(b), OUTPUT(packed), const int n_count, const int packed_count,
                          const int k_count, const int b_row, const int b_column) {
    INPUT_OF(b);
    OUTPUT_OF(packed);
    const int n = (int)get_global_id(0), k0 = (int)get_global_id(1) * EVN_PACK_ROWS;
    if (n < packed_count) {
        for (int k = k0; k < min(k0 + EVN_PACK_ROWS, k_count); k++) {
            packed[(long)k * packed_count + n] =
                n < n_count ? b[(long)k * b_row + (long)n * b_column] : R(0.0);
        }
    }
}

// Rows past the end repeat the last one; columns of the last tile start early enough to be read
// whole. What belongs to another work-item, or to none, is not stored.
__kernel void matmul(INPUT(a), INPUT(b), OUTPUT(c), const int m_count, const int n_count,
                     const int k_count, const int a_row, const int a_column, const int b_stride,
                     const int slice EPILOGUE_PARAMETERS) {
    INPUT_OF(a);
    INPUT_OF(b);
    OUTPUT_OF(c);
    const int n0 = (int)get_global_id(0) * COLUMNS, m0 = (int)get_global_id(1) * ROWS;
    const long k0 = (long)get_global_id(2) * slice;
    if (n0 >= n_count || m0 >= m_count || k0 >= k_count) {
        return;
    }
    const int first = min(n0, b_stride - COLUMNS);
    __global const real *a_rows[ROWS];
    vector sum[ROWS][VECTORS];
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        a_rows[i] = a + (long)min(m0 + i, m_count - 1) * a_row + k0 * a_column;
#pragma unroll
        for (int j = 0; j < VECTORS; j++) {
            sum[i][j] = (vector)(R(0.0));
        }
    }
    __global const real *b_k = b + k0 * b_stride + first;
    const int terms = (int)min((long)slice, k_count - k0);
    for (long k = 0; k < terms; k++) {
        vector right[VECTORS];
#pragma unroll
        for (int j = 0; j < VECTORS; j++) {
            right[j] = LOAD(j, b_k);
        }
#pragma unroll
        for (int i = 0; i < ROWS; i++) {
            const vector left = (vector)(a_rows[i][k * a_column]);
#pragma unroll
            for (int j = 0; j < VECTORS; j++) {
                sum[i][j] = MULTIPLY_ADD(left, right[j], sum[i][j]);
            }
        }
        b_k += b_stride;
    }
    c += (long)get_global_id(2) * m_count * n_count;
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
#pragma unroll
        for (int j = 0; j < VECTORS; j++) {
            if (m0 + i < m_count) {
                store(sum[i][j], c + (long)(m0 + i) * n_count, first + j * WIDTH, n0, n_count);
            }
        }
    }
    for (int m = m0; m < min(m0 + ROWS, m_count); m++) {
        EPILOGUE(c, m, n0, min(n0 + COLUMNS, n_count));
    }
}

#ifdef BLOCK_COLUMNS
// Blocked for the caches of a CPU: a work-item computes `rows` × `columns` <= BLOCK_COLUMNS elements
// of C, at most DEPTH terms at a time. It copies these terms of its columns of B into local memory, as panels
// of COLUMNS, and multiplies each panel, which stays in the first-level cache, with all rows of A,
// which stay in the second-level cache until the last panel. Packing avoids cache-set
// conflicts: cache lines of B a power of two apart would displace each other.

// panel[k, n] = B[k, n] of the `terms` × `count` elements at b, one by one; zero up to COLUMNS.
INLINE void pack_panel(__global const real *b, __local real *panel, const int count, const int terms,
                const int b_row, const int b_column) {
    if (b_column == 1) {
        for (int k = 0; k < terms; k++) {
            for (int n = 0; n < COLUMNS; n++) {
                panel[k * COLUMNS + n] = n < count ? b[(long)k * b_row + n] : R(0.0);
            }
        }
        return;
    }
    for (int k0 = 0; k0 < terms; k0 += EVN_PACK_ROWS) {
        for (int n = 0; n < COLUMNS; n++) {
            for (int k = k0; k < min(k0 + EVN_PACK_ROWS, terms); k++) {
                panel[k * COLUMNS + n] =
                    n < count ? b[(long)k * b_row + (long)n * b_column] : R(0.0);
            }
        }
    }
}

// As many panels as `count` columns fill, one after the other. Whole rows are copied through all
// panels at once, since each may lie in another page of memory.
INLINE void pack_panels(__global const real *b, __local real *packed, const int count, const int terms,
                 const int b_row, const int b_column) {
    const int whole = b_column == 1 ? count / COLUMNS * COLUMNS : 0;
    for (int k = 0; k < terms; k++) {
        for (int n = 0; n < whole; n += COLUMNS) {
            for (int j = 0; j < VECTORS; j++) {
                STORE(LOAD(j, b + (long)k * b_row + n), j, packed + n * DEPTH + k * COLUMNS);
            }
        }
    }
    for (int n = whole; n < count; n += COLUMNS) {
        pack_panel(b + (long)n * b_column, packed + n * DEPTH, count - n, terms, b_row, b_column);
    }
}

// ROWS rows of A times a packed panel, to the `rows` × `count` elements at c; added to what is there
// unless `first`. Rows of A past `rows` repeat the last one.
INLINE void multiply_panel(__global const real *a, __local const real *packed, __global real *c, const int rows,
                    const int count, const int terms, const int a_row, const int a_column,
                    const int c_row, const bool first) {
    __global const real *a_rows[ROWS];
    vector sum[ROWS][VECTORS];
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
        a_rows[i] = a + (long)min(i, rows - 1) * a_row;
#pragma unroll
        for (int j = 0; j < VECTORS; j++) {
            sum[i][j] = (vector)(R(0.0));
        }
    }
    for (long k = 0; k < terms; k++) {
        vector right[VECTORS];
#pragma unroll
        for (int j = 0; j < VECTORS; j++) {
            right[j] = LOAD(j, packed + k * COLUMNS);
        }
#pragma unroll
        for (int i = 0; i < ROWS; i++) {
            const vector left = (vector)(a_rows[i][k * a_column]);
#pragma unroll
            for (int j = 0; j < VECTORS; j++) {
                sum[i][j] = MULTIPLY_ADD(left, right[j], sum[i][j]);
            }
        }
    }
    real tile[ROWS * COLUMNS];
    const bool whole = rows >= ROWS && count >= COLUMNS;
#pragma unroll
    for (int i = 0; i < ROWS; i++) {
#pragma unroll
        for (int j = 0; j < VECTORS; j++) {
            if (whole) {
                __global real *to = c + (long)i * c_row;
                STORE(first ? sum[i][j] : sum[i][j] + LOAD(j, to), j, to);
            } else {
                STORE(sum[i][j], j, tile + i * COLUMNS);
            }
        }
    }
    for (int i = 0; !whole && i < min(rows, ROWS); i++) {
        for (int n = 0; n < min(count, COLUMNS); n++) {
            __global real *to = c + (long)i * c_row + n;
            *to = first ? tile[i * COLUMNS + n] : *to + tile[i * COLUMNS + n];
        }
    }
}

__kernel void matmul_blocked(INPUT(a), INPUT(b), OUTPUT(c), const int m_count, const int n_count,
                             const int k_count, const int a_row, const int a_column,
                             const int b_row, const int b_column, const int rows,
                             const int columns, const int slice EPILOGUE_PARAMETERS) {
    INPUT_OF(a);
    INPUT_OF(b);
    OUTPUT_OF(c);
    __local real packed[DEPTH * BLOCK_COLUMNS] __attribute__((aligned(64)));
    const int n0 = (int)get_global_id(0) * columns, m0 = (int)get_global_id(1) * rows;
    const int n_end = min(n0 + columns, n_count), m_end = min(m0 + rows, m_count);
    const int k0 = (int)get_global_id(2) * slice, k_end = min(k0 + slice, k_count);
    c += (long)get_global_id(2) * m_count * n_count;
    const int copies = (k_end - k0 + DEPTH - 1) / DEPTH, depth = (k_end - k0 + copies - 1) / copies;
    for (int k = k0; k < k_end; k += depth) {
        const int terms = min(depth, k_end - k);
        pack_panels(b + (long)k * b_row + (long)n0 * b_column, packed, n_end - n0, terms, b_row,
                    b_column);
        for (int n = n0; n < n_end; n += COLUMNS) {
            for (int m = m0; m < m_end; m += ROWS) {
                multiply_panel(a + (long)m * a_row + (long)k * a_column,
                               packed + (n - n0) * DEPTH, c + (long)m * n_count + n, m_end - m,
                               n_end - n, terms, a_row, a_column, n_count, k == k0);
            }
        }
    }
    for (int m = m0; m < m_end; m++) {
        EPILOGUE(c, m, n0, n_end);
    }
}
#endif

static real add_lanes(const vector x) {
#if WIDTH == 16
    const real8 eight = x.lo + x.hi;
    const real4 four = eight.lo + eight.hi;
#elif WIDTH == 8
    const real4 four = x.lo + x.hi;
#else
    const real4 four = x;
#endif
    const real2 two = four.lo + four.hi;
    return two.lo + two.hi;
}

// c[m, n] = sum of a[m, k] b[n, k] over k, for one m and `run` adjacent n, EVN_DOTS at a time; a[m, .] is
// contiguous.
__kernel void matmul_dot(INPUT(a), INPUT(b), OUTPUT(c), const int n_count, const int k_count,
                         const int run EPILOGUE_PARAMETERS) {
    INPUT_OF(a);
    INPUT_OF(b);
    OUTPUT_OF(c);
    const int first = (int)get_global_id(0) * run, end = min(first + run, n_count);
    const long m = (long)get_global_id(1);
    __global const real *left = a + m * k_count, *right[EVN_DOTS];
    for (int n0 = first; n0 < end; n0 += EVN_DOTS) {
        vector sum[EVN_DOTS];
#pragma unroll
        for (int i = 0; i < EVN_DOTS; i++) {
            right[i] = b + (long)min(n0 + i, n_count - 1) * k_count;
            sum[i] = (vector)(R(0.0));
        }
        int k = 0;
        for (; k + WIDTH <= k_count; k += WIDTH) {
            const vector x = LOAD(0, left + k);
#pragma unroll
            for (int i = 0; i < EVN_DOTS; i++) {
                sum[i] = MULTIPLY_ADD(x, LOAD(0, right[i] + k), sum[i]);
            }
        }
#pragma unroll
        for (int i = 0; i < EVN_DOTS; i++) {
            real total = add_lanes(sum[i]);
            for (int t = k; t < k_count; t++) {
                total = MULTIPLY_ADD(left[t], right[i][t], total);
            }
            if (n0 + i < end) {
                c[m * n_count + n0 + i] = total;
            }
        }
    }
    EPILOGUE(c, m, first, end);
}

// c[m, n] for one m and EVN_SMALL_RUN adjacent n, B at any pair of strides: for products that are smaller work
// than a copy of B. Four sums at once hide the latency of an addition.
__kernel void matmul_small(INPUT(a), INPUT(b), OUTPUT(c), const int n_count, const int k_count,
                           const int a_row, const int a_column, const int b_row,
                           const int b_column EPILOGUE_PARAMETERS) {
    INPUT_OF(a);
    INPUT_OF(b);
    OUTPUT_OF(c);
    const int n0 = (int)get_global_id(0) * EVN_SMALL_RUN, m = (int)get_global_id(1);
    __global const real *left = a + (long)m * a_row;
    for (int n = n0; n < min(n0 + EVN_SMALL_RUN, n_count); n++) {
        __global const real *right = b + (long)n * b_column;
        real4 sum = R(0.0);
        int k = 0;
        for (; k + 4 <= k_count; k += 4) {
            const real4 x = (real4)(left[k * a_column], left[(k + 1) * a_column],
                                    left[(k + 2) * a_column], left[(k + 3) * a_column]);
            const real4 y = (real4)(right[k * b_row], right[(k + 1) * b_row],
                                    right[(k + 2) * b_row], right[(k + 3) * b_row]);
            sum = MULTIPLY_ADD(x, y, sum);
        }
        real total = (sum.s0 + sum.s1) + (sum.s2 + sum.s3);
        for (; k < k_count; k++) {
            total = MULTIPLY_ADD(left[k * a_column], right[k * b_row], total);
        }
        c[(long)m * n_count + n] = total;
    }
    EPILOGUE(c, m, n0, min(n0 + EVN_SMALL_RUN, n_count));
}

// EVN_SMALL_RUN adjacent columns of c, row by row, B with contiguous rows: for products of few terms, in which the
// rows of tiles would be too far apart to be fetched ahead. FLAT vectors at once.
#define FLAT 4
__kernel void matmul_flat(INPUT(a), INPUT(b), OUTPUT(c), const int m_count, const int n_count,
                          const int k_count, const int a_row,
                          const int a_column EPILOGUE_PARAMETERS) {
    INPUT_OF(a);
    INPUT_OF(b);
    OUTPUT_OF(c);
    const int n0 = (int)get_global_id(0) * EVN_SMALL_RUN, n_end = min(n0 + EVN_SMALL_RUN, n_count);
    for (int m = 0; m < m_count; m++) {
        __global const real *left = a + (long)m * a_row;
        __global real *row = c + (long)m * n_count;
        int n = n0;
        for (; n + FLAT * WIDTH <= n_end; n += FLAT * WIDTH) {
            vector sum[FLAT] = {R(0.0)};
            for (int k = 0; k < k_count; k++) {
                const vector x = (vector)(left[k * a_column]);
#pragma unroll
                for (int j = 0; j < FLAT; j++) {
                    sum[j] = MULTIPLY_ADD(x, LOAD(j, b + (long)k * n_count + n), sum[j]);
                }
            }
#pragma unroll
            for (int j = 0; j < FLAT; j++) {
                STORE(sum[j], j, row + n);
            }
        }
        for (; n < n_end; n++) {
            real sum = R(0.0);
            for (int k = 0; k < k_count; k++) {
                sum = MULTIPLY_ADD(left[k * a_column], b[(long)k * n_count + n], sum);
            }
            row[n] = sum;
        }
        EPILOGUE(c, m, n0, n_end);
    }
}

// c[i] = sum of partial[s, i] over s, in order: the same bits in every run.
__kernel void matmul_add(INPUT(partial), OUTPUT(c), const int count, const int columns,
                         const int slices EPILOGUE_PARAMETERS) {
    INPUT_OF(partial);
    OUTPUT_OF(c);
    const int i = (int)get_global_id(0);
    if (i < count) {
        real sum = partial[i];
        for (int s = 1; s < slices; s++) {
            sum += partial[(long)s * count + i];
        }
        c[i] = sum;
        EPILOGUE(c, i / columns, i % columns, i % columns + 1);
    }
}
