// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <math.h>
#include <Random123/philox.h>

/// Block `counter` of the stream: 128 bits as two words. Seed is the key; stream and counter are
/// the two halves of Philox's counter, so no two of them share a block.
static void block(uint64_t seed, uint64_t stream, uint64_t counter, uint64_t word[2]) {
    philox4x32_ctr_t input = {
        {(uint32_t)counter, (uint32_t)(counter >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)}};
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    philox4x32_ctr_t bits = philox4x32(input, key);
    word[0] = (uint64_t)bits.v[1] << 32 | bits.v[0];
    word[1] = (uint64_t)bits.v[3] << 32 | bits.v[2];
}

static double unit(uint64_t bits) {
    return ldexp((double)(bits >> 11), -53);
}

double evn__random_uniform(uint64_t seed, uint64_t stream, uint64_t counter) {
    uint64_t word[2];
    block(seed, stream, counter, word);
    return unit(word[0]);
}

double evn__random_normal(uint64_t seed, uint64_t stream, uint64_t counter) {
    const double two_pi = 6.283185307179586476925;
    uint64_t word[2];
    block(seed, stream, counter, word);
    // 1 − u is in (0, 1]: its logarithm is finite.
    return sqrt(-2 * log(1 - unit(word[0]))) * cos(two_pi * unit(word[1]));
}

uint64_t evn__random_below(uint64_t seed, uint64_t stream, uint64_t counter, uint64_t bound) {
    // The remainder of 2^64 that would make small results likelier is drawn again; the second word
    // of a block then serves as the counter of another key.
    uint64_t unfair = -bound % bound, word[2];
    block(seed, stream, counter, word);
    while (word[0] < unfair) {
        block(~seed, stream, word[1], word);
    }
    return word[0] % bound;
}

void evn__random_permutation(uint64_t seed, uint64_t stream, int64_t *order, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
        int64_t j = (int64_t)evn__random_below(seed, stream, (uint64_t)i, (uint64_t)i + 1);
        order[i] = order[j];
        order[j] = i;
    }
}
