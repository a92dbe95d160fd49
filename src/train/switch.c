// SPDX-License-Identifier: Apache-2.0
#include "train/switch.h"

static const double APART = 0.1, APART_MIN = 1e-3, GAIN = 0.01;
enum { PATIENCE = 3, LOOKS_MIN = 5, LOOKS_PART = 4 };

evn_switch evn__switch_now(evn__switch *state, double train_loss, double own, double next) {
    bool gains = state->epochs == 0 || train_loss < state->best * (1 - GAIN);
    ++state->epochs;
    state->stalled = gains ? 0 : state->stalled + 1;
    state->best = gains ? train_loss : state->best;
    if (!(next - own <= APART * own + APART_MIN)) { // a loss that is no number, too
        return EVN_SWITCH_APART;
    }
    return state->stalled >= PATIENCE ? EVN_SWITCH_STALLED : EVN_SWITCH_NONE;
}

evn_switch evn__switch_held_out(evn__switch *state, double loss, int looks) {
    int patience = looks / LOOKS_PART > LOOKS_MIN ? looks / LOOKS_PART : LOOKS_MIN;
    bool gains = state->epochs == 0 || loss < state->best;
    ++state->epochs;
    state->stalled = gains ? 0 : state->stalled + 1;
    state->best = gains ? loss : state->best;
    return state->stalled >= patience ? EVN_SWITCH_HELD_OUT : EVN_SWITCH_NONE;
}
