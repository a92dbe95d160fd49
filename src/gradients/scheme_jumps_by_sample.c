// SPDX-License-Identifier: Apache-2.0
// A way in parts, as in scheme_jumps.c, where each sample has steps, and maybe times, of its own:
// in a stage each goes the next of its parts; one that has none left, or came to a stop, stays.
// Each observation is made in one stage; in the others its time is not a number, which is in no
// step.
#include "base/memory.h"
#include "gradients/parts.h"
#include "gradients/scheme.h"
#include "gradients/seams.h"
#include "gradients/time_parts.h"
#include "per_sample/sample_solve.h"
#include <math.h>
#include <stdlib.h>

typedef struct in_stages {
    evn__scheme base;
    evn__scheme_methods own_methods; ///< those that the scheme of a stage has
    evn_solver_options options;      ///< the same, without jumps
    evn__problem problem;            ///< with these
    evn__scheme *inner;
    evn__seams seams;
    int samples;
    size_t observations;
    evn__parts *parts;  ///< [samples], of the last solve
    int *stage_of;      ///< [samples, observations]: in which each is made,
    double *at;         ///< and when
    evn_solution *done; ///< [samples], so far
    evn__rest *rest;    ///< [samples], of a stage
    int stages, gone;   ///< of the last solve; so many before it ended
    int current;        ///< the one that the inner scheme has solved last
    double *t0, *t1, *times;
    evn_sample_times own;      ///< of a stage: these
    evn__time_parts *in_times; ///< where the gradient is one in times, too
} in_stages;

// Life --------------------------------------------------------------------------------------------

static evn_status allocate(in_stages *s) {
    const evn_solver_options *o = s->base.problem->options;
    evn_shape x = evn__system_state_shape(s->problem.system, 0);
    s->samples = x.rank > 0 ? (int)x.dim[0] : 1;
    s->observations = (size_t)o->observations;
    size_t samples = (size_t)s->samples, all = samples * s->observations;
    EVN_TRY(EVN_NEW(&s->parts, samples));
    EVN_TRY(EVN_NEW(&s->done, samples));
    EVN_TRY(EVN_NEW(&s->rest, samples));
    EVN_TRY(EVN_NEW(&s->stage_of, all + 1));
    EVN_TRY(EVN_NEW(&s->at, all + 1));
    EVN_TRY(EVN_NEW(&s->t0, samples));
    EVN_TRY(EVN_NEW(&s->t1, samples));
    EVN_TRY(EVN_NEW(&s->times, all + 1));
    s->own = (evn_sample_times){s->t0, s->t1, s->observations > 0 ? s->times : NULL};
    for (int i = 0; i < s->samples; ++i) {
        EVN_TRY(evn__parts_create(o, &s->parts[i]));
    }
    return EVN_OK;
}

static evn_status create(const evn__problem *p, evn__scheme **scheme) {
    in_stages *s = NULL;
    EVN_TRY(EVN_NEW(&s, 1));
    *scheme = &s->base;
    s->base.problem = p;
    s->options = *p->options;
    s->options.jumps = NULL;
    s->options.jump_count = 0;
    s->problem = *p;
    s->problem.options = &s->options;
    s->problem.goes_on = true;
    EVN_TRY(evn__scheme_create(&s->problem, &s->inner));
    s->own_methods = evn__scheme_methods_across(&evn__scheme_jumps_by_sample, s->inner->methods);
    s->base.methods = &s->own_methods;
    EVN_TRY(evn__seams_create(&s->problem, (size_t)p->options->jump_count + 1, &s->seams));
    EVN_TRY(s->options.time_gradient ? evn__time_parts_create(p, s->inner, &s->in_times) : EVN_OK);
    return allocate(s);
}

static void destroy(evn__scheme *scheme) {
    in_stages *s = (in_stages *)scheme;
    for (int i = 0; s->parts && i < s->samples; ++i) {
        evn__parts_free(&s->parts[i]);
    }
    evn__time_parts_destroy(&s->in_times);
    evn__scheme_destroy(&s->inner);
    evn__seams_free(&s->seams);
    free(s->parts);
    free(s->done);
    free(s->rest);
    free(s->stage_of);
    free(s->at);
    free(s->t0);
    free(s->t1);
    free(s->times);
    free(s);
}

// Where things are --------------------------------------------------------------------------------

