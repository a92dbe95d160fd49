// SPDX-License-Identifier: Apache-2.0
#include "host/diagnosis.h"

#include "base/files.h"
#include "base/status.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Systems -----------------------------------------------------------------------------------------

typedef enum system_kind { ANY, DEBIAN, FEDORA, ARCH, MACOS, WSL, SYSTEMS } system_kind;

/// `ids`: what ID or ID_LIKE of os-release has.
static const struct {
    const char *name, *ids[4];
} systems[SYSTEMS] = {
    [DEBIAN] = {"Debian and Ubuntu", {"debian", "ubuntu"}},
    [FEDORA] = {"Fedora", {"fedora", "rhel"}},
    [ARCH] = {"Arch", {"arch"}},
    [MACOS] = {"macOS", {0}},
    [WSL] = {"WSL 2", {0}},
};

static const struct {
    evn__cause cause;
    system_kind system;
    const char *text;
} advice[] = {
#define EVN_CAUSE(name, word)
#define EVN_ADVICE(cause, system, text) {EVN__CAUSE_##cause, system, text},
#include "host/advice.def"
#undef EVN_CAUSE
#undef EVN_ADVICE
};
enum { ADVICE = sizeof(advice) / sizeof(advice[0]) };

/// Whether a line ID=… or ID_LIKE=… of os-release has the word.
static bool release_names(const char *release, const char *word) {
    size_t length = strlen(word);
    for (const char *line = release; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        size_t end = strcspn(line, "\n");
        if (strncmp(line, "ID=", 3) != 0 && strncmp(line, "ID_LIKE=", 8) != 0) {
            continue;
        }
        for (const char *at = strstr(line, word); at && at < line + end;
             at = strstr(at + 1, word)) {
            if (strchr("= \"'", at[-1]) && strchr(" \"'\n", at[length])) { // the NUL too
                return true;
            }
        }
    }
    return false;
}

static system_kind system_of_release(const char *release) {
    for (int i = DEBIAN; i <= ARCH; ++i) {
        for (const char *const *id = systems[i].ids; *id; ++id) {
            if (release_names(release, *id)) {
                return (system_kind)i;
            }
        }
    }
    return ANY;
}

/// ANY: not known.
static system_kind find_system(const evn__surroundings *here) {
#if defined(__APPLE__)
    (void)here, (void)system_of_release;
    return MACOS;
#else
    enum { RELEASE_BYTES = 1 << 16 };
    unsigned char *release = NULL;
    size_t bytes;
    system_kind system = ANY;
    if (evn__file_read_most(here->release, RELEASE_BYTES, &release, &bytes) == EVN_OK) {
        system = system_of_release((const char *)release);
    }
    free(release);
    return system;
#endif
}

void evn__advice_text(const evn__surroundings *here, evn__cause cause, evn__text *text) {
    system_kind system = find_system(here);
    const char *between = "";
    for (int i = 0; i < ADVICE; ++i) {
        if (advice[i].cause != cause) {
            continue;
        }
        bool within = advice[i].system == WSL;
        if (within && !here->wsl) {
            continue;
        }
        if (within || advice[i].system == ANY || advice[i].system == system) {
            evn__text_append(text, "%s%s", between, advice[i].text);
            between = "; ";
        } else if (system == ANY) {
            evn__text_append(text, "%s%s: %s", between, systems[advice[i].system].name,
                             advice[i].text);
            between = "; ";
        }
    }
}

const char *evn__cause_word(evn__cause cause) {
    static const char *const words[] = {
#define EVN_CAUSE(name, word) word,
#define EVN_ADVICE(cause, system, text)
#include "host/advice.def"
#undef EVN_CAUSE
#undef EVN_ADVICE
    };
    return words[cause];
}

// Findings ----------------------------------------------------------------------------------------

