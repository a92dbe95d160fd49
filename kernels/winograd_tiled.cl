// SPDX-License-Identifier: Apache-2.0
// winograd_tiled.cl — conv2d with 3×3 kernels and stride 1, and both its gradients, for GPUs by Winograd's
// F(OUTSIDE×OUTSIDE, 3×3): y = Aᵀ[(G w Gᵀ) ∘ (Bᵀ x B)]A, 16 multiplications for a tile of 2×2 outputs
// instead of 36, or 36 for 4×4 instead of 144.
// Twin: src/ref/conv2d.c.   Source: Lavin and Gray 2016, with the points 0, 1, −1, 2, −2, ∞.
// A work-group has TILE_M tiles and TILE_N channels of the result. It transforms tiles of DEPTH channels
// into local memory, beside as many of the weights, which were transformed before; there each work-item
// multiplies for EACH of the POINTS, ROWS × (4 VECTORS) elements further in registers. At the end the
// work-items pass their sums to each other, a part at a time, for the transform back.
// Assumes: ROWS a multiple of 4, WIDTH = 4, GROUP_X = 16, GROUP_Y divides POINTS; a work-item for each
// element of DEPTH rows of a tile. Any shape: what lies outside is zero and is not stored.
// With -DWEIGHT_GRAD the weight gradient's kernel, else the others: some compilers count the local memory
// of all kernels in a program (Oclgrind).
// Tuned: OUTSIDE, ROWS, VECTORS, GROUP_Y, DEPTH.   Relaxed math: none.
// Rounding: with 2×2 outputs about the direct method's error, with 4×4 several times that, by the numbers
// up to 8 in A and 5 in B.
#define SIDE   (OUTSIDE + 2) // of a transformed tile
#define POINTS (SIDE * SIDE)
#define EACH   (POINTS / GROUP_Y)
#define ITEMS  (GROUP_X * GROUP_Y)
#define TILE_M (4 * ROWS)
#define TILE_N (16 * VECTORS)
#define PART   (ITEMS >= 256 ? 4 : ITEMS >= 128 ? 2 : 1) // rows of a work-item in a round at the end
#define PAIRS  (64 * PART)                               // elements of the result in a round
#define ROUNDS (ROWS / PART * VECTORS)

// Vectors from one term to the next: two more than there are, so that work-items which write
// neighbouring terms meet different banks.
#define A_STRIDE (TILE_M / 4 + 2)
#define B_STRIDE (TILE_N / 4 + 2)
#define A_SIZE   (POINTS * DEPTH * A_STRIDE)
#define B_SIZE   (POINTS * DEPTH * B_STRIDE)
#define SIZE     (A_SIZE + B_SIZE > POINTS * PAIRS / 4 ? A_SIZE + B_SIZE : POINTS * PAIRS / 4)

#define GROUP  __attribute__((reqd_work_group_size(GROUP_X, GROUP_Y, 1)))
#define UNROLL _Pragma("unroll")

// Transforms --------------------------------------------------------------------------------------
// Along one axis, of x[0], x[s], x[2s] …, in place: Bᵀ, A, Aᵀ; and Gᵀ. G is for vectors of one element.

INLINE void input_transform(real *x, const int s) {
    const real a = x[0], b = x[s], c = x[2 * s], d = x[3 * s];
#if OUTSIDE == 2
    x[0] = a - c;
    x[s] = b + c;
    x[2 * s] = c - b;
    x[3 * s] = d - b;
#else
    const real e = x[4 * s], f = x[5 * s];
    const real even = e - R(4.0) * c, odd = d - R(4.0) * b;
    const real near = e - c, far = R(2.0) * (d - b);
    x[0] = R(4.0) * (a - c) + near;
    x[s] = even + odd;
    x[2 * s] = even - odd;
    x[3 * s] = near + far;
    x[4 * s] = near - far;
    x[5 * s] = R(4.0) * b - R(5.0) * d + f;
#endif
}

