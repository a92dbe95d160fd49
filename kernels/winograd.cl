// SPDX-License-Identifier: Apache-2.0
// winograd.cl — conv2d with 3×3 kernels and stride 1, and both its gradients, by Winograd's F(3×3, 3×3):
// y = Aᵀ[(G w Gᵀ) ∘ (Bᵀ x B)]A takes 25 multiplications for a tile of 3×3 outputs instead of 81.
// Twin: src/ref/conv2d.c.   Source: Lavin and Gray 2016, with the points 0, 1, −1, 2 and ∞.
// The 25 products of each tile are 25 matrix products over channels. winograd_conv2d keeps them in
// the caches: a work-item transforms TILES tiles into local memory, multiplies and transforms back.
// Assumes: one work-item a group; channels of what is transformed are a multiple of WIDTH; weights are
// [25, inputs, outputs] with outputs a multiple of VECTORS · WIDTH. Any image, padding 0 … 2.
// Tuned: ROWS, VECTORS, WIDTH (common.cl), TILES.   Relaxed math: none.
// Rounding: a few times the direct method's error, by the numbers up to 4 in A and 3 in B.

#define UNROLL _Pragma("unroll")

// Elements from one point to the next of a tensor [25, elements]. Without the gap the 25 places that
// a tile goes to would often share one set of the cache.
#define STRIDE(elements) ((elements) + 16)

// Bᵀ, A, Aᵀ, Gᵀ applied to the vectors x[0], x[s], x[2s] … in place.
void input_transform(vector *x, const int s) {
    const vector a = x[0], b = x[s], c = x[2 * s], d = x[3 * s];
    x[0] = R(2.0) * (a - c) - b + d;
    x[s] = d - c - R(2.0) * b;
    x[2 * s] = R(2.0) * b - R(3.0) * c + d;
    x[3 * s] = d - b;
    x[4 * s] += R(2.0) * (b - d) - c;
}

void cotangent_transform(vector *x, const int s) {
    const vector a = x[0], b = x[s], c = x[2 * s];
    x[s] = a + b + c;
    x[2 * s] = a - b + c;
    x[3 * s] = a + R(2.0) * b + R(4.0) * c;
    x[4 * s] = c;
}

void output_transform(vector *x, const int s) {
    const vector sum = x[s] + x[2 * s], d = x[3 * s];
    x[0] += sum + d;
    x[s] = x[s] - x[2 * s] + R(2.0) * d;
    x[2 * s] = sum + R(4.0) * d + x[4 * s];
}

// G: u[0 … 4] from three weights.
void weight_transform(const vector a, const vector b, const vector c, vector *u) {
    const vector sum = a + c;
    u[0] = a * R(0.5);
    u[1] = (sum + b) * R(-0.5);
    u[2] = (b - sum) * R(0.16666666666666666);
    u[3] = (sum + R(2.0) * b + R(3.0) * c) * R(0.16666666666666666);
    u[4] = c;
}

void weight_transpose(const real *u, real *w) {
    const real far = u[3] * R(0.33333333333333333), near = u[1] * R(0.5);
    const real back = u[2] * R(0.16666666666666666);
    w[0] = u[0] * R(0.5) - near - back + far * R(0.5);
    w[1] = back - near + far;
    w[2] = far * R(2.0) - near - back + u[4];
}

// tile[5i + j] = image[row + i, column + j, c …] for i, j < size; zero outside the image.
void load_tile(vector tile[25], __global const real *image, const int row, const int column,
               const int height, const int width, const int channels, const int size) {
    UNROLL for (int i = 0; i < size; i++) {
        UNROLL for (int j = 0; j < size; j++) {
            const int h = row + i, w = column + j;
            const bool inside = h >= 0 && h < height && w >= 0 && w < width;
            tile[5 * i + j] = inside ? LOAD(0, image + ((long)h * width + w) * channels)
                                     : (vector)(R(0.0));
        }
    }
}

// Where tile `number` of a batch of images with tiles down × across begins, in units of tiles.
#define LOCATE_TILE(number)                                                                        \
    const int down = (out_height + 2) / 3, across = (out_width + 2) / 3;                           \
    const long sample = (number) / (down * across);                                                \
    const int row = (number) / across % down * 3, column = (number) % across * 3

vector load_strided(__global const real *from, const int stride) {
    real lanes[WIDTH];
    for (int i = 0; i < WIDTH; i++) {
        lanes[i] = from[(long)i * stride];
    }
    return LOAD(0, lanes);
}

