// SPDX-License-Identifier: Apache-2.0
#include "study/gradcheck.h"

#include "base/clock.h"
#include "base/memory.h"
#include "base/number.h"
#include "base/random.h"
#include "plan/real.h"
#include "study/tangents.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double STEP = 1e-5; // of the central differences, along unit directions

/// One dynamics with its numbers: x(0), then the weights, one after the other, then the loss's.
typedef struct checker {
    evn_device *device;
    const evn_dynamics *dynamics;
    int weights;
    size_t x, total;    ///< elements of x; of x and all weights
    size_t *offset;     ///< of each weight
    double *point;      ///< [total]
    double *loss;       ///< [x]
    double *directions; ///< [DIRECTIONS][total], of norm 1
    double *work;       ///< [total]
    evn_binding *values, *bars;
} checker;

/// A solver with its device memory: the numbers, then the loss's, then the weights' cotangents.
typedef struct bench {
    evn_solver *solver;
    evn_buffer *memory;
    bool fp64;
} bench;

/// How a row comes to its derivatives along the directions.
typedef evn_status (*way)(const checker *c, evn__gradcheck_row *row,
                          double slopes[EVN__GRADCHECK_DIRECTIONS]);

enum { FORWARD = EVN__GRADCHECK_ROWS - 1 }; // the row without a gradient backwards

// Numbers -----------------------------------------------------------------------------------------

static void normalise(double *v, size_t count) {
    double sum = 0;
    for (size_t i = 0; i < count; ++i) {
        sum += v[i] * v[i];
    }
    for (size_t i = 0; i < count; ++i) {
        v[i] /= sqrt(sum);
    }
}

static evn_status place_weights(checker *c, const evn_parameters *parameters) {
    for (int i = 0; i < c->weights; ++i) {
        int index = evn_parameters_find(parameters, evn_dynamics_weight_name(c->dynamics, i));
        EVN_TRY(evn_parameters_read(parameters, index, c->point + c->offset[i]));
    }
    return EVN_OK;
}

static evn_status fill(checker *c, const evn_parameters *parameters) {
    enum { SEED = 1, POINT = 0, LOSS = 1, DIRECTIONS = 2 }; // and their streams
    size_t directions = EVN__GRADCHECK_DIRECTIONS * c->total;
    EVN_TRY(EVN_NEW(&c->point, c->total));
    EVN_TRY(EVN_NEW(&c->loss, c->x));
    EVN_TRY(EVN_NEW(&c->directions, directions));
    EVN_TRY(EVN_NEW(&c->work, c->total));
    EVN_TRY(EVN_NEW(&c->values, c->weights));
    EVN_TRY(EVN_NEW(&c->bars, c->weights));
    for (size_t i = 0; i < c->x; ++i) {
        c->point[i] = (float)evn__random_normal(SEED, POINT, i);
        c->loss[i] = (float)evn__random_normal(SEED, LOSS, i);
    }
    for (size_t i = 0; i < directions; ++i) {
        c->directions[i] = evn__random_normal(SEED, DIRECTIONS, i);
    }
    for (int k = 0; k < EVN__GRADCHECK_DIRECTIONS; ++k) {
        normalise(c->directions + (size_t)k * c->total, c->total);
    }
    return place_weights(c, parameters);
}

static evn_status open_checker(checker *c, const evn_parameters *parameters) {
    c->weights = evn_dynamics_weight_count(c->dynamics);
    c->x = c->total = (size_t)evn_shape_count(evn_dynamics_state_shape(c->dynamics));
    EVN_TRY(EVN_NEW(&c->offset, c->weights));
    for (int i = 0; i < c->weights; ++i) {
        c->offset[i] = c->total;
        c->total += (size_t)evn_shape_count(evn_dynamics_weight_shape(c->dynamics, i));
    }
    return fill(c, parameters);
}

static void close_checker(checker *c) {
    free(c->offset);
    free(c->point);
    free(c->loss);
    free(c->directions);
    free(c->work);
    free(c->values);
    free(c->bars);
}

// Solving -----------------------------------------------------------------------------------------

static evn_status open_bench(const checker *c, const evn_solver_options *options, bench *b) {
    b->fp64 = options->fp64;
    EVN_TRY(evn_solver_create(c->device, c->dynamics, options, &b->solver));
    EVN_TRY(evn__real_create(c->device, b->fp64, 2 * c->total, &b->memory));
    return evn__real_write((evn_binding){b->memory, c->total}, b->fp64, c->loss, c->x);
}

static void close_bench(bench *b) {
    evn_solver_destroy(&b->solver);
    evn_buffer_destroy(&b->memory);
}

