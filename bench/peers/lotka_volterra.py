# SPDX-License-Identifier: Apache-2.0
"""The Lotka-Volterra equations fitted by SciPy to the first rows of a series of prey and predator,
and how far they are from the rest: what docs/results/series.md puts beside a Neural ODE.

    python3 bench/peers/lotka_volterra.py datasets/lynx_hare.csv 16
"""

import csv
import sys

import numpy as np
import scipy
from scipy.integrate import solve_ivp
from scipy.optimize import least_squares

SEEDS = range(1, 21)  # of the first guesses


def solve(theta, times):
    """Values at the times, from rates and the values at the first, all as logarithms."""
    birth, hunt, death, gain, *start = np.exp(theta)
    slopes = lambda t, x: [x[0] * (birth - hunt * x[1]), x[1] * (gain * x[0] - death)]
    way = solve_ivp(slopes, (times[0], times[-1]), start, t_eval=times, rtol=1e-8, atol=1e-8,
                    method="LSODA")
    return way.y.T if way.success and way.y.shape[1] == len(times) else None


def fit(times, values, logarithms):
    """The best of several fits: least squares of the values, or of their logarithms."""
    shown = np.log if logarithms else lambda x: x / values.std(axis=0)

    def residuals(theta):
        with np.errstate(all="ignore"):
            solved = solve(theta, times)
        if solved is None or not (solved > 0).all():
            return np.full(values.size, 1e3)
        return (shown(solved) - shown(values)).ravel()

    fits = []
    for seed in SEEDS:
        guess = np.log([0.5, 0.03, 0.8, 0.03, *values[0]])
        guess = guess + np.random.default_rng(seed).normal(0, 0.3, guess.size)
        fits.append(least_squares(residuals, guess))
    return min(fits, key=lambda one: one.cost).x


def main():
    path, count = sys.argv[1], int(sys.argv[2])
    with open(path, newline="", encoding="utf-8") as file:
        names, *rows = csv.reader(file)
    table = np.array(rows, dtype=float)
    times, values = table[:, 0], table[:, 1:]
    print(f"scipy {scipy.__version__}, {count} of {len(table)} rows of {names[1]} and {names[2]}")
    for logarithms in (False, True):
        theta = fit(times[:count], values[:count], logarithms)
        error = solve(theta, times) - values
        print("least squares of", "logarithms" if logarithms else "values")
        print("  rates", " ".join(f"{rate:.4g}" for rate in np.exp(theta[:4])))
        for part, rows in (("fit", slice(0, count)), ("forecast", slice(count, None))):
            rmse = np.sqrt((error[rows] ** 2).mean(axis=0))
            scaled = np.sqrt(((error[rows] / values[:count].std(axis=0)) ** 2).mean())
            print(f"  {part}: RMSE {rmse[0]:.3g} and {rmse[1]:.3g}, {scaled:.3g} deviations")


if __name__ == "__main__":
    main()
