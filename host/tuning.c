// SPDX-License-Identifier: Apache-2.0
#include "host/tuning.h"

#include "base/embedded.h"
#include "base/files.h"
#include "host/cache.h"
#include "host/runtime.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { FORMAT_VERSION = 1, NAME_LETTERS = 40, HASH_LETTERS = 8 };

/// What became of a device's file.
typedef struct reading {
    json_t *variants; ///< NULL: none that can be used
    evn__text path;   ///< empty: tuning is off
    char why[320];    ///< where variants is NULL
} reading;

// Where, and for what -----------------------------------------------------------------------------

static bool is_off(void) {
    const char *mode = getenv("EVONODE_TUNE");
    return mode && (strcmp(mode, "0") == 0 || strcasecmp(mode, "off") == 0 ||
                    strcasecmp(mode, "none") == 0);
}

/// The name says platform and device; what else must agree stands inside, so that a file that no
/// longer fits is found, and replaced, instead of left lying.
static void write_path(evn__text *path, const evn_device_info *info) {
    char hash[EVN__HASH_TEXT], name[NAME_LETTERS + 1] = "";
    evn__text both = {0}, folder = {0};
    evn__cache_folder(&folder, "");
    evn__text_append(&both, "%s\n%s", info->platform_name, info->name);
    if (both.status == EVN_OK && folder.status == EVN_OK && folder.size > 0) {
        evn__hash_print(evn__hash_of(both.data, both.size), hash);
        for (int i = 0; i < NAME_LETTERS && info->name[i]; ++i) {
            unsigned char letter = (unsigned char)info->name[i];
            name[i] = isalnum(letter) ? (char)letter : '-';
        }
        evn__text_append(path, "%s/tune-%s-%.*s.json", folder.data, name, HASH_LETTERS, hash);
    }
    free(both.data);
    free(folder.data);
}

/// Of the text that is compiled, which EVONODE_KERNEL_DIR may replace; of none where that lacks it.
static evn__hash hash_kernel(const evn__embedded *file) {
    char family[NAME_LETTERS + 1];
    const char *text;
    if (strcmp(file->name, "shared.h") == 0) { // the host's own, which nothing replaces
        return evn__hash_of(file->data, file->size);
    }
    snprintf(family, sizeof(family), "%.*s", (int)strcspn(file->name, "."), file->name);
    return evn__kernel_text(family, &text) == EVN_OK ? evn__hash_of(text, strlen(text))
                                                     : (evn__hash){0};
}

/// A variant is chosen for the kernels as they were: other text, other times, other faults.
static void hash_kernels(char text[EVN__HASH_TEXT]) {
    evn__hash sum = {0};
    for (const evn__embedded *file = evn__embedded_kernels; file->name; ++file) {
        evn__hash pair[2] = {sum, hash_kernel(file)};
        sum = evn__hash_of(pair, sizeof(pair));
    }
    evn__hash_print(sum, text);
}

/// What a file must agree with.
static json_t *make_key(const evn_device_info *info) {
    char kernels[EVN__HASH_TEXT];
    hash_kernels(kernels);
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:i, s:s}", "format", FORMAT_VERSION, "platform",
                     info->platform_name, "platform_version", info->platform_version, "device",
                     info->name, "driver", info->driver, "compute_units", info->compute_units,
                     "kernels", kernels);
}

// Read --------------------------------------------------------------------------------------------

static bool keys_agree(const json_t *root, json_t *expected, reading *result) {
    const char *name;
    json_t *value;
    json_object_foreach(expected, name, value) {
        if (!json_equal(json_object_get(root, name), value)) {
            snprintf(result->why, sizeof(result->why), "it was measured with another %s", name);
            return false;
        }
    }
    return true;
}

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

static void take_variants(const evn_device_info *info, const json_t *root, reading *result) {
    json_t *expected = make_key(info), *variants = json_object_get(root, "variants");
    if (!expected) {
        snprintf(result->why, sizeof(result->why), "no memory");
    } else if (keys_agree(root, expected, result)) {
        if (are_names(variants)) {
            result->variants = json_incref(variants);
        } else {
            snprintf(result->why, sizeof(result->why), "\"variants\" is not an object of names");
        }
    }
    json_decref(expected);
}

static void read_file(const evn_device_info *info, reading *result) {
    unsigned char *data;
    size_t bytes;
    if (evn__file_read(result->path.data, &data, &bytes) != EVN_OK) {
        snprintf(result->why, sizeof(result->why), "it cannot be read");
        return;
    }
    json_error_t error;
    json_t *root = json_loadb((const char *)data, bytes, JSON_REJECT_DUPLICATES, &error);
    if (root) {
        take_variants(info, root, result);
    } else {
        snprintf(result->why, sizeof(result->why), "line %d: %s", error.line, error.text);
    }
    json_decref(root);
    free(data);
}

static bool is_there(const reading *result) {
    return result->path.size > 0 && access(result->path.data, F_OK) == 0;
}

static reading read_tuning(const evn_device_info *info) {
    reading result = {0};
    if (!is_off()) {
        write_path(&result.path, info);
    }
    if (is_there(&result)) {
        read_file(info, &result);
    }
    return result;
}

void evn__tuning_describe(const evn_device_info *info, evn__text *line) {
    reading result = read_tuning(info);
    if (result.variants) {
        evn__text_append(line, "tuned: %zu shape classes, %s", json_object_size(result.variants),
                         result.path.data);
    } else if (is_there(&result)) {
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

evn_status evn__tuning_digest(const evn_device *device, char digest[33]) {
    digest[0] = 0;
    if (json_object_size(device->variants) == 0) {
        return EVN_OK;
    }
    char *text = json_dumps(device->variants, JSON_COMPACT | JSON_SORT_KEYS);
    EVN_CHECK(text, EVN_ERR_MEMORY, "no memory for the digest of the tuned variants");
    evn__hash_print(evn__hash_of(text, strlen(text)), digest);
    free(text);
    return EVN_OK;
}

// Write -------------------------------------------------------------------------------------------

static evn_status write_file(const evn_device *device, const char *path) {
    json_t *root = make_key(&device->info);
    char *text = NULL;
    if (root && json_object_set(root, "variants", device->variants) == 0) {
        text = json_dumps(root, JSON_INDENT(2));
    }
    json_decref(root);
    EVN_CHECK(text, EVN_ERR_MEMORY, "no memory for the text of %s", path);
    evn_status status = evn__file_write(path, text, strlen(text));
    free(text);
    return status;
}

evn_status evn__tuning_save(const evn_device *device, char **path) {
    *path = NULL;
    evn__text file = {0}, folder = {0};
    evn__cache_folder(&folder, "");
    if (!is_off() && folder.status == EVN_OK && folder.size > 0) {
        write_path(&file, &device->info);
    }
    evn_status status = file.status;
    if (file.size > 0 && status == EVN_OK) {
        status = evn__folder_make(folder.data, 0700);
        status = status == EVN_OK ? write_file(device, file.data) : status;
    }
    free(folder.data);
    if (status != EVN_OK) {
        free(file.data);
        return status;
    }
    *path = file.data;
    return EVN_OK;
}
