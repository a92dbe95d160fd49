// SPDX-License-Identifier: Apache-2.0
#include "nn/projection.h"

#include "base/memory.h"
#include "nn/basis.h"
#include "ref/ref.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PLACES = 960, // pieces of most numbers end between two places; many to a function, at most 64
    CHECKS = 480  // each in the middle between two places: what is fitted there alone is seen
};

// Least squares -----------------------------------------------------------------------------------

/// Turn a[k …][k] to the axis, and all columns behind with it; b's, too.
static void reflect(int rows, int columns, double *a, int right, double *b, int k) {
    double square = 0;
    for (int i = k; i < rows; ++i) {
        square += a[i * columns + k] * a[i * columns + k];
    }
    double head = a[k * columns + k], norm = head > 0 ? -sqrt(square) : sqrt(square);
    double scale = square - norm * head; // half of ‖v‖², v = a_k − norm e_k
    if (scale <= 0) {
        return;
    }
    a[k * columns + k] = head - norm;
    for (int j = k + 1; j < columns + right; ++j) {
        double *x = j < columns ? a + j : b + j - columns, dot = 0;
        int stride = j < columns ? columns : right;
        for (int i = k; i < rows; ++i) {
            dot += a[i * columns + k] * x[i * stride];
        }
        for (int i = k; i < rows; ++i) {
            x[i * stride] -= dot / scale * a[i * columns + k];
        }
    }
    a[k * columns + k] = norm;
}

/// min ‖a x − b‖ by Householder's reflections: a [rows, columns], b [rows, right]. The first rows
/// of b become x, the others what is left over. A column that depends on those before gets 0.
static void least_squares(int rows, int columns, double *a, int right, double *b) {
    const double dependent = 1e-12;
    double largest = 0;
    for (int k = 0; k < columns; ++k) {
        reflect(rows, columns, a, right, b, k);
        largest = fmax(largest, fabs(a[k * columns + k]));
    }
    for (int k = columns - 1; k >= 0; --k) {
        double pivot = a[k * columns + k];
        for (int j = 0; j < right; ++j) {
            double sum = b[k * right + j];
            for (int i = k + 1; i < columns; ++i) {
                sum -= a[k * columns + i] * b[i * right + j];
            }
            b[k * right + j] = fabs(pivot) > dependent * largest ? sum / pivot : 0;
        }
    }
}

// Functions at places -----------------------------------------------------------------------------

/// A basis of the tensors of a scope, in a graph.
typedef struct course {
    evn_graph *graph;
    double **inputs; ///< [inputs of the graph]
    int input_count;
} course;

static void course_free(course *c) {
    for (int i = 0; i < c->input_count; ++i) {
        free(c->inputs[i]);
    }
    free(c->inputs);
    evn_graph_destroy(&c->graph);
}

/// t, and the parameters that a basis has.
static evn_status read_inputs(const evn_parameters *parameters, course *c) {
    int count = evn_graph_input_count(c->graph);
    EVN_TRY(EVN_NEW(&c->inputs, count));
    for (c->input_count = 0; c->input_count < count; ++c->input_count) {
        int i = c->input_count;
        evn_shape shape = evn_value_shape(c->graph, evn_graph_input(c->graph, i));
        EVN_TRY(EVN_NEW(&c->inputs[i], evn_shape_count(shape)));
        int index = evn_parameters_find(parameters, evn_graph_input_name(c->graph, i));
        EVN_TRY(index < 0 ? EVN_OK : evn_parameters_read(parameters, index, c->inputs[i]));
    }
    return EVN_OK;
}

static evn_status course_make(evn_parameters *parameters, const char *scope,
                              const evn__basis *basis, int count, course *c) {
    EVN_TRY(evn_graph_create(&c->graph));
    evn__network network = {c->graph, parameters, scope, NULL};
    evn__expansions expansions = {.t = evn_input(c->graph, "t", EVN_SCALAR)};
    EVN_TRY(evn__network_expand(&network, &expansions, basis, count));
    evn_output(c->graph, "functions", network.expansion->functions);
    EVN_TRY(evn_graph_status(c->graph));
    return read_inputs(parameters, c);
}

