// SPDX-License-Identifier: Apache-2.0
// What the files of solves with steps of each sample's own share: sample_solve.c goes forward,
// sample_gradient.c back.
#ifndef EVN_PER_SAMPLE_SAMPLE_STATE_H
#define EVN_PER_SAMPLE_SAMPLE_STATE_H

#include "kernels/shared.h"
#include "methods/stepper.h"
#include "per_sample/interpolation.h"
#include "per_sample/sample_solve.h"
#include "plan/repeat.h"

/// The gradient goes back over up to 64 attempts of a chunk in parts of 4, 4, 8, 16 and 32, each as
/// long as those before it together. Parts that no sample attempted are left out, so that, but for
/// the first 4, at most half of the attempts that are gone back are idle. Each part is prepared
/// once.
enum { EVN__SAMPLE_FIRST_BACK = 4, EVN__SAMPLE_BACK = 5 };

/// What the attempts between two looks leave; kept where there is a gradient.
typedef struct evn__sample_chunk {
    evn_buffer *steps;       ///< [together, rows, EVN_SAMPLE_STEP]
    evn_buffer *starts;      ///< [together, rows, …]: x before each
    evn_buffer *record;      ///< [rows, EVN_SAMPLE_RECORD], after them
    evn_buffer *later_terms; ///< with dense: [terms − 1][together, rows, …]
    evn__repeat *forward, *backward[EVN__SAMPLE_BACK];
} evn__sample_chunk;

struct evn__sample_solve {
    const evn__problem *problem;
    const evn__stepper *stepper;
    evn__system system; ///< with a time for each sample
    bool fp64, keeps;
    int samples, rows; ///< B; rows in memory, of which there are more where B is 1
    size_t size;       ///< elements of a sample
    int terms;         ///< of interpolants that attempts leave; 1: x alone
    evn_plan *start, *attempt;
    evn_buffer *x, *slope, *record, *active; ///< two halves each, exchanged by each attempt
    evn_buffer *limits;                      ///< [EVN__SAMPLE_LIMITS]
    evn_buffer *ends;                        ///< [rows, EVN_SAMPLE_ENDS]
    evn_buffer *times;                       ///< with observations: [observations, B, 2]
    evn_buffer *later_terms; ///< the terms after the first, where no chunk has its own
    evn_buffer *begin;       ///< with dense: x at the start
    evn__interpolation interpolation;
    int together; ///< attempts between two looks
    evn__sample_chunk *chunks;
    int chunk_count, chunk_capacity;
    int used, made;                               ///< of the last solve: chunks, attempts of any
    evn_binding *inputs, *outputs, *saved;        ///< of the attempts of a chunk
    double *host_ends, *host_times, *host_record; ///< as on the device, in double precision
    double *decay;                                ///< [rows], as evn_solution has it
    bool written;                                 ///< so they are
};

/// Elements of x in memory.
size_t evn__sample_solve_elements(const evn__sample_solve *solve);

/// Whether a solve gives x at observations.
bool evn__sample_solve_observes(const evn__sample_solve *solve);

/// Slopes of all samples where x is, at the times at which they are to begin. Enqueues only.
evn_status evn__sample_solve_start(const evn__sample_solve *solve, const evn__passage *passage);

/// Of samples that came to a stop: what bounds their steps (sample_stop.c). x stays as it is.
evn_status evn__sample_solve_find_decay(evn__sample_solve *solve, const evn__passage *passage);

/// Of the right-hand side, in an attempt.
int evn__sample_solve_evaluations(const evn__sample_solve *solve);

/// As two reals, the second beyond the first one's last digit.
/// @return whether it is another than was there
bool evn__sample_pair(bool fp64, double value, double pair[2]);

/// Where chunk `index` of the last solve has its steps.
evn__located evn__sample_solve_locate(const evn__sample_solve *solve, int index,
                                      const evn__sample_chunk *chunk);

/// Runs, prepared before if they were the same.
evn_status evn__sample_chunk_run(evn_plan *plan, const evn__runs *runs, evn__repeat **repeat);

#endif
