# SPDX-License-Identifier: Apache-2.0
"""A row made ready to run by a peer. A row's builder returns one or several jobs that compute the
same; the fastest is timed, all are compared with ours."""

from typing import Callable, NamedTuple


class Job(NamedTuple):
    name: str  # what computes it
    run: Callable  # one repetition; its result goes to `outputs`
    outputs: Callable  # arrays by our names, in our layouts
    tolerance: float  # of max|ours - peer| / max|peer|


# What single precision leaves of one operation, whose sums go in another order; of a training step,
# where a ReLU whose argument is nearly 0 can be open on one side and shut on the other, and of one
# whose states are solved backwards; and what adaptive steps at 1e-5 leave of the flow, and of solves.
EXACT = 1e-5
STEP = 5e-3
ADJOINT = 1e-2
FLOW = 3e-3
OWN_STEPS = 1e-3
