// SPDX-License-Identifier: Apache-2.0
// A task that is said by its loss: a graph, which is differentiated, behind a solver or alone.
#include "evonode/tasks.h"

#include "base/memory.h"
#include "dynamics/system.h"
#include "evonode/diff.h"
#include "host/inbox.h"
#include "plan/real.h"
#include "task/bound_plan.h"
#include "task/given_source.h"
#include "task/learnt_solver.h"
#include <stdlib.h>
#include <string.h>

/// What the loss may read that is no parameter. x is what was solved.
enum { PORT_X, PORT_SAMPLE, PORT_TARGET, PORT_WEIGHT, PORTS };
static const char *const port_names[PORTS] = {"x", "sample", "target", "weight"};

typedef struct loss {
    evn_device *device;
    evn_parameters *parameters; ///< borrowed
    evn_source source;          ///< without methods: there is none
    int observations;
    evn_source_info info;    ///< a batch of 1 without a source
    evn_shape shapes[PORTS]; ///< with B before; of ports that there are
    bool there[PORTS];
    evn_dynamics *dynamics;      ///< NULL: nothing is solved
    float *start;                ///< NULL: the samples are
    double *times;               ///< NULL: equal parts
    evn_graph *value, *gradient; ///< both with an input loss_bar
} loss;

typedef struct program {
    loss *task;
    evn__learnt_solver learnt;
    evn__bound_plan plan;
    int x; ///< which input of the plan is x; −1: none
    bool trains;
    evn__inbox *batch; ///< samples, targets and weights that the source gives; NULL: it has none
    size_t at[PORTS];  ///< where these are in it
    int input[PORTS];  ///< of the plan; −1: it takes none
    evn_buffer *memory;
    evn_binding value, one, x_bar, start;
    float *samples, *targets, *weights;
    int64_t filled;
} program;

static size_t count_of(const loss *t, int port) {
    return t->there[port] ? (size_t)evn_shape_count(t->shapes[port]) : 0;
}

// Program -----------------------------------------------------------------------------------------

static void release(void *self) {
    program *p = self;
    evn__learnt_solver_free(&p->learnt);
    evn__bound_plan_free(&p->plan);
    evn__inbox_destroy(&p->batch);
    evn_buffer_destroy(&p->memory);
    free(p->samples);
    free(p->targets);
    free(p->weights);
    free(p);
}

static evn_binding place(program *p, size_t *at, size_t count) {
    evn_binding binding = {p->memory, *at};
    *at += evn__real_aligned(count);
    return binding;
}

static size_t state_elements(const loss *t) {
    return t->dynamics ? (size_t)evn_shape_count(evn_dynamics_state_shape(t->dynamics)) : 0;
}

static evn_status make_batch(program *p) {
    const loss *t = p->task;
    size_t all = 0;
    for (int port = PORT_SAMPLE; port < PORTS; ++port) {
        p->at[port] = all;
        all += evn__real_aligned(count_of(t, port));
    }
    return all > 0 ? evn__inbox_create(t->device, all * sizeof(float), &p->batch) : EVN_OK;
}

/// x has memory of the solver; its cotangent and x(0) are here.
static evn_status make_memory(program *p) {
    const loss *t = p->task;
    size_t at = 0, all = evn__real_aligned(count_of(t, PORT_X)) +
                         evn__real_aligned(state_elements(t)) + 2 * evn__real_aligned(1);
    EVN_TRY(make_batch(p));
    EVN_TRY(evn__real_create_for(t->device, EVN__USE_BATCHES, false, all, &p->memory));
    p->x_bar = place(p, &at, count_of(t, PORT_X));
    p->start = place(p, &at, state_elements(t)); // unless it is the samples
    p->value = place(p, &at, 1);
    p->one = place(p, &at, 1);
    EVN_TRY(EVN_NEW(&p->samples, count_of(t, PORT_SAMPLE)));
    EVN_TRY(EVN_NEW(&p->targets, count_of(t, PORT_TARGET)));
    EVN_TRY(EVN_NEW(&p->weights, t->info.batch));
    return t->start ? evn__real_write_floats(p->start, t->start, state_elements(t)) : EVN_OK;
}

