#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Times single operations of real sizes in Spur and in PyTorch, in turn, and prints the ratios.

usage: compare.py build/release/bench/bench_ops [--threads N] [--rounds N] [--only TEXT] [--json FILE]
       compare.py --diff A.json B.json

Needs a Python with torch. Milliseconds are medians over the rounds; PyTorch's are those of the better one of
its default layout and channels_last. Gradients are those of everything that has one.
"""
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import results
import script

try:
    import torch
    from torch import nn
    from torch.nn import functional as F
except ImportError:  # comparing two results needs none
    torch = None

PAUSE = 0.3  # seconds, in which PyTorch's threads stop spinning


def conv(c, k, kernel, **options):
    return nn.Conv2d(c, k, kernel, **options)


def of(function, *shapes):
    """Inputs and the function of them."""
    return lambda: ([torch.randn(*s) for s in shapes], function)


def layer(make, *shapes):
    def build():
        module = make()
        return [torch.randn(*s) for s in shapes], module
    return build


def loss(function, shape, target):
    def build():
        y = target()
        return [torch.randn(*shape)], lambda x: function(x, y)
    return build


def labels(classes, *shape):
    return lambda: torch.randint(classes, shape)


def operations():
    """The names that ops prints: in PyTorch."""
    images = {"64 at 56": (8, 64, 56, 56), "96 at 56": (8, 96, 56, 56), "64 at 48": (32, 64, 48, 48)}
    flat = (64, 65536)
    return {
        "conv2d 3x3 32-64 at 48": layer(lambda: conv(32, 64, 3, padding=1), (64, 32, 48, 48)),
        "conv2d 1x1 256-64 at 56": layer(lambda: conv(256, 64, 1), (8, 256, 56, 56)),
        "conv2d depthwise 3x3 96 at 56": layer(lambda: conv(96, 96, 3, padding=1, groups=96), images["96 at 56"]),
        "conv2d dilated 64-64 at 56": layer(lambda: conv(64, 64, 3, padding=2, dilation=2), images["64 at 56"]),
        "conv_transpose2d 2x2 128-64 at 32": layer(lambda: nn.ConvTranspose2d(128, 64, 2, stride=2), (4, 128, 32, 32)),
        "linear 18432-512": layer(lambda: nn.Linear(18432, 512), (64, 18432)),
        "batch_norm 64 at 56": layer(lambda: nn.BatchNorm2d(64), images["64 at 56"]),
        "group_norm 64 at 56": layer(lambda: nn.GroupNorm(8, 64), images["64 at 56"]),
        "layer_norm 512": layer(lambda: nn.LayerNorm(512), (8, 256, 512)),
        "max_pool2d 64 at 48": of(lambda x: F.max_pool2d(x, 2), images["64 at 48"]),
        "max_pool2d 3x3 stride 2 64 at 112": of(lambda x: F.max_pool2d(x, 3, 2, 1), (8, 64, 112, 112)),
        "avg_pool2d 64 at 48": of(lambda x: F.avg_pool2d(x, 2), images["64 at 48"]),
        "adaptive_avg_pool2d 3x4 256 at 14": of(lambda x: F.adaptive_avg_pool2d(x, (3, 4)), (32, 256, 14, 14)),
        "global_avg_pool2d 512 at 14": of(lambda x: F.adaptive_avg_pool2d(x, 1), (64, 512, 14, 14)),
        "upsample2d bilinear 64 at 32": of(lambda x: F.interpolate(x, size=(64, 64), mode="bilinear"), (8, 64, 32, 32)),
        "upsample2d nearest 64 at 32": of(lambda x: F.interpolate(x, size=(64, 64)), (8, 64, 32, 32)),
        "add 64 at 56": of(torch.add, *[images["64 at 56"]] * 2),
        "multiply by channels 96 at 56": of(torch.mul, images["96 at 56"], (8, 96, 1, 1)),
        "multiply by pixels 96 at 56": of(torch.mul, images["96 at 56"], (8, 1, 56, 56)),
        "concat 64 + 64 at 56": of(lambda a, b: torch.cat([a, b], 1), *[images["64 at 56"]] * 2),
        "pad2d 64 at 56": of(lambda x: F.pad(x, (1, 1, 1, 1)), images["64 at 56"]),
        "relu": of(torch.relu, flat), "leaky_relu": of(F.leaky_relu, flat), "elu": of(F.elu, flat),
        "silu": of(F.silu, flat), "hard_swish": of(F.hardswish, flat), "gelu": of(F.gelu, flat),
        "sigmoid": of(torch.sigmoid, flat), "tanh": of(torch.tanh, flat),
        "dropout": of(lambda x: F.dropout(x, 0.5, True), flat),
        "softmax 10": of(lambda x: torch.softmax(x, 1), (65536, 10)),
        "softmax 1000": of(lambda x: torch.softmax(x, 1), (4096, 1000)),
        "log_softmax 1000": of(lambda x: torch.log_softmax(x, 1), (4096, 1000)),
        "cross_entropy 64 x 1000": loss(F.cross_entropy, (64, 1000), labels(1000, 64)),
        "cross_entropy 2 at 128": loss(F.cross_entropy, (16, 2, 128, 128), labels(2, 16, 128, 128)),
        "cross_entropy 21 at 128": loss(F.cross_entropy, (16, 21, 128, 128), labels(21, 16, 128, 128)),
        "bce 1 at 256": loss(F.binary_cross_entropy_with_logits, (16, 1, 256, 256),
                             lambda: torch.rand(16, 1, 256, 256).round()),
        "mse 64 x 16384": loss(F.mse_loss, (64, 16384), lambda: torch.randn(64, 16384)),
    }


def clocks(build, channels_last):
    """Seconds of one forward and one backward run."""
    inputs, function = build()
    if channels_last:
        inputs = [x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x for x in inputs]
        if isinstance(function, nn.Module):
            function = function.to(memory_format=torch.channels_last)
    for x in inputs:
        x.requires_grad_()
    dy = torch.randn_like(function(*inputs))

    def run():
        start = time.perf_counter()
        y = function(*inputs)
        middle = time.perf_counter()
        y.backward(dy)
        return middle - start, time.perf_counter() - middle
    return run


def ours(program, name, threads):
    """Milliseconds that the program prints for the operation of just this name."""
    text = subprocess.run([program, name], env={**os.environ, "SPUR_THREADS": str(threads)}, check=True,
                          capture_output=True, text=True).stdout
    for line in text.splitlines():
        if line[:46].strip() == name:
            return [float(word) for word in line[46:].split()[:2]]
    raise script.Failure(f"{program}: knows no '{name}'")


def compare(program, name, build, options):
    variants = [clocks(build, layout) for layout in (False, True)]
    theirs, mine = [[], []], []
    for _ in range(options.rounds):
        time.sleep(PAUSE)
        mine.append(ours(program, name, options.threads))
        for v, run in enumerate(variants):
            run()
            theirs[v] += [run() for _ in range(5)]
    row = {"layer": name}
    for i, part in enumerate(("forward", "backward")):
        a = statistics.median(m[i] for m in mine)
        b = 1e3 * min(statistics.median(t[i] for t in v) for v in theirs)
        row[part] = {"spur": a, "torch": b, "ratio": b / a if a else 0}
    return row


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "--diff":
        return results.diff(sys.argv[2], sys.argv[3])
    options = script.comparison("rounds", 3)
    script.require("torch")
    torch.set_num_threads(options.threads)
    print(f"PyTorch {torch.__version__}, {options.threads} threads; ms spur / torch (ratio)")
    rows = []
    for name, build in operations().items():
        if options.only not in name:
            continue
        row = compare(options.program, name, build, options)
        rows.append(row)
        cells = [f"{r['spur']:8.3f} / {r['torch']:8.3f} ({r['ratio']:5.2f})" for r in (row["forward"], row["backward"])]
        print(f"{name:36s} " + "   ".join(cells), flush=True)
    if options.json:
        results.write(options.json, {"torch": torch.__version__, "threads": options.threads, "operations": rows})


if __name__ == "__main__":
    script.run(main)
