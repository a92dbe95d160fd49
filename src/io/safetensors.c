// SPDX-License-Identifier: Apache-2.0
#include "io/safetensors.h"

#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/names.h"
#include "io/seal.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "tensors are stored as the host has them");

#define MAX_HEADER  ((size_t)1 << 24)
#define MAX_INTEGER (((int64_t)1 << 48) - 1)
#define MAX_NAME    ((size_t)1024)

enum { LENGTH_BYTES = 8 };

static const char METADATA[] = "__metadata__";
static const char PRODUCER[] = "evonode";

struct evn__safetensors {
    json_t *root; ///< the header; names and metadata point into it
    evn__tensor *tensors;
    int count;
    unsigned char *data;
};

static const struct {
    const char *name;
    size_t bytes;
} dtypes[] = {[EVN__U8] = {"U8", 1},
              [EVN__F32] = {"F32", sizeof(float)},
              [EVN__F64] = {"F64", sizeof(double)}};

static evn_status check_name(const char *name) {
    EVN_CHECK(name[0], EVN_ERR_FORMAT, "a tensor has an empty name");
    EVN_CHECK(strlen(name) <= MAX_NAME, EVN_ERR_FORMAT,
              "the tensor name '%.40s…' is longer than %zu bytes", name, MAX_NAME);
    for (const char *at = name; *at; ++at) {
        EVN_CHECK((unsigned char)*at >= 0x20 && *at != 0x7f, EVN_ERR_FORMAT,
                  "a tensor name has a control character at byte %d", (int)(at - name));
    }
    return EVN_OK;
}

/// Bytes that dtype and shape ask for.
static evn_status tensor_bytes(const evn__tensor *tensor, size_t *bytes) {
    *bytes = dtypes[tensor->dtype].bytes;
    for (int axis = 0; axis < tensor->rank; ++axis) {
        EVN_CHECK(!__builtin_mul_overflow(*bytes, tensor->extent[axis], bytes), EVN_ERR_FORMAT,
                  "tensor '%s': its shape asks for more bytes than there can be", tensor->name);
    }
    return EVN_OK;
}

// Reading: the header -----------------------------------------------------------------------------

static evn_status header_size(const unsigned char *data, size_t size, size_t *header) {
    EVN_CHECK(size >= LENGTH_BYTES, EVN_ERR_FORMAT,
              "the file has %zu bytes, too few for a safetensors file", size);
    uint64_t stated;
    memcpy(&stated, data, sizeof(stated));
    EVN_CHECK(stated <= MAX_HEADER, EVN_ERR_FORMAT,
              "not a safetensors file: its header would have %" PRIu64 " bytes, over %zu", stated,
              MAX_HEADER);
    EVN_CHECK(stated >= 2, EVN_ERR_FORMAT, "the header has %" PRIu64 " bytes; '{}' has two",
              stated);
    EVN_CHECK(stated <= size - LENGTH_BYTES, EVN_ERR_FORMAT,
              "the header should have %" PRIu64 " bytes, the file has %zu: it is truncated", stated,
              size - LENGTH_BYTES);
    *header = (size_t)stated;
    return EVN_OK;
}

/// JSON readers turn -0 into 0; no number of a header has a sign, so none is let through.
static bool has_sign(const char *text, size_t size) {
    bool quoted = false;
    for (size_t i = 0; i < size; ++i) {
        if (quoted && text[i] == '\\') {
            ++i;
        } else if (text[i] == '"') {
            quoted = !quoted;
        } else if (text[i] == '-' && !quoted) {
            return true;
        }
    }
    return false;
}

static evn_status parse_header(const char *text, size_t size, json_t **root) {
    EVN_CHECK(text[0] == '{', EVN_ERR_FORMAT, "the header does not begin with '{'");
    EVN_CHECK(!has_sign(text, size), EVN_ERR_FORMAT, "the header has a number with a sign");
    evn_status status = evn__json_parse(text, size, root);
    return status == EVN_OK ? status : evn__prepend(status, "the header");
}

