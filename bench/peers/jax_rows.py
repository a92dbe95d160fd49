# SPDX-License-Identifier: Apache-2.0
"""Rows in jax and diffrax, jitted: the first repetition, which compiles, is never timed. Layouts are
ours: images [B, H, W, C], kernels [Kh, Kw, Ci, Co], dense weights [in, out]."""

from importlib.metadata import version as version_of

import diffrax
import jax
import jax.numpy as jnp
from diffrax import (BacksolveAdjoint, DirectAdjoint, Dopri5, Euler, ForwardMode, Kvaerno5, ODETerm,
                     PIDController, RecursiveCheckpointAdjoint, SaveAt, StepTo, Tsit5,
                     adjoint_rms_seminorm)

from job import ADJOINT, FLOW, OWN_STEPS, STEP, Job

finish = jax.block_until_ready


def version():
    devices = {d.platform for d in jax.devices()}
    return f"jax {jax.__version__} ({', '.join(devices)}), diffrax {diffrax.__version__}"


def arrays(inputs, data):
    """The data, then the weights by our names."""
    known = {n: jnp.asarray(a) for n, a in inputs.items()}
    return [known.pop(n) for n in data], known


def job(adjoint, loss, weights, tolerance):
    """loss(weights) → loss, other outputs by name."""
    step = jax.jit(jax.value_and_grad(loss, has_aux=True))

    def outputs(result):
        (value, others), gradients = result
        return {"loss": value, **others, **{f"{n}_bar": g for n, g in gradients.items()}}
    name = f"diffrax {diffrax.__version__}, {adjoint}"
    return Job(name, lambda: step(weights), outputs, tolerance)


def along(ts, solver, adjoint):
    """Solve along the equal steps `ts`, with every state kept: no step is recomputed."""
    kept = {"RecursiveCheckpointAdjoint": RecursiveCheckpointAdjoint(checkpoints=len(ts) - 1),
            "DirectAdjoint": DirectAdjoint()}[adjoint]

    def solve(f, y, saveat, args):
        return diffrax.diffeqsolve(ODETerm(f), solver, ts[0], ts[-1], None, y, args, saveat=saveat,
                                   stepsize_controller=StepTo(ts=ts), adjoint=kept,
                                   max_steps=len(ts) - 1).ys
    return solve


def adaptive(tolerance, adjoint):
    controller = PIDController(rtol=tolerance, atol=tolerance)
    # Ours leaves the weights' cotangents out of the norm of the error; so does the seminorm.
    back = PIDController(rtol=tolerance, atol=tolerance, norm=adjoint_rms_seminorm)
    how = {"BacksolveAdjoint": BacksolveAdjoint(stepsize_controller=back),
           "RecursiveCheckpointAdjoint": RecursiveCheckpointAdjoint()}[adjoint]

    def solve(f, y, saveat, args, t1=1.0):
        return diffrax.diffeqsolve(ODETerm(f), Dopri5(), 0.0, t1, None, y, args, saveat=saveat,
                                   stepsize_controller=controller, adjoint=how, max_steps=1024).ys
    return solve


# MNIST -------------------------------------------------------------------------------------------