// u[point, k, n] from w[tap, k, n], or, `flipped`, from w[8 − tap, n, k]. Work-item: k.
__kernel void winograd_weights(INPUT(w), OUTPUT(u), const int k_count, const int n_count,
                               const int flipped) {
    INPUT_OF(w);
    OUTPUT_OF(u);
    const int k = (int)get_global_id(0), area = k_count * n_count;
    for (int n = 0; n < n_count; n += WIDTH) {
        vector taps[9], rows[3][5], columns[5];
        UNROLL for (int tap = 0; tap < 9; tap++) {
            taps[tap] = flipped
                            ? load_strided(w + (long)(8 - tap) * area + n * k_count + k, k_count)
                            : LOAD(0, w + (long)tap * area + k * n_count + n);
        }
        UNROLL for (int i = 0; i < 3; i++) {
            weight_transform(taps[3 * i], taps[3 * i + 1], taps[3 * i + 2], rows[i]);
        }
        UNROLL for (int j = 0; j < 5; j++) {
            weight_transform(rows[0][j], rows[1][j], rows[2][j], columns);
            UNROLL for (int i = 0; i < 5; i++) {
                STORE(columns[i], 0, u + (long)(5 * i + j) * STRIDE(area) + k * n_count + n);
            }
        }
    }
}

