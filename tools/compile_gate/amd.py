# SPDX-License-Identifier: Apache-2.0
"""AMD: clang's amdgcn back end, which ROCm's OpenCL uses, with libclc's library."""

from __future__ import annotations

import re

import isa
import mca
from clang import compile_to_assembly
from compilers import Compilers
from figures import Figures
from isa import Instruction, Line, starts
from targets import Target

# Functions of sub-groups, which libclc lacks: a sub-group is a wave. ROCm adds up by moves between
# rows of lanes (DPP), this by permutations.
_SUB_GROUPS = """
#define get_max_sub_group_size() __builtin_amdgcn_wavefrontsize()
#define get_sub_group_local_id() \\
    __builtin_amdgcn_mbcnt_hi(~0u, __builtin_amdgcn_mbcnt_lo(~0u, 0u))
#define get_sub_group_id() ((uint)get_local_id(0) / __builtin_amdgcn_wavefrontsize())
#define sub_group_reduce_add evn_gate_reduce_add
__attribute__((always_inline)) static float evn_gate_reduce_add(float x) {
    const uint lane = get_sub_group_local_id();
    for (uint mask = 1; mask < __builtin_amdgcn_wavefrontsize(); mask *= 2) {
        x += as_float(__builtin_amdgcn_ds_bpermute((int)((lane ^ mask) * 4), as_int(x)));
    }
    return x;
}
"""

_REMARK = re.compile(r"remark:\s+([^:]+): (\S+) \[-Rpass-analysis=kernel-resource-usage\]")


def compile_program(
    compilers: Compilers, target: Target, folder: str, options: str
) -> list[Figures]:
    triple = ["-target", "amdgcn-amd-amdhsa", f"-mcpu={target.name}"]
    triple += ["-Rpass-analysis=kernel-resource-usage"]
    if "sub_group" in options:
        with open(f"{folder}/sub_groups.h", "w", encoding="utf-8") as file:
            file.write(_SUB_GROUPS)
        triple += ["-include", "sub_groups.h"]
    text, messages = compile_to_assembly(compilers, folder, options, triple, "amdgcn--amdhsa.bc")
    groups = dict(_reqd_groups(text))
    return [
        _figures(compilers, target, remarks, text, groups)
        for remarks in _remarks(messages)
        if f".amdhsa_kernel {remarks['Function Name']}\n" in text
    ]


def _remarks(messages: str) -> list[dict[str, str]]:
    functions: list[dict[str, str]] = []
    for key, value in _REMARK.findall(messages):
        if key == "Function Name":
            functions.append({})
        functions[-1][key.strip()] = value
    return functions


def _reqd_groups(text: str):
    """Names and work-items of the kernels that fix their work-group, from the metadata."""
    for kernel in re.split(r"\n  - \.a", text[text.find("amdhsa.kernels:") :])[1:]:
        name = re.search(r"\.name: +(\S+)\n", kernel.split(".max_flat")[-1] + "\n")
        sizes = re.search(r"\.reqd_workgroup_size:\s+- (\d+)\s+- (\d+)\s+- (\d+)", kernel)
        if name and sizes:
            yield name.group(1), int(sizes[1]) * int(sizes[2]) * int(sizes[3])


def _figures(
    compilers: Compilers, target: Target, remarks: dict[str, str], text: str, groups: dict[str, int]
) -> Figures:
    name = remarks["Function Name"]
    body = text[text.index(f"\n{name}:") :]
    body = body[: body.index("s_endpgm")]
    wave = 32 if ".amdhsa_wavefront_size32 1" in text else 64
    found = Figures(
        name,
        registers=int(remarks["VGPRs"]) + int(remarks.get("AGPRs", 0)),
        spills=4 * int(remarks["VGPRs Spill"]),
        local_bytes=int(remarks["LDS Size [bytes/block]"]),
        simd=wave,
        group=groups.get(name, 0),
    )
    # The compiler's occupancy counts local memory too, which the verdict does by itself.
    waves = _waves(target, found.registers, wave)
    found.threads = waves * target.simds
    found.loop, lines = isa.busiest(_lines(body), classify)
    found.loop.cycles = mca.cycles(compilers, target.name, found.loop, lines)
    return found


def _waves(target: Target, registers: int, wave: int) -> int:
    """Waves of a SIMD that so many registers allow (LLVM's AMDGPUBaseInfo)."""
    name = target.name
    if name.startswith(("gfx90a", "gfx94")):
        total, granule = 512, 8
    elif wave == 64:
        total, granule = 256, 4
    else:
        large = name.startswith(("gfx1100", "gfx1101", "gfx1151", "gfx12"))
        total = 1536 if large else 1024
        granule = 24 if large else 16 if name >= "gfx1030" else 8
    used = -(-max(1, registers) // granule) * granule
    return min(target.threads // target.simds, total // used)


def _lines(body: str) -> list[Line]:
    lines = []
    for text in body.splitlines():
        label = re.match(r"(\.LBB\w+):", text)
        code = text.split(";")[0].strip()
        branch = re.match(r"s_c?branch\w* (\.LBB\w+)", code)
        lines.append(Line(code, label[1] if label else "", branch[1] if branch else ""))
    return lines


def classify(code: str) -> Instruction | None:
    """Scalar instructions, and those to memory, go beside the others and cost no slot of a SIMD."""
    fmas = len(re.findall(r"\bv_(?:dual_)?(?:fma|mac_f|mad_f|pk_fma)", code))
    if fmas:
        return Instruction("multiply_add", fmas=2 if code.startswith("v_pk_fma_f32") else fmas)
    if starts(code, "ds_read", "ds_write", "ds_load", "ds_store"):
        bits = re.search(r"_b(\d+)", code)
        pair = 2 if "2" in code.split()[0].split("_")[1] + code.split()[0][-6:-4] else 1
        size = pair * int(bits[1]) / 8 if bits else 4
        return Instruction("local_memory", is_beside=True, local_bytes=size)
    if starts(code, "global_", "flat_", "buffer_", "scratch_", "s_load", "s_buffer_load"):
        return Instruction("global_memory", is_beside=True)
    if not starts(code, "[vs]_", "ds_"):
        return None
    if starts(code, r"s_\w*(?:branch|barrier|wait|saveexec|nop|delay|clause|prefetch|setpc|swappc)", "[vs]_cmp"):
        return Instruction("control", is_beside=code.startswith("s_"))
    if starts(code, r"(?:[vs]|ds)_\w*(?:mov|cndmask|cselect|lane|perm|swizzle|cvt|accvgpr)"):
        return Instruction("move", is_beside=not code.startswith("v_"))
    if starts(code, "[sd]", r"v_\w*(?:_[iub]\d+|lshl|bfe)"):
        return Instruction("address", is_beside=not code.startswith("v_"))
    return Instruction("arithmetic")
