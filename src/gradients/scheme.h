// SPDX-License-Identifier: Apache-2.0
// A gradient scheme: how a solver goes from t0 to t1, what it keeps of the way, and how the
// gradient comes from that. solver.c knows schemes by this interface alone; each is a file of its
// own, and its row is in scheme.c.
#ifndef EVN_GRADIENTS_SCHEME_H
#define EVN_GRADIENTS_SCHEME_H

#include "dynamics/path_system.h"
#include "gradients/time_bars.h"
#include "integrator/passage.h"
#include "integrator/trail.h"

typedef struct evn__scheme evn__scheme;
typedef struct evn__time_parts evn__time_parts;
typedef struct evn__dense evn__dense; ///< gradients/dense.h

typedef struct evn__scheme_methods {
    /// The scheme may have methods of its own, where they depend on the problem.
    evn_status (*create)(const evn__problem *problem, evn__scheme **scheme);
    void (*destroy)(evn__scheme *scheme); ///< whole or not

    /// Where component `index` of the state is: at t0, to be written before a solve; at t1, after
    /// it.
    evn_binding (*begin)(const evn__scheme *scheme, int index);
    evn_binding (*end)(const evn__scheme *scheme, int index);

    /// From t0 to t1. Each observation but one at t0 itself, which is there already, goes to the
    /// series.
    evn_status (*solve)(evn__scheme *scheme, const evn__passage *passage, evn_solution *solution);

    /// What one sample did in the last solve; NULL: no sample has steps of its own.
    evn_solution (*sample)(const evn__scheme *scheme, int index);

    /// The accepted steps of one sample in the last solve, which was this passage, behind those
    /// that are there; NULL: no sample has steps of its own.
    /// @return EVN_ERR_ARGUMENT where they are not kept
    evn_status (*steps)(evn__scheme *scheme, const evn__passage *passage, int sample,
                        evn__trail *trail);

    /// Whether the last solve came to a stop that is no sample's own: what all of them read did;
    /// NULL: none does.
    bool (*stopped_together)(const evn__scheme *scheme);

    /// The steps of the last solve, where these are chosen on the way; NULL: they are the course's,
    /// or each sample's own.
    const evn__trail *(*trail)(const evn__scheme *scheme);

    /// Where x goes along weights that are solved by themselves: the scheme by which it goes, and
    /// its parameters in the last solve. NULL: it goes by this one, with those of the passage.
    const evn__scheme *(*of_x)(const evn__scheme *scheme, const evn_binding **parameters);

    /// Where the gradient goes along interpolants of the steps of the last solve: these, which are
    /// made unless they are there. NULL: it does not.
    evn_status (*dense)(evn__scheme *scheme, const evn__passage *passage, evn__dense **dense);

    /// With dense: x at so many times of the last solve, [count], or of each sample's own [B,
    /// count], to [count, x]; NULL: no sample has steps of its own.
    evn_status (*at)(evn__scheme *scheme, const double *times, bool own, int count, evn_binding to);

    /// Weights that are solved by themselves at so many times of the last solve, each where it is
    /// wanted, [count, its elements], or no buffer. NULL: there are none.
    evn_status (*weights_at)(const evn__scheme *scheme, const double *times, int count,
                             const evn_binding *to);

    /// Of the last solve, as often as wanted; NULL: there is none. Overwrites the cotangents of the
    /// parameters, and leaves those of the state at t0 where state_bar says.
    evn_status (*gradient)(evn__scheme *scheme, const evn__passage *passage,
                           evn_solution *solution);
    evn_binding (*state_bar)(const evn__scheme *scheme, int index);

    /// With time_gradient, after a gradient over a way that is one: where the cotangents of the
    /// times of its steps are. NULL: the gradient is not one of steps, or of each sample's own.
    evn__time_bars (*time_bars)(const evn__scheme *scheme);

    /// With time_gradient, after such a gradient of a way in parts: the gradient in its times and
    /// in those where parts meet. NULL: it goes in one.
    const evn__time_parts *(*time_parts)(const evn__scheme *scheme);

    /// With time_gradient, along weights that are solved by themselves: after a gradient enqueue
    /// what is needed of that in the times of its way, of its passage with its own observations;
    /// then read it, [moments, samples] as evn__time_gradient_read_moments has it, and what the
    /// last end has besides, of each sample, [samples]. Reading waits. NULL: x and weights go
    /// together.
    evn_status (*take_times)(const evn__scheme *scheme, const evn__passage *passage);
    evn_status (*read_times)(const evn__scheme *scheme, double *bars, double *end_bars);

    /// After a gradient: component `index` of the state at t0 as solving backwards has found it;
    /// NULL: the gradient does not go that way.
    evn_binding (*reconstructed)(const evn__scheme *scheme, int index);

    /// Of a method that moves two states side by side: component `index` of both at the end of the
    /// way, or the part of one, that was solved last; the first is what the solve gives. NULL: it
    /// moves one.
    void (*pair)(const evn__scheme *scheme, int index, evn_binding pair[2]);
    bool from_end; ///< the gradient needs nothing of a solve but the state at t1
} evn__scheme_methods;

