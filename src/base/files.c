// SPDX-License-Identifier: Apache-2.0
#include "base/files.h"
#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Reading -----------------------------------------------------------------------------------------

static const char *advice_reading(int error) {
    switch (error) {
    case ENOENT:
        return "check the path";
    case EACCES:
    case EPERM:
        return "check the permissions of the file and its folders";
    case EISDIR:
    case ENOTDIR:
        return "name a file, not a folder";
    default:
        return "check the disk and try again";
    }
}

static evn_status fail_reading(const char *path, int error) {
    EVN_FAIL(EVN_ERR_FILE, "cannot read %s: %s; %s", path, strerror(error), advice_reading(error));
}

static bool read_all(int file, unsigned char *data, size_t bytes) {
    size_t done = 0;
    while (done < bytes) {
        ssize_t got = read(file, data + done, bytes - done);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            errno = got == 0 ? EIO : errno; // shorter than it was when its size was asked
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

static evn_status read_open_file(int file, const char *path, size_t most, unsigned char **data,
                                 size_t *bytes) {
    struct stat info;
    if (fstat(file, &info) != 0) {
        return fail_reading(path, errno);
    }
    if (!S_ISREG(info.st_mode)) {
        return fail_reading(path, S_ISDIR(info.st_mode) ? EISDIR : EINVAL);
    }
    EVN_CHECK((unsigned long long)info.st_size <= most, EVN_ERR_FILE,
              "cannot read %s: it has %lld bytes, more than the %zu that such a file may have; "
              "check that it is the right file",
              path, (long long)info.st_size, most);
    size_t size = (size_t)info.st_size;
    unsigned char *contents = malloc(size + 1);
    EVN_CHECK(contents, EVN_ERR_MEMORY, "no memory for the %zu bytes of %s", size, path);
    if (!read_all(file, contents, size)) {
        int error = errno;
        free(contents);
        return fail_reading(path, error);
    }
    contents[size] = 0;
    *data = contents;
    *bytes = size;
    return EVN_OK;
}

evn_status evn__file_read_most(const char *path, size_t most, unsigned char **data, size_t *bytes) {
    // Non-blocking, so that a named pipe is refused below instead of waited for.
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        return fail_reading(path, errno);
    }
    evn_status status = read_open_file(file, path, most, data, bytes);
    close(file);
    return status;
}

evn_status evn__file_read(const char *path, unsigned char **data, size_t *bytes) {
    return evn__file_read_most(path, EVN__FILE_BYTES_MAX, data, bytes);
}

/// Double the block until the stream ends in it. A NUL byte has room behind the contents.
static evn_status read_stream(FILE *stream, const char *name, size_t most, evn__text *text) {
    enum { FIRST = 1 << 16 };
    while (text->size == text->capacity && text->size <= most) {
        size_t wanted = text->capacity ? 2 * text->capacity : FIRST;
        char *more = realloc(text->data, wanted + 1);
        EVN_CHECK(more, EVN_ERR_MEMORY, "no memory for the %zu bytes of %s", wanted, name);
        text->data = more;
        text->capacity = wanted;
        text->size += fread(text->data + text->size, 1, wanted - text->size, stream);
    }
    EVN_CHECK(!ferror(stream), EVN_ERR_FILE, "cannot read %s: %s; check what writes it", name,
              strerror(errno));
    EVN_CHECK(
        text->size <= most, EVN_ERR_FILE,
        "cannot read %s: it has more than the %zu bytes that it may have; check what writes it",
        name, most);
    text->data[text->size] = 0;
    return EVN_OK;
}

evn_status evn__stream_read(FILE *stream, const char *name, size_t most, unsigned char **data,
                            size_t *bytes) {
    evn__text text = {0};
    evn_status status = read_stream(stream, name, most, &text);
    if (status != EVN_OK) {
        free(text.data);
        return status;
    }
    *data = (unsigned char *)text.data;
    *bytes = text.size;
    return EVN_OK;
}

// Writing -----------------------------------------------------------------------------------------

static const char *advice_writing(int error) {
    switch (error) {
    case ENOENT:
        return "make the folder first";
    case EACCES:
    case EPERM:
    case EROFS:
        return "choose a folder that you may write to";
    case ENOSPC:
    case EDQUOT:
        return "free some disk space";
    case EISDIR:
    case ENOTDIR:
    case EEXIST:
        return "choose another name";
    default:
        return "check the disk and try again";
    }
}

static evn_status fail_writing(const char *path, int error) {
    EVN_FAIL(EVN_ERR_OUTPUT, "cannot write %s: %s; %s", path, strerror(error),
             advice_writing(error));
}

static bool write_all(int file, const unsigned char *data, size_t bytes) {
    while (bytes > 0) {
        ssize_t put = write(file, data, bytes);
        if (put < 0 && errno != EINTR) {
            return false;
        }
        if (put > 0) {
            data += put;
            bytes -= (size_t)put;
        }
    }
    return true;
}

/// Flush the folder's entry of a renamed file; best effort, as not every file system can.
static void sync_folder_of(char *path) {
    char *slash = strrchr(path, '/');
    const char *folder = slash == path ? "/" : slash ? path : ".";
    if (slash && slash != path) {
        *slash = 0;
    }
    int file = open(folder, O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        fsync(file);
        close(file);
    }
}

/// Contents of the temporary file, on disk; errno tells why not. Closes `file`.
static bool fill(int file, const void *data, size_t bytes) {
    bool good = write_all(file, data, bytes) && fsync(file) == 0;
    int error = errno;
    if (close(file) != 0 && good) {
        good = false;
        error = errno;
    }
    errno = error;
    return good;
}

/// Create a file next to `path` that no other thread or process has; −1 and errno on failure.
/// Not mkstemp: that makes the file private, and asking for the umask is not safe with threads.
static int create_beside(const char *path, evn__text *name) {
    static atomic_uint serial;
    int file;
    do {
        name->size = 0;
        evn__text_append(name, "%s.tmp-%ld-%u", path, (long)getpid(), atomic_fetch_add(&serial, 1));
        if (name->status != EVN_OK) {
            errno = ENOMEM;
            return -1;
        }
        file = open(name->data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (file < 0 && errno == EEXIST);
    return file;
}

static evn_status write_through(const char *path, evn__text *temporary, const void *data,
                                size_t bytes) {
    int file = create_beside(path, temporary);
    if (file < 0) {
        return fail_writing(path, errno);
    }
    if (!fill(file, data, bytes) || rename(temporary->data, path) != 0) {
        int error = errno;
        unlink(temporary->data);
        return fail_writing(path, error);
    }
    sync_folder_of(temporary->data);
    return EVN_OK;
}

evn_status evn__file_write(const char *path, const void *data, size_t bytes) {
    evn__text temporary = {0};
    evn_status status = write_through(path, &temporary, data, bytes);
    free(temporary.data);
    return status;
}

// Folders -----------------------------------------------------------------------------------------

bool evn__is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool evn__is_regular_file(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

bool evn__is_same_file(const char *a, const char *b) {
    struct stat one, other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

/// Makes each folder of `path`, cutting the string at every slash in turn.
static evn_status make_each(char *path, unsigned mode) {
    for (char *end = path;; *end = '/') {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        char cut = *end;
        *end = 0;
        if (mkdir(path, (mode_t)mode) != 0 && !evn__is_folder(path)) {
            return fail_writing(path, errno);
        }
        if (!cut) {
            return EVN_OK;
        }
    }
}

evn_status evn__folder_make(const char *path, unsigned mode) {
    EVN_CHECK(path[0], EVN_ERR_OUTPUT, "cannot make a folder: its name is empty; give one");
    char *copy = strdup(path);
    EVN_CHECK(copy, EVN_ERR_MEMORY, "no memory for a path of %zu bytes", strlen(path));
    evn_status status = make_each(copy, mode);
    free(copy);
    return status;
}
