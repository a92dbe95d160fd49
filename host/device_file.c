// SPDX-License-Identifier: Apache-2.0
#include "host/device_file.h"

#include "base/embedded.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "host/kernel.h"
#include "host/runtime.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT_VERSION = 1, NAME_LETTERS = 40, HASH_LETTERS = 8 };

void evn__device_file_path(evn__text *path, const char *what, const evn_device_info *info) {
    char hash[EVN__HASH_TEXT], name[NAME_LETTERS + 1] = "";
    evn__text both = {0}, folder = {0};
    evn__cache_folder(&folder, "");
    evn__text_append(&both, "%s\n%s", info->platform_name, info->name);
    evn__text_need(path, &both); // else it would be as without a folder
    evn__text_need(path, &folder);
    if (path->status == EVN_OK && folder.size > 0) {
        evn__hash_print(evn__hash_of(both.data, both.size), hash);
        for (int i = 0; i < NAME_LETTERS && info->name[i]; ++i) {
            unsigned char letter = (unsigned char)info->name[i];
            name[i] = isalnum(letter) ? (char)letter : '-';
        }
        evn__text_append(path, "%s/%s-%s-%.*s.json", folder.data, what, name, HASH_LETTERS, hash);
    }
    free(both.data);
    free(folder.data);
}

/// Of the text that is compiled, which EVONODE_KERNEL_DIR may replace; of none where that lacks it.
static evn__hash hash_kernel(const evn__embedded *file) {
    char family[NAME_LETTERS + 1];
    const char *text;
    if (!strstr(file->name, ".cl")) { // a header is the host's own, which nothing replaces
        return evn__hash_of(file->data, file->size);
    }
    snprintf(family, sizeof(family), "%.*s", (int)strcspn(file->name, "."), file->name);
    return evn__kernel_text(family, &text) == EVN_OK ? evn__hash_of(text, strlen(text))
                                                     : (evn__hash){0};
}

void evn__kernels_digest(char text[EVN__HASH_TEXT]) {
    evn__hash sum = {0};
    for (const evn__embedded *file = evn__embedded_kernels; file->name; ++file) {
        evn__hash pair[2] = {sum, hash_kernel(file)};
        sum = evn__hash_of(pair, sizeof(pair));
    }
    const char *options = evn__build_options();
    if (options[0]) { // other programs of the same text
        evn__hash pair[2] = {sum, evn__hash_of(options, strlen(options))};
        sum = evn__hash_of(pair, sizeof(pair));
    }
    evn__hash_print(sum, text);
}

json_t *evn__device_file_key(const evn_device_info *info) {
    char kernels[EVN__HASH_TEXT];
    evn__kernels_digest(kernels); // other text, other times, other faults
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:i, s:s}", "format", FORMAT_VERSION, "platform",
                     info->platform_name, "platform_version", info->platform_version, "device",
                     info->name, "driver", info->driver, "compute_units", info->compute_units,
                     "kernels", kernels);
}

static bool keys_agree(const json_t *root, json_t *expected, char why[EVN__DEVICE_FILE_WHY]) {
    const char *name;
    json_t *value;
    json_object_foreach(expected, name, value) {
        if (!json_equal(json_object_get(root, name), value)) {
            snprintf(why, EVN__DEVICE_FILE_WHY, "it was measured with another %s", name);
            return false;
        }
    }
    return true;
}

json_t *evn__device_file_read(const char *path, json_t *key, char why[EVN__DEVICE_FILE_WHY]) {
    unsigned char *data;
    size_t bytes;
    if (evn__file_read(path, &data, &bytes) != EVN_OK) {
        snprintf(why, EVN__DEVICE_FILE_WHY, "it cannot be read");
        return NULL;
    }
    json_t *root;
    evn_status status = evn__json_parse((const char *)data, bytes, &root);
    free(data);
    if (status != EVN_OK) {
        snprintf(why, EVN__DEVICE_FILE_WHY, "%.*s", EVN__DEVICE_FILE_WHY - 1, evn_error_message());
    } else if (!keys_agree(root, key, why)) {
        json_decref(root);
        root = NULL;
    }
    return root;
}

evn_status evn__device_file_write(const char *path, json_t *key, const char *name, json_t *value) {
    evn__text folder = {0};
    evn__cache_folder(&folder, "");
    evn_status status = folder.status;
    if (status == EVN_OK) {
        status = evn__folder_make(folder.data, 0700);
    }
    free(folder.data);
    EVN_TRY(status);
    char *text;
    evn__json_put(key, name, json_incref(value));
    EVN_TRY(evn__json_print(key, JSON_INDENT(2), 17, &text));
    status = evn__file_write_own(path, text, strlen(text));
    free(text);
    return status;
}
