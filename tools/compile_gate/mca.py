# SPDX-License-Identifier: Apache-2.0
"""llvm-mca: how many cycles a loop takes that runs alone, by LLVM's scheduling model of the target.

LLVM has such models of AMD's GPUs, not of NVIDIA's, and no target at all for Intel's.
"""

from __future__ import annotations

import re
import subprocess

import isa
from compilers import Compilers
from figures import Loop
from isa import Line

ITERATIONS = 20


def cycles(compilers: Compilers, processor: str, loop: Loop, lines: list[Line]) -> float:
    """Of one iteration in the middle of many, of the loops of products; 0: not known."""
    if not compilers.mca or loop.fma < isa.PRODUCT:
        return 0
    code = "\n".join(line.text for line in lines if not line.text.endswith(":"))
    arguments = ["-mtriple=amdgcn-amd-amdhsa", f"-mcpu={processor}", f"-iterations={ITERATIONS}"]
    arguments += ["-instruction-info=0", "-resource-pressure=0"]
    try:
        done = compilers.mca.run(*arguments, text=code)
    except subprocess.TimeoutExpired:
        return 0
    found = re.search(r"^Total Cycles: +(\d+)$", done.stdout, re.M)
    return int(found[1]) / ITERATIONS if found and done.returncode == 0 else 0
