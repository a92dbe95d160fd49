// SPDX-License-Identifier: Apache-2.0
// From a source to a compiled program. What a program is made of is its family's name or its text,
// the options and the precision; each such combination is compiled once a device, alone or as a
// part of a program.
#include "base/embedded.h"
#include "base/files.h"
#include "base/memory.h"
#include "host/cache.h"
#include "host/part.h"
#include "host/runtime.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static const char *options_of(const evn__source *source) {
    return source->options ? source->options : "";
}

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

/// Line numbers of the build log then count in the file that the reader knows.
static evn_status append_file(evn__text *text, const char *family) {
    const char *file;
    EVN_TRY(evn__kernel_text(family, &file));
    evn__text_append(text, "#line 1 \"%s.cl\"\n%s\n", family, file);
    return text->status;
}

/// The host was compiled with it, or knows it: a folder of kernels does not replace it.
static evn_status append_header(evn__text *text, const char *name) {
    const evn__embedded *file = evn__embedded_find(evn__embedded_kernels, name);
    EVN_CHECK(file, EVN_ERR_INTERNAL, "kernels/%s is not built in", name);
    evn__text_append(text, "#line 1 \"%s\"\n%s\n", name, (const char *)file->data);
    return text->status;
}

static evn_status append_head(evn__text *text, bool declares) {
    if (declares) {
        EVN_TRY(append_header(text, "builtins.h"));
    }
    EVN_TRY(append_header(text, "shared.h"));
    EVN_TRY(append_file(text, "common"));
    return append_file(text, "elementwise");
}

static evn_status append_source(evn__text *text, const evn__source *source) {
    EVN_CHECK(source->family || source->text, EVN_ERR_INTERNAL,
              "a kernel source with neither family nor text");
    EVN_TRY(append_file(text, "variant"));
    if (source->text) {
        evn__text_append(text, "#line 1 \"generated.cl\"\n%s\n", source->text);
    }
    return source->family ? append_file(text, source->family) : text->status;
}

static evn_status append_part(evn__text *text, const evn__source *source, int part) {
    evn__text own = {0};
    evn_status status = append_source(&own, source);
    if (status == EVN_OK) {
        evn__part_append(text, options_of(source), own.data, part);
        status = text->status;
    }
    free(own.data);
    return status;
}

/// A source by itself, or several as parts 1, 2, ...
static evn_status write_text(evn__text *text, const evn__source *const *sources, int count,
                             bool declares) {
    EVN_TRY(append_head(text, declares));
    for (int i = 0; i < count; ++i) {
        EVN_TRY(count == 1 ? append_source(text, sources[i])
                           : append_part(text, sources[i], i + 1));
    }
    return EVN_OK;
}

// Build -------------------------------------------------------------------------------------------

