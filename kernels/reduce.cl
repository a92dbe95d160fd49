// SPDX-License-Identifier: Apache-2.0
// reduce.cl — sums over the middle axis: x [outer, extent, inner] → y [outer, parts, inner], where
// part k sums rows k·length … (k + 1)·length − 1 of extent. A second launch sums the parts.
// Twin: src/ref/reduce.c.   Relaxed math: none.
// The order of every sum is fixed by the arguments: same arguments, same bits.

// Any inner; LANES divides it; `last` is the last extent of y. Task: LANES columns of a part. Four sums at once hide the latency of
// an addition and keep the rounding error down.
__kernel void sum_columns(INPUT(x), OUTPUT(y), const int extent, const int inner, const int parts,
                          const int length, const int last, TASKS EPILOGUE_PARAMETERS) {
    INPUT_OF(x);
    OUTPUT_OF(y);
    const int blocks = inner / LANES;
    FOR_EACH_TASK {
        const int block = task % blocks, part = task / blocks % parts, o = task / blocks / parts;
        const int begin = part * length, end = min(extent, begin + length);
        __global const real *column = x + (size_t)o * extent * inner + block * LANES;
        lanes a = 0, b = 0, c = 0, d = 0;
        int r = begin;
        for (; r + 3 < end; r += 4) {
            __global const real *at = column + (size_t)r * inner;
            a += LOAD_LANES(at);
            b += LOAD_LANES(at + (size_t)inner);
            c += LOAD_LANES(at + (size_t)inner * 2);
            d += LOAD_LANES(at + (size_t)inner * 3);
        }
        for (; r < end; ++r) {
            a += LOAD_LANES(column + (size_t)r * inner);
        }
        const size_t at = (size_t)(task / blocks) * inner + block * LANES;
        STORE_LANES((a + b) + (c + d), y + at);
        EPILOGUE(y, at / last, (int)(at % last), (int)(at % last) + LANES);
    }
}

#if LANES == 16
// inner = 1: vectors along the sum. Task: a part of a row.
static real across(real16 v) {
    const real8 w = v.lo + v.hi;
    const real4 u = w.lo + w.hi;
    const real2 t = u.lo + u.hi;
    return t.x + t.y;
}

__kernel void sum_rows(INPUT(x), OUTPUT(y), const int extent, const int parts, const int length,
                       const int last, TASKS EPILOGUE_PARAMETERS) {
    INPUT_OF(x);
    OUTPUT_OF(y);
    FOR_EACH_TASK {
        const int part = task % parts, begin = part * length, end = min(extent, begin + length);
        __global const real *row = x + (size_t)(task / parts) * extent;
        real16 a = 0, b = 0;
        real rest = 0;
        int r = begin;
        for (; r + 31 < end; r += 32) {
            a += vload16(0, row + r);
            b += vload16(0, row + r + 16);
        }
        for (; r < end; ++r) {
            rest += row[r];
        }
        y[task] = across(a + b) + rest;
        EPILOGUE(y, task / last, task % last, task % last + 1);
    }
}
#endif
