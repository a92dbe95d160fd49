// SPDX-License-Identifier: Apache-2.0
#include "base/json_hash.h"

#include "base/hash.h"
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

static const char HASH[] = "hash";

enum { ALL_DIGITS = 17 };

static evn_status hash_of(const json_t *object, char digits[EVN__HASH_TEXT]) {
    json_t *rest = json_copy((json_t *)object);
    char *text;
    evn__json_drop_hash(rest);
    evn_status status = evn__json_print(rest, JSON_COMPACT | JSON_SORT_KEYS, ALL_DIGITS, &text);
    json_decref(rest);
    EVN_TRY(status);
    evn__hash_print(evn__hash_of(text, strlen(text)), digits);
    free(text);
    return EVN_OK;
}

/// As it will be read: with the digits that are written.
static evn_status read_with(const json_t *object, int digits, json_t **again) {
    char *text;
    *again = NULL;
    EVN_TRY(evn__json_print(object, JSON_COMPACT, digits, &text));
    evn_status status = evn__json_parse(text, strlen(text), again);
    free(text);
    return status;
}

/// Fewer digits may round a number beyond the largest that there is, which no reader takes; then
/// all numbers have all of theirs.
static evn_status read_again(const json_t *object, int *digits, json_t **again) {
    evn_status status = read_with(object, *digits, again);
    if (status == EVN_ERR_FORMAT) {
        *digits = ALL_DIGITS;
        status = read_with(object, *digits, again);
    }
    return status;
}

static evn_status put_hash(json_t *object) {
    char digits[EVN__HASH_TEXT];
    evn__json_drop_hash(object);
    EVN_TRY(hash_of(object, digits));
    evn__json_put(object, HASH, json_string(digits));
    return EVN_OK;
}

evn_status evn__json_print_hashed(const json_t *object, size_t flags, int digits, char **text) {
    json_t *again;
    *text = NULL;
    EVN_TRY(read_again(object, &digits, &again));
    evn_status status = put_hash(again);
    if (status == EVN_OK) {
        status = evn__json_print(again, flags, digits, text);
    }
    json_decref(again);
    return status;
}

evn_status evn__json_check_hash(const json_t *object, bool *has, bool *fits) {
    char digits[EVN__HASH_TEXT];
    const char *hash = json_string_value(json_object_get(object, HASH));
    *has = json_object_get(object, HASH) != NULL;
    *fits = false;
    EVN_TRY(*has ? hash_of(object, digits) : EVN_OK);
    *fits = hash && strcmp(hash, digits) == 0;
    return EVN_OK;
}

void evn__json_drop_hash(json_t *object) {
    json_object_del(object, HASH);
}