evn_status evn__findings_add(evn__findings *findings, evn__cause cause, const char *format, ...) {
    EVN_TRY(EVN_RESERVE(findings->rows, findings->capacity, findings->count + 1));
    evn__finding *row = &findings->rows[findings->count++];
    row->cause = cause;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(row->what, sizeof(row->what), format, arguments);
    va_end(arguments);
    return EVN_OK;
}

void evn__findings_free(evn__findings *findings) {
    free(findings->rows);
    *findings = (evn__findings){0};
}

evn__surroundings evn__surroundings_here(void) {
    const char *vendors = getenv("OCL_ICD_VENDORS"), *folder = getenv("OPENCL_VENDOR_PATH");
    bool chosen = vendors && vendors[0];
    folder = folder && folder[0] ? folder : "/etc/OpenCL/vendors";
    return (evn__surroundings){.devices = "/dev",
                               .vendors = chosen ? vendors : folder,
                               .release = "/etc/os-release",
                               .chosen = chosen,
                               .rusticl = getenv("RUSTICL_ENABLE"),
                               .wsl = access("/proc/sys/fs/binfmt_misc/WSLInterop", F_OK) == 0 ||
                                      getenv("WSL_DISTRO_NAME") != NULL,
                               .reach = access};
}

static bool is_vendor_name(const char *name) {
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".icd") == 0;
}

static int is_vendor_file(const struct dirent *entry) {
    return is_vendor_name(entry->d_name);
}

/// A name without a folder is one of the system's drivers first, as the loader has it (ocl-icd,
/// libOpenCL(7)).
static evn_status use_file(const char *name, evn_status (*use)(void *user, const char *path),
                           void *user) {
    char path[1024];
    snprintf(path, sizeof(path), "/etc/OpenCL/vendors/%.900s", name);
    bool system = !strchr(name, '/') && evn__is_regular_file(path);
    const char *file = system ? path : name;
    return is_vendor_name(file) && evn__is_regular_file(file) ? use(user, file) : EVN_OK;
}

evn_status evn__vendor_files(const evn__surroundings *here,
                             evn_status (*use)(void *user, const char *path), void *user) {
    struct dirent **names = NULL;
    evn_status status = EVN_OK;
    int count = scandir(here->vendors, &names, is_vendor_file, alphasort);
    if (count < 0) { // one file, or nothing
        return use_file(here->vendors, use, user);
    }
    for (int i = 0; i < count; ++i) {
        evn__text path = {0};
        evn__text_append(&path, "%s/%s", here->vendors, names[i]->d_name);
        status = status == EVN_OK ? path.status : status;
        status = status == EVN_OK ? use(user, path.data) : status;
        free(path.data);
        free(names[i]);
    }
    free(names);
    return status;
}

static evn_status count_file(void *user, const char *path) {
    (void)path;
    ++*(int *)user;
    return EVN_OK;
}

/// Why the loader has no platform at all.
static evn_status find_no_platform(const evn__surroundings *here, evn__findings *findings) {
    int files = 0;
    EVN_TRY(evn__vendor_files(here, count_file, &files));
    if (files > 0) {
        return evn__findings_add(findings, EVN__CAUSE_LIBRARY_MISSING,
                                 "none of the drivers that %s names can be loaded", here->vendors);
    }
    if (here->chosen) {
        return evn__findings_add(findings, EVN__CAUSE_VENDORS_VARIABLE,
                                 "OCL_ICD_VENDORS is %s, which has no .icd file", here->vendors);
    }
    return evn__findings_add(findings, EVN__CAUSE_NO_DRIVER, "no OpenCL driver is installed");
}

/// Platforms that are known to give no device for a reason of their own; the last fits all.
static const struct {
    const char *platform;
    evn__cause cause;
    const char *why;
} silent[] = {
    {"Portable Computing Language", EVN__CAUSE_POCL_CACHE,
     "it gives none where it cannot write its cache, by default under HOME"},
    {"rusticl", EVN__CAUSE_RUSTICL_ENABLE, "it gives those alone that RUSTICL_ENABLE names"},
    {"", EVN__CAUSE_DEVICE_ABSENT, "its hardware is absent or not accessible"},
};

