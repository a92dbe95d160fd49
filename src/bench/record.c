// SPDX-License-Identifier: Apache-2.0
#include "bench/record.h"

#include "base/files.h"
#include "base/json.h"
#include "base/json_hash.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 4 << 20 };
static const char KIND[] = "evonode bench";

void evn__bench_record_free(evn__bench_record *record) {
    json_decref(record->about);
    free(record->rows);
    *record = (evn__bench_record){0};
}

evn_status evn__bench_record_add(evn__bench_record *record, const evn__bench_result *row) {
    EVN_TRY(EVN_RESERVE(record->rows, record->capacity, record->count + 1));
    record->rows[record->count++] = *row;
    return EVN_OK;
}

const evn__bench_result *evn__bench_record_find(const evn__bench_record *record, const char *key) {
    for (int i = 0; i < record->count; ++i) {
        if (strcmp(record->rows[i].key, key) == 0) {
            return &record->rows[i];
        }
    }
    return NULL;
}

const char *evn__bench_record_device(const evn__bench_record *record) {
    const json_t *device = json_object_get(record->about, "device");
    const char *name = json_string_value(json_object_get(device, "name"));
    return name ? name : "";
}

// Writing -----------------------------------------------------------------------------------------

static json_t *real(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *show_times(const evn__bench_time *time) {
    json_t *samples = json_array();
    for (int i = 0; i < time->count; ++i) {
        evn__json_append(samples, real(time->samples[i]));
    }
    return samples;
}

static json_t *show_row(const evn__bench_result *row) {
    const evn__bench_time *time = &row->time;
    json_t *object =
        json_pack("{s:s, s:s, s:s}", "key", row->key, "name", row->name, "group", row->group);
    if (time->count == 0) {
        evn__json_put(object, row->lacking ? "lacking" : "failed", json_string(row->reason));
        return object;
    }
    evn__json_put_all(object,
                      json_pack("{s:o, s:o, s:o, s:i, s:o, s:o, s:o}", "median", real(time->median),
                                "quartiles", json_pack("[o, o]", real(time->low), real(time->high)),
                                "drift", real(time->drift), "repetitions", time->repetitions,
                                "samples", show_times(time), "launches", real(time->launches),
                                "waits", real(time->waits)));
    evn__json_put_all(object, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "flops", real(row->flops),
                                        "bytes", real(row->bytes), "nodes", real(row->nodes),
                                        "fraction_of_limit", real(row->fraction), "device_flops",
                                        real(row->speed), "difference", real(row->difference)));
    evn__json_put(object, "tolerance", real(row->tolerance));
    return object;
}

static json_t *show(const evn__bench_record *record) {
    json_t *rows = json_array();
    json_t *root = json_pack("{s:s, s:i}", "kind", KIND, "format", EVN__BENCH_FORMAT);
    evn__json_put_all(root, json_incref(record->about));
    evn__json_put(root, "limits",
                  json_pack("{s:o, s:o}", "flops", real(record->limits.flops), "bytes",
                            real(record->limits.bytes)));
    for (int i = 0; i < record->count; ++i) {
        evn__json_append(rows, show_row(&record->rows[i]));
    }
    evn__json_put(root, "rows", rows);
    return root;
}

/// Nine digits: more say nothing of a time.
evn_status evn__bench_record_print(const evn__bench_record *record, char **text) {
    json_t *root = show(record);
    evn_status status = evn__json_print_hashed(root, JSON_INDENT(1), 9, text);
    json_decref(root);
    return status;
}

// Reading -----------------------------------------------------------------------------------------