/// No fast-math and no -cl-mad-enable: a NaN must reach the step controller, and results may not
/// depend on which products a compiler happens to fuse more than the language allows anyway.
/// @param declares  the text declares the built-in functions: without clang's header, by its guard
static void write_options(evn__text *options, bool fp64, bool declares, const char *more) {
    evn__text_append(options, "-cl-std=CL1.2%s%s", declares ? " -D_OPENCL_H_" : "",
                     fp64 ? " -DEVN_FP64" : "");
    if (more[0]) {
        evn__text_append(options, " %s", more);
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

static evn_status load_or_compile(evn_device *device, const char *text, const char *options,
                                  cl_program *program) {
    *program = evn__cache_load(device, text, options);
    device->stats.programs_loaded += *program != NULL;
    return *program ? EVN_OK : compile(device, text, options, program);
}

static evn_status build_with(evn_device *device, const evn__source *const *sources, int count,
                             bool declares, cl_program *program) {
    evn__text text = {0}, options = {0};
    write_options(&options, sources[0]->fp64, declares, count == 1 ? options_of(sources[0]) : "");
    evn_status status = write_text(&text, sources, count, declares);
    if (status == EVN_OK) {
        status = options.status;
    }
    if (status == EVN_OK) {
        status = load_or_compile(device, text.data, options.data, program);
    }
    free(text.data);
    free(options.data);
    return status;
}

static evn_status build(evn_device *device, const evn__source *const *sources, int count,
                        cl_program *program) {
    EVN_CHECK(!sources[0]->fp64 || device->info.has_fp64, EVN_ERR_DEVICE,
              "%s has no double precision; use single precision or another device",
              device->info.name);
    bool declares = device->quirks.reads_builtins;
    evn_status status = build_with(device, sources, count, declares, program);
    if (status == EVN_ERR_BUILD && declares) { // a function that kernels/builtins.h lacks
        status = build_with(device, sources, count, false, program);
        device->undeclared += status == EVN_OK;
    }
    return status;
}

// Memory ------------------------------------------------------------------------------------------

static evn_status hash_source(const evn__source *source, evn__hash *key) {
    evn__text text = {0};
    evn__text_append(&text, "%d\n%s\n%s\n%s", source->fp64, options_of(source),
                     source->family ? source->family : "", source->text ? source->text : "");
    if (text.status == EVN_OK) {
        *key = evn__hash_of(text.data, text.size);
    }
    free(text.data);
    return text.status;
}

static bool find(const evn_device *device, evn__hash key, evn__program *program) {
    for (int i = 0; i < device->program_count; ++i) {
        if (evn__hash_equal(device->programs[i].key, key)) {
            *program = device->programs[i];
            return true;
        }
    }
    return false;
}

evn_status evn__program_get(evn_device *device, const evn__source *source, evn__program *program) {
    EVN_TRY(hash_source(source, &program->key));
    if (find(device, program->key, program)) {
        return EVN_OK;
    }
    EVN_TRY(EVN_RESERVE(device->programs, device->program_capacity, device->program_count + 1));
    program->part = 0;
    evn_status status = build(device, &source, 1, &program->program);
    if (status == EVN_OK) {
        device->programs[device->program_count++] = *program;
    }
    return status == EVN_OK ? status
                            : evn__prepend(status, "kernels/%s",
                                           source->family ? source->family : "(generated)");
}

// Several sources as one program ------------------------------------------------------------------

typedef struct parts {
    const evn__source **sources;
    evn__program *programs;
    int count;
} parts;

static bool is_among(const parts *p, evn__hash key) {
    for (int i = 0; i < p->count; ++i) {
        if (evn__hash_equal(p->programs[i].key, key)) {
            return true;
        }
    }
    return false;
}

/// Those that the device doesn't have yet.
static evn_status choose_parts(const evn_device *device, const evn__source *sources, int count,
                               parts *p) {
    for (int i = 0; i < count; ++i) {
        evn__program known = {.part = p->count + 1};
        EVN_TRY(hash_source(&sources[i], &known.key));
        if (evn__part_takes(options_of(&sources[i])) && !is_among(p, known.key) &&
            !find(device, known.key, &known)) {
            p->sources[p->count] = &sources[i];
            p->programs[p->count++] = known;
        }
    }
    return EVN_OK;
}

static evn_status join(evn_device *device, parts *p) {
    cl_program program;
    EVN_TRY(
        EVN_RESERVE(device->programs, device->program_capacity, device->program_count + p->count));
    EVN_TRY(build(device, p->sources, p->count, &program));
    for (int i = 0; i < p->count; ++i) {
        evn__program *part = &device->programs[device->program_count++];
        *part = p->programs[i];
        part->program = program;
        if (i > 0) {
            clRetainProgram(program);
        }
    }
    return EVN_OK;
}

evn_status evn__kernels_prepare(evn_device *device, const evn__source *sources, int count) {
    parts p = {0};
    if (device->counting.on || !device->quirks.costly_programs) {
        return EVN_OK;
    }
    evn_status status = EVN_NEW(&p.sources, count);
    if (status == EVN_OK) {
        status = EVN_NEW(&p.programs, count);
    }
    if (status == EVN_OK) {
        status = choose_parts(device, sources, count, &p);
    }
    if (status == EVN_OK && p.count > 1) {
        status = join(device, &p);
    }
    free(p.sources);
    free(p.programs);
    return status;
}