static evn_binding begin(const evn__scheme *scheme, int index) {
    const evn__scheme *inner = ((const in_stages *)scheme)->inner;
    return inner->methods->begin(inner, index);
}

/// Not where the inner scheme has it, as gradients solve stages again.
static evn_binding end(const evn__scheme *scheme, int index) {
    const in_stages *s = (const in_stages *)scheme;
    return evn__seams_state(&s->seams, s->gone, index);
}

static evn_binding state_bar(const evn__scheme *scheme, int index) {
    const evn__scheme *inner = ((const in_stages *)scheme)->inner;
    return inner->methods->state_bar(inner, index);
}

static evn_solution sample(const evn__scheme *scheme, int index) {
    return ((const in_stages *)scheme)->done[index];
}

static const evn__time_parts *time_parts(const evn__scheme *scheme) {
    return ((const in_stages *)scheme)->in_times;
}

// Stages ------------------------------------------------------------------------------------------

/// Where each observation of a sample is made.
static void place_observations(in_stages *s, const evn__passage *passage, int sample) {
    const evn_solver_options *o = s->base.problem->options;
    const evn__parts *parts = &s->parts[sample];
    double t0, t1;
    evn__passage_ends(passage, sample, &t0, &t1);
    for (size_t j = 0; j < s->observations; ++j) {
        size_t place = (size_t)sample * s->observations + j;
        double t = evn__passage_observation(s->base.problem, passage, sample, (int)j);
        bool starts = t == t0;
        s->stage_of[place] = starts ? 0 : evn__parts_find(o, parts, &t);
        s->at[place] = starts ? parts->all[0].t0 : t;
    }
}

static void plan_stages(in_stages *s, const evn__passage *passage) {
    s->stages = 0;
    for (int i = 0; i < s->samples; ++i) {
        double t0, t1;
        evn__passage_ends(passage, i, &t0, &t1);
        evn__parts_cut(s->base.problem->options, t0, t1, &s->parts[i]);
        place_observations(s, passage, i);
        s->stages = s->parts[i].count > s->stages ? s->parts[i].count : s->stages;
        s->done[i] = (evn_solution){0};
    }
}

static bool moves(const evn__parts *parts) {
    return parts->all[0].t0 != parts->all[0].t1;
}

/// Whether they go in the same parts, but for where the first begins and the last ends.
static bool go_alike(const evn__parts *a, const evn__parts *b) {
    bool alike = a->rises == b->rises && a->count == b->count;
    for (int i = 1; alike && i < a->count; ++i) {
        alike = a->all[i].t0 == b->all[i].t0;
    }
    return alike;
}

/// Weights that evolve go with all samples from one jump to the next.
static evn_status check_alike(const in_stages *s) {
    const evn__parts *first = NULL;
    for (int i = 0; i < s->samples && s->problem.system->state_count > 1; ++i) {
        const evn__parts *parts = &s->parts[i];
        first = !first && moves(parts) ? parts : first;
        EVN_CHECK(!moves(parts) || go_alike(first, parts), EVN_ERR_ARGUMENT,
                  "sample %d goes in other parts, from jump to jump of f, than those before it, or "
                  "in the other direction (the last time before a jump begins none), and weights "
                  "evolve with all samples from one jump to the next; solve samples that go in "
                  "other parts in a batch of their own",
                  i);
    }
    return EVN_OK;
}

static bool goes(const in_stages *s, int sample, int stage) {
    return stage < s->parts[sample].count && s->done[sample].outcome == EVN_OUTCOME_DONE;
}

/// Where a sample stays that does not go on.
static double rest_of(const in_stages *s, int sample) {
    const evn__parts *parts = &s->parts[sample];
    bool ended = s->done[sample].outcome == EVN_OUTCOME_DONE;
    return ended ? parts->all[parts->count - 1].t1 : s->done[sample].t;
}

/// The times of a stage.
static void enter(in_stages *s, int stage) {
    for (int i = 0; i < s->samples; ++i) {
        bool going = goes(s, i, stage);
        s->t0[i] = going ? s->parts[i].all[stage].t0 : rest_of(s, i);
        s->t1[i] = going ? s->parts[i].all[stage].t1 : rest_of(s, i);
        for (size_t j = 0; j < s->observations; ++j) {
            size_t place = (size_t)i * s->observations + j;
            bool made = going && s->stage_of[place] == stage;
            s->times[place] = made ? s->at[place] : (double)NAN;
        }
    }
    s->current = stage;
}

