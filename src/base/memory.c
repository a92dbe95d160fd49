// SPDX-License-Identifier: Apache-2.0
#include "base/memory.h"

#include "base/number.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Where tests of failing allocations count what they meet, each piece has a block of its own, so
// that each may be the one for which there is no memory.
#ifdef EVN_SINGLE_BLOCKS
enum { BLOCK_BYTES = 1 };
#else
enum { BLOCK_BYTES = 1 << 16 };
#endif

typedef struct evn__arena_block {
    struct evn__arena_block *next;
    size_t used, size;
    _Alignas(max_align_t) unsigned char bytes[];
} evn__arena_block;

static evn__arena_block *grow(evn__arena *arena, size_t bytes) {
    size_t size = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
    evn__arena_block *block = calloc(1, sizeof(*block) + size);
    if (block) {
        block->size = size;
        block->next = arena->blocks;
        arena->blocks = block;
    }
    return block;
}

void *evn__arena_alloc(evn__arena *arena, size_t bytes) {
    size_t align = _Alignof(max_align_t);
    if (bytes > SIZE_MAX / 2) {
        return NULL;
    }
    bytes = (bytes + align - 1) / align * align;
    evn__arena_block *block = arena->blocks;
    if (!block || block->size - block->used < bytes) {
        block = grow(arena, bytes);
        if (!block) {
            return NULL;
        }
    }
    void *memory = block->bytes + block->used;
    block->used += bytes;
    return memory;
}

char *evn__arena_string(evn__arena *arena, const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = evn__arena_alloc(arena, bytes);
    if (copy) {
        memcpy(copy, text, bytes);
    }
    return copy;
}

void evn__arena_free(evn__arena *arena) {
    while (arena->blocks) {
        evn__arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
}

evn_status evn__reserve(void **items, int *capacity, int wanted, size_t item_size) {
    if (wanted <= *capacity) {
        return EVN_OK;
    }
    EVN_CHECK(wanted < INT32_MAX / 2, EVN_ERR_MEMORY, "array of %d items is too long", wanted);
    int size = *capacity ? *capacity : 16;
    while (size < wanted) {
        size *= 2;
    }
    void *grown = realloc(*items, (size_t)size * item_size);
    EVN_CHECK(grown, EVN_ERR_MEMORY, "no memory for %d items of %zu bytes", size, item_size);
    *items = grown;
    *capacity = size;
    return EVN_OK;
}

evn_status evn__new(void **out, size_t count, size_t item_size) {
    *out = calloc(count ? count : 1, item_size);
    EVN_CHECK(*out, EVN_ERR_MEMORY, "no memory for %zu items of %zu bytes", count, item_size);
    return EVN_OK;
}

static evn_status text_grow(evn__text *text, size_t more) {
    size_t wanted = text->size + more + 1;
    if (wanted <= text->capacity) {
        return EVN_OK;
    }
    size_t capacity = wanted * 2;
    char *grown = realloc(text->data, capacity);
    EVN_CHECK(grown, EVN_ERR_MEMORY, "no memory for a text of %zu bytes", capacity);
    text->data = grown;
    text->capacity = capacity;
    return EVN_OK;
}

void evn__text_append(evn__text *text, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int more = evn__print_list(NULL, 0, format, arguments);
    va_end(arguments);
    if (text->status == EVN_OK && more >= 0) {
        text->status = text_grow(text, (size_t)more);
        if (text->status == EVN_OK) {
            evn__print_list(text->data + text->size, (size_t)more + 1, format, again);
            text->size += (size_t)more;
        }
    }
    va_end(again);
}

void evn__text_append_bytes(evn__text *text, const char *bytes, size_t count) {
    text->status = text->status == EVN_OK ? text_grow(text, count) : text->status;
    if (text->status == EVN_OK) {
        memcpy(text->data + text->size, bytes, count);
        text->size += count;
        text->data[text->size] = 0;
    }
}

void evn__text_need(evn__text *text, const evn__text *part) {
    text->status = text->status == EVN_OK ? part->status : text->status;
}
