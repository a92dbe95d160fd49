# SPDX-License-Identifier: Apache-2.0
"""clang's OpenCL front end, with libclc: what AMD and NVIDIA have in common."""

from __future__ import annotations

from compilers import Compilers
from figures import CompileError


def compile_to_assembly(
    compilers: Compilers, folder: str, options: str, triple: list[str], library: str
) -> tuple[str, str]:
    """Assembly and messages of program.cl in `folder`."""
    assert compilers.clang
    flags = ["-finclude-default-header", "-fdeclare-opencl-builtins", "-mlink-builtin-bitcode"]
    arguments = ["-x", "cl", *options.split(), *triple, "-nogpulib", "-O3"]
    for flag in [*flags, f"{compilers.clc}/{library}"]:
        arguments += ["-Xclang", flag]
    done = compilers.clang.run(*arguments, "-S", "program.cl", "-o", "program.s", folder=folder)
    if done.returncode != 0:
        errors = [line for line in done.stdout.splitlines() if "error:" in line]
        raise CompileError("\n".join(errors[:5]) or done.stdout[-2000:])
    with open(f"{folder}/program.s", encoding="utf-8") as file:
        return file.read(), done.stdout
