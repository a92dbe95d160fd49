// SPDX-License-Identifier: Apache-2.0
#include "io/seal.h"

#include "base/hash.h"
#include "base/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char WHOLE[] = "xxh3-all:", METADATA[] = "__metadata__";

bool evn__seal_is_whole(const char *text) {
    return strncmp(text, WHOLE, strlen(WHOLE)) == 0;
}

/// The header's text with its keys in order and without the checksum.
static evn_status print_header(const json_t *header, char **text) {
    json_t *root = json_copy((json_t *)header); // only what is changed is copied
    json_t *metadata = json_copy(json_object_get(header, METADATA));
    json_object_del(metadata, "checksum");
    evn__json_put(root, METADATA, metadata); // of one that could not be copied, too
    evn_status status = evn__json_print(root, JSON_COMPACT | JSON_SORT_KEYS, 17, text);
    json_decref(root);
    return status;
}

evn_status evn__seal_of(const json_t *header, const unsigned char *data, size_t size,
                        char text[EVN__SEAL_SIZE]) {
    char *printed;
    EVN_TRY(print_header(header, &printed));
    const uint64_t parts[] = {evn__checksum((const unsigned char *)printed, strlen(printed)),
                              evn__checksum(data, size)};
    free(printed);
    snprintf(text, EVN__SEAL_SIZE, "%s%016" PRIx64, WHOLE, evn__checksum(parts, sizeof(parts)));
    return EVN_OK;
}

void evn__seal_of_data(const unsigned char *data, size_t size, char text[EVN__SEAL_SIZE]) {
    snprintf(text, EVN__SEAL_SIZE, "xxh3:%016" PRIx64, evn__checksum(data, size));
}
