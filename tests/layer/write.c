// SPDX-License-Identifier: Apache-2.0
// Writes down each program that is built: HASH.cl, its text, and HASH.options, what it is built
// with, byte by byte as they were given. The hash is of both. HASH.kernels are the names of the
// kernels that were made of it.
#include "layer.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum { PATH = 4096, NAME = 33 };

/// What a program was written down as, by its object; the latest comes first.
typedef struct named {
    struct named *next;
    cl_program program;
    char name[NAME];
} named;

static struct {
    const char *folder;
    cl_icd_dispatch below;
    pthread_mutex_t lock;
    named *programs; ///< for the life of the process
} use = {.lock = PTHREAD_MUTEX_INITIALIZER};

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

static void remember(cl_program program, const char *name) {
    named *fresh = calloc(1, sizeof(*fresh));
    if (!fresh) {
        layer_fail("no memory for the name of a program");
    }
    fresh->program = program;
    snprintf(fresh->name, sizeof(fresh->name), "%s", name);
    pthread_mutex_lock(&use.lock);
    fresh->next = use.programs;
    use.programs = fresh;
    pthread_mutex_unlock(&use.lock);
}

static void write_program(cl_program program, const char *text, const char *options) {
    XXH3_state_t *state = XXH3_createState();
    if (!state) {
        layer_fail("no memory for a hash");
    }
    XXH3_128bits_reset(state);
    XXH3_128bits_update(state, options, strlen(options) + 1);
    XXH3_128bits_update(state, text, strlen(text));
    XXH128_hash_t hash = XXH3_128bits_digest(state);
    XXH3_freeState(state);
    char name[NAME];
    snprintf(name, sizeof(name), "%016llx%016llx", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64);
    write_file(name, "options", options);
    write_file(name, "cl", text);
    remember(program, name);
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
        write_program(program, text, options ? options : "");
    }
    free(text);
    return use.below.clBuildProgram(program, count, devices, options, notify, user);
}

/// One line, whole beside those of other processes.
static void write_kernel(const char *program, const char *kernel) {
    char path[PATH], line[PATH];
    snprintf(path, sizeof(path), "%s/%s.kernels", use.folder, program);
    snprintf(line, sizeof(line), "%s\n", kernel);
    FILE *out = fopen(path, "a");
    bool written = out && fputs(line, out) >= 0;
    if ((out && fclose(out) != 0) || !written) {
        layer_fail("%s cannot be written: %s", path, strerror(errno));
    }
}

static cl_kernel CL_API_CALL create_kernel(cl_program program, const char *name, cl_int *code) {
    cl_kernel kernel = use.below.clCreateKernel(program, name, code);
    pthread_mutex_lock(&use.lock);
    const named *found = use.programs;
    while (found && found->program != program) {
        found = found->next;
    }
    if (kernel && found) {
        write_kernel(found->name, name);
    }
    pthread_mutex_unlock(&use.lock);
    return kernel;
}

void layer_write_begin(const char *folder, cl_icd_dispatch *table) {
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        layer_fail("EVN_LAYER_WRITE: the folder %s cannot be made: %s", folder, strerror(errno));
    }
    use.folder = folder;
    use.below = *table;
    table->clBuildProgram = build_program;
    table->clCreateKernel = create_kernel;
}
