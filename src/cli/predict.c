// SPDX-License-Identifier: Apache-2.0
#include "cli/reopen.h"
#include "cli/verb.h"

static evn_status run(const evn__command *command) {
    return evn__reopen_to_predict(command);
}

const evn__verb evn__verb_predict = {
    "predict",
    "RUN INPUT...",
    "answer inputs that a trained model has not seen",
    EVN__VERB_PREDICT,
    run,
    "\nOf a run on images the inputs are image files, brought to the size and colours of the "
    "run's\n"
    "as those of training were; - is one image from standard input. Each gets a line: its file,\n"
    "then the most probable classes. A file that is no good image is named with the reason on\n"
    "standard error, the others are answered, and the exit code says what was wrong with the "
    "first;\n"
    "--skip-bad N lets N of them pass. --files-from takes names with newlines where each ends in "
    "a\n"
    "NUL byte instead (find -print0).\n"};
