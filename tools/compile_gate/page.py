# SPDX-License-Identifier: Apache-2.0
"""docs/devices.md: the figures as tables for people, the worst first."""

from __future__ import annotations

from predict import TITLE, predictions
from targets import DEFAULTS
from verdict import GROUPS, Row

_HEAD = """# Devices

What the compilers of AMD, NVIDIA and Intel make of the kernels. **No GPU was at hand**: nothing on this page was measured on one, all of it is what the vendors' own compilers say ([how](../tools/compile_gate/README.md)). All figures are in [devices/figures.tsv](devices/figures.tsv); the command

    python3 tools/compile_gate --variants --write

makes both again.

The programs are those that trainings of the tasks build, forward and backward, as their rehearsals name them where [tests/layer](../tests/layer/README.md) plays the devices of its profiles; what only other vendors' devices build is `other` in the figures, and not judged. Of one kernel in several programs the worst figures stand here; of kernels and targets that the last run left out, those of an earlier one, or none.
"""

# Barriers and exchanges are counted in the kernels' text; what compilers say of them is {compiled}.
_SUB_GROUPS = """
## Sub-groups

Two sums over work-groups can go through them, where a device says that it has them (`sub_groups` of `evn_device_info`) and `evonode tune` finds that faster; none is a default. Barriers that a work-item meets, by halves in local memory (the default), after one barrier a sum, and by sub-groups:

| sum | default | one barrier | sub-groups |
| --- | --- | --- | --- |
| normalisation of MNIST's 64 channels in 32 groups | 12 | 2, and 8 reads a sum | 2, an exchange and 4 reads a sum |
| its gradient | 20 | 2 | 2 |
| a dot product of a Krylov basis, 64 work-items | 8 | | 1, 5 exchanges and 2 reads (32 of a sub-group) |

Intel has shuffles, whose order of additions is the kernel's for a given size of sub-groups, which the device chooses; ROCm's OpenCL has `sub_group_reduce_add` alone, whose order OpenCL leaves open, for sums over all items of a work-group; NVIDIA and Apple have neither. {compiled}

Elsewhere sub-groups promise less, counted in instructions of a work-item:

- **Sums over samples** (flows): 24 sums of 32 work-items wait together in local memory: 24 writes, two barriers, 32 reads and 32 additions, under 4 for each sum. `sub_group_reduce_add` is 5 exchanges and 5 additions for each.
- **Products**: with 4 rows a work-item reads local memory in vectors of 4; an exchange moves one element, so that AMD's and NVIDIA's loops would need up to four times as many instructions for their operands. On Intel's GPUs a broadcast is part of an instruction, and the loops above spend half of their slots on addresses and moves: block reads (`cl_intel_subgroups`) are the one case that promises much. Nothing here can run them, so they are not written.
"""


