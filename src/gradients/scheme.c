// SPDX-License-Identifier: Apache-2.0
#include "gradients/scheme.h"

#include "dynamics/path_basis.h"
#include "gradients/replay.h"
#include "gradients/weight_path.h"
#include "integrator/options.h"
#include "methods/stepper.h"
#include <math.h>

/// A kind of gradient, with its scheme for fixed steps, for those with a given number of
/// checkpoints, for adaptive steps, and for those of each sample's own; NULL: there is none. For
/// fixed steps of a multi-step method, and for those of a course that varies, `followed`; NULL: as
/// of others. Then which of the options that not all gradients have are its own, and what is to be
/// done where solving backwards leads elsewhere.
typedef struct row {
    const char *name;
    const evn__scheme_methods *fixed, *bounded, *followed, *adaptive, *by_sample;
    bool couples, falls_back;
    bool keeps; ///< what steps computed, for the way back
    const char *remedy;
} row;

static const row rows[] = {
    [EVN_GRADIENT_NONE] = {.name = "none",
                           .fixed = &evn__scheme_none,
                           .adaptive = &evn__scheme_none,
                           .by_sample = &evn__scheme_by_sample},
    [EVN_GRADIENT_BACKPROP] = {.name = "backprop",
                               .fixed = &evn__scheme_grid,
                               .followed = &evn__scheme_replay_fixed,
                               .keeps = true,
                               .adaptive = &evn__scheme_replay_adaptive,
                               .by_sample = &evn__scheme_by_sample_backprop},
    [EVN_GRADIENT_CHECKPOINTED] = {.name = "checkpointed",
                                   .fixed = &evn__scheme_grid,
                                   .bounded = &evn__scheme_replay_fixed,
                                   .followed = &evn__scheme_replay_fixed,
                                   .adaptive = &evn__scheme_replay_adaptive,
                                   .by_sample = &evn__scheme_by_sample_backprop},
    [EVN_GRADIENT_ADJOINT] = {.name = "adjoint",
                              .fixed = &evn__scheme_adjoint,
                              .adaptive = &evn__scheme_adjoint,
                              .falls_back = true,
                              .remedy = "take the gradient checkpointed, or let the solver fall "
                                        "back on checkpoints"},
    [EVN_GRADIENT_REVERSIBLE] = {.name = "reversible",
                                 .fixed = &evn__scheme_reversible,
                                 .couples = true,
                                 .remedy = "take the gradient checkpointed or backprop, or, "
                                           "where one was given, a coupling nearer to 1"},
    [EVN_GRADIENT_ADJOINT_QUADRATURE] = {.name = "adjoint-quadrature",
                                         .adaptive = &evn__scheme_adjoint_quadrature},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/// @param varies  the course does
static const evn__scheme_methods *find_along(const evn_solver_options *options, bool varies) {
    const row *r = &rows[options->gradient];
    bool bounded = (options->checkpoints > 0 || options->checkpoint_bytes > 0) && r->bounded;
    bool multistep = evn__stepper_past(evn__stepper_find(options->method)) > 0;
    return options->per_sample                    ? r->by_sample
           : options->steps == 0                  ? r->adaptive
           : bounded                              ? r->bounded
           : r->followed && (multistep || varies) ? r->followed
                                                  : r->fixed;
}

static const evn__scheme_methods *find(const evn_solver_options *options) {
    return find_along(options, false);
}

/// Whether a number of checkpoints means something: to the gradient, or to what is fallen back on.
static bool keeps_checkpoints(const row *r, const evn_solver_options *options) {
    return (r->bounded && !options->per_sample) || options->fall_back;
}

static evn_status check_path_numbers(const evn_solver_options *o) {
    int terms = o->weight_terms, steps = o->weight_steps;
    int most = o->per_sample ? EVN__MOST_TERMS - 1 : EVN__MOST_WEIGHT_STEPS;
    EVN_CHECK(terms == 0 || steps == 0, EVN_ERR_ARGUMENT,
              "solver %s: %d weight_terms, of weights that are solved to the tolerances, and %d "
              "weight_steps, of as many steps; leave one of them out",
              o->method, terms, steps);
    EVN_CHECK(terms == 0 || (terms >= EVN__LEAST_TERMS && terms <= EVN__MOST_TERMS),
              EVN_ERR_ARGUMENT,
              "solver %s: %d weight_terms; give %d to %d, or 0 to have them chosen with per_sample",
              o->method, terms, EVN__LEAST_TERMS, EVN__MOST_TERMS);
    EVN_CHECK(steps >= 0 && steps <= most, EVN_ERR_ARGUMENT,
              "solver %s: %d weight_steps; give 1 to %d, or 0 for none", o->method, steps, most);
    return EVN_OK;
}

/// What moves x alone: weights go by another method, and back with it along the steps taken.
static evn_status check_split(const evn_solver_options *o) {
    const row *r = &rows[o->gradient];
    const char *gradient = r->remedy ? ", and take the gradient backprop or checkpointed" : "";
    EVN_CHECK(o->weight_steps == 0, EVN_ERR_ARGUMENT,
              "solver %s moves the halves q and v of x, which weights have not; give weight_terms "
              "in place of weight_steps, which solves them by dopri5%s",
              o->method, gradient);
    EVN_CHECK(!r->remedy, EVN_ERR_ARGUMENT,
              "solver %s: the gradient '%s' does not go along weights that are solved by "
              "themselves, by dopri5; take backprop or checkpointed",
              o->method, r->name);
    return EVN_OK;
}

/// Weights that evolve, with a solve of their own.
static evn_status check_path(const evn_solver_options *o) {
    const evn__stepper *stepper;
    bool splits = evn__stepper_find(o->method)->kind->splits;
    EVN_TRY(check_path_numbers(o));
    bool to_tolerances = o->weight_terms > 0;
    if (!to_tolerances && o->weight_steps == 0) {
        return EVN_OK;
    }
    const char *given = to_tolerances ? "weight_terms" : "weight_steps";
    const char *other = to_tolerances ? "weight_steps" : "weight_terms";
    const evn_solver_options own = evn__weight_path_options(o);
    EVN_TRY(splits ? check_split(o) : EVN_OK);
    EVN_CHECK(find(&own), EVN_ERR_ARGUMENT,
              "solver %s: the gradient '%s' does not go through weights that are solved by "
              "themselves on %s steps; give %s in place of %s, or take backprop, checkpointed or "
              "the adjoint",
              o->method, rows[o->gradient].name, to_tolerances ? "adaptive" : "fixed", other,
              given);
    evn_status status = evn__check_options(&own, &stepper);
    return status == EVN_OK ? status
                            : evn__prepend(status, "weights that are solved by themselves");
}

/// A number of them, or memory for them.
static evn_status check_checkpoints(const evn_solver_options *o) {
    const row *r = &rows[o->gradient];
    bool both = o->checkpoints > 0 && o->checkpoint_bytes > 0;
    bool given = o->checkpoints > 0 || o->checkpoint_bytes > 0;
    EVN_CHECK(!both, EVN_ERR_ARGUMENT,
              "solver %s: %d checkpoints, and %zu bytes of memory for them; leave one of them out",
              o->method, o->checkpoints, o->checkpoint_bytes);
    EVN_CHECK(!given || keeps_checkpoints(r, o), EVN_ERR_ARGUMENT,
              "solver %s: %s with the gradient '%s'%s; leave them out, or take checkpointed%s",
              o->method, o->checkpoints > 0 ? "a number of checkpoints" : "checkpoint_bytes",
              r->name,
              o->per_sample ? " along steps of each sample's own, which keeps all states, as each "
                              "of them stands between other steps"
                            : "",
              o->per_sample ? " for the whole batch" : "");
    return EVN_OK;
}

/// What only other gradients have would do nothing.
static evn_status check_own(const evn_solver_options *options) {
    const row *r = &rows[options->gradient];
    EVN_CHECK(r->couples || options->coupling == 0, EVN_ERR_ARGUMENT,
              "solver %s: a coupling of %g, which is of the reversible method, with the gradient "
              "'%s'; leave it out",
              options->method, options->coupling, r->name);
    EVN_CHECK(r->falls_back || !options->fall_back, EVN_ERR_ARGUMENT,
              "solver %s: the gradient '%s' cannot fall back on checkpoints, which is for the "
              "adjoint, whose solve they repeat; leave fall_back out",
              options->method, r->name);
    EVN_CHECK(!options->time_gradient || options->gradient != EVN_GRADIENT_NONE, EVN_ERR_ARGUMENT,
              "solver %s: the times are to have a gradient, and nothing else has one: give it one, "
              "or leave time_gradient out",
              options->method);
    return check_checkpoints(options);
}

/// What takes each step by itself.
static evn_status check_past(const evn_solver_options *options) {
    const row *r = &rows[options->gradient];
    const evn__stepper *stepper = evn__stepper_find(options->method);
    EVN_TRY(options->per_sample ? evn__stepper_check_past(stepper, "per_sample") : EVN_OK);
    return r->couples ? evn__stepper_check_past(stepper, r->name) : EVN_OK;
}

/// What is known of the steps that are taken.
static evn_status check_dense(const evn_solver_options *o) {
    const row *r = &rows[o->gradient];
    EVN_CHECK(!r->couples, EVN_ERR_ARGUMENT,
              "solver %s: dense output is of the method's own steps, and the gradient '%s' takes "
              "others; leave dense out, or take observations, or another gradient",
              o->method, r->name);
    bool by_themselves = o->weight_terms > 0 || o->weight_steps > 0;
    EVN_CHECK(o->jump_count == 0 || (!o->per_sample && !by_themselves), EVN_ERR_ARGUMENT,
              "solver %s: with %s there is no dense output across jumps of f; leave dense out, and "
              "take observations, or solve each part by itself",
              o->method, o->per_sample ? "per_sample" : "weights that are solved by themselves");
    return EVN_OK;
}

/// What goes in parts.
static evn_status check_jumps(const evn_solver_options *o) {
    EVN_CHECK(o->jumps && o->jump_count > 0, EVN_ERR_ARGUMENT,
              "solver %s: %d jumps of f, and %s where they are", o->method, o->jump_count,
              o->jumps ? "a list of" : "nothing that says");
    for (int i = 0; i < o->jump_count; ++i) {
        EVN_CHECK(isfinite(o->jumps[i]) && (i == 0 || o->jumps[i] > o->jumps[i - 1]),
                  EVN_ERR_ARGUMENT,
                  "solver %s: jump %d of f is at %g; the times have to be finite and increase",
                  o->method, i, o->jumps[i]);
    }
    EVN_TRY(evn__stepper_check_end(evn__stepper_find(o->method), "across a jump of f"));
    return check_own(o);
}

evn_status evn__scheme_check(const evn_solver_options *options) {
    int gradient = (int)options->gradient;
    EVN_CHECK(gradient >= 0 && gradient < ROWS, EVN_ERR_ARGUMENT,
              "solver %s: there is no gradient %d", options->method, gradient);
    EVN_CHECK(options->checkpoints >= 0, EVN_ERR_ARGUMENT,
              "solver %s: %d checkpoints; give 0 or more", options->method, options->checkpoints);
    EVN_CHECK(
        !options->per_sample || options->steps == 0, EVN_ERR_ARGUMENT,
        "solver %s: per_sample is of adaptive steps, and there are %d fixed ones, which a sample "
        "takes whatever the others are; leave one of them out",
        options->method, options->steps);
    EVN_CHECK(!options->per_sample || find(options), EVN_ERR_ARGUMENT,
              "solver %s: there is no gradient '%s' along steps of each sample's own",
              options->method, rows[gradient].name);
    EVN_CHECK(find(options) || options->steps == 0, EVN_ERR_ARGUMENT,
              "%s goes along adaptive steps: leave the number of steps of solver %s out, or take "
              "backprop, checkpointed or the adjoint",
              rows[gradient].name, options->method);
    EVN_CHECK(find(options), EVN_ERR_ARGUMENT,
              "%s goes along fixed steps: give solver %s a number of steps, or take backprop, "
              "checkpointed or the adjoint",
              rows[gradient].name, options->method);
    EVN_CHECK(options->coupling >= 0 && options->coupling <= 1, EVN_ERR_ARGUMENT,
              "solver %s: coupling %g; give more than 0 and at most 1, or 0 to have it chosen",
              options->method, options->coupling);
    EVN_CHECK(options->reconstruction >= 0, EVN_ERR_ARGUMENT,
              "solver %s: a reconstruction bound of %g; give a number > 0, or 0 for none",
              options->method, options->reconstruction);
    EVN_TRY(check_past(options));
    EVN_TRY(check_path(options));
    EVN_TRY(options->dense ? check_dense(options) : EVN_OK);
    return options->jump_count != 0 ? check_jumps(options) : check_own(options);
}

static bool evolves(const evn__problem *problem) {
    return problem->system->state_count > 1;
}

evn__scheme_methods evn__scheme_methods_across(const evn__scheme_methods *methods,
                                               const evn__scheme_methods *inner) {
    evn__scheme_methods own = *methods;
    own.gradient = inner->gradient ? own.gradient : NULL;
    own.state_bar = inner->gradient ? own.state_bar : NULL;
    own.time_parts = inner->gradient ? own.time_parts : NULL;
    own.reconstructed = inner->reconstructed ? own.reconstructed : NULL;
    own.pair = inner->pair ? own.pair : NULL;
    return own;
}

bool evn__scheme_has_path(const evn__problem *problem) {
    const evn_solver_options *o = problem->options;
    return evolves(problem) && (o->per_sample || o->weight_terms > 0 || o->weight_steps > 0);
}

/// Across jumps a way goes in parts, each by the scheme that there is for it.
const evn__scheme_methods *evn__scheme_choose(const evn__problem *problem) {
    const evn_solver_options *o = problem->options;
    return o->jump_count > 0 && o->per_sample ? &evn__scheme_jumps_by_sample
           : o->jump_count > 0                ? &evn__scheme_jumps
           : evn__scheme_has_path(problem)    ? &evn__scheme_along_path
                                              : find_along(o, problem->course->varies);
}

bool evn__scheme_is_of_steps(const evn__problem *problem) {
    evn_solver_options within = *problem->options;
    evn__problem part = *problem;
    within.jump_count = 0;
    part.options = &within;
    return evn__scheme_choose(&part)->time_bars != NULL;
}

bool evn__scheme_keeps(evn_gradient gradient) {
    return rows[gradient].keeps;
}

const char *evn__scheme_remedy(evn_gradient gradient) {
    return rows[gradient].remedy;
}

static evn_status check_constant(const evn_solver_options *o) {
    EVN_CHECK(o->weight_terms == 0 && o->weight_steps == 0, EVN_ERR_ARGUMENT,
              "solver %s: %d %s, which are of weights that evolve, and no weight does; leave them "
              "out",
              o->method, o->weight_terms + o->weight_steps,
              o->weight_terms > 0 ? "weight_terms" : "weight_steps");
    return EVN_OK;
}

evn_status evn__scheme_create(const evn__problem *problem, evn__scheme **scheme) {
    EVN_TRY(evolves(problem) ? EVN_OK : check_constant(problem->options));
    EVN_TRY(problem->options->fall_back ? evn__replay_check_room(problem) : EVN_OK);
    const evn__scheme_methods *methods = evn__scheme_choose(problem);
    evn_status status = methods->create(problem, scheme);
    if (*scheme) {
        const evn__scheme_methods *own = (*scheme)->methods;
        **scheme = (evn__scheme){own ? own : methods, problem};
    }
    if (status != EVN_OK) {
        evn__scheme_destroy(scheme);
    }
    return status;
}

void evn__scheme_destroy(evn__scheme **scheme) {
    if (*scheme) {
        (*scheme)->methods->destroy(*scheme);
        *scheme = NULL;
    }
}

evn_solver_options evn_solver_options_with(const evn_solver_options *options,
                                           evn_gradient gradient) {
    evn_solver_options with = options ? *options : evn_solver_options_default();
    int index = (int)gradient;
    const row *r = &rows[index >= 0 && index < ROWS ? index : EVN_GRADIENT_NONE];
    with.gradient = gradient;
    with.fall_back = r->falls_back && with.fall_back;
    with.time_gradient = gradient != EVN_GRADIENT_NONE && with.time_gradient;
    with.coupling = r->couples ? with.coupling : 0;
    with.dense = !r->couples && with.dense;
    with.checkpoints = keeps_checkpoints(r, &with) ? with.checkpoints : 0;
    with.checkpoint_bytes = keeps_checkpoints(r, &with) ? with.checkpoint_bytes : 0;
    return with;
}

evn_solver_options evn_solver_options_forward(const evn_solver_options *options) {
    int index = options ? (int)options->gradient : 0;
    bool own = index > 0 && index < ROWS && rows[index].couples; // its solve is its own
    return evn_solver_options_with(options, own ? options->gradient : EVN_GRADIENT_NONE);
}

const char *evn_gradient_name(int index) {
    return index >= 0 && index < ROWS ? rows[index].name : NULL;
}
