// SPDX-License-Identifier: Apache-2.0
// Steps of each sample's own with weights that f makes of t: as each sample alone, to the bit, and
// gradients that are the sum of those of samples alone.
#include "dynamics/by_sample.h"
#include "evonode/solver.h"
#include "plan/real.h"
#include "problem.h"
#include "ref/ref.h"
#include "test.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INNER = 3, FUNCTIONS = 5, MOST = 40 };

/// Weights of the shape, from cosines of t.
static evn_value weight(evn_graph *f, evn_value t, const char *name, evn_shape shape) {
    static const double rates[FUNCTIONS] = {0, 1, 2, 3, 4};
    evn_value at = evn_mul(f, evn_table(f, EVN_SHAPE(1, FUNCTIONS), rates), t);
    evn_value c = evn_input(f, name, EVN_SHAPE(FUNCTIONS, evn_shape_count(shape)));
    return evn_reshape(f, evn_matmul(f, evn_cos(f, at), c, false, false), shape);
}

static evn_value straight(evn_graph *f, evn_value w) {
    (void)f;
    return w;
}

/// dx = tanh(x U(t) + b(t)) bend(V(t))ᵀ.
static problem network(int batch, int units, evn_value (*bend)(evn_graph *, evn_value)) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(batch, INNER), &t, &x);
    evn_value u = weight(f, t, "u", EVN_SHAPE(INNER, units));
    evn_value v = weight(f, t, "v", EVN_SHAPE(INNER, units));
    evn_value h = evn_matmul(f, x, u, false, false);
    h = evn_tanh(f, evn_add(f, h, weight(f, t, "b", EVN_SHAPE(units))));
    evn_output(f, "dx", evn_matmul(f, h, bend(f, v), false, true));
    problem p = problem_of(f, NULL);
    test_uniform(1, -2, 2, p.x0, p.x_count);
    test_uniform(2, -1, 1, p.x1_bar, p.x_count);
    for (int i = 0; i < p.weight_count; ++i) {
        test_uniform(3 + (uint64_t)i, -0.5, 0.5, p.weight[i], p.weight_size[i]);
    }
    return p;
}

static const struct {
    int units;
    evn_value (*bend)(evn_graph *, evn_value);
} rows[] = {{4, straight}, {40, straight}, {20, evn_tanh}};
enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static problem network_of(int row, int batch) {
    return network(batch, rows[row].units, rows[row].bend);
}

static void solve_one(int row, int batch, int at, int from, double x1[INNER]) {
    problem p = network_of(row, MOST), q = network_of(row, batch);
    for (int i = 0; i < batch; ++i) {
        int source = (from + i - at + MOST) % MOST;
        memcpy(q.x0 + i * INNER, p.x0 + source * INNER, sizeof(double) * INNER);
    }
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_NONE, 1e-4, false);
    problem_prepare(&q, &options);
    problem_solve(&q, 0, 2);
    memcpy(x1, q.x1 + at * INNER, sizeof(double) * INNER);
    problem_free(&p);
    problem_free(&q);
}

START_TEST(bits_do_not_depend_on_the_batch) {
    static const int batches[] = {1, 17, 33};
    double first[INNER], other[INNER];
    solve_one(_i, MOST, 5, 20, first);
    for (size_t i = 0; i < sizeof(batches) / sizeof(*batches); ++i) {
        solve_one(_i, batches[i], batches[i] / 2, 20, other);
        ck_assert_mem_eq(first, other, sizeof(first));
    }
}
END_TEST

static void check_near(const char *what, const double *a, const double *b, int count) {
    double worst = 0, size = 0;
    for (int i = 0; i < count; ++i) {
        worst = fmax(worst, fabs(a[i] - b[i]));
        size = fmax(size, fabs(b[i]));
    }
    printf("%s differs by %.2g\n", what, worst / size);
    ck_assert_double_le(worst, 1e-11 * size);
}

