// SPDX-License-Identifier: Apache-2.0
// winograd.cl — conv2d and both its gradients by Winograd's F(3×3, TAPS×TAPS), where the kernel is
// STEP · TAPS wide: y = Aᵀ[(G w Gᵀ) ∘ (Bᵀ x B)]A. 3×3 kernels with stride 1 take 25 multiplications for
// a tile of 3×3 outputs instead of 81. With stride 2, pairs of pixels count as one with twice the
// channels, and even and odd rows of the padded image are two phases: a 4×4 kernel is then the sum over
// phases of 2×2 kernels with stride 1, which take 16 multiplications instead of 36.
// Twin: src/ref/conv2d.c.   Source: Lavin and Gray 2016, with the points 0, 1, −1, 2 and ∞, or without 2.
// The products of a tile are a matrix product over channels at each point. A work-item transforms up
// to TILES tiles into local memory, multiplies there and transforms back: all stays in the caches.
// Assumes: one work-item a group; INPUTS and OUTPUTS are multiples of WIDTH, the columns of a product
// (OUTPUTS, in the input gradient CHANNELS) of VECTORS · WIDTH; TILES is a multiple of ROWS.
// Tuned: ROWS, VECTORS, WIDTH (common.cl), TILES.   Relaxed math: none.
// Rounding: F(3×3, 3×3) a few times the direct method's error, by the numbers up to 4 in A and 3 in B;
// F(3×3, 2×2) about the same as the direct method.

#define UNROLL _Pragma("unroll")
#define INLINE __attribute__((always_inline)) // what it works on stays in registers

// Towards the caches while the processor is at other work. PoCL's prefetch() does nothing.
#if defined(__x86_64__) || defined(__aarch64__)
#define PREFETCH(p) __builtin_prefetch((const void *)(ulong)(p))
#else
#define PREFETCH(p) prefetch(p, WIDTH)
#endif

// STORE to local and to global memory as one instruction, which vstore is not with every compiler.
typedef struct __attribute__((packed)) {
    vector x;
} unaligned;
#define STORE_LOCAL(x_, p)  (((__local unaligned *)(p))->x = (x_))
#define STORE_GLOBAL(x_, p) (((__global unaligned *)(p))->x = (x_))

#define SIZE     (TAPS + 2) // of a transformed tile
#define POINTS   (SIZE * SIZE)
#define CHANNELS (STEP * INPUTS) // of STEP adjacent pixels
#define AREA     (CHANNELS * OUTPUTS)

// Elements from one point to the next of a tensor [POINTS, elements]. Without the gap the places that
// a tile goes to would often share one set of the cache.
#define STRIDE(elements) ((elements) + 16)

// Transforms --------------------------------------------------------------------------------------
// Bᵀ, B, A, Aᵀ applied to the vectors x[0], x[s], x[2s] … in place; G and Gᵀ from weights to points
// and back.

#if TAPS == 3
INLINE void input_transform(vector *x, const int s) {
    const vector a = x[0], b = x[s], c = x[2 * s], d = x[3 * s];
    x[0] = R(2.0) * (a - c) - b + d;
    x[s] = d - c - R(2.0) * b;
    x[2 * s] = R(2.0) * b - R(3.0) * c + d;
    x[3 * s] = d - b;
    x[4 * s] += R(2.0) * (b - d) - c;
}

INLINE void input_transpose(vector *x, const int s) {
    const vector a = x[0], b = x[s], c = x[2 * s], d = x[3 * s], e = x[4 * s];
    x[0] = R(2.0) * a;
    x[s] = R(2.0) * (c - b + e) - a - d;
    x[2 * s] = -R(2.0) * a - b - R(3.0) * c - e;
    x[3 * s] = a + b + c + d - R(2.0) * e;
}

INLINE void cotangent_transform(vector *x, const int s) {
    const vector a = x[0], b = x[s], c = x[2 * s];
    x[s] = a + b + c;
    x[2 * s] = a - b + c;
    x[3 * s] = a + R(2.0) * b + R(4.0) * c;
    x[4 * s] = c;
}

