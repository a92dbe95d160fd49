// SPDX-License-Identifier: Apache-2.0
// common.cl — the types that every kernel file uses; compiled before each of them.
// Assumes: EVN_FP64 is defined where the working precision is double.
#ifdef EVN_FP64
#ifdef cl_khr_fp64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif
typedef double real;
typedef double2 real2;
typedef double4 real4;
typedef double8 real8;
typedef double16 real16;
#define R(x) x
#else
typedef float real;
typedef float2 real2;
typedef float4 real4;
typedef float8 real8;
typedef float16 real16;
#define R(x) x##f
#endif

// A tensor argument is a buffer and an offset in elements: many tensors share one buffer, and
// sub-buffers would have to be aligned. INPUT and OUTPUT declare the two parameters, INPUT_OF and
// OUTPUT_OF the pointer.
#define INPUT(x)       __global const real *restrict x##_buffer, const ulong x##_offset
#define OUTPUT(x)      __global real *restrict x##_buffer, const ulong x##_offset
#define INPUT_OF(x)    __global const real *restrict x = x##_buffer + x##_offset
#define OUTPUT_OF(x)   __global real *restrict x = x##_buffer + x##_offset

// vload16 and vstore16, but as one move where the compiler knows vectors that are aligned like their
// elements: PoCL's own are moves of halves of halves.
#ifdef __clang__
typedef real16 __attribute__((aligned(sizeof(real)))) unaligned16;
#define MOVES_16(space)                                                                            \
    inline real16 __attribute__((overloadable)) load_16(const space real *p) {                     \
        return *(const space unaligned16 *)p;                                                      \
    }                                                                                              \
    inline void __attribute__((overloadable)) store_16(const real16 v, space real *p) {            \
        *(space unaligned16 *)p = v;                                                               \
    }
MOVES_16(__global)
MOVES_16(__local)
MOVES_16(__private)
#else
#define load_16(p)     vload16(0, p)
#define store_16(v, p) vstore16(v, 0, p)
#endif

// A program that is compiled with -DLANES=n works on vectors of n reals (n = 1, 2, 4, 8, 16).
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

// Work that is cut into independent tasks: a work-item does `per` of them, one after the other
// (src/ops/tasks.h chooses how many). The loop variable is `task`.
#define TASKS const int tasks, const int per
#define FOR_EACH_TASK                                                                              \
    for (int task = get_global_id(0) * per, end_ = min(tasks, task + per); task < end_; ++task)

// A kernel that ends in EPILOGUE(result, row, begin, end) lets the plan work on the elements [begin, end)
// of that row of its result, the last axis being the columns, once it has stored them all. It takes
// what that needs in EPILOGUE_PARAMETERS. A generated text redefines both (src/plan/epilogue.c).
#define EPILOGUE_PARAMETERS
#define EPILOGUE(result, row, begin, end)

// A program that is compiled with -DROWS=r -DVECTORS=v -DWIDTH=w (w = 4, 8 or 16) computes tiles of
// r × (v · w) elements in registers.
#ifdef ROWS
#if WIDTH == 16
typedef real16 vector;
#define LOAD(i, p)     vload16(i, p)
#define STORE(x, i, p) vstore16(x, i, p)
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
