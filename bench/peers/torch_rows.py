# SPDX-License-Identifier: Apache-2.0
"""Rows in torch, torchdiffeq and torchode. Images are [B, C, H, W], kernels [Co, Ci, Kh, Kw], dense weights
[out, in] here; they are converted from and to ours outside of what is timed."""

import os
import types

import numpy as np
import torch
import torch.nn.functional as F
import torchode
from torchdiffeq import odeint, odeint_adjoint
from importlib.metadata import version as version_of

from job import ADJOINT, EXACT, FLOW, OWN_STEPS, STEP, Job

torch.set_num_threads(os.cpu_count())


def version():
    if not torch.backends.mkldnn.is_available():
        raise RuntimeError("this torch has no oneDNN; its convolutions would not be a fair peer")
    ours = ", ".join(f"{name} {version_of(name)}" for name in ("torchdiffeq", "torchode"))
    return f"torch {torch.__version__}, numpy {np.__version__}, {ours}"


def finish(result):
    """Nothing is pending: torch computes at once on a CPU."""


# Layouts -----------------------------------------------------------------------------------------

def image(array):
    return torch.from_numpy(np.ascontiguousarray(array.transpose(0, 3, 1, 2)))


def from_image(tensor):
    return tensor.detach().numpy().transpose(0, 2, 3, 1)


def weight(array):
    if array.ndim == 4:
        array = array.transpose(3, 2, 0, 1)
    elif array.ndim == 2 and array.shape[0] > 1:
        array = array.T
    return torch.from_numpy(np.ascontiguousarray(array))


def from_weight(tensor, shape):
    array = tensor.detach().numpy()
    if len(shape) == 4:
        array = array.transpose(2, 3, 1, 0)
    elif len(shape) == 2 and shape[0] > 1:
        array = array.T
    return array.reshape(shape)


class Parameters:
    """Weights by our names, as leaves; `data` are the inputs that are none."""

    def __init__(self, inputs, data):
        self.shapes = {n: a.shape for n, a in inputs.items() if n not in data}
        self.tensors = {n: weight(inputs[n]).requires_grad_() for n in self.shapes}

    def join_time_weights(self):
        """A convolution of [t, x], as in torchdiffeq's example: one kernel for t and x."""
        self.joined = {}
        for name in [n for n in self.tensors if n.endswith("time_weight") and len(self.shapes[n]) == 4]:
            own = name.replace("time_weight", "weight")
            both = torch.cat([self.tensors.pop(name), self.tensors[own]], 1).detach()
            self.tensors[own] = both.requires_grad_()
            self.joined[own] = name

    def leaves(self):
        return list(self.tensors.values())

    def outputs(self, gradients):
        found = dict(zip(self.tensors, gradients))
        for own, time in getattr(self, "joined", {}).items():
            found[time], found[own] = found[own][:, :1], found[own][:, 1:]
        return {f"{n}_bar": from_weight(g, self.shapes[n]) for n, g in found.items()}


# Kernels -----------------------------------------------------------------------------------------

def matmul(inputs):
    a, b = inputs["a"], inputs["b"]
    ta, tb = torch.from_numpy(a), torch.from_numpy(b)
    return [
        Job(f"OpenBLAS of numpy {np.__version__}", lambda: a @ b, lambda c: {"c": c}, EXACT),
        Job(f"OpenBLAS by torch {torch.__version__}", lambda: torch.mm(ta, tb),
            lambda c: {"c": c.numpy()}, EXACT),
    ]


def oneDNN():
    return f"torch {torch.__version__}, oneDNN"


def conv2d(inputs):
    x, w = image(inputs["x"]), weight(inputs["w"])
    jobs = []
    for layout in torch.contiguous_format, torch.channels_last:
        def run(x=x.to(memory_format=layout), w=w.to(memory_format=layout)):
            return F.conv2d(x, w, padding=1)
        jobs.append(Job(oneDNN(), run, lambda y: {"y": from_image(y)}, EXACT))
    return jobs


def conv2d_grads(inputs):
    x, w, y_bar = image(inputs["x"]), weight(inputs["w"]), image(inputs["y_bar"])
    shape = inputs["w"].shape
    jobs = []
    for layout in torch.contiguous_format, torch.channels_last:
        def run(x=x.to(memory_format=layout), w=w.to(memory_format=layout),
                y_bar=y_bar.to(memory_format=layout)):
            return torch.ops.aten.convolution_backward(
                y_bar, x, w, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, [True, True, False])
        jobs.append(Job(oneDNN(), run, lambda g: {"x_bar": from_image(g[0]),
                                                  "w_bar": from_weight(g[1], shape)}, EXACT))
    return jobs


def norm(inputs):
    x, scale, shift = image(inputs["x"]), weight(inputs["scale"]), weight(inputs["shift"])
    return [Job(f"torch {torch.__version__}", lambda: F.relu_(F.group_norm(x, 32, scale, shift)),
                lambda y: {"y": from_image(y)}, EXACT)]


