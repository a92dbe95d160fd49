// SPDX-License-Identifier: Apache-2.0
// Preloaded into evonode, makes a call of the system, or an allocation, go wrong where the tests
// want it: EVN_FAULTS is KIND:K:MANNER, with :on behind it for all later calls too. KIND is files,
// memory, queries (what asks for files and lists folders) or drawing (PLplot's allocations), K
// counts from 1 the calls of the program itself (and of memory, those of the libraries that work
// for it alone), 0 is none. MANNER
// is an error by name, short, kill, or term (the signal comes, and the call goes well). The count
// of all calls, and which of them came from a new place (places.h), go into the file
// EVN_FAULTS_COUNT, what they changed, in order, into EVN_FAULTS_RECORD (power.py reads it). Only
// the process that was started is meant, none that it starts, but for drawing, where it is those
// that it forks. A program may also plan its own faults (support/sweep.h).
#define _GNU_SOURCE
#include <stdlib.h>
#ifdef __GLIBC__ // whose own names it calls
#include "places.h"
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RANGES = 16, SHORT = -1, KILL = -2, TERM = -3 };

typedef enum kind { FILES, MEMORY, QUERIES, DRAWING, KINDS } kind;

static const char *const kinds[KINDS] = {"files", "memory", "queries", "drawing"};

static struct {
    kind kind;
    bool on;
    long call;
    int error;         ///< errno, or SHORT, or KILL, or TERM
    pid_t process;     ///< 0: none is meant
    const char *count; ///< where calls are counted; NULL: nowhere
    pthread_mutex_t lock;
} plan = {.lock = PTHREAD_MUTEX_INITIALIZER};

/// What this process and those that it forks count together.
typedef struct seen {
    atomic_long calls;
    places_seen places;
} seen;

static seen *all;

typedef struct range {
    uintptr_t begin, end;
} range;

/// Code whose calls count; and the C library's, which counts where such code called it.
static range ranges[RANGES], library;
static int range_count;

static int record = -1; ///< where changes are noted

static const struct {
    const char *name;
    int error;
} manners[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EINTR", EINTR},   {"EMFILE", EMFILE},
               {"ENOMEM", ENOMEM}, {"EACCES", EACCES}, {"ENOLCK", ENOLCK}, {"short", SHORT},
               {"kill", KILL},     {"term", TERM}};

/// Whether a library's calls count: of memory those of each that works for the program alone. An
/// OpenCL implementation is not of them, nor what it brings, nor PLplot, which has processes of its
/// own.
static bool is_named(const char *name) {
    static const char *const libraries[] = {"libevonode",    "libjansson",    "libz.so",  "libcsv",
                                            "libmicrohttpd", "libprotobuf-c", "libOpenCL"};
    if (plan.kind == DRAWING) {
        return strstr(name, "libplplot") != NULL;
    }
    for (size_t i = 0; i < sizeof(libraries) / sizeof(libraries[0]); ++i) {
        if ((plan.kind == MEMORY || i == 0) && strstr(name, libraries[i])) {
            return true;
        }
    }
    return false;
}

/// `first`: whether the next module is the program, and counts.
static int add_module(struct dl_phdr_info *info, size_t size, void *first) {
    bool *program = first, counts = *program || is_named(info->dlpi_name);
    bool is_library = strstr(info->dlpi_name, "/libc.so") != NULL;
    (void)size;
    *program = false;
    for (int i = 0; (counts || is_library) && i < info->dlpi_phnum && range_count < RANGES; ++i) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X)) {
            range found = {info->dlpi_addr + part->p_vaddr,
                           info->dlpi_addr + part->p_vaddr + part->p_memsz};
            *(is_library ? &library : &ranges[range_count++]) = found;
        }
    }
    return 0;
}

static void read_plan(const char *value) {
    char name[16] = "", manner[16] = "", on[4] = "";
    if (!all) {
        all = mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    }
    if (all == MAP_FAILED) {
        _exit(99);
    }
    if (sscanf(value, "%15[^:]:%ld:%15[^:]:%3s", name, &plan.call, manner, on) < 2) {
        _exit(99);
    }
    for (plan.kind = 0; plan.kind < KINDS && strcmp(name, kinds[plan.kind]) != 0;) {
        plan.kind++;
    }
    plan.on = strcmp(on, "on") == 0;
    plan.error = plan.call == 0;
    for (size_t i = 0; i < sizeof(manners) / sizeof(manners[0]); ++i) {
        plan.error = strcmp(manner, manners[i].name) == 0 ? manners[i].error : plan.error;
    }
    if (!plan.error || plan.kind == KINDS) {
        _exit(99);
    }
    bool program = plan.kind != DRAWING;
    range_count = 0;
    dl_iterate_phdr(add_module, &program);
}