INLINE void cotangent_transform(real *x, const int s) {
    const real a = x[0], b = x[s];
#if OUTSIDE == 2
    x[s] = a + b;
    x[2 * s] = a - b;
    x[3 * s] = b;
#else
    const real c = x[2 * s], d = x[3 * s];
    const real even = a + c, odd = b + d, far_even = a + R(4.0) * c, far_odd = R(2.0) * b + R(8.0) * d;
    x[s] = even + odd;
    x[2 * s] = even - odd;
    x[3 * s] = far_even + far_odd;
    x[4 * s] = far_even - far_odd;
    x[5 * s] = d;
#endif
}

INLINE void output_transform(real *x, const int s) {
    const real sum = x[s] + x[2 * s], difference = x[s] - x[2 * s], d = x[3 * s];
#if OUTSIDE == 2
    x[0] += sum;
    x[s] = difference + d;
#else
    const real e = x[4 * s], far_sum = d + e, far_difference = d - e;
    x[0] += sum + far_sum;
    x[s] = difference + R(2.0) * far_difference;
    x[2 * s] = sum + R(4.0) * far_sum;
    x[3 * s] = difference + R(8.0) * far_difference + x[5 * s];
#endif
}

INLINE void weight_transform(const real *w, const int s, real *u) {
    const real even = w[0] + w[2 * s], odd = w[s];
#if OUTSIDE == 2
    u[0] = w[0];
    u[1] = (even + odd) * R(0.5);
    u[2] = (even - odd) * R(0.5);
    u[3] = w[2 * s];
#else
    const real far = w[0] * R(0.25) + w[2 * s];
    u[0] = w[0] * R(0.25);
    u[1] = (even + odd) * R(-0.16666666666666666);
    u[2] = (odd - even) * R(0.16666666666666666);
    u[3] = (far + odd * R(0.5)) * R(0.16666666666666666);
    u[4] = (far - odd * R(0.5)) * R(0.16666666666666666);
    u[5] = w[2 * s];
#endif
}

INLINE void weight_transpose(real *x, const int s) {
    const real sum = x[s] + x[2 * s], difference = x[s] - x[2 * s];
#if OUTSIDE == 2
    x[0] += R(0.5) * sum;
    x[s] = R(0.5) * difference;
    x[2 * s] = R(0.5) * sum + x[3 * s];
#else
    const real near = sum * R(0.16666666666666666);
    const real far = (x[3 * s] + x[4 * s]) * R(0.16666666666666666);
    x[0] = R(0.25) * (x[0] + far) - near;
    x[s] = (x[3 * s] - x[4 * s]) * R(0.083333333333333333) - difference * R(0.16666666666666666);
    x[2 * s] = far - near + x[5 * s];
#endif
}

#ifndef WEIGHT_GRAD
// u[point, k, n], n < columns: the transform of w[tap, k, n], or, `turned`, of the taps from the last to
// the first with k and n exchanged; zero for n >= n_count. Work-item: n, k.
__kernel void winograd_tiled_weights(INPUT(w), OUTPUT(u), const int k_count, const int n_count,
                                     const int columns, const int turned) {
    INPUT_OF(w);
    OUTPUT_OF(u);
    const int n = (int)get_global_id(0), k = (int)get_global_id(1);
    if (n >= columns || k >= k_count) {
        return;
    }
    real taps[9], rows[3 * SIDE], column[SIDE];
    const int first = turned ? n * k_count + k : k * n_count + n;
    UNROLL for (int i = 0; i < 9; i++) {
        taps[i] = n < n_count ? w[(turned ? 8 - i : i) * k_count * n_count + first] : R(0.0);
    }
    UNROLL for (int i = 0; i < 3; i++) {
        weight_transform(taps + 3 * i, 1, rows + SIDE * i);
    }
    UNROLL for (int j = 0; j < SIDE; j++) {
        weight_transform(rows + j, SIDE, column);
        UNROLL for (int i = 0; i < SIDE; i++) {
            u[((SIDE * i + j) * k_count + k) * columns + n] = column[i];
        }
    }
}
#endif

// Tiles -------------------------------------------------------------------------------------------

#define EXTENTS                                                                                    \
    const int samples, const int height, const int width, const int inputs, const int out_height,  \
        const int out_width, const int outputs, const int padding

// A tile of outputs; they are numbered through the batch, `down` × `across` an image.
typedef struct place {
    int sample, row, column;
} place;

