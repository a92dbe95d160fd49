// SPDX-License-Identifier: Apache-2.0
// Host allocation: an arena for things that die together, a growing array for things that grow.
#ifndef EVN_BASE_MEMORY_H
#define EVN_BASE_MEMORY_H

#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

/// A bump allocator: blocks are never freed singly. Zero-initialise, then use.
typedef struct evn__arena {
    struct evn__arena_block *blocks;
} evn__arena;

/// Zeroed memory of `bytes` from the arena, aligned for any type; NULL when out of memory.
void *evn__arena_alloc(evn__arena *arena, size_t bytes);

/// Copy of a string in the arena; NULL when out of memory.
char *evn__arena_string(evn__arena *arena, const char *text);

/// Free every block; the arena can be used again.
void evn__arena_free(evn__arena *arena);

/// a · b and a + b, or more than any allocation gives where they do not fit: sizes that follow from
/// what a caller asks for, and that then fail as what they are.
static inline size_t evn__size_product(size_t a, size_t b) {
    return b > 0 && a > SIZE_MAX / 2 / b ? SIZE_MAX / 2 : a * b;
}
static inline size_t evn__size_sum(size_t a, size_t b) {
    return a > SIZE_MAX / 2 || b > SIZE_MAX / 2 - a ? SIZE_MAX / 2 : a + b;
}

/// Make room for `wanted` items of `item_size` in *items, which holds *capacity; doubles.
/// The array is freed by the caller with free().
evn_status evn__reserve(void **items, int *capacity, int wanted, size_t item_size);

/// calloc with a status: *out is owned by the caller, freed with free().
evn_status evn__new(void **out, size_t count, size_t item_size);

#define EVN_RESERVE(items, capacity, wanted)                                                       \
    evn__reserve((void **)&(items), &(capacity), (wanted), sizeof(*(items)))
#define EVN_NEW(out, count) evn__new((void **)(out), (size_t)(count), sizeof(**(out)))

/// A string that grows by printf, in the C locale; zero-initialise, free text with free().
typedef struct evn__text {
    char *data; ///< NUL-terminated, or NULL when nothing was appended
    size_t size, capacity;
    evn_status status; ///< first failure; appending after one does nothing
} evn__text;

void evn__text_append(evn__text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void evn__text_append_bytes(evn__text *text, const char *bytes, size_t count);

/// A text that is made of `part` has failed where that has: call it wherever one goes into another.
void evn__text_need(evn__text *text, const evn__text *part);

#endif
