# SPDX-License-Identifier: Apache-2.0
"""The compile gate: what evonode builds goes through the compilers of AMD, NVIDIA and Intel.

python3 tools/compile_gate [options]; --help lists them. README.md says what it looks at.
"""

from __future__ import annotations

import argparse
import glob
import os
import sys

import page
import predict
from compilers import Compilers, find_compilers
from freshness import read_stamps, stamps_of
from programs import Unit, add_folder
from targets import DEFAULTS, Target, UnknownTarget, find_target
from verdict import Row, faults, growth, make_rows, read_accepted, read_rows, write_rows
from work import VENDORS, Cache, Result, compile_all, pairs_of
from written import QUICK, TRAININGS, VARIANTS, WriteError, Writer

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
KEPT = os.path.join(SOURCE, "docs", "devices", "figures.tsv")
ACCEPTED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "accepted.tsv")
PAGE = os.path.join(SOURCE, "docs", "devices.md")
RESULTS = os.path.join(SOURCE, "results", "*", "*.json")
PREDICTED = os.path.join(SOURCE, "docs", "devices", "predicted.tsv")
PROFILES = os.path.join(SOURCE, "tests", "layer", "profiles")


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("compile_gate", description=__doc__.split("\n\n")[0])
    add = parser.add_argument
    add("--build", default=os.path.join(SOURCE, "build"), help="build folder [build]")
    add("--targets", default=",".join(DEFAULTS), help="such as gfx1010,sm_89,dg2 [%(default)s]")
    add("--costumes", default="", help="profiles of tests/layer, names or files [all GPUs]")
    add("--tasks", default="", help=f"of {', '.join(TRAININGS)} [all]")
    add("--quick", action="store_true", help=f"a part: the tasks {', '.join(QUICK)}")
    add("--variants", action="store_true", help="what only the tuner would build, too")
    add("--programs", action="append", default=[], help="a folder written by tests/layer instead")
    add("--jobs", type=int, default=os.cpu_count() or 1, help="compilers at a time [%(default)s]")
    add("--require", action="store_true", help="a compiler that is missing is a failure")
    add("--write", action="store_true", help="keep the figures and write docs/devices.md")
    return parser.parse_args(words)


def _profiles(names: str) -> list[str]:
    if not names:  # a processor's programs are for no compiler of the gate
        every = sorted(glob.glob(f"{PROFILES}/*.profile"))
        return [path for path in every if _read_profile(path)["type"] == "gpu"]
    return [n if os.path.exists(n) else f"{PROFILES}/{n}.profile" for n in names.split(",")]


def _read_profile(path: str) -> dict[str, str]:
    found = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            key, equals, value = line.split("#")[0].partition("=")
            if equals:
                found[key.strip()] = value.strip()
    return found


def _vendor_of(profile: str) -> str:
    """Whose compiler the costume's programs meet; "" one that the gate does not have."""
    return _read_profile(profile).get("compiler", "").split(" ")[0]


def _collect(options: argparse.Namespace) -> dict[str, Unit]:
    """The sources to compile."""
    units: dict[str, Unit] = {}
    for folder in options.programs:
        add_folder(units, folder, tuple(VENDORS), True)
    if options.programs:
        return units
    writer = _writer(options)
    tasks = options.tasks.split(",") if options.tasks else list(QUICK if options.quick else TRAININGS)
    for profile in _profiles(options.costumes):
        vendor = (_vendor_of(profile),)
        for task in tasks:
            if task not in TRAININGS:
                raise WriteError(f"no task is named '{task}'; there are {', '.join(TRAININGS)}")
            count = add_folder(units, writer.write(profile, task), vendor, True)
            print(f"{os.path.basename(profile)}: {task}, {count} programs", flush=True)
        if options.variants:
            add_folder(units, writer.write(profile, VARIANTS), vendor, False)
    return units


def _writer(options: argparse.Namespace) -> Writer:
    return Writer(options.build, os.path.join(options.build, "gate", "programs"))