static evn_status check_metadata(json_t *metadata) {
    EVN_CHECK(json_is_object(metadata), EVN_ERR_FORMAT, "%s is not an object", METADATA);
    const char *key;
    json_t *value;
    json_object_foreach(metadata, key, value) {
        EVN_CHECK(json_is_string(value), EVN_ERR_FORMAT, "%s: the value of '%.80s' is not a string",
                  METADATA, key);
    }
    return EVN_OK;
}

// Reading: one tensor -----------------------------------------------------------------------------

static evn_status read_integer(const json_t *value, const evn__tensor *tensor, const char *what,
                               int64_t *integer) {
    EVN_CHECK(json_is_integer(value), EVN_ERR_FORMAT,
              "tensor '%s': %s holds something that is not an integer", tensor->name, what);
    *integer = json_integer_value(value);
    EVN_CHECK(*integer <= MAX_INTEGER, EVN_ERR_FORMAT, "tensor '%s': %s holds %lld, over 2^48 - 1",
              tensor->name, what, (long long)*integer);
    return EVN_OK;
}

static evn_status read_dtype(const json_t *value, evn__tensor *tensor) {
    const char *text = json_string_value(value);
    EVN_CHECK(text, EVN_ERR_FORMAT, "tensor '%s': dtype is not a string", tensor->name);
    for (size_t i = 0; i < sizeof(dtypes) / sizeof(*dtypes); ++i) {
        if (strcmp(text, dtypes[i].name) == 0) {
            tensor->dtype = (evn__dtype)i;
            return EVN_OK;
        }
    }
    EVN_FAIL(EVN_ERR_FORMAT, "tensor '%s': dtype %.40s is not supported; F32, F64 and U8 are",
             tensor->name, text);
}

static evn_status read_shape(const json_t *value, evn__tensor *tensor) {
    EVN_CHECK(json_is_array(value), EVN_ERR_FORMAT, "tensor '%s': shape is not an array",
              tensor->name);
    size_t rank = json_array_size(value);
    EVN_CHECK(rank <= EVN__TENSOR_MAX_RANK, EVN_ERR_FORMAT, "tensor '%s': rank %zu is over %d",
              tensor->name, rank, EVN__TENSOR_MAX_RANK);
    tensor->rank = (int)rank;
    for (size_t axis = 0; axis < rank; ++axis) {
        EVN_TRY(read_integer(json_array_get(value, axis), tensor, "shape", &tensor->extent[axis]));
    }
    return EVN_OK;
}

/// Sets data to the tensor's offset from `base`, and bytes.
static evn_status read_offsets(const json_t *value, const unsigned char *base, size_t size,
                               evn__tensor *tensor) {
    EVN_CHECK(json_is_array(value) && json_array_size(value) == 2, EVN_ERR_FORMAT,
              "tensor '%s': data_offsets is not an array of two", tensor->name);
    int64_t begin, end;
    EVN_TRY(read_integer(json_array_get(value, 0), tensor, "data_offsets", &begin));
    EVN_TRY(read_integer(json_array_get(value, 1), tensor, "data_offsets", &end));
    EVN_CHECK(begin <= end && (uint64_t)end <= size, EVN_ERR_FORMAT,
              "tensor '%s': data_offsets %lld to %lld do not lie in the %zu bytes of data",
              tensor->name, (long long)begin, (long long)end, size);
    tensor->data = base + begin;
    tensor->bytes = (size_t)(end - begin);
    return EVN_OK;
}

static evn_status read_tensor(const char *name, const json_t *entry, const unsigned char *base,
                              size_t size, evn__tensor *tensor) {
    tensor->name = name;
    EVN_TRY(check_name(name));
    EVN_CHECK(json_object_size(entry) == 3, EVN_ERR_FORMAT,
              "tensor '%s': its entry is not an object of dtype, shape and data_offsets", name);
    EVN_TRY(read_dtype(json_object_get(entry, "dtype"), tensor));
    EVN_TRY(read_shape(json_object_get(entry, "shape"), tensor));
    EVN_TRY(read_offsets(json_object_get(entry, "data_offsets"), base, size, tensor));
    size_t bytes;
    EVN_TRY(tensor_bytes(tensor, &bytes));
    EVN_CHECK(bytes == tensor->bytes, EVN_ERR_FORMAT,
              "tensor '%s': its shape asks for %zu bytes, its data_offsets span %zu", name, bytes,
              tensor->bytes);
    return EVN_OK;
}

