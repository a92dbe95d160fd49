# SPDX-License-Identifier: Apache-2.0
# Qualcomm Adreno 740 of a Snapdragon 8 Gen 2: a telephone, no double, 32 KiB local.
# [a] platform: clinfo of a QCS8550, which has it, in https://github.com/CodeLinaro/llama.cpp/pull/17
# [b] versions, memory, precisions: clinfo of Adreno 750 in https://github.com/Oblomov/clinfo/issues/92
# [c] images, local memory, constants: clinfo in https://github.com/BOINC/boinc/issues/3613
# [d] extensions: https://github.com/galloty/genefer22/issues/12
# [e] cache: clinfo in https://github.com/ggml-org/whisper.cpp/issues/3708
# [f] assumed: no figure was found
# [g] 12 units of 128 lanes at 680 MHz, LPDDR5X-8400 of 64 bits
platform = QUALCOMM Snapdragon(TM)                 # [a]
platform_vendor = QUALCOMM                         # [a]
platform_version = OpenCL 3.0 QUALCOMM build: commit unknown # [a]
name = QUALCOMM Adreno(TM) 740                     # [b]
vendor = QUALCOMM                                  # [b]
vendor_id = 0x5143                                 # [b]
driver = OpenCL 3.0 QUALCOMM build: commit unknown Compiler E031.45.02.06 # [b]
version = OpenCL 3.0 Adreno(TM) 740                # [b]
c_version = OpenCL C 3.0 Adreno(TM) 740            # [b]
extensions = cl_khr_3d_image_writes cl_khr_byte_addressable_store cl_khr_depth_images cl_khr_fp16 cl_khr_global_int32_base_atomics cl_khr_global_int32_extended_atomics cl_khr_image2d_from_buffer cl_khr_local_int32_base_atomics cl_khr_local_int32_extended_atomics cl_khr_subgroups cl_qcom_perf_hint cl_qcom_priority_hint cl_qcom_recordable_queues cl_qcom_reqd_sub_group_size cl_qcom_subgroup_shuffle # [d]
type = gpu                                         # [b]
unified = yes                                      # [b]
images = yes                                       # [c]
compute_units = 12                                 # [f]
clock_mhz = 1                                      # [f]: the drivers of this vendor say so
work_group = 1024                                  # [f]
work_items = 1024 1024 1024                        # [f]
work_group_multiple = 64                           # [f]
sub_groups = 16                                    # [f]
local_bytes = 32 KiB                               # [c]
global_bytes = 5814714368                          # [b]
allocation_bytes = 1024 MiB                        # [b]
constant_bytes = 64 KiB                            # [c]
argument_bytes = 1024                              # [c]
cache_bytes = 1024 KiB                             # [e]
cache_line_bytes = 64                              # [e]
align_bits = 1024                                  # [f]
address_bits = 64                                  # [b]
timer_ns = 1000                                    # [f]
vector_char = 1
vector_short = 1
vector_int = 1
vector_long = 1
vector_float = 1
vector_double = 0
native_float = 1
native_double = 0
fp32_lanes = 1536                                  # [g]
fp32_gflops = 2090                                 # [g]
bandwidth_gb_s = 67                                # [g]
