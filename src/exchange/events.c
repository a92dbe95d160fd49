// SPDX-License-Identifier: Apache-2.0
#include "exchange/events.h"

#include <stddef.h>

#ifdef EVN_TENSORBOARD

#include "base/files.h"
#include "base/memory.h"
#include "tensorboard.pb-c.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PREFIX "events.out.tfevents."

enum { PATH_SIZE = 4096, FILE_MODE = 0666, TAG_SIZE = EVN_METRIC_NAME + 1 };

struct evn__events {
    int file;
    char path[PATH_SIZE];
};

evn_status evn__events_check(void) {
    return EVN_OK;
}

// Records: length, its checksum, data, their checksum ---------------------------------------------

/// CRC-32C (Castagnoli), masked as records have it, since data may hold checksums themselves.
static uint32_t masked_checksum(const uint8_t *data, size_t size) {
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < size; ++i) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; ++bit) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
        }
    }
    crc = ~crc;
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

static uint8_t *put_number(uint8_t *at, uint64_t number, int bytes) {
    for (int i = 0; i < bytes; ++i) {
        *at++ = (uint8_t)(number >> 8 * i);
    }
    return at;
}

static evn_status write_record(evn__events *events, const Evonode__Events__Event *event) {
    enum { LENGTH = 8, CHECKSUM = 4 };
    size_t size = evonode__events__event__get_packed_size(event);
    size_t whole = LENGTH + CHECKSUM + size + CHECKSUM;
    uint8_t *record;
    EVN_TRY(EVN_NEW(&record, whole));
    uint8_t *data = put_number(record, size, LENGTH);
    data = put_number(data, masked_checksum(record, LENGTH), CHECKSUM);
    evonode__events__event__pack(event, data);
    put_number(data + size, masked_checksum(data, size), CHECKSUM);
    evn_status status = evn__file_append(events->file, events->path, record, whole);
    free(record);
    return status;
}

static double wall_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static Evonode__Events__Event new_event(int step) {
    Evonode__Events__Event event = EVONODE__EVENTS__EVENT__INIT;
    event.has_wall_time = 1;
    event.wall_time = wall_time();
    event.has_step = 1;
    event.step = step;
    return event;
}

// The beginning of a file -------------------------------------------------------------------------

static evn_status write_version(evn__events *events) {
    Evonode__Events__Event event = new_event(0);
    event.file_version = "brain.Event:2";
    return write_record(events, &event);
}

/// What other files have of steps after those that are done was of a process that did not get to
/// its next checkpoint.
static evn_status write_start(evn__events *events, int done) {
    Evonode__Events__SessionLog log = EVONODE__EVENTS__SESSION_LOG__INIT;
    Evonode__Events__Event event = new_event(done + 1);
    log.has_status = 1;
    log.status = EVONODE__EVENTS__SESSION_LOG__STATUS__START;
    event.session_log = &log;
    return write_record(events, &event);
}

static evn_status write_text(evn__events *events, const char *tag, const char *text) {
    Evonode__Events__Metadata__Plugin plugin = EVONODE__EVENTS__METADATA__PLUGIN__INIT;
    Evonode__Events__Metadata metadata = EVONODE__EVENTS__METADATA__INIT;
    Evonode__Events__Tensor__Shape shape = EVONODE__EVENTS__TENSOR__SHAPE__INIT;
    Evonode__Events__Tensor tensor = EVONODE__EVENTS__TENSOR__INIT;
    Evonode__Events__Summary__Value value = EVONODE__EVENTS__SUMMARY__VALUE__INIT;
    Evonode__Events__Summary__Value *values[] = {&value};
    Evonode__Events__Summary summary = EVONODE__EVENTS__SUMMARY__INIT;
    Evonode__Events__Event event = new_event(0);
    ProtobufCBinaryData data = {strlen(text), (uint8_t *)text};
    plugin.plugin_name = "text";
    metadata.plugin_data = &plugin;
    tensor.has_dtype = 1;
    tensor.dtype = EVONODE__EVENTS__TENSOR__TYPE__STRING;
    tensor.tensor_shape = &shape;
    tensor.n_string_val = 1;
    tensor.string_val = &data;
    value.tag = (char *)tag;
    value.tensor = &tensor;
    value.metadata = &metadata;
    summary.n_value = 1;
    summary.value = values;
    event.summary = &summary;
    return write_record(events, &event);
}

