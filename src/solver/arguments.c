// SPDX-License-Identifier: Apache-2.0
#include "solver/arguments.h"

#include "base/status.h"
#include "dynamics/system.h"
#include "integrator/options.h"
#include "integrator/rounding.h"
#include "methods/stepper.h"
#include "plan/real.h"
#include <float.h>
#include <math.h>

evn_status evn__take_over(evn_solver_options *options, const evn_dynamics *dynamics,
                          evn_dynamics **copy) {
    EVN_TRY(evn_solver_options_check(options));
    options->method = evn__stepper_find(options->method)->name;
    EVN_TRY(evn__dynamics_copy(dynamics, copy));
    evn__system_set_norm(&(*copy)->system, options->norm);
    (*copy)->system.options.krylov = options->krylov;
    return EVN_OK;
}

/// Fixed steps must come to other times, as adaptive ones have to.
static evn_status check_step(const evn_solver_options *options, double t0, double t1) {
    double dt = options->steps > 0 ? (t1 - t0) / options->steps : 0;
    double t = fabs(t0) > fabs(t1) ? t0 : t1 - dt;
    EVN_CHECK(dt == 0 || evn__rounded_moves(options->fp64, t, dt), EVN_ERR_ARGUMENT,
              "the %d steps from t0 = %.9g to t1 = %.9g are shorter than %s precision has times "
              "there, one every %.3g; let time begin at 0, or take fewer steps%s",
              options->steps, t0, t1, options->fp64 ? "double" : "single",
              evn__rounded_apart(options->fp64, t), evn__precision_advice(options));
    return EVN_OK;
}

evn_status evn__check_interval(const evn_solver_options *options, double t0, double t1) {
    double most = options->fp64 ? DBL_MAX : FLT_MAX;
    EVN_CHECK(fabs(t0) <= most && fabs(t1) <= most && fabs(t1 - t0) <= most, EVN_ERR_ARGUMENT,
              "the interval [%g, %g] is not finite in %s precision", t0, t1,
              options->fp64 ? "double" : "single");
    return check_step(options, t0, t1);
}

evn_status evn__check_sample_times(const evn_solver_options *options, const evn_sample_times *times,
                                   int64_t sample) {
    double t0 = times->t0[sample], t1 = times->t1[sample];
    evn_status status = evn__check_interval(options, t0, t1);
    EVN_TRY(status == EVN_OK ? status : evn__prepend(status, "sample %lld", (long long)sample));
    int count = times->times ? options->observations : 0;
    for (int i = 0; i < count; ++i) {
        double t = times->times[sample * count + i];
        EVN_CHECK(t >= fmin(t0, t1) && t <= fmax(t0, t1), EVN_ERR_ARGUMENT,
                  "sample %lld: the time of observation %d is %g, which is not between t0 = %g and "
                  "t1 = %g",
                  (long long)sample, i + 1, t, t0, t1);
    }
    return EVN_OK;
}

evn_status evn__check_weights(const evn_dynamics *dynamics, const evn_solver_options *options,
                              const evn_binding *bindings, const char *kind) {
    for (int i = 0; i < dynamics->weight_count; ++i) {
        size_t count = (size_t)evn_shape_count(evn_dynamics_weight_shape(dynamics, i));
        EVN_CHECK(bindings, EVN_ERR_ARGUMENT, "nothing is bound to the %ss", kind);
        EVN_TRY(
            evn__real_check(bindings[i], options->fp64, count, kind, dynamics->weights[i].name));
    }
    return EVN_OK;
}
