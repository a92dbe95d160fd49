// SPDX-License-Identifier: Apache-2.0
// Planning takes time in proportion to the graph, or little more: where work grew with its square,
// eight times the nodes would take 64 times as long. What is compared is the processor time of
// plans whose kernels are compiled, at its least, with a margin for everything else that grows.
#include "evonode/diff.h"
#include "evonode/solver.h"
#include "plan/plan.h"
#include "test.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { FEW = 2500, TIMES = 8, MAX_RATIO = 36 };

typedef evn_graph *build_graph(int nodes);

static double processor_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static evn_value numbered_input(evn_graph *g, const char *name, int number, evn_shape shape) {
    char text[32];
    snprintf(text, sizeof(text), "%s%d", name, number);
    return evn_input(g, text, shape);
}

static void numbered_output(evn_graph *g, int number, evn_value value) {
    char text[32];
    snprintf(text, sizeof(text), "y%d", number);
    evn_output(g, text, value);
}

/// A deep network with its cotangents: long paths, values that live from one end to the other.
static evn_graph *network(int nodes) {
    evn_graph *g = NULL, *vjp = NULL;
    TRY(evn_graph_create(&g));
    evn_value h = evn_input(g, "x", EVN_SHAPE(8, 16));
    for (int i = 0; i < nodes / 16; ++i) {
        evn_value w = numbered_input(g, "w", i, EVN_SHAPE(16, 16));
        h = evn_add(g, h, evn_tanh(g, evn_matmul(g, h, w, false, false)));
    }
    evn_output(g, "y", h);
    TRY(evn_vjp(g, NULL, &vjp));
    evn_graph_destroy(&g);
    return vjp;
}

/// Small updates beside each other: each pair of them could join.
static evn_graph *updates(int nodes) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value dt = evn_input(g, "dt", EVN_SCALAR);
    for (int i = 0; i < nodes / 4; ++i) {
        evn_value x = numbered_input(g, "x", i, EVN_SHAPE(16));
        numbered_output(g, i, evn_add(g, x, evn_mul(g, dt, x)));
    }
    return g;
}

/// A chain of scalars, which kernels compute on the spot, each read twice.
static evn_graph *scalars(int nodes) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value s = evn_input(g, "s", EVN_SCALAR), x = evn_input(g, "x", EVN_SHAPE(40));
    for (int i = 0; i < nodes / 3; ++i) {
        s = evn_tanh(g, evn_add(g, s, evn_mul(g, s, s)));
        if (i % 100 == 0) {
            x = evn_mul(g, x, s);
        }
    }
    evn_output(g, "y", x);
    return g;
}

/// A chain of element-wise operations on one array, and views of it.
static evn_graph *chain(int nodes) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value x = evn_input(g, "x", EVN_SHAPE(40, 40)), y = x;
    for (int i = 0; i < nodes / 4; ++i) {
        y = evn_add(g, evn_sin(g, y), evn_permute(g, y, (int[]){1, 0}));
        y = i % 7 ? y : evn_mul(g, x, y);
    }
    evn_output(g, "y", y);
    return g;
}

/// What a plan takes: the least processor time, the steps of its passes, and the characters of the
/// longest text of a kernel that is compiled for it.
typedef struct cost {
    double time;
    int64_t steps;
    size_t longest;
} cost;

static size_t longest_text(const evn_plan *plan) {
    size_t longest = 0;
    for (int i = 0; i < plan->launches.count; ++i) {
        const char *text = plan->launches.rows[i].source.text;
        size_t length = text && !plan->launches.rows[i].replaced ? strlen(text) : 0;
        longest = length > longest ? length : longest;
    }
    return longest;
}

static cost time_plan(evn_graph *g, const evn_plan_options *options, int repetitions) {
    cost c = {.time = 1e30};
    for (int i = 0; i < repetitions + 1; ++i) { // the first one compiles
        evn_plan *plan = NULL;
        double start = processor_time();
        TRY(evn_plan_create(test_device(), g, options, &plan));
        double time = processor_time() - start;
        c.time = i > 0 && time < c.time ? time : c.time;
        c.steps = plan->units.steps;
        c.longest = longest_text(plan);
        evn_plan_destroy(&plan);
    }
    return c;
}

