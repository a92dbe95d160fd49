// SPDX-License-Identifier: Apache-2.0
#include "host/tuning.h"

#include "base/files.h"
#include "base/json.h"
#include "host/device_file.h"
#include "host/runtime.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/// What became of a device's file.
typedef struct reading {
    json_t *variants;               ///< NULL: none that can be used
    bool there;                     ///< the file
    evn__text path;                 ///< empty: tuning is off
    char why[EVN__DEVICE_FILE_WHY]; ///< where variants is NULL
} reading;

// Where, and for what -----------------------------------------------------------------------------

static bool is_off(void) {
    const char *mode = getenv("EVONODE_TUNE");
    return mode && (strcmp(mode, "0") == 0 || strcasecmp(mode, "off") == 0 ||
                    strcasecmp(mode, "none") == 0);
}

// Read --------------------------------------------------------------------------------------------

static bool are_names(const json_t *variants) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)variants, key, value) {
        if (!json_is_string(value)) {
            return false;
        }
    }
    return json_is_object(variants);
}

static void read_file(const evn_device_info *info, reading *result) {
    json_t *key = evn__device_file_key(info);
    json_t *root = NULL;
    if (evn__json_check() == EVN_OK && key) {
        root = evn__device_file_read(result->path.data, key, result->why);
    } else {
        snprintf(result->why, sizeof(result->why), "no memory to read it");
    }
    json_t *variants = json_object_get(root, "variants");
    if (root && are_names(variants)) {
        result->variants = json_incref(variants);
    } else if (root) {
        snprintf(result->why, sizeof(result->why), "\"variants\" is not an object of names");
    }
    json_decref(root);
    json_decref(key);
}

static reading read_tuning(const evn_device_info *info) {
    reading result = {0};
    if (!is_off()) {
        evn__device_file_path(&result.path, "tune", info);
    }
    if (result.path.size == 0) {
        return result;
    }
    if (evn__file_exists(result.path.data, &result.there) != EVN_OK) { // not known is not missing
        result.there = true;
        snprintf(result.why, sizeof(result.why), "it cannot be read");
    } else if (result.there) {
        read_file(info, &result);
    }
    return result;
}

void evn__tuning_describe(const evn_device_info *info, evn__text *line) {
    reading result = read_tuning(info);
    if (result.path.status != EVN_OK) {
        line->status = result.path.status;
    } else if (result.variants) {
        evn__text_append(line, "tuned: %zu shape classes, %s", json_object_size(result.variants),
                         result.path.data);
    } else if (result.there) {
        evn__text_append(line, "tuning ignored: %s: %s; run evonode tune again", result.path.data,
                         result.why);
    } else if (is_off()) {
        evn__text_append(line, "not tuned: EVONODE_TUNE disables it");
    } else {
        evn__text_append(line, "not tuned: evonode tune --device %d", info->index);
    }
    json_decref(result.variants);
    free(result.path.data);
}

// The table of a device ---------------------------------------------------------------------------

evn_status evn__tuning_open(evn_device *device) {
    reading result = read_tuning(&device->info);
    free(result.path.data);
    EVN_TRY(result.path.status);
    device->variants = result.variants ? result.variants : json_object();
    EVN_CHECK(device->variants, EVN_ERR_MEMORY, "no memory for the tuned variants");
    return EVN_OK;
}

const char *evn__tuning_find(const evn_device *device, const char *key) {
    return json_string_value(json_object_get(device->variants, key));
}

evn_status evn__tuning_set(evn_device *device, const char *key, const char *variant) {
    if (!variant) {
        json_object_del(device->variants, key);
        return EVN_OK;
    }
    EVN_CHECK(json_object_set_new(device->variants, key, json_string(variant)) == 0, EVN_ERR_MEMORY,
              "no memory for the variant of %s", key);
    return EVN_OK;
}

json_t *evn__tuning_json(const evn_device *device) {
    return json_deep_copy(device->variants);
}

evn_status evn__tuning_digest(const evn_device *device, char digest[33]) {
    digest[0] = 0;
    if (json_object_size(device->variants) == 0) {
        return EVN_OK;
    }
    char *text;
    EVN_TRY(evn__json_print(device->variants, JSON_COMPACT | JSON_SORT_KEYS, 17, &text));
    evn__hash_print(evn__hash_of(text, strlen(text)), digest);
    free(text);
    return EVN_OK;
}

// Write -------------------------------------------------------------------------------------------

evn_status evn__tuning_save(const evn_device *device, char **path) {
    evn__text file = {0};
    *path = NULL;
    if (!is_off()) {
        evn__device_file_path(&file, "tune", &device->info);
    }
    EVN_TRY(file.status);
    evn_status status = EVN_OK;
    if (file.size > 0) {
        json_t *key = evn__device_file_key(&device->info);
        status = key ? evn__device_file_write(file.data, key, "variants", device->variants)
                     : evn__fail(__FILE__, __LINE__, EVN_ERR_MEMORY,
                                 "no memory for what the tuning of %s is of", device->info.name);
        json_decref(key);
    }
    if (status != EVN_OK) {
        free(file.data);
        return status;
    }
    *path = file.data;
    return EVN_OK;
}
