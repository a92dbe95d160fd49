// SPDX-License-Identifier: Apache-2.0
// The one file that compiles stb, with its warnings off and with overflow defined to wrap
// (CMakeLists.txt).
#include "image/stb.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

// Memory ------------------------------------------------------------------------------------------

/// Before each block: the blocks of a call are a list, so that they can be freed when it is left by
/// a jump.
typedef union block {
    struct {
        union block *next, *previous;
        size_t bytes;
    } of;
    max_align_t alignment;
} block;

/// Of the call that this thread is in.
typedef struct call {
    block *blocks;
    size_t left;  ///< of its budget
    bool starved; ///< the system had no memory for it
    jmp_buf corrupt;
} call;

static _Thread_local call *current;

/// Zeroed, since some paths of stb leave pixels as they were. NULL beyond the budget: a file that
/// unpacks to more than its header states ends here.
static void *take(size_t bytes) {
    if (bytes > current->left) {
        return NULL;
    }
    block *b = calloc(1, sizeof(*b) + bytes);
    if (!b) {
        current->starved = true;
        return NULL;
    }
    b->of.bytes = bytes;
    b->of.next = current->blocks;
    if (b->of.next) {
        b->of.next->of.previous = b;
    }
    current->blocks = b;
    current->left -= bytes;
    return b + 1;
}

static void give(void *data) {
    if (!data) {
        return;
    }
    block *b = (block *)data - 1;
    if (b->of.next) {
        b->of.next->of.previous = b->of.previous;
    }
    if (b->of.previous) {
        b->of.previous->of.next = b->of.next;
    } else {
        current->blocks = b->of.next;
    }
    current->left += b->of.bytes;
    free(b);
}

static void *retake(void *data, size_t bytes) {
    void *grown = take(bytes);
    if (grown && data) {
        size_t before = ((block *)data - 1)->of.bytes;
        memcpy(grown, data, before < bytes ? before : bytes);
        give(data);
    }
    return grown;
}

static void begin(call *c, size_t budget) {
    c->blocks = NULL;
    c->left = budget;
    c->starved = false;
    current = c;
}

static void end(call *c) {
    while (c->blocks) {
        give(c->blocks + 1);
    }
    current = NULL;
}

static void fail_assertion(void) {
    longjmp(current->corrupt, 1);
}

#define STBI_MALLOC(bytes)        take(bytes)
#define STBI_REALLOC(data, bytes) retake(data, bytes)
#define STBI_FREE(data)           give(data)
#define STBI_ASSERT(condition)    ((condition) ? (void)0 : fail_assertion())
#define STBIR_MALLOC(bytes, user) ((void)(user), take(bytes))
#define STBIR_FREE(data, user)    ((void)(user), give(data))
#define STBIR_ASSERT(condition)   ((condition) ? (void)0 : fail_assertion())
#define STBI_MAX_DIMENSIONS       EVN__IMAGE_SIDE_MAX
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STBI_ONLY_TGA
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#include <stb/stb_image.h>

#define STB_IMAGE_RESIZE_STATIC
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#if __has_include(<stb/stb_image_resize2.h>)
#include <stb/stb_image_resize2.h>
static void *resample(const uint8_t *pixels, int width, int height, int stride, uint8_t *out,
                      int out_width, int out_height, int out_stride, int channels) {
    return stbir_resize_uint8_linear(pixels, width, height, stride, out, out_width, out_height,
                                     out_stride, channels == 1 ? STBIR_1CHANNEL : STBIR_RGB);
}
#else
#include <stb/stb_image_resize.h>
static void *resample(const uint8_t *pixels, int width, int height, int stride, uint8_t *out,
                      int out_width, int out_height, int out_stride, int channels) {
    return stbir_resize_uint8(pixels, width, height, stride, out, out_width, out_height, out_stride,
                              channels)
               ? out
               : NULL;
}
#endif

// Decoding ----------------------------------------------------------------------------------------

/// By the loader of the format alone, so that no other can take the file.
static void *load(evn__stb_format format, stbi__context *context, int *width, int *height,
                  int *channels, int *bits) {
    stbi__result_info result = {.bits_per_channel = 8};
    void *pixels = NULL;
    switch (format) {
    case EVN__STB_PNG:
        pixels = stbi__png_load(context, width, height, channels, 0, &result);
        break;
    case EVN__STB_JPEG:
        pixels = stbi__jpeg_load(context, width, height, channels, 0, &result);
        break;
    case EVN__STB_BMP:
        pixels = stbi__bmp_load(context, width, height, channels, 0, &result);
        break;
    case EVN__STB_TGA:
        pixels = stbi__tga_load(context, width, height, channels, 0, &result);
        break;
    }
    *bits = result.bits_per_channel;
    return pixels;
}

