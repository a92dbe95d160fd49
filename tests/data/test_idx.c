// SPDX-License-Identifier: Apache-2.0
#include "data/idx.h"
#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { MAX_FILE = 1 << 16 };

typedef struct bytes {
    unsigned char data[MAX_FILE];
    size_t size;
} bytes;

/// An IDX file of unsigned bytes 0, 1, 2, … .
static bytes idx_file(int rank, const int *extents) {
    bytes file = {.data = {0, 0, 8, (unsigned char)rank}, .size = 4};
    size_t count = 1;
    for (int axis = 0; axis < rank; ++axis) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            file.data[file.size++] = (unsigned char)((unsigned)extents[axis] >> shift);
        }
        count *= (size_t)extents[axis];
    }
    for (size_t i = 0; i < count; ++i) {
        file.data[file.size++] = (unsigned char)i;
    }
    return file;
}

static bytes images_file(void) {
    return idx_file(3, (const int[]){5, 4, 3});
}

static bytes gzip(const unsigned char *data, size_t size) {
    bytes packed = {.size = 0};
    z_stream stream = {.next_in = (unsigned char *)data, .avail_in = (uInt)size};
    ck_assert_int_eq(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    stream.next_out = packed.data;
    stream.avail_out = MAX_FILE;
    ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    packed.size = stream.total_out;
    deflateEnd(&stream);
    return packed;
}

/// Parse a copy of exactly `size` bytes, so that ASan sees what is read beyond them.
static evn_status parse(const unsigned char *data, size_t size, evn__idx *idx) {
    unsigned char *exact = malloc(size ? size : 1);
    memcpy(exact, data, size);
    evn_status status = evn__idx_parse(exact, size, idx);
    free(exact);
    return status;
}

static void accept(const bytes *file, int rank, size_t count) {
    evn__idx idx;
    TRY(parse(file->data, file->size, &idx));
    ck_assert_int_eq(idx.rank, rank);
    size_t product = 1;
    for (int axis = 0; axis < rank; ++axis) {
        product *= (size_t)idx.extent[axis];
    }
    ck_assert_uint_eq(product, count);
    for (size_t i = 0; i < count; ++i) {
        ck_assert_uint_eq(idx.bytes[i], (unsigned char)i);
    }
    evn__idx_free(&idx);
    ck_assert_ptr_null(idx.bytes);
}

static void refuse(const unsigned char *data, size_t size, const char *message) {
    evn__idx idx;
    ck_assert_int_eq(parse(data, size, &idx), EVN_ERR_FORMAT);
    ck_assert_ptr_null(idx.bytes);
    ck_assert_msg(strstr(evn_error_message(), message), "message '%s' lacks '%s'",
                  evn_error_message(), message);
}

START_TEST(every_rank) {
    const int extents[] = {7, 5, 2, 3};
    const size_t counts[] = {7, 35, 70, 210};
    for (int rank = 1; rank <= 4; ++rank) {
        bytes file = idx_file(rank, extents);
        accept(&file, rank, counts[rank - 1]);
        bytes packed = gzip(file.data, file.size);
        accept(&packed, rank, counts[rank - 1]);
    }
}
END_TEST

START_TEST(gzip_with_name_and_comment) {
    bytes file = images_file();
    z_stream stream = {.next_in = file.data, .avail_in = (uInt)file.size};
    gz_header header = {.name = (Bytef *)"train", .comment = (Bytef *)"a comment", .hcrc = 1};
    bytes packed = {.size = 0};
    deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    deflateSetHeader(&stream, &header);
    stream.next_out = packed.data;
    stream.avail_out = MAX_FILE;
    ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    packed.size = stream.total_out;
    deflateEnd(&stream);
    accept(&packed, 3, 60);
}
END_TEST

START_TEST(truncation_at_every_byte) {
    bytes file = images_file();
    bytes packed = gzip(file.data, file.size);
    for (size_t cut = 0; cut < file.size; ++cut) {
        refuse(file.data, cut, cut == 0 ? "empty" : "");
    }
    for (size_t cut = 0; cut < packed.size; ++cut) {
        refuse(packed.data, cut, cut == 0 ? "empty" : "");
    }
}
END_TEST

START_TEST(trailing_bytes) {
    bytes file = images_file();
    bytes packed = gzip(file.data, file.size);
    file.data[file.size] = 0;
    refuse(file.data, file.size + 1, "1 bytes follow");
    packed.data[packed.size] = 0;
    refuse(packed.data, packed.size + 1, "1 bytes follow");
    memcpy(packed.data + packed.size, packed.data, packed.size); // a second member
    refuse(packed.data, 2 * packed.size, "follow after the end of the gzip data");
    bytes longer = gzip(file.data, file.size + 1);
    refuse(longer.data, longer.size, "longer than its header states");
    bytes shorter = gzip(file.data, file.size - 1);
    refuse(shorter.data, shorter.size, "1 bytes too early");
}
END_TEST

START_TEST(magic_numbers) {
    bytes file = images_file();
    static const struct {
        size_t at;
        unsigned char value;
        const char *message;
    } changes[] = {
        {0, 1, "not an IDX file"}, {1, 1, "not an IDX file"}, {2, 0x0a, "not an IDX file"},
        {2, 0, "not an IDX file"}, {2, 0x09, "signed bytes"}, {2, 0x0b, "16-bit integers"},
        {2, 0x0c, "32-bit"},       {2, 0x0d, "floats"},       {2, 0x0e, "doubles"},
        {3, 0, "rank 0"},          {3, 5, "rank 5"},          {3, 255, "rank 255"},
    };
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); ++i) {
        bytes changed = file;
        changed.data[changes[i].at] = changes[i].value;
        refuse(changed.data, changed.size, changes[i].message);
    }
}
END_TEST

