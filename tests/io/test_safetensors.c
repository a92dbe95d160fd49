// SPDX-License-Identifier: Apache-2.0
#include "io/safetensors.h"
#include "io/seal.h"
#include "sweep.h"
#include "test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const float narrow[6] = {1, -2, 3.5f, 0, 1e-30f, -0.0f};
static const double wide[2] = {0.1, -1e300};
static const unsigned char octets[3] = {0, 255, 7};

static const evn__tensor sample[] = {
    {.name = "stem.weight", .dtype = EVN__F32, .rank = 2, .extent = {2, 3}, .data = narrow},
    {.name = "time", .dtype = EVN__F64, .rank = 1, .extent = {2}, .data = wide},
    {.name = "empty", .dtype = EVN__F32, .rank = 2, .extent = {0, 7}, .data = NULL},
    {.name = "scalar \xc3\xa9", .dtype = EVN__F32, .rank = 0, .data = narrow},
    {.name = "state", .dtype = EVN__U8, .rank = 1, .extent = {3}, .data = octets},
};
enum { SAMPLES = sizeof(sample) / sizeof(*sample) };
static const evn__key_value pairs[] = {{"step", "12"}, {"model", "node-ew"}};

static const char *sample_path(void) {
    static char path[512];
    snprintf(path, sizeof(path), "%s/model.safetensors", test_folder());
    return path;
}

static unsigned char *sample_bytes(size_t *size) {
    TRY(evn__safetensors_write(sample_path(), sample, SAMPLES, pairs, 2));
    FILE *file = fopen(sample_path(), "rb");
    ck_assert_ptr_nonnull(file);
    unsigned char *data = malloc(1 << 16);
    *size = fread(data, 1, 1 << 16, file);
    fclose(file);
    return data;
}

/// Bytes of the JSON header, padding included.
static size_t header_bytes(const unsigned char *data) {
    uint64_t size;
    memcpy(&size, data, sizeof(size));
    return (size_t)size;
}

START_TEST(round_trip) {
    TRY(evn__safetensors_write(sample_path(), sample, SAMPLES, pairs, 2));
    evn__safetensors *file;
    TRY(evn__safetensors_read(sample_path(), &file));
    ck_assert_int_eq(evn__safetensors_count(file), SAMPLES);
    for (int i = 0; i < SAMPLES; ++i) {
        const evn__tensor *read = evn__safetensors_find(file, sample[i].name);
        ck_assert_ptr_nonnull(read);
        ck_assert_int_eq(read->rank, sample[i].rank);
        for (int axis = 0; axis < read->rank; ++axis) {
            ck_assert_int_eq(read->extent[axis], sample[i].extent[axis]);
        }
        if (read->bytes > 0) {
            ck_assert_mem_eq(read->data, sample[i].data, read->bytes);
        }
    }
    ck_assert_uint_eq(evn__safetensors_find(file, "stem.weight")->bytes, sizeof(narrow));
    ck_assert_str_eq(evn__safetensors_metadata(file, "step"), "12");
    ck_assert_str_eq(evn__safetensors_metadata(file, "producer"), "evonode");
    ck_assert_ptr_null(evn__safetensors_metadata(file, "epoch"));
    ck_assert_ptr_null(evn__safetensors_find(file, "__metadata__"));
    TRY(evn__safetensors_match(file, sample, SAMPLES));
    evn__safetensors_destroy(&file);
    ck_assert_ptr_null(file);
}
END_TEST

START_TEST(same_bytes_in_any_order) {
    size_t size, again_size;
    unsigned char *data = sample_bytes(&size);
    evn__tensor turned[SAMPLES];
    for (int i = 0; i < SAMPLES; ++i) {
        turned[i] = sample[SAMPLES - 1 - i];
    }
    evn__key_value turned_pairs[] = {pairs[1], pairs[0]};
    TRY(evn__safetensors_write(sample_path(), turned, SAMPLES, turned_pairs, 2));
    unsigned char again[4096];
    FILE *file = fopen(sample_path(), "rb");
    ck_assert_ptr_nonnull(file);
    again_size = fread(again, 1, sizeof(again), file);
    fclose(file);
    ck_assert_uint_eq(size, again_size);
    ck_assert_mem_eq(data, again, size);
    ck_assert_uint_eq(header_bytes(data) % 8, 0);
    free(data);
}
END_TEST