INLINE void output_transform(vector *x, const int s) {
    const vector sum = x[s] + x[2 * s], d = x[3 * s];
    x[0] += sum + d;
    x[s] = x[s] - x[2 * s] + R(2.0) * d;
    x[2 * s] = sum + R(4.0) * d + x[4 * s];
}

INLINE void weight_transform(const vector *w, const int s, vector *u) {
    const vector a = w[0], b = w[s], c = w[2 * s], sum = a + c;
    u[0] = a * R(0.5);
    u[1] = (sum + b) * R(-0.5);
    u[2] = (b - sum) * R(0.16666666666666666);
    u[3] = (sum + R(2.0) * b + R(3.0) * c) * R(0.16666666666666666);
    u[4] = c;
}

INLINE void weight_transpose(const vector *u, const int s, vector *w) {
    const vector far = u[3 * s] * R(0.33333333333333333), near = u[s] * R(0.5);
    const vector back = u[2 * s] * R(0.16666666666666666);
    w[0] = u[0] * R(0.5) - near - back + far * R(0.5);
    w[1] = back - near + far;
    w[2] = far * R(2.0) - near - back + u[4 * s];
}
#else
INLINE void input_transform(vector *x, const int s) {
    const vector b = x[s], c = x[2 * s];
    x[0] -= c;
    x[s] = b + c;
    x[2 * s] = c - b;
    x[3 * s] -= b;
}

INLINE void input_transpose(vector *x, const int s) {
    const vector a = x[0], b = x[s], c = x[2 * s];
    x[s] = b - c - x[3 * s];
    x[2 * s] = b + c - a;
}

INLINE void cotangent_transform(vector *x, const int s) {
    const vector a = x[0], b = x[s], c = x[2 * s];
    x[s] = a + b + c;
    x[2 * s] = a - b + c;
    x[3 * s] = c;
}

INLINE void output_transform(vector *x, const int s) {
    const vector b = x[s], c = x[2 * s];
    x[0] += b + c;
    x[s] = b - c;
    x[2 * s] = b + c + x[3 * s];
}

INLINE void weight_transform(const vector *w, const int s, vector *u) {
    u[0] = w[0];
    u[1] = (w[0] + w[s]) * R(0.5);
    u[2] = (w[0] - w[s]) * R(0.5);
    u[3] = w[s];
}

INLINE void weight_transpose(const vector *u, const int s, vector *w) {
    w[0] = u[0] + (u[s] + u[2 * s]) * R(0.5);
    w[1] = (u[s] - u[2 * s]) * R(0.5) + u[3 * s];
}
#endif

// Tiles -------------------------------------------------------------------------------------------

// Images [samples, height, width, INPUTS] and [samples, out_height, out_width, OUTPUTS], whose tiles
// of 3×3 outputs are numbered through the batch.
#define EXTENTS                                                                                    \
    const int samples, const int height, const int width, const int out_height,                    \
        const int out_width, const int padding
#define DOWN         ((out_height + 2) / 3)
#define ACROSS       ((out_width + 2) / 3)
#define SAMPLE(tile) ((long)((tile) / (DOWN * ACROSS)))
#define ROW(tile)    ((tile) / ACROSS % DOWN * 3)
#define COLUMN(tile) ((tile) % ACROSS * 3)

// The input row or column of row or column i of a tile that starts at `start`: the one of `phase` among
// the STEP that count as one.
#define PIXEL(start, i, phase) (((start) + (i)) * STEP + (phase) - padding)

// to[i, j] = image[row + i · step, column + j · step] for i, j < size; zero outside the image. The
// next tile of the same row will be wanted soon.
INLINE void load_tile(vector to[POINTS], __global const real *image, const int row, const int column,
               const int step, const int height, const int width, const int channels,
               const int size) {
    UNROLL for (int i = 0; i < size; i++) {
        UNROLL for (int j = 0; j < size; j++) {
            const int h = row + i * step, w = column + j * step;
            const bool inside = h >= 0 && h < height && w >= 0 && w < width;
            if (inside) {
                __global const real *from = image + ((long)h * width + w) * channels;
                PREFETCH(from + 3 * step * channels);
                to[SIZE * i + j] = LOAD(0, from);
            } else {
                to[SIZE * i + j] = (vector)(R(0.0));
            }
        }
    }
}

