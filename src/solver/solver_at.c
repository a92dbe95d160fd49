// SPDX-License-Identifier: Apache-2.0
// The solution of the last solve at any times.
#include "evonode/solver.h"

#include "plan/real.h"
#include "solver/solver_state.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

static evn_status check_asked(const evn_solver *solver, int count) {
    EVN_CHECK(solver->options.dense, EVN_ERR_ARGUMENT,
              "the solver keeps nothing between the times that it gives: set dense in its options");
    EVN_CHECK(solver->solved, EVN_ERR_ARGUMENT,
              "there is no solve that came to its end: call evn_solve first, and go on only if it "
              "is EVN_OK");
    EVN_CHECK(count > 0, EVN_ERR_ARGUMENT, "x is asked for at %d times; give 1 or more", count);
    return EVN_OK;
}

/// A time behind an end by some roundings, as of 0.1 * 3, is the end: find_one takes it as that.
static evn_status check_times(const evn_solver *solver, const double *times, int count) {
    double t0 = solver->passage.t0, t1 = solver->passage.t1;
    double rounding = 4 * DBL_EPSILON * fmax(fabs(t0), fabs(t1));
    for (int i = 0; i < count; ++i) {
        EVN_CHECK(times[i] >= fmin(t0, t1) - rounding && times[i] <= fmax(t0, t1) + rounding,
                  EVN_ERR_ARGUMENT,
                  "time %d is %.17g, which is not between t0 = %.17g and t1 = %.17g of the last "
                  "solve",
                  i, times[i], t0, t1);
    }
    return EVN_OK;
}

/// Where component `index` of the state is wanted, if it is.
static evn_status give(evn_solver *solver, const double *times, int count, int index,
                       evn_binding to) {
    const evn__scheme_methods *methods = solver->scheme->methods;
    evn__dense *dense = NULL;
    const evn__trail *trail = methods->trail ? methods->trail(solver->scheme) : NULL;
    bool fixed = solver->options.steps > 0 && solver->options.jump_count == 0;
    evn__passage passage = solver->passage;
    if (!to.buffer) {
        return EVN_OK;
    }
    EVN_TRY(methods->dense ? methods->dense(solver->scheme, &passage, &dense) : EVN_OK);
    if (methods->of_x) {
        methods->of_x(solver->scheme, &passage.parameters);
    }
    return evn__dense_output_at(solver->dense, &passage, fixed ? NULL : trail, dense, times, count,
                                index, to);
}

static evn_status check_room(const evn_solver *solver, evn_binding at, int count, int index,
                             const char *name) {
    size_t elements = evn__size_product((size_t)count, solver->layout.size[index]);
    return at.buffer ? evn__real_check(at, solver->options.fp64, elements, "memory of", name)
                     : EVN_OK;
}

static evn_status give_weights(evn_solver *solver, const double *times, int count,
                               const evn_binding *weights) {
    for (int i = 0; i < solver->dynamics->weight_count; ++i) {
        const evn__weight *w = &solver->dynamics->weights[i];
        EVN_TRY(w->evolves ? give(solver, times, count, w->index, weights[i]) : EVN_OK);
    }
    return EVN_OK;
}

/// At how many times weights are wanted: at those of each sample, where it had its own.
static int weight_times(const evn_solver *solver, int count) {
    evn_shape x = evn_dynamics_state_shape(solver->dynamics);
    return solver->own_times ? count * (int)x.dim[0] : count;
}

/// [count, samples], of [samples, count].
static void transpose(const double *times, int samples, int count, double *all) {
    for (int i = 0; i < samples; ++i) {
        for (int j = 0; j < count; ++j) {
            all[j * samples + i] = times[i * count + j];
        }
    }
}

/// Those that were solved by themselves.
static evn_status give_path(evn_solver *solver, const double *times, int count,
                            const evn_binding *weights) {
    int all = weight_times(solver, count);
    evn_binding *to = NULL;
    double *at = NULL;
    evn_status status = EVN_NEW(&to, solver->layout.count);
    status = status == EVN_OK ? EVN_NEW(&at, all) : status;
    if (status == EVN_OK) {
        transpose(times, all / count, count, at);
        for (int i = 0; i < solver->dynamics->weight_count; ++i) {
            const evn__weight *w = &solver->dynamics->weights[i];
            if (w->evolves) {
                to[w->index - 1] = weights[i];
            }
        }
        status = solver->scheme->methods->weights_at(solver->scheme, at, all, to);
    }
    free(to);
    free(at);
    return status;
}

static evn_status check_weights(const evn_solver *solver, int count, const evn_binding *weights) {
    for (int i = 0; i < solver->dynamics->weight_count; ++i) {
        const evn__weight *w = &solver->dynamics->weights[i];
        EVN_TRY(w->evolves ? check_room(solver, weights[i], weight_times(solver, count), w->index,
                                        evn_dynamics_weight_name(solver->dynamics, i))
                           : EVN_OK);
    }
    return EVN_OK;
}

static evn_status give_x(evn_solver *solver, const double *times, int count, evn_binding x) {
    const evn__scheme_methods *methods = solver->scheme->methods;
    if (methods->at) {
        EVN_REQUIRE(x.buffer);
        return methods->at(solver->scheme, times, solver->own_times, count, x);
    }
    EVN_TRY(check_times(solver, times, count));
    return give(solver, times, count, 0, x);
}

evn_status evn_solver_at(evn_solver *solver, const double *times, int count, evn_binding x,
                         const evn_binding *weights) {
    EVN_REQUIRE(solver);
    EVN_REQUIRE(times);
    EVN_TRY(check_asked(solver, count));
    EVN_TRY(check_room(solver, x, count, 0, "x"));
    EVN_TRY(weights ? check_weights(solver, count, weights) : EVN_OK);
    EVN_TRY(give_x(solver, times, count, x));
    if (weights && solver->scheme->methods->weights_at) {
        return give_path(solver, times, count, weights);
    }
    return weights ? give_weights(solver, times, count, weights) : EVN_OK;
}
