// SPDX-License-Identifier: Apache-2.0
/// @file
/// Interop with a program's own OpenCL code. The only public header with OpenCL types.
#ifndef EVONODE_CL_H
#define EVONODE_CL_H

/// @cond
#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 120
#endif
/// @endcond
#include "evonode/buffer.h"
#include <CL/cl.h>

EVN_API_BEGIN

/// Use an existing context and in-order queue. Both are retained until evn_device_close.
evn_status evn_device_adopt(cl_context context, cl_command_queue queue, evn_device **device);

/// The queue that all work of the device goes to; borrowed.
cl_command_queue evn_device_queue(const evn_device *device);

/// The memory object of a buffer; borrowed, valid until evn_buffer_destroy.
cl_mem evn_buffer_mem(const evn_buffer *buffer);

EVN_API_END

#endif
