// SPDX-License-Identifier: Apache-2.0
// The decoded images of a folder in one block, which is also the file that keeps them for later
// runs: <cache folder>/images/HASH.images, a header, the numbers of the files, the pixels. It
// counts as none when its checksum is wrong, or the folder's names, sizes or times have changed.
#ifndef EVN_DATA_PACK_H
#define EVN_DATA_PACK_H

#include "base/hash.h"
#include "data/folder.h"

typedef struct evn__pack {
    unsigned char *bytes; ///< header, files, pixels; owned
    int64_t count, height, width;
    int channels;     ///< 1 when all images are grey, else 3
    int64_t left_out; ///< files that could not be decoded
} evn__pack;

/// Bytes before the pixels of `count` images.
size_t evn__pack_offset(int64_t count);
/// Bytes in all; 0 when they are more than a file may have.
size_t evn__pack_size(int64_t count, int64_t height, int64_t width, int channels);
/// [count]: which of the folder's files an image is, ascending.
int32_t *evn__pack_files(const evn__pack *pack);
uint8_t *evn__pack_pixels(const evn__pack *pack); ///< [count, height, width, channels]
void evn__pack_free(evn__pack *pack);             ///< accepts an empty one

/// What the decoded images depend on.
typedef struct evn__pack_key {
    evn__hash folder;   ///< its path and the options: they name the cache's file
    evn__hash contents; ///< the names, sizes and times of the files as well
} evn__pack_key;

evn_status evn__pack_make_key(const evn__folder *folder, const evn_folder_options *options,
                              evn__pack_key *key);

/// Read the cache. A pack without bytes: there is none of use.
/// @param[out] why  then: what was wrong with it, static; NULL: there was none
evn_status evn__pack_load(const evn__pack_key *key, int file_count, evn__pack *pack,
                          const char **why);

/// Write the cache, where there is to be one.
/// @return EVN_ERR_OUTPUT
evn_status evn__pack_store(const evn__pack_key *key, evn__pack *pack);

/// Decode the files of a folder, or take them from the cache.
/// @return EVN_ERR_FILE, EVN_ERR_FORMAT for the first bad file that is one too many; EVN_ERR_DATA
///         when sizes differ and none was asked for
evn_status evn__import(const evn__folder *folder, const evn_folder_options *options,
                       evn__pack *pack);

/// Tell the caller what happened.
void evn__note(const evn_folder_options *options, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
