#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Makes tests/golden/stats.txt and tests/golden/pruners.txt.

Needs scipy 1.17 and optuna 5.0 (`pip install scipy==1.17.1 optuna==5.0.0`); the tests need neither.

stats.txt:   one case a line: the name of the function, its samples, the expected results.
pruners.txt: per line a trial: pruner, direction, epoch at which Optuna prunes it (0: never), its curve.
"""
import math
import random
import sys
from pathlib import Path

import numpy as np
import optuna
from scipy import stats

HERE = Path(__file__).parent


def numbers(values):
    return " ".join(repr(float(v)) for v in values)


def holm(p):
    """The textbook's step-down, written in another way than the C code."""
    order = np.argsort(p)
    out, running = np.zeros(len(p)), 0.0
    for k, i in enumerate(order):
        running = max(running, min(1.0, (len(p) - k) * p[i]))
        out[i] = running
    return out


def wilcoxon_lines(rng):
    for n in [3, 5, 6, 8, 12, 20, 49]:
        a = [rng.gauss(0.8, 0.05) for _ in range(n)]
        b = [rng.gauss(0.83, 0.05) for _ in range(n)]
        r = stats.wilcoxon(a, b, method="exact")
        yield f"wilcoxon {n} {numbers(a)} {numbers(b)} {numbers([r.statistic, r.pvalue])}"
    for n in [6, 9, 11]:  # ties and zeros: SciPy's permutation test is exact here
        a = [rng.randint(0, 6) / 4 for _ in range(n)]
        b = [rng.randint(0, 6) / 4 for _ in range(n)]
        d = [x - y for x, y in zip(a, b) if x != y]
        r = stats.wilcoxon(d, method=stats.PermutationMethod(n_resamples=2**14))
        yield f"wilcoxon {n} {numbers(a)} {numbers(b)} {numbers([r.statistic, r.pvalue])}"
    for n in [60, 100]:
        a = [round(rng.gauss(0.8, 0.05), 2) for _ in range(n)]
        b = [round(rng.gauss(0.81, 0.05), 2) for _ in range(n)]
        r = stats.wilcoxon(a, b, method="asymptotic", correction=False)
        yield f"wilcoxon {n} {numbers(a)} {numbers(b)} {numbers([r.statistic, r.pvalue])}"


def block_lines(rng):
    """Rows that share their ups and downs; SciPy has no two-way analysis, so its sums of squares are differences of the one-way ones."""
    for k, n in [(2, 3), (2, 10), (3, 5), (7, 4), (20, 3)]:
        shared = [rng.gauss(0, 0.03) for _ in range(n)]
        rows = np.array([[round(0.8 + 0.01 * i + shared[j] + rng.gauss(0, 0.02), 4) for j in range(n)] for i in range(k)])
        total, by_row, by_column = rows.var() * k * n, rows.mean(1).var() * k * n, rows.mean(0).var() * k * n
        rest, df, rest_df = total - by_row - by_column, n - 1, (k - 1) * (n - 1)
        f = by_column / df / (rest / rest_df)
        yield f"blocks {k} {n} {numbers(rows.ravel())} {numbers([f, stats.f.sf(f, df, rest_df)])}"


def paired_lines(rng):
    for n in [2, 3, 5, 12, 40]:
        shared = [rng.gauss(0.8, 0.05) for _ in range(n)]
        a = [round(s + rng.gauss(0, 0.01), 4) for s in shared]
        b = [round(s + rng.gauss(0.01, 0.01), 4) for s in shared]
        r = stats.ttest_rel(a, b)
        ci = r.confidence_interval(0.95)
        yield f"paired {n} {numbers(a)} {numbers(b)} {numbers([r.statistic, r.df, r.pvalue, ci.low, ci.high])}"


def stats_lines(rng):
    for n, m in [(2, 2), (3, 3), (3, 5), (5, 5), (8, 4), (30, 41)]:
        a = [round(rng.gauss(0.8, 0.05), 4) for _ in range(n)]
        b = [round(rng.gauss(0.82, 0.02), 4) for _ in range(m)]
        r = stats.ttest_ind(a, b, equal_var=False)
        ci = r.confidence_interval(0.95)
        yield f"welch {n} {m} {numbers(a)} {numbers(b)} {numbers([r.statistic, r.df, r.pvalue, ci.low, ci.high])}"
    yield from wilcoxon_lines(rng)
    for n in [1, 3, 6]:
        p = [rng.random() ** 3 for _ in range(n)]
        yield f"holm {n} {numbers(p)} {numbers(holm(p))}"
    for q in [1e-12, 0.001, 0.025, 0.3, 0.5, 0.8, 0.975, 1 - 1e-9]:
        yield f"normal {q!r} {float(stats.norm.ppf(q))!r}"
    yield from paired_lines(random.Random(20261130))
    yield from block_lines(random.Random(20261201))


def curve(rng, epochs, maximize):
    floor, start, rate = rng.uniform(0.1, 0.6), rng.uniform(1, 3), rng.uniform(0.05, 0.6)
    values = [floor + (start - floor) * math.exp(-rate * e) + rng.gauss(0, 0.03) for e in range(1, epochs + 1)]
    return [round(1 / (1 + v) if maximize else v, 5) for v in values]


PRUNERS = {
    "median": lambda: optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=0),
    # Optuna tests step < n_warmup_steps, and epochs count from 1: 5 here is warmup_epochs = 4
    "median_warm": lambda: optuna.pruners.MedianPruner(n_startup_trials=3, n_warmup_steps=5),
    "asha": lambda: optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=4),
    "asha_late": lambda: optuna.pruners.SuccessiveHalvingPruner(
        min_resource=2, reduction_factor=3, min_early_stopping_rate=1),
}


def pruner_lines(rng):
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for name, make in PRUNERS.items():
        for direction in ["minimize", "maximize"]:
            study = optuna.create_study(direction=direction, pruner=make())
            for _ in range(40):
                values, trial, stopped = curve(rng, 20, direction == "maximize"), study.ask(), 0
                for epoch, value in enumerate(values, 1):
                    trial.report(value, epoch)
                    if trial.should_prune():
                        stopped = epoch
                        break
                state = optuna.trial.TrialState.PRUNED if stopped else optuna.trial.TrialState.COMPLETE
                study.tell(trial, None if stopped else values[-1], state=state)
                yield f"{name} {direction} {stopped} {numbers(values)}"


def main():
    rng = random.Random(20261122)
    (HERE / "stats.txt").write_text("\n".join(stats_lines(rng)) + "\n")
    (HERE / "pruners.txt").write_text("\n".join(pruner_lines(rng)) + "\n")


if __name__ == "__main__":
    sys.exit(main())