// Reading: the whole ------------------------------------------------------------------------------

static int by_place(const void *left, const void *right) {
    const evn__tensor *a = left, *b = right;
    const unsigned char *a_data = a->data, *b_data = b->data;
    if (a_data != b_data) {
        return a_data < b_data ? -1 : 1;
    }
    if (a->bytes != b->bytes) { // an empty tensor comes before the one that begins there
        return a->bytes < b->bytes ? -1 : 1;
    }
    return strcmp(a->name, b->name);
}

/// The tensors cover the data without gap or overlap.
static evn_status check_cover(const evn__safetensors *file, size_t size) {
    size_t at = 0;
    for (int i = 0; i < file->count; ++i) {
        const evn__tensor *tensor = &file->tensors[i];
        size_t begin = (size_t)((const unsigned char *)tensor->data - file->data);
        EVN_CHECK(begin == at, EVN_ERR_FORMAT,
                  "tensor '%s' begins at byte %zu of the data; the one before ends at %zu",
                  tensor->name, begin, at);
        at += tensor->bytes;
    }
    EVN_CHECK(at == size, EVN_ERR_FORMAT,
              "the tensors have %zu bytes, the file has %zu for them: it is truncated or something "
              "follows",
              at, size);
    return EVN_OK;
}

static evn_status read_tensors(evn__safetensors *file, size_t size) {
    EVN_TRY(EVN_NEW(&file->tensors, json_object_size(file->root)));
    const char *name;
    json_t *entry;
    json_object_foreach(file->root, name, entry) {
        if (strcmp(name, METADATA) == 0) {
            EVN_TRY(check_metadata(entry));
        } else {
            EVN_TRY(read_tensor(name, entry, file->data, size, &file->tensors[file->count]));
            ++file->count;
        }
    }
    qsort(file->tensors, (size_t)file->count, sizeof(*file->tensors), by_place);
    return check_cover(file, size);
}

/// A file of ours has a checksum; that of another producer may lack one.
static evn_status check_checksum(const evn__safetensors *file, size_t size) {
    const char *stated = evn__safetensors_metadata(file, "checksum");
    const char *producer = evn__safetensors_metadata(file, "producer");
    if (!stated && !(producer && strcmp(producer, PRODUCER) == 0)) {
        return EVN_OK;
    }
    char found[EVN__SEAL_SIZE];
    if (!stated || evn__seal_is_whole(stated)) {
        EVN_TRY(evn__seal_of(file->root, file->data, size, found));
    } else {
        evn__seal_of_data(file->data, size, found);
    }
    EVN_CHECK(
        stated && strcmp(stated, found) == 0, EVN_ERR_FORMAT,
        "the file is damaged, or was edited and has the metadata of before: its checksum is %s, "
        "its header states %s; fetch it again, or write the edited one without 'checksum' and "
        "'producer' in its metadata",
        found, stated ? stated : "none");
    return EVN_OK;
}

static evn_status read_all(const unsigned char *data, size_t size, evn__safetensors *file) {
    size_t header;
    EVN_TRY(header_size(data, size, &header));
    EVN_TRY(parse_header((const char *)data + LENGTH_BYTES, header, &file->root));
    size_t rest = size - LENGTH_BYTES - header;
    EVN_TRY(EVN_NEW(&file->data, rest));
    memcpy(file->data, data + LENGTH_BYTES + header, rest);
    EVN_TRY(read_tensors(file, rest));
    return check_checksum(file, rest);
}

evn_status evn__safetensors_parse(const unsigned char *data, size_t size, evn__safetensors **file) {
    EVN_TRY(EVN_NEW(file, 1));
    evn_status status = read_all(data, size, *file);
    if (status != EVN_OK) {
        evn__safetensors_destroy(file);
    }
    return status;
}

