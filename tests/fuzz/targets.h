// SPDX-License-Identifier: Apache-2.0
// What reads bytes from outside, each as a function of them: whatever they are, it returns, leaves
// no memory behind and, where it accepts them, gives what keeps the format's promises.
#ifndef EVN_FUZZ_TARGETS_H
#define EVN_FUZZ_TARGETS_H

#include <stddef.h>
#include <stdint.h>

typedef struct fuzz_target {
    const char *name; ///< of its folder in corpus/
    void (*feed)(const uint8_t *data, size_t size);
    /// Make lengths and checksums of changed data right, in place; NULL: there are none that feed
    /// would not put right itself.
    void (*mend)(uint8_t *data, size_t size);
} fuzz_target;

extern const fuzz_target fuzz_targets[]; ///< with an empty one behind the last

#endif
