// SPDX-License-Identifier: Apache-2.0
// Matrix products of CLBlast, where evonode was built with it, in the place of a kernel of ours.
// The tuner alone decides whether one is used (src/ops/variant.h). CLBlast may allocate scratch at
// each call, and compiles its kernels at the first.
#ifndef EVN_HOST_BLAST_H
#define EVN_HOST_BLAST_H

#include "host/kernel.h"

#define EVN__BLAST_NAME "CLBlast gemm"

#ifdef EVN_CLBLAST
#define EVN__HAS_BLAST true
#else
#define EVN__HAS_BLAST false
#endif

/// Enqueue C[M, N] = A B. Arguments: buffers a, b, c; ints M, N, K, transpose_a, transpose_b (a is
/// [K, M], b [N, K] then).
/// @return EVN_ERR_DEVICE with CLBlast's code
evn_status evn__blast_launch(evn__kernel *kernel, const evn__argument *arguments, int count);

/// Release what CLBlast keeps of contexts and programs.
void evn__blast_forget(void);

#endif
