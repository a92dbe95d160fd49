// SPDX-License-Identifier: Apache-2.0
#include "host/build.h"
#include "host/cache.h"

#include "base/names.h"

#include <stdlib.h>

/// Fail with the head of the log, where the first error stands.
static evn_status fail_build(const evn_device *device, cl_program program, cl_int code,
                             const char *options) {
    size_t bytes = 0;
    EVN_CHECK(evn__cl_status(code) == EVN_ERR_BUILD, evn__cl_status(code),
              "compiling for %s failed: %s (%d); %s", device->info.name, evn__cl_name(code),
              (int)code, evn__cl_advice(code));
    static const char what[] = "reading the compiler's log (clGetProgramBuildInfo)";
    EVN__TIMED(device, what,
               clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, 0, NULL, &bytes));
    char *log = calloc(1, bytes + 1);
    if (log) {
        EVN__TIMED(
            device, what,
            clGetProgramBuildInfo(program, device->id, CL_PROGRAM_BUILD_LOG, bytes, log, NULL));
        evn__make_utf8(log);
    }
    evn_status status = evn__fail(
        __FILE__, __LINE__, EVN_ERR_BUILD,
        "a kernel did not compile on %s (driver %s) with options \"%s\": %s (%d); the log "
        "begins:\n%.2400s",
        device->info.name, device->info.driver, options, evn__cl_name(code), (int)code,
        log ? log : "");
    free(log);
    return status;
}

static evn_status compile_once(evn_device *device, const char *text, const char *options,
                               cl_program *program) {
    cl_int code;
    cl_program fresh;
    EVN__TIMED(device, "clCreateProgramWithSource",
               fresh = clCreateProgramWithSource(device->context, 1, &text, NULL, &code));
    EVN_CL_CHECK(code, "clCreateProgramWithSource");
    EVN__TIMED(device, "compiling kernels (clBuildProgram)",
               code = clBuildProgram(fresh, 1, &device->id, options, NULL, NULL));
    if (code != CL_SUCCESS) {
        evn_status status = fail_build(device, fresh, code, options);
        EVN__TIMED(device, "releasing a program (clReleaseProgram)", clReleaseProgram(fresh));
        return status;
    }
    *program = fresh;
    return EVN_OK;
}

static evn_status compile(evn_device *device, const char *text, const char *options,
                          cl_program *program) {
    cl_program fresh = NULL;
    evn_status status = compile_once(device, text, options, &fresh);
    // Where implementations keep what they compiled, processes that begin together can take each
    // other's files away; a second time they are there.
    if (status == EVN_ERR_BUILD && device->quirks.caches_programs) {
        status = compile_once(device, text, options, &fresh);
    }
    EVN_TRY(status);
    device->stats.programs_built++;
    evn__cache_store(device, text, options, fresh);
    *program = fresh;
    return EVN_OK;
}

static evn_status load_or_compile(evn_device *device, const char *text, const char *options,
                                  cl_program *program) {
    *program = evn__cache_load(device, text, options);
    device->stats.programs_loaded += *program != NULL;
    return *program ? EVN_OK : compile(device, text, options, program);
}

/// Without clang's header, by its guard: the text declares what it calls.
static evn_status make_declared(evn_device *device, evn__build *build) {
    evn__text options = {0};
    evn__text_append(&options, "%s -D_OPENCL_H_", build->options.data);
    evn_status status = options.status;
    if (status == EVN_OK) {
        status = load_or_compile(device, build->text.data, options.data, &build->program);
    }
    free(options.data);
    return status;
}

evn_status evn__build_make(evn_device *device, evn__build *build) {
    if (build->program) {
        return EVN_OK;
    }
    evn_status status = build->head > 0 ? make_declared(device, build) : EVN_ERR_BUILD;
    if (status == EVN_ERR_BUILD) { // a function that kernels/builtins.h lacks
        status = load_or_compile(device, build->text.data + build->head, build->options.data,
                                 &build->program);
        device->undeclared += status == EVN_OK && build->head > 0;
    }
    return status == EVN_OK ? status : evn__prepend(status, "kernels/%s", build->name);
}

void evn__build_free(const evn_device *device, evn__build *build) {
    if (build) {
        if (build->program) {
            EVN__TIMED(device, "releasing a program (clReleaseProgram)",
                       clReleaseProgram(build->program));
        }
        free(build->name);
        free(build->text.data);
        free(build->options.data);
        free(build);
    }
}
