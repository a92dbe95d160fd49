// SPDX-License-Identifier: Apache-2.0
// A way in parts, from one jump of f to the next, each of which another scheme goes: f is evaluated
// nowhere between a time of the one side and a time of the other. The states at the beginnings of
// the parts are kept; the gradient goes back over the parts, each solved again, but for the last.
#include "base/memory.h"
#include "ode/integrator_state.h"
#include "ode/jump.h"
#include "ode/rounding.h"
#include "ode/scheme.h"
#include "plan/real.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

/// From one time to another, between two jumps.
typedef struct part {
    double t0, t1;
} part;

typedef struct in_parts {
    evn__scheme base;
    evn_solver_options options; ///< the same, without jumps
    evn__problem problem;       ///< with these
    evn__scheme *inner;
    evn__layout layout;
    part *parts;        ///< [jumps + 1] at most, of the last solve
    int count, current; ///< of them; the one that the inner scheme has solved last
    evn__trail trail;
    evn_buffer *starts; ///< [jumps + 2][layout.total]: the state before each, and at the end
    evn_buffer *x_bar;  ///< between two parts
    evn_buffer *shares; ///< cotangents of the parameters of one part
    evn_binding *share; ///< where each is
    evn__jump **sums;   ///< of each
} in_parts;

// Life --------------------------------------------------------------------------------------------

static evn_status make(const in_parts *s, size_t count, evn_buffer **buffer) {
    return evn__real_create_for(s->problem.device, EVN__USE_STATES, s->options.fp64, count, buffer);
}

static evn_status make_gradient(in_parts *s) {
    const evn__system *system = s->problem.system;
    size_t total = 0;
    EVN_TRY(EVN_NEW(&s->share, system->parameter_count + 1));
    EVN_TRY(EVN_NEW(&s->sums, system->parameter_count + 1));
    for (int i = 0; i < system->parameter_count; ++i) {
        evn_shape shape = evn__system_parameter_shape(system, i);
        s->share[i].offset = total;
        total += evn__real_aligned((size_t)evn_shape_count(shape));
        EVN_TRY(evn__jump_create(s->problem.device, shape, s->options.fp64, &s->sums[i]));
    }
    EVN_TRY(make(s, total, &s->shares));
    for (int i = 0; i < system->parameter_count; ++i) {
        s->share[i].buffer = s->shares;
    }
    return make(s, s->layout.size[0], &s->x_bar);
}

static evn_status fill(in_parts *s, const evn__problem *p) {
    size_t parts = (size_t)p->options->jump_count + 1;
    bool differentiates = p->options->gradient != EVN_GRADIENT_NONE;
    EVN_CHECK(!differentiates || p->system->state_count == 1, EVN_ERR_ARGUMENT,
              "solver %s: there is no gradient across jumps of f where weights evolve; solve up to "
              "the last time before each (nextafter, in single precision nextafterf), and on from "
              "the jump, with solvers of their own",
              p->options->method);
    s->options = *p->options;
    s->options.jumps = NULL;
    s->options.jump_count = 0;
    s->problem = *p;
    s->problem.options = &s->options;
    EVN_TRY(evn__layout_create(p->system, &s->layout));
    EVN_TRY(evn__scheme_create(&s->problem, &s->inner));
    EVN_TRY(EVN_NEW(&s->parts, parts));
    EVN_TRY(make(s, evn__size_product(parts + 1, s->layout.total), &s->starts));
    return differentiates ? make_gradient(s) : EVN_OK;
}

static evn_status create(const evn__problem *p, evn__scheme **scheme) {
    in_parts *s = NULL;
    EVN_TRY(EVN_NEW(&s, 1));
    *scheme = &s->base;
    return fill(s, p);
}

static void destroy(evn__scheme *scheme) {
    in_parts *s = (in_parts *)scheme;
    for (int i = 0; s->sums && i < s->problem.system->parameter_count; ++i) {
        evn__jump_destroy(&s->sums[i]);
    }
    evn__scheme_destroy(&s->inner);
    evn__layout_free(&s->layout);
    evn__trail_free(&s->trail);
    evn_buffer_destroy(&s->starts);
    evn_buffer_destroy(&s->x_bar);
    evn_buffer_destroy(&s->shares);
    free(s->parts);
    free(s->share);
    free(s->sums);
    free(s);
}

