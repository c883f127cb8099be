#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writing event files: this library, the Python loggers, and the limit of the machine, in one run.

usage: write.py [--build DIR] [--scalars N] [--mix N] [--python PYTHON ...] [--rounds N] [--json FILE]

Measures, taking turns, from the first call to the closed file:
  scalars      N scalars of ten tags, one thread; eight threads
  calls        the time of every single call
  limit        memcpy, CRC-32C and write() of the same bytes
  mix          per step ten scalars and a histogram of 1000 values, every 20 steps an image
  peers        torch.utils.tensorboard, tensorboardX, TensorBoard's EventFileWriter, tf.summary: the same work, fewer of it.
               Those that an interpreter of --python (default: this one) can import.
Prints medians, their ratios, and what the project promises beside them.
"""
import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import script

HERE = Path(__file__).resolve().parent
PEERS = {"torch": "torch.utils.tensorboard", "tensorboardX": "tensorboardX", "tensorboard": "EventFileWriter",
         "tensorflow": "tf.summary"}
PEER_SCALARS, PEER_MIX = 20000, 500


def cpu_name():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or "unknown"


class Bench:
    def __init__(self, args):
        self.program = Path(args.build) / "bench" / "bench_log"
        self.pythons, self.place, self.results = args.python, Path(tempfile.mkdtemp(prefix="spur_bench_")), {}

    def measure(self, name, *command):
        """One run in a fresh directory; False when the program says that it cannot."""
        directory = self.place / "run"
        shutil.rmtree(directory, ignore_errors=True)
        command = [str(directory) if c is None else str(c) for c in command]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode == 77:
            return False
        if done.returncode:
            done.check_returncode()
        self.results.setdefault(name, []).append(json.loads(done.stdout.splitlines()[-1]))
        return True

    def own(self, name, what, count, *more):
        self.measure(name, self.program, what, count, None, *more)

    def peer(self, peer, what, count):
        for python in self.pythons:
            if self.measure(f"{PEERS[peer]} {what}", python, HERE / "peers.py", peer, what, count, None):
                return

    def median(self, name, key):
        return statistics.median(r[key] for r in self.results[name])

    def round(self, args):
        self.own("scalars", "scalars", args.scalars)
        self.own("limit", "limit", args.scalars)
        self.own("calls", "calls", min(args.scalars, 2000000))
        self.own("scalars, 8 threads", "scalars", args.scalars, 8)
        self.own("mix", "mix", args.mix)
        for peer in PEERS:
            self.peer(peer, "scalars", PEER_SCALARS)
            self.peer(peer, "mix", PEER_MIX)

    def report(self):
        rate = self.median("scalars", "rate")
        print(f"CPU: {cpu_name()}, {os.cpu_count()} processors")
        print(f"scalars:  {rate / 1e6:8.2f} million/s from call to closed file   (promised: 8)")
        print(f"          {self.median('scalars, 8 threads', 'rate') / 1e6:8.2f} million/s from eight threads")
        print(f"limit:    {self.median('limit', 'rate') / 1e6:8.2f} million/s; we reach {rate / self.median('limit', 'rate'):.2f} of it")
        print(f"a call:   median {self.median('calls', 'median_ns'):.0f} ns (promised: 60), p99 {self.median('calls', 'p99_ns'):.0f} ns "
              f"(promised: 1000), p99.9 {self.median('calls', 'p999_ns'):.0f} ns")
        first = self.results["scalars"][0]
        print(f"memory:   queue peak {self.median('scalars', 'queue_peak') / 2**20:.1f} MiB of 8, "
              f"{first['allocations']} allocations for {first['count']} scalars of ten tags")
        mix = self.median("mix", "rate")
        print(f"mix:      {mix:8.0f} steps/s")
        for name in self.results:
            peer, _, what = name.rpartition(" ")
            if peer not in PEERS.values():
                continue
            theirs = self.median(name, "rate")
            ours = mix if what == "mix" else rate
            print(f"{name + ':':34} {theirs:8.0f} {'steps' if what == 'mix' else 'scalars'}/s, we are {ours / theirs:.0f} times as fast")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", default=HERE.parents[1] / "build" / "release")
    parser.add_argument("--scalars", type=int, default=1000000)
    parser.add_argument("--mix", type=int, default=5000)
    parser.add_argument("--python", action="append", help="an interpreter that has peers; may be repeated")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", help="where to write all single results")
    args = parser.parse_args()
    args.python = args.python or [sys.executable]
    bench = Bench(args)
    try:
        for _ in range(args.rounds):
            bench.round(args)
    finally:
        shutil.rmtree(bench.place, ignore_errors=True)
    bench.report()
    if args.json:
        Path(args.json).write_text(json.dumps({"cpu": cpu_name(), "results": bench.results}, indent=1) + "\n")


if __name__ == "__main__":
    script.run(main)
