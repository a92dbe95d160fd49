// SPDX-License-Identifier: Apache-2.0
#include "data/pack.h"

#include "base/cache_folder.h"
#include "base/files.h"
#include "base/number.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FORMAT_VERSION = 2 };

#define MAGIC 0x31474d494e5645ffu // "\xffEVNIMG1" on little-endian machines

typedef struct header {
    uint64_t magic, version;
    evn__hash contents;
    int64_t count, height, width, channels, left_out;
    uint64_t checksum; ///< of what follows the header
} header;

// The block ---------------------------------------------------------------------------------------

size_t evn__pack_offset(int64_t count) {
    return sizeof(header) + (size_t)count * sizeof(int32_t);
}

size_t evn__pack_size(int64_t count, int64_t height, int64_t width, int channels) {
    uint64_t image = (uint64_t)height * (uint64_t)width * (uint64_t)channels;
    uint64_t most = EVN__FILE_BYTES_MAX - sizeof(header);
    bool fits = count >= 0 && image > 0 && image <= UINT32_MAX &&
                (uint64_t)count <= most / (image + sizeof(int32_t));
    return fits ? evn__pack_offset(count) + (size_t)count * (size_t)image : 0;
}

int32_t *evn__pack_files(const evn__pack *pack) {
    return (int32_t *)(void *)(pack->bytes + sizeof(header));
}

uint8_t *evn__pack_pixels(const evn__pack *pack) {
    return pack->bytes + evn__pack_offset(pack->count);
}

void evn__pack_free(evn__pack *pack) {
    free(pack->bytes);
    *pack = (evn__pack){0};
}

// The key -----------------------------------------------------------------------------------------

static evn_status hash_text(evn__text *text, evn__hash *hash) {
    evn_status status = text->status;
    if (status == EVN_OK) {
        *hash = evn__hash_of(text->data, text->size);
    }
    return status;
}

static void write_contents(evn__text *text, const evn__folder *folder) {
    for (int i = 0; i < folder->file_count; ++i) {
        const evn__folder_file *f = &folder->files[i];
        const char *path = folder->folders[f->folder].path;
        evn__text_append(text, "%zu:%s/%zu:%s %d %lld %lld.%lld\n", strlen(path), path,
                         strlen(f->name), f->name, f->problem != NULL, (long long)f->size,
                         (long long)f->seconds, (long long)f->nanoseconds);
    }
}

evn_status evn__pack_make_key(const evn__folder *folder, const evn_folder_options *options,
                              evn__pack_key *key) {
    evn__text text = {0};
    char *path = realpath(folder->path, NULL);
    EVN_CHECK(path, evn__file_status(errno, EVN_ERR_FILE), "cannot read the folder %s: %s",
              folder->path, strerror(errno));
    evn__text_append(&text, "evonode images, format %d\nsize %lld x %lld, fit %d\n%s\n",
                     FORMAT_VERSION, (long long)options->height, (long long)options->width,
                     (int)options->fit, path);
    free(path);
    evn_status status = hash_text(&text, &key->folder);
    write_contents(&text, folder);
    if (status == EVN_OK) {
        status = hash_text(&text, &key->contents);
    }
    free(text.data);
    return status;
}

// The cache ---------------------------------------------------------------------------------------

/// Nothing is appended where there is to be no cache.
static evn_status find_folder(evn__text *folder) {
    evn__cache_folder(folder, "");
    if (folder->size > 0) {
        evn__text_append(folder, "/images");
    }
    return folder->status;
}

static void append_name(evn__text *path, const evn__pack_key *key) {
    char name[EVN__HASH_TEXT];
    evn__hash_print(key->folder, name);
    evn__text_append(path, "/%s.images", name);
}

