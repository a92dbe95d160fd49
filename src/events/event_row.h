// SPDX-License-Identifier: Apache-2.0
// One row of a search for events, a sample or the whole batch: how far it is, and what the next
// attempt is. It marches as any solve does; where an event changes its sign over a step it narrows
// that down, notes it, and settles for the step, or for its part up to the first terminal event. At
// a jump of f it stands, and starts anew from there, on the side of each event where it was.
#ifndef EVN_EVENTS_EVENT_ROW_H
#define EVN_EVENTS_EVENT_ROW_H

#include "events/root.h"
#include "evonode/event.h"
#include "gradients/parts.h"
#include "integrator/step_control.h"

/// The same for all rows.
typedef struct evn__event_rules {
    evn__step_rules steps;
    const evn_event *events;
    int count;
} evn__event_rules;

/// What becomes of an attempt; of neither: the row stays where it was.
typedef struct evn__event_verdict {
    bool notes;   ///< what was tried is the state at event row->noted
    bool accepts; ///< the row is where the attempt came to
    int observes; ///< so many observations, the next ones, are of what was tried
    int drops; ///< so many events, the last ones that were noted, are of a step that was rejected
} evn__event_verdict;

typedef struct evn__event_row evn__event_row;

/// What an attempt is for.
typedef evn__event_verdict evn__event_attempt(evn__event_row *row, const evn__event_rules *rules,
                                              double error, const double *e);

struct evn__event_row {
    double t0, t1;             ///< its way
    evn__parts parts;          ///< of the way, from jump to jump
    int part;                  ///< where it is
    int accepted, rejected;    ///< attempts in the parts before
    evn__step_control control; ///< of whole steps in the part: where the row is
    double dt;                 ///< of the next attempt, which may be shorter than a whole step
    int attempts;              ///< all there were, of those that narrow down too
    evn_outcome outcome;       ///< once there is no next one
    int event;                 ///< terminal, that it ended with, or that is not finite; −1: none
    int noted;                 ///< the last one that was
    int odd;                   ///< the observation on its way that is not finite; −1: none
    const double *times;       ///< of observations, in the order of the way; borrowed
    int time_count, observed;  ///< of them; that were made
    double e[EVN_MAX_INPUTS];  ///< at t
    int side[EVN_MAX_INPUTS];  ///< the sign that each stands for: 1, −1, or 0: not known
    evn__event_attempt *attempt; ///< what the next attempt is for; NULL: there is none
    struct {
        double error;                  ///< of the whole step
        double end, e[EVN_MAX_INPUTS]; ///< of what is to be settled for, and the values there
        int ends;                      ///< with this event; −1: it is the whole step
        double width;                  ///< times within it are one
        int event;                     ///< that is being narrowed down
        evn__root root;
        double found[EVN_MAX_INPUTS]; ///< where in the step each was; 0: it was not
        int notes;                    ///< events that were noted in it
    } step;
};

/// Zero-initialise rows. Memory for the parts of a way across the jumps of the options.
evn_status evn__event_row_create(evn__event_row *row, const evn_solver_options *options);
void evn__event_row_free(evn__event_row *row);

/// It is at t0, with this way before it.
void evn__event_row_lay(evn__event_row *row, const evn__event_rules *rules, double t0, double t1);

/// There, where it has been laid.
/// @param[in] e, rate  [count], values and their derivatives along the solution
/// @param     dt       adaptive: the first step
/// A value that is 0 but for rounding, on the side that the solution comes from, is 0.
void evn__event_row_begin(evn__event_row *row, const evn__event_rules *rules, const double *e,
                          const double *rate, double dt);

/// After it began: observe at these times too, which are behind t0. Where kernels would see one
/// beyond the part that it is in, it becomes that part's end.
void evn__event_row_observe(evn__event_row *row, const evn__event_rules *rules, double *times,
                            int count);

/// Whether it has come to a jump, behind which it is to begin again.
bool evn__event_row_crosses(const evn__event_row *row);
/// Step over the jump, to the beginning of the next part.
/// @return so many observations, the next ones, are of the state there
int evn__event_row_cross(evn__event_row *row);
/// Begin there. An event that was found at the jump is 0 there, on the side to which it goes now;
/// the others stand for the sign that they had.
void evn__event_row_begin_again(evn__event_row *row, const evn__event_rules *rules, const double *e,
                                const double *rate, double dt);

/// An attempt of row->dt had this error, and these values after it.
evn__event_verdict evn__event_row_take(evn__event_row *row, const evn__event_rules *rules,
                                       double error, const double *e);

/// Observation `index` on its way is not finite: it ends there, unless it has failed already.
void evn__event_row_refuse(evn__event_row *row, int index);

/// The time at the end of the next attempt.
double evn__event_row_end(const evn__event_row *row);
/// Where it is; at the end of the way t1 itself, which kernels may see beside.
double evn__event_row_time(const evn__event_row *row);
/// The longest first step there may be from where the row is.
double evn__event_row_span(const evn__event_row *row, const evn__event_rules *rules);

#endif