/// The plan of a program that was preloaded with this, as in EVN_FAULTS; NULL: none from now on.
/// Returns how many calls the last one has counted.
long evn_faults_plan(const char *value) {
    plan.process = 0;
    long calls = all ? all->calls : 0;
    if (all) {
        all->calls = 0;
    }
    if (value) {
        read_plan(value);
        plan.process = getpid();
    }
    return calls;
}

__attribute__((constructor)) static void begin(void) {
    const char *value = getenv("EVN_FAULTS");
    if (!value) {
        return;
    }
    read_plan(value);
    unsetenv("EVN_FAULTS");
    const char *path = getenv("EVN_FAULTS_RECORD");
    record = path ? (int)syscall(SYS_openat, AT_FDCWD, path,
                                 O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)
                  : -1;
    unsetenv("EVN_FAULTS_RECORD");
    plan.count = getenv("EVN_FAULTS_COUNT");
    plan.process = getpid();
}

__attribute__((destructor)) static void end(void) {
    if (plan.count && plan.process == getpid()) {
        plan.process = 0;
        places_write(&all->places, plan.count, all->calls);
    }
}

static bool is_in(const range *r, uintptr_t address) {
    return address >= r->begin && address < r->end;
}

static bool is_in_ranges(uintptr_t address) {
    for (int i = 0; i < range_count; ++i) {
        if (is_in(&ranges[i], address)) {
            return true;
        }
    }
    return false;
}

typedef struct way_out {
    bool entered;     ///< the C library's frames are reached
    uintptr_t caller; ///< of these
} way_out;

static _Unwind_Reason_Code step_out(struct _Unwind_Context *frame, void *self) {
    way_out *way = self;
    uintptr_t address = (uintptr_t)_Unwind_GetIP(frame);
    bool within = is_in(&library, address);
    way->caller = way->entered && !within ? address : 0;
    way->entered = way->entered || within;
    return way->caller ? _URC_END_OF_STACK : _URC_NO_REASON;
}

/// What the C library allocates for the program (fopen, opendir, realpath) is the program's.
static bool is_meant(kind kind, const void *caller) {
    way_out way = {false, 0};
    if (is_in_ranges((uintptr_t)caller)) {
        return true;
    }
    if (kind != MEMORY || !is_in(&library, (uintptr_t)caller)) {
        return false;
    }
    _Unwind_Backtrace(step_out, &way);
    return is_in_ranges(way.caller);
}

/// Whether this process is: of drawing, another one than that which was started.
static bool is_planned(kind kind) {
    bool own = getpid() == plan.process;
    return plan.kind == DRAWING ? kind == MEMORY && !own : kind == plan.kind && own;
}

/// What happens to a call: 0, nothing; an errno; SHORT.
static int strike(kind kind, const void *caller) {
    if (!plan.process || !is_planned(kind) || !is_meant(kind, caller)) {
        return 0;
    }
    long call = ++all->calls;
    if (plan.count) {
        pthread_mutex_lock(&plan.lock);
        places_note(&all->places, call);
        pthread_mutex_unlock(&plan.lock);
    }
    if (call != plan.call && !(plan.on && call > plan.call && plan.call > 0)) {
        return 0;
    }
    if (plan.error == KILL || plan.error == TERM) {
        raise(plan.error == KILL ? SIGKILL : SIGTERM);
        return 0;
    }
    return plan.error;
}

// Recording ---------------------------------------------------------------------------------------

/// A line "VERB FD NUMBER FIRST<tab>SECOND", behind it `bytes` bytes.
static void note(const char *verb, int file, long number, const char *first, const char *second,
                 const void *data, size_t bytes) {
    if (record >= 0) {
        int error = errno;
        dprintf(record, "%s %d %ld %s\t%s\n", verb, file, number, first, second);
        while (bytes > 0) {
            ssize_t put = syscall(SYS_write, record, data, bytes);
            if (put <= 0) {
                _exit(99);
            }
            data = (const char *)data + put;
            bytes -= (size_t)put;
        }
        errno = error;
    }
}

/// After a call of the program that went well.
#define NOTE(good, ...)                                                                            \
    if ((good) && is_meant(FILES, CALLER)) {                                                       \
        note(__VA_ARGS__);                                                                         \
    }

#define CALLER __builtin_return_address(0)

