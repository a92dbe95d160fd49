// SPDX-License-Identifier: Apache-2.0
#include "ode/tableau.h"

#include "base/nearest.h"
#include "base/status.h"
#include "evonode/solver.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define ARRAY(...)                                                                                 \
    { __VA_ARGS__ }

static const evn__tableau tableaux[] = {
#define EVN_TABLEAU(name, stages, order, error_order, fsal, c, a, b, e, coarse)                    \
    {#name, stages, order, error_order, fsal, c, a, b, e, coarse},
#include "ode/tableau.def"
#undef EVN_TABLEAU
};

enum { TABLEAUX = sizeof(tableaux) / sizeof(tableaux[0]) };

const evn__tableau *evn__tableau_find(const char *name) {
    for (int i = 0; i < TABLEAUX; ++i) {
        if (name && strcmp(tableaux[i].name, name) == 0) {
            return &tableaux[i];
        }
    }
    return NULL;
}

static void list_names(char *text, size_t size) {
    size_t used = 0;
    for (int i = 0; i < TABLEAUX && used < size; ++i) {
        const char *between = i == 0 ? "" : i + 1 < TABLEAUX ? ", " : " and ";
        used += (size_t)snprintf(text + used, size - used, "%s%s", between, tableaux[i].name);
    }
}

evn_status evn__tableau_need(const char *name, const evn__tableau **tableau) {
    char names[256];
    *tableau = evn__tableau_find(name);
    if (*tableau) {
        return EVN_OK;
    }
    const char *near = name ? evn__nearest_choice(name, evn_method_name) : NULL;
    list_names(names, sizeof(names));
    EVN_CHECK(!near, EVN_ERR_ARGUMENT, "no solver is named '%s'; did you mean %s? There are %s",
              name, near, names);
    EVN_FAIL(EVN_ERR_ARGUMENT, "no solver is named '%s'; there are %s", name ? name : "", names);
}

double evn__tableau_a(const evn__tableau *tableau, int i, int j) {
    return tableau->a[i * (i - 1) / 2 + j];
}

int evn__tableau_evaluations(const evn__tableau *tableau) {
    int count = tableau->stages;
    while (tableau->b[count - 1] == 0) {
        --count;
    }
    return count;
}

int evn__tableau_adaptive_evaluations(const evn__tableau *tableau) {
    return tableau->fsal ? tableau->stages - 1 : tableau->stages;
}

/// What a step makes of x' = z x, dt = 1, from 1.
static double stability_function(const evn__tableau *tableau, double z) {
    double k[EVN__MAX_STAGES], result = 1;
    for (int i = 0; i < tableau->stages; ++i) {
        double x = 1;
        for (int j = 0; j < i; ++j) {
            x += evn__tableau_a(tableau, i, j) * k[j];
        }
        k[i] = z * x;
        result += tableau->b[i] * k[i];
    }
    return result;
}

double evn__tableau_stability(const evn__tableau *tableau) {
    const double step = 1e-3, rounding = 1e-9;
    double reach = step;
    while (fabs(stability_function(tableau, -reach)) <= 1 + rounding) {
        reach += step;
    }
    return reach - step;
}

const char *evn_method_name(int index) {
    return index >= 0 && index < TABLEAUX ? tableaux[index].name : NULL;
}

int evn_method_order(int index) {
    return index >= 0 && index < TABLEAUX ? tableaux[index].order : 0;
}

bool evn_method_is_adaptive(int index) {
    return index >= 0 && index < TABLEAUX && tableaux[index].error_order > 0;
}