static void check_growth(build_graph *build, const char *name) {
    evn_graph *few = build(FEW), *many = build(TIMES * FEW);
    TRY(evn_graph_status(few));
    TRY(evn_graph_status(many));
    cost a = time_plan(few, NULL, 5), b = time_plan(many, NULL, 3);
    ck_assert_msg(b.steps <= 2 * TIMES * a.steps + TIMES * FEW, "%s: %lld steps, then %lld", name,
                  (long long)a.steps, (long long)b.steps);
    ck_assert_msg(b.time <= MAX_RATIO * a.time, "%s: %g s, then %g s", name, a.time, b.time);
    evn_graph_destroy(&few);
    evn_graph_destroy(&many);
}

START_TEST(plans) {
    check_growth(network, "network");
    check_growth(updates, "updates");
    check_growth(scalars, "scalars");
    check_growth(chain, "chain");
}
END_TEST

/// A chain of element-wise operations on rows, of which each second one reads x.
static evn_graph *rows(int operations) {
    evn_graph *g = NULL;
    TRY(evn_graph_create(&g));
    evn_value x = evn_input(g, "x", EVN_SHAPE(37, 100)), y = x;
    for (int i = 0; i < operations; ++i) {
        y = i % 2 ? evn_scale(g, evn_add(g, y, x), 0.5) : evn_sin(g, y);
    }
    evn_output(g, "y", y);
    return g;
}

/// With a sample in each lane. What one kernel holds is bounded: a compiler takes more than in
/// proportion for more.
START_TEST(samples) {
    static const char *const names[] = {"x", NULL};
    const evn_plan_options options = {.sample_inputs = names};
    evn_graph *few = rows(200), *many = rows(200 * TIMES);
    cost a = time_plan(few, &options, 5), b = time_plan(many, &options, 3);
    ck_assert_msg(b.longest <= 2 * a.longest, "a kernel of %zu characters, then of %zu", a.longest,
                  b.longest);
    ck_assert_msg(b.time <= MAX_RATIO * a.time, "%g s, then %g s", a.time, b.time);
    evn_graph_destroy(&few);
    evn_graph_destroy(&many);
}
END_TEST

/// f = tanh(… tanh(x W₀) … Wₙ), g = tanh(W ∘ A).
static double time_solver(int weights) {
    evn_graph *f = NULL, *g = NULL;
    evn_dynamics *dynamics = NULL;
    evn_solver_options options = evn_solver_options_default();
    double best = 1e30;
    TRY(evn_graph_create(&f));
    TRY(evn_graph_create(&g));
    evn_input(f, "t", EVN_SCALAR);
    evn_input(g, "t", EVN_SCALAR);
    evn_value x = evn_input(f, "x", EVN_SHAPE(4, 16));
    for (int i = 0; i < weights; ++i) {
        char name[32];
        evn_value own = numbered_input(g, "w", i, EVN_SHAPE(16, 16));
        evn_value w = numbered_input(f, "w", i, EVN_SHAPE(16, 16));
        x = evn_tanh(f, evn_matmul(f, x, w, false, false));
        snprintf(name, sizeof(name), "dw%d", i);
        evn_output(g, name, evn_tanh(g, own));
    }
    evn_output(f, "dx", x);
    TRY(evn_dynamics_create(f, g, &dynamics));
    options.gradient = EVN_GRADIENT_ADJOINT;
    for (int i = 0; i < 3; ++i) {
        evn_solver *solver = NULL;
        double start = processor_time();
        TRY(evn_solver_create(test_device(), dynamics, &options, &solver));
        double time = processor_time() - start;
        best = i > 0 && time < best ? time : best;
        evn_solver_destroy(&solver);
    }
    evn_dynamics_destroy(&dynamics);
    evn_graph_destroy(&f);
    evn_graph_destroy(&g);
    return best;
}

START_TEST(solvers) {
    double few = time_solver(10), many = time_solver(10 * TIMES);
    ck_assert_msg(many <= MAX_RATIO * few, "%g s, then %g s", few, many);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("scaling");
    test_add(suite, tcase_create("plans"), plans);
    test_add(suite, tcase_create("samples"), samples);
    test_add(suite, tcase_create("solvers"), solvers);
    return test_run(suite);
}
