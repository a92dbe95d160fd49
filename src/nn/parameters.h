// SPDX-License-Identifier: Apache-2.0
// Coefficients of weights that are functions of t, as parameters.
#ifndef EVN_NN_PARAMETERS_H
#define EVN_NN_PARAMETERS_H

#include "evonode/parameters.h"

typedef struct evn__basis evn__basis; // nn/basis.h

/// As evn_parameters_add, of the coefficients [K, …] of K functions of a basis: the first begins as
/// a tensor of that name and its shape alone would, the rest as the basis wants them.
evn_status evn__parameters_add_coefficients(evn_parameters *parameters, const char *name,
                                            evn_shape shape, evn_initial initial, double value,
                                            const evn__basis *basis);

/// The basis that tensor number `index` has coefficients of; NULL: it has none.
const evn__basis *evn__parameters_basis(const evn_parameters *parameters, int index);

#endif
