// SPDX-License-Identifier: Apache-2.0
#include "gradients/reconstruction.h"

#include "base/number.h"
#include "graph/node.h"
#include "host/outbox.h"
#include "plan/build.h"
#include "plan/real.h"
#include <math.h>
#include <stdlib.h>

/// Sums of squares: of what is found less the truth, of the truth, and of what is found; of x, of
/// evolving weights.
enum { DIFFERENCE, TRUTH, FOUND_ITSELF, OF_ONE };
enum { X, THETA = OF_ONE, SUMS = 2 * OF_ONE };

/// Which sums there are of a place: of the state that solving backwards has found, less the true
/// one, and of the second state of a pair, less the first.
typedef enum kind { FOUND, PAIR, KINDS } kind;

enum { TURNS = 2 }; // of what is read and what is written

struct evn__reconstruction {
    const evn__problem *problem;
    evn__layout layout;
    evn_buffer *truth;
    evn_buffer *sums;  ///< [jumps + 1][KINDS][SUMS]: of the start, then of each place passed
    double *host, *at; ///< the same; [jumps + 1]: t, of which [0] is unused
    bool paired;       ///< there are sums of pairs
    int passed;
    evn_plan *plan;
    evn_binding *inputs;
    // Watched, what is worst stays on the device, and is copied behind each gradient.
    evn_plan *watching; ///< NULL: it is not
    evn_buffer *worst[TURNS];
    int turn;    ///< which has the worst so far
    bool looked; ///< nothing is worst yet
    evn__outbox *outbox;
};

// Life --------------------------------------------------------------------------------------------

static void add_square(evn_graph *g, evn_value x, evn_value *sum) {
    *sum = evn_add(g, *sum, evn_sum_all(g, evn_mul(g, x, x)));
}

/// Inputs: all components found, then all true ones.
static void sum_up(const evn__reconstruction *r, evn_graph *g, evn_value sums[SUMS]) {
    const evn_graph *system = r->problem->system->graph;
    int count = r->layout.count;
    for (int i = 0; i < SUMS; ++i) {
        sums[i] = evn_constant(g, 0);
    }
    for (int i = 0; i < 2 * count; ++i) {
        char name[EVN_MAX_NAME + 8];
        int state = i % count;
        evn__print(name, sizeof(name), "%s%s",
                   evn_graph_input_name(system, evn__system_state(state)),
                   i < count ? "" : "_true");
        evn_input(g, name, evn__system_state_shape(r->problem->system, state));
    }
    for (int i = 0; i < count && evn_graph_status(g) == EVN_OK; ++i) {
        evn_value truth = evn_graph_input(g, count + i);
        evn_value *of = sums + (i == 0 ? X : THETA), found = evn_graph_input(g, i);
        add_square(g, evn_sub(g, found, truth), &of[DIFFERENCE]);
        add_square(g, truth, &of[TRUTH]);
        add_square(g, found, &of[FOUND_ITSELF]);
    }
}

static void build(const void *self, evn_graph *g) {
    evn_value sums[SUMS];
    sum_up(self, g, sums);
    for (int i = 0; i < SUMS; ++i) {
        sums[i] = evn_reshape(g, sums[i], EVN_SHAPE(1));
    }
    evn_output(g, "sums", evn_concat(g, sums, SUMS, 0));
}

/// The square of a norm of so many elements, below which another is measured as if it were this: by
/// the usual bound of 0.05 an error of ten tolerances passes, as a good solve has where x is 0.
static double least_square(const evn__reconstruction *r, size_t elements) {
    double least = 200 * r->problem->options->atol;
    return least * least * (double)elements;
}

/// The square of the error by which a gradient is judged, of so many elements: by the smaller one
/// of both sizes, since what grows away from the truth, and what decays, are as wrong.
static evn_value judge(const evn__reconstruction *r, evn_graph *g, const evn_value *sums,
                       size_t elements) {
    evn_value least = evn_constant(g, least_square(r, elements) + 1e-30); // where nothing evolves
    evn_value size = evn__minimum(g, sums[TRUTH], sums[FOUND_ITSELF]);
    return evn_div(g, sums[DIFFERENCE], evn_maximum(g, size, least));
}

