// SPDX-License-Identifier: Apache-2.0
#include "tune/first_use.h"

#include "base/hash.h"
#include "base/memory.h"
#include "base/status.h"
#include "host/checked.h"
#include "host/counting.h"
#include "host/listener.h"
#include "plan/plan.h"
#include "tune/selftest.h"
#include "tune/trial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// The reference takes about 2 ns a product: a second or two. Of larger plans small cases of the
// kernels' families are checked.
static const double PRODUCTS = 5e8;
static const double ALLOWED = 1e-4, ALLOWED_DOUBLE = 1e-10; // of the largest result
static const double FACTOR = 30;     // times what a change in the sixth digit makes
static const double UNJUDGED = 1e-2; // such a change; results then say nothing of the device

struct evn__first_use {
    evn_device *device;
    evn_plan **plans;
    int count, capacity;
    bool foresees;
    evn__text foreseen; ///< names of the plans that were made while the device counted
    evn_status status;  ///< of the listening
};

/// What is launched, all of it: two plans of one name compute the same by the same kernels.
static evn_status name_plan(const evn_plan *plan, char name[EVN__HASH_TEXT]) {
    char *printed;
    evn__text text = {0};
    EVN_TRY(evn_plan_print(plan, &printed));
    evn__text_append(&text, "%s%d\n", printed, plan->in.fp64);
    free(printed);
    for (int i = 0; i < plan->launches.count; ++i) {
        const evn__launch *launch = &plan->launches.rows[i];
        const evn__source *source = &launch->source;
        evn__text_append(&text, "%s\n%s\n%s\n", source->family ? source->family : "",
                         source->options ? source->options : "", source->text ? source->text : "");
        for (int k = 0; k < launch->slot_count; ++k) { // strides and the like are not printed
            const evn__slot *slot = &plan->launches.slots[launch->first_slot + k];
            evn__text_append(&text, "%d %lld %.17g\n", (int)slot->kind, (long long)slot->integer,
                             slot->real);
        }
    }
    if (text.status == EVN_OK) {
        evn__hash_print(evn__hash_of(text.data, text.size), name);
    }
    free(text.data);
    return text.status;
}

// Listening ---------------------------------------------------------------------------------------

static void foresee(evn__first_use *use, const evn_plan *plan) {
    char name[EVN__HASH_TEXT];
    use->status = use->status == EVN_OK ? name_plan(plan, name) : use->status;
    if (use->status == EVN_OK) {
        evn__text_append(&use->foreseen, "%s\n", name);
        use->status = use->foreseen.status;
    }
}

static void listen(void *user, struct evn_plan *plan, bool made) {
    evn__first_use *use = user;
    for (int i = 0; i < use->count && !made; ++i) {
        if (use->plans[i] == plan) {
            use->plans[i] = use->plans[--use->count];
        }
    }
    if (evn__device_is_counting(use->device)) {
        if (made && use->foresees) {
            foresee(use, plan);
        }
        return;
    }
    if (made && use->status == EVN_OK) {
        use->status = EVN_RESERVE(use->plans, use->capacity, use->count + 1);
    }
    if (made && use->status == EVN_OK) {
        use->plans[use->count++] = plan;
    }
}

evn_status evn__first_use_begin(evn_device *device, evn__first_use **use) {
    EVN_TRY(EVN_NEW(use, 1));
    (*use)->device = device;
    evn__device_listen(device, listen, *use);
    return EVN_OK;
}

void evn__first_use_end(evn__first_use **use) {
    if (*use) {
        evn__device_listen((*use)->device, NULL, NULL);
        free((*use)->plans);
        free((*use)->foreseen.data);
        free(*use);
        *use = NULL;
    }
}

// A plan ------------------------------------------------------------------------------------------

/// Multiplications of a node, about.
static double products_of(const evn_graph *graph, const evn__node *node) {
    double result = (double)evn_shape_count(node->shape);
    const evn_shape *a =
        node->operand_count > 0 ? &evn__node_at(graph, node->operands[0])->shape : NULL;
    const evn_shape *b =
        node->operand_count > 1 ? &evn__node_at(graph, node->operands[1])->shape : NULL;
    switch (node->op) {
    case EVN__OP_MATMUL:
        return result * (double)a->dim[node->attributes.transpose_a ? 0 : 1];
    case EVN__OP_CONV2D:
        return result * (double)(b->dim[0] * b->dim[1] * b->dim[2]);
    case EVN__OP_CONV2D_INPUT_GRAD:
        return (double)evn_shape_count(*a) * (double)(b->dim[0] * b->dim[1] * b->dim[2]);
    case EVN__OP_CONV2D_WEIGHT_GRAD:
        return result * (double)(b->dim[0] * b->dim[1] * b->dim[2]);
    default:
        return result;
    }
}

