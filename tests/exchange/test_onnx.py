# SPDX-License-Identifier: Apache-2.0
"""ONNX models in onnxruntime against evonode:  test_onnx.py WRITE_MODELS CASE

random: 50 graphs of all operations but linear systems against the reference in plain C (double); images, curve, flow:
models with parameters, unrolled, against the same solver on the device under test."""

import glob
import os
import subprocess
import sys
import tempfile

try:
    import numpy
    import onnx
    import onnxruntime
    from safetensors.numpy import load_file
except ImportError as missing:
    print(f"{missing}; sh tests/exchange/setup.sh installs what these tests need")
    sys.exit(77)

TOLERANCE = 1e-5
SLACK = 20  # float32 against double: so many times what a change of 1e-6 in the inputs makes
FLOOR = {"random": 1, "images": 0, "curve": 0, "flow": 0}


def difference(found, right):
    """Largest, relative to the size of what is right; a random graph's is about 1."""
    assert found.shape == right.shape, (found.shape, right.shape)
    return float(numpy.abs(found - right).max() / max(FLOOR[sys.argv[2]], numpy.abs(right).max()))


def check(path):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    names = [node.name for node in model.graph.node]
    assert len(set(names)) == len(names) and all(names)
    tensors = load_file(path.replace(".onnx", ".safetensors"))
    wanted = {name[4:]: value for name, value in tensors.items() if name.startswith("out.")}
    session = onnxruntime.InferenceSession(path)
    inputs = {port.name: tensors["in." + port.name] for port in session.get_inputs()}
    found = dict(zip(wanted, session.run(list(wanted), inputs)))
    errors = {name: difference(found[name], right) for name, right in wanted.items()}
    print(f"{os.path.basename(path)}: {max(errors.values()):.2g}")
    for name, error in errors.items():
        assert error <= TOLERANCE + SLACK * float(tensors.get("slack." + name, 0)), name
    return session, inputs, found


def check_batch(session, inputs, found):
    """A model of any batch gives each sample by itself what it gives it among the others."""
    for rows in (slice(0, 1), [0, 0, -1]):
        some = {name: value[rows] for name, value in inputs.items()}
        for name, value in zip(found, session.run(list(found), some)):
            assert difference(value, found[name][rows]) <= TOLERANCE


def main(write_models, case):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([write_models, case, folder], check=True)
        paths = sorted(glob.glob(os.path.join(folder, "*.onnx")))
        assert paths
        for path in paths:
            session, inputs, found = check(path)
            if case != "random":
                check_batch(session, inputs, found)
                metadata = session.get_modelmeta().custom_metadata_map
                assert metadata["classes"] == '["zero","één"]'


main(*sys.argv[1:])
