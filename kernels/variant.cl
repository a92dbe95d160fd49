// SPDX-License-Identifier: Apache-2.0
// variant.cl — what a kernel file is compiled for: the widths that its options choose, and the place
// of an epilogue; it stands before each kernel file or generated text (host/program.c).

// With -DLANES=n a text works on vectors of n reals (n = 1, 2, 4, 8, 16).
#ifdef LANES
#if LANES == 1
typedef real lanes;
#define LOAD_LANES(p)     (*(p))
#define STORE_LANES(v, p) (*(p) = (v))
#else
#define JOIN_(a, b)       a##b
#define JOIN(a, b)        JOIN_(a, b)
typedef JOIN(real, LANES) lanes;
#if LANES == 16
#define LOAD_LANES(p)     load_16(p)
#define STORE_LANES(v, p) store_16(v, p)
#else
#define LOAD_LANES(p)     JOIN(vload, LANES)(0, p)
#define STORE_LANES(v, p) JOIN(vstore, LANES)(v, 0, p)
#endif
#endif
#endif

// A kernel that ends in EPILOGUE(result, row, begin, end) lets the plan work on the elements [begin, end)
// of that row of its result, the last axis being the columns, once it has stored them all. It takes
// what that needs in EPILOGUE_PARAMETERS. Where no other work-item has elements of the same row, it may
// have EPILOGUE_BEGIN before its first task: the plan can then add up rows. A generated text redefines
// all three (src/plan/epilogue.c, partial.c).
#define EPILOGUE_PARAMETERS
#define EPILOGUE_BEGIN
#define EPILOGUE(result, row, begin, end)

// With -DROWS=r -DVECTORS=v -DWIDTH=w (w = 4, 8 or 16) it computes tiles of r × (v · w) elements in
// registers.
#ifdef ROWS
#if WIDTH == 16
typedef real16 vector;
#define LOAD(i, p)     load_16((p) + 16 * (i))
#define STORE(x, i, p) store_16(x, (p) + 16 * (i))
#elif WIDTH == 8
typedef real8 vector;
#define LOAD(i, p)     vload8(i, p)
#define STORE(x, i, p) vstore8(x, i, p)
#else
typedef real4 vector;
#define LOAD(i, p)     vload4(i, p)
#define STORE(x, i, p) vstore4(x, i, p)
#endif
#define COLUMNS (VECTORS * WIDTH)

// row[n + t] = x[t] for those t with low <= n + t < high. Inlined into each of the unrolled stores
// it would double the time to compile.
__attribute__((noinline)) void store(const vector x, __global real *row, const int n, const int low,
                                     const int high) {
    if (n >= low && n + WIDTH <= high) {
        STORE(x, 0, row + n);
        return;
    }
    real lanes[WIDTH];
    STORE(x, 0, lanes);
    for (int t = max(0, low - n); t < min(WIDTH, high - n); t++) {
        row[n + t] = lanes[t];
    }
}
#endif
