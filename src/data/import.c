// SPDX-License-Identifier: Apache-2.0
// The decoder: files are handed out in their order to a thread for each processor, so that all
// before the one that ends it have been looked at, and the same file is named every time.
#include "data/image_files.h"
#include "data/pack.h"

#include "base/clock.h"
#include "base/parallel.h"
#include "image/image.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { SIDE_MIN = 4, SIDE_MAX = 1024, OWN_SIDE_MAX = 128, SHOWN = 512, NAMED_MAX = 10 };

/// A file that gave no image.
typedef struct failure {
    int file;
    evn_status status;
    bool fatal; ///< cannot be left out
    char *message;
} failure;

typedef struct import {
    const evn__folder *folder;
    const evn_folder_options *options;
    evn__pack pack;          ///< with three channels and a place for every file at first
    unsigned char *is_there; ///< [file_count]
    atomic_bool stop, colour;
    pthread_mutex_t lock; ///< of what follows
    failure *failures;
    int failure_count, failure_capacity;
} import;

// One file ----------------------------------------------------------------------------------------

static evn_status decode(const import *m, int file, evn__image *image) {
    unsigned char *data;
    size_t size;
    *image = (evn__image){0};
    EVN_TRY(
        evn__folder_read(m->folder, &m->folder->files[file], EVN__IMAGE_FILE_MAX, &data, &size));
    evn_status status = evn__image_decode(data, size, image);
    free(data);
    return status;
}

static evn_status check_side(const import *m, const evn__image *image) {
    EVN_CHECK(m->options->height > 0 ||
                  (image->height == m->pack.height && image->width == m->pack.width),
              EVN_ERR_DATA,
              "it has %lld x %lld pixels (height x width), the first image %lld x %lld: give "
              "--size HxW, to which all are brought",
              (long long)image->height, (long long)image->width, (long long)m->pack.height,
              (long long)m->pack.width);
    return EVN_OK;
}

/// Put an image into its place.
static evn_status place(import *m, int file, bool *fatal) {
    evn__image image;
    *fatal = false;
    EVN_TRY(decode(m, file, &image));
    evn_status status = check_side(m, &image);
    *fatal = status != EVN_OK;
    if (status == EVN_OK) {
        size_t bytes = 3 * (size_t)(m->pack.height * m->pack.width);
        status = evn__image_fit(&image, evn__fit_of(m->options->fit), m->pack.height, m->pack.width,
                                3, evn__pack_pixels(&m->pack) + (size_t)file * bytes);
    }
    if (image.channels == 3) {
        atomic_store(&m->colour, true);
    }
    evn__image_free(&image);
    return status;
}

// Threads -----------------------------------------------------------------------------------------

static void add_failure(import *m, int file, evn_status status, bool fatal) {
    const failure one = {file, status, fatal || status == EVN_ERR_MEMORY,
                         strdup(evn_error_message())};
    pthread_mutex_lock(&m->lock);
    if (one.message &&
        EVN_RESERVE(m->failures, m->failure_capacity, m->failure_count + 1) == EVN_OK) {
        m->failures[m->failure_count++] = one;
    } else {
        free(one.message);
    }
    if (one.fatal || m->failure_count > m->options->skip_bad || !one.message) {
        atomic_store(&m->stop, true);
    }
    pthread_mutex_unlock(&m->lock);
}

static bool work(void *user, int64_t index) {
    import *m = user;
    bool fatal;
    evn_status status = place(m, (int)index, &fatal);
    if (status == EVN_OK) {
        m->is_there[index] = 1;
    } else {
        add_failure(m, (int)index, status, fatal);
    }
    return !atomic_load(&m->stop);
}

static void tell(void *user, int64_t done) {
    const import *m = user;
    if (m->options->progress) {
        m->options->progress(m->options->user, done, m->folder->file_count);
    }
}

static void decode_all(import *m) {
    const evn__parallel all = {m->folder->file_count, work, tell, m};
    evn__parallel_run(&all);
}