static evn_status load(const checker *c, const bench *b, const double *point) {
    return evn__real_write((evn_binding){b->memory, 0}, b->fp64, point, c->total);
}

static evn_status solve(const checker *c, const bench *b, evn_binding *x1, evn_solution *solution) {
    const evn_binding x0 = {b->memory, 0};
    for (int i = 0; i < c->weights; ++i) {
        c->values[i] = (evn_binding){b->memory, c->offset[i]};
        c->bars[i] = (evn_binding){b->memory, c->total + c->offset[i]};
    }
    return evn_solve(b->solver, 0, 1, x0, c->values, x1, solution);
}

/// The loss a step of `size` along a direction.
static evn_status loss_at(const checker *c, const bench *b, const double *direction, double size,
                          double *loss) {
    evn_binding x1;
    for (size_t i = 0; i < c->total; ++i) {
        c->work[i] = c->point[i] + size * direction[i];
    }
    EVN_TRY(load(c, b, c->work));
    EVN_TRY(solve(c, b, &x1, NULL));
    EVN_TRY(evn__real_read(x1, b->fp64, c->work, c->x));
    *loss = 0;
    for (size_t i = 0; i < c->x; ++i) {
        *loss += c->loss[i] * c->work[i];
    }
    return EVN_OK;
}

static evn_status differences(const checker *c, evn_solver_options options,
                              double slopes[EVN__GRADCHECK_DIRECTIONS]) {
    bench b = {0};
    options = evn_solver_options_forward(&options);
    options.fp64 = true;
    evn_status status = open_bench(c, &options, &b);
    for (int k = 0; k < EVN__GRADCHECK_DIRECTIONS && status == EVN_OK; ++k) {
        const double *direction = c->directions + (size_t)k * c->total;
        double high = 0, low = 0;
        status = loss_at(c, &b, direction, STEP, &high);
        status = status == EVN_OK ? loss_at(c, &b, direction, -STEP, &low) : status;
        slopes[k] = (high - low) / (2 * STEP);
    }
    close_bench(&b);
    return status;
}

/// Derivatives along the directions, of the gradient that stands in a bench.
static evn_status project(const checker *c, const bench *b, evn_binding x0_bar,
                          double slopes[EVN__GRADCHECK_DIRECTIONS]) {
    EVN_TRY(evn__real_read(x0_bar, b->fp64, c->work, c->x));
    EVN_TRY(evn__real_read((evn_binding){b->memory, c->total + c->x}, b->fp64, c->work + c->x,
                           c->total - c->x));
    for (int k = 0; k < EVN__GRADCHECK_DIRECTIONS; ++k) {
        slopes[k] = 0;
        for (size_t i = 0; i < c->total; ++i) {
            slopes[k] += c->work[i] * c->directions[(size_t)k * c->total + i];
        }
    }
    return EVN_OK;
}

static double distance(const double *slopes, const double *truth) {
    double difference = 0, norm = 0;
    for (int k = 0; k < EVN__GRADCHECK_DIRECTIONS; ++k) {
        difference += (slopes[k] - truth[k]) * (slopes[k] - truth[k]);
        norm += truth[k] * truth[k];
    }
    return difference == 0 ? 0 : sqrt(difference / norm);
}

/// Whether differences take the same steps; adaptive ones, of weights too, are others in each.
static bool takes_same_steps(const evn_solver_options *options) {
    return options->steps > 0 && options->weight_terms == 0;
}

bool evn__gradcheck_is_exact(const evn__gradcheck_row *row) {
    const evn_solver_options *o = &row->options;
    bool continuous = o->steps == 0 && (o->gradient == EVN_GRADIENT_ADJOINT ||
                                        o->gradient == EVN_GRADIENT_ADJOINT_QUADRATURE);
    return !continuous || row->exact <= EVN__GRADCHECK_TOLERANCES * o->rtol + row->floor;
}

bool evn__gradcheck_trusts(const evn__gradcheck_row *row) {
    bool same = takes_same_steps(&row->options);
    return row->status == EVN_OK && (!same || isfinite(row->own)) && isfinite(row->exact) &&
           !(row->reconstruction > EVN__GRADCHECK_RECONSTRUCTION) && // NaN: nothing was rebuilt
           evn__gradcheck_is_exact(row) &&
           !(row->apart > EVN_MOST_APART); // NaN: there is one state
}

// Rows --------------------------------------------------------------------------------------------