START_TEST(truncation_at_every_byte) {
    size_t size;
    unsigned char *data = sample_bytes(&size);
    for (size_t cut = 0; cut < size; ++cut) {
        unsigned char *exact = malloc(cut ? cut : 1); // reading beyond it is seen by ASan
        memcpy(exact, data, cut);
        evn__safetensors *file;
        ck_assert_int_eq(evn__safetensors_parse(exact, cut, &file), EVN_ERR_FORMAT);
        ck_assert_ptr_null(file);
        free(exact);
    }
    free(data);
}
END_TEST

START_TEST(bit_flips) {
    size_t size;
    unsigned char *data = sample_bytes(&size);
    for (size_t bit = 0; bit < 8 * size; ++bit) { // of header and data alike
        data[bit / 8] ^= (unsigned char)(1u << bit % 8);
        evn__safetensors *file;
        ck_assert_msg(evn__safetensors_parse(data, size, &file) == EVN_ERR_FORMAT,
                      "bit %zu of byte %zu is not missed", bit % 8, bit / 8);
        data[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    free(data);
}
END_TEST

/// Files of earlier versions have a checksum of the data alone.
START_TEST(earlier_checksum) {
    size_t size;
    unsigned char *data = sample_bytes(&size);
    evn__safetensors *file;
    char seal[EVN__SEAL_SIZE];
    size_t begin = 8 + header_bytes(data);
    char *stated = strstr((char *)data + 8, "xxh3-all:");
    ck_assert_ptr_nonnull(stated);
    evn__seal_of_data(data + begin, size - begin, seal);
    memcpy(stated, seal, strlen(seal));
    memmove(stated + strlen(seal), stated + EVN__SEAL_SIZE - 1,
            begin - (size_t)((unsigned char *)stated + EVN__SEAL_SIZE - 1 - data));
    memset(data + begin - (EVN__SEAL_SIZE - 1 - strlen(seal)), ' ',
           EVN__SEAL_SIZE - 1 - strlen(seal));
    TRY(evn__safetensors_parse(data, size, &file));
    evn__safetensors_destroy(&file);
    data[size - 1] ^= 1;
    ck_assert_int_eq(evn__safetensors_parse(data, size, &file), EVN_ERR_FORMAT);
    free(data);
}
END_TEST

START_TEST(lost_checksum) {
    size_t size;
    unsigned char *data = sample_bytes(&size);
    char *key = strstr((char *)data + 8, "checksum");
    ck_assert_ptr_nonnull(key);
    key[0] = 'C';
    evn__safetensors *file;
    ck_assert_int_eq(evn__safetensors_parse(data, size, &file), EVN_ERR_FORMAT);
    free(data);
}
END_TEST

/// A name of the same length in place of a key: the pair then says nothing to us.
static void rename_key(unsigned char *data, const char *key) {
    char *at = strstr((char *)data + 8, key);
    ck_assert_ptr_nonnull(at);
    at[0] = 'X';
}

/// What the message about an edited file advises is what makes it readable.
START_TEST(edited_with_old_metadata) {
    size_t size;
    unsigned char *data = sample_bytes(&size);
    evn__safetensors *file;
    data[size - 1] ^= 1;
    ck_assert_int_eq(evn__safetensors_parse(data, size, &file), EVN_ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "edited"));
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "without 'checksum' and 'producer'"));
    rename_key(data, "checksum");
    rename_key(data, "producer");
    TRY(evn__safetensors_parse(data, size, &file));
    evn__safetensors_destroy(&file);
    free(data);
}
END_TEST

// The rules of the format -------------------------------------------------------------------------

/// Parse a file made of this header and `bytes` zero bytes of data.
static evn_status parse_text(const char *header, size_t length, size_t bytes) {
    size_t size = 8 + length + bytes;
    unsigned char *data = calloc(1, size);
    uint64_t stated = length;
    memcpy(data, &stated, sizeof(stated));
    memcpy(data + 8, header, length);
    evn__safetensors *file;
    evn_status status = evn__safetensors_parse(data, size, &file);
    if (status == EVN_OK) {
        evn__safetensors_destroy(&file);
    }
    free(data);
    return status;
}

typedef struct rule {
    size_t bytes; ///< of data
    const char *header;
    const char *message; ///< part of it; NULL: the file is right
} rule;

#define ENTRY(shape, begin, end)                                                                   \
    "{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"