static evn_binding begin(const evn__scheme *scheme, int index) {
    const evn__scheme *inner = ((const in_parts *)scheme)->inner;
    return inner->methods->begin(inner, index);
}

static evn_binding kept(const in_parts *s, int place, int index) {
    return (evn_binding){s->starts, (size_t)place * s->layout.total + s->layout.offset[index]};
}

/// Not where the inner scheme has it, as gradients solve parts again.
static evn_binding end(const evn__scheme *scheme, int index) {
    const in_parts *s = (const in_parts *)scheme;
    return kept(s, s->count, index);
}

static evn_binding state_bar(const evn__scheme *scheme, int index) {
    const evn__scheme *inner = ((const in_parts *)scheme)->inner;
    return inner->methods->state_bar(inner, index);
}

static const evn__trail *trail(const evn__scheme *scheme) {
    return &((const in_parts *)scheme)->trail;
}

// Parts -------------------------------------------------------------------------------------------

/// The last time before one, as the kernels have them: numbers below the smallest normal one may be
/// 0 there.
static double before(bool fp64, double t) {
    double last = fp64 ? nextafter(t, -INFINITY) : (double)nextafterf((float)t, -INFINITY);
    return !fp64 && fabs(last) < FLT_MIN ? -FLT_MIN : last;
}

/// But for one without length.
static void add(in_parts *s, bool rises, double t0, double t1) {
    if (rises ? t0 < t1 : t0 > t1) {
        s->parts[s->count++] = (part){t0, t1};
    }
}

/// f has its new values at a jump itself: what comes from below ends before it, what comes from
/// above ends at it. All times are those that the kernels see, which decide on which side they are.
static void split(in_parts *s, double t0, double t1) {
    const evn_solver_options *o = s->base.problem->options;
    double from = evn__rounded(o->fp64, t0), to = evn__rounded(o->fp64, t1), begin = from;
    bool rises = to >= from;
    s->count = 0;
    for (int i = 0; i < o->jump_count; ++i) {
        double jump = evn__rounded(o->fp64, o->jumps[rises ? i : o->jump_count - 1 - i]);
        double under = before(o->fp64, jump);
        if (rises && jump > begin && jump <= to) {
            add(s, rises, from, under);
            from = jump;
        } else if (!rises && jump <= begin && jump > to) {
            add(s, rises, from, jump);
            from = under;
        }
    }
    add(s, rises, from, to);
    if (s->count == 0) { // no way
        s->parts[s->count++] = (part){begin, begin};
    }
}

typedef evn_binding place_of(const evn__scheme *scheme, int index);

/// Keep all components as the inner scheme has them at its begin or end.
static evn_status keep(const in_parts *s, int place, place_of *of) {
    for (int i = 0; i < s->layout.count; ++i) {
        EVN_TRY(
            evn__real_copy(kept(s, place, i), of(s->inner, i), s->options.fp64, s->layout.size[i]));
    }
    return EVN_OK;
}

/// Have the inner scheme begin with what was kept.
static evn_status restore(const in_parts *s, int place) {
    for (int i = 0; i < s->layout.count; ++i) {
        EVN_TRY(evn__real_copy(s->inner->methods->begin(s->inner, i), kept(s, place, i),
                               s->options.fp64, s->layout.size[i]));
    }
    return EVN_OK;
}

static evn_status solve_part(in_parts *s, int index, const evn__passage *passage,
                             evn_solution *solution) {
    evn__passage own = *passage;
    own.t0 = s->parts[index].t0;
    own.t1 = s->parts[index].t1;
    own.series = own.x1_bar = (evn_binding){0};
    s->current = index;
    return s->inner->methods->solve(s->inner, &own, solution);
}

// A solve -----------------------------------------------------------------------------------------

static evn_status add_steps(evn__trail *to, const evn__trail *from) {
    for (int i = 0; i < from->count; ++i) {
        EVN_TRY(evn__trail_add(to, from->steps[i].t, from->steps[i].dt, -1));
    }
    return EVN_OK;
}