static double products_in(const evn_graph *graph) {
    double sum = 0;
    for (int i = 0; i < graph->node_count; ++i) {
        sum += products_of(graph, &graph->nodes[i]);
    }
    return sum;
}

/// UNCHECKED: there was no room for it; the next run tries again.
typedef enum verdict { RIGHT, WRONG, UNKNOWN, UNCHECKED } verdict;

/// Each output by itself: where one is what rounding leaves of nothing, the others still must be
/// right. `error` and `allowed` become those of a wrong one.
static verdict judge_outputs(const double *errors, const double *changes, int outputs,
                             double *error, double *allowed) {
    const double least = *allowed;
    verdict found = RIGHT;
    for (int i = 0; i < outputs && found != WRONG; ++i) {
        double most = fmax(least, FACTOR * changes[i]);
        if (errors[i] <= least) {
            continue;
        }
        bool judged = changes[i] <= UNJUDGED;
        if (judged && !(errors[i] <= most)) {
            *error = errors[i];
            *allowed = most;
            found = WRONG;
        } else if (!judged) {
            found = UNKNOWN;
        }
    }
    return found;
}

/// A right plan ends here, at the cost of one run of the reference; the others must show that it is
/// not the graph that makes much of little.
static evn_status judge(const evn__trial *trial, int outputs, double *error, double *allowed,
                        verdict *found) {
    double *changes;
    *found = RIGHT;
    if (*error <= *allowed) {
        return EVN_OK;
    }
    EVN_TRY(EVN_NEW(&changes, outputs));
    evn_status status = evn__trial_sensitivity(trial, changes);
    if (status == EVN_OK) {
        *found = judge_outputs(evn__trial_errors(trial), changes, outputs, error, allowed);
    }
    free(changes);
    return status;
}

static void note_wrong(const evn_plan *plan, double error, double allowed,
                       evn__first_use_result *result) {
    evn__text text = {0};
    const evn__launches *launches = &plan->launches;
    evn__text_append(&text,
                     "results are off by %.1e of the largest, where %.1e is allowed (%d launches, "
                     "the first of %s)",
                     error, allowed, launches->count,
                     launches->count > 0 ? launches->rows[0].name : "nothing");
    if (result->wrong == 0 && text.data) {
        memcpy(result->what, text.data,
               text.size < sizeof(result->what) ? text.size + 1 : sizeof(result->what) - 1);
    }
    free(text.data);
}

static evn_status check_plan(evn__first_use *use, evn_plan *plan, evn__first_use_result *result,
                             verdict *found) {
    evn__trial *trial = NULL;
    double error = INFINITY, allowed = plan->in.fp64 ? ALLOWED_DOUBLE : ALLOWED;
    evn_status status =
        evn__trial_create(use->device, plan->graph, plan->in.fp64, evn__fill_uniform, &trial);
    if (status == EVN_OK) {
        status = evn__trial_check(trial, plan, &error);
    }
    if (status == EVN_OK) {
        status = judge(trial, evn_graph_output_count(plan->graph), &error, &allowed, found);
    }
    evn__trial_destroy(&trial);
    if (status == EVN_ERR_DEVICE_MEMORY || status == EVN_ERR_MEMORY) { // the run itself has its own
        evn__error_clear();
        *found = UNCHECKED;
        ++result->unchecked;
        return EVN_OK;
    }
    EVN_TRY(status);
    ++result->checked;
    if (*found == WRONG) {
        note_wrong(plan, error, allowed, result);
    }
    result->wrong += *found == WRONG;
    result->left += *found == UNKNOWN;
    return EVN_OK;
}

// All of them -------------------------------------------------------------------------------------

/// Plans with the products of each, cheap ones first.
typedef struct task {
    evn_plan *plan;
    double products;
    char name[EVN__HASH_TEXT];
} task;

static int compare_tasks(const void *a, const void *b) {
    double x = ((const task *)a)->products, y = ((const task *)b)->products;
    return (x > y) - (x < y);
}

bool evn__selftest_is_off(void) {
    const char *mode = getenv("EVONODE_SELFTEST");
    return mode && (strcmp(mode, "0") == 0 || strcasecmp(mode, "off") == 0 ||
                    strcasecmp(mode, "none") == 0);
}

static void take_family(void *user, const evn__selftest_row *row) {
    evn__first_use_result *result = user;
    ++result->families;
    if (row->wrong > 0 && result->wrong++ == 0) {
        snprintf(result->what, sizeof(result->what), "%d of %d small cases of %s are wrong%s%s",
                 row->wrong, row->cases, row->family, row->reason[0] ? ": " : "", row->reason);
    }
}

/// The tasks that are too large, from `first` on.
typedef struct rest {
    const task *tasks;
    int first, count;
} rest;