// What came of it ---------------------------------------------------------------------------------

static int by_file(const void *a, const void *b) {
    return ((const failure *)a)->file - ((const failure *)b)->file;
}

static evn_status fail(const import *m, const failure *of) {
    char shown[SHOWN];
    bool advice = !of->fatal && m->options->skip_bad == 0;
    evn__folder_show(m->folder, &m->folder->files[of->file], shown, sizeof(shown));
    EVN_CHECK(advice || of->fatal, of->status,
              "%s: %s; it is one more than the %lld that --skip-bad "
              "allows",
              shown, of->message, (long long)m->options->skip_bad);
    EVN_FAIL(of->status, "%s: %s%s", shown, of->message,
             advice ? "; mend or remove it, or leave out up to N such files with --skip-bad N"
                    : "");
}

static evn_status check_failures(import *m) {
    int64_t bad = 0;
    char shown[SHOWN];
    if (m->failure_count > 0) {
        qsort(m->failures, (size_t)m->failure_count, sizeof(*m->failures), by_file);
    }
    for (int i = 0; i < m->failure_count; ++i) {
        const failure *one = &m->failures[i];
        if (one->fatal || ++bad > m->options->skip_bad) {
            return fail(m, one);
        }
    }
    EVN_CHECK(!atomic_load(&m->stop), EVN_ERR_MEMORY, "no memory for the list of bad files");
    for (int i = 0; i < m->failure_count && i < NAMED_MAX; ++i) {
        evn__folder_show(m->folder, &m->folder->files[m->failures[i].file], shown, sizeof(shown));
        evn__note(m->options, "left out: %s: %s", shown, m->failures[i].message);
    }
    if (m->failure_count > NAMED_MAX) {
        evn__note(m->options, "left out: %d files more", m->failure_count - NAMED_MAX);
    }
    EVN_CHECK(bad < m->folder->file_count, EVN_ERR_DATA, "none of the %d files of %s is an image",
              m->folder->file_count, m->folder->path);
    return EVN_OK;
}

/// Close the gaps of what was left out, and of the colours of grey images.
static void compact(import *m) {
    evn__pack *p = &m->pack;
    const uint8_t *from = evn__pack_pixels(p);
    int channels = atomic_load(&m->colour) ? 3 : 1;
    size_t pixels = (size_t)(p->height * p->width);
    int64_t count = 0;
    for (int file = 0; file < m->folder->file_count; ++file) {
        if (m->is_there[file]) {
            evn__pack_files(p)[count++] = file;
        }
    }
    p->left_out = p->count - count;
    p->count = count;
    p->channels = channels;
    uint8_t *to = evn__pack_pixels(p);
    for (int64_t i = 0; i < count; ++i) {
        const uint8_t *image = from + 3 * pixels * (size_t)evn__pack_files(p)[i];
        if (channels == 3) {
            memmove(to, image, 3 * pixels);
        }
        for (size_t k = 0; channels == 1 && k < pixels; ++k) {
            to[k] = image[3 * k];
        }
        to += (size_t)channels * pixels;
    }
}

// All files ---------------------------------------------------------------------------------------

/// The size of all images: the one that was asked for, or that of the first good one.
static evn_status find_size(import *m) {
    int64_t bad = 0;
    m->pack.height = m->options->height;
    m->pack.width = m->options->width;
    for (int file = 0; m->pack.height == 0 && file < m->folder->file_count; ++file) {
        evn__image image;
        evn_status status = decode(m, file, &image);
        if (status == EVN_OK) {
            m->pack.height = image.height;
            m->pack.width = image.width;
        } else if (status == EVN_ERR_MEMORY || ++bad > m->options->skip_bad) {
            const failure one = {file, status, status == EVN_ERR_MEMORY,
                                 strdup(evn_error_message())};
            status = one.message ? fail(m, &one) : status;
            free(one.message);
            return status;
        }
        evn__image_free(&image);
    }
    EVN_CHECK(m->pack.height > 0, EVN_ERR_DATA, "none of the %d files of %s is an image",
              m->folder->file_count, m->folder->path);
    return EVN_OK;
}

