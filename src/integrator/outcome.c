// SPDX-License-Identifier: Apache-2.0
#include "integrator/outcome.h"

#include "base/number.h"
#include "integrator/options.h"
#include "integrator/rounding.h"
#include "kernels/shared.h"
#include "methods/linear.h"
#include "plan/real.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

evn_outcome evn__outcome_of(int status) {
    switch (status) {
    case EVN_CONTROL_TOO_SMALL:
        return EVN_OUTCOME_STEP_TOO_SMALL;
    case EVN_CONTROL_TOO_MANY:
        return EVN_OUTCOME_TOO_MANY_STEPS;
    case EVN_CONTROL_NOT_FINITE:
        return EVN_OUTCOME_NOT_FINITE;
    case EVN_CONTROL_NOT_SOLVED:
        return EVN_OUTCOME_NEWTON_FAILED;
    default:
        return EVN_OUTCOME_DONE;
    }
}

bool evn__outcome_may_be_stiff(evn_outcome outcome) {
    return outcome == EVN_OUTCOME_TOO_MANY_STEPS || outcome == EVN_OUTCOME_STEP_TOO_SMALL;
}

enum { ADVICE = 480 };

/// What the options bound steps by; NULL: nothing, or not here.
/// @param next  the step that was to come
static const char *bound_of_steps(const evn_solver_options *options, const evn_solution *solution,
                                  double next, double *bound) {
    const double rounding = 1e-6;
    bool first = solution->accepted + solution->rejected == 0;
    bool longest = options->dt_max > 0 && fabs(next) >= options->dt_max * (1 - rounding);
    bool given = first && options->dt_first > 0;
    *bound = longest ? options->dt_max : options->dt_first;
    return longest ? "dt_max" : given ? "dt_first" : NULL;
}

static void advise_slower(const evn_solver_options *options, const evn_solution *solution,
                          double left, char text[ADVICE]) {
    double bound = evn__stepper_stability(evn__stepper_find(options->method));
    double longest = bound / solution->decay;
    bool small = solution->outcome == EVN_OUTCOME_STEP_TOO_SMALL;
    char begin[64], others[64] = "";
    if (!small) {
        evn__print(begin, sizeof(begin), "it used up its %d steps", options->max_steps);
        evn__print(others, sizeof(others), "raise max_steps to about %.1g, shorten the way, ",
                   options->max_steps + 1.5 * fabs(left) / longest);
    } else if (options->dt_min > 0) {
        evn__print(begin, sizeof(begin), "its step became smaller than dt_min = %g",
                   options->dt_min);
        evn__print(others, sizeof(others), "lower dt_min, ");
    } else {
        evn__print(begin, sizeof(begin), "its step became too small");
    }
    evn__print(
        text, ADVICE,
        "%s, and looks stiff: what decays at a rate of %.2g there keeps the steps of an explicit "
        "method short, those of %s below %.2g, at any tolerance. Take an implicit one, such as "
        "kennedy_carpenter5 or rosenbrock23; or %sor let the dynamics be slower: smaller weights, "
        "a lower learning rate",
        begin, solution->decay, options->method, longest, others);
}

/// Whether times are too coarse there for steps of a sensible length.
static bool is_coarse(const evn_solver_options *options, double way, double t) {
    const double fewest = 1e4; // times of an interval
    return evn__rounded_apart(options->fp64, t) * fewest > fabs(way);
}

static void advise_small(const evn_solver_options *options, const evn_solution *solution,
                         bool coarse, double next, char text[ADVICE]) {
    double bound, distance = evn__rounded_apart(options->fp64, solution->t);
    const char *name = bound_of_steps(options, solution, next, &bound);
    if (fabs(next) < options->dt_min) {
        evn__print(text, ADVICE,
                   "its step became smaller than dt_min = %g; lower that, loosen rtol and atol, or "
                   "use fixed steps",
                   options->dt_min);
    } else if (coarse) {
        evn__print(
            text, ADVICE,
            "%s precision has no two times there that are closer than %.3g; let time begin at 0%s",
            options->fp64 ? "double" : "single", distance, evn__precision_advice(options));
    } else if (name) {
        evn__print(text, ADVICE,
                   "%s = %g is too short for %s precision, which has no two times there that are "
                   "closer than %.3g; raise %s, or leave it out",
                   name, bound, options->fp64 ? "double" : "single", distance, name);
    } else {
        evn__print(
            text, ADVICE,
            "its step became too small; loosen rtol and atol, lower the learning rate, or use "
            "fixed steps");
    }
}

