# SPDX-License-Identifier: Apache-2.0
# AMD Radeon Vega 8 of a Ryzen 5 2500U under ROCm: memory shared with the host.
# [a] clinfo in https://github.com/ROCm/legacy-rocm-build/issues/940 and 608
# [b] AMD's data sheet: 8 units of 64 lanes at 1100 MHz, DDR4-2400 in two channels; the memory is
#     assumed: part of a host with 8 GB
# [m] work-group, multiple and vectors: clinfo in
#     https://github.com/todxx/teamredminer/issues/416 (gfx1032) and
#     https://github.com/OCL-dev/ocl-icd/issues/39 (Vega 64)
# [n] memory, alignment, cache line: clinfo in https://github.com/NixOS/nixpkgs/pull/152113 and
#     https://github.com/ROCm/legacy-rocm-build/issues/1301; one buffer has 85 % of the memory
# [x] extensions: clinfo in https://github.com/ROCm/legacy-rocm-build/issues/1301
# [l] local memory, images: clinfo in https://github.com/plaidml/plaidml/issues/1913
platform = AMD Accelerated Parallel Processing     # [a]
platform_vendor = Advanced Micro Devices, Inc.     # [a]
platform_version = OpenCL 2.1 AMD-APP (3602.0)     # driver 3602 as on the RX 7900 XTX
name = gfx902-xnack                                # [a]
board_name = AMD Ryzen 5 2500U with Radeon Vega Mobile Gfx # [a]
vendor = Advanced Micro Devices, Inc.              # [a]
vendor_id = 0x1002                                 # [n]
driver = 3602.0 (HSA1.1,LC)                        # as on the RX 7900 XTX
version = OpenCL 1.2                               # [n]
c_version = OpenCL C 2.0                           # [n]
extensions = cl_khr_fp64 cl_khr_global_int32_base_atomics cl_khr_global_int32_extended_atomics cl_khr_local_int32_base_atomics cl_khr_local_int32_extended_atomics cl_khr_int64_base_atomics cl_khr_int64_extended_atomics cl_khr_3d_image_writes cl_khr_byte_addressable_store cl_khr_fp16 cl_khr_gl_sharing cl_amd_device_attribute_query cl_amd_media_ops cl_amd_media_ops2 cl_khr_image2d_from_buffer cl_khr_subgroups cl_khr_depth_images cl_amd_copy_buffer_p2p cl_amd_assembly_program # [x]
type = gpu
unified = yes                                      # memory of the host
images = yes                                       # [l]
compute_units = 8                                  # [a]
clock_mhz = 1100                                   # [a]
work_group = 256                                   # [m]
work_items = 1024 1024 1024                        # [m]
work_group_multiple = 64                           # [m]
wavefront = 64                                     # [a]
local_bytes = 64 KiB                               # [l]
global_bytes = 6 GiB                               # [b]
allocation_bytes = 5222 MiB                        # [n]
constant_bytes = 5222 MiB                          # as one buffer
argument_bytes = 1024                              # assumed: the least of OpenCL 1.2
cache_bytes = 16 KiB                               # [a], level 1
cache_line_bytes = 64                              # [n]
align_bits = 1024                                  # [n]
address_bits = 64                                  # [n]
timer_ns = 1                                       # clinfo in https://github.com/janhq/jan/issues/1608 (gfx1032)
vector_char = 4
vector_short = 2
vector_int = 1
vector_long = 1
vector_float = 1
vector_double = 1
native_float = 1
native_double = 1
compiler = amd gfx902
fp32_lanes = 512                                   # [b]
fp32_gflops = 1126                                 # [b]
bandwidth_gb_s = 38                                # [b]
