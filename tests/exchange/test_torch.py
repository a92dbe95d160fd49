# SPDX-License-Identifier: Apache-2.0
"""Weights of torchdiffeq's ODE on MNIST (odenet_mnist.py) in evonode:  test_torch.py EVONODE

The tensors have that program's names and shapes. Where PyTorch is installed its own modules take
them and say what is right; a forward pass in NumPy does so in any case."""

import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import onnxruntime
    from safetensors.numpy import load_file, save_file
except ImportError as missing:
    print(f"{missing}; sh tests/exchange/setup.sh installs what these tests need")
    sys.exit(77)
try:
    import torch
except ImportError:
    torch = None

CHANNELS, IMAGES, CLASSES, STEPS, TOLERANCE = 16, 12, 10, 3, 1e-5
RANDOM = np.random.default_rng(5)


# The model ----------------------------------------------------------------------------------------

def tensors():
    shapes = {"0": (CHANNELS, 1, 3, 3), "1": CHANNELS, "3": (CHANNELS, CHANNELS, 4, 4), "4": CHANNELS,
              "6": (CHANNELS, CHANNELS, 4, 4), "8": CHANNELS, "12": (CLASSES, CHANNELS),
              **{f"7.odefunc.norm{i}": CHANNELS for i in (1, 2, 3)},
              **{f"7.odefunc.conv{i}._layer": (CHANNELS, CHANNELS + 1, 3, 3) for i in (1, 2)}}
    made = {}
    for layer, shape in shapes.items():
        shape = (shape,) if isinstance(shape, int) else shape
        made[layer + ".weight"] = RANDOM.normal(size=shape) / np.sqrt(np.prod(shape[1:]))
        made[layer + ".bias"] = RANDOM.normal(size=shape[:1]) / 5
    made["12.weight"] *= 5  # some classes are more probable than others
    return {name: value.astype("float32") for name, value in made.items()}


def conv(x, w, b, stride=1, padding=0):
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], (2, 3))
    windows = windows[:, :, ::stride, ::stride]
    return np.einsum("bchwij,ocij->bohw", windows, w, optimize=True) + b[:, None, None]


def norm(x, t, layer):
    groups = x.reshape(len(x), min(32, x.shape[1]), -1)
    unit = (groups - groups.mean(2, keepdims=True)) / np.sqrt(groups.var(2, keepdims=True) + 1e-5)
    scale, shift = t[layer + ".weight"], t[layer + ".bias"]
    return unit.reshape(x.shape) * scale[:, None, None] + shift[:, None, None]


def rk4(f, x):
    dt = 1 / STEPS
    for k in range(STEPS):
        t = k * dt
        k1 = f(t, x)
        k2 = f(t + dt / 2, x + dt / 2 * k1)
        k3 = f(t + dt / 2, x + dt / 2 * k2)
        k4 = f(t + dt, x + dt * k3)
        x = x + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return x


def forward(t, x):
    """Logits of images [B, 1, 28, 28], in double precision."""
    t = {name: value.astype("float64") for name, value in t.items()}

    def relu(y):
        return np.maximum(y, 0)

    def with_time(time, y, layer):
        y = np.concatenate([np.full_like(y[:, :1], time), y], 1)
        return conv(y, t[layer + ".weight"], t[layer + ".bias"], padding=1)

    def f(time, y):
        y = with_time(time, relu(norm(y, t, "7.odefunc.norm1")), "7.odefunc.conv1._layer")
        y = with_time(time, relu(norm(y, t, "7.odefunc.norm2")), "7.odefunc.conv2._layer")
        return norm(y, t, "7.odefunc.norm3")

    x = conv(x.astype("float64"), t["0.weight"], t["0.bias"])
    for layer in (1, 4):
        x = conv(relu(norm(x, t, str(layer))), t[f"{layer + 2}.weight"], t[f"{layer + 2}.bias"], 2, 1)
    x = relu(norm(rk4(f, x), t, "8")).mean((2, 3))
    return x @ t["12.weight"].T + t["12.bias"]


