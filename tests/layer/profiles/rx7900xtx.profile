# SPDX-License-Identifier: Apache-2.0
# AMD Radeon RX 7900 XTX under ROCm: a large GPU with memory of its own.
# [a] clinfo of this board in https://github.com/RainbowMiner/RainbowMiner/issues/2758
# [b] rocminfo of this board in https://github.com/ollama/ollama/issues/3158 (a unit of OpenCL is a
#     work-group processor, two of its compute units)
# [c] clinfo of gfx1030 under ROCm in https://github.com/NixOS/nixpkgs/pull/152113
# [d] clinfo of RX 6600 XT in https://github.com/todxx/teamredminer/issues/416
# [e] AMD's data sheet of the board
# [f] ROCm's source, https://github.com/ROCm/clr, opencl/ and rocclr/device/rocm/rocdevice.cpp
platform = AMD Accelerated Parallel Processing     # [a]
platform_vendor = Advanced Micro Devices, Inc.     # [a]
platform_version = OpenCL 2.1 AMD-APP (3602.0)     # [a], the driver's number
name = gfx1100                                     # [a]
board_name = AMD Radeon RX 7900 XTX                # [a]
vendor = Advanced Micro Devices, Inc.              # [a]
vendor_id = 0x1002                                 # [a]
driver = 3602.0 (HSA1.1,LC)                        # [a]
version = OpenCL 2.0                               # [a]
c_version = OpenCL C 2.0                           # [a]
extensions = cl_khr_fp64 cl_khr_global_int32_base_atomics cl_khr_global_int32_extended_atomics cl_khr_local_int32_base_atomics cl_khr_local_int32_extended_atomics cl_khr_int64_base_atomics cl_khr_int64_extended_atomics cl_khr_3d_image_writes cl_khr_byte_addressable_store cl_khr_fp16 cl_khr_gl_sharing cl_amd_device_attribute_query cl_amd_media_ops cl_amd_media_ops2 cl_khr_image2d_from_buffer cl_khr_subgroups cl_khr_depth_images cl_amd_copy_buffer_p2p cl_amd_assembly_program # [f]
type = gpu                                         # [a]
unified = no                                       # [c]
images = yes                                       # [c]
compute_units = 48                                 # [a]
clock_mhz = 2526                                   # [a]
work_group = 256                                   # [d]
work_items = 1024 1024 1024                        # [d]
work_group_multiple = 32                           # [d]
wavefront = 32                                     # [b]
local_bytes = 64 KiB                               # [f], 64 KiB on all of RDNA
global_bytes = 24560 MiB                           # [e] 24 GB, less what [c] shows the driver keeps
allocation_bytes = 20876 MiB                       # [c], 85 % of it
constant_bytes = 20876 MiB                         # [f], the same
argument_bytes = 1024                              # [f]
cache_bytes = 32 KiB                               # [b], L1
cache_line_bytes = 64                              # [b]
align_bits = 1024                                  # [c]
address_bits = 64                                  # [c]
timer_ns = 1                                       # [f]
vector_char = 4                                    # [d], and the next
vector_short = 2
vector_int = 1
vector_long = 1
vector_float = 1
vector_double = 1
native_float = 1
native_double = 1
compiler = amd gfx1100                             # [a]
fp32_gflops = 61400                                # [e]
bandwidth_gb_s = 960                               # [e]
