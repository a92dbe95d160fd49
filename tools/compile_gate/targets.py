# SPDX-License-Identifier: Apache-2.0
"""The devices that programs are compiled for, and what one unit of them holds.

A unit is what a work-group lives in: AMD's compute unit, NVIDIA's multiprocessor, Intel's
sub-slice. Sources: [a] LLVM's AMDGPU user guide and AMDGPUBaseInfo, [n] NVIDIA's CUDA programming
guide, table of compute capabilities, [i] Intel's "OpenCL optimisation guide for processor
graphics" and "oneAPI GPU optimization guide".
"""

from __future__ import annotations

from dataclasses import dataclass


class UnknownTarget(ValueError):
    pass


@dataclass(frozen=True)
class Target:
    name: str
    vendor: str  # amd, nvidia, intel
    local_bytes: int  # of a unit
    threads: int  # hardware threads of a unit, at most
    simds: int  # parts of a unit that issue by themselves
    local_bytes_per_clock: int  # of a unit
    fmas_per_slot: int = 1  # that the device's peak counts on; RDNA 3 issues two at once


# Hardware threads: waves (AMD), warps (NVIDIA), threads (Intel). Where a family has no line, that
# of its longest known beginning counts, so that a new member works by naming it.
_TABLE = [
    # AMD [a]: waves of 64 (gfx9) on 4 SIMDs, of 32 (gfx10 and later) on 2
    Target("gfx9", "amd", 65536, 40, 4, 128),
    Target("gfx90a", "amd", 65536, 32, 4, 128),
    Target("gfx94", "amd", 65536, 32, 4, 128),
    Target("gfx10", "amd", 65536, 40, 2, 128),
    Target("gfx103", "amd", 65536, 32, 2, 128),
    Target("gfx11", "amd", 65536, 32, 2, 128, 2),
    Target("gfx12", "amd", 65536, 32, 2, 128, 2),
    # NVIDIA [n]
    Target("sm_75", "nvidia", 65536, 32, 4, 128),
    Target("sm_80", "nvidia", 167936, 64, 4, 128),
    Target("sm_86", "nvidia", 102400, 48, 4, 128),
    Target("sm_89", "nvidia", 102400, 48, 4, 128),
    Target("sm_90", "nvidia", 233472, 64, 4, 128),
    Target("sm_1", "nvidia", 233472, 64, 4, 128),
    # Intel [i]: 8 or 16 execution units of 7 or 8 threads
    Target("skl", "intel", 65536, 56, 8, 64),
    Target("kbl", "intel", 65536, 56, 8, 64),
    Target("cfl", "intel", 65536, 56, 8, 64),
    Target("icllp", "intel", 65536, 56, 8, 64),
    Target("tgllp", "intel", 131072, 112, 16, 128),
    Target("rkl", "intel", 131072, 112, 16, 128),
    Target("adl", "intel", 131072, 112, 16, 128),
    Target("dg1", "intel", 131072, 112, 16, 128),
    Target("dg2", "intel", 131072, 128, 16, 128),
    Target("acm", "intel", 131072, 128, 16, 128),
    Target("pvc", "intel", 131072, 64, 8, 128),
]

DEFAULTS = ("gfx906 gfx90a gfx1030 gfx1100 sm_75 sm_86 sm_90 skl tgllp dg2").split()


def find_target(name: str) -> Target:
    known = [t for t in _TABLE if name.startswith(t.name)]
    if not known:
        raise UnknownTarget(
            f"unknown target '{name}'; name one such as gfx1030 (AMD), sm_86 (NVIDIA) or tgllp "
            f"(Intel), or add its line to tools/compile_gate/targets.py"
        )
    best = max(known, key=lambda t: len(t.name))
    return Target(name, *[getattr(best, f) for f in list(Target.__dataclass_fields__)[1:]])


UNKNOWN_GROUP = 256  # work-items where a kernel leaves it to the launch: what every costume allows


def groups_of_unit(target: Target, threads: int, group: int, simd: int, local_bytes: int) -> int:
    """How many work-groups a unit holds, by hardware threads and by local memory."""
    by_threads = threads // max(1, -(-(group or UNKNOWN_GROUP) // simd))
    return min(by_threads, target.local_bytes // local_bytes) if local_bytes else by_threads