INLINE place place_of(const int tile, const int down, const int across) {
    place p;
    p.column = tile % across;
    p.row = tile / across % down;
    p.sample = tile / (across * down);
    return p;
}

INLINE place next_place(place p, const int down, const int across) {
    p.column += DEPTH;
    while (p.column >= across) {
        p.column -= across;
        if (++p.row >= down) {
            p.row = 0;
            p.sample++;
        }
    }
    return p;
}

// tile[i, j] = the image's pixel (top + i, left + j) in one channel for i, j < side; zero outside of the
// image, and everywhere unless it is `wanted`.
INLINE void load_tile(real *tile, __global const real *image, const bool wanted, const int top,
                      const int left, const int height, const int width, const int channels,
                      const int side) {
    UNROLL for (int i = 0; i < side; i++) {
        UNROLL for (int j = 0; j < side; j++) {
            const bool inside = wanted && (uint)(top + i) < (uint)height &&
                                (uint)(left + j) < (uint)width;
            tile[SIDE * i + j] =
                inside ? image[((top + i) * width + left + j) * channels] : R(0.0);
        }
    }
}

INLINE void expand_input(real *tile) {
    UNROLL for (int i = 0; i < SIDE; i++) {
        input_transform(tile + SIDE * i, 1);
    }
    UNROLL for (int j = 0; j < SIDE; j++) {
        input_transform(tile + j, SIDE);
    }
}

INLINE void expand_cotangent(real *tile) {
    UNROLL for (int i = 0; i < OUTSIDE; i++) {
        cotangent_transform(tile + SIDE * i, 1);
    }
    UNROLL for (int j = 0; j < SIDE; j++) {
        cotangent_transform(tile + j, SIDE);
    }
}

INLINE void put_points(const real *tile, __local real *to, const int stride) {
    UNROLL for (int i = 0; i < POINTS; i++) {
        to[i * DEPTH * stride * 4] = tile[i];
    }
}

// Products ----------------------------------------------------------------------------------------

#define CLEAR(sum)                                                                                 \
    UNROLL for (int e = 0; e < EACH; e++) {                                                        \
        UNROLL for (int i = 0; i < ROWS; i++) {                                                    \
            UNROLL for (int j = 0; j < VECTORS; j++) {                                             \
                sum[e][i][j] = (vector)(R(0.0));                                                   \
            }                                                                                      \
        }                                                                                          \
    }

// The 16 work-items of some points are 4 × 4 in the tile: four rows of theirs stand together, then four
// of the next one, and likewise the vectors.
#define POINT_OF(e) ((e) * GROUP_Y + (int)get_local_id(1))

// sum += a b, of DEPTH terms
INLINE void multiply(__local const vector *a, __local const vector *b,
                     vector sum[EACH][ROWS][VECTORS]) {
    const int x = (int)get_local_id(0) % 4, y = (int)get_local_id(0) / 4;
    for (int k = 0; k < DEPTH; k++) {
        UNROLL for (int e = 0; e < EACH; e++) {
            const int row = POINT_OF(e) * DEPTH + k;
            vector right[VECTORS];
            UNROLL for (int j = 0; j < VECTORS; j++) {
                right[j] = b[row * B_STRIDE + j * 4 + x];
            }
            UNROLL for (int i = 0; i < ROWS; i += 4) {
                const vector left = a[row * A_STRIDE + i + y];
                UNROLL for (int j = 0; j < VECTORS; j++) {
                    sum[e][i][j] = MULTIPLY_ADD((vector)(left.s0), right[j], sum[e][i][j]);
                    sum[e][i + 1][j] = MULTIPLY_ADD((vector)(left.s1), right[j], sum[e][i + 1][j]);
                    sum[e][i + 2][j] = MULTIPLY_ADD((vector)(left.s2), right[j], sum[e][i + 2][j]);
                    sum[e][i + 3][j] = MULTIPLY_ADD((vector)(left.s3), right[j], sum[e][i + 3][j]);
                }
            }
        }
    }
}

