// SPDX-License-Identifier: Apache-2.0
#include "cli/memory_limit.h"

#include "base/number.h"
#include "cli/console.h"
#include "host/forecast.h"
#include "study/anatomy.h"
#include <stdlib.h>
#include <string.h>

/// What there is room for, and what asks for it.
typedef struct fitting {
    evn__session *session;
    evn__settings *settings;
    uint64_t room;  ///< bytes: of the device, and of --memory-limit
    uint64_t limit; ///< of --memory-limit alone; 0: none, or auto
    bool limited;   ///< by --memory-limit, be it auto
    int64_t batch;  ///< of the source
    bool looks_far; ///< at what an adjoint may fall back on, which takes time
    bool fixed;     ///< batches, parts and gradients stay: a run goes on
} fitting;

/// Where there is a limit an adjoint fits where it also does once it has fallen back: it cannot go
/// on else.
static bool fits(const fitting *f, const evn__needs *needs) {
    return evn__needs_bytes(needs) <= f->room && (!f->limited || needs->fallen <= f->room) &&
           needs->largest <= evn_device_get_info(f->session->device)->max_allocation_bytes;
}

static bool may_fall(const evn__session *session, const evn__variation *variation) {
    bool may = variation->gradient == EVN_GRADIENT_ADJOINT;
    for (int i = 0; i < session->options.phase_count; ++i) {
        const evn_phase *phase = &session->phases[i];
        may = may || (phase->epochs > 0 && phase->reconstruction > 0);
    }
    return may;
}

static evn_status find_fallen(const fitting *f, evn__variation variation, evn__needs *needs) {
    evn__needs more;
    if (!may_fall(f->session, &variation)) {
        return EVN_OK;
    }
    variation.fallen = true;
    EVN_TRY(evn__rehearse(f->session, f->settings, &variation, &more));
    needs->fallen = more.training.peak;
    return EVN_OK;
}

static evn_status try(const fitting *f, evn__variation variation, evn__needs *needs, bool *fit) {
    EVN_TRY(evn__rehearse(f->session, f->settings, &variation, needs));
    EVN_TRY(f->limited && fits(f, needs) ? find_fallen(f, variation, needs) : EVN_OK);
    *fit = fits(f, needs);
    return EVN_OK;
}

static int most_expected(const evn__session *session) {
    int most = 0;
    for (int i = 0; i < session->options.phase_count; ++i) {
        const evn_phase *phase = &session->phases[i];
        int steps = evn__phase_keeps_steps(phase, false) ? phase->solver.expected_steps : 0;
        most = steps > most ? steps : most;
    }
    return most;
}

/// What each step beyond the expected ones takes.
static evn_status find_step(const fitting *f, evn__needs *needs) {
    enum { STEPS = 8 };
    evn__needs more;
    needs->steps = most_expected(f->session);
    if (needs->steps > 0) {
        EVN_TRY(
            evn__rehearse(f->session, f->settings, &(evn__variation){.more_steps = STEPS}, &more));
        needs->step = (more.training.peak - needs->training.peak) / STEPS;
    }
    return EVN_OK;
}

/// As the training will be; where it fits, its kernels are compiled, which several processes do.
static evn_status try_as_is(const fitting *f, evn__needs *needs, bool *fit) {
    evn_device *device = f->session->device;
    *fit = false;
    EVN_TRY(evn__forecast_begin(device));
    evn__first_use_foresee(f->session->first_use, true);
    evn_status status = evn__rehearse(f->session, f->settings, &(evn__variation){0}, needs);
    evn__first_use_foresee(f->session->first_use, false);
    status = status == EVN_OK && f->looks_far ? find_fallen(f, (evn__variation){0}, needs) : status;
    *fit = status == EVN_OK && fits(f, needs);
    status = *fit ? find_step(f, needs) : status;
    evn__console_activity("compiling");
    evn_status compiled = evn__forecast_end(device, *fit && !f->settings->dry_run);
    evn__console_clear();
    return status == EVN_OK ? compiled : status;
}