/// Of a part that failed, as far as it went: fixed steps fail as a whole.
static evn_status add_trail(in_parts *s, int index, bool failed) {
    const part *p = &s->parts[index];
    if (s->options.steps == 0) {
        return add_steps(&s->trail, s->inner->methods->trail(s->inner));
    }
    if (failed) {
        return EVN_OK;
    }
    evn__trail fixed = {0};
    evn_status status = evn__trail_set(&fixed, s->problem.course, s->options.fp64, p->t0, p->t1);
    status = status == EVN_OK ? add_steps(&s->trail, &fixed) : status;
    evn__trail_free(&fixed);
    return status;
}

/// Of all parts so far, and how the last one ended.
static void sum_up(evn_solution *all, const evn_solution *one) {
    const evn_solution before_it = *all;
    *all = *one;
    all->accepted += before_it.accepted;
    all->rejected += before_it.rejected;
    all->nfe += before_it.nfe;
    all->surplus += before_it.surplus;
    all->waits += before_it.waits;
}

/// Attempts count over all parts.
static evn_status check_count(const in_parts *s, const evn__passage *passage, evn_solution *all) {
    if (s->options.steps > 0 || all->accepted + all->rejected <= s->options.max_steps) {
        return EVN_OK;
    }
    all->outcome = EVN_OUTCOME_TOO_MANY_STEPS;
    return evn__outcome_fail(&s->options, all, passage->t0, passage->t1, passage->t1, all->dt,
                             false);
}

static evn_status go(in_parts *s, int index, const evn__passage *passage, evn_solution *solution) {
    evn_solution one = {0};
    EVN_TRY(index > 0 ? restore(s, index) : EVN_OK);
    evn_status status = solve_part(s, index, passage, &one);
    sum_up(solution, &one);
    EVN_TRY(keep(s, index + 1, s->inner->methods->end));
    EVN_TRY(add_trail(s, index, status != EVN_OK));
    return status == EVN_OK ? check_count(s, passage, solution) : status;
}

static evn_status solve(evn__scheme *scheme, const evn__passage *passage, evn_solution *solution) {
    in_parts *s = (in_parts *)scheme;
    split(s, passage->t0, passage->t1);
    s->trail.count = 0;
    EVN_TRY(keep(s, 0, s->inner->methods->begin));
    for (int i = 0; i < s->count; ++i) {
        EVN_TRY(go(s, i, passage, solution));
    }
    solution->t = passage->t1; // and no part has to end there to the last digit
    return EVN_OK;
}

// Its gradient ------------------------------------------------------------------------------------

static evn_status differentiate_part(in_parts *s, int index, const evn__passage *passage,
                                     evn_solution *solution) {
    evn__passage own = *passage;
    evn_solution one = {0}, again = {0};
    bool last = index + 1 == s->count;
    if (index != s->current) {
        EVN_TRY(restore(s, index));
        EVN_TRY(solve_part(s, index, passage, &again));
    }
    own.t0 = s->parts[index].t0;
    own.t1 = s->parts[index].t1;
    own.x1_bar = last ? passage->x1_bar : (evn_binding){s->x_bar, 0};
    own.parameters_bar = last ? passage->parameters_bar : s->share;
    EVN_TRY(s->inner->methods->gradient(s->inner, &own, &one));
    one.nfe += again.nfe;
    sum_up(solution, &one);
    for (int i = 0; i < s->problem.system->parameter_count && !last; ++i) {
        EVN_TRY(evn__jump_add(s->sums[i], passage->parameters_bar[i], s->share[i]));
    }
    return evn__real_copy((evn_binding){s->x_bar, 0}, state_bar(&s->base, 0), s->options.fp64,
                          s->layout.size[0]);
}

static evn_status gradient(evn__scheme *scheme, const evn__passage *passage,
                           evn_solution *solution) {
    in_parts *s = (in_parts *)scheme;
    for (int i = s->count - 1; i >= 0; --i) {
        EVN_TRY(differentiate_part(s, i, passage, solution));
    }
    return EVN_OK;
}

const evn__scheme_methods evn__scheme_jumps = {.create = create,
                                               .destroy = destroy,
                                               .begin = begin,
                                               .end = end,
                                               .solve = solve,
                                               .trail = trail};

const evn__scheme_methods evn__scheme_jumps_backprop = {.create = create,
                                                        .destroy = destroy,
                                                        .begin = begin,
                                                        .end = end,
                                                        .solve = solve,
                                                        .trail = trail,
                                                        .gradient = gradient,
                                                        .state_bar = state_bar};
