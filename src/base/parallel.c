// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 64, TICK = 100000000 }; // nanoseconds

typedef struct crew {
    const evn__parallel *parallel;
    atomic_llong next, done;
    atomic_bool stop;
    pthread_mutex_t lock; ///< of what follows
    pthread_cond_t ended;
    int running;
} crew;

static void *work(void *user) {
    crew *c = user;
    while (!atomic_load(&c->stop)) {
        int64_t item = atomic_fetch_add(&c->next, 1);
        if (item >= c->parallel->count) {
            break;
        }
        if (!c->parallel->work(c->parallel->user, item)) {
            atomic_store(&c->stop, true);
        }
        atomic_fetch_add(&c->done, 1);
    }
    pthread_mutex_lock(&c->lock);
    --c->running;
    pthread_cond_signal(&c->ended);
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

static int thread_count(const evn__parallel *parallel) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int threads = processors < 1 ? 1 : processors < THREADS_MAX ? (int)processors : THREADS_MAX;
    return threads < parallel->count ? threads : (int)parallel->count;
}

static void tick(const crew *c) {
    if (c->parallel->tick) {
        c->parallel->tick(c->parallel->user, atomic_load(&c->done));
    }
}

/// Wait for all threads, with a sign of life now and then.
static void wait_for_all(crew *c) {
    pthread_mutex_lock(&c->lock);
    while (c->running > 0) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += TICK;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&c->ended, &c->lock, &until);
        pthread_mutex_unlock(&c->lock);
        tick(c);
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
}

static void run(crew *c) {
    pthread_t threads[THREADS_MAX];
    int wanted = thread_count(c->parallel), count = 0;
    c->running = wanted;
    while (count < wanted && pthread_create(&threads[count], NULL, work, c) == 0) {
        ++count;
    }
    if (count == 0) { // no thread can be had: this one does it
        c->running = 1;
        work(c);
    } else {
        pthread_mutex_lock(&c->lock);
        c->running -= wanted - count;
        pthread_mutex_unlock(&c->lock);
    }
    wait_for_all(c);
    for (int i = 0; i < count; ++i) {
        pthread_join(threads[i], NULL);
    }
}

void evn__parallel_run(const evn__parallel *parallel) {
    crew c = {.parallel = parallel};
    if (parallel->count < 1) {
        return;
    }
    pthread_mutex_init(&c.lock, NULL);
    pthread_cond_init(&c.ended, NULL);
    run(&c);
    pthread_cond_destroy(&c.ended);
    pthread_mutex_destroy(&c.lock);
}
