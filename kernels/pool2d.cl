// SPDX-License-Identifier: Apache-2.0
// pool2d.cl — pooling of x [B, height, width, channels] to [B, rows, columns, channels] with square
// windows; windows may overlap, and rows at the end that fill no window are left out.
// Twin: src/ref/pool2d.c.   Relaxed math: none.
// Assumes: LANES divides channels. A task is one pixel of the result and LANES channels. The
// transposes gather: a pixel of x sums over the windows that hold it, so that nothing is added to
// memory twice and the order of the sum is fixed.
#define SIZES                                                                                      \
    const int height, const int width, const int channels, const int rows, const int columns,      \
        const int window, const int stride

// Coordinates of task's pixel in an image of h × w pixels; c is its first channel.
#define LOCATE(h, w)                                                                               \
    const int blocks = channels / LANES, pixel = task / blocks;                                    \
    const int c = task % blocks * LANES, column = pixel % (w), row = pixel / (w) % (h);            \
    const size_t sample = pixel / (w) / (h)

// Index of pixel (i, j) of the sample in x and in the pooled image.
#define AT_X(i, j)      (((sample * height + (i)) * width + (j)) * channels + c)
#define AT_POOLED(i, j) (((sample * rows + (i)) * columns + (j)) * channels + c)

// The windows (i, j) that hold pixel (row, column) of x.
#define FOR_EACH_WINDOW                                                                            \
    for (int i = max(0, (row - window + stride) / stride); i <= min(rows - 1, row / stride); ++i)  \
        for (int j = max(0, (column - window + stride) / stride);                                  \
             j <= min(columns - 1, column / stride); ++j)

// Where candidate replaces best: it is larger or the first NaN. All bits of a lane, or none.
#define BEATS(candidate, best) (~((candidate) <= (best)) & ((best) == (best)))

__kernel void mean_pool2d(INPUT(x), OUTPUT(y), SIZES, TASKS) {
    INPUT_OF(x);
    OUTPUT_OF(y);
    FOR_EACH_TASK {
        LOCATE(rows, columns);
        lanes sum = 0;
        for (int i = row * stride; i < row * stride + window; ++i) {
            for (int j = column * stride; j < column * stride + window; ++j) {
                sum += LOAD_LANES(x + AT_X(i, j));
            }
        }
        STORE_LANES(sum / (real)(window * window), y + AT_POOLED(row, column));
    }
}

__kernel void mean_pool2d_grad(INPUT(y_bar), OUTPUT(x_bar), SIZES, TASKS) {
    INPUT_OF(y_bar);
    OUTPUT_OF(x_bar);
    FOR_EACH_TASK {
        LOCATE(height, width);
        lanes sum = 0;
        FOR_EACH_WINDOW {
            sum += LOAD_LANES(y_bar + AT_POOLED(i, j));
        }
        STORE_LANES(sum / (real)(window * window), x_bar + AT_X(row, column));
    }
}

__kernel void max_pool2d_select(INPUT(x), INPUT(v), OUTPUT(y), SIZES, TASKS) {
    INPUT_OF(x);
    INPUT_OF(v);
    OUTPUT_OF(y);
    FOR_EACH_TASK {
        LOCATE(rows, columns);
        lanes best = LOAD_LANES(x + AT_X(row * stride, column * stride));
        lanes chosen = LOAD_LANES(v + AT_X(row * stride, column * stride));
        for (int i = row * stride; i < row * stride + window; ++i) {
            for (int j = column * stride; j < column * stride + window; ++j) {
                const lanes candidate = LOAD_LANES(x + AT_X(i, j));
                chosen = BEATS(candidate, best) ? LOAD_LANES(v + AT_X(i, j)) : chosen;
                best = BEATS(candidate, best) ? candidate : best;
            }
        }
        STORE_LANES(chosen, y + AT_POOLED(row, column));
    }
}

__kernel void max_pool2d_scatter(INPUT(x), INPUT(y_bar), OUTPUT(x_bar), SIZES, TASKS) {
    INPUT_OF(x);
    INPUT_OF(y_bar);
    OUTPUT_OF(x_bar);
    FOR_EACH_TASK {
        LOCATE(height, width);
        lanes sum = 0;
        FOR_EACH_WINDOW {
            lanes best = LOAD_LANES(x + AT_X(i * stride, j * stride));
            lanes place = 0; // of the maximum, in row order
            for (int k = 1; k < window * window; ++k) {
                const lanes candidate =
                    LOAD_LANES(x + AT_X(i * stride + k / window, j * stride + k % window));
                place = BEATS(candidate, best) ? (lanes)k : place;
                best = BEATS(candidate, best) ? candidate : best;
            }
            const lanes mine = (row - i * stride) * window + column - j * stride;
            const lanes y_here = LOAD_LANES(y_bar + AT_POOLED(i, j));
            sum += place == mine ? y_here : (lanes)0;
        }
        STORE_LANES(sum, x_bar + AT_X(row, column));
    }
}
