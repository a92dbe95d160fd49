// SPDX-License-Identifier: Apache-2.0
// L-BFGS (Nocedal, Wright: Numerical Optimization, 2nd ed., algorithm 7.4). The two-loop recursion
// runs on the host, on the coefficients of the direction in the basis of all s, all y and g: it
// needs their inner products alone (Chen, Wang, Zhou: Large-scale L-BFGS using MapReduce, 2014). So
// an iteration reads its vectors twice and waits three times, however long the history.
//
// The line search sees only gradients. A step is too long where the slope along its direction has
// turned up as steeply as it went down at the start; it is then cut where the secant of the slope
// has its zero. Every call of evn__lbfgs_step is one evaluation: a new direction or a shorter step.
#include "optim/lbfgs.h"

#include "base/memory.h"
#include "host/items.h"
#include "host/kernel.h"
#include "kernels/shared.h"
#include "plan/real.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    BASIS = 2 * EVN__LBFGS_HISTORY + 1, // s, y, g
    LEFTS = 3,
    CPU_PARTS = 64, // partial sums of an inner product
    PARTS = 256,    // on other devices
    GROUP = 64,
    ITEMS_PER_UNIT = 4, // work-items a compute unit of a CPU
    MIN_RUN = 1024,     // elements that one of them should at least update
};
static const double TURN = 0.9;          // of the slope at the start: what makes a step too long
static const double SHORTEST = 1e-4;     // of a step; it is taken wherever it leads
static const double FIRST_LENGTH = 0.01; // of the first step, along the gradient
static const double GROWTH = 10;         // of a step over the one before it, at most

/// What the host knows; part of the saved state.
typedef struct progress {
    int pairs, next;          ///< pairs of s and y; the row of the next one
    int started;              ///< whether p, g and d are those of a step
    double slope, length;     ///< g·d at the start of the step; its length as a multiple of d
    double dot[BASIS][BASIS]; ///< inner products
} progress;

struct evn__lbfgs {
    evn_device *device;
    bool fp64, wide;
    int history;
    size_t count, run, parts;
    progress now;
    evn_buffer *rows;    ///< [2 history + 3, count]: s, y, g, p, d
    evn_buffer *partial; ///< [parts, 2 history + 1, LEFTS]
    evn_buffer *factors; ///< [2 history + 1]
    double *sums;        ///< host copy of partial
    evn__kernel *store, *dots, *combine, *move;
};

// Life --------------------------------------------------------------------------------------------

static int basis(const evn__lbfgs *l) {
    return 2 * l->history + 1;
}

static size_t partial_count(const evn__lbfgs *l) {
    return l->parts * (size_t)basis(l) * LEFTS;
}

static size_t rows_count(const evn__lbfgs *l) {
    return (2 * (size_t)l->history + 3) * l->count;
}

static evn_status prepare(evn__lbfgs *l) {
    const char *options = l->wide ? "" : "-DLANES=1";
    evn__source source = {.family = "optimizer", .options = options, .fp64 = l->fp64};
    EVN_TRY(evn__kernel_get(l->device, &source, "lbfgs_store", &l->store));
    EVN_TRY(evn__kernel_get(l->device, &source, "lbfgs_dots", &l->dots));
    EVN_TRY(evn__kernel_get(l->device, &source, "lbfgs_combine", &l->combine));
    EVN_TRY(evn__kernel_get(l->device, &source, "lbfgs_move", &l->move));
    EVN_TRY(evn__real_create_for(l->device, EVN__USE_OPTIMIZER, l->fp64, rows_count(l), &l->rows));
    EVN_TRY(evn__real_create_for(l->device, EVN__USE_OPTIMIZER, l->fp64, partial_count(l),
                                 &l->partial));
    EVN_TRY(evn__real_create_for(l->device, EVN__USE_OPTIMIZER, l->fp64, (size_t)basis(l),
                                 &l->factors));
    EVN_TRY(EVN_NEW(&l->sums, (int)partial_count(l)));
    return evn__real_zero((evn_binding){l->rows, 0}, l->fp64, rows_count(l));
}

