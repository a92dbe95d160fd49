// SPDX-License-Identifier: Apache-2.0
// Writes down each program that is built: HASH.cl, its text, and HASH.options, what it is built
// with, byte by byte as they were given. The hash is of both. HASH.kernels are the names of the
// kernels that were made of it, and of
// those launched in work-groups that the program chose, with their work-items.
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

/// A size of work-groups that has been written down; the latest comes first.
typedef struct launched {
    struct launched *next;
    char *line; ///< behind the name of the program
} launched;

static struct {
    const char *folder;
    cl_icd_dispatch below;
    pthread_mutex_t lock;
    named *programs; ///< for the life of the process, as the launches
    launched *launches;
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
static void write_line(const char *program, const char *line) {
    char path[PATH];
    snprintf(path, sizeof(path), "%s/%s.kernels", use.folder, program);
    FILE *out = fopen(path, "a");
    bool written = out && fputs(line, out) >= 0;
    if ((out && fclose(out) != 0) || !written) {
        layer_fail("%s cannot be written: %s", path, strerror(errno));
    }
}

static const named *find_program(cl_program program) {
    const named *found = use.programs;
    while (found && found->program != program) {
        found = found->next;
    }
    return found;
}

static cl_kernel CL_API_CALL create_kernel(cl_program program, const char *name, cl_int *code) {
    cl_kernel kernel = use.below.clCreateKernel(program, name, code);
    char line[PATH];
    snprintf(line, sizeof(line), "%s\n", name);
    pthread_mutex_lock(&use.lock);
    const named *found = find_program(program);
    if (kernel && found) {
        write_line(found->name, line);
    }
    pthread_mutex_unlock(&use.lock);
    return kernel;
}

/// Whether it is new; it is known from then on.
static bool add_launch(const char *line) {
    for (const launched *l = use.launches; l; l = l->next) {
        if (strcmp(l->line, line) == 0) {
            return false;
        }
    }
    launched *fresh = calloc(1, sizeof(*fresh));
    if (!fresh || !(fresh->line = strdup(line))) {
        layer_fail("no memory for a launch");
    }
    fresh->next = use.launches;
    use.launches = fresh;
    return true;
}

static void write_launch(cl_kernel kernel, cl_uint dimensions, const size_t *local) {
    cl_program program;
    char name[PATH / 2], line[PATH];
    size_t items = 1;
    for (cl_uint i = 0; i < dimensions; ++i) {
        items *= local[i];
    }
    if (use.below.clGetKernelInfo(kernel, CL_KERNEL_PROGRAM, sizeof(program), &program, NULL) ||
        use.below.clGetKernelInfo(kernel, CL_KERNEL_FUNCTION_NAME, sizeof(name), name, NULL)) {
        return;
    }
    pthread_mutex_lock(&use.lock);
    const named *found = find_program(program);
    if (found) {
        snprintf(line, sizeof(line), "%s%s %zu\n", found->name, name, items);
    }
    if (found && add_launch(line)) {
        write_line(found->name, line + strlen(found->name));
    }
    pthread_mutex_unlock(&use.lock);
}

static cl_int CL_API_CALL enqueue(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions,
                                  const size_t *offset, const size_t *global, const size_t *local,
                                  cl_uint count, const cl_event *events, cl_event *event) {
    cl_int code = use.below.clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local,
                                                   count, events, event);
    if (code == CL_SUCCESS && local) {
        write_launch(kernel, dimensions, local);
    }
    return code;
}

void layer_write_begin(const char *folder, cl_icd_dispatch *table) {
    if (mkdir(folder, 0777) != 0 && errno != EEXIST) {
        layer_fail("EVN_LAYER_WRITE: the folder %s cannot be made: %s", folder, strerror(errno));
    }
    use.folder = folder;
    use.below = *table;
    table->clBuildProgram = build_program;
    table->clCreateKernel = create_kernel;
    table->clEnqueueNDRangeKernel = enqueue;
}
