// SPDX-License-Identifier: Apache-2.0
#include "data/standardisation.h"

#include "base/memory.h"
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/// A column whose part that does not follow from others is less than this of it is taken to follow.
static const double INDEPENDENT = 1e-10;

static evn_status allocate(int dimensions, evn__standardisation *s) {
    size_t d = (size_t)dimensions;
    *s = (evn__standardisation){.dimensions = dimensions};
    EVN_TRY(EVN_NEW(&s->mean, d));
    evn_status status = EVN_NEW(&s->factor, d * d);
    if (status != EVN_OK) {
        evn__standardisation_free(s);
    }
    return status;
}

void evn__standardisation_free(evn__standardisation *s) {
    free(s->mean);
    free(s->factor);
    *s = (evn__standardisation){0};
}

// Moments -----------------------------------------------------------------------------------------

static void find_means(const double *rows, int64_t count, evn__standardisation *s) {
    for (int64_t i = 0; i < count; ++i) {
        for (int k = 0; k < s->dimensions; ++k) {
            s->mean[k] += rows[i * s->dimensions + k] / (double)count;
        }
    }
}

static evn_status find_deviations(const double *rows, int64_t count, const char *const *names,
                                  const evn__standardisation *s, double *deviation) {
    for (int k = 0; k < s->dimensions; ++k) {
        bool constant = true;
        for (int64_t i = 0; i < count; ++i) {
            double off = rows[i * s->dimensions + k] - s->mean[k];
            deviation[k] += off * off / (double)count;
            constant = constant && rows[i * s->dimensions + k] == rows[k];
        }
        deviation[k] = sqrt(deviation[k]);
        EVN_CHECK(!constant, EVN_ERR_DATA,
                  "the column '%s' is constant (%g), and a point on it has no density; name the "
                  "other columns",
                  names[k], rows[k]);
        EVN_CHECK(isfinite(deviation[k]) && deviation[k] > 0, EVN_ERR_DATA,
                  "the values of the column '%s' are too large or too close for arithmetic; scale "
                  "them",
                  names[k]);
    }
    return EVN_OK;
}

/// The lower triangle of the correlations, into the factor.
static void find_correlations(const double *rows, int64_t count, const double *deviation,
                              evn__standardisation *s) {
    int d = s->dimensions;
    for (int64_t i = 0; i < count; ++i) {
        const double *row = rows + i * d;
        for (int a = 0; a < d; ++a) {
            double left = (row[a] - s->mean[a]) / deviation[a] / (double)count;
            for (int b = 0; b <= a; ++b) {
                s->factor[a * d + b] += left * (row[b] - s->mean[b]) / deviation[b];
            }
        }
    }
}

// Factors -----------------------------------------------------------------------------------------

/// The share of the correlations that is noise.
static double shrinkage(const evn__standardisation *s, int64_t count) {
    double d = s->dimensions, squares = d, n = (double)count;
    for (int a = 0; a < s->dimensions; ++a) {
        for (int b = 0; b < a; ++b) {
            double r = s->factor[a * s->dimensions + b];
            squares += 2 * r * r;
        }
    }
    double apart = (n + 1 - 2 / d) * (squares - d);
    double noise = (1 - 2 / d) * squares + d * d;
    return apart > noise ? noise / apart : 1;
}

/// The lower triangle becomes its Cholesky factor.
/// @return the first row whose pivot is not above `least`; −1: all are
static int factorise(double *matrix, int d, double least) {
    for (int a = 0; a < d; ++a) {
        for (int b = 0; b <= a; ++b) {
            double sum = matrix[a * d + b];
            for (int k = 0; k < b; ++k) {
                sum -= matrix[a * d + k] * matrix[b * d + k];
            }
            if (a == b && !(sum > least)) {
                return a;
            }
            matrix[a * d + b] = a == b ? sqrt(sum) : sum / matrix[b * d + b];
        }
    }
    return -1;
}