#define ONE(shape, end) "{\"a\":" ENTRY(shape, "0", end) "}"

static const rule rules[] = {
    {0, "{}", NULL},
    {0, "{}  \n\t ", NULL},
    {8, ONE("[2]", "8"), NULL},
    {4, ONE("[]", "4"), NULL},
    {0, ONE("[0]", "0"), NULL},
    {0, ONE("[3,0]", "0"), NULL},
    {4, "{\"a\":{\"data_offsets\":[0,4],\"shape\":[1],\"dtype\":\"F32\"}}", NULL},
    {4, "{\"\\u00e9\\u4e00\":" ENTRY("[1]", "0", "4") "}", NULL},
    {8, "{\"b\":" ENTRY("[1]", "4", "8") ",\"a\":" ENTRY("[1]", "0", "4") "}", NULL},
    {0, "{\"__metadata__\":{\"k\":\"-1 \\\"-\"}}", NULL},
    {8, "{\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}", NULL},
    // the header as text
    {0, " {}", "does not begin"},
    {0, "[]", "does not begin"},
    {0, "{} x", "JSON"},
    {0, "{}{}", "JSON"},
    {0, "{ ", "JSON"},
    {0, "{/**/}", "JSON"},
    {0, "{\"a\":}", "JSON"},
    {0, "{\"__metadata__\":{\"k\":\"v\",}}", "JSON"},
    {0, "{\"__metadata__\":{\"k\":NaN}}", "JSON"},
    {0, "{\"__metadata__\":{\"k\":\"\xff\"}}", "JSON"},
    {0, "{\"__metadata__\":{\"k\":\"\xc0\xaf\"}}", "JSON"},
    {0, "{\"__metadata__\":{\"k\":\"\\ud800\"}}", "JSON"},
    {0, "{\"__metadata__\":{\"k\":\"\\u0000\"}}", "JSON"},
    {0, "{\"__metadata__\":{\"k\":\"\n\"}}", "JSON"},
    {4, ONE("[01]", "4"), "JSON"},
    // keys
    {0, "{\"a\":" ENTRY("[0]", "0", "0") ",\"a\":" ENTRY("[0]", "0", "0") "}", "JSON"},
    {0, "{\"a\":" ENTRY("[0]", "0", "0") ",\"\\u0061\":" ENTRY("[0]", "0", "0") "}", "JSON"},
    {0, "{\"__metadata__\":{\"k\":\"v\",\"k\":\"v\"}}", "JSON"},
    {0, "{\"__metadata__\":{},\"__metadata__\":{}}", "JSON"},
    {4, "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
     "JSON"},
    {0, "{\"__metadata__\":null}", "not an object"},
    {0, "{\"__metadata__\":[]}", "not an object"},
    {0, "{\"__metadata__\":{\"k\":1}}", "not a string"},
    {0, "{\"__metadata__\":{\"k\":{\"x\":\"y\"}}}", "not a string"},
    // an entry
    {0, "{\"a\":3}", "not an object of"},
    {0, "{\"a\":null}", "not an object of"},
    {0, "{\"a\":{\"dtype\":\"F32\",\"shape\":[0]}}", "not an object of"},
    {0, "{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0],\"x\":1}}",
     "not an object of"},
    {0, "{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"offsets\":[0,0]}}", "data_offsets is not"},
    {0, "{\"a\":{\"dtype\":1,\"shape\":[0],\"data_offsets\":[0,0]}}", "dtype is not"},
    {0, "{\"a\":{\"dtype\":\"f32\",\"shape\":[0],\"data_offsets\":[0,0]}}", "not supported"},
    {0, "{\"a\":{\"dtype\":\"F16\",\"shape\":[0],\"data_offsets\":[0,0]}}", "not supported"},
    {0, "{\"a\":{\"dtype\":\"F128\",\"shape\":[0],\"data_offsets\":[0,0]}}", "not supported"},
    // numbers
    {4, ONE("[-1]", "4"), "sign"},
    {0, ONE("[-0]", "0"), "sign"},
    {4, ONE("[1.0]", "4"), "not an integer"},
    {4, ONE("[1e0]", "4"), "not an integer"},
    {4, ONE("[\"1\"]", "4"), "not an integer"},
    {4, ONE("[true]", "4"), "not an integer"},
    {4, ONE("[null]", "4"), "not an integer"},
    {4, ONE("[[1]]", "4"), "not an integer"},
    {4, ONE("1", "4"), "shape is not"},
    {4, ONE("{}", "4"), "shape is not"},
    {0, ONE("[281474976710656,0]", "0"), "2^48"},
    {0, ONE("[99999999999999999999]", "0"), "JSON"},
    {4, ONE("[1,1,1,1,1,1,1,1,1]", "4"), "rank 9"},
    {4, ONE("[1,1,1,1,1,1,1,1]", "4"), NULL},
    {16, ONE("[4194305,4194305,211106198978564]", "16"), "more bytes"},
    {0, ONE("[281474976710655,281474976710655,0]", "0"), "more bytes"},
    // places
    {4, ONE("[1]", "4,4"), "not an array of two"},
    {4, "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4]}}", "not an array of two"},
    {4, "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":4}}", "not an array of two"},
    {4, ONE("[1]", "4.0"), "not an integer"},
    {4, "{\"a\":" ENTRY("[1]", "0.0", "4") "}", "not an integer"},
    {4, "{\"a\":" ENTRY("[1]", "0", "4") ",\"b\":" ENTRY("[0]", "0", "0") "}", NULL},
    {4, "{\"b\":" ENTRY("[0]", "0", "0") ",\"a\":" ENTRY("[1]", "0", "4") "}", NULL},
    {8, "{\"a\":" ENTRY("[1]", "8", "4") "}", "do not lie"},
    {4, ONE("[2]", "8"), "do not lie"},
    {4, ONE("[1]", "281474976710655"), "do not lie"},
    {8, ONE("[1]", "8"), "span 8"},
    {4, ONE("[2]", "4"), "span 4"},
    {8, "{\"a\":" ENTRY("[1]", "4", "8") "}", "begins at byte 4"},
    {12, "{\"a\":" ENTRY("[1]", "0", "4") ",\"b\":" ENTRY("[1]", "8", "12") "}",
     "begins at byte 8"},
    {8, "{\"a\":" ENTRY("[2]", "0", "8") ",\"b\":" ENTRY("[1]", "4", "8") "}", "begins at byte 4"},
    {4, "{\"a\":" ENTRY("[1]", "0", "4") ",\"b\":" ENTRY("[1]", "0", "4") "}", "begins at byte 0"},
    {5, ONE("[1]", "4"), "something follows"},
    {1, "{}", "something follows"},
    // names
    {0, "{\"\":" ENTRY("[0]", "0", "0") "}", "empty name"},
    {0, "{\"a\\n\":" ENTRY("[0]", "0", "0") "}", "control character"},
    {0, "{\"a\\u007f\":" ENTRY("[0]", "0", "0") "}", "control character"},
    {0, "{\"a\\u0000b\":" ENTRY("[0]", "0", "0") "}", "JSON"},
    // the checksum
    {4, "{\"__metadata__\":{\"checksum\":\"xxh3:0\"},\"a\":" ENTRY("[1]", "0", "4") "}", "damaged"},
    {4, "{\"__metadata__\":{\"producer\":\"evonode\"},\"a\":" ENTRY("[1]", "0", "4") "}",
     "damaged"},
    {4, "{\"__metadata__\":{\"producer\":\"another\"},\"a\":" ENTRY("[1]", "0", "4") "}", NULL},
};

