// SPDX-License-Identifier: Apache-2.0
// tiled.cl — C[M, N] = A[M, K] B[K, N] for GPUs: a product, a convolution or one of its gradients.
// Twins: src/ref/matmul.c, src/ref/conv2d.c
// A work-group of GROUP_X × GROUP_Y computes TILE_M × TILE_N elements of C. It copies DEPTH terms of
// these rows of A and columns of B to local memory, from where each work-item takes ROWS × (4 VECTORS)
// elements further in registers, while it already loads what is copied next.
// A convolution's A, [pixels, taps × channels], is never in memory: each load finds its pixel, or zero
// outside of the image (implicit GEMM; Chetlur et al., 2014, arXiv:1410.0759). A weight that is not
// finite thus reaches pixels for which its tap lies outside.
// Assumes: ROWS a multiple of 4, WIDTH = 4; powers of two; TILE_M, TILE_N and DEPTH divide the
// work-group's items. Any shape: terms past the end are zeros, rows and columns past it repeat the
// last and are not stored.
// Tuned: ROWS, VECTORS, GROUP_X, GROUP_Y.   Relaxed math: none.
#define ITEMS    (GROUP_X * GROUP_Y)
#define TILE_M   (GROUP_Y * ROWS)
#define TILE_N   (GROUP_X * COLUMNS)
#define A_STRIDE (TILE_M + 4) // rows of a tile begin in different banks, aligned for vectors
#define B_STRIDE (TILE_N + 4)
#define A_LOADS  (TILE_M * DEPTH / ITEMS)
#define B_LOADS  (TILE_N * DEPTH / ITEMS)

#define GROUP __attribute__((reqd_work_group_size(GROUP_X, GROUP_Y, 1)))

// Local memory belongs to a kernel's outermost scope. Vectors, so that it is aligned like them.
#define DECLARE_TILES                                                                              \
    __local real4 a_vectors[DEPTH * A_STRIDE / 4], b_vectors[DEPTH * B_STRIDE / 4];                \
    const int item = (int)(get_local_id(1) * GROUP_X + get_local_id(0));                           \
    vector sum[ROWS][VECTORS];                                                                     \
    _Pragma("unroll") for (int i_ = 0; i_ < ROWS; i_++) {                                          \
        _Pragma("unroll") for (int j_ = 0; j_ < VECTORS; j_++) {                                   \
            sum[i_][j_] = (vector)(R(0.0));                                                        \
        }                                                                                          \
    }

// Which element (i, term) of a tile of `extent` rows a work-item loads as its s-th: neighbours take
// neighbouring terms, or neighbouring i, as they lie in memory.
#define TERM(s, extent, along)                                                                     \
    ((along) ? item % DEPTH : item / (extent) + (s) * (ITEMS / (extent)))
#define INDEX(s, extent, along)                                                                    \
    ((along) ? item / DEPTH + (s) * (ITEMS / DEPTH) : item % (extent))

// `value` is an expression in s, i (of the tile) and term (of the product).
#define FETCH(next, loads, extent, along, begin, value)                                            \
    _Pragma("unroll") for (int s = 0; s < (loads); s++) {                                          \
        const int i = INDEX(s, extent, along), term = (begin) + TERM(s, extent, along);            \
        next[s] = (value);                                                                         \
    }

#define PUT(vectors, stride, next, loads, extent, along)                                           \
    _Pragma("unroll") for (int s = 0; s < (loads); s++) {                                          \
        ((__local real *)vectors)[TERM(s, extent, along) * (stride) + INDEX(s, extent, along)] =   \
            next[s];                                                                               \
    }

INLINE void multiply_tiles(__local const real4 *a, __local const real4 *b,
                           vector sum[ROWS][VECTORS]) {
    const int x = (int)get_local_id(0), y = (int)get_local_id(1);
    for (int k = 0; k < DEPTH; k++) {
        vector right[VECTORS];
#pragma unroll
        for (int j = 0; j < VECTORS; j++) {
            right[j] = b[k * (B_STRIDE / 4) + j * GROUP_X + x];
        }
#pragma unroll
        for (int i = 0; i < ROWS / 4; i++) {
            const real4 left = a[k * (A_STRIDE / 4) + i * GROUP_Y + y];
#pragma unroll
            for (int j = 0; j < VECTORS; j++) {
                sum[4 * i][j] = MULTIPLY_ADD((vector)(left.s0), right[j], sum[4 * i][j]);
                sum[4 * i + 1][j] = MULTIPLY_ADD((vector)(left.s1), right[j], sum[4 * i + 1][j]);
                sum[4 * i + 2][j] = MULTIPLY_ADD((vector)(left.s2), right[j], sum[4 * i + 2][j]);
                sum[4 * i + 3][j] = MULTIPLY_ADD((vector)(left.s3), right[j], sum[4 * i + 3][j]);
            }
        }
    }
}

