// SPDX-License-Identifier: Apache-2.0
#include "cli/options.h"

#include "base/json.h"
#include "base/nearest.h"
#include "base/number.h"
#include "cli/choices.h"
#include "cli/output.h"
#include "io/run_directory.h"
#include "io/run_output.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// A text stays where it is, in `value`; a number has none that would stay.
static evn_status read_text(const evn__option *option, void *field, const json_t *value) {
    EVN_CHECK(json_is_string(value), EVN_ERR_FORMAT, "%s is no text", option->name);
    return option->kind->apply(option, field, json_string_value(value));
}

/// A number goes the way of the command line, so that the same limits hold.
evn_status evn__option_read_number(const evn__option *option, void *field, const json_t *value) {
    char number[64];
    EVN_CHECK(json_is_number(value), EVN_ERR_FORMAT, "%s is no number", option->name);
    if (json_is_integer(value)) {
        snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    } else {
        evn__print(number, sizeof(number), "%.17g", json_real_value(value));
    }
    return option->kind->apply(option, field, number);
}

// Kinds -------------------------------------------------------------------------------------------

static void clear_text(void *field) {
    *(const char **)field = NULL;
}

static bool text_given(const void *field) {
    return *(const char *const *)field != NULL;
}

static evn_status apply_text(const evn__option *option, void *field, const char *value) {
    EVN_CHECK(value[0], EVN_ERR_USAGE, "%s is empty; give it a %s", option->name, option->argument);
    bool allowed = !option->choice;
    for (int i = 0; option->choice && option->choice(i); ++i) {
        allowed = allowed || strcmp(option->choice(i), value) == 0;
    }
    char list[EVN__CHOICE_TEXT];
    const char *near = allowed ? NULL : evn__nearest_choice(value, option->choice);
    EVN_CHECK(allowed, EVN_ERR_USAGE, "%s is '%s', but should be %s%s%s%s", option->name, value,
              evn__choice_text(option->choice, list, sizeof(list)), near ? "; did you mean " : "",
              near ? near : "", near ? "?" : "");
    *(const char **)field = value;
    return EVN_OK;
}

static json_t *show_text(const void *field) {
    return text_given(field) ? json_string(*(const char *const *)field) : json_null();
}

const evn__option_kind evn__option_text = {
    sizeof(const char *), clear_text, text_given, apply_text, read_text, show_text, NULL, ""};

static evn_status apply_output(const evn__option *option, void *field, const char *value) {
    return apply_text(option, field, strcmp(value, "-") == 0 ? evn__standard_output : value);
}

static evn_status claim_file(const void *field, evn__run_lock *lock) {
    const char *path = *(const char *const *)field;
    *lock = (evn__run_lock){0};
    return evn__output_is_standard(path) ? EVN_OK : evn__run_output_claim(path, lock);
}

const evn__option_kind evn__option_output = {
    sizeof(const char *),    clear_text, text_given, apply_output, read_text, show_text, claim_file,
    "; - is standard output"};

static evn_status claim_folder(const void *field, evn__run_lock *lock) {
    return evn__run_directory_share(*(const char *const *)field, lock);
}

const evn__option_kind evn__option_folder = {sizeof(const char *), clear_text, text_given,
                                             apply_text,           read_text,  show_text,
                                             claim_folder,         ""};

static void clear_integer(void *field) {
    *(int64_t *)field = INT64_MIN;
}

static bool integer_given(const void *field) {
    return *(const int64_t *)field != INT64_MIN;
}

static evn_status apply_integer(const evn__option *option, void *field, const char *value) {
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    EVN_CHECK(end != value && *end == 0 && errno == 0 && (double)number >= option->low &&
                  (double)number <= option->high,
              EVN_ERR_USAGE, "%s is '%s', but should be a whole number from %.0f to %.0f",
              option->name, value, option->low, option->high);
    *(int64_t *)field = number;
    return EVN_OK;
}

static json_t *show_integer(const void *field) {
    return integer_given(field) ? json_integer(*(const int64_t *)field) : json_null();
}

const evn__option_kind evn__option_integer = {
    sizeof(int64_t),         clear_integer, integer_given, apply_integer,
    evn__option_read_number, show_integer,  NULL,          ""};

static void clear_real(void *field) {
    *(double *)field = NAN;
}

static bool real_given(const void *field) {
    return !isnan(*(const double *)field);
}

