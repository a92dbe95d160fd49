// SPDX-License-Identifier: Apache-2.0
#include "train/checkpoint.h"

#include "base/number.h"
#include "io/tensors.h"
#include "train/phases.h"
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char FORMAT[] = "evonode checkpoint 2", STATE[] = "optimizer state",
                  TASK_STATE[] = "task state", LOSSES[] = "losses", BEST[] = "best parameters",
                  RUN[] = "run", NETWORK[] = "network", LINES[] = "metrics";
enum { FURTHER = 4, COUNTERS = 7, TEXTS = 4, MARKS = 3, NUMBER_SIZE = 32 };

/// A number of the metadata.
typedef struct counter {
    const char *key;
    int64_t value, most; ///< of the training at hand; from 0
    bool optional;       ///< 0 where a file lacks it
} counter;

// What both ways need -----------------------------------------------------------------------------

static void list_counters(const evn__checkpoint *c, const evn__position *position, int64_t steps,
                          counter counters[COUNTERS]) {
    int64_t all = evn__phases_epochs(c->phases, c->phase_count);
    const counter listed[COUNTERS] = {{"phase", position->phase, c->phase_count - 1, false},
                                      {"epochs of the phase", position->in_phase, all, false},
                                      {"epochs", position->epoch, all, false},
                                      {"optimizer steps", steps, INT64_MAX, false},
                                      {"switch epochs", position->automatic.epochs, all, false},
                                      {"switch stalled", position->automatic.stalled, all, false},
                                      {"fell back", position->fallback, EVN__FALLBACK_DUE, true}};
    memcpy(counters, listed, sizeof(listed));
}

static evn_parameters *parameters_of(const evn__checkpoint *c) {
    return c->task->methods->parameters(c->task->self);
}

static size_t task_state_bytes(const evn__checkpoint *c) {
    const evn_task_methods *m = c->task->methods;
    return m->state_bytes ? m->state_bytes(c->task->self) : 0;
}

static evn__tensor bytes_of(const char *name, size_t bytes) {
    return (evn__tensor){.name = name, .dtype = EVN__U8, .rank = 1, .extent = {(int64_t)bytes}};
}

/// Append the tensors that are no parameters; the data of the states is left to the caller.
static void describe_rest(const evn__checkpoint *c, int64_t epochs, evn__tensors *all) {
    all->items[all->count++] = bytes_of(STATE, evn_optimizer_state_bytes(c->optimizer));
    all->items[all->count++] = (evn__tensor){
        .name = LOSSES, .dtype = EVN__F64, .rank = 1, .extent = {epochs}, .data = c->losses};
    if (c->best) {
        int64_t elements = (int64_t)evn_parameters_element_count(parameters_of(c));
        all->items[all->count++] = (evn__tensor){
            .name = BEST, .dtype = EVN__F32, .rank = 1, .extent = {elements}, .data = c->best};
    }
    if (task_state_bytes(c) > 0) {
        all->items[all->count++] = bytes_of(TASK_STATE, task_state_bytes(c));
    }
}

// Writing -----------------------------------------------------------------------------------------

static evn_status gather_states(const evn__checkpoint *c, evn__tensors *all, void **optimizer,
                                void **task, int64_t *steps) {
    const evn_task_methods *m = c->task->methods;
    size_t bytes = task_state_bytes(c);
    *optimizer = evn__arena_alloc(&all->arena, evn_optimizer_state_bytes(c->optimizer));
    *task = evn__arena_alloc(&all->arena, bytes + 1);
    EVN_CHECK(*optimizer && *task, EVN_ERR_MEMORY, "no memory for a checkpoint");
    EVN_TRY(evn_optimizer_save(c->optimizer, *optimizer, steps));
    return bytes > 0 ? m->save(c->task->self, *task) : EVN_OK;
}

static evn_status gather(const evn__checkpoint *c, evn__tensors *all, int64_t *steps) {
    void *optimizer, *task;
    EVN_TRY(evn__tensors_fetch(parameters_of(c), FURTHER, all));
    EVN_TRY(gather_states(c, all, &optimizer, &task, steps));
    int parameters = all->count;
    describe_rest(c, c->position->epoch, all);
    all->items[parameters].data = optimizer;
    if (task_state_bytes(c) > 0) {
        all->items[all->count - 1].data = task;
    }
    return EVN_OK;
}

/// Append what is known of the run; how many there are then.
static int put_mark(const evn__mark *mark, evn__key_value *metadata, int count) {
    const evn__key_value all[MARKS] = {{RUN, mark ? mark->run : ""},
                                       {NETWORK, mark ? mark->network : ""},
                                       {LINES, mark ? mark->lines : ""}};
    for (int i = 0; i < MARKS; ++i) {
        if (all[i].value[0]) {
            metadata[count++] = all[i];
        }
    }
    return count;
}

