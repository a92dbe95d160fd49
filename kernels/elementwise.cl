// SPDX-License-Identifier: Apache-2.0
// elementwise.cl — functions of the generated kernels (src/plan/generate.c), which follow this text.
// Twin: src/ref/elementwise.c.   Relaxed math: none.
// Comparisons are arranged so that a NaN operand gives NaN: it must reach the step controller.

inline real evn_maximum(const real a, const real b) {
    return (a > b || isnan(a)) ? a : b;
}

inline real evn_relu(const real x) {
    return x < 0 ? R(0.0) : x;
}

inline real evn_sigmoid(const real x) {
    return R(1.0) / (R(1.0) + exp(-x));
}

inline real evn_softplus(const real x) {
    return evn_relu(x) + log1p(exp(-fabs(x)));
}
