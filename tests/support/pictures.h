// SPDX-License-Identifier: Apache-2.0
// Image files made by hand, so that tests need nothing that writes them.
#ifndef EVN_TEST_PICTURES_H
#define EVN_TEST_PICTURES_H

#include <stddef.h>
#include <stdint.h>

/// A file in memory.
typedef struct test_file {
    uint8_t data[1 << 16];
    size_t size;
} test_file;

/// A PNG. `pixels` are rows of samples as the format has them, without the filter byte; `row` is
/// their bytes. A palette of `palette_count` colours goes in where there is one.
void test_png(test_file *file, uint32_t width, uint32_t height, int depth, int colour,
              const uint8_t *pixels, size_t row, const uint8_t *palette, int palette_count);

/// A grey PNG of one value.
void test_png_grey(test_file *file, uint32_t width, uint32_t height, uint8_t value);

/// Put a chunk behind the first.
void test_png_insert(test_file *file, const char *type, const uint8_t *data, size_t length);

/// Compute the checksums of all chunks anew, as far as the file is chunks.
void test_png_mend(uint8_t *data, size_t size);

/// JPEGs of 16×16 pixels: red is 16·column, green 16·row, blue 255 − 8·column − 8·row, about.
extern const uint8_t test_jpeg[], test_jpeg_progressive[];
extern const size_t test_jpeg_size, test_jpeg_progressive_size;

/// A JPEG of 16×16 pixels in CMYK, as Adobe's programs write it: cyan above, dark yellow below.
extern const uint8_t test_jpeg_cmyk[];
extern const size_t test_jpeg_cmyk_size;

/// Write a grey PNG of one value, or of one in its upper and one in its lower half, into the test's
/// folder, making the folders of `name`.
void test_write_png(const char *name, uint32_t width, uint32_t height, uint8_t value);
void test_write_halves(const char *name, uint32_t side, uint8_t upper, uint8_t lower);

#endif