START_TEST(extents) {
    bytes zero = idx_file(3, (const int[]){5, 0, 3});
    refuse(zero.data, zero.size, "extent 0 for axis 1");
    bytes large = images_file();
    large.data[4] = 1; // 2^24 + 5 images: more than the file has
    refuse(large.data, large.size, "truncated");
    memset(large.data + 4, 0xff, 12); // the product overflows 64 bits
    refuse(large.data, large.size, "2 GiB");
}
END_TEST

START_TEST(other_files) {
    const char *page = "<!DOCTYPE html><html><body>not found</body></html>";
    refuse((const unsigned char *)page, strlen(page), "web page");
    const char *pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n";
    refuse((const unsigned char *)pointer, strlen(pointer), "git lfs pull");
    refuse((const unsigned char *)"x", 1, "truncated");
}
END_TEST

START_TEST(damaged_gzip) {
    bytes file = images_file();
    bytes packed = gzip(file.data, file.size);
    for (size_t at = packed.size - 8; at < packed.size; ++at) { // checksum, then length
        packed.data[at] ^= 1;
        refuse(packed.data, packed.size, "damaged");
        packed.data[at] ^= 1;
    }
    packed.data[3] |= 0x80; // a reserved flag
    refuse(packed.data, packed.size, "damaged");
    packed.data[3] &= 0x7f;
    packed.data[2] = 7; // another method
    refuse(packed.data, packed.size, "damaged");
}
END_TEST

START_TEST(flipped_bits_of_gzip) {
    bytes file = images_file();
    bytes packed = gzip(file.data, file.size);
    int refused = 0, bits = (int)(8 * packed.size);
    for (int bit = 0; bit < bits; ++bit) {
        packed.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
        evn__idx idx;
        evn_status status = parse(packed.data, packed.size, &idx);
        if (status == EVN_OK) { // a bit that does not matter: time stamp, padding
            ck_assert_mem_eq(idx.bytes, file.data + 16, 60);
            evn__idx_free(&idx);
        }
        refused += status == EVN_ERR_FORMAT;
        packed.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    ck_assert_int_ge(refused, bits - 8 * 10);
}
END_TEST

START_TEST(bomb) {
    // 1 GiB according to its header, 60 bytes in truth: refused before anything is allocated.
    bytes file = images_file();
    memcpy(file.data + 4, (unsigned char[]){0, 0, 16, 0, 0, 0, 2, 0, 0, 0, 2, 0}, 12);
    bytes packed = gzip(file.data, file.size);
    refuse(packed.data, packed.size, "the file has");
}
END_TEST

/// More than is set aside before anything was read, by twos.
START_TEST(millions) {
    enum { COUNT = 3 << 20 };
    unsigned char *data = calloc(COUNT + 8, 1);
    const unsigned char head[] = {0, 0, 8, 1, 0, COUNT >> 16, 0, 0};
    evn__idx idx;
    memcpy(data, head, sizeof(head));
    data[COUNT + 7] = 9;
    TRY(evn__idx_parse(data, COUNT + 8, &idx));
    ck_assert_int_eq(idx.extent[0], COUNT);
    ck_assert_int_eq(idx.bytes[COUNT - 1], 9);
    evn__idx_free(&idx);
    ck_assert_int_eq(evn__idx_parse(data, (size_t)INT32_MAX + 1, &idx), EVN_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "2 GiB"));
    free(data);
}
END_TEST

START_TEST(paths) {
    evn__idx idx;
    ck_assert_int_eq(evn__idx_read("/nowhere/images", &idx), EVN_ERR_FILE);
    char path[512];
    snprintf(path, sizeof(path), "%s/images", test_folder());
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    fputs("x", file);
    fclose(file);
    ck_assert_int_eq(evn__idx_read(path, &idx), EVN_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), path));
    file = fopen(path, "wb");
    fputs("<html>", file);
    fclose(file);
    ck_assert_int_eq(evn__idx_outline(path, &idx), EVN_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "web page"));
}
END_TEST

static Suite *suite(void) {
    Suite *all = suite_create("idx");
    TCase *accepted = tcase_create("accepted");
    tcase_add_test(accepted, every_rank);
    tcase_add_test(accepted, gzip_with_name_and_comment);
    tcase_add_test(accepted, millions);
    suite_add_tcase(all, accepted);
    TCase *refused = tcase_create("refused");
    tcase_add_test(refused, truncation_at_every_byte);
    tcase_add_test(refused, trailing_bytes);
    tcase_add_test(refused, magic_numbers);
    tcase_add_test(refused, extents);
    tcase_add_test(refused, other_files);
    tcase_add_test(refused, damaged_gzip);
    tcase_add_test(refused, flipped_bits_of_gzip);
    tcase_add_test(refused, bomb);
    tcase_add_test(refused, paths);
    suite_add_tcase(all, refused);
    return all;
}

int main(void) {
    return test_run(suite());
}