/// Whether rounding of a state of about 1 counts as an error.
static bool counts_rounding(const evn_solver_options *options) {
    return options->rtol == 0 && options->atol < (options->fp64 ? DBL_EPSILON : FLT_EPSILON);
}

static void advise_many(const evn_solver_options *options, const evn_solution *solution,
                        double next, char text[ADVICE]) {
    double bound;
    const char *name = bound_of_steps(options, solution, next, &bound);
    if (name) {
        evn__print(text, ADVICE,
                   "it used up its %d steps, which %s = %g keeps short; raise %s or max_steps",
                   options->max_steps, name, bound, name);
    } else if (counts_rounding(options)) {
        evn__print(text, ADVICE,
                   "it used up its %d steps; without an rtol atol = %g alone says what an error "
                   "is, as rounding is where x is about 1; give an rtol, such as 1e-6, or loosen "
                   "atol",
                   options->max_steps, options->atol);
    } else {
        evn__print(text, ADVICE,
                   "it used up its %d steps; raise max_steps, loosen rtol and atol, lower the "
                   "learning rate, or use fixed steps",
                   options->max_steps);
    }
}

static const char way_out[] =
    "take the gradient checkpointed, or let the solver fall back on checkpoints";

/// Of an implicit method. The shorter a step the easier its equations, where f is smooth.
static void advise_unsolved(const evn_solver_options *options, double next, bool backward,
                            char text[ADVICE]) {
    const char *vectors = options->krylov > 0 ? ", or give krylov more vectors" : "";
    if (fabs(next) < options->dt_min) {
        evn__print(text, ADVICE,
                   "the equations of a step were not solved, and a shorter one is below dt_min = "
                   "%g; lower that%s",
                   options->dt_min, vectors);
    } else {
        evn__print(text, ADVICE,
                   "the equations of its steps were not solved, however short these became: f "
                   "jumps there, or is not finite; give the times of jumps as jumps, look at f and "
                   "the weights, or lower the learning rate%s%s",
                   backward ? "; or " : vectors, backward ? way_out : "");
    }
}

/// A bound of the options may have stopped the solve, or the dynamics, which tolerances do not make
/// reversible.
static void advise_backward(const evn_solver_options *options, const evn_solution *solution,
                            double next, char text[ADVICE]) {
    if (solution->outcome == EVN_OUTCOME_TOO_MANY_STEPS) {
        evn__print(text, ADVICE,
                   "it used up its %d steps; raise max_steps; if that does not "
                   "help, these dynamics cannot be solved backwards: %s",
                   options->max_steps, way_out);
    } else if (solution->outcome == EVN_OUTCOME_STEP_TOO_SMALL && fabs(next) < options->dt_min) {
        evn__print(text, ADVICE,
                   "its step became smaller than dt_min = %g; lower that; if that "
                   "does not help, these dynamics cannot be solved backwards: %s",
                   options->dt_min, way_out);
    } else {
        evn__print(text, ADVICE, "these dynamics cannot be solved backwards; %s", way_out);
    }
}

