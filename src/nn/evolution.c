// SPDX-License-Identifier: Apache-2.0
#include "nn/evolution.h"

#include <string.h>

static const evn__evolution_kind kinds[] = {
    {"rda", "reaction, diffusion and advection over each kernel", evn__evolution_rda, NULL},
    {"rda-waves", "rda, and waves of t for scales, shifts and biases", evn__evolution_rda,
     evn__evolution_waves},
    {"mlp", "one small MLP shared by all kernel slices", evn__evolution_mlp, NULL},
    {"linear", "a rate and a drift for each element", evn__evolution_linear, NULL},
    {"low-rank", "U tanh(V\u1d40 w + b(t)) over the kernel slices", evn__evolution_low_rank, NULL},
    {"waves", "a few waves of t for each element", evn__evolution_waves, NULL},
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