static evn_status write_all(const char *path, const evn__checkpoint *c, evn__tensors *all) {
    int64_t steps;
    counter counters[COUNTERS];
    char numbers[COUNTERS + 1][NUMBER_SIZE];
    evn__key_value metadata[TEXTS + COUNTERS + MARKS] = {{"format", FORMAT},
                                                         {"switch best", numbers[COUNTERS]},
                                                         {"task", c->task->methods->name},
                                                         {"training", c->training}};
    EVN_TRY(gather(c, all, &steps));
    list_counters(c, c->position, steps, counters);
    for (int i = 0; i < COUNTERS; ++i) {
        snprintf(numbers[i], NUMBER_SIZE, "%lld", (long long)counters[i].value);
        metadata[TEXTS + i] = (evn__key_value){counters[i].key, numbers[i]};
    }
    evn__print(numbers[COUNTERS], NUMBER_SIZE, "%.17g", c->position->automatic.best);
    int count = put_mark(c->mark, metadata, TEXTS + COUNTERS);
    return evn__safetensors_write(path, all->items, all->count, metadata, count);
}

evn_status evn__checkpoint_write(const char *path, const evn__checkpoint *checkpoint) {
    evn__tensors all = {0};
    evn_status status = write_all(path, checkpoint, &all);
    evn__tensors_free(&all);
    return status;
}

// Reading -----------------------------------------------------------------------------------------

static evn_status read_counter(const evn__safetensors *file, counter *c) {
    const char *text = evn__safetensors_metadata(file, c->key);
    char *end;
    text = text || !c->optional ? text : "0";
    EVN_CHECK(text, EVN_ERR_FORMAT, "its metadata lacks '%s'", c->key);
    errno = 0;
    c->value = strtoll(text, &end, 10);
    EVN_CHECK(errno == 0 && end != text && *end == 0, EVN_ERR_FORMAT,
              "'%s' of its metadata is '%.40s', not a number", c->key, text);
    EVN_CHECK(c->value >= 0 && c->value <= c->most, EVN_ERR_DATA,
              "'%s' of its metadata is %lld, but should be from 0 to %lld in this training", c->key,
              (long long)c->value, (long long)c->most);
    return EVN_OK;
}

static evn_status read_best(const evn__safetensors *file, double *best) {
    const char *text = evn__safetensors_metadata(file, "switch best");
    char *end;
    EVN_CHECK(text, EVN_ERR_FORMAT, "its metadata lacks 'switch best'");
    *best = evn__read_real(text, &end);
    EVN_CHECK(end != text && *end == 0 && isfinite(*best), EVN_ERR_FORMAT,
              "'switch best' of its metadata is '%.40s', not a number", text);
    return EVN_OK;
}

static evn_status read_position(const evn__safetensors *file, const evn__checkpoint *c,
                                evn__position *position, int64_t *steps) {
    const char *format = evn__safetensors_metadata(file, "format");
    counter counters[COUNTERS];
    const char *task = evn__safetensors_metadata(file, "task");
    EVN_CHECK(format && strcmp(format, FORMAT) == 0, EVN_ERR_FORMAT,
              "it is not a checkpoint of this version: its format is '%.40s', and not '%s'; resume "
              "with the version that wrote it, or train again",
              format ? format : "(none)", FORMAT);
    EVN_CHECK(task && strcmp(task, c->task->methods->name) == 0, EVN_ERR_DATA,
              "it is of the task %.40s, this training of %s", task ? task : "(none)",
              c->task->methods->name);
    const char *training = evn__safetensors_metadata(file, "training");
    EVN_CHECK(training && strcmp(training, c->training) == 0, EVN_ERR_DATA,
              "it is of a training with other phases, another optimiser or another number of "
              "batches a step, or of a version with other error norms of adaptive steps");
    list_counters(c, position, 0, counters);
    for (int i = 0; i < COUNTERS; ++i) {
        EVN_TRY(read_counter(file, &counters[i]));
    }
    *position = (evn__position){
        .phase = (int)counters[0].value,
        .in_phase = (int)counters[1].value,
        .epoch = (int)counters[2].value,
        .automatic = {.epochs = (int)counters[4].value, .stalled = (int)counters[5].value},
        .fallback = (evn__fallback)counters[6].value};
    *steps = counters[3].value;
    EVN_TRY(read_best(file, &position->automatic.best));
    int in_phase = c->phases[position->phase].epochs;
    EVN_CHECK(position->in_phase <= in_phase, EVN_ERR_DATA,
              "it has %d epochs of phase %d, which has %d in this training", position->in_phase,
              position->phase + 1, in_phase);
    return EVN_OK;
}

/// Nothing is compared that one of them does not know.
static bool differs(const evn__safetensors *file, const char *key, const char *known) {
    const char *kept = evn__safetensors_metadata(file, key);
    return kept && known[0] && strcmp(kept, known) != 0;
}

