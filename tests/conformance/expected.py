# SPDX-License-Identifier: MIT
"""What TensorBoard must show for the cases that write_cases logs, computed here and not read from its files.

Each function mirrors one of write_cases/*.c by its formulas. Points are (wall time, step, value).
"""
import math

import numpy as np


def at(i):
    return 1700000000.0 + 0.25 * i


class Random:
    """The generator of cases/main.c: multiples of 2^-24 in [0, 1)."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return (self.state >> 8) / 2.0**24


def f32(value):
    return float(np.float32(value))


# ---- scalars


ODD_TAGS = ["ünï/日本 🎈", "a//b", "/slash/first", "html <b>&amp;\"'", "line\nbreak", "percent%2Fencoded?x=1&y=2#z",
            "long/" + "x" * 9995]


def scalars():
    """{run: {tag: [(wall, step, value)]}}"""
    odd = [math.nan, math.inf, -math.inf, -0.0, 3.4e38, 1e-45, 0.1, -1e30]
    steps = [-3, 0, 2**31, 2**53]
    run = {
        "smooth": [(at(i), i, 0.25 * i - 10) for i in range(100)],
        "many": [(at(i), i, i / 8) for i in range(2500)],
        "odd/values": [(at(i), i, f32(v)) for i, v in enumerate(odd)],
        "odd/steps": [(at(i), s, i + 1.0) for i, s in enumerate(steps)],
        **{tag: [(at(i), 1, float(i))] for i, tag in enumerate(ODD_TAGS)},
    }
    return {"scalars": run, "scalars/validation": {"smooth": [(at(i), i, 0.5 * i - 10) for i in range(100)]}}


# ---- histograms


def buckets(values, k=30):
    """tf.summary.histogram's rows (left, right, count)."""
    values = np.array([float(v) for v in values if math.isfinite(v)])
    if k <= 0:
        return []
    if values.size == 0:
        return [[0.0, 0.0, 0.0]] * k
    low, high = float(values.min()), float(values.max())
    if low == high:
        return [[low, high, 0.0]] * (k - 1) + [[low, high, float(values.size)]]
    width = high / k - low / k
    counts = [0.0] * k
    for v in values:
        counts[min(int((v / 2 - low / 2) / (width / 2)), k - 1)] += 1
    edges = [low + i * width for i in range(k)] + [high]
    return [[edges[i], edges[i + 1], counts[i]] for i in range(k)]


def histograms():
    """{tag: [(wall, step, rows)]}"""
    random, series = Random(1), []
    for step in range(5):
        values = [(random.next() + random.next() - 1.0) * (step + 1) for _ in range(1000)]
        series.append((at(step), step, buckets(values)))
    tiny = 5e-324
    single = {
        "type/u8": buckets([0, 1, 2, 250, 255], 5),
        "type/i16": buckets([-32768, 0, 5, 32767], 8),
        "type/i32": buckets([-7, 0, 0, 0, 9], 4),
        "type/i64": buckets([-2**40, 0, 2**40], 4),
        "type/f32": buckets([-0.5, 0.25, 0.25, 1.5, 2.5], 50),
        "odd/constant": buckets([2.5] * 7),
        "odd/zero": buckets([0.0]),
        "odd/empty": buckets([]),
        "odd/nonfinite": buckets([1, 2, 5], 4),
        "odd/only_nan": buckets([]),
        "odd/one_bucket": [[-4.0, 12.0, 3.0]],
        "odd/no_bucket": [],
        "odd/huge": [[-1e308, -5e307, 1.0], [-5e307, 0.0, 0.0], [0.0, 5e307, 1.0], [5e307, 1e308, 1.0]],
        "odd/tiny": [[0.0, tiny, 1.0], [tiny, 2 * tiny, 1.0], [2 * tiny, 3 * tiny, 0.0], [3 * tiny, 4 * tiny, 1.0]],
        "odd/gap": buckets([-4, -4, 12], 8),
        "ready/plain": [[-1.0, 0.0, 2.0], [0.0, 0.5, 7.0], [0.5, 4.0, 1.0]],
        "ready/empty_ends": [[-1.0, 0.0, 2.0], [0.0, 1.0, 0.0], [1.0, 2.0, 3.0]],
    }
    return {
        "series": series,
        "long": [(at(s), s, [[s, s + 1.0, 1.0], [s + 1.0, s + 2.0, 2.0], [s + 2.0, s + 3.0, 0.0],
                             [s + 3.0, s + 4.0, 1.0]]) for s in range(60)],
        **{tag: [(at(3), 3, rows)] for tag, rows in single.items()},
    }


# ---- images and sounds


