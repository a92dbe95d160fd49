# SPDX-License-Identifier: Apache-2.0
"""Whether the kept figures are those of the kernels as they are: hashes of what programs are made of."""

from __future__ import annotations

import hashlib
import os
import re

FOLDERS = ("kernels", "src/elements", "src/ops", "src/samples")
_ENDINGS = (".cl", ".c", ".h", ".def")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
_STAMP = re.compile(r"# of (\S+)\t([0-9a-f]+)$")


def _code(path: str) -> str:
    """Without comments and line breaks, which change no kernel."""
    with open(path, encoding="utf-8") as file:
        return " ".join(_COMMENT.sub(" ", file.read()).split())


def _stamp(folder: str) -> str:
    whole = hashlib.sha256()
    for name in sorted(os.listdir(folder)):
        if name.endswith(_ENDINGS):
            whole.update(f"{name}\n{_code(os.path.join(folder, name))}\n".encode())
    return whole.hexdigest()[:16]


def stamps_of(source: str) -> dict[str, str]:
    """Of each folder of a source tree."""
    return {folder: _stamp(os.path.join(source, folder)) for folder in FOLDERS}


def read_stamps(path: str) -> dict[str, str]:
    """Those that stand at the head of kept figures."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as file:
        found = (_STAMP.match(line.rstrip("\n")) for line in file)
        return {m[1]: m[2] for m in found if m}


def stamp_lines(stamps: dict[str, str]) -> list[str]:
    return [f"# of {folder}\t{stamp}" for folder, stamp in sorted(stamps.items())]


def stale(source: str, path: str) -> list[str]:
    """The folders that have changed since the figures were made."""
    kept = read_stamps(path)
    return [folder for folder, stamp in stamps_of(source).items() if kept.get(folder) != stamp]
