// SPDX-License-Identifier: Apache-2.0
#include "methods/stepper.h"

#include "base/nearest.h"
#include "base/status.h"
#include "evonode/solver.h"
#include "methods/adams.h"
#include "methods/explicit.h"
#include "methods/implicit.h"
#include "methods/rosenbrock.h"
#include "methods/symplectic.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

// Coefficients and interpolant of a row.
#define TABLEAU(name)                                                                              \
    &evn__tableaux[EVN__TABLEAU_##name], &evn__tableaux[EVN__TABLEAU_##name].interpolant
#define SPLITTING(name)                                                                            \
    &evn__splittings[EVN__SPLITTING_##name], &evn__splittings[EVN__SPLITTING_##name].interpolant

static const evn__stepper steppers[] = {
#define EVN_TABLEAU(name, stages, order, error_order, fsal, ...)                                   \
    {#name, order, error_order, fsal, &evn__explicit, TABLEAU(name)},
#include "methods/tableau.def"
#undef EVN_TABLEAU
#define EVN_SYMPLECTIC(name, stages, order, ...)                                                   \
    {#name, order, 0, false, &evn__symplectic, SPLITTING(name)},
#include "methods/symplectic.def"
#undef EVN_SYMPLECTIC
#define EVN_IMPLICIT(name, stages, order, error_order, fsal, ...)                                  \
    {#name, order, error_order, fsal, &evn__implicit, TABLEAU(name)},
#include "methods/implicit.def"
#undef EVN_IMPLICIT
    {"rosenbrock23", 2, 2, true, &evn__rosenbrock23, NULL, &evn__rosenbrock23_interpolant},
    {"abm4", 4, 1, false, &evn__multistep, &evn__abm4, &evn__abm4_between},
    {"abm5", 5, 1, false, &evn__multistep, &evn__abm5, &evn__abm5_between},
    {"adams", EVN__ADAMS_ORDERS + 1, 1, false, &evn__multistep, &evn__abm, &evn__abm_between},
};

enum { STEPPERS = sizeof(steppers) / sizeof(steppers[0]) };

const evn__stepper *evn__stepper_at(int index) {
    return index >= 0 && index < STEPPERS ? &steppers[index] : NULL;
}

const evn__stepper *evn__stepper_find(const char *name) {
    for (int i = 0; i < STEPPERS; ++i) {
        if (name && strcmp(steppers[i].name, name) == 0) {
            return &steppers[i];
        }
    }
    return NULL;
}

static void list_names(char *text, size_t size) {
    size_t used = 0;
    for (int i = 0; i < STEPPERS && used < size; ++i) {
        const char *between = i == 0 ? "" : i + 1 < STEPPERS ? ", " : " and ";
        used += (size_t)snprintf(text + used, size - used, "%s%s", between, steppers[i].name);
    }
}

evn_status evn__stepper_need(const char *name, const evn__stepper **stepper) {
    char names[512];
    *stepper = evn__stepper_find(name);
    if (*stepper) {
        return EVN_OK;
    }
    const char *near = name ? evn__nearest_choice(name, evn_method_name) : NULL;
    list_names(names, sizeof(names));
    EVN_CHECK(!near, EVN_ERR_ARGUMENT, "no solver is named '%s'; did you mean %s? There are %s",
              name, near, names);
    EVN_FAIL(EVN_ERR_ARGUMENT, "no solver is named '%s'; there are %s", name ? name : "", names);
}

int evn__stepper_evaluations(const evn__stepper *stepper) {
    return stepper->kind->evaluations(stepper);
}

int evn__stepper_adaptive_evaluations(const evn__stepper *stepper) {
    return stepper->kind->adaptive_evaluations(stepper);
}

int evn__stepper_dense_evaluations(const evn__stepper *stepper) {
    const evn__stepper_kind *kind = stepper->kind;
    int own = kind->refinement_evaluations ? kind->refinement_evaluations(stepper) : 0;
    return evn__stepper_adaptive_evaluations(stepper) + stepper->interpolant->stages + own;
}

double evn__stepper_stability(const evn__stepper *stepper) {
    return evn__stepper_is_implicit(stepper) ? INFINITY : stepper->kind->stability(stepper);
}

/// Only what solves something is bounded by nothing.
bool evn__stepper_is_implicit(const evn__stepper *stepper) {
    return !stepper->kind->stability;
}

int evn__stepper_operands(const evn__stepper *stepper) {
    int count = 0;
    for (int set = 0; set < stepper->kind->slopes(stepper); ++set) {
        count += stepper->kind->weight(stepper, set) != 0;
    }
    return count;
}

bool evn__stepper_overshoots(const evn__stepper *stepper) {
    return stepper->kind->overshoots && stepper->kind->overshoots(stepper);
}

evn_status evn__stepper_check_end(const evn__stepper *stepper, const char *where) {
    EVN_CHECK(!evn__stepper_overshoots(stepper), EVN_ERR_ARGUMENT,
              "solver %s evaluates f behind the end of a step, and so %s; take dopri5, or for "
              "stiff problems kennedy_carpenter5",
              stepper->name, where);
    return EVN_OK;
}

evn_status evn__stepper_check_past(const evn__stepper *stepper, const char *who) {
    EVN_CHECK(evn__stepper_past(stepper) == 0, EVN_ERR_ARGUMENT,
              "solver %s goes on from the steps before, of which %s knows nothing; take dopri5 or "
              "rk4",
              stepper->name, who);
    return EVN_OK;
}

int evn__stepper_past(const evn__stepper *stepper) {
    return stepper->kind->past ? stepper->kind->past(stepper) : 0;
}

bool evn__stepper_has_fixed(const evn__stepper *stepper) {
    return !stepper->kind->first || stepper->kind->first(stepper);
}

int evn__stepper_first_steps(const evn__stepper *stepper) {
    return stepper->kind->first ? evn__stepper_past(stepper) - 1 : 0;
}

const evn__stepper *evn__stepper_at_step(const evn__stepper *stepper, int index) {
    return index < evn__stepper_first_steps(stepper) ? stepper->kind->first(stepper) : stepper;
}

int evn__stepper_sets_at_ends(const evn__stepper *stepper) {
    return stepper->kind->slopes(stepper) + !stepper->fsal;
}

const char *evn_method_name(int index) {
    const evn__stepper *stepper = evn__stepper_at(index);
    return stepper ? stepper->name : NULL;
}

int evn_method_order(int index) {
    const evn__stepper *stepper = evn__stepper_at(index);
    return stepper ? stepper->order : 0;
}

bool evn_method_takes_steps(int index) {
    const evn__stepper *stepper = evn__stepper_at(index);
    return stepper && evn__stepper_has_fixed(stepper);
}

bool evn_method_is_adaptive(int index) {
    const evn__stepper *stepper = evn__stepper_at(index);
    return stepper && stepper->error_order > 0;
}