def norm_vjp(inputs):
    leaves = [image(inputs["x"]), weight(inputs["scale"]), weight(inputs["shift"])]
    y_bar = image(inputs["y_bar"])
    for leaf in leaves:
        leaf.requires_grad_()

    def run():
        y = F.relu_(F.group_norm(leaves[0], 32, leaves[1], leaves[2]))
        return (y, *torch.autograd.grad(y, leaves, y_bar))

    def outputs(r):
        return {"y": from_image(r[0]), "x_bar": from_image(r[1]),
                "scale_bar": r[2].numpy(), "shift_bar": r[3].numpy()}
    return [Job(f"torch {torch.__version__}", run, outputs, EXACT)]


# MNIST: torchdiffeq's examples/odenet_mnist.py ---------------------------------------------------

def peer():
    return f"torchdiffeq {version_of('torchdiffeq')}"


def group_norm(p, layer, x):
    return F.group_norm(x, 32, p[f"{layer}.scale"], p[f"{layer}.shift"])


def conv(p, layer, x, stride, padding):
    return F.conv2d(x, p[f"{layer}.weight"], p[f"{layer}.bias"], stride, padding)


def stem(p, x):
    x = conv(p, "stem.conv1", x, 1, 0)
    x = conv(p, "stem.conv2", F.relu(group_norm(p, "stem.norm1", x)), 2, 1)
    return conv(p, "stem.conv3", F.relu(group_norm(p, "stem.norm2", x)), 2, 1)


def mnist_field(p):
    def f(t, x):
        for i in "12":
            x = F.relu(group_norm(p, f"f.norm{i}", x))
            x = torch.cat([torch.ones_like(x[:, :1]) * t, x], 1)
            x = conv(p, f"f.conv{i}", x, 1, 1)
        return group_norm(p, "f.norm3", x)
    return f


def head(p, x):
    x = F.relu(group_norm(p, "head.norm", x)).mean((2, 3))
    return F.linear(x, p["head.dense.weight"], p["head.dense.bias"])


def mnist(inputs, solve, tolerance):
    parameters = Parameters(inputs, ("images", "labels"))
    parameters.join_time_weights()
    p = parameters.tensors
    images, labels = image(inputs["images"]), torch.from_numpy(inputs["labels"].argmax(1))
    own = tuple(v for n, v in p.items() if n.startswith("f."))

    def run():
        logits = head(p, solve(mnist_field(p), stem(p, images), own))
        loss = F.cross_entropy(logits, labels)
        return loss, logits, torch.autograd.grad(loss, parameters.leaves())

    def outputs(r):
        return {"loss": r[0].item(), "logits": r[1].detach().numpy(), **parameters.outputs(r[2])}
    return [Job(peer(), run, outputs, tolerance)]


def mnist_euler(inputs):
    def solve(f, x, _):
        return odeint(f, x, torch.tensor([0.0, 1.0]), method="euler", options={"step_size": 0.1})[-1]
    return mnist(inputs, solve, STEP)


# Ours leaves the weights' cotangents out of the norm of the error; so does the seminorm.
SEMINORM = {"norm": "seminorm"}


def mnist_adjoint(inputs):
    def solve(f, x, own):
        return odeint_adjoint(f, x, torch.tensor([0.0, 1.0]), rtol=1e-3, atol=1e-3, method="dopri5",
                              adjoint_params=own, adjoint_options=SEMINORM)[-1]
    return mnist(inputs, solve, ADJOINT)


def mnist_adjoint_check(inputs):
    def solve(f, x, own):
        return odeint_adjoint(f, x, torch.tensor([0.0, 1.0]), method="euler", adjoint_params=own,
                              options={"step_size": 0.1})[-1]
    return mnist(inputs, solve, ADJOINT)


# The curve ---------------------------------------------------------------------------------------

def curve(inputs, solve, tolerance):
    parameters = Parameters(inputs, ("curve",))
    p = parameters.tensors
    s = torch.from_numpy(inputs["curve"])
    t = torch.linspace(0, 1, len(s))

    def f(_, x):
        for i in "12":
            x = F.relu(F.linear(x, p[f"f.dense{i}.weight"], p[f"f.dense{i}.bias"]))
        return F.linear(x, p["f.dense3.weight"], p["f.dense3.bias"])

    def run():
        x = solve(f, s[:1], t, tuple(parameters.leaves()))
        loss = ((x[1:, 0] - s[1:]) ** 2).sum()
        return loss, torch.autograd.grad(loss, parameters.leaves())

    return [Job(peer(), run, lambda r: {"loss": r[0].item(), **parameters.outputs(r[1])}, tolerance)]


def curve_euler(inputs):
    return curve(inputs, lambda f, x, t, _: odeint(f, x, t, method="euler"), STEP)


def curve_adjoint(inputs):
    def solve(f, x, t, own):
        return odeint_adjoint(f, x, t, rtol=1e-5, atol=1e-5, method="dopri5", adjoint_params=own,
                              adjoint_options=SEMINORM)
    return curve(inputs, solve, ADJOINT)


