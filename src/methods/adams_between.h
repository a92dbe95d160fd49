// SPDX-License-Identifier: Apache-2.0
// Between the ends of an Adams step: the polynomial through the slope at its end, those at its
// beginning and at those of the k − 1 steps before, integrated (Shampine, Gordon 1975: Computer
// Solution of Ordinary Differential Equations, INTRP). It has the order of the step.
#ifndef EVN_METHODS_ADAMS_BETWEEN_H
#define EVN_METHODS_ADAMS_BETWEEN_H

#include "methods/adams_formula.h"
#include "methods/interpolant.h"

enum {
    EVN__ADAMS_LEAST_TERMS = 6, ///< of an interpolant: fewer have no factors 1 − θ
    EVN__ADAMS_TERMS = EVN__ADAMS_ORDERS + 2,
};

/// Terms of an interpolant of a method of so many orders.
#define EVN__ADAMS_TERMS_OF(orders)                                                                \
    ((orders) + 2 > EVN__ADAMS_LEAST_TERMS ? (orders) + 2 : EVN__ADAMS_LEAST_TERMS)

/// [terms, orders + 1]: column i is the integral of c_i from t to t + θ dt, in dt, as the terms of
/// an interpolant (methods/interpolant.h).
evn_value evn__adams_between(const evn__step_build *step, const evn__adams *adams,
                             const evn__adams_formula *formula);

#endif
