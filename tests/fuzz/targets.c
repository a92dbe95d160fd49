// SPDX-License-Identifier: Apache-2.0
#include "targets.h"

#include "base/files.h"
#include "base/json.h"
#include "cli/settings.h"
#include "cli/task.h"
#include "data/idx.h"
#include "evonode/network.h"
#include "io/run_directory.h"
#include "io/safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/// A promise of a reader is broken.
#define PROMISE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/// Every byte that is promised is there.
static uint64_t touch(const void *data, size_t size) {
    uint64_t sum = 0;
    for (size_t i = 0; i < size; ++i) {
        sum += ((const uint8_t *)data)[i];
    }
    return sum;
}

static void check_tensors(const evn__safetensors *file) {
    size_t bytes[] = {1, 4, 8};
    for (int i = 0; i < evn__safetensors_count(file); ++i) {
        const evn__tensor *tensor = evn__safetensors_tensor(file, i);
        size_t wanted = bytes[tensor->dtype];
        for (int axis = 0; axis < tensor->rank; ++axis) {
            wanted *= (size_t)tensor->extent[axis];
        }
        PROMISE(wanted == tensor->bytes);
        PROMISE(evn__safetensors_find(file, tensor->name) == tensor);
        touch(tensor->data, tensor->bytes);
    }
}

static void feed_safetensors(const uint8_t *data, size_t size) {
    evn__safetensors *file;
    evn_status status = evn__safetensors_parse(data, size, &file);
    PROMISE(status == EVN_OK || status == EVN_ERR_FORMAT);
    if (status == EVN_OK) {
        check_tensors(file);
        evn__safetensors_destroy(&file);
    }
}

/// The same behind a right length, so that changes of the text alone reach the rules of the header.
static void feed_header(const uint8_t *text, size_t size) {
    uint64_t length = size;
    uint8_t *data = calloc(1, sizeof(length) + size + 64);
    if (data) {
        memcpy(data, &length, sizeof(length));
        memcpy(data + sizeof(length), text, size);
        for (size_t bytes = 0; bytes <= 64; bytes += 4) {
            feed_safetensors(data, sizeof(length) + size + bytes);
        }
    }
    free(data);
}

static void feed_idx(const uint8_t *data, size_t size) {
    evn__idx idx;
    if (evn__idx_parse(data, size, &idx) == EVN_OK) {
        size_t count = 1;
        for (int axis = 0; axis < idx.rank; ++axis) {
            PROMISE(idx.extent[axis] >= 1);
            count *= (size_t)idx.extent[axis];
        }
        touch(idx.bytes, count);
        evn__idx_free(&idx);
    }
}

/// The options of a run.json, as resume and eval read them.
static void feed_settings(const uint8_t *data, size_t size) {
    json_t *options;
    evn__settings settings;
    const evn__task_row *task;
    if (evn__json_parse((const char *)data, size, &options) != EVN_OK) {
        return;
    }
    for (int i = 0; (task = evn__task_at(i)); ++i) {
        evn__settings_clear(&settings);
        if (evn__settings_read(&settings, options) == EVN_OK &&
            evn__settings_complete(&settings, task) == EVN_OK) {
            PROMISE(settings.phase_count >= 1);
            json_decref(evn__settings_show(&settings));
        }
        evn__settings_free(&settings);
    }
    json_decref(options);
}

/// --phase of the command line.
static void feed_phase(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    evn__settings settings;
    if (text) {
        memcpy(text, data, size);
        text[size] = 0;
        char *const words[] = {"--phase", text};
        evn__settings_clear(&settings);
        if (evn__settings_parse(&settings, EVN__VERB_TRAIN, 2, words) == EVN_OK) {
            evn__settings_complete(&settings, evn__task_at(0));
        }
        evn__settings_free(&settings);
    }
    free(text);
}

static void feed_network(const uint8_t *data, size_t size) {
    evn_network *network;
    char *text = malloc(size + 1);
    if (text) {
        memcpy(text, data, size);
        text[size] = 0;
        if (evn_network_parse(text, "fuzz", &network) == EVN_OK) {
            evn_network_destroy(&network);
        }
    }
    free(text);
}

/// metrics.jsonl of a run that is resumed.
static void feed_metrics(const uint8_t *data, size_t size) {
    char folder[] = "/tmp/evn-fuzz-XXXXXX", path[64];
    evn__run_directory *directory = NULL;
    evn__run_totals totals;
    json_t *lines;
    PROMISE(mkdtemp(folder));
    if (evn__run_directory_create(folder, &directory) == EVN_OK) {
        snprintf(path, sizeof(path), "%s/metrics.jsonl", folder);
        PROMISE(evn__file_write(path, data, size) == EVN_OK);
        if (evn__run_metrics(folder, &lines) == EVN_OK) {
            json_decref(lines);
        }
        if (evn__run_directory_rewind(directory, 1000, &totals) == EVN_OK) {
            PROMISE(totals.epochs >= 0 && totals.epochs <= 1000);
        }
        evn__run_directory_destroy(&directory);
    }
    const char *const names[] = {"metrics.jsonl", "metrics.csv", "lock"};
    for (int i = 0; i < 3; ++i) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

const fuzz_target fuzz_targets[] = {
    {"safetensors", feed_safetensors},
    {"header", feed_header},
    {"idx", feed_idx},
    {"settings", feed_settings},
    {"phase", feed_phase},
    {"network", feed_network},
    {"metrics", feed_metrics},
    {NULL, NULL},
};
