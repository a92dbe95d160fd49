// SPDX-License-Identifier: Apache-2.0
// A broken OpenCL implementation. What is wrong with it stands in the name of its file, behind the
// last '-' or '/' and before ".so": crash, hang (both while it is loaded), fail (clGetDeviceIDs
// answers with an error), none (no device), leave (ends the process that loads it), fork (a child
// of it fails, as where it would load a module; it has no device), or for one
// query of a device refuse_HEX, zero_HEX; fine: its device can be listed, and nothing else.
#define _GNU_SOURCE // dladdr
#include <CL/cl_icd.h>

#include <dlfcn.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

struct _cl_platform_id {
    cl_icd_dispatch *dispatch;
};
struct _cl_device_id {
    cl_icd_dispatch *dispatch;
};

static cl_icd_dispatch table;
static struct _cl_platform_id platform = {&table};
static struct _cl_device_id device = {&table};
static char fault[64];

/// The word in the file's name, into `fault`.
static void read_fault(void) {
    Dl_info info;
    if (!dladdr(&table, &info) || !info.dli_fname) {
        return;
    }
    const char *name = strrchr(info.dli_fname, '/');
    name = name ? name + 1 : info.dli_fname;
    const char *dash = strrchr(name, '-');
    snprintf(fault, sizeof(fault), "%s", dash ? dash + 1 : name);
    fault[strcspn(fault, ".")] = 0;
}

/// The exit handlers of whoever loads it are the child's, too, and leave its exit code alone.
static void fail_in_child(void) {
    int state = 0;
    pid_t child = fork();
    if (child == 0) {
        exit(1);
    }
    waitpid(child, &state, 0);
    if (!WIFEXITED(state) || WEXITSTATUS(state) != 1) {
        fprintf(stderr, "the child of a driver ended with state %#x\n", (unsigned)state);
    }
}

__attribute__((constructor)) static void load(void) {
    read_fault();
    if (strcmp(fault, "crash") == 0) {
        raise(SIGSEGV);
    }
    if (strcmp(fault, "leave") == 0) {
        exit(0);
    }
    if (strcmp(fault, "fork") == 0) {
        fail_in_child();
    }
    while (strcmp(fault, "hang") == 0) {
        pause();
    }
}

static cl_int answer(const void *value, size_t bytes, size_t size, void *result, size_t *written) {
    if (result && size < bytes) {
        return CL_INVALID_VALUE;
    }
    if (result) {
        memcpy(result, value, bytes);
    }
    if (written) {
        *written = bytes;
    }
    return CL_SUCCESS;
}

static cl_int answer_text(const char *text, size_t size, void *result, size_t *written) {
    return answer(text, strlen(text) + 1, size, result, written);
}

static cl_int get_platform_ids(cl_uint count, cl_platform_id *ids, cl_uint *got) {
    if (ids && count > 0) {
        ids[0] = &platform;
    }
    if (got) {
        *got = 1;
    }
    return CL_SUCCESS;
}

static cl_int get_platform_info(cl_platform_id id, cl_platform_info query, size_t size,
                                void *result, size_t *written) {
    (void)id;
    switch (query) {
    case CL_PLATFORM_NAME:
        return answer_text("Broken Vendor", size, result, written);
    case CL_PLATFORM_VERSION:
        return answer_text("OpenCL 1.2 broken", size, result, written);
    case CL_PLATFORM_ICD_SUFFIX_KHR:
        return answer_text("BROKEN", size, result, written);
    case CL_PLATFORM_EXTENSIONS:
        return answer_text("cl_khr_icd", size, result, written);
    default:
        return answer_text("broken", size, result, written);
    }
}

static cl_int get_device_ids(cl_platform_id id, cl_device_type type, cl_uint count,
                             cl_device_id *ids, cl_uint *got) {
    (void)id, (void)type;
    if (strcmp(fault, "fail") == 0) {
        return CL_OUT_OF_HOST_MEMORY;
    }
    bool none = strcmp(fault, "none") == 0 || strcmp(fault, "fork") == 0;
    if (got) {
        *got = !none;
    }
    if (none) {
        return CL_DEVICE_NOT_FOUND;
    }
    if (ids && count > 0) {
        ids[0] = &device;
    }
    return CL_SUCCESS;
}

static bool is_faulty(const char *kind, cl_device_info query) {
    size_t length = strlen(kind);
    return strncmp(fault, kind, length) == 0 && strtoul(fault + length, NULL, 16) == query;
}

static cl_int get_device_info(cl_device_id id, cl_device_info query, size_t size, void *result,
                              size_t *written) {
    (void)id;
    cl_ulong number = is_faulty("zero_", query) ? 0 : 64;
    cl_device_type type = CL_DEVICE_TYPE_GPU;
    if (is_faulty("refuse_", query)) {
        return CL_INVALID_VALUE;
    }
    switch (query) {
    case CL_DEVICE_TYPE:
        return answer(&type, sizeof(type), size, result, written);
    case CL_DEVICE_PLATFORM: {
        cl_platform_id own = &platform;
        return answer(&own, sizeof(own), size, result, written);
    }
    case CL_DEVICE_NAME:
        return answer_text("Broken One", size, result, written);
    case CL_DEVICE_VERSION:
        return answer_text("OpenCL 1.2 broken", size, result, written);
    case CL_DEVICE_VENDOR:
    case CL_DRIVER_VERSION:
        return answer_text("1", size, result, written);
    case CL_DEVICE_EXTENSIONS:
        return answer_text("", size, result, written);
    case CL_DEVICE_MAX_COMPUTE_UNITS:
    case CL_DEVICE_MAX_CLOCK_FREQUENCY:
    case CL_DEVICE_AVAILABLE:
    case CL_DEVICE_COMPILER_AVAILABLE:
    case CL_DEVICE_HOST_UNIFIED_MEMORY:
    case CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT:
        return answer(&(cl_uint){(cl_uint)number}, sizeof(cl_uint), size, result, written);
    default:
        return answer(&number, sizeof(number), size, result, written);
    }
}

EXPORT cl_int clIcdGetPlatformIDsKHR(cl_uint count, cl_platform_id *ids, cl_uint *got);
EXPORT cl_int clIcdGetPlatformIDsKHR(cl_uint count, cl_platform_id *ids, cl_uint *got) {
    table.clGetPlatformIDs = get_platform_ids;
    table.clGetPlatformInfo = get_platform_info;
    table.clGetDeviceIDs = get_device_ids;
    table.clGetDeviceInfo = get_device_info;
    return get_platform_ids(count, ids, got);
}

EXPORT void *clGetExtensionFunctionAddress(const char *name) {
    cl_int (*get)(cl_uint, cl_platform_id *, cl_uint *) = clIcdGetPlatformIDsKHR;
    void *address; // ISO C has no conversion from the one to the other
    memcpy(&address, &get, sizeof(address));
    return strcmp(name, "clIcdGetPlatformIDsKHR") == 0 ? address : NULL;
}

EXPORT cl_int clGetPlatformInfo(cl_platform_id id, cl_platform_info query, size_t size,
                                void *result, size_t *written) {
    return get_platform_info(id, query, size, result, written);
}
