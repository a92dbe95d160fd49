// SPDX-License-Identifier: Apache-2.0
// conv2d.cl — y[B, Ho, Wo, Co] ~ x[B, H, W, Ci] w[Kh, Kw, Ci, Co] and both its gradients.
// Twin: src/ref/conv2d.c
// A work-item computes ROWS × (VECTORS · WIDTH) elements in registers: no local memory, no barrier.
// In conv2d and conv2d_input_grad the rows are the same pixel of ROWS samples: all have the same
// taps inside the image, so that the others are left out without a test in the inner loop.
// Assumes: weights are [Kh, Kw, inner, w_stride], rows contiguous, w_stride >= VECTORS · WIDTH;
// where they are not (input_grad, few channels), conv2d_pack makes such a copy first; likewise for
// the rows of y_bar in weight_grad. Any shape, stride >= 1, padding >= 0.
// Tuned: ROWS, VECTORS, WIDTH (variant.cl).   Relaxed math: none.

// packed[tap, k, n] = w[tap, n, k] if transposed, else w[tap, k, n]; zero for n >= n_count.
__kernel void conv2d_pack(INPUT(w), OUTPUT(packed), const int taps, const int k_count,
                          const int n_count, const int packed_count, const int transposed) {
    INPUT_OF(w);
    OUTPUT_OF(packed);
    const int n = (int)get_global_id(0), tap = (int)get_global_id(1);
    if (n < packed_count && tap < taps) {
        __global const real *from = w + (long)tap * k_count * n_count;
        __global real *to = packed + (long)tap * k_count * packed_count;
        const int n_stride = transposed ? k_count : 1, k_stride = transposed ? 1 : n_count;
        for (int k = 0; k < k_count; k++) {
            to[(long)k * packed_count + n] =
                n < n_count ? from[(long)n * n_stride + (long)k * k_stride] : R(0.0);
        }
    }
}

// sum[i, :] += Σ_k a[i · a_stride + k] b[k · b_stride + :]. Rows past the end repeat the last one.
#define ACCUMULATE(sum, a, a_stride, b, b_stride, terms)                                           \
    {                                                                                              \
        __global const real *b_k = (b);                                                            \
        __global const real *a_rows[ROWS];                                                         \
        _Pragma("unroll") for (int i = 0; i < ROWS; i++) {                                         \
            a_rows[i] = (a) + min(i, rows - 1) * (a_stride);                                       \
        }                                                                                          \
        for (long k = 0; k < (terms); k++) {                                                       \
            vector right[VECTORS];                                                                 \
            _Pragma("unroll") for (int j = 0; j < VECTORS; j++) {                                  \
                right[j] = LOAD(j, b_k);                                                           \
            }                                                                                      \
            _Pragma("unroll") for (int i = 0; i < ROWS; i++) {                                     \
                const vector left = (vector)(a_rows[i][k]);                                        \
                _Pragma("unroll") for (int j = 0; j < VECTORS; j++) {                              \
                    sum[i][j] = MULTIPLY_ADD(left, right[j], sum[i][j]);                           \
                }                                                                                  \
            }                                                                                      \
            b_k += (b_stride);                                                                     \
        }                                                                                          \
    }

#define CLEAR(sum)                                                                                 \
    _Pragma("unroll") for (int i = 0; i < ROWS; i++) {                                             \
        _Pragma("unroll") for (int j = 0; j < VECTORS; j++) {                                      \
            sum[i][j] = (vector)(R(0.0));                                                          \
        }                                                                                          \
    }

// Row i goes to c + i · c_stride, columns [low, high) of those from `first` on.
#define STORE_TILE(sum, c, c_stride, first, low, high)                                             \
    _Pragma("unroll") for (int i = 0; i < ROWS; i++) {                                             \
        _Pragma("unroll") for (int j = 0; j < VECTORS; j++) {                                      \
            if (i < rows) {                                                                        \
                store(sum[i][j], (c) + i * (c_stride), first + j * WIDTH, low, high);              \
            }                                                                                      \
        }                                                                                          \
    }

// The first and one past the last tap k of [0, taps) for which start + k lies in [0, extent).
static int first_tap(const int start) {
    return max(0, -start);
}

static int last_tap(const int start, const int taps, const int extent) {
    return min(taps, extent - start);
}

