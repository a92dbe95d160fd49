// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"
#include "base/nearest.h"
#include "cli/interruption.h"
#include "cli/probe.h"
#include "cli/verb.h"
#include "evonode/version.h"
#include "host/forecast.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const evn__verb *const verbs[] = {&evn__verb_devices,
                                         &evn__verb_describe,
                                         &evn__verb_train,
                                         &evn__verb_resume,
                                         &evn__verb_eval,
                                         &evn__verb_predict,
                                         &evn__verb_depth,
                                         &evn__verb_invert,
                                         &evn__verb_gradcheck,
                                         &evn__verb_sample,
                                         &evn__verb_density,
                                         &evn__verb_export,
                                         &evn__verb_compress,
                                         &evn__verb_compare,
                                         &evn__verb_report,
                                         &evn__verb_tune,
                                         &evn__verb_selftest,
                                         &evn__verb_bench,
                                         NULL};

static const evn__verb *find_verb(const char *name) {
    for (int i = 0; verbs[i]; ++i) {
        if (strcmp(verbs[i]->name, name) == 0) {
            return verbs[i];
        }
    }
    return NULL;
}

static evn_status fail_unknown(const char *word) {
    enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) }; // and the NULL
    const char *names[VERBS + 2] = {"--help", "--version"};
    for (int i = 0; verbs[i]; ++i) {
        names[i + 2] = verbs[i]->name;
    }
    const char *near = evn__nearest(word, names);
    EVN_CHECK(!near, EVN_ERR_USAGE, "unknown command '%s'; did you mean %s?", word, near);
    char list[256] = "";
    for (int i = 0; verbs[i]; ++i) {
        const char *join = i == 0 ? "" : verbs[i + 1] ? ", " : " or ";
        size_t used = strlen(list);
        snprintf(list + used, sizeof(list) - used, "%s%s", join, verbs[i]->name);
    }
    EVN_FAIL(EVN_ERR_USAGE, "unknown command '%s'; it should be %s", word, list);
}

/// An option of other verbs alone: they are named.
static evn_status fail_option(const evn__verb *verb, const char *option, unsigned owners) {
    char list[256] = "";
    for (int i = 0; verbs[i]; ++i) {
        if (verbs[i]->bit & owners) {
            size_t used = strlen(list);
            snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", verbs[i]->name);
        }
    }
    EVN_FAIL(EVN_ERR_USAGE, "unknown option --%s: %s does not have it; it is one of: %s", option,
             verb->name, list);
}

/// As its help says: "RUN", "RUN INPUT", "RUN...".
static int most_subjects(const evn__verb *verb) {
    const char *subject = verb->subject;
    bool several = subject && (strchr(subject, ' ') || strstr(subject, "..."));
    return !subject ? 0 : several ? INT_MAX : 1;
}

static evn_status parse(const evn__verb *verb, const evn__command *command) {
    evn__settings *given = command->settings;
    evn_status status =
        evn__settings_parse(given, verb->bit, command->count - 2, command->words + 2);
    bool unknown = status == EVN_ERR_USAGE && given->unknown;
    unsigned owners = unknown ? evn__settings_verbs(given->unknown) : 0;
    EVN_TRY(owners ? fail_option(verb, given->unknown, owners) : status);
    int most = most_subjects(verb);
    EVN_CHECK(given->subject_count <= most, EVN_ERR_USAGE, "unexpected argument '%s'",
              given->subjects[most]);
    return EVN_OK;
}

static evn_status run_verb(const evn__verb *verb, const evn__command *command) {
    evn__settings *settings = command->settings;
    EVN_TRY(parse(verb, command));
    if (settings->help) {
        evn__help_verb(verb);
        return EVN_OK;
    }
    bool needed = verb->subject && verb->subject[0] != '[';
    EVN_CHECK(!needed || settings->subject, EVN_ERR_USAGE, "%s needs a %s: evonode %s %s",
              verb->name, verb->subject, verb->name, verb->subject);
    evn__claims claims = {0};
    evn_status status = evn__options_claim(evn__settings_options, verb->bit, settings, &claims);
    if (status == EVN_OK) {
        status = verb->run(command);
    }
    evn__claims_release(&claims);
    return status;
}