/// The larger one of both errors, squared, and of the worst before, which is the last input.
static void build_watching(const void *self, evn_graph *g) {
    const evn__reconstruction *r = self;
    const evn__layout *layout = &r->layout;
    evn_value sums[SUMS];
    sum_up(r, g, sums);
    evn_value worst = evn_input(g, "worst", EVN_SCALAR);
    evn_value x = judge(r, g, sums + X, layout->size[0]);
    evn_value theta = judge(r, g, sums + THETA, layout->total - layout->size[0]);
    evn_output(g, "worst", evn_maximum(g, worst, evn_maximum(g, x, theta)));
}

static evn_status create_watching(evn__reconstruction *r) {
    const evn__problem *p = r->problem;
    bool fp64 = p->options->fp64;
    const evn_plan_options options = {.fp64 = fp64};
    for (int i = 0; i < TURNS; ++i) {
        EVN_TRY(evn__real_create_for(p->device, EVN__USE_STATES, fp64, 1, &r->worst[i]));
    }
    r->looked = true;
    EVN_TRY(evn__outbox_create(p->device, evn__real_bytes(fp64), &r->outbox));
    return evn__plan_build(p->device, build_watching, r, &options, &r->watching);
}

static evn_status create(evn__reconstruction *r) {
    const evn__problem *p = r->problem;
    bool fp64 = p->options->fp64;
    const evn_plan_options options = {.fp64 = fp64};
    EVN_TRY(evn__layout_create(p->system, &r->layout));
    EVN_TRY(EVN_NEW(&r->inputs, 2 * r->layout.count + 1));
    EVN_TRY(evn__real_create_for(p->device, EVN__USE_STATES, fp64, r->layout.total, &r->truth));
    size_t places = (size_t)p->options->jump_count + 1;
    size_t sums = places * KINDS * SUMS;
    EVN_TRY(EVN_NEW(&r->at, places));
    EVN_TRY(EVN_NEW(&r->host, sums));
    EVN_TRY(evn__real_create_for(p->device, EVN__USE_STATES, fp64, sums, &r->sums));
    EVN_TRY(evn__real_zero((evn_binding){r->sums, 0}, fp64, sums));
    EVN_TRY(evn__plan_build(p->device, build, r, &options, &r->plan));
    return p->options->watch ? create_watching(r) : EVN_OK;
}

evn_status evn__reconstruction_create(const evn__problem *problem,
                                      evn__reconstruction **reconstruction) {
    EVN_TRY(EVN_NEW(reconstruction, 1));
    (*reconstruction)->problem = problem;
    evn_status status = create(*reconstruction);
    if (status != EVN_OK) {
        evn__reconstruction_destroy(reconstruction);
    }
    return status;
}

void evn__reconstruction_destroy(evn__reconstruction **reconstruction) {
    evn__reconstruction *r = *reconstruction;
    if (!r) {
        return;
    }
    evn__layout_free(&r->layout);
    evn_buffer_destroy(&r->truth);
    evn_buffer_destroy(&r->sums);
    evn_plan_destroy(&r->plan);
    evn__outbox_destroy(&r->outbox);
    for (int i = 0; i < TURNS; ++i) {
        evn_buffer_destroy(&r->worst[i]);
    }
    evn_plan_destroy(&r->watching);
    free(r->inputs);
    free(r->host);
    free(r->at);
    free(r);
    *reconstruction = NULL;
}

// Measuring ---------------------------------------------------------------------------------------

evn_binding evn__reconstruction_truth(const evn__reconstruction *reconstruction, int index) {
    return (evn_binding){reconstruction->truth, reconstruction->layout.offset[index]};
}

static void bind(evn__reconstruction *r, const evn__scheme *scheme, evn_binding truth) {
    int count = r->layout.count;
    for (int i = 0; i < count; ++i) {
        r->inputs[i] = scheme->methods->reconstructed(scheme, i);
        r->inputs[count + i] = (evn_binding){truth.buffer, truth.offset + r->layout.offset[i]};
    }
}

static evn_status run_at(const evn__reconstruction *r, int place, kind what) {
    const evn_binding to = {r->sums, (size_t)(place * KINDS + (int)what) * SUMS};
    return evn_plan_run(r->plan, r->inputs, &to);
}

