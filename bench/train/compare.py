#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Training steps and inference of ours against PyTorch's, in turn, in one run.

usage: compare.py BENCH_FOLDER [--nets my_net,unet,resnet18,...] [--threads N] [--rounds N]
                  [--python INTERPRETER] [--settings default,best,...] [--kinds train,infer,single]
                  [--limit SECONDS] [--json FILE]
       compare.py --diff A.json B.json

BENCH_FOLDER holds the built bench_train and bench_kernels. PyTorch runs in processes of its own, one per setting
(peer.py lists them). Every round asks each process for a few steps and forgets the first, as another process had the
caches before; only one works at a time, after a pause in which the threads of the one before stop spinning. A setting
that fails, or takes longer than --limit to warm up, is left out with the reason. Printed: medians; ratios to ours; peak memory of
training; time until ready; the machine's limits, each net's floor by them, and how near we come.
"""
import argparse
import os
import select
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import results
import script

TUNED = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "100000000000", "MALLOC_TOP_PAD_": "1000000000"}
PLAIN = {"default", "channels_last"}  # settings without the tuned allocator
SETTINGS = "default,tuned,channels_last,fused,best,compile,optimize,bf16"
KINDS = {"train": 2, "infer": 2, "single": 6}  # and how many to ask for in a round
PAUSE = 0.15  # seconds; OpenMP's threads spin for a while when their work is done

# Least work of a step: GFLOP with every 3x3 convolution of stride 1 by Winograd F(4x4), all else direct and without taps
# in the padding of dilated ones; GB that must
# move when all that can be fused is fused (training: weights and moments read and written, activations out and back).
WORK = {
    "my_net": {"train": (12.3, 0.46), "infer": (4.3, 0.12)},
    "unet": {"train": (20.7, 0.45), "infer": (6.9, 0.12)},
    "resnet18": {"train": (67.0, 1.2), "infer": (23.8, 0.25)},
    "vgg16": {"train": (394.0, 9.8), "infer": (132.0, 1.6)},
    "mobilenet": {"train": (20.8, 1.54), "infer": (6.9, 0.59)},
    "efficientnet": {"train": (37.5, 2.3), "infer": (12.5, 0.87)},
    "resnet50": {"train": (286.0, 3.5), "infer": (97.0, 0.85)},
    "unet_resnet34": {"train": (53.0, 1.2), "infer": (18.0, 0.26)},
    "deeplabv3": {"train": (116.0, 1.6), "infer": (39.0, 0.33)},
}


class Process:
    def __init__(self, command, environment=None, limit=120):
        self.begin, self.limit = time.monotonic(), limit
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env={**os.environ, **(environment or {})})
        self.banner = self.line(limit)
        self.start_up = time.monotonic() - self.begin

    def line(self, limit):
        """One line of its answer. The pipe is unbuffered on our side, so select tells the truth."""
        text, end = b"", time.monotonic() + limit
        while not text.endswith(b"\n"):
            if not select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                self.process.kill()
                raise script.Failure(f"took longer than {limit:.0f} s")
            part = os.read(self.process.stdout.fileno(), 65536)
            if not part:
                said = self.process.stderr.read().decode(errors="replace").strip().splitlines()
                raise script.Failure(said[-1] if said else f"ended with status {self.process.wait()}")
            text += part
        return text.decode()

    def ask(self, line, limit=None):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return [float(x) for x in self.line(limit or self.limit).split()]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def start(net, arguments):
    """Our processes by kind, PyTorch's by setting, and why others are missing."""
    program = script.program(str(Path(arguments.program) / "bench_train"))
    ours, theirs, missing = {}, {}, {}
    for kind in arguments.kinds.split(","):
        ours[kind] = Process([program, net, str(arguments.threads), kind])
    for setting in arguments.settings.split(","):
        environment = {"OMP_NUM_THREADS": str(arguments.threads), **({} if setting in PLAIN else TUNED)}
        command = [arguments.python, str(Path(__file__).with_name("peer.py")), net, str(arguments.threads), setting]
        try:
            theirs[setting] = Process(command, environment, arguments.limit)
        except script.Failure as failure:
            missing[setting] = str(failure)
    if not theirs:
        script.refuse(f"nothing to compare with: {next(iter(missing.values()))}")
    return ours, theirs, missing


