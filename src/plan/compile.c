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

static bool is_first_of_name(const evn_plan *plan, int index) {
    int i = 0;
    while (strcmp(plan->launches[i].name, plan->launches[index].name) != 0) {
        ++i;
    }
    return i == index;
}

/// Which kernels of families share a program: those of equal answers.
static const char *group_of(const char *family) {
    static const char *const long_to_compile[] = {"conv2d", "matmul", "winograd"};
    for (int i = 0; i < 3; ++i) {
        if (strcmp(family, long_to_compile[i]) == 0) {
            return long_to_compile[i];
        }
    }
    return "others";
}

static bool is_in_group(const evn_plan *plan, int index, const char *group) {
    const evn__source *source = &plan->launches[index].source;
    return is_plain(source) && strcmp(group_of(source->family), group) == 0;
}

static bool is_first_of_group(const evn_plan *plan, int index) {
    int i = 0;
    while (!is_in_group(plan, i, group_of(plan->launches[index].source.family))) {
        ++i;
    }
    return i == index;
}

/// Those generated kernels that the device lacks.
static evn_status collect_generated(const evn_plan *plan, evn__text *text) {
    const char *functions = "";
    if (plan->lanes) {
        EVN_TRY(evn__kernel_text("samples", &functions));
    }
    for (int i = 0; i < plan->launch_count; ++i) {
        const evn__launch *launch = &plan->launches[i];
        if (is_generated(&launch->source) && !launch->replaced && is_first_of_name(plan, i) &&
            !evn__kernel_find(plan->device, launch->name, plan->fp64)) {
            evn__text_append(text, "%s%s", text->size ? "" : functions, launch->source.text);
        }
    }
    return text->status;
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
    return evn__kernels_prepare(plan->device, s->rows, s->count);
}

static evn_status prepare_group(const evn_plan *plan, const char *group, sources *s) {
    s->count = 0;
    for (int i = 0; i < plan->launch_count; ++i) {
        if (is_in_group(plan, i, group)) {
            s->rows[s->count++] = plan->launches[i].source;
        }
    }
    return evn__kernels_prepare(plan->device, s->rows, s->count);
}

static evn_status get_kernel(const evn_plan *plan, const evn__source *whole, evn__launch *launch) {
    bool generated = is_generated(&launch->source);
    launch->kernel = generated ? evn__kernel_find(plan->device, launch->name, plan->fp64) : NULL;
    return launch->kernel ? EVN_OK
                          : evn__kernel_get(plan->device, generated ? whole : &launch->source,
                                            launch->name, &launch->kernel);
}

static evn_status compile(evn_plan *plan, const evn__source *whole, sources *s) {
    EVN_TRY(prepare_generated(plan, whole, s));
    for (int i = 0; i < plan->launch_count; ++i) {
        const evn__source *source = &plan->launches[i].source;
        if (is_plain(source) && is_first_of_group(plan, i)) {
            EVN_TRY(prepare_group(plan, group_of(source->family), s));
        }
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
    if (plan->lanes) {
        snprintf(options, sizeof(options), "-DLANES=%d -DSAMPLES=%d", plan->lanes,
                 plan->samples_per_item);
    }
    evn_status status = collect_generated(plan, &text);
    evn__source whole = {.text = text.data, .options = options, .fp64 = plan->fp64};
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