def group_norm(p, layer, x):
    b, h, w, c = x.shape
    groups = x.reshape(b, h, w, 32, c // 32)
    mean = groups.mean((1, 2, 4), keepdims=True)
    variance = ((groups - mean) ** 2).mean((1, 2, 4), keepdims=True)
    unit = ((groups - mean) * jax.lax.rsqrt(variance + 1e-5)).reshape(x.shape)
    return unit * p[f"{layer}.scale"] + p[f"{layer}.shift"]


def conv(x, w, stride, padding):
    """As one matrix product over the patches: on CPUs XLA's own convolution takes far longer, its
    gradients above all."""
    kh, kw, inputs, outputs = w.shape
    b, h, width, _ = x.shape
    rows, columns = (h + 2 * padding - kh) // stride + 1, (width + 2 * padding - kw) // stride + 1
    x = jnp.pad(x, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    taps = [x[:, i : i + stride * rows : stride, j : j + stride * columns : stride]
            for i in range(kh) for j in range(kw)]
    patches = jnp.concatenate(taps, -1)
    return patches @ w.reshape(kh * kw * inputs, outputs)


def stem(p, x):
    x = conv(x, p["stem.conv1.weight"], 1, 0) + p["stem.conv1.bias"]
    for i in "12":
        layer = f"stem.conv{int(i) + 1}"
        x = jax.nn.relu(group_norm(p, f"stem.norm{i}", x))
        x = conv(x, p[f"{layer}.weight"], 2, 1) + p[f"{layer}.bias"]
    return x


def mnist_field(t, x, p):
    for i in "12":
        x = jax.nn.relu(group_norm(p, f"f.norm{i}", x))
        ones = jnp.ones((1, *x.shape[1:3], 1))
        shift = t * conv(ones, p[f"f.conv{i}.time_weight"], 1, 1) + p[f"f.conv{i}.bias"]
        x = conv(x, p[f"f.conv{i}.weight"], 1, 1) + shift
    return group_norm(p, "f.norm3", x)


def mnist(inputs, solve, adjoint, tolerance):
    (images, labels), weights = arrays(inputs, ("images", "labels"))

    def loss(p):
        own = {n: w for n, w in p.items() if n.startswith("f.")}
        x = solve(mnist_field, stem(p, images), SaveAt(t1=True), own)[0]
        x = jax.nn.relu(group_norm(p, "head.norm", x)).mean((1, 2))
        logits = x @ p["head.dense.weight"] + p["head.dense.bias"]
        return -(labels * jax.nn.log_softmax(logits)).sum() / len(labels), {"logits": logits}
    return job(adjoint, loss, weights, tolerance)


def mnist_euler(inputs):
    return [mnist(inputs, along(jnp.linspace(0, 1, 11), Euler(), how), how, STEP)
            for how in ("RecursiveCheckpointAdjoint", "DirectAdjoint")]


def mnist_adjoint(inputs):
    return [mnist(inputs, adaptive(1e-3, "BacksolveAdjoint"), "BacksolveAdjoint", ADJOINT)]


def mnist_adjoint_check(inputs):
    def solve(f, y, saveat, args):
        return diffrax.diffeqsolve(ODETerm(f), Euler(), 0.0, 1.0, 0.1, y, args, saveat=saveat,
                                   adjoint=BacksolveAdjoint(), max_steps=16).ys
    return [mnist(inputs, solve, "BacksolveAdjoint", ADJOINT)]


# The curve ---------------------------------------------------------------------------------------

def curve_field(t, x, p):
    for i in "12":
        x = jax.nn.relu(x @ p[f"f.dense{i}.weight"] + p[f"f.dense{i}.bias"])
    return x @ p["f.dense3.weight"] + p["f.dense3.bias"]


def curve(inputs, solve, adjoint, tolerance):
    (s,), weights = arrays(inputs, ("curve",))
    ts = jnp.linspace(0, 1, len(s))

    def loss(p):
        x = solve(curve_field, s[:1], SaveAt(ts=ts[1:]), p)
        return ((x[:, 0] - s[1:]) ** 2).sum(), {}
    return job(adjoint, loss, weights, tolerance)


def curve_euler(inputs):
    ts = jnp.linspace(0, 1, len(inputs["curve"]))
    return [curve(inputs, along(ts, Euler(), how), how, STEP)
            for how in ("RecursiveCheckpointAdjoint", "DirectAdjoint")]


def curve_adjoint(inputs):
    return [curve(inputs, adaptive(1e-5, "BacksolveAdjoint"), "BacksolveAdjoint", ADJOINT)]


# The flow ----------------------------------------------------------------------------------------

WIDTH, SPAN = 64, 10  # our time runs from 0 to 1, and the field is SPAN times that of the example


def hyper(p, t):
    h = t.reshape(1)
    for i in "12":
        h = jnp.tanh(h @ p[f"f.hyper{i}.weight"] + p[f"f.hyper{i}.bias"])
    theta = (h @ p["f.hyper3.weight"] + p["f.hyper3.bias"]).reshape(7, WIDTH)
    return theta[0:2], theta[2:4] * jax.nn.sigmoid(theta[4:6]), theta[6]


def flow_field(t, state, p):
    w, u, b = hyper(p, t)

    def dz(z):
        return u @ jnp.tanh(z @ w + b) / WIDTH
    value = jax.vmap(dz)(state[0])
    return value, -jax.vmap(lambda z: jnp.trace(jax.jacfwd(dz)(z)))(state[0])


def flow(inputs):
    (points,), weights = arrays(inputs, ("points",))
    how = "RecursiveCheckpointAdjoint"

    def loss(p):
        start = (points, jnp.zeros(len(points)))
        z, change = adaptive(1e-5, how)(flow_field, start, SaveAt(t1=True), p, float(SPAN))
        density = -0.5 * (z[0] ** 2).sum(1) - jnp.log(2 * jnp.pi)
        return -(density - change[0]).mean(), {}
    return [job(how, loss, weights, FLOW)]


# Steps of each sample's own ----------------------------------------------------------------------

def own_steps(field, solver, inputs, *, end, times, tolerance=1e-5):
    """All ways to differentiate, or not to, whose loops differ: the fastest is timed."""
    (x0,), weights = arrays(inputs, ("x0",))
    ts = jnp.linspace(0, end, times + 1)[1:]

    def solve_by(how):
        def solve(x, p):
            return diffrax.diffeqsolve(
                ODETerm(field), solver, 0.0, end, None, x, p, saveat=SaveAt(ts=ts), adjoint=how(),
                stepsize_controller=PIDController(rtol=tolerance, atol=tolerance)).ys
        every = jax.jit(jax.vmap(solve, in_axes=(0, None), out_axes=1))
        name = f"diffrax {diffrax.__version__}, vmap, {how.__name__}"
        return Job(name, lambda: every(x0, weights), lambda ys: {"series": ys}, OWN_STEPS)
    return [solve_by(how) for how in (DirectAdjoint, ForwardMode, RecursiveCheckpointAdjoint)]


def oscillator(t, x, p):
    return jnp.stack([x[1], 2 * (1 - x[0] ** 2) * x[1] - x[0]])


def network(t, x, p):
    return jnp.tanh(x @ p["u"] + p["b"]) @ p["v"] + p["c"]


def van_der_pol(inputs):
    return own_steps(oscillator, Dopri5(), inputs, end=7.63, times=200)


def network_100(inputs):
    return own_steps(network, Tsit5(), inputs, end=1.0, times=100)


def kinetics(t, x, p):
    slow, back, fast = 0.04 * x[0], 1e4 * x[1] * x[2], 3e7 * x[1] ** 2
    return jnp.stack([back - slow, slow - back - fast, fast])


def robertson(inputs):
    """In double precision, from its compilation to each run."""
    def with_fp64(function):
        def call(*arguments, **named):
            with jax.enable_x64(True):
                return function(*arguments, **named)
        return call
    doubles = {n: a.astype("float64") for n, a in inputs.items()}
    jobs = with_fp64(own_steps)(kinetics, Kvaerno5(), doubles, end=100.0, times=1, tolerance=1e-8)
    return [one._replace(run=with_fp64(one.run)) for one in jobs]


ROWS = {
    "mnist_euler": mnist_euler,
    "mnist_adjoint": mnist_adjoint,
    "mnist_adjoint_check": mnist_adjoint_check,
    "curve_euler": curve_euler,
    "curve_adjoint": curve_adjoint,
    "flow_100": flow,
    "flow_512": flow,
    "van_der_pol": van_der_pol,
    "network_100": network_100,
    "robertson": robertson,
}
