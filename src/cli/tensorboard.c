// SPDX-License-Identifier: Apache-2.0
#include "cli/tensorboard.h"

#include "base/json.h"
#include "base/number.h"

#include <stdlib.h>
#include <string.h>

/// A cell of a table in Markdown.
static void append_cell(evn__text *text, const char *cell) {
    for (; *cell; ++cell) {
        evn__text_append(text, *cell == '|' ? "\\|" : "%c", *cell);
    }
}

static void append_value(evn__text *text, const json_t *value) {
    evn__text shown = {0};
    if (json_is_string(value)) {
        append_cell(text, json_string_value(value));
    } else {
        evn__json_show(value, 0, 9, &shown);
        append_cell(text, shown.data ? shown.data : "");
    }
    evn__text_need(text, &shown);
    free(shown.data);
}

/// A row for each option that has a value; phases have rows of their own, "phase 1 lr".
static void append_options(evn__text *text, const char *prefix, json_t *options) {
    const char *name;
    json_t *value;
    json_object_foreach(options, name, value) {
        size_t index;
        json_t *item;
        if (json_is_array(value)) {
            json_array_foreach(value, index, item) {
                char phase[64];
                evn__print(phase, sizeof(phase), "%s %zu ", name, index + 1);
                append_options(text, phase, item);
            }
        } else if (!json_is_null(value)) {
            evn__text_append(text, "| %s%s | ", prefix, name);
            append_value(text, value);
            evn__text_append(text, " |\n");
        }
    }
}

evn_status evn__tensorboard_begin(const evn__training *training, const evn__settings *settings,
                                  evn__events **events) {
    evn__text text = {0};
    *events = NULL;
    if (!settings->tensorboard) {
        return EVN_OK;
    }
    json_t *options = evn__settings_show(settings);
    evn__text_append(&text, "| option | value |\n| --- | --- |\n| task | %s |\n",
                     training->session->row->name);
    append_options(&text, "", options);
    json_decref(options);
    evn_status status = text.status;
    if (status == EVN_OK) {
        status = evn__events_create(training->folder, training->so_far.epochs, text.data, events);
    }
    free(text.data);
    return status;
}