START_TEST(format_rules) {
    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); ++i) {
        const rule *one = &rules[i];
        evn_status status = parse_text(one->header, strlen(one->header), one->bytes);
        if (!one->message) {
            ck_assert_msg(status == EVN_OK, "%s: %s", one->header, evn_error_message());
            continue;
        }
        ck_assert_msg(status == EVN_ERR_FORMAT, "%s: was accepted", one->header);
        ck_assert_msg(strstr(evn_error_message(), one->message), "%s: message '%s' lacks '%s'",
                      one->header, evn_error_message(), one->message);
    }
}
END_TEST

START_TEST(header_lengths) {
    unsigned char data[16] = {0};
    evn__safetensors *file;
    const uint64_t lengths[] = {0, 1, 9, (1 << 24) + 1, UINT64_MAX, UINT64_MAX - 7};
    memcpy(data + 8, "{}      ", 8);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); ++i) {
        memcpy(data, &lengths[i], 8);
        ck_assert_int_eq(evn__safetensors_parse(data, sizeof(data), &file), EVN_ERR_FORMAT);
    }
    ck_assert_int_eq(parse_text("{}\0", 3, 0), EVN_ERR_FORMAT); // a NUL byte
}
END_TEST

START_TEST(deep_and_long) {
    char deep[3000] = "{\"a\":";
    memset(deep + 5, '[', sizeof(deep) - 5);
    ck_assert_int_eq(parse_text(deep, sizeof(deep), 0), EVN_ERR_FORMAT);
    char name[1200], header[1400];
    memset(name, 'n', sizeof(name));
    for (int length = 1024; length <= 1025; ++length) {
        snprintf(header, sizeof(header), "{\"%.*s\":" ENTRY("[0]", "0", "0") "}", length, name);
        evn_status wanted = length == 1024 ? EVN_OK : EVN_ERR_FORMAT;
        ck_assert_int_eq(parse_text(header, strlen(header), 0), wanted);
    }
}
END_TEST

