// SPDX-License-Identifier: Apache-2.0
// What a device compiles: with the macros of its extensions and no others, without double where it
// has none, with sub-groups of one work-item where it has functions of theirs that the
// implementation below has not. A prologue before the program's text sees to it.
#include "costume.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Written once, for all programs.
static char *prologue;

static void write_macros(FILE *out, const char *format, const char *extensions) {
    char *words = strdup(extensions), *rest = words;
    for (char *word; words && (word = strtok_r(rest, " ", &rest));) {
        fprintf(out, format, word);
    }
    free(words);
}

/// The extensions below; freed by the caller.
static char *extensions_below(cl_context context) {
    const cl_icd_dispatch *below = &layer_costume.below;
    cl_device_id devices[64] = {0};
    size_t size = 0;
    below->clGetContextInfo(context, CL_CONTEXT_DEVICES, sizeof(devices), devices, NULL);
    below->clGetDeviceInfo(devices[0], CL_DEVICE_EXTENSIONS, 0, NULL, &size);
    char *text = calloc(1, size + 1);
    if (!text) {
        layer_fail("no memory for the extensions");
    }
    below->clGetDeviceInfo(devices[0], CL_DEVICE_EXTENSIONS, size, text, NULL);
    return text;
}

/// Whether the prologue has functions of sub-groups: known once it is written.
static bool plays_sub_groups;

/// Whether a function is missing below. One that is there would not agree with one that is played
/// on how large a sub-group is, so then all are played.
static bool lacks_sub_groups(const char *own, const char *below) {
    static const char *const names[] = {"cl_khr_subgroups", "cl_khr_subgroup_shuffle",
                                        "cl_intel_subgroups"};
    bool lacks = false;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); ++i) {
        lacks = lacks || (profile_lists(own, names[i]) && !profile_lists(below, names[i]));
    }
    return lacks;
}

/// Of one work-item each, which OpenCL allows: what a program makes of them must be right for any
/// size.
static void write_sub_groups(FILE *out) {
    fputs("#define get_max_sub_group_size() 1u\n"
          "#define get_sub_group_size() 1u\n"
          "#define get_sub_group_id() ((uint)get_local_id(0))\n"
          "#define get_sub_group_local_id() 0u\n"
          "#define sub_group_reduce_add(x) (x)\n"
          "#define sub_group_shuffle_xor(x, mask) (x)\n"
          "#define intel_sub_group_shuffle_xor(x, mask) (x)\n",
          out);
}

static void write_prologue(cl_context context) {
    static const char *const doubles =
        "double double2 double3 double4 double8 double16 convert_double as_double";
    size_t size;
    FILE *out = open_memstream(&prologue, &size);
    if (!out) {
        layer_fail("no memory for the extensions");
    }
    char *below = extensions_below(context);
    write_macros(out, "#undef %s\n", below);
    write_macros(out, "#define %s 1\n", layer_costume.profile.values[PROFILE_KEY_extensions].text);
    if (!layer_costume_has("cl_khr_fp64")) {
        fputs("#undef __opencl_c_fp64\n", out);
        write_macros(out, "#define %s this_device_has_no_cl_khr_fp64\n", doubles);
    }
    const char *own = layer_costume.profile.values[PROFILE_KEY_extensions].text;
    plays_sub_groups = lacks_sub_groups(own, below);
    if (plays_sub_groups) {
        write_sub_groups(out);
    }
    fputs("#line 1\n", out);
    fclose(out);
    free(below);
}

static cl_program CL_API_CALL create_program(cl_context context, cl_uint count, const char **texts,
                                             const size_t *lengths, cl_int *code) {
    if (!prologue) {
        write_prologue(context);
    }
    const char **all = calloc(count + 1, sizeof(*all));
    size_t *sizes = calloc(count + 1, sizeof(*sizes)); // 0: to the end of the text
    if (!all || !sizes) {
        layer_fail("no memory for a program");
    }
    all[0] = prologue;
    for (cl_uint i = 0; i < count; ++i) {
        all[i + 1] = texts[i];
        sizes[i + 1] = lengths ? lengths[i] : 0;
    }
    cl_program program =
        layer_costume.below.clCreateProgramWithSource(context, count + 1, all, sizes, code);
    free(all);
    free(sizes);
    return program;
}

/// The text as the program gave it.
static cl_int get_source(cl_program program, size_t size, void *value, size_t *size_out) {
    const cl_icd_dispatch *below = &layer_costume.below;
    size_t whole = 0, head = prologue ? strlen(prologue) : 0;
    cl_int code = below->clGetProgramInfo(program, CL_PROGRAM_SOURCE, 0, NULL, &whole);
    char *text = calloc(1, whole + 1);
    if (!text) {
        layer_fail("no memory for a program");
    }
    if (code == CL_SUCCESS) {
        code = below->clGetProgramInfo(program, CL_PROGRAM_SOURCE, whole, text, NULL);
    }
    if (head > whole || strncmp(text, prologue, head) != 0) {
        head = 0; // of a binary
    }
    if (code == CL_SUCCESS && value && size < whole - head) {
        code = CL_INVALID_VALUE;
    }
    if (code == CL_SUCCESS && value) {
        memcpy(value, text + head, whole - head);
    }
    if (code == CL_SUCCESS && size_out) {
        *size_out = whole - head;
    }
    free(text);
    return code;
}

static cl_int CL_API_CALL get_program_info(cl_program program, cl_program_info name, size_t size,
                                           void *value, size_t *size_out) {
    if (name == CL_PROGRAM_SOURCE) {
        return get_source(program, size, value, size_out);
    }
    return layer_costume.below.clGetProgramInfo(program, name, size, value, size_out);
}

/// OpenCL C 1.2, where a later one was asked for its sub-groups.
static void take_language_back(char *options) {
    static const char own[] = "-cl-std=CL1.2";
    char *language = strstr(options, "-cl-std=CL");
    if (language && strlen(language) >= strlen(own)) {
        memcpy(language, own, strlen(own));
    }
}

/// Without double, constants like 1.0 are float.
static cl_int CL_API_CALL build_program(cl_program program, cl_uint count,
                                        const cl_device_id *devices, const char *options,
                                        void(CL_CALLBACK *notify)(cl_program, void *), void *user) {
    const cl_icd_dispatch *below = &layer_costume.below;
    const char *more = layer_costume_has("cl_khr_fp64") ? "" : " -cl-single-precision-constant";
    size_t size = strlen(options ? options : "") + strlen(more) + 1;
    char *all = malloc(size);
    if (!all) {
        layer_fail("no memory for options");
    }
    snprintf(all, size, "%s%s", options ? options : "", more);
    if (plays_sub_groups) {
        take_language_back(all);
    }
    cl_int code = below->clBuildProgram(program, count, devices, all, notify, user);
    free(all);
    return code;
}

void layer_costume_compile(cl_icd_dispatch *table) {
    table->clCreateProgramWithSource = create_program;
    table->clGetProgramInfo = get_program_info;
    table->clBuildProgram = build_program;
}
