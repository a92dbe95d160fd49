// SPDX-License-Identifier: Apache-2.0
// From a source to a compiled program. What a program is made of is its family's name or its text,
// the options and the precision; each such combination is compiled once a device, alone or as a
// part of a program.
#include "base/embedded.h"
#include "base/files.h"
#include "base/memory.h"
#include "host/build.h"
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
    const char *file = NULL;
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

static evn_status append_head(evn__text *text) {
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
static evn_status write_text(evn__text *text, const evn__source *const *sources, int count) {
    EVN_TRY(append_head(text));
    for (int i = 0; i < count; ++i) {
        EVN_TRY(count == 1 ? append_source(text, sources[i])
                           : append_part(text, sources[i], i + 1));
    }
    return EVN_OK;
}

// Build -------------------------------------------------------------------------------------------

const char *evn__build_options(void) {
    const char *options = getenv("EVONODE_BUILD_OPTIONS");
    return options ? options : "";
}

/// No fast-math and no -cl-mad-enable: a NaN must reach the step controller, and results may not
/// depend on which products a compiler happens to fuse more than the language allows anyway. A
/// source whose functions a later language has names that one itself.
static void write_options(evn__text *options, const evn_device *device, bool fp64,
                          const char *more) {
    bool named = strstr(more, "-cl-std=");
    evn__text_append(options, "%s%s", named ? more : "-cl-std=CL1.2", fp64 ? " -DEVN_FP64" : "");
    if (device->info.soft_fma && !fp64) {
        evn__text_append(options, " -DEVN_SOFT_FMA");
    }
    if (!named && more[0]) {
        evn__text_append(options, " %s", more);
    }
    if (evn__build_options()[0]) {
        evn__text_append(options, " %s", evn__build_options());
    }
}

/// What is to be compiled; at once, unless a forecast is.
static evn_status write_build(const evn_device *device, const evn__source *const *sources,
                              int count, evn__build *build) {
    const char *family = sources[0]->family;
    build->name = strdup(count == 1 && family ? family : "(generated)");
    EVN_CHECK(build->name, EVN_ERR_MEMORY, "no memory for a program's name");
    write_options(&build->options, device, sources[0]->fp64,
                  count == 1 ? options_of(sources[0]) : "");
    EVN_TRY(build->options.status);
    if (device->quirks.reads_builtins) {
        EVN_TRY(append_header(&build->text, "builtins.h"));
        build->head = build->text.size;
    }
    return write_text(&build->text, sources, count);
}

static evn_status build(evn_device *device, const evn__source *const *sources, int count,
                        evn__build **build) {
    EVN_CHECK(!sources[0]->fp64 || device->info.has_fp64, EVN_ERR_DEVICE,
              "%s has no double precision; use single precision or another device",
              device->info.name);
    EVN_TRY(EVN_RESERVE(device->builds, device->build_capacity, device->build_count + 1));
    EVN_TRY(EVN_NEW(build, 1));
    evn_status status = write_build(device, sources, count, *build);
    if (status == EVN_OK && !device->forecast) {
        status = evn__build_make(device, *build);
    }
    if (status != EVN_OK) {
        evn__build_free(device, *build);
        return status;
    }
    device->builds[device->build_count++] = *build;
    return EVN_OK;
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
    evn_status status = build(device, &source, 1, &program->build);
    if (status == EVN_OK) {
        device->programs[device->program_count++] = *program;
    }
    return status;
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
    evn__build *joined;
    EVN_TRY(
        EVN_RESERVE(device->programs, device->program_capacity, device->program_count + p->count));
    EVN_TRY(build(device, p->sources, p->count, &joined));
    for (int i = 0; i < p->count; ++i) {
        evn__program *part = &device->programs[device->program_count++];
        *part = p->programs[i];
        part->build = joined;
    }
    return EVN_OK;
}

evn_status evn__kernels_prepare(evn_device *device, const evn__source *sources, int count) {
    parts p = {0};
    if ((device->counting.on && !device->forecast) || !device->quirks.costly_programs) {
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