static evn_status apply_real(const evn__option *option, void *field, const char *value) {
    char *end;
    double number = evn__read_real(value, &end);
    EVN_CHECK(end != value && *end == 0 && number >= option->low && number <= option->high,
              EVN_ERR_USAGE, "%s is '%s', but should be a number from %g to %g", option->name,
              value, option->low, option->high);
    *(double *)field = number;
    return EVN_OK;
}

static json_t *show_real(const void *field) {
    return real_given(field) ? json_real(*(const double *)field) : json_null();
}

const evn__option_kind evn__option_real = {
    sizeof(double),          clear_real, real_given, apply_real,
    evn__option_read_number, show_real,  NULL,       ""};

static void clear_flag(void *field) {
    *(bool *)field = false;
}

static bool flag_given(const void *field) {
    return *(const bool *)field;
}

static evn_status apply_flag(const evn__option *option, void *field, const char *value) {
    (void)option, (void)value;
    *(bool *)field = true;
    return EVN_OK;
}

static evn_status read_flag(const evn__option *option, void *field, const json_t *value) {
    EVN_CHECK(json_is_boolean(value), EVN_ERR_FORMAT, "%s is neither true nor false", option->name);
    *(bool *)field = json_is_true(value);
    return EVN_OK;
}

static json_t *show_flag(const void *field) {
    return json_boolean(*(const bool *)field);
}

const evn__option_kind evn__option_flag = {sizeof(bool), clear_flag, flag_given, apply_flag,
                                           read_flag,    show_flag,  NULL,       ""};

// Tables ------------------------------------------------------------------------------------------

const evn__option *evn__option_find(const evn__option *table, unsigned verbs, const char *name,
                                    size_t length) {
    for (const evn__option *row = table; row->name; ++row) {
        if ((row->verbs & verbs) && strlen(row->name) == length &&
            memcmp(row->name, name, length) == 0) {
            return row;
        }
    }
    return NULL;
}

evn_status evn__option_apply(const evn__option *option, void *target, const char *value) {
    return option->kind->apply(option, (char *)target + option->offset, value);
}

bool evn__option_given(const evn__option *option, const void *target) {
    return option->kind->given((const char *)target + option->offset);
}

void evn__option_copy(const evn__option *option, void *target, const void *source) {
    memcpy((char *)target + option->offset, (const char *)source + option->offset,
           option->kind->size);
}

evn_status evn__options_claim(const evn__option *table, unsigned verbs, const void *target,
                              evn__claims *claims) {
    for (const evn__option *row = table; row->name; ++row) {
        const char *field = (const char *)target + row->offset;
        if ((row->verbs & verbs) && row->kind->claim && row->kind->given(field)) {
            EVN_CHECK(claims->count < EVN__CLAIMS_MAX, EVN_ERR_INTERNAL, "too many outputs");
            EVN_TRY(row->kind->claim(field, &claims->locks[claims->count]));
            ++claims->count;
        }
    }
    return EVN_OK;
}

void evn__claims_release(evn__claims *claims) {
    while (claims->count > 0) {
        evn__run_lock_release(&claims->locks[--claims->count]);
    }
}

bool evn__options_any(const evn__option *table, unsigned verbs) {
    while (table->name && !(table->verbs & verbs)) {
        ++table;
    }
    return table->name;
}

void evn__options_clear(const evn__option *table, void *target) {
    for (const evn__option *row = table; row->name; ++row) {
        row->kind->clear((char *)target + row->offset);
    }
}

void evn__options_show(const evn__option *table, unsigned verbs, const void *target,
                       json_t *object) {
    for (const evn__option *row = table; row->name; ++row) {
        if ((row->verbs & verbs) && !(row->verbs & EVN__OPTION_PASSING)) {
            const char *field = (const char *)target + row->offset;
            evn__json_put(object, row->name, row->kind->show(field));
        }
    }
}

evn_status evn__options_read(const evn__option *table, unsigned verbs, void *target,
                             const json_t *object) {
    EVN_CHECK(json_is_object(object), EVN_ERR_FORMAT, "the options are not an object");
    for (const evn__option *row = table; row->name; ++row) {
        const json_t *value = json_object_get(object, row->name);
        if (!(row->verbs & verbs) || (row->verbs & EVN__OPTION_PASSING) || !value ||
            json_is_null(value)) {
            continue;
        }
        evn_status status = row->kind->read(row, (char *)target + row->offset, value);
        if (status != EVN_OK) {
            return evn__prepend(EVN_ERR_FORMAT, "its options");
        }
    }
    return EVN_OK;
}
