// SPDX-License-Identifier: Apache-2.0
#include "image/formats.h"

#include <string.h>

enum {
    TEM = 0x01,
    SOF0 = 0xc0,
    SOF2 = 0xc2,
    DHT = 0xc4,
    JPG = 0xc8,
    DAC = 0xcc,
    SOF15 = 0xcf,
    RST0 = 0xd0,
    RST7 = 0xd7,
    SOI = 0xd8,
    EOI = 0xd9,
    SOS = 0xda,
    APP1 = 0xe1,
    APP14 = 0xee,
    SCANS_MAX = 64, ///< a progressive file with thousands keeps a decoder busy for hours
};

bool evn__is_jpeg(const uint8_t *data, size_t size) {
    return size >= 3 && data[0] == 0xff && data[1] == SOI && data[2] == 0xff;
}

/// What the walk has seen.
typedef struct walk {
    evn__image_info *info;
    const uint8_t *at, *end;
    int scans, orientation;
    bool adobe; ///< says how four components are meant
} walk;

static evn_status read_frame(walk *w, int marker, const uint8_t *data, size_t length) {
    EVN_CHECK(marker <= SOF2, EVN_ERR_FORMAT,
              "it is a JPEG of a rare kind (SOF%d), which is not read; convert it", marker - SOF0);
    EVN_CHECK(!w->info->channels && length >= 6, EVN_ERR_FORMAT, "its JPEG frame is malformed");
    int channels = data[5];
    EVN_CHECK(data[0] == 8, EVN_ERR_FORMAT, "it is a JPEG of %d bits; 8 are read", data[0]);
    EVN_CHECK(channels == 1 || channels == 3 || (channels == 4 && w->adobe), EVN_ERR_FORMAT,
              "it is a JPEG of %d components, of which nothing says the colours; 1 (grey), 3 and "
              "Adobe's 4 (CMYK) are read: convert it",
              channels);
    EVN_CHECK(length == 6 + 3 * (size_t)channels, EVN_ERR_FORMAT, "its JPEG frame is malformed");
    *w->info = (evn__image_info){
        .width = data[3] << 8 | data[4], .height = data[1] << 8 | data[2], .channels = channels};
    return evn__image_check_size(w->info->width, w->info->height);
}

/// Huffman tables: more codes than there are bytes overrun stb_image's table (2.27).
static evn_status check_codes(const uint8_t *data, size_t length) {
    enum { LENGTHS = 16 };
    while (length > LENGTHS) {
        size_t codes = 0;
        for (int i = 1; i <= LENGTHS; ++i) {
            codes += data[i];
        }
        EVN_CHECK(codes <= 256 && 1 + LENGTHS + codes <= length, EVN_ERR_FORMAT,
                  "a Huffman table of the JPEG is malformed");
        data += 1 + LENGTHS + codes;
        length -= 1 + LENGTHS + codes;
    }
    EVN_CHECK(length == 0, EVN_ERR_FORMAT, "a Huffman table of the JPEG is malformed");
    return EVN_OK;
}

/// Go on to the marker after the scan's data: FF 00 and restarts belong to it.
static void skip_scan(walk *w) {
    while (w->at + 1 < w->end) {
        w->at = memchr(w->at, 0xff, (size_t)(w->end - w->at));
        if (!w->at || w->at + 1 >= w->end) {
            break;
        }
        int next = w->at[1];
        if (next != 0 && next != 0xff && (next < RST0 || next > RST7)) {
            return;
        }
        w->at += next == 0xff ? 1 : 2;
    }
    w->at = w->end;
}

/// What cameras and programs add.
static void read_application(walk *w, int marker, const uint8_t *data, size_t length) {
    static const uint8_t exif[] = {'E', 'x', 'i', 'f', 0, 0};
    if (marker == APP14 && length >= 12 && memcmp(data, "Adobe", 5) == 0) {
        w->adobe = data[11] == 0 || data[11] == 2; // CMYK or YCCK
    } else if (marker == APP1 && !w->orientation && length > sizeof(exif) &&
               memcmp(data, exif, sizeof(exif)) == 0) {
        w->orientation = evn__exif_orientation(data + sizeof(exif), length - sizeof(exif));
    }
}

/// A marker with a length, and what follows it.
static evn_status read_segment(walk *w, int marker) {
    size_t left = (size_t)(w->end - w->at);
    size_t length = left >= 2 ? (size_t)(w->at[0] << 8 | w->at[1]) : 0;
    EVN_CHECK(length <= left && left >= 2, EVN_ERR_FORMAT, "the JPEG file is truncated");
    EVN_CHECK(length >= 2, EVN_ERR_FORMAT, "a JPEG segment is malformed");
    const uint8_t *data = w->at + 2;
    w->at += length;
    if (marker == DHT) {
        return check_codes(data, length - 2);
    }
    read_application(w, marker, data, length - 2);
    bool frame = marker >= SOF0 && marker <= SOF15 && marker != JPG && marker != DAC;
    if (frame) {
        return read_frame(w, marker, data, length - 2);
    }
    if (marker == SOS) {
        EVN_CHECK(w->info->channels, EVN_ERR_FORMAT, "a JPEG scan comes before its frame");
        EVN_CHECK(++w->scans <= SCANS_MAX, EVN_ERR_FORMAT, "it has more than %d JPEG scans",
                  SCANS_MAX);
        skip_scan(w);
    }
    return EVN_OK;
}

/// The marker at w->at, which may have fill bytes before it.
static evn_status read_marker(walk *w, int *marker) {
    EVN_CHECK(w->at < w->end, EVN_ERR_FORMAT, "the JPEG file is truncated: its end is missing");
    EVN_CHECK(*w->at == 0xff, EVN_ERR_FORMAT, "a JPEG segment is malformed");
    while (w->at < w->end && *w->at == 0xff) {
        ++w->at;
    }
    EVN_CHECK(w->at < w->end, EVN_ERR_FORMAT, "the JPEG file is truncated: its end is missing");
    *marker = *w->at++;
    return EVN_OK;
}

evn_status evn__jpeg_walk(const uint8_t *data, size_t size, evn__image_info *info) {
    *info = (evn__image_info){0};
    walk w = {.info = info, .at = data + 2, .end = data + size};
    int marker = 0;
    EVN_TRY(read_marker(&w, &marker));
    while (marker != EOI) { // cameras put more behind it
        EVN_CHECK(marker > TEM && marker != SOI && (marker < RST0 || marker > RST7), EVN_ERR_FORMAT,
                  "a JPEG marker is out of place");
        EVN_TRY(read_segment(&w, marker));
        EVN_TRY(read_marker(&w, &marker));
    }
    EVN_CHECK(w.scans > 0, EVN_ERR_FORMAT, "the JPEG file has no image data");
    info->orientation = w.orientation;
    return EVN_OK;
}
