// SPDX-License-Identifier: Apache-2.0
#include "gradients/replay.h"

#include "gradients/cotangents.h"
#include "gradients/joint.h"
#include "gradients/revolve.h"
#include "integrator/jump.h"
#include "integrator/options.h"
#include "methods/history.h"
#include "plan/real.h"
#include <stdlib.h>
#include <string.h>

/// Places of states beside those that are kept: a step goes from one to the other; and that of the
/// last state, which the caller may read after a gradient, too.
enum { WORKING = 3, END = WORKING - 1 };

struct evn__replay {
    const evn__problem *problem; ///< `own`
    evn__problem own; ///< the caller's, of its system with the history of a multi-step method
    evn__history history;
    const evn__stepper *stepper;
    bool keeps;          ///< intermediate values
    int checkpoints;     ///< 0: a state for each step
    int capacity, slots; ///< steps that there is memory for; states of these that are kept
    evn__joint joint;
    evn__joint first; ///< of the first fixed steps of a multi-step method
    evn__cotangents bars;
    evn__jump *jump;          ///< with observations: for those that no step ends at
    evn_buffer *states;       ///< [slots + WORKING][total]
    evn_buffer *saved;        ///< [capacity or 1][saved elements of the plan]
    evn_buffer *times;        ///< [2][capacity]: t, then dt
    evn__time_bars time_bars; ///< their cotangents, where wanted
    evn__trail trail;         ///< its own copy
    int *kept, count;         ///< before which step the state in each slot is; slots that are taken
    int end;                  ///< place of the state after the last step
    int gone;                 ///< evaluations of steps that were gone forward
    evn_binding *inputs, *outputs;
};

// Life --------------------------------------------------------------------------------------------

/// Which takes a step.
static const evn__joint *joint_of(const evn__replay *r, int step) {
    return r->first.plan && step < evn__stepper_first_steps(r->stepper) ? &r->first : &r->joint;
}

/// Elements that any step keeps.
static size_t saved_elements(const evn__replay *r) {
    size_t all = evn_plan_saved_element_count(r->joint.plan);
    size_t first = r->first.plan ? evn_plan_saved_element_count(r->first.plan) : 0;
    return all > first ? all : first;
}

static evn_status create_of_steps(const evn__replay *r, int steps, size_t points, size_t elements,
                                  const char *what, evn_buffer **buffer) {
    evn_buffer_destroy(buffer);
    evn_status status =
        evn__real_create_for(r->problem->device, EVN__USE_STATES, r->problem->options->fp64,
                             evn__size_product(points, elements), buffer);
    return status == EVN_ERR_DEVICE_MEMORY
               ? evn__prepend(status,
                              "the %s of %d steps: keep fewer as checkpoints, or take the "
                              "reversible method or the adjoint",
                              what, steps)
               : status;
}

/// Memory for so many steps, in place of what there is; where it fails there is none.
static evn_status make_room(evn__replay *r, int steps) {
    int slots = r->checkpoints > 0 && r->checkpoints < steps ? r->checkpoints : steps;
    r->capacity = r->slots = 0;
    r->trail.count = 0; // the times have to be written again
    free(r->kept);
    EVN_TRY(EVN_NEW(&r->kept, slots));
    EVN_TRY(create_of_steps(r, steps, (size_t)slots + WORKING, r->bars.layout.total, "states",
                            &r->states));
    EVN_TRY(create_of_steps(r, steps, r->keeps ? (size_t)steps : 1, saved_elements(r),
                            "intermediate values", &r->saved));
    EVN_TRY(create_of_steps(r, steps, 2, (size_t)steps, "times", &r->times));
    r->time_bars.stride = (size_t)steps;
    EVN_TRY(r->problem->options->time_gradient
                ? create_of_steps(r, steps, EVN__TIME_BARS, r->time_bars.stride,
                                  "cotangents of the times", &r->time_bars.buffer)
                : EVN_OK);
    r->capacity = steps;
    r->slots = slots;
    return EVN_OK;
}

static bool lacks_memory(evn_status status) {
    return status == EVN_ERR_DEVICE_MEMORY || status == EVN_ERR_MEMORY;
}

