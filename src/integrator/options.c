// SPDX-License-Identifier: Apache-2.0
#include "integrator/options.h"

#include "base/status.h"
#include "graph/krylov.h"
#include <float.h>
#include <math.h>
#include <stddef.h>

evn_solver_options evn_solver_options_default(void) {
    return (evn_solver_options){.method = "dopri5",
                                .rtol = 1e-3,
                                .atol = 1e-3,
                                .norm = EVN_NORM_STATE,
                                .safety = 0.9,
                                .min_factor = 0.2,
                                .max_factor = 10,
                                .max_steps = 10000,
                                .reconstruction = 0.05};
}

static const char *precision_of(const evn_solver_options *o) {
    return o->fp64 ? "double" : "single";
}

/// What is relative to the size of the state cannot be less than its last digit.
static evn_status check_rtol(const evn_solver_options *o) {
    double rounding = o->fp64 ? DBL_EPSILON : (double)FLT_EPSILON;
    EVN_CHECK(o->rtol >= 0 && isfinite(o->rtol), EVN_ERR_ARGUMENT,
              "solver %s: rtol %g is not a number >= 0; give one such as 1e-3", o->method, o->rtol);
    EVN_CHECK(o->rtol == 0 || o->rtol >= rounding, EVN_ERR_ARGUMENT,
              "solver %s: rtol %g is less than the rounding of %s precision, %.2g; no step is that "
              "exact: give more%s",
              o->method, o->rtol, precision_of(o), rounding, evn__precision_advice(o));
    return EVN_OK;
}

/// Errors over it are squared, where the state is 0.
static evn_status check_atol(const evn_solver_options *o) {
    double least = sqrt(o->fp64 ? DBL_MIN : (double)FLT_MIN);
    EVN_CHECK(o->atol > 0 && isfinite(o->atol), EVN_ERR_ARGUMENT,
              "solver %s: atol %g is not a number > 0, so that no step is small enough where the "
              "state is 0; give a small one, such as 1e-6",
              o->method, o->atol);
    EVN_CHECK(o->atol >= least, EVN_ERR_ARGUMENT,
              "solver %s: atol %g is as good as 0 in %s precision, which has no squares of errors "
              "over less than %.2g, so that no step is small enough where the state is 0; give "
              "more, such as 1e-6%s",
              o->method, o->atol, precision_of(o), least, evn__precision_advice(o));
    return EVN_OK;
}

static evn_status check_controller(const evn_solver_options *o) {
    EVN_CHECK(evn_controller_name((int)o->controller), EVN_ERR_ARGUMENT,
              "solver %s: there is no controller %d", o->method, (int)o->controller);
    EVN_CHECK(evn_norm_name((int)o->norm), EVN_ERR_ARGUMENT, "solver %s: there is no norm %d",
              o->method, (int)o->norm);
    EVN_CHECK(o->safety > 0 && o->safety <= 1, EVN_ERR_ARGUMENT,
              "solver %s: safety %g is not above 0 and at most 1; 0.9 is usual", o->method,
              o->safety);
    EVN_CHECK(o->min_factor > 0 && o->min_factor < 1, EVN_ERR_ARGUMENT,
              "solver %s: min_factor %g is not above 0 and below 1; 0.2 is usual", o->method,
              o->min_factor);
    EVN_CHECK(o->max_factor > 1 && isfinite(o->max_factor), EVN_ERR_ARGUMENT,
              "solver %s: max_factor %g is not a number above 1; 10 is usual", o->method,
              o->max_factor);
    return EVN_OK;
}

static evn_status check_length(const evn_solver_options *o, const char *name, double value) {
    EVN_CHECK(value >= 0 && isfinite(value), EVN_ERR_ARGUMENT,
              "solver %s: %s %g is not a number >= 0", o->method, name, value);
    EVN_CHECK(value == 0 || o->fp64 || (float)value > 0, EVN_ERR_ARGUMENT,
              "solver %s: %s %g is 0 in single precision; give more, or leave it out", o->method,
              name, value);
    return EVN_OK;
}

static evn_status check_control(const evn_solver_options *o) {
    EVN_TRY(check_rtol(o));
    EVN_TRY(check_atol(o));
    EVN_TRY(check_controller(o));
    EVN_TRY(check_length(o, "dt_first", o->dt_first));
    EVN_TRY(check_length(o, "dt_min", o->dt_min));
    EVN_TRY(check_length(o, "dt_max", o->dt_max));
    EVN_CHECK(o->dt_max == 0 || o->dt_max > o->dt_min, EVN_ERR_ARGUMENT,
              "solver %s: dt_max %g is not longer than dt_min %g: no step would do", o->method,
              o->dt_max, o->dt_min);
    EVN_CHECK(o->max_steps >= 1 && o->max_steps <= EVN__MAX_STEPS, EVN_ERR_ARGUMENT,
              "solver %s: max_steps %d; give 1 to %d", o->method, o->max_steps, EVN__MAX_STEPS);
    EVN_CHECK(o->expected_steps >= 0 && o->expected_steps <= EVN__MAX_STEPS, EVN_ERR_ARGUMENT,
              "solver %s: %d expected_steps; give 1 to %d, or 0 where nobody knows", o->method,
              o->expected_steps, EVN__MAX_STEPS);
    return EVN_OK;
}

const char *evn__precision_advice(const evn_solver_options *options) {
    return options->fp64 ? "" : "; the library has double precision, fp64 in its options";
}

int evn__expected_steps(const evn_solver_options *options) {
    enum { USUAL = 16 };
    return options->expected_steps > 0 ? options->expected_steps : USUAL;
}

int evn__steps_room(int steps) {
    return steps <= EVN__MAX_STEPS - steps / 8 ? steps + steps / 8 : steps;
}

static evn_status check_krylov(const evn_solver_options *o, const evn__stepper *stepper) {
    EVN_CHECK(o->krylov >= 0 && o->krylov <= EVN__KRYLOV_MAX_VECTORS, EVN_ERR_ARGUMENT,
              "solver %s: krylov %d; give 1 to %d vectors, or 0 for as many as are usual",
              o->method, o->krylov, EVN__KRYLOV_MAX_VECTORS);
    EVN_CHECK(
        o->krylov == 0 || evn__stepper_is_implicit(stepper), EVN_ERR_ARGUMENT,
        "solver %s: krylov %d, but it has no equations to solve; leave krylov out, or take an "
        "implicit one, such as kennedy_carpenter5",
        o->method, o->krylov);
    return EVN_OK;
}

evn_status evn__check_options(const evn_solver_options *options, const evn__stepper **stepper) {
    EVN_TRY(evn__stepper_need(options->method, stepper));
    EVN_TRY(check_krylov(options, *stepper));
    EVN_CHECK(options->steps >= 0 && options->steps <= EVN__MAX_STEPS, EVN_ERR_ARGUMENT,
              "solver %s: %d steps; give 1 to %d", options->method, options->steps, EVN__MAX_STEPS);
    EVN_CHECK(options->steps == 0 || evn__stepper_has_fixed(*stepper), EVN_ERR_ARGUMENT,
              "solver %s chooses its order by the errors of its steps: leave their number out, or "
              "take abm5",
              options->method);
    if (options->steps > 0) {
        return EVN_OK;
    }
    EVN_CHECK((*stepper)->error_order > 0, EVN_ERR_ARGUMENT,
              "solver %s has no error estimate: give it a number of steps, or take dopri5",
              options->method);
    return check_control(options);
}
