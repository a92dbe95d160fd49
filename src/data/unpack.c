// SPDX-License-Identifier: Apache-2.0
#include "data/unpack.h"

#include <string.h>

// Deflate cannot pack more than 1,032 bytes into one.
enum { GZIP_ONLY = 16 + MAX_WBITS, DEFLATE_RATIO = 1032 };

static bool is_gzip(const uint8_t *data, size_t size) {
    return size >= 2 && data[0] == 0x1f && data[1] == 0x8b;
}

evn_status evn__unpack_open(evn__unpack *unpack, const uint8_t *data, size_t size) {
    memset(unpack, 0, sizeof(*unpack));
    EVN_CHECK(size <= INT32_MAX, EVN_ERR_FORMAT, "%zu bytes are more than the 2 GiB that are read",
              size);
    if (is_gzip(data, size)) {
        EVN_CHECK(inflateInit2(&unpack->stream, GZIP_ONLY) == Z_OK, EVN_ERR_MEMORY,
                  "no memory to unpack gzip");
        unpack->gzip = true;
    }
    unpack->stream.next_in = data;
    unpack->stream.avail_in = (uInt)size;
    return EVN_OK;
}

void evn__unpack_close(evn__unpack *unpack) {
    if (unpack->gzip) {
        inflateEnd(&unpack->stream);
        unpack->gzip = false;
    }
}

size_t evn__unpack_bound(const evn__unpack *unpack) {
    enum { HELD_BYTES = 8 }; // zlib takes up to so many in advance
    size_t left = unpack->stream.avail_in;
    return unpack->gzip ? DEFLATE_RATIO * (left + HELD_BYTES) : left;
}

static evn_status read_plain(evn__unpack *unpack, void *out, size_t size) {
    z_stream *stream = &unpack->stream;
    EVN_CHECK(size <= stream->avail_in, EVN_ERR_FORMAT,
              "the file ends %zu bytes too early: it is truncated; fetch it again",
              size - stream->avail_in);
    memcpy(out, stream->next_in, size);
    stream->next_in += size;
    stream->avail_in -= (uInt)size;
    return EVN_OK;
}

/// Unpack into stream->next_out until it is full or the member ends.
static evn_status inflate_some(evn__unpack *unpack) {
    z_stream *stream = &unpack->stream;
    while (stream->avail_out > 0 && !unpack->ended) {
        int code = inflate(stream, Z_SYNC_FLUSH);
        EVN_CHECK(code != Z_MEM_ERROR, EVN_ERR_MEMORY, "no memory to unpack gzip");
        EVN_CHECK(code != Z_BUF_ERROR, EVN_ERR_FORMAT,
                  "the gzip data end too early: the file is truncated; fetch it again");
        EVN_CHECK(code == Z_OK || code == Z_STREAM_END, EVN_ERR_FORMAT,
                  "the gzip data are damaged; fetch the file again");
        unpack->ended = code == Z_STREAM_END;
    }
    return EVN_OK;
}

evn_status evn__unpack_read(evn__unpack *unpack, void *out, size_t size) {
    if (!unpack->gzip) {
        return read_plain(unpack, out, size);
    }
    unpack->stream.next_out = out;
    unpack->stream.avail_out = (uInt)size;
    EVN_TRY(inflate_some(unpack));
    EVN_CHECK(unpack->stream.avail_out == 0, EVN_ERR_FORMAT,
              "the unpacked content ends %u bytes too early; fetch the file again",
              unpack->stream.avail_out);
    return EVN_OK;
}

evn_status evn__unpack_finish(evn__unpack *unpack) {
    z_stream *stream = &unpack->stream;
    if (unpack->gzip) {
        uint8_t more;
        stream->next_out = &more;
        stream->avail_out = 1;
        EVN_TRY(inflate_some(unpack));
        EVN_CHECK(stream->avail_out == 1, EVN_ERR_FORMAT,
                  "the unpacked content is longer than its header states; fetch the file again");
    }
    EVN_CHECK(stream->avail_in == 0, EVN_ERR_FORMAT,
              "%u bytes follow after the end of the %s; fetch the file again", stream->avail_in,
              unpack->gzip ? "gzip data" : "content that the header states");
    return EVN_OK;
}