def _count_launches(options: argparse.Namespace) -> dict[str, dict[str, int]]:
    """By the name of each GPU's profile and the row of `evonode bench`."""
    keys = [work.key for work in predict.WORKS]
    return {os.path.basename(p): _writer(options).launches(p, keys) for p in _profiles("")}


def _targets(options: argparse.Namespace, compilers: Compilers) -> tuple[list[Target], list[str]]:
    """Those with a compiler, and the names of the others."""
    found, skipped = [], []
    for name in options.targets.split(","):
        target = find_target(name)
        missing = compilers.missing(target.vendor)
        if missing:
            print(f"skipped: {name}, for want of {missing}; sh tools/setup.sh gate brings it")
            skipped.append(name)
        else:
            found.append(target)
    return found, skipped


def _show_progress(done: int, count: int) -> None:
    if sys.stderr.isatty() or done % 100 == 0 or done == count:
        print(f"\r{done} of {count}", end="\n" if done == count else "", file=sys.stderr, flush=True)


def _errors(results: list[Result]) -> list[str]:
    found = []
    for result in results:
        if result.error:
            kernels = ", ".join(sorted(result.unit.used)) or "a program"
            kind = result.unit.use_on(result.target.vendor)
            found.append(f"{kernels} ({kind}) on {result.target.name}: {result.error}")
    return found


def _report(title: str, lines: list[str]) -> None:
    if lines:
        print(f"\n{title}:")
        print("\n".join(f"  {line}" for line in lines))


def _write(rows: list[Row], kept: list[Row], is_whole: bool, launches: dict[str, dict[str, int]]) -> None:
    """What was not compiled this time stays as it was, but for kernels that a whole run misses. Where
    nothing stays, the figures are those of the sources as they are."""
    fresh = {r.key() for r in rows}
    gone = {r.target for r in rows} if is_whole else set()
    is_fresh = gone >= set(DEFAULTS)
    stay = [r for r in kept if r.key() not in fresh and r.target not in gone]
    rows = sorted(rows + stay, key=lambda r: r.key())
    rows = [Row.from_line(r.line()) for r in rows]  # rounded: the page says what the file says
    write_rows(KEPT, rows, stamps_of(SOURCE) if is_fresh else read_stamps(KEPT))
    profiles = {os.path.basename(p): _read_profile(p) for p in _profiles("")}
    predicted = predict.predictions([r for r in rows if r.use == "default"], profiles, launches)
    predict.write(PREDICTED, predicted)
    trials = predict.trials(sorted(glob.glob(RESULTS)))
    text = page.render(rows, predicted, trials, read_accepted(ACCEPTED))
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(text)
    print(f"{PAGE}: {len(rows)} rows")


def main(words: list[str]) -> int:
    options = _arguments(words)
    options.build = os.path.abspath(options.build)
    compilers = find_compilers(os.path.join(options.build, "gate"))
    try:
        targets, skipped = _targets(options, compilers)
        if not targets:
            return 1 if options.require else 77
        launches = _count_launches(options) if options.write else {}
        units = _collect(options)
    except (UnknownTarget, WriteError, OSError) as error:
        print(f"compile_gate: {error}", file=sys.stderr)
        return 2
    if not units:
        print("compile_gate: no program to compile; see --programs and --tasks", file=sys.stderr)
        return 2
    pairs = pairs_of(list(units.values()), targets)
    cache = Cache(os.path.join(options.build, "gate", "cache"), compilers)
    results = compile_all(compilers, cache, pairs, max(1, options.jobs), _show_progress)
    rows, kept = make_rows(results), read_rows(KEPT)
    errors, bad = _errors(results), faults(rows, read_accepted(ACCEPTED))
    _report("does not compile", errors)
    _report("not good enough for a default", bad)
    _report("grew by more than a tenth against docs/devices/figures.tsv", growth(rows, kept))
    reused = sum(r.is_kept for r in results)
    print(f"\n{len(units)} sources, {len(targets)} targets, {len(results)} compilations ({reused} kept)")
    if options.write:
        parts = (options.programs, options.costumes, options.tasks, options.quick)
        _write(rows, kept, options.variants and not any(parts), launches)
    return 1 if errors or bad or (skipped and options.require) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