// Points of `elements` channels of tiles in local memory, from and to registers.
INLINE void store_points(const vector tile[POINTS], __local real *v, const int elements) {
    UNROLL for (int i = 0; i < POINTS; i++) {
        STORE_LOCAL(tile[i], v + i * STRIDE(elements));
    }
}

INLINE void load_points(vector tile[POINTS], __local const real *m, const int elements) {
    UNROLL for (int i = 0; i < POINTS; i++) {
        tile[i] = LOAD(0, m + i * STRIDE(elements));
    }
}

// v[point, tile, c] of tiles [begin, end) of x in one phase, for all CHANNELS.
void expand_inputs(__global const real *x, __local real *v, const int begin, const int end,
                   const int phase, EXTENTS) {
    for (int t = begin; t < end; t++) {
        __global const real *image = x + SAMPLE(t) * height * width * INPUTS;
        const int row = PIXEL(ROW(t), 0, phase), column = COLUMN(t);
        for (int c = 0; c < CHANNELS; c += WIDTH) {
            vector tile[POINTS];
            load_tile(tile, image + c % INPUTS, row, PIXEL(column, 0, c / INPUTS), STEP, height,
                      width, INPUTS, SIZE);
            UNROLL for (int i = 0; i < SIZE; i++) {
                input_transform(tile + SIZE * i, 1);
            }
            UNROLL for (int i = 0; i < SIZE; i++) {
                input_transform(tile + i, SIZE);
            }
            store_points(tile, v + (t - begin) * CHANNELS + c, TILES * CHANNELS);
        }
    }
}

// z[point, tile, co] of tiles [begin, end) of y_bar.
void expand_cotangents(__global const real *y_bar, __local real *z, const int begin, const int end,
                       EXTENTS) {
    for (int t = begin; t < end; t++) {
        for (int c = 0; c < OUTPUTS; c += WIDTH) {
            vector tile[POINTS];
            load_tile(tile, y_bar + SAMPLE(t) * out_height * out_width * OUTPUTS + c, ROW(t),
                      COLUMN(t), 1, out_height, out_width, OUTPUTS, 3);
            UNROLL for (int i = 0; i < 3; i++) {
                cotangent_transform(tile + SIZE * i, 1);
            }
            UNROLL for (int i = 0; i < SIZE; i++) {
                cotangent_transform(tile + i, SIZE);
            }
            store_points(tile, z + (t - begin) * OUTPUTS + c, TILES * OUTPUTS);
        }
    }
}

// m[point, tile, :] = v[point, tile, :] u[point], or += for `add`, of `tiles` tiles. The rows of a
// register tile past the last are written too: nobody reads them.
void multiply(__local const real *v, __global const real *u, __local real *m, const int tiles,
              const int inner, const int columns, const bool add) {
    for (int point = 0; point < POINTS; point++) {
        for (int n = 0; n < columns; n += COLUMNS) {
            for (int t = 0; t < tiles; t += ROWS) {
                __local real *to = m + t * columns + n;
                __global const real *u_k = u + n;
                __local const real *v_rows[ROWS];
                vector sum[ROWS][VECTORS];
                UNROLL for (int i = 0; i < ROWS; i++) {
                    v_rows[i] = v + min(t + i, tiles - 1) * inner;
                    UNROLL for (int j = 0; j < VECTORS; j++) {
                        sum[i][j] = add ? LOAD(j, to + i * columns) : (vector)(R(0.0));
                    }
                }
                for (long k = 0; k < inner; k++, u_k += columns) {
                    UNROLL for (int i = 0; i < ROWS; i++) {
                        UNROLL for (int j = 0; j < VECTORS; j++) {
                            sum[i][j] = fma((vector)(v_rows[i][k]), LOAD(j, u_k), sum[i][j]);
                        }
                    }
                }
                UNROLL for (int i = 0; i < ROWS; i++) {
                    UNROLL for (int j = 0; j < VECTORS; j++) {
                        STORE_LOCAL(sum[i][j], to + i * columns + j * WIDTH);
                    }
                }
            }
        }
        v += STRIDE(TILES * inner);
        u += STRIDE(inner * columns);
        m += STRIDE(TILES * columns);
    }
}

