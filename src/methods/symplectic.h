// SPDX-License-Identifier: Apache-2.0
// Symplectic methods for x = [q, v], halves along the last axis, where q' depends on v, and v' on q
// and t: second-order dynamics, q' = v, among others. Energy then keeps within bounds at any number
// of fixed steps. Where the halves depend on themselves too, the methods still converge, by
// order 1. (Hairer, Lubich, Wanner: Geometric Numerical Integration, II.2 and II.4.)
#ifndef EVN_METHODS_SYMPLECTIC_H
#define EVN_METHODS_SYMPLECTIC_H

#include "methods/interpolant.h"
#include "methods/stepper.h"

enum { EVN__SYMPLECTIC_STAGES = 4 };

/// Stage i: q += c_i dt q'(v), and then v += d_i dt v'(t, q); the time goes along with q.
typedef struct evn__splitting {
    int stages;
    double c[EVN__SYMPLECTIC_STAGES], d[EVN__SYMPLECTIC_STAGES];
    evn__interpolant interpolant;
} evn__splitting;

/// Number of each row of methods/symplectic.def.
enum {
#define EVN_SYMPLECTIC(name, ...) EVN__SPLITTING_##name,
#include "methods/symplectic.def"
#undef EVN_SYMPLECTIC
    EVN__SPLITTINGS
};
extern const evn__splitting evn__splittings[EVN__SPLITTINGS];

extern const evn__stepper_kind evn__symplectic; ///< its coefficients are an evn__splitting

#endif