def torch_forward(t, x):
    """The same by PyTorch's modules, which refuse other names and shapes."""
    nn = torch.nn

    class WithTime(nn.Module):
        def __init__(self):
            super().__init__()
            self._layer = nn.Conv2d(CHANNELS + 1, CHANNELS, 3, 1, 1)

        def forward(self, time, y):
            return self._layer(torch.cat([torch.ones_like(y[:, :1]) * time, y], 1))

    def group_norm():
        return nn.GroupNorm(min(32, CHANNELS), CHANNELS)

    class F(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2, self.norm3 = group_norm(), group_norm(), group_norm()
            self.conv1, self.conv2 = WithTime(), WithTime()

        def forward(self, time, y):
            y = self.conv1(time, torch.relu(self.norm1(y)))
            return self.norm3(self.conv2(time, torch.relu(self.norm2(y))))

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.odefunc = F()

        def forward(self, y):
            return rk4(self.odefunc, y)

    model = nn.Sequential(
        nn.Conv2d(1, CHANNELS, 3, 1), group_norm(), nn.ReLU(), nn.Conv2d(CHANNELS, CHANNELS, 4, 2, 1),
        group_norm(), nn.ReLU(), nn.Conv2d(CHANNELS, CHANNELS, 4, 2, 1), Block(), group_norm(),
        nn.ReLU(), nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(CHANNELS, CLASSES))
    model.load_state_dict({name: torch.from_numpy(value) for name, value in t.items()}, strict=True)
    with torch.no_grad():
        return model.eval()(torch.from_numpy(x.astype("float32"))).numpy()


# evonode ------------------------------------------------------------------------------------------

def evonode(*words):
    run = subprocess.run([sys.argv[1], *words], check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout


def write_set(pixels):
    """IDX files, and each image as PGM."""
    labels = (np.arange(IMAGES) % CLASSES).astype("uint8")
    os.mkdir("set")
    for part in ("train", "t10k"):
        for kind, array in (("images-idx3", pixels), ("labels-idx1", labels)):
            with open(f"set/{part}-{kind}-ubyte", "wb") as file:
                file.write(struct.pack(">BBBB", 0, 0, 8, array.ndim))
                file.write(struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes())
    for number, image in enumerate(pixels):
        with open(f"{number}.pgm", "wb") as file:
            file.write(b"P5 28 28 255\n" + image.tobytes())


def probabilities(solver):
    lines = evonode("predict", "run", *[f"{i}.pgm" for i in range(IMAGES)], "--json", "--top",
                    str(CLASSES), *solver).splitlines()
    answer = np.zeros((IMAGES, CLASSES))
    for row, line in enumerate(lines):
        for entry in json.loads(line)["top"]:
            answer[row, entry["index"]] = entry["probability"]
    return answer


def check(found, right, what):
    error = float(np.abs(found - right).max() / np.abs(right).max())
    print(f"{what}: {error:.2g}")
    assert error <= TOLERANCE, what


def main():
    solver = ["--solver", "rk4", "--steps", str(STEPS)]
    weights = tensors()
    pixels = RANDOM.integers(0, 256, (IMAGES, 28, 28), dtype="uint8")
    images = pixels[:, None].astype("float32") / 255
    right = forward(weights, images)
    if torch:
        check(torch_forward(weights, images), right, "PyTorch against NumPy")
    else:
        print("PyTorch is not installed: NumPy alone says what is right")
    write_set(pixels)
    save_file(weights, "theirs.safetensors")
    evonode("train", "images", "--data", "set", "--model", "node", "--filters", str(CHANNELS), "--epochs",
            "0", "--batch", "4", "--weights-from", "theirs.safetensors", "--map", "odenet-mnist", "--out",
            "run")
    shutil.rmtree("set")  # a run answers and is exported without the data of its training
    shares = np.exp(right - right.max(1, keepdims=True))
    check(probabilities(solver), shares / shares.sum(1, keepdims=True), "evonode's probabilities")
    evonode("export", "run", "--onnx", "model.onnx", *solver)
    session = onnxruntime.InferenceSession("model.onnx")
    (logits,) = session.run(["logits"], {"images": images.transpose(0, 2, 3, 1)})
    check(logits, right, "logits of the exported model")
    evonode("export", "run", "--safetensors", "back.safetensors", "--map", "odenet-mnist")
    back = load_file("back.safetensors")
    assert back.keys() == weights.keys()
    assert all(np.array_equal(back[name], weights[name]) for name in weights)


with tempfile.TemporaryDirectory() as folder:
    sys.argv[1] = os.path.abspath(sys.argv[1])
    os.chdir(folder)
    main()
