// SPDX-License-Identifier: Apache-2.0
#include "base/status.h"

#include "base/number.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_SIZE = 4096, PLACE_SIZE = 256 };

static _Thread_local char last_message[MESSAGE_SIZE];
static _Thread_local char last_place[PLACE_SIZE];

#define EVN_STATUS(name, value, text)                                                              \
    _Static_assert(EVN_##name == (value), "status.def and status.h agree on " #name);
#include "base/status.def"
#undef EVN_STATUS

const char *evn_status_name(evn_status status) {
    switch (status) {
#define EVN_STATUS(name, value, text)                                                              \
    case EVN_##name:                                                                               \
        return #name;
#include "base/status.def"
#undef EVN_STATUS
    }
    return "unknown";
}

const char *evn_status_text(evn_status status) {
    switch (status) {
#define EVN_STATUS(name, value, text)                                                              \
    case EVN_##name:                                                                               \
        return text;
#include "base/status.def"
#undef EVN_STATUS
    }
    return "unknown status";
}

const char *evn_error_message(void) {
    return last_message;
}

const char *evn_error_place(void) {
    return last_place;
}

static void set_message(const char *format, va_list arguments) {
    char text[MESSAGE_SIZE]; // the arguments may point into last_message
    evn__print_list(text, sizeof(text), format, arguments);
    memcpy(last_message, text, sizeof(text));
}

evn_status evn__fail(const char *file, int line, evn_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    set_message(format, arguments);
    va_end(arguments);
    snprintf(last_place, sizeof(last_place), "%s:%d", file, line);
    return status;
}

evn_status evn_error_set(evn_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    set_message(format, arguments);
    va_end(arguments);
    snprintf(last_place, sizeof(last_place), "the caller");
    return status;
}

void evn__error_clear(void) {
    last_message[0] = 0;
    last_place[0] = 0;
}

evn_status evn__prepend(evn_status status, const char *format, ...) {
    char text[MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    int used = evn__print_list(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (used >= 0 && used < MESSAGE_SIZE) {
        snprintf(text + used, sizeof(text) - (size_t)used, ": %.*s", MESSAGE_SIZE - used - 3,
                 last_message);
    }
    memcpy(last_message, text, sizeof(text));
    return status;
}