/// The head of each scheme's own struct.
struct evn__scheme {
    const evn__scheme_methods *methods;
    const evn__problem *problem;
};

extern const evn__scheme_methods evn__scheme_none, evn__scheme_adjoint,
    evn__scheme_adjoint_quadrature, evn__scheme_grid, evn__scheme_replay_fixed,
    evn__scheme_replay_adaptive, evn__scheme_reversible, evn__scheme_by_sample,
    evn__scheme_by_sample_backprop, evn__scheme_along_path, evn__scheme_jumps,
    evn__scheme_jumps_by_sample;

/// Those of a scheme that goes in parts by another one, which has or lacks a gradient, and states
/// that it reconstructs.
evn__scheme_methods evn__scheme_methods_across(const evn__scheme_methods *methods,
                                               const evn__scheme_methods *inner);

/// Whether there is a scheme for these options, which are right otherwise.
/// @return EVN_ERR_ARGUMENT as evn_solver_create documents it
evn_status evn__scheme_check(const evn_solver_options *options);

/// What the scheme of a problem whose options passed this can do.
const evn__scheme_methods *evn__scheme_choose(const evn__problem *problem);

/// Whether weights evolve and are solved by themselves.
bool evn__scheme_has_path(const evn__problem *problem);

/// Whether its gradients are those of steps, whose times have cotangents, also in parts.
bool evn__scheme_is_of_steps(const evn__problem *problem);

/// Whether the gradient keeps what all steps computed, and computes nothing again.
bool evn__scheme_keeps(evn_gradient gradient);

/// What is to be done where solving backwards leads elsewhere.
const char *evn__scheme_remedy(evn_gradient gradient);

/// The scheme of the problem's options and course.
evn_status evn__scheme_create(const evn__problem *problem, evn__scheme **scheme);
void evn__scheme_destroy(evn__scheme **scheme); ///< nulls; accepts NULL

/// Observations of the course, with the start where that is one.
static inline int evn__scheme_observations(const evn__problem *problem) {
    const evn__course *course = problem->course;
    return problem->options->observations > 0 ? course->intervals + course->starts : 0;
}

/// Observation `index` of [observations, x].
static inline evn_binding evn__scheme_observation(const evn__problem *problem, evn_binding series,
                                                  int index) {
    series.offset +=
        (size_t)index * (size_t)evn_shape_count(evn__system_state_shape(problem->system, 0));
    return series;
}

/// The same of weights that are solved by themselves, [observations, Θ].
static inline evn_binding evn__scheme_place_weights(const evn__problem *problem,
                                                    evn_binding weights, int index) {
    size_t elements = evn__path_offset(problem->system, evn__path_weights(problem->system));
    weights.offset += (size_t)index * elements;
    return weights;
}

/// Observation `index` of the series of a solve.
static inline evn_binding evn__scheme_place(const evn__problem *problem, evn_binding series,
                                            int index) {
    series.offset += (size_t)index * problem->observed;
    return series;
}

#endif