START_TEST(not_a_file) {
    evn__safetensors *file;
    ck_assert_int_eq(evn__safetensors_read(test_folder(), &file), EVN_ERR_FILE);
    ck_assert_int_eq(evn__safetensors_read("/nowhere/x", &file), EVN_ERR_FILE);
    ck_assert_ptr_null(file);
}
END_TEST

// Writing and matching ----------------------------------------------------------------------------

/// Nothing is written for content that cannot be read again.
static void refuse(const evn__tensor *tensors, int count, const evn__key_value *metadata,
                   int pairs_count) {
    char path[512];
    snprintf(path, sizeof(path), "%s/refused", test_folder());
    ck_assert_int_eq(evn__safetensors_write(path, tensors, count, metadata, pairs_count),
                     EVN_ERR_ARGUMENT);
    ck_assert_ptr_null(fopen(path, "rb"));
}

START_TEST(refused_content) {
    evn__tensor one = sample[0];
    evn__tensor twice[] = {sample[0], sample[0]};
    refuse(twice, 2, NULL, 0);
    one.name = "";
    refuse(&one, 1, NULL, 0);
    one.name = "\xff";
    refuse(&one, 1, NULL, 0);
    one.name = "tab\t";
    refuse(&one, 1, NULL, 0);
    one.name = "__metadata__";
    refuse(&one, 1, NULL, 0);
    one = sample[0];
    one.extent[0] = -1;
    refuse(&one, 1, NULL, 0);
    one = sample[0];
    one.rank = 9;
    refuse(&one, 1, NULL, 0);
    const int64_t huge = (int64_t)1 << 62;
    evn__tensor many[] = {{.name = "a", .rank = 1, .extent = {huge}},
                          {.name = "b", .rank = 1, .extent = {huge}},
                          {.name = "c", .rank = 1, .extent = {huge}},
                          {.name = "d", .rank = 1, .extent = {huge}}};
    refuse(many, 4, NULL, 0); // more together than can be counted
    evn__key_value reserved = {"checksum", "x"}, broken = {"k", "\xff"};
    refuse(sample, 1, &reserved, 1);
    refuse(sample, 1, &broken, 1);
}
END_TEST

START_TEST(unwritable) {
    ck_assert_int_eq(evn__safetensors_write("/nowhere/x", sample, SAMPLES, NULL, 0),
                     EVN_ERR_OUTPUT);
}
END_TEST

START_TEST(match_lists_differences) {
    TRY(evn__safetensors_write(sample_path(), sample, 2, NULL, 0));
    evn__safetensors *file;
    TRY(evn__safetensors_read(sample_path(), &file));
    evn__tensor wanted[] = {sample[0], sample[3]};
    wanted[0].extent[0] = 3;
    ck_assert_int_eq(evn__safetensors_match(file, wanted, 2), EVN_ERR_DATA);
    const char *message = evn_error_message();
    ck_assert_ptr_nonnull(strstr(message, "stem.weight F32 [3, 3] is there as F32 [2, 3]"));
    ck_assert_ptr_nonnull(strstr(message, "scalar \xc3\xa9 F32 [] is missing"));
    ck_assert_ptr_nonnull(strstr(message, "time is not part of the model"));
    TRY(evn__safetensors_match(file, sample, 2));
    evn__safetensors_destroy(&file);
}
END_TEST

