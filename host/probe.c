// SPDX-License-Identifier: Apache-2.0
#include "host/probe.h"

#include "base/json.h"
#include "base/status.h"
#include "evonode/version.h"
#include "host/device_file.h"
#include "host/kernel.h"
#include "host/runtime.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Progress of work-groups -------------------------------------------------------------------------

enum { GROUPS_MAX = 64, ROUNDS = 64, LINE = 16, STATE = 2 };

/// Each group goes on when all that have begun are as far as it is; what they wrote before they
/// said so must be seen. Where they don't progress this never ends.
static const char progress_text[] =
    "__kernel void evn_probe_progress(__global int *state, const ulong offset, const int groups,\n"
    "                                 const int rounds) {\n"
    "    volatile __global int *flags = state + 32;\n"
    "    __global int *data = state + 32 + 16 * groups;\n"
    "    const int own = atomic_inc(state);\n"
    "    for (int round = 1; round <= rounds; round++) {\n"
    "        data[16 * own] = round;\n"
    "        mem_fence(CLK_GLOBAL_MEM_FENCE);\n"
    "        atomic_xchg(flags + 16 * own, round);\n"
    "        const int begun = atomic_or(state, 0);\n"
    "        for (int other = 0; other < begun; other++) {\n"
    "            while (atomic_or(flags + 16 * other, 0) < round) {\n"
    "            }\n"
    "            mem_fence(CLK_GLOBAL_MEM_FENCE);\n"
    "            if (data[16 * other] < round) {\n"
    "                atomic_inc(state + 1);\n"
    "            }\n"
    "        }\n"
    "    }\n"
    "}\n";

static evn_status launch_progress(evn_device *device, evn_buffer *state, int groups) {
    evn__kernel *kernel;
    evn__source source = {.text = progress_text};
    EVN_TRY(evn__kernel_get(device, &source, "evn_probe_progress", &kernel));
    evn__argument arguments[] = {{.kind = EVN__ARGUMENT_BUFFER, .buffer = state},
                                 {.kind = EVN__ARGUMENT_INT, .integer = groups},
                                 {.kind = EVN__ARGUMENT_INT, .integer = ROUNDS}};
    evn__range range = {1, {(size_t)groups}, {1}};
    return evn__kernel_launch(kernel, arguments, 3, range);
}

static evn_status probe_progress(evn_device *device, bool *yes) {
    int found[STATE] = {0};
    int units = device->info.compute_units;
    int groups = units < GROUPS_MAX / 2 ? 2 * units : GROUPS_MAX;
    size_t bytes = sizeof(int) * (size_t)(2 * LINE + 2 * LINE * groups);
    evn_buffer *state;
    EVN_TRY(evn_buffer_create(device, bytes, &state));
    evn_status status = evn_buffer_zero(state, 0, bytes);
    if (status == EVN_OK) {
        status = launch_progress(device, state, groups);
    }
    if (status == EVN_OK) {
        status = evn_buffer_read(state, 0, sizeof(found), found);
    }
    evn_buffer_destroy(&state);
    *yes = status == EVN_OK && found[0] == groups && found[1] == 0;
    return status;
}

// Long vectors ------------------------------------------------------------------------------------

enum { ELEMENTS = 32 };

static const char vectors_text[] =
    "typedef float evn_long __attribute__((ext_vector_type(32), aligned(sizeof(float))));\n"
    "__kernel void evn_probe_vectors(__global float *y, const ulong offset) {\n"
    "    __global evn_long *at = (__global evn_long *)y;\n"
    "    evn_long v = *at;\n"
    "    v = v * v + 1.0f;\n"
    "    v.lo = fma(v.lo, v.hi, v.hi);\n"
    "    *at = v;\n"
    "}\n";

static bool is_right(const float *y) {
    for (int i = 0; i < ELEMENTS; ++i) {
        int low = i % (ELEMENTS / 2), high = low + ELEMENTS / 2;
        float a = (float)(low * low + 1), b = (float)(high * high + 1);
        if (y[i] != (i < ELEMENTS / 2 ? a * b + b : b)) {
            return false;
        }
    }
    return true;
}

static evn_status launch_vectors(evn_device *device, evn_buffer *buffer) {
    evn__kernel *kernel;
    evn__source source = {.text = vectors_text};
    // fma of 16 elements: halves of a vector are ordinary ones
    EVN_TRY(evn__kernel_get(device, &source, "evn_probe_vectors", &kernel));
    evn__argument argument = {.kind = EVN__ARGUMENT_BUFFER, .buffer = buffer};
    return evn__kernel_launch(kernel, &argument, 1, (evn__range){1, {1}, {1}});
}

