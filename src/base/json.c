// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <stdbool.h>
#include <stdlib.h>

static _Thread_local bool failed;

static void *allocate(size_t bytes) {
    void *memory = malloc(bytes);
    failed = failed || !memory;
    return memory;
}

void evn__json_watch(void) {
    json_set_alloc_funcs(allocate, free);
}

void evn__json_put(json_t *object, const char *key, json_t *value) {
    failed = json_object_set_new(object, key, value) != 0 || failed;
}

void evn__json_append(json_t *array, json_t *value) {
    failed = json_array_append_new(array, value) != 0 || failed;
}

void evn__json_put_all(json_t *object, json_t *from) {
    failed = json_object_update(object, from) != 0 || failed;
    json_decref(from);
}

evn_status evn__json_check(void) {
    bool lacks = failed;
    failed = false;
    EVN_CHECK(!lacks, EVN_ERR_MEMORY, "no memory for a part of what is to be written as JSON");
    return EVN_OK;
}

evn_status evn__json_print(const json_t *value, size_t flags, int digits, char **text) {
    *text = NULL;
    EVN_TRY(evn__json_check());
    *text = value ? json_dumps(value, flags | JSON_REAL_PRECISION(digits)) : NULL;
    if (failed) { // Jansson passes over some that fail, and the text has a gap
        free(*text);
        *text = NULL;
    }
    failed = false; // what failed now is said here, and is no failure of the next one
    EVN_CHECK(*text, EVN_ERR_MEMORY, "no memory for what is to be written as JSON");
    return EVN_OK;
}

evn_status evn__json_parse(const char *text, size_t size, json_t **value) {
    json_error_t error;
    bool before = failed;
    failed = false;
    *value = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    bool lacks = failed || (!*value && !error.text[0]);
    failed = before;
    if (lacks) {
        json_decref(*value);
        *value = NULL;
    }
    EVN_CHECK(!lacks, EVN_ERR_MEMORY, "no memory for %zu bytes of JSON", size);
    EVN_CHECK(*value, EVN_ERR_FORMAT, "not valid JSON at line %d: %s", error.line, error.text);
    return EVN_OK;
}
