# SPDX-License-Identifier: Apache-2.0
# A processor of eight lanes (AVX2) under PoCL: what the kernels of a CPU do on it, where the
# processor below has sixteen. POCL_KERNELLIB_NAME=avx2 makes PoCL compile for one, too.
# [p] clinfo of PoCL 3.1 on such a processor
# [b] two cores of two multiply-adds of 8 lanes at 2500 MHz; two channels of DDR4-3200
platform = Portable Computing Language             # [p]
platform_vendor = The pocl project                 # [p]
platform_version = OpenCL 3.0 PoCL 3.1             # [p]
name = pthread-haswell                             # [p]
vendor = AuthenticAMD                              # [p]
vendor_id = 0x8086                                 # [p]
driver = 3.1                                       # [p]
version = OpenCL 3.0 PoCL HSTR: pthread-x86_64-pc-linux-gnu-haswell # [p]
c_version = OpenCL C 1.2 PoCL                      # [p]
extensions = cl_khr_byte_addressable_store cl_khr_global_int32_base_atomics cl_khr_global_int32_extended_atomics cl_khr_local_int32_base_atomics cl_khr_local_int32_extended_atomics cl_khr_3d_image_writes cl_khr_fp64 cl_khr_int64_base_atomics cl_khr_int64_extended_atomics # [p]
type = cpu                                         # [p]
unified = yes                                      # [p]
images = yes                                       # [p]
compute_units = 2                                  # [p]
clock_mhz = 2500                                   # assumed
work_group = 4096                                  # [p]
work_items = 4096 4096 4096                        # [p]
work_group_multiple = 8                            # [p]
local_bytes = 512 KiB                              # [p]
global_bytes = 4096 MiB                            # assumed
allocation_bytes = 2 GiB                           # [p]
constant_bytes = 512 KiB                           # [p]
argument_bytes = 1024                              # [p]
cache_bytes = 32 MiB                               # [p]
cache_line_bytes = 64                              # [p]
align_bits = 1024                                  # [p]
address_bits = 64                                  # [p]
timer_ns = 1                                       # [p]
vector_char = 16
vector_short = 16
vector_int = 8
vector_long = 4
vector_float = 8
vector_double = 4
native_float = 8
native_double = 4
fp32_gflops = 160                                  # [b]
bandwidth_gb_s = 51                                # [b]