// Weights -----------------------------------------------------------------------------------------

// Where tap (i, j) of a phase begins: w is [TAPS, phases, TAPS, CHANNELS, OUTPUTS].
#define TAP(phase, i, j) (((long)((i) * STEP + (phase)) * TAPS + (j)) * AREA)

vector load_strided(__global const real *from, const int stride) {
    real lanes[WIDTH];
    for (int i = 0; i < WIDTH; i++) {
        lanes[i] = from[(long)i * stride];
    }
    return LOAD(0, lanes);
}

// u[phase, point, c, co], or, `transposed`, u[phase, point, co, c]. Work-item: c or co, phase.
__kernel void winograd_weights(INPUT(w), OUTPUT(u), const int transposed) {
    INPUT_OF(w);
    OUTPUT_OF(u);
    const int k = (int)get_global_id(0), phase = (int)get_global_id(1);
    const int n_count = transposed ? CHANNELS : OUTPUTS;
    u += (long)phase * POINTS * STRIDE(AREA) + (long)k * n_count;
    w += transposed ? k : k * OUTPUTS;
    for (int n = 0; n < n_count; n += WIDTH) {
        vector taps[TAPS * TAPS], rows[POINTS], columns[SIZE];
        UNROLL for (int i = 0; i < TAPS; i++) {
            UNROLL for (int j = 0; j < TAPS; j++) {
                __global const real *from = w + TAP(phase, i, j);
                taps[TAPS * i + j] =
                    transposed ? load_strided(from + n * OUTPUTS, OUTPUTS) : LOAD(0, from + n);
            }
            weight_transform(taps + TAPS * i, 1, rows + SIZE * i);
        }
        UNROLL for (int j = 0; j < SIZE; j++) {
            weight_transform(rows + j, SIZE, columns);
            UNROLL for (int i = 0; i < SIZE; i++) {
                STORE_GLOBAL(columns[i], u + (long)(SIZE * i + j) * STRIDE(AREA) + n);
            }
        }
    }
}

// The convolution ---------------------------------------------------------------------------------

// The part of tile t that lies in the image.
INLINE void store_outputs(vector tile[POINTS], __global real *y, const int t, EXTENTS) {
    UNROLL for (int i = 0; i < SIZE; i++) {
        output_transform(tile + SIZE * i, 1);
    }
    UNROLL for (int i = 0; i < 3; i++) {
        output_transform(tile + i, SIZE);
    }
    for (int i = 0; i < min(3, out_height - ROW(t)); i++) {
        for (int j = 0; j < min(3, out_width - COLUMN(t)); j++) {
            const long pixel = (SAMPLE(t) * out_height + ROW(t) + i) * out_width + COLUMN(t) + j;
            STORE_GLOBAL(tile[SIZE * i + j], y + pixel * OUTPUTS);
        }
    }
}

// Work-item: TILES tiles, all channels.
__kernel void winograd_conv2d(INPUT(x), INPUT(u), OUTPUT(y), EXTENTS) {
    INPUT_OF(x);
    INPUT_OF(u);
    OUTPUT_OF(y);
    __local real v[POINTS * STRIDE(TILES * CHANNELS)], m[POINTS * STRIDE(TILES * OUTPUTS)];
    const int begin = (int)get_global_id(0) * TILES;
    const int end = min(begin + TILES, samples * DOWN * ACROSS);
    for (int phase = 0; phase < STEP; phase++) {
        expand_inputs(x, v, begin, end, phase, samples, height, width, out_height, out_width,
                      padding);
        multiply(v, u + (long)phase * POINTS * STRIDE(AREA), m, end - begin, CHANNELS, OUTPUTS,
                 phase > 0);
    }
    for (int t = begin; t < end; t++) {
        for (int c = 0; c < OUTPUTS; c += WIDTH) {
            vector tile[POINTS];
            load_points(tile, m + (t - begin) * OUTPUTS + c, TILES * OUTPUTS);
            store_outputs(tile, y + c, t, samples, height, width, out_height, out_width, padding);
        }
    }
}