evn_status evn__lbfgs_create(evn_device *device, const evn_optimizer_options *options, size_t count,
                             evn__lbfgs **lbfgs) {
    const evn_device_info *info = evn_device_get_info(device);
    EVN_TRY(EVN_NEW(lbfgs, 1));
    evn__lbfgs *l = *lbfgs;
    l->device = device;
    l->fp64 = options->fp64;
    l->wide = evn__items_are_wide(info);
    l->history = options->history;
    l->count = count;
    l->parts = l->wide ? CPU_PARTS : PARTS;
    size_t items = ITEMS_PER_UNIT * (size_t)info->compute_units, run = (count + items - 1) / items;
    l->run = !l->wide ? 1 : run > MIN_RUN ? run : MIN_RUN;
    evn_status status = prepare(l);
    if (status != EVN_OK) {
        evn__lbfgs_destroy(lbfgs);
    }
    return status;
}

void evn__lbfgs_destroy(evn__lbfgs **lbfgs) {
    if (!*lbfgs) {
        return;
    }
    evn_buffer_destroy(&(*lbfgs)->rows);
    evn_buffer_destroy(&(*lbfgs)->partial);
    evn_buffer_destroy(&(*lbfgs)->factors);
    free((*lbfgs)->sums);
    free(*lbfgs);
    *lbfgs = NULL;
}

// Launches ----------------------------------------------------------------------------------------

static evn_binding row(const evn__lbfgs *l, int index) {
    return (evn_binding){l->rows, (size_t)index * l->count};
}

static evn_binding last_p(const evn__lbfgs *l) {
    return row(l, basis(l));
}

static evn_binding direction(const evn__lbfgs *l) {
    return row(l, basis(l) + 1);
}

static evn__argument tensor(evn_binding binding) {
    return (evn__argument){
        .kind = EVN__ARGUMENT_BUFFER, .buffer = binding.buffer, .offset = binding.offset};
}

static evn__argument size(size_t integer) {
    return (evn__argument){.kind = EVN__ARGUMENT_UINT64, .integer = (int64_t)integer};
}

/// One work-item a run of elements.
static evn_status launch(const evn__lbfgs *l, evn__kernel *kernel, const evn__argument *arguments,
                         int count) {
    size_t items = (l->count + l->run - 1) / l->run;
    return evn__kernel_launch(kernel, arguments, count,
                              (evn__range){1, {items}, {l->wide ? 1 : GROUP}});
}

static evn_status store(const evn__lbfgs *l, evn_binding p, evn_binding g) {
    evn__argument arguments[] = {tensor(p),
                                 tensor(g),
                                 tensor(row(l, 0)),
                                 size(l->count),
                                 size(l->run),
                                 size((size_t)l->history),
                                 size((size_t)l->now.next)};
    return launch(l, l->store, arguments, sizeof(arguments) / sizeof(*arguments));
}

/// p = last p + length · d
static evn_status move(const evn__lbfgs *l, evn_binding p) {
    evn__argument arguments[] = {
        tensor(p),      tensor(last_p(l)), tensor(direction(l)),
        size(l->count), size(l->run),      {.kind = EVN__ARGUMENT_REAL, .real = l->now.length}};
    return launch(l, l->move, arguments, sizeof(arguments) / sizeof(*arguments));
}

/// d from its coefficients in the basis.
static evn_status combine(const evn__lbfgs *l, const double *coefficients) {
    evn_binding factors = {l->factors, 0};
    EVN_TRY(evn__real_write(factors, l->fp64, coefficients, (size_t)basis(l)));
    evn__argument arguments[] = {tensor(row(l, 0)), tensor(factors), tensor(direction(l)),
                                 size(l->count),    size(l->run),    size((size_t)basis(l))};
    return launch(l, l->combine, arguments, sizeof(arguments) / sizeof(*arguments));
}

