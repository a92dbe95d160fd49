// SPDX-License-Identifier: Apache-2.0
// Launches → kernels, in few programs. What a plan generates, whole kernels and epilogues in
// kernels of families, is in one program, since no other plan is likely to need it. Of the kernels
// of families as they are, those that take long to compile share a program with their family's
// alone, so that plans for other models find it compiled.
#include "plan/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// The pass: what it reads and what it leaves.
typedef struct compilation {
    const evn__plan_input *in;
    const evn__units *units;
    const evn__launches *launches;
    evn__kernel **kernels;
} compilation;

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

static bool is_in_group(const compilation *c, int index, int group) {
    const evn__source *source = &c->launches->rows[index].source;
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
static evn_status find_first(const compilation *c, bool *first) {
    named *rows = NULL;
    EVN_TRY(EVN_NEW(&rows, c->launches->count + 1));
    for (int i = 0; i < c->launches->count; ++i) {
        rows[i] = (named){c->launches->rows[i].name, i};
    }
    qsort(rows, (size_t)c->launches->count, sizeof(*rows), compare_names);
    for (int i = 0; i < c->launches->count; ++i) {
        first[rows[i].launch] = i == 0 || strcmp(rows[i].name, rows[i - 1].name) != 0;
    }
    free(rows);
    return EVN_OK;
}

/// Those generated kernels that the device lacks.
static evn_status append_generated(const compilation *c, const bool *first, evn__text *text) {
    const char *functions = "";
    if (c->units->lanes) {
        EVN_TRY(evn__kernel_text("samples", &functions));
    }
    for (int i = 0; i < c->launches->count; ++i) {
        const evn__launch *launch = &c->launches->rows[i];
        if (is_generated(&launch->source) && !launch->replaced && first[i] &&
            !evn__kernel_find(c->in->device, launch->name, c->in->fp64)) {
            evn__text_append(text, "%s%s", text->size ? "" : functions, launch->source.text);
        }
    }
    return text->status;
}

static evn_status collect_generated(const compilation *c, evn__text *text) {
    bool *first = NULL;
    EVN_TRY(EVN_NEW(&first, c->launches->count + 1));
    evn_status status = find_first(c, first);
    if (status == EVN_OK) {
        status = append_generated(c, first, text);
    }
    free(first);
    return status;
}

/// What the plan generates: `whole` and every epilogue.
static evn_status prepare_generated(const compilation *c, const evn__source *whole, sources *s) {
    s->count = 0;
    if (whole->text) {
        s->rows[s->count++] = *whole;
    }
    for (int i = 0; i < c->launches->count; ++i) {
        const evn__source *source = &c->launches->rows[i].source;
        if (source->family && source->text) {
            s->rows[s->count++] = *source;
        }
    }
    return evn__kernels_prepare(c->in->device, s->rows, s->count);
}

static evn_status prepare_group(const compilation *c, int group, sources *s) {
    s->count = 0;
    for (int i = 0; i < c->launches->count; ++i) {
        if (is_in_group(c, i, group)) {
            s->rows[s->count++] = c->launches->rows[i].source;
        }
    }
    return s->count > 0 ? evn__kernels_prepare(c->in->device, s->rows, s->count) : EVN_OK;
}

static evn_status get_kernel(const compilation *c, const evn__source *whole, int index) {
    const evn__launch *launch = &c->launches->rows[index];
    bool generated = is_generated(&launch->source);
    evn__kernel *known =
        generated ? evn__kernel_find(c->in->device, launch->name, c->in->fp64) : NULL;
    c->kernels[index] = known;
    return known ? EVN_OK
                 : evn__kernel_get(c->in->device, generated ? whole : &launch->source, launch->name,
                                   &c->kernels[index]);
}

static evn_status compile(const compilation *c, const evn__source *whole, sources *s) {
    EVN_TRY(prepare_generated(c, whole, s));
    for (int group = 0; group < GROUPS; ++group) {
        EVN_TRY(prepare_group(c, group, s));
    }
    for (int i = 0; i < c->launches->count; ++i) {
        if (!c->launches->rows[i].replaced) {
            EVN_TRY(get_kernel(c, whole, i));
        }
    }
    return EVN_OK;
}

/// @param text  for what is generated
static evn_status collect_and_compile(const compilation *c, evn__text *text) {
    char options[64] = "";
    sources s = {0};
    if (c->units->lanes) {
        snprintf(options, sizeof(options), "-DLANES=%d -DSAMPLES=%d", c->units->lanes,
                 c->units->samples_per_item);
    }
    EVN_TRY(collect_generated(c, text));
    const evn__source whole = {.text = text->data, .options = options, .fp64 = c->in->fp64};
    EVN_TRY(EVN_NEW(&s.rows, c->launches->count + 1));
    evn_status status = compile(c, &whole, &s);
    free(s.rows);
    return status;
}

evn_status evn__plan_compile(const evn__plan_input *in, const evn__units *units,
                             const evn__launches *launches, evn__kernel ***kernels) {
    evn__text text = {0};
    *kernels = evn__arena_alloc(in->arena, sizeof(**kernels) * (size_t)(launches->count + 1));
    EVN_CHECK(*kernels, EVN_ERR_MEMORY, "no memory for %d kernels", launches->count);
    const compilation c = {in, units, launches, *kernels};
    evn_status status = collect_and_compile(&c, &text);
    free(text.data);
    return status;
}
