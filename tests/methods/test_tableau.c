// SPDX-License-Identifier: Apache-2.0
// Every tableau against the order conditions: of all rooted trees up to its order, and no further
// (Hairer, Nørsett, Wanner: Solving ODEs I, II.2); the same of what its estimates compare with, and
// of its interpolant at places all over the step (II.6).
#include "kernels/shared.h"
#include "methods/explicit.h"
#include "methods/implicit.h"
#include "test.h"
#include <complex.h>
#include <math.h>
#include <string.h>

enum { MAX_ORDER = 9, MAX_TREES = 512, SETS = EVN__INTERPOLANT_SETS };

/// A rooted tree, and what a method makes of it in each stage, those of the interpolant included:
/// Π over the branches of Σ_j a_ij φ_j, j <= i.
typedef struct tree {
    int order;
    double density;
    double stage[SETS];
} tree;

typedef struct forest {
    const evn__tableau *tableau;
    double a[SETS][SETS]; ///< the tableau's, of the slope at the end, of the interpolant's stages
    int sets, end;        ///< `end`: the set of the slope there
    tree trees[MAX_TREES];
    int count;
} forest;

static void lay_out(forest *f, const evn__tableau *tableau, bool fsal) {
    const evn__interpolant *in = &tableau->interpolant;
    *f = (forest){.tableau = tableau, .end = tableau->stages - fsal};
    for (int i = 0; i < tableau->stages; ++i) {
        for (int j = 0; j <= i; ++j) {
            f->a[i][j] = evn__tableau_a(tableau, i, j);
        }
    }
    for (int j = 0; j < tableau->stages && !fsal; ++j) {
        f->a[f->end][j] = tableau->b[j];
    }
    f->sets = f->end + 1 + in->stages;
    ck_assert_int_le(f->sets, SETS);
    for (int i = 0; i < in->stages; ++i) {
        memcpy(f->a[f->end + 1 + i], in->a[i], sizeof(in->a[i]));
    }
}

static void graft(const forest *f, const tree *branch, tree *to) {
    to->density *= branch->density;
    for (int i = 0; i < f->sets; ++i) {
        double sum = 0;
        for (int j = 0; j <= i; ++j) {
            sum += f->a[i][j] * branch->stage[j];
        }
        to->stage[i] *= sum;
    }
}

/// All trees that have `begun`, and branches with `nodes` nodes besides, none of a number above
/// `last`: each set of branches comes up once.
static void branch(forest *f, const tree *begun, int nodes, int last) {
    if (nodes == 0) {
        ck_assert_int_lt(f->count, MAX_TREES);
        f->trees[f->count] = *begun;
        f->trees[f->count++].density *= begun->order;
        return;
    }
    for (int i = 0; i <= last; ++i) {
        if (f->trees[i].order <= nodes) {
            tree grown = *begun;
            graft(f, &f->trees[i], &grown);
            branch(f, &grown, nodes - f->trees[i].order, i);
        }
    }
}

static void plant(forest *f, const evn__tableau *tableau, bool fsal) {
    lay_out(f, tableau, fsal);
    for (int order = 1; order <= MAX_ORDER; ++order) {
        tree root = {.order = order, .density = 1};
        for (int i = 0; i < SETS; ++i) {
            root.stage[i] = 1;
        }
        branch(f, &root, order - 1, f->count - 1);
    }
}

/// Up to which order Σ (b_i − e_i) φ_i is 1 / density for all trees.
static int order_of(const forest *f, const double *e) {
    const evn__tableau *tableau = f->tableau;
    int order = MAX_ORDER;
    for (int k = 0; k < f->count; ++k) {
        const tree *t = &f->trees[k];
        double sum = 0, size = 0;
        for (int i = 0; i < tableau->stages; ++i) {
            double term = (tableau->b[i] - (e ? e[i] : 0)) * t->stage[i];
            sum += term;
            size += fabs(term);
        }
        if (fabs(sum - 1 / t->density) > 1e-14 * (1 + size) * tableau->stages &&
            t->order <= order) {
            order = t->order - 1;
        }
    }
    return order;
}

/// A method and its tableau.
typedef struct method {
    const evn__stepper *stepper;
    const evn__tableau *tableau;
} method;