/// Memory for so many steps, and for some more, so that it need not be made for each solve that
/// takes a few; where that is too much, for these alone.
static evn_status reserve(evn__replay *r, int steps) {
    int fewest = steps > 1 ? steps : 1, more = evn__steps_room(fewest);
    if (fewest <= r->capacity) {
        return EVN_OK;
    }
    bool grows = r->capacity > 0 && more > fewest;
    evn_status status = grows ? make_room(r, more) : EVN_OK;
    return grows && !lacks_memory(status) ? status : make_room(r, fewest);
}

static bool has_first(const evn__replay *r) {
    return r->problem->options->steps > 0 && evn__stepper_first_steps(r->stepper) > 0;
}

static evn_status add_history(evn__replay *r) {
    const evn__problem *p = r->problem;
    EVN_TRY(evn__history_create(p->device, p->system, r->stepper, p->options, &r->history));
    r->own = *p;
    r->own.system = r->history.system;
    r->problem = &r->own;
    return EVN_OK;
}

static evn_status create_first(evn__replay *r, evn__joint_options options) {
    if (!has_first(r)) {
        return EVN_OK;
    }
    options.stepper = evn__stepper_at_step(r->stepper, 0);
    return evn__joint_create(r->problem->device, &options, &r->first);
}

/// As many as are said, or as there is room for; 0: a state for each step.
static evn_status count_checkpoints(const evn_solver_options *o, size_t total, int *count) {
    size_t state = total * (o->fp64 ? sizeof(double) : sizeof(float));
    size_t room = o->checkpoint_bytes / state, fewest = WORKING + 1;
    EVN_CHECK(o->checkpoint_bytes == 0 || room >= fewest, EVN_ERR_ARGUMENT,
              "solver %s: checkpoints have %zu bytes, and a state takes %zu; one that is kept and "
              "%d that steps are taken between are the least: give %zu or more",
              o->method, o->checkpoint_bytes, state, WORKING, fewest * state);
    room = room > EVN__MAX_STEPS ? EVN__MAX_STEPS : room;
    *count = o->checkpoint_bytes > 0 ? (int)room - WORKING : o->checkpoints;
    return EVN_OK;
}

evn_status evn__replay_check_room(const evn__problem *problem) {
    evn__layout layout = {0};
    int count;
    evn_status status = evn__layout_create(problem->system, &layout);
    status = status == EVN_OK ? count_checkpoints(problem->options, layout.total, &count) : status;
    evn__layout_free(&layout);
    return status;
}

static evn_status create(evn__replay *r, int steps) {
    EVN_TRY(evn__check_options(r->problem->options, &r->stepper));
    EVN_TRY(add_history(r));
    const evn__problem *p = r->problem;
    const evn_solver_options *o = p->options;
    const evn__joint_options options = {.system = p->system,
                                        .stepper = r->stepper,
                                        .fp64 = o->fp64,
                                        .observes = o->observations > 0,
                                        .times = o->time_gradient};
    EVN_TRY(evn__cotangents_create(p, 1, &r->bars));
    EVN_TRY(r->keeps ? EVN_OK : count_checkpoints(o, r->bars.layout.total, &r->checkpoints));
    EVN_TRY(evn__joint_create(p->device, &options, &r->joint));
    EVN_TRY(create_first(r, options));
    EVN_TRY(EVN_NEW(&r->inputs, r->joint.input_count));
    EVN_TRY(EVN_NEW(&r->outputs, r->joint.output_count));
    EVN_TRY(options.observes ? evn__jump_create(p->device, evn__system_state_shape(p->system, 0),
                                                o->fp64, &r->jump)
                             : EVN_OK);
    return reserve(r, steps);
}

evn_status evn__replay_create(const evn__problem *problem, int steps, evn__replay **replay) {
    EVN_TRY(EVN_NEW(replay, 1));
    (*replay)->problem = problem;
    (*replay)->keeps = evn__scheme_keeps(problem->options->gradient);
    evn_status status = create(*replay, steps);
    if (status != EVN_OK) {
        evn__replay_destroy(replay);
    }
    return status;
}

void evn__replay_destroy(evn__replay **replay) {
    evn__replay *r = *replay;
    if (!r) {
        return;
    }
    evn__joint_free(&r->joint);
    evn__joint_free(&r->first);
    evn__history_free(&r->history);
    evn__cotangents_free(&r->bars);
    evn__jump_destroy(&r->jump);
    evn_buffer_destroy(&r->states);
    evn_buffer_destroy(&r->saved);
    evn_buffer_destroy(&r->times);
    evn_buffer_destroy(&r->time_bars.buffer);
    evn__trail_free(&r->trail);
    free(r->kept);
    free(r->inputs);
    free(r->outputs);
    free(r);
    *replay = NULL;
}

