#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make datasets/digits from the copy of the UCI digits inside scikit-learn's package on PyPI.

    pip download --no-deps scikit-learn && python3 datasets/make_digits.py scikit_learn-*.whl

Standard library only. The result does not depend on the version of either: checked by sha256.
"""
import gzip
import hashlib
import pathlib
import struct
import sys
import zipfile

MEMBER = "sklearn/datasets/data/digits.csv.gz"
CSV_SHA256 = "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8"
SIDE, CLASSES, SAMPLES, TOP = 8, 10, 1797, 16


def read_samples(wheel):
    text = gzip.decompress(zipfile.ZipFile(wheel).read(MEMBER))
    found = hashlib.sha256(text).hexdigest()
    if found != CSV_SHA256:
        sys.exit(f"{wheel}: {MEMBER} has sha256 {found}, expected {CSV_SHA256}")
    rows = [[int(float(field)) for field in line.split(",")] for line in text.decode().split()]
    assert len(rows) == SAMPLES and all(len(row) == SIDE * SIDE + 1 for row in rows)
    return rows


def split(rows):
    """Of each class, in the order of the source, every fifth sample is for the test."""
    seen = [0] * CLASSES
    train, test = [], []
    for row in rows:
        label = row[-1]
        (test if seen[label] % 5 == 4 else train).append(row)
        seen[label] += 1
    return train, test


def write_idx(path, extents, values):
    header = struct.pack(f">BBBB{len(extents)}I", 0, 0, 8, len(extents), *extents)
    path.write_bytes(header + bytes(values))


def write_part(folder, part, rows):
    pixels = [(255 * value + TOP // 2) // TOP for row in rows for value in row[:-1]]
    write_idx(folder / f"{part}-images-idx3-ubyte", (len(rows), SIDE, SIDE), pixels)
    write_idx(folder / f"{part}-labels-idx1-ubyte", (len(rows),), [row[-1] for row in rows])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    folder = pathlib.Path(__file__).resolve().parent / "digits"
    folder.mkdir(exist_ok=True)
    for part, rows in zip(("train", "test"), split(read_samples(sys.argv[1]))):
        write_part(folder, part, rows)
        print(part, len(rows))


main()
