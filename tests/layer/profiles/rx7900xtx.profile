# SPDX-License-Identifier: Apache-2.0
# AMD Radeon RX 7900 XTX under ROCm: a large GPU with memory of its own.
# [a] clinfo in https://github.com/RainbowMiner/RainbowMiner/issues/2758, rocminfo in
#     https://github.com/ollama/ollama/issues/3158
# [b] AMD's data sheet: 24 GB less 16 MiB for the driver
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
name = gfx1100                                     # [a]
board_name = AMD Radeon RX 7900 XTX                # [a]
vendor = Advanced Micro Devices, Inc.              # [a]
vendor_id = 0x1002                                 # [n]
driver = 3602.0 (HSA1.1,LC)                        # as on the RX 7900 XTX
version = OpenCL 2.0                               # [n]
c_version = OpenCL C 2.0                           # [n]
extensions = cl_khr_fp64 cl_khr_global_int32_base_atomics cl_khr_global_int32_extended_atomics cl_khr_local_int32_base_atomics cl_khr_local_int32_extended_atomics cl_khr_int64_base_atomics cl_khr_int64_extended_atomics cl_khr_3d_image_writes cl_khr_byte_addressable_store cl_khr_fp16 cl_khr_gl_sharing cl_amd_device_attribute_query cl_amd_media_ops cl_amd_media_ops2 cl_khr_image2d_from_buffer cl_khr_subgroups cl_khr_depth_images cl_amd_copy_buffer_p2p cl_amd_assembly_program # [x]
type = gpu
unified = no                                       # [n]
images = yes                                       # [l]
compute_units = 48                                 # [a]
clock_mhz = 2526                                   # [a]
work_group = 256                                   # [m]
work_items = 1024 1024 1024                        # [m]
work_group_multiple = 32                           # [m]
wavefront = 32                                     # [a]
local_bytes = 64 KiB                               # [l]
global_bytes = 24560 MiB                           # [b]
allocation_bytes = 20876 MiB                       # [n]
constant_bytes = 20876 MiB                         # as one buffer
argument_bytes = 1024                              # assumed: the least of OpenCL 1.2
cache_bytes = 32 KiB                               # [a], level 1
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
compiler = amd gfx1100
fp32_lanes = 6144                                  # [b]
fp32_gflops = 61400                                # [b]
bandwidth_gb_s = 960                               # [b]
