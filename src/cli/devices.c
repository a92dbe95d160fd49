// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"
#include "base/number.h"
#include "cli/verb.h"
#include "host/device_json.h"
#include "host/list.h"
#include "host/survey.h"
#include "host/tuning.h"

#include <stdio.h>
#include <stdlib.h>

static const double GIB = 1024.0 * 1024.0 * 1024.0;
static const double MAX_SECONDS = 86400;
static const double SECONDS = 20; // for drivers to answer; the slowest seen takes less than one

/// What was found, and what "auto" makes of it.
typedef struct list {
    evn__survey survey;
    int automatic;     ///< index of the device that "auto" takes; −1: none can be used
    char reason[1024]; ///< why
} list;

/// A text, which is freed, in its place in a line.
static evn_status print_text(const char *begin, evn__text *text) {
    if (text->status == EVN_OK) {
        printf("%s%s\n", begin, text->data ? text->data : "");
    }
    free(text->data);
    return text->status;
}

static evn_status print_device(const evn_device_info *info, bool last, const char *automatic) {
    const char *bar = last ? " " : "|";
    printf(" %s-- Device #%d: %s\n", last ? "`" : "+", info->device, info->name);
    printf(" %s     --device %d:%d or %d%s%s\n", bar, info->platform, info->device, info->index,
           automatic ? "; auto takes this one: " : "", automatic ? automatic : "");
    if (!info->usable) {
        printf(" %s     cannot be used: %s\n", bar, info->unusable);
        return EVN_OK;
    }
    printf(" %s     %s, %d compute units at %d MHz, %.1f GiB memory, %.0f KiB local, %s\n", bar,
           evn_device_type_name(info->type), info->compute_units, info->clock_mhz,
           (double)info->global_bytes / GIB, (double)info->local_bytes / 1024,
           info->has_fp64 ? "fp64" : "no fp64");
    printf(" %s     %s, driver %s, %s\n", bar, info->vendor, info->driver, info->version);
    evn__text line = {0};
    evn__tuning_describe(info, &line);
    printf(" %s", bar);
    return print_text("     ", &line);
}

/// A platform, then its devices: they follow each other in the list.
static evn_status print_platform(const list *l, const evn__platform *platform) {
    const evn__survey *s = &l->survey;
    printf("Platform #%d: %s\n", platform->number, platform->name);
    for (int i = 0; i < s->count; ++i) {
        if (s->infos[i].platform == platform->number) {
            bool last = i == s->count - 1 || s->infos[i + 1].platform != platform->number;
            EVN_TRY(print_device(&s->infos[i], last, i == l->automatic ? l->reason : NULL));
        }
    }
    if (platform->devices == 0 && !platform->failure[0]) {
        printf(" `-- no device\n");
    }
    return EVN_OK;
}

/// What is missing, each with what mends it.
static evn_status print_findings(const evn__survey *survey) {
    evn__surroundings here = evn__surroundings_here();
    for (int i = 0; i < survey->findings.count; ++i) {
        evn__text advice = {0};
        evn__advice_text(&here, survey->findings.rows[i].cause, &advice);
        printf("\n%s.\n", survey->findings.rows[i].what);
        EVN_TRY(print_text("  To mend it: ", &advice));
    }
    return EVN_OK;
}

static evn_status print_all(const list *l) {
    for (int i = 0; i < l->survey.platform_count; ++i) {
        EVN_TRY(print_platform(l, &l->survey.platforms[i]));
    }
    return print_findings(&l->survey);
}

static json_t *device_object(const evn_device_info *info) {
    char selector[32];
    snprintf(selector, sizeof(selector), "%d:%d", info->platform, info->device);
    json_t *object = json_pack("{s:s, s:i, s:b, s:s}", "selector", selector, "index", info->index,
                               "usable", info->usable, "unusable", info->unusable);
    evn__json_put_all(object, evn__device_json(info));
    return object;
}