/// The plan of the loss, with its gradients where it trains.
static evn_status make_plan(program *p) {
    const loss *t = p->task;
    const float one = 1;
    const evn_graph *graph = p->trains ? t->gradient : t->value;
    EVN_TRY(evn__bound_plan_create(t->device, graph, NULL, t->parameters, &p->plan));
    for (int port = PORT_SAMPLE; port < PORTS; ++port) {
        p->input[port] = evn_graph_find_input(graph, port_names[port]);
    }
    p->x = evn_graph_find_input(graph, port_names[PORT_X]);
    evn__bound_plan_input(&p->plan, graph, "loss_bar", p->one);
    EVN_TRY(evn__real_write_floats(p->one, &one, 1));
    evn__bound_plan_output(&p->plan, graph, "loss", p->value);
    evn__bound_plan_output(&p->plan, graph, "x_bar", p->x_bar);
    return EVN_OK;
}

static evn_status make_program(program *p, const evn_solver_options *options) {
    const loss *t = p->task;
    EVN_TRY(make_memory(p));
    EVN_TRY(make_plan(p));
    if (!t->dynamics) {
        return EVN_OK;
    }
    evn_solver_options solver = *options;
    solver.observations = t->observations;
    solver.times = t->times;
    return evn__learnt_solver_create(t->device, t->dynamics, t->parameters, &solver, &p->learnt);
}

static evn_status check(void *self, const evn_solver_options *solver, bool trains) {
    return ((loss *)self)->dynamics ? evn__learnt_solver_check(solver, trains) : EVN_OK;
}

static evn_status compile(void *self, const evn_solver_options *solver, bool trains,
                          void **compiled) {
    program *p = NULL;
    EVN_TRY(check(self, solver, trains));
    EVN_TRY(EVN_NEW(&p, 1));
    p->task = self;
    p->trains = trains;
    evn_status status = make_program(p, solver);
    if (status != EVN_OK) {
        release(p);
        return status;
    }
    *compiled = p;
    return EVN_OK;
}

/// To where the plan, and a solve from the samples, reads it.
static void bind_batch(program *p, evn_buffer *where) {
    for (int port = PORT_SAMPLE; port < PORTS; ++port) {
        if (p->input[port] >= 0) {
            p->plan.inputs[p->input[port]] = (evn_binding){where, p->at[port]};
        }
    }
    p->start = p->task->start ? p->start : (evn_binding){where, p->at[PORT_SAMPLE]};
}

static evn_status send_batch(program *p) {
    const float *const drawn[PORTS] = {NULL, p->samples, p->targets, p->weights};
    void *memory;
    evn_buffer *where;
    EVN_TRY(evn__inbox_open(p->batch, &memory));
    for (int port = PORT_SAMPLE; port < PORTS; ++port) {
        size_t count = count_of(p->task, port);
        if (count > 0) {
            memcpy((float *)memory + p->at[port], drawn[port], count * sizeof(float));
        }
    }
    EVN_TRY(evn__inbox_close(p->batch, &where));
    bind_batch(p, where);
    return EVN_OK;
}

static evn_status load(void *self, const evn_batch *batch, int slot) {
    program *p = self;
    const loss *t = p->task;
    (void)slot;
    p->filled = 1;
    if (!t->source.methods) {
        return EVN_OK; // there is one batch, and it is in the graph
    }
    EVN_TRY(evn__source_fill(&t->source, batch, 1, p->samples, p->targets, p->weights, &p->filled));
    return send_batch(p);
}

static evn_status forward(void *self, int slot, evn_solution *solution) {
    program *p = self;
    evn_binding x = {0};
    (void)slot;
    if (p->task->dynamics) {
        EVN_TRY(evn_solve(p->learnt.solver, 0, 1, p->start, p->learnt.weights, &x, solution));
    }
    if (p->x >= 0) {
        p->plan.inputs[p->x] = x;
    }
    return evn_plan_run(p->plan.plan, p->plan.inputs, p->plan.outputs);
}

/// What does not go through the solver was computed with the loss.
static evn_status gradient(void *self, evn_solution *solution) {
    program *p = self;
    evn_binding x0_bar;
    return p->task->dynamics ? evn_solve_gradient(p->learnt.solver, p->x_bar, &x0_bar,
                                                  p->learnt.weights_bar, solution)
                             : EVN_OK;
}

static evn_status read(void *self, int first, int count, evn_tally *tally) {
    program *p = self;
    double value;
    (void)first, (void)count; // one slot
    EVN_TRY(evn__real_read(p->value, false, &value, 1));
    tally->loss += value * (double)p->task->info.batch; // a mean over the whole batch
    tally->weight += (double)p->filled;
    tally->samples += p->filled;
    return EVN_OK;
}

static evn_status reconstruction(void *self, double *x_error, double *theta_error) {
    program *p = self;
    *x_error = *theta_error = 0;
    return p->learnt.solver ? evn_solver_reconstruction(p->learnt.solver, x_error, theta_error)
                            : EVN_OK;
}

