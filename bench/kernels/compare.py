#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Times the same convolution layers in PyTorch and in Spur, in turn, and prints the ratios.

usage: compare.py path/to/bench_kernels [--threads N] [--repetitions N] [--only TEXT] [--json FILE]
       compare.py --diff A.json B.json

Needs a Python with torch. PyTorch's time of a pass is the better one of its default layout and
channels_last; medians of interleaved repetitions.
"""
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
except ImportError:  # comparing two results needs none
    torch = None

LAYERS = [  # n, c, h, w, k, kernel, stride, groups[, dilation]
    (64, 3, 48, 48, 32, 3, 1, 1), (64, 32, 48, 48, 64, 3, 1, 1), (64, 64, 24, 24, 128, 3, 1, 1),
    (4, 32, 128, 128, 32, 3, 1, 1), (4, 64, 64, 64, 64, 3, 1, 1), (4, 128, 32, 32, 128, 3, 1, 1),
    (4, 256, 16, 16, 256, 3, 1, 1), (4, 512, 8, 8, 512, 3, 1, 1), (16, 64, 56, 56, 64, 3, 1, 1),
    (16, 128, 28, 28, 128, 3, 1, 1), (16, 256, 14, 14, 256, 3, 1, 1), (16, 512, 7, 7, 512, 3, 1, 1),
    (4, 64, 224, 224, 64, 3, 1, 1), (4, 256, 56, 56, 256, 3, 1, 1), (4, 512, 28, 28, 512, 3, 1, 1),
    (16, 3, 224, 224, 64, 7, 2, 1), (16, 64, 56, 56, 128, 3, 2, 1), (16, 128, 28, 28, 256, 3, 2, 1),
    (16, 64, 56, 56, 128, 1, 2, 1), (16, 256, 28, 28, 64, 1, 1, 1),
    (16, 32, 112, 112, 32, 3, 1, 32), (16, 96, 112, 112, 96, 3, 2, 96), (16, 144, 56, 56, 144, 3, 1, 144),
    (16, 192, 28, 28, 192, 3, 1, 192), (16, 384, 14, 14, 384, 3, 1, 384), (16, 960, 7, 7, 960, 3, 1, 960),
    (16, 72, 56, 56, 72, 5, 2, 72), (16, 120, 28, 28, 120, 5, 1, 120), (16, 672, 14, 14, 672, 5, 2, 672),
    (16, 128, 56, 56, 128, 3, 1, 32), (16, 256, 28, 28, 256, 3, 1, 32), (16, 512, 14, 14, 512, 3, 1, 32),
    (16, 240, 28, 28, 240, 1, 1, 3), (8, 64, 56, 56, 64, 3, 1, 1, 2), (4, 512, 33, 33, 256, 3, 1, 1, 12),
]
PASSES = ("forward", "data", "weights")


def numbers(layer):
    """The nine that describe it: without a dilation it is 1."""
    return layer if len(layer) == 9 else (*layer, 1)


def torch_passes(layer, channels_last):
    """Functions that run each pass once."""
    n, c, h, w, k, kernel, stride, groups, dilation = numbers(layer)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    x = torch.randn(n, c, h, w).relu().contiguous(memory_format=layout)
    weight = (torch.randn(k, c // groups, kernel, kernel) * 0.05).contiguous(memory_format=layout)
    bias = torch.zeros(k)
    args = ([stride] * 2, [kernel // 2 * dilation] * 2, [dilation] * 2, False, [0, 0], groups)
    dy = torch.randn_like(torch.convolution(x, weight, bias, *args))

    def backward(mask):
        return torch.ops.aten.convolution_backward(dy, x, weight, [k], *args, mask)

    return {
        "forward": lambda: torch.convolution(x, weight, bias, *args),
        "data": lambda: backward([True, False, False]),
        "weights": lambda: backward([False, True, True]),
    }


def seconds(function):
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def ours(server, layer, repetitions):
    server.stdin.write(" ".join(map(str, numbers(layer))) + f" {repetitions}\n")
    server.stdin.flush()
    words = server.stdout.readline().split()
    if len(words) < 9:
        raise script.Failure(f"{server.args[0]}: no answer to {layer}")
    return {words[i]: (words[i + 1], float(words[i + 2])) for i in range(0, 9, 3)}


def compare(server, layer, repetitions):
    """Per pass: algorithm, our GF/s, PyTorch's, ratio."""
    variants = [torch_passes(layer, cl) for cl in (False, True)]
    theirs = {p: [[], []] for p in PASSES}
    mine = {p: [] for p in PASSES}
    for round_ in range(repetitions + 1):
        answer = ours(server, layer, 1)
        for p in PASSES:
            mine[p].append(answer[p][1])
            for v, passes in enumerate(variants):
                t = seconds(passes[p])
                if round_:
                    theirs[p][v].append(t)
    n, c, h, w, k, kernel, stride, groups, _ = numbers(layer)
    flops = 2e-9 * n * k * (c // groups) * kernel * kernel * -(-h // stride) * -(-w // stride)
    result = {}
    for p in PASSES:
        a, b = statistics.median(mine[p]), min(statistics.median(v) for v in theirs[p])
        result[p] = {"algorithm": answer[p][0], "spur": flops / a, "torch": flops / b, "ratio": b / a}
    return result


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "--diff":
        return results.diff(sys.argv[2], sys.argv[3])
    options = script.comparison("repetitions", 7)
    script.require("torch")
    torch.set_num_threads(options.threads)
    torch.set_grad_enabled(False)
    server = subprocess.Popen([options.program, "--serve", "--threads", str(options.threads)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    print(f"PyTorch {torch.__version__}, {options.threads} threads; GF/s spur/torch (ratio)")
    rows = []
    for layer in LAYERS:
        name = ",".join(map(str, layer))
        if options.only not in name:
            continue
        result = compare(server, layer, options.repetitions)
        if layer[1] == 3:
            result["data"] = None  # an image's gradient is never wanted
        rows.append({"layer": layer, **result})
        cells = [f"{r['spur']:6.0f}/{r['torch']:4.0f} ({r['ratio']:4.1f}) {r['algorithm']:9s}" if r else " " * 27
                 for r in (result[p] for p in PASSES)]
        print(f"{name:28s} " + "  ".join(cells), flush=True)
    server.stdin.close()
    server.wait()
    if options.json:
        results.write(options.json, {"torch": torch.__version__, "threads": options.threads, "layers": rows})


if __name__ == "__main__":
    script.run(main)
