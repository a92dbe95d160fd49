// SPDX-License-Identifier: Apache-2.0
#include "cli/amount.h"

#include "base/number.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct unit {
    const char *name;
    int64_t bytes;
} unit;

/// The largest first.
static const unit units[] = {{"GiB", 1 << 30}, {"GB", 1000000000}, {"MiB", 1 << 20},
                             {"MB", 1000000},  {"KiB", 1 << 10},   {"kB", 1000},
                             {"B", 1}};

enum { UNITS = sizeof(units) / sizeof(units[0]) };

static void clear(void *field) {
    *(evn__amount *)field = (evn__amount){.count = INT64_MIN};
}

static bool given(const void *field) {
    return ((const evn__amount *)field)->count != INT64_MIN;
}

/// Of a unit's name; NULL where there is none.
static const unit *find(const char *name) {
    for (int i = 0; i < UNITS; ++i) {
        if (strcmp(units[i].name, name) == 0) {
            return &units[i];
        }
    }
    return NULL;
}

static evn_status apply(const evn__option *option, void *field, const char *value) {
    const double most = 1e15; // bytes, which are whole numbers to a double
    char *end;
    double number = evn__read_real(value, &end);
    const unit *of = find(end);
    bool counts = end != value && *end == 0;
    double bytes = of ? number * (double)of->bytes : 0;
    bool whole = counts && number == floor(number) && number >= option->low;
    bool fits = counts ? whole && number <= option->high : of && bytes >= 1 && bytes <= most;
    EVN_CHECK(end != value && fits, EVN_ERR_USAGE,
              "%s is '%s', but should be a whole number from %.0f to %.0f, or memory, such as 64MB "
              "(B, kB, KiB, MB, MiB, GB, GiB)",
              option->name, value, option->low, option->high);
    *(evn__amount *)field =
        (evn__amount){.count = counts ? (int64_t)number : 0, .bytes = counts ? 0 : (int64_t)bytes};
    return EVN_OK;
}

static evn_status read(const evn__option *option, void *field, const json_t *value) {
    return json_is_string(value) ? apply(option, field, json_string_value(value))
                                 : evn__option_read_number(option, field, value);
}

static json_t *show(const void *field) {
    const evn__amount *a = field;
    char text[64];
    int i = 0;
    if (!given(field) || a->bytes == 0) {
        return given(field) ? json_integer(a->count) : json_null();
    }
    while (a->bytes % units[i].bytes != 0) {
        ++i;
    }
    snprintf(text, sizeof(text), "%lld%s", (long long)(a->bytes / units[i].bytes), units[i].name);
    return json_string(text);
}

const evn__option_kind evn__option_amount = {
    sizeof(evn__amount), clear, given, apply, read, show, NULL, ""};
