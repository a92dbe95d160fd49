// SPDX-License-Identifier: Apache-2.0
#include "bench/task_rows.h"

#include "base/memory.h"
#include "bench/tensors.h"
#include <math.h>
#include <stdlib.h>

static evn_batch batch_at(int64_t iteration) {
    return (evn_batch){
        .part = EVN_TRAIN, .training = true, .epoch = iteration, .number = iteration};
}

evn_status evn__bench_task_compile(evn__bench_task *job, const evn_solver_options *solver) {
    return job->task.methods->compile(job->task.self, solver, true, &job->program);
}

evn_status evn__bench_task_run(void *user) {
    evn__bench_task *j = user;
    const evn_task_methods *m = j->task.methods;
    evn_solution solution;
    evn_tally tally = {0};
    evn_batch batch = batch_at(j->iteration++);
    EVN_TRY(m->load(j->program, &batch, 0));
    EVN_TRY(m->forward(j->program, 0, &solution));
    EVN_TRY(m->gradient(j->program, &solution));
    EVN_TRY(m->read(j->program, 0, 1, &tally));
    j->loss = tally.loss / tally.weight;
    return EVN_OK;
}

evn_status evn__bench_task_outputs(void *user, evn__bench_tensors *tensors) {
    evn__bench_task *j = user;
    EVN_TRY(evn__bench_tensors_add(tensors, "loss", EVN_SCALAR, &j->loss));
    return evn__bench_tensors_gradients(tensors, evn__bench_task_parameters(j));
}

evn_status evn__bench_task_compare(const evn__bench_task *job,
                                   const evn__bench_reference *reference, double *difference) {
    evn__bench_agreement loss = {0}, gradients = {0};
    EVN_TRY(evn__bench_reference_run(reference));
    evn__bench_agree(&loss, &job->loss, evn__bench_reference_output(reference, "loss"), 1);
    EVN_TRY(evn__bench_agree_gradients(&gradients, reference, evn__bench_task_parameters(job)));
    *difference = fmax(evn__bench_difference(&loss), evn__bench_difference(&gradients));
    return EVN_OK;
}

void evn__bench_task_destroy(void *user) {
    evn__bench_task *j = user;
    if (j->task.methods) {
        j->task.methods->release(j->program);
    }
    evn_task_destroy(&j->task);
    evn_source_destroy(&j->source);
    free(j);
}

evn_parameters *evn__bench_task_parameters(const evn__bench_task *job) {
    return job->task.methods->parameters(job->task.self);
}

evn_status evn__bench_task_batch(const evn__bench_task *job, float *samples, float *targets,
                                 float *weights) {
    int64_t filled;
    evn_batch batch = batch_at(job->iteration > 0 ? job->iteration - 1 : 0);
    return job->source.methods->fill(job->source.self, &batch, samples, targets, weights, &filled);
}
