# SPDX-License-Identifier: Apache-2.0
# NVIDIA H100 SXM5, 80 GB: the largest of the profiles.
# [a] 132 multiprocessors: https://github.com/Infrasys-AI/aisystem-docs/issues/15 and NVIDIA's data
#     sheet; the memory is assumed: 80 GB less what the driver keeps
# [b] NVIDIA's data sheet and list of compute capabilities
# [n] alignment, cache line: clinfo in https://github.com/Syncleus/aparapi/issues/168 (RTX 3080)
# [g] work-groups: clinfo in https://github.com/KhronosGroup/OpenCL-SDK/issues/36 (compute capability 8.6)
# [l] local memory, arguments, timer: clinfo in https://github.com/mbevand/silentarmy/issues/72
# [x] extensions: clinfo in https://github.com/EMsoft-org/EMsoft/issues/119
platform = NVIDIA CUDA                             # [x]
platform_vendor = NVIDIA Corporation               # [x]
platform_version = OpenCL 3.0 CUDA 12.4.131        # driver 550
name = NVIDIA H100 80GB HBM3                       # [a]
vendor = NVIDIA Corporation                        # [x]
vendor_id = 0x10de                                 # [a]
driver = 550.54.14                                 # assumed
version = OpenCL 3.0 CUDA                          # clinfo in https://github.com/xmrig/xmrig/pull/3784 (RTX 3050)
c_version = OpenCL C 1.2                           # as there
extensions = cl_khr_global_int32_base_atomics cl_khr_global_int32_extended_atomics cl_khr_local_int32_base_atomics cl_khr_local_int32_extended_atomics cl_khr_fp64 cl_khr_byte_addressable_store cl_khr_icd cl_khr_gl_sharing cl_nv_compiler_options cl_nv_device_attribute_query cl_nv_pragma_unroll cl_nv_copy_opts cl_nv_create_buffer cl_khr_int64_base_atomics cl_khr_int64_extended_atomics # [x]
type = gpu                                         # [x]
unified = no
images = yes                                       # [n]
compute_units = 132                                # [a]
clock_mhz = 1980                                   # [b]
work_group = 1024                                  # [g]
work_items = 1024 1024 64                          # [g]
work_group_multiple = 32                           # [g]
warp = 32                                          # [g]
sub_groups = 0                                     # [g]
compute_capability_major = 9                       # [b]
compute_capability_minor = 0                       # [b]
local_bytes = 48 KiB                               # [l]
global_bytes = 81110 MiB                           # [a]
allocation_bytes = 20277 MiB                       # a quarter
constant_bytes = 64 KiB                            # [l]
argument_bytes = 4352                              # [l]
cache_bytes = 4224 KiB                             # [n]: 28 KiB a unit of 8.6; else 32 KiB
cache_line_bytes = 128                             # [n]
align_bits = 4096                                  # [n]
address_bits = 64
timer_ns = 1000                                    # [l]
vector_char = 1
vector_short = 1
vector_int = 1
vector_long = 1
vector_float = 1
vector_double = 1
native_float = 1
native_double = 1
compiler = nvidia sm_90
fp32_lanes = 16896                                 # [b]
fp32_gflops = 66900                                # [b]
bandwidth_gb_s = 3350                              # [b]
