// SPDX-License-Identifier: Apache-2.0
#include "io/run_checkpoints.h"

#include "base/files.h"
#include "io/run_directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

static const char *const names[EVN__CHECKPOINTS] = {
    "checkpoint.safetensors",
    "checkpoint-before.safetensors",
    "checkpoint-best.safetensors",
};

const char *evn__run_checkpoint_name(evn__generation generation) {
    return names[generation];
}

evn_status evn__run_checkpoint(const char *folder, evn__generation generation, char *path,
                               size_t size) {
    return evn__run_file(folder, names[generation], path, size);
}

evn_status evn__run_has_checkpoint(const char *folder, bool *has) {
    bool before;
    EVN_TRY(evn__run_has(folder, names[EVN__CHECKPOINT_NEWEST], has));
    EVN_TRY(evn__run_has(folder, names[EVN__CHECKPOINT_BEFORE], &before));
    *has = *has || before;
    return EVN_OK;
}

evn_status evn__run_has_best(const char *folder, bool *has) {
    return evn__run_has(folder, names[EVN__CHECKPOINT_BEST], has);
}

/// Where the file system has no links.
static evn_status copy(const char *from, const char *to) {
    unsigned char *data;
    size_t bytes;
    EVN_TRY(evn__file_read(from, &data, &bytes));
    evn_status status = evn__file_write_own(to, data, bytes);
    free(data);
    return status;
}

/// A link that is moved over the older one: a name is never without its file.
static bool link_over(const char *from, const char *to) {
    char between[PATH_SIZE + 32];
    int result, left;
    snprintf(between, sizeof(between), "%s" EVN__TEMPORARY "%ld-0", to, (long)getpid());
    EVN_RETRY(result, link(from, between));
    if (result == 0) {
        EVN_RETRY(result, rename(between, to));
        EVN_RETRY(left, unlink(between)); // rename leaves it where both were one file already
    }
    return result == 0;
}

/// Give a file the name of another generation too.
static evn_status name_also(const char *folder, evn__generation from, evn__generation to) {
    const evn__generation both[] = {from, to};
    char paths[2][PATH_SIZE];
    for (int i = 0; i < 2; ++i) {
        EVN_TRY(evn__run_checkpoint(folder, both[i], paths[i], sizeof(paths[i])));
    }
    return link_over(paths[0], paths[1]) ? EVN_OK : copy(paths[0], paths[1]);
}

evn_status evn__run_checkpoint_keep(const char *folder, evn__generation older) {
    bool has;
    EVN_TRY(evn__run_has(folder, names[EVN__CHECKPOINT_NEWEST], &has));
    return has ? name_also(folder, EVN__CHECKPOINT_NEWEST, older) : EVN_OK;
}

evn_status evn__run_checkpoint_return(const char *folder, evn__generation older) {
    char path[PATH_SIZE];
    bool has;
    EVN_TRY(evn__run_checkpoint(folder, EVN__CHECKPOINT_BEFORE, path, sizeof(path)));
    EVN_TRY(evn__run_has(folder, names[older], &has));
    EVN_CHECK(has, EVN_ERR_FILE, "the run in %s has no %s to go back to", folder, names[older]);
    EVN_TRY(name_also(folder, older, EVN__CHECKPOINT_NEWEST));
    EVN_TRY(evn__file_remove(path));
    return evn__folder_sync(folder);
}

evn_status evn__run_checkpoints_remove(const char *folder) {
    char path[PATH_SIZE];
    for (int i = 0; i < EVN__CHECKPOINTS; ++i) {
        EVN_TRY(evn__run_checkpoint(folder, (evn__generation)i, path, sizeof(path)));
        EVN_TRY(evn__file_remove(path));
    }
    return EVN_OK;
}