/// The most samples of a batch, or of parts of one, that fit, at most `most`; 0: not even one does.
static evn_status find_batch(const fitting *f, int64_t most, bool parts, int64_t *batch) {
    int64_t low = 0, high = most + 1; // low fits, high does not
    while (high - low > 1) {
        evn__needs needs;
        bool fit;
        int64_t middle = low + (high - low) / 2;
        EVN_TRY(try(f, (evn__variation){.batch = middle, .parts = parts}, &needs, &fit));
        *(fit ? &low : &high) = middle;
    }
    *batch = low;
    return EVN_OK;
}

static bool can_split(const fitting *f) {
    return !f->fixed && f->batch > 1 && evn__session_splits(f->session);
}

/// The largest part of a batch that fits; 0: there is none.
static evn_status find_part(const fitting *f, int64_t *part) {
    EVN_TRY(find_batch(f, f->batch / 2, true, part));
    while (*part > 1 && f->batch % *part != 0) {
        --*part;
    }
    return EVN_OK;
}

/// "512M" → bytes.
static evn_status read_size(const char *text, uint64_t *bytes) {
    static const char units[] = "KMGT";
    char *end;
    double value = evn__read_real(text, &end);
    const char *unit = end > text && *end ? strchr(units, *end) : NULL;
    if (unit) {
        value *= (double)((uint64_t)1 << (10 * (unit - units + 1)));
        end += 1 + (end[1] == 'i') + (end[1] == 'i' && end[2] == 'B');
    }
    EVN_CHECK(end > text && *end == 0 && value >= 1 && value < 1e18, EVN_ERR_USAGE,
              "--memory-limit is '%s', but should be auto, a size such as 512M or 1.5G, or, to "
              "resume, off",
              text);
    *bytes = (uint64_t)value;
    return EVN_OK;
}

/// Bytes; 0: auto.
static evn_status read_limit(const char *text, uint64_t *bytes) {
    *bytes = 0;
    return strcmp(text, "auto") == 0 ? EVN_OK : read_size(text, bytes);
}

evn_status evn__memory_limit_check(const char *text, bool resumes) {
    uint64_t bytes;
    return !text || (resumes && strcmp(text, "off") == 0) ? EVN_OK : read_limit(text, &bytes);
}

static evn_status find_room(const evn__settings *settings, fitting *f) {
    f->room = evn__device_room(f->session->device);
    f->limited = settings->memory_limit;
    EVN_TRY(f->limited ? read_limit(settings->memory_limit, &f->limit) : EVN_OK);
    f->room = f->limit > 0 && f->limit < f->room ? f->limit : f->room;
    return EVN_OK;
}

// Refusal -----------------------------------------------------------------------------------------

static evn_status advise_batch(const fitting *f, evn__text *advice) {
    int64_t batch = 0;
    if (!evn__task_has_option(f->session->row, "batch") || f->session->options.micro_batches > 1) {
        return EVN_OK;
    }
    EVN_TRY(find_batch(f, f->batch - 1, false, &batch));
    if (batch > 0) {
        evn__text_append(advice, "--batch %lld", (long long)batch);
        evn__text_append(advice, "%s",
                         can_split(f) && !f->settings->memory_limit
                             ? ", --memory-limit auto (the same batch in parts)"
                             : "");
    }
    return advice->status;
}

/// With batches as they are, and where they may be computed in parts with the smallest.
static evn_status advise_gradient(const fitting *f, evn_gradient gradient, const char *name,
                                  evn__text *advice) {
    bool fit, parts = can_split(f) && f->settings->memory_limit;
    evn__needs needs;
    char bytes[32];
    EVN_TRY(try(f, (evn__variation){.gradient = gradient}, &needs, &fit));
    if (!fit && parts) {
        EVN_TRY(try(f, (evn__variation){.batch = 1, .parts = true, .gradient = gradient}, &needs,
                    &fit));
    } else {
        parts = false;
    }
    if (fit) {
        evn__text_append(advice, "%s%s phases (%s%s)", advice->size > 0 ? ", " : "", name,
                         evn__anatomy_bytes((double)evn__needs_bytes(&needs), bytes),
                         parts ? " with one sample at a time" : "");
    }
    return advice->status;
}

