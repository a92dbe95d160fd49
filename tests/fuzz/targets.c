// SPDX-License-Identifier: Apache-2.0
#include "targets.h"

#include "base/files.h"
#include "base/json.h"
#include "base/json_hash.h"
#include "base/names.h"
#include "bench/record.h"
#include "cli/settings.h"
#include "cli/task.h"
#include "data/idx.h"
#include "data/pack.h"
#include "data/table.h"
#include "evonode/network.h"
#include "exchange/weight_map.h"
#include "host/cache.h"
#include "host/device_file.h"
#include "host/tuning.h"
#include "image/image.h"
#include "io/run_directory.h"
#include "io/safetensors.h"
#include "train/checkpoint.h"

#include <dirent.h>
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

// Files -------------------------------------------------------------------------------------------

/// A folder of its own, where files are read by their paths; removed with all that is in it.
typedef struct place {
    char folder[1024], path[1152];
} place;

static void open_place(place *p) {
    const char *base = getenv("TMPDIR");
    int length = snprintf(p->folder, sizeof(p->folder), "%s/evn-fuzz-XXXXXX",
                          base && base[0] ? base : "/tmp");
    PROMISE(length < (int)sizeof(p->folder));
    PROMISE(mkdtemp(p->folder));
}

static const char *in_place(place *p, const char *name) {
    PROMISE(snprintf(p->path, sizeof(p->path), "%s/%s", p->folder, name) < (int)sizeof(p->path));
    return p->path;
}

static const char *put_file(place *p, const char *name, const void *data, size_t size) {
    FILE *file = fopen(in_place(p, name), "wb"); // which waits for no disk
    PROMISE(file && fwrite(data, 1, size, file) == size && fclose(file) == 0);
    return p->path;
}

static void close_place(place *p) {
    DIR *stream = opendir(p->folder);
    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        if (entry->d_name[0] != '.') {
            unlinkat(dirfd(stream), entry->d_name, 0);
        }
    }
    closedir(stream);
    PROMISE(rmdir(p->folder) == 0);
}

/// metrics.jsonl of a run that is resumed.
static void feed_metrics(const uint8_t *data, size_t size) {
    place p;
    evn__run_directory *directory = NULL;
    evn__run_totals totals;
    json_t *lines;
    open_place(&p);
    if (evn__run_directory_create(p.folder, &directory) == EVN_OK) {
        put_file(&p, "metrics.jsonl", data, size);
        if (evn__run_metrics(p.folder, &lines) == EVN_OK) {
            json_decref(lines);
        }
        if (evn__run_directory_rewind(directory, 1000, &totals) == EVN_OK) {
            PROMISE(totals.epochs >= 0 && totals.epochs <= 1000);
        }
        evn__run_directory_destroy(&directory);
    }
    close_place(&p);
}

enum { PHASES = 2, EPOCHS = 5, TENSORS = 4 };

/// Parameters, optimiser and task need a device; what stands before them in a checkpoint does not.
static evn_parameters *no_parameters(void *self) {
    static evn_parameters *none;
    (void)self;
    if (!none) {
        PROMISE(evn_parameters_create(&none) == EVN_OK);
    }
    return none;
}

/// The metadata of a checkpoint, a JSON object of texts, in a file that is otherwise whole.
static void feed_checkpoint(const uint8_t *data, size_t size) {
    static const evn_task_methods methods = {.name = "small", .parameters = no_parameters};
    static const evn_phase phases[PHASES] = {{.name = "a", .epochs = 3},
                                             {.name = "b", .epochs = 2}};
    evn_task task = {&methods, NULL};
    evn__position position = {0};
    double losses[EPOCHS] = {0};
    const evn__checkpoint checkpoint = {&position, phases, PHASES, &task, NULL,
                                        "1",       NULL,   losses, NULL};
    const evn__tensor tensor = {
        .name = "not one of it", .dtype = EVN__U8, .rank = 1, .extent = {1}, .data = "x"};
    evn__pair pairs[16];
    int count = 0, epochs;
    json_t *metadata, *value;
    const char *key;
    place p;
    if (evn__json_parse((const char *)data, size, &metadata) != EVN_OK) {
        return;
    }
    json_object_foreach(metadata, key, value) {
        if (json_is_string(value) && count < 16) {
            pairs[count++] = (evn__pair){key, json_string_value(value)};
        }
    }
    open_place(&p);
    const char *path = in_place(&p, "checkpoint");
    if (evn__safetensors_write(path, &tensor, 1, pairs, count) == EVN_OK) {
        if (evn__checkpoint_epochs(path, &epochs) == EVN_OK) {
            PROMISE(epochs >= 0);
        }
        PROMISE(evn__checkpoint_read(path, &checkpoint) != EVN_OK); // it has no state
        PROMISE(position.epoch == 0);
    }
    close_place(&p);
    json_decref(metadata);
}

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

