// SPDX-License-Identifier: Apache-2.0
#include "image/formats.h"
#include "image/image.h"
#include "pictures.h"
#include "test.h"

#include <stdlib.h>
#include <string.h>

static void shows(const uint8_t *data, size_t size, int64_t height, int64_t width, int channels,
                  const uint8_t *pixels) {
    evn__image image;
    TRY(evn__image_decode(data, size, &image));
    ck_assert_int_eq(image.height, height);
    ck_assert_int_eq(image.width, width);
    ck_assert_int_eq(image.channels, channels);
    ck_assert_mem_eq(image.pixels, pixels, (size_t)(height * width * channels));
    evn__image_free(&image);
    ck_assert_ptr_null(image.pixels);
}

static void refuses(const uint8_t *data, size_t size, const char *text) {
    evn__image image;
    ck_assert_int_eq(evn__image_decode(data, size, &image), EVN_ERR_FORMAT);
    ck_assert_ptr_null(image.pixels);
    ck_assert_msg(strstr(evn_error_message(), text), "message '%s' lacks '%s'", evn_error_message(),
                  text);
}

// Formats -----------------------------------------------------------------------------------------

START_TEST(png) {
    static test_file file;
    const uint8_t grey[] = {0, 50, 100, 150, 200, 255};
    test_png(&file, 3, 2, 8, 0, grey, 3, NULL, 0);
    shows(file.data, file.size, 2, 3, 1, grey);
    const uint8_t colours[] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 8, 7};
    test_png(&file, 2, 2, 8, 2, colours, 6, NULL, 0);
    shows(file.data, file.size, 2, 2, 3, colours);
    const uint8_t indices[] = {0x1b}; // 0, 1, 2, 3 of two bits each
    test_png(&file, 4, 1, 2, 3, indices, 1, colours, 4);
    shows(file.data, file.size, 1, 4, 3, colours);
    const uint8_t bits[] = {0xa0}, black_and_white[] = {255, 0, 255, 0};
    test_png(&file, 4, 1, 1, 0, bits, 1, NULL, 0);
    shows(file.data, file.size, 1, 4, 1, black_and_white);
}
END_TEST

START_TEST(sixteen_bits_are_rounded) {
    static test_file file;
    const uint8_t samples[] = {0xff, 0xff, 0x00, 0x80, 0x00, 0x81, 0x80, 0x00};
    const uint8_t bytes[] = {255, 0, 1, 128};
    test_png(&file, 4, 1, 16, 0, samples, 8, NULL, 0);
    shows(file.data, file.size, 1, 4, 1, bytes);
}
END_TEST

START_TEST(alpha_is_laid_on_white) {
    static test_file file;
    const uint8_t colours[] = {10, 20, 30, 255, 10, 20, 30, 0, 0, 100, 255, 51};
    const uint8_t laid[] = {10, 20, 30, 255, 255, 255, 204, 224, 255};
    test_png(&file, 3, 1, 8, 6, colours, 12, NULL, 0);
    shows(file.data, file.size, 1, 3, 3, laid);
    const uint8_t greys[] = {100, 255, 0, 0}, grey_laid[] = {100, 255};
    test_png(&file, 2, 1, 8, 4, greys, 4, NULL, 0);
    shows(file.data, file.size, 1, 2, 1, grey_laid);
}
END_TEST

static void is_the_gradient(const uint8_t *data, size_t size) {
    enum { SIDE = 16, ABOUT = 30 };
    evn__image image;
    TRY(evn__image_decode(data, size, &image));
    ck_assert(image.height == SIDE && image.width == SIDE && image.channels == 3);
    for (int i = 0; i < SIDE * SIDE; ++i) {
        int row = i / SIDE, column = i % SIDE;
        const int wanted[] = {16 * column, 16 * row, 255 - 8 * column - 8 * row};
        for (int c = 0; c < 3; ++c) {
            ck_assert_int_le(abs(image.pixels[3 * i + c] - wanted[c]), ABOUT);
        }
    }
    evn__image_free(&image);
}

