// SPDX-License-Identifier: Apache-2.0
#include "evonode/version.h"

const char *evn_version(void) {
    return EVN_VERSION_STRING;
}