// The input gradient ------------------------------------------------------------------------------
// The transposes of the convolution's steps, last first. A tile of y_bar gives SIZE × SIZE pixels of
// x_bar in each phase, of which the first TAPS − 1 rows and columns are also its neighbours': a
// work-item has whole samples and adds there to what the tiles before have written.

// x_bar = 0 where no tile gives anything: below and to the right of the last.
void clear_rest(__global real *x_bar, EXTENTS) {
    const int rows = PIXEL(3 * DOWN, TAPS - 1, 0), columns = PIXEL(3 * ACROSS, TAPS - 1, 0);
    for (int h = 0; h < height; h++) {
        for (int w = h < rows ? max(0, columns) : 0; w < width; w++) {
            for (int c = 0; c < INPUTS; c += WIDTH) {
                STORE((vector)(R(0.0)), 0, x_bar + ((long)h * width + w) * INPUTS + c);
            }
        }
    }
}

INLINE void add_inputs(vector tile[POINTS], __global real *x_bar, const int t, const int c,
                       const int phase, EXTENTS) {
    UNROLL for (int i = 0; i < SIZE; i++) {
        input_transpose(tile + SIZE * i, 1);
    }
    UNROLL for (int i = 0; i < SIZE; i++) {
        input_transpose(tile + i, SIZE);
    }
    x_bar += SAMPLE(t) * height * width * INPUTS + c % INPUTS;
    UNROLL for (int i = 0; i < SIZE; i++) {
        UNROLL for (int j = 0; j < SIZE; j++) {
            const int h = PIXEL(ROW(t), i, phase), w = PIXEL(COLUMN(t), j, c / INPUTS);
            if (h >= 0 && h < height && w >= 0 && w < width) {
                const bool shared = (i < TAPS - 1 && ROW(t) > 0) || (j < TAPS - 1 && COLUMN(t) > 0);
                __global real *to = x_bar + ((long)h * width + w) * INPUTS;
                STORE_GLOBAL(shared ? LOAD(0, to) + tile[SIZE * i + j] : tile[SIZE * i + j], to);
            }
        }
    }
}

// Work-item: `per` samples, all channels.
__kernel void winograd_input_grad(INPUT(y_bar), INPUT(u), OUTPUT(x_bar), EXTENTS, const int per) {
    INPUT_OF(y_bar);
    INPUT_OF(u);
    OUTPUT_OF(x_bar);
    __local real z[POINTS * STRIDE(TILES * OUTPUTS)], m[POINTS * STRIDE(TILES * CHANNELS)];
    const int first = (int)get_global_id(0) * per, last = min(first + per, samples);
    for (int b = first; b < last; b++) {
        clear_rest(x_bar + (long)b * height * width * INPUTS, samples, height, width, out_height,
                   out_width, padding);
    }
    for (int begin = first * DOWN * ACROSS; begin < last * DOWN * ACROSS; begin += TILES) {
        const int end = min(begin + TILES, last * DOWN * ACROSS);
        expand_cotangents(y_bar, z, begin, end, samples, height, width, out_height, out_width,
                          padding);
        for (int phase = 0; phase < STEP; phase++) {
            multiply(z, u + (long)phase * POINTS * STRIDE(AREA), m, end - begin, OUTPUTS, CHANNELS,
                     false);
            for (int t = begin; t < end; t++) {
                for (int c = 0; c < CHANNELS; c += WIDTH) {
                    vector tile[POINTS];
                    load_points(tile, m + (t - begin) * CHANNELS + c, TILES * CHANNELS);
                    add_inputs(tile, x_bar, t, c, phase, samples, height, width, out_height,
                               out_width, padding);
                }
            }
        }
    }
}

// The weight gradient -----------------------------------------------------------------------------

