// SPDX-License-Identifier: Apache-2.0
// How many steps of an adaptive solve are enqueued before the host looks what has become of them: a
// step behind the end costs its work, or little where its kernels look first; a look costs a wait.
#ifndef EVN_INTEGRATOR_LOOKAHEAD_H
#define EVN_INTEGRATOR_LOOKAHEAD_H

enum { EVN__LOOKAHEAD_MAX = 16, EVN__LOOKAHEAD_SOLVES = 8 };

/// What is known of a solver. Zero-initialise.
typedef struct evn__lookahead {
    double wait;                         ///< seconds of a look
    double surplus;                      ///< seconds of a step behind the end; 0: not known
    int attempts[EVN__LOOKAHEAD_SOLVES]; ///< of the last solves, in no order
    int solves;                          ///< how many there were
} evn__lookahead;

/// A solve has ended after so many attempts.
void evn__lookahead_add(evn__lookahead *lookahead, int attempts);

/// How many attempts to enqueue, 1 to EVN__LOOKAHEAD_MAX, where nothing is known of solves like
/// this one: one, or, if those behind the end cost less than looks, as many as the next step fits
/// into what is left.
/// @param fits  the rest of the way over the length of the next step; 0: not known
int evn__lookahead_guess(const evn__lookahead *lookahead, double fits);

/// The same: those that would have cost least in the last solves; where they say nothing, a guess.
/// @param made  attempts of this solve up to now
int evn__lookahead_choose(const evn__lookahead *lookahead, int made, double fits);

#endif