/// The next definition of a function.
#define NEXT(name, type)                                                                           \
    static type (*next)();                                                                         \
    if (!next) {                                                                                   \
        *(void **)&next = dlsym(RTLD_NEXT, #name);                                                 \
    }

/// Of a function that has no short form.
#define FAIL_OR(kind, failure)                                                                     \
    int fault = strike(kind, CALLER);                                                              \
    if (fault > 0) {                                                                               \
        errno = fault;                                                                             \
        return failure;                                                                            \
    }

/// Of a function that has no short form and that no signal interrupts.
#define FAIL_WHOLE_OR(kind, failure)                                                               \
    int fault = strike(kind, CALLER);                                                              \
    if (fault > 0 && fault != EINTR) {                                                             \
        errno = fault;                                                                             \
        return failure;                                                                            \
    }

#define FILE_CALL(name, parameters, arguments, file, number, first, second)                        \
    int name parameters {                                                                          \
        NEXT(name, int)                                                                            \
        FAIL_OR(FILES, -1)                                                                         \
        int result = next arguments;                                                               \
        NOTE(result == 0, #name, file, number, first, second, NULL, 0)                             \
        return result;                                                                             \
    }

FILE_CALL(fsync, (int file), (file), file, 0, "", "")
FILE_CALL(fdatasync, (int file), (file), file, 0, "", "")
FILE_CALL(rename, (const char *from, const char *to), (from, to), -1, 0, from, to)
FILE_CALL(link, (const char *from, const char *to), (from, to), -1, 0, from, to)
FILE_CALL(unlink, (const char *path), (path), -1, 0, path, "")
FILE_CALL(unlinkat, (int folder, const char *path, int flags), (folder, path, flags), folder, flags,
          path, "")
FILE_CALL(ftruncate, (int file, off_t size), (file, size), file, (long)size, "", "")
FILE_CALL(flock, (int file, int operation), (file, operation), file, operation, "", "")
FILE_CALL(mkdir, (const char *path, mode_t mode), (path, mode), -1, (long)mode, path, "")
FILE_CALL(access, (const char *path, int mode), (path, mode), -1, mode, path, "")

int open(const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
    va_end(list);
    NEXT(open, int)
    FAIL_OR(FILES, -1)
    int file = next(path, flags, mode);
    NOTE(file >= 0, "open", file, (long)flags, path, "", NULL, 0)
    return file;
}

int openat(int folder, const char *path, int flags, ...) {
    va_list list;
    va_start(list, flags);
    mode_t mode = flags & O_CREAT ? va_arg(list, mode_t) : 0;
    va_end(list);
    NEXT(openat, int)
    FAIL_OR(FILES, -1)
    return next(folder, path, flags, mode);
}

/// Closed all the same, as Linux does.
int close(int file) {
    NEXT(close, int)
    int fault = strike(FILES, CALLER), result = next(file);
    NOTE(true, "close", file, 0, "", "", NULL, 0)
    if (fault > 0) {
        errno = fault;
        return -1;
    }
    return result;
}

ssize_t read(int file, void *data, size_t bytes) {
    NEXT(read, ssize_t)
    FAIL_OR(FILES, -1)
    return next(file, data, fault == SHORT && bytes > 1 ? bytes / 2 : bytes);
}

ssize_t write(int file, const void *data, size_t bytes) {
    NEXT(write, ssize_t)
    FAIL_OR(FILES, -1)
    ssize_t put = next(file, data, fault == SHORT && bytes > 1 ? bytes / 2 : bytes);
    NOTE(put > 0, "write", file, (long)put, "", "", data, (size_t)put)
    return put;
}

#define PASSING(type, name, parameters, arguments)                                                 \
    type name parameters {                                                                         \
        NEXT(name, type)                                                                           \
        FAIL_OR(FILES, -1)                                                                         \
        size_t whole = bytes;                                                                      \
        bytes = fault == SHORT && whole > 1 ? whole / 2 : whole;                                   \
        return next arguments;                                                                     \
    }

PASSING(ssize_t, send, (int socket, const void *data, size_t bytes, int flags),
        (socket, data, bytes, flags))
PASSING(ssize_t, recv, (int socket, void *data, size_t bytes, int flags),
        (socket, data, bytes, flags))

int poll(struct pollfd *files, nfds_t count, int milliseconds) {
    NEXT(poll, int)
    FAIL_OR(FILES, -1)
    return next(files, count, milliseconds);
}

// What makes something that is there whole or not at all.
#define WHOLE(kind, type, name, parameters, arguments, failure)                                    \
    type name parameters {                                                                         \
        NEXT(name, type)                                                                           \
        FAIL_WHOLE_OR(kind, failure)                                                               \
        return next arguments;                                                                     \
    }

WHOLE(FILES, int, rmdir, (const char *path), (path), -1)
WHOLE(FILES, char *, mkdtemp, (char *path), (path), NULL)
WHOLE(FILES, int, dup, (int file), (file), -1)
WHOLE(FILES, int, dup2, (int file, int other), (file, other), -1)
WHOLE(FILES, int, pipe, (int ends[2]), (ends), -1)
WHOLE(FILES, int, socketpair, (int domain, int type, int protocol, int ends[2]),
      (domain, type, protocol, ends), -1)
WHOLE(FILES, pid_t, fork, (void), (), -1)

/// Whose result is the error.
int posix_spawn(pid_t *process, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const words[], char *const variables[]) {
    NEXT(posix_spawn, int)
    FAIL_WHOLE_OR(FILES, fault)
    return next(process, path, actions, attributes, words, variables);
}

/// Whose result is the error, and which wants memory of the system.
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*begins)(void *),
                   void *user) {
    NEXT(pthread_create, int)
    return strike(MEMORY, CALLER) > 0 ? EAGAIN : next(thread, attributes, begins, user);
}

