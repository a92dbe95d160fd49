#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every command of docs/guide.md as it is written, in its order:  test_guide.py PART SOURCE PROGRAM

PART is walk (from pictures of one's own to an answer), install (in a copy of the sources), or guide: all that follows,
in one folder with the files that the guide says a user has; first-epochs is guide with trainings whose phases end
after one epoch, and without what LONG says. What is wrong is printed, a line each."""
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

PART, SOURCE, PROGRAM = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
GUIDE = (SOURCE / "docs/guide.md").read_text()
WALK = "Your own pictures, from start to end"
PRINTED = "adjoint  epoch "  # a line that training prints
# It would change this system; tests/install/package.sh installs the packages in a root of their own.
NOT_HERE = "sudo apt install "
# In the place of evonode: one epoch of each phase of a training.
BOUNDED = """#!/bin/sh
case "$*" in
train\\ *epochs*) ;;
train\\ *) set -- "$@" --epochs 1 ;;
*) exec '{0}' "$@" ;;
esac
for word; do
    shift
    set -- "$@" "$(printf %s "$word" | sed 's/epochs=[1-9][0-9]*/epochs=1/')"
done
exec '{0}' "$@"
"""
# Not among the first epochs: minutes of compiling that tests/cli does for a smaller model, with the same verb.
LONG = ("evonode gradcheck ", "evonode invert ")
WRITES = r"--(?:out|onnx|svg|safetensors) (\S+)"


# What a user has ---------------------------------------------------------------------------------

def picture(width, height, colour, stripes):
    """A PNG of stripes, across or down, with some noise."""
    noise = random.Random(width * height + stripes)
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            bright = (x if stripes else y) // 6 % 2
            rows += bytes(min(255, max(0, c * (1 + bright) // 2 + noise.randrange(-30, 30))) for c in colour)
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(bytes(rows))),
              (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks)


def pictures(here):
    for i in range(48):
        path = here / "pets" / ("dog" if i % 2 else "cat") / f"{i} of mine.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(66 + i, 60, (90 + i, 160 - i, 120), i % 2))
    (here / "photos").mkdir()
    for name, stripes in (("photo.png", 1), ("photo.jpg", 1), ("dog.png", 1), ("cat.jpg", 0), ("photos/my cat.jpg", 0)):
        (here / name).write_bytes(picture(100, 90, (140, 140, 120), stripes))


class Array:
    """As much of a NumPy array as the guide's write_idx asks for."""

    def __init__(self, shape, values):
        self.shape, self.ndim, self.values = shape, len(shape), bytes(values)

    def tobytes(self):
        return self.values


