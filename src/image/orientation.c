// SPDX-License-Identifier: Apache-2.0
// How an image was held: the one entry of Exif's many that changes what is seen, and the turn that
// undoes it. Exif data are a small TIFF file: a byte order, and a list of entries of twelve bytes.
#include "image/formats.h"

#include <stdlib.h>
#include <string.h>

enum { TIFF_HEAD = 8, ENTRY = 12, TAG_ORIENTATION = 0x112, TYPE_SHORT = 3 };

/// The data, and in which order their bytes are.
typedef struct tiff {
    const uint8_t *data;
    size_t size;
    bool big;
} tiff;

static uint32_t get(const tiff *t, size_t at, int bytes) {
    uint32_t value = 0;
    for (int i = 0; i < bytes; ++i) {
        value = value << 8 | t->data[at + (size_t)(t->big ? i : bytes - 1 - i)];
    }
    return value;
}

int evn__exif_orientation(const uint8_t *data, size_t size) {
    bool big = size >= TIFF_HEAD && memcmp(data, "MM\0*", 4) == 0;
    if (!big && (size < TIFF_HEAD || memcmp(data, "II*\0", 4) != 0)) {
        return EVN__UPRIGHT;
    }
    const tiff t = {data, size, big};
    size_t list = get(&t, 4, 4);
    if (list > size || size - list < 2) {
        return EVN__UPRIGHT;
    }
    size_t count = get(&t, list, 2), fit = (size - list - 2) / ENTRY;
    for (size_t i = 0; i < count && i < fit; ++i) {
        size_t entry = list + 2 + i * ENTRY;
        if (get(&t, entry, 2) == TAG_ORIENTATION && get(&t, entry + 2, 2) == TYPE_SHORT) {
            uint32_t value = get(&t, entry + 8, 2);
            return value >= 1 && value <= 8 ? (int)value : EVN__UPRIGHT;
        }
    }
    return EVN__UPRIGHT;
}

evn_status evn__orient(int orientation, evn__raw_image *raw) {
    // Exif's values 1 to 8: where the stored rows and columns run; from 5 on they change places.
    static const struct {
        bool rows_back, columns_back;
    } runs[] = {{false, false}, {false, true}, {true, true}, {true, false},
                {false, false}, {true, false}, {true, true}, {false, true}};
    if (orientation <= EVN__UPRIGHT || orientation > 8) {
        return EVN_OK;
    }
    bool swaps = orientation >= 5;
    size_t pixel = (size_t)raw->channels, count = (size_t)(raw->width * raw->height);
    const uint8_t *from = raw->pixels;
    uint8_t *turned = malloc(count * pixel), *to = turned;
    EVN_CHECK(turned, EVN_ERR_MEMORY, "no memory to turn an image of %zu bytes", count * pixel);
    int64_t height = swaps ? raw->width : raw->height, width = swaps ? raw->height : raw->width;
    for (int64_t row = 0; row < height; ++row) {
        for (int64_t column = 0; column < width; ++column, to += pixel) {
            int64_t y = swaps ? column : row, x = swaps ? row : column;
            y = runs[orientation - 1].rows_back ? raw->height - 1 - y : y;
            x = runs[orientation - 1].columns_back ? raw->width - 1 - x : x;
            memcpy(to, from + (size_t)(y * raw->width + x) * pixel, pixel);
        }
    }
    free(raw->pixels);
    *raw = (evn__raw_image){width, height, raw->channels, raw->bits, turned};
    return EVN_OK;
}
