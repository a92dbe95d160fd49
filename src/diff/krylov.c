// SPDX-License-Identifier: Apache-2.0
// Krylov's subspaces, and the rules of what is made of them.
#include "diff/krylov.h"

#include "base/status.h"
#include "diff/rules.h"

/// x += what one cycle finds, b becomes what it leaves.
static evn_status go_round(const evn__krylov *k, int vectors, evn_value *b, evn_value *x) {
    evn_graph *g = k->graph;
    evn_shape s = evn_value_shape(g, *b), one = EVN_SHAPE(s.dim[0], 1, s.dim[1]);
    evn_value basis = evn__krylov_begin(g, *b, vectors);
    for (int i = 0; i < vectors; ++i) {
        const int64_t start[] = {0, i, 0};
        evn_value v = evn_reshape(g, evn_slice(g, basis, start, one), s), image;
        EVN_TRY(evn_graph_status(g));
        EVN_TRY(k->map(k->context, v, &image));
        basis = evn__krylov_extend(g, basis, image);
    }
    evn_value found = evn__krylov_combine(g, basis, s.dim[1], false);
    *x = *x == EVN_NONE ? found : evn_add(g, *x, found);
    *b = evn__krylov_combine(g, basis, s.dim[1], true);
    return evn_graph_status(g);
}

evn_status evn__krylov_solve(const evn__krylov *krylov, evn_value b, evn_value *x,
                             evn_value *residual) {
    evn_graph *g = krylov->graph;
    int64_t n = evn_value_shape(g, b).dim[1];
    int vectors = krylov->vectors < n ? krylov->vectors : (int)n;
    evn_value sum = EVN_NONE;
    for (int i = 0; i < krylov->cycles; ++i) {
        EVN_TRY(go_round(krylov, vectors, &b, &sum));
    }
    *x = evn_detach(g, sum);
    if (residual) {
        *residual = evn_detach(g, b);
    }
    return evn_graph_status(g);
}

// Rules -------------------------------------------------------------------------------------------

/// ∂r/∂x of a site's ROOT, or its transpose.
typedef struct jacobian {
    evn_graph *graph;
    evn_value x, r;
    bool transposed;
} jacobian;

static evn_status multiply(void *context, evn_value v, evn_value *image) {
    const jacobian *j = context;
    return j->transposed ? evn_pullback(j->graph, &j->r, &v, 1, &j->x, 1, image)
                         : evn_pushforward(j->graph, &j->x, &v, 1, &j->r, 1, image);
}

static evn_value size_of_rows(evn_graph *g, evn_value x) {
    return evn_sum(g, evn_abs(g, x), 2); // no squares, which may be too small for a real
}

/// x, not a number in rows of which too much is left: nobody looks at derivatives.
static evn_value mark_unsolved(evn_graph *g, evn_value x, evn_value b, evn_value residual) {
    const double most = 1e-4;
    evn_value one = evn_constant(g, 1), bound = evn_scale(g, size_of_rows(g, b), most);
    evn_value bad = evn_step(g, evn_sub(g, size_of_rows(g, residual), bound));
    evn_value mark = evn_div(g, evn_constant(g, 0), evn_sub(g, one, bad));
    return evn_add(g, x, evn_detach(g, mark));
}

static evn_status solve(const evn__site *site, jacobian *j, evn_value b, evn_value *solution) {
    const evn__attributes *a = &site->node.attributes;
    evn_graph *g = site->graph;
    const evn__krylov krylov = {g, multiply, j, a->vectors, a->cycles};
    evn_value x, image, residual;
    EVN_TRY(evn__krylov_solve(&krylov, b, &x, &residual));
    EVN_TRY(multiply(j, x, &image)); // for derivatives of the solution alone
    evn_value marked = mark_unsolved(g, x, b, residual), rest = evn_sub(g, image, b);
    *solution = evn__root(g, marked, x, rest, a->vectors, a->cycles);
    return evn_graph_status(g);
}

/// (∂r/∂x)⁻¹ b, or (∂r/∂x)⁻ᵀ b: itself the root of a linear system, so that it has derivatives too.
static evn_value solve_at(const evn__site *site, evn_value b, bool transposed) {
    jacobian j = {site->graph, site->node.operands[1], site->node.operands[2], transposed};
    evn_value solution = EVN_NONE;
    evn_status status = solve(site, &j, b, &solution);
    return status == EVN_OK ? solution
                            : evn__graph_fail(site->graph, status, "%s", evn_error_message());
}

void evn__vjp_ROOT(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    x_bar[1] = y_bar;
    x_bar[2] = evn_neg(site->graph, solve_at(site, y_bar, true));
}

evn_value evn__jvp_ROOT(const evn__site *site, const evn_value *x_dot) {
    evn_graph *g = site->graph;
    evn_value step = x_dot[2] == EVN_NONE ? EVN_NONE : evn_neg(g, solve_at(site, x_dot[2], false));
    return evn__add_tangents(g, x_dot[1], step);
}

// Those of subspaces are constants.
void evn__vjp_KRYLOV_EXTEND(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    (void)site, (void)y_bar, (void)x_bar;
}

evn_value evn__jvp_KRYLOV_EXTEND(const evn__site *site, const evn_value *x_dot) {
    (void)site, (void)x_dot;
    return EVN_NONE;
}

void evn__vjp_KRYLOV_COMBINE(const evn__site *site, evn_value y_bar, evn_value *x_bar) {
    (void)site, (void)y_bar, (void)x_bar;
}

evn_value evn__jvp_KRYLOV_COMBINE(const evn__site *site, const evn_value *x_dot) {
    (void)site, (void)x_dot;
    return EVN_NONE;
}
