// SPDX-License-Identifier: Apache-2.0
// Where a test tries some of very many cases, the seed says which.
#ifndef EVN_TEST_SEED_H
#define EVN_TEST_SEED_H

/// EVN_FAULTS_SEED, or without it a number of the commit that is checked out, so that each change
/// tries other cases; 1 where there is no git. Printed once, so that they can be tried again.
unsigned test_seed(void);

#endif