/// Method number `index` of those that have one.
static method method_at(int index) {
    const evn__stepper *stepper;
    for (int i = 0; (stepper = evn__stepper_at(i)); ++i) {
        bool has = stepper->kind == &evn__explicit || stepper->kind == &evn__implicit;
        if (has && index-- == 0) {
            return (method){stepper, stepper->coefficients};
        }
    }
    ck_abort_msg("there are fewer methods than tableaux");
    return (method){NULL, NULL};
}

static const evn__tableau *tableau_of(const char *name) {
    return evn__stepper_find(name)->coefficients;
}

START_TEST(trees_are_counted) {
    static const int known[] = {1, 1, 2, 4, 9, 20, 48, 115, 286}; // OEIS A000081
    forest f;
    plant(&f, tableau_of("euler"), false);
    int counts[MAX_ORDER] = {0};
    for (int i = 0; i < f.count; ++i) {
        counts[f.trees[i].order - 1]++;
    }
    ck_assert_mem_eq(counts, known, sizeof(known));
}
END_TEST

START_TEST(rows_sum_up_to_their_times) {
    const evn__stepper *m = method_at(_i).stepper;
    const evn__tableau *t = method_at(_i).tableau;
    for (int i = 0; i < t->stages; ++i) {
        double sum = 0, size = 1;
        for (int j = 0; j <= i; ++j) {
            sum += evn__tableau_a(t, i, j);
            size += fabs(evn__tableau_a(t, i, j));
        }
        ck_assert_msg(fabs(sum - t->c[i]) < 1e-15 * size, "%s: stage %d", m->name, i);
        // f is not evaluated outside of a step, but by one stage of one method.
        bool outside = strcmp(m->name, "kvaerno5") == 0 && i == 2;
        ck_assert(t->c[i] >= 0 && (t->c[i] <= 1 || outside));
    }
    ck_assert_int_eq(evn__tableau_overshoots(t), strcmp(m->name, "kvaerno5") == 0);
}
END_TEST

START_TEST(last_stages_are_first_ones) {
    const evn__stepper *m = method_at(_i).stepper;
    const evn__tableau *t = method_at(_i).tableau;
    int last = t->stages - 1;
    bool same = t->c[last] == 1 && t->b[last] == evn__tableau_a(t, last, last) && last > 0;
    for (int j = 0; j < last; ++j) {
        same = same && t->b[j] == evn__tableau_a(t, last, j);
    }
    ck_assert_int_eq(same, m->fsal);
}
END_TEST

START_TEST(order_conditions_hold) {
    const evn__stepper *m = method_at(_i).stepper;
    const evn__tableau *t = method_at(_i).tableau;
    forest f;
    plant(&f, t, m->fsal);
    int order = order_of(&f, NULL);
    ck_assert_msg(order == m->order, "%s has order %d, not %d", m->name, order, m->order);
}
END_TEST

static bool is_zero(const double *row) {
    bool zero = true;
    for (int i = 0; i < EVN__MAX_STAGES; ++i) {
        zero = zero && row[i] == 0;
    }
    return zero;
}

/// An estimate of the error shrinks with dt to the power of one more than the lower order; two of
/// them, joined, as the square of the finer over the coarser.
START_TEST(estimates_have_their_order) {
    const evn__stepper *m = method_at(_i).stepper;
    const evn__tableau *t = method_at(_i).tableau;
    forest f;
    plant(&f, t, m->fsal);
    ck_assert_int_eq(is_zero(t->e), m->error_order == 0);
    ck_assert(is_zero(t->coarse) || m->error_order > 0);
    if (m->error_order == 0) {
        return;
    }
    int fine = order_of(&f, t->e), error_order = fine < m->order ? fine : m->order;
    if (!is_zero(t->coarse)) {
        error_order = 2 * (fine + 1) - (order_of(&f, t->coarse) + 1) - 1;
    }
    ck_assert_msg(error_order == m->error_order, "%s: estimate of order %d, not %d", m->name,
                  error_order, m->error_order);
}
END_TEST

// Interpolants ------------------------------------------------------------------------------------

/// What the slopes count in a part of the interpolant: the displacement, that of a place, dt dy/dt
/// at one of the ends (methods/interpolant.h).
static double part(const forest *f, int which, int set) {
    const evn__interpolant *in = &f->tableau->interpolant;
    int places = evn__interpolant_places(in);
    double whole = set < f->tableau->stages ? f->tableau->b[set] : 0;
    double first = set == 0, last = set == f->end;
    return which == 0            ? whole
           : which == places + 1 ? first
           : which == places + 2 ? last
           : in->places > 0      ? in->m[which - 1][set]
                                 : whole / 2 + (first - last) / 8;
}

