// SPDX-License-Identifier: Apache-2.0
// L-BFGS: the optimiser of EVN_OPTIMIZER_LBFGS, behind evonode/optimizer.h.
#ifndef EVN_OPTIM_LBFGS_H
#define EVN_OPTIM_LBFGS_H

#include "evonode/optimizer.h"

enum { EVN__LBFGS_HISTORY = 64 }; ///< the longest

typedef struct evn__lbfgs evn__lbfgs;

/// For `count` parameters; options are checked. Compiles the kernels.
evn_status evn__lbfgs_create(evn_device *device, const evn_optimizer_options *options, size_t count,
                             evn__lbfgs **lbfgs);
void evn__lbfgs_destroy(evn__lbfgs **lbfgs);

/// Waits for the device.
evn_status evn__lbfgs_step(evn__lbfgs *lbfgs, evn_binding parameters, evn_binding gradients,
                           double rate);

size_t evn__lbfgs_state_bytes(const evn__lbfgs *lbfgs);
evn_status evn__lbfgs_save(const evn__lbfgs *lbfgs, void *data);
evn_status evn__lbfgs_restore(evn__lbfgs *lbfgs, const void *data);

#endif
