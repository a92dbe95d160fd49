// SPDX-License-Identifier: Apache-2.0
#include "io/run_lock.h"

#include "base/files.h"
#include "io/run_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

const char evn__run_lock_name[] = "lock";

enum { PATH_SIZE = 4096, FILE_MODE = 0666 };

/// What opening fails with where nothing may be written, locking where there are no locks.
static const int read_only[] = {EACCES, EPERM, EROFS, 0}, no_locks[] = {ENOSYS, ENOTSUP, ENOLCK, 0};

static bool is_one_of(const int *errors, int error) {
    while (*errors && *errors != error) {
        ++errors;
    }
    return *errors != 0;
}

static evn_status take(const char *folder, const char *path, bool alone, evn__run_lock *lock) {
    int file, result;
    EVN_RETRY(file, open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE));
    if (file < 0 && !alone && is_one_of(read_only, errno)) {
        return EVN_OK; // what nobody may write can be looked at
    }
    EVN_CHECK(file >= 0, EVN_ERR_OUTPUT, "cannot write %s: %s; name another place for the run",
              path, strerror(errno));
    lock->file = file + 1;
    // Not by fcntl, whose lock ends as soon as this process closes the file by another descriptor.
    EVN_RETRY(result, flock(file, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB));
    EVN_CHECK(result == 0 || errno != EWOULDBLOCK, EVN_ERR_OUTPUT,
              "another process is writing the run %s; wait for its end, or name another folder",
              folder);
    EVN_CHECK(result == 0 || is_one_of(no_locks, errno), EVN_ERR_OUTPUT,
              "cannot lock %s: %s; check the disk", path, strerror(errno));
    return EVN_OK;
}

evn_status evn__run_lock_take(const char *folder, bool alone, evn__run_lock *lock) {
    char path[PATH_SIZE];
    *lock = (evn__run_lock){0};
    EVN_TRY(evn__run_file(folder, evn__run_lock_name, path, sizeof(path)));
    evn_status status = take(folder, path, alone, lock);
    if (status != EVN_OK) {
        evn__run_lock_release(lock);
        return status;
    }
    evn__folder_sweep(folder, NULL);
    return EVN_OK;
}

bool evn__run_lock_holds(const evn__run_lock *lock, const char *folder) {
    char path[PATH_SIZE];
    struct stat own, there;
    return lock->file > 0 &&
           evn__run_file(folder, evn__run_lock_name, path, sizeof(path)) == EVN_OK &&
           fstat(lock->file - 1, &own) == 0 && stat(path, &there) == 0 &&
           own.st_dev == there.st_dev && own.st_ino == there.st_ino;
}

void evn__run_lock_release(evn__run_lock *lock) {
    if (lock->file > 0) {
        close(lock->file - 1);
    }
    *lock = (evn__run_lock){0};
}
