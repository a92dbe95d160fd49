// SPDX-License-Identifier: Apache-2.0
// Adams–Bashforth–Moulton methods: predicted by a polynomial through the slopes of the steps
// before, evaluated, corrected by one through the predicted slope too, evaluated (PECE; the second
// evaluation is the first of the next step). Steps may have any lengths, and orders are low where
// few steps are behind: modified divided differences of slopes (Shampine, Gordon 1975: Computer
// Solution of Ordinary Differential Equations; Hairer, Nørsett, Wanner: Solving ODEs I, III.5) are
// the history (methods/history.h). A step of order k goes on with the corrector of order k + 1.
//
// Fixed steps have nothing that makes the first ones short: those are of a one-step method of the
// same order, which leaves the differences behind all the same.
#ifndef EVN_METHODS_ADAMS_H
#define EVN_METHODS_ADAMS_H

#include "methods/stepper.h"

enum { EVN__ADAMS_ORDERS = 12 }; ///< of the predictor, at most

typedef struct evn__adams {
    int orders;       ///< of the predictor: 1 to this one
    bool chooses;     ///< among them, by what errors they would have; else the largest there is
    double stability; ///< on the real axis; of those that choose that of low orders, which they
                      ///< come to where it matters
    const evn__stepper *first; ///< takes the first fixed steps; NULL: there are none
} evn__adams;

extern const evn__stepper_kind evn__multistep; ///< its coefficients are an evn__adams
extern const evn__adams evn__abm4, evn__abm5, evn__abm;
extern const evn__interpolant evn__abm4_between, evn__abm5_between, evn__abm_between;

#endif