/// Of each set, its weights in y(t + θ dt) − y(t), and in its slope; how large what they are sums
/// of is.
typedef struct weights {
    double value[SETS], slope[SETS], size[SETS];
} weights;

static weights weigh(const forest *f, double theta) {
    weights w = {.value = {0}};
    int places = evn__interpolant_places(&f->tableau->interpolant);
    evn__interpolant_weights sums[EVN__INTERPOLANT_TERMS];
    evn__interpolant_weigh(places, sums);
    double product = 1, change = 0; // of the factors so far, and its slope
    for (int p = 1; p < places + 4; ++p) {
        bool mirrors = EVN_FACTOR_MIRRORS(places + 4, p);
        change = change * (mirrors ? 1 - theta : theta) + product * (mirrors ? -1 : 1);
        product *= mirrors ? 1 - theta : theta;
        for (int set = 0; set < SETS; ++set) {
            for (int i = 0; i < places + 3; ++i) {
                bool first = i == (EVN_FACTOR_MIRRORS(places + 4, 2) ? 0 : places + 1);
                double term = (p == 1 ? first : sums[p - 2][i]) * part(f, i, set);
                w.value[set] += product * term;
                w.slope[set] += change * term;
                w.size[set] += fabs(product * term);
            }
        }
    }
    return w;
}

/// Up to which order Σ b_i(θ) φ_i is θ^order / density for all trees, for all θ.
static int interpolant_order(const forest *f) {
    enum { THETAS = 16 };
    int order = MAX_ORDER;
    for (int n = 1; n < THETAS; ++n) {
        double theta = (double)n / THETAS;
        const weights w = weigh(f, theta);
        for (int k = 0; k < f->count; ++k) {
            const tree *t = &f->trees[k];
            double sum = 0, size = 0;
            for (int i = 0; i < f->sets; ++i) {
                sum += w.value[i] * t->stage[i];
                size += fabs(w.size[i] * t->stage[i]);
            }
            bool holds = fabs(sum - pow(theta, t->order) / t->density) < 1e-14 * (1 + size);
            order = !holds && t->order <= order ? t->order - 1 : order;
        }
    }
    return order;
}

START_TEST(interpolants_have_their_order) {
    const evn__stepper *m = method_at(_i).stepper;
    const evn__tableau *t = method_at(_i).tableau;
    forest f;
    plant(&f, t, m->fsal);
    int order = interpolant_order(&f);
    ck_assert_ptr_eq(m->interpolant, &t->interpolant);
    ck_assert_int_ge(order + 1, m->order); // what is off inside of a step does not add up
    ck_assert_msg(order == m->interpolant->order, "%s: an interpolant of order %d, not %d", m->name,
                  order, m->interpolant->order);
    for (int i = 0; i < m->interpolant->stages; ++i) {
        double sum = -m->interpolant->c[i];
        for (int j = 0; j < SETS; ++j) {
            sum += m->interpolant->a[i][j];
            ck_assert(j <= f.end + i || m->interpolant->a[i][j] == 0);
        }
        ck_assert_double_eq_tol(sum, 0, 1e-15);
        ck_assert(m->interpolant->c[i] > 0 && m->interpolant->c[i] < 1);
    }
}
END_TEST

/// Values and slopes are those at the ends, as of the steps on both sides; in between those of the
/// places.
START_TEST(interpolants_go_on_smoothly) {
    const evn__stepper *m = method_at(_i).stepper;
    int places = evn__interpolant_places(m->interpolant);
    forest f;
    plant(&f, method_at(_i).tableau, m->fsal);
    for (int j = 0; j <= places + 1; ++j) {
        const weights w = weigh(&f, j / (places + 1.));
        for (int i = 0; i < SETS; ++i) {
            double known = j == 0 ? 0 : part(&f, j <= places ? j : 0, i);
            ck_assert_double_eq_tol(w.value[i], known, 1e-14 * (1 + w.size[i]));
            bool end = j == 0 || j == places + 1, is_its = i == (j == 0 ? 0 : f.end);
            ck_assert(!end || fabs(w.slope[i] - is_its) < 1e-12 * (1 + w.size[i]));
        }
    }
}
END_TEST