def pixels(k, channels, step):
    y, x, c = np.mgrid[0:5, 0:7, 0:channels]
    return ((37 * k + 11 * y + 5 * x + 71 * c + 13 * step) % 256).astype(np.uint8)


def float_pixels():
    return np.array([*range(256), 0, 255, 0, 255], np.uint8).reshape(10, 26, 1)


def boxes():
    """Gray images of two as RGB; outlines on the second one, cut off at its edges."""
    first, second = (np.repeat(pixels(k, 1, 0), 3, axis=2) for k in range(2))
    for left, top, right, bottom, color in ((1, 0, 4, 4, (255, 0, 0)), (3, 2, 99, 99, (0, 255, 9))):
        y, x = np.mgrid[0:5, 0:7]
        inside = (x >= left) & (x < right) & (y >= top) & (y < bottom)
        second[inside & ((x == left) | (x == right - 1) | (y == top) | (y == bottom - 1))] = color
    return [first, second]


def images():
    """{tag: [(wall, step, [array [h, w, c]])]}"""
    def series(channels, steps, count=lambda step: 1):
        return [(at(s), s, [pixels(k, channels, s) for k in range(count(s))]) for s in range(steps)]

    counts = [1, 3, 2, 0]
    return {
        "gray": series(1, 3), "gray_alpha": series(2, 3), "rgb": series(3, 3), "rgba": series(4, 3),
        "batch": series(3, 4, lambda s: counts[s]),
        "five": series(3, 1, lambda s: 3),
        "all_five": series(3, 1, lambda s: 5),
        "twelve_steps": series(1, 12),
        "float32": [(at(0), 0, [float_pixels()])],
        "float64": [(at(0), 0, [float_pixels()])],
        "channels_first": series(3, 1),
        "boxes": [(at(0), 0, boxes())],
    }


def animation():
    return [pixels(k, 3, 0) for k in range(4)]


def clip(k, channels, step, frames=400):
    i, c = np.mgrid[0:frames, 0:channels]
    return ((i * 331 + k * 1000 + c * 77 + step * 13) % 65536 - 32768).astype(np.int16)


def sounds():
    """{tag: (rate, [(wall, step, [array [frames, channels]])])}"""
    floats = (np.arange(400) * 163) % 65536 - 32768
    floats[:4] = [32767, -32768, 32767, 0]
    return {
        "mono": (8000, [(at(s), s, [clip(0, 1, s)]) for s in range(3)]),
        "stereo": (44100, [(at(0), 0, [clip(k, 2, 0) for k in range(3)])]),
        "all_five": (44100, [(at(0), 0, [clip(k, 2, 0) for k in range(5)])]),
        "float": (16000, [(at(0), 0, [floats.astype(np.int16)[:, None]])]),
    }


# ---- text


def texts():
    """{tag: [(wall, step, str, list or list of lists)]}"""
    cells = ["Step: 1", "Square: **1**", "<b>no</b>", "four", "f|ve", "six"]
    return {
        "document": [(at(0), 0, "# Title\n\nsome *emphasis*, `code`\n\n- a\n- b\n"),
                     (at(1), 1, "second <script>alert(1)</script> & done"), (at(2), 2, "")],
        "scripts": [(at(0), 0, "été 日本 🎈")],
        "list": [(at(0), 0, cells)],
        "table": [(at(0), 0, [cells[:3], cells[3:]]), (at(1), 1, [cells[0:2], cells[2:4], cells[4:6]])],
    }


# ---- precision-recall curves


def curve(labels, scores, thresholds=201, weights=None):
    """Rows TP, FP, TN, FN, precision, recall as the server gives them: counts cut to whole numbers, the tail
    without predictions left off."""
    labels, scores = np.array(labels, bool), np.array(scores, np.float64)
    weights = np.ones(len(scores)) if weights is None else np.array(weights, np.float64)
    rows = []
    for i in range(thresholds):
        # A score counts for bucket floor(score * (T - 1)), in float as TensorFlow computes it.
        above = np.floor(np.float32(scores) * np.float32(thresholds - 1)) >= i
        tp, fp = weights[above & labels].sum(), weights[above & ~labels].sum()
        tn, fn = weights[~above & ~labels].sum(), weights[~above & labels].sum()
        rows.append((tp, fp, tn, fn, tp / max(1e-7, tp + fp), tp / max(1e-7, tp + fn)))
    return trim(rows)


def trim(rows):
    last = max((i for i, r in enumerate(rows) if int(r[0]) or int(r[1])), default=-1)
    count = len(rows)
    return {
        **{name: [int(r[j]) for r in rows[:last + 1]] for j, name in enumerate(
            ("true_positives", "false_positives", "true_negatives", "false_negatives"))},
        "precision": [f32(r[4]) for r in rows[:last + 1]],
        "recall": [f32(r[5]) for r in rows[:last + 1]],
        "thresholds": [i / (count - 1) for i in range(last + 1)],
    }


