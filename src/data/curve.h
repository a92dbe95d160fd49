// SPDX-License-Identifier: Apache-2.0
// The curve of the paper's first experiment,
//     s(t) = [sin t cos t, sin² t + cosh² t, eᵗ],   t ∈ [0, 1],
// which never comes back to a point, so that an autonomous f can trace it (Theorem 1).
#ifndef EVN_DATA_CURVE_H
#define EVN_DATA_CURVE_H

enum { EVN__CURVE_POINTS = 100, EVN__CURVE_DIMENSIONS = 3 };

/// s(t).
void evn__curve_at(double t, double s[EVN__CURVE_DIMENSIONS]);

#endif