# The flow: torchdiffeq's examples/cnf.py ---------------------------------------------------------

WIDTH, SPAN = 64, 10  # our time runs from 0 to 1, and the field is SPAN times theirs


def hyper(p, t):
    h = torch.tanh(F.linear(t.reshape(1, 1), p["f.hyper1.weight"].reshape(-1, 1), p["f.hyper1.bias"]))
    h = torch.tanh(F.linear(h, p["f.hyper2.weight"], p["f.hyper2.bias"]))
    theta = F.linear(h, p["f.hyper3.weight"], p["f.hyper3.bias"]).reshape(7, WIDTH)
    return theta[0:2], theta[2:4] * torch.sigmoid(theta[4:6]), theta[6]


def trace(dz, z):
    return sum(torch.autograd.grad(dz[:, i].sum(), z, create_graph=True)[0][:, i] for i in range(2))


def flow(inputs):
    parameters = Parameters(inputs, ("points",))
    p = parameters.tensors
    points = torch.from_numpy(inputs["points"])

    def f(t, state):
        z = state[0]
        with torch.set_grad_enabled(True):
            z.requires_grad_(True)
            w, u, b = hyper(p, t)
            dz = torch.tanh(z @ w + b) @ u.t() / WIDTH
            change = -trace(dz, z)
        return dz, change

    def run():
        start = (points.clone(), torch.zeros(len(points)))
        z, change = odeint(f, start, torch.tensor([0.0, float(SPAN)]), rtol=1e-5, atol=1e-5,
                           method="dopri5")
        density = -0.5 * (z[-1] ** 2).sum(1) - np.log(2 * np.pi)
        loss = -(density - change[-1]).mean()
        return loss, torch.autograd.grad(loss, parameters.leaves())

    return [Job(peer(), run, lambda r: {"loss": r[0].item(), **parameters.outputs(r[1])}, FLOW)]


# Steps of each sample's own ----------------------------------------------------------------------

@torch.jit.script
class NoEvent:
    def __init__(self):
        self.count = 0

    def record(self, stream: int):
        pass

    def synchronize(self):
        pass


def no_stream(device: torch.device) -> int:
    return 0


def without_cuda():
    """A torch for torchode to see: its loop names CUDA's events, for which a torch that was built for
    CPUs alone has no compiled class. On a CPU the loop does not come to them."""
    seen = types.ModuleType("torch")
    seen.__dict__.update(torch.__dict__)
    seen.cuda = types.ModuleType("cuda")
    seen.cuda.Event, seen.cuda.current_stream = NoEvent, no_stream
    return seen


def compiled_solver(field, method):
    torchode.adjoints.torch = without_cuda()
    term = torchode.ODETerm(field)
    control = torchode.IntegralController(atol=1e-5, rtol=1e-5, term=term)
    return torch.jit.script(torchode.AutoDiffAdjoint(method(term=term), control))


def own_steps(field, method, end, times, inputs):
    x0 = torch.from_numpy(inputs["x0"])
    ts = torch.linspace(0, end, times + 1)[1:].repeat(len(x0), 1)
    solver = compiled_solver(field, method)
    problem = torchode.InitialValueProblem(y0=x0, t_start=torch.zeros(len(x0)), t_eval=ts,
                                           t_end=torch.full((len(x0),), float(end)))

    def run():
        with torch.no_grad():
            return solver.solve(problem).ys
    return [Job(f"torchode {version_of('torchode')}, compiled", run,
                lambda ys: {"series": ys.numpy().transpose(1, 0, 2)}, OWN_STEPS)]


class Oscillator(torch.nn.Module):
    def forward(self, t: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        place, speed = x[:, 0], x[:, 1]
        return torch.stack((speed, 2 * (1 - place * place) * speed - place), 1)


class Network(torch.nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.u, self.v = torch.from_numpy(inputs["u"]), torch.from_numpy(inputs["v"])
        self.b, self.c = torch.from_numpy(inputs["b"]), torch.from_numpy(inputs["c"])

    def forward(self, t: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return torch.addmm(self.c, torch.tanh(torch.addmm(self.b, x, self.u)), self.v)


def van_der_pol(inputs):
    return own_steps(Oscillator(), torchode.Dopri5, 7.63, 200, inputs)


def network_100(inputs):
    return own_steps(Network(inputs), torchode.Tsit5, 1.0, 100, inputs)


ROWS = {
    "matmul_square": matmul,
    "matmul_conv": matmul,
    "matmul_dense": matmul,
    "conv2d": conv2d,
    "conv2d_grads": conv2d_grads,
    "norm": norm,
    "norm_vjp": norm_vjp,
    "mnist_euler": mnist_euler,
    "mnist_adjoint": mnist_adjoint,
    "mnist_adjoint_check": mnist_adjoint_check,
    "curve_euler": curve_euler,
    "curve_adjoint": curve_adjoint,
    "flow_100": flow,
    "flow_512": flow,
    "van_der_pol": van_der_pol,
    "network_100": network_100,
}
