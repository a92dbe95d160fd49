// SPDX-License-Identifier: Apache-2.0
// No launch longer than a display can wait for.
#include "cli/launch_limit.h"

#include "base/number.h"
#include "cli/console.h"
#include "cli/rehearsal.h"
#include <string.h>

/// What people begin to see a pointer stop at.
static const double DISPLAY_SECONDS = 0.1;

// The option --------------------------------------------------------------------------------------

/// Seconds; 0: off.
static evn_status read(const char *text, double *limit) {
    char *end;
    *limit = 0;
    if (strcmp(text, "off") == 0) {
        return EVN_OK;
    }
    *limit = evn__read_real(text, &end);
    EVN_CHECK(end > text && *end == 0 && *limit > 0 && *limit < 1e6, EVN_ERR_USAGE,
              "--launch-limit is '%s', but should be off or seconds, such as 0.1", text);
    return EVN_OK;
}

evn_status evn__launch_limit_check(const char *text) {
    double limit;
    return text ? read(text, &limit) : EVN_OK;
}

/// The device has it from here on.
static evn_status set(evn_device *device, const char *text) {
    double limit = evn__device_may_display(device) ? DISPLAY_SECONDS : 0;
    EVN_TRY(text ? read(text, &limit) : EVN_OK);
    evn__device_limit_launches(device, limit);
    return EVN_OK;
}

// Rehearsals --------------------------------------------------------------------------------------

typedef struct rehearsal {
    evn__session *session;
    evn__settings *settings;
    int64_t batch; ///< of the source
} rehearsal;

static rehearsal rehearsal_of(evn__session *session, evn__settings *settings) {
    return (rehearsal){session, settings,
                       session->source.methods->info(session->source.self).batch};
}

static evn_status try_training(void *user, int64_t parts) {
    const rehearsal *r = user;
    return evn__rehearse_computed(r->session, r->settings,
                                  &(evn__variation){.batch = r->batch / parts});
}

static evn_status try_use(void *user, int64_t parts) {
    const rehearsal *r = user;
    return evn__rehearse_use(r->session, r->settings, r->batch / parts);
}

// Telling -----------------------------------------------------------------------------------------

static void warn(const evn__longest_launch *longest, double limit) {
    char text[256];
    evn__print(text, sizeof(text),
               "a launch of %s takes %.3g s, more than the %.3g s of --launch-limit; a display on "
               "this device may stop for as long",
               longest->kernel, longest->seconds, limit);
    evn__console_warning(text);
}

static void tell_parts(int64_t parts, double limit) {
    char text[128];
    if (parts > 1) {
        evn__print(text, sizeof(text),
                   "launches  each batch is computed in %d parts, so that none takes %.3g s",
                   (int)parts, limit);
        evn__console_line(text);
    }
}

static void tell_longest(const evn__longest_launch *longest) {
    char text[64 + EVN__KERNEL_NAME];
    evn__print(text, sizeof(text), "launches  the longest took %.3g s, of %s", longest->seconds,
               longest->kernel);
    evn__console_line(text);
}

// Training ----------------------------------------------------------------------------------------

evn_status evn__launch_fit(evn__session *session, evn__settings *settings, bool fixed) {
    rehearsal r = rehearsal_of(session, settings);
    int64_t parts;
    EVN_TRY(set(session->device, settings->launch_limit));
    double limit = evn__device_launch_limit(session->device);
    if (limit == 0) {
        return EVN_OK;
    }
    bool chosen = settings->micro_batches != INT64_MIN && !settings->memory_limit; // by the user
    bool splits =
        !chosen && !fixed && session->options.micro_batches <= 1 && evn__session_splits(session);
    EVN_TRY(evn__device_cut(session->device, splits ? r.batch : 1, try_training, &r, &parts,
                            &session->longest));
    if (splits) {
        EVN_TRY(evn__session_split(session, parts));
        settings->micro_batches = parts;
    }
    tell_parts(parts, limit);
    if (session->longest.seconds > limit) {
        warn(&session->longest, limit);
    }
    return EVN_OK;
}

// Use ---------------------------------------------------------------------------------------------

/// Batches in parts, by whoever gives them.
static evn_status narrow(evn__session *session, int64_t batch, int64_t parts) {
    if (session->narrow) {
        session->narrow(session, batch / parts);
        return EVN_OK;
    }
    return evn__session_split(session, parts);
}

evn_status evn__launch_cut(evn__session *session, evn__settings *settings) {
    rehearsal r = rehearsal_of(session, settings);
    int64_t parts;
    EVN_TRY(set(session->device, settings->launch_limit));
    double limit = evn__device_launch_limit(session->device);
    if (limit == 0) {
        return EVN_OK;
    }
    if (evn__session_splits(session)) {
        EVN_TRY(evn__device_cut(session->device, r.batch, try_use, &r, &parts, NULL));
        EVN_TRY(narrow(session, r.batch, parts));
        tell_parts(parts, limit);
    }
    return EVN_OK;
}

void evn__launch_begin(evn__session *session) {
    if (evn__device_launch_limit(session->device) > 0) {
        session->around = evn__device_time_begin(session->device, EVN__TIMING_SPARSE);
    }
}

void evn__launch_end(evn__session *session, const evn__settings *settings) {
    double limit = evn__device_launch_limit(session->device);
    if (limit == 0) {
        return;
    }
    session->longest = evn__device_time_end(session->device, session->around);
    if (session->longest.seconds > limit) {
        warn(&session->longest, limit);
    } else if (settings->launch_limit && session->longest.seconds > 0) {
        tell_longest(&session->longest);
    }
}