static evn_status probe_vectors(evn_device *device, bool *yes) {
    float y[ELEMENTS];
    evn_buffer *buffer;
    for (int i = 0; i < ELEMENTS; ++i) {
        y[i] = (float)i;
    }
    EVN_TRY(evn_buffer_create(device, sizeof(y), &buffer));
    evn_status status = evn_buffer_write(buffer, 0, sizeof(y), y);
    if (status == EVN_OK) {
        status = launch_vectors(device, buffer);
    }
    if (status == EVN_OK) {
        status = evn_buffer_read(buffer, 0, sizeof(y), y);
    }
    evn_buffer_destroy(&buffer);
    *yes = status == EVN_OK && is_right(y);
    return status;
}

// The table ---------------------------------------------------------------------------------------

/// In the order in which they are tried: what may never end comes last.
static const struct {
    const char *name;
    size_t quirk; ///< offset of its bool in evn__quirks
    evn_status (*probe)(evn_device *device, bool *yes);
} probes[] = {
    {"long_vectors", offsetof(evn__quirks, long_vectors), probe_vectors},
    {"groups_progress", offsetof(evn__quirks, groups_progress), probe_progress},
};
enum { PROBES = sizeof(probes) / sizeof(probes[0]) };

/// That memory is ordered is no probe's to tell, since a rare fault is not seen. A CPU has the
/// order of the host's, which is known (host/quirks.c); of others it is not.
static bool can_tell(const evn_device *device) {
    return device->info.type == EVN_DEVICE_CPU && evn__memory_is_ordered();
}

static bool *answer_of(evn_device *device, int index) {
    return (bool *)((char *)&device->quirks + probes[index].quirk);
}

void evn__probes_run(evn_device *device, void (*answer)(const char *name, bool yes)) {
    for (int i = 0; i < PROBES; ++i) {
        bool yes = false;
        evn_status status = probes[i].probe(device, &yes);
        answer(probes[i].name, status == EVN_OK && yes);
    }
}

// Keeping -----------------------------------------------------------------------------------------

static const char KIND[] = "probes", MEMBER[] = "answers";

static bool find_path(const evn_device *device, evn__text *path) {
    evn__device_file_path(path, KIND, &device->info);
    return path->status == EVN_OK && path->size > 0;
}

/// Of an older version, which asked less, some are missing.
static bool has_all(const json_t *answers) {
    for (int i = 0; i < PROBES; ++i) {
        if (!json_is_boolean(json_object_get(answers, probes[i].name))) {
            return false;
        }
    }
    return true;
}

/// What the answers belong to; they hold for the version that asked.
static json_t *make_key(const evn_device *device) {
    json_t *key = evn__device_file_key(&device->info);
    evn__json_put(key, "version", json_string(evn_version()));
    return key;
}

static void take(evn_device *device, const json_t *answers) {
    for (int i = 0; i < PROBES; ++i) {
        *answer_of(device, i) = json_is_true(json_object_get(answers, probes[i].name));
    }
    device->quirks.known = true;
}

evn_status evn__probes_open(evn_device *device) {
    char why[EVN__DEVICE_FILE_WHY];
    evn__text path = {0};
    if (device->quirks.known || !can_tell(device)) {
        return EVN_OK;
    }
    if (find_path(device, &path) && access(path.data, F_OK) == 0) {
        json_t *key = make_key(device);
        bool whole = evn__json_check() == EVN_OK; // else they are asked for again
        json_t *root = whole ? evn__device_file_read(path.data, key, why) : NULL;
        json_t *answers = json_object_get(root, MEMBER);
        if (has_all(answers)) {
            take(device, answers);
        }
        json_decref(root);
        json_decref(key);
    }
    free(path.data);
    return path.status;
}

bool evn__probes_wanted(const evn_device *device) {
    evn__text path = {0};
    bool wanted = !device->quirks.known && can_tell(device) && find_path(device, &path);
    free(path.data);
    return wanted;
}

void evn__probes_keep(evn_device *device, const char *text) {
    evn__text path = {0};
    json_t *answers = json_object(), *key = make_key(device);
    for (int i = 0; i < PROBES; ++i) {
        const char *line = text ? strstr(text, probes[i].name) : NULL;
        bool yes = line && strncmp(line + strlen(probes[i].name), " 1\n", 3) == 0;
        evn__json_put(answers, probes[i].name, json_boolean(yes));
    }
    take(device, answers);
    bool whole = evn__json_check() == EVN_OK; // what fails here is no failure of what is said next
    if (whole && find_path(device, &path)) {  // a failure is ignored: it is tried again
        evn__device_file_write(path.data, key, MEMBER, answers);
    }
    json_decref(answers);
    json_decref(key);
    free(path.data);
}
