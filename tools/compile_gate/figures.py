# SPDX-License-Identifier: Apache-2.0
"""What a compiler says of one kernel on one target."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields


@dataclass
class Loop:
    """An innermost loop, once through, of a lane; see isa.py."""

    fma: float = 0  # multiply-adds: an instruction may do several
    slots: float = 0  # issue slots of all instructions
    local_bytes: float = 0  # read and written in local memory
    cycles: float = 0  # of a hardware thread that is alone, by llvm-mca; 0: not known
    # Instructions by class; one that is wider than a slot counts for each.
    multiply_add: float = 0
    arithmetic: float = 0  # with fractions, but for multiply-adds
    local_memory: float = 0
    global_memory: float = 0
    address: float = 0  # whole numbers
    control: float = 0  # branches, comparisons, barriers, waiting
    move: float = 0  # moves, choices, exchanges between lanes, conversions


CLASSES = tuple(f.name for f in fields(Loop))[4:]


@dataclass
class Figures:
    """Of a kernel; `loop` is the innermost loop with the most multiply-adds."""

    kernel: str
    registers: int = 0  # of a work-item
    spills: int = 0  # bytes of a work-item
    local_bytes: int = 0  # of a work-group
    simd: int = 0  # work-items of a hardware thread
    group: int = 0  # work-items of a work-group, where the kernel fixes it
    threads: int = 0  # hardware threads that a unit holds
    loop: Loop = field(default_factory=Loop)

    def to_json(self) -> dict:
        return asdict(self)

    @staticmethod
    def from_json(values: dict) -> "Figures":
        return Figures(**{**values, "loop": Loop(**values["loop"])})


class CompileError(Exception):
    """The compiler's own words."""
