// SPDX-License-Identifier: Apache-2.0
// Whole files: read, written so that a reader never sees half of one, and the folders for them.
// Every message names the path, the system's reason and what to do.
#ifndef EVN_BASE_FILES_H
#define EVN_BASE_FILES_H

#include "base/memory.h"
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/// A call of the system, again and again while signals end it early.
#define EVN_RETRY(result, call)                                                                    \
    do {                                                                                           \
        (result) = (call);                                                                         \
    } while ((result) < 0 && errno == EINTR)

/// The status of a call of the system that failed with this errno: EVN_ERR_MEMORY where there was
/// none for it, else the usual one.
evn_status evn__file_status(int error, evn_status usual);

/// Largest file that is read whole, 4 GiB: a wrong path must not exhaust memory.
#define EVN__FILE_BYTES_MAX ((size_t)4 << 30)

/// Read a whole regular file of at most EVN__FILE_BYTES_MAX, or `most`, bytes.
/// @param[out] data   owned by the caller, freed with free(); a NUL byte follows the contents
/// @param[out] bytes  size of the contents, without that NUL byte
/// @return EVN_ERR_FILE when it is missing, unreadable or larger; EVN_ERR_MEMORY
evn_status evn__file_read(const char *path, unsigned char **data, size_t *bytes);
evn_status evn__file_read_most(const char *path, size_t most, unsigned char **data, size_t *bytes);

/// The beginning of a file: `most` bytes, or all that it has.
evn_status evn__file_read_head(const char *path, size_t most, unsigned char **data, size_t *bytes);

/// The same of what a stream, such as standard input, gives until its end. `name` is its name in
/// messages.
evn_status evn__stream_read(FILE *stream, const char *name, size_t most, unsigned char **data,
                            size_t *bytes);

/// All bytes, in however many calls; false and errno where they cannot be had, or written.
bool evn__read_all(int file, void *data, size_t bytes);
bool evn__write_all(int file, const void *data, size_t bytes);

/// Append to an open file, which is `path` in the message.
/// @return EVN_ERR_OUTPUT; what was written until then stays
evn_status evn__file_append(int file, const char *path, const void *data, size_t bytes);

/// Put what was written, or the entries of a folder, onto the disk, as far as its file system can.
/// @return EVN_ERR_OUTPUT
evn_status evn__file_sync(int file, const char *path);
evn_status evn__folder_sync(const char *folder);

/// Remove a file, if it is there.
/// @return EVN_ERR_OUTPUT
evn_status evn__file_remove(const char *path);

/// What is between a file's name and the numbers that tell its temporary files apart.
#define EVN__TEMPORARY ".tmp-"

/// Remove the temporary files of `name`, NULL: of all files, whose writers were killed.
void evn__folder_sweep(const char *folder, const char *name);

/// Whether an entry of a folder has the name of a temporary file.
bool evn__file_is_temporary(const char *entry);

/// Write a file at once: under a temporary name in the same folder, flushed to disk, then renamed
/// over `path`. On failure the old file is untouched and the temporary one removed, except where
/// only the folder cannot be put onto the disk: then the new file is there, for how long is not
/// known. A temporary file that a killed writer left is removed by the next. A symbolic link
/// stays: what it leads to is written. Where a device, a pipe or a standard stream is, the contents
/// go into it.
/// @return EVN_ERR_OUTPUT
evn_status evn__file_write(const char *path, const void *data, size_t bytes);

/// Where evn__file_write puts what is written as `path`: what its symbolic links lead to, be it
/// there or not; else the path itself.
/// @param[in,out] target  empty; freed by the caller, also after a failure
/// @return EVN_ERR_OUTPUT; EVN_ERR_MEMORY
evn_status evn__file_target(const char *path, evn__text *target);

/// The same of a file of the program's own: a pipe or a device that stands in its place is refused,
/// where writing into it could wait for ever.
/// @return EVN_ERR_OUTPUT
evn_status evn__file_write_own(const char *path, const void *data, size_t bytes);

/// Whether there is something of that name, be it a link that leads nowhere. For what is decided by
/// it: a system that does not say counts as neither.
/// @return EVN_ERR_FILE
evn_status evn__file_exists(const char *path, bool *exists);

/// Whether it is there, through symbolic links.
bool evn__is_folder(const char *path);
bool evn__is_regular_file(const char *path);

/// Whether what stands there, through symbolic links, is neither a file nor missing: a folder, a
/// pipe, a device.
bool evn__is_no_file(const char *path);

/// Whether both paths are there and lead to one file or folder.
bool evn__is_same_file(const char *a, const char *b);

/// Make a folder and those above it, as far as they are missing; new ones get `mode` less umask.
/// @return EVN_ERR_OUTPUT, also when `path` exists and is no folder
evn_status evn__folder_make(const char *path, unsigned mode);

#endif
