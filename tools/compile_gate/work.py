# SPDX-License-Identifier: Apache-2.0
"""Compiles sources for targets, several at a time, and keeps what was found by hash."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import amd
import intel
import nvidia
from compilers import Compilers
from figures import CompileError, Figures
from programs import Unit
from targets import Target

VENDORS = {"amd": amd, "nvidia": nvidia, "intel": intel}
WITH_SUB_GROUPS = ("amd", "intel")  # NVIDIA's OpenCL C has no functions of theirs


@dataclass
class Result:
    unit: Unit
    target: Target
    figures: list[Figures]
    error: str = ""
    is_kept: bool = False  # from the cache


class Cache:
    """Files in a folder. The gate's own text is part of each key: it reads the compilers' words."""

    def __init__(self, folder: str, compilers: Compilers):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        own = sorted(glob.glob(os.path.join(os.path.dirname(__file__), "*.py")))
        readers = ("amd.py", "clang.py", "figures.py", "intel.py", "isa.py", "mca.py", "nvidia.py", "targets.py")
        text = compilers.version
        for path in own:
            if os.path.basename(path) in readers:
                with open(path, encoding="utf-8") as file:
                    text += file.read()
        self.salt = hashlib.sha256(text.encode()).hexdigest()

    def path(self, unit: Unit, target: Target) -> str:
        key = f"{self.salt} {unit.key()} {target.name}"
        return os.path.join(self.folder, hashlib.sha256(key.encode()).hexdigest()[:32] + ".json")

    def find(self, unit: Unit, target: Target) -> Result | None:
        try:
            with open(self.path(unit, target), encoding="utf-8") as file:
                kept = json.load(file)
        except (OSError, ValueError):
            return None
        figures = [Figures.from_json(f) for f in kept["figures"]]
        return Result(unit, target, figures, kept["error"], True)

    def keep(self, result: Result) -> None:
        path = self.path(result.unit, result.target)
        figures = [f.to_json() for f in result.figures]
        with tempfile.NamedTemporaryFile("w", dir=self.folder, delete=False) as file:
            json.dump({"figures": figures, "error": result.error}, file)
        os.replace(file.name, path)


def _compile(compilers: Compilers, cache: Cache, unit: Unit, target: Target) -> Result:
    kept = cache.find(unit, target)
    if kept:
        return kept
    result = Result(unit, target, [])
    with tempfile.TemporaryDirectory(prefix="evonode-gate-") as folder:
        with open(f"{folder}/program.cl", "w", encoding="utf-8") as file:
            file.write(unit.text)
        try:
            vendor = VENDORS[target.vendor]
            result.figures = vendor.compile_program(compilers, target, folder, unit.options)
            if not result.figures and "__kernel" in unit.text:
                result.error = "the compiler names no kernel; the gate cannot read what it says"
        except CompileError as error:
            result.error = str(error)
        except subprocess.TimeoutExpired:  # not kept: the machine may have been busy
            result.error = "the compiler did not end in its time"
            return result
    cache.keep(result)
    return result


def pairs_of(units: list[Unit], targets: list[Target]) -> list[tuple[Unit, Target]]:
    """A costume's programs go to its vendor's targets; those of vendors without a compiler here,
    to all that can compile them."""
    return [
        (unit, target)
        for unit in units
        for target in targets
        if unit.is_for(target.vendor, target.vendor in WITH_SUB_GROUPS)
    ]


def compile_all(
    compilers: Compilers, cache: Cache, pairs: list[tuple[Unit, Target]], jobs: int, progress
) -> list[Result]:
    results = []
    with ThreadPoolExecutor(jobs) as pool:
        for result in pool.map(lambda p: _compile(compilers, cache, *p), pairs):
            results.append(result)
            progress(len(results), len(pairs))
    return results