/// Functions [places, count] of tensor number `index`; without a basis it has one, which is 1.
static evn_status evaluate(evn_parameters *parameters, int index, int places, int count,
                           double *functions) {
    const evn__basis *basis = evn__parameters_basis(parameters, index);
    const char *name = evn_parameters_name(parameters, index);
    char scope[EVN_MAX_NAME];
    course c = {0};
    for (int i = 0; !basis && i < places; ++i) {
        functions[i] = 1;
    }
    if (!basis) {
        return EVN_OK;
    }
    snprintf(scope, sizeof(scope), "%.*s", (int)strcspn(name, "."), name);
    evn_status status = course_make(parameters, scope, basis, count, &c);
    for (int i = 0; status == EVN_OK && i < places; ++i) {
        double *row = functions + i * count;
        c.inputs[0][0] = (i + 0.5) / places;
        status = evn__ref_run(c.graph, (const double *const *)c.inputs, &row);
    }
    course_free(&c);
    return status;
}

// One tensor --------------------------------------------------------------------------------------

/// θ(t) = Σ functionsₖ(t) cₖ of a tensor of either side.
typedef struct side {
    evn_parameters *parameters;
    int index, count;      ///< functions
    int64_t size;          ///< numbers of a coefficient
    double *functions, *c; ///< [places, count], [count, size]
} side;

static void side_find(evn_parameters *parameters, const char *name, side *s) {
    s->parameters = parameters;
    s->index = evn_parameters_find(parameters, name);
    evn_shape shape = evn_parameters_shape(parameters, s->index);
    s->count = evn__parameters_basis(parameters, s->index) ? (int)shape.dim[0] : 1;
    s->size = evn_shape_count(shape) / s->count;
}

static void side_free(side *s) {
    free(s->functions);
    free(s->c);
}

/// Samples are values at places: functions that are 1 at their place.
static evn_status take_samples(side *s, const evn__sampler *sampler, const char *name,
                               bool *moves) {
    double *theta;
    EVN_TRY(EVN_NEW(&theta, s->size * PLACES));
    evn_status status = sampler->sample(sampler->self, name, PLACES, moves, theta);
    if (status != EVN_OK || !*moves) {
        free(theta);
        return status;
    }
    s->c = theta;
    s->count = PLACES;
    EVN_TRY(EVN_NEW(&s->functions, PLACES * PLACES));
    for (int i = 0; i < PLACES; ++i) {
        s->functions[i * PLACES + i] = 1;
    }
    return EVN_OK;
}

static evn_status side_read(side *s) {
    EVN_TRY(EVN_NEW(&s->c, s->size * s->count));
    EVN_TRY(EVN_NEW(&s->functions, PLACES * s->count));
    EVN_TRY(evn_parameters_read(s->parameters, s->index, s->c));
    return evaluate(s->parameters, s->index, PLACES, s->count, s->functions);
}

/// Σ over rows and columns of (rows · c)², rows [count, width], c [width, size].
static evn_status square_of(const double *rows, int count, int width, const double *c, int64_t size,
                            double *sum) {
    double *gram;
    EVN_TRY(EVN_NEW(&gram, width * width));
    for (int i = 0; i < count * width * width; ++i) {
        int row = i / (width * width), k = i / width % width, l = i % width;
        gram[k * width + l] += rows[row * width + k] * rows[row * width + l];
    }
    for (int k = 0; k < width * width; ++k) {
        const double *a = c + k / width * size, *b = c + k % width * size;
        for (int64_t n = 0; n < size; ++n) {
            *sum += gram[k] * a[n] * b[n];
        }
    }
    free(gram);
    return EVN_OK;
}

/// to's coefficients from those of `from`: x c, where x solves functions' x = functions.
static evn_status transfer(const side *from, const side *to, const double *x,
                           double *coefficients) {
    for (int k = 0; k < to->count; ++k) {
        for (int l = 0; l < from->count; ++l) {
            for (int64_t n = 0; n < from->size; ++n) {
                coefficients[k * from->size + n] +=
                    x[k * from->count + l] * from->c[l * from->size + n];
            }
        }
    }
    return evn_parameters_write(to->parameters, to->index, coefficients);
}

/// Squares of what is lost, and of all.
typedef struct squares {
    double lost, all;
} squares;

