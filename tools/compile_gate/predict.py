# SPDX-License-Identifier: Apache-2.0
"""Predicted time of a training step on MNIST, to be held against the first measurements.

A step takes at least what its multiply-adds take at the fraction of the device's peak that the
inner loop allows in which most of them are done, or its memory traffic at the memory's bandwidth,
whichever is longer. What launches cost is in no vendor's figures and is not in it.
"""

from __future__ import annotations

from dataclasses import replace

from targets import UnknownTarget, find_target
from verdict import Row

TITLE = "MNIST step, NODE, Euler 10, backprop (`mnist_euler` of `evonode bench`)"
BATCH, CHANNELS, SIDE, STEPS = 128, 64, 6, 10


def _convolution(side: int, taps: int, inputs: int) -> float:
    """Multiply-adds to CHANNELS channels on side × side pixels."""
    return BATCH * side**2 * taps * inputs * CHANNELS


def multiply_adds() -> float:
    """The stem's three convolutions and f's two in each step; a gradient costs twice as much."""
    stem = _convolution(26, 9, 1) + _convolution(13, 16, CHANNELS) + _convolution(SIDE, 16, CHANNELS)
    return 3 * (stem + STEPS * 2 * _convolution(SIDE, 9, CHANNELS))


def traffic() -> float:
    """Bytes: a state is read or written some 10 times in f and 20 times in its gradient."""
    return STEPS * 30 * 4 * BATCH * SIDE**2 * CHANNELS


def seconds(peak: float, gflops: float, bandwidth: float) -> float:
    return max(2 * multiply_adds() / (1e9 * gflops * peak), traffic() / (1e9 * bandwidth))


def _peak(rows: list[Row], target: str) -> float:
    """Of the convolution, in its best default tile on the target or on another of its family."""
    family = replace(find_target(target), name="")
    own = [
        r.peak
        for r in rows
        if r.kernel.startswith("conv2d_tiled") and r.fma and "+ epilogue" not in r.kernel
        and replace(find_target(r.target), name="") == family
    ]  # fmt: skip
    return max(own, default=0)


def predictions(rows: list[Row], profiles: dict[str, dict[str, str]]) -> list[list[str]]:
    """Profile, target, fraction of peak, milliseconds; none where the target has no figures."""
    table = []
    for name, profile in sorted(profiles.items()):
        target = profile.get("compiler", "").split(" ")[-1]
        try:
            peak = _peak(rows, target)
        except UnknownTarget:
            continue
        if peak:
            time = seconds(peak, float(profile["fp32_gflops"]), float(profile["bandwidth_gb_s"]))
            table.append(
                [name.removesuffix(".profile"), target, f"{100 * peak:.0f} %", f"{1e3 * time:.3g}"]
            )
    return table
