// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"
#include "base/memory.h"
#include "test.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

// Arena -------------------------------------------------------------------------------------------

static bool all_are(const unsigned char *data, size_t bytes, unsigned char value) {
    bool good = true;
    for (size_t i = 0; i < bytes; ++i) {
        good = good && data[i] == value;
    }
    return good;
}

START_TEST(blocks_are_zeroed_aligned_and_apart) {
    enum { BLOCKS = 400 };
    evn__arena arena = {0};
    unsigned char *blocks[BLOCKS];
    for (int i = 0; i < BLOCKS; ++i) {
        size_t bytes = (size_t)i * 7 + 1; // 560 KB in all: many times the arena's own block
        blocks[i] = evn__arena_alloc(&arena, bytes);
        ck_assert_ptr_nonnull(blocks[i]);
        ck_assert_uint_eq((uintptr_t)blocks[i] % _Alignof(max_align_t), 0);
        ck_assert(all_are(blocks[i], bytes, 0));
        memset(blocks[i], (unsigned char)i, bytes);
    }
    for (int i = 0; i < BLOCKS; ++i) {
        ck_assert(all_are(blocks[i], (size_t)i * 7 + 1, (unsigned char)i));
    }
    evn__arena_free(&arena);
    ck_assert_ptr_null(arena.blocks);
    ck_assert_ptr_nonnull(evn__arena_alloc(&arena, 1));
    evn__arena_free(&arena);
}
END_TEST

START_TEST(large_blocks_and_strings) {
    evn__arena arena = {0};
    unsigned char *large = evn__arena_alloc(&arena, 1000000);
    ck_assert_ptr_nonnull(large);
    large[999999] = 1;
    char text[] = "text";
    char *copy = evn__arena_string(&arena, text);
    text[0] = 'n';
    ck_assert_str_eq(copy, "text");
    ck_assert_ptr_null(evn__arena_alloc(&arena, SIZE_MAX - 5));
    evn__arena_free(&arena);
}
END_TEST

// Arrays and texts --------------------------------------------------------------------------------

START_TEST(array_grows_and_keeps) {
    int *items = NULL, capacity = 0;
    for (int i = 0; i < 1000; ++i) {
        TRY(EVN_RESERVE(items, capacity, i + 1));
        ck_assert_int_ge(capacity, i + 1);
        items[i] = i * i;
    }
    for (int i = 0; i < 1000; ++i) {
        ck_assert_int_eq(items[i], i * i);
    }
    ck_assert_int_eq(EVN_RESERVE(items, capacity, INT32_MAX), EVN_ERR_MEMORY);
    ck_assert_int_eq(items[999], 998001);
    free(items);
}
END_TEST

START_TEST(new_is_zeroed) {
    double *items;
    TRY(EVN_NEW(&items, 10));
    for (int i = 0; i < 10; ++i) {
        ck_assert_double_eq(items[i], 0);
    }
    free(items);
    TRY(EVN_NEW(&items, 0));
    ck_assert_ptr_nonnull(items);
    free(items);
}
END_TEST

START_TEST(text_grows) {
    evn__text text = {0};
    for (int i = 0; i < 1000; ++i) {
        evn__text_append(&text, "%03d,", i);
    }
    ck_assert_int_eq(text.status, EVN_OK);
    ck_assert_uint_eq(text.size, 4000);
    ck_assert_uint_eq(strlen(text.data), 4000);
    ck_assert_str_eq(text.data + 3988, "997,998,999,");
    free(text.data);
}
END_TEST

// Hash --------------------------------------------------------------------------------------------

START_TEST(hash_has_its_published_values) {
    char text[EVN__HASH_TEXT];
    evn__hash nothing = evn__hash_of("", 0);
    evn__hash_print(nothing, text);
    ck_assert_str_eq(text, "99aa06d3014798d86001c324468d497f");
    ck_assert_uint_eq(evn__checksum("", 0), 0x2d06800538d394c2u);
    ck_assert(evn__hash_equal(nothing, evn__hash_of(text, 0)));
    ck_assert(!evn__hash_equal(nothing, evn__hash_of("\0", 1)));
    ck_assert(!evn__hash_equal((evn__hash){1, 2}, (evn__hash){1, 3}));
    ck_assert(!evn__hash_equal((evn__hash){1, 2}, (evn__hash){3, 2}));
}
END_TEST

static Suite *suite(void) {
    Suite *all = suite_create("memory");
    TCase *arena = tcase_create("arena");
    tcase_add_test(arena, blocks_are_zeroed_aligned_and_apart);
    tcase_add_test(arena, large_blocks_and_strings);
    suite_add_tcase(all, arena);
    TCase *arrays = tcase_create("arrays");
    tcase_add_test(arrays, array_grows_and_keeps);
    tcase_add_test(arrays, new_is_zeroed);
    tcase_add_test(arrays, text_grows);
    suite_add_tcase(all, arrays);
    TCase *hash = tcase_create("hash");
    tcase_add_test(hash, hash_has_its_published_values);
    suite_add_tcase(all, hash);
    return all;
}

int main(void) {
    return test_run(suite());
}
