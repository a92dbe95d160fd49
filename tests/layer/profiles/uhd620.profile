# SPDX-License-Identifier: Apache-2.0
# Intel UHD Graphics 620: integrated, work-groups of 256, with double.
# [a] clinfo of UHD Graphics with the same 24 units in
#     https://github.com/intel/compute-runtime/issues/428 and 62
# [b] 24 units of 8 lanes at 1150 MHz, DDR4-2400 in two channels; four fifths of 8 GB, the driver's rule
# [t] a timer of 12 MHz on this generation
# [x] extensions: https://github.com/intel/compute-runtime/files/15042460/clinfo.txt
# [n] alignment, cache line, constants, images: clinfo in
#     https://github.com/intel/compute-runtime/issues/18 and 207
# [l] local memory, arguments: clinfo in https://github.com/NixOS/nixpkgs/pull/95086
platform = Intel(R) OpenCL Graphics                # [x]
platform_vendor = Intel(R) Corporation             # [x]
platform_version = OpenCL 3.0                      # [x]
name = Intel(R) UHD Graphics 620 [0x5917]          # [a]
vendor = Intel(R) Corporation                      # [a]
vendor_id = 0x8086                                 # [a]
driver = 24.09.28717.12                            # assumed
version = OpenCL 3.0 NEO                           # [a]
c_version = OpenCL C 1.2                           # [a]
extensions = cl_khr_fp64 cl_khr_byte_addressable_store cl_khr_device_uuid cl_khr_fp16 cl_khr_global_int32_base_atomics cl_khr_global_int32_extended_atomics cl_khr_icd cl_khr_local_int32_base_atomics cl_khr_local_int32_extended_atomics cl_intel_command_queue_families cl_intel_subgroups cl_intel_required_subgroup_size cl_intel_subgroups_short cl_khr_spir cl_intel_accelerator cl_intel_driver_diagnostics cl_khr_priority_hints cl_khr_throttle_hints cl_khr_create_command_queue cl_intel_subgroups_char cl_intel_subgroups_long cl_khr_il_program cl_intel_mem_force_host_memory cl_khr_subgroup_extended_types cl_khr_subgroup_non_uniform_vote cl_khr_subgroup_ballot cl_khr_subgroup_non_uniform_arithmetic cl_khr_subgroup_shuffle cl_khr_subgroup_shuffle_relative cl_khr_subgroup_clustered_reduce cl_intel_device_attribute_query cl_khr_mipmap_image cl_khr_mipmap_image_writes cl_intel_planar_yuv cl_intel_packed_yuv cl_khr_int64_base_atomics cl_khr_int64_extended_atomics cl_khr_image2d_from_buffer cl_khr_depth_images cl_khr_3d_image_writes cl_intel_media_block_io # [x]
type = gpu                                         # [a]
unified = yes                                      # [n]
images = yes                                       # [n]
compute_units = 24                                 # [a]
clock_mhz = 1150                                   # [b]
work_group = 256                                   # [a]
work_items = 256 256 256                           # [a]
work_group_multiple = 32                           # [a]
sub_groups = 32                                    # work_group by the smallest sub-group
sub_group_sizes = 8 16 32                          # [a]
local_bytes = 64 KiB                               # [l]
global_bytes = 6356 MiB                            # [b]
allocation_bytes = 4294959104                      # [n]
constant_bytes = 4294959104                        # [n]: as one buffer
argument_bytes = 1024                              # [l]
cache_bytes = 512 KiB                              # [n]
cache_line_bytes = 64                              # [n]
align_bits = 1024                                  # [n]
address_bits = 64                                  # [n]
timer_ns = 83                                      # [t]
vector_char = 16
vector_short = 8
vector_int = 4
vector_long = 1
vector_float = 1
vector_double = 1
native_float = 1
native_double = 1
compiler = intel skl
fp32_lanes = 192                                   # [b]
fp32_gflops = 441                                  # [b]
bandwidth_gb_s = 38                                # [b]