/// A weight or a stage that is off by so little is noticed.
START_TEST(mistakes_of_interpolants_are_noticed) {
    const method right = method_at(_i);
    const evn__interpolant *in = &right.tableau->interpolant;
    evn__tableau wrong = *right.tableau;
    forest f;
    if (in->places == 0) {
        return;
    }
    wrong.interpolant.m[in->places - 1][0] += 1e-9;
    plant(&f, &wrong, right.stepper->fsal);
    ck_assert_int_lt(interpolant_order(&f), in->order);
    if (in->stages > 0) {
        wrong.interpolant = *in;
        wrong.interpolant.a[in->stages - 1][0] += 1e-7;
        plant(&f, &wrong, right.stepper->fsal);
        ck_assert_int_lt(interpolant_order(&f), in->order);
    }
}
END_TEST

/// A weight that is off by so little is noticed.
START_TEST(mistakes_are_noticed) {
    const method right = method_at(_i);
    evn__tableau wrong = *right.tableau;
    wrong.b[0] += 1e-11;
    forest f;
    plant(&f, &wrong, false);
    ck_assert_int_lt(order_of(&f, NULL), right.stepper->order);
    wrong = *right.tableau;
    if (right.stepper->order > 2) {
        wrong.a[1] += 1e-9;
        plant(&f, &wrong, false);
        ck_assert_int_lt(order_of(&f, NULL), right.stepper->order);
    }
}
END_TEST

/// The interval of stability of methods for which it is in books.
START_TEST(stability_is_that_of_books) {
    static const struct {
        const char *name;
        double reach;
    } known[] = {
        {"euler", 2}, {"midpoint", 2}, {"bosh3", 2.513}, {"rk4", 2.785}, {"dopri5", 3.307}};
    for (int i = 0; i < 5; ++i) {
        double reach = evn__tableau_stability(tableau_of(known[i].name));
        ck_assert_double_eq_tol(reach, known[i].reach, 2e-3);
    }
}
END_TEST

/// Whether implicit methods damp what decays at once, and none lets oscillations grow: |R(iy)| <= 1
/// and R(−∞) = 0, where R(z) is what a step makes of x' = z x.
static _Complex double growth(const evn__tableau *t, _Complex double z) {
    _Complex double k[EVN__MAX_STAGES], sum = 1;
    for (int i = 0; i < t->stages; ++i) {
        _Complex double x = 1;
        for (int j = 0; j < i; ++j) {
            x += evn__tableau_a(t, i, j) * k[j];
        }
        k[i] = z * x / (1 - z * evn__tableau_a(t, i, i));
        sum += t->b[i] * k[i];
    }
    return sum;
}

START_TEST(implicit_methods_are_stable) {
    const evn__stepper *m = method_at(_i).stepper;
    const evn__tableau *t = method_at(_i).tableau;
    bool damps = strcmp(m->name, "implicit_midpoint") != 0 && strcmp(m->name, "trapezoid") != 0;
    if (t->diagonal == 0) {
        return;
    }
    for (double y = 1e-3; y < 1e6; y *= 1.1) {
        ck_assert_double_le(cabs(growth(t, y * I)), 1 + 1e-9);
        ck_assert_double_le(cabs(growth(t, -y + y * I)), 1 + 1e-9);
    }
    double far = cabs(growth(t, -1e8));
    ck_assert_msg(damps ? far < 1e-5 : fabs(far - 1) < 1e-5, "%s: R(-1e8) = %g", m->name, far);
}
END_TEST

static Suite *suite(void) {
    const int methods = EVN__TABLEAUX;
    Suite *s = suite_create("methods/tableau");
    TCase *conditions = tcase_create("conditions");
    tcase_add_test(conditions, trees_are_counted);
    tcase_add_loop_test(conditions, rows_sum_up_to_their_times, 0, methods);
    tcase_add_loop_test(conditions, last_stages_are_first_ones, 0, methods);
    tcase_add_loop_test(conditions, order_conditions_hold, 0, methods);
    tcase_add_loop_test(conditions, estimates_have_their_order, 0, methods);
    tcase_add_loop_test(conditions, mistakes_are_noticed, 0, methods);
    tcase_add_loop_test(conditions, interpolants_have_their_order, 0, methods);
    tcase_add_loop_test(conditions, interpolants_go_on_smoothly, 0, methods);
    tcase_add_loop_test(conditions, mistakes_of_interpolants_are_noticed, 0, methods);
    tcase_add_test(conditions, stability_is_that_of_books);
    tcase_add_loop_test(conditions, implicit_methods_are_stable, 0, methods);
    suite_add_tcase(s, conditions);
    return s;
}

int main(void) {
    return test_run(suite());
}