// Steps -------------------------------------------------------------------------------------------

static evn_status write_times(const evn__replay *r) {
    double *values = NULL;
    int count = r->trail.count, capacity = r->capacity;
    EVN_TRY(EVN_NEW(&values, 2 * (size_t)capacity));
    for (int i = 0; i < count; ++i) {
        values[i] = r->trail.steps[i].t;
        values[capacity + i] = r->trail.steps[i].dt;
    }
    evn_status status = evn__real_write((evn_binding){r->times, 0}, r->problem->options->fp64,
                                        values, 2 * (size_t)capacity);
    free(values);
    return status;
}

static bool is_followed(const evn__replay *r, const evn__trail *trail) {
    if (r->trail.count != trail->count) {
        return false;
    }
    for (int i = 0; i < trail->count; ++i) {
        const evn__tread *a = &r->trail.steps[i], *b = &trail->steps[i];
        if (a->t != b->t || a->dt != b->dt || a->observation != b->observation) {
            return false;
        }
    }
    return true;
}

/// Take over the steps, and have the kernels see them.
static evn_status take_steps(evn__replay *r, const evn__trail *trail) {
    r->trail.count = 0;
    for (int i = 0; i < trail->count; ++i) {
        const evn__tread *step = &trail->steps[i];
        EVN_TRY(evn__trail_add(&r->trail, step->t, step->dt, step->observation));
    }
    return write_times(r);
}

evn_status evn__replay_follow(evn__replay *r, const evn__trail *trail) {
    EVN_TRY(reserve(r, trail->count));
    if (is_followed(r, trail)) {
        return EVN_OK;
    }
    evn_status status = take_steps(r, trail);
    r->trail.count = status == EVN_OK ? r->trail.count : 0; // half of them are followed by nobody
    return status;
}

// Where things are --------------------------------------------------------------------------------

static evn_binding state_at(const evn__replay *r, int place, int index) {
    const evn__layout *layout = &r->bars.layout;
    return (evn_binding){r->states, (size_t)place * layout->total + layout->offset[index]};
}

evn_binding evn__replay_begin(const evn__replay *replay, int index) {
    return state_at(replay, 0, index);
}

evn_binding evn__replay_end(const evn__replay *replay, int index) {
    return state_at(replay, replay->end, index);
}

evn_binding evn__replay_state_bar(const evn__replay *replay, int index) {
    return evn__cotangents_state(&replay->bars, 0, index);
}

evn__time_bars evn__replay_time_bars(const evn__replay *replay) {
    return replay->time_bars;
}

int evn__replay_evaluations(const evn__replay *r) {
    return r->gone;
}

static evn_binding saved_at(const evn__replay *r, int step) {
    size_t size = saved_elements(r);
    return (evn_binding){r->saved, r->keeps ? (size_t)step * size : 0};
}

/// A place to work in that is not `place`.
static int other(const evn__replay *r, int place) {
    return place == r->slots ? r->slots + 1 : r->slots;
}

// Forward -----------------------------------------------------------------------------------------

/// Bind what both phases of a step read and write, from the state at one place to another.
static void bind(evn__replay *r, const evn__passage *passage, int step, int from, int to) {
    const evn__system *system = r->problem->system;
    evn_binding *in = r->inputs, *out = r->outputs;
    const evn__tread *tread = &r->trail.steps[step];
    *in++ = (evn_binding){r->times, (size_t)step};
    *in++ = (evn_binding){r->times, (size_t)(r->capacity + step)};
    for (int i = 0; i < system->state_count; ++i) {
        *in++ = state_at(r, from, i);
        *out++ = state_at(r, to, i);
    }
    memcpy(in, passage->parameters, sizeof(*in) * (size_t)system->parameter_count);
    in = evn__cotangents_bind_states(&r->bars, false, in + system->parameter_count);
    if (r->problem->options->observations > 0) {
        int observation = passage->x1_bar.buffer ? tread->observation : -1;
        *in++ = evn__cotangents_share(&r->bars, passage->x1_bar, observation);
    }
    evn__cotangents_bind_parameters(&r->bars, false, in);
    out = evn__cotangents_bind_states(&r->bars, true, out);
    out = evn__cotangents_bind_parameters(&r->bars, true, out);
    evn__time_bars_bind(r->time_bars, step, out);
}

