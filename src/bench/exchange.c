// SPDX-License-Identifier: Apache-2.0
// How far apart two processors are: the time in which a cache line goes from one to the other and
// back. On a virtual machine it changes while it runs, with the cores that its processors are
// given.
#define _GNU_SOURCE // pthread_setaffinity_np
#include "base/clock.h"
#include "bench/bench.h"

#ifdef __linux__
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { ROUNDS = 20000 };

typedef struct game {
    _Alignas(128) atomic_int turn; ///< 0, 1: whose
    atomic_int begun;              ///< players that are where they belong
    int processors[2];
} game;

/// The first two of the processors that this process may run on.
static bool choose(const cpu_set_t *allowed, int processors[2]) {
    int found = 0;
    for (int i = 0; i < CPU_SETSIZE && found < 2; ++i) {
        if (CPU_ISSET(i, allowed)) {
            processors[found++] = i;
        }
    }
    return found == 2;
}

static void play(game *g, int player) {
    cpu_set_t mine;
    CPU_ZERO(&mine);
    CPU_SET(g->processors[player], &mine);
    pthread_setaffinity_np(pthread_self(), sizeof(mine), &mine);
    atomic_fetch_add(&g->begun, 1);
    while (atomic_load(&g->begun) < 2) {
    }
    for (int i = 0; i < ROUNDS; ++i) {
        while (atomic_load(&g->turn) != player) {
        }
        atomic_store(&g->turn, !player);
    }
}

static void *play_second(void *user) {
    play(user, 1);
    return NULL;
}

double evn__bench_exchange(void) {
    game g = {0};
    cpu_set_t allowed;
    pthread_t second;
    double begin = evn__now();
    if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0 || !choose(&allowed, g.processors) ||
        pthread_create(&second, NULL, play_second, &g) != 0) {
        return 0;
    }
    play(&g, 0);
    pthread_join(second, NULL);
    pthread_setaffinity_np(pthread_self(), sizeof(allowed), &allowed);
    return (evn__now() - begin) / ROUNDS;
}
#else
double evn__bench_exchange(void) {
    return 0;
}
#endif