/// result[k][j] = row lefts[k] of `left` · row j of `right`, for `rights` rows. Waits.
static evn_status dots(const evn__lbfgs *l, evn_binding left, const int lefts[LEFTS],
                       evn_binding right, int rights, double result[LEFTS][BASIS]) {
    size_t length = (l->count + l->parts - 1) / l->parts;
    evn_binding partial = {l->partial, 0};
    evn__argument arguments[] = {tensor(left),
                                 tensor(right),
                                 tensor(partial),
                                 size(l->count),
                                 size((size_t)lefts[0]),
                                 size((size_t)lefts[1]),
                                 size((size_t)lefts[2]),
                                 size(l->wide ? length : 1),
                                 size(l->wide ? 1 : l->parts),
                                 size(length),
                                 size((size_t)rights)};
    size_t items = ((size_t)rights + EVN_LBFGS_ROWS - 1) / EVN_LBFGS_ROWS;
    EVN_TRY(evn__kernel_launch(l->dots, arguments, sizeof(arguments) / sizeof(*arguments),
                               (evn__range){2, {items, l->parts}, {1, l->wide ? 1 : GROUP}}));
    EVN_TRY(evn__real_read(partial, l->fp64, l->sums, l->parts * (size_t)rights * LEFTS));
    for (int k = 0; k < LEFTS; ++k) {
        for (int j = 0; j < rights; ++j) {
            result[k][j] = 0;
            for (size_t part = 0; part < l->parts; ++part) {
                result[k][j] += l->sums[(part * (size_t)rights + (size_t)j) * LEFTS + (size_t)k];
            }
        }
    }
    return EVN_OK;
}

// Direction ---------------------------------------------------------------------------------------

/// Row of s of the pair that is `age` pairs old (0: the newest); its y is `history` rows on.
static int pair_row(const evn__lbfgs *l, int age) {
    return (l->now.next - 1 - age + 2 * l->history) % l->history;
}

/// Inner product of basis vector `index` with the vector of these coefficients.
static double project(const evn__lbfgs *l, int index, const double *coefficients) {
    double sum = 0;
    for (int j = 0; j < basis(l); ++j) {
        sum += coefficients[j] != 0 ? coefficients[j] * l->now.dot[index][j] : 0;
    }
    return sum;
}

static void two_loops(const evn__lbfgs *l, double *coefficients) {
    double alpha[EVN__LBFGS_HISTORY];
    int y0 = l->history, newest = pair_row(l, 0);
    memset(coefficients, 0, sizeof(double) * (size_t)basis(l));
    coefficients[basis(l) - 1] = -1;
    for (int age = 0; age < l->now.pairs; ++age) {
        int s = pair_row(l, age);
        alpha[age] = project(l, s, coefficients) / l->now.dot[s][y0 + s];
        coefficients[y0 + s] -= alpha[age];
    }
    double curvature = l->now.dot[newest][y0 + newest] / l->now.dot[y0 + newest][y0 + newest];
    for (int j = 0; j < basis(l); ++j) {
        coefficients[j] *= curvature;
    }
    for (int age = l->now.pairs - 1; age >= 0; --age) {
        int s = pair_row(l, age);
        coefficients[s] += alpha[age] - project(l, y0 + s, coefficients) / l->now.dot[s][y0 + s];
    }
}

