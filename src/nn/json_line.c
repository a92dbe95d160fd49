// SPDX-License-Identifier: Apache-2.0
// Where things are in JSON text: the parser keeps no places of what it has read.
#include "nn/description.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_space(const char *at) {
    while (isspace((unsigned char)*at)) {
        ++at;
    }
    return at;
}

/// Behind the string that begins here.
static const char *skip_string(const char *at) {
    for (++at; *at && *at != '"'; ++at) {
        at += *at == '\\' && at[1];
    }
    return *at ? at + 1 : at;
}

/// Behind the value that begins here.
static const char *skip_value(const char *at) {
    int depth = 0;
    do {
        at = skip_space(at);
        if (*at == '"') {
            at = skip_string(at);
        } else {
            depth += *at == '{' || *at == '[';
            depth -= *at == '}' || *at == ']';
            at += *at != 0;
        }
        while (depth == 0 && *at && !strchr(",]} \t\r\n", *at)) {
            ++at; // the rest of a number or a word
        }
    } while (depth > 0 && *at);
    return at;
}

/// The value behind a comma, or the end of the text.
static const char *next(const char *at) {
    at = skip_space(skip_value(at));
    return *at == ',' ? skip_space(at + 1) : "";
}

/// The place of a key in the object that begins here, and then its value; NULL where there is none.
static const char *find_key(const char *at, const char *key, size_t length, const char **value) {
    at = *at == '{' ? skip_space(at + 1) : "";
    while (*at == '"') {
        const char *end = skip_string(at), *colon = skip_space(end);
        *value = *colon ? skip_space(colon + 1) : colon;
        if ((size_t)(end - at) == length + 2 && memcmp(at + 1, key, length) == 0) {
            return at;
        }
        at = next(*value);
    }
    return NULL;
}

static const char *find_item(const char *at, long index) {
    at = *at == '[' ? skip_space(at + 1) : "";
    while (*at && index-- > 0) {
        at = next(at);
    }
    return *at ? at : NULL;
}

/// One step of the place: *place moves behind it, *value to what is there; where it begins.
static const char *follow(const char **place, const char **value) {
    const char *part = *place;
    if (*part == '[') {
        char *end;
        const char *item = find_item(*value, strtol(part + 1, &end, 10));
        *place = end + (*end == ']');
        *value = item ? item : *value;
        return item;
    }
    part += *part == '.';
    size_t length = strcspn(part, ".[");
    *place = part + length;
    return find_key(*value, part, length, value);
}

int evn__json_line(const char *text, const char *place) {
    const char *value = skip_space(text), *found = value;
    while (*place) {
        const char *step = follow(&place, &value);
        if (!step) {
            break;
        }
        found = step;
    }
    int line = 1;
    for (const char *at = text; at < found; ++at) {
        line += *at == '\n';
    }
    return line;
}