static evn_status run(const evn__command *command) {
    EVN_CHECK(command->count >= 2, EVN_ERR_USAGE, "no command given; try: evonode train digits");
    const char *word = command->words[1];
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        evn__help_program(verbs);
        return EVN_OK;
    }
    if (strcmp(word, "--version") == 0) {
        printf("evonode %s\n", evn_version());
        return EVN_OK;
    }
    if (strcmp(word, "--manual") == 0) { // not in the help: docs/CMakeLists.txt calls it
        EVN_CHECK(command->count == 4, EVN_ERR_USAGE, "usage: evonode --manual FOLDER DATE");
        return evn__manual_write(verbs, command->words[2], evn_version(), command->words[3]);
    }
    if (strcmp(word, EVN__COMPILER_WORD) == 0) { // not in the help: a run starts it beside itself
        EVN_CHECK(command->count == 3, EVN_ERR_USAGE, "usage: evonode %s P:D", word);
        return evn__compiler_serve(command->words[2]);
    }
    if (strcmp(word, "--probe") == 0 && command->count == 3) { // not in the help: cli/probe.c
        return evn__probe_main(command->words[2]);
    }
    const evn__verb *verb = find_verb(word);
    return verb ? run_verb(verb, command) : fail_unknown(word);
}

static void report(evn_status status, const char *verb) {
    fprintf(stderr, "evonode: %s\n", evn_error_message());
    if (status == EVN_ERR_USAGE) {
        fprintf(stderr, "evonode: see 'evonode%s%s --help'\n", verb ? " " : "", verb ? verb : "");
    } else if (status == EVN_ERR_INTERNAL) {
        fprintf(stderr, "evonode: please report this, with the place %s\n", evn_error_place());
    }
}

/// A file that is opened later must not become the standard output or error of a program that was
/// started without. What is read or written there fails all the same, but for messages.
static void secure_streams(void) {
    static const int modes[] = {O_WRONLY, O_RDONLY, O_WRONLY};
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; ++file) {
        if (fcntl(file, F_GETFD) < 0 && errno == EBADF && open("/dev/null", modes[file]) != file) {
            abort(); // nothing can be said, and nothing may be written
        }
    }
    signal(SIGPIPE, SIG_IGN); // a reader that has gone is an error of the write
    signal(SIGXFSZ, SIG_IGN); // and so is a file that may not become larger
}

/// Of a training the results are in its directory; that nobody reads its progress is no failure.
static evn_status end_output(evn_status status, const evn__verb *verb) {
    bool whole = fflush(stdout) == 0 && !ferror(stdout);
    if (whole || status != EVN_OK || verb == &evn__verb_train || verb == &evn__verb_resume) {
        return status;
    }
    EVN_FAIL(EVN_ERR_OUTPUT,
             "cannot write to standard output; check the program that reads it, and the disk");
}

/// A device that failed could not be waited for: what it runs, or compiles, does so under the exit
/// handlers of its own libraries, some of which end in a crash then.
static bool may_be_busy(evn_status status) {
    return status == EVN_ERR_DEVICE || status == EVN_ERR_DEVICE_MEMORY || status == EVN_ERR_BUILD ||
           status == EVN_ERR_MEMORY;
}

int main(int argc, char **argv) {
    secure_streams();
    evn__interruption_begin();
    evn__settings settings;
    evn__settings_clear(&settings);
    const evn__verb *verb = argc > 1 ? find_verb(argv[1]) : NULL;
    evn__command command = {argc, argv, &settings, verb ? verb->bit : 0};
    evn__json_watch();
    evn_status status = run(&command);
    if (status == EVN_OK) {
        status = evn__json_check();
    }
    status = end_output(status, verb);
    if (status != EVN_OK) {
        report(status, verb ? verb->name : NULL);
    }
    evn__settings_free(&settings);
    if (may_be_busy(status)) {
        fflush(NULL);
        _exit((int)status);
    }
    return (int)status;
}
