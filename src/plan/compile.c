// SPDX-License-Identifier: Apache-2.0
// Launches → kernels, in few programs. What a plan generates, whole kernels and epilogues in
// kernels of families, is in one program, since no other plan is likely to need it. Of the kernels
// of families as they are, those that take long to compile share a program with their family's
// alone, so that plans for other models find it compiled.
#include "plan/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct sources {
    evn__source *rows;
    int count;
} sources;

static bool is_generated(const evn__source *source) {
    return source->text && !source->family;
}

static bool is_plain(const evn__source *source) {
    return source->family && !source->text;
}

/// Which kernels of families share a program: those that take long to compile, each by itself, and
/// all others.
static const char *const groups[] = {"conv2d", "matmul", "winograd", "others"};
enum { GROUPS = sizeof(groups) / sizeof(*groups) };

static int group_of(const char *family) {
    int group = 0;
    while (group < GROUPS - 1 && strcmp(family, groups[group]) != 0) {
        ++group;
    }
    return group;
}

static bool is_in_group(const evn_plan *plan, int index, int group) {
    const evn__source *source = &plan->launches[index].source;
    return is_plain(source) && group_of(source->family) == group;
}

/// A launch, to be sorted by the name of its kernel.
typedef struct named {
    const char *name;
    int launch;
} named;

static int compare_names(const void *a, const void *b) {
    const named *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->launch > y->launch) - (x->launch < y->launch);
}

/// first[i]: launch i is the first of its kernel's name.
static evn_status find_first(const evn_plan *plan, bool *first) {
    named *rows = NULL;
    EVN_TRY(EVN_NEW(&rows, plan->launch_count + 1));
    for (int i = 0; i < plan->launch_count; ++i) {
        rows[i] = (named){plan->launches[i].name, i};
    }
    qsort(rows, (size_t)plan->launch_count, sizeof(*rows), compare_names);
    for (int i = 0; i < plan->launch_count; ++i) {
        first[rows[i].launch] = i == 0 || strcmp(rows[i].name, rows[i - 1].name) != 0;
    }
    free(rows);
    return EVN_OK;
}

/// Those generated kernels that the device lacks.
static evn_status append_generated(const evn_plan *plan, const bool *first, evn__text *text) {
    const char *functions = "";
    if (plan->units.lanes) {
        EVN_TRY(evn__kernel_text("samples", &functions));
    }
    for (int i = 0; i < plan->launch_count; ++i) {
        const evn__launch *launch = &plan->launches[i];
        if (is_generated(&launch->source) && !launch->replaced && first[i] &&
            !evn__kernel_find(plan->in.device, launch->name, plan->in.fp64)) {
            evn__text_append(text, "%s%s", text->size ? "" : functions, launch->source.text);
        }
    }
    return text->status;
}

static evn_status collect_generated(const evn_plan *plan, evn__text *text) {
    bool *first = NULL;
    EVN_TRY(EVN_NEW(&first, plan->launch_count + 1));
    evn_status status = find_first(plan, first);
    if (status == EVN_OK) {
        status = append_generated(plan, first, text);
    }
    free(first);
    return status;
}

/// What the plan generates: `whole` and every epilogue.
static evn_status prepare_generated(const evn_plan *plan, const evn__source *whole, sources *s) {
    s->count = 0;
    if (whole->text) {
        s->rows[s->count++] = *whole;
    }
    for (int i = 0; i < plan->launch_count; ++i) {
        const evn__source *source = &plan->launches[i].source;
        if (source->family && source->text) {
            s->rows[s->count++] = *source;
        }
    }
    return evn__kernels_prepare(plan->in.device, s->rows, s->count);
}

static evn_status prepare_group(const evn_plan *plan, int group, sources *s) {
    s->count = 0;
    for (int i = 0; i < plan->launch_count; ++i) {
        if (is_in_group(plan, i, group)) {
            s->rows[s->count++] = plan->launches[i].source;
        }
    }
    return s->count > 0 ? evn__kernels_prepare(plan->in.device, s->rows, s->count) : EVN_OK;
}

static evn_status get_kernel(const evn_plan *plan, const evn__source *whole, evn__launch *launch) {
    bool generated = is_generated(&launch->source);
    launch->kernel =
        generated ? evn__kernel_find(plan->in.device, launch->name, plan->in.fp64) : NULL;
    return launch->kernel ? EVN_OK
                          : evn__kernel_get(plan->in.device, generated ? whole : &launch->source,
                                            launch->name, &launch->kernel);
}

static evn_status compile(evn_plan *plan, const evn__source *whole, sources *s) {
    EVN_TRY(prepare_generated(plan, whole, s));
    for (int group = 0; group < GROUPS; ++group) {
        EVN_TRY(prepare_group(plan, group, s));
    }
    for (int i = 0; i < plan->launch_count; ++i) {
        if (!plan->launches[i].replaced) {
            EVN_TRY(get_kernel(plan, whole, &plan->launches[i]));
        }
    }
    return EVN_OK;
}

evn_status evn__plan_compile(evn_plan *plan) {
    evn__text text = {0};
    char options[64] = "";
    sources s = {0};
    if (plan->units.lanes) {
        snprintf(options, sizeof(options), "-DLANES=%d -DSAMPLES=%d", plan->units.lanes,
                 plan->units.samples_per_item);
    }
    evn_status status = collect_generated(plan, &text);
    evn__source whole = {.text = text.data, .options = options, .fp64 = plan->in.fp64};
    if (status == EVN_OK) {
        status = EVN_NEW(&s.rows, plan->launch_count + 1);
    }
    if (status == EVN_OK) {
        status = compile(plan, &whole, &s);
    }
    free(s.rows);
    free(text.data);
    return status;
}
