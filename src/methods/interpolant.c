// SPDX-License-Identifier: Apache-2.0
#include "methods/interpolant.h"

#include "kernels/shared.h"
#include <stdbool.h>
#include <string.h>

enum { PARTS = EVN__INTERPOLANT_PLACES + 3 }; // displacements, slopes

int evn__interpolant_places(const evn__interpolant *interpolant) {
    return interpolant->places > 0 ? interpolant->places : 1;
}

int evn__interpolant_terms(const evn__interpolant *interpolant) {
    return evn__interpolant_places(interpolant) + EVN__INTERPOLANT_ENDS;
}

// Weights -----------------------------------------------------------------------------------------

/// Σ c_p sᵖ, where s counts places: 0 at the beginning, `end` at the end. Numbers are integers.
typedef struct polynomial {
    double c[EVN__INTERPOLANT_TERMS];
} polynomial;

/// p times s − root.
static polynomial with_root(polynomial p, double root) {
    polynomial product = {{0}};
    for (int i = 0; i < EVN__INTERPOLANT_TERMS; ++i) {
        product.c[i] = (i > 0 ? p.c[i - 1] : 0) - root * p.c[i];
    }
    return product;
}

/// That with so many roots at both ends, and one at each place between them but `one`.
static polynomial with_roots(int end, int at_begin, int at_end, int one) {
    polynomial p = {{1}};
    for (int i = 1; i < end; ++i) {
        p = i == one ? p : with_root(p, i);
    }
    for (int i = 0; i < at_begin; ++i) {
        p = with_root(p, 0);
    }
    for (int i = 0; i < at_end; ++i) {
        p = with_root(p, end);
    }
    return p;
}

static double value_at(polynomial p, double s) {
    double value = 0;
    for (int i = EVN__INTERPOLANT_TERMS - 1; i >= 0; --i) {
        value = value * s + p.c[i];
    }
    return value;
}

/// p without its value at a root, divided by s − root.
static polynomial without_root(polynomial p, double root) {
    polynomial quotient = {{0}};
    for (int i = EVN__INTERPOLANT_TERMS - 1; i > 0; --i) {
        quotient.c[i - 1] = p.c[i] + (i + 1 < EVN__INTERPOLANT_TERMS ? root * quotient.c[i] : 0);
    }
    return quotient;
}

/// p / scale is what a part counts: as terms, each the value where the factor after it is 0.
static void put(polynomial p, double scale, int end, int part, evn__interpolant_weights *weights) {
    double power = 1;
    for (int i = 0; i < end + 3; ++i) {
        bool mirrors = EVN_FACTOR_MIRRORS(end + 3, i + 1);
        double root = mirrors ? end : 0;
        if (i >= 2) {
            weights[i - 2][part] = value_at(p, root) * power / scale;
        }
        p = without_root(p, root);
        power *= mirrors ? -end : end; // θ = s / end, 1 − θ = −(s − end) / end
    }
}

/// What is 1 at the end, without slope: by Q there, whose logarithm has the slope r.
static polynomial displacement(int end, double *scale) {
    const polynomial q = with_roots(end, 2, 0, 0);
    double r = 2. / end;
    for (int i = 1; i < end; ++i) {
        r += 1. / (end - i);
    }
    *scale = -value_at(q, end) / r;
    return with_root(q, end + 1 / r);
}

void evn__interpolant_weigh(int places, evn__interpolant_weights weights[EVN__INTERPOLANT_TERMS]) {
    int end = places + 1;
    double scale;
    polynomial p = displacement(end, &scale);
    put(p, scale, end, 0, weights);
    for (int i = 1; i < end; ++i) {
        p = with_roots(end, 2, 2, i);
        put(p, value_at(p, i), end, i, weights);
    }
    scale = end * value_at(with_roots(end, 0, 2, 0), 0); // slopes are by place
    put(with_roots(end, 1, 2, 0), scale, end, end, weights);
    scale = end * value_at(with_roots(end, 2, 0, 0), end);
    put(with_roots(end, 2, 1, 0), scale, end, end + 1, weights);
}

void evn__lagrange(const double *nodes, int count, int which, double theta, double *value,
                   double *slope) {
    *value = 1;
    *slope = 0;
    for (int i = 0; i < count; ++i) {
        if (i != which) {
            double width = nodes[which] - nodes[i], factor = (theta - nodes[i]) / width;
            *slope = *slope * factor + *value / width;
            *value *= factor;
        }
    }
}

// Terms -------------------------------------------------------------------------------------------

static evn_value combine(evn_graph *g, const evn_value *parts, const double *weights, int count) {
    evn_value sum = evn_constant(g, 0);
    for (int i = 0; i < count; ++i) {
        sum = weights[i] == 0 ? sum : evn_add(g, sum, evn_scale(g, parts[i], weights[i]));
    }
    return sum;
}

void evn__interpolant_build(evn_graph *graph, const evn__span *span,
                            evn_value terms[EVN__INTERPOLANT_TERMS]) {
    int places = span->places;
    evn__interpolant_weights weights[EVN__INTERPOLANT_TERMS];
    evn_value parts[PARTS];
    evn__interpolant_weigh(places, weights);
    parts[0] = evn_sub(graph, span->y_next, span->y);
    memcpy(parts + 1, span->inside, (size_t)places * sizeof(*parts));
    parts[places + 1] = span->rise;
    parts[places + 2] = span->rise_next;
    terms[0] = span->y;
    terms[1] = EVN_FACTOR_MIRRORS(places + 4, 2) ? parts[0] : parts[places + 1];
    for (int p = 2; p < places + 4; ++p) {
        terms[p] = combine(graph, parts, weights[p - 2], places + 3);
    }
}

/// With factors θ, 1 − θ, θ, … the displacement is c₁, its slopes c₁ + c₂ and c₁ − c₂ − c₃.
void evn__interpolant_build_ends(evn_graph *graph, const evn__span *span,
                                 evn_value terms[EVN__INTERPOLANT_ENDS]) {
    terms[0] = span->y;
    terms[1] = evn_sub(graph, span->y_next, span->y);
    terms[2] = evn_sub(graph, span->rise, terms[1]);
    terms[3] = evn_sub(graph, evn_sub(graph, terms[1], terms[2]), span->rise_next);
}

evn_value evn__interpolant_value(evn_graph *graph, const evn_value *terms, int count,
                                 evn_value part) {
    evn_value rest = EVN_NONE, sum = terms[count - 1];
    for (int p = count - 2; p >= 0; --p) {
        bool mirrors = EVN_FACTOR_MIRRORS(count, p + 1);
        if (mirrors && rest == EVN_NONE) {
            rest = evn_sub(graph, evn_constant(graph, 1), part);
        }
        sum = evn_add(graph, terms[p], evn_mul(graph, mirrors ? rest : part, sum));
    }
    return sum;
}
