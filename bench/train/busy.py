#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Training beside other programs: threads that spin for long while they wait, and for a moment.

usage: busy.py SPUR [--busy 0,2,4] [--steps N] [--model NAME] [--rounds N]

Trains on the built-in pictures beside so many processes that do nothing but keep a processor busy, with
libgomp's own spin count and with the one that spur takes, in turn; prints the medians and their ratio.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import script

SPINS = {"libgomp's": "300000", "spur's": "3000"}
BUSY = [sys.executable, "-c", "while True: pass"]


def seconds(arguments, folder, spins):
    command = [arguments.spur, "train", "a.ini", f"train.max_steps={arguments.steps}", "--quiet"]
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_", "OPENBLAS_"))}
    begin = time.monotonic()
    subprocess.run(command, cwd=folder, env={**environment, "GOMP_SPINCOUNT": spins}, check=True,
                   stdout=subprocess.DEVNULL)
    return time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("spur", type=os.path.abspath)
    parser.add_argument("--busy", default="0,2,4")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--model", default="my_net")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with open(os.path.join(folder, "a.ini"), "w") as f:
            f.write(f"[data]\nformat = shapes\nsize = 32x32\nbatch_size = 64\n[model]\nname = {arguments.model}\n")
        for busy in map(int, arguments.busy.split(",")):
            others = [subprocess.Popen(BUSY) for _ in range(busy)]
            try:
                times = {name: [] for name in SPINS}
                for _ in range(arguments.rounds):
                    for name, spins in SPINS.items():
                        times[name].append(seconds(arguments, folder, spins))
            finally:
                for other in others:
                    other.kill()
                    other.wait()
            slow, fast = (statistics.median(times[name]) for name in SPINS)
            print(f"beside {busy} busy processes: {slow:.1f} s and {fast:.1f} s, ratio {slow / fast:.2f}", flush=True)


if __name__ == "__main__":
    script.run(main)
