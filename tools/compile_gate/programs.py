# SPDX-License-Identifier: Apache-2.0
"""Programs as evonode builds them, cut into the kernel sources that they are made of.

A folder of programs is what tests/layer writes down: HASH.cl, the text, and HASH.options. evonode
puts several sources into one program (host/part.c). A source looks the same in whichever program
it stands but for its number, so each is compiled by itself, and once.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
from dataclasses import dataclass, field

_BEGIN = '#line 1 "variant.cl"'
_RENAME = re.compile(r"#(define (\w+) \2__\d+|undef \w+)$")
_GENERATED = re.compile(r"_[0-9a-f]{32}(?=_|\b)")
# From its first word to the brace that closes it, which alone begins a line.
_KERNEL = re.compile(r"(?:\b[A-Z]+ )?\b__kernel (?:[A-Z]+ )?void (\w+)\(.*?^}$", re.M | re.S)
_ORDER = ("ROWS", "VECTORS", "WIDTH", "LANES", "GROUP_X", "GROUP_Y", "DEPTH")


@dataclass
class Unit:
    """A kernel source with all that stands before it."""

    source: str
    options: str
    used: set[str] = field(default_factory=set)  # kernels that are launched; none: all may be
    groups: dict[str, int] = field(default_factory=dict)  # work-items of their largest work-group
    vendors: dict[str, bool] = field(default_factory=dict)  # whose devices have it: as a default?

    def is_for(self, vendor: str, has_sub_groups: bool) -> bool:
        """Whether that vendor's compilers are asked: "" is one whose compilers cannot be had, and another
        vendor's has to know the functions that the source calls."""
        return vendor in self.vendors or ("" in self.vendors and (has_sub_groups or not self.sub_groups))

    @property
    def sub_groups(self) -> bool:
        """Whether it calls functions of sub-groups (src/ops/group_sum.h)."""
        return "sub_group_" in self.options

    def use_on(self, vendor: str) -> str:
        """Default: a training builds it; variant: the tuner alone; other: on other vendors' devices."""
        if vendor not in self.vendors:
            return "other"
        return "default" if self.vendors[vendor] else "variant"

    @property
    def text(self) -> str:
        """Without the kernels that nobody launches, so that no compiler spends time on them; all
        lines keep their numbers."""

        def hide(m: re.Match) -> str:
            return m[0] if m[1] in self.used else "\n" * m[0].count("\n")

        return _KERNEL.sub(hide, self.source) if self.used else self.source

    def key(self) -> str:
        return _hash(self.options, self.text)

    def defines(self) -> dict[str, str]:
        own = self.source[self._begin() : self.source.index(_BEGIN)]
        found = dict(re.findall(r"^#define (\w+) (\S+)$", own, re.M))
        found.update(re.findall(r"-D(\w+)=?(\S*)", self.options))
        return found

    def _begin(self) -> int:
        """Where the source's own lines begin, after the head that all have."""
        return max(0, self.source.rfind("\n\n", 0, self.source.index(_BEGIN)))

    def label(self, kernel: str) -> str:
        """What figures are kept under: the kernel, with its tile and whether it has an epilogue.

        The names of generated kernels end in a hash of their text, which any change changes."""
        d = self.defines()
        tile = "x".join(d[k] for k in ("ROWS", "VECTORS", "WIDTH") if k in d)
        group = "x".join(d[k] for k in ("GROUP_X", "GROUP_Y") if k in d)
        rest = [f"{k.lower()} {v}" for k, v in sorted(d.items()) if k not in _ORDER]
        rest += [f"{k.lower()} {d[k]}" for k in ("LANES", "DEPTH") if k in d]
        if "VECTORS" in d and "ROWS" not in d:
            rest.append(f"vectors {d['VECTORS']}")
            tile = ""
        words = [_GENERATED.sub("", kernel), tile, f"in {group}" if group else "", *rest]
        generated = '#line 1 "generated.cl"' in self.source and not _GENERATED.search(kernel)
        words.append("+ epilogue" if generated else "")
        return " ".join(w for w in words if w and not w.startswith(("evn_fp64", "epilogue_")))


def split(text: str) -> list[str]:
    """The sources of a program, each with the head of the program."""
    lines = text.split("\n")
    begins = []
    for at, line in enumerate(lines):
        if line == _BEGIN:
            while at > 0 and lines[at - 1].startswith("#define "):
                at -= 1
            begins.append(at)
    if not begins:
        return [text]
    head, ends = lines[: begins[0]], [*begins[1:], len(lines)]
    return [
        "\n".join(head + [""] + [l for l in lines[b:e] if not _RENAME.match(l)])
        for b, e in zip(begins, ends)
    ]


def _hash(options: str, text: str) -> str:
    return hashlib.sha256(f"{options}\n{text}".encode()).hexdigest()


def _read(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def read_folder(folder: str) -> list[tuple[str, str, dict[str, int]]]:
    """Text, options and launched kernels of each program, with the work-items of a group; 0: unknown."""
    programs = []
    for path in sorted(glob.glob(f"{folder}/*.cl")):
        stem = path.removesuffix(".cl")
        programs.append((_read(path), _read(f"{stem}.options").strip("\0\n"), _kernels(stem)))
    return programs


def _kernels(stem: str) -> dict[str, int]:
    """A line each time that one was made or launched: its name, then perhaps the work-items."""
    kernels: dict[str, int] = {}
    lines = _read(f"{stem}.kernels").splitlines() if os.path.exists(f"{stem}.kernels") else []
    for line in lines:
        name, _, items = line.partition(" ")
        kernels[name] = max(kernels.get(name, 0), int(items or 0))
    return kernels


def _used_of_part(kernels: dict[str, int], part: int) -> dict[str, int]:
    """Kernels of the source with that number, from 1; its names end in it (host/part.c)."""
    suffix = f"__{part}"
    own = {k.removesuffix(suffix): n for k, n in kernels.items() if k.endswith(suffix)}
    return own | {k: n for k, n in kernels.items() if not re.search(r"__\d+$", k)}


def add_folder(units: dict[str, Unit], folder: str, vendors: tuple[str, ...], is_default: bool) -> int:
    """Adds the sources of all programs in a folder, which those vendors' devices build; how many
    programs there are."""
    programs = read_folder(folder)
    for text, options, kernels in programs:
        for number, source in enumerate(split(text), start=1):
            unit = units.setdefault(_hash(options, source), Unit(source, options))
            for kernel, items in _used_of_part(kernels, number).items():
                unit.used.add(kernel)
                unit.groups[kernel] = max(unit.groups.get(kernel, 0), items)
            for vendor in vendors:
                unit.vendors[vendor] = unit.vendors.get(vendor, False) or is_default
    return len(programs)