/// Both states of a pair, where the scheme, or that of x along weights that are solved by
/// themselves, has one; of these weights there is one state, no different from itself.
static evn_status sum_pair(evn__reconstruction *r, const evn__scheme *scheme, int place) {
    int count = r->layout.count;
    const evn_binding *parameters;
    const evn__scheme *x =
        scheme->methods->of_x ? scheme->methods->of_x(scheme, &parameters) : scheme;
    r->paired = x->methods->pair != NULL;
    for (int i = 0; i < count && r->paired; ++i) {
        evn_binding both[2] = {{r->truth, r->layout.offset[i]}, {r->truth, r->layout.offset[i]}};
        if (i < x->problem->system->state_count) {
            x->methods->pair(x, i, both);
        }
        r->inputs[i] = both[1];
        r->inputs[count + i] = both[0];
    }
    return r->paired ? run_at(r, place, PAIR) : EVN_OK;
}

static evn_status sum_at(evn__reconstruction *r, const evn__scheme *scheme, evn_binding truth,
                         int place) {
    bind(r, scheme, truth);
    EVN_TRY(run_at(r, place, FOUND));
    return sum_pair(r, scheme, place);
}

void evn__reconstruction_begin(evn__reconstruction *reconstruction) {
    reconstruction->passed = 0;
}

static evn_binding start(const evn__reconstruction *r) {
    return (evn_binding){r->truth, 0};
}

/// So many places, to the host.
static evn_status read(const evn__reconstruction *r, int places) {
    return evn__real_read((evn_binding){r->sums, 0}, r->problem->options->fp64, r->host,
                          (size_t)places * KINDS * SUMS);
}

static const double *sums_at(const evn__reconstruction *r, int place, kind what) {
    return r->host + (size_t)(place * KINDS + (int)what) * SUMS;
}

/// Of all places, to the host.
static evn_status measure(evn__reconstruction *r, const evn__scheme *scheme) {
    EVN_TRY(sum_at(r, scheme, start(r), 0));
    return read(r, r->passed + 1);
}

/// What is not finite is as far away as can be: NaN would be below every bound.
static double relative(double difference, double truth) {
    double error = truth > 0 ? sqrt(difference / truth) : sqrt(difference);
    return isnan(error) ? INFINITY : error;
}

/// Those of a place, as they are.
static void tell(const double *sums, double *x, double *theta) {
    *x = fmax(*x, relative(sums[X + DIFFERENCE], sums[X + TRUTH]));
    *theta = fmax(*theta, relative(sums[THETA + DIFFERENCE], sums[THETA + TRUTH]));
}

evn_status evn__reconstruction_measure(evn__reconstruction *r, const evn__scheme *scheme,
                                       double *x_error, double *theta_error) {
    *x_error = *theta_error = 0;
    EVN_TRY(measure(r, scheme));
    for (int i = 0; i <= r->passed; ++i) {
        tell(sums_at(r, i, FOUND), x_error, theta_error);
    }
    return EVN_OK;
}

evn_status evn__reconstruction_apart(evn__reconstruction *r, const evn__scheme *scheme,
                                     double *x_apart, double *theta_apart) {
    *x_apart = *theta_apart = 0;
    EVN_TRY(sum_pair(r, scheme, 0));
    if (!r->paired) {
        return EVN_OK;
    }
    EVN_TRY(read(r, 1));
    tell(sums_at(r, 0, PAIR), x_apart, theta_apart);
    return EVN_OK;
}

evn_status evn__reconstruction_check_apart(double x_apart, double theta_apart,
                                           evn_solution *solution) {
    double worst = fmax(x_apart, theta_apart);
    if (!isfinite(worst) || worst <= EVN_MOST_APART) { // what is not finite is told as that
        return EVN_OK;
    }
    solution->outcome = EVN_OUTCOME_STATES_APART;
    EVN_FAIL(EVN_ERR_SOLVER,
             "the two states of the reversible method end %.3g times the size of %s apart, more "
             "than %g: a second solution, which grows as fast as the state decays, or steps that "
             "are too long, have spoilt the solve and its gradient; take the gradient checkpointed "
             "or backprop, or give more steps, which help where little decays",
             worst, x_apart >= theta_apart ? "the state" : "the evolving weights", EVN_MOST_APART);
}

