// SPDX-License-Identifier: Apache-2.0
// A problem, and one passage of it: what whoever goes from t0 to t1, or back with cotangents, is
// told.
#ifndef EVN_INTEGRATOR_PASSAGE_H
#define EVN_INTEGRATOR_PASSAGE_H

#include "dynamics/system.h"
#include "integrator/course.h"
#include "plan/real.h"

/// What is solved, and how. Outlives what goes there.
typedef struct evn__problem {
    evn_device *device;
    const evn__system *system;
    const evn_solver_options *options; ///< checked; without times, which the course has
    const evn__course *course;
    /// Elements of the state, from its first, that an observation keeps: those of x, or all, as
    /// they are laid out, where evolving weights are wanted there.
    size_t observed;
    bool goes_on; ///< it is a part of a way: gradients have cotangents from behind its end
} evn__problem;

typedef struct evn__reconstruction evn__reconstruction;

/// One solve of it, and of one gradient through that solve.
typedef struct evn__passage {
    double t0, t1;
    const evn_sample_times *samples; ///< of each sample its own, in place of these; else NULL
    const evn__rest *rest;           ///< a part of a way, for each of the samples; NULL: all of it
    const evn_binding *parameters;   ///< of the system, one each
    evn_binding series; ///< [observations, observed] of a solve; without observations no buffer
    /// [observations, Θ], with observe_weights: where weights that are solved by themselves are put
    /// at each, side by side; without a buffer nowhere.
    evn_binding weights;
    bool continues;     ///< samples: the series has what was observed up to t0
    evn_binding x1_bar; ///< of a gradient: [observations, x], or x
    /// Of a gradient where the problem goes on: cotangents at t1 that come from behind it, of each
    /// component; NULL: 0. Of x where it is observed; otherwise x1_bar has it.
    const evn_binding *carried_bar;
    const evn_binding *parameters_bar;   ///< of a gradient: where the parameters' cotangents go
    evn__reconstruction *reconstruction; ///< what looks at states that are found backwards, or NULL
} evn__passage;

/// Whether there is a way, of all samples together: without one the state stays, whatever f is
/// there.
static inline bool evn__passage_moves(const evn__passage *passage) {
    return passage->t0 != passage->t1;
}

/// Where the way of a sample begins and ends.
static inline void evn__passage_ends(const evn__passage *passage, int sample, double *t0,
                                     double *t1) {
    *t0 = passage->samples ? passage->samples->t0[sample] : passage->t0;
    *t1 = passage->samples ? passage->samples->t1[sample] : passage->t1;
}

/// The cotangent of component `index`, [count], that comes from behind t1, to where it is wanted.
static inline evn_status evn__passage_load_bar(const evn__passage *passage, int index,
                                               evn_binding to, bool fp64, size_t count) {
    return passage->carried_bar ? evn__real_copy(to, passage->carried_bar[index], fp64, count)
                                : evn__real_zero(to, fp64, count);
}

/// Steps of each sample's own: the time of an observation of a sample.
static inline double evn__passage_observation(const evn__problem *problem,
                                              const evn__passage *passage, int sample, int index) {
    double t0, t1;
    size_t count = (size_t)problem->options->observations;
    if (passage->samples && passage->samples->times) {
        return passage->samples->times[(size_t)sample * count + (size_t)index];
    }
    evn__passage_ends(passage, sample, &t0, &t1);
    return evn__course_begin(problem->course, index + 1 - problem->course->starts, t0, t1);
}

#endif
