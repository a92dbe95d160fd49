// SPDX-License-Identifier: Apache-2.0
#include "cli/choices.h"

#include "evonode/model.h"
#include "evonode/tasks.h"
#include "evonode/trainer.h"

#include <stdio.h>
#include <string.h>

const char *evn__model_name(int index) {
    static const char *const names[] = {[EVN_MODEL_RESNET] = "resnet",
                                        [EVN_MODEL_NODE] = "node",
                                        [EVN_MODEL_NODE_EW] = "node-ew",
                                        [EVN_MODEL_NODE_EW + 1] = "hypernet",
                                        NULL};
    _Static_assert(sizeof(names) / sizeof(*names) == EVN_MODEL_NODE_EW + 3, "a name each");
    return names[index];
}

const char *evn__optimizer_name(int index) {
    static const char *const names[] = {[EVN_OPTIMIZER_SGD] = "sgd",
                                        [EVN_OPTIMIZER_ADAM] = "adam",
                                        [EVN_OPTIMIZER_LBFGS] = "lbfgs",
                                        NULL};
    return names[index];
}

const char *evn__schedule_name(int index) {
    static const char *const names[] = {[EVN_SCHEDULE_CONSTANT] = "constant",
                                        [EVN_SCHEDULE_STEP] = "step",
                                        [EVN_SCHEDULE_COSINE] = "cosine",
                                        NULL};
    return names[index];
}

const char *evn__trace_name(int index) {
    static const char *const names[] = {[EVN_TRACE_EXACT] = "exact",
                                        [EVN_TRACE_RADEMACHER] = "rademacher",
                                        [EVN_TRACE_GAUSSIAN] = "gaussian",
                                        NULL};
    return names[index];
}

const char *evn__fit_name(int index) {
    static const char *const names[] = {
        [EVN_FIT_CROP] = "crop", [EVN_FIT_PAD] = "pad", [EVN_FIT_STRETCH] = "stretch", NULL};
    return names[index];
}

const char *evn__choice_text(const char *(*list)(int index), char *text, size_t size) {
    size_t used = 0;
    text[0] = 0;
    for (int i = 0; list(i) && used < size; ++i) {
        const char *between = i == 0 ? "" : list(i + 1) ? ", " : " or ";
        used += (size_t)snprintf(text + used, size - used, "%s%s", between, list(i));
    }
    return text;
}

int evn__choice_find(const char *(*list)(int index), const char *name) {
    int index = 0;
    while (name && list(index) && strcmp(list(index), name) != 0) {
        ++index;
    }
    return index;
}