evn_status evn__safetensors_read(const char *path, evn__safetensors **file) {
    unsigned char *data;
    size_t size;
    *file = NULL;
    EVN_TRY(evn__file_read(path, &data, &size));
    evn_status status = evn__safetensors_parse(data, size, file);
    free(data);
    return status == EVN_OK ? status : evn__prepend(status, "%s", path);
}

void evn__safetensors_destroy(evn__safetensors **file) {
    if (!*file) {
        return;
    }
    json_decref((*file)->root);
    free((*file)->tensors);
    free((*file)->data);
    free(*file);
    *file = NULL;
}

int evn__safetensors_count(const evn__safetensors *file) {
    return file->count;
}

const evn__tensor *evn__safetensors_tensor(const evn__safetensors *file, int index) {
    return &file->tensors[index];
}

const evn__tensor *evn__safetensors_find(const evn__safetensors *file, const char *name) {
    for (int i = 0; i < file->count; ++i) {
        if (strcmp(file->tensors[i].name, name) == 0) {
            return &file->tensors[i];
        }
    }
    return NULL;
}

const char *evn__safetensors_metadata(const evn__safetensors *file, const char *key) {
    return json_string_value(json_object_get(json_object_get(file->root, METADATA), key));
}

// Comparing with a model --------------------------------------------------------------------------

static bool same_kind(const evn__tensor *a, const evn__tensor *b) {
    return a->dtype == b->dtype && a->rank == b->rank &&
           memcmp(a->extent, b->extent, (size_t)a->rank * sizeof(*a->extent)) == 0;
}

static void append_kind(evn__text *text, const evn__tensor *tensor) {
    evn__text_append(text, " %s [", dtypes[tensor->dtype].name);
    for (int axis = 0; axis < tensor->rank; ++axis) {
        evn__text_append(text, "%s%lld", axis ? ", " : "", (long long)tensor->extent[axis]);
    }
    evn__text_append(text, "]");
}

static void compare_tensor(const evn__safetensors *file, const evn__tensor *wanted,
                           evn__text *text) {
    const evn__tensor *found = evn__safetensors_find(file, wanted->name);
    if (found && same_kind(found, wanted)) {
        return;
    }
    evn__text_append(text, "%s%s", text->size ? "; " : "", wanted->name);
    append_kind(text, wanted);
    evn__text_append(text, found ? " is there as" : " is missing");
    if (found) {
        append_kind(text, found);
    }
}

static bool is_wanted(const char *name, const evn__tensor *expected, int count) {
    for (int i = 0; i < count; ++i) {
        if (strcmp(name, expected[i].name) == 0) {
            return true;
        }
    }
    return false;
}

/// What differs, "" when nothing does.
static void compare(const evn__safetensors *file, const evn__tensor *expected, int count,
                    evn__text *text) {
    for (int i = 0; i < count; ++i) {
        compare_tensor(file, &expected[i], text);
    }
    for (int i = 0; i < file->count; ++i) {
        if (!is_wanted(file->tensors[i].name, expected, count)) {
            evn__text_append(text, "%s%s is not part of the model", text->size ? "; " : "",
                             file->tensors[i].name);
        }
    }
}

static double element(const evn__tensor *tensor, size_t index) {
    const unsigned char *at = (const unsigned char *)tensor->data;
    if (tensor->dtype == EVN__F64) {
        double wide;
        memcpy(&wide, at + index * sizeof(wide), sizeof(wide));
        return wide;
    }
    float narrow;
    memcpy(&narrow, at + index * sizeof(narrow), sizeof(narrow));
    return (double)narrow;
}

static evn_status check_finite(const evn__tensor *tensor) {
    size_t count = tensor->dtype == EVN__U8 ? 0 : tensor->bytes / dtypes[tensor->dtype].bytes;
    for (size_t i = 0; i < count; ++i) {
        double value = element(tensor, i);
        EVN_CHECK(isfinite(value), EVN_ERR_NOT_FINITE, "tensor '%s' holds %g at index %zu",
                  tensor->name, value, i);
    }
    return EVN_OK;
}

