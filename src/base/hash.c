// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

evn__hash evn__hash_of(const void *data, size_t bytes) {
    XXH128_hash_t hash = XXH3_128bits(data, bytes);
    return (evn__hash){.high = hash.high64, .low = hash.low64};
}

bool evn__hash_equal(evn__hash a, evn__hash b) {
    return a.high == b.high && a.low == b.low;
}

void evn__hash_print(evn__hash hash, char text[EVN__HASH_TEXT]) {
    snprintf(text, EVN__HASH_TEXT, "%016" PRIx64 "%016" PRIx64, hash.high, hash.low);
}

uint64_t evn__checksum(const void *data, size_t bytes) {
    return XXH3_64bits(data, bytes);
}
