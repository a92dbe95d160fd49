// SPDX-License-Identifier: Apache-2.0
#include "base/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static const char FREE_MEMORY[] = "end what else needs memory";

evn_status evn__file_status(int error, evn_status usual) {
    return error == ENOMEM ? EVN_ERR_MEMORY : usual;
}

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
    case ENOMEM:
        return FREE_MEMORY;
    default:
        return "check the disk and try again";
    }
}

static evn_status fail_reading(const char *path, int error) {
    EVN_FAIL(evn__file_status(error, EVN_ERR_FILE), "cannot read %s: %s; %s", path, strerror(error),
             advice_reading(error));
}

bool evn__read_all(int file, void *data, size_t bytes) {
    size_t done = 0;
    while (done < bytes) {
        ssize_t got;
        EVN_RETRY(got, read(file, (char *)data + done, bytes - done));
        if (got <= 0) {
            errno = got == 0 ? EIO : errno; // shorter than it was when its size was asked
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

static evn_status read_open_file(int file, const char *path, size_t most, bool head,
                                 unsigned char **data, size_t *bytes) {
    struct stat info;
    if (fstat(file, &info) != 0) {
        return fail_reading(path, errno);
    }
    if (S_ISDIR(info.st_mode)) {
        return fail_reading(path, EISDIR);
    }
    EVN_CHECK(S_ISREG(info.st_mode), EVN_ERR_FILE,
              "cannot read %s: it is a pipe or a device; save what it gives into a file", path);
    EVN_CHECK(head || (unsigned long long)info.st_size <= most, EVN_ERR_FILE,
              "cannot read %s: it has %lld bytes, more than the %zu that such a file may have; "
              "check that it is the right file",
              path, (long long)info.st_size, most);
    size_t size = head && (unsigned long long)info.st_size > most ? most : (size_t)info.st_size;
    unsigned char *contents = malloc(size + 1);
    EVN_CHECK(contents, EVN_ERR_MEMORY, "no memory for the %zu bytes of %s", size, path);
    if (!evn__read_all(file, contents, size)) {
        int error = errno;
        free(contents);
        return fail_reading(path, error);
    }
    contents[size] = 0;
    *data = contents;
    *bytes = size;
    return EVN_OK;
}

static evn_status read_file(const char *path, size_t most, bool head, unsigned char **data,
                            size_t *bytes) {
    // Non-blocking, so that a named pipe is refused below instead of waited for.
    int file;
    EVN_RETRY(file, open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file < 0) {
        return fail_reading(path, errno);
    }
    evn_status status = read_open_file(file, path, most, head, data, bytes);
    close(file);
    return status;
}

evn_status evn__file_read_most(const char *path, size_t most, unsigned char **data, size_t *bytes) {
    return read_file(path, most, false, data, bytes);
}

evn_status evn__file_read_head(const char *path, size_t most, unsigned char **data, size_t *bytes) {
    return read_file(path, most, true, data, bytes);
}

evn_status evn__file_read(const char *path, unsigned char **data, size_t *bytes) {
    return evn__file_read_most(path, EVN__FILE_BYTES_MAX, data, bytes);
}

/// As many bytes as there are; a signal ends no read.
static size_t read_some(FILE *stream, char *data, size_t bytes) {
    size_t done = 0;
    bool again;
    do {
        errno = 0;
        done += fread(data + done, 1, bytes - done, stream);
        again = done < bytes && ferror(stream) && errno == EINTR;
        if (again) {
            clearerr(stream);
        }
    } while (again);
    return done;
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
        text->size += read_some(stream, text->data + text->size, wanted - text->size);
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
    case ELOOP:
    case ENXIO:
        return "choose another name";
    case EPIPE:
        return "check what reads it";
    case ENOMEM:
        return FREE_MEMORY;
    default:
        return "check the disk and try again";
    }
}

static evn_status fail_writing(const char *path, int error) {
    EVN_FAIL(evn__file_status(error, EVN_ERR_OUTPUT), "cannot write %s: %s; %s", path,
             strerror(error), advice_writing(error));
}

bool evn__write_all(int file, const void *data, size_t bytes) {
    const char *at = data;
    while (bytes > 0) {
        ssize_t put;
        EVN_RETRY(put, write(file, at, bytes));
        if (put < 0) {
            return false;
        }
        at += put;
        bytes -= (size_t)put;
    }
    return true;
}

evn_status evn__file_append(int file, const char *path, const void *data, size_t bytes) {
    return evn__write_all(file, data, bytes) ? EVN_OK : fail_writing(path, errno);
}

/// Not every file system, and no pipe, can.
static bool sync_file(int file) {
    int result;
    EVN_RETRY(result, fsync(file));
    return result == 0 || errno == EINVAL || errno == ENOTSUP;
}

evn_status evn__file_sync(int file, const char *path) {
    return sync_file(file) ? EVN_OK : fail_writing(path, errno);
}

/// What the system says only now of what was written; a signal does not leave it open.
static bool close_written(int file) {
    return close(file) == 0 || errno == EINTR;
}

evn_status evn__folder_sync(const char *folder) {
    int file;
    EVN_RETRY(file, open(folder, O_RDONLY | O_CLOEXEC));
    if (file < 0) { // one may write into a folder that one may not read
        return errno == EACCES ? EVN_OK : fail_writing(folder, errno);
    }
    evn_status status = evn__file_sync(file, folder);
    close(file);
    return status;
}

/// The folder's part of a path, which is cut there.
static const char *cut_folder(char *path) {
    char *slash = strrchr(path, '/');
    if (!slash || slash == path) {
        return slash ? "/" : ".";
    }
    *slash = 0;
    return path;
}

/// Contents of the temporary file, on disk; errno tells why not. Closes `file`.
static bool fill(int file, const void *data, size_t bytes) {
    bool good = evn__write_all(file, data, bytes) && sync_file(file);
    int error = errno;
    if (!close_written(file) && good) {
        good = false;
        error = errno;
    }
    errno = error;
    return good;
}

// Temporary files: NAME.tmp-PROCESS-NUMBER, locked while their writer lives.

static bool lock_file(int file) {
    int result;
    EVN_RETRY(result, flock(file, LOCK_EX | LOCK_NB));
    return result == 0;
}

/// Whether it is one of `name`, or where that is NULL, of any.
static bool is_temporary(const char *entry, const char *name) {
    const char *suffix = NULL, *digits = "0123456789";
    for (const char *at = entry; (at = strstr(at, EVN__TEMPORARY)); ++at) {
        suffix = at; // the last one
    }
    if (!suffix || (name && ((size_t)(suffix - entry) != strlen(name) ||
                             strncmp(entry, name, strlen(name))))) {
        return false;
    }
    suffix += strlen(EVN__TEMPORARY);
    size_t process = strspn(suffix, digits);
    size_t number = suffix[process] == '-' ? strspn(suffix + process + 1, digits) : 0;
    return process > 0 && number > 0 && suffix[process + 1 + number] == 0;
}

bool evn__file_is_temporary(const char *entry) {
    return is_temporary(entry, NULL);
}

/// A file that can be locked has no writer any more.
static void sweep_entry(int folder, const char *entry) {
    int file;
    EVN_RETRY(file, openat(folder, entry, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (file >= 0 && lock_file(file)) {
        int result;
        EVN_RETRY(result, unlinkat(folder, entry, 0)); // what cannot be removed stays
    }
    if (file >= 0) {
        close(file);
    }
}

void evn__folder_sweep(const char *folder, const char *name) {
    DIR *stream = opendir(folder);
    if (!stream) {
        return;
    }
    for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
        if (is_temporary(entry->d_name, name)) {
            sweep_entry(dirfd(stream), entry->d_name);
        }
    }
    closedir(stream);
}

/// Whether nobody else took the file for one that was left. Where there are no locks, nobody can; a
/// file of which the system says nothing is kept, or another and another would be made.
static bool is_own(int file) {
    struct stat info;
    return (lock_file(file) || errno != EWOULDBLOCK) &&
           (fstat(file, &info) != 0 || info.st_nlink > 0);
}

/// Create a file next to `path` that no other thread or process has; −1 and errno on failure.
/// Not mkstemp: that makes the file private, and asking for the umask is not safe with threads.
static int create_beside(const char *path, evn__text *name) {
    enum { ATTEMPTS = 1000 }; // where another process takes each new file away, too
    static atomic_uint serial;
    for (int i = 0; i < ATTEMPTS; ++i) {
        int file;
        name->size = 0;
        evn__text_append(name, "%s" EVN__TEMPORARY "%ld-%u", path, (long)getpid(),
                         atomic_fetch_add(&serial, 1));
        if (name->status != EVN_OK) {
            errno = ENOMEM;
            return -1;
        }
        EVN_RETRY(file, open(name->data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        if ((file >= 0 && is_own(file)) || (file < 0 && errno != EEXIST)) {
            return file;
        }
        if (file >= 0) {
            close(file);
        }
    }
    errno = EEXIST;
    return -1;
}

/// What killed writers of the same file have left.
static void sweep_beside(const char *path) {
    char *copy = strdup(path);
    const char *slash = strrchr(path, '/');
    if (copy) {
        evn__folder_sweep(cut_folder(copy), slash ? slash + 1 : path);
    }
    free(copy);
}

static evn_status replace(const char *path, evn__text *temporary, const void *data, size_t bytes) {
    sweep_beside(path);
    int file = create_beside(path, temporary), moved = -1;
    if (file < 0) {
        return fail_writing(path, errno);
    }
    if (fill(file, data, bytes)) {
        EVN_RETRY(moved, rename(temporary->data, path));
    }
    if (moved != 0) {
        int error = errno;
        EVN_RETRY(moved, unlink(temporary->data));
        return fail_writing(path, error);
    }
    return evn__folder_sync(cut_folder(temporary->data));
}

/// write_all() for which a reader that has gone is EPIPE, not a signal that ends the program.
static bool write_without_signal(int file, const void *data, size_t bytes) {
    sigset_t pipe_only, before, waiting;
    int ignored;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    sigpending(&waiting);
    bool was_waiting = sigismember(&waiting, SIGPIPE), good = evn__write_all(file, data, bytes);
    int error = errno;
    sigpending(&waiting);
    if (!was_waiting && sigismember(&waiting, SIGPIPE)) {
        sigwait(&pipe_only, &ignored);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return good;
}

/// Into what is there: a device, a pipe or a standard stream is no file that could be replaced.
/// Closes `file`.
static evn_status write_into(int file, const char *path, const void *data, size_t bytes) {
    bool good = file >= 0 && write_without_signal(file, data, bytes);
    int error = errno;
    if (file >= 0 && !close_written(file) && good) {
        good = false;
        error = errno;
    }
    return good ? EVN_OK : fail_writing(path, error);
}

/// What a path names, itself or what it leads to: nothing is there (*there false), or is. Where the
/// system does not say, false and errno: a link or a device would be taken for missing, and
/// replaced.
static bool ask(const char *path, bool follow, struct stat *info, bool *there) {
    *there = (follow ? stat(path, info) : lstat(path, info)) == 0;
    return *there || errno == ENOENT || errno == ENOTDIR;
}

/// Where the symbolic link `path->data` leads, also if nothing is there yet; false and errno.
static bool follow_links(evn__text *path) {
    enum { LINKS_MAX = 40 };
    struct stat info;
    char target[PATH_MAX];
    bool there;
    for (int i = 0;; ++i) {
        if (!ask(path->data, false, &info, &there)) {
            return false;
        }
        if (!there || !S_ISLNK(info.st_mode)) {
            break;
        }
        ssize_t length = readlink(path->data, target, sizeof(target));
        if (length < 0 || length == (ssize_t)sizeof(target) || i == LINKS_MAX) {
            errno = i == LINKS_MAX ? ELOOP : length < 0 ? errno : ENAMETOOLONG;
            return false;
        }
        char *slash = strrchr(path->data, '/');
        path->size = slash && target[0] != '/' ? (size_t)(slash + 1 - path->data) : 0;
        evn__text_append(path, "%.*s", (int)length, target);
    }
    errno = ENOMEM;
    return path->status == EVN_OK;
}

evn_status evn__file_target(const char *path, evn__text *target) {
    evn__text_append(target, "%s", path);
    bool found = target->status == EVN_OK && follow_links(target);
    return found ? EVN_OK : fail_writing(path, errno);
}

static evn_status write_behind_link(const char *path, const void *data, size_t bytes) {
    evn__text target = {0}, temporary = {0};
    evn_status status = evn__file_target(path, &target);
    if (status == EVN_OK) {
        status = replace(target.data, &temporary, data, bytes);
    }
    free(target.data);
    free(temporary.data);
    return status;
}

/// The standard output or error stream that a link such as /dev/stdout leads to; −1: none.
static int standard_stream(const struct stat *there) {
    struct stat info;
    for (int file = STDOUT_FILENO; file <= STDERR_FILENO; ++file) {
        if (fstat(file, &info) == 0 && info.st_dev == there->st_dev &&
            info.st_ino == there->st_ino) {
            return file;
        }
    }
    return -1;
}

evn_status evn__file_write(const char *path, const void *data, size_t bytes) {
    struct stat info, there;
    bool named, exists;
    if (!ask(path, false, &info, &named) || !ask(path, true, &there, &exists)) {
        return fail_writing(path, errno);
    }
    bool linked = named && S_ISLNK(info.st_mode);
    int stream = linked && exists ? standard_stream(&there) : -1;
    if (stream >= 0) { // shares its position: opened anew, it would write over the beginning
        return write_into(dup(stream), path, data, bytes);
    }
    if (exists && !S_ISREG(there.st_mode) && !S_ISDIR(there.st_mode)) {
        return write_into(open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY), path, data, bytes);
    }
    if (linked) {
        return write_behind_link(path, data, bytes);
    }
    evn__text temporary = {0};
    evn_status status = replace(path, &temporary, data, bytes);
    free(temporary.data);
    return status;
}

evn_status evn__file_write_own(const char *path, const void *data, size_t bytes) {
    EVN_CHECK(!evn__is_no_file(path), EVN_ERR_OUTPUT,
              "cannot write %s: a folder, a pipe or a device has that name; move it away", path);
    return evn__file_write(path, data, bytes);
}

evn_status evn__file_remove(const char *path) {
    int result;
    EVN_RETRY(result, unlink(path));
    EVN_CHECK(result == 0 || errno == ENOENT, EVN_ERR_OUTPUT, "cannot remove %s: %s; %s", path,
              strerror(errno), advice_writing(errno));
    return EVN_OK;
}

// Folders -----------------------------------------------------------------------------------------

evn_status evn__file_exists(const char *path, bool *exists) {
    struct stat info;
    *exists = lstat(path, &info) == 0;
    return *exists || errno == ENOENT || errno == ENOTDIR ? EVN_OK : fail_reading(path, errno);
}

bool evn__is_folder(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool evn__is_regular_file(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

bool evn__is_no_file(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 && !S_ISREG(info.st_mode);
}

bool evn__is_same_file(const char *a, const char *b) {
    struct stat one, other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

/// Put the name of a new file or folder onto the disk.
static evn_status sync_above(const char *path) {
    char *copy = strdup(path);
    EVN_CHECK(copy, EVN_ERR_MEMORY, "no memory for a path of %zu bytes", strlen(path));
    evn_status status = evn__folder_sync(cut_folder(copy));
    free(copy);
    return status;
}

/// Makes each folder of `path`, cutting the string at every slash in turn.
static evn_status make_each(char *path, unsigned mode) {
    for (char *end = path;; *end = '/') {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        char cut = *end;
        *end = 0;
        int result;
        EVN_RETRY(result, mkdir(path, (mode_t)mode));
        int error = result == 0 ? 0 : errno; // stat() below has its own reason
        if (error && !evn__is_folder(path)) {
            return fail_writing(path, error);
        }
        EVN_TRY(error ? EVN_OK : sync_above(path));
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
