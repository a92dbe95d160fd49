// SPDX-License-Identifier: Apache-2.0
#include "io/run_output.h"

#include "base/files.h"
#include "io/run_directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_SIZE = 4096 };

/// Of the file `there`, which is called `path`.
static evn_status claim(const char *path, const char *there, evn__run_lock *lock) {
    const char *slash = strrchr(there, '/'), *name = slash ? slash + 1 : there;
    char folder[PATH_SIZE];
    bool own;
    int length = slash ? snprintf(folder, PATH_SIZE, "%.*s", (int)(name - there), there)
                       : snprintf(folder, PATH_SIZE, ".");
    EVN_CHECK(length < PATH_SIZE, EVN_ERR_OUTPUT, "the path %.80s… is too long", path);
    EVN_CHECK(evn__is_folder(folder), EVN_ERR_OUTPUT,
              "the folder of %s is not there; make it first", path);
    EVN_TRY(evn__run_owns(folder, name, &own));
    EVN_CHECK(!own, EVN_ERR_OUTPUT, "%s is a file of the run itself; name another file", path);
    return evn__run_directory_share(folder, lock);
}

evn_status evn__run_output_claim(const char *path, evn__run_lock *lock) {
    evn__text there = {0};
    *lock = (evn__run_lock){0};
    evn_status status = evn__file_target(path, &there);
    if (status == EVN_OK) {
        status = claim(path, there.data, lock);
    }
    free(there.data);
    return status;
}