// The terms [begin, end), the same for all work-items of the group. `a` and `b` are values as in FETCH,
// zero for term >= end; `advance` is what they need done when their terms move on by DEPTH.
#define MULTIPLY(begin, end, a, a_along, b, b_along, advance)                                      \
    {                                                                                              \
        real a_next[A_LOADS], b_next[B_LOADS];                                                     \
        FETCH(a_next, A_LOADS, TILE_M, a_along, begin, a);                                         \
        FETCH(b_next, B_LOADS, TILE_N, b_along, begin, b);                                         \
        for (int k_ = (begin); k_ < (end); k_ += DEPTH) {                                          \
            PUT(a_vectors, A_STRIDE, a_next, A_LOADS, TILE_M, a_along);                            \
            PUT(b_vectors, B_STRIDE, b_next, B_LOADS, TILE_N, b_along);                            \
            barrier(CLK_LOCAL_MEM_FENCE);                                                          \
            if (k_ + DEPTH < (end)) {                                                              \
                advance;                                                                           \
                FETCH(a_next, A_LOADS, TILE_M, a_along, k_ + DEPTH, a);                            \
                FETCH(b_next, B_LOADS, TILE_N, b_along, k_ + DEPTH, b);                            \
            }                                                                                      \
            multiply_tiles(a_vectors, b_vectors, sum);                                             \
            barrier(CLK_LOCAL_MEM_FENCE);                                                          \
        }                                                                                          \
    }

// Row i of a work-item is row ROW_OF(i) of the group's tile, vector j begins at column COLUMN_OF(j).
#define ROW_OF(i)    (((i) / 4 * GROUP_Y + (int)get_local_id(1)) * 4 + (i) % 4)
#define COLUMN_OF(j) (((j) * GROUP_X + (int)get_local_id(0)) * 4)

// n < n_count
static void store_part(const vector x, __global real *row, const int n, const int n_count) {
    if (n + 4 <= n_count) {
        vstore4(x, 0, row + n);
        return;
    }
    row[n] = x.s0;
    if (n + 1 < n_count) {
        row[n + 1] = x.s1;
    }
    if (n + 2 < n_count) {
        row[n + 2] = x.s2;
    }
}

// The work-item's elements to C, n_count columns. `row` is an expression in m, row m of the product;
// `then` is what follows for the columns [n, n_end) of that row.
#define STORE_SUMS(c, row, m_count, n_count, then)                                                 \
    _Pragma("unroll") for (int i = 0; i < ROWS; i++) {                                             \
        const int m = m0 + ROW_OF(i);                                                              \
        const long c_row = (row);                                                                  \
        _Pragma("unroll") for (int j = 0; j < VECTORS; j++) {                                      \
            const int n = n0 + COLUMN_OF(j), n_end = min(n + 4, n_count);                          \
            if (m < m_count && n < n_count) {                                                      \
                store_part(sum[i][j], c + c_row * n_count, n, n_count);                            \
                then;                                                                              \
            }                                                                                      \
        }                                                                                          \
    }

GROUP __kernel void matmul_tiled(INPUT(a), INPUT(b), OUTPUT(c), const int m_count,
                                 const int n_count, const int k_count, const int a_row,
                                 const int a_column, const int b_row, const int b_column,
                                 const int slice EPILOGUE_PARAMETERS) {
    INPUT_OF(a);
    INPUT_OF(b);
    OUTPUT_OF(c);
    DECLARE_TILES;
    const int m0 = (int)get_group_id(1) * TILE_M, n0 = (int)get_group_id(0) * TILE_N;
    const int begin = (int)get_group_id(2) * slice, end = min(begin + slice, k_count);
    const bool a_along = a_column == 1, b_along = b_column != 1;
    MULTIPLY(begin, end,
             term < end ? a[(long)min(m0 + i, m_count - 1) * a_row + (long)term * a_column]
                        : R(0.0),
             a_along,
             term < end ? b[(long)term * b_row + (long)min(n0 + i, n_count - 1) * b_column]
                        : R(0.0),
             b_along, );
    c += (long)get_group_id(2) * m_count * n_count;
    STORE_SUMS(c, m, m_count, n_count, EPILOGUE(c, c_row, n, n_end));
}

