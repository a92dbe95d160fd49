// SPDX-License-Identifier: Apache-2.0
// Kernels that call the functions of groups: one each, or one after the other in one kernel, where
// work-items cooperate (kernels/samples.cl).
#include "samples/emission.h"

#include "base/hash.h"
#include "ops/tasks.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST = 2,       // operands that all kernels have: batch, run_offsets
    MAX_STAGES = 63, // a bit each
    LINE_CLAIMS = 16 // integers of a cache line: stages do not share one
};

int evn__samples_find(const evn__operand *operands, int count, const evn__operand *operand) {
    for (int i = 0; i < count; ++i) {
        if (operands[i].kind == operand->kind &&
            (operand->kind == EVN__OPERAND_VALUE ? operands[i].value == operand->value
                                                 : operands[i].scratch == operand->scratch)) {
            return i;
        }
    }
    return count;
}

/// A kernel in the making.
typedef struct kernel {
    const evn__samples *s;
    const evn__sample_function *functions;
    int count;
    bool cooperative;
    int stage_claims; ///< integers of a stage: items done, items claimed
    evn__call *call;
} kernel;

static const char *direction(const evn__operand *operand) {
    return operand->written ? "OUTPUT" : "INPUT";
}

/// Add the functions' operands; false where there are too many.
static bool merge_operands(const kernel *k) {
    evn__call *call = k->call;
    for (int i = 0; i < k->count; ++i) {
        for (int n = 0; n < k->functions[i].operand_count; ++n) {
            const evn__operand *operand = &k->functions[i].operands[n];
            int at = evn__samples_find(call->operands, call->operand_count, operand);
            if (at == EVN__OPERAND_CAPACITY) {
                return false;
            }
            if (at == call->operand_count) {
                call->operands[call->operand_count++] = *operand;
            }
            call->operands[at].written |= operand->written;
        }
    }
    return true;
}

static bool is_same(const evn__sample_function *a, const evn__sample_function *b) {
    bool same = a->operand_count == b->operand_count && strcmp(a->body, b->body) == 0;
    for (int n = 0; n < a->operand_count && same; ++n) {
        same = a->operands[n].written == b->operands[n].written;
    }
    return same;
}

/// The first function of this text.
static int text_of(const kernel *k, int index) {
    int first = 0;
    while (!is_same(&k->functions[first], &k->functions[index])) {
        ++first;
    }
    return first;
}

static void write_functions(const kernel *k, const char *name, evn__text *text) {
    for (int i = 0; i < k->count; ++i) {
        const evn__sample_function *function = &k->functions[i];
        if (text_of(k, i) < i) {
            continue;
        }
        evn__text_append(text, "static %svoid %s_%d(const int item, %sconst int batch%s",
                         k->s->simt ? "ALWAYS_INLINE " : "", name, i,
                         k->s->simt ? "const int lane, " : "",
                         function->local > 0 ? ", __local real *tile" : "");
        for (int n = 0; n < function->operand_count; ++n) {
            evn__text_append(text, ", RUN_%s(a%d)", direction(&function->operands[n]), n);
        }
        evn__text_append(text, ") {\n%s}\n", function->body);
    }
}

static void write_actuals(const kernel *k, int index, evn__text *text) {
    const evn__sample_function *function = &k->functions[index];
    evn__text_append(text, "%s", function->local > 0 ? ", tile" : "");
    for (int n = 0; n < function->operand_count; ++n) {
        int at =
            evn__samples_find(k->call->operands, k->call->operand_count, &function->operands[n]);
        evn__text_append(text, ", IN_RUN(a%d, %d)", at, at);
    }
}

static void write_call(const kernel *k, const char *name, int index, evn__text *text) {
    evn__text_append(text, "%s_%d(item, %sbatch", name, text_of(k, index),
                     k->s->simt ? "lane, " : "");
    write_actuals(k, index, text);
    evn__text_append(text, ");\n");
}

/// Passes over all stages, each for as many runs as go together.
static void write_cooperation(const kernel *k, const char *name, evn__text *text) {
    int arguments = k->call->operand_count;
    evn__text_append(text, "    COOPERATE(run_offsets, %d) {\n", arguments);
    for (int i = 0; i < k->count; ++i) {
        evn__text_append(text, "        STAGE(run_offsets, %d, %d, %d)\n        ", i,
                         k->functions[i].items, arguments);
        write_call(k, name, i, text);
        evn__text_append(text, "        STAGE_END(%d)\n", k->stage_claims);
    }
    evn__text_append(text, "    }\n    evn_leave(claims, run_offsets[0] * %d);\n", k->call->claims);
}

