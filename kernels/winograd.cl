// SPDX-License-Identifier: Apache-2.0
// winograd.cl — conv2d and both its gradients by Winograd's F(TALL×WIDE, TAPS×TAPS), where the
// kernel is STEP · TAPS wide: y = Aᵀ[(G w Gᵀ) ∘ (Bᵀ x B)]A. 3×3 kernels with stride 1 take 25
// multiplications for a tile of 3×3 outputs instead of 81. With stride 2, pairs of pixels count as
// one with twice the channels, and even and odd rows of the padded image are two phases: a 4×4
// kernel is then the sum over phases of 2×2 kernels with stride 1, with 16 multiplications for 3×3
// outputs instead of 36.
// Twin: src/ref/conv2d.c.   Source: Lavin and Gray 2016, with the points 0, 1, −1, ∞ and, for 5, 2.
// The products of a tile are a matrix product over channels at each point. A work-item transforms
// up to TILES tiles into local memory, multiplies there and transforms back: it stays in the caches.
// With -DROOM it does so in a part of global memory that is its own: what local memory a CPU grants
// says nothing about its caches.
// Assumes: one work-item a group; INPUTS and OUTPUTS are multiples of WIDTH, the columns of a
// product (OUTPUTS, in the input gradient CHANNELS) of VECTORS · WIDTH, and TILES of ROWS.
// Tuned: ROWS, VECTORS, WIDTH (variant.cl), TILES, ROOM.   Relaxed math: none.
// Rounding: with 4 points about the direct method's error, with 5 a few times that, by the numbers
// up to 8 in A and 3 in B.

#define UNROLL _Pragma("unroll")

// Towards the caches while the processor is at other work. PoCL's prefetch() does nothing.
#if defined(__x86_64__) || defined(__aarch64__)
#define PREFETCH(p) __builtin_prefetch((const void *)(ulong)(p))
#else
#define PREFETCH(p) prefetch(p, WIDTH)
#endif

#ifdef ROOM
#define NEAR __global
#define NEAR_PARAMETER OUTPUT(room),
#define DECLARE_NEAR(a, a_size, b, b_size)                                                         \
    OUTPUT_OF(room);                                                                               \
    NEAR real *a = room + (long)get_group_id(0) * ((a_size) + (b_size));                           \
    NEAR real *b = a + (a_size)
#else
#define NEAR __local
#define NEAR_PARAMETER
#define DECLARE_NEAR(a, a_size, b, b_size) __local real a[a_size], b[b_size]
#endif

// STORE to near and to global memory as one instruction, which vstore is not with every compiler.
typedef struct __attribute__((packed)) {
    vector x;
} unaligned;
#define STORE_NEAR(x_, p)   (((NEAR unaligned *)(p))->x = (x_))
#define STORE_GLOBAL(x_, p) (((__global unaligned *)(p))->x = (x_))

#define POINTS_OF(outputs) ((outputs) + TAPS - 1) // along an axis
#define HIGH     POINTS_OF(TALL)                  // a transformed tile is HIGH × LONG
#define LONG     POINTS_OF(WIDE)
#define POINTS   (HIGH * LONG)
#define CHANNELS (STEP * INPUTS) // of STEP adjacent pixels
#define AREA     (CHANNELS * OUTPUTS)

// Elements from one point to the next of a tensor [POINTS, elements]. Without the gap the places
// that a tile goes to would often share one set of the cache.
#define STRIDE(elements) ((elements) + 16)

// Transforms --------------------------------------------------------------------------------------
// Along one axis with `points` of 4 or 5: Bᵀ, B, A, Aᵀ applied to the vectors x[0], x[s], x[2s] …
// in place; G and Gᵀ from weights to points and back.

INLINE void input_transform(vector *x, const int s, const int points) {
    const vector a = x[0], b = x[s], c = x[2 * s], d = x[3 * s];
    if (points == 4) {
        x[0] = a - c;
        x[s] = b + c;
        x[2 * s] = c - b;
        x[3 * s] = d - b;
    } else {
        x[0] = R(2.0) * (a - c) - b + d;
        x[s] = d - c - R(2.0) * b;
        x[2 * s] = R(2.0) * b - R(3.0) * c + d;
        x[3 * s] = d - b;
        x[4 * s] += R(2.0) * (b - d) - c;
    }
}

INLINE void input_transpose(vector *x, const int s, const int points) {
    const vector a = x[0], b = x[s], c = x[2 * s], d = x[3 * s];
    if (points == 4) {
        x[s] = b - c - d;
        x[2 * s] = b + c - a;
    } else {
        const vector e = x[4 * s];
        x[0] = R(2.0) * a;
        x[s] = R(2.0) * (c - b + e) - a - d;
        x[2 * s] = -R(2.0) * a - b - R(3.0) * c - e;
        x[3 * s] = a + b + c + d - R(2.0) * e;
    }
}