static evn_status solve_stage(in_stages *s, int stage, bool again, const evn__passage *passage,
                              evn_solution *solution) {
    evn__passage own = *passage;
    enter(s, stage);
    for (int i = 0; i < s->samples; ++i) {
        const evn_solution *done = &s->done[i];
        s->rest[i] = (evn__rest){done->accepted, done->rejected, rest_of(s, i)};
    }
    own.rest = again ? NULL : s->rest; // attempts have been counted then
    own.samples = &s->own;
    own.continues = again || stage > 0;
    return s->inner->methods->solve(s->inner, &own, solution);
}

// A solve -----------------------------------------------------------------------------------------

/// What a sample has done after another stage.
static void add_sample(in_stages *s, int sample, int stage) {
    const evn_solution before = s->done[sample];
    evn_solution *all = &s->done[sample];
    if (!goes(s, sample, stage)) {
        return;
    }
    *all = s->inner->methods->sample(s->inner, sample);
    all->accepted += before.accepted;
    all->rejected += before.rejected;
    all->nfe += before.nfe;
}

static bool stopped_together(const evn__scheme *inner) {
    return inner->methods->stopped_together && inner->methods->stopped_together(inner);
}

/// One that comes to a stop harms no other; what all of them read does.
static evn_status go(in_stages *s, int stage, const evn__passage *passage, evn_solution *solution) {
    const evn__scheme_methods *methods = s->inner->methods;
    evn_solution one = {0};
    EVN_TRY(stage > 0 ? evn__seams_restore(&s->seams, stage, s->inner, methods->begin) : EVN_OK);
    evn_status status = solve_stage(s, stage, false, passage, &one);
    EVN_TRY(one.outcome == EVN_OUTCOME_DONE ? status : EVN_OK);
    for (int i = 0; i < s->samples; ++i) {
        add_sample(s, i, stage);
    }
    solution->surplus += one.surplus;
    solution->waits += one.waits;
    EVN_TRY(evn__seams_keep(&s->seams, stage + 1, s->inner, methods->end));
    s->gone = stage + 1;
    return stopped_together(s->inner) ? status : EVN_OK;
}

/// Say of all samples what there is to say.
static evn__stopped sum_up(in_stages *s, const evn__passage *passage, evn_solution *solution) {
    const int waits = solution->waits, surplus = solution->surplus;
    evn__stopped stopped = {.samples = s->samples};
    int most = 0;
    for (int i = 0; i < s->samples; ++i) {
        double t0, t1;
        evn_solution *one = &s->done[i], *longest = &s->done[most];
        evn__passage_ends(passage, i, &t0, &t1);
        bool longer = one->accepted + one->rejected > longest->accepted + longest->rejected;
        bool stops = one->outcome != EVN_OUTCOME_DONE;
        most = longer ? i : most;
        stopped.first = stops && stopped.count == 0 ? i : stopped.first;
        stopped.count += stops;
        one->t = stops ? one->t : t1; // and no part has to end there to the last digit
    }
    *solution = s->done[most];
    solution->waits = waits;
    solution->surplus = surplus;
    solution->outcome = s->done[stopped.first].outcome;
    return stopped;
}

static evn_status solve(evn__scheme *scheme, const evn__passage *passage, evn_solution *solution) {
    in_stages *s = (in_stages *)scheme;
    evn_status status = EVN_OK;
    *solution = (evn_solution){0};
    s->gone = 0;
    plan_stages(s, passage);
    EVN_TRY(check_alike(s));
    EVN_TRY(evn__seams_keep(&s->seams, 0, s->inner, s->inner->methods->begin));
    for (int stage = 0; stage < s->stages && status == EVN_OK; ++stage) {
        status = go(s, stage, passage, solution);
    }
    const evn__stopped stopped = sum_up(s, passage, solution);
    return status != EVN_OK || stopped.count == 0
               ? status
               : evn__sample_solve_fail(&s->options, passage, &stopped, &s->done[stopped.first]);
}

/// The inner scheme as if it had solved this stage last.
static evn_status solve_again(in_stages *s, int stage, const evn__passage *passage,
                              evn_solution *again) {
    if (stage == s->current) {
        return EVN_OK;
    }
    EVN_TRY(evn__seams_restore(&s->seams, stage, s->inner, s->inner->methods->begin));
    return solve_stage(s, stage, true, passage, again);
}

