# SPDX-License-Identifier: Apache-2.0
# Apple M1, 8 GPU cores: memory shared with the host, work-groups of 256, no double.
# [a] clinfo of it in https://github.com/hashcat/hashcat/issues/2976
# [b] hashcat -I of it in https://github.com/hashcat/hashcat/issues/2728 and pull/3068
# [c] Apple M1 Pro's work-group in https://github.com/GPGPUCourse/GPGPUTasks2025/pull/43
# [d] the least that OpenCL 1.2 allows; no figure was found
# [e] 8 cores of 128 lanes at 1278 MHz, LPDDR4X-4266 of 128 bits: Apple names 2.6 TFLOPS and 68 GB/s
platform = Apple                                   # [a]
platform_vendor = Apple                            # [a]
platform_version = OpenCL 1.2 (May  8 2021 03:14:28) # [a]
name = Apple M1                                    # [a]
vendor = Apple                                     # [a]
vendor_id = 0x1027f00                              # [a]
driver = 1.2 1.0                                   # [a]
version = OpenCL 1.2                               # [a]
c_version = OpenCL C 1.2                           # [a]
extensions = cl_APPLE_SetMemObjectDestructor cl_APPLE_ContextLoggingFunctions cl_APPLE_clut cl_APPLE_query_kernel_names cl_APPLE_gl_sharing cl_khr_gl_event cl_khr_byte_addressable_store cl_khr_global_int32_base_atomics cl_khr_global_int32_extended_atomics cl_khr_local_int32_base_atomics cl_khr_local_int32_extended_atomics cl_khr_3d_image_writes cl_khr_image2d_from_buffer cl_khr_depth_images # [a]
type = gpu                                         # [a]
unified = yes                                      # the chip has one memory
images = yes                                       # [a]
compute_units = 8                                  # [a]
clock_mhz = 1000                                   # [b]
work_group = 256                                   # [c]
work_items = 256 256 256                           # [c]
work_group_multiple = 32                           # the SIMD width of Apple's GPUs
local_bytes = 32 KiB                               # [c]
global_bytes = 10922 MiB                           # [b]
allocation_bytes = 1024 MiB                        # [b]
constant_bytes = 1024 KiB                          # https://github.com/ProjectPhysX/OpenCL-Benchmark/issues/18, M4
argument_bytes = 4096                              # [d] is 1024
cache_bytes = 0                                    # as there
cache_line_bytes = 1                               # no cache is named
align_bits = 32768                                 # a page of 4 KiB
address_bits = 64                                  # [a]
timer_ns = 1000                                    # no figure was found; a coarse one
vector_char = 1                                    # [d], and the next
vector_short = 1
vector_int = 1
vector_long = 1
vector_float = 1
vector_double = 0
native_float = 1
native_double = 0
fp32_lanes = 1024                                  # [e]
fp32_gflops = 2600                                 # [e]
bandwidth_gb_s = 68                                # [e]