START_TEST(jpeg) {
    is_the_gradient(test_jpeg, test_jpeg_size);
    is_the_gradient(test_jpeg_progressive, test_jpeg_progressive_size);
    uint8_t longer[1024] = {0}; // cameras put more behind the end
    memcpy(longer, test_jpeg, test_jpeg_size);
    is_the_gradient(longer, sizeof(longer));
}
END_TEST

START_TEST(cmyk) {
    evn__image image;
    const uint8_t *cyan, *yellow;
    uint8_t unknown[1024];
    TRY(evn__image_decode(test_jpeg_cmyk, test_jpeg_cmyk_size, &image));
    ck_assert(image.height == 16 && image.width == 16 && image.channels == 3);
    cyan = image.pixels;
    yellow = image.pixels + 3 * (16 * 12 + 3);
    ck_assert(cyan[0] < 8 && cyan[1] > 247 && cyan[2] > 247);
    ck_assert(abs(yellow[0] - 127) < 8 && abs(yellow[1] - 127) < 8 && yellow[2] < 8);
    evn__image_free(&image);

    memcpy(unknown, test_jpeg_cmyk, test_jpeg_cmyk_size);
    for (size_t i = 0; i + 5 < test_jpeg_cmyk_size; ++i) {
        unknown[i] = memcmp(unknown + i, "Adobe", 5) == 0 ? 'a' : unknown[i];
    }
    refuses(unknown, test_jpeg_cmyk_size, "4 components");
}
END_TEST