/// The cache of decoded images.
static void feed_pack(const uint8_t *data, size_t size) {
    enum { FILES = 3 };
    const evn__pack_key key = {0};
    char name[EVN__HASH_TEXT], file[64];
    evn__pack pack;
    const char *why;
    place p;
    open_place(&p);
    setenv("EVONODE_CACHE_DIR", p.folder, 1);
    PROMISE(evn__folder_make(in_place(&p, "images"), 0700) == EVN_OK);
    evn__hash_print(key.folder, name);
    snprintf(file, sizeof(file), "images/%s.images", name);
    put_file(&p, file, data, size);
    if (evn__pack_load(&key, FILES, &pack, &why) == EVN_OK && pack.bytes) {
        int32_t *files = evn__pack_files(&pack);
        for (int64_t i = 0; i < pack.count; ++i) {
            PROMISE(files[i] >= 0 && files[i] < FILES);
        }
        touch(evn__pack_pixels(&pack),
              (size_t)(pack.count * pack.height * pack.width * pack.channels));
        evn__pack_free(&pack);
    }
    unlink(in_place(&p, file));
    rmdir(in_place(&p, "images"));
    close_place(&p);
}

// Data --------------------------------------------------------------------------------------------

static void feed_table(const uint8_t *data, size_t size) {
    evn__data_table *table;
    char label[EVN__TABLE_LABEL];
    if (evn__data_table_parse("fuzz", data, size, &table) != EVN_OK) {
        return;
    }
    PROMISE(table->row_count >= 1 && table->column_count >= 1);
    for (int c = 0; c < table->column_count; ++c) {
        const evn__data_column *column = &table->columns[c];
        PROMISE(column->numbers + column->words + column->missing == table->row_count);
        PROMISE(evn__is_utf8(column->name));
        for (int64_t row = 0; row < table->row_count; ++row) {
            touch(evn__data_table_label(table, row, c, label), 1);
        }
        evn__data_table_check_numbers(table, c);
    }
    evn__data_table_destroy(&table);
}

static void feed_image(const uint8_t *data, size_t size) {
    evn__image image;
    uint8_t fitted[5 * 7 * 3];
    if (size == 0 || evn__image_decode(data, size, &image) != EVN_OK) {
        return;
    }
    PROMISE(image.height >= 1 && image.width >= 1);
    PROMISE(image.channels == 1 || image.channels == 3);
    touch(image.pixels, (size_t)(image.height * image.width * image.channels));
    for (evn__fit fit = EVN__FIT_CROP; fit <= EVN__FIT_STRETCH; ++fit) {
        if (evn__image_fit(&image, fit, 5, 7, 3, fitted) == EVN_OK) {
            touch(fitted, sizeof(fitted));
        }
    }
    evn__image_free(&image);
}

const fuzz_target fuzz_targets[] = {
    {"safetensors", feed_safetensors},
    {"header", feed_header},
    {"idx", feed_idx},
    {"settings", feed_settings},
    {"phase", feed_phase},
    {"network", feed_network},
    {"metrics", feed_metrics},
    {"checkpoint", feed_checkpoint},
    {"record", feed_record},
    {"map", feed_map},
    {"tuning", feed_tuning},
    {"program", feed_program},
    {"pack", feed_pack},
    {"table", feed_table},
    {"image", feed_image},
    {NULL, NULL},
};
