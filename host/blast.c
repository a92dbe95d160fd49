// SPDX-License-Identifier: Apache-2.0
#include "host/blast.h"

#include "host/runtime.h"

#ifdef EVN_CLBLAST
#include <clblast_c.h>

/// The offset of an argument is in elements, as CLBlast's is.
static CLBlastStatusCode enqueue(evn__kernel *kernel, const evn__argument *a) {
    const size_t m = (size_t)a[3].integer, n = (size_t)a[4].integer, k = (size_t)a[5].integer;
    const bool a_turned = a[6].integer, b_turned = a[7].integer;
    const CLBlastTranspose turn_a = a_turned ? CLBlastTransposeYes : CLBlastTransposeNo;
    const CLBlastTranspose turn_b = b_turned ? CLBlastTransposeYes : CLBlastTransposeNo;
    const size_t a_row = a_turned ? m : k, b_row = b_turned ? k : n;
    const cl_mem left = evn_buffer_mem(a[0].buffer), right = evn_buffer_mem(a[1].buffer);
    cl_mem result = evn_buffer_mem(a[2].buffer);
    cl_command_queue queue = kernel->device->queue;
    if (kernel->fp64) {
        return CLBlastDgemm(CLBlastLayoutRowMajor, turn_a, turn_b, m, n, k, 1, left, a[0].offset,
                            a_row, right, a[1].offset, b_row, 0, result, a[2].offset, n, &queue,
                            NULL);
    }
    return CLBlastSgemm(CLBlastLayoutRowMajor, turn_a, turn_b, m, n, k, 1, left, a[0].offset, a_row,
                        right, a[1].offset, b_row, 0, result, a[2].offset, n, &queue, NULL);
}

evn_status evn__blast_launch(evn__kernel *kernel, const evn__argument *arguments, int count) {
    EVN_CHECK(count == 8, EVN_ERR_INTERNAL, "%s takes 8 arguments, not %d", kernel->name, count);
    CLBlastStatusCode code;
    EVN__TIMED(kernel->device, "launching a product of CLBlast's",
               code = enqueue(kernel, arguments));
    EVN_CHECK(code == CLBlastSuccess, EVN_ERR_DEVICE,
              "%s failed on %s with code %d (clblast.h lists them); EVONODE_TUNE=off avoids it",
              kernel->name, kernel->device->info.name, (int)code);
    kernel->device->stats.launches++;
    return EVN_OK;
}

void evn__blast_forget(void) {
    CLBlastClearCache();
}

#else

evn_status evn__blast_launch(evn__kernel *kernel, const evn__argument *arguments, int count) {
    (void)arguments, (void)count;
    EVN_FAIL(EVN_ERR_INTERNAL, "%s: evonode was built without CLBlast", kernel->name);
}

void evn__blast_forget(void) {
}

#endif
