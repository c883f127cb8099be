#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A training step of ours against PyTorch's, in turn, in one run.

usage: compare.py TRAIN_BENCH [--nets my_net,unet,resnet18,vgg16] [--threads N] [--rounds N]
                  [--python INTERPRETER] [--settings default,tuned,...]

PyTorch runs in processes of its own, one per setting: `default`; `tuned` (glibc's allocator told to
keep memory); `channels_last`; `best` (channels_last, tuned, fused Adam); `bf16` (the same with
autocast, other numbers). Every round asks each process for one step; only one works at a time.
Printed: medians, ratios to ours, peak memory, time until ready.
"""
import argparse
import os
import resource
import statistics
import subprocess
import sys
import time

TUNED = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "100000000000", "MALLOC_TOP_PAD_": "1000000000"}
SETTINGS = {  # environment, channels_last, fused, bf16
    "default": ({}, False, False, False),
    "tuned": (TUNED, False, False, False),
    "channels_last": ({}, True, False, False),
    "best": (TUNED, True, True, False),
    "bf16": (TUNED, True, True, True),
}


class Process:
    def __init__(self, command, environment=None):
        begin = time.monotonic()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **(environment or {})})
        line = self.process.stdout.readline()
        assert line.startswith("ready"), (command, line)
        self.start_up = time.monotonic() - begin

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return [float(x) for x in self.process.stdout.readline().split()]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


# ---- the PyTorch side -----------------------------------------------------------------------------


def peer(net, threads, setting):
    import torch
    import torch.nn.functional as F

    from peer_models import make_model
    _, channels_last, fused, bf16 = SETTINGS[setting]
    torch.set_num_threads(threads)
    model, shape, label_shape, classes = make_model(net)
    x, y = torch.randn(shape), torch.randint(classes, label_shape)
    if channels_last:
        model, x = model.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True if fused else None)

    def step(train):
        model.train(train)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16), torch.set_grad_enabled(train):
            loss = F.cross_entropy(model(x), y)
        if train:
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

    print("ready", flush=True)
    for line in sys.stdin:
        if line.startswith("memory"):
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
            continue
        times = []
        for _ in range(int(line.split()[1])):
            begin = time.monotonic()
            step(line.startswith("train"))
            times.append((time.monotonic() - begin) * 1e3)
        print(*times, flush=True)


# ---- the driver -----------------------------------------------------------------------------------


def compare(net, arguments):
    me = os.path.abspath(__file__)
    processes = {"spur": Process([arguments.program, net, str(arguments.threads)])}
    for setting in arguments.settings.split(","):
        processes[setting] = Process([arguments.python, me, "--peer", net, str(arguments.threads), setting],
                                     SETTINGS[setting][0])
    for kind in ("train", "infer"):
        times = {name: [] for name in processes}
        for name, process in processes.items():
            process.ask(f"{kind} 2")  # warm-up
        for _ in range(arguments.rounds):
            for name, process in processes.items():
                times[name] += process.ask(f"{kind} 1")
        ours = statistics.median(times["spur"])
        for name, values in times.items():
            middle = statistics.median(values)
            print(f"{net:9} {kind:6} {name:14} {middle:9.1f} ms  min {min(values):9.1f}   {middle / ours:5.2f}x")
    for name, process in processes.items():
        print(f"{net:9} {name:14} peak memory {process.ask('memory')[0]:8.0f} MiB   ready after {process.start_up:5.2f} s")
        process.close()


def main():
    if len(sys.argv) > 1 and sys.argv[1] == "--peer":
        return peer(sys.argv[2], int(sys.argv[3]), sys.argv[4])
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--nets", default="my_net,unet,resnet18")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--settings", default="default,best")
    arguments = parser.parse_args()
    for net in arguments.nets.split(","):
        compare(net, arguments)


if __name__ == "__main__":
    main()