static json_t *platform_object(const evn__platform *platform) {
    return json_pack("{s:i, s:s, s:i, s:s}", "number", platform->number, "name", platform->name,
                     "devices", platform->devices, "failure", platform->failure);
}

static json_t *finding_object(const evn__finding *finding) {
    evn__surroundings here = evn__surroundings_here();
    evn__text advice = {0};
    evn__advice_text(&here, finding->cause, &advice);
    json_t *object =
        json_pack("{s:s, s:s}", "cause", evn__cause_word(finding->cause), "what", finding->what);
    evn__json_put_text(object, "advice", &advice);
    return object;
}

static evn_status print_json(const list *l) {
    const evn__survey *s = &l->survey;
    json_t *devices = json_array(), *platforms = json_array(), *findings = json_array();
    for (int i = 0; i < s->count; ++i) {
        evn__json_append(devices, device_object(&s->infos[i]));
    }
    for (int i = 0; i < s->platform_count; ++i) {
        evn__json_append(platforms, platform_object(&s->platforms[i]));
    }
    for (int i = 0; i < s->findings.count; ++i) {
        evn__json_append(findings, finding_object(&s->findings.rows[i]));
    }
    json_t *root =
        json_pack("{s:o, s:s, s:o, s:o, s:o}", "auto",
                  l->automatic >= 0 ? json_integer(l->automatic) : json_null(), "auto_reason",
                  l->reason, "devices", devices, "platforms", platforms, "findings", findings);
    char *text;
    evn_status status = evn__json_print(root, JSON_INDENT(2), 17, &text);
    json_decref(root);
    EVN_TRY(status);
    printf("%s\n", text);
    free(text);
    return EVN_OK;
}

/// Whether a program that loads all drivers will find a device.
static evn_status judge(const list *l) {
    const evn__survey *s = &l->survey;
    evn__surroundings here = evn__surroundings_here();
    evn__text why = {0};
    if (s->count == 0) {
        evn__findings_text(&here, &s->findings, &why);
    }
    evn_status status = EVN_OK;
    if (s->unsafe) {
        status = evn__fail(__FILE__, __LINE__, EVN_ERR_DEVICE,
                           "%s; training would crash or hang with it: leave it out first",
                           s->findings.rows[0].what);
    } else if (s->count == 0) {
        status = evn__fail(__FILE__, __LINE__, EVN_ERR_NO_DEVICE, "no OpenCL device found: %s",
                           why.data ? why.data : "");
    } else if (l->automatic < 0) {
        status = evn__fail(__FILE__, __LINE__, EVN_ERR_NO_DEVICE,
                           "none of the %d devices can be used", s->count);
    }
    free(why.data);
    return status;
}

/// EVONODE_DRIVER_SECONDS: for slower ones.
static double driver_seconds(void) {
    const char *text = getenv("EVONODE_DRIVER_SECONDS");
    char *end;
    double seconds = text ? evn__read_real(text, &end) : 0;
    return seconds > 0 && seconds < MAX_SECONDS ? seconds : SECONDS;
}

static evn_status run(const evn__command *command) {
    list l = {.automatic = -1};
    EVN_TRY(evn__survey_make(driver_seconds(), &l.survey));
    if (l.survey.count > 0) {
        l.automatic = evn__device_auto(l.survey.infos, l.survey.count, l.reason, sizeof(l.reason));
    }
    evn_status status = command->settings->json ? print_json(&l) : print_all(&l);
    status = status == EVN_OK ? judge(&l) : status;
    evn__survey_free(&l.survey);
    return status;
}

const evn__verb evn__verb_devices = {
    "devices",
    NULL,
    "list the OpenCL devices, in the order of clinfo -l",
    EVN__VERB_DEVICES,
    run,
    "\nDrivers are loaded in child processes: one that crashes or hangs is named and left out.\n"
    "What is missing is said with the command that mends it on this system. Ends with 5 where no\n"
    "device can be used, with 7 where a driver would take down every program that loads it.\n"};