INLINE void cotangent_transform(vector *x, const int s, const int points) {
    const vector a = x[0], b = x[s], c = x[2 * s];
    if (points == TAPS + 2) { // of 3 outputs
        x[s] = a + b + c;
        x[2 * s] = a - b + c;
        if (points == 5) {
            x[3 * s] = a + R(2.0) * b + R(4.0) * c;
        }
        x[(points - 1) * s] = c;
    } else {
        const vector d = x[3 * s];
        x[s] = a + b + (c + d);
        x[2 * s] = a - b + (c - d);
        x[3 * s] = a + R(2.0) * b + R(4.0) * c + R(8.0) * d;
        x[4 * s] = d;
    }
}

INLINE void output_transform(vector *x, const int s, const int points) {
    const vector sum = x[s] + x[2 * s], difference = x[s] - x[2 * s], d = x[3 * s];
    if (points == 4) {
        x[0] += sum;
        x[s] = difference;
        x[2 * s] = sum + d;
    } else {
        x[0] += sum + d;
        x[s] = difference + R(2.0) * d;
        if (TAPS == 3) {
            x[2 * s] = sum + R(4.0) * d + x[4 * s];
        } else {
            x[2 * s] = sum + R(4.0) * d;
            x[3 * s] = difference + R(8.0) * d + x[4 * s];
        }
    }
}

INLINE void weight_transform(const vector *w, const int s, vector *u, const int points) {
    const vector even = TAPS == 3 ? w[0] + w[(TAPS - 1) * s] : w[0], b = w[s];
    if (points == 4) {
        u[0] = w[0];
        u[1] = (even + b) * R(0.5);
        u[2] = (even - b) * R(0.5);
    } else {
        const vector far = TAPS == 3 ? even + R(3.0) * w[(TAPS - 1) * s] : even;
        u[0] = w[0] * R(0.5);
        u[1] = (even + b) * R(-0.5);
        u[2] = (b - even) * R(0.16666666666666666);
        u[3] = (far + R(2.0) * b) * R(0.16666666666666666);
    }
    u[points - 1] = w[(TAPS - 1) * s];
}

INLINE void weight_transpose(const vector *u, const int s, vector *w, const int points) {
    if (points == 4) {
        w[0] = u[0] + (u[s] + u[2 * s]) * R(0.5);
        w[1] = (u[s] - u[2 * s]) * R(0.5);
    } else {
        const vector near = u[s] * R(0.5), back = u[2 * s] * R(0.16666666666666666);
        const vector far = u[3 * s] * R(0.33333333333333333);
        w[0] = u[0] * R(0.5) - near - back + far * R(0.5);
        w[1] = back - near + far;
        if (TAPS == 3) {
            w[TAPS - 1] = far * R(2.0) - near - back;
        }
    }
    w[TAPS - 1] += u[(points - 1) * s];
}

// Tiles -------------------------------------------------------------------------------------------

// Images [samples, height, width, INPUTS] and [samples, out_height, out_width, OUTPUTS]. The
// outputs from (top, left) on have down × across tiles, which are numbered through the batch.
#define EXTENTS                                                                                    \
    const int samples, const int height, const int width, const int out_height,                    \
        const int out_width, const int padding, const int top, const int left, const int down,     \
        const int across
#define EXTENTS_HERE                                                                               \
    samples, height, width, out_height, out_width, padding, top, left, down, across
#define TILES_EACH   (down * across)
#define SAMPLE(tile) ((long)((tile) / TILES_EACH))
#define ROW(tile)    (top + (tile) / across % down * TALL)
#define COLUMN(tile) (left + (tile) % across * WIDE)

// The input row or column of row or column i of a tile that starts at `start`: the one of `phase`
// among the STEP that count as one.
#define PIXEL(start, i, phase) (((start) + (i)) * STEP + (phase) - padding)

// to[i, j] = image[row + i · step, column + j · step] for i < high, j < wide; zero outside the
// image. The next tile of the same row will be wanted soon.
INLINE void load_tile(vector to[POINTS], __global const real *image, const int row,
                      const int column, const int step, const int height, const int width,
                      const int channels, const int high, const int wide) {
    UNROLL for (int i = 0; i < high; i++) {
        UNROLL for (int j = 0; j < wide; j++) {
            const int h = row + i * step, w = column + j * step;
            const bool inside = h >= 0 && h < height && w >= 0 && w < width;
            if (inside) {
                __global const real *from = image + ((long)h * width + w) * channels;
                PREFETCH(from + WIDE * step * channels);
                to[LONG * i + j] = LOAD(0, from);
            } else {
                to[LONG * i + j] = (vector)(R(0.0));
            }
        }
    }
}

