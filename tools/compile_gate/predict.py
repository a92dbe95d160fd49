# SPDX-License-Identifier: Apache-2.0
"""Predicted times of training steps, to be held against the first measurements.

A step takes at least the longest of three: its multiply-adds at the device's peak, or at the
fraction of it that the inner loops allow in which most of them are done, where a compiler for the
device is at hand; its memory traffic at the memory's bandwidth; its launches, each at what a driver
takes for one. The figures of a device are those of its profile, with their sources.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from targets import UnknownTarget, find_target
from verdict import Row

LAUNCH = 5e-6  # seconds; assumed, in no vendor's figures: `evonode bench` measures it (limit_launch)


@dataclass(frozen=True)
class Work:
    """Of one repetition of a row of `evonode bench`."""

    key: str
    title: str
    direct: float  # multiply-adds, but for the convolutions below
    winograd: float  # of convolutions that Winograd's method can do, if done directly
    traffic: float  # bytes of memory beyond the caches
    samples: float  # work-items that have something to do at a time, at most; inf: fill any device


# The MNIST step: stem of three convolutions, ten Euler steps of an f of two.
BATCH, CHANNELS, SIDE, STEPS = 128, 64, 6, 10


def _convolution(side: int, taps: int, inputs: int) -> float:
    """Multiply-adds to CHANNELS channels on side × side pixels."""
    return BATCH * side**2 * taps * inputs * CHANNELS


def _mnist() -> Work:
    """A gradient costs twice as much. A state is read or written some 10 times in f and 20 times in its
    gradient."""
    stem = _convolution(26, 9, 1) + _convolution(13, 16, CHANNELS) + _convolution(SIDE, 16, CHANNELS)
    f = STEPS * 2 * _convolution(SIDE, 9, CHANNELS)
    return Work(
        "mnist_euler", "MNIST step: NODE, Euler 10, backprop, batch 128", 3 * stem, 3 * f,
        STEPS * 30 * 4 * BATCH * SIDE**2 * CHANNELS, float("inf"),
    )  # fmt: skip


# The flow: rk4 in ten steps, weights from a hypernetwork (src/nn/flow.c, flow_hyper.c).
POINTS, EVALUATIONS, WIDTH, DIMENSIONS = 512, 40, 64, 2


def _flow() -> Work:
    """A hidden unit has 2 multiply-adds for each product with W and U: of the point, and of a tangent
    along each axis for the trace; the gradient costs twice as much. The state of each evaluation is
    written, and read on the way back."""
    unit = 3 * 2 * DIMENSIONS * (1 + DIMENSIONS)
    return Work(
        "flow_512", "flow iteration: hypernetwork, 512 points, rk4 10, backprop",
        POINTS * EVALUATIONS * WIDTH * unit, 0,
        POINTS * EVALUATIONS * 2 * 4 * (DIMENSIONS + 1), POINTS,
    )  # fmt: skip


WORKS = (_mnist(), _flow())
WINOGRAD = 16 / 36  # multiplications of F(2×2, 3×3) for those of the direct method


def _family(target: str):
    return replace(find_target(target), name="")


def _peak(rows: list[Row], target: str, kernel: str) -> float:
    """Of a convolution, in its best default tile on the target or on another of its family."""
    own = [
        r.peak
        for r in rows
        if r.kernel.startswith(kernel) and r.fma and "+ epilogue" not in r.kernel
        and _family(r.target) == _family(target)
    ]  # fmt: skip
    return max(own, default=0)


@dataclass
class Prediction:
    profile: str  # its name
    device: str  # as the driver names it
    target: str  # of its compiler; "": none is at hand
    work: Work
    direct: float  # fraction of peak; 0: not known
    winograd: float  # the same of Winograd's loop
    arithmetic: float  # seconds, as the next
    memory: float
    launches: int

    def seconds(self) -> float:
        return max(self.arithmetic, self.memory, LAUNCH * self.launches)

    def limit(self) -> str:
        """What takes longest."""
        parts = {"arithmetic": self.arithmetic, "memory": self.memory, "launches": LAUNCH * self.launches}
        return max(parts, key=lambda name: parts[name])

    def is_bound(self) -> bool:
        """Whether the arithmetic is taken at the device's full speed."""
        return not self.direct


def _arithmetic(work: Work, profile: dict[str, str], direct: float, winograd: float) -> float:
    peak = 1e9 * float(profile["fp32_gflops"]) / 2  # multiply-adds
    lanes = float(profile.get("fp32_lanes", 1))
    peak *= min(1, work.samples / lanes)
    ways = [work.winograd / (direct or 1)]
    if winograd or not direct:
        ways.append(WINOGRAD * work.winograd / (winograd or 1))
    return (work.direct / (direct or 1) + min(ways)) / peak


def _predict(
    rows: list[Row], name: str, profile: dict[str, str], work: Work, launches: int
) -> Prediction:
    target, direct, winograd = profile.get("compiler", "").split(" ")[-1], 0.0, 0.0
    if work.winograd:  # the flow's loops are many, and none stands for all
        try:
            direct, winograd = (_peak(rows, target, k) for k in ("conv2d_tiled", "winograd_tiled 4"))
        except UnknownTarget:
            target = ""
    return Prediction(
        name.removesuffix(".profile"), profile.get("board_name", profile["name"]), target, work, direct, winograd,
        _arithmetic(work, profile, direct, winograd),
        work.traffic / (1e9 * float(profile["bandwidth_gb_s"])), launches,
    )  # fmt: skip


def predictions(
    rows: list[Row], profiles: dict[str, dict[str, str]], launches: dict[str, dict[str, int]]
) -> list[Prediction]:
    """Of each work on each profile whose launches have been counted."""
    return [
        _predict(rows, name, profile, work, launches[name][work.key])
        for work in WORKS
        for name, profile in sorted(profiles.items())
        if work.key in launches.get(name, {})
    ]


@dataclass
class Trial:
    """A bound on a device that was measured, by the limits that were measured with it."""

    device: str
    platform: str
    work: Work
    bound: float  # seconds, as the next
    measured: float


def trials(paths: list[str]) -> list[Trial]:
    """Of files that `evonode bench` wrote: how far below what is measured the bounds are."""
    found = []
    for path in paths:
        with open(path, encoding="utf-8") as file:
            data = json.load(file)
        rows, limits, device = {r["key"]: r for r in data["rows"]}, data["limits"], data["device"]
        for work in WORKS:
            row, launch = rows.get(work.key, {}), rows.get("limit_launch", {})
            if row.get("median") and launch.get("median") and limits.get("flops") and limits.get("bytes"):
                adds = 2 * (work.direct + WINOGRAD * work.winograd) / limits["flops"]
                bound = max(adds, work.traffic / limits["bytes"], row["launches"] * launch["median"])
                found.append(Trial(device["name"], device["platform"], work, bound, row["median"]))
    return found


HEAD = "# profile\tdevice\trow\tmilliseconds\tlimit\tbound"


def write(path: str, found: list[Prediction]) -> None:
    """A table for programs: tools/site puts it beside what was measured."""
    with open(path, "w", encoding="utf-8") as file:
        file.write("# SPDX-License-Identifier: Apache-2.0\n")
        file.write("# Made by: python3 tools/compile_gate --variants --write. Predicted, not measured\n")
        file.write(HEAD + "\n")
        for p in found:
            values = (p.profile, p.device, p.work.key, f"{1e3 * p.seconds():.3g}", p.limit(), int(p.is_bound()))
            file.write("\t".join(map(str, values)) + "\n")
