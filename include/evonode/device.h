// SPDX-License-Identifier: Apache-2.0
/// @file
/// Devices: finding them, opening one, and what it has done so far.
#ifndef EVONODE_DEVICE_H
#define EVONODE_DEVICE_H

#include "evonode/status.h"
#include <stdbool.h>
#include <stdint.h>

EVN_API_BEGIN

/// An opened device: its context, its in-order queue, its compiled kernels, its memory account.
/// One thread at a time per device.
typedef struct evn_device evn_device;

/// What kind of device it is, as `auto` and the other selectors see it.
typedef enum evn_device_type {
    EVN_DEVICE_CPU,
    EVN_DEVICE_GPU,            ///< with memory of its own
    EVN_DEVICE_GPU_INTEGRATED, ///< shares the host's memory
    EVN_DEVICE_ACCELERATOR,
} evn_device_type;

/// By what the work-items of a sub-group can tell each other what they have.
typedef enum evn_sub_groups {
    EVN_SUB_GROUPS_NONE,    ///< by none
    EVN_SUB_GROUPS_REDUCE,  ///< cl_khr_subgroups: sums, in an order of the device's
    EVN_SUB_GROUPS_SHUFFLE, ///< cl_khr_subgroup_shuffle besides: any item's number
    EVN_SUB_GROUPS_INTEL,   ///< cl_intel_subgroups: the same by other names, in any OpenCL C
} evn_sub_groups;

/// Size of the texts of evn_device_info, with the NUL.
enum { EVN_DEVICE_TEXT = 256 };

/// What `evonode devices` shows. Sizes in bytes, clock in MHz.
typedef struct evn_device_info {
    int platform, device;          ///< the P and D of the selector "P:D", in the order of clinfo -l
    int index;                     ///< flat index over all platforms
    evn_device_type type;          ///< as the driver reports it
    char name[EVN_DEVICE_TEXT];    ///< the board's name where the vendor has one
    char vendor[EVN_DEVICE_TEXT];  ///< CL_DEVICE_VENDOR
    char driver[EVN_DEVICE_TEXT];  ///< CL_DRIVER_VERSION
    char version[EVN_DEVICE_TEXT]; ///< CL_DEVICE_VERSION
    char platform_name[EVN_DEVICE_TEXT];    ///< CL_PLATFORM_NAME
    char platform_version[EVN_DEVICE_TEXT]; ///< CL_PLATFORM_VERSION
    int compute_units;                      ///< CL_DEVICE_MAX_COMPUTE_UNITS
    int clock_mhz;                          ///< highest clock
    int vector_width;  ///< floats in a register, as the driver reports it; at least 1
    int min_sub_group; ///< fewest work-items that its compiler may put into a sub-group, where it
                       ///< chooses between several numbers; else 0
    evn_sub_groups sub_groups; ///< by which functions its work-items exchange numbers
    int sub_group_language;    ///< 120, 200 or 300: the OpenCL C that has their functions
    uint64_t global_bytes, local_bytes, max_allocation_bytes; ///< in all, local, of one buffer
    uint64_t cache_bytes; ///< of a CPU: the second-level cache of a core, as the system has it; 0:
                          ///< not known
    uint64_t max_work_group;        ///< work-items in a work-group
    bool unified;                   ///< it shares the host's memory
    bool has_fp64, has_fp16;        ///< whether it computes in double and half precision
    bool soft_fma;                  ///< its fma in single precision is software (no CL_FP_FMA)
    bool usable;                    ///< available, with a compiler, OpenCL 1.2 or newer
    char unusable[EVN_DEVICE_TEXT]; ///< why not, "" when usable
} evn_device_info;

/// What the device did since it was opened.
typedef struct evn_device_stats {
    uint64_t launches;              ///< kernels enqueued
    uint64_t waits;                 ///< times the host waited for the device: finish, read
    double copy_wait_seconds;       ///< the host waited so that it could copy more to the device
    uint64_t writes;                ///< host → device copies
    uint64_t reads;                 ///< device → host copies
    uint64_t maps;                  ///< written or read by the host in place, without a copy
    uint64_t allocations;           ///< buffers created
    uint64_t programs_built;        ///< compiled from source in this process
    uint64_t programs_loaded;       ///< taken from the disk cache
    uint64_t bytes_now, bytes_peak; ///< device memory held by buffers
} evn_device_stats;

/// List all devices of all platforms, usable or not, in the order of clinfo -l.
/// @param[out] infos  array of *count entries, freed by the caller with free(); NULL when none
/// @return EVN_OK also when there is none; EVN_ERR_DEVICE when the loader fails otherwise
evn_status evn_device_list(evn_device_info **infos, int *count);

/// Open the device that `selector` names.
/// @param[in] selector  "P:D", a flat index, a part of the name or of its platform's, "cpu",
///                      "gpu", "igpu", "auto"; NULL takes EVONODE_DEVICE, and "auto" without it.
///                      auto prefers a discrete GPU, then an integrated one, then a CPU; gpu
///                      takes an integrated one where there is no other. Of several devices of
///                      one type such a word takes the first. A name written in full beats
///                      names that only contain it.
/// @return EVN_ERR_NO_DEVICE when the machine has none that is usable; EVN_ERR_DEVICE_NAME when
///         the selector matches none, several equally, or an unusable one (the message lists what
///         there is)
evn_status evn_device_open(const char *selector, evn_device **device);

/// Wait for the device, then free it. Buffers and plans of the device must be destroyed before.
/// Nulls *device; accepts NULL. Not from an exit handler: those that an OpenCL implementation
/// registered while it was in use run first, and the queue would be gone.
void evn_device_close(evn_device **device);

/// Borrowed; lives as long as the device.
const evn_device_info *evn_device_get_info(const evn_device *device);

/// Counters since the device was opened.
evn_device_stats evn_device_get_stats(const evn_device *device);

/// Set bytes_peak to bytes_now, so that a phase can be measured on its own.
void evn_device_reset_peak(evn_device *device);

/// Wait until all that was enqueued is done. EVN_ERR_DEVICE when a command failed.
evn_status evn_device_finish(evn_device *device);

/// Let the device begin what has been asked of it, without waiting.
evn_status evn_device_flush(evn_device *device);

/// "cpu", "gpu", "igpu" or "accelerator"; static storage.
const char *evn_device_type_name(evn_device_type type);

EVN_API_END

#endif