/// Files of a training whose place this one takes.
static evn_status remove_files(const char *folder) {
    char path[PATH_SIZE];
    DIR *stream = opendir(folder);
    evn_status status = EVN_OK;
    EVN_CHECK(stream, evn__file_status(errno, EVN_ERR_OUTPUT),
              "cannot read the folder %s: %s; check it", folder, strerror(errno));
    const struct dirent *entry;
    while (errno = 0, (entry = readdir(stream))) {
        bool events = strncmp(entry->d_name, PREFIX, strlen(PREFIX)) == 0;
        int length = snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name), result = -1;
        if (events && length < PATH_SIZE) {
            EVN_RETRY(result, unlink(path));
        }
        if (events && result != 0 && status == EVN_OK) {
            status = evn__fail(__FILE__, __LINE__, EVN_ERR_OUTPUT, "cannot remove %s/%s: %s",
                               folder, entry->d_name, strerror(errno));
        }
    }
    int error = errno;
    closedir(stream);
    EVN_CHECK(error == 0, evn__file_status(error, EVN_ERR_OUTPUT),
              "cannot read the folder %s: %s; check it", folder, strerror(error));
    return status;
}

/// TensorBoard reads what has this name, in the order of the names: the time comes first.
static evn_status open_file(const char *folder, evn__events *events) {
    char host[256] = "";
    gethostname(host, sizeof(host) - 1);
    for (long long at = (long long)wall_time();; ++at) {
        int length = snprintf(events->path, PATH_SIZE, "%s/" PREFIX "%010lld.%s.%ld", folder, at,
                              host[0] ? host : "host", (long)getpid());
        EVN_CHECK(length < PATH_SIZE, EVN_ERR_OUTPUT, "the path of the folder %.80s… is too long",
                  folder);
        EVN_RETRY(
            events->file,
            open(events->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, FILE_MODE));
        if (events->file >= 0) {
            return EVN_OK;
        }
        EVN_CHECK(errno == EEXIST, EVN_ERR_OUTPUT, "cannot write %s: %s; name another place",
                  events->path, strerror(errno));
    }
}

static evn_status begin(const char *folder, int done, const char *options, evn__events *events) {
    events->file = -1;
    EVN_TRY(done == 0 ? remove_files(folder) : EVN_OK);
    EVN_TRY(open_file(folder, events));
    EVN_TRY(write_version(events));
    EVN_TRY(write_start(events, done));
    return options ? write_text(events, "options", options) : EVN_OK;
}

evn_status evn__events_create(const char *folder, int done, const char *options,
                              evn__events **events) {
    EVN_TRY(EVN_NEW(events, 1));
    evn_status status = begin(folder, done, options, *events);
    if (status != EVN_OK) {
        evn__events_destroy(events);
    }
    return status;
}

void evn__events_destroy(evn__events **events) {
    if (*events) {
        if ((*events)->file >= 0) {
            close((*events)->file);
        }
        free(*events);
        *events = NULL;
    }
}

// Metrics -----------------------------------------------------------------------------------------

/// "train_loss" → "train/loss".
static void make_tag(const char *name, char tag[TAG_SIZE]) {
    snprintf(tag, TAG_SIZE, "%s", name);
    char *end = strchr(tag, '_');
    if (end && (strncmp(tag, "train_", 6) == 0 || strncmp(tag, "test_", 5) == 0)) {
        *end = '/';
    }
}

evn_status evn__events_write(evn__events *events, int done, const evn_metrics *metrics) {
    Evonode__Events__Summary__Value values[EVN_METRICS_MAX], *list[EVN_METRICS_MAX];
    Evonode__Events__Summary summary = EVONODE__EVENTS__SUMMARY__INIT;
    Evonode__Events__Event event = new_event(done);
    char tags[EVN_METRICS_MAX][TAG_SIZE];
    summary.value = list;
    for (int i = 0; i < metrics->count; ++i) {
        const evn_metric *metric = &metrics->items[i];
        if (isfinite(metric->value)) {
            Evonode__Events__Summary__Value *value = &values[summary.n_value];
            evonode__events__summary__value__init(value);
            make_tag(metric->name, tags[summary.n_value]);
            value->tag = tags[summary.n_value];
            value->has_simple_value = 1;
            value->simple_value = (float)metric->value;
            list[summary.n_value++] = value;
        }
    }
    event.summary = &summary;
    return write_record(events, &event);
}

evn_status evn__events_flush(const evn__events *events) {
    return evn__file_sync(events->file, events->path);
}

#else

evn_status evn__events_check(void) {
    EVN_FAIL(EVN_ERR_ARGUMENT,
             "this build writes no files for TensorBoard; build evonode where protobuf-c and its "
             "compiler protoc-c are installed (Debian: libprotobuf-c-dev, protobuf-c-compiler)");
}

evn_status evn__events_create(const char *folder, int done, const char *options,
                              evn__events **events) {
    (void)folder, (void)done, (void)options;
    *events = NULL;
    return evn__events_check();
}

void evn__events_destroy(evn__events **events) {
    *events = NULL;
}

evn_status evn__events_write(evn__events *events, int done, const evn_metrics *metrics) {
    (void)events, (void)done, (void)metrics;
    return evn__events_check();
}

evn_status evn__events_flush(const evn__events *events) {
    (void)events;
    return evn__events_check();
}

#endif
