// SPDX-License-Identifier: Apache-2.0
// The norm of an error over states, in units of the tolerances: at most 1 is acceptable.
// Norms themselves are dynamics/norm.h's.
#ifndef EVN_METHODS_ERROR_NORM_H
#define EVN_METHODS_ERROR_NORM_H

#include "methods/step_build.h"

/// A norm of ratios over states, in the way of the system's norm.
typedef struct evn__error_norm {
    evn_value value;
    double count; ///< elements so far
    int64_t rows; ///< of each of which there is a norm; 0: one for each time
} evn__error_norm;

/// One for each time of the step.
evn__error_norm evn__error_norm_begin(evn__step_build *step);
/// [rows, 1], of states whose first axis these rows are, or of one row.
evn__error_norm evn__error_norm_begin_rows(evn__step_build *step, int64_t rows);
/// x / scale of another state, the one that `state` is.
void evn__error_norm_add(evn__step_build *step, evn__error_norm *norm, int state, evn_value x,
                         evn_value scale);
evn_value evn__error_norm_end(evn__step_build *step, const evn__error_norm *norm);

/// atol + rtol size
evn_value evn__error_tolerance(evn__step_build *step, evn_value size);

#endif