static bool uses(void *user, const char *operation) {
    const rest *r = user;
    for (int i = r->first; i < r->count; ++i) {
        const evn_graph *graph = r->tasks[i].plan->graph;
        for (int v = 0; v < graph->node_count; ++v) {
            if (strstr(evn__op_table[graph->nodes[v].op].text, operation)) {
                return true;
            }
        }
    }
    return false;
}

/// Small cases of their kernels' families in their place.
static evn_status check_rest(evn__first_use *use, rest *r, evn__first_use_result *result,
                             evn__checked *checked) {
    int wrong;
    evn__selftest_part part = {uses, r};
    EVN_TRY(evn__selftest(use->device, &part, take_family, result, &wrong));
    for (int i = r->first; i < r->count && wrong == 0; ++i) {
        const evn_plan *plan = r->tasks[i].plan;
        result->left += plan->in.fp64 || plan->units.lanes > 0; // no small case runs such kernels
        EVN_TRY(evn__checked_add(checked, r->tasks[i].name));
    }
    return EVN_OK;
}

static evn_status check_tasks(evn__first_use *use, evn__checked *checked, const task *tasks,
                              int count, evn__first_use_result *result) {
    double products = 0;
    rest r = {tasks, 0, count};
    for (; r.first < count; ++r.first) {
        const task *next = &tasks[r.first];
        verdict found = UNKNOWN;
        products += next->products;
        if (products > PRODUCTS) {
            break;
        }
        if (!evn__checked_has(checked, next->name)) { // two plans of one name
            EVN_TRY(check_plan(use, next->plan, result, &found));
            bool settled = found == RIGHT || found == UNKNOWN;
            EVN_TRY(settled ? evn__checked_add(checked, next->name) : EVN_OK);
        }
    }
    return r.first < count ? check_rest(use, &r, result, checked) : EVN_OK;
}

static evn_status find_tasks(evn__first_use *use, const evn__checked *checked, task *tasks,
                             int *count, evn__first_use_result *result) {
    *count = 0;
    for (int i = 0; i < use->count; ++i) {
        task *fresh = &tasks[*count];
        fresh->plan = use->plans[i];
        EVN_TRY(name_plan(fresh->plan, fresh->name));
        if (evn__checked_has(checked, fresh->name)) {
            ++result->known;
        } else {
            fresh->products = products_in(fresh->plan->graph);
            ++*count;
        }
    }
    qsort(tasks, (size_t)*count, sizeof(*tasks), compare_tasks);
    return EVN_OK;
}

static evn_status check(evn__first_use *use, evn__checked *checked, evn__first_use_result *result) {
    task *tasks;
    int count;
    EVN_TRY(EVN_NEW(&tasks, use->count + 1));
    evn_status status = find_tasks(use, checked, tasks, &count, result);
    if (status == EVN_OK && count > 0) {
        status = check_tasks(use, checked, tasks, count, result);
        evn__checked_save(checked);
    }
    free(tasks);
    return status;
}

evn_status evn__first_use_check(evn__first_use *use, evn__first_use_result *result) {
    evn__checked *checked;
    *result = (evn__first_use_result){.plans = use->count};
    if (evn__selftest_is_off()) {
        return EVN_OK;
    }
    EVN_TRY(use->status);
    EVN_TRY(evn__checked_open(use->device, &checked));
    evn_status status = check(use, checked, result);
    evn__checked_close(&checked);
    return status;
}

// What is foreseen --------------------------------------------------------------------------------

void evn__first_use_foresee(evn__first_use *use, bool on) {
    use->foresees = on;
    if (on) {
        free(use->foreseen.data);
        use->foreseen = (evn__text){0};
    }
}

static void name_foreseen(const evn__first_use *use, char name[EVN__HASH_TEXT]) {
    const char *names = use->foreseen.data ? use->foreseen.data : "";
    evn__hash_print(evn__hash_of(names, use->foreseen.size), name);
}

evn_status evn__first_use_foresees(const evn__first_use *use, bool *fresh) {
    char name[EVN__HASH_TEXT];
    evn__checked *checked;
    *fresh = false;
    if (evn__selftest_is_off() || use->foreseen.size == 0) {
        return EVN_OK;
    }
    EVN_TRY(evn__checked_open(use->device, &checked));
    name_foreseen(use, name);
    *fresh = !evn__checked_has(checked, name);
    evn__checked_close(&checked);
    return EVN_OK;
}

evn_status evn__first_use_keep_foreseen(const evn__first_use *use) {
    char name[EVN__HASH_TEXT];
    evn__checked *checked;
    EVN_TRY(evn__checked_open(use->device, &checked));
    name_foreseen(use, name);
    evn_status status = evn__checked_add(checked, name);
    evn__checked_save(checked);
    evn__checked_close(&checked);
    return status;
}
