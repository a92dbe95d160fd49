// SPDX-License-Identifier: Apache-2.0
// Checksums and lengths as a writer would have them, so that changes of a file get behind the rules
// that would refuse all of them.
#include "base/hash.h"
#include "base/json.h"
#include "feeds.h"
#include "io/seal.h"

#include <stdlib.h>
#include <string.h>

enum { WORD = sizeof(uint64_t), PACK_HEADER = 10 * WORD };

/// Behind the object that begins at `text`, whose strings may have braces in them; 0: it has no
/// end.
static size_t end_of_object(const char *text, size_t size) {
    int depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; ++i) {
        if (quoted && text[i] == '\\') {
            ++i;
        } else if (text[i] == '"') {
            quoted = !quoted;
        } else if (!quoted && (text[i] == '{' || text[i] == '}')) {
            depth += text[i] == '{' ? 1 : -1;
            if (depth <= 0) {
                return i + 1;
            }
        }
    }
    return 0;
}

/// The place of the seal's text within that of the header; NULL: there is none.
static char *find_seal(char *text, size_t size) {
    static const char begin[] = "xxh3-all:";
    for (size_t i = 0; i + EVN__SEAL_SIZE <= size; ++i) {
        if (memcmp(text + i, begin, sizeof(begin) - 1) == 0) {
            return text + i;
        }
    }
    return NULL;
}

void mend_safetensors(uint8_t *data, size_t size) {
    char seal[EVN__SEAL_SIZE], *text = (char *)data + WORD;
    json_t *header;
    uint64_t length;
    size_t end = size > WORD ? end_of_object(text, size - WORD) : 0;
    if (end == 0) {
        return;
    }
    memcpy(&length, data, WORD);
    if (length < end || length > size - WORD) { // what is behind it may be blanks
        length = end;
        memcpy(data, &length, WORD);
    }
    char *place = find_seal(text, end);
    if (place && evn__json_parse(text, length, &header) == EVN_OK) {
        const unsigned char *rest = data + WORD + length;
        if (evn__seal_of(header, rest, size - WORD - length, seal) == EVN_OK) {
            memcpy(place, seal, EVN__SEAL_SIZE - 1);
        }
        json_decref(header);
    }
}

void mend_pack(uint8_t *data, size_t size) {
    if (size >= PACK_HEADER) {
        uint64_t sum = evn__checksum(data + PACK_HEADER, size - PACK_HEADER);
        memcpy(data + PACK_HEADER - WORD, &sum, WORD);
    }
}
