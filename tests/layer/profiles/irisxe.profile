# SPDX-License-Identifier: Apache-2.0
# Intel Iris Xe Graphics, 96 units: integrated, work-groups of 512, no double.
# [a] clinfo of this generation in https://github.com/diku-dk/futhark/issues/1901; work-groups: 16 units
#     of a sub-slice by 7 threads allow 512
# [b] 96 units of 8 lanes at 1350 MHz, LPDDR4X-4266 of 128 bits; four fifths of 16 GB, the driver's rule
# [t] 52 ns in https://github.com/NixOS/nixpkgs/pull/95086, a timer of 19.2 MHz
# [x] extensions: https://github.com/intel/compute-runtime/files/15042460/clinfo.txt
# [n] alignment, cache line, constants, images: clinfo in
#     https://github.com/intel/compute-runtime/issues/18 and 207
# [l] local memory, arguments: clinfo in https://github.com/NixOS/nixpkgs/pull/95086
platform = Intel(R) OpenCL Graphics                # [x]
platform_vendor = Intel(R) Corporation             # [x]
platform_version = OpenCL 3.0                      # [x]
name = Intel(R) Iris(R) Xe Graphics [0x9a49]       # [a]
vendor = Intel(R) Corporation                      # [a]
vendor_id = 0x8086                                 # [a]
driver = 24.09.28717.12                            # assumed
version = OpenCL 3.0 NEO                           # [a]
c_version = OpenCL C 1.2                           # [a]
extensions = cl_khr_byte_addressable_store cl_khr_device_uuid cl_khr_fp16 cl_khr_global_int32_base_atomics cl_khr_global_int32_extended_atomics cl_khr_icd cl_khr_local_int32_base_atomics cl_khr_local_int32_extended_atomics cl_intel_command_queue_families cl_intel_subgroups cl_intel_required_subgroup_size cl_intel_subgroups_short cl_khr_spir cl_intel_accelerator cl_intel_driver_diagnostics cl_khr_priority_hints cl_khr_throttle_hints cl_khr_create_command_queue cl_intel_subgroups_char cl_intel_subgroups_long cl_khr_il_program cl_intel_mem_force_host_memory cl_khr_subgroup_extended_types cl_khr_subgroup_non_uniform_vote cl_khr_subgroup_ballot cl_khr_subgroup_non_uniform_arithmetic cl_khr_subgroup_shuffle cl_khr_subgroup_shuffle_relative cl_khr_subgroup_clustered_reduce cl_intel_device_attribute_query cl_khr_mipmap_image cl_khr_mipmap_image_writes cl_intel_planar_yuv cl_intel_packed_yuv cl_khr_int64_base_atomics cl_khr_int64_extended_atomics cl_khr_image2d_from_buffer cl_khr_depth_images cl_khr_3d_image_writes cl_intel_media_block_io # [x]
type = gpu                                         # [a]
unified = yes                                      # [n]
images = yes                                       # [n]
compute_units = 96                                 # [a]
clock_mhz = 1350                                   # [b]
work_group = 512                                   # [a]
work_items = 512 512 512                           # [a]
work_group_multiple = 64                           # [a]
sub_groups = 64                                    # work_group by the smallest sub-group
sub_group_sizes = 8 16 32                          # [a]
local_bytes = 64 KiB                               # [l]
global_bytes = 12712 MiB                           # [b]
allocation_bytes = 4294959104                      # [n]
constant_bytes = 4294959104                        # [n]: as one buffer
argument_bytes = 2048                              # assumed: twice that of UHD 620
cache_bytes = 3840 KiB                             # [b]
cache_line_bytes = 64                              # [n]
align_bits = 1024                                  # [n]
address_bits = 64                                  # [n]
timer_ns = 52                                      # [t]
vector_char = 16
vector_short = 8
vector_int = 4
vector_long = 1
vector_float = 1
vector_double = 0
native_float = 1
native_double = 0
compiler = intel tgllp
fp32_lanes = 768                                   # [b]
fp32_gflops = 2074                                 # [b]
bandwidth_gb_s = 68                                # [b]