// m[point, c, co] = Σ_t v[point, t, c] z[point, t, co], or += for `add`, over `tiles` tiles.
void correlate(__local const real *v, __local const real *z, __global real *m, const int tiles,
               const bool add) {
    for (int point = 0; point < POINTS; point++) {
        for (int c = 0; c < CHANNELS; c += ROWS) {
            const int rows = min(ROWS, CHANNELS - c);
            for (int co = 0; co < OUTPUTS; co += COLUMNS) {
                __global real *to = m + c * OUTPUTS + co;
                __local const real *v_t = v + c, *z_t = z + co;
                vector sum[ROWS][VECTORS];
                UNROLL for (int i = 0; i < ROWS; i++) {
                    UNROLL for (int j = 0; j < VECTORS; j++) {
                        sum[i][j] = add ? LOAD(j, to + min(i, rows - 1) * OUTPUTS)
                                        : (vector)(R(0.0));
                    }
                }
                for (int t = 0; t < tiles; t++, v_t += CHANNELS, z_t += OUTPUTS) {
                    UNROLL for (int i = 0; i < ROWS; i++) {
                        UNROLL for (int j = 0; j < VECTORS; j++) {
                            sum[i][j] =
                                fma((vector)(v_t[min(i, rows - 1)]), LOAD(j, z_t), sum[i][j]);
                        }
                    }
                }
                UNROLL for (int i = 0; i < ROWS; i++) {
                    UNROLL for (int j = 0; j < VECTORS; j++) {
                        if (i < rows) {
                            STORE_GLOBAL(sum[i][j], to + i * OUTPUTS + j * WIDTH);
                        }
                    }
                }
            }
        }
        v += STRIDE(TILES * CHANNELS);
        z += STRIDE(TILES * OUTPUTS);
        m += STRIDE(AREA);
    }
}

// m[slice, phase, point, c, co]: the sums over a slice of `per` tiles. Work-item: a slice.
__kernel void winograd_correlate(INPUT(x), INPUT(y_bar), OUTPUT(m), EXTENTS, const int per) {
    INPUT_OF(x);
    INPUT_OF(y_bar);
    OUTPUT_OF(m);
    __local real v[POINTS * STRIDE(TILES * CHANNELS)], z[POINTS * STRIDE(TILES * OUTPUTS)];
    const int slice = (int)get_global_id(0), first = slice * per;
    const int last = min(first + per, samples * DOWN * ACROSS);
    m += (long)slice * STEP * POINTS * STRIDE(AREA);
    for (int begin = first; begin < last; begin += TILES) {
        const int end = min(begin + TILES, last);
        expand_cotangents(y_bar, z, begin, end, samples, height, width, out_height, out_width,
                          padding);
        for (int phase = 0; phase < STEP; phase++) {
            expand_inputs(x, v, begin, end, phase, samples, height, width, out_height, out_width,
                          padding);
            correlate(v, z, m + (long)phase * POINTS * STRIDE(AREA), end - begin, begin > first);
        }
    }
}

// w_bar[tap] = Gᵀ m G of each phase, with m the sum of its slices, in order. Work-item: c, phase.
__kernel void winograd_contract(INPUT(m), OUTPUT(w_bar), const int slices) {
    INPUT_OF(m);
    OUTPUT_OF(w_bar);
    const int c = (int)get_global_id(0), phase = (int)get_global_id(1);
    m += (long)phase * POINTS * STRIDE(AREA) + (long)c * OUTPUTS;
    for (int co = 0; co < OUTPUTS; co += WIDTH) {
        vector points[POINTS], rows[SIZE * TAPS], columns[TAPS];
        UNROLL for (int i = 0; i < POINTS; i++) {
            points[i] = LOAD(0, m + (long)i * STRIDE(AREA) + co);
        }
        for (int s = 1; s < slices; s++) {
            UNROLL for (int i = 0; i < POINTS; i++) {
                points[i] += LOAD(
                    0, m + ((long)s * STEP * POINTS + i) * STRIDE(AREA) + co);
            }
        }
        UNROLL for (int i = 0; i < SIZE; i++) {
            weight_transpose(points + SIZE * i, 1, rows + TAPS * i);
        }
        UNROLL for (int j = 0; j < TAPS; j++) {
            weight_transpose(rows + j, TAPS, columns);
            UNROLL for (int i = 0; i < TAPS; i++) {
                STORE_GLOBAL(columns[i],
                             w_bar + TAP(phase, i, j) + (long)c * OUTPUTS + co);
            }
        }
    }
}
