// SPDX-License-Identifier: Apache-2.0
// The entry of libFuzzer, for the target whose name is FUZZ_TARGET.
#include "targets.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const fuzz_target *target = fuzz_targets;
    while (strcmp(target->name, FUZZ_TARGET) != 0) {
        ++target;
    }
    target->feed(data, size);
    return 0;
}