/// At a tolerance at which steps matter.
START_TEST(gradient_is_that_of_samples_alone) {
    enum { BATCH = 3, MOST_ELEMENTS = FUNCTIONS * INNER * 40 };
    problem p = network_of(_i, BATCH), one = network_of(_i, 1);
    double sums[3][MOST_ELEMENTS] = {{0}};
    evn_solver_options options = problem_own_steps(EVN_GRADIENT_NONE, 1e-3, true);
    options.gradient = EVN_GRADIENT_BACKPROP;
    problem_prepare(&p, &options);
    problem_solve(&p, 0, 2);
    problem_gradient(&p);
    options.per_sample = false;
    problem_prepare(&one, &options);
    for (int i = 0; i < BATCH; ++i) {
        memcpy(one.x0, p.x0 + i * INNER, sizeof(double) * INNER);
        memcpy(one.x1_bar, p.x1_bar + i * INNER, sizeof(double) * INNER);
        problem_solve(&one, 0, 2);
        problem_gradient(&one);
        check_near("x1", p.x1 + i * INNER, one.x1, INNER);
        check_near("x0_bar", p.x0_bar + i * INNER, one.x0_bar, INNER);
        for (int w = 0; w < p.weight_count; ++w) {
            for (int k = 0; k < p.weight_size[w]; ++k) {
                sums[w][k] += one.weight_bar_host[w][k];
            }
        }
    }
    for (int w = 0; w < p.weight_count; ++w) {
        check_near(evn_dynamics_weight_name(p.dynamics, w), p.weight_bar_host[w], sums[w],
                   p.weight_size[w]);
    }
    problem_free(&p);
    problem_free(&one);
}
END_TEST

// Rules: graphs alone, by the reference ----------------------------------------------------------

enum { SAMPLES = 3, CELLS = INNER * INNER };

static const evn_shape square = {2, {INNER, INNER}}, one_row = {2, {1, INNER}};

/// What a matrix [INNER, INNER] is made by, from w [INNER, INNER] and n [1, 1], which are sums of
/// functions of t, and a constant c [INNER, INNER].
typedef evn_value make(evn_graph *f, evn_value w, evn_value n, evn_value c);

static evn_value make_add(evn_graph *f, evn_value w, evn_value n, evn_value c) {
    return evn_add(f, evn_add(f, evn_broadcast(f, n, square), w), c);
}

static evn_value make_sub(evn_graph *f, evn_value w, evn_value n, evn_value c) {
    return evn_sub(f, c, evn_sub(f, w, evn_broadcast(f, n, square)));
}

static evn_value make_sub_of_same(evn_graph *f, evn_value w, evn_value n, evn_value c) {
    (void)n;
    return evn_sub(f, evn_mul(f, w, c), w);
}

static evn_value make_mul(evn_graph *f, evn_value w, evn_value n, evn_value c) {
    return evn_mul(f, evn_mul(f, w, evn_broadcast(f, n, square)), c);
}

/// More than 64 functions.
static evn_value make_mul_of_many(evn_graph *f, evn_value w, evn_value n, evn_value c) {
    return make_mul(f, evn_mul(f, w, evn_mul(f, w, w)), n, c);
}

static evn_value make_div(evn_graph *f, evn_value w, evn_value n, evn_value c) {
    (void)n;
    return evn_div(f, w, evn_add(f, c, evn_constant(f, 2)));
}

static evn_value make_div_by_timed(evn_graph *f, evn_value w, evn_value n, evn_value c) {
    (void)n;
    return evn_div(f, c, evn_add(f, w, evn_constant(f, 4)));
}

static evn_value make_neg(evn_graph *f, evn_value w, evn_value n, evn_value c) {
    (void)n;
    (void)c;
    return evn_neg(f, w);
}

static evn_value make_reshape(evn_graph *f, evn_value w, evn_value n, evn_value c) {
    (void)n;
    evn_value flat =
        evn_mul(f, evn_reshape(f, w, EVN_SHAPE(CELLS)), evn_reshape(f, c, EVN_SHAPE(CELLS)));
    return evn_reshape(f, flat, square);
}

static evn_value make_broadcast(evn_graph *f, evn_value w, evn_value n, evn_value c) {
    const int64_t start[] = {1, 0};
    (void)n;
    evn_value part = evn_reshape(f, evn_slice(f, w, start, one_row), EVN_SHAPE(INNER));
    return evn_mul(f, evn_broadcast(f, part, square), c);
}

static evn_value make_permute(evn_graph *f, evn_value w, evn_value n, evn_value c) {
    const int turned[] = {1, 0};
    (void)n;
    return evn_mul(f, evn_permute(f, w, turned), c);
}

static evn_value make_slice(evn_graph *f, evn_value w, evn_value n, evn_value c) {
    const int64_t start[] = {2, 0};
    (void)n;
    return evn_mul(f, evn_broadcast(f, evn_slice(f, w, start, one_row), square), c);
}

static evn_value make_pad(evn_graph *f, evn_value w, evn_value n, evn_value c) {
    const int64_t from[] = {0, 0}, to[] = {1, 0};
    (void)n;
    (void)c;
    return evn_pad(f, evn_slice(f, w, from, one_row), to, square);
}

static evn_value make_sum(evn_graph *f, evn_value w, evn_value n, evn_value c) {
    (void)n;
    return evn_mul(f, evn_broadcast(f, evn_sum(f, w, 2), square), c);
}