/// With more rows than columns, each column has to have something of its own.
static evn_status check_independent(const evn__standardisation *s, int64_t count,
                                    const char *const *names) {
    int d = s->dimensions;
    double *copy;
    EVN_TRY(EVN_NEW(&copy, (size_t)d * (size_t)d));
    memcpy(copy, s->factor, (size_t)d * (size_t)d * sizeof(*copy));
    int dependent = count > d ? factorise(copy, d, INDEPENDENT) : -1;
    free(copy);
    EVN_CHECK(dependent < 0, EVN_ERR_DATA,
              "the column '%s' is a sum of multiples of those before it, and points on such a "
              "plane have no density; name the other columns",
              names[dependent]);
    return EVN_OK;
}

static evn_status factorise_correlations(int64_t count, const double *deviation,
                                         evn__standardisation *s) {
    int d = s->dimensions;
    double keep = 1 - shrinkage(s, count);
    for (int a = 0; a < d; ++a) {
        for (int b = 0; b < a; ++b) {
            s->factor[a * d + b] *= keep;
        }
    }
    EVN_CHECK(factorise(s->factor, d, 0) < 0, EVN_ERR_DATA,
              "the correlations of the columns cannot be told apart; name fewer columns");
    for (int a = 0; a < d; ++a) {
        for (int b = 0; b <= a; ++b) {
            s->factor[a * d + b] *= deviation[a];
        }
    }
    return EVN_OK;
}

static evn_status check(evn__standardisation *s) {
    int d = s->dimensions;
    s->log_volume = 0;
    for (int a = 0; a < d; ++a) {
        bool good = isfinite(s->mean[a]) && s->factor[a * d + a] > 0;
        for (int b = 0; b < d; ++b) {
            double value = s->factor[a * d + b];
            good = good && isfinite(value) && (b <= a || value == 0);
        }
        EVN_CHECK(good, EVN_ERR_FORMAT, "row %d of the standardisation is none", a + 1);
        s->log_volume += log(s->factor[a * d + a]);
    }
    return EVN_OK;
}

static evn_status fit(const double *rows, int64_t count, const char *const *names,
                      double *deviation, evn__standardisation *s) {
    find_means(rows, count, s);
    EVN_TRY(find_deviations(rows, count, names, s, deviation));
    find_correlations(rows, count, deviation, s);
    EVN_TRY(check_independent(s, count, names));
    EVN_TRY(factorise_correlations(count, deviation, s));
    return check(s);
}

evn_status evn__standardisation_fit(const double *rows, int64_t count, int dimensions,
                                    const char *const *names, evn__standardisation *s) {
    double *deviation;
    EVN_TRY(allocate(dimensions, s));
    evn_status status = EVN_NEW(&deviation, dimensions);
    if (status == EVN_OK) {
        status = fit(rows, count, names, deviation, s);
        free(deviation);
    }
    if (status != EVN_OK) {
        evn__standardisation_free(s);
    }
    return status;
}

evn_status evn__standardisation_set(const double *mean, const double *factor, int dimensions,
                                    evn__standardisation *s) {
    size_t d = (size_t)dimensions;
    EVN_TRY(allocate(dimensions, s));
    memcpy(s->mean, mean, d * sizeof(*mean));
    memcpy(s->factor, factor, d * d * sizeof(*factor));
    evn_status status = check(s);
    if (status != EVN_OK) {
        evn__standardisation_free(s);
    }
    return status;
}

// Use ---------------------------------------------------------------------------------------------

void evn__standardisation_apply(const evn__standardisation *s, const double *x, double *z) {
    int d = s->dimensions;
    for (int a = 0; a < d; ++a) {
        double sum = x[a] - s->mean[a];
        for (int b = 0; b < a; ++b) {
            sum -= s->factor[a * d + b] * z[b];
        }
        z[a] = sum / s->factor[a * d + a];
    }
}

void evn__standardisation_undo(const evn__standardisation *s, const double *z, double *x) {
    int d = s->dimensions;
    for (int a = d - 1; a >= 0; --a) { // from the last, so that z may be x
        double sum = s->mean[a];
        for (int b = 0; b <= a; ++b) {
            sum += s->factor[a * d + b] * z[b];
        }
        x[a] = sum;
    }
}
