// SPDX-License-Identifier: Apache-2.0
// The zero of a continuous function between two places where its signs differ, by inverse quadratic
// interpolation where that is safe, else bisection (Chandrupatla: A New Hybrid Quadratic/Bisection
// Algorithm for Finding the Zero of a Nonlinear Function, Adv. Eng. Softw. 28, 1997). The caller
// evaluates, so that many zeros can be sought side by side.
#ifndef EVN_EVENTS_ROOT_H
#define EVN_EVENTS_ROOT_H

#include <stdbool.h>

/// A place, and the value there.
typedef struct evn__root_point {
    double at, value;
} evn__root_point;

/// Under way.
typedef struct evn__root {
    evn__root_point last, other; ///< the zero is between the last value and this one
    evn__root_point before;      ///< the one before these
    bool rises;                  ///< from below 0 to above
    double width;                ///< how near is near enough
    int made;                    ///< values since the beginning
} evn__root;

/// Between 0 and `length`, which may be below 0. A value of 0 at the beginning stands for the sign
/// that the function comes from: the zero that is sought is a later one. Elsewhere 0 is behind the
/// zero: of a function that stays there the first place is sought.
evn__root evn__root_begin(double length, double at_begin, double at_end, bool rises, double width);

/// Where the function is to be evaluated next; false: evn__root_end is near enough.
bool evn__root_next(const evn__root *root, double *at);

/// It has this value there, which is finite.
void evn__root_add(evn__root *root, double at, double value);

/// The place just behind the zero, or this itself: the function has changed its sign there, or is
/// 0.
double evn__root_end(const evn__root *root);

#endif
