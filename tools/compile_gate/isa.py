# SPDX-License-Identifier: Apache-2.0
"""Innermost loops of assembly, and what their instructions are.

Which loop counts is known from labels and branches alone: a branch backwards makes a loop, and the
one with the most multiply-adds of its own is where a product spends its time. A branch forwards
inside of it is taken as not taken: all of it counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from figures import Loop

PRODUCT = 16  # multiply-adds of a loop that is a product's


@dataclass
class Line:
    text: str
    label: str = ""  # defined here
    branch: str = ""  # to this label


@dataclass(frozen=True)
class Instruction:
    kind: str  # one of figures.CLASSES
    width: float = 1  # issue slots that it takes, where it takes any
    is_beside: bool = False  # issued beside others, in no slot of theirs
    fmas: float = 0  # a slot
    local_bytes: float = 0  # of a lane


def loops_of(lines: list[Line]) -> list[tuple[int, int]]:
    """First and last line of each loop."""
    labels = {line.label: at for at, line in enumerate(lines) if line.label}
    return sorted(
        {
            (labels[line.branch], at)
            for at, line in enumerate(lines)
            if line.branch in labels and labels[line.branch] <= at
        }
    )


def count(lines: list[Line], classify) -> Loop:
    loop = Loop()
    for line in lines:
        _add(loop, classify(line.text))
    return loop


def _add(loop: Loop, instruction: Instruction | None) -> None:
    if not instruction:
        return
    setattr(loop, instruction.kind, getattr(loop, instruction.kind) + instruction.width)
    loop.slots += 0 if instruction.is_beside else instruction.width
    loop.fma += instruction.width * instruction.fmas
    loop.local_bytes += instruction.local_bytes


def _fmas_before(lines: list[Line], classify) -> list[float]:
    """Multiply-adds above each line, and of all: a kernel may have hundreds of loops."""
    found = [0.0]
    for line in lines:
        instruction = classify(line.text)
        found.append(found[-1] + (instruction.width * instruction.fmas if instruction else 0))
    return found


def _parents(loops: list[tuple[int, int]]) -> dict[tuple[int, int], tuple[int, int]]:
    """The smallest loop around each one that is in another."""
    found, around = {}, []
    for loop in sorted(loops, key=lambda l: (l[0], -l[1])):
        around = [a for a in around if a[1] >= loop[0]]
        holding = [a for a in around if a[1] >= loop[1]]
        if holding:
            found[loop] = min(holding, key=lambda a: a[1] - a[0])
        around.append(loop)
    return found


def busiest(lines: list[Line], classify) -> tuple[Loop, list[Line]]:
    """The loop with the most multiply-adds of its own, not of a loop in it, and its lines.

    A loop in it that has fewer, such as one that looks for the next pixel, counts once."""
    loops = loops_of(lines)
    if not loops:
        return Loop(), []
    before = _fmas_before(lines, classify)
    own = {(b, e): before[e + 1] - before[b] for b, e in loops}
    for (begin, end), parent in _parents(loops).items():
        own[parent] -= before[end + 1] - before[begin]
    best = max(loops, key=lambda l: (own[l], l[0] - l[1]))
    body = lines[best[0] : best[1] + 1]
    return count(body, classify), body


def fraction_of_peak(loop: Loop, simds: int, simd: int, local_per_clock: int, fmas: int) -> float:
    """Of the multiply-adds that the device could do: by issue slots, and by local memory's width.

    A unit issues on `simds` parts, each a hardware thread of `simd` lanes in simd / lanes-per-clock
    clocks; what counts is how many bytes a multiply-add needs.
    """
    if loop.fma <= 0:
        return 0
    by_issue = loop.fma / (loop.slots * fmas)
    lanes_per_clock = {8: 8, 16: 8, 32: 32, 64: 16}.get(simd, 32)
    if loop.local_bytes == 0:
        return min(1.0, by_issue)
    unit_fmas = simds * lanes_per_clock * fmas
    clocks_of_local = loop.local_bytes / local_per_clock  # of a lane
    clocks_of_fma = loop.fma / unit_fmas
    return min(1.0, by_issue, clocks_of_fma / clocks_of_local)


def starts(text: str, *names: str) -> bool:
    return re.match(rf"(?:{'|'.join(names)})", text) is not None
