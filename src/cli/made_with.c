// SPDX-License-Identifier: Apache-2.0
#include "cli/made_with.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/sources.h"
#include "evonode/version.h"
#include "host/device_file.h"
#include "host/list.h"
#include "host/tuning.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *show_device(const evn_device_info *info, const char *choice) {
    char selector[32];
    snprintf(selector, sizeof(selector), "%d:%d", info->platform, info->device);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:I}", "selector",
                     selector, "choice", choice, "name", info->name, "type",
                     evn_device_type_name(info->type), "vendor", info->vendor, "driver",
                     info->driver, "version", info->version, "platform", info->platform_name,
                     "platform_version", info->platform_version, "compute_units",
                     info->compute_units, "global_bytes", (json_int_t)info->global_bytes);
}

evn_status evn__made_with_show(const evn__session *session, json_t *run) {
    char tuning[33], kernels[EVN__HASH_TEXT];
    EVN_TRY(evn__tuning_digest(session->device, tuning));
    evn__kernels_digest(kernels);
    evn__json_put(run, "versions",
                  json_pack("{s:s, s:s, s:s, s:s, s:s}", "evonode", evn_version(), "sources",
                            evn__sources, "kernels", kernels, "jansson", jansson_version_str(),
                            "compiler", __VERSION__));
    evn__json_put(
        run, "device",
        show_device(evn_device_get_info(session->device), evn__device_choice(session->device)));
    if (tuning[0]) {
        evn__json_put(run, "tuning", json_string(tuning));
    }
    return evn__json_check();
}

/// What decides about bits: member of run.json, of that object ("": it is one itself), in words.
static const struct {
    const char *object, *member, *what;
} deciders[] = {
    {"versions", "evonode", "version of evonode"},
    {"versions", "sources", "sources of evonode"},
    {"versions", "kernels", "kernels"},
    {"versions", "compiler", "compiler of evonode"},
    {"device", "name", "device"},
    {"device", "driver", "driver"},
    {"device", "version", "version of OpenCL"},
    {"device", "platform", "platform"},
    {"device", "platform_version", "version of the platform"},
    {"device", "compute_units", "number of compute units"},
    {"tuning", "", "tuning"},
};

static json_t *find(const json_t *run, int index) {
    json_t *found = json_object_get(run, deciders[index].object);
    return deciders[index].member[0] ? json_object_get(found, deciders[index].member) : found;
}

/// NULL, where there is none, as null.
static json_t *kept(json_t *value) {
    return value ? json_incref(value) : json_null();
}

evn_status evn__made_with_compare(const evn__session *session, const json_t *run,
                                  json_t **differs) {
    json_t *now = json_object();
    *differs = json_array();
    evn_status status = evn__made_with_show(session, now);
    for (int i = 0; status == EVN_OK && i < (int)(sizeof(deciders) / sizeof(deciders[0])); ++i) {
        json_t *before = find(run, i), *here = find(now, i);
        if (!(before && here ? json_equal(before, here) : before == here)) {
            evn__json_append(*differs, json_pack("{s:s, s:o, s:o}", "what", deciders[i].what,
                                                 "begun", kept(before), "now", kept(here)));
        }
    }
    json_decref(now);
    status = status == EVN_OK ? evn__json_check() : status;
    if (status != EVN_OK) {
        json_decref(*differs);
        *differs = NULL;
    }
    return status;
}

static void put_value(evn__text *text, const json_t *value) {
    if (json_is_string(value)) {
        evn__text_append(text, "%s", json_string_value(value));
    } else if (json_is_integer(value)) {
        evn__text_append(text, "%lld", (long long)json_integer_value(value));
    } else {
        evn__text_append(text, "none");
    }
}

evn_status evn__made_with_text(const json_t *differs, char **text) {
    evn__text out = {0};
    const json_t *entry;
    size_t i;
    json_array_foreach(differs, i, entry) {
        evn__text_append(&out, "%s%s: ", i ? "; " : "",
                         json_string_value(json_object_get(entry, "what")));
        put_value(&out, json_object_get(entry, "begun"));
        evn__text_append(&out, ", now ");
        put_value(&out, json_object_get(entry, "now"));
    }
    if (out.status != EVN_OK) {
        free(out.data);
        return out.status;
    }
    *text = out.data;
    return EVN_OK;
}
