// SPDX-License-Identifier: Apache-2.0
// A folder of images as a list: a sub-folder a class, below train/ and test/ or without them. Only
// what is in the folder itself is listed: no symbolic link is followed, nothing is opened but
// folders. The order depends on the names alone.
#ifndef EVN_DATA_FOLDER_H
#define EVN_DATA_FOLDER_H

#include "base/memory.h"
#include "evonode/dataset.h"

enum {
    EVN__CLASSES_MAX = 4096,
    EVN__FILES_MAX = 1 << 22,
    EVN__PART_EITHER = 2, ///< of a folder without train/ and test/
};

/// The files of a class in a part.
typedef struct evn__class_folder {
    const char *path; ///< below the folder's own
    const char *name; ///< the last part of it
    int parent;       ///< where that is: the folder's own or a part's, open for openat
    int label;        ///< index of the class
    int part;         ///< evn_part or EVN__PART_EITHER
} evn__class_folder;

typedef struct evn__folder_file {
    const char *name;
    int32_t folder;
    int64_t size, seconds, nanoseconds; ///< when it was listed, as of its last change
    const char *problem;                ///< why it can be no image; NULL: it may be one
} evn__folder_file;

typedef struct evn__folder {
    const char *path;
    const char **classes; ///< sorted; as they can be shown
    int class_count;
    evn__class_folder *folders;
    int folder_count, folder_capacity;
    evn__folder_file *files; ///< by name, then by class
    int file_count, file_capacity;
    bool has_parts;
    int parents[2]; ///< open folders that have those of classes: one, or one a part
    int parent_count;
    evn__arena arena; ///< of the texts
} evn__folder;

/// List a folder.
/// @param[in] path  borrowed
/// @return EVN_ERR_FILE for what cannot be read; EVN_ERR_DATA for what is no folder of classes
evn_status evn__folder_open(const char *path, evn__folder *folder);
void evn__folder_close(evn__folder *folder); ///< also after a failure

/// Read a file that is as it was listed, of at most `most` bytes. Messages do not name it.
/// @param[out] data  freed by the caller with free()
/// @return EVN_ERR_FILE; EVN_ERR_FORMAT for what can be no image
evn_status evn__folder_read(const evn__folder *folder, const evn__folder_file *file, size_t most,
                            unsigned char **data, size_t *size);

/// "FOLDER/train/cat/1.png", as it can be shown.
const char *evn__folder_show(const evn__folder *folder, const evn__folder_file *file, char *shown,
                             size_t size);

#endif
