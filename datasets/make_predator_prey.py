# SPDX-License-Identifier: Apache-2.0
"""Predator and prey at 300 irregular times over some eight cycles, with 3 % noise, as CSV on standard
output: the solution of the Lotka-Volterra equations by the classical Runge-Kutta method. The same
rows each time (Python 3, standard library only).

    python3 datasets/make_predator_prey.py > predator_prey.csv
"""

import math
import random

ROWS, STEP, NOISE = 300, 0.01, 0.03


def slopes(x):
    return [x[0] * (1.1 - 0.4 * x[1]), x[1] * (0.1 * x[0] - 0.4)]


def moved(x, by, k):
    return [a + by * b for a, b in zip(x, k)]


def step(x):
    a = slopes(x)
    b = slopes(moved(x, STEP / 2, a))
    c = slopes(moved(x, STEP / 2, b))
    d = slopes(moved(x, STEP, c))
    return [v + STEP / 6 * (p + 2 * q + 2 * r + s) for v, p, q, r, s in zip(x, a, b, c, d)]


def main():
    chance = random.Random(1)
    x, steps = [10.0, 5.0], 0
    print("t,prey,predator")
    for _ in range(ROWS):
        seen = [value * math.exp(chance.gauss(0, NOISE)) for value in x]
        print(f"{steps * STEP:.2f},{seen[0]:.4f},{seen[1]:.4f}")
        wait = chance.randint(10, 50)
        steps += wait
        for _ in range(wait):
            x = step(x)


if __name__ == "__main__":
    main()
