# SPDX-License-Identifier: Apache-2.0
"""A peer for the test of bench/scoreboard: it knows the row matmul_dense alone.

    fake_peer.py right   compares a corner of the product that ours wrote with its own
    fake_peer.py wrong   computes something else
"""

import json
import struct
import sys
import time

CORNER = 4


def load(path):
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header, data = json.loads(file.read(size)), file.read()
    header.pop("__metadata__", None)
    return {n: (d["shape"], memoryview(data)[slice(*d["data_offsets"])].cast("f"))
            for n, d in header.items()}


def difference(folder, factor):
    """Of the first CORNER x CORNER elements."""
    inputs, ours = load(f"{folder}/inputs.safetensors"), load(f"{folder}/outputs.safetensors")
    ((_, inner), a), ((_, columns), b) = inputs["a"], inputs["b"]
    places = [(i, j) for i in range(CORNER) for j in range(CORNER)]
    peer = [factor * sum(a[i * inner + k] * b[k * columns + j] for k in range(inner))
            for i, j in places]
    errors = [abs(ours["c"][1][i * columns + j] - p) for (i, j), p in zip(places, peer)]
    return max(errors) / max(map(abs, peer))


for line in sys.stdin:
    verb, *words = line.split(maxsplit=2)
    if verb == "version":
        answer = {"peer": "fake 1"}
    elif verb == "open":
        answer = {"peer_name": "fake", "worst": "c", "tolerance": 1e-5,
                  "difference": difference(words[1].strip(), 1 if sys.argv[1] == "right" else 2)}
    else:
        time.sleep(0.01 * int(words[0]))
        answer = {"seconds": 0.01}
    print(json.dumps(answer), flush=True)