/// No operation that is linear in w.
static evn_value make_tanh(evn_graph *f, evn_value w, evn_value n, evn_value c) {
    (void)n;
    return evn_mul(f, evn_tanh(f, w), c);
}

static const struct {
    const char *name;
    make *make;
    bool separates; ///< the matrix is a sum of functions of t times constant ones
} rules[] = {{"add", make_add, true},
             {"sub", make_sub, true},
             {"sub of the same functions", make_sub_of_same, true},
             {"mul", make_mul, true},
             {"mul, too many", make_mul_of_many, false},
             {"div", make_div, true},
             {"div by what depends on t", make_div_by_timed, false},
             {"neg", make_neg, true},
             {"reshape", make_reshape, true},
             {"broadcast", make_broadcast, true},
             {"permute", make_permute, true},
             {"slice", make_slice, true},
             {"pad", make_pad, true},
             {"sum", make_sum, true},
             {"tanh", make_tanh, false}};
enum { RULES = sizeof(rules) / sizeof(rules[0]) };

/// dx = x M(t), or x M(t)ᵀ.
static problem made(make *build, bool transpose) {
    evn_value t, x;
    evn_graph *f = problem_begin(EVN_SHAPE(SAMPLES, INNER), &t, &x);
    evn_value w = weight(f, t, "w", square), n = weight(f, t, "n", EVN_SHAPE(1, 1));
    evn_value m = build(f, w, n, evn_input(f, "c", square));
    evn_output(f, "dx", evn_matmul(f, x, m, false, transpose));
    problem p = problem_of(f, NULL);
    test_uniform(1, -1, 1, p.x0, p.x_count);
    for (int i = 0; i < p.weight_count; ++i) {
        test_uniform(3 + (uint64_t)i, -1, 1, p.weight[i], p.weight_size[i]);
    }
    return p;
}

static void slope_of(const problem *p, const evn_graph *graph, const double *t, double *slope) {
    const double *inputs[PROBLEM_WEIGHTS + 2] = {t, p->x0};
    for (int i = 0; i < p->weight_count; ++i) {
        inputs[2 + p->dynamics->weights[i].index] = p->weight[i];
    }
    TRY(evn__ref_run(graph, inputs, &slope));
}

/// Whether x meets matrices that no sample has for itself.
static bool meets_shared(const evn_graph *graph) {
    bool found = false;
    for (int v = 0; v < graph->node_count; ++v) {
        const evn__node *node = evn__node_at(graph, v);
        evn_shape left =
            node->op == EVN__OP_MATMUL ? evn_value_shape(graph, node->operands[0]) : EVN_SCALAR;
        evn_shape matrix = left.rank == 2 ? evn_value_shape(graph, node->operands[1]) : EVN_SCALAR;
        found = found || (matrix.rank == 2 && left.dim[0] == SAMPLES && left.dim[1] == INNER &&
                          matrix.dim[0] == INNER && matrix.dim[1] == INNER);
    }
    return found;
}

/// Each sample at a time of its own, against all of them at that time; and by a sum of products
/// with constant matrices where there is one.
START_TEST(rule) {
    static const double times[SAMPLES] = {0.1, 0.7, -1.3};
    double slope[SAMPLES * INNER], expected[SAMPLES * INNER];
    problem p = made(rules[_i / 2].make, _i % 2);
    evn__system lifted;
    TRY(evn__system_by_sample(&p.dynamics->system, &lifted));
    ck_assert_msg(meets_shared(lifted.graph) == rules[_i / 2].separates, "%s", rules[_i / 2].name);
    slope_of(&p, lifted.graph, times, slope);
    for (int i = 0; i < SAMPLES; ++i) {
        slope_of(&p, p.dynamics->system.graph, &times[i], expected);
        double by = test_relative_difference(slope + i * INNER, expected + i * INNER, INNER);
        ck_assert_msg(by < 1e-13, "%s: %g", rules[_i / 2].name, by);
    }
    evn__system_free(&lifted);
    problem_free(&p);
}
END_TEST

static Suite *suite(void) {
    Suite *s = suite_create("dynamics/separated");
    TCase *each = tcase_create("rules");
    tcase_add_loop_test(each, rule, 0, 2 * RULES);
    suite_add_tcase(s, each);
    TCase *bits = tcase_create("bits"); // whole: long
    test_add_share(bits, bits_do_not_depend_on_the_batch, 0, ROWS, 3);
    suite_add_tcase(s, bits);
    TCase *gradients = tcase_create("gradients"); // whole: long
    test_add_share(gradients, gradient_is_that_of_samples_alone, 0, ROWS, 3);
    suite_add_tcase(s, gradients);
    return s;
}

int main(void) {
    return test_run(suite());
}
