// SPDX-License-Identifier: Apache-2.0
#include "profile.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const profile_row profile_rows[PROFILE_KEYS] = {
#define ROW(key, kind, needed, parameter) {#key, PROFILE_##kind, needed, parameter},
#include "profile.def"
#undef ROW
};

/// Where in which file: for messages.
typedef struct place {
    const char *path;
    int line;
} place;

static char *trim(char *text) {
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1])) {
        *--end = 0;
    }
    while (isspace((unsigned char)*text)) {
        ++text;
    }
    return text;
}

static uint64_t unit_of(place at, const char *key, const char *unit) {
    static const struct {
        const char *name;
        uint64_t bytes;
    } units[] = {{"", 1},
                 {"KiB", UINT64_C(1) << 10},
                 {"MiB", UINT64_C(1) << 20},
                 {"GiB", UINT64_C(1) << 30}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); ++i) {
        if (strcmp(unit, units[i].name) == 0) {
            return units[i].bytes;
        }
    }
    layer_fail("%s:%d: %s: \"%s\" is no unit; KiB, MiB and GiB are", at.path, at.line, key, unit);
}

static uint64_t parse_number(place at, const char *key, const char *text, char **end) {
    errno = 0;
    uint64_t number = strtoull(text, end, 0);
    if (*end == text || errno || !isdigit((unsigned char)*text)) {
        layer_fail("%s:%d: %s: \"%s\" is no number", at.path, at.line, key, text);
    }
    return number;
}

static void parse_one(place at, const profile_row *row, char *text, profile_value *value) {
    char *end;
    uint64_t most = row->kind == PROFILE_UINT ? UINT32_MAX : UINT64_MAX;
    uint64_t number = parse_number(at, row->name, text, &end);
    uint64_t unit = unit_of(at, row->name, trim(end));
    if (number > most / unit) {
        layer_fail("%s:%d: %s: %s is too large", at.path, at.line, row->name, text);
    }
    value->numbers[0] = number * unit;
    value->count = 1;
}

static void parse_several(place at, const profile_row *row, char *text, profile_value *value) {
    while (*text) {
        if (value->count == PROFILE_NUMBERS) {
            layer_fail("%s:%d: %s: more than %d numbers", at.path, at.line, row->name,
                       PROFILE_NUMBERS);
        }
        value->numbers[value->count++] = parse_number(at, row->name, text, &text);
        text = trim(text);
    }
}

static void parse_word(place at, const profile_row *row, const char *text, profile_value *value) {
    static const struct {
        profile_kind kind;
        const char *word;
        uint64_t number;
    } words[] = {
        {PROFILE_BOOL, "yes", CL_TRUE},
        {PROFILE_BOOL, "no", CL_FALSE},
        {PROFILE_TYPE, "gpu", CL_DEVICE_TYPE_GPU},
        {PROFILE_TYPE, "cpu", CL_DEVICE_TYPE_CPU},
        {PROFILE_TYPE, "accelerator", CL_DEVICE_TYPE_ACCELERATOR},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); ++i) {
        if (words[i].kind == row->kind && strcmp(text, words[i].word) == 0) {
            value->numbers[0] = words[i].number;
            value->count = 1;
            return;
        }
    }
    layer_fail("%s:%d: %s: \"%s\" is none of %s", at.path, at.line, row->name, text,
               row->kind == PROFILE_BOOL ? "yes, no" : "gpu, cpu, accelerator");
}

static void parse_value(place at, const profile_row *row, char *text, profile_value *value) {
    if (value->count || value->text) {
        layer_fail("%s:%d: %s is there twice", at.path, at.line, row->name);
    }
    switch (row->kind) {
    case PROFILE_TEXT:
        value->text = strdup(text);
        value->count = 1;
        return;
    case PROFILE_BOOL:
    case PROFILE_TYPE:
        parse_word(at, row, text, value);
        return;
    case PROFILE_SIZES:
        parse_several(at, row, text, value);
        return;
    default:
        parse_one(at, row, text, value);
    }
}

static void parse_line(place at, char *line, profile *p) {
    line[strcspn(line, "#")] = 0;
    line = trim(line);
    if (!line[0]) {
        return;
    }
    char *equals = strchr(line, '=');
    if (!equals) {
        layer_fail("%s:%d: no \"key = value\": %s", at.path, at.line, line);
    }
    *equals = 0;
    const char *key = trim(line);
    for (int i = 0; i < PROFILE_KEYS; ++i) {
        if (strcmp(key, profile_rows[i].name) == 0) {
            parse_value(at, &profile_rows[i], trim(equals + 1), &p->values[i]);
            return;
        }
    }
    layer_fail("%s:%d: no key is named \"%s\"; profile.def has them all", at.path, at.line, key);
}

static void check_whole(const char *path, const profile *p) {
    for (int i = 0; i < PROFILE_KEYS; ++i) {
        if (profile_rows[i].needed && !p->values[i].count) {
            layer_fail("%s: %s is missing", path, profile_rows[i].name);
        }
    }
    if (p->values[PROFILE_KEY_work_items].count != 3) {
        layer_fail("%s: work_items has not three numbers", path);
    }
    if (!profile_number(p, PROFILE_KEY_timer_ns) || !profile_number(p, PROFILE_KEY_align_bits)) {
        layer_fail("%s: timer_ns and align_bits must be above 0", path);
    }
}

void profile_read(const char *path, profile *p) {
    FILE *file = fopen(path, "r");
    if (!file) {
        layer_fail("%s cannot be read: %s", path, strerror(errno));
    }
    char line[4096];
    *p = (profile){0};
    for (place at = {path, 1}; fgets(line, sizeof(line), file); ++at.line) {
        if (!strchr(line, '\n') && !feof(file)) {
            layer_fail("%s:%d: a line of more than %zu characters", path, at.line, sizeof(line));
        }
        parse_line(at, line, p);
    }
    fclose(file);
    check_whole(path, p);
}

uint64_t profile_number(const profile *p, profile_key key) {
    return p->values[key].numbers[0];
}

bool profile_lists(const char *words, const char *word) {
    size_t length = strlen(word);
    for (const char *at = words; (at = strstr(at, word)); at += length) {
        if ((at == words || at[-1] == ' ') && (at[length] == 0 || at[length] == ' ')) {
            return true;
        }
    }
    return false;
}