def pr_curves():
    """{tag: [(wall, step, rows)]}"""
    random = Random(7)
    out = {"default": [], "eleven": [], "weighted": []}
    for step in range(3):
        scores, labels = [], []
        for _ in range(500):
            scores.append(random.next())
            labels.append(random.next() < scores[-1])
        out["default"].append((at(step), step, curve(labels, scores)))
        out["eleven"].append((at(step), step, curve(labels, scores, 11)))
        out["weighted"].append((at(step), step, curve(labels, scores, 21, [i % 4 for i in range(500)])))
    out["edges"] = [(at(0), 0, curve([0, 1, 1], [0.0, 1.0, 0.5], 5))]
    raw = [(3, 2, 0, 0, 3 / 5, 1.0), (2, 1, 1, 1, 2 / 3, 2 / 3), (1, 0, 2, 2, 1.0, 1 / 3)]
    out["raw"] = [(at(0), 0, trim(raw))]
    return out


# ---- custom scalars


def layout():
    return [
        ("lines", [("losses", ["loss/.*"]), ("both", ["loss/a", "accuracy"])]),
        ("bands", [("margin", [("accuracy", "accuracy_low", "accuracy_high")])]),
    ]


def layout_scalars():
    lines = {"loss/a": (10, -0.5), "loss/b": (8, -0.25), "accuracy": (0.5, 1 / 64), "accuracy_low": (0.25, 1 / 64),
             "accuracy_high": (0.625, 1 / 64)}
    return {tag: [(at(i), i, a + b * i) for i in range(20)] for tag, (a, b) in lines.items()}


# ---- hyper-parameters


def session(i):
    """The hyper-parameters, group, status, metrics and times of trial i."""
    same = 3 if i == 4 else i
    return {
        "hparams": {"lr": 0.1 / 2**same, "units": 16.0 * (same + 1), "optimizer": ["adam", "sgd", "étonnant"][i % 3],
                    "nesterov": i % 2 == 0},
        "group": "pair" if i >= 3 else None,
        "status": {1: "STATUS_FAILURE", 2: "STATUS_UNKNOWN"}.get(i, "STATUS_SUCCESS"),
        "accuracy": 0.75 + i / 64, "validation": 0.5 + i / 64,
        "start": at(4 * i), "end": 0 if i == 2 else at(4 * i + 40),
    }


# ---- graph


GRAPH_NODES = {
    # name: (op, inputs, shapes, device)
    "input": ("Placeholder", [], [[-1, 28, 28, 1]], ""),
    "encoder/conv1/weight": ("Variable", [], [[3, 3, 1, 16]], ""),
    "encoder/conv1/conv": ("Conv2D", ["input", "encoder/conv1/weight"], [[-1, 26, 26, 16]], "/device:CPU:0"),
    "encoder/pool": ("MaxPool", ["encoder/conv1/conv"], [[-1, 13, 13, 16]], ""),
    "split": ("Split", ["encoder/pool"], [[-1, 8], [-1, 8]], ""),
    "loss": ("Sub", ["split", "split:1", "^input"], [[]], ""),
}


# ---- meshes


FACES = [0, 1, 3, 0, 3, 2, 4, 6, 7, 4, 7, 5, 0, 4, 5, 0, 5, 1, 2, 3, 7, 2, 7, 6, 0, 2, 6, 0, 6, 4, 1, 5, 7, 1, 7, 3]


def cube(sample, step):
    """vertices, faces, colors of one of the two cubes."""
    vertices, colors = [], []
    for i in range(8):
        high = [(i >> axis) & 1 for axis in range(3)]
        vertices.append([(1 if h else -1) * (1.0 if sample == 0 else 0.5) + step / 4 for h in high])
        colors.append([255 - 20 * step if h else 30 for h in high])
    return np.float32(vertices), np.array(FACES, np.int32).reshape(12, 3), np.array(colors, np.uint8)


def cloud():
    random = Random(3)
    return np.float32([random.next() for _ in range(600)]).reshape(200, 3)


# ---- projector


def points():
    """values [50, 4], metadata lines, sprite pixels [50, 8, 8, 3]"""
    random = Random(11)
    values = np.float32([[np.float32(random.next()) + np.float32(i % 2 * 2) for _ in range(4)] for i in range(50)])
    names = [["name", "class"]] + [[f"point ü{i}", f"class{i % 2}"] for i in range(50)]
    sprites = np.array([[(i * 5 + j) % 256 for j in range(8 * 8 * 3)] for i in range(50)], np.uint8)
    return values, names, sprites.reshape(50, 8, 8, 3)
