// SPDX-License-Identifier: Apache-2.0
// Attempts of all rows of a search on the device: where the rows are, a step of each from there,
// and the choice of what it came to, row by row. What to try, and what to take, the host says.
#ifndef EVN_EVENTS_EVENT_STEPS_H
#define EVN_EVENTS_EVENT_STEPS_H

#include "events/event_graph.h"
#include "integrator/layout.h"
#include "integrator/passage.h"

/// Numbers of each row that the host writes before an attempt, and after it.
enum { EVN__EVENT_T, EVN__EVENT_DT, EVN__EVENT_END, EVN__EVENT_ACCEPT, EVN__EVENT_WRITTEN };

/// Zero-initialise.
typedef struct evn__event_steps {
    const evn__problem *problem;
    const evn__event_system *system;
    bool fp64;
    int rows;
    evn__layout layout; ///< of a state and its history,
    evn__layout own;    ///< and of the state alone, at the same places
    evn_plan *start, *step, *choose;
    evn_buffer *state[2], *slope[2];  ///< where all are, exchanged by each choice
    evn_buffer *tried, *tried_slope;  ///< where an attempt came to
    evn_buffer *times;                ///< [EVN__EVENT_WRITTEN][rows]
    evn_buffer *result;               ///< [rows, events], [rows, events] or errors and first steps
    evn_buffer *tolerances;           ///< rtol, atol
    int now;                          ///< of the halves
    double *host_times, *host_result; ///< as on the device
    evn_binding *inputs, *outputs;
} evn__event_steps;

/// What there is after an error is to be freed, too.
/// @param[in] problem, system  outlive it
evn_status evn__event_steps_create(const evn__problem *problem, const evn__event_system *system,
                                   evn__event_steps *steps);
void evn__event_steps_free(evn__event_steps *steps);

/// Component `index` of the state where the rows are.
evn_binding evn__event_steps_state(const evn__event_steps *steps, int index);
/// Elements of the state of a row.
size_t evn__event_steps_row_total(const evn__event_steps *steps);
/// The state of a row, [row_total], as it is in `states`.
evn_status evn__event_steps_read_row(const evn__event_steps *steps, evn_buffer *states, int row,
                                     double *x);

/// Number `which` of a row, to be written with the next attempt.
double *evn__event_steps_time(const evn__event_steps *steps, int which, int row);

/// What the last start or attempt said of a row: values of the events, their rates after a start,
/// and behind these number `index` of what else there is.
const double *evn__event_steps_values(const evn__event_steps *steps, int row);
const double *evn__event_steps_rates(const evn__event_steps *steps, int row);
double evn__event_steps_first(const evn__event_steps *steps, int row);
double evn__event_steps_error(const evn__event_steps *steps, int row);
double evn__event_steps_doubt(const evn__event_steps *steps, int row);
/// Whether the method says how well the equations of a step were solved.
bool evn__event_steps_doubts(const evn__event_steps *steps);

/// Values, rates and adaptive first steps where all rows are, over a way of EVN__EVENT_DT; their
/// slopes.
evn_status evn__event_steps_start(evn__event_steps *steps, const evn__passage *passage);
/// The same, but that only rows with EVN__EVENT_ACCEPT 1 take over their slopes: f has jumped
/// there.
evn_status evn__event_steps_start_again(evn__event_steps *steps, const evn__passage *passage);
/// An attempt of all rows.
evn_status evn__event_steps_try(evn__event_steps *steps, const evn__passage *passage);
/// Rows with EVN__EVENT_ACCEPT 1 are where they came to.
evn_status evn__event_steps_choose(evn__event_steps *steps);

#endif