static evn_status apart(void *self, double *x_apart, double *theta_apart) {
    program *p = self;
    *x_apart = *theta_apart = 0;
    return p->learnt.solver ? evn_solver_apart(p->learnt.solver, x_apart, theta_apart) : EVN_OK;
}

static evn_status watched(void *self, double *worst) {
    program *p = self;
    *worst = 0;
    return p->learnt.solver ? evn_solver_watched(p->learnt.solver, worst) : EVN_OK;
}

// The task ----------------------------------------------------------------------------------------

static evn_parameters *parameters(void *self) {
    return ((loss *)self)->parameters;
}

static int64_t batches(void *self, evn_part part) {
    return ((loss *)self)->info.batches[part];
}

static void destroy(void *self) {
    loss *t = self;
    evn_dynamics_destroy(&t->dynamics);
    evn_graph_destroy(&t->value);
    evn_graph_destroy(&t->gradient);
    free(t->start);
    free(t->times);
    free(t);
}

#define METHODS(endless)                                                                           \
    {                                                                                              \
        .name = "loss", .iterates = endless, .slots = 1, .parameters = parameters,                 \
        .batches = batches, .check = check, .compile = compile, .release = release, .load = load,  \
        .forward = forward, .gradient = gradient, .read = read, .reconstruction = reconstruction,  \
        .apart = apart, .watched = watched, .destroy = destroy                                     \
    }
static const evn_task_methods with_epochs = METHODS(false), with_iterations = METHODS(true);

static bool is_solved_for(const loss *t, const char *parameter) {
    for (int i = 0; t->dynamics && i < evn_dynamics_weight_count(t->dynamics); ++i) {
        if (strcmp(evn_dynamics_weight_name(t->dynamics, i), parameter) == 0) {
            return true;
        }
    }
    return false;
}

static int find_port(const char *name) {
    int port = 0;
    while (port < PORTS && strcmp(port_names[port], name) != 0) {
        ++port;
    }
    return port;
}

/// An input of the loss: a port that there is, or a parameter of the loss alone.
static evn_status check_input(const loss *t, const evn_graph *graph, int index) {
    const char *name = evn_graph_input_name(graph, index);
    evn_shape shape = evn_value_shape(graph, evn_graph_input(graph, index));
    int port = find_port(name), parameter = evn_parameters_find(t->parameters, name);
    if (port < PORTS) {
        EVN_CHECK(t->there[port], EVN_ERR_ARGUMENT, "the loss reads %s, which there is not: %s",
                  name, port == PORT_X ? "nothing is solved" : "its source does not give it");
        EVN_CHECK(evn_shape_equal(shape, t->shapes[port]), EVN_ERR_SHAPE,
                  "the loss reads %s in another shape than it has", name);
        return EVN_OK;
    }
    EVN_CHECK(parameter >= 0, EVN_ERR_ARGUMENT,
              "the loss reads %s, which is no parameter, and none of x, sample, target, weight",
              name);
    EVN_CHECK(evn_shape_equal(shape, evn_parameters_shape(t->parameters, parameter)), EVN_ERR_SHAPE,
              "the loss reads the parameter %s in another shape than it has", name);
    EVN_CHECK(!is_solved_for(t, name), EVN_ERR_ARGUMENT,
              "%s is a weight of the dynamics and an input of the loss; it can be one of them",
              name);
    return EVN_OK;
}

static evn_status check_loss(const loss *t, const evn_graph *graph) {
    EVN_TRY(evn_graph_status(graph));
    EVN_CHECK(evn_graph_output_count(graph) == 1 && evn_graph_find_output(graph, "loss") == 0 &&
                  evn_shape_count(evn_value_shape(graph, evn_graph_output(graph, 0))) == 1,
              EVN_ERR_ARGUMENT, "the graph of the loss has one output, the number \"loss\"");
    for (int i = 0; i < evn_graph_input_count(graph); ++i) {
        EVN_TRY(check_input(t, graph, i));
    }
    for (int i = 0; t->dynamics && i < evn_dynamics_weight_count(t->dynamics); ++i) {
        const char *name = evn_dynamics_weight_name(t->dynamics, i);
        int index = evn_parameters_find(t->parameters, name);
        EVN_CHECK(index >= 0 && evn_shape_equal(evn_parameters_shape(t->parameters, index),
                                                evn_dynamics_weight_shape(t->dynamics, i)),
                  EVN_ERR_SHAPE, "there is no parameter %s of the shape that the dynamics has",
                  name);
    }
    return EVN_OK;
}

