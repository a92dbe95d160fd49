# SPDX-License-Identifier: Apache-2.0
"""The power goes off during a training: at any moment, and with any part of what was not yet synced.

What a run writes is recorded by the shim. At a moment of the record each file has what was synced of
it, and of its later writes some: all before one that is torn, or any of them; a folder likewise of
its names. From each such state the run has to come to its end with the undisturbed model and its
metrics, in metrics.jsonl, metrics.csv and summary.json: resumed where run.json is there, begun again
with the same command where it is not. A run that was resumed, and one that compress writes, likewise.

usage: power.py PROGRAM SHIM every STEP SEEDS   (a moment in STEP calls, SEEDS states of each)
"""
import csv
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

TASK = ["curve", "--width", "8", "--phase", "backprop:epochs=3"]
MOVES = ["curve", "--width", "8", "--model", "node-ew", "--weights", "fourier", "--basis", "5",
         "--phase", "backprop:epochs=3"]
MEASURED = ("seconds", "bytes", "hash")  # parts of names whose values are of this very process
O_CREAT, O_TRUNC, O_APPEND = 0o100, 0o1000, 0o2000


def read_record(path):
    """[(verb, fd, number, first, second, data)]"""
    calls = []
    with open(path, "rb") as file:
        while line := file.readline():
            verb, fd, number, rest = line.decode().rstrip("\n").split(" ", 3)
            first, second = rest.split("\t")
            data = file.read(int(number)) if verb == "write" else b""
            calls.append((verb, int(fd), int(number), first, second, data))
    return calls


class File:
    """An inode: what is on the disk, and what was done to it since."""

    def __init__(self, synced=b""):
        self.synced, self.pending, self.size = synced, [], len(synced)

    def contents(self, chance):
        data = bytearray(self.synced)
        manner = chance.randrange(3)
        kept = chance.randrange(len(self.pending) + 1)
        for i, (at, piece, size) in enumerate(self.pending):
            if manner == 0 and i >= kept or manner == 1 and chance.random() < 0.5:
                continue
            if manner == 0 and i == kept - 1 and piece:
                piece = piece[:chance.randrange(len(piece) + 1)]  # torn
            if size is not None:
                data = data[:size] + bytes(size - len(data[:size]))
                continue
            data += bytes(max(0, at - len(data)))
            data[at:at + len(piece)] = piece
        return bytes(data)

    def sync(self):
        for at, piece, size in self.pending:
            data = bytearray(self.synced)
            if size is not None:
                data = data[:size] + bytes(size - len(data[:size]))
            else:
                data += bytes(max(0, at - len(data)))
                data[at:at + len(piece)] = piece
            self.synced = bytes(data)
        self.pending = []


class Folder:
    """Names: those on the disk, and changes since; None for a name that was removed."""

    def __init__(self):
        self.synced, self.pending, self.now = {}, [], {}

    def change(self, *names):
        self.pending.append(names)
        for name, file in names:
            self.now[name] = file
            if file is None:
                del self.now[name]

    def sync(self):
        self.synced, self.pending = dict(self.now), []

    def names(self, chance):
        there = dict(self.synced)
        kept = chance.randrange(len(self.pending) + 1)
        manner = chance.randrange(2)
        for i, names in enumerate(self.pending):
            if manner == 0 and i >= kept or manner == 1 and chance.random() < 0.5:
                continue
            for name, file in names:
                there[name] = file
        return {name: file for name, file in there.items() if file is not None}


class Disk:
    """What a record leaves: the folder r in the folder above it."""

    def __init__(self, begun):
        """With what was in the folder, long synced; that of a run that begins is not there."""
        there = os.path.isdir(begun)
        self.folder, self.made, self.made_synced = Folder(), there, there
        self.open = {}  # descriptor -> [file or folder, position, appends]
        for name in os.listdir(begun) if there else []:
            with open(os.path.join(begun, name), "rb") as file:
                self.folder.now[name] = File(file.read())
        self.folder.sync()

    def apply(self, verb, fd, number, first, second, data):
        name = first[2:] if first.startswith("r/") else None
        if verb == "mkdir" and first == "r":
            self.made = True
        elif verb == "open":
            self.open.pop(fd, None)
            if first == "r":
                self.open[fd] = [self.folder, 0, False]
            elif first == ".":
                self.open[fd] = [self, 0, False]
            elif name:
                if name not in self.folder.now and number & O_CREAT:
                    self.folder.change((name, File()))
                file = self.folder.now[name]
                if number & O_TRUNC:
                    file.pending.append((0, b"", 0))
                    file.size = 0
                self.open[fd] = [file, 0, bool(number & O_APPEND)]
        elif verb == "rename" and name:
            self.folder.change((second[2:], self.folder.now[name]), (name, None))
        elif verb == "link" and name:
            self.folder.change((second[2:], self.folder.now[name]))
        elif verb == "unlink" and name:
            self.folder.change((name, None))
        elif fd in self.open:
            self.to_open(verb, fd, number, data)

    def to_open(self, verb, fd, number, data):
        entry = self.open[fd]
        file = entry[0]
        if verb == "close":
            del self.open[fd]
        elif verb in ("fsync", "fdatasync"):
            file.sync()
        elif verb == "write":
            at = file.size if entry[2] else entry[1]
            file.pending.append((at, data, None))
            entry[1] = at + len(data)
            file.size = max(file.size, entry[1])
        elif verb == "ftruncate":
            file.pending.append((0, b"", number))
            file.size = number

    def sync(self):  # the folder above
        self.made_synced = self.made

    def restore(self, path, chance):
        """After the power is back; whether r is there."""
        if not self.made_synced and not (self.made and chance.random() < 0.5):
            return
        os.mkdir(path)
        for name, file in self.folder.names(chance).items():
            with open(os.path.join(path, name), "wb") as out:
                out.write(file.contents(chance))