#define GEOMETRY                                                                                   \
    const int samples, const int height, const int width, const int inputs, const int out_height,  \
        const int out_width, const int outputs, const int kernel_height, const int kernel_width,   \
        const int stride, const int padding

// A term of a convolution is a tap, in rows of `across`, and one of `depth` channels. A work-item knows
// its own by additions: a division costs as much as a tile's row of products.
typedef struct term_place {
    int y, x, channel;
} term_place;

static term_place place_of(const int term, const int across, const int depth) {
    term_place p;
    p.channel = term % depth;
    p.x = across > 0 ? term / depth % across : 0;
    p.y = across > 0 ? term / depth / across : 0;
    return p;
}

static term_place next_place(term_place p, const int across, const int depth) {
    p.channel += DEPTH;
    while (p.channel >= depth) {
        p.channel -= depth;
        if (++p.x >= across) {
            p.x = 0;
            p.y++;
        }
    }
    return p;
}

// Rows of C: output pixels of all samples. Terms: taps × input channels, as in w.
GROUP __kernel void conv2d_tiled(INPUT(x), INPUT(w), OUTPUT(y), GEOMETRY EPILOGUE_PARAMETERS) {
    INPUT_OF(x);
    INPUT_OF(w);
    OUTPUT_OF(y);
    DECLARE_TILES;
    const int m0 = (int)get_group_id(1) * TILE_M, n0 = (int)get_group_id(0) * TILE_N;
    const int pixels = out_height * out_width, m_count = samples * pixels;
    const int k_count = kernel_height * kernel_width * inputs;
    int top[A_LOADS], left[A_LOADS], at[A_LOADS]; // of the first tap, in x
#pragma unroll
    for (int s = 0; s < A_LOADS; s++) {
        const int m = min(m0 + INDEX(s, TILE_M, true), m_count - 1), pixel = m % pixels;
        top[s] = pixel / out_width * stride - padding;
        left[s] = pixel % out_width * stride - padding;
        at[s] = ((m / pixels * height + top[s]) * width + left[s]) * inputs;
    }
    term_place own = place_of(TERM(0, TILE_M, true), kernel_width, inputs);
    MULTIPLY(0, k_count,
             term < k_count && (uint)(top[s] + own.y) < (uint)height &&
                     (uint)(left[s] + own.x) < (uint)width
                 ? x[at[s] + (own.y * width + own.x) * inputs + own.channel]
                 : R(0.0),
             true, term < k_count ? w[term * outputs + min(n0 + i, outputs - 1)] : R(0.0), false,
             own = next_place(own, kernel_width, inputs));
    STORE_SUMS(y, m, m_count, outputs, EPILOGUE(y, c_row, n, n_end));
}

// How many of 0, 1, ..., count − 1 are first + stride · n for an n >= 0.
static int count_of_phase(const int first, const int stride, const int count) {
    return first < count ? (count - first + stride - 1) / stride : 0;
}

