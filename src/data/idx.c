// SPDX-License-Identifier: Apache-2.0
#include "data/idx.h"

#include "base/files.h"
#include "data/unpack.h"

#include <stdlib.h>
#include <string.h>

enum { UNSIGNED_BYTE = 8 };

static bool begins_with(const uint8_t *data, size_t size, const char *text) {
    size_t length = strlen(text);
    return size >= length && memcmp(data, text, length) == 0;
}

/// What is often found in place of a data file.
static evn_status check_impostors(const uint8_t *data, size_t size) {
    EVN_CHECK(size > 0, EVN_ERR_FORMAT, "the file is empty; fetch it again");
    EVN_CHECK(data[0] != '<', EVN_ERR_FORMAT,
              "this is a web page, not an IDX file: the address it was fetched from is wrong or "
              "wants a login");
    EVN_CHECK(
        !begins_with(data, size, "version https://git-lfs"), EVN_ERR_FORMAT,
        "this is a Git LFS pointer, not the file itself: run 'git lfs pull' where it is from");
    return EVN_OK;
}

static const char *type_name(uint8_t type) {
    switch (type) {
    case 0x09:
        return "signed bytes";
    case 0x0b:
        return "16-bit integers";
    case 0x0c:
        return "32-bit integers";
    case 0x0d:
        return "floats";
    case 0x0e:
        return "doubles";
    }
    return NULL;
}

static evn_status read_magic(evn__unpack *unpack, evn__idx *idx) {
    uint8_t magic[4];
    EVN_TRY(evn__unpack_read(unpack, magic, sizeof(magic)));
    const char *type = type_name(magic[2]);
    EVN_CHECK(magic[0] == 0 && magic[1] == 0 && (magic[2] == UNSIGNED_BYTE || type), EVN_ERR_FORMAT,
              "not an IDX file: it begins with %02x %02x %02x %02x", magic[0], magic[1], magic[2],
              magic[3]);
    EVN_CHECK(magic[2] == UNSIGNED_BYTE, EVN_ERR_FORMAT,
              "the IDX file holds %s; images and labels are unsigned bytes", type);
    EVN_CHECK(magic[3] >= 1 && magic[3] <= EVN__IDX_MAX_RANK, EVN_ERR_FORMAT,
              "the IDX header states rank %d; 1 to %d are read", magic[3], EVN__IDX_MAX_RANK);
    idx->rank = magic[3];
    return EVN_OK;
}

/// The product of the extents goes to *count.
static evn_status read_extents(evn__unpack *unpack, evn__idx *idx, int64_t *count) {
    *count = 1;
    for (int axis = 0; axis < idx->rank; ++axis) {
        uint8_t big[4];
        EVN_TRY(evn__unpack_read(unpack, big, sizeof(big)));
        int64_t extent = (int64_t)big[0] << 24 | big[1] << 16 | big[2] << 8 | big[3];
        EVN_CHECK(extent >= 1, EVN_ERR_FORMAT, "the IDX header states extent 0 for axis %d", axis);
        EVN_CHECK(extent <= INT32_MAX / *count, EVN_ERR_FORMAT,
                  "the IDX header states more than the 2 GiB that are read (axis %d: %lld)", axis,
                  (long long)extent);
        idx->extent[axis] = extent;
        *count *= extent;
    }
    return EVN_OK;
}

/// As much memory as was unpacked, and as much again: a header may state what does not follow.
static evn_status read_bytes(evn__unpack *unpack, size_t count, uint8_t **bytes) {
    enum { FIRST = 1 << 20 };
    size_t done = 0;
    while (done < count) {
        size_t wanted = done ? 2 * done : FIRST;
        wanted = wanted < count ? wanted : count;
        uint8_t *more = realloc(*bytes, wanted);
        EVN_CHECK(more, EVN_ERR_MEMORY, "no memory for %zu bytes of IDX data", wanted);
        *bytes = more;
        EVN_TRY(evn__unpack_read(unpack, more + done, wanted - done));
        done = wanted;
    }
    return EVN_OK;
}

static evn_status read_content(evn__unpack *unpack, evn__idx *idx) {
    int64_t count;
    EVN_TRY(read_magic(unpack, idx));
    EVN_TRY(read_extents(unpack, idx, &count));
    size_t bound = evn__unpack_bound(unpack);
    EVN_CHECK((size_t)count <= bound, EVN_ERR_FORMAT,
              "the IDX header states %lld bytes, the file has %zu at most: it is truncated; fetch "
              "it again",
              (long long)count, bound);
    EVN_TRY(read_bytes(unpack, (size_t)count, &idx->bytes));
    return evn__unpack_finish(unpack);
}

evn_status evn__idx_parse(const uint8_t *data, size_t size, evn__idx *idx) {
    *idx = (evn__idx){0};
    EVN_TRY(check_impostors(data, size));
    evn__unpack unpack;
    EVN_TRY(evn__unpack_open(&unpack, data, size));
    evn_status status = read_content(&unpack, idx);
    evn__unpack_close(&unpack);
    if (status != EVN_OK) {
        evn__idx_free(idx);
    }
    return status;
}

static evn_status read_outline(const uint8_t *head, size_t size, evn__idx *idx) {
    int64_t count;
    evn__unpack unpack;
    EVN_TRY(check_impostors(head, size));
    EVN_TRY(evn__unpack_open(&unpack, head, size));
    evn_status status = read_magic(&unpack, idx);
    if (status == EVN_OK) {
        status = read_extents(&unpack, idx, &count);
    }
    evn__unpack_close(&unpack);
    return status;
}

evn_status evn__idx_outline(const char *path, evn__idx *idx) {
    enum { HEAD = 1 << 16 }; // before the content gzip has a name and a comment
    uint8_t *head;
    size_t size;
    *idx = (evn__idx){0};
    EVN_TRY(evn__file_read_head(path, HEAD, &head, &size));
    evn_status status = read_outline(head, size, idx);
    free(head);
    return status == EVN_OK ? status : evn__prepend(status, "%s", path);
}

evn_status evn__idx_read(const char *path, evn__idx *idx) {
    uint8_t *data;
    size_t size;
    EVN_TRY(evn__file_read(path, &data, &size));
    evn_status status = evn__idx_parse(data, size, idx);
    free(data);
    return status == EVN_OK ? status : evn__prepend(status, "%s", path);
}

void evn__idx_free(evn__idx *idx) {
    free(idx->bytes);
    idx->bytes = NULL;
}
