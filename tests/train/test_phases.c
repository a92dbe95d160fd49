// SPDX-License-Identifier: Apache-2.0
// What of phases decides how a training goes on: checkpoints of another one are refused.
#include "test.h"
#include "train/phases.h"

#include <string.h>

static const char *digest_of(int steps, evn_norm norm) {
    static char digest[EVN__HASH_TEXT];
    evn_phase phase = evn_phase_default("dopri5", steps, EVN_GRADIENT_ADJOINT, 10, 0.01);
    evn_trainer_options options = {.phases = &phase, .phase_count = 1};
    phase.solver.norm = norm;
    options.optimizer = evn_optimizer_options_default(EVN_OPTIMIZER_ADAM);
    TRY(evn__phases_digest(&options, digest));
    return digest;
}

/// The numbers of norms were once those of other norms; fixed steps have no norm.
START_TEST(norms_are_known_by_name) {
    // Digests without names, of versions of which number 0 was what is the seminorm now.
    static const char adaptive[] = "6d8fa0a7072652c7319cbc4df3b4eac3",
                      fixed[] = "e731d76a64ee48c67102f7c828f8b7e4";
    ck_assert_str_ne(digest_of(0, EVN_NORM_STATE), adaptive);
    ck_assert_str_eq(digest_of(20, EVN_NORM_STATE), fixed);
    char state[EVN__HASH_TEXT];
    memcpy(state, digest_of(0, EVN_NORM_STATE), sizeof(state));
    for (int norm = EVN_NORM_STATE + 1; evn_norm_name(norm); ++norm) {
        ck_assert_str_ne(digest_of(0, (evn_norm)norm), state);
        ck_assert_str_ne(digest_of(0, (evn_norm)norm), adaptive);
    }
    ck_assert_str_ne(digest_of(0, (evn_norm)-1), state); // which is refused later
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("train/phases");
    TCase *c = tcase_create("digest");
    tcase_add_test(c, norms_are_known_by_name);
    suite_add_tcase(s, c);
    return s;
}

int main(void) {
    return test_run(suite());
}
