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
    "\nOf a run of series the input is one CSV file, or - for standard input, with a column of\n"
    "times that is called as in the run's file (or with times alone), and perhaps its column of\n"
    "groups; without that each trajectory is answered at all times. The answer has the columns of\n"
    "the run's file at these times, in the order of the rows. Of a flow it is one CSV file with "
    "the\n"
    "columns that the run was trained on; the answer has them with log_p, the natural logarithm "
    "of\n"
    "the density in the columns' units, and bits_per_dimension. --json prints an object for each\n"
    "row instead.\n"
    "\nOf a run on images the inputs are image files, brought to the size and colours of the "
    "run's\n"
    "as those of training were; - is one image from standard input. Each gets a line: its file,\n"
    "then the most probable classes. A file that is no good image is named with the reason on\n"
    "standard error, the others are answered, and the exit code says what was wrong with the "
    "first;\n"
    "--skip-bad N lets N of them pass. --files-from takes names with newlines where each ends in "
    "a\n"
    "NUL byte instead (find -print0).\n"};