/// A solve with its gradient, timed: the first one may have to prepare.
static evn_status run(const checker *c, const bench *b, evn__gradcheck_row *row,
                      double slopes[EVN__GRADCHECK_DIRECTIONS]) {
    enum { TIMES = 3 };
    evn_binding x1, x0_bar = {0}, loss = {b->memory, c->total};
    evn_solution ahead, back;
    double seconds = INFINITY;
    for (int i = 0; i < TIMES; ++i) {
        EVN_TRY(load(c, b, c->point));
        EVN_TRY(evn_device_finish(c->device));
        double begun = evn__now();
        uint64_t waits = evn_device_get_stats(c->device).waits;
        EVN_TRY(solve(c, b, &x1, &ahead));
        EVN_TRY(evn_solve_gradient(b->solver, loss, &x0_bar, c->bars, &back));
        row->waits = (int)(evn_device_get_stats(c->device).waits - waits);
        EVN_TRY(evn_device_finish(c->device));
        seconds = fmin(seconds, evn__now() - begun);
    }
    row->seconds = seconds;
    row->nfe = ahead.nfe;
    row->nfe_back = back.nfe;
    double x, theta;
    if (evn_solver_reconstruction(b->solver, &x, &theta) == EVN_OK) {
        row->reconstruction = fmax(x, theta);
    }
    if (row->options.gradient == EVN_GRADIENT_REVERSIBLE) {
        EVN_TRY(evn_solver_apart(b->solver, &x, &theta));
        row->apart = fmax(x, theta);
    }
    return project(c, b, x0_bar, slopes);
}

/// The derivatives of a row, backwards; with what it needs.
static evn_status go_back(const checker *c, evn__gradcheck_row *row,
                          double slopes[EVN__GRADCHECK_DIRECTIONS]) {
    bench b = {0};
    evn_status status = open_bench(c, &row->options, &b);
    status = status == EVN_OK ? run(c, &b, row, slopes) : status;
    close_bench(&b);
    return status;
}

/// The same forwards, a solve of the tangent dynamics a direction, of so many.
static evn_status push(const checker *c, evn__gradcheck_row *row, int directions, double *slopes) {
    evn__tangents tangents = {.device = c->device, .dynamics = c->dynamics, .point = c->point};
    row->seconds = INFINITY;
    evn_status status = evn__tangents_open(&tangents, &row->options);
    for (int k = 0; k < directions && status == EVN_OK; ++k) {
        evn__tangent_cost cost;
        status = evn__tangents_push(&tangents, c->directions + (size_t)k * c->total, c->loss,
                                    &slopes[k], &cost);
        row->seconds = fmin(row->seconds, cost.seconds);
        row->nfe = cost.nfe;
        row->waits = cost.waits;
    }
    evn__tangents_close(&tangents);
    return status;
}

static evn_status go_forward(const checker *c, evn__gradcheck_row *row,
                             double slopes[EVN__GRADCHECK_DIRECTIONS]) {
    return push(c, row, EVN__GRADCHECK_DIRECTIONS, slopes);
}

/// Derivatives of the solution, and how far those at ten times the tolerance are from them, by the
/// first. Forwards: differences of adaptive solves are those of their steps, too, which at a kink
/// of f, as relu has one, are some 1e-7 of x in double precision, and divided by STEP more than 1
/// %.
static evn_status find_exact(const checker *c, double exact[EVN__GRADCHECK_DIRECTIONS],
                             double *floor) {
    enum { MOST_STEPS = 1000000 };
    evn__gradcheck_row row = {.options = evn_solver_options_default()};
    double coarse = 0, norm = 0;
    row.options.rtol = row.options.atol = 1e-10;
    row.options.max_steps = MOST_STEPS;
    row.options.fp64 = true;
    EVN_TRY(go_forward(c, &row, exact));
    row.options.rtol = row.options.atol = 1e-9;
    EVN_TRY(push(c, &row, 1, &coarse));
    for (int k = 0; k < EVN__GRADCHECK_DIRECTIONS; ++k) {
        norm += exact[k] * exact[k];
    }
    *floor = norm > 0 ? fabs(coarse - exact[0]) / sqrt(norm) : 0;
    return EVN_OK;
}

static evn_status measure(const checker *c, const double *exact, way go, evn__gradcheck_row *row) {
    double slopes[EVN__GRADCHECK_DIRECTIONS], own[EVN__GRADCHECK_DIRECTIONS];
    evn_device_reset_peak(c->device);
    uint64_t before = evn_device_get_stats(c->device).bytes_now;
    EVN_TRY(go(c, row, slopes));
    row->bytes = evn_device_get_stats(c->device).bytes_peak - before;
    if (takes_same_steps(&row->options)) {
        EVN_TRY(differences(c, row->options, own));
        row->own = distance(slopes, own);
    }
    row->exact = distance(slopes, exact);
    return EVN_OK;
}

