// SPDX-License-Identifier: Apache-2.0
// Headers of the formats that are read before a library decodes them: each way of being right, and
// of being wrong.
#include "image/formats.h"
#include "image/image.h"
#include "pictures.h"
#include "sweep.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

enum { SIZE = 256 };

static void put(uint8_t *data, size_t at, int bytes, int64_t value) {
    for (int i = 0; i < bytes; ++i) {
        data[at + (size_t)i] = (uint8_t)((uint64_t)value >> 8 * i);
    }
}

// BMP ---------------------------------------------------------------------------------------------

static const struct {
    int header, bits, compression, height, offset;
    size_t size;
    const char *text; ///< of the message; NULL: it is right, "" no BMP
} bmps[] = {
    {12, 24, 0, 2, 26, SIZE, NULL},
    {40, 1, 0, 2, 54, SIZE, NULL},
    {40, 4, 0, -2, 54, SIZE, NULL},
    {56, 8, 3, 2, 70, SIZE, NULL},
    {108, 16, 0, 2, 122, SIZE, NULL},
    {124, 32, 0, 2, 138, SIZE, NULL},
    {13, 24, 0, 2, 54, SIZE, ""},
    {40, 24, 0, 2, 54, 26, ""}, // the file ends within the least header
    {40, 5, 0, 2, 54, SIZE, "no pixels of 5 bits"},
    {40, 24, 1, 2, 54, SIZE, "compressed"},
    {40, 24, 0, 0, 54, SIZE, "0"},
    {40, 24, 0, 2, 53, SIZE, "truncated"}, // its pixels begin in its header
    {40, 24, 0, 2, SIZE + 1, SIZE, "truncated"},
    {40, 24, 0, 2, 54, 60, "truncated"},
    {124, 24, 0, 2, 138, 100, "truncated"},
};

START_TEST(bmp) {
    uint8_t data[SIZE] = {'B', 'M'};
    evn__image_info info;
    bool old = bmps[_i].header == 12;
    put(data, 10, 4, bmps[_i].offset);
    put(data, 14, 4, bmps[_i].header);
    put(data, 18, old ? 2 : 4, 3);
    put(data, old ? 20 : 22, old ? 2 : 4, bmps[_i].height);
    put(data, old ? 24 : 28, 2, bmps[_i].bits);
    if (!old) {
        put(data, 30, 4, bmps[_i].compression);
    }
    const char *text = bmps[_i].text;
    bool is = evn__is_bmp(data, bmps[_i].size);
    ck_assert_int_eq(is, !text || text[0]);
    evn_status status = is ? evn__bmp_walk(data, bmps[_i].size, &info) : EVN_ERR_FORMAT;
    ck_assert_int_eq(status, text ? EVN_ERR_FORMAT : EVN_OK);
    if (text) {
        ck_assert_msg(!is || strstr(evn_error_message(), text), "%s", evn_error_message());
    } else {
        ck_assert(info.width == 3 && info.height == 2);
    }
    data[1] = 'm';
    ck_assert(!evn__is_bmp(data, SIZE));
    data[0] = 'b';
    ck_assert(!evn__is_bmp(data, SIZE));
}
END_TEST

// TGA ---------------------------------------------------------------------------------------------

static const struct {
    int palette, kind, bits, entries, entry;
    size_t size;
    const char *text;
} tgas[] = {
    {0, 2, 15, 0, 0, SIZE, NULL},
    {0, 2, 16, 0, 0, SIZE, NULL},
    {0, 2, 24, 0, 0, SIZE, NULL},
    {0, 2, 32, 0, 0, SIZE, NULL},
    {0, 3, 8, 0, 0, SIZE, NULL},
    {0, 3, 16, 0, 0, SIZE, NULL},
    {1, 1, 8, 2, 24, SIZE, NULL},
    {0, 10, 24, 0, 0, SIZE, NULL},         // packets of one pixel
    {2, 1, 8, 2, 24, SIZE, ""},            // no kind of palette
    {0, 0, 8, 0, 0, SIZE, ""},             // no pixels
    {0, 4, 8, 0, 0, SIZE, ""},             // no such kind
    {1, 2, 24, 2, 24, SIZE, ""},           // colours and a palette
    {0, 1, 8, 0, 24, SIZE, ""},            // a palette that is not there
    {1, 1, 8, 0, 24, SIZE, ""},            // an empty one
    {1, 1, 8, 2, 7, SIZE, ""},             // of no colours
    {1, 1, 16, 2, 24, SIZE, ""},           // more than 256
    {0, 2, 8, 0, 0, SIZE, ""},             // colours of a byte
    {0, 3, 24, 0, 0, SIZE, ""},            // greys of three
    {0, 2, 24, 0, 0, 18, ""},              // nothing behind the header
    {1, 1, 8, 200, 32, SIZE, "truncated"}, // the palette is longer than the file
    {0, 2, 24, 0, 0, 30, "truncated"},
    {0, 10, 24, 0, 0, 30, "truncated"}, // within the packets
    {0, 10, 24, 0, 0, 39, "truncated"}, // within the last one
};

START_TEST(tga) {
    uint8_t data[SIZE] = {0};
    evn__image_info info;
    data[1] = (uint8_t)tgas[_i].palette;
    data[2] = (uint8_t)tgas[_i].kind;
    put(data, 5, 2, tgas[_i].entries);
    data[7] = (uint8_t)tgas[_i].entry;
    put(data, 12, 2, 3);
    put(data, 14, 2, 2);
    data[16] = (uint8_t)tgas[_i].bits;
    const char *text = tgas[_i].text;
    bool is = evn__is_tga(data, tgas[_i].size);
    ck_assert_int_eq(is, !text || text[0]);
    evn_status status = evn__tga_walk(data, tgas[_i].size, &info);
    ck_assert_int_eq(status, text ? EVN_ERR_FORMAT : EVN_OK);
    ck_assert_msg(!text || strstr(evn_error_message(), text), "%s", evn_error_message());
    ck_assert(text || (info.width == 3 && info.height == 2));
    put(data, 12, 2, 0); // no image is 0 wide
    ck_assert_int_eq(evn__tga_walk(data, SIZE, &info), EVN_ERR_FORMAT);
}
END_TEST