// Pixels whose distance from the padded border is the same modulo `stride` meet the same taps, every
// stride-th in both directions: the third axis of the grid goes over these phases. Rows of C: input
// pixels of a phase, of all samples. Terms: its taps × output channels.
GROUP __kernel void conv2d_input_grad_tiled(INPUT(y_bar), INPUT(w), OUTPUT(x_bar),
                                            GEOMETRY EPILOGUE_PARAMETERS) {
    INPUT_OF(y_bar);
    INPUT_OF(w);
    OUTPUT_OF(x_bar);
    DECLARE_TILES;
    const int m0 = (int)get_group_id(1) * TILE_M, n0 = (int)get_group_id(0) * TILE_N;
    const int tap_y = (int)get_group_id(2) / stride, tap_x = (int)get_group_id(2) % stride;
    const int skip = (padding / stride + 1) * stride - padding;
    const int first_y = (tap_y + skip) % stride, first_x = (tap_x + skip) % stride;
    const int across = count_of_phase(first_x, stride, width);
    const int pixels = count_of_phase(first_y, stride, height) * across;
    const int m_count = samples * pixels;
    if (m0 >= m_count) { // for the whole group
        return;
    }
    const int taps_x = count_of_phase(tap_x, stride, kernel_width);
    const int k_count = count_of_phase(tap_y, stride, kernel_height) * taps_x * outputs;
    int bottom[A_LOADS], right[A_LOADS], at[A_LOADS]; // output pixels of the first tap, in y_bar
#pragma unroll
    for (int s = 0; s < A_LOADS; s++) {
        const int m = min(m0 + INDEX(s, TILE_M, true), m_count - 1), pixel = m % pixels;
        bottom[s] = (first_y + padding - tap_y) / stride + pixel / across;
        right[s] = (first_x + padding - tap_x) / stride + pixel % across;
        at[s] = ((m / pixels * out_height + bottom[s]) * out_width + right[s]) * outputs;
    }
    int row[B_LOADS]; // of w, [taps, inputs, outputs]
#pragma unroll
    for (int s = 0; s < B_LOADS; s++) {
        row[s] = ((tap_y * kernel_width + tap_x) * inputs +
                  min(n0 + INDEX(s, TILE_N, true), inputs - 1)) * outputs;
    }
    term_place own = place_of(TERM(0, TILE_M, true), taps_x, outputs);
    MULTIPLY(0, k_count,
             term < k_count && (uint)(bottom[s] - own.y) < (uint)out_height &&
                     (uint)(right[s] - own.x) < (uint)out_width
                 ? y_bar[at[s] - (own.y * out_width + own.x) * outputs + own.channel]
                 : R(0.0),
             true,
             term < k_count ? w[row[s] + (own.y * kernel_width + own.x) * stride * inputs * outputs +
                                own.channel]
                            : R(0.0),
             true, own = next_place(own, taps_x, outputs));
    STORE_SUMS(x_bar,
               ((long)(m / pixels) * height + first_y + m % pixels / across * stride) * width +
                   first_x + m % pixels % across * stride,
               m_count, inputs, EPILOGUE(x_bar, c_row, n, n_end));
}

// Rows of C: taps × input channels. Terms: output pixels of all samples; slice s of `slice` of them
// goes to its own w_bar, one after the other.
GROUP __kernel void conv2d_weight_grad_tiled(INPUT(x), INPUT(y_bar), OUTPUT(w_bar), GEOMETRY,
                                             const int slice) {
    INPUT_OF(x);
    INPUT_OF(y_bar);
    OUTPUT_OF(w_bar);
    DECLARE_TILES;
    const int m0 = (int)get_group_id(1) * TILE_M, n0 = (int)get_group_id(0) * TILE_N;
    const int m_count = kernel_height * kernel_width * inputs;
    const int pixels = out_height * out_width;
    const int begin = (int)get_group_id(2) * slice, end = min(begin + slice, samples * pixels);
    const int own = min(m0 + INDEX(0, TILE_M, false), m_count - 1);
    const int top = own / inputs / kernel_width - padding;
    const int left = own / inputs % kernel_width - padding;
    // Input pixels of the terms, less (top, left), and where in x; they move on as those of y_bar do.
    int row[A_LOADS], column[A_LOADS], at[A_LOADS];
#pragma unroll
    for (int s = 0; s < A_LOADS; s++) {
        const int term = begin + TERM(s, TILE_M, false), pixel = term % pixels;
        row[s] = pixel / out_width * stride;
        column[s] = pixel % out_width * stride;
        at[s] = ((term / pixels * height + row[s] + top) * width + column[s] + left) * inputs +
                own % inputs;
    }
    const int row_end = out_height * stride, column_end = out_width * stride;
    const int next_row = (stride * width - column_end) * inputs;
    const int next_sample = (height - row_end) * width * inputs;
#define ADVANCE                                                                                    \
    _Pragma("unroll") for (int s = 0; s < A_LOADS; s++) {                                          \
        column[s] += DEPTH * stride;                                                               \
        at[s] += DEPTH * stride * inputs;                                                          \
        while (column[s] >= column_end) {                                                          \
            column[s] -= column_end;                                                               \
            row[s] += stride;                                                                      \
            at[s] += next_row;                                                                     \
            if (row[s] >= row_end) {                                                               \
                row[s] = 0;                                                                        \
                at[s] += next_sample;                                                              \
            }                                                                                      \
        }                                                                                          \
    }
    MULTIPLY(begin, end,
             term < end && (uint)(row[s] + top) < (uint)height &&
                     (uint)(column[s] + left) < (uint)width
                 ? x[at[s]]
                 : R(0.0),
             false, term < end ? y_bar[term * outputs + min(n0 + i, outputs - 1)] : R(0.0), false,
             ADVANCE);
#undef ADVANCE
    w_bar += (long)get_group_id(2) * m_count * outputs;
    STORE_SUMS(w_bar, m, m_count, outputs, );
}
