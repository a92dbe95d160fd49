# SPDX-License-Identifier: Apache-2.0
"""Finds the vendors' compilers: what setup.sh unpacked in BUILD/gate, else what is installed."""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field


@dataclass
class Tool:
    path: str
    environment: dict[str, str] = field(default_factory=dict)

    def run(
        self, *arguments: str, folder: str | None = None, more: dict | None = None, text: str = ""
    ):
        """Its completed process, with both outputs as text; `text` is its input."""
        return subprocess.run(
            [self.path, *arguments],
            cwd=folder,
            input=text,
            env={**os.environ, **self.environment, **(more or {})},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=600,
        )


@dataclass
class Compilers:
    clang: Tool | None = None
    clc: str = ""  # folder of the OpenCL library
    mca: Tool | None = None  # clang's llvm-mca
    ptxas: Tool | None = None
    nvdisasm: Tool | None = None
    ocloc: Tool | None = None
    version: str = ""  # of all, for the cache

    def missing(self, vendor: str) -> str:
        """What stands in the way of a vendor's targets; "" nothing."""
        if vendor == "intel":
            return "" if self.ocloc else "ocloc"
        if not self.clang:
            return "clang 15 or newer with libclc"
        return "ptxas" if vendor == "nvidia" and not self.ptxas else ""


def _libraries(*folders: str) -> dict[str, str]:
    return {"LD_LIBRARY_PATH": ":".join(f for f in folders if os.path.isdir(f))}


def _version_in(path: str) -> int:
    found = re.search(r"llvm-(\d+)/", path)
    return int(found.group(1)) if found else 0


def _find_clang(gate: str) -> tuple[Tool | None, str]:
    unpacked = os.path.join(gate, "llvm", "usr")
    for root in (unpacked, "/usr"):
        libraries = [c for c in (f"{root}/lib/clc", f"{root}/share/clc") if os.path.isdir(c)]
        clangs = glob.glob(f"{root}/lib/llvm-*/bin/clang")
        clangs = sorted((c for c in clangs if _version_in(c) >= 15), key=_version_in)
        if libraries and clangs:
            own = _libraries(*glob.glob(f"{root}/lib/*-linux-gnu")) if root == unpacked else {}
            return Tool(clangs[-1], own), libraries[0]
    return None, ""


def _find_beside(tool: Tool | None, name: str) -> Tool | None:
    path = os.path.join(os.path.dirname(tool.path), name) if tool else ""
    return Tool(path, tool.environment) if tool and os.path.exists(path) else None


def _find(names: list[str]) -> Tool | None:
    for name in names:
        path = shutil.which(name) or next(iter(sorted(glob.glob(name))), None)
        if path:
            return Tool(path)
    return None


def _find_ocloc(gate: str) -> Tool | None:
    root = os.path.join(gate, "intel", "usr")
    if os.path.exists(f"{root}/bin/ocloc"):
        return Tool(f"{root}/bin/ocloc", _libraries(*glob.glob(f"{root}/lib/*-linux-gnu")))
    return _find(["ocloc"])


def _version(tool: Tool | None) -> str:
    return f"{tool.path} {os.stat(tool.path).st_mtime}" if tool else ""


def find_compilers(gate: str) -> Compilers:
    gate = os.path.abspath(gate)
    python = f"{gate}/python/lib/*/site-packages/nvidia/*/bin"
    found = Compilers()
    found.clang, found.clc = _find_clang(gate)
    found.mca = _find_beside(found.clang, "llvm-mca")
    found.ptxas = _find(["ptxas", "/usr/local/cuda/bin/ptxas", f"{python}/ptxas"])
    found.nvdisasm = _find(["nvdisasm", "/usr/local/cuda/bin/nvdisasm", f"{python}/nvdisasm"])
    found.ocloc = _find_ocloc(gate)
    tools = (found.clang, found.mca, found.ptxas, found.nvdisasm, found.ocloc)
    found.version = "\n".join(_version(t) for t in tools)
    return found