// Points of `elements` channels of tiles in near memory, from and to registers.
INLINE void store_points(const vector tile[POINTS], NEAR real *v, const int elements) {
    UNROLL for (int i = 0; i < POINTS; i++) {
        STORE_NEAR(tile[i], v + i * STRIDE(elements));
    }
}

INLINE void load_points(vector tile[POINTS], NEAR const real *m, const int elements) {
    UNROLL for (int i = 0; i < POINTS; i++) {
        tile[i] = LOAD(0, m + i * STRIDE(elements));
    }
}

// v[point, tile, c] of tiles [begin, end) of x in one phase, for all CHANNELS.
static void expand_inputs(__global const real *x, NEAR real *v, const int begin, const int end,
                   const int phase, EXTENTS) {
    for (int t = begin; t < end; t++) {
        __global const real *image = x + SAMPLE(t) * height * width * INPUTS;
        const int row = PIXEL(ROW(t), 0, phase), column = COLUMN(t);
        for (int c = 0; c < CHANNELS; c += WIDTH) {
            vector tile[POINTS];
            load_tile(tile, image + c % INPUTS, row, PIXEL(column, 0, c / INPUTS), STEP, height,
                      width, INPUTS, HIGH, LONG);
            UNROLL for (int i = 0; i < HIGH; i++) {
                input_transform(tile + LONG * i, 1, LONG);
            }
            UNROLL for (int j = 0; j < LONG; j++) {
                input_transform(tile + j, LONG, HIGH);
            }
            store_points(tile, v + (t - begin) * CHANNELS + c, TILES * CHANNELS);
        }
    }
}

// z[point, tile, co] of tiles [begin, end) of y_bar.
static void expand_cotangents(__global const real *y_bar, NEAR real *z, const int begin, const int end,
                       EXTENTS) {
    for (int t = begin; t < end; t++) {
        for (int c = 0; c < OUTPUTS; c += WIDTH) {
            vector tile[POINTS];
            load_tile(tile, y_bar + SAMPLE(t) * out_height * out_width * OUTPUTS + c, ROW(t),
                      COLUMN(t), 1, out_height, out_width, OUTPUTS, TALL, WIDE);
            UNROLL for (int i = 0; i < TALL; i++) {
                cotangent_transform(tile + LONG * i, 1, LONG);
            }
            UNROLL for (int j = 0; j < LONG; j++) {
                cotangent_transform(tile + j, LONG, HIGH);
            }
            store_points(tile, z + (t - begin) * OUTPUTS + c, TILES * OUTPUTS);
        }
    }
}

