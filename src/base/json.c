// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <stdbool.h>
#include <stdlib.h>

static _Thread_local bool failed;

// A number or a text for which the memory ends while it is read breaks an assertion in Jansson. So
// enough for all of a text is set aside before it is read, and used when there is no other. Pages
// that nobody writes to cost nothing.
enum { RESERVE_LEAST = 1 << 16, RESERVE_MOST = 1 << 24, RESERVE_FACTOR = 128, ALIGNMENT = 16 };
static _Thread_local struct {
    char *block;
    size_t size, used;
} reserve;

static void *take_reserve(size_t bytes) {
    size_t at = reserve.used, whole = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!reserve.block || whole > reserve.size - at) {
        return NULL;
    }
    reserve.used += whole;
    return reserve.block + at;
}

static void *allocate(size_t bytes) {
    void *memory = malloc(bytes);
    failed = failed || !memory;
    return memory ? memory : take_reserve(bytes);
}

static void release(void *memory) {
    bool own = reserve.block && (char *)memory >= reserve.block &&
               (char *)memory < reserve.block + reserve.size;
    if (!own) {
        free(memory);
    }
}

static bool watches;

void evn__json_watch(void) {
    json_set_alloc_funcs(allocate, release);
    watches = true;
}

void evn__json_put(json_t *object, const char *key, json_t *value) {
    failed = json_object_set_new(object, key, value) != 0 || failed;
}

void evn__json_put_text(json_t *object, const char *key, evn__text *text) {
    const char *value = text->data ? text->data : "";
    evn__json_put(object, key, text->status == EVN_OK ? json_string(value) : NULL);
    free(text->data);
    *text = (evn__text){0};
}

void evn__json_append(json_t *array, json_t *value) {
    failed = json_array_append_new(array, value) != 0 || failed;
}

void evn__json_put_all(json_t *object, json_t *from) {
    failed = json_object_update(object, from) != 0 || failed;
    json_decref(from);
}

void evn__json_put_missing(json_t *object, json_t *from) {
    failed = json_object_update_missing(object, from) != 0 || failed;
}

evn_status evn__json_check(void) {
    bool lacks = failed;
    failed = false;
    EVN_CHECK(!lacks, EVN_ERR_MEMORY, "no memory for a part of what is to be written as JSON");
    return EVN_OK;
}

/// Jansson does not look at all failures of what it prints into; the text remembers its first.
static int take_piece(const char *piece, size_t size, void *text) {
    evn__text_append_bytes(text, piece, size);
    return ((evn__text *)text)->status == EVN_OK ? 0 : -1;
}

evn_status evn__json_print(const json_t *value, size_t flags, int digits, char **text) {
    evn__text whole = {0};
    *text = NULL;
    EVN_TRY(evn__json_check());
    evn__text_append_bytes(&whole, "", 0); // that there is one, were there nothing to print
    bool printed = value && json_dump_callback(value, take_piece, &whole,
                                               flags | JSON_REAL_PRECISION(digits)) == 0;
    printed = printed && whole.status == EVN_OK && !failed;
    failed = false; // what failed now is said here, and is no failure of the next one
    if (!printed) {
        free(whole.data);
    }
    EVN_CHECK(printed, EVN_ERR_MEMORY, "no memory for what is to be written as JSON");
    *text = whole.data;
    return EVN_OK;
}

void evn__json_show(const json_t *value, size_t flags, int digits, evn__text *text) {
    char *shown = NULL;
    evn_status status = evn__json_print(value, flags | JSON_ENCODE_ANY, digits, &shown);
    if (status == EVN_OK) {
        evn__text_append(text, "%s", shown);
    } else if (text->status == EVN_OK) {
        text->status = status;
    }
    free(shown);
}

void evn__json_quote(const char *value, evn__text *text) {
    json_t *string = json_string(value);
    evn__json_show(string, 0, 17, text);
    json_decref(string);
}

/// With all the memory that it may need set aside.
static json_t *parse(const char *text, size_t size, json_error_t *error) {
    size_t bytes = size < RESERVE_MOST / RESERVE_FACTOR ? size * RESERVE_FACTOR : RESERVE_MOST;
    reserve.size = watches ? bytes + RESERVE_LEAST : 0;
    reserve.used = 0;
    reserve.block = watches ? malloc(reserve.size) : NULL;
    failed = watches && !reserve.block;
    json_t *value = failed ? NULL : json_loadb(text, size, JSON_REJECT_DUPLICATES, error);
    failed = failed || (!value && !error->text[0]);
    if (failed) { // some of it may be in what was set aside
        json_decref(value);
        value = NULL;
    }
    free(reserve.block);
    reserve.block = NULL;
    return value;
}

evn_status evn__json_parse_at(const char *text, size_t size, json_t **value, json_error_t *error) {
    bool before = failed;
    error->text[0] = 0;
    *value = parse(text, size, error);
    bool lacks = failed;
    failed = before;
    EVN_CHECK(!lacks, EVN_ERR_MEMORY, "no memory for %zu bytes of JSON", size);
    EVN_CHECK(*value, EVN_ERR_FORMAT, "not valid JSON at line %d: %s", error->line, error->text);
    return EVN_OK;
}

evn_status evn__json_parse(const char *text, size_t size, json_t **value) {
    json_error_t error;
    return evn__json_parse_at(text, size, value, &error);
}
