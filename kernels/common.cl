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
// sub-buffers would have to be aligned. INPUT/OUTPUT declare the two parameters, TENSOR_* the
// pointer.
#define INPUT(x)       __global const real *restrict x##_buffer, const ulong x##_offset
#define OUTPUT(x)      __global real *restrict x##_buffer, const ulong x##_offset
#define INPUT_OF(x)    __global const real *restrict x = x##_buffer + x##_offset
#define OUTPUT_OF(x)   __global real *restrict x = x##_buffer + x##_offset