// products[point] = v[point, tiles, :] u[point, :, columns]
#define MULTIPLY(products, v, u)                                                                   \
    for (int point = 0; point < 25; point++) {                                                     \
        vector sum[ROWS][VECTORS];                                                                 \
        __local const real *v_rows[ROWS];                                                          \
        __global const real *u_k = (u) + (long)point * STRIDE(inputs * outputs);                   \
        UNROLL for (int i = 0; i < ROWS; i++) {                                                    \
            v_rows[i] = (v) + point * STRIDE(TILES * INPUTS) + min(i, rows - 1) * inputs;          \
            UNROLL for (int j = 0; j < VECTORS; j++) {                                             \
                sum[i][j] = (vector)(R(0.0));                                                      \
            }                                                                                      \
        }                                                                                          \
        for (long k = 0; k < inputs; k++, u_k += outputs) {                                        \
            UNROLL for (int i = 0; i < ROWS; i++) {                                                \
                UNROLL for (int j = 0; j < VECTORS; j++) {                                         \
                    sum[i][j] = fma((vector)(v_rows[i][k]), LOAD(j, u_k), sum[i][j]);              \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
        UNROLL for (int i = 0; i < ROWS; i++) {                                                    \
            UNROLL for (int j = 0; j < VECTORS; j++) {                                             \
                products[i][j][point] = sum[i][j];                                                 \
            }                                                                                      \
        }                                                                                          \
    }

// Work-item: TILES tiles, all channels.
__kernel void winograd_conv2d(INPUT(x), INPUT(u), OUTPUT(y), const int samples, const int height,
                              const int width, const int inputs, const int out_height,
                              const int out_width, const int outputs, const int padding) {
    INPUT_OF(x);
    INPUT_OF(u);
    OUTPUT_OF(y);
    __local real v[25 * STRIDE(TILES * INPUTS)];
    const int tiles = samples * ((out_height + 2) / 3) * ((out_width + 2) / 3);
    const int begin = (int)get_global_id(0) * TILES, end = min(begin + TILES, tiles);
    for (int t = begin; t < end; t++) {
        LOCATE_TILE(t);
        for (int c = 0; c < inputs; c += WIDTH) {
            vector tile[25];
            load_tile(tile, x + sample * height * width * inputs + c, row - padding,
                      column - padding, height, width, inputs, 5);
            UNROLL for (int i = 0; i < 5; i++) {
                input_transform(tile + 5 * i, 1);
            }
            UNROLL for (int i = 0; i < 5; i++) {
                input_transform(tile + i, 5);
            }
            UNROLL for (int i = 0; i < 25; i++) {
                STORE(tile[i], 0, v + i * STRIDE(TILES * INPUTS) + (t - begin) * inputs + c);
            }
        }
    }
    for (int co = 0; co < outputs; co += COLUMNS) {
        for (int t = begin; t < end; t += ROWS) {
            const int rows = min(ROWS, end - t);
            vector products[ROWS][VECTORS][25];
            MULTIPLY(products, v + (t - begin) * inputs, u + co);
            for (int r = 0; r < rows * VECTORS; r++) {
                LOCATE_TILE(t + r / VECTORS);
                vector *tile = products[r / VECTORS][r % VECTORS];
                UNROLL for (int i = 0; i < 5; i++) {
                    output_transform(tile + 5 * i, 1);
                }
                UNROLL for (int i = 0; i < 3; i++) {
                    output_transform(tile + i, 5);
                }
                for (int i = 0; i < min(3, out_height - row); i++) {
                    for (int j = 0; j < min(3, out_width - column); j++) {
                        const long pixel = (sample * out_height + row + i) * out_width + column + j;
                        STORE(tile[5 * i + j], r % VECTORS, y + pixel * outputs + co);
                    }
                }
            }
        }
    }
}

// v[point, tile, c] from x [samples, height, width, channels]: inputs of the tiles of conv2d's result
// (size 5), or with size 3 and no padding the cotangents of that result. Work-item: a tile.
#define EXPAND(name, size, transform)                                                              \
    __kernel void name(INPUT(x), OUTPUT(v), const int tiles, const int height, const int width,    \
                       const int channels, const int out_height, const int out_width,              \
                       const int padding, const int per) {                                         \
        INPUT_OF(x);                                                                               \
        OUTPUT_OF(v);                                                                              \
        const int begin = (int)get_global_id(0) * per;                                             \
        for (int t = begin; t < min(begin + per, tiles); t++) {                                    \
            LOCATE_TILE(t);                                                                        \
            for (int c = 0; c < channels; c += WIDTH) {                                            \
                vector tile[25];                                                                   \
                load_tile(tile, x + sample * height * width * channels + c, row - padding,         \
                          column - padding, height, width, channels, size);                        \
                UNROLL for (int i = 0; i < size; i++) {                                            \
                    transform(tile + 5 * i, 1);                                                    \
                }                                                                                  \
                UNROLL for (int i = 0; i < 5; i++) {                                               \
                    transform(tile + i, 5);                                                        \
                }                                                                                  \
                UNROLL for (int i = 0; i < 25; i++) {                                              \
                    STORE(tile[i], 0, v + (long)i * STRIDE(tiles * channels) + t * channels + c);  \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

EXPAND(winograd_expand_input, 5, input_transform)
EXPAND(winograd_expand_cotangent, 3, cotangent_transform)

// m[point, ci, co] = Σ_t v[point, t, ci] z[point, t, co]. Work-item: co tile, ci tile, point.
__kernel void winograd_correlate(INPUT(v), INPUT(z), OUTPUT(m), const int tiles, const int inputs,
                                 const int outputs) {
    INPUT_OF(v);
    INPUT_OF(z);
    OUTPUT_OF(m);
    const int co = (int)get_global_id(0) * COLUMNS, ci = (int)get_global_id(1) * ROWS;
    const int point = (int)get_global_id(2), rows = min(ROWS, inputs - ci);
    __global const real *v_t = v + (long)point * STRIDE(tiles * inputs) + ci;
    __global const real *z_t = z + (long)point * STRIDE(tiles * outputs) + co;
    vector sum[ROWS][VECTORS];
    UNROLL for (int i = 0; i < ROWS; i++) {
        UNROLL for (int j = 0; j < VECTORS; j++) {
            sum[i][j] = (vector)(R(0.0));
        }
    }
    for (int t = 0; t < tiles; t++, v_t += inputs, z_t += outputs) {
        UNROLL for (int i = 0; i < ROWS; i++) {
            UNROLL for (int j = 0; j < VECTORS; j++) {
                sum[i][j] = fma((vector)(v_t[min(i, rows - 1)]), LOAD(j, z_t), sum[i][j]);
            }
        }
    }
    m += (long)point * STRIDE(inputs * outputs) + ci * outputs + co;
    for (int i = 0; i < rows; i++) {
        for (int j = 0; j < VECTORS; j++) {
            STORE(sum[i][j], j, m + (long)i * outputs);
        }
    }
}

// w_bar[tap, i] = (Gᵀ m[:, i] G)[tap]. Work-item: `per` of the `count` weights of a tap.
__kernel void winograd_contract(INPUT(m), OUTPUT(w_bar), const int count, const int per) {
    INPUT_OF(m);
    OUTPUT_OF(w_bar);
    const int begin = (int)get_global_id(0) * per;
    for (int n = begin; n < min(begin + per, count); n++) {
        real rows[5][3], w[3];
        UNROLL for (int i = 0; i < 5; i++) {
            real u[5];
            UNROLL for (int j = 0; j < 5; j++) {
                u[j] = m[(long)(5 * i + j) * STRIDE(count) + n];
            }
            weight_transpose(u, rows[i]);
        }
        UNROLL for (int j = 0; j < 3; j++) {
            const real u[5] = {rows[0][j], rows[1][j], rows[2][j], rows[3][j], rows[4][j]};
            weight_transpose(u, w);
            UNROLL for (int i = 0; i < 3; i++) {
                w_bar[(3 * i + j) * (long)count + n] = w[i];
            }
        }
    }
}