/// The new s, y and g against the basis; the pair counts where the curvature along s is positive.
static evn_status add_pair(evn__lbfgs *l) {
    double result[LEFTS][BASIS];
    progress *now = &l->now;
    int s = now->next, y = l->history + s, g = basis(l) - 1, lefts[LEFTS] = {s, y, g};
    EVN_TRY(dots(l, row(l, 0), lefts, row(l, 0), basis(l), result));
    for (int k = 0; k < LEFTS; ++k) {
        for (int j = 0; j < basis(l); ++j) {
            now->dot[lefts[k]][j] = now->dot[j][lefts[k]] = result[k][j];
        }
    }
    double limit = 1e-8 * sqrt(now->dot[s][s] * now->dot[y][y]); // rounding, in single precision
    if (now->started && now->dot[s][y] > limit) {
        now->next = (s + 1) % l->history;
        now->pairs += now->pairs < l->history;
    } else if (now->pairs == l->history) {
        --now->pairs; // the oldest one was where s and y were put
    }
    return EVN_OK;
}

/// How many d, given by its coefficients, are GROWTH times the last step.
static double longest_step(const evn__lbfgs *l, const double *coefficients) {
    double squares = 0;
    for (int j = 0; j < basis(l); ++j) {
        squares += coefficients[j] != 0 ? coefficients[j] * project(l, j, coefficients) : 0;
    }
    int newest = pair_row(l, 0);
    return l->now.pairs > 0 && squares > 0 ? GROWTH * sqrt(l->now.dot[newest][newest] / squares)
                                           : 1;
}

static evn_status start_step(evn__lbfgs *l, evn_binding p, evn_binding g, double rate) {
    double coefficients[BASIS] = {0};
    progress *now = &l->now;
    int last = basis(l) - 1;
    EVN_TRY(store(l, p, g));
    EVN_TRY(add_pair(l));
    if (now->pairs > 0) {
        two_loops(l, coefficients);
        now->slope = project(l, last, coefficients);
    }
    if (now->pairs == 0 || !(now->slope < 0)) { // no usable pairs: steepest descent
        double norm = sqrt(now->dot[last][last]);
        now->pairs = 0;
        memset(coefficients, 0, sizeof(coefficients));
        coefficients[last] = norm > 0 ? -FIRST_LENGTH / norm : 0;
        now->slope = -FIRST_LENGTH * norm;
    }
    now->length = rate * fmin(1, longest_step(l, coefficients));
    now->started = 1;
    EVN_TRY(combine(l, coefficients));
    return move(l, p);
}

evn_status evn__lbfgs_step(evn__lbfgs *l, evn_binding p, evn_binding g, double rate) {
    const int gradient[LEFTS] = {0};
    double slope[LEFTS][BASIS];
    progress *now = &l->now;
    if (now->started && now->length > SHORTEST * rate) {
        EVN_TRY(dots(l, g, gradient, direction(l), 1, slope));
        double start = -now->slope, end = slope[0][0];
        if (!(end <= TURN * start)) {
            double cut = isfinite(end) ? start / (start + end) : 0;
            now->length *= fmax(cut, 0.1);
            return move(l, p);
        }
    }
    return start_step(l, p, g, rate);
}

// State -------------------------------------------------------------------------------------------

static size_t rows_bytes(const evn__lbfgs *l) {
    return rows_count(l) * evn__real_bytes(l->fp64);
}

size_t evn__lbfgs_state_bytes(const evn__lbfgs *l) {
    return rows_bytes(l) + sizeof(l->now);
}

evn_status evn__lbfgs_save(const evn__lbfgs *l, void *data) {
    memcpy((char *)data + rows_bytes(l), &l->now, sizeof(l->now));
    return evn_buffer_read(l->rows, 0, rows_bytes(l), data);
}

evn_status evn__lbfgs_restore(evn__lbfgs *l, const void *data) {
    progress now;
    memcpy(&now, (const char *)data + rows_bytes(l), sizeof(now));
    EVN_CHECK(now.pairs >= 0 && now.pairs <= l->history && now.next >= 0 && now.next < l->history,
              EVN_ERR_DATA, "L-BFGS: a state with %d pairs, the next one in row %d of %d",
              now.pairs, now.next, l->history);
    l->now = now;
    return evn_buffer_write(l->rows, 0, rows_bytes(l), data);
}