static double number(const json_t *object, const char *name) {
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

/// A number that is 0 where it is not given.
static double amount(const json_t *object, const char *name) {
    double value = number(object, name);
    return isnan(value) ? 0 : value;
}

static bool take_text(const json_t *object, const char *name, char *to, size_t size) {
    const char *text = json_string_value(json_object_get(object, name));
    snprintf(to, size, "%s", text ? text : "");
    return text && strlen(text) < size;
}

/// The samples, from which the rest follows: what the file says of it has to agree.
static bool take_times(const json_t *object, evn__bench_time *time) {
    const json_t *samples = json_object_get(object, "samples");
    size_t count = json_array_size(samples);
    if (count < 1 || count > EVN__BENCH_SAMPLES) {
        return false;
    }
    for (size_t i = 0; i < count; ++i) {
        const json_t *sample = json_array_get(samples, i);
        time->samples[i] = json_number_value(sample);
        if (!json_is_number(sample) || time->samples[i] <= 0) { // no infinity: JSON has none
            return false;
        }
    }
    time->count = (int)count;
    time->repetitions = (int)amount(object, "repetitions");
    time->launches = amount(object, "launches");
    time->waits = amount(object, "waits");
    evn__bench_summarise(time);
    return fabs(number(object, "median") / time->median - 1) < 1e-6;
}

static bool take_row(const json_t *object, evn__bench_result *row) {
    *row = (evn__bench_result){.flops = amount(object, "flops"),
                               .bytes = amount(object, "bytes"),
                               .nodes = amount(object, "nodes"),
                               .fraction = number(object, "fraction_of_limit"),
                               .difference = number(object, "difference"),
                               .tolerance = number(object, "tolerance"),
                               .speed = number(object, "device_flops")};
    row->lacking = take_text(object, "lacking", row->reason, sizeof(row->reason));
    bool reason = row->lacking || take_text(object, "failed", row->reason, sizeof(row->reason));
    return take_text(object, "key", row->key, sizeof(row->key)) && row->key[0] &&
           take_text(object, "name", row->name, sizeof(row->name)) &&
           take_text(object, "group", row->group, sizeof(row->group)) &&
           (reason || take_times(object, &row->time));
}

static evn_status take_rows(const json_t *rows, evn__bench_record *record) {
    const json_t *object;
    evn__bench_result row;
    size_t i;
    EVN_CHECK(json_array_size(rows) > 0, EVN_ERR_FORMAT, "it has no rows");
    json_array_foreach(rows, i, object) {
        EVN_CHECK(take_row(object, &row), EVN_ERR_FORMAT,
                  "its row number %zu has no name, or no samples that fit its median", i + 1);
        for (int k = 0; k < record->count; ++k) {
            EVN_CHECK(strcmp(record->rows[k].key, row.key) != 0, EVN_ERR_FORMAT,
                      "it has the row %s twice", row.key);
        }
        EVN_TRY(evn__bench_record_add(record, &row));
    }
    return EVN_OK;
}

static evn_status check_head(const json_t *root) {
    const char *kind = json_string_value(json_object_get(root, "kind"));
    const json_t *format = json_object_get(root, "format");
    bool has, fits;
    EVN_CHECK(kind && strcmp(kind, KIND) == 0 && json_is_integer(format), EVN_ERR_FORMAT,
              "it is no result of evonode bench --json");
    EVN_CHECK(json_integer_value(format) <= EVN__BENCH_FORMAT, EVN_ERR_FORMAT,
              "its format is %d, and this evonode knows %d; read it with a newer evonode",
              (int)json_integer_value(format), EVN__BENCH_FORMAT);
    EVN_TRY(evn__json_check_hash(root, &has, &fits));
    EVN_CHECK(fits, EVN_ERR_FORMAT,
              "its hash does not fit its content: it was changed or damaged after it was written; "
              "measure again");
    EVN_CHECK(json_is_object(json_object_get(root, "device")), EVN_ERR_FORMAT, "it has no device");
    return EVN_OK;
}

static evn_status take(json_t *root, evn__bench_record *record) {
    EVN_TRY(check_head(root));
    const json_t *limits = json_object_get(root, "limits");
    record->limits = (evn__bench_limits){number(limits, "flops"), number(limits, "bytes")};
    EVN_TRY(take_rows(json_object_get(root, "rows"), record));
    record->about = json_copy(root);
    EVN_CHECK(record->about, EVN_ERR_MEMORY, "no memory for it");
    static const char *const own[] = {"kind", "format", "limits", "rows", "hash"};
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); ++i) {
        json_object_del(record->about, own[i]);
    }
    return EVN_OK;
}

evn_status evn__bench_record_read(const char *path, evn__bench_record *record) {
    unsigned char *data;
    size_t size;
    json_t *root;
    *record = (evn__bench_record){0};
    EVN_TRY(evn__file_read_most(path, FILE_BYTES_MAX, &data, &size));
    evn_status status = evn__json_parse((const char *)data, size, &root);
    free(data);
    if (status != EVN_OK) {
        return evn__prepend(status, "%s is no result of evonode bench --json", path);
    }
    status = take(root, record);
    json_decref(root);
    if (status != EVN_OK) {
        evn__bench_record_free(record);
        return evn__prepend(status, "%s", path);
    }
    return EVN_OK;
}
