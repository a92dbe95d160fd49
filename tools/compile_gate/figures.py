# SPDX-License-Identifier: Apache-2.0
"""What a compiler says of one kernel on one target."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field


@dataclass
class Loop:
    """An innermost loop, once through, in issue slots of a lane's unit; see isa.py."""

    fma: float = 0  # multiply-adds
    global_memory: float = 0
    local_memory: float = 0
    address: float = 0  # whole numbers
    other: float = 0
    local_bytes: float = 0  # read and written by a lane in local memory

    def slots(self) -> float:
        return self.fma + self.global_memory + self.local_memory + self.address + self.other


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
