// SPDX-License-Identifier: Apache-2.0
#include "nn/evolution.h"

#include "base/names.h"
#include "base/nearest.h"
#include "base/status.h"
#include "evonode/model.h"
#include "nn/description.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BASIS(of) false, NULL, NULL, &evn__basis_##of

static const evn__evolution_kind kinds[] = {
    {"rda", "reaction, diffusion and advection over each kernel", false, evn__evolution_rda, NULL,
     NULL},
    {"rda-waves", "rda, and waves of t for scales, shifts and biases", false, evn__evolution_rda,
     evn__evolution_waves, NULL},
    {"mlp", "one small MLP shared by all kernel slices", false, evn__evolution_mlp, NULL, NULL},
    {"linear", "a rate and a drift for each element", true, evn__evolution_linear, NULL, NULL},
    {"low-rank", "U tanh(V\u1d40 w + b(t)) over the kernel slices", false, evn__evolution_low_rank,
     NULL, NULL},
    {"waves", "a few waves of t for each element", true, evn__evolution_waves, NULL, NULL},
    {"constant", "they do not: the Neural ODE", false, NULL, NULL, NULL},
    {"steps", "a set of weights for each step, as in a ResNet", BASIS(steps)},
    {"buckets", "piecewise constant, in parts of equal length", BASIS(buckets)},
    {"piecewise-linear", "on lines between values at equal distances", BASIS(piecewise_linear)},
    {"fourier", "a Fourier series of period 1", BASIS(fourier)},
    {"chebyshev", "a series of Chebyshev's polynomials", BASIS(chebyshev)},
    {"legendre", "a series of Legendre's polynomials", BASIS(legendre)},
    {"splines", "cubic B-splines over equal intervals", BASIS(splines)},
    {"hypernet", "a network's answer to t", BASIS(hypernet)},
};

const evn__evolution_kind *evn__evolution_at(int index) {
    return index >= 0 && index < (int)(sizeof(kinds) / sizeof(kinds[0])) ? &kinds[index] : NULL;
}

static const evn__evolution_kind *find(const char *name, size_t length) {
    for (int i = 0; evn__evolution_at(i); ++i) {
        const evn__evolution_kind *kind = evn__evolution_at(i);
        if (strlen(kind->name) == length && strncmp(kind->name, name, length) == 0) {
            return kind;
        }
    }
    return NULL;
}

const evn__evolution_kind *evn__evolution_find(const char *name) {
    return find(name, strlen(name));
}

const char *evn_evolution_name(int index) {
    const evn__evolution_kind *kind = evn__evolution_at(index);
    return kind ? kind->name : NULL;
}

const char *evn_evolution_text(int index) {
    const evn__evolution_kind *kind = evn__evolution_at(index);
    return kind ? kind->text : NULL;
}

// Words -------------------------------------------------------------------------------------------

static evn_status fail_unknown(const char *name) {
    evn__text names = {0};
    for (int i = 0; evn_evolution_name(i); ++i) {
        evn__text_append(&names, "%s%s", i ? ", " : "", evn_evolution_name(i));
    }
    evn_status status = names.status;
    const char *near = evn__nearest_choice(name, evn_evolution_name);
    if (status == EVN_OK) {
        status =
            evn__fail(__FILE__, __LINE__, EVN_ERR_ARGUMENT,
                      "no kind of weight evolution is named '%s'%s%s%s; use one of %s", name,
                      near ? "; did you mean " : "", near ? near : "", near ? "?" : "", names.data);
    }
    free(names.data);
    return status;
}

/// The number behind a colon.
static evn_status read_count(const char *word, const char *number, evn__evolves *evolves) {
    char *end;
    const evn__basis *basis = evolves->kind->basis;
    EVN_CHECK(basis, EVN_ERR_ARGUMENT, "'%.40s': %s has no number of functions; leave ':%.20s' out",
              word, evolves->kind->name, number);
    long count = *number >= '0' && *number <= '9' ? strtol(number, &end, 10) : -1;
    EVN_CHECK(count >= basis->least && count <= EVN__BASIS_MOST && *end == 0, EVN_ERR_ARGUMENT,
              "'%.40s': %s takes %d to %d functions of t, as in %s:%d", word, evolves->kind->name,
              basis->least, EVN__BASIS_MOST, evolves->kind->name, basis->usual);
    evolves->count = (int)count;
    return EVN_OK;
}

evn_status evn__evolves_read(const char *word, const char *fit, evn__evolves *evolves) {
    *evolves = (evn__evolves){0};
    if (!word || strcmp(word, EVN__EVOLVE_NONE) == 0) {
        return EVN_OK;
    }
    word = strcmp(word, EVN__EVOLVE_FIT) != 0 ? word : fit ? fit : "";
    size_t length = strcspn(word, ":");
    evolves->kind = find(word, length);
    if (!evolves->kind) {
        return fail_unknown(word);
    }
    evolves->count = evolves->kind->basis ? evolves->kind->basis->usual : 0;
    return word[length] ? read_count(word, word + length + 1, evolves) : EVN_OK;
}
