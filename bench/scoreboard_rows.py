# SPDX-License-Identifier: Apache-2.0
"""The rows of bench/scoreboard and their goals. A key names the row in src/bench/rows.c and in the ROWS
of bench/peers."""


def row(key, name, peer, goal, *, check=None, against=None, pairs=None, note=""):
    """peer: "torch" or "jax": goal is how many times longer it should take. "ours": another row of
    ours, `against`; goal is the most that ours/peer should be. None: goal is in seconds.
    check: the row whose numbers are compared, where it is not the one that is timed.
    pairs: at most so many."""
    return {"key": key, "row": name, "peer": peer, "goal": goal, "check": check or key,
            "against": against, "pairs": pairs, "note": note}


def both(key, name, goal, jax=2, **others):
    return [row(key, name, "torch", goal, **others), row(key, name, "jax", jax, **others)]


CHECKED_AT = "numbers compared along equal Euler steps"
SLOW = "the peer takes seconds: 3 pairs"

ROWS = [
    row("matmul_square", "SGEMM 1024 x 1024 x 1024", "torch", 1),
    row("matmul_conv", "SGEMM 4608 x 64 x 576", "torch", 1),
    row("matmul_dense", "SGEMM 128 x 1000 x 1000", "torch", 1),
    row("conv2d", "conv 3x3, 64-64, 6x6, batch 128: forward", "torch", 1.8),
    row("conv2d_grads", "conv 3x3, 64-64, 6x6, batch 128: both gradients", "torch", 1.5),
    row("norm", "GroupNorm + ReLU 128x64x6x6: forward", "torch", 2),
    row("norm_vjp", "GroupNorm + ReLU 128x64x6x6: forward and vjp", "torch", 2),
    *both("mnist_euler", "MNIST NODE step, Euler 10, backprop", 5),
    *both("mnist_adjoint", "MNIST NODE step, dopri5 1e-3, adjoint", 6, 7,
          check="mnist_adjoint_check", pairs=3, note=f"{CHECKED_AT}; {SLOW}"),
    *both("curve_euler", "curve 3-1000-1000-3, Euler 100, backprop", 8, 5),
    *both("curve_adjoint", "curve 3-1000-1000-3, dopri5 1e-5, adjoint", 20, pairs=3, note=SLOW),
    *both("flow_100", "flow, 100 points", 50),
    *both("flow_512", "flow, 512 points", 30),
    *both("van_der_pol", "van der Pol, 256 samples with steps of their own, 200 times", 3),
    *both("network_100", "network 8-64-8, 1,024 samples with steps of their own, 100 times", 4),
    row("robertson", "Robertson, 1,024 samples with steps of their own, Kvaerno 5, fp64", "jax", 2),
    row("first_step", "start to the first training step, digits", None, 0.2),
    row("compile_all", "kernels from nothing, MNIST run", None, 8, pairs=1),
    row("mnist_ew_euler", "NODE-EW step over NODE step, Euler 10", "ours", 1.05,
        against="mnist_euler"),
]
