# SPDX-License-Identifier: Apache-2.0
"""Intel: IGC, the compiler of Intel's own OpenCL driver for GPUs, by way of ocloc."""

from __future__ import annotations

import glob
import os
import re

import isa
from compilers import Compilers
from figures import CompileError, Figures
from isa import Instruction, Line
from targets import Target

REGISTERS = 128  # of a hardware thread
_CONTROL = "cmp cmpn goto join while if else endif break cont jmpi brc brd call ret halt".split()


def compile_program(
    compilers: Compilers, target: Target, folder: str, options: str
) -> list[Figures]:
    assert compilers.ocloc
    dump = {"IGC_ShaderDumpEnable": "1", "IGC_DumpToCustomDir": folder}
    arguments = ["compile", "-file", "program.cl", "-device", target.name, "-options", options]
    arguments += ["-output", "program", "-output_no_suffix"]
    done = compilers.ocloc.run(
        *arguments, folder=folder, more={**dump, "IGC_ShaderDumpPidDisable": "1"}
    )
    if done.returncode != 0 or not os.path.exists(f"{folder}/program"):
        raise CompileError(done.stdout[-2000:])
    return list({f.kernel: f for f in _all(target, folder, _local_of_kernels(folder))}.values())


def _all(target: Target, folder: str, local: dict[str, int]):
    for path in sorted(glob.glob(f"{folder}/*_simd*_entry_*.asm")):
        with open(path, encoding="utf-8", errors="replace") as file:
            yield _figures(target, path, file.read(), local)


def _figures(target: Target, path: str, code: str, local: dict[str, int]) -> Figures:
    name = re.search(r"//\.kernel (\w+)", code)
    spill = re.search(r"//\.spill size (\d+)", code)
    simd = int(re.search(r"_simd(\d+)_", path)[1])
    name_text = name[1] if name else "?"
    size, group = local.get(name_text, (0, 0))
    used = [int(r) for r in re.findall(r"\br(\d+)\b", code[code.find("_main:") :])]
    found = Figures(
        name_text,
        registers=min(max(used, default=0) + 1, REGISTERS),
        spills=-(-int(spill[1]) // simd) if spill else 0,
        local_bytes=size,
        simd=simd,
        group=group,
        threads=target.threads,
    )
    found.loop, _ = isa.busiest(_lines(code), classify)
    return found


def _local_of_kernels(folder: str) -> dict[str, tuple[int, int]]:
    """Local memory and fixed work-group, from the LLVM that IGC begins with."""
    found: dict[str, tuple[int, int]] = {}
    for path in glob.glob(f"{folder}/*_beforeUnification.ll"):
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read()
        for name in re.findall(r"\ndefine spir_kernel void @(\w+)\(", text):
            found[name] = (_local_bytes(text, name), _reqd_group(text, name))
    return found


def _reqd_group(text: str, kernel: str) -> int:
    """Work-items, by the metadata that names the kernel; 0: it leaves them to the launch."""
    node = re.search(rf"\n!\d+ = !\{{[^\n]* @{kernel}, ([^\n]*)\}}", text)
    for number in re.findall(r"!(\d+)", node[1] if node else ""):
        sizes = re.search(
            rf'\n!{number} = !\{{!"reqd_work_group_size", i32 (\d+), i32 (\d+), i32 (\d+)\}}', text
        )
        if sizes:
            return int(sizes[1]) * int(sizes[2]) * int(sizes[3])
    return 0


def _local_bytes(text: str, kernel: str) -> int:
    """Arrays in local memory are globals named after their kernel."""
    arrays = re.findall(rf"\n@{kernel}\.\S+ = [^\n]*addrspace\(3\) global (\[[^\n]*?\]) ", text)
    return sum(_bytes_of(a) for a in arrays)


def _bytes_of(array: str) -> int:
    total = {"float": 4, "double": 8, "i32": 4}.get(re.findall(r"[a-z]\w+", array)[-1], 4)
    for extent in re.findall(r"(\d+) x", array):
        total *= int(extent)
    return total


def _lines(code: str) -> list[Line]:
    lines = []
    for text in code[code.find("_main:") :].splitlines():
        label = re.match(r"(\w+):", text)
        code_text = text.split("//")[0].strip()
        bare = re.sub(r"\{.*\}", "", code_text).strip()
        branch = re.search(r"\b(?:while|jmpi|brd|brc)\b.* (\w+)$", bare)
        # Where those go on who do not jump, then where the others do.
        branch = branch or re.search(r"\bgoto\.b\b.* \w+ +(\w+)$", bare)
        comment = text.split("//")[1] if "//" in text else ""
        whole = f"{code_text} // {comment}" if "send" in code_text else code_text
        lines.append(Line(whole, label[1] if label else "", branch[1] if branch else ""))
    return lines


def classify(code: str) -> Instruction | None:
    """In slots of eight lanes: an instruction of 16 takes two."""
    m = re.match(r"(?:\(\S+\)\s+)?([a-z]\w*)(\.\S+)?\s+\((\d+)\|M\d+\)(.*)", code)
    if not m or m[1] in ("nop", "sync"):
        return None
    width = max(1, int(m[3]) / 8)
    if m[1].startswith("send"):
        local = "slm" in code or re.search(r"0x0[0-9A-F]{5}FE\b", code) or "block" in code
        return Instruction("local_memory" if local else "global_memory", width)
    if m[1] in ("mad", "mac", "madm") and ":f" in m[4]:
        return Instruction("multiply_add", width, fmas=1)
    if m[1] in _CONTROL:
        return Instruction("control", width)
    if m[1] in ("mov", "movi", "sel", "csel"):
        return Instruction("move", width)
    whole_numbers = not re.search(r":(f|df|hf)\b", m[4])
    return Instruction("address" if whole_numbers else "arithmetic", width)