// Work-item: co tile, output pixel, tile of samples. For each kh the taps kw inside the image and
// their channels are one run of memory, in x and in w alike.
__kernel void conv2d(INPUT(x), INPUT(w), OUTPUT(y), const int samples, const int height,
                     const int width, const int inputs, const int out_height, const int out_width,
                     const int outputs, const int kernel_height, const int kernel_width,
                     const int stride, const int padding, const int w_stride EPILOGUE_PARAMETERS) {
    INPUT_OF(x);
    INPUT_OF(w);
    OUTPUT_OF(y);
    const int co = (int)get_global_id(0) * COLUMNS, pixel = (int)get_global_id(1);
    const int b = (int)get_global_id(2) * ROWS;
    if (co >= outputs || pixel >= out_height * out_width || b >= samples) {
        return;
    }
    const int rows = min(ROWS, samples - b), first = min(co, w_stride - COLUMNS);
    const int ih = pixel / out_width * stride - padding, iw = pixel % out_width * stride - padding;
    const int kw = first_tap(iw), kw_count = max(0, last_tap(iw, kernel_width, width) - kw);
    const long x_sample = (long)height * width * inputs;
    const long y_sample = (long)out_height * out_width * outputs;
    vector sum[ROWS][VECTORS];
    CLEAR(sum);
    for (int kh = first_tap(ih); kh < last_tap(ih, kernel_height, height); kh++) {
        __global const real *x_run =
            x + b * x_sample + ((long)(ih + kh) * width + iw + kw) * inputs;
        __global const real *w_run = w + (long)(kh * kernel_width + kw) * inputs * w_stride + first;
        ACCUMULATE(sum, x_run, x_sample, w_run, w_stride, (long)kw_count * inputs);
    }
    STORE_TILE(sum, y + b * y_sample + (long)pixel * outputs, y_sample, first, co, outputs);
    for (int i = 0; i < rows; i++) {
        EPILOGUE(y, (long)(b + i) * out_height * out_width + pixel, co, min(co + COLUMNS, outputs));
    }
}

// Work-item: ci tile, input pixel, tile of samples. w is [Kh, Kw, Co, w_stride]. Output pixel oh
// takes part through tap kh = ih + padding − oh · stride: every stride-th tap, downwards in oh.
__kernel void conv2d_input_grad(INPUT(y_bar), INPUT(w), OUTPUT(x_bar), const int samples,
                                const int height, const int width, const int inputs,
                                const int out_height, const int out_width, const int outputs,
                                const int kernel_height, const int kernel_width, const int stride,
                                const int padding, const int w_stride EPILOGUE_PARAMETERS) {
    INPUT_OF(y_bar);
    INPUT_OF(w);
    OUTPUT_OF(x_bar);
    const int ci = (int)get_global_id(0) * COLUMNS, pixel = (int)get_global_id(1);
    const int b = (int)get_global_id(2) * ROWS;
    if (ci >= inputs || pixel >= height * width || b >= samples) {
        return;
    }
    const int rows = min(ROWS, samples - b), first = min(ci, w_stride - COLUMNS);
    const int h = pixel / width + padding, v = pixel % width + padding;
    const long x_sample = (long)height * width * inputs;
    const long y_sample = (long)out_height * out_width * outputs;
    vector sum[ROWS][VECTORS];
    CLEAR(sum);
    for (int kh = h % stride; kh < min(kernel_height, h + 1); kh += stride) {
        const int oh = (h - kh) / stride;
        for (int kw = v % stride; kw < min(kernel_width, v + 1) && oh < out_height; kw += stride) {
            const int ow = (v - kw) / stride;
            if (ow < out_width) {
                __global const real *y_run =
                    y_bar + b * y_sample + ((long)oh * out_width + ow) * outputs;
                __global const real *w_run =
                    w + (long)(kh * kernel_width + kw) * outputs * w_stride + first;
                ACCUMULATE(sum, y_run, y_sample, w_run, w_stride, outputs);
            }
        }
    }
    STORE_TILE(sum, x_bar + b * x_sample + (long)pixel * inputs, x_sample, first, ci, inputs);
    for (int i = 0; i < rows; i++) {
        EPILOGUE(x_bar, (long)(b + i) * height * width + pixel, ci, min(ci + COLUMNS, inputs));
    }
}

// The first and one past the last output pixel ow of [0, count) whose input pixel
// ow · stride + offset lies in [0, extent).
static int first_pixel(const int offset, const int stride) {
    return offset >= 0 ? 0 : (stride - 1 - offset) / stride;
}

static int last_pixel(const int offset, const int stride, const int count, const int extent) {
    return offset >= extent ? 0 : min(count, (extent - 1 - offset) / stride + 1);
}