static evn_status find_of_platform(const evn__surroundings *here, const evn__platform *platform,
                                   evn__findings *findings) {
    if (platform->failure[0]) {
        return evn__findings_add(findings, EVN__CAUSE_PLATFORM_FAILS, "%s: %s", platform->name,
                                 platform->failure);
    }
    int i = 0;
    while (!strstr(platform->name, silent[i].platform)) {
        ++i;
    }
    bool set = silent[i].cause == EVN__CAUSE_RUSTICL_ENABLE && here->rusticl && here->rusticl[0];
    return evn__findings_add(findings, silent[i].cause,
                             "the platform %s is there, but gives no device: %s%s%s%s",
                             platform->name, silent[i].why, set ? " (now \"" : "",
                             set ? here->rusticl : "", set ? "\")" : "");
}

/// A node that is there and may not be read and written.
static evn_status find_node(const evn__surroundings *here, const char *path,
                            evn__findings *findings) {
    if (here->reach(path, F_OK) != 0 || here->reach(path, R_OK | W_OK) == 0) {
        return EVN_OK;
    }
    return evn__findings_add(findings, EVN__CAUSE_NO_PERMISSION,
                             "%s is there, but you may not open it, so that its GPU stays hidden",
                             path);
}

static int is_render_node(const struct dirent *entry) {
    return strncmp(entry->d_name, "renderD", 7) == 0;
}

static evn_status find_nodes(const evn__surroundings *here, evn__findings *findings) {
    char path[1024];
    struct dirent **names = NULL;
    snprintf(path, sizeof(path), "%s/kfd", here->devices);
    evn_status status = find_node(here, path, findings);
    snprintf(path, sizeof(path), "%s/dri", here->devices);
    int count = scandir(path, &names, is_render_node, alphasort);
    for (int i = 0; i < count; ++i) {
        snprintf(path, sizeof(path), "%s/dri/%s", here->devices, names[i]->d_name);
        status = status == EVN_OK ? find_node(here, path, findings) : status;
        free(names[i]);
    }
    free(names);
    return status;
}

/// Windows hands its GPUs to a Linux within it by one node.
static evn_status find_windows_gpu(const evn__surroundings *here, evn__findings *findings) {
    char path[1024];
    snprintf(path, sizeof(path), "%s/dxg", here->devices);
    if (!here->wsl || here->reach(path, F_OK) == 0) {
        return EVN_OK;
    }
    return evn__findings_add(findings, EVN__CAUSE_NO_GPU_IN_WSL,
                             "%s is not there, by which Windows shows its GPUs to WSL 2", path);
}

evn_status evn__diagnose(const evn__surroundings *here, const evn__platform *platforms, int count,
                         evn__findings *findings) {
    if (count == 0) {
        EVN_TRY(find_no_platform(here, findings));
    }
    for (int i = 0; i < count; ++i) {
        EVN_TRY(platforms[i].devices == 0 ? find_of_platform(here, &platforms[i], findings)
                                          : EVN_OK);
    }
    EVN_TRY(find_windows_gpu(here, findings));
    return find_nodes(here, findings);
}

void evn__findings_text(const evn__surroundings *here, const evn__findings *findings,
                        evn__text *text) {
    for (int i = 0; i < findings->count; ++i) {
        evn__text_append(text, "%s%s; to mend it: ", i > 0 ? ". " : "", findings->rows[i].what);
        evn__advice_text(here, findings->rows[i].cause, text);
    }
}

void evn__diagnosis_text(const evn__surroundings *here, const evn__platform *platforms, int count,
                         evn__text *text) {
    evn__findings findings = {0};
    evn_status status = evn__diagnose(here, platforms, count, &findings);
    if (status == EVN_OK) {
        evn__findings_text(here, &findings, text);
    } else {
        text->status = status;
    }
    evn__findings_free(&findings);
}