/// What would fit, each tried; a run that goes on can only be given more.
static evn_status advise(const fitting *f, evn__text *advice) {
    if (f->fixed) {
        evn__text_append(advice, "%s",
                         f->limit > 0 ? "a larger --memory-limit, or off"
                                      : "another --device with more memory");
        return advice->status;
    }
    EVN_TRY(advise_batch(f, advice));
    EVN_TRY(advise_gradient(f, EVN_GRADIENT_CHECKPOINTED, "checkpointed", advice));
    EVN_TRY(advise_gradient(f, EVN_GRADIENT_ADJOINT, "adjoint", advice));
    if (advice->size == 0) {
        evn__text_append(advice, "no smaller batch and no other gradient; take a smaller model%s",
                         f->limit > 0 ? ", or a larger limit" : "");
    }
    return advice->status;
}

/// What one sample at a time needs, where batches may be computed in parts.
static evn_status describe_least(const fitting *f, evn__text *text) {
    evn__needs needs;
    char bytes[32];
    if (!can_split(f)) {
        return EVN_OK;
    }
    EVN_TRY(evn__rehearse(f->session, f->settings, &(evn__variation){.batch = 1, .parts = true},
                          &needs));
    evn__text_append(text, " (%s with one sample at a time)",
                     evn__anatomy_bytes((double)evn__needs_bytes(&needs), bytes));
    return text->status;
}

static void describe_room(const fitting *f, const evn__needs *needs, evn__text *text) {
    char bytes[32];
    const evn_device_info *info = evn_device_get_info(f->session->device);
    bool limited = f->limit > 0 && f->limit == f->room;
    evn__text_append(text, "; %s %s %s", limited ? "--memory-limit" : info->name,
                     limited ? "is" : "has room for", evn__anatomy_bytes((double)f->room, bytes));
    if (needs->largest > info->max_allocation_bytes) {
        evn__text_append(text, ", for one buffer %s",
                         evn__anatomy_bytes((double)info->max_allocation_bytes, bytes));
        evn__text_append(text, " of the %s that the largest has",
                         evn__anatomy_bytes((double)needs->largest, bytes));
    }
}

static evn_status refuse(const fitting *f, const evn__needs *needs) {
    char classes[512];
    evn__text text = {0}, advice = {0};
    evn_status status = describe_least(f, &text);
    if (status == EVN_OK) {
        describe_room(f, needs, &text);
        status = advise(f, &advice);
    }
    if (status == EVN_OK && text.status == EVN_OK) {
        status = evn_error_set(
            EVN_ERR_DEVICE_MEMORY, "training needs device memory of %s%s; what fits: %s",
            evn__needs_text(needs, classes, sizeof(classes)), text.data, advice.data);
    }
    free(text.data);
    free(advice.data);
    return status != EVN_OK ? status : text.status;
}

// The limit ---------------------------------------------------------------------------------------

static evn_status split(const fitting *f, const evn__needs *needs) {
    int64_t part;
    EVN_TRY(find_part(f, &part));
    if (part == 0) {
        return refuse(f, needs);
    }
    f->settings->micro_batches = f->batch / part;
    return evn__session_split(f->session, f->settings->micro_batches);
}

evn_status evn__memory_fit(evn__session *session, evn__settings *settings, bool fixed,
                           evn__needs *needs) {
    fitting f = {.session = session, .settings = settings, .fixed = fixed};
    bool fit;
    f.batch = session->source.methods->info(session->source.self).batch;
    EVN_TRY(find_room(settings, &f));
    f.looks_far = settings->dry_run || f.limited;
    session->memory_limit = f.limit;
    EVN_TRY(evn__expect_steps(session, settings, f.looks_far, f.room));
    EVN_TRY(try_as_is(&f, needs, &fit));
    if (fit) {
        if (settings->memory_limit && settings->micro_batches == INT64_MIN && can_split(&f)) {
            settings->micro_batches = 1; // a run that is resumed must not decide anew
        }
        return EVN_OK;
    }
    if (!settings->memory_limit || settings->micro_batches != INT64_MIN || !can_split(&f)) {
        return refuse(&f, needs);
    }
    EVN_TRY(split(&f, needs));
    EVN_TRY(try_as_is(&f, needs, &fit));
    return fit ? EVN_OK : refuse(&f, needs);
}