def digits(seed, count, side):
    """Images of ten kinds of stripes, and their labels."""
    noise = random.Random(seed)
    labels = [i % 10 for i in range(count)]
    pixels = [noise.randrange(40) + 200 * ((x + (y * label) // 3) // (2 + label % 5) % 2)
              for label in labels for y in range(side) for x in range(side)]
    return Array((count, side, side), pixels), Array((count,), labels)


def write_idx(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes())


def tables(here):
    (here / "datasets").mkdir()
    shutil.copy(SOURCE / "datasets/lynx_hare.csv", here / "datasets")
    (here / "times.csv").write_text("year\n1910.5\n1925\n")
    noise = random.Random(7)
    rows = [f"{noise.gauss(5, 1):.3f};{noise.gauss(2, 0.5):.3f};iris" for _ in range(150)]
    (here / "flowers.csv").write_text("\n".join(["length;width;kind", *rows, ""]))


class Desk:
    """A folder in which commands are run, with what they print."""

    def __init__(self, here):
        self.here = here
        self.problems = []
        (here / "bin").mkdir()
        program = here / "bin/evonode"
        program.write_text(BOUNDED.format(PROGRAM) if PART == "first-epochs" else f"#!/bin/sh\nexec '{PROGRAM}' \"$@\"\n")
        program.chmod(0o755)
        self.environment = dict(
            os.environ, PATH=f"{here}/bin:{os.environ['PATH']}", EVONODE_CACHE_DIR=str(here / "cache"),
            EVONODE_DATA=str(here / "data"))

    def run(self, command, cwd=None):
        return subprocess.run(["sh", "-euc", command], capture_output=True, text=True, cwd=cwd or self.here,
                              env=self.environment)

    def fail(self, command, text):
        self.problems.append(f"{command}: {text}")

    def has_gpu(self):
        devices = json.loads(self.run("evonode devices --json").stdout)["devices"]
        return any(device["type"] == "gpu" for device in devices)

    def step(self, command, cwd=None):
        """Run a command: it succeeds, and what it says that it writes is there."""
        began = time.monotonic()
        done = self.run(command, cwd)
        print(f"{time.monotonic() - began:6.1f} s  {command}", flush=True)
        if "Debian: libprotobuf-c-dev" in done.stderr:  # built without it, as it says
            return done
        if "--device gpu" in command and not self.has_gpu():
            if done.returncode != 6:
                self.fail(command, f"no GPU is here, but it ended with {done.returncode}: {done.stderr}")
            return done
        if done.returncode:
            self.fail(command, f"ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
            return done
        written = re.findall(WRITES, command) + re.findall(r"^  run directory +(.*)$", done.stdout, re.M)
        for path in written:
            if not (self.here / path).exists():
                self.fail(command, f"there is no {path}")
        trains = command.startswith("evonode train ") and "--dry-run" not in command
        if trains and not (self.here / written[-1] / "summary.json").exists():
            self.fail(command, f"{written[-1]} is not finished")
        return done


# Before a command ---------------------------------------------------------------------------------

def interrupt(desk):
    """A run on mnist that was interrupted after its first epoch."""
    shutil.rmtree(desk.here / "runs/mnist-1", ignore_errors=True)
    process = subprocess.Popen([PROGRAM, "train", "mnist", "--phase", "backprop:steps=2,epochs=12", "--out", "runs/mnist-1"],
                               cwd=desk.here, env=desk.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (desk.here / "runs/mnist-1/checkpoint.safetensors").exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    if process.wait() != 17:
        desk.fail("evonode train mnist", f"interrupted, it ended with {process.returncode}")


def save_odenet(desk):
    """What stands for a file from PyTorch: a Neural ODE's first parameters, by the names of that program."""
    desk.step("evonode train mnist --model node --epochs 0 --out first")
    desk.step("evonode export first --safetensors odenet.safetensors --map odenet-mnist")


BEFORE = {"evonode resume runs/mnist-1": interrupt, "evonode train mnist --model node --weights-from": save_odenet}


# The parts ----------------------------------------------------------------------------------------

def steps_of(text):
    """("command", line), ("json", block) and ("python", block), in their order."""
    fenced, kind = None, None
    for line in text.splitlines():
        if fenced is not None:
            if line.startswith("```"):
                yield kind, "\n".join(fenced)
                fenced = None
            else:
                fenced.append(line)
        elif line.startswith("```"):
            fenced, kind = [], line[3:].strip()
        elif re.match(r" {4}\S", line):
            yield "command", line.strip()


def follow(desk, text, cwd=None):
    """Do what the text says; the outputs of its commands."""
    outputs = []
    for kind, step in steps_of(text):
        if kind == "command" and PART == "first-epochs" and step.startswith(LONG):
            outputs.append("")
        elif kind == "command" and not step.startswith((PRINTED, NOT_HERE)):
            for start, prepare in BEFORE.items():
                if step.startswith(start):
                    prepare(desk)
            outputs.append(desk.step(step, cwd).stdout)
        elif kind == "json" and '"stem"' in step:
            (desk.here / "mine.json").write_text(step)
        elif kind == "python" and "def write_idx" in step:
            (desk.here / "mine").mkdir()
            names = dict(zip(("train_images", "train_labels", "test_images", "test_labels"),
                             (*digits(1, 320, 28), *digits(2, 80, 28))))
            os.chdir(desk.here)
            exec(step, names)
    return outputs


def section(heading):
    return GUIDE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def walk(desk):
    pictures(desk.here)
    outputs = follow(desk, section(WALK))
    if len(outputs) < 5 or not any("photo.png: dog " in text for text in outputs):
        desk.fail(WALK, f"the picture is no dog: {outputs}")
    for name in ("summary.json", "metrics.csv", "evaluation.json", "confusion.png", "report.html"):
        if not (desk.here / "runs/pets" / name).exists():
            desk.fail(WALK, f"runs/pets has no {name}")


def install(desk):
    """As the user of a copy of the sources, whose home is the folder; what is built stays out of it."""
    sources = desk.here / "evonode"
    desk.environment["HOME"] = str(desk.here)
    shutil.copytree(SOURCE, sources, symlinks=True, ignore=shutil.ignore_patterns("build", "build-*", ".git", "runs", "mnist"))
    follow(desk, section("Install"), sources)
    if not (desk.here / ".local/bin/evonode").exists():
        desk.fail("Install", "there is no ~/.local/bin/evonode")


def guide(desk):
    pictures(desk.here)
    tables(desk.here)
    for name, seed, count in (("train", 1, 512), ("t10k", 2, 128)):
        images, labels = digits(seed, count, 28)
        write_idx(desk.here / f"data/mnist/{name}-images-idx3-ubyte", images)
        write_idx(desk.here / f"data/mnist/{name}-labels-idx1-ubyte", labels)
    rest = GUIDE.split("\n## First run\n")[1]
    if len(follow(desk, rest)) < 40:
        desk.fail("guide", "fewer commands were found than there are")


with tempfile.TemporaryDirectory() as folder:
    desk = Desk(Path(folder))
    {"walk": walk, "install": install, "guide": guide, "first-epochs": guide}[PART](desk)
    os.chdir("/")
print("\n".join(desk.problems) if desk.problems else f"{PART}: nothing is wrong")
sys.exit(bool(desk.problems))