/// What is to be done depends on why there was no step.
static void advise(const evn_solver_options *options, const evn_solution *solution, double t0,
                   double t1, double end, double next, bool backward, char text[ADVICE]) {
    bool coarse = is_coarse(options, t1 - t0, solution->t);
    if (solution->outcome == EVN_OUTCOME_NEWTON_FAILED) {
        advise_unsolved(options, next, backward, text);
    } else if (backward && solution->outcome == EVN_OUTCOME_NOT_FINITE &&
               solution->accepted + solution->rejected == 0) {
        evn__print(text, ADVICE,
                   "what it began with is not finite; look at the cotangents that it was given, "
                   "at the state there, and at f and its derivatives");
    } else if (backward && !coarse) {
        advise_backward(options, solution, next, text);
    } else if (solution->outcome == EVN_OUTCOME_NOT_FINITE) {
        evn__print(
            text, ADVICE,
            "the state or its slope is not finite; look at the initial state and the weights, "
            "or lower the learning rate");
    } else if (solution->decay > 0) {
        advise_slower(options, solution, end - solution->t, text);
    } else if (solution->outcome == EVN_OUTCOME_TOO_MANY_STEPS) {
        advise_many(options, solution, next, text);
    } else {
        advise_small(options, solution, coarse, next, text);
    }
}

evn_status evn__outcome_fail(const evn_solver_options *options, const evn_solution *solution,
                             double t0, double t1, double end, double next, bool backward) {
    char text[ADVICE];
    advise(options, solution, t0, t1, end, next, backward, text);
    EVN_FAIL(
        solution->outcome == EVN_OUTCOME_NOT_FINITE ? EVN_ERR_NOT_FINITE : EVN_ERR_SOLVER,
        "the solver stopped at t = %.9g on the way %sto %.9g, before a step of %g, with %d steps "
        "accepted and %d rejected: %s",
        solution->t, backward ? "back " : "", t1, next, solution->accepted, solution->rejected,
        text);
}

static evn_status check_finite(bool fp64, evn_binding x, size_t count, bool *finite) {
    double *read = NULL;
    EVN_TRY(EVN_NEW(&read, count));
    evn_status status = evn__real_read(x, fp64, read, count);
    *finite = true;
    for (size_t i = 0; i < count; ++i) {
        *finite = *finite && isfinite(read[i]);
    }
    free(read);
    return status;
}

evn_status evn__outcome_are_finite(bool fp64, const evn_binding *at, const size_t *count,
                                   int places, bool *finite) {
    *finite = true;
    for (int i = 0; i < places && *finite; ++i) {
        EVN_TRY(check_finite(fp64, at[i], count[i], finite));
    }
    return EVN_OK;
}

evn_status evn__outcome_find_doubtful(const evn_solver_options *options, const evn__system *system,
                                      evn__doubtful *doubtful) {
    const evn__stepper *stepper = evn__stepper_find(options->method);
    *doubtful = (evn__doubtful){.steps = options->steps > 0 && stepper->kind->iterates,
                                .gradient = evn__stepper_is_implicit(stepper)};
    if (options->steps == 0 || !doubtful->gradient) {
        return EVN_OK; // an explicit method solves nothing
    }
    EVN_TRY(evn__linear_by_vectors(system, &doubtful->vectors));
    doubtful->steps = doubtful->steps || doubtful->vectors;
    return EVN_OK;
}

evn_status evn__outcome_check_steps(const evn_solver_options *options, evn__doubtful doubtful,
                                    evn_binding x0, evn_binding x1, size_t count,
                                    evn_solution *solution) {
    bool finite = true;
    if (!doubtful.steps) {
        return EVN_OK;
    }
    EVN_TRY(check_finite(options->fp64, x1, count, &finite));
    if (finite) {
        return EVN_OK;
    }
    EVN_TRY(check_finite(options->fp64, x0, count, &finite));
    solution->outcome = finite ? EVN_OUTCOME_NEWTON_FAILED : EVN_OUTCOME_NOT_FINITE;
    EVN_CHECK(finite, EVN_ERR_NOT_FINITE,
              "the initial state of the %d steps of %s is not finite; look at what made it",
              solution->accepted, options->method);
    EVN_FAIL(EVN_ERR_SOLVER,
             "the state after %d steps of %s is not finite: the equations of one of them were not "
             "solved, or f is not finite; take more steps, or adaptive ones%s",
             solution->accepted, options->method,
             doubtful.vectors ? ", or give krylov more vectors" : "");
}
