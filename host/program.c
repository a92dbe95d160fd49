// SPDX-License-Identifier: Apache-2.0
// From a source to a compiled program. What a program is made of is its family's name or its text,
// the options and the precision; each such combination is compiled once a device.
#include "base/embedded.h"
#include "base/files.h"
#include "base/memory.h"
#include "host/cache.h"
#include "host/runtime.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// Text --------------------------------------------------------------------------------------------

/// A kernel file read from EVONODE_KERNEL_DIR; kept for the life of the process.
typedef struct override {
    struct override *next;
    char *path, *text;
} override;

static override *overrides;
static pthread_mutex_t overrides_lock = PTHREAD_MUTEX_INITIALIZER;

/// Takes `path` over where it succeeds.
static evn_status read_override(char *path, const char **text) {
    for (override *known = overrides; known; known = known->next) {
        if (strcmp(known->path, path) == 0) {
            *text = known->text;
            free(path);
            return EVN_OK;
        }
    }
    unsigned char *data;
    size_t bytes;
    override *fresh;
    EVN_TRY(EVN_NEW(&fresh, 1));
    evn_status status = evn__file_read(path, &data, &bytes);
    if (status != EVN_OK) {
        free(fresh);
        return evn__prepend(status, "EVONODE_KERNEL_DIR");
    }
    *fresh = (override){.next = overrides, .path = path, .text = (char *)data};
    overrides = fresh;
    *text = fresh->text;
    return EVN_OK;
}

static evn_status text_from_folder(const char *folder, const char *family, const char **text) {
    evn__text path = {0};
    evn__text_append(&path, "%s/%s.cl", folder, family);
    EVN_TRY(path.status);
    pthread_mutex_lock(&overrides_lock);
    evn_status status = read_override(path.data, text);
    pthread_mutex_unlock(&overrides_lock);
    if (status != EVN_OK) {
        free(path.data);
    }
    return status;
}

evn_status evn__kernel_text(const char *family, const char **text) {
    const char *folder = getenv("EVONODE_KERNEL_DIR");
    if (folder && folder[0]) {
        return text_from_folder(folder, family, text);
    }
    evn__text name = {0};
    evn__text_append(&name, "%s.cl", family);
    EVN_TRY(name.status);
    const evn__embedded *file = evn__embedded_find(evn__embedded_kernels, name.data);
    free(name.data);
    EVN_CHECK(file, EVN_ERR_BUILD,
              "no kernel file kernels/%s.cl is built in; check the family's name", family);
    *text = (const char *)file->data;
    return EVN_OK;
}

evn_status evn__program_text(const evn__source *source, char **text) {
    const char *common, *family = NULL;
    EVN_TRY(evn__kernel_text("common", &common));
    if (source->family) {
        EVN_TRY(evn__kernel_text(source->family, &family));
    }
    EVN_CHECK(family || source->text, EVN_ERR_INTERNAL,
              "a kernel source with neither family nor text");
    evn__text whole = {0};
    // Line numbers of the build log then count in the file that the reader knows.
    evn__text_append(&whole, "#line 1 \"common.cl\"\n%s\n", common);
    if (source->text) {
        evn__text_append(&whole, "#line 1 \"generated.cl\"\n%s\n", source->text);
    }
    if (family) {
        evn__text_append(&whole, "#line 1 \"%s.cl\"\n%s", source->family, family);
    }
    if (whole.status != EVN_OK) {
        free(whole.data);
        return whole.status;
    }
    *text = whole.data;
    return EVN_OK;
}

// Build -------------------------------------------------------------------------------------------

/// No fast-math and no -cl-mad-enable: a NaN must reach the step controller, and results may not
/// depend on which products a compiler happens to fuse more than the language allows anyway.
static void write_options(evn__text *options, const evn__source *source) {
    evn__text_append(options, "-cl-std=CL1.2%s", source->fp64 ? " -DEVN_FP64" : "");
    if (source->options && source->options[0]) {
        evn__text_append(options, " %s", source->options);
    }
}

/// Fail with the head of the log, where the first error stands.
static evn_status fail_build(const evn_device *device, cl_program program, cl_int code,
                             const char *options) {
    size_t bytes = 0;
    clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &bytes);
    char *log = calloc(1, bytes + 1);
    if (log) {
        clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, bytes, log, NULL);
    }
    evn_status status = evn__fail(
        __FILE__, __LINE__, EVN_ERR_BUILD,
        "a kernel did not compile on %s (driver %s) with options \"%s\": %s (%d); the log "
        "begins:\n%.2400s",
        device->info.name, device->info.driver, options, evn__cl_name(code), (int)code,
        log ? log : "");
    free(log);
    return status;
}

static evn_status compile(evn_device *device, const char *text, const char *options,
                          cl_program *program) {
    cl_int code;
    cl_program fresh = clCreateProgramWithSource(device->context, 1, &text, NULL, &code);
    EVN_CL_CHECK(code, "clCreateProgramWithSource");
    code = clBuildProgram(fresh, 1, &device->id, options, NULL, NULL);
    if (code != CL_SUCCESS) {
        evn_status status = fail_build(device, fresh, code, options);
        clReleaseProgram(fresh);
        return status;
    }
    device->stats.programs_built++;
    evn__cache_store(device, text, options, fresh);
    *program = fresh;
    return EVN_OK;
}

static evn_status load_or_compile(evn_device *device, const evn__source *source, const char *text,
                                  cl_program *program) {
    evn__text options = {0};
    write_options(&options, source);
    evn_status status = options.status;
    if (status == EVN_OK) {
        *program = evn__cache_load(device, text, options.data);
        device->stats.programs_loaded += *program != NULL;
        status = *program ? EVN_OK : compile(device, text, options.data, program);
    }
    free(options.data);
    return status;
}

static evn_status build(evn_device *device, const evn__source *source, cl_program *program) {
    EVN_CHECK(!source->fp64 || device->info.has_fp64, EVN_ERR_DEVICE,
              "%s has no double precision; use single precision or another device",
              device->info.name);
    char *text;
    EVN_TRY(evn__program_text(source, &text));
    evn_status status = load_or_compile(device, source, text, program);
    free(text);
    return status == EVN_OK ? status
                            : evn__prepend(status, "kernels/%s",
                                           source->family ? source->family : "(generated)");
}

// Memory ------------------------------------------------------------------------------------------

static evn_status hash_source(const evn__source *source, evn__hash *key) {
    evn__text text = {0};
    evn__text_append(&text, "%d\n%s\n%s\n%s", source->fp64, source->options ? source->options : "",
                     source->family ? source->family : "", source->text ? source->text : "");
    if (text.status == EVN_OK) {
        *key = evn__hash_of(text.data, text.size);
    }
    free(text.data);
    return text.status;
}

evn_status evn__program_get(evn_device *device, const evn__source *source, evn__program *program) {
    EVN_TRY(hash_source(source, &program->key));
    for (int i = 0; i < device->program_count; ++i) {
        if (evn__hash_equal(device->programs[i].key, program->key)) {
            *program = device->programs[i];
            return EVN_OK;
        }
    }
    EVN_TRY(EVN_RESERVE(device->programs, device->program_capacity, device->program_count + 1));
    EVN_TRY(build(device, source, &program->program));
    device->programs[device->program_count++] = *program;
    return EVN_OK;
}