/// A run may go on beyond the last pixel, and several make up an image.
START_TEST(tga_runs) {
    uint8_t data[SIZE] = {0, 0, 11, [12] = 5, [14] = 1, [16] = 8, [18] = 0x81, 7, 0x85, 9};
    evn__image_info info;
    TRY(evn__tga_walk(data, 22, &info));
    ck_assert_int_eq(evn__tga_walk(data, 21, &info), EVN_ERR_FORMAT);
    ck_assert_int_eq(evn__tga_walk(data, 20, &info), EVN_ERR_FORMAT);
}
END_TEST

// PNM ---------------------------------------------------------------------------------------------

static const struct {
    const char *head; ///< behind it are 16 samples
    const char *text;
} pnms[] = {
    {"P5 4 4 255\n", NULL},
    {"P6\t2\r2\v255\f", NULL},
    {"P5#x\n4#y\n# z\n 4 255 ", NULL},
    {"P5 2 4 65535 ", NULL},
    {"P3 1 1 255 ", "P3"},
    {"P7 1 1 255 ", ""},
    {"P0 1 1 255 ", ""},
    {"Q5 1 1 255 ", ""},
    {"P5x1 1 255 ", ""},
    {"P5 4 4 0 ", "malformed"},
    {"P5 4 4 65536 ", "malformed"},
    {"P5 4 4 255x", "malformed"},
    {"P5 a 4 255 ", "malformed"},
    {"P5 4 / 255 ", "malformed"},
    {"P5 4 4 #", "malformed"}, // a comment to the end
    {"P5 0 4 255 ", "0"},
    {"P5 99999999999 4 255 ", "more than are read"}, // the digits behind are the height
    {"P6 3 2 255 ", "truncated"},
    {"P5 3 3 65535 ", "truncated"},
};

START_TEST(pnm) {
    uint8_t data[SIZE] = {0};
    evn__image_info info;
    evn__raw_image raw;
    const char *text = pnms[_i].text;
    size_t head = strlen(pnms[_i].head), size = head + 16;
    memcpy(data, pnms[_i].head, head);
    bool is = evn__is_pnm(data, size);
    ck_assert_int_eq(is, !text || text[0]);
    ck_assert(!evn__is_pnm(data, 3));
    if (!is) {
        return;
    }
    ck_assert_int_eq(evn__pnm_walk(data, size, &info), text ? EVN_ERR_FORMAT : EVN_OK);
    ck_assert_msg(!text || strstr(evn_error_message(), text), "%s", evn_error_message());
    ck_assert_int_eq(evn__pnm_decode(data, size, &raw), text ? EVN_ERR_FORMAT : EVN_OK);
    if (!text) {
        free(raw.pixels);
    }
}
END_TEST

/// A header of which nothing follows.
START_TEST(pnm_ends) {
    evn__image_info info;
    for (size_t size = 4; size < 11; ++size) {
        ck_assert_int_eq(evn__pnm_walk((const uint8_t *)"P5 4 4 255\n", size, &info),
                         EVN_ERR_FORMAT);
    }
}
END_TEST

// Faults ------------------------------------------------------------------------------------------

static const uint8_t *picture;
static size_t picture_size;

static evn_status decode(void) {
    evn__image image;
    evn_status status = evn__image_decode(picture, picture_size, &image);
    evn__image_free(&image);
    return status;
}

START_TEST(faults) {
    static const test_deed deed = {.name = "decode", .run = decode};
    static test_file png;
    static const uint8_t turned[] = {'I', 'I', '*', 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3,
                                     0,   1,   0,   0, 0, 6, 0, 0, 0, 0, 0,    0, 0};
    static const uint8_t pgm[] = {'P', '5', ' ', '1', ' ', '1', ' ', '9', ' ', 7};
    test_sweep_begin();
    test_png_grey(&png, 6, 4, 100);
    test_png_insert(&png, "eXIf", turned, sizeof(turned));
    const uint8_t *const files[] = {png.data, test_jpeg, test_jpeg_progressive, test_jpeg_cmyk,
                                    pgm};
    const size_t sizes[] = {png.size, test_jpeg_size, test_jpeg_progressive_size,
                            test_jpeg_cmyk_size, sizeof(pgm)};
    for (int i = 0; i < 5; ++i) {
        picture = files[i];
        picture_size = sizes[i];
        test_sweep(&deed);
    }
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("headers");
    TCase *c = tcase_create("bmp");
    tcase_add_loop_test(c, bmp, 0, sizeof(bmps) / sizeof(bmps[0]));
    suite_add_tcase(s, c);
    c = tcase_create("tga");
    tcase_add_loop_test(c, tga, 0, sizeof(tgas) / sizeof(tgas[0]));
    tcase_add_test(c, tga_runs);
    suite_add_tcase(s, c);
    c = tcase_create("pnm");
    tcase_add_loop_test(c, pnm, 0, sizeof(pnms) / sizeof(pnms[0]));
    tcase_add_test(c, pnm_ends);
    suite_add_tcase(s, c);
    test_add(s, tcase_create("faults"), faults);
    return s;
}

int main(void) {
    return test_run(suite());
}
