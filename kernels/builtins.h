// SPDX-License-Identifier: Apache-2.0
// builtins.h — those built-in functions of OpenCL C that the kernels call. PoCL reads clang's
// opencl-c.h, 0.9 MB with 15,000 of them, before each program, the cached ones too. Where that is
// so (host/quirks.c) it is left out, by its include guard, and this is read instead
// (host/program.c); a program that does not compile so is compiled as everywhere else. Types are
// clang's opencl-c-base.h. A function that a kernel calls for the first time is added with all
// types of its arguments that OpenCL has for it, or arguments would be converted to one that is
// declared, without a word. Attributes are those of opencl-c.h: with others the compiler could give
// other instructions.
#ifndef EVN_KERNELS_BUILTINS_H
#define EVN_KERNELS_BUILTINS_H

#define DECLARED     __attribute__((overloadable))
#define CONST_RESULT __attribute__((overloadable, const))
#define READS_MEMORY __attribute__((overloadable, pure))
#define CONVERGENT   __attribute__((overloadable, convergent))

// Work-items and memory
size_t CONST_RESULT get_global_id(uint);
size_t CONST_RESULT get_global_size(uint);
size_t CONST_RESULT get_group_id(uint);
size_t CONST_RESULT get_local_id(uint);
size_t CONST_RESULT get_local_size(uint);
size_t CONST_RESULT get_num_groups(uint);
void CONVERGENT barrier(cl_mem_fence_flags);
void DECLARED mem_fence(cl_mem_fence_flags);

#define ATOMICS(space, type)                                                                       \
    type DECLARED atomic_cmpxchg(volatile space type *, type, type);                               \
    type DECLARED atomic_inc(volatile space type *);                                               \
    type DECLARED atomic_or(volatile space type *, type);                                          \
    type DECLARED atomic_xchg(volatile space type *, type);
ATOMICS(__global, int)
ATOMICS(__global, uint)
ATOMICS(__local, int)
ATOMICS(__local, uint)

// Functions of integers and of reals, elementwise
#define ONE(type, function)   type CONST_RESULT function(type);
#define TWO(type, function)   type CONST_RESULT function(type, type);
#define THREE(type, function) type CONST_RESULT function(type, type, type);
#define WIDTHS(count, type, function)                                                              \
    count(type, function) count(type##2, function) count(type##3, function)                        \
        count(type##4, function) count(type##8, function) count(type##16, function)

#define ORDER(type) WIDTHS(TWO, type, max) WIDTHS(TWO, type, min) WIDTHS(THREE, type, clamp)
ORDER(char)
ORDER(uchar)
ORDER(short)
ORDER(ushort)
ORDER(int)
ORDER(uint)
ORDER(long)
ORDER(ulong)

#define LOADS(space, type, width)                                                                  \
    type##width READS_MEMORY vload##width(size_t, const space type *);                             \
    void DECLARED vstore##width(type##width, size_t, space type *);
#define LOAD_WIDTHS(space, type)                                                                   \
    LOADS(space, type, 2) LOADS(space, type, 4) LOADS(space, type, 8) LOADS(space, type, 16)

#define REALS(type)                                                                                \
    ORDER(type)                                                                                    \
    WIDTHS(ONE, type, cos)                                                                         \
    WIDTHS(ONE, type, exp)                                                                         \
    WIDTHS(ONE, type, fabs)                                                                        \
    WIDTHS(ONE, type, log)                                                                         \
    WIDTHS(ONE, type, log1p)                                                                       \
    WIDTHS(ONE, type, sign)                                                                        \
    WIDTHS(ONE, type, sin)                                                                         \
    WIDTHS(ONE, type, sqrt)                                                                        \
    WIDTHS(ONE, type, tanh)                                                                        \
    WIDTHS(TWO, type, nextafter)                                                                   \
    WIDTHS(THREE, type, fma)                                                                       \
    WIDTHS(THREE, type, mad)                                                                       \
    LOAD_WIDTHS(__global, type)                                                                    \
    LOAD_WIDTHS(__local, type)                                                                     \
    LOAD_WIDTHS(__private, type)

REALS(float)
#ifdef cl_khr_fp64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
REALS(double)
#endif

// Sub-groups
#if defined(cl_khr_subgroups) || defined(cl_intel_subgroups)
uint DECLARED get_max_sub_group_size(void);
uint DECLARED get_sub_group_id(void);
uint DECLARED get_sub_group_local_id(void);
#define REDUCES(type) type CONVERGENT sub_group_reduce_add(type);
#else
#define REDUCES(type)
#endif
#ifdef cl_khr_subgroup_shuffle
#define SHUFFLES(type) type DECLARED sub_group_shuffle_xor(type, uint);
#else
#define SHUFFLES(type)
#endif
#ifdef cl_intel_subgroups
#define INTEL_SHUFFLES(type) type CONVERGENT intel_sub_group_shuffle_xor(type, uint);
#else
#define INTEL_SHUFFLES(type)
#endif
#define SUB_GROUPS(type) REDUCES(type) SHUFFLES(type) INTEL_SHUFFLES(type)
SUB_GROUPS(int)
SUB_GROUPS(uint)
SUB_GROUPS(long)
SUB_GROUPS(ulong)
SUB_GROUPS(float)
#ifdef cl_khr_fp64
SUB_GROUPS(double)
#endif

#undef DECLARED
#undef CONST_RESULT
#undef READS_MEMORY
#undef CONVERGENT
#undef ATOMICS
#undef ONE
#undef TWO
#undef THREE
#undef WIDTHS
#undef ORDER
#undef LOADS
#undef LOAD_WIDTHS
#undef REALS
#undef REDUCES
#undef SHUFFLES
#undef INTEL_SHUFFLES
#undef SUB_GROUPS
#endif
