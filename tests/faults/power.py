# SPDX-License-Identifier: Apache-2.0
"""The power goes off during a training: at any moment, and with any part of what was not yet synced.

What a run writes is recorded by the shim. At a moment of the record each file has what was synced of
it, and of its later writes some: all before one that is torn, or any of them; a folder likewise of
its names. From each such state the run has to come to its end with the undisturbed model: resumed
where run.json is there, begun again with the same command where it is not.

usage: power.py PROGRAM SHIM every STEP SEEDS   (a moment in STEP calls, SEEDS states of each)
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile

TASK = ["curve", "--width", "8", "--phase", "backprop:epochs=3"]
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

    def __init__(self):
        self.synced, self.pending, self.size = b"", [], 0

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

    def __init__(self):
        self.folder, self.made, self.made_synced = Folder(), False, False
        self.open = {}  # descriptor -> [file or folder, position, appends]

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


def check(program, folder, model, what):
    again = ["train", *TASK, "--out", "r"]
    begun = os.path.exists(os.path.join(folder, "r", "run.json"))
    result = run(program, ["resume", "r"] if begun else again, folder)
    if result.returncode != 0:
        sys.exit(f"{what}: {result.returncode}: {result.stderr}")
    with open(os.path.join(folder, "r", "model.safetensors"), "rb") as file:
        if file.read() != model:
            sys.exit(f"{what}: another model")
    left = [name for name in os.listdir(os.path.join(folder, "r"))
            if ".tmp-" in name or name.startswith("checkpoint")]
    if left:
        sys.exit(f"{what}: leaves {left}")


def main():
    program, shim, step, seeds = sys.argv[1], sys.argv[2], int(sys.argv[4]), int(sys.argv[5])
    with tempfile.TemporaryDirectory() as folder:
        run(program, ["train", *TASK, "--out", "warm"], folder)  # compiles
        result = run(program, ["train", *TASK, "--out", "r"], folder, LD_PRELOAD=shim,
                     EVN_FAULTS="files:0:EIO", EVN_FAULTS_RECORD=os.path.join(folder, "record"))
        if result.returncode != 0:
            sys.exit(result.stderr)
        calls = read_record(os.path.join(folder, "record"))
        with open(os.path.join(folder, "r", "model.safetensors"), "rb") as file:
            model = file.read()
        changing = ("write", "fsync", "fdatasync", "rename", "link", "unlink", "ftruncate", "mkdir")
        disk, moment = Disk(), 0
        for index, call in enumerate(calls):
            disk.apply(*call)
            if call[0] not in changing or not (call[3].startswith("r") or call[1] in disk.open):
                continue
            moment += 1
            if (moment + 7) % step:
                continue
            for seed in range(seeds):
                shutil.rmtree(os.path.join(folder, "r"), ignore_errors=True)
                disk.restore(os.path.join(folder, "r"), random.Random(1000 * index + seed))
                check(program, folder, model, f"call {index} ({call[0]} {call[3]}), seed {seed}")
        print(f"{moment} moments")


main()