/// Least squares over the places. `to` gets its coefficients; from's functions become what is left
/// over, below the rows of to's count.
static evn_status fit(const side *from, side *to) {
    EVN_TRY(EVN_NEW(&to->functions, PLACES * to->count));
    EVN_TRY(EVN_NEW(&to->c, to->count * to->size));
    EVN_TRY(evaluate(to->parameters, to->index, PLACES, to->count, to->functions));
    least_squares(PLACES, to->count, to->functions, from->count, from->functions);
    return transfer(from, to, from->functions, to->c);
}

/// Between two bases: what the fit left over.
static evn_status project(const side *from, side *to, squares *sums) {
    double lost = 0, all = 0;
    EVN_TRY(square_of(from->functions, PLACES, from->count, from->c, from->size, &all));
    EVN_TRY(fit(from, to));
    const double *left = from->functions + to->count * from->count;
    EVN_TRY(square_of(left, PLACES - to->count, from->count, from->c, from->size, &lost));
    sums->lost += lost / PLACES;
    sums->all += all / PLACES;
    return EVN_OK;
}

/// ‖functions c − theta‖² and ‖theta‖², in the mean over the checks.
static void compare(const side *s, const double *functions, const double *theta, squares *sums) {
    for (int64_t i = 0; i < CHECKS * s->size; ++i) {
        const double *row = functions + i / s->size * s->count;
        double difference = -theta[i];
        for (int k = 0; k < s->count; ++k) {
            difference += row[k] * s->c[k * s->size + i % s->size];
        }
        sums->lost += difference * difference / CHECKS;
        sums->all += theta[i] * theta[i] / CHECKS;
    }
}

/// Of samples: at times that the fit did not see.
static evn_status check(const side *s, const evn__sampler *sampler, const char *name,
                        squares *sums) {
    bool moves;
    double *theta = NULL, *functions = NULL;
    evn_status status = EVN_NEW(&theta, CHECKS * s->size);
    status = status == EVN_OK ? EVN_NEW(&functions, CHECKS * s->count) : status;
    if (status == EVN_OK) {
        status = sampler->sample(sampler->self, name, CHECKS, &moves, theta);
    }
    if (status == EVN_OK) {
        status = evaluate(s->parameters, s->index, CHECKS, s->count, functions);
    }
    if (status == EVN_OK) {
        compare(s, functions, theta, sums);
    }
    free(theta);
    free(functions);
    return status;
}

static evn_status project_tensor(side *from, side *to, const evn__sampler *sampler, squares *sums,
                                 int *projected) {
    const char *name = evn_parameters_name(to->parameters, to->index);
    bool moves = false;
    EVN_CHECK(from->size == to->size, EVN_ERR_SHAPE, "the parameter %s has %lld numbers, not %lld",
              name, (long long)from->size, (long long)to->size);
    EVN_TRY(sampler ? take_samples(from, sampler, name, &moves) : EVN_OK);
    if (moves) {
        ++*projected;
        EVN_TRY(fit(from, to));
        return check(to, sampler, name, sums);
    }
    EVN_TRY(side_read(from));
    bool same = evn__parameters_basis(from->parameters, from->index) ==
                    evn__parameters_basis(to->parameters, to->index) &&
                from->count == to->count;
    if (same) {
        return evn_parameters_write(to->parameters, to->index, from->c);
    }
    ++*projected;
    return project(from, to, sums);
}

evn_status evn__parameters_project(evn_parameters *from, const evn__sampler *sampler,
                                   evn_parameters *to, evn__projection *projection) {
    squares sums = {0, 0};
    *projection = (evn__projection){0};
    for (int i = 0; i < evn_parameters_count(to); ++i) {
        const char *name = evn_parameters_name(to, i);
        side a = {0}, b = {0};
        if (evn_parameters_find(from, name) < 0) {
            continue;
        }
        side_find(from, name, &a);
        side_find(to, name, &b);
        evn_status status = project_tensor(&a, &b, sampler, &sums, &projection->projected);
        side_free(&a);
        side_free(&b);
        EVN_TRY(status);
    }
    // Differences of squares: below 1e-8 it is rounding.
    projection->distance = sums.all > 0 ? sqrt(fmax(sums.lost, 0) / sums.all) : 0;
    return EVN_OK;
}
