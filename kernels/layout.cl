// SPDX-License-Identifier: Apache-2.0
// layout.cl — copies into a part of a larger tensor.   Twin: src/ref/layout.c
// A task is a run of at most `run` elements of a row: long runs on a CPU, single elements elsewhere.

// Place the rows of x [rows, length] in rows of `pitch` elements of y, from `start` on.
__kernel void place_rows(INPUT(x), OUTPUT(y), const int length, const int pitch, const int start,
                         const int run, TASKS) {
    INPUT_OF(x);
    OUTPUT_OF(y);
    const int runs = (length + run - 1) / run;
    FOR_EACH_TASK {
        const int row = task / runs, begin = task % runs * run, end = min(length, begin + run);
        __global const real *from = x + (size_t)row * length;
        __global real *to = y + (size_t)row * pitch + start;
        for (int i = begin; i < end; ++i) {
            to[i] = from[i];
        }
    }
}

// y [y0, …, y5] is x [x0, …, x5] placed at s0, …, s5, and zero elsewhere. Task: part of a row of y.
__kernel void pad(INPUT(x), OUTPUT(y), const int x0, const int x1, const int x2, const int x3,
                  const int x4, const int x5, const int y1, const int y2, const int y3,
                  const int y4, const int y5, const int s0, const int s1, const int s2,
                  const int s3, const int s4, const int s5, const int run, TASKS) {
    INPUT_OF(x);
    OUTPUT_OF(y);
    const int runs = (y5 + run - 1) / run;
    FOR_EACH_TASK {
        const int row = task / runs, begin = task % runs * run, end = min(y5, begin + run);
        const int i4 = row % y4 - s4, i3 = row / y4 % y3 - s3, i2 = row / y4 / y3 % y2 - s2;
        const int i1 = row / y4 / y3 / y2 % y1 - s1, i0 = row / y4 / y3 / y2 / y1 - s0;
        const bool inside = i0 >= 0 && i0 < x0 && i1 >= 0 && i1 < x1 && i2 >= 0 && i2 < x2 &&
                            i3 >= 0 && i3 < x3 && i4 >= 0 && i4 < x4;
        const int from = inside ? clamp(s5, begin, end) : end;
        const int to = inside ? clamp(s5 + x5, begin, end) : end;
        const long source = ((((long)i0 * x1 + i1) * x2 + i2) * x3 + i3) * x4 + i4;
        __global const real *in = x + source * x5 - s5;
        __global real *out = y + (size_t)row * y5;
        for (int i = begin; i < from; ++i) {
            out[i] = 0;
        }
        for (int i = from; i < to; ++i) {
            out[i] = in[i];
        }
        for (int i = to; i < end; ++i) {
            out[i] = 0;
        }
    }
}
