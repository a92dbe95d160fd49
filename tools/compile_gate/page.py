# SPDX-License-Identifier: Apache-2.0
"""docs/devices.md: the figures as tables for people, the worst first."""

from __future__ import annotations

import isa
from figures import CLASSES
from predict import LAUNCH, WORKS, Prediction, Trial
from targets import DEFAULTS, find_target
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


def _products(rows: list[Row]) -> dict[str, dict[str, Row]]:
    """Kernels whose inner loop is a product's, on any target; an epilogue changes no loop."""
    names = {r.kernel for r in rows if r.fma >= isa.PRODUCT and "+ epilogue" not in r.kernel}
    return _by_kernel([r for r in rows if r.kernel in names])


def _loops(rows: list[Row], targets: list[str]) -> str:
    def least(item):
        return min((r.peak for r in item[1].values() if r.fma), default=1)

    table = []
    for kernel, own in sorted(_products(rows).items(), key=least):
        cells = [_loop_cell(own.get(t)) for t in targets]
        table.append([f"`{kernel}`", *cells])
    return _markdown(["kernel", *targets], table)


# A target of each vendor; the figures have all.
_SHOWN = ("gfx1030", "sm_86", "tgllp")


def _class_cell(row: Row | None) -> str:
    return " · ".join(f"{getattr(row, name):.0f}" for name in CLASSES) if row and row.fma else ""


def _classes(rows: list[Row]) -> str:
    """Of each loop, how many instructions of each class."""
    targets = [t for t in _SHOWN if t in {r.target for r in rows}]
    if not targets:
        return ""
    table = [
        [f"`{kernel}`", *[_class_cell(own.get(t)) for t in targets]]
        for kernel, own in sorted(_products(rows).items())
        if any(_class_cell(own.get(t)) for t in targets)
    ]
    return _markdown(["kernel", *targets], table)


def _waves_cell(row: Row | None) -> str:
    if not row or not row.cycles:
        return ""
    needed = row.cycles / max(row.slots, 1)
    held = row.threads / find_target(row.target).simds
    text = f"{row.cycles:.0f} · {needed:.1f} of {held:.3g}"
    return f"**{text}**" if needed > held else text


def _waves(rows: list[Row], targets: list[str]) -> str:
    """What llvm-mca says of the loops, on the targets that it knows."""
    known = [t for t in targets if any(r.cycles for r in rows if r.target == t)]
    if not known:
        return ""
    table = [
        [f"`{kernel}`", *[_waves_cell(own.get(t)) for t in known]]
        for kernel, own in sorted(_products(rows).items())
        if any(_waves_cell(own.get(t)) for t in known)
    ]
    return _markdown(["kernel", *known], table)


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


_CLASSES = """
### By class

Instructions of the same loops, in this order: multiply-adds · other arithmetic with fractions · local memory · global memory · addresses and whole numbers · branches, comparisons and waiting · moves, choices and conversions; of a target of each vendor, all are in the figures. Of AMD's the scalar instructions and those to memory issue beside the others and cost no slot; Intel's count for each eight lanes.

"""

_WAVES = """
### Latency, by llvm-mca

llvm-mca runs a loop in LLVM's scheduling model of the target: cycles an iteration takes where a wave is alone · how many waves a SIMD needs so that each fills the others' waiting, of those that it holds (bold: it holds fewer). LLVM has such models of AMD's GPUs; of NVIDIA's it has none, and Intel's it does not know. Processors it knows, but their kernels are what PoCL makes of them, with a library of its own, and are measured instead ([benchmarks](bench.md)). Cycles are those of the model, which on gfx9 are of four clocks; how long memory takes in it is a guess.

"""

_PREDICTED = """
## Predicted, not measured

Each time is the longest of three: multiply-adds at the device's peak times the fraction that the inner loops of the convolutions allow (direct, Winograd); memory traffic at the memory's bandwidth; launches, as many as the device's costume makes, at {launch:.0f} µs each, which is assumed: what launches cost is in no vendor's figures. **≥** marks bounds: no compiler for the device is at hand, or no loop stands for the whole, and multiply-adds are taken at full speed, by as many lanes as there are samples. Figures of the devices are those of [their profiles](../tests/layer/README.md), with sources. To be held against the first measurements by `evonode bench` (the rows `{rows}`); [devices/predicted.tsv](devices/predicted.tsv) has them for programs.
"""


_TRIALS = """
### The same bounds on devices that were measured

By each device's own limits as `evonode bench` measured them (multiply-adds, memory, launches), of the files in [results](../results/README.md):

"""


def _tried(trials: list[Trial]) -> str:
    table = [
        [t.device, t.platform, f"`{t.work.key}`", f"{1e3 * t.bound:.3g}", f"{1e3 * t.measured:.3g}",
         f"{t.bound / t.measured:.2f}"]
        for t in trials
    ]  # fmt: skip
    return _TRIALS + _markdown(["device", "platform", "row", "bound, ms", "measured, ms", "share"], table)


def _predicted(found: list[Prediction], trials: list[Trial]) -> str:
    if not found:
        return ""
    keys = "`, `".join(work.key for work in WORKS)
    parts = [_PREDICTED.format(launch=1e6 * LAUNCH, rows=keys)]
    head = ["profile", "compiler's target", "fraction of peak", "arithmetic, ms", "memory, ms", "launches", "launches, ms",
            "predicted, ms"]  # fmt: skip
    for work in WORKS:
        own = [p for p in found if p.work == work]
        parts.append(f"\n### {work.title} (`{work.key}`)\n\n")
        parts.append(_markdown(head, [_prediction_cells(p) for p in own]))
    parts += [_tried(trials)] if trials else []
    return "".join(parts)


def _prediction_cells(p: Prediction) -> list[str]:
    shares = [f"{100 * share:.0f} %" for share in (p.direct, p.winograd) if share]
    times = [f"{1e3 * t:.3g}" for t in (p.arithmetic, p.memory, LAUNCH * p.launches)]
    sign = "≥ " if p.is_bound() else ""
    return [p.profile, p.target or "none", ", ".join(shares), *times[:2], str(p.launches), times[2],
            f"{sign}{1e3 * p.seconds():.3g} ({p.limit()})"]  # fmt: skip


def render(rows: list[Row], predicted: list[Prediction], trials: list[Trial], accepted) -> str:
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
    for head, table in ((_CLASSES, _classes(defaults)), (_WAVES, _waves(defaults, targets))):
        parts += [head, table] if table else []
    if variants:
        parts.append("\n## Variants of the tuner\n\nNone is a default on these devices.\n\n")
        parts += [_resources(variants, targets), "\n", _loops(variants, targets)]
    parts.append(_SUB_GROUPS.format(compiled=_sub_groups(rows)))
    parts.append(_predicted(predicted, trials))
    return "".join(parts)
