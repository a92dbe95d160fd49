// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"
#include "base/number.h"
#include "cli/output.h"
#include "cli/reopen.h"
#include "cli/training.h"
#include "cli/verb.h"
#include "exchange/onnx.h"
#include "exchange/unrolled.h"
#include "exchange/weights.h"
#include "io/tensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FACTS_MAX = 8, VALUE_SIZE = 64 };

/// Where what was written is said: not into a model that standard output takes.
static FILE *notes_of(const evn__settings *given) {
    return evn__output_notes(evn__output_is_standard(given->onnx) ? given->onnx
                                                                  : given->safetensors);
}

/// Where a run is solved adaptively, the task's own number of steps.
static evn__unroll_options unroll_options(const evn__session *session, const evn__settings *given) {
    const evn_solver_options *solver = evn__session_solver(session);
    return (evn__unroll_options){
        .method = solver->method,
        .steps = solver->steps > 0 ? solver->steps : (int)session->row->steps,
        .batch = given->batch == INT64_MIN ? EVN__ANY_BATCH : given->batch,
    };
}

/// What a user of the file has to know, as its metadata.
typedef struct facts {
    char solver[VALUE_SIZE], duration[VALUE_SIZE];
    char *classes, *columns; ///< JSON; NULL: none
    evn__key_value pairs[FACTS_MAX];
    int count;
} facts;

static void add_fact(facts *f, const char *key, const char *value) {
    if (value && value[0]) {
        f->pairs[f->count++] = (evn__key_value){key, value};
    }
}

/// The names of the classes that the run was trained on, as JSON; NULL where they have none.
static evn_status read_classes(const char *folder, char **classes) {
    json_t *run;
    *classes = NULL;
    EVN_TRY(evn__run_read(folder, &run));
    const json_t *names = json_object_get(run, "classes");
    evn_status status = names ? evn__json_print(names, JSON_COMPACT, 17, classes) : EVN_OK;
    json_decref(run);
    return status;
}

static evn_status print_names(const char *const *names, int count, char **text) {
    json_t *array = json_array();
    for (int i = 0; i < count; ++i) {
        evn__json_append(array, json_string(names[i]));
    }
    *text = NULL;
    evn_status status = count > 0 ? evn__json_print(array, JSON_COMPACT, 17, text) : EVN_OK;
    json_decref(array);
    return status;
}

static evn_status find_facts(const char *folder, const evn__session *session,
                             const evn__unroll_options *options, const evn__unrolled *unrolled,
                             facts *f) {
    EVN_TRY(read_classes(folder, &f->classes));
    EVN_TRY(print_names(unrolled->columns, unrolled->column_count, &f->columns));
    snprintf(f->solver, VALUE_SIZE, "%s, %d equal steps", options->method, options->steps);
    if (unrolled->duration > 0) {
        evn__print(f->duration, VALUE_SIZE, "%.17g", unrolled->duration);
    }
    add_fact(f, "task", session->row->name);
    add_fact(f, "solver", f->solver);
    add_fact(f, "input", session->row->export->input);
    add_fact(f, "classes", f->classes);
    add_fact(f, "columns", f->columns);
    add_fact(f, "duration", f->duration);
    return EVN_OK;
}

static void free_facts(facts *f) {
    free(f->classes);
    free(f->columns);
}

static evn_status write(const evn__session *session, const evn__unroll_options *options,
                        const evn__unrolled *unrolled, const evn__tensors *tensors, const facts *f,
                        const evn__settings *given) {
    const evn__onnx_options onnx = {.initializers = tensors->items,
                                    .initializer_count = tensors->count,
                                    .any_batch = options->batch == EVN__ANY_BATCH,
                                    .parts = unrolled->parts,
                                    .part_count = unrolled->part_count,
                                    .metadata = f->pairs,
                                    .metadata_count = f->count};
    EVN_TRY(evn__onnx_write(given->onnx, unrolled->graph, &onnx));
    char batch[VALUE_SIZE] = "";
    if (!onnx.any_batch) {
        snprintf(batch, sizeof(batch), ", batches of %lld", (long long)options->batch);
    }
    fprintf(notes_of(given), "%s: %s, %s%s\n", given->onnx, session->row->name, f->solver, batch);
    return EVN_OK;
}

