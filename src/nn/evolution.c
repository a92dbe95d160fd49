// SPDX-License-Identifier: Apache-2.0
#include "nn/evolution.h"

#include <string.h>

static const evn__evolution_kind kinds[] = {
    {"rda", "reaction, diffusion and advection over each kernel", evn__evolution_rda},
    {"mlp", "one small MLP shared by all kernel slices", evn__evolution_mlp},
    {"linear", "a rate and a drift for each element", evn__evolution_linear},
    {"low-rank", "U tanh(V\u1d40 w + b(t)) over the kernel slices", evn__evolution_low_rank},
    {"waves", "a few waves of t for each element", evn__evolution_waves},
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
