# SPDX-License-Identifier: Apache-2.0
"""Has evonode name the programs that it would build on a device, played by tests/layer: its rehearsal
of a training (src/cli/rehearsal.c) knows them all, and nothing is compiled or run for it."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import struct
import subprocess
import tempfile
from dataclasses import dataclass

# A training a task and kind of model, each forward and backward, by both ways to the gradient.
_BOTH = "--phase backprop:epochs=1 --phase adjoint:epochs=1"
TRAININGS = {
    "images": f"train images --data {{data}} --batch 128 {_BOTH}",
    "digits": f"train digits {_BOTH}",
    "resnet": "train digits --model resnet --phase backprop:epochs=1",
    "curve": f"train curve {_BOTH}",
    "series": f"train series --data {{data}}/series.csv {_BOTH}",
    "flow": f"train flow --data moons {_BOTH}",
    "hypernet": f"train flow --data moons --model hypernet {_BOTH}",
}
VARIANTS = "variants"  # not a training: tests/gate/variants.c
QUICK = ("digits", "flow")


def _write_images(folder: str) -> None:
    """IDX files of images as large as MNIST's, for the same model: noise, of ten classes."""
    for part, count in (("train", 128), ("t10k", 10)):
        noise = random.Random(count).randbytes(count * 28 * 28)
        with open(f"{folder}/{part}-images-idx3-ubyte", "wb") as file:
            file.write(struct.pack(">4I", 0x803, count, 28, 28) + noise)
        with open(f"{folder}/{part}-labels-idx1-ubyte", "wb") as file:
            file.write(struct.pack(">2I", 0x801, count) + bytes(i % 10 for i in range(count)))


def _write_series(folder: str) -> None:
    with open(f"{folder}/series.csv", "w", encoding="utf-8") as file:
        file.write("t,x,y\n" + "".join(f"{i / 10},{i % 7},{i % 5}\n" for i in range(60)))


class WriteError(Exception):
    pass


@dataclass
class Writer:
    build: str  # folder with tests/gate/gate_write and tests/layer/evn_layer.so
    keep: str  # where programs are kept, a folder for each state of evonode and costume

    def write(self, profile: str, task: str) -> str:
        """The folder of programs of a task in a costume, made now or before."""
        folder = os.path.join(self.keep, self._key(profile, task))
        if os.path.isdir(folder):
            return folder
        os.makedirs(self.keep, exist_ok=True)
        fresh = tempfile.mkdtemp(dir=self.keep)
        try:
            self._run(profile, task, fresh)
        except BaseException:
            shutil.rmtree(fresh)
            raise
        os.rename(fresh, folder)
        return folder

    def launches(self, profile: str, keys: list[str]) -> dict[str, int]:
        """Of a repetition of each of these rows of `evonode bench`, in a costume."""
        found = (line.split() for line in self._call(profile, ["launches", *keys]).splitlines())
        return {key: int(count) for key, count in found}

    def _key(self, profile: str, task: str) -> str:
        digest = hashlib.sha256(TRAININGS.get(task, task).encode())
        for path in (profile, self._program(), self._layer()):
            with open(path, "rb") as file:
                digest.update(file.read())
        name = os.path.basename(profile).removesuffix(".profile")
        return f"{name}-{task}-{digest.hexdigest()[:16]}"

    def _program(self) -> str:
        return os.path.join(self.build, "tests", "gate", "gate_write")

    def _layer(self) -> str:
        return os.path.join(self.build, "tests", "layer", "evn_layer.so")

    def _run(self, profile: str, task: str, folder: str) -> None:
        with tempfile.TemporaryDirectory(prefix="evonode-gate-") as data:
            _write_images(data)
            _write_series(data)
            words = TRAININGS.get(task, task).format(data=data).split()
            self._call(profile, [folder, *words])

    def _call(self, profile: str, words: list[str]) -> str:
        """What gate_write says in a costume."""
        command = [self._program(), *words]
        done = subprocess.run(
            command,
            env={
                **os.environ,
                "OPENCL_LAYERS": self._layer(),
                "EVN_LAYER_COSTUME": profile,
                "EVONODE_TUNE": "off",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise WriteError(f"{' '.join(command)} in {profile}:\n{done.stdout[-1500:]}")
        return done.stdout
