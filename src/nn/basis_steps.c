// SPDX-License-Identifier: Apache-2.0
// One set of weights for each of K equal steps, as the layers of a ResNet have: cₖ where a step
// begins at t = k/K, and until the next begins.
#include "nn/basis.h"

const evn__basis evn__basis_steps = {evn__basis_pieces, true, true, 1, 10};
