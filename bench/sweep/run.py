#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a sweep costs, and what listing costs.

usage: bench/sweep/run.py [--trials 1000] [--runs 10000] [--jobs 2] [--json]

Sweeps a program that writes one scalar, and starts the same program as often from a shell loop: the difference,
divided by the number of trials, is what the sweep adds. Then makes a log directory of many runs and lists it.
Build first: cmake --preset release && cmake --build --preset release.
"""
import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import script

ROOT = Path(__file__).resolve().parents[2]
SPUR = ROOT / "build/release/bin/spur"
SCALAR = ROOT / "build/release/bench/one_scalar"

INI = """[run]
name = cost
logdir = %s
[program]
command = %s
objective = loss
[param]
x = 1
[sweep]
param.x = range(1, %d)
jobs = %d
"""


def timed(*args, **more):
    begin = time.perf_counter()
    subprocess.run([str(a) for a in args], check=True, stdout=subprocess.DEVNULL, **more)
    return time.perf_counter() - begin


def sweep_cost(folder, trials, jobs):
    (folder / "cost.ini").write_text(INI % (folder / "logs", SCALAR, trials, jobs))
    swept = timed(SPUR, "sweep", folder / "cost.ini", "--quiet")
    again = timed(SPUR, "sweep", folder / "cost.ini", "--quiet")
    script = f'for i in $(seq {trials}); do SPUR_RUN_DIR={folder}/plain/$i {SCALAR}; done'
    plain = timed("sh", "-c", script)
    return {"trials": trials, "jobs": jobs, "sweep_seconds": swept, "shell_loop_seconds": plain,
            "added_ms_per_trial": 1000 * (swept * jobs - plain) / trials, "finished_sweep_seconds": again}


def list_cost(folder, runs):
    for i in range(runs):
        run = folder / "many" / ("run_2026_01_01-%02d_%02d_%02d_%d" % (i // 3600 % 24, i // 60 % 60, i % 60, i))
        run.mkdir(parents=True)
        (run / "status.ini").write_text("[status]\nstate = done\nexit = 0\nepoch = 10\nmonitor = val_accuracy\n"
                                        "direction = max\nbest = 0.%04d\nbest_epoch = 9\n" % (i % 10000))
    return {"runs": runs, "list_seconds": min(timed(SPUR, "list", folder / "many") for _ in range(3))}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=10000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    for program in (SPUR, SCALAR):
        if not program.exists():
            script.refuse(f"{program.relative_to(ROOT)} is missing: build first")
    with tempfile.TemporaryDirectory(prefix="spur_bench_") as name:
        result = {**sweep_cost(Path(name), args.trials, args.jobs), **list_cost(Path(name), args.runs)}
    if args.json:
        print(json.dumps(result, indent=1))
        return
    print("{trials} trials, {jobs} at a time: {sweep_seconds:.1f} s; the programs alone, one after the other: "
          "{shell_loop_seconds:.1f} s".format(**result))
    print("added by the sweep: {added_ms_per_trial:.1f} ms per trial and job; a finished sweep answers in "
          "{finished_sweep_seconds:.2f} s".format(**result))
    print("list of {runs} runs: {list_seconds:.2f} s".format(**result))


if __name__ == "__main__":
    script.run(main)