/// Exif data with one entry, in either byte order.
static size_t make_exif(bool big, int orientation, uint8_t exif[26]) {
    const uint8_t ends[2][26] = {
        {'I', 'I', '*', 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
        {'M', 'M', 0, '*', 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0}};
    memcpy(exif, ends[big], 26);
    exif[big ? 19 : 18] = (uint8_t)orientation;
    return 26;
}

/// a b c
/// d e f  as a camera stores it that was held in each of eight ways.
START_TEST(turned_upright) {
    static const uint8_t stored[] = "abcdef";
    static const struct {
        const char *seen;
        int height;
    } upright[] = {{"abcdef", 2}, {"cbafed", 2}, {"fedcba", 2}, {"defabc", 2},
                   {"adbecf", 3}, {"daebfc", 3}, {"fcebda", 3}, {"cfbead", 3},
                   {"abcdef", 2}, {"abcdef", 2}}; // 9 and 0 mean nothing
    static test_file file;
    uint8_t exif[26];
    for (int i = 0; i < 20; ++i) {
        int orientation = (i / 2 + 1) % 10;
        test_png(&file, 3, 2, 8, 0, stored, 3, NULL, 0);
        size_t size = make_exif(i % 2, orientation, exif);
        test_png_insert(&file, "eXIf", exif, size);
        int height = upright[i / 2].height;
        shows(file.data, file.size, height, 6 / height, 1, (const uint8_t *)upright[i / 2].seen);
    }
}
END_TEST

START_TEST(turned_jpeg) {
    uint8_t exif[26], file[1024] = {0xff, 0xd8, 0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0};
    evn__image image, turned;
    make_exif(true, 6, exif);
    memcpy(file + 12, exif, sizeof(exif));
    memcpy(file + 38, test_jpeg + 2, test_jpeg_size - 2);
    TRY(evn__image_decode(test_jpeg, test_jpeg_size, &image));
    TRY(evn__image_decode(file, test_jpeg_size + 36, &turned));
    for (int64_t i = 0; i < 16 * 16; ++i) {
        int64_t row = i / 16, column = i % 16;
        ck_assert_mem_eq(turned.pixels + 3 * i, image.pixels + 3 * (16 * (15 - column) + row), 3);
    }
    evn__image_free(&image);
    evn__image_free(&turned);
}
END_TEST

/// Decode the sample with a segment before all others.
static evn_status decode_with(int marker, const char *data, size_t size, int *rows) {
    uint8_t file[1024] = {0xff, 0xd8, 0xff, (uint8_t)marker, 0, (uint8_t)(size + 2)};
    evn__image image;
    memcpy(file + 6, data, size);
    memcpy(file + 6 + size, test_jpeg + 2, test_jpeg_size - 2);
    evn_status status = evn__image_decode(file, test_jpeg_size + size + 4, &image);
    *rows = status == EVN_OK ? (int)image.height : 0;
    evn__image_free(&image);
    return status;
}

/// What is nearly what programs and cameras add is passed over.
START_TEST(segments_of_others) {
    enum { APP1 = 0xe1, APP14 = 0xee };
    static const struct {
        int marker;
        size_t size;
        const char *data;
    } segments[] = {{APP14, 12, "Adobe\0\0\0\0\0\0\1"},
                    {APP14, 12, "Adobf\0\0\0\0\0\0\1"},
                    {APP14, 5, "Adobe"},
                    {APP1, 6, "Exif\0\0"},
                    {APP1, 9, "http://ns"},
                    {APP1, 8, "Exif\0\0II"}};
    for (size_t i = 0; i < sizeof(segments) / sizeof(segments[0]); ++i) {
        int rows;
        TRY(decode_with(segments[i].marker, segments[i].data, segments[i].size, &rows));
        ck_assert_int_eq(rows, 16);
    }
    int rows; // these channels are no colours as they are
    decode_with(APP14, "Adobe\0\0\0\0\0\0\2", 12, &rows);
    decode_with(APP14, "Adobe\0\0\0\0\0\0\0", 12, &rows);
}
END_TEST

START_TEST(first_orientation_counts) {
    uint8_t file[1024] = {0xff, 0xd8}, exif[26];
    size_t used = 2;
    evn__image image, turned;
    for (int orientation = 6; orientation >= 1; orientation -= 5) {
        const uint8_t head[] = {0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0};
        make_exif(true, orientation, exif);
        memcpy(file + used, head, sizeof(head));
        memcpy(file + used + sizeof(head), exif, sizeof(exif));
        used += sizeof(head) + sizeof(exif);
    }
    memcpy(file + used, test_jpeg + 2, test_jpeg_size - 2);
    TRY(evn__image_decode(test_jpeg, test_jpeg_size, &image));
    TRY(evn__image_decode(file, used + test_jpeg_size - 2, &turned));
    ck_assert_mem_eq(turned.pixels, image.pixels + 3 * 16 * 15, 3); // the lower left one
    evn__image_free(&image);
    evn__image_free(&turned);
}
END_TEST

/// A file with a scan more than is read.
START_TEST(many_scans) {
    uint8_t file[4096];
    size_t scan = 2, used;
    while (test_jpeg[scan] != 0xff || test_jpeg[scan + 1] != 0xda) {
        ++scan;
    }
    size_t length = 2u + (size_t)test_jpeg[scan + 3];
    used = test_jpeg_size - 2;
    memcpy(file, test_jpeg, used);
    for (int i = 0; i < 64; ++i, used += length) {
        memcpy(file + used, test_jpeg + scan, length);
    }
    memcpy(file + used, test_jpeg + test_jpeg_size - 2, 2);
    refuses(file, used + 2, "more than 64 JPEG scans");
}
END_TEST

/// Lists that lead out of the data are no lists.
START_TEST(malformed_exif) {
    uint8_t exif[26];
    for (size_t at = 0; at < sizeof(exif); ++at) {
        for (int value = 0; value < 256; ++value) {
            make_exif(at % 2, 6, exif);
            exif[at] = (uint8_t)value;
            for (size_t size = 0; size <= sizeof(exif); ++size) {
                uint8_t *exact = malloc(size + 1); // so that a sanitizer sees what is read beyond
                memcpy(exact + 1, exif, size);
                int orientation = evn__exif_orientation(exact + 1, size);
                ck_assert(orientation >= 1 && orientation <= 8);
                ck_assert(size >= 22 || orientation == 1);
                free(exact);
            }
        }
    }
}
END_TEST

START_TEST(bmp_tga_pnm) {
    const uint8_t bmp[] = {
        'B', 'M', 62, 0, 0, 0, 0, 0,  0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 1, 0, 0,
        0,   2,   0,  0, 0, 1, 0, 24, 0, 0, 0,  0, 0, 0, 0,  0, 0, 0, 0, 0, 0,
        0,   0,   0,  0, 0, 0, 0, 0,  0, 0, 0,  0, 3, 2, 1,  0, 6, 5, 4, 0}; // from the bottom up,
                                                                             // blue first
    const uint8_t colours[] = {4, 5, 6, 1, 2, 3};
    shows(bmp, sizeof(bmp), 2, 1, 3, colours);
    const uint8_t tga[] = {0, 0, 2, 0, 0,  0,    0, 0, 0, 0, 0, 0,
                           1, 0, 2, 0, 24, 0x20, 6, 5, 4, 3, 2, 1};
    shows(tga, sizeof(tga), 2, 1, 3, colours);
    const uint8_t runs[] = {0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 1, 0, 8, 0x20, 0x82, 7};
    const uint8_t sevens[] = {7, 7, 7};
    shows(runs, sizeof(runs), 1, 3, 1, sevens);
    const uint8_t ppm[] = {'P', '6', '\n', '#',  'x', '\n', '1', ' ', '2', '\n',
                           '2', '5', '5',  '\n', 4,   5,    6,   1,   2,   3};
    shows(ppm, sizeof(ppm), 2, 1, 3, colours);
    const uint8_t pgm[] = {'P', '5', ' ', '2', ' ',  '1',  ' ',  '6', '5',
                           '5', '3', '5', ' ', 0xff, 0xff, 0x80, 0};
    const uint8_t wide[] = {255, 128};
    shows(pgm, sizeof(pgm), 1, 2, 1, wide);
}
END_TEST

// Guards ------------------------------------------------------------------------------------------

START_TEST(what_is_no_image) {
    refuses((const uint8_t *)"", 0, "empty");
    refuses((const uint8_t *)"hello, world\n", 13, "begins with 68 65 6c 6c");
    refuses((const uint8_t *)"GIF89a......", 12, "no PNG, JPEG");
    refuses((const uint8_t *)"P3\n1 1\n255\n1 2 3\n", 17, "convert");
}
END_TEST

/// 65,000 × 65,000 pixels of which the file has some hundred bytes.
START_TEST(bomb) {
    static test_file file;
    test_png_grey(&file, 100, 100, 0);
    const uint8_t side[] = {0, 0, 0xfd, 0xe8};
    memcpy(file.data + 16, side, 4);
    memcpy(file.data + 20, side, 4);
    refuses(file.data, file.size, "checksum");
    test_png_mend(file.data, file.size);
    refuses(file.data, file.size, "65000 x 65000");
    const uint8_t large[] = {0, 0, 0x20, 0}; // 8192: within the limits, but not with these bytes
    memcpy(file.data + 16, large, 4);
    memcpy(file.data + 20, large, 4);
    test_png_mend(file.data, file.size);
    refuses(file.data, file.size, "cannot be 8192 x 8192");
}
END_TEST

/// A header of 1×1 pixels and data for 4 MB.
START_TEST(more_than_the_header_states) {
    static test_file file;
    test_png_grey(&file, 2048, 2048, 0);
    const uint8_t one[] = {0, 0, 0, 1};
    memcpy(file.data + 16, one, 4);
    memcpy(file.data + 20, one, 4);
    test_png_mend(file.data, file.size);
    refuses(file.data, file.size, "outofmem");
}
END_TEST

START_TEST(illegal_headers) {
    static test_file file;
    const uint8_t pixels[64] = {0};
    test_png(&file, 4, 4, 3, 0, pixels, 2, NULL, 0);
    refuses(file.data, file.size, "no colour type 0 with 3 bits");
    test_png(&file, 4, 4, 8, 3, pixels, 4, NULL, 0);
    refuses(file.data, file.size, "palette");
    test_png(&file, 0, 4, 8, 0, pixels, 4, NULL, 0);
    refuses(file.data, file.size, "0 x 4");
    test_png(&file, 4, 4, 8, 0, pixels, 4, NULL, 0);
    file.data[file.size++] = 0;
    refuses(file.data, file.size, "follow after the end");
}
END_TEST

/// stb_image 2.27 writes the lengths of codes into a table of 257 bytes, however many there are.
START_TEST(too_many_codes) {
    uint8_t data[2048];
    const uint8_t table[] = {0xff, 0xc4, 0x02, 0x13, 0x00};
    memcpy(data, test_jpeg, 2);
    memcpy(data + 2, table, sizeof(table));
    memset(data + 7, 0, 16);
    data[7 + 14] = data[7 + 15] = 255; // 510 codes
    memset(data + 7 + 16, 1, 512);
    memcpy(data + 2 + 2 + 0x213, test_jpeg + 2, test_jpeg_size - 2);
    refuses(data, 2 + 2 + 0x213 + test_jpeg_size - 2, "Huffman");
}
END_TEST

static void survives(const uint8_t *data, size_t size) {
    evn__image image;
    uint8_t *exact = malloc(size ? size : 1); // so that a sanitizer sees its end
    memcpy(exact, data, size);
    if (evn__image_decode(exact, size, &image) == EVN_OK) {
        ck_assert(image.height > 0 && image.width > 0);
    }
    evn__image_free(&image);
    free(exact);
}

/// No cut file of these is taken for a whole one.
static void is_refused_when_cut(const uint8_t *data, size_t size) {
    evn__image image;
    for (size_t length = 0; length < size; ++length) {
        uint8_t *exact = malloc(length ? length : 1);
        memcpy(exact, data, length);
        ck_assert_int_eq(evn__image_decode(exact, length, &image), EVN_ERR_FORMAT);
        free(exact);
    }
}

static void survives_damage(const uint8_t *data, size_t size, bool chunks) {
    uint8_t *copy = malloc(size);
    for (size_t bit = 0; bit < 8 * size; ++bit) {
        memcpy(copy, data, size);
        copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (chunks) { // past the checksums
            survives(copy, size);
            test_png_mend(copy, size);
        }
        survives(copy, size);
    }
    free(copy);
}

START_TEST(cut) {
    static test_file file;
    const uint8_t pixels[48] = {1, 2, 3, 4, 5, 6, 7, 8};
    test_png(&file, 4, 4, 8, 2, pixels, 12, NULL, 0);
    is_refused_when_cut(file.data, file.size);
    is_refused_when_cut(test_jpeg, test_jpeg_size);
    is_refused_when_cut(test_jpeg_progressive, test_jpeg_progressive_size);
}
END_TEST

START_TEST(damaged) {
    static test_file file;
    const uint8_t pixels[48] = {1, 2, 3, 4, 5, 6, 7, 8};
    test_png(&file, 4, 4, 8, 2, pixels, 12, NULL, 0);
    survives_damage(file.data, file.size, true);
    test_png(&file, 4, 4, 4, 3, pixels, 2, pixels, 9);
    survives_damage(file.data, file.size, true);
    survives_damage(test_jpeg, test_jpeg_size, false);
    survives_damage(test_jpeg_progressive, test_jpeg_progressive_size, false);
}
END_TEST

// Sizes -------------------------------------------------------------------------------------------

static void fits(evn__fit fit, int64_t height, int64_t width, const uint8_t *pixels) {
    uint8_t picture[] = {10, 20, 30, 40, 50, 60, 70, 80}, out[64];
    const evn__image image = {2, 4, 1, picture};
    TRY(evn__image_fit(&image, fit, height, width, 1, out));
    ck_assert_mem_eq(out, pixels, (size_t)(height * width));
}

START_TEST(fit) {
    const uint8_t cropped[] = {20, 30, 60, 70};
    fits(EVN__FIT_CROP, 2, 2, cropped);
    const uint8_t padded[] = {0, 0, 0, 0, 10, 20, 30, 40, 50, 60, 70, 80, 0, 0, 0, 0};
    fits(EVN__FIT_PAD, 4, 4, padded);
    const uint8_t same[] = {10, 20, 30, 40, 50, 60, 70, 80};
    fits(EVN__FIT_STRETCH, 2, 4, same);
}
END_TEST

START_TEST(resized) {
    enum { SIDE = 64, SMALL = 8 };
    static uint8_t picture[SIDE * SIDE];
    uint8_t out[3 * SMALL * SMALL];
    for (int i = 0; i < SIDE * SIDE; ++i) { // a ramp from left to right
        picture[i] = (uint8_t)(4 * (i % SIDE));
    }
    const evn__image image = {SIDE, SIDE, 1, picture};
    TRY(evn__image_fit(&image, EVN__FIT_STRETCH, SMALL, SMALL, 3, out));
    for (int i = 0; i < SMALL * SMALL; ++i) { // the mean of eight columns, three times
        for (int c = 0; c < 3; ++c) {
            ck_assert_int_le(abs(out[3 * i + c] - (32 * (i % SMALL) + 14)), 4);
        }
    }
}
END_TEST

START_TEST(does_not_fit) {
    uint8_t pixels[12] = {0};
    const evn__image colours = {2, 2, 3, pixels}, grey = {2, 2, 1, pixels};
    evn__image image;
    ck_assert_int_eq(evn__image_fit(&colours, EVN__FIT_CROP, 2, 2, 1, pixels), EVN_ERR_ARGUMENT);
    TRY(evn__image_fit(&grey, EVN__FIT_STRETCH, 2, 3, 1, pixels)); // one side as it is
    ck_assert_int_eq(evn__image_decode(pixels, (size_t)EVN__IMAGE_FILE_MAX + 1, &image),
                     EVN_ERR_FORMAT);
    evn__raw_image raw = {2, 2, 1, 8, pixels};
    TRY(evn__orient(9, &raw)); // no orientation: nothing is turned
    ck_assert_ptr_eq(raw.pixels, pixels);
}
END_TEST

START_TEST(grey_of_colours) {
    uint8_t pixels[] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 77, 77, 77};
    evn__image image = {2, 2, 3, pixels};
    evn__image_make_grey(&image);
    ck_assert_int_eq(image.channels, 1);
    const uint8_t luma[] = {76, 150, 29, 77};
    ck_assert_mem_eq(pixels, luma, 4);
    evn__image_make_grey(&image); // is grey
    ck_assert_mem_eq(pixels, luma, 4);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("decode");
    TCase *c = tcase_create("formats");
    tcase_add_test(c, png);
    tcase_add_test(c, sixteen_bits_are_rounded);
    tcase_add_test(c, alpha_is_laid_on_white);
    tcase_add_test(c, jpeg);
    tcase_add_test(c, cmyk);
    tcase_add_test(c, turned_upright);
    tcase_add_test(c, turned_jpeg);
    tcase_add_test(c, malformed_exif);
    tcase_add_test(c, bmp_tga_pnm);
    tcase_add_test(c, grey_of_colours);
    tcase_add_test(c, does_not_fit);
    suite_add_tcase(s, c);
    c = tcase_create("guards");
    tcase_add_test(c, what_is_no_image);
    tcase_add_test(c, bomb);
    tcase_add_test(c, more_than_the_header_states);
    tcase_add_test(c, illegal_headers);
    tcase_add_test(c, too_many_codes);
    tcase_add_test(c, segments_of_others);
    tcase_add_test(c, first_orientation_counts);
    tcase_add_test(c, many_scans);
    suite_add_tcase(s, c);
    c = tcase_create("damage");
    tcase_add_test(c, cut);
    tcase_add_test(c, damaged);
    suite_add_tcase(s, c);
    c = tcase_create("fit");
    tcase_add_test(c, fit);
    tcase_add_test(c, resized);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
