// SPDX-License-Identifier: Apache-2.0
// The steps that a sample took in the last solve, from what the chunks of its attempts have kept.
#include "per_sample/sample_state.h"
#include "plan/real.h"

/// An attempt of length 0 was rejected, or none.
static evn_status add_chunk(const evn__sample_solve *s, const evn__sample_chunk *chunk, int sample,
                            evn__trail *trail) {
    double step[EVN_SAMPLE_STEP];
    for (int i = 0; i < s->together; ++i) {
        size_t at = ((size_t)i * (size_t)s->rows + (size_t)sample) * EVN_SAMPLE_STEP;
        EVN_TRY(evn__real_read((evn_binding){chunk->steps, at}, s->fp64, step, EVN_SAMPLE_STEP));
        if (step[EVN_SAMPLE_STEP_DT] != 0) {
            double t = step[EVN_SAMPLE_STEP_T] + step[EVN_SAMPLE_STEP_T + 1];
            EVN_TRY(evn__trail_add(trail, t, step[EVN_SAMPLE_STEP_DT], -1));
        }
    }
    return EVN_OK;
}

evn_status evn__sample_solve_steps(const evn__sample_solve *s, int sample, evn__trail *trail) {
    EVN_CHECK(
        s->keeps, EVN_ERR_ARGUMENT,
        "steps of each sample's own are not kept: set keep_steps in the options, or a gradient "
        "or dense, which need them");
    for (int i = 0; i < s->used; ++i) {
        EVN_TRY(add_chunk(s, &s->chunks[i], sample, trail));
    }
    return EVN_OK;
}
