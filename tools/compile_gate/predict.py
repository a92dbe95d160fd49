# SPDX-License-Identifier: Apache-2.0
"""Predicted times of whole steps, to be held against the first measurements.

A step takes at least what its multiply-adds take at the fraction of peak that the inner loop of the
kernel allows in which most of them are done, or its memory traffic at the memory's bandwidth,
whichever is longer, and so much for each launch.
"""

from __future__ import annotations

from dataclasses import dataclass

from verdict import Row

LAUNCH_SECONDS = 5e-6  # assumed; no vendor's figure is known for all of them


@dataclass(frozen=True)
class Step:
    title: str
    kernel: str  # where most multiply-adds are
    multiply_adds: float
    bytes: float
    launches: int


def _convolution(batch: int, side: int, taps: int, inputs: int, outputs: int) -> float:
    return batch * side**2 * taps * inputs * outputs


def _mnist() -> Step:
    """evonode-bench's row of that name: batch 128, a stem of three convolutions, ten steps of f,
    which has two convolutions of 3 × 3 on 6 × 6 pixels with 64 channels; the gradient costs two
    convolutions for each. A state is read or written 10 times in f and 20 times in its gradient
    (normalisations, products of two gradients), in float."""
    stem = (
        _convolution(128, 26, 9, 1, 64)
        + _convolution(128, 13, 16, 64, 64)
        + _convolution(128, 6, 16, 64, 64)
    )
    f = 2 * _convolution(128, 6, 9, 64, 64)
    state = 4 * 128 * 6 * 6 * 64
    return Step("MNIST NODE step, Euler 10, backprop", "conv2d_tiled", 3 * (stem + 10 * f),
                10 * 30 * state, MNIST_LAUNCHES)  # fmt: skip


def _flow() -> Step:
    """An iteration on 512 points with 64 units: rk4 with 8 steps; f's products with the trace's and
    their gradients are 18 products of 512 × 64 × 2 each; next to nothing beside the launches."""
    evaluations, points, units = 4 * 8, 512, 64
    work = evaluations * 18 * points * units * 2
    return Step("flow, 512 points, rk4 8, backprop", "matmul", work,
                evaluations * 40 * 4 * points * units, FLOW_LAUNCHES)  # fmt: skip


# Kernels that a step enqueues on a GPU: counted under the layer in the costume of rx7900xtx.
MNIST_LAUNCHES = 0
FLOW_LAUNCHES = 0


def seconds(step: Step, peak: float, gflops: float, bandwidth: float) -> float:
    compute = 2 * step.multiply_adds / (1e9 * gflops * peak)
    memory = step.bytes / (1e9 * bandwidth)
    return max(compute, memory) + step.launches * LAUNCH_SECONDS


def _peak(rows: list[Row], kernel: str, target: str) -> float:
    """The best loop of that kernel on the target: the largest tile is for the largest products."""
    own = [r.peak for r in rows if r.target == target and r.kernel.split(" ")[0] == kernel]
    return max(own, default=0)


def predictions(rows: list[Row], profiles: dict[str, dict[str, str]]) -> str:
    return ""
