// SPDX-License-Identifier: Apache-2.0
#include "cli/kept_network.h"

#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "cli/training.h"

#include <stdlib.h>
#include <string.h>

static const char HASH[] = "network_hash"; // member of run.json

void evn__kept_network_show(const evn_network *network, json_t *run) {
    char digits[EVN__HASH_TEXT];
    const char *text = evn_network_text(network);
    if (text) {
        evn__hash_print(evn__hash_of(text, strlen(text)), digits);
        evn__json_put(run, HASH, json_string(digits));
    }
}

evn_status evn__kept_network_take(const char *folder, const json_t *run, evn__settings *settings) {
    char path[EVN__FOLDER_SIZE];
    EVN_TRY(evn__run_network(folder, path, sizeof(path)));
    settings->network = evn__arena_string(&settings->arena, path);
    settings->network_hash = json_string_value(json_object_get(run, HASH));
    EVN_CHECK(settings->network, EVN_ERR_MEMORY, "no memory for the path %s", path);
    return EVN_OK;
}

/// Another number in it would be another model of the same shapes.
static evn_status check(const char *path, const char *hash, const char *text, size_t size) {
    char digits[EVN__HASH_TEXT];
    evn__hash_print(evn__hash_of(text, size), digits);
    EVN_CHECK(
        strcmp(hash, digits) == 0, EVN_ERR_FORMAT,
        "%s is not the file that the run began with: it was changed or damaged; bring it back "
        "from a copy, or, if the change is meant, delete \"%s\" and \"hash\" in the run's "
        "run.json",
        path, HASH);
    return EVN_OK;
}

evn_status evn__kept_network_read(const evn__settings *settings, evn_network **network) {
    const char *path = settings->network, *hash = settings->network_hash;
    unsigned char *data;
    size_t size;
    if (!hash) {
        return evn_network_read(path, network);
    }
    EVN_TRY(evn__file_read(path, &data, &size));
    const char *text = (const char *)data;
    evn_status status = check(path, hash, text, size);
    if (status == EVN_OK) { // the very text that was checked
        status = evn_network_parse(text, path, network);
    }
    free(data);
    return status;
}