START_TEST(match_wants_the_kind) {
    evn__tensor wanted = sample[0];
    evn__safetensors *file;
    TRY(evn__safetensors_write(sample_path(), sample, 1, NULL, 0));
    TRY(evn__safetensors_read(sample_path(), &file));
    wanted.dtype = EVN__F64;
    ck_assert_int_eq(evn__safetensors_match(file, &wanted, 1), EVN_ERR_DATA);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "F64 [2, 3] is there as F32 [2, 3]"));
    wanted = sample[0];
    wanted.rank = 1;
    ck_assert_int_eq(evn__safetensors_match(file, &wanted, 1), EVN_ERR_DATA);
    ck_assert_ptr_nonnull(strstr(evn_error_message(), "F32 [2] is there as F32 [2, 3]"));
    evn__safetensors_destroy(&file);
}
END_TEST

START_TEST(match_wants_finite) {
    const float bad[6] = {0, 1, NAN, 3, 4, 5};
    const double worse[2] = {0, -INFINITY};
    evn__tensor tensors[] = {sample[0], sample[1]};
    for (int which = 0; which < 2; ++which) {
        tensors[0].data = which == 0 ? bad : narrow;
        tensors[1].data = which == 1 ? worse : wide;
        TRY(evn__safetensors_write(sample_path(), tensors, 2, NULL, 0));
        evn__safetensors *file;
        TRY(evn__safetensors_read(sample_path(), &file)); // NaN is legal in the format
        ck_assert_int_eq(evn__safetensors_match(file, tensors, 2), EVN_ERR_NOT_FINITE);
        ck_assert_ptr_nonnull(strstr(evn_error_message(), which == 0 ? "index 2" : "index 1"));
        evn__safetensors_destroy(&file);
    }
}
END_TEST

// Faults ------------------------------------------------------------------------------------------

static evn_status write_sample(void) {
    return evn__safetensors_write(sample_path(), sample, SAMPLES, pairs, 2);
}

static evn_status read_sample(void) {
    evn__safetensors *file = NULL;
    evn_status status = evn__safetensors_read(sample_path(), &file);
    status = status == EVN_OK ? evn__safetensors_match(file, sample, SAMPLES) : status;
    evn__safetensors_destroy(&file);
    return status;
}

/// What differs is said, or that there is no memory to say it.
static evn_status compare_sample(void) {
    evn__safetensors *file = NULL;
    evn_status status = evn__safetensors_read(sample_path(), &file);
    if (status == EVN_OK) {
        status = evn__safetensors_match(file, sample, 1);
        status = status == EVN_ERR_DATA ? EVN_OK : status == EVN_OK ? EVN_ERR_INTERNAL : status;
    }
    evn__safetensors_destroy(&file);
    return status;
}

START_TEST(faults) {
    static const test_deed deeds[] = {{.name = "write", .run = write_sample},
                                      {.name = "read", .run = read_sample},
                                      {.name = "compare", .run = compare_sample}};
    test_sweep_begin();
    test_sweep(&deeds[0]);
    TRY(write_sample());
    test_sweep(&deeds[1]);
    test_sweep(&deeds[2]);
}
END_TEST

static Suite *suite(void) {
    Suite *all = suite_create("safetensors");
    TCase *content = tcase_create("content");
    tcase_add_test(content, round_trip);
    tcase_add_test(content, same_bytes_in_any_order);
    tcase_add_test(content, refused_content);
    tcase_add_test(content, unwritable);
    suite_add_tcase(all, content);
    TCase *malformed = tcase_create("malformed");
    tcase_add_test(malformed, format_rules);
    tcase_add_test(malformed, header_lengths);
    tcase_add_test(malformed, deep_and_long);
    tcase_add_test(malformed, not_a_file);
    suite_add_tcase(all, malformed);
    TCase *damaged = tcase_create("damaged");
    tcase_add_test(damaged, truncation_at_every_byte);
    tcase_add_test(damaged, bit_flips);
    tcase_add_test(damaged, edited_with_old_metadata);
    tcase_add_test(damaged, earlier_checksum);
    tcase_add_test(damaged, lost_checksum);
    suite_add_tcase(all, damaged);
    TCase *match = tcase_create("match");
    tcase_add_test(match, match_lists_differences);
    tcase_add_test(match, match_wants_the_kind);
    tcase_add_test(match, match_wants_finite);
    suite_add_tcase(all, match);
    test_add(all, tcase_create("faults"), faults);
    return all;
}

int main(void) {
    return test_run(suite());
}