static evn_status run(evn__replay *r, int phase, int step) {
    const evn_binding saved = saved_at(r, step);
    const evn__joint *joint = joint_of(r, step);
    const evn__stepper *stepper =
        joint == &r->first ? evn__stepper_at_step(r->stepper, step) : r->stepper;
    r->gone += phase == 0 ? evn__stepper_evaluations(stepper) : 0;
    return evn_plan_run_phase(joint->plan, phase, r->inputs, r->outputs, &saved);
}

/// Go `count` steps from `step` on, whose state is at *place, to a place that is kept, or, where
/// `keep` is negative, to one to work in.
static evn_status advance(evn__replay *r, const evn__passage *passage, int step, int count,
                          int keep, int *place) {
    for (int i = 0; i < count; ++i) {
        bool last = step + i + 1 == r->trail.count;
        int to = last ? r->slots + END : keep >= 0 && i == count - 1 ? keep : other(r, *place);
        int observation = r->trail.steps[step + i].observation;
        bind(r, passage, step + i, *place, to);
        EVN_TRY(run(r, 0, step + i));
        *place = to;
        if (passage->series.buffer && observation >= 0) {
            EVN_TRY(evn__real_copy(evn__scheme_place(r->problem, passage->series, observation),
                                   state_at(r, to, 0), r->problem->options->fp64,
                                   r->problem->observed));
        }
    }
    return EVN_OK;
}

/// From the last state that is kept to the one before step `to`, keeping states on the way as a
/// chain up to `end` steps needs them.
static evn_status descend(evn__replay *r, const evn__passage *passage, int to, int end,
                          int *place) {
    int step = r->kept[r->count - 1];
    *place = r->count - 1;
    while (step < to) {
        int left = end - step, room = r->slots - r->count;
        bool keeps = room > 0 && left > 1;
        int count = keeps ? evn__revolve_advance(left, room + 1) : to - step;
        EVN_TRY(advance(r, passage, step, count, keeps ? r->count : -1, place));
        step += count;
        if (keeps) {
            r->kept[r->count++] = step;
        }
    }
    return EVN_OK;
}

evn_status evn__replay_forward(evn__replay *r, const evn__passage *passage) {
    EVN_TRY(evn__stepper_past(r->stepper) > 0
                ? evn__history_begin(&r->history, state_at(r, 0, r->bars.layout.count - 1))
                : EVN_OK);
    r->kept[0] = 0;
    r->count = 1;
    r->gone = 0;
    return descend(r, passage, r->trail.count, r->trail.count, &r->end);
}

// Backward ----------------------------------------------------------------------------------------

static evn_status reverse(evn__replay *r, const evn__passage *passage, int step) {
    int place;
    evn__passage back = *passage;
    back.series.buffer = NULL; // what is gone again has been observed
    while (r->kept[r->count - 1] > step) {
        --r->count;
    }
    EVN_TRY(descend(r, &back, step, step + 1, &place));
    // Where all is kept, the state after the step is where the first phase has left it.
    bool last = step + 1 == r->trail.count;
    int to = r->keeps ? (last ? r->end : step + 1) : other(r, place);
    bind(r, passage, step, place, to);
    EVN_TRY(r->keeps ? EVN_OK : run(r, 0, step));
    EVN_TRY(run(r, 1, step));
    r->bars.now = !r->bars.now;
    return EVN_OK;
}

/// An observed start; without steps all observations are made there.
static evn_status observe_start(const evn__replay *r, evn_binding x1_bar) {
    const evn__problem *p = r->problem;
    int count = r->trail.count > 0 ? p->course->starts : evn__scheme_observations(p);
    for (int i = 0; i < count; ++i) {
        EVN_TRY(evn__jump_add(r->jump, evn__replay_state_bar(r, 0),
                              evn__scheme_observation(p, x1_bar, i)));
    }
    return EVN_OK;
}

evn_status evn__replay_backward(evn__replay *r, const evn__passage *passage) {
    r->gone = 0;
    r->count = r->keeps && r->trail.count > 0 ? r->trail.count : r->count;
    EVN_TRY(evn__cotangents_load(&r->bars, passage));
    for (int step = r->trail.count - 1; step >= 0; --step) {
        EVN_TRY(reverse(r, passage, step));
    }
    EVN_TRY(observe_start(r, passage->x1_bar));
    return evn__cotangents_deliver(&r->bars, passage->parameters_bar);
}