static evn_status copy_out(const evn__image_info *info, const void *pixels, int width, int height,
                           int channels, int bits, evn__raw_image *raw) {
    EVN_CHECK(width == info->width && height == info->height, EVN_ERR_FORMAT,
              "the decoder finds %d x %d pixels, the header states %lld x %lld", width, height,
              (long long)info->width, (long long)info->height);
    EVN_CHECK(channels >= 1 && channels <= 4 && (bits == 8 || bits == 16), EVN_ERR_FORMAT,
              "the decoder finds %d channels of %d bits", channels, bits);
    size_t bytes = (size_t)width * (size_t)height * (size_t)channels * (size_t)(bits / 8);
    EVN_CHECK(bytes <= ((const block *)pixels - 1)->of.bytes, EVN_ERR_FORMAT,
              "the decoder gives fewer pixels than the header states");
    void *copy = malloc(bytes);
    EVN_CHECK(copy, EVN_ERR_MEMORY, "no memory for an image of %zu bytes", bytes);
    memcpy(copy, pixels, bytes);
    *raw = (evn__raw_image){width, height, channels, bits, copy};
    return EVN_OK;
}

static evn_status decode(call *c, evn__stb_format format, const uint8_t *data, size_t size,
                         const evn__image_info *info, evn__raw_image *raw) {
    int width = 0, height = 0, channels = 0, bits = 8;
    stbi__context context;
    stbi__g_failure_reason = NULL;
    EVN_CHECK(setjmp(c->corrupt) == 0, EVN_ERR_FORMAT, "the image data are corrupt");
    stbi__start_mem(&context, data, (int)size);
    void *pixels = load(format, &context, &width, &height, &channels, &bits);
    const char *reason = stbi__g_failure_reason; // also noted where stb goes on regardless
    EVN_CHECK(!c->starved, EVN_ERR_MEMORY, "no memory to decode an image");
    EVN_CHECK(pixels && !reason, EVN_ERR_FORMAT,
              "the image data are corrupt or not of a kind that "
              "is read (%s)",
              reason ? reason : "no pixels");
    return copy_out(info, pixels, width, height, channels, bits, raw);
}

static size_t budget_for(int64_t width, int64_t height) {
    const size_t fixed = (size_t)1 << 20, bytes_per_pixel = 16;
    return fixed + bytes_per_pixel * (size_t)width * (size_t)height;
}

evn_status evn__stb_decode(evn__stb_format format, const uint8_t *data, size_t size,
                           const evn__image_info *info, evn__raw_image *raw) {
    call c;
    EVN_CHECK(size <= INT32_MAX, EVN_ERR_FORMAT, "an image file of %zu bytes is too large", size);
    begin(&c, budget_for(info->width, info->height));
    evn_status status = decode(&c, format, data, size, info, raw);
    end(&c);
    return status;
}

// Resampling --------------------------------------------------------------------------------------

static evn_status resize(call *c, const uint8_t *pixels, int64_t height, int64_t width,
                         int64_t stride, int channels, int64_t out_height, int64_t out_width,
                         uint8_t *out, int64_t out_stride) {
    EVN_CHECK(setjmp(c->corrupt) == 0, EVN_ERR_INTERNAL,
              "stb_image_resize cannot make %lld x %lld pixels of %lld x %lld",
              (long long)out_width, (long long)out_height, (long long)width, (long long)height);
    EVN_CHECK(resample(pixels, (int)width, (int)height, (int)stride, out, (int)out_width,
                       (int)out_height, (int)out_stride, channels),
              EVN_ERR_MEMORY, "no memory to resize an image of %lld x %lld pixels",
              (long long)width, (long long)height);
    return EVN_OK;
}

evn_status evn__stb_resize(const uint8_t *pixels, int64_t height, int64_t width, int64_t stride,
                           int channels, int64_t out_height, int64_t out_width, uint8_t *out,
                           int64_t out_stride) {
    call c;
    const size_t filters = (size_t)64 << 20;
    begin(&c, filters + budget_for(width + out_width, height + out_height));
    evn_status status =
        resize(&c, pixels, height, width, stride, channels, out_height, out_width, out, out_stride);
    end(&c);
    return status;
}