// Of the sums those of a round, m[point, row, column] of 4 PART rows and 16 columns.
INLINE void put_sums(vector sum[EACH][ROWS][VECTORS], const int round, __local vector *m) {
    const int x = (int)get_local_id(0) % 4, y = (int)get_local_id(0) / 4;
    UNROLL for (int e = 0; e < EACH; e++) {
        UNROLL for (int i = 0; i < ROWS; i++) {
            UNROLL for (int j = 0; j < VECTORS; j++) {
                if (i / PART * VECTORS + j == round) {
                    m[((POINT_OF(e) * 4 + y) * PART + i % PART) * 4 + x] = sum[e][i][j];
                }
            }
        }
    }
}

// All points of element `item` of a round, which is (row_of_round, column_of_round) of the group's.
INLINE void get_points(real *tile, __local const vector *m, const int item) {
    UNROLL for (int i = 0; i < POINTS; i++) {
        tile[i] = ((__local const real *)m)[i * PAIRS + item];
    }
}

INLINE int row_of_round(const int round, const int item) {
    const int i = round / VECTORS * PART, row = item / 16;
    return (i / 4 * 4 + row / PART) * 4 + i % 4 + row % PART;
}

INLINE int column_of_round(const int round, const int item) {
    return round % VECTORS * 16 + item % 16;
}

// What both kernels begin with: the terms in local memory, where sums pass at the end, and which rows and
// columns of the products, of how many tiles of the result, are the work-group's.
#define TILES_OF_GROUP                                                                             \
    __local vector a[SIZE];                                                                        \
    __local vector *b = a + A_SIZE;                                                                \
    const int item = (int)(get_local_id(1) * GROUP_X + get_local_id(0));                           \
    const int m0 = (int)get_group_id(1) * TILE_M, n0 = (int)get_group_id(0) * TILE_N;              \
    const int down = (out_height + OUTSIDE - 1) / OUTSIDE;                                         \
    const int across = (out_width + OUTSIDE - 1) / OUTSIDE, tiles = samples * down * across

// The convolution ---------------------------------------------------------------------------------

