#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How good the search methods are: the best value found in so many trials, beside Optuna's TPE.

usage: bench/sweep/search.py [--seeds 40] [--trials 50 100] [--noise]

Runs tpe and random (build/release/bench/ask_tell) on functions with known minima of 0, and Optuna's multivariate TPE
where it can be imported (5.0 was compared). Prints the median over seeds; with --noise of the true value of the trial
that looked best. Build first: cmake --preset release && cmake --build --preset release.
"""
import argparse
import math
import random
import statistics
import subprocess
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import script

try:
    import optuna
except ImportError:
    optuna = None

ASK_TELL = Path(__file__).resolve().parents[2] / "build/release/bench/ask_tell"
WELLS = ((10, 3, 17, 3.5, 1.7, 8), (0.05, 10, 17, 0.1, 8, 14), (3, 3.5, 1.7, 10, 17, 8), (17, 8, 0.05, 10, 0.1, 14))
CENTRES = ((0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886), (0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991),
           (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650), (0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381))


def sphere(*x):
    return sum((v - 1) ** 2 for v in x)


def branin(x, y):
    q = y - 5.1 / (4 * math.pi ** 2) * x * x + 5 / math.pi * x - 6
    return q * q + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10 - 0.397887


def hartmann6(*x):
    depth = (1, 1.2, 3, 3.2)
    return 3.32237 - sum(d * math.exp(-sum(a * (v - c) ** 2 for a, v, c in zip(w, x, centre)))
                         for d, w, centre in zip(depth, WELLS, CENTRES))


def rosenbrock(*x):
    return math.log1p(sum(100 * (b - a * a) ** 2 + (1 - a) ** 2 for a, b in zip(x, x[1:])))


def mixed(name, lr, momentum, decay, depth, activation):
    best, cost = {"sgd": (-1, 0), "adam": (-3, 0.1), "rms": (-3.5, 0.3)}[name]
    if name == "sgd":
        cost += 4 * (momentum - 0.9) ** 2
    cost += 0.3 * (math.log10(lr) - best) ** 2 + 0.05 * (math.log10(decay) + 4) ** 2 + 0.03 * (depth - 5) ** 2
    return cost + {"relu": 0.1, "gelu": 0}.get(activation, 0.2)


def valley(lr, batch, decay):
    """A rate that goes with the size of the batch, beside a cliff; a step over it fails."""
    u = math.log10(lr) + 3 - 0.3 * (math.log2(batch) - 5)
    rest = 0.02 * (math.log2(batch) - 6) ** 2 + 0.03 * (math.log10(decay) + 3) ** 2
    return math.nan if u > 0.3 else u * u + rest


def whole_numbers(*x):
    return sum(((v - best) / 10) ** 2 for v, best in zip(x, (20, 7, 33)))


# name: function, the noise of a trial, one domain per argument ("if" makes it conditional)
FUNCTIONS = {
    "sphere, 2": (sphere, 0.3, ["uniform(-5, 5)"] * 2),
    "sphere, 5": (sphere, 2, ["uniform(-5, 5)"] * 5),
    "Branin": (branin, 2, ["uniform(-5, 10)", "uniform(0, 15)"]),
    "Hartmann, 6": (hartmann6, 0.2, ["uniform(0, 1)"] * 6),
    "log Rosenbrock, 4": (rosenbrock, 0.3, ["uniform(-2, 2)"] * 4),
    "mixed, conditional": (mixed, 0.1, ["sgd, adam, rms", "log(1e-6, 1)", "uniform(0, 0.99) if x.0 == sgd",
                                        "log(1e-8, 1e-1)", "range(1, 8)", "relu, tanh, gelu, elu"]),
    "rates with a cliff": (valley, 0.05, ["log(1e-6, 1)", "log(4, 512)", "log(1e-6, 1)"]),
    "whole numbers, 3": (whole_numbers, 0.3, ["range(1, 64)"] * 3),
}


def read(text):
    try:
        return float(text)
    except ValueError:
        return None if text == "-" else text


def ours(method, function, domains, seed, trials):
    """The values of a search, in order."""
    process = subprocess.Popen([ASK_TELL, method, str(seed), str(trials)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    process.stdin.write("".join("x.%d = %s\n" % row for row in enumerate(domains)) + "\n")
    process.stdin.flush()
    values = []
    for line in process.stdout:
        values.append(function(*map(read, line.rstrip("\n").split("\t"))))
        process.stdin.write("%r\n" % values[-1][0])
        process.stdin.flush()
    process.wait()
    return [true for _, true in values], [seen for seen, _ in values]


def suggest(trial, domains):
    chosen = []
    for i, text in enumerate(domains):
        domain, _, condition = text.partition(" if ")
        kind, _, inside = domain.rstrip(")").partition("(")
        name = "x%d" % i
        if condition and condition != "x.0 == %s" % chosen[0]:
            chosen.append(None)
        elif kind in ("uniform", "log"):
            chosen.append(trial.suggest_float(name, *map(float, inside.split(",")), log=kind == "log"))
        elif kind == "range":
            chosen.append(trial.suggest_int(name, *map(int, inside.split(","))))
        else:
            chosen.append(trial.suggest_categorical(name, domain.split(", ")))
    return chosen


def optunas(function, domains, seed, trials):
    conditional = any(" if " in d for d in domains)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True, group=conditional))
    values = []

    def objective(trial):
        values.append(function(*suggest(trial, domains)))
        return values[-1][0]

    study.optimize(objective, n_trials=trials)
    return [true for _, true in values], [seen for seen, _ in values]


def best_after(found, n):
    true, seen = found
    return min(((s, t) for s, t in zip(seen[:n], true) if not math.isnan(s)), default=(math.inf, math.inf))[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--trials", type=int, nargs="+", default=[50, 100])
    parser.add_argument("--noise", action="store_true")
    args = parser.parse_args()
    searches = {"tpe": lambda *a: ours("tpe", *a), "random": lambda *a: ours("random", *a)}
    if optuna:
        warnings.simplefilter("ignore")
        optuna.logging.set_verbosity(optuna.logging.CRITICAL)
        searches["Optuna"] = optunas
    print("%-20s %6s" % ("", "trials") + "".join("%10s" % name for name in searches) + "   failed, of each")
    for name, (function, noise, domains) in FUNCTIONS.items():
        found = {}
        for method, search in searches.items():
            found[method] = []
            for seed in range(args.seeds):
                rng = random.Random(seed)

                def measured(*x):
                    true = function(*x)
                    return true + (rng.gauss(0, noise) if args.noise else 0), true

                found[method].append(search(measured, domains, seed, max(args.trials)))
        failed = [statistics.mean(sum(map(math.isnan, seen)) for _, seen in runs) for runs in found.values()]
        for n in args.trials:
            medians = [statistics.median(best_after(run, n) for run in runs) for runs in found.values()]
            print("%-20s %6d" % (name, n) + "".join("%10.4g" % m for m in medians)
                  + ("   " + ", ".join("%.0f" % f for f in failed) if any(failed) else ""), flush=True)


if __name__ == "__main__":
    script.run(main)
