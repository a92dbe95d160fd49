// SPDX-License-Identifier: Apache-2.0
// x of each sample at its observations, from the interpolants of its steps, and the transpose of
// that (kernels/interpolate.cl).
#ifndef EVN_PER_SAMPLE_INTERPOLATION_H
#define EVN_PER_SAMPLE_INTERPOLATION_H

#include "evonode/plan.h"
#include "host/kernel.h"

/// Extents: B samples, rows in memory, of which there may be more; n observations; elements of a
/// sample; terms of an interpolant; attempts that are looked at together.
typedef struct evn__interpolation {
    evn_device *device;
    bool fp64;
    int samples, rows, observations, size, terms, attempts;
    evn__kernel *begin, *steps, *back;
} evn__interpolation;

/// What attempts have left, of numbers `first` and more of the solve.
typedef struct evn__located {
    evn_buffer *ends;   ///< [rows, EVN_SAMPLE_ENDS]
    evn_buffer *times;  ///< [n, B, 2]
    evn_buffer *record; ///< [rows, EVN_SAMPLE_RECORD]
    evn_buffer *steps;  ///< [attempts, rows, EVN_SAMPLE_STEP]
    int first;
} evn__located;

/// Get the kernels; the extents are set.
evn_status evn__interpolation_get(evn__interpolation *interpolation);

/// The start, where it is observed, and NaN elsewhere. x [rows, …] → series [n, B, …].
evn_status evn__interpolation_begin(const evn__interpolation *in, const evn__located *located,
                                    evn_buffer *x, evn_binding series);

/// What lies in steps: starts [attempts, rows, …], terms [terms − 1][attempts, rows, …].
evn_status evn__interpolation_steps(const evn__interpolation *in, const evn__located *located,
                                    evn_buffer *starts, evn_buffer *terms, evn_binding series);

/// series_bar [n, B, …] is added to term_bar [terms][attempts, rows, …].
evn_status evn__interpolation_back(const evn__interpolation *in, const evn__located *located,
                                   evn_binding series_bar, evn_buffer *term_bar);

#endif
