# SPDX-License-Identifier: Apache-2.0
"""What the real TensorBoard reads of a run, also of one that was killed and resumed:
test_tensorboard.py EVONODE"""

import glob
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time

try:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.compat.proto import event_pb2
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
except ImportError as missing:
    print(f"{missing}; sh tests/exchange/setup.sh installs what these tests need")
    sys.exit(77)

TRAIN = ["train", "digits", "--filters", "8", "--seed", "3", "--model", "node", "--phase",
         "backprop:steps=2,epochs=4", "--phase", "adjoint:epochs=2"]


def evonode(*words):
    run = subprocess.run([sys.argv[1], *words], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def lines(run):
    with open(f"{run}/metrics.jsonl", encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.endswith("\n")]


def scalars(run):
    """Tag → [(step, value)], and the accumulator."""
    events = EventAccumulator(run, size_guidance={"scalars": 0}).Reload()
    tags = events.Tags()["scalars"]
    return {tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in tags}, events


def check_metrics(run):
    """Every number of metrics.jsonl, once, in order."""
    found, events = scalars(run)
    wanted = {}
    for line in lines(run):
        for name, value in line.items():
            if isinstance(value, (int, float)) and name not in ("epoch", "phase"):
                tag = name.replace("_", "/", 1) if name.startswith(("train_", "test_")) else name
                wanted.setdefault(tag, []).append((line["epoch"] + 1, value))
    assert found.keys() == wanted.keys(), (found.keys(), wanted.keys())
    for tag, points in wanted.items():
        assert [step for step, _ in points] == [step for step, _ in found[tag]], tag
        assert all(math.isclose(a, b, rel_tol=1e-6) for (_, a), (_, b) in zip(points, found[tag])), tag
    assert len(wanted["test/accuracy"]) == 6
    return events


def check_records(run):
    """Checksums, which the reader above may leave unread."""
    for path in glob.glob(f"{run}/events.out.tfevents.*"):
        with open(path, "rb") as file:
            data = file.read()
        while data:
            length = int.from_bytes(data[:8], "little")
            assert int.from_bytes(data[8:12], "little") == masked_crc32c(data[:8])
            payload = data[12:12 + length]
            assert int.from_bytes(data[12 + length:16 + length], "little") == masked_crc32c(payload)
            event_pb2.Event.FromString(payload)
            data = data[16 + length:]


def kill_after(epochs, run):
    process = subprocess.Popen([sys.argv[1], *TRAIN, "--tensorboard", "--out", run],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        there = os.path.exists(f"{run}/checkpoint.safetensors")
        if there and len(lines(run)) >= epochs:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return
        time.sleep(0.01)
    raise AssertionError("the run ended before it could be killed")


def main():
    evonode(*TRAIN, "--tensorboard", "--out", "whole")
    events = check_metrics("whole")
    check_records("whole")
    (text,) = events.Tensors("options")
    table = text.tensor_proto.string_val[0].decode()
    assert "| filters | 8 |" in table and "| phase 2 epochs | 2 |" in table, table

    kill_after(2, "killed")
    evonode("resume", "killed")
    check_metrics("killed")
    check_records("killed")
    assert len(glob.glob("killed/events.out.tfevents.*")) == 2

    evonode(*TRAIN, "--out", "without")
    assert not glob.glob("without/events*")


with tempfile.TemporaryDirectory() as folder:
    sys.argv[1] = os.path.abspath(sys.argv[1])
    os.chdir(folder)
    main()
