// SPDX-License-Identifier: Apache-2.0
#include "base/names.h"

#include <stdio.h>
#include <string.h>

/// The bytes of the well-formed UTF-8 character at `at`; 0 when there is none (Unicode 15, table
/// 3-7).
static size_t sequence(const unsigned char *at) {
    unsigned char low = 0x80, high = 0xbf;
    size_t more = at[0] >= 0xf0 ? 3 : at[0] >= 0xe0 ? 2 : 1;
    if (at[0] < 0x80) {
        return 1;
    }
    if (at[0] < 0xc2 || at[0] > 0xf4) {
        return 0;
    }
    low = at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : low;
    high = at[0] == 0xed ? 0x9f : at[0] == 0xf4 ? 0x8f : high;
    for (size_t i = 1; i <= more; ++i, low = 0x80, high = 0xbf) {
        if (at[i] < low || at[i] > high) {
            return 0;
        }
    }
    return more + 1;
}

static bool is_control(const unsigned char *at) {
    return at[0] < 0x20 || at[0] == 0x7f || (at[0] == 0xc2 && at[1] < 0xa0);
}

bool evn__is_utf8(const char *text) {
    const unsigned char *at = (const unsigned char *)text;
    size_t bytes = 1;
    while (*at && bytes > 0) {
        bytes = sequence(at);
        at += bytes;
    }
    return *at == 0;
}

const char *evn__printable(const char *name, char *shown, size_t size) {
    static const char more[] = "…";
    const unsigned char *at = (const unsigned char *)name;
    size_t used = 0;
    while (*at) {
        size_t bytes = is_control(at) ? 0 : sequence(at), width = bytes ? bytes : 4;
        if (used + width + sizeof(more) > size) {
            memcpy(shown + used, more, sizeof(more));
            return shown;
        }
        if (bytes) {
            memcpy(shown + used, at, bytes);
        } else {
            snprintf(shown + used, 5, "\\x%02x", *at);
        }
        used += width;
        at += bytes ? bytes : 1;
    }
    shown[used] = 0;
    return shown;
}

void evn__make_utf8(char *text) {
    for (size_t bytes; *text; text += bytes) {
        bytes = sequence((const unsigned char *)text);
        if (bytes == 0) {
            *text = '?';
            bytes = 1;
        }
    }
}