def run(program, words, folder, **variables):
    return subprocess.run([program, *words], cwd=folder, env={**os.environ, **variables},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def without_measured(line):
    return {name: value for name, value in line.items()
            if not any(part in name for part in MEASURED)}


def results(folder):
    """What a finished run says, but for times and the like: {file: contents}"""
    path = os.path.join(folder, "r")
    with open(os.path.join(path, "model.safetensors"), "rb") as file:
        found = {"model.safetensors": file.read()}
    with open(os.path.join(path, "summary.json"), encoding="utf-8") as file:
        found["summary.json"] = without_measured(json.load(file))
    with open(os.path.join(path, "metrics.jsonl"), encoding="utf-8") as file:
        found["metrics.jsonl"] = [without_measured(json.loads(line)) for line in file]
    if os.path.exists(os.path.join(path, "metrics.csv")):
        with open(os.path.join(path, "metrics.csv"), encoding="utf-8", newline="") as file:
            found["metrics.csv"] = [without_measured(row) for row in csv.DictReader(file)]
    return found


def check(program, command, folder, wanted, what):
    path = os.path.join(folder, "r")
    resumes = command[0] in ("train", "resume") and os.path.exists(os.path.join(path, "run.json"))
    finished = command[0] == "compress" and os.path.exists(os.path.join(path, "summary.json"))
    if not finished:
        result = run(program, ["resume", "r"] if resumes else command, folder)
        if result.returncode != 0:
            sys.exit(f"{what}: {result.returncode}: {result.stderr}")
    found = results(folder)
    for name, contents in wanted.items():
        if found.get(name) != contents:
            sys.exit(f"{what}: another {name}: {str(found.get(name))[:600]}")
    left = [name for name in os.listdir(os.path.join(folder, "r"))
            if ".tmp-" in name or name.startswith("checkpoint")]
    if left:
        sys.exit(f"{what}: leaves {left}")


def copy_tree(source, target):
    shutil.rmtree(target, ignore_errors=True)
    if os.path.exists(source):
        shutil.copytree(source, target)


def make_half(program, shim, folder):
    """The run "half", killed with a checkpoint: as late as can be."""
    counted = os.path.join(folder, "count")
    half = os.path.join(folder, "half")
    train = ["train", *TASK, "--out", "half"]
    run(program, train, folder, LD_PRELOAD=shim, EVN_FAULTS="files:0:EIO", EVN_FAULTS_COUNT=counted)
    with open(counted, encoding="utf-8") as file:
        calls = int(file.readline())
    for tenth in range(9, 2, -1):
        shutil.rmtree(half)
        run(program, train, folder, LD_PRELOAD=shim, EVN_FAULTS=f"files:{calls * tenth // 10}:kill")
        if (os.path.exists(os.path.join(half, "checkpoint.safetensors"))
                and not os.path.exists(os.path.join(half, "summary.json"))):
            return
    sys.exit("no run could be killed between a checkpoint and its end")


def scenarios(program, shim, folder):
    """(name, command, what r is a copy of before it)"""
    yield "train", ["train", *TASK, "--out", "r"], None
    make_half(program, shim, folder)
    yield "resume", ["resume", "r"], "half"
    run(program, ["train", *MOVES, "--out", "moves"], folder)
    yield "compress", ["compress", "moves", "--basis", "3", "--out", "r"], None


def play(program, shim, folder, scenario, step, seeds):
    name, command, source = scenario
    path, begun = os.path.join(folder, "r"), os.path.join(folder, source or "none")
    copy_tree(begun, path)
    record = os.path.join(folder, "record")
    result = run(program, command, folder, LD_PRELOAD=shim, EVN_FAULTS="files:0:EIO",
                 EVN_FAULTS_RECORD=record)
    if result.returncode != 0:
        sys.exit(f"{name}: {result.stderr}")
    calls, wanted = read_record(record), results(folder)
    os.remove(record)
    changing = ("write", "fsync", "fdatasync", "rename", "link", "unlink", "ftruncate", "mkdir")
    disk, moment = Disk(begun), 0
    for index, call in enumerate(calls):
        disk.apply(*call)
        if call[0] not in changing or not (call[3].startswith("r") or call[1] in disk.open):
            continue
        moment += 1
        if (moment + 7) % step:
            continue
        for seed in range(seeds):
            shutil.rmtree(path, ignore_errors=True)
            disk.restore(path, random.Random(1000 * index + seed))
            check(program, command, folder, wanted,
                  f"{name}, call {index} ({call[0]} {call[3]}), seed {seed}")
    print(f"{name}: {moment} moments")


def main():
    program, shim, step, seeds = sys.argv[1], sys.argv[2], int(sys.argv[4]), int(sys.argv[5])
    with tempfile.TemporaryDirectory() as folder:
        run(program, ["train", *TASK, "--out", "warm"], folder)  # compiles
        for scenario in scenarios(program, shim, folder):
            play(program, shim, folder, scenario, step, seeds)


main()