/// What a scheme cannot do with these dynamics, or with that method, is a result, and no error.
static evn_status measure_row(const checker *c, const double *exact, way go,
                              evn__gradcheck_row *row) {
    row->own = row->exact = row->reconstruction = row->apart = row->seconds = NAN;
    row->status = evn_solver_options_check(&row->options);
    bool takes = row->status == EVN_OK;
    row->status = takes ? measure(c, exact, go, row) : row->status;
    bool result = !takes || row->status == EVN_ERR_SOLVER || row->status == EVN_ERR_NOT_FINITE;
    if (result) {
        evn__print(row->message, sizeof(row->message), "%s", evn_error_message());
    }
    return result ? EVN_OK : row->status;
}

static evn__gradcheck_row row_of(const evn_solver_options *from, evn_gradient gradient,
                                 const char *note) {
    evn__gradcheck_row row = {.options = evn_solver_options_with(from, gradient)};
    row.options.reconstruction = 0; // which is what is measured
    evn__print(row.name, sizeof(row.name), "%s%s", evn_gradient_name((int)gradient), note);
    return row;
}

/// As many states as the steps have binary digits.
static int few_checkpoints(int steps) {
    int count = 1;
    while (steps >> count > 0) {
        ++count;
    }
    return count;
}

static void list_rows(const evn_solver_options *from, evn__gradcheck_row *rows) {
    enum { STEPS = 10 };              // of the reversible method, where the others choose theirs
    evn_solver_options batch = *from; // what there is not along each sample's own steps
    char note[32];
    batch.per_sample = false;
    batch.weight_terms = from->per_sample ? 0 : from->weight_terms;
    evn_solver_options adaptive = batch, fixed = batch;
    adaptive.steps = 0;
    adaptive.method = from->steps > 0 ? "dopri5" : from->method;
    fixed.steps = from->steps > 0 ? from->steps : STEPS;
    int checkpoints = few_checkpoints(fixed.steps);
    rows[0] = row_of(from, EVN_GRADIENT_BACKPROP, "");
    rows[1] = row_of(from, EVN_GRADIENT_CHECKPOINTED, "");
    evn__print(note, sizeof(note), ", %d states", checkpoints);
    rows[2] = row_of(&batch, EVN_GRADIENT_CHECKPOINTED, note);
    rows[2].options.checkpoints = checkpoints;
    evn__print(note, sizeof(note), ", %d steps", fixed.steps);
    rows[3] = row_of(&fixed, EVN_GRADIENT_REVERSIBLE, note);
    rows[4] = row_of(&fixed, EVN_GRADIENT_ADJOINT, note);
    rows[5] = row_of(&adaptive, EVN_GRADIENT_ADJOINT, ", adaptive");
    rows[6] = row_of(&adaptive, EVN_GRADIENT_ADJOINT_QUADRATURE, "");
    const evn_solver_options *other = from->steps > 0 ? &adaptive : &fixed;
    const char *steps = from->steps > 0 ? ", adaptive" : note; // that rows 0 and 1 do not take
    rows[7] = row_of(other, EVN_GRADIENT_BACKPROP, steps);
    rows[8] = row_of(other, EVN_GRADIENT_CHECKPOINTED, steps);
    rows[FORWARD] = row_of(from, EVN_GRADIENT_NONE, "");
    evn__print(rows[FORWARD].name, sizeof(rows[FORWARD].name), "forward");
}

static evn_status measure_all(checker *c, const evn_parameters *parameters,
                              const evn_solver_options *options, evn__gradcheck_row *rows) {
    double exact[EVN__GRADCHECK_DIRECTIONS], floor;
    EVN_TRY(open_checker(c, parameters));
    EVN_TRY(find_exact(c, exact, &floor));
    list_rows(options, rows);
    for (int i = 0; i < EVN__GRADCHECK_ROWS; ++i) {
        rows[i].floor = floor;
        EVN_TRY(measure_row(c, exact, i == FORWARD ? go_forward : go_back, &rows[i]));
    }
    return EVN_OK;
}

evn_status evn__gradcheck_measure(evn_device *device, const evn_dynamics *dynamics,
                                  const evn_parameters *parameters,
                                  const evn_solver_options *options,
                                  evn__gradcheck_row rows[EVN__GRADCHECK_ROWS]) {
    checker c = {.device = device, .dynamics = dynamics};
    const evn_device_info *info = evn_device_get_info(device);
    EVN_CHECK(info->has_fp64, EVN_ERR_ARGUMENT,
              "%s has no double precision, which the differences need; give another --device",
              info->name);
    evn_status status = measure_all(&c, parameters, options, rows);
    close_checker(&c);
    return status;
}