// Add the terms of output pixel ow to those rows i for which `condition` holds.
#define ADD_PIXEL(ow, condition)                                                                   \
    {                                                                                              \
        vector right[VECTORS];                                                                     \
        _Pragma("unroll") for (int j = 0; j < VECTORS; j++) {                                      \
            right[j] = LOAD(j, y_row + (long)(ow) * outputs_stride);                               \
        }                                                                                          \
        _Pragma("unroll") for (int i = 0; i < ROWS; i++) {                                         \
            if (condition) {                                                                       \
                const vector left = (vector)(x_row[(long)(ow) * x_step + min(i, rows - 1)]);       \
                _Pragma("unroll") for (int j = 0; j < VECTORS; j++) {                              \
                    sum[i][j] = MULTIPLY_ADD(left, right[j], sum[i][j]);                           \
                }                                                                                  \
            }                                                                                      \
        }                                                                                          \
    }

// Is the input pixel of output pixel ow inside the image for row i of the tile?
#define INSIDE                                                                                     \
    ((uint)((row + min(i, rows - 1)) / inputs + ow * stride - padding) < (uint)width)

// Work-item: co tile, (kh, tile of rows of (kw, ci)), slice of samples. Neighbouring kw are
// neighbours in x too, so that a tile of rows may reach over several of them; near the border they
// differ in which output pixels they meet. Slice s goes to its own w_bar, `weights` elements on.
__kernel void conv2d_weight_grad(INPUT(x), INPUT(y_bar), OUTPUT(w_bar), const int samples,
                                 const int height, const int width, const int inputs,
                                 const int out_height, const int out_width, const int outputs,
                                 const int kernel_height, const int kernel_width, const int stride,
                                 const int padding, const int outputs_stride, const int slice) {
    INPUT_OF(x);
    INPUT_OF(y_bar);
    OUTPUT_OF(w_bar);
    const int kernel_rows = kernel_width * inputs, row_tiles = (kernel_rows + ROWS - 1) / ROWS;
    const int co = (int)get_global_id(0) * COLUMNS;
    const int kh = (int)get_global_id(1) / row_tiles;
    const int row = (int)get_global_id(1) % row_tiles * ROWS;
    const int b0 = (int)get_global_id(2) * slice;
    if (co >= outputs || kh >= kernel_height || b0 >= samples) {
        return;
    }
    const int rows = min(ROWS, kernel_rows - row), first = min(co, outputs_stride - COLUMNS);
    const int left_offset = row / inputs - padding;
    const int right_offset = (row + rows - 1) / inputs - padding;
    const int begin = first_pixel(right_offset, stride);
    const int end = last_pixel(left_offset, stride, out_width, width);
    const int inner_begin = min(end, first_pixel(left_offset, stride));
    const int inner_end = max(inner_begin, last_pixel(right_offset, stride, out_width, width));
    const int oh_end = last_pixel(kh - padding, stride, out_height, height);
    const long x_step = (long)stride * inputs;
    vector sum[ROWS][VECTORS];
    CLEAR(sum);
    for (int b = b0; b < min(b0 + slice, samples); b++) {
        for (int oh = first_pixel(kh - padding, stride); oh < oh_end; oh++) {
            const int ih = oh * stride - padding + kh;
            __global const real *x_row =
                x + ((long)b * height + ih) * width * inputs + row - (long)padding * inputs;
            __global const real *y_row =
                y_bar + ((long)b * out_height + oh) * out_width * outputs_stride + first;
            for (int ow = begin; ow < inner_begin; ow++) {
                ADD_PIXEL(ow, INSIDE);
            }
            for (int ow = inner_begin; ow < inner_end; ow++) {
                ADD_PIXEL(ow, true);
            }
            for (int ow = max(begin, inner_end); ow < end; ow++) {
                ADD_PIXEL(ow, INSIDE);
            }
        }
    }
    w_bar += ((long)get_global_id(2) * kernel_height + kh) * kernel_rows * outputs;
    STORE_TILE(sum, w_bar + (long)row * outputs, outputs, first, co, outputs);
}

// w_bar[i] = sum of partial[s, i] over s, in order: the same bits in every run.
__kernel void conv2d_add(INPUT(partial), OUTPUT(w_bar), const int count, const int slices) {
    INPUT_OF(partial);
    OUTPUT_OF(w_bar);
    const int i = (int)get_global_id(0);
    if (i < count) {
        real sum = partial[i];
        for (int s = 1; s < slices; s++) {
            sum += partial[(long)s * count + i];
        }
        w_bar[i] = sum;
    }
}