def measure(kind, rounds, ours, theirs, missing):
    """{name: times}; a setting that fails leaves `theirs`."""
    names = {"spur": ours[kind], **theirs}
    if kind == "train":
        names.pop("optimize", None)
    times = {}
    for name, process in list(names.items()):
        try:
            process.ask(f"{kind} 2")  # warm-up; torch.compile compiles here
            times[name] = []
        except script.Failure as failure:
            missing[name] = f"{kind}: {failure}"
            names.pop(name)
            theirs.pop(name)
    for _ in range(rounds):
        for name in times:
            time.sleep(PAUSE)
            times[name] += names[name].ask(f"{kind} {KINDS[kind]}")[1:]
    return times


def floor(net, kind, machine):
    """Milliseconds: arithmetic at the peak plus traffic at the bandwidth of copying."""
    gflop, gigabytes = WORK[net][kind]
    return (gflop / machine["gflops"] + gigabytes / machine["copy_gb"]) * 1e3


def ratios(medians):
    """PyTorch's time over ours: default setting, best one in fp32, bf16."""
    others = {name: t for name, t in medians.items() if name not in ("spur", "bf16")}
    found = {}
    if "default" in others:
        found["default"] = others["default"] / medians["spur"]
    if others:
        best = min(others, key=others.get)
        found["best"], found["best_setting"] = others[best] / medians["spur"], best
    if "bf16" in medians:
        found["bf16"] = medians["bf16"] / medians["spur"]
    return found


def print_kind(net, kind, times, entry):
    ours = entry["median_ms"]["spur"]
    for name, values in times.items():
        middle = entry["median_ms"][name]
        print(f"{net:9} {kind:6} {name:14} {middle:9.2f} ms  min {min(values):9.2f}   {middle / ours:5.2f}x", flush=True)
    if "floor_ms" in entry:
        print(f"{net:9} {kind:6} {'floor':14} {entry['floor_ms']:9.2f} ms  reached {entry['of_floor']:.0%}")
    r = entry["ratio"]
    print(f"{net:9} {kind:6} ratio to PyTorch's default {r.get('default', 0):.2f}, "
          f"to its best ({r.get('best_setting', '-')}) {r.get('best', 0):.2f}")


def compare(net, arguments, machine):
    ours, theirs, missing = start(net, arguments)
    result = {}
    for kind in ours:
        times = measure(kind, arguments.rounds, ours, theirs, missing)
        medians = {name: statistics.median(values) for name, values in times.items()}
        entry = {"median_ms": medians, "min_ms": {name: min(v) for name, v in times.items()}, "ratio": ratios(medians)}
        if kind in WORK[net]:
            entry["floor_ms"] = floor(net, kind, machine)
            entry["of_floor"] = entry["floor_ms"] / medians["spur"]
        result[kind] = entry
        print_kind(net, kind, times, entry)
        if kind == "train":
            running = {"spur": ours["train"], **theirs}
            running.pop("optimize", None)
            result["peak_mib"] = {name: process.ask("memory")[0] for name, process in running.items()}
    first = next(iter(ours.values()))
    result["ready_s"] = {"spur": first.start_up, **{name: p.start_up for name, p in theirs.items()}}
    for name, value in result.get("peak_mib", {}).items():
        print(f"{net:9} {name:14} peak memory {value:7.0f} MiB   ready after {result['ready_s'][name]:5.2f} s")
    for name, reason in missing.items():
        print(f"{net:9} {name:14} left out: {reason}")
    result["left_out"] = missing
    for process in [*ours.values(), *theirs.values()]:
        process.close()
    return result


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "--diff":
        return results.diff(sys.argv[2], sys.argv[3])
    parser = argparse.ArgumentParser()
    parser.add_argument("program", metavar="BENCH_FOLDER")
    parser.add_argument("--nets", default="my_net,unet,resnet18")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--settings", default=SETTINGS)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--limit", type=float, default=120)
    parser.add_argument("--json")
    arguments = parser.parse_args()
    nets = script.chosen(arguments.nets, WORK)
    script.chosen(arguments.kinds, KINDS)
    script.chosen(arguments.settings, SETTINGS.split(","))
    kernels = script.program(str(Path(arguments.program) / "bench_kernels"))
    machine = results.parse(subprocess.run([kernels, "--machine", "--threads", str(arguments.threads)],
                                           capture_output=True, check=True).stdout)
    print(f"{machine['cpu']}, {machine['instructions']}, {machine['threads']} threads: {machine['gflops']:.0f} GF/s, "
          f"memory {machine['read_gb']:.1f} GB/s read, {machine['copy_gb']:.1f} GB/s copied, "
          f"a line from core to core and back {machine['round_trip_ns']:.0f} ns")
    nets = {net: compare(net, arguments, machine) for net in nets}
    if arguments.json:
        results.write(arguments.json, {"machine": machine, "nets": nets})


if __name__ == "__main__":
    script.run(main)
