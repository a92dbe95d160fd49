// SPDX-License-Identifier: Apache-2.0
// An option's value that is a number of things, or memory for them: 12, 64MB.
#ifndef EVN_CLI_AMOUNT_H
#define EVN_CLI_AMOUNT_H

#include "cli/options.h"

typedef struct evn__amount {
    int64_t count; ///< INT64_MIN: not given
    int64_t bytes; ///< > 0: memory is given, and the count is 0
} evn__amount;

/// `high` of an option is that of the number.
extern const evn__option_kind evn__option_amount;

#endif
