// SPDX-License-Identifier: Apache-2.0
// common.cl — the types that every kernel file uses; the head of each program.
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

// a b + c, of products that are summed up. Where fma is software (llvmpipe), its one rounding is not
// worth what it takes; what needs that rounding calls fma.
#ifdef EVN_SOFT_FMA
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#else
#define MULTIPLY_ADD(a, b, c) fma(a, b, c)
#endif

// Functions that work on arrays, which stay in registers, or are given local memory, which PoCL (3.1)
// shares among all work-groups where a function that uses it is no part of its kernel.
#define ALWAYS_INLINE __attribute__((always_inline))
#define INLINE        static ALWAYS_INLINE

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
#define MOVES(vector, unaligned, load, store, space)                                               \
    inline vector __attribute__((overloadable)) load(const space real *p) {                        \
        return *(const space unaligned *)p;                                                        \
    }                                                                                              \
    inline void __attribute__((overloadable)) store(const vector v, space real *p) {               \
        *(space unaligned *)p = v;                                                                 \
    }
MOVES(real16, unaligned16, load_16, store_16, __global)
MOVES(real16, unaligned16, load_16, store_16, __local)
MOVES(real16, unaligned16, load_16, store_16, __private)
#else
#define load_16(p)     vload16(0, p)
#define store_16(v, p) vstore16(v, 0, p)
#endif

// Work that is cut into independent tasks: a work-item does `per` of them, one after the other
// (src/ops/tasks.h chooses how many). The loop variable is `task`.
#define TASKS const int tasks, const int per
#define FOR_EACH_TASK                                                                              \
    for (int task = get_global_id(0) * per, end_ = min(tasks, task + per); task < end_; ++task)
