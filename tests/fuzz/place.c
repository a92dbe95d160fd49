// SPDX-License-Identifier: Apache-2.0
#include "place.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

uint64_t touch(const void *data, size_t size) {
    uint64_t sum = 0;
    for (size_t i = 0; i < size; ++i) {
        sum += ((const uint8_t *)data)[i];
    }
    return sum;
}

void open_place(place *p) {
    const char *base = getenv("TMPDIR");
    int length = snprintf(p->folder, sizeof(p->folder), "%s/evn-fuzz-XXXXXX",
                          base && base[0] ? base : "/tmp");
    PROMISE(length < (int)sizeof(p->folder));
    PROMISE(mkdtemp(p->folder));
}

const char *in_place(place *p, const char *name) {
    PROMISE(snprintf(p->path, sizeof(p->path), "%s/%s", p->folder, name) < (int)sizeof(p->path));
    return p->path;
}

const char *put_file(place *p, const char *name, const void *data, size_t size) {
    FILE *file = fopen(in_place(p, name), "wb"); // which waits for no disk
    PROMISE(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
    return p->path;
}

void close_place(place *p) {
    DIR *stream = opendir(p->folder);
    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        if (entry->d_name[0] != '.') {
            unlinkat(dirfd(stream), entry->d_name, 0);
        }
    }
    closedir(stream);
    PROMISE(rmdir(p->folder) == 0);
}