/// Leave where no sample of the item needs this run, and so none after it.
static void write_leaving(const kernel *k, evn__text *text) {
    const evn__operand active = evn__operand_value(k->s->active);
    int at = evn__samples_find(k->call->operands, k->call->operand_count, &active);
    if (k->s->active != EVN_NONE && at < k->call->operand_count) {
        evn__text_append(text, "LEAVE_IF_IDLE(IN_RUN(a%d, %d), item, batch)\n        ", at, at);
    }
}

static void write_runs(const kernel *k, const char *name, evn__text *text) {
    if (k->functions->local > 0) {
        evn__text_append(text, "    __local real tile[%lld];\n", (long long)k->functions->local);
    }
    evn__text_append(text,
                     "    FOR_EACH_RUN(run_offsets, %d) {\n"
                     "        const int item = (int)get_%s_id(0);\n        ",
                     k->call->operand_count, k->s->simt ? "group" : "global");
    write_leaving(k, text);
    if (k->s->simt) {
        evn__text_append(text, "const int lane = LANE_IN(run);\n        ");
    }
    write_call(k, name, 0, text);
    evn__text_append(text, "    }\n");
}

static void write_text(const kernel *k, const char *name, evn__text *text) {
    write_functions(k, name, text);
    evn__text_append(text, "__kernel ");
    if (k->s->simt) {
        evn__text_append(text, "__attribute__((reqd_work_group_size(%d, 1, 1))) ",
                         k->functions->group);
    }
    evn__text_append(text, "void %s(const int batch, RUNS_OFFSETS(run_offsets)", name);
    for (int i = FIRST; i < k->call->operand_count; ++i) {
        evn__text_append(text, ", RUNS_%s(a%d)", direction(&k->call->operands[i]), i);
    }
    evn__text_append(text, ") {\n");
    if (k->cooperative) {
        write_cooperation(k, name, text);
    } else {
        write_runs(k, name, text);
    }
    evn__text_append(text, "}\n");
}

static evn_status keep(const kernel *k, const char *name, const char *source) {
    evn__arena *arena = k->s->request->arena;
    k->call->kernel = evn__arena_string(arena, name);
    k->call->source.text = evn__arena_string(arena, source);
    EVN_CHECK(k->call->kernel && k->call->source.text, EVN_ERR_MEMORY,
              "no memory for the text of a kernel");
    return EVN_OK;
}

/// The kernel's name is a hash of its text, and how many samples the types in it are of.
static evn_status name_kernel(const kernel *k, evn__text *text, char name[64]) {
    char digest[EVN__HASH_TEXT];
    write_text(k, "", text);
    EVN_TRY(text->status);
    evn__hash_print(evn__hash_of(text->data, text->size), digest);
    snprintf(name, 64, "samples_%s_%d", digest, k->s->per_item);
    return EVN_OK;
}

static evn_status write_source(const kernel *k, const char *name, evn__text *source) {
    write_text(k, name, source);
    EVN_TRY(source->status);
    return keep(k, name, source->data);
}

static evn_status finish(const kernel *k) {
    char name[64];
    evn__text text = {0}, source = {0};
    evn_status status = name_kernel(k, &text, name);
    if (status == EVN_OK) {
        status = write_source(k, name, &source);
    }
    free(text.data);
    free(source.data);
    return status;
}

/// @param group  work-items of each of the items
static evn_status make(kernel *k, size_t items, size_t group, bool *fits) {
    *k->call = (evn__call){.range = {2, {items * group, 1}, {group, 1}}};
    k->call->operands[k->call->operand_count++] = evn__operand_int(k->s->batch);
    k->call->operands[k->call->operand_count++] = (evn__operand){.kind = EVN__OPERAND_RUN_OFFSETS};
    k->call->claims = k->cooperative ? k->count * k->stage_claims : 0;
    *fits = k->count <= MAX_STAGES && merge_operands(k);
    return *fits ? finish(k) : EVN_OK;
}

evn_status evn__samples_kernel(const evn__samples *s, const evn__sample_function *function,
                               evn__call *call, bool *fits) {
    kernel k = {.s = s, .functions = function, .count = 1, .call = call};
    return make(&k, (size_t)function->items, (size_t)function->group, fits);
}

evn_status evn__samples_cooperate(const evn__samples *s, const evn__sample_function *functions,
                                  int count, evn__call *call, bool *fits) {
    kernel k = {.s = s, .functions = functions, .count = count, .cooperative = true, .call = call};
    int max_items = 0; // items of a stage, each in two segments at most
    for (int i = 0; i < count; ++i) {
        max_items = functions[i].items > max_items ? functions[i].items : max_items;
        int needed = (int)evn__divide_up(1 + functions[i].items, LINE_CLAIMS) * LINE_CLAIMS;
        k.stage_claims = needed > k.stage_claims ? needed : k.stage_claims;
    }
    int units = evn_device_get_info(s->request->device)->compute_units;
    return make(&k, (size_t)(units < 2 * max_items ? units : 2 * max_items), 1, fits);
}
