# SPDX-License-Identifier: Apache-2.0
# ARM Mali-G610 of an RK3588: a small board, no double, local memory in the global one.
# [a] clinfo in https://github.com/rockchip-linux/mpp/issues/607
# [b] clinfo in https://github.com/hominoids/sgminer-arm/issues/12
# [c] clinfo of Mali-T860 in https://github.com/plaidml/plaidml/issues/182
# [d] alignment, cache line: clinfo of a Mali in https://github.com/MichaIng/DietPi/issues/4101
# [e] extensions: clinfo of Mali-G52 in https://github.com/ARM-software/ComputeLibrary/issues/953
# [f] assumed: no figure was found
# [g] 4 cores of 64 lanes at 1000 MHz, LPDDR4X-4224 of 64 bits
platform = ARM Platform                            # [a]
platform_vendor = ARM                              # [e]
platform_version = OpenCL 3.0 v1.g13p0-01eac0.9113fb3d6cbac82527a272992153edf9 # [a]
name = Mali-G610 r0p0                              # [a]
vendor = ARM                                       # [a]
vendor_id = 0xa8670000                             # [a]
driver = 3.0                                       # [a]
version = OpenCL 3.0 v1.g13p0-01eac0.9113fb3d6cbac82527a272992153edf9 # [a]
c_version = OpenCL C 3.0 v1.g13p0-01eac0.9113fb3d6cbac82527a272992153edf9 # [a]
extensions = cl_khr_global_int32_base_atomics cl_khr_global_int32_extended_atomics cl_khr_local_int32_base_atomics cl_khr_local_int32_extended_atomics cl_khr_byte_addressable_store cl_khr_3d_image_writes cl_khr_int64_base_atomics cl_khr_int64_extended_atomics cl_khr_fp16 cl_khr_icd cl_khr_egl_image cl_khr_image2d_from_buffer cl_khr_depth_images cl_khr_subgroups cl_khr_create_command_queue cl_arm_core_id cl_arm_printf cl_arm_non_uniform_work_group_size cl_arm_import_memory # [e]
type = gpu                                         # [a]
unified = yes                                      # [b]
images = yes                                       # [c]
compute_units = 4                                  # [g]
clock_mhz = 1000                                   # [g]
work_group = 1024                                  # [f]
work_items = 1024 1024 1024                        # [f]
work_group_multiple = 16                           # [f]: the width of its warps
sub_groups = 64                                    # [f]
local_bytes = 32 KiB                               # [c]
global_bytes = 7797280768                          # [b]
allocation_bytes = 7797280768                      # [b]
constant_bytes = 64 KiB                            # [c]
argument_bytes = 1024                              # [c]
cache_bytes = 1024 KiB                             # [f]
cache_line_bytes = 64                              # [d]
align_bits = 1024                                  # [d]
address_bits = 64                                  # [b]
timer_ns = 1000                                    # [c]
vector_char = 16
vector_short = 8
vector_int = 4
vector_long = 2
vector_float = 4
vector_double = 0
native_float = 4
native_double = 0
fp32_lanes = 256                                   # [g]
fp32_gflops = 512                                  # [g]
bandwidth_gb_s = 34                                # [g]
