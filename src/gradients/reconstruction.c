// SPDX-License-Identifier: Apache-2.0
#include "gradients/reconstruction.h"

#include "base/number.h"
#include "host/outbox.h"
#include "plan/build.h"
#include "plan/real.h"
#include <math.h>
#include <stdlib.h>

/// Sums of squares: of what is found less the truth, and of the truth; of x, of evolving weights.
enum { X_DIFFERENCE, X_TRUTH, THETA_DIFFERENCE, THETA_TRUTH, SUMS };

enum { TURNS = 2 }; // of what is read and what is written

struct evn__reconstruction {
    const evn__problem *problem;
    evn__layout layout;
    evn_buffer *truth;
    evn_buffer *sums;  ///< [jumps + 1][SUMS]: of the start, then of each place that was passed
    double *host, *at; ///< the same; [jumps + 1]: t
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
        add_square(g, evn_sub(g, evn_graph_input(g, i), truth),
                   &sums[i == 0 ? X_DIFFERENCE : THETA_DIFFERENCE]);
        add_square(g, truth, &sums[i == 0 ? X_TRUTH : THETA_TRUTH]);
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

/// The square of a norm of so many elements, below which another is measured as if it were this.
static double least_square(const evn__reconstruction *r, size_t elements) {
    double least = 10 * r->problem->options->atol;
    return least * least * (double)elements;
}

/// The square of the error by which a gradient is judged, of so many elements.
static evn_value judge(const evn__reconstruction *r, evn_graph *g, evn_value difference,
                       evn_value truth, size_t elements) {
    evn_value least = evn_constant(g, least_square(r, elements) + 1e-30); // where nothing evolves
    return evn_div(g, difference, evn_maximum(g, truth, least));
}

/// The larger one of both errors, squared, and of the worst before, which is the last input.
static void build_watching(const void *self, evn_graph *g) {
    const evn__reconstruction *r = self;
    const evn__layout *layout = &r->layout;
    evn_value sums[SUMS];
    sum_up(r, g, sums);
    evn_value worst = evn_input(g, "worst", EVN_SCALAR);
    evn_value x = judge(r, g, sums[X_DIFFERENCE], sums[X_TRUTH], layout->size[0]);
    evn_value theta =
        judge(r, g, sums[THETA_DIFFERENCE], sums[THETA_TRUTH], layout->total - layout->size[0]);
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
    EVN_TRY(EVN_NEW(&r->at, places));
    EVN_TRY(EVN_NEW(&r->host, places * SUMS));
    EVN_TRY(evn__real_create_for(p->device, EVN__USE_STATES, fp64, places * SUMS, &r->sums));
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

static evn_status sum_at(evn__reconstruction *r, const evn__scheme *scheme, evn_binding truth,
                         int place) {
    const evn_binding to = {r->sums, (size_t)place * SUMS};
    bind(r, scheme, truth);
    return evn_plan_run(r->plan, r->inputs, &to);
}

void evn__reconstruction_begin(evn__reconstruction *reconstruction) {
    reconstruction->passed = 0;
}

static evn_binding start(const evn__reconstruction *r) {
    return (evn_binding){r->truth, 0};
}

/// Of all places, to the host.
static evn_status measure(evn__reconstruction *r, const evn__scheme *scheme) {
    EVN_TRY(sum_at(r, scheme, start(r), 0));
    return evn__real_read((evn_binding){r->sums, 0}, r->problem->options->fp64, r->host,
                          (size_t)(r->passed + 1) * SUMS);
}

/// What is not finite is as far away as can be: NaN would be below every bound.
static double relative(double difference, double truth) {
    double error = truth > 0 ? sqrt(difference / truth) : sqrt(difference);
    return isnan(error) ? INFINITY : error;
}

evn_status evn__reconstruction_measure(evn__reconstruction *r, const evn__scheme *scheme,
                                       double *x_error, double *theta_error) {
    *x_error = *theta_error = 0;
    EVN_TRY(measure(r, scheme));
    for (int i = 0; i <= r->passed; ++i) {
        const double *sums = r->host + (size_t)i * SUMS;
        *x_error = fmax(*x_error, relative(sums[X_DIFFERENCE], sums[X_TRUTH]));
        *theta_error = fmax(*theta_error, relative(sums[THETA_DIFFERENCE], sums[THETA_TRUTH]));
    }
    return EVN_OK;
}

/// The error by which a gradient is judged, of so many elements. Where the truth is next to nothing
/// an error of several tolerances is what a good solve has.
static double judged(const evn__reconstruction *r, double difference, double truth,
                     size_t elements) {
    return relative(difference, fmax(truth, least_square(r, elements)));
}

/// One place.
static evn_status check_place(const evn__reconstruction *r, int place, evn_solution *solution) {
    const evn_solver_options *o = r->problem->options;
    const char *gradient = evn_gradient_name((int)o->gradient);
    const char *remedy = evn__scheme_remedy(o->gradient);
    const evn__layout *layout = &r->layout;
    const double *sums = r->host + (size_t)place * SUMS, bound = o->reconstruction;
    double t = place > 0 ? r->at[place] : solution->t;
    double x = judged(r, sums[X_DIFFERENCE], sums[X_TRUTH], layout->size[0]);
    double theta =
        judged(r, sums[THETA_DIFFERENCE], sums[THETA_TRUTH], layout->total - layout->size[0]);
    bool finite = isfinite(x) && isfinite(theta);
    solution->outcome = !finite                      ? EVN_OUTCOME_NOT_FINITE
                        : x > bound || theta > bound ? EVN_OUTCOME_NOT_RECONSTRUCTED
                                                     : solution->outcome;
    EVN_CHECK(
        finite, EVN_ERR_NOT_FINITE,
        "the gradient '%s': the solve backwards did not stay finite on its way to t = %.9g; %s",
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