/// What the model would not do as the run did.
static evn_status check_solver(const evn__session *session, const evn__settings *given) {
    const evn_solver_options *solver = evn__session_solver(session);
    bool apart = solver->weight_steps > 0 || (solver->steps > 0 && solver->weight_terms > 0);
    EVN_CHECK(
        !apart || given->common.steps != INT64_MIN, EVN_ERR_USAGE,
        "%s solves its weights by themselves, on other steps than x, and an ONNX model solves "
        "both together; say by how many --steps, as many as suit the weights",
        given->subject);
    return EVN_OK;
}

static evn_status export_onnx(const evn__session *session, const evn__settings *given) {
    EVN_TRY(check_solver(session, given));
    evn__unroll_options options = unroll_options(session, given);
    evn__unrolled unrolled = {0};
    evn__tensors tensors = {0};
    facts f = {0};
    evn_status status = session->row->export->unroll(session, &options, &unrolled);
    if (status == EVN_OK) {
        status =
            evn__tensors_fetch(session->task.methods->parameters(session->task.self), 0, &tensors);
    }
    if (status == EVN_OK) {
        status = find_facts(given->subject, session, &options, &unrolled, &f);
    }
    if (status == EVN_OK) {
        status = write(session, &options, &unrolled, &tensors, &f, given);
    }
    free_facts(&f);
    evn__tensors_free(&tensors);
    evn__unrolled_free(&unrolled);
    return status;
}

static evn_status export_safetensors(const evn__session *session, const evn__settings *given) {
    evn__weight_map *map;
    EVN_TRY(evn__weight_map_read(given->map ? given->map : "evonode", &map));
    evn_status status = evn__weights_save(given->safetensors, map,
                                          session->task.methods->parameters(session->task.self));
    evn__weight_map_destroy(&map);
    EVN_TRY(status);
    fprintf(notes_of(given), "%s: %s, parameters\n", given->safetensors, session->row->name);
    return EVN_OK;
}

static evn_status export(evn__session *session, const evn__command *command) {
    const evn__settings *given = command->settings;
    if (given->safetensors) {
        EVN_TRY(export_safetensors(session, given));
    }
    EVN_CHECK(!given->onnx || session->row->export, EVN_ERR_ARGUMENT,
              "%s is a run of the task %s, which has no ONNX model", given->subject,
              session->row->name);
    return given->onnx ? export_onnx(session, given) : EVN_OK;
}

static evn_status run(const evn__command *command) {
    const evn__settings *given = command->settings;
    EVN_CHECK(given->onnx || given->safetensors, EVN_ERR_USAGE,
              "nothing to export to; give --onnx FILE or --safetensors FILE, as in: evonode export "
              "%s --onnx model.onnx",
              given->subject);
    EVN_CHECK(!given->onnx || !given->safetensors || strcmp(given->onnx, given->safetensors) != 0,
              EVN_ERR_USAGE, "--onnx and --safetensors both write into '%s'; give two files",
              given->onnx);
    EVN_CHECK(!given->map || given->safetensors, EVN_ERR_USAGE,
              "--map is for --safetensors FILE, which is not given");
    return evn__reopen_learnt(command, export);
}

const evn__verb evn__verb_export = {
    "export",
    "RUN",
    "write a trained model for other programs",
    EVN__VERB_EXPORT,
    run,
    "\nThe ONNX model (opset 17) has the parameters in it and solves by equal steps, those of\n"
    "--solver and --steps, or of the run. Its inputs and outputs:\n"
    "  images   images [batch, H, W, C], pixels from 0 to 1 -> logits [batch, classes]\n"
    "  curve    x0 [batch, 3] -> x [batch, times, 3]\n"
    "  series   x0 [batch, quantities and --extra] -> x [batch, steps, quantities]\n"
    "  flow     x [batch, columns] -> z [batch, columns], log_p [batch]\n"
    "Names of classes, solver and what the input is are in its metadata.\n"
    "\n--safetensors writes the parameters for programs that build the network themselves; --map\n"
    "says how they are called and laid out there, as for train --weights-from.\n"};
