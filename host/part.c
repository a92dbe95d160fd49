// SPDX-License-Identifier: Apache-2.0
#include "host/part.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *evn__part_suffix(int part, char suffix[EVN__PART_SUFFIX]) {
    suffix[0] = 0;
    if (part > 0) {
        snprintf(suffix, EVN__PART_SUFFIX, "__%d", part);
    }
    return suffix;
}

// Options -----------------------------------------------------------------------------------------

bool evn__part_takes(const char *options) {
    for (const char *at = options; *at; at += strcspn(at, " ")) {
        at += strspn(at, " ");
        if (*at && strncmp(at, "-D", 2) != 0) {
            return false;
        }
    }
    return true;
}

/// "-DA=1 -DB" as #define lines, and what takes them back.
static void define_options(evn__text *program, evn__text *ends, const char *options) {
    for (const char *at = options; *at;) {
        at += strspn(at, " ");
        int size = (int)strcspn(at, " ");
        if (size > 2) {
            int name = (int)strcspn(at + 2, "= ");
            bool valued = at[2 + name] == '=';
            evn__text_append(program, "#define %.*s %.*s\n", name, at + 2,
                             valued ? size - 3 - name : 1, valued ? at + 3 + name : "1");
            evn__text_append(ends, "#undef %.*s\n", name, at + 2);
        }
        at += size;
    }
}

// Names -------------------------------------------------------------------------------------------

/// A walk through a text that finds what it defines.
typedef struct scan {
    const char *at;
    int depth;            ///< of braces and parentheses
    int words;            ///< of the declaration, outside of parentheses
    bool type, attribute; ///< after typedef; after __attribute__
    const char *last;     ///< word
    int last_size;
    evn__text *names, *ends; ///< #define lines, #undef lines
    int part;
} scan;

static bool is_word(char c) {
    return isalnum((unsigned char)c) || c == '_';
}

static bool starts(const scan *s, const char *text) {
    return strncmp(s->at, text, strlen(text)) == 0;
}

static void add_name(scan *s) {
    char suffix[EVN__PART_SUFFIX];
    evn__text_append(s->names, "#define %.*s %.*s%s\n", s->last_size, s->last, s->last_size,
                     s->last, evn__part_suffix(s->part, suffix));
    evn__text_append(s->ends, "#undef %.*s\n", s->last_size, s->last);
    s->words = 0;
}

/// To the end of the line, and of those that it is continued on.
static void skip_line(scan *s) {
    while (*s->at && *s->at != '\n') {
        s->at += *s->at == '\\' && s->at[1] ? 2 : 1;
    }
}

static void take_directive(scan *s) {
    if (starts(s, "#define ")) {
        const char *name = s->at + strlen("#define ");
        int size = 0;
        while (is_word(name[size])) {
            ++size;
        }
        evn__text_append(s->ends, "#undef %.*s\n", size, name);
    }
    skip_line(s);
}

static void take_word(scan *s) {
    const char *word = s->at;
    while (is_word(*s->at)) {
        ++s->at;
    }
    int size = (int)(s->at - word);
    if (s->depth > 0) {
        return;
    }
    if (strncmp(word, "__attribute__", (size_t)size) == 0 && size == 13) {
        s->attribute = true;
    } else if (strncmp(word, "typedef", (size_t)size) == 0 && size == 7) {
        s->type = true;
    } else {
        s->last = word;
        s->last_size = size;
        ++s->words;
    }
}

static void open_bracket(scan *s) {
    if (s->depth++ == 0 && *s->at == '(') {
        if (!s->attribute && !s->type && s->words > 1) {
            add_name(s);
        }
        s->attribute = false;
    }
}

/// A function's body, and a macro's call, end a declaration.
static void close_bracket(scan *s) {
    if (--s->depth == 0 && !s->type && (*s->at == '}' || s->words == 1)) {
        s->words = 0;
    }
}

static void take_mark(scan *s) {
    if (strchr("({[", *s->at)) {
        open_bracket(s);
    } else if (strchr(")}]", *s->at)) {
        close_bracket(s);
    } else if (*s->at == ';' && s->depth == 0) {
        if (s->type) {
            add_name(s);
        }
        s->type = false;
        s->words = 0;
    }
    ++s->at;
}

static void skip_comment(scan *s) {
    const char *end = s->at[1] == '*' ? strstr(s->at + 2, "*/") : strchr(s->at, '\n');
    s->at = !end ? s->at + strlen(s->at) : s->at[1] == '*' ? end + 2 : end;
}

static void find_names(scan *s) {
    while (*s->at) {
        if (*s->at == '#') {
            take_directive(s);
        } else if (starts(s, "//") || starts(s, "/*")) {
            skip_comment(s);
        } else if (is_word(*s->at)) {
            take_word(s);
        } else {
            take_mark(s);
        }
    }
}

void evn__part_append(evn__text *program, const char *options, const char *text, int part) {
    evn__text names = {0}, ends = {0};
    define_options(program, &ends, options);
    scan s = {.at = text, .names = &names, .ends = &ends, .part = part};
    find_names(&s);
    evn__text_append(program, "%s%s\n%s", names.data ? names.data : "", text,
                     ends.data ? ends.data : "");
    evn__text_need(program, &names);
    evn__text_need(program, &ends);
    free(names.data);
    free(ends.data);
}
