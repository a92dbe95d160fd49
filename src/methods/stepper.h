// SPDX-License-Identifier: Apache-2.0
// A stepper: a method that goes from t to t + dt, and what others have to know of it. Solvers know
// methods by this interface alone; each kind is a file of its own, and the list is in stepper.c.
#ifndef EVN_METHODS_STEPPER_H
#define EVN_METHODS_STEPPER_H

#include "evonode/graph.h"
#include "evonode/status.h"
#include "methods/interpolant.h"
#include <limits.h>
#include <stdbool.h>

enum {
    EVN__MAX_EVALUATIONS = 64,                           ///< of a step, at most
    EVN__MAX_STEPS = INT_MAX / EVN__MAX_EVALUATIONS - 1, ///< whose evaluations can be counted
};

typedef struct evn__stepper evn__stepper;
typedef struct evn__step_build evn__step_build; ///< methods/step_build.h

/// Which estimate of a step's error.
typedef enum evn__estimate {
    EVN__ESTIMATE_FINE,
    EVN__ESTIMATE_COARSE, ///< of lower order; most methods have none
} evn__estimate;

/// What a kind of stepper can do. Values are of the graph under construction; EVN_NONE: none.
typedef struct evn__stepper_kind {
    bool iterates; ///< it solves equations by iteration, which may fail: a fixed step is NaN then.
                   ///< Others may still fail so at linear systems without a matrix

    bool splits; ///< it moves the halves of x in turn, and nothing that has none

    /// Evaluations of the right-hand side in a step without an estimate; in one with it, whose
    /// first slope is there already, and whose last one is for the next.
    int (*evaluations)(const evn__stepper *stepper);
    int (*adaptive_evaluations)(const evn__stepper *stepper);

    /// How far the interval of stability reaches along the negative real axis: steps of x' = −λ x
    /// that are longer than this / λ grow. NULL where none does: of methods that solve equations.
    /// It searches: not for each solve.
    double (*stability)(const evn__stepper *stepper);

    /// Sets of slopes that a step keeps, and the weight of one in what the step adds: operands of
    /// pairs are those of sets whose weight is not 0.
    int (*slopes)(const evn__stepper *stepper);
    double (*weight)(const evn__stepper *stepper, int set);

    /// The slopes and the states after the step, into step->k and step->next. With step->adaptive
    /// the slopes at t are in set 0; else they are still to be evaluated.
    evn_status (*advance)(const evn__stepper *stepper, evn__step_build *step);

    /// Of one state, after `advance`: what the step adds, and an estimate of its error.
    evn_value (*change)(const evn__stepper *stepper, evn__step_build *step, int state);
    evn_value (*error)(const evn__stepper *stepper, evn__step_build *step, evn__estimate which,
                       int state);

    /// With `dense`, after `advance`: what the step is between its ends, over all states, which
    /// come as sums of slopes; and the evaluations that it takes for this. NULL: as it comes.
    evn_status (*refine)(const evn__stepper *stepper, evn__step_build *step, evn__span *spans);
    int (*refinement_evaluations)(const evn__stepper *stepper);

    /// With `dense`, after `advance`: of each state the terms of its interpolant behind those that
    /// its ends have, of a method that knows a polynomial itself. NULL: by places.
    evn_status (*bend)(const evn__stepper *stepper, evn__step_build *step, const evn__span *spans,
                       evn_value *bends);

    /// Whether f is evaluated behind the end of a step. NULL: it never is.
    bool (*overshoots)(const evn__stepper *stepper);

    /// Of a multi-step method: of how many steps before it knows the slopes (methods/history.h).
    /// NULL: it knows none.
    int (*past)(const evn__stepper *stepper);
    /// What takes the first fixed steps in its place, one less than it knows of; NULL: it takes no
    /// fixed steps.
    const evn__stepper *(*first)(const evn__stepper *stepper);
} evn__stepper_kind;

struct evn__stepper {
    const char *name;
    int order, error_order; ///< error_order 0: no estimate
    bool fsal;              ///< the last set of slopes is the first one of the next step
    const evn__stepper_kind *kind;
    const void *coefficients;            ///< of the kind
    const evn__interpolant *interpolant; ///< NULL: of what takes steps for another method alone
};

/// Stepper number `index`, NULL past the last.
const evn__stepper *evn__stepper_at(int index);
/// NULL when there is no method of that name.
const evn__stepper *evn__stepper_find(const char *name);
/// @return EVN_ERR_ARGUMENT, with the names there are, and the one that was probably meant
evn_status evn__stepper_need(const char *name, const evn__stepper **stepper);

int evn__stepper_evaluations(const evn__stepper *stepper);
int evn__stepper_adaptive_evaluations(const evn__stepper *stepper);
int evn__stepper_dense_evaluations(const evn__stepper *stepper); ///< the same, and its interpolant
double evn__stepper_stability(const evn__stepper *stepper);
/// Sets of slopes that a step keeps, and the one at its end.
int evn__stepper_sets_at_ends(const evn__stepper *stepper);
bool evn__stepper_is_implicit(const evn__stepper *stepper); ///< steps have equations to solve
int evn__stepper_operands(const evn__stepper *stepper);     ///< sets that a step has operands from
bool evn__stepper_overshoots(const evn__stepper *stepper);
int evn__stepper_past(const evn__stepper *stepper); ///< steps before that a step knows of
/// @return EVN_ERR_ARGUMENT for a multi-step method, where `who` takes each step by itself
evn_status evn__stepper_check_past(const evn__stepper *stepper, const char *who);
/// @return EVN_ERR_ARGUMENT for a method that does, with where it must not evaluate f
evn_status evn__stepper_check_end(const evn__stepper *stepper, const char *where);
/// Whether it can take fixed steps, and the one that takes step `index` since the history began.
bool evn__stepper_has_fixed(const evn__stepper *stepper);
int evn__stepper_first_steps(const evn__stepper *stepper); ///< how many another one takes
const evn__stepper *evn__stepper_at_step(const evn__stepper *stepper, int index);

#endif