#ifndef WEIGHT_GRAD
// Also the input gradient, of y_bar with turned weights: the padding is then 2 − the convolution's and may
// be below zero. u is [POINTS, inputs, columns], columns a multiple of 4.
GROUP __kernel void winograd_tiled(INPUT(x), INPUT(u), OUTPUT(y), EXTENTS,
                                   const int columns EPILOGUE_PARAMETERS) {
    INPUT_OF(x);
    INPUT_OF(u);
    OUTPUT_OF(y);
    TILES_OF_GROUP;
    // Neighbours transform neighbouring channels of a tile.
    const int term = item % DEPTH, row = item / DEPTH;
    const place own = place_of(min(m0 + row, tiles - 1), down, across);
    const int top = own.row * OUTSIDE - padding, left = own.column * OUTSIDE - padding;
    __global const real *image = x + (long)own.sample * height * width * inputs;
    vector sum[EACH][ROWS][VECTORS];
    CLEAR(sum);
    for (int c = 0; c < inputs; c += DEPTH) {
        if (row < TILE_M) {
            real tile[POINTS];
            load_tile(tile, image + min(c + term, inputs - 1), c + term < inputs, top, left, height,
                      width, inputs, SIDE);
            expand_input(tile);
            put_points(tile, (__local real *)a + term * A_STRIDE * 4 + row, A_STRIDE);
        }
        for (int s = item; s < POINTS * DEPTH * (TILE_N / 4); s += ITEMS) {
            const int n = s % (TILE_N / 4), line = s / (TILE_N / 4); // point · DEPTH + term
            const int k = c + line % DEPTH;
            vector taken = (vector)(R(0.0));
            if (k < inputs && n0 + 4 * n < columns) {
                taken = LOAD(0, u + (line / DEPTH * inputs + k) * columns + n0 + 4 * n);
            }
            b[line * B_STRIDE + n] = taken;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        multiply(a, b, sum);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    for (int round = 0; round < ROUNDS; round++) {
        put_sums(sum, round, a);
        barrier(CLK_LOCAL_MEM_FENCE);
        const int m = m0 + row_of_round(round, item), n = n0 + column_of_round(round, item);
        if (item < PAIRS && m < tiles && n < outputs) {
            const place to = place_of(m, down, across);
            real tile[POINTS];
            get_points(tile, a, item);
            UNROLL for (int i = 0; i < SIDE; i++) {
                output_transform(tile + SIDE * i, 1);
            }
            UNROLL for (int j = 0; j < OUTSIDE; j++) {
                output_transform(tile + j, SIDE);
            }
            UNROLL for (int i = 0; i < OUTSIDE; i++) {
                UNROLL for (int j = 0; j < OUTSIDE; j++) {
                    const int h = to.row * OUTSIDE + i, w = to.column * OUTSIDE + j;
                    if (h < out_height && w < out_width) {
                        const long pixel = ((long)to.sample * out_height + h) * out_width + w;
                        y[pixel * outputs + n] = tile[SIDE * i + j];
                        EPILOGUE(y, pixel, n, n + 1);
                    }
                }
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}

// The weight gradient -----------------------------------------------------------------------------

#else
// w_bar = Gᵀ[Σ (Bᵀ x B) ∘ (A y_bar Aᵀ)]G. Rows: input channels. Terms: tiles; slice s of `slice` of them
// goes to its own w_bar, one after the other.
GROUP __kernel void winograd_tiled_weight_grad(INPUT(x), INPUT(y_bar), OUTPUT(w_bar), EXTENTS,
                                               const int slice) {
    INPUT_OF(x);
    INPUT_OF(y_bar);
    OUTPUT_OF(w_bar);
    TILES_OF_GROUP;
    const int begin = (int)get_group_id(2) * slice, end = min(begin + slice, tiles);
    // The first work-items transform tiles of x, the last ones of y_bar: neighbours take neighbouring
    // channels.
    const int last = item - (ITEMS - TILE_N * DEPTH);
    const int a_term = item / TILE_M, a_row = item % TILE_M;
    const int b_term = last / TILE_N, b_row = last % TILE_N;
    place a_place = place_of(begin + a_term, down, across);
    place b_place = place_of(begin + max(b_term, 0), down, across);
    vector sum[EACH][ROWS][VECTORS];
    CLEAR(sum);
    for (int t = begin; t < end; t += DEPTH) {
        real tile[POINTS];
        if (a_term < DEPTH) {
            __global const real *image = x + (long)a_place.sample * height * width * inputs;
            load_tile(tile, image + m0 + a_row, t + a_term < end && m0 + a_row < inputs,
                      a_place.row * OUTSIDE - padding, a_place.column * OUTSIDE - padding, height,
                      width, inputs, SIDE);
            expand_input(tile);
            put_points(tile, (__local real *)a + a_term * A_STRIDE * 4 + a_row, A_STRIDE);
            a_place = next_place(a_place, down, across);
        }
        if (last >= 0) {
            __global const real *image =
                y_bar + (long)b_place.sample * out_height * out_width * outputs;
            load_tile(tile, image + n0 + b_row, t + b_term < end && n0 + b_row < outputs,
                      b_place.row * OUTSIDE, b_place.column * OUTSIDE, out_height, out_width,
                      outputs, OUTSIDE);
            expand_cotangent(tile);
            put_points(tile, (__local real *)b + b_term * B_STRIDE * 4 + b_row, B_STRIDE);
            b_place = next_place(b_place, down, across);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        multiply(a, b, sum);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    w_bar += (long)get_group_id(2) * 9 * inputs * outputs;
    for (int round = 0; round < ROUNDS; round++) {
        put_sums(sum, round, a);
        barrier(CLK_LOCAL_MEM_FENCE);
        const int m = m0 + row_of_round(round, item), n = n0 + column_of_round(round, item);
        if (item < PAIRS && m < inputs && n < outputs) {
            real tile[POINTS];
            get_points(tile, a, item);
            UNROLL for (int i = 0; i < SIDE; i++) {
                weight_transpose(tile + SIDE * i, 1);
            }
            UNROLL for (int j = 0; j < 3; j++) {
                weight_transpose(tile + j, SIDE);
                UNROLL for (int i = 0; i < 3; i++) {
                    w_bar[((3 * i + j) * inputs + m) * outputs + n] = tile[SIDE * i + j];
                }
            }
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
}
#endif
