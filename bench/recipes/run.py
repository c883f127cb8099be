#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trains the recipes under examples/ with spur over several seeds, and compares with PyTorch's results.

usage: run.py train SPUR DATA_FOLDER [--recipes camvid,isbi,cifar10,mnist] [--seeds 1,2,3] >>spur.jsonl
       run.py report spur.jsonl torch.jsonl       torch.jsonl: what peer.py printed for the same seeds

`train` prints the JSON lines of peer.py: one per epoch, of its validation part (camvid, isbi) or of the test set
(cifar10, trained on the whole training part); one per run of mnist, of the test set and the last weights.
`report` prints a table and leaves with 1 unless every claim holds: the mean over spur's seeds is at least
PyTorch's less two standard errors of the difference of the two means, sqrt(s1^2 / n1 + s2^2 / n2).
"""
import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import script

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

IOU = ["train.metrics=iou, iou(class=0), iou(class=1), pixel_accuracy"]

# recipe: (INI file, folder of the data, what judges which weights, settings of this comparison)
RECIPES = {
    "camvid": ("camvid.ini", "camvid-half", "val, each epoch", IOU),
    "isbi": ("isbi-membrane.ini", "isbi-membrane", "val, each epoch", IOU),
    "cifar10": ("cifar10-small.ini", "cifar10-small", "test, each epoch", ["train.metrics=accuracy"]),
    "mnist": ("mnist.ini", "mnist-10k", "test, last weights", ["data.val_split=0"]),
}


def best(key):
    return lambda epochs: max(e[key] for e in epochs)


def mean_of_last(n, value):
    return lambda epochs: statistics.mean(value(e) for e in epochs[-n:])


# recipe: (number of epochs, {what is claimed: a function of the epochs of one run})
CLAIMS = {
    "camvid": (8, {"mIoU, best epoch": best("mean_iou"),
                   "mIoU, last four epochs": mean_of_last(4, lambda e: e["mean_iou"]),
                   "IoU of buildings, best epoch": lambda epochs: max(e["iou"][1] for e in epochs),
                   "pixel accuracy, best epoch": best("accuracy"),
                   "pixel accuracy, last four epochs": mean_of_last(4, lambda e: e["accuracy"])}),
    "isbi": (16, {"pixel accuracy, last eight epochs": mean_of_last(8, lambda e: e["accuracy"]),
                  "IoU bright, last eight epochs": mean_of_last(8, lambda e: e["iou"][1]),
                  "IoU membrane, last eight epochs": mean_of_last(8, lambda e: e["iou"][0])}),
    "cifar10": (10, {"test accuracy, last four epochs": mean_of_last(4, lambda e: e["accuracy"]),
                     "test accuracy, last epoch": mean_of_last(1, lambda e: e["accuracy"])}),
    "mnist": (5, {"test accuracy": mean_of_last(1, lambda e: e["accuracy"])}),
}


def put(recipe, seed, epoch, **values):
    print(json.dumps({"recipe": recipe, "side": "spur", "seed": seed, "epoch": epoch, **values}), flush=True)


def test_as_validation(folder, linked):
    """Makes `linked`, an image folder with the training part of `folder`; its validation part is the test part."""
    linked.mkdir()
    for name, part in ("train", "train"), ("val", "test"):
        (linked / name).symlink_to(folder / part)
    return linked


def measures(line):
    """Of an epoch's validation."""
    if "val_iou" not in line:
        return {"accuracy": line["val_accuracy"]}
    return {"accuracy": line["val_pixel_accuracy"], "mean_iou": line["val_iou"],
            "iou": [line[f"val_iou_class_{c}"] for c in range(2)]}


def train(spur, data, recipe, seed):
    ini, folder, judged, settings = RECIPES[recipe]
    with tempfile.TemporaryDirectory() as parent:
        path = Path(data, folder).resolve()
        if judged == "test, each epoch":
            path = test_as_validation(path, Path(parent, "data"))
        command = [spur, "train", EXAMPLES / ini, f"data.path={path}", f"run.logdir={parent}/logs",
                   f"run.seed={seed}", "--json", *settings]
        run = None
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in map(json.loads, process.stdout):
                if line["event"] == "epoch":
                    epoch, loss = line["epoch"], line["loss"]
                    if judged != "test, last weights":
                        put(recipe, seed, epoch, loss=loss, **measures(line))
                elif line["event"] == "end":
                    run = line["run"]
        if process.returncode != 0 or not run:
            raise script.Failure(f"{recipe}, seed {seed}: {spur} train left with {process.returncode}")
        if judged == "test, last weights":
            command = [spur, "eval", run, "--split", "test", "--weights", "last", "--json"]
            tested = subprocess.run(command, check=True, capture_output=True, text=True)
            put(recipe, seed, epoch, loss=loss, accuracy=json.loads(tested.stdout)["accuracy"])


def read(paths):
    """{(recipe, side): {seed: [epochs]}}, of runs that came to their end."""
    runs = {}
    for path in paths:
        for line in map(json.loads, open(path)):
            runs.setdefault((line["recipe"], line["side"]), {}).setdefault(line["seed"], []).append(line)
    for (recipe, _), seeds in runs.items():
        for seed in [s for s, epochs in seeds.items() if epochs[-1]["epoch"] != CLAIMS[recipe][0]]:
            del seeds[seed]
    return runs


def error(values):
    """Squared standard error of the mean."""
    return statistics.variance(values) / len(values) if len(values) > 1 else float("nan")


def report(paths):
    runs, failed = read(paths), 0
    print("| recipe | measured | spur | PyTorch | difference | two standard errors | claim |")
    print("|---|---|---|---|---|---|---|")
    for recipe, (_, claims) in CLAIMS.items():
        sides = [runs.get((recipe, side), {}) for side in ("spur", "pytorch")]
        if not all(sides):
            print(f"{recipe}: no finished run of one side", file=sys.stderr)
            failed += 1
            continue
        for what, value in claims.items():
            ours, theirs = ([value(epochs) for _, epochs in sorted(side.items())] for side in sides)
            difference = statistics.mean(ours) - statistics.mean(theirs)
            room = 2 * (error(ours) + error(theirs)) ** 0.5
            enough = min(len(ours), len(theirs)) > 1
            holds = enough and difference >= -room
            failed += not holds
            cell = lambda values: f"{statistics.mean(values):.4f} ({', '.join(f'{v:.3f}' for v in values)})"
            print(f"| {recipe} | {what} | {cell(ours)} | {cell(theirs)} | {difference:+.4f} | "
                  f"{f'{room:.4f}' if enough else '-'} | "
                  f"{'holds' if holds else 'FAILS' if enough else 'wants more seeds'} |")
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="command", required=True)
    part = parts.add_parser("train")
    part.add_argument("spur")
    part.add_argument("data")
    part.add_argument("--recipes", default=",".join(RECIPES))
    part.add_argument("--seeds", default="1,2,3")
    parts.add_parser("report").add_argument("results", nargs="+")
    arguments = parser.parse_args()
    if arguments.command == "report":
        return report(arguments.results)
    script.program(arguments.spur)
    for recipe in script.chosen(arguments.recipes, RECIPES):
        for seed in arguments.seeds.split(","):
            train(arguments.spur, arguments.data, recipe, int(seed))
    return 0


if __name__ == "__main__":
    script.run(main)
