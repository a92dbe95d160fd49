// SPDX-License-Identifier: Apache-2.0
// No launch longer than a display can wait for.
#include "cli/rehearsal.h"

#include "base/number.h"
#include "cli/console.h"
#include <string.h>

/// What people begin to see a pointer stop at.
static const double DISPLAY_SECONDS = 0.1;

/// Seconds; 0: there is no limit.
static evn_status read_limit(const evn__session *session, const char *text, double *limit) {
    char *end;
    *limit = evn__device_may_display(session->device) ? DISPLAY_SECONDS : 0;
    if (!text) {
        return EVN_OK;
    }
    if (strcmp(text, "off") == 0) {
        *limit = 0;
        return EVN_OK;
    }
    *limit = evn__read_real(text, &end);
    EVN_CHECK(end > text && *end == 0 && *limit > 0 && *limit < 1e6, EVN_ERR_USAGE,
              "--launch-limit is '%s', but should be off or seconds, such as 0.1", text);
    return EVN_OK;
}

/// The fewest parts of a batch, as many as `wanted`; the most that there are where these are fewer.
static int64_t find_parts(int64_t batch, double wanted) {
    int64_t parts = 1;
    while (parts < batch && (batch % parts != 0 || (double)parts < wanted)) {
        ++parts;
    }
    return parts;
}

/// The parts with which no launch is longer than the limit; 1: parts do not help, or need not.
static evn_status choose_parts(const evn__session *session, const evn__settings *settings,
                               double limit, int64_t *parts, evn__longest_launch *longest) {
    const double helped = 0.8; // of a launch that is as long as before
    int64_t batch = session->source.methods->info(session->source.self).batch, tried = 1;
    evn__longest_launch now = *longest;
    *parts = 1;
    while (now.seconds > limit && tried < batch) {
        double before = now.seconds, wanted = (double)tried * now.seconds / limit;
        tried = find_parts(batch, wanted > (double)tried + 1 ? wanted : (double)tried + 1);
        EVN_TRY(evn__rehearse_timed(session, settings, &(evn__variation){.batch = batch / tried},
                                    &now));
        if (now.seconds > helped * before) {
            return EVN_OK;
        }
    }
    if (now.seconds <= limit) {
        *parts = tried;
        *longest = now;
    }
    return EVN_OK;
}

static void warn(const evn__longest_launch *longest, double limit) {
    char text[256];
    evn__print(text, sizeof(text),
               "a launch of %s takes %.3g s, more than the %.3g s of --launch-limit; a display on "
               "this device may stop for as long",
               longest->kernel, longest->seconds, limit);
    evn__console_warning(text);
}

static void tell(int parts, double limit) {
    char text[128];
    evn__print(text, sizeof(text),
               "launches  each batch is computed in %d parts, so that none takes %.3g s", parts,
               limit);
    evn__console_line(text);
}

evn_status evn__launch_fit(evn__session *session, evn__settings *settings, bool fixed) {
    double limit;
    EVN_TRY(read_limit(session, settings->launch_limit, &limit));
    if (limit == 0) {
        return EVN_OK;
    }
    int64_t parts = 1;
    bool chosen = settings->micro_batches != INT64_MIN && !settings->memory_limit; // by the user
    bool splits =
        !chosen && !fixed && session->options.micro_batches <= 1 && evn__session_splits(session);
    EVN_TRY(evn__rehearse_timed(session, settings, &(evn__variation){0}, &session->longest));
    if (splits) {
        EVN_TRY(choose_parts(session, settings, limit, &parts, &session->longest));
        EVN_TRY(evn__session_split(session, parts));
        settings->micro_batches = parts;
    }
    if (parts > 1) {
        tell((int)parts, limit);
    }
    if (session->longest.seconds > limit) {
        warn(&session->longest, limit);
    }
    return EVN_OK;
}
