// SPDX-License-Identifier: Apache-2.0
// The entries of libFuzzer, for the target whose name is FUZZ_TARGET.
#include "targets.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most); // libFuzzer's own

static const fuzz_target *target_here(void) {
    const fuzz_target *target = fuzz_targets;
    while (strcmp(target->name, FUZZ_TARGET) != 0) {
        ++target;
    }
    return target;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    target_here()->feed(data, size);
    return 0;
}

/// A quarter stays as it was changed: what is not mended has to be refused.
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed) {
    const fuzz_target *target = target_here();
    size_t changed = LLVMFuzzerMutate(data, size, most);
    if (target->mend && seed % 4 > 0) {
        target->mend(data, changed);
    }
    return changed;
}
