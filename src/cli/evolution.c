// SPDX-License-Identifier: Apache-2.0
// --weights and --basis as the one word that the library takes.
#include "nn/evolution.h"
#include "cli/settings.h"

#include <stdio.h>

/// As many functions as the phases have steps, where a kind is made for that and none of them says
/// otherwise.
static int64_t usual_count(const evn__settings *settings, const evn__basis *basis) {
    for (int i = 0; basis->steps && i < settings->phase_count; ++i) {
        if (settings->phases[i].steps > 0) {
            return settings->phases[i].steps;
        }
    }
    return basis->usual;
}

/// A set of weights a step is one for each step that is taken.
static evn_status check_steps(const evn__settings *settings, const evn__evolution_kind *kind) {
    for (int i = 0; kind->basis->steps && i < settings->phase_count; ++i) {
        int64_t steps = settings->phases[i].steps;
        EVN_CHECK(steps <= 0 || steps == settings->basis || settings->solves, EVN_ERR_USAGE,
                  "the weights are %lld sets, one a step, but the phase %s takes %lld steps; give "
                  "--steps %lld or --basis %lld, or take --weights buckets",
                  (long long)settings->basis, settings->phases[i].name, (long long)steps,
                  (long long)settings->basis, (long long)steps);
    }
    return EVN_OK;
}

static evn_status write_word(evn__settings *settings, const evn__evolution_kind *kind) {
    char word[64];
    evn__evolves evolves;
    snprintf(word, sizeof(word), "%s:%lld", kind->name, (long long)settings->basis);
    evn_status status = evn__evolves_read(word, NULL, &evolves);
    EVN_CHECK(status == EVN_OK, EVN_ERR_USAGE, "--basis is %lld, but %s takes %d to %d functions",
              (long long)settings->basis, kind->name, kind->basis->least, EVN__BASIS_MOST);
    settings->evolution = evn__arena_string(&settings->arena, word);
    EVN_CHECK(settings->evolution, EVN_ERR_MEMORY, "no memory for the kind of weights");
    return EVN_OK;
}

evn_status evn__settings_evolve(evn__settings *settings) {
    const evn__evolution_kind *kind =
        settings->weights ? evn__evolution_find(settings->weights) : NULL;
    EVN_CHECK(settings->basis == INT64_MIN || (kind && kind->basis), EVN_ERR_USAGE,
              "--basis is the number of functions of t of which weights are a sum; it goes with "
              "--weights fourier and its like, not with %s",
              kind ? kind->name : "none");
    settings->evolution = settings->weights;
    if (!kind || !kind->basis) {
        return EVN_OK;
    }
    if (settings->basis == INT64_MIN) {
        settings->basis = usual_count(settings, kind->basis);
    }
    EVN_TRY(check_steps(settings, kind));
    return write_word(settings, kind);
}