evn_status evn__safetensors_match(const evn__safetensors *file, const evn__tensor *expected,
                                  int count) {
    evn__text text = {0};
    compare(file, expected, count, &text);
    evn_status status = text.status;
    if (status == EVN_OK && text.size > 0) {
        status = evn__fail(__FILE__, __LINE__, EVN_ERR_DATA, "the file does not fit the model: %s",
                           text.data);
    }
    free(text.data);
    for (int i = 0; i < file->count && status == EVN_OK; ++i) {
        status = check_finite(&file->tensors[i]);
    }
    return status;
}

// Writing -----------------------------------------------------------------------------------------

/// Wide types first, so that every tensor is aligned in the file; then by name.
static int by_dtype_and_name(const void *left, const void *right) {
    const evn__tensor *a = left, *b = right;
    if (a->dtype != b->dtype) {
        return a->dtype > b->dtype ? -1 : 1;
    }
    return strcmp(a->name, b->name);
}

static int by_key(const void *left, const void *right) {
    return strcmp(((const evn__key_value *)left)->key, ((const evn__key_value *)right)->key);
}

/// Takes `value`; refuses a key that is there, or is not UTF-8.
static evn_status put(json_t *object, const char *key, json_t *value) {
    const char *wrong = json_object_get(object, key) ? "occurs twice"
                        : !evn__is_utf8(key)         ? "is not valid UTF-8"
                                                     : NULL;
    if (wrong) {
        json_decref(value);
        EVN_FAIL(EVN_ERR_ARGUMENT, "'%s' %s", key, wrong);
    }
    EVN_CHECK(json_object_set_new(object, key, value) == 0, EVN_ERR_MEMORY,
              "no memory for '%s' in a header", key);
    return EVN_OK;
}

static evn_status put_text(json_t *object, const char *key, const char *text) {
    EVN_CHECK(evn__is_utf8(text), EVN_ERR_ARGUMENT, "the value of '%s' is not valid UTF-8", key);
    return put(object, key, json_string(text));
}

static evn_status put_metadata(json_t *root, const evn__key_value *pairs, int count) {
    json_t *metadata = json_object();
    EVN_TRY(put(root, METADATA, metadata));
    EVN_TRY(put_text(metadata, "producer", PRODUCER));
    for (int i = 0; i < count; ++i) {
        EVN_TRY(put_text(metadata, pairs[i].key, pairs[i].value));
    }
    return EVN_OK;
}

static evn_status put_tensor(json_t *root, const evn__tensor *tensor, size_t begin) {
    json_t *entry = json_object();
    EVN_TRY(put(root, tensor->name, entry));
    EVN_TRY(put_text(entry, "dtype", dtypes[tensor->dtype].name));
    json_t *shape = json_array();
    EVN_TRY(put(entry, "shape", shape));
    for (int axis = 0; axis < tensor->rank; ++axis) {
        evn__json_append(shape, json_integer(tensor->extent[axis]));
    }
    return put(entry, "data_offsets",
               json_pack("[I, I]", (json_int_t)begin, (json_int_t)(begin + tensor->bytes)));
}

/// What is written, in the order in which it is.
typedef struct content {
    evn__tensor *tensors;
    int count;
    evn__key_value *metadata;
    int metadata_count;
    unsigned char *data; ///< of all tensors
    size_t size;         ///< of data
    json_t *root;
    char *header;
    unsigned char *file; ///< the whole file
    size_t file_size;
} content;

static void free_content(content *out) {
    free(out->tensors);
    free(out->metadata);
    free(out->data);
    json_decref(out->root);
    free(out->header);
    free(out->file);
}