/// Another run's goes on to the model of neither.
static evn_status check_run(const evn__safetensors *file, const evn__mark *mark) {
    EVN_CHECK(!mark || !(differs(file, RUN, mark->run) || differs(file, NETWORK, mark->network)),
              EVN_ERR_DATA,
              "it is of another run, with other options, another seed or other data; bring back "
              "the run's own");
    return EVN_OK;
}

static void read_lines(const evn__safetensors *file, evn__mark *mark) {
    const char *lines = evn__safetensors_metadata(file, LINES);
    if (mark) {
        snprintf(mark->lines, sizeof(mark->lines), "%s", lines ? lines : "");
    }
}

static evn_status match(const evn__safetensors *file, const evn__checkpoint *c, int64_t epochs) {
    evn__tensors all = {0};
    evn_status status = evn__tensors_describe(parameters_of(c), FURTHER, &all);
    if (status == EVN_OK) {
        describe_rest(c, epochs, &all);
        status = evn__safetensors_match(file, all.items, all.count);
    }
    evn__tensors_free(&all);
    return status;
}

static evn_status put_states(const evn__safetensors *file, const evn__checkpoint *c,
                             int64_t steps) {
    EVN_TRY(evn_optimizer_restore(c->optimizer, evn__safetensors_find(file, STATE)->data, steps));
    return task_state_bytes(c) > 0
               ? c->task->methods->restore(c->task->self,
                                           evn__safetensors_find(file, TASK_STATE)->data)
               : EVN_OK;
}

/// Either may refuse what it is given; then the optimiser has its old state again.
static evn_status restore_states(const evn__safetensors *file, const evn__checkpoint *c,
                                 int64_t steps) {
    char *old;
    int64_t old_steps;
    EVN_TRY(EVN_NEW(&old, evn_optimizer_state_bytes(c->optimizer)));
    evn_status status = evn_optimizer_save(c->optimizer, old, &old_steps);
    if (status == EVN_OK) {
        status = put_states(file, c, steps);
        if (status != EVN_OK) {
            evn_optimizer_restore(c->optimizer, old, old_steps);
        }
    }
    free(old);
    return status;
}

static evn_status restore(const evn__safetensors *file, const evn__checkpoint *c) {
    evn__position position = {0};
    int64_t steps;
    EVN_TRY(read_position(file, c, &position, &steps));
    EVN_TRY(check_run(file, c->mark));
    EVN_TRY(match(file, c, position.epoch));
    EVN_TRY(restore_states(file, c, steps));
    EVN_TRY(evn__tensors_store(parameters_of(c), file));
    const evn__tensor *losses = evn__safetensors_find(file, LOSSES);
    memcpy(c->losses, losses->data, losses->bytes);
    if (c->best) {
        const evn__tensor *best = evn__safetensors_find(file, BEST);
        memcpy(c->best, best->data, best->bytes);
    }
    *c->position = position;
    read_lines(file, c->mark);
    return EVN_OK;
}

evn_status evn__checkpoint_read(const char *path, const evn__checkpoint *checkpoint) {
    evn__safetensors *file;
    EVN_TRY(evn__safetensors_read(path, &file));
    evn_status status = restore(file, checkpoint);
    evn__safetensors_destroy(&file);
    return status == EVN_OK ? status : evn__prepend(status, "%s", path);
}

/// What else the file has may be as it is.
static evn_status load_parameters(const evn__safetensors *file, evn_parameters *parameters) {
    static const char *const further[FURTHER] = {STATE, TASK_STATE, LOSSES, BEST};
    evn__tensors all = {0};
    evn_status status = evn__tensors_describe(parameters, FURTHER, &all);
    for (int i = 0; i < FURTHER && status == EVN_OK; ++i) {
        const evn__tensor *found = evn__safetensors_find(file, further[i]);
        if (found) {
            all.items[all.count++] = *found;
        }
    }
    if (status == EVN_OK) {
        status = evn__safetensors_match(file, all.items, all.count);
    }
    if (status == EVN_OK) {
        status = evn__tensors_store(parameters, file);
    }
    evn__tensors_free(&all);
    return status;
}

evn_status evn__checkpoint_parameters(const char *path, evn_parameters *parameters) {
    evn__safetensors *file;
    EVN_TRY(evn__safetensors_read(path, &file));
    evn_status status = load_parameters(file, parameters);
    evn__safetensors_destroy(&file);
    return status == EVN_OK ? status : evn__prepend(status, "%s", path);
}

evn_status evn__checkpoint_epochs(const char *path, int *epochs) {
    evn__safetensors *file;
    counter c = {.key = "epochs", .most = INT_MAX};
    EVN_TRY(evn__safetensors_read(path, &file));
    evn_status status = read_counter(file, &c);
    evn__safetensors_destroy(&file);
    *epochs = (int)c.value;
    return status == EVN_OK ? status : evn__prepend(status, "%s", path);
}
