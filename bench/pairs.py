# SPDX-License-Identifier: Apache-2.0
"""Samples of two processes in turn, on a machine that does nothing else meanwhile: what bench/scoreboard
and bench/devices have in common. docs/performance/method.md has the method."""

import json
import os
import shlex
import statistics
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FULL_SPEED = 0.85  # of the fastest multiply-adds in the run: below it somebody else uses the processors
FAR = 2  # times the least exchange of the run: beyond it the processors share no cache
MAX_ATTEMPTS = 3  # at a pair, on average
SAMPLE_SECONDS = 0.2  # at least, of a sample: its first milliseconds, after the pause, are slower
PAUSE_SECONDS = 0.3  # between samples: OpenBLAS's threads spin for more than 50 ms after a call


class Side:
    """A process that makes rows ready and times them, as src/bench/serve.c describes."""

    def __init__(self, command, environment=None):
        self.command = command
        self.environment = environment
        self.start()

    def start(self):
        try:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            text=True, env=self.environment, cwd=ROOT)
        except OSError as error:
            raise RuntimeError(f"{self.command[0]} does not start: {error.strerror}") from error

    def revive(self):
        """A row that ended the process leaves the next one a new process."""
        if self.process.poll() is not None:
            Side.close(self)
            self.start()

    def ask(self, request):
        try:
            self.process.stdin.write(request + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            self.process.kill()  # it may be about to end
            self.process.wait()
            raise RuntimeError(f"{shlex.join(self.command)} ended at '{request}'")
        answer = json.loads(answer)
        if "error" in answer:
            raise RuntimeError(f"{self.command[0]}, {request}: {answer['error']}")
        return answer

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:  # it has ended by itself
            pass
        self.process.wait()

    def sample(self, count):
        time.sleep(PAUSE_SECONDS)
        return self.ask(f"run {count}")["seconds"]

    def repetitions(self):
        """How many make a sample; the asking warms up."""
        once = min(self.sample(1), self.sample(1))
        return max(1, round(SAMPLE_SECONDS / once + 0.5))


def quartiles(values):
    if len(values) < 2:
        return [values[0], values[0]]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return [low, high]


class Watch:
    """Whether the processors are ours alone, and beside each other. Neighbours of a virtual machine take
    half of what the units of a core can do, or its processors are moved to cores that share no cache,
    for seconds or minutes; no load, and nothing else on this machine, shows either."""

    def __init__(self, ours, limits, seconds):
        self.ours = ours
        self.seconds = seconds
        self.fastest = limits["flops"]
        self.least = ours.ask("speed")["exchange"]
        self.patience = 0

    def start_row(self):
        self.patience = self.seconds

    def is_quiet(self):
        if self.seconds == 0:
            return True
        now = self.ours.ask("speed")
        self.fastest = max(now["flops"], self.fastest)
        self.least = min(now["exchange"], self.least)
        return now["flops"] >= FULL_SPEED * self.fastest and now["exchange"] <= FAR * self.least

    def wait(self):
        begin = time.monotonic()
        while time.monotonic() - begin < self.patience and not self.is_quiet():
            time.sleep(PAUSE_SECONDS)
        self.patience -= time.monotonic() - begin


def alternate(ours, peer, pairs, watch):
    """Samples of both sides, and how many pairs were left out since the machine was not quiet."""
    watch.start_row()
    counts = ours.repetitions(), peer.repetitions() if peer else 0
    mine, theirs, left_out = [], [], 0
    while len(mine) < pairs:
        watch.wait()
        m, t = ours.sample(counts[0]), peer.sample(counts[1]) if peer else None
        if not watch.is_quiet() and left_out < (MAX_ATTEMPTS - 1) * pairs:
            left_out += 1
            continue
        mine.append(m)
        theirs.append(t)
    return mine, theirs if peer else [], left_out