/// What is wrong with a file's contents; NULL: nothing.
static const char *check(const unsigned char *data, size_t bytes, const evn__pack_key *key,
                         int file_count, header *head) {
    static const char damaged[] = "is damaged";
    if (bytes < sizeof(*head)) {
        return damaged;
    }
    memcpy(head, data, sizeof(*head));
    if (head->magic != MAGIC || head->version != FORMAT_VERSION) {
        return damaged;
    }
    if (!evn__hash_equal(head->contents, key->contents)) {
        return "is of the folder as it was before";
    }
    bool fits =
        head->count >= 1 && head->left_out >= 0 && head->count <= file_count &&
        head->left_out == file_count - head->count && head->height >= 1 && head->width >= 1 &&
        head->height <= INT16_MAX && head->width <= INT16_MAX &&
        (head->channels == 1 || head->channels == 3) &&
        bytes == evn__pack_size(head->count, head->height, head->width, (int)head->channels);
    bool whole =
        fits && head->checksum == evn__checksum(data + sizeof(*head), bytes - sizeof(*head));
    return whole ? NULL : damaged;
}

/// The numbers index the list of files.
static bool are_ascending(const evn__pack *pack, int file_count) {
    const int32_t *files = evn__pack_files(pack);
    int32_t previous = -1;
    for (int64_t i = 0; i < pack->count; previous = files[i++]) {
        if (files[i] <= previous || files[i] >= file_count) {
            return false;
        }
    }
    return true;
}

static void take(const evn__pack_key *key, int file_count, unsigned char *data, size_t bytes,
                 evn__pack *pack, const char **why) {
    header head = {0};
    *why = check(data, bytes, key, file_count, &head);
    if (!*why) {
        *pack = (evn__pack){data,       head.count,         head.height,
                            head.width, (int)head.channels, head.left_out};
        *why = are_ascending(pack, file_count) ? NULL : "is damaged";
    }
    if (*why) {
        *pack = (evn__pack){0};
        free(data);
    }
}

evn_status evn__pack_load(const evn__pack_key *key, int file_count, evn__pack *pack,
                          const char **why) {
    unsigned char *data;
    size_t bytes;
    evn__text path = {0};
    *pack = (evn__pack){0};
    *why = NULL;
    evn_status status = find_folder(&path);
    if (status == EVN_OK && path.size > 0) {
        append_name(&path, key);
        status = path.status;
        if (status == EVN_OK && access(path.data, F_OK) == 0) {
            if (evn__file_read(path.data, &data, &bytes) == EVN_OK) {
                take(key, file_count, data, bytes, pack, why);
            } else {
                *why = "cannot be read";
            }
        }
    }
    free(path.data);
    return status;
}

static evn_status store(const evn__pack_key *key, evn__text *path, const evn__pack *pack) {
    size_t bytes = evn__pack_size(pack->count, pack->height, pack->width, pack->channels);
    const header head = {.magic = MAGIC,
                         .version = FORMAT_VERSION,
                         .contents = key->contents,
                         .count = pack->count,
                         .height = pack->height,
                         .width = pack->width,
                         .channels = pack->channels,
                         .left_out = pack->left_out,
                         .checksum =
                             evn__checksum(pack->bytes + sizeof(head), bytes - sizeof(head))};
    memcpy(pack->bytes, &head, sizeof(head));
    EVN_TRY(evn__folder_make(path->data, 0700));
    append_name(path, key);
    EVN_TRY(path->status);
    return evn__file_write_own(path->data, pack->bytes, bytes);
}

evn_status evn__pack_store(const evn__pack_key *key, evn__pack *pack) {
    evn__text path = {0};
    evn_status status = find_folder(&path);
    if (status == EVN_OK && path.size > 0) {
        status = store(key, &path, pack);
    }
    free(path.data);
    return status;
}

void evn__note(const evn_folder_options *options, const char *format, ...) {
    char text[1024];
    va_list arguments;
    if (options->note) {
        va_start(arguments, format);
        evn__print_list(text, sizeof(text), format, arguments);
        va_end(arguments);
        options->note(options->user, text);
    }
}
