// SPDX-License-Identifier: Apache-2.0
#include "nn/evolution.h"

#include "evonode/model.h"

#include <string.h>

static const evn__evolution_kind kinds[] = {
    {"rda", "reaction, diffusion and advection over each kernel", false, evn__evolution_rda, NULL},
    {"rda-waves", "rda, and waves of t for scales, shifts and biases", false, evn__evolution_rda,
     evn__evolution_waves},
    {"mlp", "one small MLP shared by all kernel slices", false, evn__evolution_mlp, NULL},
    {"linear", "a rate and a drift for each element", true, evn__evolution_linear, NULL},
    {"low-rank", "U tanh(V\u1d40 w + b(t)) over the kernel slices", false, evn__evolution_low_rank,
     NULL},
    {"waves", "a few waves of t for each element", true, evn__evolution_waves, NULL},
};

const evn__evolution_kind *evn__evolution_at(int index) {
    return index >= 0 && index < (int)(sizeof(kinds) / sizeof(kinds[0])) ? &kinds[index] : NULL;
}

const evn__evolution_kind *evn__evolution_find(const char *name) {
    for (int i = 0; evn__evolution_at(i); ++i) {
        if (strcmp(evn__evolution_at(i)->name, name) == 0) {
            return evn__evolution_at(i);
        }
    }
    return NULL;
}

const char *evn_evolution_name(int index) {
    const evn__evolution_kind *kind = evn__evolution_at(index);
    return kind ? kind->name : NULL;
}

const char *evn_evolution_text(int index) {
    const evn__evolution_kind *kind = evn__evolution_at(index);
    return kind ? kind->text : NULL;
}
