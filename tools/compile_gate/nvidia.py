# SPDX-License-Identifier: Apache-2.0
"""NVIDIA: clang's nvptx back end, then NVIDIA's own assembler."""

from __future__ import annotations

import re

import isa
from clang import compile_to_assembly
from compilers import Compilers
from figures import CompileError, Figures
from isa import Instruction, Line, starts
from targets import Target

WARP = 32
REGISTERS = 65536  # of a multiprocessor, all since sm_50
GRANULE = 256  # registers that a warp gets at a time

# Beginnings of the names of instructions, looked up in this order.
_CONTROL = ("U?[IFDH]SETP", "U?P(LOP3|SETP)", "BRA", "BS", "BREAK", "BAR", "CALL", "RET", "EXIT", "NOP", "WARP", "YIELD",
            "DEPBAR", "MEMBAR")  # fmt: skip
_MOVE = ("U?MOV", "IMAD.MOV", "[UF]?SEL", "SHFL", r"\w*2", "VOTE", "REDUX", "U?PRMT")
_ADDRESS = ("I", "U", "LEA", "SHF", "SHL", "SHR", "LOP", "VI", "BMSK", "SGXT", "FLO", "POPC")

_KERNEL = re.compile(
    r"Compiling entry function '(\w+)'.*?"
    r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads.*?"
    r"Used (\d+) registers([^\n]*)",
    re.S,
)


def compile_program(
    compilers: Compilers, target: Target, folder: str, options: str
) -> list[Figures]:
    assert compilers.ptxas
    triple = ["-target", "nvptx64-nvidia-nvcl", "-Xclang", "-target-cpu", "-Xclang", target.name]
    compile_to_assembly(compilers, folder, options, triple, "nvptx64--nvidiacl.bc")
    arguments = ["-v", f"-arch={target.name}", "program.s", "-o", "program.cubin"]
    done = compilers.ptxas.run(*arguments, folder=folder)
    if done.returncode != 0:
        raise CompileError(done.stdout[-2000:])
    code = _code_of_kernels(compilers, folder)
    groups = _reqd_groups(compilers, folder, options)
    return [_figures(target, m, groups, code) for m in _KERNEL.finditer(done.stdout)]


def _figures(
    target: Target, m: re.Match, groups: dict[str, int], code: dict[str, str]
) -> Figures:
    local = re.search(r"(\d+) bytes smem", m[6])
    found = Figures(
        m[1],
        registers=int(m[5]),
        spills=max(int(m[3]), int(m[4])),
        local_bytes=int(local[1]) if local else 0,
        simd=WARP,
        group=groups.get(m[1], 0),
    )
    per_warp = -(-found.registers * WARP // GRANULE) * GRANULE
    per_part = REGISTERS // target.simds // max(per_warp, GRANULE)
    found.threads = min(target.threads, per_part * target.simds)
    found.loop, _ = isa.busiest(_lines(code.get(m[1], "")), classify)
    return found


def _reqd_groups(compilers: Compilers, folder: str, options: str) -> dict[str, int]:
    """Work-items of the kernels that fix their work-group, by the text after the preprocessor:
    clang does not hand them on to PTX."""
    assert compilers.clang
    done = compilers.clang.run("-x", "cl", *options.split(), "-E", "-P", "program.cl", folder=folder)
    found = re.findall(
        r"reqd_work_group_size\(([^,()]+),([^,()]+),([^,()]+)\)\)\)(?:\s|__kernel|void)*(\w+)\(",
        done.stdout,
    )
    return {k: _product(x) * _product(y) * _product(z) for x, y, z, k in found}


def _product(text: str) -> int:
    """Of whole numbers: "8 * 8"."""
    result = 1
    for factor in text.split("*"):
        result *= int(factor)
    return result


def _code_of_kernels(compilers: Compilers, folder: str) -> dict[str, str]:
    """Machine code as text; of none without nvdisasm, and the loops are not known then."""
    if not compilers.nvdisasm:
        return {}
    done = compilers.nvdisasm.run("-c", "program.cubin", folder=folder)
    parts = re.split(r"\n\.text\.(\w+):", done.stdout)
    return dict(zip(parts[1::2], parts[2::2]))


def _lines(code: str) -> list[Line]:
    lines = []
    for text in code.splitlines():
        label = re.match(r"(\.L_\w+):", text)
        code_text = re.sub(r"/\*.*?\*/", "", text).strip(" ;\t")
        code_text = re.sub(r"^@!?U?P\w+ +", "", code_text)
        branch = re.match(r"BRA\S* .*`\((\.L_\w+)\)", code_text)
        lines.append(Line(code_text, label[1] if label else "", branch[1] if branch else ""))
    return lines


def classify(code: str) -> Instruction | None:
    if not re.match(r"[A-Z]", code):
        return None
    if starts(code, "FFMA", "DFMA", "HFMA2"):
        return Instruction("multiply_add", fmas=2 if code.startswith("FFMA2") else 1)
    if starts(code, "LDS", "STS", "ATOMS"):
        bits = re.search(r"\.(64|128)", code)
        return Instruction("local_memory", local_bytes=int(bits[1]) / 8 if bits else 4)
    if starts(code, "LD", "ULDC", "ST", "RED\\b", "ATOM"):
        return Instruction("global_memory")
    if starts(code, *_CONTROL):
        return Instruction("control")
    if starts(code, *_MOVE):
        return Instruction("move")
    if starts(code, *_ADDRESS):
        return Instruction("address")
    return Instruction("arithmetic")