// m[point, tile, :] = v[point, tile, :] u[point], or += for `add`, of `tiles` tiles. The rows of a
// register tile past the last are written too: nobody reads them.
static void multiply(NEAR const real *v, __global const real *u, NEAR real *m, const int tiles,
              const int inner, const int columns, const bool add) {
    for (int point = 0; point < POINTS; point++) {
        for (int n = 0; n < columns; n += COLUMNS) {
            for (int t = 0; t < tiles; t += ROWS) {
                NEAR real *to = m + t * columns + n;
                __global const real *u_k = u + n;
                NEAR const real *v_rows[ROWS];
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
                            sum[i][j] =
                                MULTIPLY_ADD((vector)(v_rows[i][k]), LOAD(j, u_k), sum[i][j]);
                        }
                    }
                }
                UNROLL for (int i = 0; i < ROWS; i++) {
                    UNROLL for (int j = 0; j < VECTORS; j++) {
                        STORE_NEAR(sum[i][j], to + i * columns + j * WIDTH);
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

static vector load_strided(__global const real *from, const int stride) {
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
        vector taps[TAPS * TAPS], rows[TAPS * LONG], columns[HIGH];
        UNROLL for (int i = 0; i < TAPS; i++) {
            UNROLL for (int j = 0; j < TAPS; j++) {
                __global const real *from = w + TAP(phase, i, j);
                taps[TAPS * i + j] =
                    transposed ? load_strided(from + n * OUTPUTS, OUTPUTS) : LOAD(0, from + n);
            }
            weight_transform(taps + TAPS * i, 1, rows + LONG * i, LONG);
        }
        UNROLL for (int j = 0; j < LONG; j++) {
            weight_transform(rows + j, LONG, columns, HIGH);
            UNROLL for (int i = 0; i < HIGH; i++) {
                STORE_GLOBAL(columns[i], u + (long)(LONG * i + j) * STRIDE(AREA) + n);
            }
        }
    }
}

// The convolution ---------------------------------------------------------------------------------

// The part of tile t that lies in the image.
INLINE void store_outputs(vector tile[POINTS], __global real *y, const int t, EXTENTS) {
    UNROLL for (int i = 0; i < HIGH; i++) {
        output_transform(tile + LONG * i, 1, LONG);
    }
    UNROLL for (int j = 0; j < WIDE; j++) {
        output_transform(tile + j, LONG, HIGH);
    }
    for (int i = 0; i < min(TALL, out_height - ROW(t)); i++) {
        for (int j = 0; j < min(WIDE, out_width - COLUMN(t)); j++) {
            const long pixel = (SAMPLE(t) * out_height + ROW(t) + i) * out_width + COLUMN(t) + j;
            STORE_GLOBAL(tile[LONG * i + j], y + pixel * OUTPUTS);
        }
    }
}

// Work-item: `per` tiles, a multiple of TILES, all channels.
__kernel void winograd_conv2d(INPUT(x), INPUT(u), OUTPUT(y), NEAR_PARAMETER EXTENTS,
                              const int per) {
    INPUT_OF(x);
    INPUT_OF(u);
    OUTPUT_OF(y);
    DECLARE_NEAR(v, POINTS * STRIDE(TILES * CHANNELS), m, POINTS * STRIDE(TILES * OUTPUTS));
    const int first = (int)get_global_id(0) * per;
    const int last = min(first + per, samples * TILES_EACH);
    for (int begin = first; begin < last; begin += TILES) {
        const int end = min(begin + TILES, last);
        for (int phase = 0; phase < STEP; phase++) {
            expand_inputs(x, v, begin, end, phase, EXTENTS_HERE);
            multiply(v, u + (long)phase * POINTS * STRIDE(AREA), m, end - begin, CHANNELS, OUTPUTS,
                     phase > 0);
        }
        for (int t = begin; t < end; t++) {
            for (int c = 0; c < OUTPUTS; c += WIDTH) {
                vector tile[POINTS];
                load_points(tile, m + (t - begin) * OUTPUTS + c, TILES * OUTPUTS);
                store_outputs(tile, y + c, t, EXTENTS_HERE);
            }
        }
    }
}

// The input gradient ------------------------------------------------------------------------------
// The transposes of the convolution's steps, last first. A tile of y_bar gives HIGH × LONG pixels
// of x_bar in each phase, of which the first TAPS − 1 rows and columns are also its neighbours': a
// work-item has whole samples and adds there to what the tiles before have written.

// x_bar = 0 where no tile gives anything: below and to the right of the last.
static void clear_rest(__global real *x_bar, EXTENTS) {
    const int rows = PIXEL(top + TALL * down, TAPS - 1, 0);
    const int columns = PIXEL(left + WIDE * across, TAPS - 1, 0);
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
    UNROLL for (int i = 0; i < HIGH; i++) {
        input_transpose(tile + LONG * i, 1, LONG);
    }
    UNROLL for (int j = 0; j < LONG; j++) {
        input_transpose(tile + j, LONG, HIGH);
    }
    x_bar += SAMPLE(t) * height * width * INPUTS + c % INPUTS;
    UNROLL for (int i = 0; i < HIGH; i++) {
        UNROLL for (int j = 0; j < LONG; j++) {
            const int h = PIXEL(ROW(t), i, phase), w = PIXEL(COLUMN(t), j, c / INPUTS);
            if (h >= 0 && h < height && w >= 0 && w < width) {
                const bool shared = (i < TAPS - 1 && ROW(t) > 0) || (j < TAPS - 1 && COLUMN(t) > 0);
                __global real *to = x_bar + ((long)h * width + w) * INPUTS;
                STORE_GLOBAL(shared ? LOAD(0, to) + tile[LONG * i + j] : tile[LONG * i + j], to);
            }
        }
    }
}

// Work-item: `per` samples, all channels. The last of the calls that share x_bar clears the rest.
__kernel void winograd_input_grad(INPUT(y_bar), INPUT(u), OUTPUT(x_bar), NEAR_PARAMETER EXTENTS,
                                  const int last_call, const int per) {
    INPUT_OF(y_bar);
    INPUT_OF(u);
    OUTPUT_OF(x_bar);
    DECLARE_NEAR(z, POINTS * STRIDE(TILES * OUTPUTS), m, POINTS * STRIDE(TILES * CHANNELS));
    const int first = (int)get_global_id(0) * per, last = min(first + per, samples);
    for (int b = first; b < last && last_call; b++) {
        clear_rest(x_bar + (long)b * height * width * INPUTS, EXTENTS_HERE);
    }
    for (int begin = first * TILES_EACH; begin < last * TILES_EACH; begin += TILES) {
        const int end = min(begin + TILES, last * TILES_EACH);
        expand_cotangents(y_bar, z, begin, end, EXTENTS_HERE);
        for (int phase = 0; phase < STEP; phase++) {
            multiply(z, u + (long)phase * POINTS * STRIDE(AREA), m, end - begin, OUTPUTS, CHANNELS,
                     false);
            for (int t = begin; t < end; t++) {
                for (int c = 0; c < CHANNELS; c += WIDTH) {
                    vector tile[POINTS];
                    load_points(tile, m + (t - begin) * CHANNELS + c, TILES * CHANNELS);
                    add_inputs(tile, x_bar, t, c, phase, EXTENTS_HERE);
                }
            }
        }
    }
}

// The weight gradient -----------------------------------------------------------------------------

// m[point, c, co] = Σ_t v[point, t, c] z[point, t, co], or += for `add`, over `tiles` tiles.
static void correlate(NEAR const real *v, NEAR const real *z, __global real *m, const int tiles,
               const bool add) {
    for (int point = 0; point < POINTS; point++) {
        for (int c = 0; c < CHANNELS; c += ROWS) {
            const int rows = CHANNELS % ROWS == 0 ? ROWS : min(ROWS, CHANNELS - c);
            for (int co = 0; co < OUTPUTS; co += COLUMNS) {
                __global real *to = m + c * OUTPUTS + co;
                NEAR const real *v_t = v + c, *z_t = z + co;
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
                                MULTIPLY_ADD((vector)(v_t[min(i, rows - 1)]), LOAD(j, z_t),
                                             sum[i][j]);
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
__kernel void winograd_correlate(INPUT(x), INPUT(y_bar), OUTPUT(m), NEAR_PARAMETER EXTENTS,
                                 const int per) {
    INPUT_OF(x);
    INPUT_OF(y_bar);
    OUTPUT_OF(m);
    DECLARE_NEAR(v, POINTS * STRIDE(TILES * CHANNELS), z, POINTS * STRIDE(TILES * OUTPUTS));
    const int slice = (int)get_global_id(0), first = slice * per;
    const int last = min(first + per, samples * TILES_EACH);
    m += (long)slice * STEP * POINTS * STRIDE(AREA);
    for (int begin = first; begin < last; begin += TILES) {
        const int end = min(begin + TILES, last);
        expand_cotangents(y_bar, z, begin, end, EXTENTS_HERE);
        for (int phase = 0; phase < STEP; phase++) {
            expand_inputs(x, v, begin, end, phase, EXTENTS_HERE);
            correlate(v, z, m + (long)phase * POINTS * STRIDE(AREA), end - begin, begin > first);
        }
    }
}

// w_bar[tap] = Gᵀ m G of each phase, or += for `add`, with m the sum of its slices, in order.
// Work-item: c, phase.
__kernel void winograd_contract(INPUT(m), OUTPUT(w_bar), const int slices, const int add) {
    INPUT_OF(m);
    OUTPUT_OF(w_bar);
    const int c = (int)get_global_id(0), phase = (int)get_global_id(1);
    m += (long)phase * POINTS * STRIDE(AREA) + (long)c * OUTPUTS;
    for (int co = 0; co < OUTPUTS; co += WIDTH) {
        vector points[POINTS], rows[HIGH * TAPS], columns[TAPS];
        UNROLL for (int i = 0; i < POINTS; i++) {
            points[i] = LOAD(0, m + (long)i * STRIDE(AREA) + co);
        }
        for (int s = 1; s < slices; s++) {
            UNROLL for (int i = 0; i < POINTS; i++) {
                points[i] += LOAD(
                    0, m + ((long)s * STEP * POINTS + i) * STRIDE(AREA) + co);
            }
        }
        UNROLL for (int i = 0; i < HIGH; i++) {
            weight_transpose(points + LONG * i, 1, rows + TAPS * i, LONG);
        }
        UNROLL for (int j = 0; j < TAPS; j++) {
            weight_transpose(rows + j, TAPS, columns, HIGH);
            UNROLL for (int i = 0; i < TAPS; i++) {
                __global real *to = w_bar + TAP(phase, i, j) + (long)c * OUTPUTS + co;
                STORE_GLOBAL(add ? LOAD(0, to) + columns[i] : columns[i], to);
            }
        }
    }
}
