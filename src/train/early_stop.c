// SPDX-License-Identifier: Apache-2.0
#include "train/early_stop.h"

#include "task/evaluate.h"
#include "train/trainer_state.h"
#include <math.h>

enum { BATCHES_AHEAD = 16 };    // on which two phases' solvers are compared
enum { BATCHES_HELD_OUT = 16 }; // of what is held out, looked at with a summary

/// One that is not finite is none.
static evn_status set_loss(evn_epoch *epoch, const char *name, double loss) {
    return isfinite(loss) ? evn_metrics_set(&epoch->metrics, name, "", EVN_BETTER_LOWER, loss)
                          : EVN_OK;
}

/// The mean loss of the first batches of a part, at most `most` whole ones.
static evn_status measure(const evn_trainer *t, void *program, evn_part part, int most,
                          double *loss) {
    const evn_batch first = {.part = part, .epoch = evn__trainer_last_epoch(t)};
    int64_t batches = t->task.methods->batches(t->task.self, part);
    int64_t parts = (int64_t)most * t->options.micro_batches;
    evn_tally sum = {0};
    double nfe = 0;
    EVN_TRY(
        evn__task_run(&t->task, program, &first, batches < parts ? batches : parts, &sum, &nfe));
    *loss = sum.loss / sum.weight;
    return EVN_OK;
}

/// A phase that has ended has all its epochs behind it.
static void end_phase(evn_trainer *t, evn_switch ended, evn_epoch *epoch) {
    epoch->ended = ended;
    if (ended != EVN_SWITCH_NONE) {
        t->at.in_phase = evn__trainer_phase(t)->epochs;
    }
}

// Automatic ---------------------------------------------------------------------------------------

/// The loss of the first training batches with the phase's solver and with the next one's.
static evn_status compare_solvers(evn_trainer *t, evn_epoch *epoch) {
    double own, next;
    EVN_TRY(evn__programs_test(&t->programs, t->at.phase));
    EVN_TRY(measure(t, t->programs.testing, EVN_TRAIN, BATCHES_AHEAD, &own));
    EVN_TRY(measure(t, t->programs.ahead, EVN_TRAIN, BATCHES_AHEAD, &next));
    EVN_TRY(set_loss(epoch, "own_loss", own));
    EVN_TRY(set_loss(epoch, "next_loss", next));
    double train_loss = evn_metrics_value(&epoch->metrics, "train_loss");
    end_phase(t, evn__switch_now(&t->at.automatic, train_loss, own, next), epoch);
    return EVN_OK;
}

// Held out ----------------------------------------------------------------------------------------

/// The parameters to or from t->best; waits.
static evn_status copy_best(evn_trainer *t, bool keep) {
    evn_binding values = evn_parameters_values(t->parameters);
    size_t bytes = evn_parameters_element_count(t->parameters) * sizeof(*t->best);
    size_t offset = values.offset * sizeof(*t->best);
    return keep ? evn_buffer_read(values.buffer, offset, bytes, t->best)
                : evn_buffer_write(values.buffer, offset, bytes, t->best);
}

/// The loss of what is held out; the parameters are kept where it is the least.
static evn_status look_at_held_out(evn_trainer *t, double *loss, evn_switch *ended) {
    EVN_TRY(evn__programs_test(&t->programs, t->at.phase));
    EVN_TRY(measure(t, t->programs.testing, EVN_TEST, BATCHES_HELD_OUT, loss));
    EVN_CHECK(isfinite(*loss), EVN_ERR_NOT_FINITE,
              "the loss of the held-out part is not finite after %s %d (phase %s); lower the "
              "learning rate, or give the phase more steps",
              evn__trainer_unit(t), t->at.epoch, evn__trainer_phase(t)->name);
    *ended = evn__switch_held_out(&t->at.automatic, *loss, evn__trainer_summary_count(t));
    return t->at.automatic.stalled == 0 ? copy_best(t, true) : EVN_OK;
}

static evn_status look_and_tell(evn_trainer *t, evn_epoch *epoch) {
    double loss;
    evn_switch ended;
    EVN_TRY(look_at_held_out(t, &loss, &ended));
    bool over = t->at.in_phase == evn__trainer_phase(t)->epochs;
    end_phase(t, over ? EVN_SWITCH_NONE : ended, epoch);
    return set_loss(epoch, "held_out_loss", loss);
}

// Any phase ---------------------------------------------------------------------------------------

evn_status evn__early_stop_begin(evn_trainer *t) {
    double loss;
    evn_switch ended;
    EVN_TRY(evn__programs_look_ahead(&t->programs, t->at.phase));
    bool fresh = evn__trainer_phase(t)->held_out && t->at.in_phase == 0;
    return fresh ? look_at_held_out(t, &loss, &ended) : EVN_OK;
}

evn_status evn__early_stop_look(evn_trainer *t, evn_epoch *epoch) {
    const evn_phase *phase = evn__trainer_phase(t);
    if (phase->automatic) {
        return compare_solvers(t, epoch);
    }
    return phase->held_out && evn__trainer_summary_is_due(t) ? look_and_tell(t, epoch) : EVN_OK;
}

evn_status evn__early_stop_finish(evn_trainer *t) {
    return evn__trainer_phase(t)->held_out ? copy_best(t, false) : EVN_OK;
}