// Streams -----------------------------------------------------------------------------------------

enum { STREAM_FAILED = 0x20 }; // of _flags, for ferror

/// Calls on a stream fail at once, and it says so from then on. No signal interrupts them: only a
/// training has handlers that do not let calls go on, and its streams have its progress alone.
#define STREAM_CALL(type, name, parameters, arguments, stream, failure)                            \
    type name parameters {                                                                         \
        NEXT(name, type)                                                                           \
        int fault = strike(FILES, CALLER);                                                         \
        if (fault > 0 && fault != EINTR) {                                                         \
            if (stream) {                                                                          \
                ((FILE *)stream)->_flags |= STREAM_FAILED;                                         \
            }                                                                                      \
            errno = fault;                                                                         \
            return failure;                                                                        \
        }                                                                                          \
        return next arguments;                                                                     \
    }

STREAM_CALL(size_t, fread, (void *data, size_t size, size_t count, FILE *stream),
            (data, size, count, stream), stream, 0)
STREAM_CALL(size_t, fwrite, (const void *data, size_t size, size_t count, FILE *stream),
            (data, size, count, stream), stream, 0)
STREAM_CALL(char *, fgets, (char *text, int size, FILE *stream), (text, size, stream), stream, NULL)
STREAM_CALL(int, fflush, (FILE * stream), (stream), stream, EOF)

/// Closed all the same.
int fclose(FILE *stream) {
    NEXT(fclose, int)
    int fault = strike(FILES, CALLER), result = next(stream);
    if (fault > 0 && fault != EINTR) {
        errno = fault;
        return EOF;
    }
    return result;
}

// Queries -----------------------------------------------------------------------------------------

#define QUERY(type, name, parameters, arguments, failure)                                          \
    WHOLE(QUERIES, type, name, parameters, arguments, failure)

QUERY(int, stat, (const char *path, struct stat *info), (path, info), -1)
QUERY(int, lstat, (const char *path, struct stat *info), (path, info), -1)
QUERY(int, fstat, (int file, struct stat *info), (file, info), -1)
QUERY(int, fstatat, (int folder, const char *path, struct stat *info, int flags),
      (folder, path, info, flags), -1)
QUERY(DIR *, opendir, (const char *path), (path), NULL)
QUERY(DIR *, fdopendir, (int file), (file), NULL)
QUERY(struct dirent *, readdir, (DIR * stream), (stream), NULL)
QUERY(FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL)
QUERY(ssize_t, readlink, (const char *path, char *target, size_t size), (path, target, size), -1)
QUERY(char *, realpath, (const char *path, char *whole), (path, whole), NULL)
QUERY(int, scandir,
      (const char *path, struct dirent ***names, int (*wanted)(const struct dirent *),
       int (*order)(const struct dirent **, const struct dirent **)),
      (path, names, wanted, order), -1)

// Memory ------------------------------------------------------------------------------------------

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);

void *malloc(size_t bytes) {
    FAIL_OR(MEMORY, NULL)
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes) {
    FAIL_OR(MEMORY, NULL)
    return __libc_calloc(count, bytes);
}

void *realloc(void *memory, size_t bytes) {
    FAIL_OR(MEMORY, NULL)
    return __libc_realloc(memory, bytes);
}

char *strdup(const char *text) {
    FAIL_OR(MEMORY, NULL)
    size_t bytes = strlen(text) + 1;
    char *copy = __libc_malloc(bytes);
    return copy ? memcpy(copy, text, bytes) : NULL;
}
#endif
