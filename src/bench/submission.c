// SPDX-License-Identifier: Apache-2.0
#include "bench/submission.h"

#include "base/files.h"
#include "bench/about.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PART = 64 };

/// Small letters, digits, and single dashes or points: a name of a file everywhere.
static const char *slug(const char *text, char name[PART]) {
    size_t used = 0;
    for (; text && *text && used < PART - 1; ++text) {
        unsigned char c = (unsigned char)*text;
        bool plain = (c < 0x80 && isalnum(c)) || (c == '.' && used > 0);
        if (plain) {
            name[used++] = (char)tolower(c);
        } else if (used > 0 && name[used - 1] != '-') {
            name[used++] = '-';
        }
    }
    while (used > 0 && (name[used - 1] == '-' || name[used - 1] == '.')) {
        --used;
    }
    name[used] = 0;
    return used ? name : strcpy(name, "unknown");
}

static const char *text_of(const json_t *object, const char *name) {
    return json_string_value(json_object_get(object, name));
}

/// VENDOR/DEVICE-DRIVER-DATE.json
static void put_name(const json_t *about, evn__text *path) {
    const json_t *device = json_object_get(about, "device");
    char vendor[PART], name[PART], driver[PART], date[PART];
    evn__text_append(path, "%s/%s-%s-%s.json", slug(text_of(device, "vendor"), vendor),
                     slug(text_of(device, "name"), name), slug(text_of(device, "driver"), driver),
                     slug(text_of(about, "date"), date));
}

evn_status evn__bench_submission_place(const char *folder, const json_t *about, evn__text *path) {
    evn__text_append(path, "%s/results/", folder);
    put_name(about, path);
    EVN_TRY(path->status);
    bool there; // be it a folder, or a link that leads nowhere: minutes later it would be found
    EVN_TRY(evn__file_exists(path->data, &there));
    EVN_CHECK(!there, EVN_ERR_OUTPUT,
              "%s is there already, of the same device, driver and day; move it away to measure "
              "again",
              path->data);
    return EVN_OK;
}

// The check ---------------------------------------------------------------------------------------

static evn_status check_name(const char *path, const json_t *about) {
    evn__text name = {0};
    put_name(about, &name);
    EVN_TRY(name.status);
    size_t all = strlen(path), own = name.size;
    bool ends = all >= own && strcmp(path + all - own, name.data) == 0 &&
                (all == own || path[all - own - 1] == '/');
    evn_status status =
        ends ? EVN_OK
             : evn__fail(__FILE__, __LINE__, EVN_ERR_DATA,
                         "by what is in it, it has to be called results/%s", name.data);
    free(name.data);
    return status;
}

/// Texts that are paths would tell whose machine it was.
static evn_status check_texts(const json_t *value) {
    const json_t *member;
    const char *key, *text = json_string_value(value);
    size_t i;
    static const char *const signs[] = {"/home/", "/root", "/Users/", "/tmp/", "/var/", ":\\"};
    for (i = 0; text && i < sizeof(signs) / sizeof(signs[0]); ++i) {
        EVN_CHECK(!strstr(text, signs[i]), EVN_ERR_DATA, "a path is in it: %.80s", text);
    }
    json_object_foreach((json_t *)value, key, member) {
        EVN_TRY(check_texts(member));
    }
    json_array_foreach(value, i, member) {
        EVN_TRY(check_texts(member));
    }
    return EVN_OK;
}

static evn_status check_selftest(const json_t *about) {
    const json_t *selftest = json_object_get(about, "selftest");
    const json_t *families = json_object_get(selftest, "families"), *family;
    size_t i;
    json_int_t wrong = json_integer_value(json_object_get(selftest, "wrong"));
    EVN_CHECK(json_array_size(families) > 0, EVN_ERR_DATA,
              "it has no self-test; evonode bench --submit makes one");
    json_array_foreach(families, i, family) {
        wrong += json_integer_value(json_object_get(family, "wrong"));
    }
    EVN_CHECK(wrong == 0, EVN_ERR_DATA, "its self-test found wrong results");
    return EVN_OK;
}

static evn_status check_rows(const evn__bench_record *record) {
    int measured = 0;
    for (int i = 0; i < record->count; ++i) {
        const evn__bench_result *row = &record->rows[i];
        measured += row->time.count > 0;
        EVN_CHECK(isnan(row->tolerance) || row->difference <= row->tolerance, EVN_ERR_DATA,
                  "its row %s differs from the reference by %.1e, over %.1e", row->key,
                  row->difference, row->tolerance);
    }
    EVN_CHECK(measured > 0, EVN_ERR_DATA, "none of its rows was measured");
    return EVN_OK;
}

evn_status evn__bench_submission_check(const char *path, const evn__bench_record *record) {
    EVN_CHECK(!json_is_true(json_object_get(record->about, "quick")), EVN_ERR_DATA,
              "it was measured with --quick; leave that out");
    EVN_TRY(check_selftest(record->about));
    EVN_TRY(check_rows(record));
    EVN_TRY(check_texts(record->about));
    for (int i = 0; i < record->count; ++i) {
        char reason[EVN__BENCH_REASON];
        snprintf(reason, sizeof(reason), "%s", record->rows[i].reason);
        evn__bench_hide_paths(reason);
        EVN_CHECK(strcmp(reason, record->rows[i].reason) == 0, EVN_ERR_DATA,
                  "the reason of its row %s has a path in it", record->rows[i].key);
    }
    return check_name(path, record->about);
}