/// The loss with cotangents of x and of its parameters where `trains`; a copy of the graph, which
/// is the caller's, in either case.
static evn_status differentiate(const evn_graph *graph, bool trains, evn_graph **result) {
    int count = evn_graph_input_count(graph), wanted = 0;
    const char **wrt;
    EVN_TRY(EVN_NEW(&wrt, count + 1)); // NULL at its end
    for (int i = 0; i < count && trains; ++i) {
        const char *name = evn_graph_input_name(graph, i);
        if (find_port(name) == PORT_X || find_port(name) == PORTS) {
            wrt[wanted++] = name;
        }
    }
    evn_status status = evn_vjp(graph, wrt, result);
    free(wrt);
    return status;
}

static evn_status copy_array(const void *from, size_t count, size_t size, void **copy) {
    if (!from || count == 0) {
        return EVN_OK;
    }
    *copy = malloc(count * size);
    EVN_CHECK(*copy, EVN_ERR_MEMORY, "no memory for %zu numbers", count);
    memcpy(*copy, from, count * size);
    return EVN_OK;
}

/// B before the shape of one.
static evn_shape batched(evn_shape shape, int64_t batch) {
    evn_shape all = {.rank = shape.rank + 1, .dim = {batch}};
    memcpy(all.dim + 1, shape.dim, (size_t)shape.rank * sizeof(shape.dim[0]));
    return all;
}

static evn_status read_source(loss *t, const evn_source *source) {
    if (!source) {
        t->info = (evn_source_info){.batch = 1};
        return EVN_OK;
    }
    EVN_TRY(evn__source_check(source));
    t->source = *source;
    t->info = source->methods->info(source->self);
    EVN_CHECK(t->info.sample.rank < EVN_MAX_RANK && t->info.target.rank < EVN_MAX_RANK,
              EVN_ERR_SHAPE, "samples and targets of a loss have at most %d axes",
              EVN_MAX_RANK - 1);
    t->there[PORT_SAMPLE] = t->there[PORT_WEIGHT] = true;
    t->there[PORT_TARGET] = t->info.has_target;
    t->shapes[PORT_SAMPLE] = batched(t->info.sample, t->info.batch);
    t->shapes[PORT_TARGET] = batched(t->info.target, t->info.batch);
    t->shapes[PORT_WEIGHT] = EVN_SHAPE(t->info.batch);
    return EVN_OK;
}

static evn_status read_dynamics(loss *t, const evn_loss_options *from) {
    if (!from->dynamics) {
        return EVN_OK;
    }
    EVN_TRY(evn__dynamics_copy(from->dynamics, &t->dynamics));
    evn_shape state = evn_dynamics_state_shape(t->dynamics);
    EVN_CHECK(from->start || (from->source && evn_shape_equal(state, t->shapes[PORT_SAMPLE])),
              EVN_ERR_SHAPE,
              "nothing says where the solution begins: give `start`, or a source whose batches of "
              "samples have the shape of the state");
    EVN_CHECK(from->observations >= 0 && state.rank < EVN_MAX_RANK, EVN_ERR_ARGUMENT,
              "%d observations of a state of %d axes", from->observations, state.rank);
    t->there[PORT_X] = true;
    t->shapes[PORT_X] = from->observations > 0 ? batched(state, from->observations) : state;
    EVN_TRY(
        copy_array(from->start, (size_t)evn_shape_count(state), sizeof(float), (void **)&t->start));
    return copy_array(from->times, (size_t)from->observations, sizeof(double), (void **)&t->times);
}

static evn_status make(loss *t, const evn_loss_options *from) {
    EVN_TRY(read_source(t, from->source));
    EVN_TRY(read_dynamics(t, from));
    EVN_TRY(check_loss(t, from->loss));
    EVN_TRY(differentiate(from->loss, false, &t->value));
    return differentiate(from->loss, true, &t->gradient);
}

evn_status evn_task_loss(evn_device *device, const evn_loss_options *options, evn_task *task) {
    loss *t = NULL;
    EVN_REQUIRE(task);
    *task = (evn_task){0};
    EVN_REQUIRE(device);
    EVN_REQUIRE(options);
    EVN_REQUIRE(options->parameters);
    EVN_REQUIRE(options->loss);
    EVN_TRY(EVN_NEW(&t, 1));
    *t = (loss){
        .device = device, .parameters = options->parameters, .observations = options->observations};
    evn_status status = make(t, options);
    if (status != EVN_OK) {
        destroy(t);
        return status;
    }
    bool endless = t->info.batches[EVN_TRAIN] == 0;
    *task = (evn_task){endless ? &with_iterations : &with_epochs, t};
    return EVN_OK;
}
