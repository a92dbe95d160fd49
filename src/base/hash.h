// SPDX-License-Identifier: Apache-2.0
// Fast non-cryptographic hashes (XXH3): keys of caches and checksums. The values are the same on
// every machine and in every version of xxHash from 0.8 on.
#ifndef EVN_BASE_HASH_H
#define EVN_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct evn__hash {
    uint64_t high, low;
} evn__hash;

enum { EVN__HASH_TEXT = 33 };

/// 128-bit hash, for keys.
evn__hash evn__hash_of(const void *data, size_t bytes);

bool evn__hash_equal(evn__hash a, evn__hash b);

/// 32 hexadecimal digits and a NUL byte.
void evn__hash_print(evn__hash hash, char text[EVN__HASH_TEXT]);

/// 64-bit hash, for checksums.
uint64_t evn__checksum(const void *data, size_t bytes);

#endif
