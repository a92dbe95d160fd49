# SPDX-License-Identifier: Apache-2.0
"""Rows of the table, one a kernel and target, and what is wrong with them."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace

import isa
from figures import CLASSES, Figures
from freshness import stamp_lines
from programs import Unit
from targets import UNKNOWN_GROUP, Target, groups_of_unit
from work import Result

USES = ("default", "variant", "other")
GROUPS = 2  # of a unit, so that one computes while another waits
GROWTH = 1.1  # against the kept figures


@dataclass
class Row:
    """The worst of all sources that have the kernel under that label."""

    kernel: str
    target: str
    use: str  # default; variant: only the tuner builds it; other: only other vendors' devices do
    registers: int
    spills: int  # bytes of a work-item
    local: int  # bytes of a work-group
    simd: int
    groups: int
    fma: float  # in the innermost loop
    slots: float  # of all its instructions
    peak: float  # the fraction of the device's peak that this loop allows
    # Of the source whose loop is the worst: hardware threads that a unit holds, then as in figures.Loop.
    threads: int = 0
    cycles: float = 0
    multiply_add: float = 0
    arithmetic: float = 0
    local_memory: float = 0
    global_memory: float = 0
    address: float = 0
    control: float = 0
    move: float = 0

    def key(self) -> tuple[str, str]:
        return self.kernel, self.target

    def line(self) -> str:
        values = (getattr(self, f.name) for f in fields(self))
        return "\t".join(f"{v:.4g}" if isinstance(v, float) else str(v) for v in values)

    @staticmethod
    def from_line(line: str) -> "Row":
        kinds = {"int": int, "float": float, "str": str}
        names = [(f.name, kinds[str(f.type)]) for f in fields(Row)]
        return Row(**{name: kind(v) for (name, kind), v in zip(names, line.split("\t"))})


HEAD = "# " + "\t".join(f.name for f in fields(Row))


def _row(unit: Unit, target: Target, f: Figures) -> Row:
    group = f.group or unit.groups.get(f.kernel, 0)
    groups = groups_of_unit(target, f.threads, group, f.simd, f.local_bytes)
    peak = isa.fraction_of_peak(
        f.loop, target.simds, f.simd, target.local_bytes_per_clock, target.fmas_per_slot
    )
    return Row(
        unit.label(f.kernel), target.name, unit.use_on(target.vendor),
        f.registers, f.spills, f.local_bytes, f.simd, groups,
        float(f.loop.fma), float(f.loop.slots), float(peak),
        groups * -(-(group or UNKNOWN_GROUP) // f.simd), float(f.loop.cycles),
        **{name: float(getattr(f.loop, name)) for name in CLASSES},
    )  # fmt: skip


def _worst(a: Row, b: Row) -> Row:
    """What is built for less matter does not count."""
    if a.use != b.use:
        return min(a, b, key=lambda r: USES.index(r.use))
    loop = min(a, b, key=lambda r: (r.fma == 0, r.peak))
    return replace(
        loop, registers=max(a.registers, b.registers), spills=max(a.spills, b.spills),
        local=max(a.local, b.local), simd=min(a.simd, b.simd), groups=min(a.groups, b.groups),
    )  # fmt: skip


def make_rows(results: list[Result]) -> list[Row]:
    rows: dict[tuple[str, str], Row] = {}
    for result in results:
        for figures in result.figures:
            row = _row(result.unit, result.target, figures)
            rows[row.key()] = _worst(rows[row.key()], row) if row.key() in rows else row
    return sorted(rows.values(), key=lambda r: r.key())


def faults(rows: list[Row], accepted: dict[tuple[str, str], str]) -> list[str]:
    """What a default may not do, a line each."""
    found = []
    for row in rows:
        if row.use != "default" or row.key() in accepted:
            continue
        if row.spills > 0:
            found.append(f"{row.kernel} on {row.target}: {row.spills} bytes of registers spilt")
        if row.groups < GROUPS:
            found.append(
                f"{row.kernel} on {row.target}: a unit holds {row.groups} work-group, not {GROUPS}"
                f" ({row.registers} registers, {row.local} bytes local, SIMD{row.simd})"
            )
    return found


def growth(rows: list[Row], kept: list[Row]) -> list[str]:
    """What grew by more than a tenth, or lost work-groups, as lines of a diff."""
    before = {r.key(): r for r in kept}
    lines = []
    for row in rows:
        old = before.get(row.key())
        if old and (
            any(getattr(row, n) > GROWTH * getattr(old, n) for n in ("registers", "spills", "local"))
            or row.slots > GROWTH * max(old.slots, 8) * max(row.fma, 1) / max(old.fma, 1)
            or row.groups * GROWTH < old.groups
            or row.simd < old.simd
        ):
            lines += [f"-{old.line()}", f"+{row.line()}"]
    return lines


def read_rows(path: str) -> list[Row]:
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [Row.from_line(l.rstrip("\n")) for l in file if l.strip() and l[0] != "#"]


def write_rows(path: str, rows: list[Row], stamps: dict[str, str]) -> None:
    """With the stamps of the sources that the figures are of (freshness.py)."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write("# SPDX-License-Identifier: Apache-2.0\n")
        file.write("# Made by: python3 tools/compile_gate --variants --write\n")
        file.write("\n".join([*stamp_lines(stamps), HEAD, *(r.line() for r in rows)]) + "\n")


def read_accepted(path: str) -> dict[tuple[str, str], str]:
    """Lines of kernel, target and reason, with tabs between."""
    accepted = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            for line in file:
                if line.strip() and not line.startswith("#"):
                    kernel, target, reason = line.rstrip("\n").split("\t")
                    accepted[(kernel, target)] = reason
    return accepted
