// SPDX-License-Identifier: Apache-2.0
#include "cli/reopen.h"
#include "cli/training.h"
#include "cli/verb.h"
#include "exchange/onnx.h"
#include "exchange/unrolled.h"
#include "exchange/weights.h"
#include "io/tensors.h"

#include <stdio.h>
#include <stdlib.h>

enum { METADATA_MAX = 8, VALUE_SIZE = 64 };

/// Where a run is solved adaptively, the task's own number of steps.
static evn__unroll_options unroll_options(const evn__session *session, const evn__settings *given) {
    const evn_solver_options *solver = evn__session_solver(session);
    return (evn__unroll_options){
        .method = solver->method,
        .steps = solver->steps > 0 ? solver->steps : (int)session->row->steps,
        .batch = given->batch == INT64_MIN ? EVN__ANY_BATCH : given->batch,
    };
}

/// What a user of the file has to know.
static int describe(const evn__session *session, const evn__unroll_options *options,
                    const char *classes, char solver[VALUE_SIZE], evn__pair *metadata) {
    int count = 0;
    snprintf(solver, VALUE_SIZE, "%s, %d equal steps", options->method, options->steps);
    metadata[count++] = (evn__pair){"task", session->row->name};
    metadata[count++] = (evn__pair){"solver", solver};
    metadata[count++] = (evn__pair){"input", session->row->export->input};
    if (classes) {
        metadata[count++] = (evn__pair){"classes", classes};
    }
    return count;
}

/// The names of the classes that the run was trained on, as JSON; NULL where they have none.
static evn_status read_classes(const char *folder, char **classes) {
    json_t *run;
    EVN_TRY(evn__run_read(folder, &run));
    const json_t *names = json_object_get(run, "classes");
    *classes = names ? json_dumps(names, JSON_COMPACT) : NULL;
    json_decref(run);
    return EVN_OK;
}

static evn_status write(const char *folder, const evn__session *session,
                        const evn__unroll_options *options, const evn__unrolled *unrolled,
                        const evn__tensors *tensors, const char *path) {
    char solver[VALUE_SIZE];
    evn__pair metadata[METADATA_MAX];
    char *classes;
    EVN_TRY(read_classes(folder, &classes));
    int count = describe(session, options, classes, solver, metadata);
    const evn__onnx_options onnx = {.initializers = tensors->items,
                                    .initializer_count = tensors->count,
                                    .any_batch = options->batch == EVN__ANY_BATCH,
                                    .parts = unrolled->parts,
                                    .part_count = unrolled->part_count,
                                    .metadata = metadata,
                                    .metadata_count = count};
    evn_status status = evn__onnx_write(path, unrolled->graph, &onnx);
    free(classes);
    EVN_TRY(status);
    char batch[VALUE_SIZE] = "";
    if (!onnx.any_batch) {
        snprintf(batch, sizeof(batch), ", batches of %lld", (long long)options->batch);
    }
    printf("%s: %s, %s%s\n", path, session->row->name, solver, batch);
    return EVN_OK;
}

static evn_status export_onnx(const evn__session *session, const evn__settings *given) {
    evn__unroll_options options = unroll_options(session, given);
    evn__unrolled unrolled = {0};
    evn__tensors tensors = {0};
    evn_status status = session->row->export->unroll(session, &options, &unrolled);
    if (status == EVN_OK) {
        status =
            evn__tensors_fetch(session->task.methods->parameters(session->task.self), 0, &tensors);
    }
    if (status == EVN_OK) {
        status = write(given->subject, session, &options, &unrolled, &tensors, given->onnx);
    }
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
    printf("%s: %s, parameters\n", given->safetensors, session->row->name);
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
    "  series   x0 [batch, quantities] -> x [batch, steps, quantities]\n"
    "  flow     x [batch, columns] -> z [batch, columns], log_p [batch]\n"
    "Names of classes, solver and what the input is are in its metadata.\n"
    "\n--safetensors writes the parameters for programs that build the network themselves; --map\n"
    "says how they are called and laid out there, as for train --weights-from.\n"};
