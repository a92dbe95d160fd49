// SPDX-License-Identifier: Apache-2.0
// elementwise.cl — functions of the generated kernels and epilogues (src/elements/generate.c), for elements
// and for vectors of 16; in the head of each program, after common.cl.
// Twin: src/ref/elementwise.c.   Relaxed math: none.
// Comparisons are arranged so that a NaN operand gives NaN: it must reach the step controller.
// OpenCL's sign(NaN) is 0.

#define FUNCTIONS(type)                                                                            \
    inline type __attribute__((overloadable)) evn_maximum(const type a, const type b) {            \
        return (a > b || a != a) ? a : b;                                                        \
    }                                                                                              \
    inline type __attribute__((overloadable)) evn_mask(const type x, const type keep) {            \
        return keep > 0 ? x : (type)(R(0.0));                                                      \
    }                                                                                              \
    inline type __attribute__((overloadable)) evn_relu(const type x) {                             \
        return x < 0 ? (type)(R(0.0)) : x;                                                         \
    }                                                                                              \
    inline type __attribute__((overloadable)) evn_step(const type x) {                             \
        return x > 0 ? (type)(R(1.0)) : x != x ? x : (type)(R(0.0));                               \
    }                                                                                              \
    inline type __attribute__((overloadable)) evn_sign(const type x) {                             \
        return x > 0 ? (type)(R(1.0)) : x < 0 ? (type)(R(-1.0)) : x;                               \
    }                                                                                              \
    inline type __attribute__((overloadable)) evn_sigmoid(const type x) {                          \
        return R(1.0) / (R(1.0) + exp(-x));                                                        \
    }                                                                                              \
    inline type __attribute__((overloadable)) evn_softplus(const type x) {                         \
        return evn_relu(x) + log1p(exp(-fabs(x)));                                                 \
    }

FUNCTIONS(real)
FUNCTIONS(real16)

#define EPILOGUE_READ(p)          load_16(p)
#define EPILOGUE_WRITE(p, v)      store_16(v, p)
#define EPILOGUE_READ_ONE(p)      (*(p))
#define EPILOGUE_WRITE_ONE(p, v)  (*(p) = (v))
typedef real16 epilogue_lanes;
