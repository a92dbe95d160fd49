// SPDX-License-Identifier: Apache-2.0
#include "seed.h"

#include "program.h"

#include <stdio.h>
#include <stdlib.h>

/// Of the hash of the commit so many digits, in 16; 1 where there is none.
static unsigned commit(void) {
    char command[TEST_PATH + 128], digits[8] = "";
    const char *source = getenv("EVONODE_SOURCE");
    // A container may have checked it out as another user.
    int length = snprintf(command, sizeof(command),
                          "unset LD_PRELOAD; git -c safe.directory='*' -C '%s' rev-parse HEAD "
                          "2>/dev/null",
                          source ? source : ".");
    FILE *git = length < (int)sizeof(command) ? popen(command, "r") : NULL;
    bool found = git && fgets(digits, sizeof(digits), git);
    while (git && fgetc(git) != EOF) {
    }
    if (git) {
        pclose(git);
    }
    unsigned number = found ? (unsigned)strtoul(digits, NULL, 16) : 0;
    return number ? number : 1;
}

unsigned test_seed(void) {
    static unsigned seed;
    const char *value = getenv("EVN_FAULTS_SEED");
    if (!seed) {
        seed = value && value[0] ? (unsigned)strtoul(value, NULL, 10) : commit();
        printf("EVN_FAULTS_SEED=%u tries the same again\n", seed);
    }
    return seed;
}