static evn_status sort_content(content *out, const evn__tensor *tensors,
                               const evn__key_value *metadata) {
    EVN_TRY(EVN_NEW(&out->tensors, out->count));
    EVN_TRY(EVN_NEW(&out->metadata, out->metadata_count));
    for (int i = 0; i < out->count; ++i) {
        EVN_CHECK(tensors[i].rank >= 0 && tensors[i].rank <= EVN__TENSOR_MAX_RANK, EVN_ERR_ARGUMENT,
                  "tensor '%s': rank %d is not 0 to %d", tensors[i].name, tensors[i].rank,
                  EVN__TENSOR_MAX_RANK);
        out->tensors[i] = tensors[i];
        EVN_TRY(tensor_bytes(&tensors[i], &out->tensors[i].bytes));
        EVN_CHECK(!__builtin_add_overflow(out->size, out->tensors[i].bytes, &out->size),
                  EVN_ERR_ARGUMENT, "the tensors have more bytes than there can be");
    }
    for (int i = 0; i < out->metadata_count; ++i) {
        out->metadata[i] = metadata[i];
    }
    qsort(out->tensors, (size_t)out->count, sizeof(*out->tensors), by_dtype_and_name);
    qsort(out->metadata, (size_t)out->metadata_count, sizeof(*out->metadata), by_key);
    return EVN_OK;
}

static evn_status build_data(content *out) {
    EVN_TRY(EVN_NEW(&out->data, out->size));
    size_t at = 0;
    for (int i = 0; i < out->count; ++i) {
        if (out->tensors[i].bytes > 0) {
            memcpy(out->data + at, out->tensors[i].data, out->tensors[i].bytes);
        }
        at += out->tensors[i].bytes;
    }
    return EVN_OK;
}

static evn_status build_header(content *out) {
    char seal[EVN__SEAL_SIZE];
    out->root = json_object();
    EVN_TRY(put_metadata(out->root, out->metadata, out->metadata_count));
    size_t at = 0;
    for (int i = 0; i < out->count; ++i) {
        EVN_TRY(put_tensor(out->root, &out->tensors[i], at));
        at += out->tensors[i].bytes;
    }
    EVN_TRY(evn__seal_of(out->root, out->data, out->size, seal));
    EVN_TRY(put(json_object_get(out->root, METADATA), "checksum", json_string(seal)));
    return evn__json_print(out->root, JSON_COMPACT, 17, &out->header);
}

static evn_status build_file(content *out) {
    size_t used = strlen(out->header);
    uint64_t padded = (used + LENGTH_BYTES - 1) / LENGTH_BYTES * LENGTH_BYTES;
    size_t begin = LENGTH_BYTES + (size_t)padded;
    out->file_size = begin + out->size; // no overflow: both are in memory
    EVN_TRY(EVN_NEW(&out->file, out->file_size));
    memcpy(out->file, &padded, sizeof(padded));
    memset(out->file + LENGTH_BYTES, ' ', (size_t)padded);
    memcpy(out->file + LENGTH_BYTES, out->header, used);
    memcpy(out->file + begin, out->data, out->size);
    return EVN_OK;
}

/// The reader's rules bind the writer too.
static evn_status read_back(const content *out) {
    evn__safetensors *file;
    EVN_TRY(evn__safetensors_parse(out->file, out->file_size, &file));
    evn__safetensors_destroy(&file);
    return EVN_OK;
}

static evn_status build(content *out, const evn__tensor *tensors, const evn__key_value *metadata) {
    EVN_TRY(sort_content(out, tensors, metadata));
    EVN_TRY(build_data(out));
    EVN_TRY(build_header(out));
    EVN_TRY(build_file(out));
    return read_back(out);
}

evn_status evn__safetensors_write(const char *path, const evn__tensor *tensors, int count,
                                  const evn__key_value *metadata, int metadata_count) {
    content out = {.count = count, .metadata_count = metadata_count};
    evn_status status = build(&out, tensors, metadata);
    if (status == EVN_OK) {
        status = evn__file_write(path, out.file, out.file_size);
    } else if (status == EVN_ERR_FORMAT) {
        status = evn__prepend(EVN_ERR_ARGUMENT, "cannot write '%s'", path);
    }
    free_content(&out);
    return status;
}