def _markdown(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def _targets_of(rows: list[Row]) -> list[str]:
    found = {r.target for r in rows}
    return [t for t in DEFAULTS if t in found] + sorted(found - set(DEFAULTS))


def _by_kernel(rows: list[Row]) -> dict[str, dict[str, Row]]:
    kernels: dict[str, dict[str, Row]] = {}
    for row in rows:
        kernels.setdefault(row.kernel, {})[row.target] = row
    return kernels


def _cell(row: Row | None) -> str:
    if not row:
        return ""
    text = f"{row.registers} · {row.groups}"
    if not row.target.startswith(("gfx", "sm_")):
        text = f"SIMD{row.simd} · {row.groups}"
    text += f" · **{row.spills} B spilt**" if row.spills else ""
    return f"**{text}**" if row.groups < GROUPS and not row.spills else text


def _worst_first(kernels: dict[str, dict[str, Row]]) -> list[tuple[str, dict[str, Row]]]:
    def badness(item):
        rows = item[1].values()
        registers = max(r.registers for r in rows if r.target.startswith(("gfx", "sm_"))) if any(
            r.target.startswith(("gfx", "sm_")) for r in rows
        ) else 0  # fmt: skip
        return (-max(r.spills for r in rows), min(r.groups for r in rows), -registers, item[0])

    return sorted(kernels.items(), key=badness)


def _summary(rows: list[Row], targets: list[str]) -> str:
    cells = []
    for name in targets:
        own = [r for r in rows if r.target == name]
        defaults = [r for r in own if r.use == "default"]
        spilt = sum(r.spills > 0 for r in defaults)
        few = sum(r.groups < GROUPS for r in defaults)
        variants = [r for r in own if r.use == "variant"]
        lost = sum(r.spills > 0 for r in variants)
        cells.append([name, *map(str, (len(defaults), spilt, few, len(variants), lost))])
    head = "target;kernels;that spill;fewer than two work-groups;variants;that spill"
    return _markdown(head.split(";"), cells)


def _resources(rows: list[Row], targets: list[str]) -> str:
    table = [
        [f"`{kernel}`", str(max(r.local for r in own.values())), *[_cell(own.get(t)) for t in targets]]
        for kernel, own in _worst_first(_by_kernel(rows))
    ]
    return _markdown(["kernel", "local bytes", *targets], table)


def _loop_cell(row: Row | None) -> str:
    if not row:
        return ""
    return f"{100 * row.peak:.0f} % ({row.fma:.0f} of {row.slots:.0f})" if row.fma else "no loop found"


def _loops(rows: list[Row], targets: list[str]) -> str:
    def least(item):
        return min((r.peak for r in item[1].values() if r.fma), default=1)

    products = {r.kernel for r in rows if r.fma >= 16 and "+ epilogue" not in r.kernel}
    every = _by_kernel([r for r in rows if r.kernel in products])
    table = []
    for kernel, own in sorted(every.items(), key=least):
        cells = [_loop_cell(own.get(t)) for t in targets]
        table.append([f"`{kernel}`", *cells])
    return _markdown(["kernel", *targets], table)


def _accepted(accepted: dict[tuple[str, str], str]) -> str:
    if not accepted:
        return ""
    table = [[f"`{k}`", t, reason] for (k, t), reason in sorted(accepted.items())]
    return "\n### Accepted for now\n\n" + _markdown(["kernel", "target", "why"], table)


def _sums_of(rows: list[Row]) -> dict[str, list[Row]]:
    """Sums over a work-group: their variants, by what stands before the variant's own words."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        if "one_barrier" in row.kernel:
            found.setdefault(row.kernel.split(" one_barrier")[0], []).append(row)
    for sum_name, variants in found.items():
        variants += [r for r in rows if r.kernel.startswith(sum_name) and "one_barrier" not in r.kernel]
    return found


def _way_of(row: Row) -> str:
    if "reduce_add" in row.kernel or "shuffle_xor" in row.kernel:
        return "sub-groups"
    return "one barrier" if "one_barrier" in row.kernel else "default"


def _range(values: list[int]) -> str:
    return f"{min(values)}" if min(values) == max(values) else f"{min(values)} to {max(values)}"


def _sub_groups(rows: list[Row]) -> str:
    """What the compilers made of the sums' ways, over all targets that have them."""
    table, spilt = [], set()
    for name, own in sorted(_sums_of(rows).items()):
        for way in ("default", "one barrier", "sub-groups"):
            some = [r for r in own if _way_of(r) == way]
            spilt |= {f"`{r.kernel}` on {r.target}" for r in some if r.spills}
            scalar = [r.registers for r in some if r.target.startswith(("gfx", "sm_"))]
            if some:
                table.append([f"`{name}`", way, ", ".join(_targets_of(some)), _range(scalar) if scalar else "",
                              _range([r.local for r in some]), _range([r.groups for r in some])])  # fmt: skip
    if not table:
        return ""
    verdict = f"Of these {', '.join(sorted(spilt))} spill." if spilt else "None of these kernels spills."
    head = ["sum", "way", "targets", "registers (AMD, NVIDIA)", "local bytes", "work-groups a unit"]
    return f"{verdict} The ranges are over the targets:\n\n{_markdown(head, table)}".rstrip()


def render(rows: list[Row], profiles: dict[str, dict[str, str]], accepted) -> str:
    targets = _targets_of(rows)
    defaults = [r for r in rows if r.use == "default"]
    variants = [r for r in rows if r.use == "variant"]
    parts = [_HEAD, "\n## In short\n\n", _summary(rows, targets)]
    parts.append(
        "\n## Registers and work-groups\n\nOf each kernel: registers of a work-item (Intel: how many"
        " work-items share a hardware thread, more is better) · work-groups that a unit holds (AMD's"
        " compute unit, NVIDIA's multiprocessor, Intel's sub-slice); groups as large as they are"
        " launched, of 256 where that is left to the driver. The worst come first.\n\n"
    )
    parts += [_resources(defaults, targets), _accepted(accepted)]
    parts.append(
        "\n## Inner loops\n\nThe innermost loop with the most multiply-adds: which fraction of the"
        " device's multiply-adds a second it allows at best (multiply-adds among the instructions"
        " that take an issue slot, and what local memory delivers). Waiting for memory is not in"
        " it; neither are loops around this one.\n\n"
    )
    parts.append(_loops(defaults, targets))
    if variants:
        parts.append("\n## Variants of the tuner\n\nNone is a default on these devices.\n\n")
        parts += [_resources(variants, targets), "\n", _loops(variants, targets)]
    parts.append(_SUB_GROUPS.format(compiled=_sub_groups(rows)))
    table = predictions(defaults, profiles)
    if table:
        parts.append(
            f"\n## Predicted, not measured\n\n{TITLE}: the least that its multiply-adds take at the"
            " fraction of peak that the inner loop of the convolution allows, or its memory traffic"
            " at the memory's bandwidth; without what launches cost. To be held against the first"
            " measurements.\n\n"
        )
        parts.append(_markdown(["profile", "target", "fraction of peak", "predicted ms"], table))
    return "".join(parts)
