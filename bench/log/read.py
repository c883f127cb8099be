#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Reading event files: this library, TensorBoard's own Python reader, and the limit of the machine, in one run.

usage: read.py [--build DIR] [--scalars N] [--gigabytes G] [--rounds N] [--keep DIR]

Makes a file of N scalars and one of mixed events (scalars, histograms, images; bench_log), then measures, taking turns:
  limit      read() in 1 MiB blocks and CRC-32C of every byte
  records    both checksums of every record
  count      what `spur inspect` does: verified, decoded, counted by tag
  scalars    spur_scalars_load(): all in memory
  Python     tensorboard's RawEventFileLoader (records) and LegacyEventFileLoader (decoded events) on the scalars; left out
             when the package is missing. Run this script with an interpreter that has it.
Prints medians, and the ratios that the project promises: 1 GB/s of mixed events, 100 times Python's rate.
"""
import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import script

PYTHON_RECORDS = 40000


def run(*args):
    out = subprocess.run([str(a) for a in args], check=True, capture_output=True, text=True).stdout
    return json.loads(out.splitlines()[-1])


def python_rate(loader, path):
    """Records per second of TensorBoard's reader over the first PYTHON_RECORDS."""
    start = time.perf_counter()
    for n, _ in enumerate(loader(str(path)).Load(), 1):
        if n == PYTHON_RECORDS:
            break
    return n / (time.perf_counter() - start)


def loaders():
    try:
        from tensorboard.backend.event_processing import event_file_loader
    except ImportError:
        print("no package tensorboard here: its reader is left out", file=sys.stderr)
        return {}
    return {"python records": event_file_loader.RawEventFileLoader, "python events": event_file_loader.LegacyEventFileLoader}


def make(bench, directory, scalars, gigabytes):
    run(bench / "bench_log", "scalars", scalars, directory / "scalars")
    run(bench / "bench_log", "mix", 1000, directory / "sample")
    sample = sum(f.stat().st_size for f in (directory / "sample").iterdir())
    run(bench / "bench_log", "mix", int(1000 * gigabytes * 1e9 / sample), directory / "mix")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=Path(__file__).resolve().parents[2] / "build" / "release", type=Path)
    parser.add_argument("--scalars", default=2000000, type=int)
    parser.add_argument("--gigabytes", default=1.0, type=float)
    parser.add_argument("--rounds", default=5, type=int)
    parser.add_argument("--keep", type=Path, help="make the files here and leave them")
    options = parser.parse_args()
    bench = options.build / "bench"
    directory = options.keep or Path(tempfile.mkdtemp(prefix="spur_read_"))
    directory.mkdir(parents=True, exist_ok=True)
    try:
        if not (directory / "mix").exists():
            make(bench, directory, options.scalars, options.gigabytes)
        measure(bench, directory, options.rounds)
    finally:
        if not options.keep:
            shutil.rmtree(directory)


def measure(bench, directory, rounds):
    scalars, = (directory / "scalars").iterdir()
    mix, = (directory / "mix").iterdir()
    rates, bytes_rates, peak = {}, {}, {}
    peers = loaders()
    for _ in range(rounds):
        for what in ("limit", "records", "count"):
            r = run(bench / "bench_read", what, mix, 1)
            bytes_rates.setdefault("mix " + what, []).append(r["gb_per_second"])
            peak["mix " + what] = r["peak_kb"]
        for what in ("records", "count", "scalars"):
            r = run(bench / "bench_read", what, scalars, 1)
            rates.setdefault(what, []).append(r["records_per_second"])
            peak[what] = r["peak_kb"]
        for name, loader in peers.items():
            rates.setdefault(name, []).append(python_rate(loader, scalars))
    print("mixed events: %.2f GB, %d records" % (mix.stat().st_size / 1e9, run(bench / "bench_read", "records", mix, 1)["records"]))
    limit = statistics.median(bytes_rates["mix limit"])
    for name, values in bytes_rates.items():
        median = statistics.median(values)
        print("  %-14s %7.2f GB/s   %4.0f %% of the limit   peak %d kB" %
              (name[4:], median, 100 * median / limit, peak[name]))
    print("scalars alone: %.2f GB" % (scalars.stat().st_size / 1e9))
    slowest = None
    for name, values in rates.items():
        median = statistics.median(values)
        print("  %-14s %12s records/s%s" % (name, format(round(median), ","), "   peak %d kB" % peak[name] if name in peak else ""))
    for name in peers:
        ratio = statistics.median(rates["count"]) / statistics.median(rates[name])
        slowest = ratio if slowest is None else min(slowest, ratio)
        print("  count is %.0f times %s" % (ratio, name))
    ok = statistics.median(bytes_rates["mix count"]) >= 1 and (slowest is None or slowest >= 100)
    print("1 GB/s of mixed events and 100 times Python: %s" % ("reached" if ok else "NOT reached"))


if __name__ == "__main__":
    script.run(main)