/// Those of each of its parts, all but the last of which are gone once more.
static evn_status steps(evn__scheme *scheme, const evn__passage *passage, int index,
                        evn__trail *trail) {
    in_stages *s = (in_stages *)scheme;
    evn_solution again = {0};
    EVN_CHECK(s->done[index].outcome == EVN_OUTCOME_DONE, EVN_ERR_ARGUMENT,
              "sample %d came to a stop on its way across jumps of f, of which its steps are not "
              "kept: solve its parts by themselves",
              index);
    for (int stage = 0; stage < s->parts[index].count; ++stage) {
        EVN_TRY(solve_again(s, stage, passage, &again));
        EVN_TRY(s->inner->methods->steps(s->inner, passage, index, trail));
    }
    return EVN_OK;
}

// Its gradient ------------------------------------------------------------------------------------

/// What a sample observes in a stage; at a jump it moves with that.
static void take_observed(const in_stages *s, int stage, int sample) {
    const evn__parts *parts = &s->parts[sample];
    bool goes_on = stage + 1 < parts->count;
    for (size_t j = 0; j < s->observations; ++j) {
        size_t place = (size_t)sample * s->observations + j, at = (size_t)sample;
        if (s->stage_of[place] == stage) {
            bool meets = goes_on && s->at[place] == parts->all[stage].t1;
            *(meets ? evn__time_parts_meeting(s->in_times, parts, stage + 1, at)
                    : evn__time_parts_observation(s->in_times, j, at)) +=
                evn__time_parts_observed_bar(s->in_times, j, at);
        }
    }
}

/// In the times of a stage, after its gradient, of the samples that went it.
static evn_status take_times(const in_stages *s, int stage, const evn__passage *passage) {
    EVN_TRY(evn__time_parts_take(s->in_times, s->inner, passage, &s->seams, stage));
    for (int i = 0; i < s->samples; ++i) {
        size_t at = (size_t)i;
        if (goes(s, i, stage)) {
            *evn__time_parts_meeting(s->in_times, &s->parts[i], stage, at) +=
                evn__time_parts_begin_bar(s->in_times, at);
            *evn__time_parts_meeting(s->in_times, &s->parts[i], stage + 1, at) +=
                evn__time_parts_end_bar(s->in_times, s->observations > 0, at);
            take_observed(s, stage, i);
        }
    }
    return EVN_OK;
}

static evn_status differentiate_stage(in_stages *s, int stage, const evn__passage *passage,
                                      evn_solution *solution) {
    const evn__scheme_methods *methods = s->inner->methods;
    evn_solution one = {0}, again = {0};
    bool last = stage + 1 == s->stages;
    EVN_TRY(solve_again(s, stage, passage, &again));
    evn__passage own = *passage;
    own.samples = &s->own;
    own.carried_bar = last ? passage->carried_bar : s->seams.bar;
    own.parameters_bar = last ? passage->parameters_bar : s->seams.share;
    own.x1_bar = last || s->observations > 0 ? passage->x1_bar : s->seams.bar[0];
    EVN_TRY(methods->gradient(s->inner, &own, &one));
    solution->t = one.t;
    solution->accepted += one.accepted;
    solution->nfe += one.nfe + again.nfe;
    solution->surplus += one.surplus + again.surplus;
    solution->waits += one.waits + again.waits;
    EVN_TRY(s->in_times ? take_times(s, stage, &own) : EVN_OK);
    return evn__seams_pass(&s->seams, s->inner, last, passage->parameters_bar);
}

static evn_status gradient(evn__scheme *scheme, const evn__passage *passage,
                           evn_solution *solution) {
    in_stages *s = (in_stages *)scheme;
    *solution = (evn_solution){0};
    if (s->in_times) {
        evn__time_parts_clear(s->in_times);
    }
    for (int stage = s->stages - 1; stage >= 0; --stage) {
        EVN_TRY(differentiate_stage(s, stage, passage, solution));
    }
    return EVN_OK;
}

const evn__scheme_methods evn__scheme_jumps_by_sample = {.create = create,
                                                         .destroy = destroy,
                                                         .begin = begin,
                                                         .end = end,
                                                         .solve = solve,
                                                         .sample = sample,
                                                         .steps = steps,
                                                         .gradient = gradient,
                                                         .state_bar = state_bar,
                                                         .time_parts = time_parts};
