// SPDX-License-Identifier: Apache-2.0
// Our side of bench/scoreboard. A request is a line of words, the answer a line of JSON, which has
// "error" when the request failed:
//     limits           {"device", "driver", "flops", "bytes"}
//
//     speed            {"flops", "exchange"}: the processors' speed now, and their distance
//
//     rows             {"rows": [{"key", "name", "group"}]}: those of evonode bench
//
//     open KEY FOLDER  {"flops", "bytes"}; one repetition is done; its inputs and outputs are in
//                      FOLDER as inputs.safetensors and outputs.safetensors
//
//     run COUNT        {"seconds"}: a repetition, on average over COUNT
//
// bench/peers/serve.py answers the last two.
#include "bench/bench.h"

#include "base/json.h"
#include "host/wait.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 4096, REPETITIONS_MAX = 1000000 };

typedef struct server {
    evn_device *device;
    evn__bench_job job; ///< the open row
} server;

static evn_status answer_limits(server *s, json_t *answer) {
    const evn_device_info *info = evn_device_get_info(s->device);
    evn__bench_limits limits;
    EVN_TRY(evn__bench_limits_measure(s->device, &limits));
    evn__json_put(answer, "device", json_string(info->name));
    evn__json_put(answer, "driver", json_string(info->driver));
    evn__json_put(answer, "flops", json_real(limits.flops));
    evn__json_put(answer, "bytes", json_real(limits.bytes));
    return EVN_OK;
}

static evn_status answer_speed(server *s, json_t *answer) {
    double flops;
    EVN_TRY(evn__bench_speed_measure(s->device, &flops));
    evn__json_put(answer, "flops", json_real(flops));
    evn__json_put(answer, "exchange", json_real(evn__bench_exchange()));
    return EVN_OK;
}

/// Those without a name are other programs' alone.
static evn_status answer_rows(json_t *answer) {
    json_t *list = json_array();
    const evn__bench_row *row;
    for (int i = 0; (row = evn__bench_row_at(i)); ++i) {
        if (row->name) {
            json_t *object = json_object();
            evn__json_put(object, "key", json_string(row->key));
            evn__json_put(object, "name", json_string(row->name));
            evn__json_put(object, "group", json_string(evn__bench_group_name(row->group)));
            evn__json_append(list, object);
        }
    }
    evn__json_put(answer, "rows", list);
    return EVN_OK;
}

static evn_status write_tensors(server *s, evn_status (*gather)(void *, evn__bench_tensors *),
                                const char *folder, const char *name) {
    evn__bench_tensors tensors = {0};
    evn_status status = gather ? gather(s->job.user, &tensors) : EVN_OK;
    if (status == EVN_OK) {
        status = evn__bench_tensors_write(&tensors, folder, name);
    }
    evn__bench_tensors_free(&tensors);
    return status;
}

static evn_status answer_open(server *s, const char *key, const char *folder, json_t *answer) {
    const evn__bench_row *row = evn__bench_row_find(key);
    double seconds;
    EVN_CHECK(row, EVN_ERR_ARGUMENT, "there is no row '%s'; src/bench/rows.c has the table", key);
    evn__bench_job_destroy(&s->job);
    EVN_TRY(evn__bench_job_create(s->device, row, &s->job));
    EVN_TRY(evn__bench_repeat(s->device, s->job.work, s->job.user, 1, &seconds));
    EVN_TRY(write_tensors(s, s->job.inputs, folder, "inputs"));
    EVN_TRY(write_tensors(s, s->job.outputs, folder, "outputs"));
    evn__json_put(answer, "flops", json_real(s->job.flops));
    evn__json_put(answer, "bytes", json_real(s->job.bytes));
    return EVN_OK;
}

static evn_status answer_run(server *s, const char *text, json_t *answer) {
    char *end;
    long count = strtol(text, &end, 10);
    double seconds;
    EVN_CHECK(*end == '\0' && count >= 1 && count <= REPETITIONS_MAX, EVN_ERR_ARGUMENT,
              "'%s' is no number of repetitions; give 1 to %d", text, REPETITIONS_MAX);
    EVN_CHECK(s->job.work, EVN_ERR_ARGUMENT, "no row is open; send 'open KEY FOLDER' first");
    EVN_TRY(evn__bench_repeat(s->device, s->job.work, s->job.user, (int)count, &seconds));
    evn__json_put(answer, "seconds", json_real(seconds));
    return EVN_OK;
}

static evn_status answer(server *s, char *line, json_t *object) {
    const char *verb = strtok(line, " "), *first = strtok(NULL, " "), *second = strtok(NULL, "");
    if (verb && strcmp(verb, "limits") == 0 && !first) {
        return answer_limits(s, object);
    }
    if (verb && strcmp(verb, "speed") == 0 && !first) {
        return answer_speed(s, object);
    }
    if (verb && strcmp(verb, "rows") == 0 && !first) {
        return answer_rows(object);
    }
    if (verb && strcmp(verb, "open") == 0 && second) {
        return answer_open(s, first, second, object);
    }
    EVN_CHECK(verb && strcmp(verb, "run") == 0 && first && !second, EVN_ERR_USAGE,
              "not a request; send 'limits', 'speed', 'rows', 'open KEY FOLDER' or 'run COUNT'");
    return answer_run(s, first, object);
}

static evn_status send(json_t *object) {
    char *text;
    EVN_TRY(evn__json_print(object, 0, 17, &text));
    int failed = printf("%s\n", text) < 0 || fflush(stdout);
    free(text);
    EVN_CHECK(!failed, EVN_ERR_OUTPUT, "the answer cannot be written");
    return EVN_OK;
}

evn_status evn__bench_serve(evn_device *device) {
    server s = {.device = device};
    char line[LINE];
    evn_status status = EVN_OK;
    evn__waiting before = evn__device_wait_as(device, EVN__WAITING_SPINS);
    while (status == EVN_OK && fgets(line, sizeof(line), stdin)) {
        json_t *object = json_object();
        line[strcspn(line, "\n")] = '\0';
        if (answer(&s, line, object) != EVN_OK) {
            evn__json_put(object, "error", json_string(evn_error_message()));
        }
        status = send(object);
        json_decref(object);
    }
    evn__bench_job_destroy(&s.job);
    evn__device_wait_as(device, before);
    return status;
}
