// SPDX-License-Identifier: Apache-2.0
// Compiled kernels and their launch: what src/ops and src/plan need of the host runtime.
#ifndef EVN_HOST_KERNEL_H
#define EVN_HOST_KERNEL_H

#include "evonode/buffer.h"

/// A compiled kernel; owned by the device, shared by all who ask for the same one.
typedef struct evn__kernel evn__kernel;

/// A program or a part of one: where its text comes from and what it is compiled with.
typedef struct evn__source {
    const char *family;  ///< name of an embedded kernels/<family>.cl, or NULL
    const char *text;    ///< generated source, or NULL; with a family it comes first, and may
                         ///< define the EPILOGUE of its kernels; copied
    const char *options; ///< further build options, "" or "-DTILE=4 ..."; copied
    bool fp64;           ///< real is double instead of float
    bool blast;          ///< no source at all: the product of host/blast.h; of the other fields
                         ///< only fp64 counts
} evn__source;

typedef enum evn__argument_kind {
    EVN__ARGUMENT_BUFFER, ///< becomes two kernel arguments: __global real *, ulong offset
    EVN__ARGUMENT_INT,    ///< int
    EVN__ARGUMENT_REAL,   ///< real: float, or double when the source is fp64
    EVN__ARGUMENT_UINT64, ///< ulong
} evn__argument_kind;

typedef struct evn__argument {
    evn__argument_kind kind;
    evn_buffer *buffer; ///< BUFFER
    size_t offset;      ///< BUFFER: in elements
    int64_t integer;    ///< INT, UINT64
    double real;        ///< REAL
} evn__argument;

/// Index space; local all zero leaves the work-group size to the implementation. Where the kernel
/// allows fewer work-items than local asks for, local is halved until it fits: a kernel that counts
/// on its group's size must say so with reqd_work_group_size, it then gets that or fails.
/// global is rounded up to a multiple of local: kernels check their bounds.
typedef struct evn__range {
    int dimensions;
    size_t global[3], local[3];
} evn__range;

/// Get kernel `name`, compiled on first use and kept by the device. kernels/common.cl,
/// elementwise.cl and variant.cl always come first. Nothing runs yet.
/// @return EVN_ERR_BUILD with device, driver, options and the head of the build log
evn_status evn__kernel_get(evn_device *device, const evn__source *source, const char *name,
                           evn__kernel **kernel);

/// Where programs are costly (host/quirks.h), compile those of `sources` that the device lacks, all
/// of one precision, as one program. A single missing source, or one with options besides -D, is
/// left to evn__kernel_get, as are all sources where programs are cheap.
/// @return EVN_ERR_BUILD as evn__kernel_get
evn_status evn__kernels_prepare(evn_device *device, const evn__source *sources, int count);

/// Kernel `name` of that precision if the device has one, in whatever program, which after a
/// forecast need not be compiled; else NULL. For names that say what the kernel does, such as a
/// hash of its text.
evn__kernel *evn__kernel_find(const evn_device *device, const char *name, bool fp64);

/// Set the arguments and enqueue; waits only while launches are timed (host/timing.h). A kernel
/// that a forecast has named is compiled here. An empty index space enqueues nothing.
/// @return EVN_ERR_BUILD, EVN_ERR_DEVICE, EVN_ERR_DEVICE_MEMORY (many drivers allocate at the first
/// launch)
evn_status evn__kernel_launch(evn__kernel *kernel, const evn__argument *arguments, int count,
                              evn__range range);

/// What EVONODE_BUILD_OPTIONS adds to the options of each program; "" where it is not set.
const char *evn__build_options(void);

/// Text of an embedded kernels/<family>.cl, or of the file of that name in EVONODE_KERNEL_DIR
/// where that is set. Owned by the library.
evn_status evn__kernel_text(const char *family, const char **text);

#endif
