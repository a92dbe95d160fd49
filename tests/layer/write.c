// SPDX-License-Identifier: Apache-2.0
// Writes down each program that is built: HASH.cl, its text, and HASH.options, what it is built
// with, byte by byte as they were given. The hash is of both.
#include "layer.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

static struct {
    const char *folder;
    cl_icd_dispatch below;
} use;

enum { PATH = 4096 };

/// At once, under its last name: other processes write the same.
static void write_file(const char *name, const char *ending, const char *text) {
    char path[PATH], fresh[PATH];
    snprintf(path, sizeof(path), "%s/%s.%s", use.folder, name, ending);
    snprintf(fresh, sizeof(fresh), "%s/%s.%s.%ld", use.folder, name, ending, (long)getpid());
    if (access(path, F_OK) == 0) {
        return;
    }
    FILE *out = fopen(fresh, "w");
    bool written = out && fputs(text, out) >= 0;
    if ((out && fclose(out) != 0) || !written || rename(fresh, path) != 0) {
        layer_fail("%s cannot be written: %s", path, strerror(errno));
    }
}

static void write_program(const char *text, const char *options) {
    XXH3_state_t *state = XXH3_createState();
    if (!state) {
        layer_fail("no memory for a hash");
    }
    XXH3_128bits_reset(state);
    XXH3_128bits_update(state, options, strlen(options) + 1);
    XXH3_128bits_update(state, text, strlen(text));
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    char name[33];
    snprintf(name, sizeof(name), "%016llx%016llx", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64);
    write_file(name, "options", options);
    write_file(name, "cl", text);
}

static cl_int CL_API_CALL build_program(cl_program program, cl_uint count,
                                        const cl_device_id *devices, const char *options,
                                        void(CL_CALLBACK *notify)(cl_program, void *), void *user) {
    size_t size = 0;
    use.below.clGetProgramInfo(program, CL_PROGRAM_SOURCE, 0, NULL, &size);
    char *text = calloc(1, size + 1);
    if (!text) {
        layer_fail("no memory for a program");
    }
    use.below.clGetProgramInfo(program, CL_PROGRAM_SOURCE, size, text, NULL);
    if (text[0]) { // else of a binary
        write_program(text, options ? options : "");
    }
    free(text);
    return use.below.clBuildProgram(program, count, devices, options, notify, user);
}

void layer_write_begin(const char *folder, cl_icd_dispatch *table) {
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        layer_fail("EVN_LAYER_WRITE: the folder %s cannot be made: %s", folder, strerror(errno));
    }
    use.folder = folder;
    use.below = *table;
    table->clBuildProgram = build_program;
}