/// The error by which a gradient is judged, of so many elements.
static double judged(const evn__reconstruction *r, const double *sums, size_t elements) {
    double least = least_square(r, elements) + 1e-30;
    return relative(sums[DIFFERENCE], fmax(fmin(sums[TRUTH], sums[FOUND_ITSELF]), least));
}

static evn_status check_apart(const evn__reconstruction *r, int place, evn_solution *solution) {
    double x = 0, theta = 0;
    tell(sums_at(r, place, PAIR), &x, &theta);
    return evn__reconstruction_check_apart(x, theta, solution);
}

/// One place.
static evn_status check_place(const evn__reconstruction *r, int place, evn_solution *solution) {
    const evn_solver_options *o = r->problem->options;
    const char *gradient = evn_gradient_name((int)o->gradient);
    const char *remedy = evn__scheme_remedy(o->gradient);
    const evn__layout *layout = &r->layout;
    const double *sums = sums_at(r, place, FOUND), bound = o->reconstruction;
    double t = place > 0 ? r->at[place] : solution->t;
    double x = judged(r, sums + X, layout->size[0]);
    double theta = judged(r, sums + THETA, layout->total - layout->size[0]);
    bool finite = isfinite(x) && isfinite(theta);
    EVN_TRY(check_apart(r, place, solution));
    solution->outcome = !finite                      ? EVN_OUTCOME_NOT_FINITE
                        : x > bound || theta > bound ? EVN_OUTCOME_NOT_RECONSTRUCTED
                                                     : solution->outcome;
    EVN_CHECK(
        finite, EVN_ERR_NOT_FINITE,
        "the gradient '%s': the solve backwards did not stay finite on its way to t = %.9g; look "
        "whether the solve, whose steps may be too long for f, and what the gradient was given "
        "are finite (evn_solver_outcome); if so, %s",
        gradient, t, remedy);
    EVN_CHECK(x <= bound && theta <= bound, EVN_ERR_SOLVER,
              "solving backwards ends %.3g of %s away from the true one at t = %.9g, which is more "
              "than %g, so that the gradient '%s' is not to be trusted; %s",
              fmax(x, theta), x >= theta ? "the state" : "the evolving weights", t, bound, gradient,
              remedy);
    return EVN_OK;
}

evn_status evn__reconstruction_check(evn__reconstruction *r, const evn__scheme *scheme,
                                     evn_solution *solution) {
    EVN_TRY(measure(r, scheme));
    bool counts = evn__device_is_counting(r->problem->device); // nothing was solved
    for (int i = 1; i <= r->passed && !counts; ++i) {
        EVN_TRY(check_place(r, i, solution));
    }
    return counts ? EVN_OK : check_place(r, 0, solution);
}

// Watching ----------------------------------------------------------------------------------------

/// Enqueues only.
static evn_status note_worst(evn__reconstruction *r, const evn__scheme *scheme, evn_binding truth) {
    const evn_binding from = {r->worst[r->turn], 0}, to = {r->worst[1 - r->turn], 0};
    EVN_TRY(r->looked ? evn__real_zero(from, r->problem->options->fp64, 1) : EVN_OK);
    bind(r, scheme, truth);
    r->inputs[2 * r->layout.count] = from;
    EVN_TRY(evn_plan_run(r->watching, r->inputs, &to));
    EVN_TRY(evn__outbox_send(r->outbox, to.buffer));
    r->turn = 1 - r->turn; // only of what was sent: else a look would find what was sent before
    r->looked = false;
    return EVN_OK;
}

evn_status evn__reconstruction_pass(evn__reconstruction *r, const evn__scheme *scheme,
                                    evn_binding truth, double t) {
    int place = ++r->passed;
    r->at[place] = t;
    EVN_TRY(r->watching ? note_worst(r, scheme, truth) : EVN_OK);
    return sum_at(r, scheme, truth, place);
}

evn_status evn__reconstruction_watch(evn__reconstruction *r, const evn__scheme *scheme) {
    return note_worst(r, scheme, start(r));
}

evn_status evn__reconstruction_look(evn__reconstruction *r, double *worst) {
    union {
        float single;
        double twice;
    } square;
    *worst = 0;
    if (r->looked) {
        return EVN_OK;
    }
    r->looked = true;
    EVN_TRY(evn__outbox_look(r->outbox, &square));
    *worst = relative(r->problem->options->fp64 ? square.twice : (double)square.single, 1);
    return EVN_OK;
}
