// SPDX-License-Identifier: Apache-2.0
// What the files of host/ share: the device behind evn_device, and errors of OpenCL by name.
#ifndef EVN_HOST_RUNTIME_H
#define EVN_HOST_RUNTIME_H

#include "base/hash.h"
#include "base/status.h"
#include "evonode/cl.h"
#include "host/counting.h"
#include "host/deadline.h"
#include "host/kernel.h"
#include "host/listener.h"
#include "host/quirks.h"
#include "host/staging.h"
#include "host/timing.h"
#include "host/wait.h"
#include <jansson.h>
#include <string.h>

/// A source that is compiled, or will be when it is needed; its kernels stay valid until the
/// device is closed.
typedef struct evn__program {
    evn__hash key;            ///< of family or text, options, precision
    struct evn__build *build; ///< of the device (host/build.h)
    int part;                 ///< of the program: what its kernels' names end in (host/part.h)
} evn__program;

struct evn__kernel {
    evn_device *device;
    evn__hash program; ///< key of its program
    char *name;
    struct evn__build *build; ///< of its program
    char *own_name;           ///< in it
    cl_kernel kernel;         ///< NULL until its program is made
    int argument_count;
    uint64_t *last; ///< per argument: what it was set to last, 0: nothing (host/kernel.c)
    size_t max_work_group;
    bool fp64;
    bool blast;                ///< host/blast.h; there is no cl_kernel then
    uint64_t timing, launches; ///< the last timing that it was launched in, and how often
};

/// Counting mode (host/counting.h).
typedef struct evn__counting {
    bool on;
    evn__kernel kernel;     ///< stands for all
    evn_device_stats stats; ///< as they were before, as the two below
    evn__memory_use at_peak;
    uint64_t uses[EVN__USES];
} evn__counting;

enum { EVN__CHOICE = 1024 };

struct evn_device {
    evn_device_info info;
    char choice[EVN__CHOICE]; ///< who chose it, and where that was "auto", why
    evn__quirks quirks;
    cl_device_id id;
    cl_context context;
    cl_command_queue queue;
    evn_device_stats stats;
    uint64_t uses[EVN__USES]; ///< bytes held now, by use
    evn__memory_use at_peak;
    evn__counting counting;
    uint64_t limit; ///< bytes that buffers may hold; 0: none is set
    evn__waiting waiting;
    struct evn__deadline *deadline; ///< host/deadline.h; NULL: waits may last
    evn__timing timing;             ///< of launches (host/timing.h)
    uint64_t timings;               ///< that there have been
    double launch_limit;            ///< seconds; 0: none is set
    double allowed, allowed_until;  ///< seconds, and when they are over; 0: launches have all time
    evn__stage stages[EVN__STAGES];
    int next_stage;
    struct evn__build **builds;
    int build_count, build_capacity;
    evn__program *programs;
    int program_count, program_capacity;
    struct evn__forecast
        *forecast;           ///< what waits to be compiled (host/forecast.h); NULL: nothing waits
    char *compiler;          ///< a program that compiles beside this one (host/forecast.h), or NULL
    double compiler_seconds; ///< that it has for one of them
    int undeclared;          ///< programs that call what kernels/builtins.h lacks
    evn__kernel **kernels;
    int kernel_count, kernel_capacity;
    char *cache_folder;      ///< NULL when compiled programs are not cached
    json_t *variants;        ///< shape class → name of the tuned variant (host/tuning.h)
    evn__listener *listener; ///< NULL: nobody wants to know of the plans
    void *listener_user;
    bool guard; ///< host/guard.h
    uint64_t guard_failures;
    uint64_t guard_serial; ///< buffers made under guard, so that no two have the same poison
};

/// A number that no other buffer of the device has or had; never 0.
uint64_t evn__buffer_serial(const evn_buffer *buffer);

/// Whether the next launch of the kernel, which counts, is timed.
bool evn__timing_takes(evn__kernel *kernel);
/// It was.
void evn__longest_add(evn_device *device, const char *kernel, double seconds);

/// A buffer came or went.
void evn__account_add(evn_device *device, evn__use use, size_t bytes);
void evn__account_remove(evn_device *device, evn__use use, size_t bytes);

/// "CL_INVALID_VALUE" and so on; static storage; "unknown OpenCL error" for codes not in the list.
const char *evn__cl_name(cl_int code);

/// What to do about a failed call; static storage.
const char *evn__cl_advice(cl_int code);

/// Our status for a failed call: EVN_ERR_MEMORY, EVN_ERR_DEVICE_MEMORY, EVN_ERR_BUILD for what is
/// wrong with a source, or EVN_ERR_DEVICE.
evn_status evn__cl_status(cl_int code);

/// Fail with the code's status and name unless it is CL_SUCCESS; `what` is what was tried.
#define EVN_CL_CHECK(code, what)                                                                   \
    do {                                                                                           \
        cl_int cl_code_ = (code);                                                                  \
        if (cl_code_ != CL_SUCCESS) {                                                              \
            EVN_FAIL(evn__cl_status(cl_code_), "%s failed: %s (%d)", (what),                       \
                     evn__cl_name(cl_code_), (int)cl_code_);                                       \
        }                                                                                          \
    } while (0)

/// Whether it lists the extension.
bool evn__device_has_extension(cl_device_id id, const char *name);

/// Describe one device. What cannot be asked stays empty, and makes it unusable where it matters.
/// Places (platform, device, index) are the caller's.
/// @return EVN_ERR_MEMORY
evn_status evn__device_describe(cl_platform_id platform, cl_device_id id, evn_device_info *info);

/// A text of a platform, [EVN_DEVICE_TEXT]; what is no UTF-8 in it becomes ?, as in those of
/// devices.
/// @return the code of the query; "" where it fails
cl_int evn__platform_text(cl_platform_id id, cl_platform_info parameter, char *text);

/// Index in `infos` of the device that `selector` names.
/// @return as evn_device_open
evn_status evn__device_select(const evn_device_info *infos, int count, const char *selector,
                              int *chosen);

/// Why "auto" takes infos[chosen], as a clause: "the only usable device".
void evn__device_reason(const evn_device_info *infos, int count, int chosen, char *text,
                        size_t size);

/// Release all programs and kernels of a device.
void evn__kernels_free(evn_device *device);

/// The program of a source, from memory, the disk cache or the compiler; while a forecast is open,
/// not made yet.
/// @param[out] program  borrowed from the device
evn_status evn__program_get(evn_device *device, const evn__source *source, evn__program *program);

/// Make the kernel, and its program, where that has waited.
/// @return EVN_ERR_BUILD as evn__kernel_get
evn_status evn__kernel_make(evn__kernel *kernel);

#endif
