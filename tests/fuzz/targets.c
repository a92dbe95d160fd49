// SPDX-License-Identifier: Apache-2.0
#include "targets.h"

#include "base/files.h"
#include "base/json.h"
#include "base/json_hash.h"
#include "bench/record.h"
#include "cli/settings.h"
#include "cli/task.h"
#include "evonode/network.h"
#include "exchange/weight_map.h"
#include "feeds.h"
#include "host/cache.h"
#include "host/device_file.h"
#include "host/tuning.h"
#include "io/safetensors.h"
#include "place.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

// Files -------------------------------------------------------------------------------------------

static void feed_map(const uint8_t *data, size_t size) {
    static const char *const names[] = {"f.conv1.weight", "head.bias", "a"};
    const evn_shape shapes[] = {EVN_SHAPE(3, 3, 4, 5), EVN_SHAPE(7), EVN_SCALAR};
    evn__weight_map *map;
    place p;
    open_place(&p);
    if (evn__weight_map_read(put_file(&p, "map.json", data, size), &map) == EVN_OK) {
        for (int i = 0; i < 3; ++i) {
            evn__weight_place found;
            if (evn__weight_map_place(map, names[i], shapes[i], &found) == EVN_OK) {
                PROMISE(memchr(found.name, 0, sizeof(found.name)));
                for (int axis = 0; axis < shapes[i].rank; ++axis) {
                    PROMISE(found.order[axis] >= 0 && found.order[axis] < shapes[i].rank);
                }
            }
            evn__weight_map_ignores(map, names[i]);
        }
        evn__weight_map_destroy(&map);
    }
    close_place(&p);
}

/// A file of results, sealed again where it is an object, so that changes get behind its hash.
static void feed_record(const uint8_t *data, size_t size) {
    evn__bench_record record = {0};
    json_t *root;
    char *text = NULL;
    place p;
    if (evn__json_parse((const char *)data, size, &root) != EVN_OK) {
        return;
    }
    open_place(&p);
    if (json_is_object(root) && evn__json_print_hashed(root, 0, 17, &text) == EVN_OK) {
        const char *path = put_file(&p, "record.json", text, strlen(text));
        if (evn__bench_record_read(path, &record) == EVN_OK) {
            touch(evn__bench_record_device(&record), 1);
            for (int i = 0; i < record.count; ++i) {
                PROMISE(evn__bench_record_find(&record, record.rows[i].key));
            }
        }
        evn__bench_record_free(&record);
    }
    free(text);
    json_decref(root);
    close_place(&p);
}

// Caches ------------------------------------------------------------------------------------------

/// The file of a tuned device; where it is an object, one that was made for this device.
static void feed_tuning(const uint8_t *data, size_t size) {
    const evn_device_info info = {.name = "fuzz", .platform_name = "p", .compute_units = 1};
    evn__text path = {0}, line = {0};
    json_t *root, *key = evn__device_file_key(&info);
    place p;
    open_place(&p);
    setenv("EVONODE_CACHE_DIR", p.folder, 1);
    unsetenv("EVONODE_TUNE");
    evn__device_file_path(&path, "tune", &info);
    PROMISE(key && path.size > 0);
    put_file(&p, strrchr(path.data, '/') + 1, data, size);
    evn__tuning_describe(&info, &line);
    if (evn__json_parse((const char *)data, size, &root) == EVN_OK) {
        json_t *variants = json_is_object(root) ? json_object_get(root, "variants") : NULL;
        PROMISE(evn__device_file_write(path.data, key, "variants", variants ? variants : root) ==
                EVN_OK);
        evn__tuning_describe(&info, &line);
        json_decref(root);
    }
    json_decref(key);
    free(path.data);
    free(line.data);
    close_place(&p);
}

/// An entry of the cache of compiled programs: as it is, and with a header that fits.
static void feed_program(const uint8_t *data, size_t size) {
    enum { WORD = sizeof(uint64_t), HEAD = 5 * WORD };
    evn__text key = {0};
    evn__text_append(&key, "key");
    size_t bytes;
    const uint8_t *binary = evn__cache_find(data, size, &key, &bytes);
    PROMISE(!binary || (binary >= data && bytes <= size && binary + bytes == data + size));
    uint8_t *whole = malloc(HEAD + key.size + size);
    if (whole && size > 0) {
        const uint64_t head[] = {0x31434c434e5645ffu, 1, key.size, size};
        memcpy(whole, head, sizeof(head));
        memcpy(whole + HEAD, key.data, key.size);
        memcpy(whole + HEAD + key.size, data, size);
        uint64_t sum = evn__checksum(whole + HEAD, key.size + size);
        memcpy(whole + HEAD - WORD, &sum, WORD);
        binary = evn__cache_find(whole, HEAD + key.size + size, &key, &bytes);
        PROMISE(binary == whole + HEAD + key.size && bytes == size);
        touch(binary, bytes);
        PROMISE(!evn__cache_find(whole, HEAD + key.size + size - 1, &key, &bytes));
    }
    free(whole);
    free(key.data);
}

const fuzz_target fuzz_targets[] = {
    {"safetensors", feed_safetensors, mend_safetensors},
    {"header", feed_header, NULL},
    {"idx", feed_idx, NULL},
    {"idx_set", feed_idx_set, NULL},
    {"cifar", feed_cifar, NULL},
    {"settings", feed_settings, NULL},
    {"phase", feed_phase, NULL},
    {"network", feed_network, NULL},
    {"run", feed_run, NULL},
    {"summary", feed_summary, NULL},
    {"evaluation", feed_evaluation, NULL},
    {"metrics", feed_metrics, NULL},
    {"checkpoint", feed_checkpoint, NULL},
    {"training", feed_training, mend_safetensors},
    {"record", feed_record, NULL},
    {"map", feed_map, NULL},
    {"tuning", feed_tuning, NULL},
    {"program", feed_program, NULL},
    {"pack", feed_pack, mend_pack},
    {"table", feed_table, NULL},
    {"series", feed_series, NULL},
    {"points", feed_points, NULL},
    {"image", feed_image, NULL},
    {NULL, NULL, NULL},
};
