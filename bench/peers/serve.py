# SPDX-License-Identifier: Apache-2.0
"""A peer's side of bench/scoreboard:  python serve.py torch|jax

Answers the requests that src/bench/serve.c describes, a line of JSON each:
    version          {"peer": name and versions}
    open KEY FOLDER  {"peer_name", "difference", "worst", "tolerance"}: the row computed from
                     inputs.safetensors of FOLDER, compared with its outputs.safetensors
    run COUNT        {"seconds"}: a repetition, on average over COUNT
"""

import importlib
import json
import os
import sys
import time

import numpy as np
from safetensors.numpy import load_file


def difference(ours, peers):
    """The largest of max|ours - peer| / max|peer| over the tensors, and whose it is."""
    if set(ours) != set(peers):
        raise ValueError(f"not the same outputs: {sorted(set(ours) ^ set(peers))}")
    worst = (0.0, "")
    for name, peer in peers.items():
        peer = np.asarray(peer, np.float64)
        if ours[name].shape != peer.shape:
            raise ValueError(f"{name}: ours is {ours[name].shape}, the peer's {peer.shape}")
        error = np.abs(ours[name] - peer).max() / max(np.abs(peer).max(), 1e-30)
        if not error <= worst[0]:  # so that NaN counts as worst
            worst = (float(error), name)
    return worst


class Server:
    def __init__(self, framework):
        self.framework = importlib.import_module(f"{framework}_rows")
        self.job = None

    def seconds(self, job, count):
        started = time.perf_counter()
        for _ in range(count):
            result = job.run()
        self.framework.finish(result)
        return (time.perf_counter() - started) / count

    def open(self, key, folder):
        self.job = None
        inputs = load_file(os.path.join(folder, "inputs.safetensors"))
        ours = load_file(os.path.join(folder, "outputs.safetensors"))
        jobs = self.framework.ROWS[key](inputs)
        checks = [difference(ours, job.outputs(job.run())) for job in jobs]
        times = [min(self.seconds(job, 1) for _ in range(3)) if len(jobs) > 1 else 0 for job in jobs]
        best = int(np.argmin(times))
        self.job = jobs[best]
        worst = max(checks)
        return {
            "peer_name": self.job.name,
            "difference": worst[0],
            "worst": worst[1],
            "tolerance": self.job.tolerance,
        }

    def answer(self, line):
        verb, *words = line.split(maxsplit=2)
        if verb == "version":
            return {"peer": self.framework.version()}
        if verb == "open":
            return self.open(*words)
        if verb == "run":
            return {"seconds": self.seconds(self.job, int(words[0]))}
        raise ValueError(f"not a request: {line}")


def main():
    server = Server(sys.argv[1])
    for line in sys.stdin:
        try:
            answer = server.answer(line.rstrip("\n"))
        except Exception as error:  # the orchestrator decides what a failure means
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