static evn_status check_size(const import *m) {
    int64_t height = m->pack.height, width = m->pack.width;
    int64_t least = height < width ? height : width, most = height > width ? height : width;
    bool own = m->options->height == 0;
    EVN_CHECK(!own || most <= OWN_SIDE_MAX, EVN_ERR_DATA,
              "the images of %s have %lld x %lld pixels (height x width), too many to train on as "
              "they are: give --size HxW, such as --size 64x64 (--fit says how)",
              m->folder->path, (long long)height, (long long)width);
    EVN_CHECK(
        least >= SIDE_MIN && most <= SIDE_MAX, EVN_ERR_DATA,
        "images of %lld x %lld pixels cannot be trained on: give --size HxW of %d to %d, such "
        "as --size 32x32",
        (long long)height, (long long)width, SIDE_MIN, SIDE_MAX);
    return EVN_OK;
}

static evn_status allocate(import *m) {
    const evn__folder *folder = m->folder;
    m->pack.count = folder->file_count;
    m->pack.channels = 3;
    size_t bytes = evn__pack_size(m->pack.count, m->pack.height, m->pack.width, 3);
    EVN_CHECK(bytes, EVN_ERR_DATA,
              "%d images of %lld x %lld pixels are more than the 4 GiB that are read: give a "
              "smaller --size",
              folder->file_count, (long long)m->pack.height, (long long)m->pack.width);
    m->pack.bytes = malloc(bytes);
    EVN_CHECK(m->pack.bytes, EVN_ERR_MEMORY,
              "no memory for the %zu bytes of %d images: give a smaller --size", bytes,
              folder->file_count);
    return EVN_NEW(&m->is_there, folder->file_count);
}

static evn_status run(import *m) {
    double begun = evn__now();
    EVN_TRY(find_size(m));
    EVN_TRY(check_size(m));
    EVN_TRY(allocate(m));
    decode_all(m);
    EVN_TRY(check_failures(m));
    compact(m);
    evn__note(m->options, "decoded %lld images in %.2f s", (long long)m->pack.count,
              evn__now() - begun);
    return EVN_OK;
}

static evn_status decode_folder(const evn__folder *folder, const evn_folder_options *options,
                                evn__pack *pack) {
import m = {.folder = folder, .options = options };
    pthread_mutex_init(&m.lock, NULL);
    evn_status status = run(&m);
    pthread_mutex_destroy(&m.lock);
    for (int i = 0; i < m.failure_count; ++i) {
        free(m.failures[i].message);
    }
    free(m.failures);
    free(m.is_there);
    if (status == EVN_OK) {
        *pack = m.pack;
    } else {
        evn__pack_free(&m.pack);
    }
    return status;
}

evn_status evn__import(const evn__folder *folder, const evn_folder_options *options,
                       evn__pack *pack) {
    evn__pack_key key;
    const char *why;
    EVN_TRY(evn__pack_make_key(folder, options, &key));
    EVN_TRY(evn__pack_load(&key, folder->file_count, pack, &why));
    if (pack->bytes && pack->left_out <= options->skip_bad) {
        evn__note(options, "%lld images from the cache%s", (long long)pack->count,
                  pack->left_out ? ", without the files that were left out" : "");
        return EVN_OK;
    }
    evn__pack_free(pack);
    if (why) {
        evn__note(options, "the cache of decoded images %s: they are decoded again", why);
    }
    EVN_TRY(decode_folder(folder, options, pack));
    if (evn__pack_store(&key, pack) != EVN_OK) {
        evn__note(options, "the decoded images cannot be kept for later runs: %s",
                  evn_error_message());
    }
    return EVN_OK;
}
